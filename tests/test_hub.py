"""The hub: projects added, refreshed, removed, lost and found, over restarts."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import GitRepo, Tree
from currant.api import Index, open_index
from currant.errors import AlreadyServing, NoSuchProject, ProjectConflict, ProjectNotReady
from currant.hub import Hub
from currant.jobs import JobStatus
from currant.model import Degraded, Throttle
from hub_kit import completed, finished, running, settings, until
from llm_kit import PRICES
from llm_server import LlmServer


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_directory_becomes_a_project(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n", "plan.md": "- [x] one\n- [ ] two\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        assert (project.name, project.kind, project.state) == ("tree", "path", "new")
        result = completed(hub, job.id)
        assert result["status"] == "success"
        assert (result["tasks_count"], result["progress_percentage"], result["files"]) == (2, 50.0, 2)
        until(hub, lambda: hub.project("tree").state == "ready")
        assert [found.path for found in hub.index("tree").find("first")] == ["a.py"]
        [skills] = until(
            hub,
            lambda: hub.jobs.list_jobs(project.id, type="skills_extraction", status=JobStatus.COMPLETED).jobs,
        )
        assert skills.result["languages"] == ["markdown", "python"] or "python" in skills.result["languages"]
        (tree.root / "b.py").write_text("def second(): pass\n")
        assert hub.index(project.id).find("second", sync_ms=30_000)


def test_a_clone_is_made_refreshed_and_removed(home: Path, make_repo: Callable[[str], GitRepo]) -> None:
    origin = make_repo("origin")
    origin.write({"a.py": "def first(): pass\n"}).commit()
    with running(home) as hub:
        project, job = hub.add_project(origin.root.as_uri())
        completed(hub, job.id)
        root = Path(project.root)
        assert root == hub.home.clone_of(project.id)
        assert hub.index(project.id).find("first")
        origin.write({"b.py": "def second(): pass\n"})
        head = origin.commit()
        result = completed(hub, hub.refresh(project.id).job.id)
        assert (result["commit"], result["moved"]) == (head, True)
        assert hub.index(project.id).find("second")
        # History that was rewritten is followed too: the clone is nobody's to lose work in.
        origin.git("checkout", "--quiet", "--orphan", "other")
        origin.write({"a.py": "def third(): pass\n"}).commit()
        origin.git("branch", "-M", "other", "main")
        assert completed(hub, hub.refresh(project.id).job.id)["moved"]
        assert hub.index(project.id).find("third")
        hub.remove_project(project.id)
        until(hub, lambda: not hub.projects())
        assert list(hub.home.clones.iterdir()) == []


def test_a_clone_that_was_cancelled_is_not_under_way(home: Path) -> None:
    """A server that accepts, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server, running(home) as hub:
        project, job = hub.add_project(f"http://127.0.0.1:{server.getsockname()[1]}/slow.git")
        until(hub, lambda: hub.project(project.id).state == "cloning")
        hub.jobs.cancel(job.id)
        assert finished(hub, job.id).status == JobStatus.CANCELLED
        told = hub.project(project.id)
        assert (told.state, "was cancelled" in (told.error or "")) == ("failed", True)
        assert "project_failed" in [one["code"] for one in hub.status()["degraded"]]
        hub.jobs.retry(job.id)
        until(hub, lambda: hub.project(project.id).state == "cloning")
        assert hub.project(project.id).error is None


def test_a_clone_that_fails_says_why_and_can_be_retried(
    home: Path, tmp_path: Path, make_repo: Callable[[str], GitRepo]
) -> None:
    with running(home) as hub:
        project, job = hub.add_project((tmp_path / "late").as_uri())
        failed = finished(hub, job.id)
        assert failed.status == JobStatus.FAILED
        assert "git clone failed" in (failed.error or "")
        assert hub.project(project.id).state == "failed"
        with pytest.raises(ProjectNotReady, match="failed"):
            hub.index(project.id)
        make_repo("late").write({"a.py": "x = 1\n"}).commit()
        completed(hub, hub.jobs.retry(job.id).job.id)
        until(hub, lambda: hub.project(project.id).state == "ready")


def test_upkeep_runs_as_a_job(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with running(home) as hub:
        _project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        asked = hub.jobs.create_job("maintenance", args={"task": "health_check"}).job
        result = completed(hub, asked.id)
        assert result["results"]["tree"]["ok"], result
        assert hub.maintenance.health()["ok"]
        odd = finished(hub, hub.jobs.create_job("maintenance", args={"task": "nonsense"}).job.id)
        assert "nonsense" in (odd.error or "")


def test_named_files_are_read_again_by_a_job(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n", ".gitignore": "b.py\n", "b.py": "y = 1\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        asked = hub.jobs.create_job("extraction", project.id, args={"paths": ["a.py", "b.py"]}).job
        assert completed(hub, asked.id) == {"status": "success", "files": 1, "ignored": ["b.py"]}


def test_a_clone_that_cannot_be_fetched_says_so(home: Path, make_repo: Callable[[str], GitRepo]) -> None:
    origin = make_repo("origin")
    origin.write({"a.py": "x = 1\n"}).commit()
    with running(home) as hub:
        project, job = hub.add_project(origin.root.as_uri())
        completed(hub, job.id)
        [told] = hub.overview()
        assert told["origin"]["fetched_at"]
        assert told["origin"]["error"] is None
        origin.root.rename(origin.root.with_name("away"))
        failed = finished(hub, hub.refresh(project.id).job.id)
        assert failed.status == JobStatus.FAILED
        [told] = hub.overview()
        assert "git fetch failed" in told["origin"]["error"]
        origin.root.with_name("away").rename(origin.root)
        completed(hub, hub.jobs.retry(failed.id).job.id)
        assert hub.overview()[0]["origin"]["error"] is None


def test_a_job_does_not_wait_for_a_root_that_is_not_there(home: Path, tree: Tree) -> None:
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
    tree.root.rename(tree.root.with_name("away"))
    with running(home) as hub:
        failed = finished(hub, hub.refresh(project.id).job.id)
        assert failed.status == JobStatus.FAILED
        assert "is not there" in (failed.error or "")


def test_a_project_is_removed_while_a_job_works_on_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is asked to end first: its git must not write into what is deleted."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nmkdir $1; touch $1/file; exec sleep 600\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with running(home) as hub:
        project, job = hub.add_project("file:///srv/endless")
        until(hub, lambda: Path(f"{project.root}.partial/file").exists())
        assert hub.project(project.id).state == "cloning"
        hub.remove_project(project.id)
        assert finished(hub, job.id).status == JobStatus.CANCELLED
        until(hub, lambda: not hub.projects())
        assert list(hub.home.clones.iterdir()) == []


def test_a_job_in_work_is_handed_back_when_the_service_stops(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_repo: Callable[[str], GitRepo]
) -> None:
    origin = make_repo("origin")
    origin.write({"a.py": "x = 1\n"}).commit()
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun; exec sleep 600\n")
    program.chmod(0o755)
    with monkeypatch.context() as slow, running(home) as hub:
        slow.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        project, job = hub.add_project(origin.root.as_uri())
        until(hub, lambda: (tmp_path / "begun").exists())
    with running(home) as hub:
        assert completed(hub, job.id)["files"] == 1
        ended = hub.jobs.get_job(job.id)
        assert ended is not None
        assert (ended.attempt, ended.rescued) == (1, 0)  # the run that was stopped does not count
        assert hub.index(project.id).files() == ["a.py"]


def test_schedules_put_jobs_into_the_queue(home: Path, tree: Tree) -> None:
    from currant.periodic.tasks import run_task

    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        until(hub, lambda: hub.project(project.id).state == "ready")
        assert hub.scheduler is not None
        assert hub.scheduler.health()["alive"]
        assert run_task("sync_projects") == 1
        [refresh] = hub.jobs.list_jobs(project.id, type="refresh").jobs
        assert refresh.trigger == "schedule"
        completed(hub, refresh.id)


def test_the_same_root_twice_is_a_conflict(home: Path, tree: Tree) -> None:
    with running(home) as hub:
        hub.add_project(str(tree.root), name="mine")
        for again in (str(tree.root), f"{tree.root}/../tree"):
            with pytest.raises(ProjectConflict, match="'mine'"):
                hub.add_project(again)
        (tree.root.parent / "other" / "tree").mkdir(parents=True)
        with pytest.raises(ProjectConflict, match="the name 'mine'"):
            hub.add_project(str(tree.root.parent / "other"), name="mine")
        assert hub.add_project(str(tree.root.parent / "other" / "tree"))[0].name == "tree"


def test_a_root_that_goes_is_missing_and_comes_back(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    away = tree.root.with_name("away")
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        until(hub, lambda: hub.project(project.id).state == "ready")
        tree.root.rename(away)
        until(hub, lambda: hub.project(project.id).state == "missing")
        away.rename(tree.root)
        until(hub, lambda: hub.project(project.id).state == "ready")
        assert hub.index(project.id).find("first", sync_ms=30_000)


def test_a_root_that_is_missing_at_start_is_taken_up_when_it_comes(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
    away = tree.root.with_name("away")
    tree.root.rename(away)
    with running(home) as hub:
        until(hub, lambda: hub.project(project.id).state == "missing")
        away.rename(tree.root)
        until(hub, lambda: hub.project(project.id).state == "ready")


def test_a_removed_directory_stays_as_it_is(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "x = 1\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        hub.remove_project("tree")
        until(hub, lambda: not hub.projects())
        with pytest.raises(NoSuchProject):
            hub.index(project.id)
        assert (tree.root / "a.py").exists()
        assert (tree.root / ".currant" / "index.db").exists()
        hub.add_project(str(tree.root))


def test_projects_come_back_after_a_restart(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
    with running(home) as hub:
        assert [one.id for one in hub.projects()] == [project.id]
        until(hub, lambda: hub.project(project.id).state == "ready")
        until(hub, lambda: hub.overview()[0]["index"])
        assert hub.index(project.id).find("first")


def test_there_is_one_service_for_a_home(home: Path) -> None:
    with running(home), pytest.raises(AlreadyServing, match="process"):
        Hub(home, settings()).start()
    with running(home):
        pass


def test_what_another_process_writes_is_noticed(home: Path, tree: Tree) -> None:
    from currant.hub import Home, Ledger
    from currant.jobs import Database, JobManager

    tree.write({"a.py": "x = 1\n"})
    with running(home) as hub:
        beside = Database(Home(home).database)
        try:
            book = Ledger(beside, JobManager(beside), Home(home))
            project, job = book.add(str(tree.root))
            completed(hub, job.id)
            until(hub, lambda: hub.project(project.id).state == "ready")
            book.mark_removing(project.id)
            until(hub, lambda: not hub.projects())
        finally:
            beside.close()


def test_what_a_killed_service_left_is_taken_up(home: Path, make_repo: Callable[[str], GitRepo]) -> None:
    """Half a clone, a job in work whose worker is gone, and a clone of no project."""
    origin = make_repo("origin")
    origin.write({"a.py": "x = 1\n"}).commit()
    from currant.hub import Home, Ledger
    from currant.jobs import Database, JobManager

    where = Home(home)
    where.prepare()
    database = Database(where.database)
    project, job = Ledger(database, JobManager(database), where).add(origin.root.as_uri())
    with database.write() as connection:
        connection.execute(
            "UPDATE job SET status = 'processing', worker = 'gone', lease_until = 1e12, attempt = 1,"
            " started_at = 1"
        )
    database.close()
    Path(f"{project.root}.partial").mkdir()
    stray = where.clones / "0190a1b2-0000-7000-8000-000000000000"
    stray.mkdir()
    with running(home) as hub:
        completed(hub, job.id)
        assert (Path(project.root) / "a.py").exists()
        assert not Path(f"{project.root}.partial").exists()
        assert not stray.exists()


def test_only_a_clone_of_ours_is_ever_deleted(home: Path, tmp_path: Path) -> None:
    from currant.hub.handlers import remove_clone
    from currant.hub.home import Home
    from currant.hub.ledger import Project

    precious = tmp_path / "precious"
    precious.mkdir()
    for root in (str(precious), f"{home}/clones/../../precious", f"{home}/clones"):
        for kind in ("git", "path"):
            remove_clone(Home(home), Project("x", "x", root, root, kind, "removing", None, 0.0))
    assert precious.exists()
    shutil.rmtree(precious)


def test_a_root_that_somebody_else_watches_is_asked_and_taken_over(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    with running(home) as hub:
        with open_index(tree.root) as watcher:
            project, job = hub.add_project(str(tree.root))
            assert completed(hub, job.id)["files"] == 1
            index = hub.index(project.id)
            assert index.service is None
            assert [found.path for found in index.find("first")] == ["a.py"]
            assert completed(hub, hub.refresh(project.id).job.id)["files"] == 1
            until(hub, lambda: hub.project(project.id).state == "ready")
            assert watcher.service is not None
        until(hub, lambda: hub.index(project.id).service is not None, "the service to take over")
        tree.write({"b.py": "def second(): pass\n"})
        assert hub.index(project.id).find("second", sync_ms=30_000)
        assert hub.project(project.id).state == "ready"


def test_a_budget_of_watches_is_shared_out(home: Path, tree: Tree, tmp_path: Path) -> None:
    tree.write({f"d{number}/a.py": "x = 1\n" for number in range(100)})
    with running(home, **{"budget.watches": 64, "budget.interval_s": 0.1}) as hub:
        project, job = hub.add_project(str(tree.root))
        assert completed(hub, job.id)["files"] == 100
        service = hub.index(project.id).service
        assert service.engine.status()["watches"] == 64
        assert "unwatched" in service.degraded()
        budget = until(hub, lambda: (now := hub.status()["budget"])["watches"] and now)
        assert (budget["watches"], budget["watches_limit"]) == (64, 64)


def test_a_service_over_its_budget_says_so_everywhere(home: Path, tree: Tree) -> None:
    tree.write({"a.py": "def first(): pass\n"})
    more = {"budget.memory_mb": 32, "budget.interval_s": 0.1, "budget.raise_after_s": 0}
    with running(home, **more) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        until(hub, lambda: hub.status()["budget"]["step"] == 4)
        codes = ["budget_llm", "budget_cache", "budget_workers", "budget_watching"]
        assert [one["code"] for one in hub.status()["degraded"]] == codes
        index = hub.index(project.id)
        assert index.find("first", sync_ms=30_000)
        assert index.last.fresh
        assert index.last.degraded == codes[1:]  # of the first step nothing is worse: no model is asked


def test_what_is_wrong_with_projects_is_said_of_the_service(home: Path, tree: Tree, tmp_path: Path) -> None:
    with running(home) as hub:
        _, job = hub.add_project((tmp_path / "none").as_uri())
        finished(hub, job.id)
        gone, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        tree.root.rename(tmp_path / "away")
        until(hub, lambda: hub.project(gone.id).state == "missing")
        told = {one["code"]: one for one in hub.status()["degraded"]}
        assert told.keys() == {"project_failed", "project_missing"}
        assert all(one["fix"] for one in told.values())


def paused(index: Index) -> bool:
    """Whether an index calls itself worse off when the budget has no model asked."""
    assert index.service is not None
    index.service.throttle(
        Throttle(llm_paused=True, states=(Degraded("budget_llm", "no model is asked", 1, "wait"),))
    )
    return "budget_llm" in index.service.degraded()


def test_a_model_is_asked_until_nothing_waits(
    home: Path, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.write({f"m{number}.py": f"def f{number}(a):\n    return a\n" for number in range(3)})
    with running(home) as hub:
        project, job = hub.add_project(str(tree.root))
        completed(hub, job.id)
        off = finished(hub, hub.jobs.create_job("extraction", project.id).job.id)
        assert (off.status, off.attempt) == (JobStatus.FAILED, 1)
        assert "llm.provider" in (off.error or "")
        assert not paused(hub.index(project.id))  # of no use to anybody
    with LlmServer() as server:
        told = {"llm.provider": "openai", "llm.base_url": server.url, "llm.model": "m-1", **PRICES}
        for key, value in {**told, "scheduler.delay_seconds": 1, "scheduler.max_delay_seconds": 30}.items():
            monkeypatch.setenv("CURRANT_" + key.upper().replace(".", "__"), str(value))
        with running(home) as hub:
            until(hub, lambda: hub.overview()[0]["index"])
            until(hub, lambda: hub.index(project.id).status()["llm"]["waiting"] or server.calls)
            result = completed(hub, hub.jobs.create_job("extraction", project.id).job.id)
            assert (result["waiting"], result["stopped"], result["quarantined"]) == (0, [], 0)
            assert len(server.calls) == 3
            assert paused(hub.index(project.id))
