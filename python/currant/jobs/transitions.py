"""Owns every change of a job's status: each is one UPDATE with the old status in its WHERE.

    enqueue        -> pending (or the live job with the same unique key)
    claim          pending -> processing          (currant.jobs.claim chooses which)
    beat           processing, with a longer lease
    complete       processing -> completed
    fail           processing -> failed, or pending with a delay
    hand_back      processing -> pending, the attempt given back (snooze, shutdown)
    end_cancelled  processing -> cancelled
    rescue         processing -> pending, failed or cancelled (the lease ran out)
    cancel         pending -> cancelled; processing is marked
    retry          failed, cancelled -> pending
    end_by_hand    pending, processing -> completed, failed or cancelled

What a run says of its job (`Run`) is taken only while the row has its number. Everything here runs inside
`Database.write` and takes `now`; the functions give back the row as it is after the change, or None when
there was nothing to change.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import apsw

from currant import jsontext
from currant.jobs.ids import uuid7
from currant.jobs.model import Cancelled, Enqueued, Job, JobStatus, JobType, Priority, Trigger

_KEPT_ERRORS: Final = 10
_MAX_ERROR: Final = 4000
_MAX_TRACEBACK: Final = 8000
_MAX_MESSAGE: Final = 500
MAX_JSON: Final = 1 << 20

COLUMNS: Final = ", ".join(Job.__struct_fields__)


class Run(NamedTuple):
    """One run of one job. What it says counts while the row says the same."""

    id: str
    worker: str
    fence: int


def job_of(row: Sequence[Any]) -> Job:
    """A row of `COLUMNS`."""
    values = dict(zip(Job.__struct_fields__, row, strict=True))
    for name in ("args", "result", "errors"):
        if values[name] is not None:
            values[name] = jsontext.loads(values[name].encode("utf-8"))
    values["status"] = JobStatus(values["status"])
    values["priority"] = Priority(values["priority"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    return Job(**values)


def json_of(value: Mapping[str, Any]) -> str:
    """An object as stored. Raises ValueError for what is no JSON, or too much of it."""
    text = _dump(value)
    if len(text) > MAX_JSON:
        raise ValueError(f"{len(text):,} bytes of JSON are more than {MAX_JSON:,}")
    return text


def _dump(value: Mapping[str, Any]) -> str:
    # Escaped throughout: SQLite ends a text at a NUL, and lone surrogates are no UTF-8.
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=str)
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def get(connection: apsw.Connection, job_id: str) -> Job | None:
    """The job with this id."""
    row = connection.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (job_id,)).fetchone()
    return None if row is None else job_of(row)


def live(connection: apsw.Connection, unique_key: str) -> Job | None:
    """The pending or processing job with this unique key; not one that is asked to stop."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM job WHERE unique_key = ? AND status IN ('pending', 'processing')"
        " AND cancel_requested = 0",
        (unique_key,),
    ).fetchone()
    return None if row is None else job_of(row)


def next_revision(connection: apsw.Connection) -> int:
    """One more than was ever given; in the same transaction as the row that gets it."""
    return int(
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'revision' RETURNING value").get
    )


def enqueue(
    connection: apsw.Connection,
    *,
    now: float,
    type: JobType,
    project_id: str | None,
    client: str,
    trigger: Trigger,
    priority: Priority,
    args: Mapping[str, Any],
    unique_key: str | None,
    max_attempts: int,
    run_at: float,
    timeout_s: float | None,
) -> Enqueued:
    """A new pending job, unless there is a live one with this key. Raises ValueError for `args` that are no
    JSON."""
    if unique_key is not None and (found := live(connection, unique_key)) is not None:
        return Enqueued(found, False)
    row: Any = connection.execute(
        "INSERT INTO job (id, type, project_id, client, trigger, status, priority, created_at, run_at,"
        " max_attempts, args, unique_key, timeout_s, revision)"
        f" VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {COLUMNS}",
        (
            *(uuid7(now), str(type), project_id, client, trigger, int(priority), now, run_at),
            *(max_attempts, json_of(args), unique_key, timeout_s, next_revision(connection)),
        ),
    ).fetchone()
    job = job_of(row)
    if type == JobType.REFRESH and project_id is not None:
        connection.execute(
            "INSERT INTO refresh_history (project_id, job_id, client, trigger, created_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (project_id, job.id, client, trigger, now),
        )
    return Enqueued(job, True)


def claim(connection: apsw.Connection, job_id: str, worker: str, *, now: float, lease_s: float) -> Job | None:
    """pending -> processing. None: somebody was quicker."""
    return _update(
        connection,
        "status = 'processing', attempt = attempt + 1, fence = fence + 1, worker = :worker,"
        " lease_until = :until, started_at = :now, progress = NULL, message = NULL",
        "id = :id AND status = 'pending'",
        {"id": job_id, "worker": worker, "until": now + lease_s, "now": now},
    )


_FENCED: Final = "id = :id AND status = 'processing' AND worker = :worker AND fence = :fence"


def beat(connection: apsw.Connection, run: Run, *, now: float, lease_s: float) -> bool | None:
    """A longer lease; whether cancelling was asked for, or None when the run is not the row's any more.

    A lease that ran out is renewed while nobody rescued the job: after a suspended machine wakes up, all
    leases are over, and nothing is wrong. No revision: nobody is to be told of this.
    """
    found = connection.execute(
        f"UPDATE job SET lease_until = max(lease_until, :until) WHERE {_FENCED} RETURNING cancel_requested",
        {**run._asdict(), "until": now + lease_s},
    ).get
    return None if found is None else bool(found)


def report(connection: apsw.Connection, run: Run, progress: float | None, message: str | None) -> Job | None:
    """How far a run is. None for a parameter: as it was."""
    return _update(
        connection,
        "progress = coalesce(:progress, progress), message = coalesce(:message, message)",
        _FENCED,
        {**run._asdict(), "progress": progress, "message": None if message is None else _message(message)},
    )


def complete(
    connection: apsw.Connection, run: Run, *, now: float, result: Mapping[str, Any] | None
) -> Job | None:
    """processing -> completed. What it was at no longer counts: the result says what came of it. Raises
    ValueError for a result that is no JSON."""
    return _update(
        connection,
        f"status = 'completed', progress = 1, message = NULL, result = :result, error = NULL, {_ENDED}",
        _FENCED,
        {**run._asdict(), "now": now, "result": None if result is None else json_of(result)},
    )


def fail(
    connection: apsw.Connection,
    run: Run,
    *,
    now: float,
    error: str,
    traceback: str | None = None,
    delay_s: float | None,
) -> Job | None:
    """processing -> pending after `delay_s`, while there are attempts left; else, or for None, -> failed."""
    return _failure(connection, _FENCED, run._asdict(), now, error, traceback, delay_s)


def hand_back(connection: apsw.Connection, run: Run, *, now: float, delay_s: float = 0.0) -> Job | None:
    """processing -> pending, as if this run had not been. Cancelled instead when that was asked for."""
    return _update(
        connection,
        f"status = iif(cancel_requested, 'cancelled', 'pending'), finished_at = iif(cancel_requested, :now,"
        f" NULL), attempt = attempt - 1, run_at = :run_at, {_FREED}",
        _FENCED,
        {**run._asdict(), "now": now, "run_at": now + delay_s},
    )


def end_cancelled(connection: apsw.Connection, run: Run, *, now: float) -> Job | None:
    """processing -> cancelled: the handler stopped."""
    return _update(connection, f"status = 'cancelled', {_ENDED}", _FENCED, {**run._asdict(), "now": now})


def expired(connection: apsw.Connection, *, now: float) -> list[Run]:
    """Runs whose lease is over."""
    rows = connection.execute(
        "SELECT id, worker, fence FROM job WHERE status = 'processing' AND lease_until < ?",
        (now,),
    )
    return [Run(*row) for row in rows]


def leases(connection: apsw.Connection) -> dict[Run, float]:
    """Every run, and when its lease ends."""
    rows = connection.execute("SELECT id, worker, fence, lease_until FROM job WHERE status = 'processing'")
    return {Run(job_id, worker, fence): until for job_id, worker, fence, until in rows}


def rescue(connection: apsw.Connection, run: Run, *, now: float, delay_s: float) -> Job | None:
    """What becomes of a job whose worker is lost. The run counts as an attempt: a job that kills its worker
    must come to an end. A wish to cancel is granted."""
    found = connection.execute(f"SELECT cancel_requested FROM job WHERE {_FENCED}", run._asdict()).get
    if found is None:
        return None
    if found:
        return _update(
            connection,
            f"status = 'cancelled', rescued = rescued + 1, {_ENDED}",
            _FENCED,
            {**run._asdict(), "now": now},
        )
    return _failure(
        connection, _FENCED, run._asdict(), now, f"worker lost ({run.worker})", None, delay_s, rescued=1
    )


def cancel(connection: apsw.Connection, job_id: str, *, now: float) -> tuple[Cancelled, Job | None]:
    """pending -> cancelled at once; a run is asked to stop."""
    ended = _update(
        connection, f"status = 'cancelled', {_ENDED}", "id = :id AND status = 'pending'",
        {"id": job_id, "now": now},
    )  # fmt: skip
    if ended is not None:
        return "cancelled", ended
    asked = _update(
        connection,
        "cancel_requested = 1",
        "id = :id AND status = 'processing' AND cancel_requested = 0",
        {"id": job_id},
    )
    if asked is not None:
        return "cancel_requested", asked
    job = get(connection, job_id)
    return ("cancel_requested" if job is not None and not job.is_final else "final"), job


def retry(connection: apsw.Connection, job_id: str, *, now: float) -> Job | None:
    """failed, cancelled -> pending, from the first attempt. Raises apsw.ConstraintError when another job has
    its unique key by now."""
    job = _update(
        connection,
        "status = 'pending', attempt = 0, retry_count = retry_count + 1, trigger = 'retry', run_at = :now,"
        " started_at = NULL, finished_at = NULL, progress = NULL, message = NULL, result = NULL,"
        " error = NULL, cancel_requested = 0",
        "id = :id AND status IN ('failed', 'cancelled')",
        {"id": job_id, "now": now},
    )
    if job is not None and job.type == JobType.REFRESH:
        connection.execute(
            "UPDATE refresh_history SET outcome = NULL, finished_at = NULL WHERE job_id = ?", (job_id,)
        )
    return job


def end_by_hand(
    connection: apsw.Connection,
    job_id: str,
    status: JobStatus,
    *,
    now: float,
    result: Mapping[str, Any] | None,
    error: str | None,
) -> Job | None:
    """pending, processing -> a final status. None when it is over. Raises ValueError as `complete`."""
    return _update(
        connection,
        f"status = :status, result = :result, error = :error, {_ENDED}",
        "id = :id AND status IN ('pending', 'processing')",
        {
            "id": job_id,
            "status": str(status),
            "result": None if result is None else json_of(result),
            "error": _text(error or "failed", _MAX_ERROR) if status is JobStatus.FAILED else None,
            "now": now,
        },
    )


def settle_future(connection: apsw.Connection, *, now: float) -> int:
    """At a start: rows of a time that is still to come were written before the clock was set back. What was
    due then is due now, and what was to wait waits as long from now. How many there were."""
    before = connection.total_changes()
    connection.execute(
        "UPDATE job SET run_at = :now + max(0.0, run_at - max(created_at, coalesce(started_at, created_at))),"
        " created_at = min(created_at, :now), started_at = min(started_at, :now)"
        " WHERE status = 'pending' AND max(created_at, coalesce(started_at, created_at)) > :now",
        {"now": now},
    )
    return connection.total_changes() - before


# --- inside -------------------------------------------------------------------------------------------

# finished_at is set wherever the status is final: the schema refuses anything else.
_FREED: Final = "worker = NULL, lease_until = NULL"
_ENDED: Final = f"finished_at = :now, {_FREED}"


def _update(
    connection: apsw.Connection, assignments: str, where: str, values: Mapping[str, Any]
) -> Job | None:
    row = connection.execute(
        f"UPDATE job SET {assignments}, revision = :revision WHERE {where} RETURNING {COLUMNS}",
        {**values, "revision": next_revision(connection)},
    ).fetchone()
    if row is None:
        return None
    job = job_of(row)
    if job.is_final and job.type == JobType.REFRESH:
        connection.execute(
            "UPDATE refresh_history SET outcome = ?, finished_at = ? WHERE job_id = ?",
            (str(job.status), job.finished_at, job.id),
        )
    return job


def _failure(
    connection: apsw.Connection,
    where: str,
    which: Mapping[str, Any],
    now: float,
    error: str,
    traceback: str | None,
    delay_s: float | None,
    rescued: int = 0,
) -> Job | None:
    row = connection.execute(f"SELECT errors, attempt, max_attempts FROM job WHERE {where}", which).fetchone()
    if row is None:
        return None
    errors, attempt, most = row
    entry: dict[str, Any] = {"attempt": attempt, "at": now, "error": _text(error, _MAX_ERROR)}
    if traceback:
        entry["traceback"] = _text(traceback[-_MAX_TRACEBACK:], _MAX_TRACEBACK)
    kept = [*jsontext.loads(errors.encode("utf-8")), entry][-_KEPT_ERRORS:]
    again = delay_s is not None and attempt < most and math.isfinite(delay_s)
    status = (
        "status = iif(cancel_requested, 'cancelled', 'pending'),"
        " finished_at = iif(cancel_requested, :now, NULL), run_at = :run_at"
        if again
        else "status = 'failed', finished_at = :now"
    )
    return _update(
        connection,
        f"{status}, error = :error, errors = :errors, rescued = rescued + :rescued, {_FREED}",
        where,
        {
            **which,
            "now": now,
            "run_at": now + (delay_s or 0.0),
            "error": entry["error"],
            "errors": _dump_list(kept),
            "rescued": rescued,
        },
    )


def _dump_list(values: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(values, separators=(",", ":"), allow_nan=False, default=str)


def _text(text: str, most: int) -> str:
    """Text that SQLite takes and gives back, bounded."""
    clean = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _message(text: str) -> str:
    return _text(text, _MAX_MESSAGE)
