"""``schedules.db``: the one file that the interpreter's own SQLite opens, through SQLAlchemy.

No other file of ours may be opened that way (two SQLite libraries on one file lose commits), and nothing else
opens this one. It keeps a rollback journal: the SQLite that comes with Python may have the bug that loses
commits in WAL mode, and a few rows gain nothing by it. Rows are pickles: the file is its owner's alone, and
only the few types that a schedule is made of are unpickled.
"""

import io
import os
import pickle
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

FILE_NAME: Final = "schedules.db"
Unreadable = sqlalchemy.exc.SQLAlchemyError
"""What `next_runs` raises."""
TABLE: Final = "schedules"
BUSY_SECONDS: Final = 10.0

_SAFE: Final = frozenset(
    {
        ("apscheduler.triggers.interval", "IntervalTrigger"),
        ("datetime", "timedelta"),
        ("datetime", "datetime"),
        ("datetime", "timezone"),
        ("zoneinfo", "ZoneInfo"),
    }
)


class ScheduleStore(SQLAlchemyJobStore):  # type: ignore[misc]
    """APScheduler's store that unpickles nothing but schedules. `trouble`: what was wrong when it was last
    asked what is due; the scheduler itself only logs that."""

    trouble: str | None = None

    def get_due_jobs(self, now: datetime) -> Any:
        """See `SQLAlchemyJobStore`."""
        try:
            due = super().get_due_jobs(now)
        except Exception as error:
            self.trouble = str(error) or type(error).__name__
            raise
        self.trouble = None
        return due

    def _reconstitute_job(self, job_state: bytes) -> Any:
        plain = pickle.dumps(_Unpickler(io.BytesIO(job_state)).load(), self.pickle_protocol)
        return super()._reconstitute_job(plain)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("builtins", "getattr"):
            return _attribute
        if (module, name) not in _SAFE:
            raise pickle.UnpicklingError(f"a schedule has no {module}.{name}")
        return super().find_class(module, name)


def _attribute(of: Any, name: str) -> Any:
    """All that a schedule needs of `getattr`: how time zones are pickled."""
    if of is not ZoneInfo or name != "_unpickle":
        raise pickle.UnpicklingError(f"a schedule has no {of}.{name}")
    return getattr(of, name)


def open_store(home: Path, busy_s: float = BUSY_SECONDS) -> ScheduleStore:
    """The store in this home, which must exist. Raises OSError."""
    path = home / FILE_NAME
    try:
        # Made here, so that it is private from its first moment; never opened this way again.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        os.chmod(path, 0o600)
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=os.fspath(path)), connect_args={"timeout": busy_s}
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # or the driver begins transactions of its own, and not IMMEDIATE
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")

    @sqlalchemy.event.listens_for(engine, "begin")
    def _begin(connection: sqlalchemy.Connection) -> None:
        # A transaction that reads first and then writes is refused at once when another one wrote meanwhile.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return ScheduleStore(engine=engine, tablename=TABLE)


def unusable(home: Path, error: Exception) -> str:
    """What to tell of a store that cannot be read or written, and the way out."""
    why = str(error).partition("\n")[0]
    return (
        f"{home / FILE_NAME} cannot be read or written ({why}): if the disk is well and not full, move it "
        "away; it holds only when tasks run next"
    )


def next_runs(home: Path) -> dict[str, float | None]:
    """When each schedule of this home is due next (wall time), as stored; for another process than the
    scheduler's. Empty without a file. Raises Unreadable."""
    path = home / FILE_NAME
    if not path.exists():
        return {}
    url = sqlalchemy.URL.create(
        "sqlite", database=f"file:{_escaped(os.fspath(path))}", query={"mode": "ro", "uri": "true"}
    )
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    try:
        with engine.connect() as connection:
            if not sqlalchemy.inspect(connection).has_table(TABLE):
                return {}
            rows = connection.exec_driver_sql(f"SELECT id, next_run_time FROM {TABLE}").all()
        return {str(name): None if at is None else float(at) for name, at in rows}
    finally:
        engine.dispose()


def wall(moment: datetime | None) -> float | None:
    """A time of APScheduler's as wall seconds."""
    return None if moment is None else moment.timestamp()


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
