"""What is a task in Markdown, reStructuredText, AsciiDoc and Org, under which headings it stands, how deep,
and whether it is done. Owns the four readers; imported when the first document that may have a task is read.

Markdown is read by markdown-it-py (CommonMark blocks; the text inside of lines is left alone), so that code,
comments and quotations are told apart as any viewer does. The others are read line by line, with what the
format says of literal blocks and comments.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_TEXT: Final = 300

_BOX: Final = re.compile(r"\[([ xX])\]\s+(?=\S)")
_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(?=[\w\"'#-][^\n]*\n)(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")


class Task(NamedTuple):
    """One box of a document."""

    text: str
    done: bool
    line: int
    depth: int
    headings: tuple[str, ...]


class _Headings:
    """The headings around the current line, by level."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self.path: tuple[str, ...] = ()

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """A heading ends those of its level and below; the headings around it."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        around = tuple(title for _, title in self._open)
        self._open.append((level, _line(title)))
        self.path = (*around, self._open[-1][1])
        return around


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]


# --- Markdown -----------------------------------------------------------------------------------------

_parser: "MarkdownIt | None" = None


def _markdown_parser() -> "MarkdownIt":
    """CommonMark's blocks. Safe to share: parsing keeps its state in objects of its own."""
    global _parser
    if _parser is None:
        from markdown_it import MarkdownIt  # 30 ms that an index without documents does not pay

        made = MarkdownIt("commonmark")
        made.core.ruler.enableOnly(["normalize", "block"])
        _parser = made
    return _parser


def _markdown(text: str) -> Iterator[Task]:
    front = _FRONT_MATTER.match(text)
    if front:  # blank lines in its place, so that lines keep their numbers
        text = "\n" * front[0].count("\n") + text[front.end() :]
    headings = _Headings()
    depth = 0
    before = ["", ""]  # kinds of the two tokens before: a box opens the first paragraph of an item
    level = 0
    for token in _markdown_parser().parse(text):
        kind = token.type
        if kind == "list_item_open":
            depth += 1
        elif kind == "list_item_close":
            depth -= 1
        elif kind == "heading_open":
            level = int(token.tag[1:])
        elif kind == "inline" and token.map is not None:
            if before[1] == "heading_open" and token.level == 1:  # not one inside of a list or quotation
                headings.enter(level, token.content)
            elif before == ["list_item_open", "paragraph_open"] and (box := _BOX.match(token.content)):
                text_of = _line(token.content[box.end() :])
                yield Task(text_of, box[1] != " ", token.map[0] + 1, depth - 1, headings.path)
        before = [before[1], kind]


# --- the others, line by line -------------------------------------------------------------------------


class _Depth:
    """How many items are around the one that begins in a column."""

    def __init__(self) -> None:
        self._columns: list[int] = []

    def of(self, column: int) -> int:
        while self._columns and self._columns[-1] >= column:
            self._columns.pop()
        self._columns.append(column)
        return len(self._columns) - 1

    def clear(self) -> None:
        self._columns.clear()


_RST_ITEM: Final = re.compile(r"(\s*)(?:[-*+\u2022]|(?:\d{1,9}|#|[a-zA-Z])[.)])\s+\[([ xX])\]\s+(\S.*)")
_RST_LITERAL: Final = re.compile(
    r"(\s*)\.\.(?:\s+(?:code|code-block|sourcecode|highlight|parsed-literal|raw|math|literalinclude)::.*"
    r"|\s+(?=\S)(?![\w:+.-]+::)(?![|_\[]).*|)$"
)
_RST_LINE: Final = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")


def _rst(text: str) -> Iterator[Task]:
    headings, depth = _Headings(), _Depth()
    styles: list[str] = []
    literal = -1  # the column of what opened the literal block or comment, -1 outside of one
    lines = text.split("\n")
    above = ""
    for number, (line, below) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
        bare = line.strip()
        column = len(line) - len(line.lstrip())
        if literal >= 0 and (not bare or column > literal):
            continue
        literal = -1
        if item := _RST_ITEM.match(line):
            yield Task(_line(item[3]), item[2] != " ", number, depth.of(column), headings.path)
        elif bare and not _RST_LINE.fullmatch(line) and _RST_LINE.fullmatch(below):
            style = below[0] + ("^" if above.rstrip() == below.rstrip() else "")
            if len(below.rstrip()) >= len(bare) and (not column or len(style) == 2):
                if style not in styles:
                    styles.append(style)
                headings.enter(styles.index(style), bare)
                depth.clear()
        elif bare and not column:
            depth.clear()
        if _RST_LITERAL.match(line) or (bare.endswith("::") and not bare.startswith("..")):
            literal = column
        above = line


_ADOC_ITEM: Final = re.compile(r"\s*(\*{1,6}|-|\.{1,6})\s+\[([ xX*])\]\s+(\S.*)")
_ADOC_HEADING: Final = re.compile(r"(={1,6})\s+(\S.*)")
_ADOC_FENCE: Final = re.compile(r"(-{4,}|\.{4,}|\+{4,}|/{4,}|`{3,})\s*")


def _asciidoc(text: str) -> Iterator[Task]:
    headings = _Headings()
    markers: list[str] = []  # the marker, not the column, says how deep an item is
    fence = ""
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if fence:
            if bare == fence:
                fence = ""
        elif _ADOC_FENCE.fullmatch(line):
            fence = bare
        elif heading := _ADOC_HEADING.match(line):
            headings.enter(len(heading[1]), heading[2])
            markers.clear()
        elif item := _ADOC_ITEM.match(line):
            if item[1] in markers:
                del markers[markers.index(item[1]) + 1 :]
            else:
                markers.append(item[1])
            yield Task(_line(item[3]), item[2] != " ", number, len(markers) - 1, headings.path)


_ORG_ITEM: Final = re.compile(r"(\s*)(?:[-+]|\s\*|\d{1,9}[.)])\s+\[([ X-])\]\s+(\S.*)")
_ORG_HEADING: Final = re.compile(r"(\*+)\s+(?:(TODO|DONE)\s+)?(?:\[#\w\]\s+)?(\S.*)")
_ORG_TAGS: Final = re.compile(r":[\w@#%:]+:")
_ORG_BLOCK: Final = re.compile(r"\s*#\+(begin|end)_(src|example|comment|export|verse)\b", re.IGNORECASE)


def _org(text: str) -> Iterator[Task]:
    headings, depth = _Headings(), _Depth()
    block = ""
    for number, line in enumerate(text.split("\n"), 1):
        if mark := _ORG_BLOCK.match(line):
            if mark[1].lower() == "begin" and not block:
                block = mark[2].lower()
            elif mark[1].lower() == "end" and mark[2].lower() == block:
                block = ""
        elif block:
            continue
        elif heading := _ORG_HEADING.match(line):
            words = heading[3].split()
            if len(words) > 1 and _ORG_TAGS.fullmatch(words[-1]):
                words.pop()
            around = headings.enter(len(heading[1]), " ".join(words))
            depth.clear()
            if heading[2]:
                yield Task(_line(" ".join(words)), heading[2] == "DONE", number, 0, around)
        elif item := _ORG_ITEM.match(line):
            done = item[2] == "X"  # "-" says that some of those below are
            yield Task(_line(item[3]), done, number, depth.of(len(item[1].expandtabs())), headings.path)


READERS: Final[dict[str, Callable[[str], Iterator[Any]]]] = {
    "markdown": _markdown,
    "rst": _rst,
    "asciidoc": _asciidoc,
    "org": _org,
}
