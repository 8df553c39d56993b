"""References in Markdown and HTML.

Not a renderer: blocks of code are left out, what stands between backticks is no link, and in doubt there is
none. Every expression is linear in its line.
"""

import html
import re
from typing import Final

from currant.extract.annotators.tokens import Found, backticked

_FENCE: Final = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])?[ \t]*(`{3,}|~{3,})([^`]*)$")
_SCHEME: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]{1,20}:|//)")
_SPAN: Final = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
# ](target) or ](<target>), with a title behind; one level of parentheses inside.
_INLINE: Final = re.compile(
    r"\]\([ \t]*(?:<([^<>\n]{1,1000})>|((?:[^\s()<>]|\([^\s()]{0,200}\)){1,1000}))"
    r"(?:[ \t]+(?:\"[^\"]{0,500}\"|'[^']{0,500}'|\([^()]{0,500}\)))?[ \t]*\)"
)
_DEFINITION: Final = re.compile(
    r"[ \t>]{0,12}\[(?!\^)(?:[^\]\[\\]|\\.){1,300}\]:[ \t]*(?:<([^<>]{1,1000})>|([^\s<>]{1,1000}))"
    r"(?:[ \t]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*$"
)
_ATTRIBUTE: Final = re.compile(
    r"<(a|img|link|script|source|video|audio|iframe)\b[^<>]{0,1500}?"
    r"[ \t\n](?:href|src)[ \t]*=[ \t]*(?:\"([^\"<>]{1,1000})\"|'([^'<>]{1,1000})')",
    re.I,
)
_ID: Final = re.compile(
    r"<[A-Za-z][^<>]{0,500}?[ \t\n](?:id|name)[ \t]*=[ \t]*[\"']?([^\"'\s<>]{1,200})", re.I
)
_HEADING_ID: Final = re.compile(r"\{[^{}]{0,100}?#([\w:.-]{1,200})[^{}]{0,100}\}[ \t]*$")
_MYST: Final = re.compile(r"\(([\w:. -]{1,200})\)=[ \t]*$")
_HTML_HEADING: Final = re.compile(r"<h[1-6]\b[^<>]{0,500}>(.{1,300}?)</h[1-6]>", re.I)
_ATX: Final = re.compile(r"[ \t>*+-]{0,12}#{1,6}[ \t]+(.{1,2000}?)[ \t#]*$")
_TAG: Final = re.compile(r"<[^<>]{0,500}>")
_TEMPLATE: Final = re.compile(r"\{[{%]|[%}]\}|\$\{|<%")


def link(target: str, kind: str = "link") -> tuple[str, str]:
    """The kind and the text of what a link leads to."""
    target = html.unescape(target.strip())
    if _SCHEME.match(target):
        return "url", target
    return kind, target


def find(text: str) -> list[Found]:
    """References of a Markdown document."""
    found: list[Found] = []
    fence = ""
    for number, line in enumerate(_without_comments(text).split("\n"), 1):
        line = line.rstrip("\r")
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
            continue
        if match:
            fence = match[1]
            continue
        if line.startswith(("    ", "\t")) and not line.lstrip().startswith(("-", "*", "+", "[", "!", ">")):
            # Code, or the body of a list item: links are looked for, words in backticks and anchors are not.
            if "](" in line and "`" not in line:
                found += _links(line, number)
            continue
        found += _line(line, number)
    return found


def _line(line: str, number: int) -> list[Found]:
    found: list[Found] = []
    plain = line
    if "`" in line:
        for span in _SPAN.finditer(line):
            found += ((kind, target, number) for kind, target in backticked(span[2]))
        plain = _SPAN.sub(lambda span: "`" * len(span[0]), line)
    if "](" in plain:
        found += _links(plain, number)
    if "]:" in plain and (match := _DEFINITION.match(plain)):
        kind, target = link(match[1] or match[2])
        found.append((kind, target, number))
    if "<" in plain:
        found += _html(plain, number)
    if "#" in plain:
        if match := _HEADING_ID.search(plain):
            found.append(("anchor", match[1], number))
        if _ATX.match(plain) and (match := _ATX.match(line)):
            found.append(("anchor", match[1], number))
    if plain.startswith("(") and (match := _MYST.match(plain)):
        found.append(("anchor", match[1], number))
    return found


def _links(line: str, number: int) -> list[Found]:
    found: list[Found] = []
    for match in _INLINE.finditer(line):
        target = match[1] or match[2]
        if _TEMPLATE.search(target):
            continue
        # An image: the bracket that this one closes has a "!" in front.
        opened = _opening(line, match.start())
        image = opened > 0 and line[opened - 1] == "!"
        found.append((*link(target, "image" if image else "link"), number))
    return found


def _opening(line: str, close: int) -> int:
    """Where the bracket opens that closes at `close`, -1 when nowhere near."""
    depth = 0
    for at in range(close, max(-1, close - 500), -1):
        if line[at] == "]":
            depth += 1
        elif line[at] == "[":
            depth -= 1
            if depth == 0:
                return at
    return -1


def find_html(text: str) -> list[Found]:
    """References of an HTML document."""
    if "{{" in text or "{%" in text or "<?" in text or "<%" in text:
        return []  # of a template, nobody knows where its page will be
    found: list[Found] = []
    for number, line in enumerate(_without_comments(text).split("\n"), 1):
        if "<" in line:
            found += _html(line, number)
    return found


def _html(line: str, number: int) -> list[Found]:
    found: list[Found] = []
    for match in _ATTRIBUTE.finditer(line):
        target = match[2] or match[3]
        if not _TEMPLATE.search(target):
            found.append((*link(target, "image" if match[1].lower() == "img" else "link"), number))
    found += (("anchor", match[1], number) for match in _ID.finditer(line))
    found += (("anchor", _TAG.sub("", match[1]), number) for match in _HTML_HEADING.finditer(line))
    return found


def _without_comments(text: str) -> str:
    """`text` with comments blanked, lines kept; one that is not closed is none."""
    parts: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts += (text[at:start], "\n" * text.count("\n", start, end))
        at = end + 3
    return "".join([*parts, text[at:]])
