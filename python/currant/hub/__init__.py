"""The service: many projects, each with an index of its own, and jobs that work on them.

- `home`: the directory with its state: lock, token, where it listens
- `source`: what may become a project; `git`: how a repository is fetched
- `ledger`: the projects in jobs.db, and what is asked for them
- `keeper`: one project while the service runs; `handlers`: what each type of job does
- `events`: what happens, told to listeners in this process
- `hub`: all of it together; `lifecycle`: signals and the way down
"""

from currant.hub.events import Bus, Event, Subscription
from currant.hub.home import Address, Home, home_of
from currant.hub.hub import Hub
from currant.hub.ledger import Ledger, Project

__all__ = ["Address", "Bus", "Event", "Home", "Hub", "Ledger", "Project", "Subscription", "home_of"]
