"""A live metadata index of a code monorepo that is never silently stale.

    with currant.open(".") as index:
        clock = index.sync()
        for found in index.find("parse_config"):
            print(found.path, found.start, found.signature)

Names are imported when first used, so that `import currant` (and a short command) costs little.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from currant.api import AsyncIndex, Index
    from currant.api import open_async as aopen
    from currant.api import open_async as open_async
    from currant.api import open_index as open
    from currant.errors import CurrantError
    from currant.model import ChangeRow, Definition, FileView, Freshness, Provenance
    from currant.watching import (
        BaseFilter,
        Change,
        DefaultFilter,
        PythonFilter,
        Renamed,
        arun_process,
        awatch,
        run_process,
        watch,
    )

    __version__: str

__all__ = [
    "AsyncIndex",
    "BaseFilter",
    "Change",
    "ChangeRow",
    "CurrantError",
    "DefaultFilter",
    "Definition",
    "FileView",
    "Freshness",
    "Index",
    "Provenance",
    "PythonFilter",
    "Renamed",
    "__version__",
    "aopen",
    "arun_process",
    "awatch",
    "open",
    "open_async",
    "run_process",
    "watch",
]

_HOMES = {
    "AsyncIndex": ("currant.api", "AsyncIndex"),
    "BaseFilter": ("watchfiles", "BaseFilter"),
    "Change": ("watchfiles", "Change"),
    "ChangeRow": ("currant.model", "ChangeRow"),
    "CurrantError": ("currant.errors", "CurrantError"),
    "DefaultFilter": ("watchfiles", "DefaultFilter"),
    "Definition": ("currant.model", "Definition"),
    "FileView": ("currant.model", "FileView"),
    "Freshness": ("currant.model", "Freshness"),
    "Index": ("currant.api", "Index"),
    "Provenance": ("currant.model", "Provenance"),
    "PythonFilter": ("watchfiles", "PythonFilter"),
    "Renamed": ("currant.watching", "Renamed"),
    "__version__": ("currant._core", "__version__"),
    "aopen": ("currant.api", "open_async"),
    "arun_process": ("currant.watching", "arun_process"),
    "awatch": ("currant.watching", "awatch"),
    "open": ("currant.api", "open_index"),
    "open_async": ("currant.api", "open_async"),
    "run_process": ("currant.watching", "run_process"),
    "watch": ("currant.watching", "watch"),
}


if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        module, attribute = _HOMES[name]
        value = getattr(import_module(module), attribute)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
