"""What a command writes: JSON for programs, text for people, and how fresh it is on standard error."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from currant.model import Freshness


def write_json(value: Any) -> None:
    """One JSON value on a line of standard output. Paths that are not UTF-8 hold ``\\udcXX`` escapes."""
    click.echo(json.dumps(value, separators=(",", ":"), default=str))


def answer_json(freshness: Freshness | None, **parts: Any) -> None:
    """An answer with its freshness in front."""
    write_json({**freshness_dict(freshness), **parts})


def freshness_dict(freshness: Freshness | None) -> dict[str, Any]:
    """``clock``, ``fresh``, ``outstanding``; nothing when no barrier was asked for."""
    if freshness is None:
        return {}
    return {
        "clock": freshness.clock,
        "fresh": freshness.fresh,
        "outstanding": list(freshness.outstanding),
    }


def say_freshness(freshness: Freshness | None) -> None:
    """One line on standard error: the clock, and what an answer that is not fresh lacks."""
    if freshness is None:
        return
    if freshness.fresh:
        click.echo(f"clock {freshness.clock}, fresh", err=True)
        return
    missing = ", ".join(shown(path) for path in freshness.outstanding[:3])
    some = f": not in it yet: {missing}{' ...' if len(freshness.outstanding) > 3 else ''}" if missing else ""
    click.echo(f"clock {freshness.clock}, NOT fresh{some}", err=True)


def shown(path: str) -> str:
    """A path for a line of text. A terminal must not be steered by a file's name, so there control characters
    and bytes that are not UTF-8 are escaped; a pipe gets the bytes."""
    if not sys.stdout.isatty() and "\n" not in path:
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
    return datetime.fromtimestamp(seconds, UTC).astimezone().isoformat(sep=" ", timespec="seconds")


def table(rows: Iterable[tuple[str, Any]]) -> None:
    """Names and values in two columns."""
    pairs = [(name, str(value)) for name, value in rows]
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        click.echo(f"{name:<{width}}  {value}".rstrip())
