"""What jobs of upkeep do: by name, for all projects; and which logs go."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.errors import RetryError, UsageError
from currant.maintenance import BackgroundTask, ServiceTarget
from currant.maintenance.chores import Chores
from currant.maintenance.logs import LogFile, clean, stem_of, to_delete
from currant.service import Service
from test_maintenance import Kit, Project

DAY = 86_400.0
NOW = 1_800_000_000.0


def write(folder: Path, name: str, size: int = 10, days: float = 0.0) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- logs -------------------------------------------------------------------------------------------------


def test_old_logs_go_and_what_is_no_log_stays(tmp_path: Path) -> None:
    write(tmp_path, "currant.log", days=0)
    write(tmp_path, "currant.log.1", days=13)
    write(tmp_path, "currant.log.2", days=15)
    write(tmp_path, "currant.log.2020-01-01.gz", days=300)
    write(tmp_path, "notes.txt", days=300)
    write(tmp_path, "index.db", days=300)
    (tmp_path / "old.log.d").mkdir()
    os.utime(tmp_path / "old.log.d", (1.0, 1.0))
    done = clean(tmp_path, NOW, max_age_days=14, max_total_mb=200)
    assert (done.deleted, done.freed_bytes, done.kept, done.problems) == (2, 20, 2, [])
    assert names(tmp_path) == {"currant.log", "currant.log.1", "notes.txt", "index.db", "old.log.d"}
    assert clean(tmp_path, NOW, max_age_days=14, max_total_mb=200).deleted == 0


def test_the_oldest_go_until_the_rest_fits(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, f"currant.log.{number}" if number else "currant.log", 400_000, days=number)
    done = clean(tmp_path, NOW, max_age_days=14, max_total_mb=1)
    assert names(tmp_path) == {"currant.log", "currant.log.1"}
    assert done.kept_bytes == 800_000


def test_the_newest_of_each_log_stays_however_old_and_large(tmp_path: Path) -> None:
    write(tmp_path, "currant.log", 3_000_000, days=100)
    write(tmp_path, "access.jsonl", 3_000_000, days=200)
    write(tmp_path, "access.jsonl.1", 10, days=201)
    clean(tmp_path, NOW, max_age_days=14, max_total_mb=1)
    assert names(tmp_path) == {"currant.log", "access.jsonl"}


def test_links_lead_nowhere(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", "precious.log", days=300)
    logs = tmp_path / "log"
    write(logs, "currant.log")
    (logs / "a.log.1").symlink_to(outside)
    (logs / "b.log.1").symlink_to(outside.parent)
    clean(logs, NOW, max_age_days=14, max_total_mb=1)
    assert outside.exists()
    assert names(logs) == {"currant.log", "a.log.1", "b.log.1"}
    link = tmp_path / "linked"
    link.symlink_to(outside.parent)
    with pytest.raises(OSError):  # noqa: PT011
        clean(link, NOW, max_age_days=0, max_total_mb=1)
    assert outside.exists()


def test_no_directory_has_no_logs(tmp_path: Path) -> None:
    assert clean(tmp_path / "none", NOW, max_age_days=1, max_total_mb=1).deleted == 0


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("currant.log", "currant"),
        ("currant.log.12", "currant"),
        ("currant.log-20260131", "currant"),
        ("a.b.log.2026-01-31_10:00.gz", "a.b"),
        ("access.jsonl", "access"),
        (".log", None),
        ("currant.login", None),
        ("currant.log.d/x", None),
        ("catalog", None),
        ("jobs.db", None),
    ],
)
def test_what_is_a_log(name: str, stem: str | None) -> None:
    assert stem_of(name) == stem


files = st.builds(
    LogFile,
    st.sampled_from([f"{stem}.log{turn}" for stem in ("a", "b") for turn in ("", ".1", ".2", ".3")]),
    st.integers(0, 1_000),
    st.floats(0, 100),
)


@given(st.lists(files, max_size=8, unique_by=lambda one: one.name), st.floats(0, 100), st.integers(0, 3_000))
def test_no_more_goes_than_has_to(found: list[LogFile], age: float, most: int) -> None:
    gone = to_delete(found, 100.0, age, most)
    kept = [one for one in found if one not in gone]
    assert {stem_of(one.name) for one in kept} == {stem_of(one.name) for one in found}
    newest = {id(max((o for o in found if stem_of(o.name) == s), key=lambda o: (o.mtime, o.name)))
              for s in {stem_of(one.name) for one in found}}  # fmt: skip
    spare = [one for one in kept if id(one) not in newest]
    assert all(100.0 - one.mtime <= age for one in spare)
    if spare:
        assert sum(one.size for one in kept) <= most
    total = sum(one.size for one in found)
    for one in gone:  # each was too old, or there was too much when its turn came
        assert 100.0 - one.mtime > age or total > most
        total -= one.size


# --- chores -----------------------------------------------------------------------------------------------


class Chored:
    def __init__(self, tmp_path: Path) -> None:
        self.kit = Kit(log_max_age_days=1)
        self.kit.clock.set_wall(NOW)
        self.logs = tmp_path / "log"
        self.checks = 0
        self.ended: Exception | None = None
        self.chores = Chores(
            self.kit.processor,
            lambda: self.kit.targets,
            log_dir=self.logs,
            retention=lambda: 7,
            clock=self.kit.clock,
        )

    def check(self) -> None:
        self.checks += 1
        if self.ended is not None:
            raise self.ended

    def run(self, name: str) -> dict[str, Any]:
        return self.chores.run(name, self.check)


@pytest.fixture
def chored(tmp_path: Path) -> Chored:
    return Chored(tmp_path)


def test_every_name_does_something(chored: Chored) -> None:
    write(chored.logs, "currant.log")
    write(chored.logs, "currant.log.1", days=2)
    told = {name: chored.run(name) for name in chored.chores.names()}
    assert {name: one["status"] for name, one in told.items()} == dict.fromkeys(told, "success")
    assert set(told) > {task.value for task in BackgroundTask}
    assert told["retention"]["deleted_jobs"] == 7
    assert told["cleanup_logs"]["deleted"] == 1
    assert told["audit"]["projects"] == {"one": {"ok": True, "did": "audit"}}
    assert told["cache_refresh"]["projects"] == {"one": {"ok": True, "did": "refresh_cache"}}
    assert told["health_check"]["results"] == {"one": {"ok": True, "did": "health"}}
    assert names(chored.logs) == {"currant.log"}


def test_a_name_that_there_is_not_is_refused(chored: Chored) -> None:
    with pytest.raises(UsageError, match="cleanup_logs"):
        chored.run("rm -rf")


def test_a_project_that_fails_fails_the_job_after_the_others_had_their_turn(chored: Chored) -> None:
    bad = Project("bad")
    bad.fails = {"audit", "health"}
    chored.kit.targets = [bad, chored.kit.project]
    for name in ("audit", "health_check"):
        with pytest.raises(RetryError, match=r"bad: .* went wrong"):
            chored.run(name)
    assert chored.kit.project.calls == ["audit", "health"]


def test_a_job_that_is_to_end_does_between_two_projects(chored: Chored) -> None:
    chored.kit.targets = [Project("a"), Project("b")]
    chored.kit.targets[0].gate = lambda: setattr(chored, "ended", KeyError("stop"))
    with pytest.raises(KeyError):
        chored.run("audit")
    assert chored.kit.targets[1].calls == []


def test_what_runs_already_is_skipped(chored: Chored) -> None:
    chored.kit.processor.schedule_task(BackgroundTask.HealthCheck)
    chored.kit.processor.turn()
    assert chored.run("health_check") == {"status": "skipped", "task": "health_check"}


def test_an_audit_of_a_real_index_finds_and_repairs(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a.py").write_text("def first(): pass\n")
    chored = Chored(tmp_path)
    with Service(root) as service:
        assert service.sync(60).fresh
        chored.kit.targets = [ServiceTarget("tree", service)]  # type: ignore[list-item]
        told = chored.run("audit")["projects"]["tree"]
        assert (told["files"], told["drift"]) == (1, 0)
        assert service.query.show("a.py") is not None
        chored.run("cache_refresh")
        assert service.query.show("a.py") is not None
