"""docs/ against the program: every key of the status, every exit status, every method of the socket."""

import re
from pathlib import Path

from currant import errors
from currant.api import AsyncIndex, Index, open_index
from currant.ipc import server, wire
from currant.ipc.methods import METHODS

DOCS = Path(__file__).resolve().parent.parent / "docs"


def words(document: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall(r"`([^`\n]+)`", (DOCS / document).read_text()))


def test_the_status_document_has_every_key_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with open_index(tmp_path, sync_ms=60_000) as index:
        index.sync(60)
        told = index.status()
    named = words("status.md")
    keys = (
        told.keys()
        | told["stats"].keys()
        | told["engine"].keys()
        | told["cache"].keys()
        | told["index"].keys()
    )
    assert keys - named - {"stats", "engine"} == set()
    columns = re.findall(r"^\| (`.*?) \|", (DOCS / "status.md").read_text(), re.M)
    assert {word for column in columns for word in re.findall(r"`(\w+)`", column)} - keys == set()


def test_every_exit_status_of_an_error_is_documented() -> None:
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.CurrantError)
    }
    text = (DOCS / "cli.md").read_text()
    assert {str(code) for code in codes} - set(re.findall(r"^\| (\d+)", text, re.M)) == set()


def test_every_method_and_limit_of_the_socket_is_documented() -> None:
    named = words("socket.md")
    assert {*METHODS, "follow"} - named == set()
    for method in METHODS.values():
        assert method.params.keys() - named == set()
    text = (DOCS / "socket.md").read_text()
    for number in (
        f"{wire.PART_ROWS:,} rows",
        f"{server.MAX_CONNECTIONS} connections",
        "1 MiB",
        f"{server.SEND_TIMEOUT_SECONDS} s",
    ):
        assert number in text
    assert wire.MAX_REQUEST == 1 << 20


def test_every_public_name_of_an_index_is_documented() -> None:
    named = {re.split(r"[(.]", word)[0] for word in words("python.md")}
    for kind in (Index, AsyncIndex):
        public = {name for name in vars(kind) if not name.startswith("_")}
        assert public - {"close", "index", "service"} - named == set()
