"""`run_process` and `arun_process`: watchfiles' own, with our `watch`.

Owns: nothing but the exchange. Starting, stopping and signals are watchfiles' code, unchanged.
"""

from types import FunctionType
from typing import cast

from watchfiles import run

from currant.watching.main import awatch, watch


def _with_our_watch(function: object) -> FunctionType:
    """The same code, which finds our `watch` and `awatch` where it looks for its own."""
    original = cast(FunctionType, function)
    known = {**vars(run), "watch": watch, "awatch": awatch}
    copy = FunctionType(
        original.__code__, known, original.__name__, original.__defaults__, original.__closure__
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__annotations__ = original.__annotations__
    copy.__doc__ = original.__doc__
    return copy


run_process = _with_our_watch(run.run_process)
arun_process = _with_our_watch(run.arun_process)
