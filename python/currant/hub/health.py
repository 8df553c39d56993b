"""What works worse than it should in the service as a whole: pure, from what the parts say of themselves.

`docs/service.md` has the list. What concerns one project's index is in that index's own status.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from currant.errors import CurrantError
from currant.model import Degraded
from currant.service import Service


def of_projects(overview: Sequence[Mapping[str, Any]]) -> Iterator[Degraded]:
    """Projects that do not follow their disk, or their origin."""
    for state, fix in (
        ("failed", "do what the message says; it is tried again by itself, a clone by a refresh"),
        ("missing", "put the directory back, and it is found by itself; or remove the project"),
    ):
        found = [one for one in overview if one["state"] == state]
        if found:
            told = "; ".join(f"{one['name']}: {one['error']}" for one in found[:3])
            yield Degraded(f"project_{state}", told, len(found), fix)
    behind = [one for one in overview if one["state"] == "ready" and (one.get("origin") or {}).get("error")]
    if behind:
        told = "; ".join(f"{one['name']}: {one['origin']['error']}" for one in behind[:3])
        yield Degraded(
            "origin_unreachable",
            f"clones are as last fetched: {told}",
            len(behind),
            "do what the message says; the schedule fetches again, or `currant project refresh` now",
        )


def of_threads(worker: Mapping[str, Any], scheduler: Mapping[str, Any] | None) -> Iterator[Degraded]:
    """Parts of the service that should run and do not."""
    if not worker["alive"]:
        yield Degraded("workers_dead", "no jobs are worked off", 1, "start the service again")
    elif worker["abandoned"]:
        yield Degraded(
            "jobs_hang",
            "jobs that were to stop and did not: each holds a thread",
            int(worker["abandoned"]),
            "`currant jobs list` names them; if a file system hangs, mend it; else start again",
        )
    if scheduler is not None and not scheduler["ok"]:
        why = scheduler["last_error"] or "its thread does not answer"
        yield Degraded("scheduler_dead", f"nothing is scheduled: {why}", 1, "start the service again")


def watches(service: Service) -> int:
    """How many watches a service sets; 0 for one that is just being opened again."""
    try:
        return int(service.engine.status()["watches"])
    except CurrantError:
        return 0
