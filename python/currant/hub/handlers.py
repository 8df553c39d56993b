"""What each type of job does.

Owns the steps of a job, its progress and its result. Every step may be done again: a job whose worker was
killed starts over, finds what is there already and goes on. What it needs it takes from the hub when it runs.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from currant.api import Index
from currant.clock import Clock
from currant.config import Settings
from currant.errors import GitError, NoSuchProject, RootMissingError, SourceRefused
from currant.hub.git import Git
from currant.hub.home import Home
from currant.hub.keeper import Keeper
from currant.hub.ledger import Ledger, Project
from currant.jobs import Discard, Handler, JobCancelled, JobContext, JobType, Snooze
from currant.jobs.context import Stop

_SYNC_MS: Final = 500
_NEARLY: Final = 200
_LOOK_SECONDS: Final = 0.25
_BARRIER_EVERY: Final = 40
_TURN_SECONDS: Final = 2.0
_CLONE_SHARE: Final = 0.5
_MODEL_SECONDS: Final = 1.0
_NO_MODEL: Final = frozenset({"llm_budget", "llm_failing", "llm_stopped", "budget_llm"})
"""States in which waiting for a model would be waiting for a day."""
_MOST_PATHS: Final = 1_000
_CANCELLED: Final = "its clone was cancelled: `currant project refresh` or a retry of the job makes it"


class Surroundings(Protocol):
    """What handlers need of the hub."""

    ledger: Ledger
    home: Home
    settings: Settings
    clock: Clock

    def keeper(self, project: Project) -> Keeper:
        """The keeper of a project, started if it was not."""

    def run_maintenance(self, task: str, check: Callable[[], None]) -> dict[str, Any]:
        """Run one task of upkeep and say what it did."""


class Handlers:
    """One method for each type of job."""

    def __init__(self, hub: Surroundings) -> None:
        self._hub = hub

    def table(self) -> Mapping[JobType, Handler]:
        """For the worker."""
        return {
            JobType.PROJECT_PROCESSING: self.project_processing,
            JobType.SKILLS_EXTRACTION: self.skills_extraction,
            JobType.REFRESH: self.refresh,
            JobType.EXTRACTION: self.extraction,
            JobType.MAINTENANCE: self.maintenance,
        }

    # --- the types --------------------------------------------------------------------------------------

    def project_processing(self, job: JobContext) -> dict[str, Any]:
        """Clone if there is something to clone, index, count the tasks of its plans."""
        project = self._project(job)
        start = 0.0
        if project.kind == "git" and not os.path.isdir(project.root):
            self._clone(project, job)
            start = _CLONE_SHARE
        result = self._results(project, job, start)
        self._hub.ledger.jobs.create_job(
            JobType.SKILLS_EXTRACTION,
            project.id,
            client=job.job.client,
            trigger="start",
            unique_key=f"skills:{project.id}",
        )
        return result

    def refresh(self, job: JobContext) -> dict[str, Any]:
        """Fetch what the origin has, look at every file's entry again, and count anew."""
        project = self._project(job)
        fetched: dict[str, Any] = {}
        start = 0.0
        if project.kind == "git":
            if os.path.isdir(project.root):
                fetched = self._fetch(project, job)
            else:
                self._clone(project, job)
            start = _CLONE_SHARE
        index = self._open(project, job)
        if index.service is not None:
            index.service.engine.rescan("")
        else:
            index.ask("audit", {"all": True}, sync_ms=-1)
        return self._results(project, job, start) | fetched

    def skills_extraction(self, job: JobContext) -> dict[str, Any]:
        """Languages, frameworks and tools of the tree."""
        project = self._project(job)
        index, _clock = self._settled(project, job, 0.0)
        skills = index.skills(sync_ms=-1)
        names = {
            "languages": [one.language for one in skills.languages if one.language],
            "frameworks": [one.name for one in skills.frameworks],
            "tools": [one.name for one in skills.tools],
        }
        counted = sum(map(len, names.values()))
        return {
            "status": "success",
            "skills_count": counted,
            **names,
            "dependencies": len(skills.dependencies),
        }

    def extraction(self, job: JobContext) -> dict[str, Any]:
        """Have named files read again (`paths`); or a model asked about all that waits, or was set apart."""
        project = self._project(job)
        paths = job.job.args.get("paths")
        if paths is None:
            return self._ask_model(project, job)
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise Discard("paths must be a list of texts")
        if len(paths) > _MOST_PATHS:
            raise Discard(f"at most {_MOST_PATHS} paths at once")
        index = self._open(project, job)
        taken = []
        for done, path in enumerate(paths):
            job.check()
            if index.ask("force_process_file", {"path": path}, sync_ms=-1).result:
                taken.append(path)
            job.set_progress(done / len(paths) / 2, path)
        self._settled(project, job, 0.5)
        ignored = [path for path in paths if path not in set(taken)]
        return {"status": "success", "files": len(taken), "ignored": ignored}

    def maintenance(self, job: JobContext) -> dict[str, Any]:
        """One task of upkeep (`task`)."""
        task = job.job.args.get("task")
        if not isinstance(task, str):
            raise Discard("task must name a task of upkeep")
        return self._hub.run_maintenance(task, job.check)

    def _ask_model(self, project: Project, job: JobContext) -> dict[str, Any]:
        """Until nothing waits for the model, or it cannot be asked now: then the result says why, and what
        waits goes on by itself when it can."""
        index, _clock = self._settled(project, job, 0.0)
        told = index.status()["llm"]
        if told["provider"] == "off" or not told["running"]:
            raise Discard("no model is asked: llm.provider is off")
        again = index.llm_retry()
        most = 0
        while True:
            status = index.status()
            told = status["llm"]
            left = told["waiting"] + told["under_way"]
            stopped = [one["code"] for one in status["degraded"] if one["code"] in _NO_MODEL]
            if not left or stopped:
                return {
                    **{"status": "success", "asked_again": again, "waiting": left, "stopped": stopped},
                    **{"spent_today_usd": told["spent_today_usd"], "quarantined": told["quarantined"]},
                }
            most = max(most, left)
            job.set_progress(1 - left / most, f"{left} contents wait for an answer")
            if job.wait(_MODEL_SECONDS):
                job.check()

    # --- steps ------------------------------------------------------------------------------------------

    def _project(self, job: JobContext) -> Project:
        try:
            project = self._hub.ledger.get(job.job.project_id or "")
        except NoSuchProject:
            raise Discard("the project was removed") from None
        if project.state == "removing":
            raise Discard("the project is being removed")
        return project

    def _open(self, project: Project, job: JobContext) -> Index:
        return self._hub.keeper(project).wait_open(job.check)

    def _settled(self, project: Project, job: JobContext, start: float) -> tuple[Index, str]:
        """The index once everything that is on disk is in it, and its clock then; progress from `start`."""
        index = self._open(project, job)
        looks = 0
        while True:
            job.check()
            looks += 1
            at = index.ask("progress", {}, sync_ms=-1).result
            # While there is much to do a barrier would only hurry those who are to rest (`currant.budget`).
            if at["total"] - at["done"] <= _NEARLY or looks % _BARRIER_EVERY == 1:
                reached = index.ask("sync", {}, sync_ms=_SYNC_MS)
                if "root_missing" in reached.degraded:
                    raise RootMissingError(project.root)
                if reached.fresh:
                    return index, reached.clock or ""
            else:
                job.wait(_LOOK_SECONDS)
            share = at["done"] / at["total"] if at["total"] else 0.0
            job.set_progress(
                start + (1 - start) * share * 0.99, f"{at['phase']} {at['done']} of {at['total']}"
            )

    def _results(self, project: Project, job: JobContext, start: float) -> dict[str, Any]:
        index, clock = self._settled(project, job, start)
        progress = index.task_progress(sync_ms=-1)
        counts = index.ask("counts", {}, sync_ms=-1).result
        self._hub.keeper(project).nudge()
        return {
            "status": "success",
            "tasks_count": progress.total,
            "progress_percentage": progress.percent,
            "files": counts["files"],
            "failed_files": counts["failed"],
            "symbols": counts["symbols"],
            "clock": clock,
        }

    # --- git --------------------------------------------------------------------------------------------

    def _git(self, project: Project, job: JobContext) -> Git:
        def told(share: float, message: str) -> None:
            job.set_progress(share * _CLONE_SHARE, message)

        return Git(
            self._hub.home.clones / f"{project.id}.turn",
            clock=self._hub.clock,
            stall_s=self._hub.settings.serve.git_stall_s,
            check=job.check,
            told=told,
        )

    def _clone(self, project: Project, job: JobContext) -> None:
        """Clone beside its place, and put it there when it is whole."""
        ledger, serve = self._hub.ledger, self._hub.settings.serve
        ledger.note(project.id, "cloning")
        partial = Path(f"{project.root}.partial")
        git = self._git(project, job)
        try:
            with git.turn():
                shutil.rmtree(partial, ignore_errors=True)
                try:
                    git.clone(ledger.url(project), partial, depth=serve.clone_depth)
                    os.rename(partial, project.root)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
        except BlockingIOError:
            raise Snooze(_TURN_SECONDS) from None  # a git of a service that was killed is still at it
        except SourceRefused as error:
            ledger.note(project.id, "failed", str(error))
            raise Discard(str(error)) from None
        except (GitError, OSError) as error:
            ledger.note(project.id, "failed", str(error))
            raise
        except JobCancelled:
            if job.why is Stop.CANCEL:
                ledger.note(project.id, "failed", _CANCELLED)
            elif job.why is Stop.TIMEOUT:
                ledger.note(project.id, "failed", f"the clone was stopped: {job.overdue() or 'out of time'}")
            raise  # for a shutdown it is under way still: the next start goes on
        ledger.fetched(project.id)
        ledger.note(project.id, "indexing")

    def _fetch(self, project: Project, job: JobContext) -> dict[str, Any]:
        git = self._git(project, job)
        try:
            with git.turn():
                before, after = git.update(
                    Path(project.root),
                    self._hub.ledger.url(project),
                    depth=self._hub.settings.serve.clone_depth,
                )
        except BlockingIOError:
            raise Snooze(_TURN_SECONDS) from None
        except GitError as error:
            self._hub.ledger.fetched(project.id, str(error))
            raise
        self._hub.ledger.fetched(project.id)
        return {"commit": after, "moved": before != after}


def remove_clone(home: Home, project: Project) -> None:
    """Delete the clone of a project, and what belongs to it. Only what lies in our own directory of clones:
    a project's `root` is data, and must not be able to name anything else."""
    if project.kind != "git" or Path(project.root) != home.clone_of(project.id):
        return
    for path in (project.root, f"{project.root}.partial"):
        shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        os.unlink(f"{project.root}.turn")
