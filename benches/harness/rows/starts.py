"""What a user waits for before anything begins: import, `currant status`, and the size of a wheel."""

import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path

import currant
from harness import programs
from harness.background import watch
from harness.bench import Bench
from harness.programs import CURRANT, run
from harness.result import Line, Row, median

ASKED = "currant status with a watcher"


def measure(bench: Bench) -> Row:
    """Imports are whole processes; the interpreter alone is among them, so that it can be subtracted."""
    tree = bench.tree
    bench.indexed()
    row = Row("starts", "import, start, size")
    python = [sys.executable, "-c"]
    commands = {
        "python -c pass": [*python, "pass"],
        "import currant": [*python, "import currant"],
        "import watchfiles": [*python, "import watchfiles"],
        "currant status": [*CURRANT, "status", "--root", str(tree.root), "--state-dir", str(tree.state)],
        "currant --version": [*CURRANT, "--version"],
    }
    if program := programs.find("watchman"):
        commands["watchman --version"] = [program, "--version"]
    rounds = bench.plan.rounds * 4
    found = programs.alternate(rounds, {name: partial(run, one) for name, one in commands.items()})
    with watch(tree.root, tree.state):
        found |= programs.alternate(rounds, {ASKED: partial(run, commands["currant status"])})
    row.samples = programs.plain(found)
    row.commands = {
        name: programs.said(one, {**tree.hidden, sys.executable: "python"}) for name, one in commands.items()
    }
    walls = {name: median([cost.seconds for cost in costs]) * 1e3 for name, costs in found.items()}
    bare = walls["python -c pass"]
    row.lines += [
        Line("import currant, less the interpreter", walls["import currant"] - bare, "ms",
             walls["import watchfiles"] - bare, "watchfiles", "import"),
        Line(f"{ASKED}, whole process", walls[ASKED], "ms", goal="status"),
        Line("currant status without one, whole process", walls["currant status"], "ms", goal="status"),
        Line("currant --version, whole process", walls["currant --version"], "ms", bare, "python -c pass"),
        Line("wheel", wheel_mb(), "MB", goal="wheel"),
    ]  # fmt: skip
    row.notes.append("wheel: the installed package and its native module, deflated as a wheel holds them")
    return row


def wheel_mb() -> float:
    home = Path(currant.__file__).parent
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as wheel:
            for path in sorted(home.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    wheel.write(path, path.relative_to(home.parent))
        return file.seek(0, 2) / 1e6
