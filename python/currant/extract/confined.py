"""The process in which large sources are parsed, and never scanned: reads one, answers, reads the next; see
`confine`.

Owns the limits that the kernel holds it to. Started as ``python -m currant.extract.confined``.
"""

import contextlib
import resource
import select
import signal
import sys
from typing import Final

import msgspec

from currant import _core
from currant.extract.confine import IDLE_SECONDS, MEMORY_BYTES, Answer, Request, receive, send

_NEVER: Final = resource.RLIM_INFINITY


def main() -> None:
    """Until nobody asks any more."""
    # Ctrl-C is for whoever started us: it goes to every process of a terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while select.select([stdin], [], [], IDLE_SECONDS)[0]:
        raw = receive(stdin)
        if raw is None:
            return
        request = msgspec.msgpack.decode(raw, type=Request)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + 1 + request.seconds)
        send(stdout, msgspec.msgpack.encode(_answer(request)))


def _limit(what: int, value: int) -> None:
    """The soft limit: a process may not raise the hard one again."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (value if hard == _NEVER else min(value, hard), hard))


def _answer(request: Request) -> Answer:
    try:
        if request.parts is None:
            return Answer(outline=_core.outline(request.language, request.source, "parse"))
        return Answer(examined=_core.examine(request.language, request.source, *request.parts, "parse"))
    except BaseException as error:
        # A panic in the core is a BaseException of its own; it is about this source only.
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            return Answer(error=str(error))
        raise


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
