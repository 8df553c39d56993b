"""The commands' end of the service: its settings, its home, its ledger when no service has to be asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from currant.config import Settings, load_service_settings

if TYPE_CHECKING:
    from currant.hub import Ledger


def load(
    home: str | None, settings: tuple[str, ...] = (), flags: Mapping[str, Any] | None = None
) -> tuple[Settings, Path]:
    """The settings of the service with what was said on the command line, and its home."""
    from currant.cli.place import setting
    from currant.hub import home_of

    told = dict(setting(text) for text in settings) | dict(flags or {})
    if home is not None:
        told["serve.home"] = str(Path(home).expanduser().absolute())
    loaded = load_service_settings(flags=told)
    return loaded, home_of(loaded)


@contextmanager
def ledger(settings: Settings, path: Path) -> Iterator["Ledger"]:
    """The ledger itself, beside a running service or without one."""
    from currant.hub import Home, Ledger
    from currant.jobs import Database, JobManager

    home = Home(path)
    home.prepare()
    database = Database(home.database)
    try:
        yield Ledger(database, JobManager(database, settings.jobs), home)
    finally:
        database.close()
