"""The comparison with rivals says what is missing, writes nothing into the tree, leaves nothing behind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benches"))
from harness import chart, draw, report
from harness.goals import GOALS
from harness.result import Line, Row
from harness.rows import million
from harness.trees import imported, monorepo

PROJECT = Path(__file__).resolve().parent.parent
MACHINE = ("processor", "processors", "kernel", "file_system", "python", "load_at_start")


def listing(root: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_size, path.lstat().st_mtime_ns) for path in root.rglob("*"))


def test_a_run_without_rivals_names_them_and_leaves_no_trace(tmp_path: Path) -> None:
    root, scratch, programs = tmp_path / "root", tmp_path / "scratch", tmp_path / "bin"
    for folder in (root, scratch, programs):
        folder.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    (root / "a.py").write_text("def first(): pass\n")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    before = listing(root)
    command = [
        sys.executable,
        str(PROJECT / "benches/run.py"),
        "--kernel",
        str(root),
        "--scratch",
        str(scratch),
    ]
    command += ["--rows", "walk,restart", "--set", "rounds=1", "--set", "long_rounds=1"]
    done = subprocess.run(
        command, env={**os.environ, "PATH": str(programs)}, capture_output=True, text=True, check=True
    )
    assert "missing: rg: not installed (Debian package ripgrep)" in done.stdout
    assert "| walk, stat, tree in memory |" in done.stdout
    assert "git status" in done.stdout
    assert listing(root) == before
    assert list(scratch.iterdir()) == []


def test_the_row_of_a_million_files_comes_to_its_end_with_fewer(tmp_path: Path) -> None:
    scratch, programs = tmp_path / "scratch", tmp_path / "bin"
    for folder in (scratch, programs):
        folder.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    # A tree to compare on has to be named, or the standard library is copied.
    (tmp_path / "root").mkdir()
    command = [sys.executable, str(PROJECT / "benches/run.py"), "--kernel", str(tmp_path / "root")]
    command += ["--scratch", str(scratch), "--rows", "million"]
    command += ["--set", "million=500", "--set", "long_rounds=1"]
    done = subprocess.run(
        command, env={**os.environ, "PATH": str(programs)}, capture_output=True, text=True, check=True
    )
    assert "### 500 generated files in " in done.stdout
    assert "| tree in memory |" in done.stdout
    assert "| restart | " in done.stdout
    assert "missing: watchman: not installed" in done.stdout
    assert list(scratch.iterdir()) == []


def test_a_large_tree_is_the_same_each_time_and_committed(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    assert monorepo(first, 300) == monorepo(again, 300)
    made = sorted(path.relative_to(first) for path in first.rglob("*.py"))
    assert len(made) == 300
    assert made == sorted(path.relative_to(again) for path in again.rglob("*.py"))
    imported(first)
    status = ["git", "-C", str(first), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, check=True).stdout == b""
    listed = ["git", "-C", str(first), "ls-tree", "-r", "--name-only", "HEAD"]
    assert len(subprocess.run(listed, capture_output=True, check=True).stdout.splitlines()) == 300


def test_what_a_million_files_need_is_said_before_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(million, "watch_limit", lambda: 65_536)
    monkeypatch.setattr(million, "held_watches", lambda: 65_000)
    with pytest.raises(RuntimeError, match=r"sysctl fs\.inotify\.max_user_watches=65688$"):
        million.require_room(tmp_path, 10_000)
    million.require_room(tmp_path, 1_000)
    with pytest.raises(RuntimeError, match="GB free: --scratch names another"):
        million.require_room(tmp_path, 10**15)


def test_every_row_is_a_module_that_the_document_names() -> None:
    named = (PROJECT / "docs/benchmarks.md").read_text()
    rows = {path.stem for path in (PROJECT / "benches/harness/rows").glob("*.py")} - {"__init__"}
    assert [row for row in sorted(rows) if f"| `{row}` |" not in named] == []


@pytest.mark.parametrize(
    ("goal", "ours", "theirs", "met"),
    [
        ("walk", 5.0, 10.0, True),
        ("walk", 7.0, 10.0, False),
        ("walk", 7.0, None, None),
        ("idle memory", 120.0, None, False),
        ("outline", 120.0, 400.0, True),
    ],
)
def test_goals(goal: str, ours: float, theirs: float | None, met: bool | None) -> None:
    assert GOALS[goal].met(ours, theirs) is met


def test_a_rival_that_wins_is_in_the_table_and_in_the_drawing() -> None:
    row = Row("cold", "cold index of <a tree>")
    row.against("cold index, wall clock", 20.0, {"ctags": 10.0}, "s", "cold", "ctags")
    text = report.markdown([row], {**dict.fromkeys(MACHINE, "x"), "memory_mb": 1, "versions": {}})
    assert "| cold index, wall clock | 20.0 s | ctags 10.0 | 2.00 | ≤ 0.333 x | **missed** |" in text
    drawn = chart.svg(draw.groups([row]))
    assert "&lt;a tree&gt;" in drawn
    assert 'class="rival"' in drawn
    raw = json.loads(report.raw([row], {}, "short", "now", "abc"))
    assert raw["rows"][0]["lines"][0]["met"] is False


def test_a_missing_rival_keeps_its_goal() -> None:
    row = Row("walk", "walk")
    row.against("walk", 20.0, {"fd": 10.0}, "ms", "walk", "rg")
    assert [(line.rival, line.goal) for line in row.lines] == [("fd", None), ("rg: missing", "walk")]
    assert Line("x", 1.0, "ms").met is None
