"""Installs a wheel into an empty environment of each Python and does the main job with it.

    python benches/install_matrix.py --wheels DIR [--python PYTHON]...

Without `--python`: every Python from 3.11 on that pyenv has. In each: `pip install WHEEL`, with whatever it
depends on, all of it as wheels; then, with nothing but that environment in PATH (no compiler, cargo, git):
index and find, watch and find what was just written, serve answering /healthz, initialize of mcp. The wheel
may have `MOST_MB`, and `import currant` may take `MOST_IMPORT_MS`. Exit status 1 when anything fails.
docs/installing.md has a run.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MOST_MB = 15.0
MOST_IMPORT_MS = 150.0
PATIENCE = 60.0

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "install_matrix", "version": "1"},
    },
}


class Environment:
    """One virtual environment with the wheel in it, and a small tree."""

    def __init__(self, python: str, base: Path) -> None:
        self.base, self.home, self.tree = base, base / "home", base / "tree"
        self.home.mkdir(parents=True)
        (self.tree / "src").mkdir(parents=True)
        (self.tree / "src" / "config.py").write_text("def parse_config(path):\n    return path\n")
        subprocess.run([python, "-m", "venv", base / "venv"], check=True)
        self.bin = base / "venv" / ("Scripts" if os.name == "nt" else "bin")
        # What a process on Windows does not start without.
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        self.environ = kept | {"PATH": str(self.bin), "HOME": str(self.home), "CURRANT_SERVE_PORT": "0"}

    def install(self, wheels: Path) -> None:
        """The wheel that suits, as pip sees it, and what it needs from the registry."""
        command = [self.bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # pip's own configuration says where the registry is, so this one keeps the whole environment.
        wheel = max(wheels.glob("currant-*.whl"), key=lambda one: self._suits(one.name))
        subprocess.run([*command, "--only-binary", ":all:", wheel], check=True)

    def _suits(self, name: str) -> bool:
        free = self.python("import sysconfig; print(bool(sysconfig.get_config_var('Py_GIL_DISABLED')))")
        return ("abi3" in name) != (free == "True")

    def run(self, *command: str, **more: Any) -> str:
        """The output of a command of this environment. Raises CalledProcessError, TimeoutExpired."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.tree,
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
            **more,
        )
        return done.stdout

    def python(self, code: str) -> str:
        """What a line of Python prints."""
        return self.run("python", "-c", code).strip()

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A command that goes on until it is told to stop, which it has to do with status 0."""
        with open(self.base / "log", "w") as log:
            process = subprocess.Popen(
                [self.bin / command[0], *command[1:]],
                cwd=self.tree,
                env=self.environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            try:
                yield process
                if os.name == "nt":  # there is no SIGTERM that a program could answer
                    process.kill()
                else:
                    process.send_signal(signal.SIGTERM)
                status = process.wait(PATIENCE)
                assert os.name == "nt" or status in (0, -signal.SIGTERM, 128 + signal.SIGTERM), status
            finally:
                process.kill()
                process.communicate()


def index_and_find(here: Environment) -> None:
    """The main job."""
    here.run("currant", "index")
    assert "src/config.py:1" in here.run("currant", "find", "parse_config")


def watch(here: Environment) -> None:
    """What is written under a watcher is found by the next question."""
    with here.running("currant", "watch", "--json") as watcher:
        assert watcher.stdout is not None
        assert json.loads(watcher.stdout.readline())["ready"]
        (here.tree / "late.py").write_text("def late():\n    pass\n")
        assert "late.py:1" in here.run("currant", "find", "late")


def serve(here: Environment) -> None:
    """The service answers, and takes its parts with it when it ends."""
    told = here.home / ".local" / "state" / "currant" / "serve.json"
    with here.running("currant", "serve"):
        end = time.monotonic() + PATIENCE
        while not told.exists():
            assert time.monotonic() < end, "the service did not start"
            time.sleep(0.1)
        port = json.loads(told.read_text())["port"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE) as answer:
            assert answer.status == 200


def mcp(here: Environment) -> None:
    """An agent's first line is answered."""
    with here.running("currant", "mcp") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(INITIALIZE) + "\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["result"]["serverInfo"]["name"] == "currant"


JOBS: list[tuple[str, Callable[[Environment], None]]] = [
    ("index, find", index_and_find),
    ("watch", watch),
    ("serve", serve),
    ("mcp", mcp),
]


def import_ms(here: Environment) -> float:
    """What `import currant` adds to a start, the best of seven: other work on the machine only ever adds."""
    code = "import time; t = time.perf_counter(); import currant; print((time.perf_counter() - t) * 1e3)"
    return min(float(here.python(code)) for _ in range(7))


def try_out(python: str, wheels: Path) -> dict[str, str]:
    """One row of the table."""
    with tempfile.TemporaryDirectory(prefix="install-", ignore_cleanup_errors=True) as directory:
        here = Environment(python, Path(directory))
        row = {"Python": here.python("import sys; print(sys.version.split()[0])")}
        here.install(wheels)
        assert shutil.which("cc", path=here.environ["PATH"]) is None
        row["import"] = f"{(took := import_ms(here)):.0f} ms" + (" TOO SLOW" if took > MOST_IMPORT_MS else "")
        for name, job in JOBS:
            try:
                job(here)
                row[name] = "yes"
            except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
                row[name] = "FAILED"
                said = getattr(error, "stderr", "") or (here.base / "log").read_text(errors="replace")
                print(f"{python}: {name}: {error!r}\n{said[-2000:]}", file=sys.stderr)
        return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wheels", type=Path, required=True, help="the directory with the wheels")
    parser.add_argument("--python", action="append", help="an interpreter; may be repeated")
    options = parser.parse_args()
    failed = False
    for wheel in sorted(options.wheels.glob("*.whl")):
        size = wheel.stat().st_size / 1e6
        failed |= size > MOST_MB
        print(f"{wheel.name}: {size:.1f} MB" + (" TOO LARGE" if size > MOST_MB else ""), flush=True)
    titles: list[str] = []
    for python in options.python or known():
        row = try_out(python, options.wheels)
        failed |= any(word in cell for cell in row.values() for word in ("FAILED", "TOO"))
        if not titles:
            titles = list(row)
            print(f"\n| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
        print(f"| {' | '.join(row.values())} |", flush=True)
    return int(failed)


def known() -> list[str]:
    """Interpreters of pyenv from 3.11 on, the oldest first; this one when there are none."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for path in versions.glob("3.*"):
        parts = path.name.split(".")
        if parts[1].rstrip("t").isdigit() and int(parts[1].rstrip("t")) >= 11:
            found.append((int(parts[1].rstrip("t")), str(path / "bin" / "python")))
    return [name for _, name in sorted(found)] or [sys.executable]


if __name__ == "__main__":
    sys.exit(main())
