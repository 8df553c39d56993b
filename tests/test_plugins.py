"""Extractors of other packages: what is refused, and that one which misbehaves harms its own part alone."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from currant import report
from currant.config import OWN_EXTRACTORS
from currant.extract import OutlineExtractor, Registry, default_registry
from currant.extract.contain import MAX_LEFT
from currant.extract.plugins import Found, Source, discover
from currant.model import Record, Symbol
from currant.report import View
from test_extract import GOOD, answer_of

LIMITS = {"cheap": 60.0, "slow": 0.001}


class Words:
    name = "words"
    version = "1"
    languages: Any = frozenset({"python"})

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        return msgspec.structs.replace(record, facts={**record.facts, "words": len(source.split())})


class Defs:
    name = "defs"
    version = "2"
    languages: Any = ("python", "toml")

    def extract(self, name: str, language: str, source: bytes) -> Record:
        return Record(language, [Symbol("d", "definition", None, 1, 1, "", "")], [])


def variant(base: type, **changed: Any) -> type:
    return type(base.__name__, (base,), changed)


def found(*classes: Any, **rest: Any) -> Found:
    sources = [Source(f"p{number}", "somebody", lambda it=it: it) for number, it in enumerate(classes)]
    return discover(sources=sources, limits=LIMITS, **rest)


def registry(plugins: Found) -> Registry:
    outline = OutlineExtractor(lambda language, source: answer_of(GOOD), [("python", "7")])
    return Registry(
        [outline],
        max_file_mb=1,
        annotators=plugins.annotators,
        plugins=plugins.extractors,
        refused=plugins.refused,
    )


def test_a_plug_in_extractor_takes_its_languages_over() -> None:
    made = registry(found(Defs))
    for name, after in (("x.py", "-outline/2-python-7"), ("x.toml", "")):
        choice = made.choose(name, b"", 1)
        assert choice.identity == f"defs/2:{choice.language}{after}"
        assert choice.identity in made.identities()
        assert [symbol.name for symbol in choice.run(b"\n\n").record.symbols] == ["d"]
    assert made.choose("x.md", b"", 1).identity == "plain/2:1"


def test_the_configuration_is_checked_and_part_of_the_identity() -> None:
    class Configuration(msgspec.Struct):
        least: int = 1

    class Configured(Words):
        def __init__(self, configuration: Configuration) -> None:
            self.least = configuration.least

    Configured.Configuration = Configuration  # type: ignore[attr-defined]
    identities = {
        registry(found(Configured, options=options)).choose("x.py", b"", 1).identity
        for options in ({}, {"words": {"least": 1}}, {"words": {"least": 2}})
    }
    assert len(identities) == 2
    assert all(re.fullmatch(r"outline/2:python-7\+words/1~[0-9a-f]{8}", one) for one in identities)
    [refused] = found(Configured, options={"words": {"least": "many"}}).refused
    assert "extract.options.words" in str(refused.refused)
    [refused] = found(Words, options={"words": {"least": 1}}).refused
    assert "no Configuration" in str(refused.refused)


def _raises() -> Any:
    raise ImportError("no module named numpy")


def _init_raises(self: Any) -> None:
    raise OSError("no model file")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (variant(Words, version=None), "it has no version: give it version = ..., a text"),
        (variant(Words, version=3), "its version is 3: it must be a text"),
        (variant(Words, version="1+1"), "its version is '1\\+1'"),
        (variant(Words, name=None), "it has no name"),
        (variant(Words, name="Wo rds"), "its name is 'Wo rds'"),
        (variant(Words, name="outline"), "the name 'outline' is taken"),
        (variant(Words, name="secret"), "taken"),
        (variant(Words, languages="python"), "must be a set of names"),
        (variant(Words, languages={"klingon"}), "languages are klingon"),
        (variant(Words, languages=()), "languages are none"),
        (variant(Defs, languages=None), "must be a set of names"),
        (variant(Words, cost="remote"), "cost is 'remote': it must be one of cheap, slow"),
        (variant(Words, annotate=None), "one of the methods extract and annotate"),
        (variant(Words, extract=lambda self: None), "one of the methods"),
        (variant(Words, __init__=_init_raises), "it cannot be made: OSError: no model file"),
        (42, "it has no name"),
    ],
)
def test_a_plug_in_that_does_not_say_what_it_is_is_refused_and_the_others_are_used(
    kind: Any, reason: str
) -> None:
    plugins = found(kind, variant(Words, name="other"))
    [refused] = plugins.refused
    assert re.search(reason, str(refused.refused)), refused.refused
    assert (refused.name, refused.package) == ("p0", "somebody")
    assert [one.name for one in plugins.annotators] == ["other"]
    told = [use.as_dict() for use in registry(plugins).uses()]
    assert [one["refused"] is None for one in told] == [True, True, False]


def test_a_plug_in_that_cannot_be_imported_or_is_switched_off_is_refused() -> None:
    plugins = discover(sources=[Source("broken", "somebody", _raises)])
    assert "ImportError: no module named numpy" in str(plugins.refused[0].refused)
    for name in ("words", "p0"):
        plugins = found(Words, disabled=[name])
        assert plugins.annotators == []
        assert "disabled_extractors" in str(plugins.refused[0].refused)


def test_a_name_in_the_settings_that_no_plug_in_has_is_told() -> None:
    plugins = found(Words, disabled=["wrods"], options={"wrods": {}, "dfes": {}, "words": {}})
    assert [one.name for one in plugins.annotators] == ["words"]
    assert [(one.name, one.kind) for one in plugins.refused] == [("dfes", "setting"), ("wrods", "setting")]
    uses = [use.as_dict() for use in registry(plugins).uses()]
    view = View("/repo", extractors=uses)
    assert [one.code for one in report.degraded(view)] == []
    (note,) = report.notes(view)
    assert (note.code, note.count) == ("extractors_unknown", 2)
    assert "dfes, wrods" in note.what
    assert found(Words, disabled=["words", "p0"]).refused[0].kind == "plug-in"


def test_what_no_setting_switches_off_is_what_is_ours() -> None:
    own = {use.name for use in default_registry(8).uses()}
    assert own < OWN_EXTRACTORS


def test_a_text_from_before_an_annotator_of_every_text_is_read_again() -> None:
    before, after = registry(found()), registry(found(variant(Words, languages=None)))
    text = before.choose("a.txt", b"words", 5)
    assert text.language == "text"
    assert before.is_current("text", text.identity)
    assert not after.is_current("text", text.identity)
    assert after.is_current("text", after.choose("a.txt", b"words", 5).identity)
    binary = after.choose("a.bin", b"\0", 1)
    assert after.is_current(binary.language or "", binary.identity)


def test_two_plug_ins_of_one_name_are_not_both_used() -> None:
    plugins = found(Words, Words)
    assert len(plugins.annotators) == 1
    assert "is taken" in str(plugins.refused[0].refused)


def _exits(*_: Any) -> Any:
    raise SystemExit(3)


def _recurses(self: Any, *arguments: Any) -> Any:
    return _recurses(self, *arguments)


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (lambda *_: 1 / 0, "defs failed: ZeroDivisionError: division by zero"),
        (_exits, "defs failed: RuntimeError: SystemExit: 3"),
        (_recurses, "defs failed: RecursionError"),
        (lambda *_: None, "defs failed: BadRecordError: gave NoneType"),
        (lambda *_: Record("c", [], []), "defs failed: BadRecordError: gave a record of 'c' for 'python'"),
        (lambda *_: Record("python", [Symbol("x", "f", None, 1, 9, "", "")], []), "at lines 1-9 of 3"),
        (lambda *_: Record("python", [Symbol("x", "f", None, "1", 1, "", "")], []), "invalid record"),  # type: ignore[arg-type]
        (lambda *_: Record("python", [], ["\udc80"]), "invalid record"),
        (lambda *_: Record("python", [], [], {"x": object()}), "invalid record"),
        (lambda *_: Record("python", 5, []), "invalid record"),  # type: ignore[arg-type]
    ],
)
def test_a_plug_in_that_breaks_leaves_a_note_and_our_own_outline(answer: Any, note: str) -> None:
    plugins = found(variant(Defs, extract=lambda self, *rest: answer(self, *rest)))
    made = registry(plugins).choose("x.py", b"", 1).run(b"a\nb\n")
    assert [symbol.name for symbol in made.record.symbols] == ["f"]
    [said] = made.record.notes
    assert note in said
    assert not made.provisional  # the same content would fail again
    assert plugins.extractors[0].use.as_dict()["failures"] == 1


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Set at the end, so that no call that was left behind outlives its test."""
    event = threading.Event()
    yield event
    event.set()


def test_a_plug_in_that_hangs_is_left_behind_and_after_some_calls_not_called(held: threading.Event) -> None:
    begun: list[int] = []

    def hang(self: Any, name: str, language: str, source: bytes, record: Record) -> Record:
        begun.append(1)
        record.symbols.clear()  # what it was given is not what is stored
        held.wait()
        return record

    plugins = found(variant(Words, annotate=hang, cost="slow"))
    made = registry(plugins)
    notes = []
    for _ in range(MAX_LEFT + 2):
        extraction = made.choose("x.py", b"", 1).run(b"a\nb\n")
        assert extraction.provisional
        assert [symbol.name for symbol in extraction.record.symbols] == ["f"]
        notes += extraction.record.notes
    assert notes[0] == "timed out: words (more than 0.001 s)"
    assert notes[-1] == f"timed out: words (not called: {MAX_LEFT} calls still run)"
    assert len(begun) <= MAX_LEFT
    use = plugins.annotators[0].use.as_dict()
    assert (use["calls"], use["failures"], use["timeouts"]) == (5, 5, 5)


DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "extending.md").read_text()


def install(where: Path) -> None:
    """What ``pip install`` leaves of the example in the document."""
    blocks = re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", DOCUMENT, re.M | re.S)
    files = dict(blocks)
    assert files["wordcount.py"].count("\n") < 40
    info = where / "wordcount-1.0.dist-info"
    info.mkdir(parents=True)
    (where / "wordcount.py").write_text(files["wordcount.py"])
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wordcount\nVersion: 1.0\n")
    points = re.search(r'entry-points."(.*?)"\]\n(.*)', files["pyproject.toml"], re.S)
    assert points is not None
    (info / "entry_points.txt").write_text(f"[{points[1]}]\n{points[2].replace(chr(34), '')}")


def test_the_example_of_the_document_is_installed_listed_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import currant
    from currant.cli import cli

    install(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a.txt").write_text("a bb ccc dddd\n")
    assert cli.main(["extractors", "--root", str(root)], standalone_mode=False) == 0
    assert "wordcount 1" in capsys.readouterr().out
    for least, words in ((None, 4), (3, 2)):  # another configuration: read again, with nothing changed
        flags = {} if least is None else {"extract.options": {"wordcount": {"shortest": least}}}
        with currant.open(root, live=False, flags=flags) as index:
            index.sync(60)
            index.ask("upgrade", {})
            view = index.show("a.txt")
            assert view is not None
            assert view.record is not None
            assert view.record.facts == {"words": words}
            [told] = [one for one in index.status()["extractors"] if one["name"] == "wordcount"]
            assert (told["package"], told["calls"], told["failures"]) == ("wordcount", 1, 0)


def test_a_record_that_lacks_a_part_for_want_of_time_is_made_again_at_the_next_start(
    tmp_path: Path, held: threading.Event
) -> None:
    from currant.service import Service

    def hang(self: Any, name: str, language: str, source: bytes, record: Record) -> Record:
        held.wait()
        return record

    (tmp_path / "x.py").write_text("def f():\n    pass\n")
    late = registry(found(variant(Words, annotate=hang, cost="slow")))
    with Service(tmp_path, live=False, registry=late) as service:
        assert service.sync(60).fresh
        view = service.query.show("x.py")
        assert view is not None
        assert view.record is not None
        assert view.record.notes == ["timed out: words (more than 0.001 s)"]
        assert "extractors_fail" in service.degraded()
    with Service(tmp_path, live=False, registry=registry(found(Words))) as service:
        assert service.sync(60).fresh
        assert service.upgrade(10)["handed_over"] == 1
        assert service.sync(60).fresh
        view = service.query.show("x.py")
        assert view is not None
        assert view.record is not None
        assert (view.record.notes, view.record.facts) == ([], {"words": 3})


# --- languages of their own ---------------------------------------------------------------------------


class Bcl(Defs):
    name = "bcl"
    version = "1"
    languages: Any = ("bcl",)
    detects: Any = {"bcl": ("*.bcl", "BUILD.*"), "python": ("*.pyz0",)}  # noqa: RUF012


def test_a_language_that_is_declared_is_that_of_files_of_its_names() -> None:
    made = registry(found(Bcl, Words))
    for name in ("x.bcl", "deep/X.BCL", "build.release"):
        choice = made.choose(name, b"#!/bin/sh\n", 10)
        assert choice.language == "bcl"
        assert re.fullmatch(r"bcl/1:bcl\+bcl/1~[0-9a-f]{8}:bcl", choice.identity)
        assert made.is_current("bcl", choice.identity)
        assert [symbol.name for symbol in choice.run(b"\n\n").record.symbols] == ["d"]
    more = made.choose("x.pyz0", b"", 1)
    assert (more.language, more.identity.partition("+")[0]) == ("python", "outline/2:python-7")
    assert made.is_current("python", more.identity)
    assert made.choose("x.py", b"", 1).identity == registry(found(Words)).choose("x.py", b"", 1).identity
    assert made.choose("bcl", b"", 1).language is None
    binary = made.choose("x.bcl", b"\0", 1)
    assert binary.run(b"\0").record.notes == ["binary"]
    assert made.is_current("", binary.identity)


def test_what_was_made_before_without_or_under_other_patterns_is_out_of_date() -> None:
    without, made = registry(found()), registry(found(Bcl))
    other = registry(found(variant(Bcl, detects={"bcl": ("*.bcl",)})))
    newer = registry(found(variant(Bcl, version="2")))

    def identity(registry: Registry, name: str) -> tuple[str, str]:
        choice = registry.choose(name, b"", 1)
        return choice.language or "", choice.identity

    def outdated(registry: Registry, name: str, by: tuple[str, str]) -> bool:
        return not registry.is_current(*by) or registry.lacks_role(name, by[1])

    every = {"without": without, "made": made, "other": other, "newer": newer}
    for before, by in every.items():
        for now, registry_now in every.items():
            assert outdated(registry_now, "x.bcl", identity(by, "x.bcl")) == (before != now), (before, now)
            assert not outdated(registry_now, "x.py", identity(by, "x.py"))
    # A name in the list of Perl's endings: taken over, and given back.
    takes = registry(found(variant(Bcl, detects={"bcl": ("*.t",)})))
    assert outdated(takes, "x.t", identity(without, "x.t"))
    assert outdated(without, "x.t", identity(takes, "x.t"))


def test_of_two_declarations_the_first_by_name_counts() -> None:
    kinds = [variant(Bcl, name=name, detects={"bcl": ("*.bcl",)}) for name in ("one", "two")]
    assert registry(found(*kinds)).choose("x.bcl", b"", 1).identity.endswith(":bcl")
    assert "+one/1~" in registry(found(*kinds)).choose("x.bcl", b"", 1).identity


def test_an_annotator_may_declare_its_language() -> None:
    made = registry(found(variant(Words, detects={"bcl": ["*.bcl"]}, languages={"bcl"})))
    choice = made.choose("x.bcl", b"", 1)
    assert choice.run(b"two words").record == Record("bcl", [], [], {"words": 2})
    assert made.is_current("bcl", choice.identity)


@pytest.mark.parametrize(
    ("detects", "reason"),
    [
        ("*.bcl", "it must be such as"),
        ({}, "it must be such as"),
        ({"B C": ("*.b",)}, "it detects 'B C'"),
        ({"bcl": "*.bcl"}, "must be a set of patterns"),
        ({"bcl": ()}, "must be a set of patterns"),
        ({"bcl": ("*",)}, "its pattern '\\*' is none"),
        ({"bcl": ("*.[a-z]?",)}, "is none over names"),
        ({"bcl": ("src/*.bcl",)}, "is none over names"),
        ({"bcl": (3,)}, "its pattern 3"),
        ({"bcl": [f"*.{number}" for number in range(200)]}, "more than 100"),
        ({"bcl": (f"*.{number}" for number in range(2))}, "must be a set of patterns"),
    ],
)
def test_patterns_that_say_nothing_are_refused(detects: Any, reason: str) -> None:
    [refused] = found(variant(Bcl, detects=detects, languages=("python",))).refused
    assert re.search(reason, str(refused.refused)), refused.refused


def test_the_language_of_the_document_is_found_counted_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import currant

    root = tmp_path / "tree"
    root.mkdir()
    (root / "week.recipe").write_text("dish soup from leek\n\nsauce green\n")
    (root / "COOKBOOK").write_text("dish bread\n")

    def told() -> tuple[str | None, list[str], int]:
        with currant.open(root, live=False) as index:
            index.sync(60)
            index.ask("upgrade", {})
            view = index.show("week.recipe")
            assert view is not None
            found = [(one.name, one.kind, one.start) for one in index.find("", language="recipes")]
            shares = {one.language: one.files for one in index.skills().languages}
            return (
                view.language,
                [f"{kind} {name} {line}" for name, kind, line in found],
                shares.get("recipes", 0),
            )

    assert told() == (None, [], 0)
    blocks = re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", DOCUMENT, re.M | re.S)
    example = dict(blocks)["recipes.py"]
    assert example.count("\n") < 40
    with monkeypatch.context() as patch:
        space: dict[str, Any] = {}
        exec(example, space)
        source = Source("recipes", "recipes", lambda: space["Recipes"])
        patch.setattr("currant.extract.plugins.installed", lambda: [source])
        language, names, files = told()
        assert (language, sorted(names), files) == (
            *("recipes", ["dish bread 1", "dish soup 1", "sauce green 3"]),
            2,
        )
    assert told() == (None, [], 0)
