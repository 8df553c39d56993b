"""The end of a process in the middle of watching, or with an index open: the right exit status, nothing on
stderr, and no hanging. Each case is a program of a few lines."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SOON = "rust_timeout=5, step=5, yield_on_timeout=True"

BEGIN = """
import asyncio, os, signal, sys, threading, currant
root = sys.argv[1]
def status(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""

WATCH = {
    "in the loop": f"for _ in currant.watch(root, {SOON}): sys.exit(3)",
    "with a generator suspended": f"changes = currant.watch(root, {SOON}); next(changes); sys.exit(3)",
    "by an exception": f"changes = currant.watch(root, {SOON}); next(changes); raise SystemExit(3)",
    "by os._exit": f"changes = currant.watch(root, {SOON}); next(changes); os._exit(3)",
    "with an atexit hook that goes on watching": f"""
import atexit
changes = currant.watch(root, {SOON}); next(changes)
atexit.register(next, changes)
sys.exit(3)
""",
    "with daemon threads that watch": f"""
begun = threading.Barrier(9)
def watching():
    for number, _ in enumerate(currant.watch(root, {SOON})):
        if not number:
            begun.wait()
for _ in range(8):
    threading.Thread(target=watching, daemon=True).start()
begun.wait()
sys.exit(3)
""",
    "in awatch": f"""
async def main():
    async for _ in currant.awatch(root, {SOON}): sys.exit(3)
asyncio.run(main())
""",
    "while another task is in awatch": f"""
async def main():
    begun = asyncio.Event()
    async def watching():
        async for _ in currant.awatch(root, {SOON}): begun.set()
    task = asyncio.create_task(watching())
    await begun.wait()
    sys.exit(3)
asyncio.run(main())
""",
    "with an event loop dropped in awatch": f"""
begun = asyncio.Event()
async def watching():
    async for _ in currant.awatch(root, {SOON}):
        begun.set()
        await asyncio.sleep(0)
loop = asyncio.new_event_loop()
task = loop.create_task(watching())
loop.run_until_complete(begun.wait())
task._log_destroy_pending = False  # asyncio's own message about it
sys.exit(3)
""",
    "in awatch under trio": f"""
import trio
async def main():
    async for _ in currant.awatch(root, {SOON}): sys.exit(3)
try:
    trio.run(main)
except BaseExceptionGroup as group:
    raise group.exceptions[0]
""",
    "after a fork, in both": f"""
changes = currant.watch(root, {SOON}); next(changes)
pid = os.fork()
if not pid:
    try:
        next(changes)
    except RuntimeError as error:
        sys.exit(4 if "forked" in str(error) else 5)
assert status(pid) == 4
next(changes)
sys.exit(3)
""",
    # The numbers of threads that did not come along are given out again, and belong to others then.
    "after a fork, of a child that watches anew": f"""
changes = currant.watch(root, {SOON}); next(changes)
pid = os.fork()
if not pid:
    anew = currant.watch(root, {SOON}); next(anew)
    sys.exit(4)
assert status(pid) == 4
next(changes)
sys.exit(3)
""",
}

INDEX = {
    "with an index open": "index = currant.open(root); index.sync(); sys.exit(3)",
    "at once after opening": "index = currant.open(root); sys.exit(3)",
    "with a daemon thread in a sync": """
index = currant.open(root); index.sync()
begun = threading.Event()
def syncing():
    while True:
        index.sync(); begun.set()
threading.Thread(target=syncing, daemon=True).start()
begun.wait()
sys.exit(3)
""",
    "with an event loop dropped in follow": """
async def following():
    async with currant.aopen(root) as index:
        clock = await index.sync()
        open(os.path.join(root, "new.py"), "w").close()
        async for _ in index.follow(clock): begun.set()
begun = asyncio.Event()
loop = asyncio.new_event_loop()
task = loop.create_task(following())
loop.run_until_complete(begun.wait())
task._log_destroy_pending = False  # asyncio's own message about it
sys.exit(3)
""",
    "after a fork, of a child that uses the parent's": """
index = currant.open(root); index.sync()
pid = os.fork()
if not pid:
    refused = 0
    for call in (index.sync, index.files, lambda: index.find("x"), lambda: list(index.changes())):
        try:
            call()
        except currant.CurrantError as error:
            refused += "fork" in str(error)
    sys.exit(4 if refused == 4 else 5)
assert status(pid) == 4
index.sync()
sys.exit(3)
""",
    "after a fork, of a child that is answered by its parent": """
index = currant.open(root); index.sync()
pid = os.fork()
if not pid:
    with currant.open(root) as again: again.sync()
    sys.exit(4)
assert status(pid) == 4
index.sync()
sys.exit(3)
""",
}


def program(tmp_path: Path, code: str) -> list[str]:
    (tmp_path / "module.py").write_text("def x(): pass\n")
    # From 3.12 on Python warns of every fork of a process with threads.
    return [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGIN + code, str(tmp_path)]


@pytest.mark.parametrize("case", [*WATCH, *INDEX])
def test_a_process_ends(case: str, tmp_path: Path) -> None:
    command = program(tmp_path, {**WATCH, **INDEX}[case])
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize(
    "code",
    [
        f"for _ in currant.watch(root, {SOON}): print(flush=True)",
        "async def main():\n"
        f"    async for _ in currant.awatch(root, {SOON}): print(flush=True)\n"
        "asyncio.run(main())",
    ],
    ids=["watch", "awatch"],
)
def test_ctrl_c(code: str, tmp_path: Path) -> None:
    inner = "\n".join(f"    {line}" for line in code.splitlines())
    caught = f"try:\n{inner}\nexcept KeyboardInterrupt:\n    sys.exit(3)"
    with subprocess.Popen(
        program(tmp_path, caught), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (3, b"")
