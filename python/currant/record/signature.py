"""Parameters from a signature, as the outline stores it: one line, at most 240 characters, perhaps cut.

Owns: where the parameters stand in a signature and what one of them is called, of which type and with
which default, for each language that has an outline. What cannot be told is left out, never guessed; the
receiver of a method (``self``, ``this``) is no parameter. Any text is taken, in linear time.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: its name as the documentation writes it (``*args``, ``$x``, ``...rest``), and the texts
    of its type and its default, None where there is none."""

    name: str
    type: str | None = None
    default: str | None = None


_QUOTES: Final = "\"'`"
_RUST_QUOTES: Final = '"'  # a single one begins a lifetime
_GENERIC: Final = frozenset(
    {"cpp", "java", "csharp", "typescript", "tsx", "kotlin", "swift", "rust", "scala", "php"}
)
"""Languages in which ``<`` opens a bracket where types are written."""
_WORD: Final = re.compile(r"[^\W\d]\w*")


def parameters(language: str | None, name: str, signature: str) -> list[Parameter]:
    """The parameters in `signature` of the definition `name`, in their order."""
    read = _READERS.get(language or "")
    if read is None:
        return []
    inside = _inside(language or "", name, signature)
    if inside is None:
        return []
    quotes = _RUST_QUOTES if language == "rust" else _QUOTES
    parts = [part for part in split(inside, ",", angles=language in _GENERIC, quotes=quotes) if part]
    return read(parts)


def split(
    text: str, separator: str, *, angles: bool = False, limit: int = -1, quotes: str = _QUOTES
) -> list[str]:
    """`text` at each `separator` (one character) outside of brackets and strings; `limit` splits at most."""
    out: list[str] = []
    depth = start = 0
    quote = ""
    for at, char in enumerate(text):
        if quote:
            if char == quote and text[at - 1] != "\\":
                quote = ""
        elif char in quotes:
            quote = char
        elif char in "([{" or (angles and char == "<"):
            depth += 1
        elif char in ")]}" or (angles and char == ">" and text[at - 1] not in "-="):
            depth -= 1
        elif char == separator and depth <= 0 and limit != 0:
            # `::` of a path and `:=`, `==`, `=>`, `<=` are no separators.
            if char == ":" and (text[at + 1 : at + 2] == ":" or text[at - 1 : at] == ":"):
                continue
            if char == "=" and (
                text[at + 1 : at + 2] in ("=", ">") or text[at - 1 : at] in ("=", "<", ">", "!")
            ):
                continue
            out.append(text[start:at].strip())
            start = at + 1
            limit -= 1
    out.append(text[start:].strip())
    return out


def _inside(language: str, name: str, signature: str) -> str | None:
    """What stands between the brackets of the parameters, without the end when the signature is cut."""
    at = 0
    while name:
        at = signature.find(name, at)
        if at < 0:
            break
        before, end = signature[at - 1 : at], at + len(name)
        at = end
        if before and (before.isalnum() or before == "_"):
            continue
        rest = signature[end:].lstrip()
        if language in ("javascript", "typescript", "tsx", "swift") and rest[:2] in ("?(", "?<", "!("):
            rest = rest[1:]  # an optional member
        found = _brackets(rest, language)
        if found is not None:
            return found
        if language == "ruby":  # def add a, b
            return rest
    if language in ("javascript", "typescript", "tsx"):  # const add = (a, b) => ..., async x => ...
        arrow = re.search(r"[=:]\s*(?:async\s+)?(?:function\s*\*?\s*\w*\s*)?(?=[(<])", signature)
        if arrow is not None:
            return _brackets(signature[arrow.end() :], language)
        single = re.search(r"[=:]\s*(?:async\s+)?([\w$]+)\s*=>", signature)
        return single[1] if single else None
    if language == "swift" and signature.startswith("init"):
        return _brackets(signature[4:].lstrip("?!"), language)
    opened = signature.find("(")
    if opened >= 0 and language in ("csharp", "kotlin", "java", "php"):
        return _brackets(signature[opened:], language)
    return None


def _brackets(rest: str, language: str) -> str | None:
    """The content of the parentheses that `rest` begins with, after generics (``<T>``, ``[T any]``)."""
    first = rest[:1]
    quotes = _RUST_QUOTES if language == "rust" else _QUOTES
    if first in ("=", "?", ":") and language in ("javascript", "typescript", "tsx"):
        return None
    if first in ("<", "["):
        end = _end(rest, ">" if first == "<" else "]", quotes)
        rest = rest[end:].lstrip() if end else ""
    if not rest.startswith("("):
        return None
    end = _end(rest, ")", quotes)
    return rest[1 : end - 1] if end else rest[1:].removesuffix("…")


def _end(text: str, closer: str, quotes: str) -> int:
    """Behind the bracket that closes the one at the start; 0 when none does."""
    opener = text[0]
    depth = 0
    quote = ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[at - 1] != "\\" else quote
        elif char in quotes:
            quote = char
        elif char == opener:
            depth += 1
        elif char == closer and not (closer == ">" and text[at - 1] in "-="):
            depth -= 1
            if depth == 0:
                return at + 1
    return 0


def _typed(part: str, *, angles: bool, quotes: str = _QUOTES) -> tuple[str, str | None, str | None]:
    """``name: type = default``."""
    head, *default = split(part, "=", angles=angles, limit=1, quotes=quotes)
    name, *kind = split(head, ":", angles=angles, limit=1, quotes=quotes)
    return name, (kind[0] or None) if kind else None, (default[0] or None) if default else None


def _python(parts: list[str]) -> list[Parameter]:
    out = []
    for number, part in enumerate(parts):
        name, kind, default = _typed(part, angles=False)
        if part in ("*", "/", "…") or (number == 0 and name in ("self", "cls", "mcs")):
            continue
        out.append(Parameter(name, kind, default))
    return out


_TS_MODIFIERS: Final = re.compile(
    r"(?:@\w+(?:\([^)]*\))?\s+|(?:public|private|protected|readonly|override)\s+)*"
)


def _script(parts: list[str]) -> list[Parameter]:
    out = []
    for part in parts:
        modifiers = _TS_MODIFIERS.match(part)
        name, kind, default = _typed(part[modifiers.end() :] if modifiers else part, angles=True)
        name = name.rstrip("?").rstrip()
        if name and name not in ("this", "…"):
            out.append(Parameter(name, kind, default))
    return out


def _kotlin(parts: list[str]) -> list[Parameter]:
    """Kotlin, Swift and Scala: what stands last before the colon is the name inside."""
    out = []
    for part in parts:
        name, kind, default = _typed(part, angles=True)
        words = _WORD.findall(name)
        if words and kind is not None:
            out.append(Parameter(words[-1], kind, default))
    return out


def _rust(parts: list[str]) -> list[Parameter]:
    out = []
    for number, part in enumerate(parts):
        name, kind, _default = _typed(part, angles=True, quotes=_RUST_QUOTES)
        name = re.sub(r"^(?:#\[[^\]]*\]\s*)*(?:mut\s+)?", "", name)
        if kind is None or (number == 0 and _WORD.findall(name)[-1:] == ["self"]):
            continue
        out.append(Parameter(name, kind))
    return out


def _go(parts: list[str]) -> list[Parameter]:
    """``a, b int, c ...string``; without names there is nothing to tell."""
    pairs = [part.split(None, 1) for part in parts if part != "…"]
    if not any(len(pair) == 2 and pair[0].isidentifier() and pair[0] not in _GO_TYPES for pair in pairs):
        return []
    out: list[Parameter] = []
    kind: str | None = None
    for pair in reversed(pairs):
        kind = pair[1] if len(pair) == 2 else kind
        out.append(Parameter(pair[0], kind))
    return out[::-1]


_GO_TYPES: Final = frozenset({"chan", "func", "map", "struct", "interface"})
_C_NAME: Final = re.compile(r"([^\W\d]\w*)\s*(?:\[[^\]]*\]\s*)*$")
_C_POINTER: Final = re.compile(r"\(\s*[*^&]+\s*(?:const\s+)?([^\W\d]\w*)\s*(?:\[[^\]]*\])*\)\s*\(")
_C_TYPES: Final = ("void", "int", "char", "short", "long", "float", "double", "signed", "unsigned", "bool")
_C_WORDS: Final = frozenset(
    {*_C_TYPES, "const", "volatile", "struct", "union", "enum", "auto", "size_t", "this"}
)


def _c(parts: list[str]) -> list[Parameter]:
    """C, C++, Java and C#: the name stands last."""
    out = []
    for part in parts:
        head, *default = split(part, "=", angles=True, limit=1)
        if head in ("", "void", "…"):
            continue
        if head == "...":
            out.append(Parameter("..."))
            continue
        pointer = _C_POINTER.search(head)
        if pointer is not None:
            name, kind = pointer[1], head[: pointer.start(1)] + head[pointer.end(1) :]
        else:
            found = _C_NAME.search(head)
            # A single word is the type of a parameter without a name.
            if found is None or not head[: found.start()].strip() or found[1] in _C_WORDS:
                continue
            name, kind = found[1], head[: found.start()] + head[found.end(1) :]
            if kind.split()[-1] in ("struct", "union", "enum", "const", "::") or kind.endswith("::"):
                continue
        kind = re.sub(r"^(?:@[\w.]+(?:\([^)]*\))?\s*|\[[^\]]*\]\s*|(?:final|this|params)\s+)*", "", kind)
        out.append(Parameter(name, " ".join(kind.split()) or None, (default[0] or None) if default else None))
    return out


def _php(parts: list[str]) -> list[Parameter]:
    out = []
    for part in parts:
        head, *default = split(part, "=", limit=1)
        at = head.find("$")
        if at < 0:
            continue
        kind = re.sub(r"#\[[^\]]*\]|\b(?:public|private|protected|readonly)\b|&|\.\.\.", " ", head[:at])
        out.append(
            Parameter(head[at:], " ".join(kind.split()) or None, (default[0] or None) if default else None)
        )
    return out


def _ruby(parts: list[str]) -> list[Parameter]:
    out = []
    for part in parts:
        keyword = re.match(r"([^\W\d]\w*):(?!:)\s*(.*)", part)
        if keyword is not None:
            out.append(Parameter(keyword[1], None, keyword[2] or None))
            continue
        name, *default = split(part, "=", limit=1)
        if name != "…":
            out.append(Parameter(name, None, (default[0] or None) if default else None))
    return out


_READERS: Final[dict[str, Callable[[list[str]], list[Parameter]]]] = {
    "python": _python,
    "javascript": _script,
    "typescript": _script,
    "tsx": _script,
    "go": _go,
    "rust": _rust,
    "java": _c,
    "c": _c,
    "cpp": _c,
    "csharp": _c,
    "php": _php,
    "ruby": _ruby,
    "kotlin": _kotlin,
    "swift": _kotlin,
    "scala": _kotlin,
}
