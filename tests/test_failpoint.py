"""Fail points run their command once, at the pass that they name, and names nobody knows are refused."""

import re
from pathlib import Path

import pytest

from currant.errors import ConfigError
from currant.failpoint import CORE, HERE, FailPoints

PROJECT = Path(__file__).resolve().parent.parent


def test_a_point_runs_once_at_the_pass_that_it_names(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    points = FailPoints(f"fp_stat_then_read@2=echo x >> {marks}\n\nfp_commit_then_ack=echo y >> {marks}")
    points.hit("fp_stat_then_read")
    assert not marks.exists()
    for _ in range(3):
        points.hit("fp_stat_then_read")
    points.hit("fp_commit_then_ack")
    assert marks.read_text() == "x\ny\n"


@pytest.mark.parametrize("line", ["fp_nowhere=true", "fp_stat_then_read", "fp_stat_then_read@x=true"])
def test_what_cannot_be_armed_is_refused_by_name(line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(line)):
        FailPoints(line)


def test_the_names_are_those_that_the_code_passes() -> None:
    python = {
        name
        for path in (PROJECT / "python" / "currant").rglob("*.py")
        for name in re.findall(r'failpoint\.hit\("(\w+)"\)', path.read_text())
    }
    rust = {
        name
        for path in (PROJECT / "rust" / "src").rglob("*.rs")
        for name in re.findall(r'failpoint::pass\("(\w+)"\)', path.read_text())
    }
    assert python == HERE
    assert rust == CORE
