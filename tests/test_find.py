"""`find` against a search of every record with the same ranking, and each rule of the ranking by itself."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import currant
import stored_index
from conftest import GitRepo
from currant import _core, finding, ranking
from currant.cli import run
from currant.collection import Collection
from currant.errors import StoreDamagedError, StoreError
from currant.model import Definition, FileStat, Header, Record, Remove, Symbol, Upsert
from currant.query import Query
from currant.store import listing, records, search
from store_kit import key, opened, query


@contextmanager
def holding(files: dict[str, Record]) -> Iterator[Query]:
    """An index with these files."""
    directory = Path(tempfile.mkdtemp())
    try:
        # None waits, or every record would be a candidate and the index of terms not asked for anything.
        with mock.patch.object(listing, "WAITING_RECORDS", 0), opened(directory) as store:
            store.commit([put(path, content) for path, content in files.items()], 1.0)
            yield query(store)
    finally:
        shutil.rmtree(directory)


def put(path: str, content: Record) -> Upsert:
    of = key(repr(content), content.language or "")
    return Upsert(os.fsencode(path), FileStat(1, 2, 3, 4), of, content, None, "scan", 1.0, 0, False)


def one(name: str, doc: str = "", kind: str = "function", line: int = 1) -> Symbol:
    return Symbol(name, kind, None, line, line, "", doc)


def of(*symbols: Symbol, header: str | None = None, language: str | None = "python") -> Record:
    told = None if header is None else Header("comment", 1, 2, intent=header)
    return Record(language, list(symbols), [], header=told)


def names(found: list[Definition]) -> list[str]:
    return [definition.name for definition in found]


# --- the oracle ---------------------------------------------------------------------------------------

LETTERS = "abAB_é\u00dfΣς\u0130 \n\x02\"*'%"
NAMES = st.text(LETTERS, min_size=1, max_size=5) | st.sampled_from(
    ["parseUrl", "parse_url", "PARSEURL", "url", "parse_urls", "paresUrl", "xparseurl", "HTTPServer", "ab12"]
)
DOCS = st.just("") | st.sampled_from(
    [
        "Parse the url.",
        "a b é",
        "The URL's parts, parsed",
        "ab_b: parse-url",
        "\u00df \u0130 Σ",
        "urls\nand \x00 a",
    ]
)
SYMBOLS = st.builds(
    lambda name, kind, line, doc: one(name, doc, kind, line),
    NAMES,
    st.sampled_from(["function", "class", "f"]),
    st.integers(1, 3),
    DOCS,
)
LANGUAGES = st.sampled_from(["python", "c", None])
FILES = st.dictionaries(
    st.sampled_from(["a", "b/c", "b", "b/d.py", "d\udcff"]),
    st.builds(
        lambda language, symbols, header: of(*symbols, header=header, language=language),
        LANGUAGES,
        st.lists(SYMBOLS, max_size=4),
        st.none() | DOCS,
    ),
    max_size=4,
)
ASKED = st.builds(
    finding.Asked,
    st.text(LETTERS, max_size=4) | NAMES | DOCS | st.sampled_from(["parseulr", "prase_url", "par"]),
    st.none() | st.sampled_from(["function", "class", "f", "file"]),
    st.none() | st.sampled_from(["python", "c"]),
    st.booleans() | st.just(False),
    st.none() | st.sampled_from(["b", "b/", "*.py", "/a", "**/c"]),
    st.none() | st.booleans(),
    st.sampled_from([1, 2, 100]),
)

Row = tuple[int, bytes, int, int, Definition]


def searched(files: dict[str, Record], asked: finding.Asked) -> list[Row]:
    """What `find` must return, without an index: sorted by rank, path, lines."""
    folded = records.fold(asked.name)
    under = ranking.paths(asked.path) if asked.path else lambda _path: True
    words = records.words(asked.name)
    chosen = {
        path: content
        for path, content in files.items()
        if under(path) and (not asked.language or content.language == asked.language)
    }

    def row(path: str, content: Record, symbol: Symbol, rank: int, snippet: str | None = None) -> Row:
        definition = Definition(
            *(path, symbol.name or path.rpartition("/")[2], symbol.kind, content.language, None),
            *(symbol.start, symbol.end, "", symbol.doc, ranking.NAMES[rank], snippet),
        )
        return rank, os.fsencode(path), symbol.start, symbol.end, definition

    every = [
        (path, content, symbol)
        for path, content in chosen.items()
        for symbol in content.symbols
        if not asked.kind or symbol.kind == asked.kind
    ]
    ranks = [ranking.of_name(symbol.name, asked.name, folded) for *_, symbol in every]
    if asked.exact:
        found = [row(*at, 0) for at, rank in zip(every, ranks, strict=True) if rank == 0 and asked.name]
        return sorted(found, key=lambda entry: entry[:4])
    out = [row(*at, rank) for at, rank in zip(every, ranks, strict=True) if rank is not None]
    named = bool(out)
    if not named and folded:
        errors = [ranking.of_misspelt(symbol.name, folded) for *_, symbol in every]
        fewest = min((rank for rank in errors if rank is not None), default=None)
        out = [row(*at, rank) for at, rank in zip(every, errors, strict=True) if rank == fewest is not None]
    whole = any(entry[0] <= ranking.CASE for entry in out)
    if asked.name and words and (asked.documentation or (asked.documentation is None and not whole)):
        above = {
            id(symbol)
            for path, _, symbol in every
            for *_, there in out
            if (there.path, there.start, there.name) == (path, symbol.start, symbol.name)
        }
        told = [
            (ranking.of_text(text, words), path, content, symbol, ranking.snippet(text, words))
            for path, content in chosen.items()
            for symbol, text in finding.documented(content)
            if (not asked.kind or symbol.kind == asked.kind) and id(symbol) not in above
        ]
        texts = [row(path, content, symbol, rank, shown) for rank, path, content, symbol, shown in told
                 if rank == ranking.TEXT]  # fmt: skip
        if not texts and not out:
            texts = [row(path, content, symbol, rank, shown) for rank, path, content, symbol, shown in told
                     if rank is not None]  # fmt: skip
        out += texts
    return sorted(out, key=lambda entry: entry[:4])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, st.lists(ASKED, min_size=1, max_size=12))
def test_find_equals_a_search_of_every_record(
    files: dict[str, Record], questions: list[finding.Asked]
) -> None:
    with holding(files) as reader:
        for asked in questions:
            expected = searched(files, asked)
            options = {name: getattr(asked, name) for name in asked.__slots__ if name != "name"}
            found = reader.find(asked.name, **options)
            assert len(found) == min(asked.limit, len(expected)), asked
            # Equal lines of one file may come in either order.
            assert [(row.path, row.start, row.end, row.match) for row in found] == [
                (row[4].path, row[4].start, row[4].end, row[4].match) for row in expected[: asked.limit]
            ], asked
            if asked.limit == 100:
                assert sorted(map(repr, found)) == sorted(repr(row[4]) for row in expected)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_a_question(asked: str, other: str) -> None:
    with holding({"a.py": of(one("main", 'What it does: NEAR(x) OR y* "z"'), header="AND NOT *")}) as reader:
        for name in (asked, f'{asked}"{other}', f"{asked} OR {other}*", f"NEAR({asked})", f"^{asked}\0"):
            found = reader.find(name, kind=other or None, language=other or None, path=other or None)
            assert {row.path for row in found} <= {"a.py"}
            reader.find(name, documentation=True)


# --- the order ----------------------------------------------------------------------------------------


def test_order_is_exact_then_case_then_prefix_then_word_then_inside() -> None:
    files = {
        "a": of(
            *(one(name, line=line) for line, name in enumerate(["reparse", "parser", "Parse", "xParse"], 1))
        ),
        "b": of(
            *(one(name, line=line) for line, name in enumerate(["parse", "PARSE", "sparse", "do_parse"], 1))
        ),
    }
    with holding(files) as reader:
        found = [(row.path, row.name, row.match) for row in reader.find("parse")]
        assert found == [
            *[("b", "parse", "exact"), ("a", "Parse", "case"), ("b", "PARSE", "case")],
            *[("a", "parser", "prefix"), ("a", "xParse", "word"), ("b", "do_parse", "word")],
            *[("a", "reparse", "part"), ("b", "sparse", "part")],
        ]
        assert reader.find("parse", limit=0) == []
        assert names(reader.find("parse", limit=2)) == ["parse", "Parse"]
        assert names(reader.find("Parse", exact=True)) == ["Parse"]
        assert names(reader.find("arse", limit=1)) == ["reparse"]


@pytest.mark.parametrize(
    "asked", ["prase_config", "parse_confg", "parse_connfig", "parse_konfig", "Parse_cofnig"]
)
def test_a_name_with_a_typing_error_is_found_when_there_is_no_such_name(asked: str) -> None:
    with holding({"a": of(one("parse_config"), one("parse")), "b": of(one("sparse_matrix"))}) as reader:
        found = reader.find(asked)
        assert [(row.name, row.match) for row in found] == [("parse_config", "typo")]
        assert reader.find(asked, exact=True) == []


def test_short_names_are_not_guessed_and_one_error_goes_before_two() -> None:
    with holding({"a": of(one("abd"), one("mian"), one("configurf"), one("cnofigurd"))}) as reader:
        assert reader.find("abc") == []
        assert names(reader.find("main")) == ["mian"]
        assert names(reader.find("configure")) == ["configurf"]


@settings(max_examples=80, deadline=None)
@given(
    st.text("abcd", min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("xa-")), max_size=2),
)
def test_a_misspelt_name_is_always_among_the_candidates(name: str, edits: list[tuple[int, str]]) -> None:
    typed = name
    for at, edit in edits:
        typed = typed[:at] + typed[at + 1 :] if edit == "-" else typed[:at] + edit + typed[at:]
    allowed = ranking.errors_allowed(typed)
    with holding({"f": of(one(name))}) as reader:
        rank = ranking.of_misspelt(name, typed)
        meant = ranking.of_name(name, typed, typed) is None and rank is not None
        assert names(reader.find(typed, documentation=False)) == ([name] if meant or (typed in name and (
            len(typed) > 1 or name.startswith(typed))) else []), (allowed, rank)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text("abc", min_size=8, max_size=11), st.data())
def test_no_way_to_have_two_errors_is_forgotten(typed: str, data: st.DataObject) -> None:
    """The terms that the index has of a name two errors away are all those of one way at least."""
    name = typed
    for _ in range(2):
        at = data.draw(st.integers(0, len(name)))
        edit = data.draw(st.sampled_from(("x", "a", "", "swap")))
        rest = name[at + 1 :]
        if edit == "swap":
            rest, edit = name[at : at + 1] + name[at + 2 :], name[at + 1 : at + 2]
        elif data.draw(st.booleans()):
            rest = name[at:]
        name = name[:at] + edit + rest
    if ranking.distance(typed, name, 2) > 2:
        return  # two swaps
    expression = search.misspelt(typed, 2)
    assert expression is not None
    there = {f'"{term}"'.replace("\n", records.NAME_END) for term in records.letters(f"\n{name}\n")}
    ways = [set(way.split(" AND ")) for way in expression[2:-2].split(") OR (")]
    assert any(way <= there for way in ways), (typed, name)


def test_the_distance_counts_one_swap_of_neighbours_as_one_error() -> None:
    assert ranking.distance("main", "main", 2) == 0
    assert ranking.distance("mian", "main", 2) == 1
    assert ranking.distance("mainn", "main", 2) == 1
    assert ranking.distance("mxiin", "main", 2) == 2
    assert ranking.distance("abcdefgh", "main", 2) == 3


@pytest.mark.parametrize(
    "name", ["aé", "éa", "xaéy", "xabé", "éaéb", "ab", "xaby", "a", "é", "日本語", "a_b"]
)
def test_every_part_of_a_name_of_two_letters_or_more_finds_it_and_its_first_letter(name: str) -> None:
    with holding({"a": of(one(name)), "b": of(one("zzz"))}) as reader:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                expected = [name] if end - start > 1 or start == 0 or name[start] == name[0] else []
                assert names(reader.find(name[start:end])) == expected


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_a_part_of_a_name_folds_to_a_part_of_the_folded_name(before: str, middle: str, after: str) -> None:
    folded = records.fold(before) + records.fold(middle) + records.fold(after)
    assert records.fold(before + middle + after) == folded
    assert records.fold(records.fold(middle)) == records.fold(middle)


def test_an_empty_question_is_every_definition_and_an_empty_exact_one_none() -> None:
    with holding({"b": of(one("x")), "a": of(one("y", "doc"), header="said")}) as reader:
        assert names(reader.find("")) == ["y", "x"]
        assert reader.find("", exact=True) == []
        assert names(reader.find("", path="b")) == ["x"]


# --- documentation ------------------------------------------------------------------------------------


def test_documentation_comes_after_names_with_a_snippet() -> None:
    files = {
        "lib/a.py": of(one("take", "Take a token from the bucket."), one("bucket_size", "How large.")),
        "lib/b.py": of(one("Other"), header="Limits rates with a token bucket."),
    }
    with holding(files) as reader:
        assert [(row.path, row.name, row.kind, row.match, row.snippet) for row in reader.find("bucket")] == [
            ("lib/a.py", "bucket_size", "function", "prefix", None),
            ("lib/a.py", "take", "function", "documentation", "Take a token from the bucket."),
            ("lib/b.py", "b.py", "file", "documentation", "Limits rates with a token bucket."),
        ]
        assert names(reader.find("Bucket, token!")) == ["take", "b.py"]
        assert names(reader.find("token bucket", kind="file")) == ["b.py"]
        assert names(reader.find("buck toke")) == ["take", "b.py"]  # nothing better: beginnings of words
        assert reader.find("token bucket", documentation=False) == []
        assert names(reader.find("bucket", documentation=False)) == ["bucket_size"]


def test_documentation_is_left_out_when_a_definition_has_the_name_itself_unless_asked_for() -> None:
    with holding({"a": of(one("take"), one("give", "The reverse of take."))}) as reader:
        assert names(reader.find("take")) == ["take"]
        assert names(reader.find("take", documentation=True)) == ["take", "give"]


def test_documentation_goes_with_its_content_and_its_result(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("a", of(one("f", "before")))], 1.0)
        store.commit([put("a", of(one("f", "after")))], 2.0)
        assert query(store).find("before") == []
        assert names(query(store).find("after")) == ["f"]
        store.commit([Remove(b"a", "event")], 3.0)
        assert query(store).find("after") == []
        assert store.collect(keep=0) == 2
        with store.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM terms_docsize").get == 0
            assert connection.execute("SELECT count(*) FROM pieces").get == 0


def test_records_of_an_older_version_are_found_before_and_after_they_are_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "OLDER_RECORDS", 2)
    monkeypatch.setattr(listing, "WAITING_RECORDS", 0)
    with opened(tmp_path) as store:
        store.commit([put(f"f{number}", of(one(f"n{number}", "Old words."))) for number in range(5)], 1.0)
        with store.writing() as writer:  # as the migration leaves it
            writer.execute("INSERT INTO terms (terms) VALUES ('delete-all')")
            writer.execute("DELETE FROM pieces")
            last = "SELECT max(id) FROM records"
            writer.execute(f"UPDATE meta SET value = ({last}) WHERE key IN ('listed', 'unlisted')")
        store.commit([put("g", of(one("m", "New words.")))], 2.0)
        expected = [*(f"n{number}" for number in range(5)), "m"]
        for left in (5, 3, 1, 0):
            assert store.unlisted() == left
            assert names(query(store).find("words")) == expected
            assert names(query(store).find("n3", exact=True)) == ["n3"]
            assert names(query(store).find("new words")) == ["m"]
            if left:
                store.list_older()
        assert store.list_older() == 0
        assert names(query(store).find("words")) == expected
        with store.snapshot() as connection:
            assert len(list(search.candidates(connection, search.described(["old"], beginnings=False)))) == 5


def test_an_index_from_before_the_search_is_completed_by_the_idle_writer(tmp_path: Path) -> None:
    stored_index.restore(1, tmp_path)
    with opened(tmp_path) as store:
        assert store.unlisted() > 0
        idle = Collection(store, keep_days=30)
        assert idle.step(0.0) > 1  # the first index comes first
        assert idle.status()["unlisted"] == store.unlisted()
        idle.step(60.0)
        assert idle.status()["unlisted"] == store.unlisted() == 0
        assert names(query(store).find("parse_config", exact=True)) == ["parse_config"] * 2
    with opened(tmp_path) as store:
        assert store.unlisted() == 0


def test_what_was_saved_last_is_found_before_and_after_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WAITING_RECORDS", 3)
    with opened(tmp_path) as store:
        expected = []
        for number, listed in enumerate((0, 0, 0, 4, 4, 4, 4, 8)):
            store.commit([put(f"f{number}", of(one(f"n{number}", "Same words.")))], 1.0)
            expected.append(f"n{number}")
            with store.snapshot() as connection:
                assert connection.execute("SELECT count(*) FROM pieces").get == listed
                assert connection.execute("SELECT count(*) FROM terms_docsize").get == listed
            assert names(query(store).find("same words")) == expected
            for name in expected:
                assert names(query(store).find(name, exact=True)) == [name]
        store.commit([put(f"f{number}", of(one("other"))) for number in range(8)], 2.0)
        assert store.collect(keep=0) == 8
        assert query(store).find("same words") == []
    with opened(tmp_path) as store:
        assert len(query(store).find("other", exact=True)) == 8


def test_a_long_record_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "WAITING_BYTES", 300)
    with opened(tmp_path) as store:
        store.commit([put("a", of(one("short")))], 1.0)
        store.commit([put("b", of(one("long", " ".join(map(hex, range(300))))))], 2.0)
        with store.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM pieces").get == 2
        assert names(query(store).find("short")) == ["short"]


def test_damage_in_a_record_that_waits_is_told_by_the_commit_that_meets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "WAITING_RECORDS", 1)
    with opened(tmp_path) as store:
        store.commit([put("a", of(one("first")))], 1.0)
        with store.writing() as writer:
            writer.execute("UPDATE records SET stored = x'00'")
        with pytest.raises(StoreDamagedError, match="record"):
            store.commit([put("b", of(one("second")))], 2.0)


def test_a_failed_step_for_older_records_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_index.restore(2, tmp_path)
    with opened(tmp_path) as store:
        before = store.unlisted()
        with monkeypatch.context() as patched:
            patched.setattr(listing, "_SET", "UPDATE no_such_table SET value = ? WHERE key = ?")
            with pytest.raises(StoreError):
                store.list_older()
        assert store.unlisted() == before
        with store.snapshot() as connection:
            assert connection.execute("SELECT count(*) FROM pieces").get == 0
        assert names(query(store).find("parse_config", exact=True)) == ["parse_config"] * 2


def test_a_snippet_is_short_and_around_the_word() -> None:
    text = f"{'before ' * 40}the needle\n   here {'after ' * 40}"
    shown = ranking.snippet(text, ["needle"])
    assert "the needle here after" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) <= ranking.SNIPPET_CHARACTERS + 4
    assert ranking.snippet(" short\n text ", ["text"]) == "short text"


# --- where --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.py", {"a.py", "d/a.py", "d/e/b.py", "x.d/c.py"}),
        ("d", {"d/a.py", "d/e/b.py", "d/c.h"}),
        ("d/", {"d/a.py", "d/e/b.py", "d/c.h"}),
        ("/a.py", {"a.py"}),
        ("d/*.py", {"d/a.py"}),
        ("d/**/*.py", {"d/a.py", "d/e/b.py"}),
        ("**/e", {"d/e/b.py"}),
        ("?.h", {"d/c.h"}),
        ("a.py/", set()),
        ("[a].py", set()),
        ("x.d", {"x.d/c.py"}),
        ("xxd", set()),
    ],
)
def test_a_glob_means_files_as_in_an_ignore_file(glob: str, found: set[str]) -> None:
    paths = ["a.py", "d/a.py", "d/e/b.py", "d/c.h", "x.d/c.py"]
    matches = ranking.paths(glob)
    assert {path for path in paths if matches(path)} == found


def test_the_same_through_an_index_of_real_files(
    git_repo: GitRepo, capsys: pytest.CaptureFixture[str]
) -> None:
    (git_repo.root / "lib").mkdir()
    (git_repo.root / "lib/rates.py").write_text('def take():\n    """Take a token out of the bucket."""\n')
    (git_repo.root / "other.py").write_text('def give():\n    """Put a token into the bucket."""\n')
    with currant.open(git_repo.root, live=False) as index:
        assert sorted(names(index.find("token bucket"))) == ["give", "take"]
        assert names(index.find("token bucket", path="lib/")) == ["take"]
        assert names(index.find("taek")) == ["take"]
    status = run(["find", "bucket token", "--path", "lib", "--root", str(git_repo.root)])
    assert status == 0
    assert capsys.readouterr().out == (
        "lib/rates.py:1  function  take  def take()\n    Take a token out of the bucket.\n"
    )
    assert run(["find", "taek", "--json", "--root", str(git_repo.root)]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["definitions"][0]["match"] == "typo"
    assert run(["find", "take", "--docs", "--root", str(git_repo.root)]) == 0


# --- opening pieces -----------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    st.builds(of, SYMBOLS, SYMBOLS, SYMBOLS, header=st.none() | DOCS, language=LANGUAGES),
    st.lists(st.text(LETTERS, max_size=3), min_size=1, max_size=3),
    st.none() | st.sampled_from(["function", "f", "file"]),
    st.none() | st.sampled_from(["python", "c"]),
)
def test_the_core_leaves_out_only_definitions_that_cannot_be_meant(
    content: Record, parts: list[str], kind: str | None, language: str | None
) -> None:
    lines = [
        f"{start}{records.fold(part)}{end}" for part in parts for start in ("", "\n") for end in ("", "\n")
    ]
    for line in lines:
        text = _core.select(records.encode(content), [line], kind, language)
        chosen = [] if text is None else records.decode_json(text).symbols
        meant = [
            symbol
            for symbol in content.symbols
            if line in f"\n{records.fold(symbol.name)}\n"
            and kind in (None, symbol.kind)
            and language in (None, content.language)
        ]
        assert [symbol for symbol in chosen if symbol in meant] == meant
        if all(symbol.name.isascii() and symbol.name.isprintable() for symbol in content.symbols):
            escaped = any(letter in symbol.name for symbol in content.symbols for letter in '"\\')
            assert chosen == meant or escaped


def test_a_damaged_piece_is_an_error_of_the_index(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit([put("a", of(one("take")))], 1.0)
        with store.writing() as writer:
            writer.execute("UPDATE records SET stored = substr(stored, 1, length(stored) - 6)")
        with pytest.raises(StoreDamagedError, match="record"):
            query(store).find("take")


@settings(max_examples=300, deadline=None)
@given(st.text("aAbB1_ -\u00df\u0130\n", min_size=2, max_size=10), st.integers(0, 8), st.integers(2, 4))
def test_a_word_is_found_wherever_one_begins(name: str, at: int, length: int) -> None:
    wanted = records.fold(name[at : at + length])
    rank = ranking.of_name(name, wanted + "\0", wanted)
    if len(wanted) >= 2 and rank in (ranking.WORD, ranking.PART):
        words = [records.fold(name[match.start() :]) for match in ranking._WORD_STARTS.finditer(name)]
        assert (rank == ranking.WORD) == any(word.startswith(wanted) for word in words)


def test_an_answer_does_not_depend_on_what_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_ENOUGH", 3)
    monkeypatch.setattr(finding, "_FEW", 0)
    # The letters of `abcdef` are all in the second kind of file, the name is not: a candidate that is none.
    part, none, word = of(one("xabcdef")), of(one("abcde"), one("bcdef")), of(one("x_abcdef"))
    files = {f"{number}.py": content for number, content in enumerate((part, none, none, word))}
    with holding(files) as cold:
        told = [names(cold.find(name, limit=limit)) for name in ("abcdef", "bcdef") for limit in (1, 2, 4)]
    with holding(files) as warm:
        for path in files:
            warm.show(path)
        again = [names(warm.find(name, limit=limit)) for name in ("abcdef", "bcdef") for limit in (1, 2, 4)]
    assert again == told
