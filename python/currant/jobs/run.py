"""Owns what a handler's end means for its job: from a return or an exception to one transition."""

import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import apsw

from currant.jobs import transitions
from currant.jobs.context import JobContext, Stop
from currant.jobs.model import Discard, Job, JobCancelled, Snooze
from currant.jobs.retry import RetryPolicy
from currant.jobs.transitions import Run

Handler = Callable[[JobContext], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `delay_s` None: not again."""

    kind: Literal["completed", "failed", "handed back", "cancelled", "lost"]
    result: dict[str, Any] | None = None
    error: str = ""
    traceback: str | None = None
    delay_s: float | None = None


def perform(handler: Handler, context: JobContext, policy: RetryPolicy, dice: random.Random) -> Outcome:
    """Run the handler to its end. Raises nothing, whatever the handler does."""
    try:
        return Outcome("completed", result=handler(context))
    except Snooze as snooze:
        return Outcome("handed back", delay_s=snooze.delay_s)
    except Discard as discard:
        return Outcome("failed", error=str(discard) or "discarded")
    except JobCancelled:
        return _stopped(context, policy.delay(context.job.attempt, dice))
    except BaseException as error:
        if context.why in (Stop.SHUTDOWN, Stop.LOST):
            return _stopped(context, 0.0)  # what it works with is being closed under it
        return Outcome(
            "failed",
            error=f"{type(error).__name__}: {error}",
            traceback="".join(traceback.format_exception(error)),
            delay_s=policy.delay(context.job.attempt, dice),
        )


def _stopped(context: JobContext, delay_s: float) -> Outcome:
    match context.why:
        case Stop.SHUTDOWN:
            return Outcome("handed back", delay_s=0.0)
        case Stop.TIMEOUT:
            return Outcome("failed", error=context.overdue() or "out of time", delay_s=delay_s)
        case Stop.LOST:
            return Outcome("lost")
        case _:
            return Outcome("cancelled")


def record(
    connection: apsw.Connection, run: Run, context: JobContext, outcome: Outcome, now: float
) -> Job | None:
    """Write the end of a run. None when the run is not the row's any more: it was rescued, or the row
    deleted. Raises ValueError for a result that cannot be stored."""
    said = context.take_progress()
    if said is not None:
        transitions.report(connection, run, *said)
    match outcome.kind:
        case "completed":
            return transitions.complete(connection, run, now=now, result=outcome.result)
        case "failed":
            return transitions.fail(
                connection,
                run,
                now=now,
                error=outcome.error,
                traceback=outcome.traceback,
                delay_s=outcome.delay_s,
            )
        case "handed back":
            return transitions.hand_back(connection, run, now=now, delay_s=outcome.delay_s or 0.0)
        case "cancelled":
            return transitions.end_cancelled(connection, run, now=now)
        case "lost":
            return None
