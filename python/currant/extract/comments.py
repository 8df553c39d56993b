"""The comments and the docstring that a file begins with, in the comment style of each language.

Owns: the table of styles and the scanner. Does not own: what the text means (`annotators.header`).

The scanner looks at whole lines and stops at the first one that is neither comment nor blank nor one of
the few that usually stand in front (a shebang, ``<?php``, an include guard). Any text is taken; the time is
linear in the head that is looked at.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

HEAD: Final = 16 << 10
"""How many bytes of a file are looked at for its header."""
MAX_COMMENTS: Final = 12
"""Comments in front of the code that are looked at; licences are among them."""


class Comment(NamedTuple):
    """A run of line comments without a gap, or one block: its text without markers, and its lines.

    `marker` is what it begins with (``#``, ``/**``), or ``\"\"\"`` for a docstring."""

    text: str
    start: int
    end: int
    marker: str


@dataclass(frozen=True, slots=True)
class Style:
    """How a language writes comments. `line`: markers, the longest first. `block`: openers and closers,
    the longest opener first. `skip`: lines that may stand before or between comments. `docstring`: whether
    a string at the top is one."""

    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    skip: re.Pattern[str] | None = None
    docstring: bool = field(default=False)


_C_BLOCK: Final = (("/**", "*/"), ("/*!", "*/"), ("/*", "*/"))
_XML_BLOCK: Final = (("<!--", "-->"),)
_GUARD: Final = re.compile(
    r"#[ \t]*(?:pragma[ \t]+once|ifndef[ \t]+\w+|if[ \t]+!?[ \t]*defined\b.*|define[ \t]+\w+)[ \t]*(?://.*|/\*.*\*/)?"
)
_SCRIPT: Final = re.compile(r"""#!.*|["']use strict["'];?|<\?php.*|declare\(strict_types=1\);""")
_RUST: Final = re.compile(r"#!\[[^\n]*\]|#!/.*")
_MARKUP: Final = re.compile(r"<\?xml\b.*\?>|<!doctype\b[^\[]*>|<template>", re.IGNORECASE)

_SLASHES: Final = Style(("///", "//!", "//"), _C_BLOCK)
_HASH: Final = Style(("#",))
_DASHES: Final = Style(("--",))
_SCRIPTS: Final = Style(("///", "//"), _C_BLOCK, _SCRIPT)
_CFAMILY: Final = Style(("///", "//!", "//"), _C_BLOCK, _GUARD)

STYLES: Final[dict[str, Style]] = {
    language: style
    for names, style in (
        ("c cpp objective-c", _CFAMILY),
        ("javascript typescript tsx", _SCRIPTS),
        (
            "go java csharp swift kotlin scala groovy dart d css less sass protobuf thrift solidity zig",
            _SLASHES,
        ),
        (
            "glsl wgsl verilog systemverilog prisma linker-script yacc lex devicetree json go-mod zig",
            _SLASHES,
        ),
        ("rust", Style(("//!", "//"), (("/*!", "*/"), ("/*", "*/")), _RUST)),
        ("php", Style(("//", "#"), _C_BLOCK, _SCRIPT)),
        ("python", Style(("#",), docstring=True)),
        ("cython bazel starlark", Style(("#",), docstring=True)),
        ("shell perl yaml toml make r dockerfile cmake awk tcl nim graphql meson kconfig bitbake", _HASH),
        ("gdscript systemtap", _HASH),
        ("julia elixir", Style(("#",), (("#=", "=#"),), docstring=True)),
        ("ruby", Style(("#",), (("=begin", "=end"),))),
        ("powershell", Style(("#",), (("<#", "#>"),))),
        ("coffeescript", Style(("#",), (("###", "###"),))),
        ("hcl nix", Style(("#", "//"), _C_BLOCK)),
        ("ini", Style(("#", ";"))),
        ("sql", Style(("--", "#"), _C_BLOCK)),
        ("haskell elm", Style(("--",), (("{-", "-}"),))),
        ("lua", Style(("--",), (("--[==[", "]==]"), ("--[[", "]]")))),
        ("vhdl", _DASHES),
        ("lisp", Style((";",), (("#|", "|#"),))),
        ("clojure", Style((";",))),
        ("assembly", Style((";", "//", "@", "#"), _C_BLOCK)),
        ("erlang", Style(("%",))),
        ("latex", Style(("%",))),
        ("matlab", Style(("%",), (("%{", "%}"),))),
        ("fortran", Style(("!",))),
        ("vim", Style(('"',))),
        ("batch", Style(("::", "rem ", "REM ", "@rem ", "@REM "))),
        ("ocaml coq", Style((), (("(**", "*)"), ("(*", "*)")))),
        ("fsharp", Style(("///", "//"), (("(*", "*)"),))),
        ("pascal", Style(("//",), (("(*", "*)"), ("{", "}")))),
        ("html xml vue svelte markdown", Style((), _XML_BLOCK, _MARKUP)),
        ("jinja", Style((), (("{#", "#}"),))),
        ("smalltalk", Style((), (('"', '"'),))),
        ("rst", Style()),
    )
    for language in names.split()
}
"""Every language that has comments; a file of any other language has no header."""

# What begins like a line comment and is code.
_NO_COMMENT: Final = re.compile(r"#[ \t]*(?:include|define|if|ifdef|ifndef|undef|pragma|error)\b|#\[|#=")
_DOCSTRING: Final = re.compile(r"@?(?:moduledoc[ \t]+)?~?[rRuUS]?(\"\"\"|'''|\"|')")
_STARS: Final = re.compile(r"[ \t]*\*+(?!/)[ \t]?|[ \t]*\|[ \t]")


def leading(language: str, text: str) -> list[Comment]:
    """The comments that `text` begins with, in their order, and the docstring after them."""
    style = STYLES.get(language)
    if style is None:
        return []
    lines = text.split("\n")
    out: list[Comment] = []
    run: list[str] = []
    marker = ""
    number = 0

    def finish() -> None:
        if run:
            out.append(Comment("\n".join(run).rstrip(), number - len(run) + 1, number, marker))
            run.clear()

    while number < len(lines) and len(out) < MAX_COMMENTS:
        line = lines[number].strip()
        if not line:
            finish()
            number += 1
            continue
        passed = style.skip is not None and style.skip.fullmatch(line) is not None
        if passed or (number == 0 and line.startswith("#!") and not line.startswith("#![")):
            finish()
            number += 1
            continue
        opened = next((pair for pair in style.block if line.startswith(pair[0])), None)
        if opened is not None:
            finish()
            out.append(_block(lines, number, *opened))
            number = out[-1].end
            continue
        found = next((one for one in style.line if line.startswith(one) or line == one.rstrip()), None)
        if found is None or (found == "#" and language != "python" and _NO_COMMENT.match(line)):
            break
        if run and found != marker:
            finish()
        marker = found
        run.append(_bare(line, found))
        number += 1
    finish()
    if style.docstring and number < len(lines) and len(out) < MAX_COMMENTS:
        string = _docstring(lines, number)
        if string is not None:
            out.append(string)
    return out


def _bare(line: str, marker: str) -> str:
    """A line comment without its marker; of repeated marks (``####``, ``;;;``) without all of them."""
    rest = line[len(marker) :]
    if len(marker) == 1:
        rest = rest.lstrip(marker)
    return rest.removeprefix(" ").rstrip()


def _block(lines: list[str], number: int, opener: str, closer: str) -> Comment:
    """The block comment that begins in this line; without an end, all that is looked at."""
    found: list[str] = []
    rest = lines[number].strip()[len(opener) :]
    at = number
    while True:
        end = rest.find(closer)
        if end >= 0:
            found.append(rest[:end])
            break
        found.append(rest)
        at += 1
        if at == len(lines):
            break
        rest = lines[at]
    body = [found[0].strip(" \t*!"), *map(_unstarred, found[1:])]
    return Comment("\n".join(_dedent(body)).strip("\n"), number + 1, min(at + 1, len(lines)), opener)


def _unstarred(line: str) -> str:
    """A line of a block without the star in front of it."""
    star = _STARS.match(line)
    return (line[star.end() :] if star else line).rstrip()


def _dedent(lines: list[str]) -> list[str]:
    """Without the indentation that all lines but the first have in common."""
    rest = [line.expandtabs(4) for line in lines[1:]]
    margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    return [*(line.strip() for line in lines[:1]), *(line[margin:].rstrip() for line in rest)]


def _docstring(lines: list[str], number: int) -> Comment | None:
    """The string that the code begins with."""
    line = lines[number].strip()
    opened = _DOCSTRING.match(line)
    if opened is None:
        return None
    quote = opened[1]
    rest = line[opened.end() :]
    found: list[str] = []
    at = number
    while True:
        end = rest.find(quote)
        while end > 0 and rest[end - 1] == "\\":
            end = rest.find(quote, end + 1)
        if end >= 0:
            found.append(rest[:end])
            break
        found.append(rest)
        at += 1
        # A string in single quotes ends in its line, or it is none.
        if at == len(lines) or len(quote) == 1:
            if len(quote) == 1:
                return None
            break
        rest = lines[at]
    return Comment("\n".join(_dedent(found)).strip("\n"), number + 1, min(at + 1, len(lines)), '"""')
