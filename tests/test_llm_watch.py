"""The expensive tier beside a real ``currant watch``: told of, killed in the middle of a call, asked on the
command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import Tree
from currant.store.ledger import spent
from currant.store.llm import LlmStore
from llm_kit import PRICES
from llm_server import Behaviour, Call, Good, Hang, LlmServer, Status
from watcher import Watcher

ADD = "def add(a, b):\n    return a + b\n"
# The shortest that the settings permit: these are the only real seconds.
QUICK = ("scheduler.delay_seconds=1", "scheduler.max_delay_seconds=30")


def flags(server: LlmServer, *more: str) -> list[str]:
    told = {"llm.provider": "openai", "llm.base_url": f'"{server.url}"', "llm.model": '"m-1"', **PRICES}
    return [*QUICK, *(f"{key}={value}" for key, value in told.items()), *more]


def currant(root: Path, *arguments: str) -> tuple[int, Any, str]:
    """Exit status, JSON, standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "currant", *arguments, "--root", os.fspath(root), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def until_answered(root: Path, path: str, server: LlmServer, calls: int = 1) -> dict[str, Any]:
    """The record of `path` once the answer to the last of so many calls is in it."""
    server.wait_for(calls)
    while True:
        _, told, _ = currant(root, "show", path)
        record: dict[str, Any] = told["file"]["record"]
        if "llm" in record["facts"]:
            return record


def test_a_watcher_says_once_that_contents_are_sent_and_shows_the_answers(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    with LlmServer() as server, Watcher(tree.root, *flags(server)) as watcher:
        watcher.ready()
        record = until_answered(tree.root, "a.py", server)
        assert record["symbols"][0]["doc"] == "Adds two numbers."
        _, status, _ = currant(tree.root, "status")
        assert status["llm"]["running"]
        assert status["llm"]["calls"] == 1
        (note,) = [note for note in status["notes"] if note["code"] == "llm_on"]
        assert "on this machine" in note["what"]
        code, told, _ = currant(tree.root, "llm", "ledger")
        assert code == 0
        assert told["ledger"]["contents"][0]["path"] == "a.py"
        assert told["ledger"]["spent_total_usd"] > 0
        _, checks, _ = currant(tree.root, "doctor")
        assert any("on this machine" in check["found"] for check in checks["checks"])
        watcher.process.terminate()
        _, errors = watcher.process.communicate()
        assert errors.decode().count("contents of files are sent") == 1
    # Without a watcher the answer is still there, and nothing is asked.
    assert currant(tree.root, "show", "a.py")[1]["file"]["record"]["facts"]["llm"]["source"] == "llm:m-1"
    assert len(server.calls) == 1


def test_a_watcher_killed_in_the_middle_of_a_call_has_paid_for_it_and_the_next_one_asks_again(
    tree: Tree,
) -> None:
    def behave(call: Call) -> Behaviour:
        return Hang() if call.number == 0 else Good()

    tree.write({"a.py": ADD})
    with LlmServer(behave) as server:
        with Watcher(tree.root, *flags(server)) as watcher:
            watcher.ready()
            server.wait_for(1)
            watcher.kill()
        store = LlmStore.open(tree.root / ".currant", None)
        with store._reading() as connection:
            killed = spent(connection, 0.0)
        store.close()
        assert killed.calls == 1
        assert killed.total > 0
        assert killed.reserved == 0  # counted as spent from here on
        with Watcher(tree.root, *flags(server)) as watcher:
            watcher.ready()
            until_answered(tree.root, "a.py", server, 2)
            _, told, _ = currant(tree.root, "llm", "ledger")
            assert told["ledger"]["calls"] == 2
            assert told["ledger"]["spent_total_usd"] * 1e9 > killed.total
        assert len(server.calls) == 2


def test_what_was_set_apart_is_listed_and_tried_again_from_the_command_line(tree: Tree) -> None:
    behaviour: list[Behaviour] = [Status(400, "ValidationException")]
    tree.write({"a.py": ADD})
    with LlmServer(lambda _call: behaviour[0]) as server, Watcher(tree.root, *flags(server)) as watcher:
        watcher.ready()
        server.wait_for(1)
        while not (apart := currant(tree.root, "llm", "ledger")[1]["ledger"]["quarantined"]):
            pass
        assert "ValidationException" in apart[0]["reason"]
        behaviour[0] = Good()
        assert currant(tree.root, "llm", "retry", "a.py")[:2] == (0, {"queued": 1})
        until_answered(tree.root, "a.py", server, 2)
        assert currant(tree.root, "llm", "retry")[:2] == (1, {"queued": 0})


def test_a_model_without_a_price_is_refused_at_the_start(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "currant", "watch", "--root", os.fspath(tree.root)),
            *("--set", "llm.provider=bedrock", "--set", "llm.model=some.model"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "its price is not known" in done.stderr
    code, told, _ = currant(tree.root, "plan", "--llm", "--set", "llm.model=some.model")
    assert (code, told["usd"]) == (1, None)
    code, told, _ = currant(tree.root, "plan", "--llm")
    assert (code, told["files"], told["exact"]) == (0, 1, False)
    assert told["usd"] > 0
    currant(tree.root, "index")
    assert currant(tree.root, "plan", "--llm")[1]["exact"]
    assert currant(tree.root, "llm", "ledger")[0] == 1


_OFF = """
import sys
from pathlib import Path
import currant
with currant.open(Path(sys.argv[1])) as index:
    index.sync(60)
    index.show("a.py")
print([name for name in sys.modules if name.split(".")[0] in ("boto3", "botocore", "urllib3") or "llm.tier" in
name])
"""


def test_while_it_is_off_nothing_of_it_is_imported_and_no_file_is_made(tree: Tree) -> None:
    tree.write({"a.py": ADD})
    done = subprocess.run(
        [sys.executable, "-c", _OFF, os.fspath(tree.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert not (tree.root / ".currant" / "llm.db").exists()


def test_a_renamed_directory_and_an_index_made_anew_cost_no_call(tree: Tree) -> None:
    tree.write({"old/a.py": ADD})
    with LlmServer() as server, Watcher(tree.root, *flags(server)) as watcher:
        watcher.ready()
        until_answered(tree.root, "old/a.py", server)
        tree.path("old").rename(tree.path("new"))
        until_answered(tree.root, "new/a.py", server)
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            tree.path(f".currant/{name}").unlink(missing_ok=True)
        assert currant(tree.root, "sync")[0] == 0
        until_answered(tree.root, "new/a.py", server)
        _, status, _ = currant(tree.root, "status")
        assert status["llm"]["running"]
        assert status["llm"]["waiting"] == 0
    assert len(server.calls) == 1
