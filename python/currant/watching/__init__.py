"""Watching as a library: `currant.watch` and `currant.awatch`, which take the place of watchfiles' own.

Owns: the calls, their arguments and what they yield. The filters and `Change` are those of watchfiles itself,
so that a user's filters work unchanged; the changes come from the engine (`currant._core`), without an index.
"""

from watchfiles import BaseFilter, Change, DefaultFilter, PythonFilter
from watchfiles.main import FileChange

from currant.watching.fold import Renamed
from currant.watching.main import awatch, watch
from currant.watching.notify import RustNotify
from currant.watching.process import arun_process, run_process

__all__ = [
    "BaseFilter",
    "Change",
    "DefaultFilter",
    "FileChange",
    "PythonFilter",
    "Renamed",
    "RustNotify",
    "arun_process",
    "awatch",
    "run_process",
    "watch",
]
