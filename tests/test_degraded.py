"""Whatever is worse than perfect is seen: in the status, with a way out, and beside every answer."""

import re
from pathlib import Path
from typing import Any

import pytest

from currant import report
from currant.model import Degraded
from currant.report import Observer, View

DOCS = Path(__file__).resolve().parent.parent / "docs" / "status.md"
FULL = Degraded("commits_fail", "commits fail: no space left (7 changes wait)", 2, "free disk space")

STATES: list[tuple[str, dict[str, Any], str, str]] = [
    ("engine_stopped", {"engine_error": "the watch thread broke"}, "the watch thread broke", "start again"),
    ("disabled", {"enabled": False}, "nothing is brought up to date", "scheduler.enabled"),
    ("root_missing", {"engine": {"root_missing": True}}, "/r is not there", "put it back"),
    ("index_lost", {"lost": "index.db was removed"}, "index.db was removed", "by itself"),
    ("index_rebuilt", {"rebuilt": "the index was damaged (page 3)"}, "page 3", "set aside"),
    ("commits_fail", {"commits": FULL}, "no space left", "free disk space"),
    ("stalled", {"waited": 61.0, "engine": {"pending": 4}}, "for 61 s", "start again"),
    ("polled", {"engine": {"source": "poll"}}, "no inotify instance", "max_user_instances"),
    ("polled", {"engine": {"source": "poll", "source_problem": "too many files"}}, "too many files", "raise"),
    ("unwatched", {"engine": {"unwatched": 2, "unwatched_paths": ["a"]}}, "'a'", "max_user_watches"),
    ("remote", {"engine": {"remote": 1, "remote_paths": ["nfs"]}}, "'nfs'", "local disk"),
    ("denied", {"engine": {"denied": 1, "denied_paths": ["", "b"]}}, "'.', 'b'", "permission"),
    ("problem", {"engine": {"problems": [("x", "too deep")]}}, "x: too deep", "repair"),
    ("failed_files", {"failed_files": 3}, "could not be indexed", "currant why"),
    (
        "extractors_refused",
        {"extractors": [{"name": "x", "package": "p", "refused": "no version", "failures": 0}]},
        "x of p: no version",
        "disabled_extractors",
    ),
    (
        "extractors_fail",
        {
            "extractors": [
                {"name": "x", "package": "p", "refused": None, "failures": 2, "last_failure": "timed out: x"}
            ]
        },
        "timed out: x",
        "currant extractors",
    ),
    ("workers_died", {"worker_deaths": 1}, "died", "traceback"),
    ("drift", {"drift": Degraded("drift", "1 file", 1, "look")}, "1 file", "look"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "view", "what", "fix"), STATES, ids=[f"{at}-{state[0]}" for at, state in enumerate(STATES)]
)
def test_each_state_is_named_with_its_way_out(code: str, view: dict[str, Any], what: str, fix: str) -> None:
    [found] = report.degraded(View(root="/r", **view))
    assert found.code == code
    assert what in found.what
    assert fix in found.fix
    assert found.count >= 1


def test_every_state_stands_in_the_document() -> None:
    table = set(re.findall(r"^\| [^|`]+ \| `(\w+)` \|", DOCS.read_text(), re.M))
    assert {state[0] for state in STATES} - table == set()


def test_nothing_is_degraded_when_nothing_is_wrong() -> None:
    for view in (
        View("/r", engine={"source": "inotify", "pending": 3, "overflows": 2}, waited=59.0),
        View("/r", source="poll", engine={"source": "poll"}),  # as it was asked for
        View("/r", live=False, engine={"source": "none"}),
    ):
        assert list(report.degraded(view)) == []


def test_an_overflow_is_told_for_an_hour_and_is_no_degradation() -> None:
    engine = {"source": "inotify", "overflows": 2}
    [note] = report.notes(View("/r", engine=engine, overflowed=10.0))
    assert (note.code, note.count) == ("overflowed", 2)
    assert list(report.notes(View("/r", engine=engine, overflowed=3_601.0))) == []
    assert [note.code for note in report.notes(View("/r", engine={"vcs_busy": True}))] == ["vcs_busy"]


def test_only_what_waits_without_any_commit_stalls() -> None:
    observer = Observer()
    assert observer.look(0.0, 5, 0) == (0.0, None)
    assert observer.look(70.0, 5, 0) == (70.0, None)
    observer.committed()
    assert observer.look(80.0, 5, 0) == (0.0, None)
    assert observer.look(90.0, 0, 0) == (0.0, None)
    # Hours of nothing to do are no stall when then something comes.
    assert observer.look(9_000.0, 1, 1) == (0.0, 0.0)
    assert observer.look(9_010.0, 0, 1) == (0.0, 10.0)


def test_the_short_form_has_each_name_once_in_the_order_of_gravity() -> None:
    engine = {"problems": [("a", "x"), ("b", "y")], "root_missing": True}
    found = list(report.degraded(View("/r", engine=engine, failed_files=1)))
    assert report.codes(found) == ["root_missing", "problem", "failed_files"]
