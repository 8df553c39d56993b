"""References in reStructuredText: hyperlinks, Sphinx's roles, directives that name files, labels.

Line by line. Blocks after ``::`` and code directives are left out by their indentation.
"""

import re
from typing import Final

from currant.extract.annotators.links_markdown import link
from currant.extract.annotators.tokens import Found, backticked

_ROLE: Final = re.compile(r":(doc|ref|numref|download|any):`([^`\n]{1,500})`")
_ANY_ROLE: Final = re.compile(r":[A-Za-z][\w:+.-]{0,40}:`[^`\n]{1,500}`")
_ANGLE: Final = re.compile(r"<([^<>]{1,500})>\s*$")
_LINK: Final = re.compile(r"(?<![`:\w])`[^`<>\n]{0,300}<([^<>`\n]{1,500})>`__?")
_SPAN: Final = re.compile(r"``(?!`)(.{1,300}?)``(?!`)")
_FILES: Final = re.compile(
    r"\s*(?:\.\.|\|[^|]+\| ) *(?:\|[^|\n]{1,100}\| )?"
    r"(include|literalinclude|image|figure|kernel-figure|kernel-image|csv-table-file)::\s+(\S{1,500})\s*$"
)
_TOCTREE: Final = re.compile(r"(\s*)\.\. toctree::\s*$")
_LABEL: Final = re.compile(
    r"\s*(?:[-*+|]\s+){0,3}\.\. _(?:`([^`\n]{1,300})`"
    r"|((?:[^:\n\\]|\\:|:(?=\S)){1,300})):(?:\s+(\S.{0,500}))?\s*$"
)
_CODE: Final = re.compile(
    r"(\s*)\.\. (?:code|code-block|sourcecode|parsed-literal|highlight|math|raw|doctest|ipython|plot|testcode"
    r"|prompt|graphviz|kernel-render|productionlist)::"
)
_ITEM_LABEL: Final = re.compile(r"\s*(?:[-*+|]\s+){1,3}\.\. _")
_UNDERLINE: Final = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*$")
_NAME_OPTION: Final = re.compile(r"\s+:name:\s+(\S.{0,200}?)\s*$")


def find(text: str) -> list[Found]:
    """References of a reStructuredText document."""
    found: list[Found] = []
    lines = [line.rstrip("\r") for line in text.split("\n")]
    block = -1  # indentation of what opened a literal block, -1 outside
    toc = -1
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped:
            continue
        indent = len(line) - len(line.lstrip())
        if block >= 0:
            if indent > block:
                if match := _NAME_OPTION.match(line):
                    found.append(("anchor", match[1], number))
                continue
            block = -1
        if toc >= 0:
            if indent > toc:
                found += _entry(stripped, number)
                continue
            toc = -1
        if match := _TOCTREE.match(line):
            toc = len(match[1])
        elif match := _CODE.match(line):
            block = len(match[1])
        elif stripped.startswith((".. ", "|")) or _ITEM_LABEL.match(line):
            found += _directive(line, number)
        else:
            if _UNDERLINE.match(line) and number > 1 and lines[number - 2].strip() and indent == 0:
                found.append(("anchor", lines[number - 2].strip()[:300], number - 1))
            found += _inline(line, number)
            if stripped.endswith("::"):
                block = indent
            elif match := _NAME_OPTION.match(line):
                found.append(("anchor", match[1], number))
    return found


def _entry(stripped: str, number: int) -> list[Found]:
    """One line of a table of contents."""
    if stripped.startswith((":", "..")) or "*" in stripped or "?" in stripped or stripped == "self":
        return []
    match = _ANGLE.search(stripped)
    kind, target = link(match[1] if match else stripped, "doc")
    return [(kind, target, number)]


def _directive(line: str, number: int) -> list[Found]:
    if match := _FILES.match(line):
        kind = "include" if "include" in match[1] else "image"
        kind, target = link(match[2], kind)
        # <file.txt> stands for a definition that comes with docutils.
        return [] if target.startswith("<") or "*" in target else [(kind, target, number)]
    if match := _LABEL.match(line):
        label = (match[1] or match[2]).replace("\\:", ":")
        found: list[Found] = [("anchor", label, number)]
        target = match[3]
        if target and not target.endswith("_") and " " not in target.strip():
            found.append((*link(target.strip()), number))
        return found
    return _inline(line, number)


def _inline(line: str, number: int) -> list[Found]:
    if "`" not in line:
        return []
    found: list[Found] = []
    plain = line
    if "``" in line:
        for span in _SPAN.finditer(line):
            found += ((kind, target, number) for kind, target in backticked(span[1]))
        plain = _SPAN.sub(" ", line)
    for match in _ROLE.finditer(plain):
        angle = _ANGLE.search(match[2])
        target = (angle[1] if angle else match[2]).strip()
        role = {"numref": "ref", "download": "include"}.get(match[1], match[1])
        if role == "any" or target.startswith("!"):
            continue
        found.append((*link(target, role), number) if role == "include" else (role, target, number))
    for match in _LINK.finditer(_ANY_ROLE.sub(" ", plain)):
        target = match[1].strip()
        if not target.endswith("_") and " " not in target:
            found.append((*link(target), number))
    return found
