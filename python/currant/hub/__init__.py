"""The service: many projects, each with an index of its own, and jobs that work on them.

- `home`: the directory with its state: lock, token, where it listens
- `source`: what may become a project; `git`: how a repository is fetched
- `ledger`: the projects in jobs.db, and what is asked for them
- `keeper`: one project while the service runs; `handlers`: what each type of job does
- `events`: what happens, told to listeners in this process
- `hub`: all of it together; `lifecycle`: signals and the way down
"""

from typing import TYPE_CHECKING, Any

from currant.hub.events import Bus, Event, Subscription
from currant.hub.home import Address, Home, home_of
from currant.hub.ledger import Ledger, Project

if TYPE_CHECKING:
    from currant.hub.hub import Hub

__all__ = ["Address", "Bus", "Event", "Home", "Hub", "Ledger", "Project", "Subscription", "home_of"]

if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        """The hub itself needs what only the service needs; a command that looks at the ledger does not."""
        if name == "Hub":
            from currant.hub.hub import Hub

            return Hub
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
