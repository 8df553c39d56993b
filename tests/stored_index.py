"""Index files of each released schema, kept as text in ``tests/data/index-v<N>.sql``.

Made once, by the version that had that schema, and never edited: what an upgrade meets at a user's is a file
that an old program wrote. After raising `schema.VERSION`, check out the commit before and run
``python tests/stored_index.py`` there if its file is missing; then run it on the new one.
"""

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import apsw
import apsw.shell
import msgspec
from msgspec.structs import replace

from currant.model import Failure, FileStat, MoveTree, Reference, Remove
from currant.query import Query
from currant.store import Store, schema
from store_kit import opened, query, upsert

DATA = Path(__file__).parent / "data"
_PLACE = "INSERT INTO meta VALUES('place',"  # where it lay: restored elsewhere, it would be a copy
UUID = "00112233445566778899aabbccddeeff"


def stored(version: int) -> Path:
    """Where the file of that schema is kept."""
    return DATA / f"index-v{version}.sql"


def work(store: Store, version: int) -> None:
    """A little of everything that an index of this schema can hold."""
    with store._writer:
        store._writer.execute("UPDATE meta SET value = ? WHERE key = 'uuid'", (UUID,))
    names = tuple(f"generated_{number}" for number in range(300))  # more than one piece
    store.commit([upsert(b"src/a.py", "a", names=("parse_config", "main"), ino=(1 << 64) - 5)], 1.0)
    store.commit([upsert(b"src/big.py", "big", names=names), upsert(b"src/copy.py", "a", reuse=True)], 2.0)
    store.commit([upsert(b"src/bad\xff\n.py", "bytes", names=("h\u00e9llo",), racy=True)], 3.0)
    stat = FileStat(7, 8, 9, 10)
    store.commit([Failure(b"src/denied.py", stat, "permission denied", 2, 99.5, "event")], 4.0)
    store.commit([upsert(b"old/x.py", "x", names=("moved_one",)), upsert(b"old/y.py", "y")], 5.0)
    store.commit([MoveTree(b"old", b"new", "event"), Remove(b"new/y.py", "event")], 6.0)
    store.commit([upsert(b"src/b.py", "a", reuse=True, old_path=b"src/copy.py", seen_at=9.0)], 7.0)
    if version >= 2:
        item = upsert(b"docs/plan.md", "plan", names=("Plan",))
        assert item.record is not None
        told = msgspec.structs.replace(
            item.record,
            facts={"tasks": {"done": 1, "open": 2}},
            references=[Reference("link", "../src/a.py", 3), Reference("include", "stdio.h", 4)],
        )
        store.commit([replace(item, record=told)], 8.0)
        store.commit([upsert(b"src/gone.py", "gone")], 8.0)
        store.commit([Remove(b"src/gone.py", "event")], 8.0)
        store.sweep(0, 8.0, 86_400.0)
    if version >= 3:  # records that the index of terms knows, and one that waits for it
        many = [upsert(b"many/%d.py" % at, f"many {at}", names=(f"named_{at}",)) for at in range(40)]
        store.commit(many, 9.0)
        store.commit([upsert(b"many/last.py", "last", names=("named_last",))], 10.0)


def seen(store: Store, reader: Query) -> dict[str, Any]:
    """Everything that can be asked of an index, in plain values."""
    files = reader.files()
    return {
        "clock": store.clock(),
        "rows": store.tree_rows(),
        "files": files,
        "views": [repr(reader.show(path.decode(errors="surrogateescape"))) for path in files],
        "why": [repr(reader.why(path.decode(errors="surrogateescape"))) for path in files],
        "unused": store.sweep(0, 10.0, 86_400.0),
        "failures": repr(reader.failures(10)),
        "counts": reader.counts(),
        "found": [
            repr(reader.find(name))
            for name in ("parse", "generated_299", "H\u00c9LLO", "m", "moved_one", "named_7", "named_last")
        ],
        "feed": repr(reader.changes(store.clock().rpartition(":")[0] + ":0", limit=100)),
    }


def make(state_dir: Path, version: int = schema.VERSION) -> dict[str, Any]:
    """Fill a new index with what one of `version` can hold; what it says."""
    with opened(state_dir) as store:
        work(store, version)
    with opened(state_dir) as store:  # under the identity that `work` has given it
        return seen(store, query(store))


def dump(path: Path) -> str:
    """A closed index as SQL, with what tells its version."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    out = io.StringIO()
    apsw.shell.Shell(db=connection, stdout=out).process_command(".dump")
    version = schema.version_of(connection)
    connection.close()
    body = [line for line in out.getvalue().splitlines() if not line.startswith(("--", _PLACE))]
    marks = [f"PRAGMA application_id = {schema.APPLICATION_ID};", f"PRAGMA user_version = {version};"]
    return "\n".join([*body, *marks]) + "\n"


def restore(version: int, state_dir: Path) -> Path:
    """The index file of that schema, as its Currant left it."""
    path = state_dir / "index.db"
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    connection.execute(stored(version).read_text())
    connection.close()
    return path


if __name__ == "__main__":
    target = stored(schema.VERSION)
    if target.exists():
        sys.exit(f"{target} is there already: a stored index is never made anew")
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        DATA.mkdir(exist_ok=True)
        target.write_text(dump(Path(folder) / "index.db"))
    print(target)
