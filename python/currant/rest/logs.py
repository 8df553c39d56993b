"""Owns the log of the service: JSON lines in ``<home>/log/``, rotated, one stream for all libraries.

Everything that speaks through `logging` (Currant itself, uvicorn, APScheduler) becomes one JSON object a
line: `timestamp`, `level`, `logger`, `event`, and what the line was given. Set up by `currant serve` alone,
and undone at its end.
"""

import logging
import os
from collections.abc import Callable, Mapping, MutableMapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

import structlog

from currant import jsontext

FILE_NAME: Final = "currant.jsonl"
# Each request of theirs is no news; ours has a line of its own.
_QUIET: Final = ("uvicorn.access", "apscheduler.executors.default")
_CHAINED: Final = ("uvicorn", "uvicorn.error", "apscheduler")


class _Private(RotatingFileHandler):
    """Makes its files for this user alone."""

    def _open(self) -> Any:
        descriptor = os.open(
            self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600
        )
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")


def configure(
    directory: Path, *, level: str = "INFO", max_mb: float = 10, files: int = 5, console: bool = False
) -> Callable[[], None]:
    """Log to `directory` from `level` up, in at most `files` files of `max_mb` MiB each; with `console` also
    to standard error, for people. Returns what undoes it."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception,
        _plain,
    ]
    handler: logging.Handler = _Private(
        directory / FILE_NAME, maxBytes=int(max_mb * (1 << 20)), backupCount=max(1, files) - 1, delay=False
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _line],
        )
    )
    handlers = [handler]
    if console:
        shown = logging.StreamHandler()
        shown.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        shown.addFilter(lambda record: record.name != "currant.rest.access")
        handlers.append(shown)
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    root.setLevel(level.upper())
    root.handlers[:] = handlers
    quiet = {name: logging.getLogger(name).level for name in _QUIET}
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _CHAINED:
        chained = logging.getLogger(name)
        chained.handlers.clear()
        chained.propagate = True

    def undo() -> None:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        for name, was in quiet.items():
            logging.getLogger(name).setLevel(was)
        for one in handlers:
            one.close()

    return undo


def _exception(_logger: Any, _name: str, told: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A traceback as text in `exception`."""
    return structlog.processors.format_exc_info(None, "", told)


def _plain(_logger: Any, _name: str, told: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """uvicorn says everything twice, the second time in colours."""
    told.pop("color_message", None)
    return told


def _line(_logger: Any, _name: str, told: MutableMapping[str, Any]) -> str:
    return jsontext.dumps(dict(told)).decode()
