"""Owns the tables of jobs.db and how an older one becomes a newer one.

Migrations are numbered from 1 and never edited once released; each runs in one transaction with the version
it reaches. The constraints state what holds of every row whoever writes it.
"""

from typing import Final

import apsw

# "curj" in ASCII: tells our file from any other SQLite file.
APPLICATION_ID: Final = 0x6375726A

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('revision', 0);

CREATE TABLE job (
  id TEXT PRIMARY KEY NOT NULL,
  type TEXT NOT NULL,
  project_id TEXT,
  client TEXT NOT NULL,
  trigger TEXT NOT NULL CHECK (trigger IN ('manual', 'schedule', 'watch', 'retry', 'start')),
  status TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
  priority INTEGER NOT NULL CHECK (priority IN (0, 1, 2)),
  created_at REAL NOT NULL,
  run_at REAL NOT NULL,
  started_at REAL,
  finished_at REAL,
  attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt BETWEEN 0 AND max_attempts),
  max_attempts INTEGER NOT NULL CHECK (max_attempts >= 1),
  retry_count INTEGER NOT NULL DEFAULT 0,
  rescued INTEGER NOT NULL DEFAULT 0,
  progress REAL CHECK (progress BETWEEN 0 AND 1),
  message TEXT,
  args TEXT NOT NULL CHECK (json_type(args) = 'object'),
  result TEXT CHECK (json_type(result) = 'object'),
  error TEXT,
  errors TEXT NOT NULL DEFAULT '[]' CHECK (json_type(errors) = 'array'),
  unique_key TEXT,
  worker TEXT,
  lease_until REAL,
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
  timeout_s REAL CHECK (timeout_s > 0),
  fence INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL,
  CHECK ((status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CHECK ((status = 'processing') = (lease_until IS NOT NULL)),
  CHECK ((status = 'processing') = (worker IS NOT NULL)),
  CHECK (status != 'failed' OR error IS NOT NULL)
) STRICT;
-- One probe for each priority and type finds what is due, however many rows are not, and of whatever type.
CREATE INDEX job_claim ON job (priority, type, run_at, id) WHERE status = 'pending';
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
-- Those in work too: they are few, and no lease that is renewed has to move in an index.
CREATE INDEX job_by_status ON job (status, id, type); -- the type for counting, without the rows
CREATE INDEX job_by_project ON job (project_id, id);
CREATE INDEX job_by_revision ON job (revision);
-- One that is asked to stop will not do what is asked for now: it stands in nobody's way.
CREATE UNIQUE INDEX job_unique ON job (unique_key)
  WHERE status IN ('pending', 'processing') AND cancel_requested = 0 AND unique_key IS NOT NULL;
-- One job of a project at a time, whoever claims.
CREATE UNIQUE INDEX job_one_per_project ON job (project_id)
  WHERE status = 'processing' AND project_id IS NOT NULL;

-- What was asked for, longer than the jobs are kept.
CREATE TABLE refresh_history (
  id INTEGER PRIMARY KEY,
  project_id TEXT NOT NULL,
  job_id TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  trigger TEXT NOT NULL,
  created_at REAL NOT NULL,
  finished_at REAL,
  outcome TEXT
) STRICT;
CREATE INDEX refresh_history_by_project ON refresh_history (project_id, id);

-- What counts against a limit.
CREATE TABLE taken (
  client TEXT NOT NULL,
  action TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;
CREATE INDEX taken_by_client ON taken (client, action, at);

-- kind: a type of job, '*' for all of them.
CREATE TABLE pause (kind TEXT PRIMARY KEY, paused_at REAL NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Written by currant.hub.
CREATE TABLE project (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  root TEXT NOT NULL,
  source TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('path', 'git')),
  state TEXT NOT NULL,
  error TEXT,
  created_at REAL NOT NULL,
  data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data))
) STRICT;

-- Written by currant.maintenance.
CREATE TABLE task_stats (
  task TEXT PRIMARY KEY,
  last_run REAL,
  run_count INTEGER NOT NULL DEFAULT 0,
  error_count INTEGER NOT NULL DEFAULT 0,
  total_seconds REAL NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  last_error_at REAL
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS: Final = (_FIRST,)
VERSION: Final = len(MIGRATIONS)


def version_of(connection: apsw.Connection) -> int:
    """The schema version of the file; 0 for a new one. Raises apsw.Error."""
    return int(connection.pragma("user_version"))


def is_foreign(connection: apsw.Connection) -> bool:
    """Whether this is somebody else's database: it has tables, and not our mark. Raises apsw.Error."""
    # In this order: another process may be making our tables, and the mark comes with them.
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").get
    return bool(tables) and int(connection.pragma("application_id")) != APPLICATION_ID


def migrate(connection: apsw.Connection) -> None:
    """Bring the file to `VERSION`, whichever process is first. Raises apsw.Error."""
    for number, statements in enumerate(MIGRATIONS, start=1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) < number:
                connection.execute(statements)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", number)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
