"""What a command writes: JSON for programs, text for people, and how fresh it is on standard error."""

import sys
from collections.abc import Iterable
from typing import Any

import click

from currant import jsontext
from currant.ipc.client import Answer


def write_json(value: Any) -> None:
    """One JSON value on a line of standard output. Paths that are not UTF-8 hold ``\\udcXX`` escapes."""
    click.echo(jsontext.dumps(value))


def echo(text: str, *, err: bool = False) -> None:
    """Text for people, and a newline. On a terminal nothing in it is more than text, whoever it came from;
    names inside of a line are for `shown` or `printable`, which also keep them on that line."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        text = "\n".join(map(printable, text.split("\n")))
    click.echo(text, err=err)


def answer_json(answer: Answer, **parts: Any) -> None:
    """The parts of an answer, with its freshness in front when a barrier was asked for."""
    if answer.clock is None:
        write_json(parts)
    else:
        write_json({**answer.freshness(), **parts})


def say_freshness(answer: Answer) -> None:
    """On standard error: the clock, what an answer that is not fresh lacks, and what works badly."""
    if answer.clock is None:
        return
    _say_clock(answer)
    if answer.degraded:
        echo(f"degraded: {', '.join(answer.degraded)} (`currant status` has the way out)", err=True)


def _say_clock(answer: Answer) -> None:
    if answer.fresh:
        echo(f"clock {answer.clock}, fresh", err=True)
        return
    missing = ", ".join(shown(path, err=True) for path in answer.outstanding[:3])
    more = " ..." if len(answer.outstanding) > 3 else ""
    some = f": not in it yet: {missing}{more}" if missing else ""
    echo(f"clock {answer.clock}, NOT fresh{some}", err=True)


def shown(path: str, *, err: bool = False) -> str:
    """A path for a line of text on standard output or error. A terminal must not be steered by a file's name,
    so there control characters and bytes that are not UTF-8 are escaped; a pipe gets the bytes."""
    if not (sys.stderr if err else sys.stdout).isatty() and "\n" not in path:
        return path
    return printable(path)


def printable(text: str) -> str:
    """Text that cannot steer a terminal: control characters and stray bytes as ``\\xNN`` or ``\\uNNNN``."""

    def escaped(char: str) -> str:
        code = ord(char)
        if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
            return f"\\x{code & 0xFF:02x}"
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return "".join(char if char.isprintable() else escaped(char) for char in text)


def size(count: float) -> str:
    """Bytes for people, in powers of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def duration(seconds: float) -> str:
    """``41 s``, ``3:20 min``, ``2:05 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3_600}:{whole % 3_600 // 60:02} h"


def moment(seconds: float) -> str:
    """A wall time in the local zone, to the second."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ", timespec="seconds")


def table(rows: Iterable[tuple[str, Any]]) -> None:
    """Names and values in two columns."""
    pairs = [(name, str(value)) for name, value in rows]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        echo(f"{name:<{width}}  {value}".rstrip())
