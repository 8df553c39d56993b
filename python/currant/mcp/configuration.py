"""Adding an entry to a client's configuration and taking it out, as text to text.

Owns not losing anything: what cannot be read in full is refused, and every result is read again and compared
before it is given back. JSON is written anew in the indentation it had, so a file with comments is refused:
they would be gone. TOML is changed in place, since it is a file that people write themselves.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from currant.errors import UsageError

_DEPTH_ERRORS: Final = (ValueError, RecursionError)


class Unreadable(UsageError):
    """The configuration is not changed: the message says why, and the caller what to write by hand."""


# --- JSON -----------------------------------------------------------------------------------------------


def read_json(text: str) -> dict[str, Any]:
    """The object in a file; of an empty file an empty one. Raises Unreadable."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once, parse_constant=_no_number)
    except _DEPTH_ERRORS as error:
        if _commented(text):
            raise Unreadable("it has comments, which would be lost") from None
        raise Unreadable(f"it is not JSON ({error}): correct it first") from None
    if not isinstance(value, dict):
        raise Unreadable("it is not a JSON object: correct it first")
    return value


def json_with(text: str, section: str, name: str, entry: Mapping[str, Any]) -> str:
    """The text with `entry` under `section` and `name`, and everything else as it was. Raises Unreadable."""
    whole = read_json(text)
    entries = _entries(whole, section)
    merged = _merged(entries, name, entry)
    if entries.get(name) == merged:
        return text
    return _write_json(text, {**whole, section: {**entries, name: merged}})


def json_without(text: str, section: str, name: str) -> str:
    """The text without that entry. Raises Unreadable."""
    whole = read_json(text)
    entries = _entries(whole, section)
    if name not in entries:
        return text
    left = {key: value for key, value in entries.items() if key != name}
    return _write_json(text, {**whole, section: left})


def _entries(whole: Mapping[str, Any], section: str) -> dict[str, Any]:
    entries = whole.get(section, {})
    if not isinstance(entries, dict):
        raise Unreadable(f"{section} in it is not an object: correct it first")
    return entries


def _merged(entries: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry, with what the one there was has besides, such as an environment."""
    before = entries.get(name)
    if before is None:
        return dict(entry)
    if not isinstance(before, dict) or "command" not in before:
        raise Unreadable(
            f"{name} in it is a server that is not started by a command: remove that entry first"
        )
    return {**before, **entry}


def _write_json(text: str, whole: Mapping[str, Any]) -> str:
    found = re.search(r"\n([ \t]+)\S", text)
    indent = found[1] if found else 2
    written = json.dumps(whole, indent=indent, ensure_ascii=False) + "\n"
    try:
        written.encode()
    except UnicodeEncodeError:  # half a character, which JSON can hold and UTF-8 cannot
        written = json.dumps(whole, indent=indent) + "\n"
    if json.loads(written) != whole:
        raise Unreadable("it holds values that would be changed by writing it")
    return written.replace("\n", "\r\n") if "\r\n" in text else written


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number of JSON")


def _commented(text: str) -> bool:
    """Whether it would be JSON without comments and trailing commas, as some clients allow."""
    plain = re.sub(
        r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda found: found[1] or " ", text, flags=re.S
    )
    plain = re.sub(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])', lambda found: found[1] or "", plain)
    if plain == text:
        return False
    try:
        json.loads(plain)
    except _DEPTH_ERRORS:
        return False
    return True


# --- TOML -----------------------------------------------------------------------------------------------


def read_toml(text: str) -> dict[str, Any]:
    """What is in the file. Raises Unreadable."""
    try:
        return tomllib.loads(text)
    except _DEPTH_ERRORS as error:
        raise Unreadable(f"it is not TOML ({error}): correct it first") from None


def toml_with(text: str, section: str, name: str, entry: Mapping[str, Any]) -> str:
    """The text with a table `section`.`name`, in the place of the one there was or at the end. Raises
    Unreadable, also when the entries are written in another form than as tables."""
    whole = read_toml(text)
    entries = _entries(whole, section)
    merged = _merged(entries, name, entry)
    if entries.get(name) == merged:
        return text
    rows = [f"[{section}.{_key(name)}]", *(f"{_key(key)} = {_value(value)}" for key, value in entry.items())]
    lines = text.splitlines(keepends=True)
    at = _table(lines, section, name)
    if at is None:
        gap = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
        written = text + gap + "\n".join(rows) + "\n"
    else:
        start, end = at
        # Lines of the table that we do not write stay, with the comments between them.
        other = [line for line in lines[start + 1 : end] if not _writes(line, entry)]
        written = "".join(lines[:start]) + "\n".join(rows) + "\n" + "".join(other) + "".join(lines[end:])
    _compare(written, {**whole, section: {**entries, name: merged}})
    return written


def toml_without(text: str, section: str, name: str) -> str:
    """The text without that table and the tables in it. Raises Unreadable."""
    whole = read_toml(text)
    entries = _entries(whole, section)
    if name not in entries:
        return text
    lines = text.splitlines(keepends=True)
    at = _table(lines, section, name)
    while at is not None:
        start, end = at
        # What stands in front of the next table is about that one.
        while end - 1 > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        del lines[start:end]
        if start and not lines[start - 1].strip() and (start == len(lines) or not lines[start].strip()):
            del lines[start - 1]
        at = _table(lines, section, name, below=True)
    written = "".join(lines)
    left = {key: value for key, value in entries.items() if key != name}
    expected = {key: value for key, value in whole.items() if key != section}
    _compare(written, {**expected, section: left} if left or section in read_toml(written) else expected)
    return written


def _compare(written: str, expected: Mapping[str, Any]) -> None:
    """Raise unless the text says exactly that: whatever the form of the file, a wrong guess is noticed."""
    try:
        found = tomllib.loads(written)
    except _DEPTH_ERRORS:
        found = None
    if found != expected:
        raise Unreadable("its entries are written in a form that is not changed here")


def _table(lines: list[str], section: str, name: str, *, below: bool = False) -> tuple[int, int] | None:
    """The lines of a table, from its header to the next one; with `below` of one inside of it, too."""
    names = rf"(?:{re.escape(name)}|\"{re.escape(name)}\"|'{re.escape(name)}')"
    inner = r"(?:\s*\..*)?" if below else ""
    header = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\.\s*{names}{inner}\s*\]\s*(#.*)?$")
    for start, line in enumerate(lines):
        if header.match(line):
            end = start + 1
            while end < len(lines) and not re.match(r"\s*\[", lines[end]):
                end += 1
            return start, end
    return None


def _writes(line: str, entry: Mapping[str, Any]) -> bool:
    found = re.match(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([\w-]+))\s*=", line)
    return bool(found) and next(filter(None, found.groups()), "") in entry if found else False


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _value(value: Any) -> str:
    """Texts and lists of texts: a JSON text is a TOML text, but for what TOML has escaped."""
    if isinstance(value, str):
        return json.dumps(value).replace("\x7f", "\\u007f")
    return "[" + ", ".join(_value(one) for one in value) + "]"
