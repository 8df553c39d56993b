"""`currant drift`: what it reports on a small repository, what it must not, and how it is silenced."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

import currant
from conftest import Tree
from currant.api import Index
from currant.cli import run
from currant.clock import ManualClock
from currant.graph import drift, standing
from currant.graph.anchors import is_known, known
from currant.graph.drift import Judgement, OnDisk, judge
from currant.model import FileStat, Record, Reference, ResultKey, Symbol, Upsert
from currant.query import Query
from currant.store import Store
from store_kit import query

Short = tuple[str, int, str, str]


def found(index: Index, *kinds: str, ignore: tuple[str, ...] = ()) -> list[Short]:
    told = index.drift(kinds=kinds, ignore=ignore)
    return [(one.path, one.line, one.kind, one.target) for one in told.findings]


def opened(tree: Tree) -> Index:
    return currant.open(tree.root, live=False, sync_ms=60_000)


def test_references_that_lead_nowhere_are_reported_with_their_lines(tree: Tree) -> None:
    tree.write(
        {
            "README.md": "# R\n[a](docs/a.md) [b](docs/b.md)\n"
            "[c](docs/a.md#two) [d](docs/a.md#one)\n[e](#r) [f](#x)\n",
            "docs/a.md": "# One\n`src/app.py` `src/gone.py` `src/never.py` `other/gone.py`\n![i](no.png)\n",
            "docs/p.rst": ":doc:`a` :doc:`nope`\n\n.. literalinclude:: ../src/gone.py\n",
            "src/app.py": "",
            "src/gone.py": "",
        }
    )
    with opened(tree) as index:
        assert ("docs/a.md", 2, "dead", "src/gone.py") not in found(index)
        tree.path("src/gone.py").unlink()
        assert found(index) == [
            ("README.md", 2, "dead", "docs/b.md"),
            ("README.md", 3, "anchor", "docs/a.md#two"),
            ("README.md", 4, "anchor", "#x"),
            ("docs/a.md", 2, "dead", "src/gone.py"),
            ("docs/a.md", 3, "dead", "no.png"),
            ("docs/p.rst", 1, "dead", "nope"),
            ("docs/p.rst", 3, "dead", "../src/gone.py"),
        ]
        assert {kind for _, _, kind, _ in found(index, "anchor")} == {"anchor"}
        index.drift()
        tree.write({"docs/b.md": "", "docs/nope.rst": "", "docs/no.png": "", "src/gone.py": ""})
        assert {kind for _, _, kind, _ in found(index)} == {"anchor"}


def test_a_dependency_that_a_header_names_and_that_is_not_there_is_reported(tree: Tree) -> None:
    header = (
        "# [Source file intent]\n# One.\n#\n# [Dependencies]\n"
        "# codebase:docs/guide.md\n# codebase:docs/gone.md\n# system:json\n# other:docs/other.md\n"
    )
    tree.write({"src/app.py": header + "import json\n", "docs/guide.md": "# Guide\n"})
    with opened(tree) as index:
        assert found(index) == [("src/app.py", 6, "dead", "docs/gone.md")]


def test_what_may_well_lead_somewhere_is_not_reported(tree: Tree) -> None:
    tree.write(
        {
            ".gitignore": "local.md\n",
            "local.md": "",
            "README.md": "[ignored](local.md) [web](../../issues) [dir](docs) [w](docs/*.md) "
            "[t]({{ x }}/y.md)\n",
            "docs/a.md": "[site](/guide/start) [page](other) [made](api/x.html) `foo/bar.py` `x.py`\n"
            "[line](../src/app.c#L3) [enc](with%20space.md)\n```\n[code](no.md)\n```\n",
            "docs/with space.md": "",
            "docs/c.md": "`src/deep/your_file.c` `path/to/x.py` `src/deep/made.pem`\n",
            "src/deep/x.c": "/** See [page](guide.md). */\nint f(void);\n",
            "docs/changes/1.0.md": "removed `src/gone.c`\n",
            "src/app.c": '#include "generated.h"\n',
            "tests/data/page.md": "[x](no.md)\n",
        }
    )
    tree.path("linked.md").symlink_to("README.md")
    tree.write({"docs/b.md": "[a link](../linked.md)\n"})
    with opened(tree) as index:
        assert found(index) == []


def test_labels_and_pages_of_other_projects_are_not_reported_but_those_that_were_here(tree: Tree) -> None:
    tree.write(
        {
            "docs/conf.py": 'intersphinx_mapping = {"python": ("https://x", None)}\n',
            "docs/a.rst": ":ref:`the-tutorial` :doc:`glossary` :ref:`own` :doc:`guide/b` :doc:`/guide/c`\n",
            "docs/guide/b.rst": ".. _own:\n\nB\n=\n",
        }
    )
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == [("docs/a.rst", 1, "dead", "/guide/c")]
        tree.write({"docs/guide/b.rst": "B\n=\n"})
        assert found(index) == [("docs/a.rst", 1, "anchor", "own"), ("docs/a.rst", 1, "dead", "/guide/c")]


def test_markdown_that_sphinx_reads_may_name_labels_of_any_page(tree: Tree) -> None:
    tree.write(
        {
            "docs/conf.py": "",
            "docs/a.md": "(here)=\n# A\n[x](#there) [y](App.some_trait) [z](b.md#no) [w](c.md)\n",
            "docs/changelog.md": "[x](a-label)\n",
            "docs/b.md": "# B\n",
        }
    )
    with opened(tree) as index:
        assert found(index) == [
            ("docs/a.md", 3, "anchor", "b.md#no"),
            ("docs/a.md", 3, "dead", "c.md"),
        ]


def test_comments_globs_and_settings_silence(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    tree.write(
        {
            "README.md": "[a](a.md) <!-- currant: ignore -->\n\n[b](b.md)\n",
            "docs/old.md": "[c](c.md)\n",
            "docs/never.md": "<!-- currant: ignore-file -->\n\n\n[d](d.md)\n",
            "currant.toml": '[drift]\nignore = ["docs/old.md"]\n',
        }
    )
    with opened(tree) as index:
        assert found(index) == [("README.md", 3, "dead", "b.md")]
        assert index.drift().silenced == 3
        assert found(index, ignore=("b.*",)) == []
    root = ("--root", str(tree.root))
    assert run(["drift", *root]) == 1
    assert capsys.readouterr().out == "README.md:3  dead  b.md  b.md does not exist\n"
    assert run(["drift", "--kind", "anchor", *root]) == 0
    capsys.readouterr()
    assert run(["drift", "--json", *root]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["by_kind"] == {"dead": 1}
    assert told["fresh"]


def test_a_file_that_moves_away_and_back_is_reported_in_between(tree: Tree) -> None:
    tree.write({"README.md": "[a](docs/a.md)\n", "docs/a.md": "# A\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == []
        tree.path("docs/a.md").rename(tree.path("docs/b.md"))
        assert found(index) == [("README.md", 1, "dead", "docs/a.md")]
        tree.path("docs/b.md").rename(tree.path("docs/a.md"))
        assert found(index) == []


def test_what_led_to_a_file_that_the_index_once_had_is_dead_whatever_its_form(tree: Tree) -> None:
    tree.write(
        {
            "docs/conf.py": "# intersphinx_mapping\nextensions = ['sphinx.ext.intersphinx']\n",
            "docs/index.rst": ".. toctree::\n\n   one\n   two\n\n:doc:`one` `w <one.html>`_ :doc:`other`\n",
            "docs/page.md": "[a](one) [b](/docs/two) `x.py`\n",
            "docs/one.rst": "",
            "docs/two.md": "",
            "src/x.py": "",
            "x.c": '#include "y.h"\n#include "z.h"\n',
            "y.h": "",
            "z.h": "",
            "include/z.h": "",
        }
    )
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == []
        for name in ("docs/one.rst", "docs/two.md", "y.h", "z.h"):
            tree.path(name).unlink()
        assert found(index) == [
            ("docs/index.rst", 3, "dead", "one"),
            ("docs/index.rst", 4, "dead", "two"),
            ("docs/index.rst", 6, "dead", "one"),
            ("docs/index.rst", 6, "dead", "one.html"),
            ("docs/page.md", 1, "dead", "/docs/two"),
            ("docs/page.md", 1, "dead", "one"),
            ("x.c", 1, "dead", "y.h"),
        ]
        assert index.drift().findings[0].reason == "docs/one.rst is not there any more"


def test_a_name_is_dead_once_nothing_defines_it_any_more(tree: Tree) -> None:
    tree.write(
        {
            "docs/a.md": "Call `make_thing()`, `make_other()` or `Box.lid()`, "
            "`Box.open()`, `Sub.any()`, `make_thing`.\n",
            "src/m.py": "def make_thing():\n    pass\n\n\nclass Box:\n    def open(self):\n        pass\n\n\n"
            "class Sub(Other):\n    pass\n",
        }
    )
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == [("docs/a.md", 1, "name", "Box.lid()")]
        tree.write({"src/m.py": "class Box:\n    def open(self):\n        pass\n"})
        assert found(index) == [
            ("docs/a.md", 1, "name", "Box.lid()"),
            ("docs/a.md", 1, "name", "make_thing()"),
        ]
        reason = index.drift().findings[1].reason
        assert reason == "make_thing was defined in this tree and is not any more"


@pytest.mark.parametrize(
    ("anchor", "yes"),
    [
        ("getting-started", True),
        ("Getting-Started", True),
        ("getting_started-1", True),
        ("-api--usage", True),
        ("tada-party", True),
        ("-party", True),
        ("custom-id", True),
        ("L10-L20", True),
        ("", True),
        ("user-content-party", True),
        ("built---", True),
        ("fastifyreplycontext", True),
        ("missing", False),
        ("getting", False),
    ],
)
def test_an_anchor_is_compared_by_its_letters(anchor: str, yes: bool) -> None:
    names = known(
        ["Getting started", "🚀 API & `Usage`", ":tada: Party", "Named {#custom-id}"],
        ["custom-id", "Built [![i](i.svg)](x)", "fastify.Reply<[Context][ContextGeneric]>"],
    )
    assert is_known(anchor, names) is yes


# --- ages: from the change feed, whose times the writer is given ---------------------------------------

DAY = 86_400.0


def put(path: str, content: str, language: str, at: float, *references: Reference) -> Upsert:
    """A file as the index saw it at a day."""
    key = ResultKey(content.encode().ljust(16)[:16], language, "outline/1:test-1")
    symbols = [Symbol("f", "function", None, 1, 1, "", "")]
    record = Record(language, symbols, [], references=list(references))
    stat = FileStat(1, int(at * DAY * 1e9), 0, sum(path.encode()))
    return Upsert(path.encode(), stat, key, record, None, "event", at * DAY, 1, False)


def told(asked: Query) -> list[tuple[str, int, str]]:
    return [(one.path, one.line, one.reason) for one in drift(asked, kinds=("older", "header")).findings]


def test_a_document_is_older_than_code_that_was_seen_to_change_later(tmp_path: Path) -> None:
    link = Reference("link", "../src/a.py", 4)
    with Store.open(tmp_path, clock=ManualClock()) as store:
        asked = query(store)
        store.commit([put("docs/a.md", "d1", "markdown", 1, link), put("src/a.py", "c1", "python", 1)], DAY)
        assert told(asked) == []
        store.commit([put("src/a.py", "c2", "python", 5)], 5 * DAY)
        assert told(asked) == []  # within the days of grace
        store.commit([put("src/a.py", "c3", "python", 30)], 30 * DAY)
        assert told(asked) == [("docs/a.md", 4, "changed 29 days after this document")]
        store.commit([put("docs/a.md", "d2", "markdown", 31, link)], 31 * DAY)
        assert told(asked) == []


def test_a_header_is_missing_where_others_have_one_and_outdated_when_its_history_ends_too_early(
    tmp_path: Path,
) -> None:
    stamp = Reference("header", "1970-01-02T00:00:00Z", 2)
    with Store.open(tmp_path, clock=ManualClock()) as store:
        asked = query(store)
        files = [put(f"src/{n}.py", f"c{n}", "python", 1, stamp) for n in range(5)]
        store.commit([*files, put("src/bare.py", "bare", "python", 1)], DAY)
        assert told(asked) == [("src/bare.py", 1, "no header; 5 of 6 python files have one")]
        store.commit([put("src/0.py", "new", "python", 40, stamp)], 40 * DAY)
        assert told(asked)[0] == (
            "src/0.py",
            2,
            "the newest entry of its history is 39 days older than the last change",
        )


def test_an_include_of_what_was_here_once_is_dead(tree: Tree) -> None:
    """What a compiler includes is searched for along paths that nobody knows, so it is reported only when it
    was a file, or a directory, of this tree."""
    tree.write(
        {
            "src/a.c": '#include "made.h"\n#include "gone.h"\n#include "sub/x.h"\n#include "sub/.."\n',
            "src/gone.h": "",
            "src/sub/x.h": "",
            "lib/sub/x.h": "",
        }
    )
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == []
        tree.path("src/gone.h").unlink()
        assert found(index) == [("src/a.c", 2, "dead", "gone.h")]
        tree.path("src/sub/x.h").unlink()
        assert found(index) == [("src/a.c", 2, "dead", "gone.h")]  # a path may lead to lib/sub/x.h
        tree.path("lib/sub/x.h").unlink()
        assert found(index) == [("src/a.c", 2, "dead", "gone.h"), ("src/a.c", 3, "dead", "sub/x.h")]


class Judged:
    """How often a tree was judged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0

        def counted(query: Query, kinds: Sequence[str], grace: float, on_disk: OnDisk) -> Judgement:
            self.times += 1
            return judge(query, kinds, grace, on_disk)

        monkeypatch.setattr("currant.graph.standing.judge", counted)


def test_what_was_judged_answers_every_question_until_something_is_written(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judged(monkeypatch)
    tree.write({"README.md": "[a](a.md) [b](b.md) <!-- x -->\n[c](README.md#no)\n", ".gitignore": "b.md\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        every = [
            ("README.md", 1, "dead", "a.md"),
            ("README.md", 1, "dead", "b.md"),
            ("README.md", 2, "anchor", "README.md#no"),
        ]
        assert found(index) == every
        assert found(index, "anchor") == every[2:]
        assert found(index, "dead", ignore=("b.*",)) == every[:1]
        assert index.drift(ignore=["b.*"]).silenced == 1
        assert judged.times == 1
        tree.write({"a.md": ""})
        assert found(index) == every[1:]
        assert judged.times == 2


def test_what_the_disk_says_beside_the_index_is_asked_each_time(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judged(monkeypatch)
    tree.write({"README.md": "[b](b.md)\n", ".gitignore": "b.md\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == [("README.md", 1, "dead", "b.md")]
        clock = index.clock
        tree.write({"b.md": ""})
        assert found(index) == []
        tree.path("b.md").unlink()
        assert found(index) == [("README.md", 1, "dead", "b.md")]
        assert (index.clock, judged.times) == (clock, 3)


def test_a_judgement_of_a_few_rules_does_not_stand_for_all(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judged(monkeypatch)
    tree.write({"README.md": "[a](a.md) [c](README.md#no)\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert [kind for _, _, kind, _ in found(index, "anchor")] == ["anchor"]
        assert [kind for _, _, kind, _ in found(index)] == ["anchor", "dead"]
        assert [kind for _, _, kind, _ in found(index, "dead")] == ["dead"]
        assert judged.times == 2


def test_a_judgement_with_too_many_findings_is_not_kept(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Judged(monkeypatch)
    monkeypatch.setattr(standing, "MOST", 1)
    tree.write({"README.md": "[a](a.md)\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == found(index) == [("README.md", 1, "dead", "a.md")]
    assert judged.times == 2


def test_a_result_that_is_forgotten_without_a_change_of_the_clock_ends_a_judgement(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judged(monkeypatch)
    tree.write({"README.md": "`helper()`\n", "a.py": "def helper():\n    pass\n"})
    with currant.open(tree.root, sync_ms=60_000) as index:
        assert found(index) == []
        tree.write({"a.py": "x = 1\n"})
        assert found(index) == [("README.md", 1, "name", "helper()")]
        clock, service = index.clock, index.service
        assert service is not None
        assert service.when_idle(lambda store: store.collect(0) > 0, 60)
        assert found(index) == []
        assert (index.clock, judged.times) == (clock, 3)


def test_those_who_ask_while_it_is_judged_wait_for_that_judgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = Judged(monkeypatch)
    with Store.open(tmp_path, clock=ManualClock()) as store:
        asked = query(store)
        store.commit([put("README.md", "d", "markdown", 1, Reference("link", "gone.md", 1))], DAY)
        inside, go_on = threading.Event(), threading.Event()

        def on_disk(_path: str) -> bool:
            inside.set()
            return not go_on.wait(60)

        kept = standing.Standing(on_disk)
        told: list[int] = []

        def ask() -> None:
            told.append(len(kept.drift(asked, kinds=(), ignore=(), grace_days=7).findings))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        threads[0].start()
        assert inside.wait(60)
        threads[1].start()
        go_on.set()
        for thread in threads:
            thread.join(60)
    assert (told, judged.times) == ([1, 1], 1)
