"""An index whose very first transaction was cut off: SQLite has no log yet but a rollback journal, which
only a connection that may write takes back. A start looked with one that may not, and failed for ever.
"""

import shutil
from pathlib import Path

import apsw

import currant
from conftest import GitRepo
from store_kit import opened


def cut_off(directory: Path, path: Path) -> None:
    """Put at `path` what is on the disk in the middle of a first transaction, journal included."""
    made = directory / "made.db"
    connection = apsw.Connection(str(made))
    connection.execute("CREATE TABLE first (x)")
    connection.execute("BEGIN; CREATE TABLE second (x); INSERT INTO second VALUES (zeroblob(9000))")
    connection.cache_flush()
    for suffix in ("", "-journal"):
        shutil.copyfile(f"{made}{suffix}", f"{path}{suffix}")
    connection.execute("ROLLBACK")
    connection.close()


def test_a_transaction_that_was_cut_off_before_there_was_a_log_is_taken_back(
    git_repo: GitRepo, tmp_path: Path
) -> None:
    git_repo.write({"a.py": "def a(): pass\n"})
    state = git_repo.root / ".currant"
    state.mkdir(mode=0o700)
    cut_off(tmp_path, state / "index.db")
    with currant.open(git_repo.root, live=False) as index:
        index.sync(30)
        assert [found.path for found in index.find("a", exact=True)] == ["a.py"]
        assert index.verify().ok


def test_an_index_killed_while_it_was_made_is_made(tmp_path: Path) -> None:
    """The same with nothing committed: the file is empty again."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    connection = apsw.Connection(str(tmp_path / "made.db"))
    connection.execute("BEGIN; CREATE TABLE second (x); INSERT INTO second VALUES (zeroblob(9000))")
    connection.cache_flush()
    for suffix in ("", "-journal"):
        shutil.copyfile(f"{tmp_path / 'made.db'}{suffix}", f"{state / 'index.db'}{suffix}")
    connection.execute("ROLLBACK")
    connection.close()
    opened(state).close()
