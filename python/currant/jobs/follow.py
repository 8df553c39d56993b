"""Owns noticing what other connections, of this process or another, did to the table."""

import apsw

from currant.errors import StoreError
from currant.jobs import transitions
from currant.jobs.database import Database
from currant.jobs.model import Job
from currant.jobs.transitions import COLUMNS


class Follower:
    """Asked now and then, it gives the jobs that changed since it was asked last. Asking while nothing was
    written costs some microseconds. For one thread."""

    def __init__(self, database: Database) -> None:
        """Raises StoreError."""
        self._database = database
        self._connection = database.reader()
        with database.read() as connection:
            self._revision = int(connection.execute("SELECT value FROM meta WHERE name = 'revision'").get)
        self._version = -1

    def poll(self) -> list[Job] | None:
        """What changed; None when nothing at all was written. Raises StoreError."""
        try:
            version = self._connection.pragma("data_version")
            if version == self._version:
                return None
            rows = self._connection.execute(
                f"SELECT {COLUMNS} FROM job WHERE revision > ? ORDER BY revision", (self._revision,)
            ).fetchall()
        except apsw.Error as error:
            raise StoreError(f"{self._database.path}: {error}") from error
        self._version = version
        jobs = [transitions.job_of(row) for row in rows]
        if jobs:
            self._revision = jobs[-1].revision
        return jobs

    def close(self) -> None:
        """Idempotent."""
        self._connection.close()
