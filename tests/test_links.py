"""The annotator `links`: what of a text is a reference, what is not, and that any bytes will do."""

import random
from typing import Any

import msgspec
import pytest

from currant.extract.annotators.links import MAX_REFERENCES, MAX_TARGET, LinksAnnotator, references
from currant.model import Record, Symbol

Triple = tuple[str, str, int]


def found(language: str, text: str, *symbols: Symbol) -> list[Triple]:
    record = Record(language, list(symbols), [])
    return [(one.kind, one.target, one.line) for one in references(language, text.encode(), record)]


MARKDOWN: list[tuple[str, list[Triple]]] = [
    ("[a](b.md)", [("link", "b.md", 1)]),
    ("x\n\n[a](../b.md#part \"T\")", [("link", "../b.md#part", 3)]),
    ("![a](b.png)", [("image", "b.png", 1)]),
    ("[![a](b.svg)](c/)", [("image", "b.svg", 1), ("link", "c/", 1)]),
    ("[a](<with space.md>)", [("link", "with space.md", 1)]),
    ("[a](f(1).md)", [("link", "f(1).md", 1)]),
    ("[a]: b.md 'T'", [("link", "b.md", 1)]),
    ("[^1]: a footnote", []),
    ("[a](https://x.org/y) [b](mailto:a@b.c)", [("url", "https://x.org/y", 1), ("url", "mailto:a@b.c", 1)]),
    ('<a href="b.html">x</a><img alt="" src=\'i.png\'>', [("image", "i.png", 1), ("link", "b.html", 1)]),
    ("`[a](b.md)`", []),
    ("```\n[a](b.md)\n```\n[c](d.md)", [("link", "d.md", 4)]),
    ("~~~~ x\n~~~\n[a](b.md)\n~~~~\n`src/x.py`", [("path", "src/x.py", 5)]),
    ("<!--\n[a](b.md)\n-->\n[c](d.md)", [("link", "d.md", 4)]),
    ("    `src/x.py` in a block of code", []),
    ("`src/a.py:12` `docs/` `./x/y.toml` `README.md`",
     [("path", "./x/y.toml", 1), ("path", "README.md", 1), ("path", "docs/", 1), ("path", "src/a.py", 1)]),
    ("`a/*.py` `~/x.py` `$HOME/x.py` `/etc/x.conf` `a b/c.py` `and/or` `.py` `1.2.3`", []),
    ("`Parser.parse()` `run_all` `word` `std::move` `--flag` `x = 1`",
     [("name", "Parser.parse()", 1), ("name", "run_all", 1), ("name", "std::move", 1)]),
    ("[a]({{ site.url }}/x.md)", []),
    ("## [One][1] ![i](i.png)", [("anchor", "[One][1] ![i](i.png)", 1), ("image", "i.png", 1)]),
    ('# One\n## Two {#second}\n<a name="third"></a>',
     [("anchor", "One", 1), ("anchor", "Two {#second}", 2), ("anchor", "second", 2), ("anchor", "third", 3)]),
]  # fmt: skip

RST: list[tuple[str, list[Triple]]] = [
    ("`a <b.rst>`_ and `c <https://x.org>`__", [("link", "b.rst", 1), ("url", "https://x.org", 1)]),
    (":doc:`/a/b` :doc:`t <c>` :ref:`T <lab>` :download:`x.zip`",
     [("doc", "/a/b", 1), ("doc", "c", 1), ("include", "x.zip", 1), ("ref", "lab", 1)]),
    (".. toctree::\n   :maxdepth: 2\n\n   intro\n   T <usage/x>\n   api/*\n\nend",
     [("doc", "intro", 4), ("doc", "usage/x", 5)]),
    (".. literalinclude:: ../x.py\n   :lines: 1-2", [("include", "../x.py", 1)]),
    (".. image:: i.png\n.. |s| image:: j.png\n.. include:: <isonum.txt>",
     [("image", "i.png", 1), ("image", "j.png", 2)]),
    (".. _a label:\n\nTitle\n=====", [("anchor", "a label", 1), ("anchor", "Title", 3)]),
    ("- .. _in an item:\n\n  x", [("anchor", "in an item", 1)]),
    (".. _x: y.html\n.. _z: other_", [("anchor", "x", 1), ("link", "y.html", 1), ("anchor", "z", 2)]),
    ("So::\n\n  :doc:`no`\n\n:doc:`yes`", [("doc", "yes", 5)]),
    (".. code-block:: rst\n   :name: here\n\n   :doc:`no`", [("anchor", "here", 2)]),
    ("``src/x.c`` ``foo_bar()`` ``word``", [("name", "foo_bar()", 1), ("path", "src/x.c", 1)]),
    (":c:func:`kmalloc <x.rst>`", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), MARKDOWN)
def test_markdown(text: str, expected: list[Triple]) -> None:
    assert found("markdown", text) == expected


@pytest.mark.parametrize(("text", "expected"), RST)
def test_restructured_text(text: str, expected: list[Triple]) -> None:
    assert found("rst", text) == expected


def test_html_and_its_anchors() -> None:
    text = '<h2 id="one">One <b>two</b></h2>\n<!-- <a href="no.html"> -->\n<link rel="x" href="s.css">'
    assert found("html", text) == [("anchor", "One two", 1), ("anchor", "one", 1), ("link", "s.css", 3)]


def test_includes_in_quotes_are_paths_and_those_in_angles_are_not() -> None:
    assert found("c", '#include <stdio.h>\n# include "sub/x.h"\n') == [("include", "sub/x.h", 2)]


def test_a_doc_comment_names_things_on_its_own_lines() -> None:
    source = 'def f():\n    """One.\n\n    See `docs/a.md` and `Parser.parse()`.\n    """\n'
    symbol = Symbol("f", "function", None, 1, 5, "def f()", "One.\n\nSee `docs/a.md` and `Parser.parse()`.")
    assert found("python", source, symbol) == [("name", "Parser.parse()", 4), ("path", "docs/a.md", 4)]


def test_a_comment_silences_its_line_and_the_next_or_the_file() -> None:
    text = b"[a](a.md) <!-- currant: ignore -->\n[b](b.md)\n[c](c.md)\n"
    quiet = [one.quiet for one in references("markdown", text, Record("markdown", [], []))]
    assert quiet == [True, True, False]
    text += b"<!-- currant: ignore-file -->"
    assert all(one.quiet for one in references("markdown", text, Record("markdown", [], [])))


def test_more_references_than_are_kept_are_told_of() -> None:
    text = "\n".join(f"[a](f{number}.md)" for number in range(MAX_REFERENCES + 1))
    record = LinksAnnotator().annotate("x.md", "markdown", text.encode(), Record("markdown", [], ["n"]))
    assert len(record.references) == MAX_REFERENCES
    assert record.notes == ["n", f"partial: the first {MAX_REFERENCES} of {MAX_REFERENCES + 1} references"]


PIECES = (
    *("[", "](", ")", "`", "``", "```\n", "~~~\n", "<", ">", '"', "<!--", "-->", "#", "\n", "\n\n", "    "),
    *("a.md", ".. _", ":doc:`", "::\n", ".. toctree::\n", "=====\n", "{", "}", "\0", "\r", "\xff", "é"),
    *("currant: ignore", "href=", "<a ", "](<", "[x]: ", '#include "', "(((", "[[[[", "\t", "|", "_", "\\:"),
)


@pytest.mark.parametrize("language", ["markdown", "rst", "html", "python", "c"])
def test_any_bytes_have_references_that_can_be_stored_on_lines_that_there_are(language: str) -> None:
    random_source = random.Random(language)
    for _ in range(300):
        text = "".join(random_source.choices(PIECES, k=random_source.randrange(60)))
        source = bytearray(text.encode("utf-8"))
        if source and random_source.random() < 0.5:
            source[random_source.randrange(len(source))] = random_source.randrange(256)
        symbol = Symbol("f", "function", None, 1, text.count("\n") + 1, "", text)
        for one in references(language, bytes(source), Record(language, [symbol], [])):
            assert 1 <= one.line <= bytes(source).count(b"\n") + 1
            assert 0 < len(one.target) <= MAX_TARGET
            assert "\n" not in one.target
            decoded: Any = msgspec.json.decode(msgspec.json.encode(one), type=type(one))
            assert decoded == one


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("language", ["markdown", "rst", "html"])
def test_a_hostile_line_is_read_in_a_bounded_number_of_steps(language: str, piece: str) -> None:
    """Not timed: an expression that backtracks without bound would not come back from this at all."""
    references(language, (piece * 20_000).encode(), Record(language, [], []))
    references(language, ((piece + "a") * 20_000).encode(), Record(language, [], []))
