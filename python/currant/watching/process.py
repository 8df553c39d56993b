"""`run_process` and `arun_process`: watchfiles' own, with our `watch`.

Owns: nothing but the exchange. Starting, stopping and signals are watchfiles' code, unchanged.
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, cast

from watchfiles import run

from currant.watching.main import awatch, watch

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _with_our_watch(function: _Function) -> _Function:
    """The same code, which finds our `watch` and `awatch` where it looks for its own."""
    original = cast(FunctionType, function)
    known = {**vars(run), "watch": watch, "awatch": awatch}
    copy = FunctionType(
        original.__code__, known, original.__name__, original.__defaults__, original.__closure__
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__annotations__ = original.__annotations__
    copy.__doc__ = original.__doc__
    return cast(_Function, copy)  # to a type checker the very same: its arguments stay known


run_process = _with_our_watch(run.run_process)
arun_process = _with_our_watch(run.arun_process)
