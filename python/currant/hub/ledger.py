"""The projects that there are: their rows in jobs.db, and what may become one.

Owns the table `project` and every statement on it. Works the same in the service and in a command beside it:
each change is one transaction, and the service notices what others wrote. The address of a repository with
its password stays in the row; `Project` does not have it.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast

import msgspec

from currant.errors import JobConflict, NoSuchProject, ProjectConflict
from currant.hub.home import Home
from currant.hub.source import GitUrl, check_name, looks_like_url, name_for, parse_root, parse_url
from currant.jobs import Database, Enqueued, Job, JobManager, JobStatus, JobType, Priority
from currant.jobs.ids import uuid7

Kind = Literal["path", "git"]
State = Literal["new", "cloning", "indexing", "ready", "missing", "failed", "removing"]

_COLUMNS: Final = "id, name, root, source, kind, state, error, created_at"


class Project(msgspec.Struct, frozen=True):
    """One project. `source` is what was added, without any password; `created_at` seconds since the epoch.

    `state`: ``new`` (nothing was done yet), ``cloning``, ``indexing`` (for the first time), ``ready``,
    ``missing`` (its root is not there), ``failed`` (`error` says why), ``removing``.
    """

    id: str
    name: str
    root: str
    source: str
    kind: Kind
    state: State
    error: str | None
    created_at: float


class Ledger:
    """Projects and what is asked for them. Thread-safe, and safe beside other processes' ledgers."""

    def __init__(self, database: Database, jobs: JobManager, home: Home) -> None:
        self.database = database
        self.jobs = jobs
        self.home = home
        self.on_change: list[Callable[[Project], None]] = []
        """Called after each change that this process made; `state` ``removing`` is the last one."""

    # --- reading ----------------------------------------------------------------------------------------

    def projects(self) -> list[Project]:
        """All of them, the oldest first."""
        with self.database.read() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM project ORDER BY created_at, id").fetchall()
        return [_project(row) for row in rows]

    def get(self, wanted: str) -> Project:
        """The project of this id or, failing that, name. Raises NoSuchProject."""
        with self.database.read() as connection:
            row = connection.execute(
                f"SELECT {_COLUMNS} FROM project WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1",
                (wanted,),
            ).fetchone()
        if row is None:
            raise NoSuchProject(wanted)
        return _project(row)

    def url(self, project: Project) -> GitUrl:
        """The address to clone, with the password. Raises NoSuchProject, SourceRefused."""
        with self.database.read() as connection:
            row = connection.execute("SELECT data FROM project WHERE id = ?", (project.id,)).fetchone()
        if row is None:
            raise NoSuchProject(project.name)
        data: dict[str, Any] = msgspec.json.decode(row[0])
        return parse_url(str(data.get("url", project.source)))

    def origins(self) -> dict[str, dict[str, Any]]:
        """Of each clone by its project's id: ``fetched_at``, when it was last brought up to date (None:
        never), and ``error``, why it could not be the last time."""
        with self.database.read() as connection:
            rows = connection.execute("SELECT id, data FROM project WHERE kind = 'git'").fetchall()
        out = {}
        for project_id, data in rows:
            told = msgspec.json.decode(str(data)).get("origin", {})
            out[str(project_id)] = {"fetched_at": told.get("fetched_at"), "error": told.get("error")}
        return out

    def is_behind(self, wanted: str) -> bool:
        """Whether the project with this id or name is a clone that could not be brought up to date."""
        with self.database.read() as connection:
            row = connection.execute(
                "SELECT 1 FROM project WHERE (id = ?1 OR name = ?1) AND kind = 'git' "
                "AND data ->> '$.origin.error' IS NOT NULL",
                (wanted,),
            ).fetchone()
        return row is not None

    # --- what is asked for ------------------------------------------------------------------------------

    def add(
        self, source: str, *, name: str | None = None, client: str = "local", limited: bool = True
    ) -> tuple[Project, Job]:
        """Make a project of a directory or of a repository's address, and the job that indexes it.

        Raises RootRefusedError, SourceRefused, ProjectConflict (the same root, or a chosen name that is
        taken) and RateLimited.
        """
        source = source.strip() if looks_like_url(source.strip()) else source
        kind: Kind
        url: GitUrl | None = None
        if looks_like_url(source):
            url = parse_url(source)
            kind, shown = "git", url.shown
        else:  # looked at before the transaction: a disk may hang
            kind, shown = "path", os.fspath(parse_root(source, self.home.path))
        with self.database.write() as connection:
            now = self.database.now()
            project_id = uuid7(now)
            root = shown if url is None else os.fspath(self.home.clone_of(project_id))
            data: Mapping[str, Any] = {} if url is None else {"url": url.whole}
            taken = self._holder("kind = ? AND source = ?", kind, shown)
            if taken is not None:
                raise ProjectConflict(shown, taken)
            chosen = self._name(name, name_for(shown))
            project = Project(project_id, chosen, root, shown, kind, "new", None, now)
            connection.execute(
                f"INSERT INTO project ({_COLUMNS}, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*msgspec.structs.astuple(project), msgspec.json.encode(data).decode()),
            )
            job = self.process(project, client=client, limited=limited).job
        self._tell(project)
        return project, job

    def process(
        self, project: Project, *, client: str = "local", trigger: str = "manual", limited: bool = False
    ) -> Enqueued:
        """The job that makes a project ready; the live one when there is one."""
        return self.jobs.create_job(
            JobType.PROJECT_PROCESSING,
            project.id,
            client=client,
            trigger=trigger,  # type: ignore[arg-type]
            unique_key=f"process:{project.id}",
            limit=("create_project", client) if limited else None,
        )

    def refresh(
        self, wanted: str, *, client: str = "local", trigger: str = "manual", limited: bool = True
    ) -> Enqueued:
        """Have a project fetched and looked through again, before other work. Raises NoSuchProject,
        RateLimited."""
        project = self.get(wanted)
        return self.jobs.create_job(
            JobType.REFRESH,
            project.id,
            client=client,
            priority=Priority.HIGH if trigger == "manual" else Priority.NORMAL,
            trigger=trigger,  # type: ignore[arg-type]
            unique_key=f"refresh:{project.id}",
            limit=("refresh", client) if limited else None,
        )

    def retry(self, job_id: str) -> Enqueued:
        """Put a failed or cancelled job into the queue again. Raises NoSuchJob; JobConflict, also when its
        project was removed: it could only fail, for a reason that hides the one it failed for."""
        with self.database.write() as connection:
            job = self.jobs.get_job(job_id)
            if job is not None and job.project_id is not None:
                row = connection.execute(
                    "SELECT 1 FROM project WHERE id = ? AND state != 'removing'", (job.project_id,)
                ).fetchone()
                if row is None:
                    raise JobConflict(f"the project of job {job_id} was removed: add it again instead")
            return self.jobs.retry(job_id)

    def mark_removing(self, wanted: str, *, delete_clone: bool = True) -> Project:
        """Begin to remove a project: from here on nothing new is done for it, and its jobs are cancelled.
        `erase` ends it. Raises NoSuchProject."""
        with self.database.write() as connection:
            project = self.get(wanted)
            connection.execute(
                "UPDATE project SET state = 'removing', error = NULL, data = json_set(data, '$.keep', ?) "
                "WHERE id = ?",
                (int(not delete_clone), project.id),
            )
        removing = msgspec.structs.replace(project, state="removing", error=None)
        self.cancel_jobs(removing)
        self._tell(removing)
        return removing

    # --- what the service notes -------------------------------------------------------------------------

    def note(self, project_id: str, state: State, error: str | None = None) -> bool:
        """Write down the state of a project; False when it is that already, is being removed, or is gone."""
        with self.database.read() as connection:  # nearly always that is all
            now = connection.execute(
                "SELECT state, error FROM project WHERE id = ?", (project_id,)
            ).fetchone()
        if now is None or now[0] == "removing" or tuple(now) == (state, error):
            return False
        with self.database.write() as connection:
            row = connection.execute(
                "UPDATE project SET state = ?2, error = ?3 WHERE id = ?1 AND state != 'removing' "
                f"AND (state, error) IS NOT (?2, ?3) RETURNING {_COLUMNS}",
                (project_id, state, error),
            ).fetchone()
        if row is None:
            return False
        self._tell(_project(row))
        return True

    def fetched(self, project_id: str, error: str | None = None) -> None:
        """Write down that a clone was brought up to date, or why not: it must not be stale in silence."""
        with self.database.write() as connection:
            row = connection.execute("SELECT data FROM project WHERE id = ?", (project_id,)).fetchone()
            if row is None:
                return
            data: dict[str, Any] = msgspec.json.decode(row[0])
            origin = data.setdefault("origin", {})
            origin["error"] = error
            if error is None:
                origin["fetched_at"] = self.database.now()
            connection.execute(
                "UPDATE project SET data = ? WHERE id = ?", (msgspec.json.encode(data).decode(), project_id)
            )

    def cancel_jobs(self, project: Project) -> int:
        """Cancel what waits or runs for a project; how many are running still."""
        running = 0
        for status in (JobStatus.PENDING, JobStatus.PROCESSING):
            for job in self.jobs.list_jobs(project_id=project.id, status=status, limit=200).jobs:
                running += self.jobs.cancel(job.id) == "cancel_requested"
        return running

    def keeps_clone(self, project: Project) -> bool:
        """Whether the clone is to stay when the project is removed."""
        with self.database.read() as connection:
            row = connection.execute(
                "SELECT data ->> '$.keep' FROM project WHERE id = ?", (project.id,)
            ).fetchone()
        return bool(row and row[0])

    def erase(self, project: Project) -> None:
        """The end of a project: its row goes. Its jobs stay as history until they are too old."""
        with self.database.write() as connection:
            connection.execute("DELETE FROM project WHERE id = ? AND state = 'removing'", (project.id,))

    # --- inside -----------------------------------------------------------------------------------------

    def _holder(self, condition: str, *values: str) -> str | None:
        """The name of the project that has it."""
        with self.database.write() as connection:
            row = connection.execute(f"SELECT name FROM project WHERE {condition}", values).fetchone()
        return None if row is None else str(row[0])

    def _name(self, wanted: str | None, fallback: str) -> str:
        if wanted is not None:
            name = check_name(wanted)
            if self._holder("name = ?", name) is not None:
                raise ProjectConflict(f"the name {name!r}", name)
            return name
        name, count = fallback[:80], 1
        while self._holder("name = ?", name) is not None:
            count += 1
            name = f"{fallback[:80]}-{count}"
        return name

    def _tell(self, project: Project) -> None:
        for listener in list(self.on_change):
            listener(project)


def _project(row: Any) -> Project:
    project_id, name, root, source, kind, state, error, created_at = row
    return Project(
        project_id, name, root, source, cast(Kind, kind), cast(State, state), error, float(created_at)
    )
