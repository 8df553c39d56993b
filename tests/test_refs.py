"""`currant refs`: both directions, resolved when asked for; moves change the answer and no result."""

import json
import random
from pathlib import Path

import pytest

import currant
from conftest import Tree
from currant.api import Index
from currant.cli import run
from currant.graph.resolve import Place, resolve
from watcher import Watcher

FILES = frozenset(
    {
        "README.md",
        "src/app/main.py",
        "src/app/util.h",
        "docs/index.rst",
        "docs/guide/a.md",
        "docs/guide/b.rst",
        "docs/static/logo.png",
        "docs/api/index.md",
        "v1.2.md",
        "with space.md",
    }
)


class Listed:
    def has_file(self, path: str) -> bool:
        return path in FILES

    def has_directory(self, path: str) -> bool:
        return path == "" or any(one.startswith(path + "/") for one in FILES)


@pytest.mark.parametrize(
    ("source", "kind", "target", "place"),
    [
        ("docs/guide/a.md", "link", "b.rst", Place("file", "docs/guide/b.rst")),
        ("docs/guide/a.md", "link", "./b.rst#x", Place("file", "docs/guide/b.rst", "x")),
        ("docs/guide/a.md", "link", "#here", Place("file", "docs/guide/a.md", "here")),
        ("docs/guide/a.md", "link", "../../README.md?plain=1#x", Place("file", "README.md", "x")),
        ("docs/guide/a.md", "link", "b.html", Place("file", "docs/guide/b.rst")),
        ("docs/guide/a.md", "link", "b", Place("file", "docs/guide/b.rst")),
        ("docs/guide/a.md", "link", "../api/", Place("directory", "docs/api")),
        ("docs/guide/a.md", "link", "/README.md", Place("file", "README.md")),
        ("docs/guide/a.md", "image", "/logo.png", Place("file", "docs/static/logo.png", exact=False)),
        ("docs/guide/a.md", "link", "src/app/main.py", Place("file", "src/app/main.py", exact=False)),
        ("docs/guide/a.md", "link", "../../../issues", Place("outside", exact=True)),
        ("docs/guide/a.md", "link", "c.md", Place("missing", "docs/guide/c.md")),
        ("docs/guide/a.md", "url", "https://x.org", Place("none")),
        ("docs/guide/b.rst", "doc", "a", Place("file", "docs/guide/a.md")),
        ("docs/guide/b.rst", "doc", "/guide/a", Place("file", "docs/guide/a.md", exact=False)),
        ("docs/guide/b.rst", "doc", "index", Place("missing", "docs/guide/index")),
        ("docs/guide/b.rst", "path", "src/app/main.py", Place("file", "src/app/main.py", exact=False)),
        ("src/app/main.py", "dependency", "src/app/util.h", Place("file", "src/app/util.h")),
        ("src/app/x.c", "include", "util.h", Place("file", "src/app/util.h")),
        ("README.md", "link", "v1.2", Place("file", "v1.2.md")),
        ("README.md", "link", "with%20space.md", Place("file", "with space.md")),
        ("README.md", "link", ".", Place("directory", "")),
    ],
)
def test_where_a_target_leads(source: str, kind: str, target: str, place: Place) -> None:
    assert resolve(Listed(), source, kind, target) == place


@pytest.fixture
def root(tree: Tree) -> Path:
    tree.write(
        {
            "README.md": "[design](docs/design.md#ideas) and `src/app.py`, `App.run()`\n[web](https://x.org)\n",
            "docs/design.md": "# Design\n\n## Ideas\n[back](../README.md)\n[gone](gone.md)\n",
            "docs/page.rst": ".. _the page:\n\nPage\n====\n:doc:`design` and :ref:`the page`\n",
            "src/app.py": "class App:\n    def run(self):\n        pass\n",
            "src/x.c": '#include "sub/y.h"\n',
            "src/sub/y.h": "",
        }
    )
    return tree.root


def incoming(index: Index, path: str) -> list[tuple[str, int, str]]:
    told = index.refs(path)
    assert told is not None
    return [(one.path, one.line, one.kind) for one in told.incoming]


def test_both_directions(root: Path) -> None:
    with currant.open(root, live=False, sync_ms=60_000) as index:
        told = index.refs("README.md")
        assert told is not None
        assert [(one.kind, one.state, one.leads_to) for one in told.outgoing] == [
            ("link", "file", ["docs/design.md"]),
            ("name", "defined", ["src/app.py"]),
            ("path", "file", ["src/app.py"]),
            ("url", "url", []),
        ]
        assert incoming(index, "README.md") == [("docs/design.md", 4, "link")]
        assert incoming(index, "src/app.py") == [("README.md", 1, "name"), ("README.md", 1, "path")]
        assert incoming(index, "docs/design.md") == [("README.md", 1, "link"), ("docs/page.rst", 5, "doc")]
        assert incoming(index, "src/sub/y.h") == [("src/x.c", 1, "include")]
        assert index.refs("nothing.md") is None


def test_a_name_that_is_no_utf8_has_references_too(tree: Tree) -> None:
    """It was an error of Unicode; no document can name such a file, but it can name others."""
    tree.write({"a.md": "see [b](b.md)\n", "b.md": "", b"\xff/c\xff.md": "see [b](../b.md)\n"})
    with currant.open(tree.root) as index:
        told = index.refs("\udcff/c\udcff.md")
        assert told is not None
        assert ([one.leads_to for one in told.outgoing], told.incoming) == ([["b.md"]], [])
        named = index.refs("b.md")
        assert named is not None
        assert {one.path for one in named.incoming} == {"a.md", "\udcff/c\udcff.md"}


def test_a_moved_file_is_named_from_where_it_is_and_nothing_is_extracted(root: Path) -> None:
    with currant.open(root, sync_ms=60_000) as index:
        index.sync(60)
        assert incoming(index, "docs/design.md") == [("README.md", 1, "link"), ("docs/page.rst", 5, "doc")]
        calls = index.status()["stats"]["extractor_calls"]
        (root / "docs").rename(root / "manual")
        assert incoming(index, "manual/design.md") == [("manual/page.rst", 5, "doc")]
        assert incoming(index, "README.md") == [("manual/design.md", 4, "link")]
        (root / "manual").rename(root / "docs")
        assert ("README.md", 1, "link") in incoming(index, "docs/design.md")
        (root / "README.md").unlink()
        assert incoming(index, "docs/design.md") == [("docs/page.rst", 5, "doc")]
        assert index.status()["stats"]["extractor_calls"] == calls


def test_a_watcher_answers_as_an_index_opened_anew(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Watcher(root) as watcher:
        watcher.ready()
        (root / "src" / "app.py").rename(root / "docs" / "app.py")
        assert run(["refs", "README.md", "--json", "--root", str(root)]) == 0
        live = json.loads(capsys.readouterr().out)
    assert run(["refs", "README.md", "--json", "--root", str(root)]) == 0
    assert json.loads(capsys.readouterr().out)["refs"] == live["refs"]
    assert [one["state"] for one in live["refs"]["outgoing"]] == ["file", "defined", "missing", "url"]


def test_the_command_shows_lines(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with currant.open(root, live=False, sync_ms=60_000) as index:
        index.sync(60)
    assert run(["refs", "docs/design.md", "--root", str(root)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "     4  link  ../README.md  -> README.md",
        "     5  link  gone.md  -> missing",
        "README.md:1  link  docs/design.md#ideas",
        "docs/page.rst:5  doc  design",
    ]
    assert run(["refs", "docs/design.md", "--in", "--root", str(root)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run(["refs", "nothing.md", "--root", str(root)]) == 1


NAMES = ("a.md", "b.md", "index.md", "c.rst", "d.py", "e.h", "README.md", "v1.2.md", "a.html")
FOLDERS = ("", "docs", "docs/guide", "src", "src/docs")


def some_target(random_source: random.Random) -> str:
    steps = "../" * random_source.randrange(3)
    folder = random_source.choice((*FOLDERS, "guide", "."))
    name = random_source.choice((*NAMES, "a", "index.html", "", "v1.2", "none.md"))
    return f"{random_source.choice(('', '', './', '/'))}{steps}{folder}/{name}".replace("//", "/")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_leads_to_a_file_is_among_those_who_name_it(tree: Tree, seed: int) -> None:
    """The two directions take different ways through the index, and must be the same relation."""
    random_source = random.Random(seed)
    form = {
        "md": "[x]({})",
        "html": '<a href="{}">x</a>',
        "rst": "`x <{}>`_ :doc:`{}`",
        "py": "# `{}`",
        "h": '#include "{}"',
    }
    for folder in FOLDERS:
        for name in random_source.sample(NAMES, 5):
            line = form[name.rpartition(".")[2]]
            lines = [line.replace("{}", some_target(random_source)) for _ in range(6)]
            tree.write({f"{folder}/{name}".lstrip("/"): "\n\n".join(lines) + "\n`d.py` `docs/a.md`\n"})
    with currant.open(tree.root, live=False, sync_ms=60_000) as index:
        told = {path: index.refs(path) for path in index.files()}
    leading, named = set(), set()
    for path, both in told.items():
        assert both is not None
        leading |= {
            (path, one.line, one.kind, one.target, to)
            for one in both.outgoing
            for to in one.leads_to
            if one.state == "file" and to != path
        }
        named |= {(one.path, one.line, one.kind, one.target, path) for one in both.incoming}
    assert len(leading) > 50
    assert leading - named == set()
    # A directory leads to its front page as well.
    assert {path.rpartition("/")[2] for *_, path in named - leading} <= {"index.md", "README.md"}
