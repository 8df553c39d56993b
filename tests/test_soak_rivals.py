"""The other libraries in the storm: one that died is begun anew, and what it believed until then counts."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from currant.soak.report import Report
from currant.soak.rival import listing
from currant.soak.rivals import Rival


@pytest.fixture
def rival(tmp_path: Path) -> Iterator[Rival]:
    (tmp_path / "root/p").mkdir(parents=True)
    rival = Rival("watchdog", tmp_path / "root")
    yield rival
    rival.close()


def check(rival: Rival, root: Path) -> None:
    rival.check("live", dict(listing(os.fspath(root))))


def test_a_name_that_is_taken_again_may_kill_one_and_it_is_begun_anew(rival: Rival, tmp_path: Path) -> None:
    """watchdog 7.1.0: the thread that reads ends with a KeyError, and its observer calls itself alive."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "p").rename(outside)
    (root / "p").mkdir()
    check(rival, root)  # it has read so far
    (root / "p").rmdir()
    check(rival, root)
    outside.rmdir()
    check(rival, root)
    dead = len(rival.deaths)
    assert dead <= 1
    assert rival.as_dict()["deaths"] == dead
    (root / "f").write_text("after it\n")
    check(rival, root)
    assert (rival.wrong, rival.note) == (0, "")
    told = "\n".join(Report(1, "", "", rivals={rival.name: rival.as_dict()}).lines())
    assert ("begun anew" in told) == bool(dead)
