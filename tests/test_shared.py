"""Results that indexes share: what is taken from there, what never goes there, and that none is needed."""

import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

import currant
from conftest import GitRepo
from currant.extract import OutlineExtractor, Registry
from currant.model import Record, ResultKey, Symbol
from currant.store import SharedResults
from currant.store import shared as shared_module
from store_kit import key, overwrite, record

SECRET = "def hidden(): pass\n# -----BEGIN PRIVATE KEY-----\n"


def index(root: Path, cache: Path | None, **flags: Any) -> dict[str, Any]:
    """Index a tree once; its status."""
    named = {} if cache is None else {"extract.shared_cache": str(cache)}
    with currant.open(root, live=False, flags={**named, **flags}) as opened:
        opened.sync(60)
        names = {one.name for one in opened.find("", limit=100)}
        status = opened.status()
    return {**status, "names": names}


def calls(status: dict[str, Any]) -> tuple[int, int]:
    return status["stats"]["extractor_calls"], status["stats"]["shared_results"]


@pytest.fixture
def repo(git_repo: GitRepo) -> GitRepo:
    """Three contents in four files, and a secret."""
    git_repo.write(
        {"a.py": "def one(): pass\n", "b.py": "def two(): pass\n", "copy/a.py": "def one(): pass\n"}
    )
    git_repo.write({"notes.txt": "words\n", "key.py": SECRET})
    git_repo.commit()
    return git_repo


def test_a_second_worktree_and_a_clone_extract_only_what_nobody_has_seen(
    repo: GitRepo, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "shared.db"
    assert calls(index(repo.root, cache)) == (4, 0)
    repo.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "worktree"))
    (tmp_path / "worktree" / "new.py").write_text("def three(): pass\n")
    status = index(tmp_path / "worktree", cache)
    assert calls(status) == (2, 3)  # the new file and the secret
    assert {"one", "two", "three"} <= status["names"]
    repo.git("clone", "--quiet", str(repo.root), str(tmp_path / "clone"))
    assert calls(index(tmp_path / "clone", cache)) == (1, 3)  # the secret, as ever


def test_what_is_taken_over_says_the_same_as_what_is_extracted(repo: GitRepo, tmp_path: Path) -> None:
    def said(root: Path, cache: Path | None) -> dict[str, Any]:
        index(root, cache)
        with currant.open(root, live=False) as opened:
            return {path: (view := opened.show(path)) and view.record for path in opened.files()}

    shutil.copytree(repo.root, tmp_path / "plain")
    expected = said(tmp_path / "plain", None)
    for name in ("first", "second"):
        shutil.copytree(repo.root, tmp_path / name, ignore=shutil.ignore_patterns(".currant"))
        assert said(tmp_path / name, tmp_path / "shared.db") == expected


def test_no_path_and_no_secret_is_in_it(repo: GitRepo, tmp_path: Path) -> None:
    cache = tmp_path / "shared.db"
    for mode in ("list", "extract"):
        index(repo.root, cache, **{"extract.secrets": mode})
        shutil.rmtree(repo.root / ".currant")
    with apsw.Connection(str(cache)) as connection:
        rows = connection.execute("SELECT extractor, stored FROM results").fetchall()
    connection.close()
    texts = [repr(shared_module.records.decode(stored)[0]) for _, stored in rows]
    assert len(rows) == 3
    assert not any("secret" in extractor for extractor, _ in rows)
    assert not any(word in text for word in ("hidden", "a.py", "copy", "notes.txt") for text in texts)
    assert os.stat(cache).st_mode & 0o777 == 0o600


def results(path: Path, **rest: Any) -> SharedResults:
    return SharedResults(path, max_mb=rest.pop("max_mb", 16), root=path.parent / "elsewhere", **rest)


def filled(path: Path) -> Path:
    made = results(path)
    made.offer(key(1), record("f"))
    made.close()
    return path


def _garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all " * 100)


def _foreign(path: Path) -> None:
    with apsw.Connection(str(path)) as connection:
        connection.execute("CREATE TABLE photos (a)")
    connection.close()


def _newer(path: Path) -> None:
    connection = apsw.Connection(str(filled(path)))
    connection.pragma("user_version", 99)
    connection.close()


def _writable(path: Path) -> None:
    filled(path).chmod(0o666)


def _link(path: Path) -> None:
    path.symlink_to(filled(path.with_name("target.db")))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (_garbage, "damaged"),
        (_foreign, "something else"),
        (_newer, "a newer Currant"),
        (_writable, "others may write it"),
        (_link, "no regular file"),
        (lambda path: path.mkdir(), "no regular file"),
    ],
)
def test_a_file_that_must_not_be_used_is_left_alone_with_a_note(
    repo: GitRepo, tmp_path: Path, spoil: Callable[[Path], None], word: str
) -> None:
    cache = tmp_path / "shared.db"
    spoil(cache)
    before = cache.read_bytes() if cache.is_file() else b""
    status = index(repo.root, cache)
    assert calls(status) == (4, 0)
    [note] = status["notes"]
    assert note["code"] == "shared_cache"
    assert word in note["what"]
    assert word in status["shared_cache"]["problem"]
    assert (cache.read_bytes() if cache.is_file() else b"") == before


def test_a_file_in_the_indexed_tree_or_by_a_relative_path_is_not_used(repo: GitRepo, tmp_path: Path) -> None:
    """In the tree, each commit would be a change to be committed."""
    assert "in the tree" in index(repo.root, repo.root / "shared.db")["shared_cache"]["problem"]
    assert not (repo.root / "shared.db").exists()
    assert "absolute" in index(repo.root, Path("shared.db"))["shared_cache"]["problem"]


def test_a_file_of_an_older_version_is_used_and_says_that_it_is_newer_now(tmp_path: Path) -> None:
    path = filled(tmp_path / "shared.db")
    with apsw.Connection(str(path)) as connection:
        connection.pragma("user_version", 1)
        text = msgspec.json.encode(record("g"))
        stored, one = zlib.compress(text, 1), key(1)
        digest = shared_module._digest(one, stored)
        connection.execute("UPDATE results SET stored = ?, digest = ?", (stored, digest))
    connection.close()
    again = results(path)
    assert again.get(key(1)) == record("g")
    again.close()
    with apsw.Connection(str(path)) as connection:
        assert connection.pragma("user_version") == shared_module.VERSION
    connection.close()


def test_a_row_that_was_changed_or_has_another_ones_record_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "shared.db")
    with apsw.Connection(str(path)) as connection:
        connection.execute("UPDATE results SET language = 'c'")
    connection.close()
    again = results(path)
    assert again.get(key(1)) is None
    assert again.get(key(1, "c")) is None
    again.offer(key(1, "c"), record("g", language="c"))
    again.flush()
    assert again.get(key(1, "c")) == record("g", language="c")
    assert again.status()["refused"] == 1
    again.close()


def test_a_record_that_cannot_be_of_its_content_is_refused_and_extracted(tmp_path: Path) -> None:
    from currant.service import Service
    from pipeline_double import outline_lines

    root, cache = tmp_path / "root", tmp_path / "shared.db"
    root.mkdir()
    (root / "x.py").write_text("def f\n")
    registry = Registry([OutlineExtractor(outline_lines, [("python", "1")])], max_file_mb=1)
    import xxhash

    content = xxhash.xxh3_128_digest(b"def f\n")
    forged = results(cache)
    beyond = Record("python", [Symbol("evil", "function", None, 1, 500, "", "")], [])
    forged.offer(ResultKey(content, "python", "outline/2:python-1"), beyond)
    forged.close()
    from currant.config import ExtractSettings, Settings

    settings = Settings(extract=ExtractSettings(shared_cache=str(cache)))
    with Service(root, settings, live=False, registry=registry) as service:
        assert service.sync(60).fresh
        assert [found.name for found in service.query.find("")] == ["f"]
        told = service.get_status()["shared_cache"]
    assert (told["hits"], told["refused"]) == (0, 1)


def test_while_another_process_writes_nothing_waits_and_the_results_follow_later(tmp_path: Path) -> None:
    path = filled(tmp_path / "shared.db")
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    made = results(path)
    assert made.problem is None
    made.offer(key(2), record("g"))
    made.flush()
    assert (made.get(key(1)), made.get(key(2))) == (record("f"), None)
    other.execute("ROLLBACK")
    other.close()
    made.flush()
    assert made.get(key(2)) == record("g")
    made.close()


def test_damage_met_later_ends_its_use_and_nothing_else(tmp_path: Path) -> None:
    path = filled(tmp_path / "shared.db")
    made = results(path)
    overwrite(path, 0, os.urandom(path.stat().st_size))
    made._reader.pragma("cache_size", 0)  # type: ignore[union-attr]
    assert made.get(key(3)) is None
    made.offer(key(3), record("h"))
    made.flush()
    assert made.status()["written"] == 0
    made.close()


def test_it_stays_below_its_size_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    made = results(path, max_mb=1)
    for number in range(60):
        text = os.urandom(32 << 10).hex()
        made.offer(key(number), Record("c", [], [text]))
        made.flush()
    assert path.stat().st_size < 2 << 20
    assert made.get(key(0)) is None
    assert made.get(key(59)) is not None
    assert made.status()["problem"] is None
    made.close()


def test_two_processes_that_fill_it_at_once_both_finish_and_a_third_takes_everything(tmp_path: Path) -> None:
    cache = tmp_path / "shared.db"
    roots = [tmp_path / name for name in ("one", "two", "three")]
    for root in roots:
        root.mkdir()
        for number in range(200):
            (root / f"m{number}.py").write_text(f"def f{number}(): pass\n")
    command = [sys.executable, "-m", "currant", "index", "--json", "--set", f"extract.shared_cache={cache}"]

    def told(process: subprocess.Popen[bytes]) -> dict[str, Any]:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answer: dict[str, Any] = json.loads(out)
        return answer

    both = [
        subprocess.Popen([*command, str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for root in roots[:2]
    ]
    for answer in map(told, both):
        assert answer["extractor_calls"] + answer["shared_results"] == 200
    third = told(subprocess.Popen([*command, str(roots[2])], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    assert (third["extractor_calls"], third["shared_results"]) == (0, 200)
