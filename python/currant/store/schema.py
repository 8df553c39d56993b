"""Owns the tables of index.db and how an older one becomes a newer one.

Migrations are numbered from 1 and never edited once released; each runs in its own transaction together
with the version it reaches, so a crash leaves the one before or the one after.
"""

from typing import Final

import apsw

# "curr" in ASCII: tells our file from any other SQLite file that strayed into the state directory.
APPLICATION_ID: Final = 0x63757272

_FIRST = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE extractors (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

-- Content-addressed, no path inside. Ids are never used twice: caches and readers may hold one.
CREATE TABLE results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content BLOB NOT NULL CHECK (length(content) = 16),
  language TEXT NOT NULL,
  extractor_id INTEGER NOT NULL REFERENCES extractors (id),
  symbols INTEGER NOT NULL,
  created_at REAL NOT NULL,
  UNIQUE (content, language, extractor_id)
) STRICT;

-- What a result says, in pieces of some hundred definitions: generated headers have tens of thousands, and
-- a search must not decode them all. id = result * 4096 + piece.
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  stored BLOB NOT NULL
) STRICT;

-- Clustered by path: a directory is one range, a listing is one scan, a changed file is one page.
CREATE TABLE files (
  path BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  ino INTEGER NOT NULL,
  result_id INTEGER REFERENCES results (id),
  state TEXT NOT NULL CHECK (state IN ('ok', 'failed')),
  racy INTEGER NOT NULL CHECK (racy IN (0, 1)),
  reason TEXT,
  attempts INTEGER NOT NULL,
  retry_at REAL,
  cause TEXT NOT NULL,
  seen_at REAL NOT NULL,
  committed_seq INTEGER NOT NULL,
  reused_from BLOB,
  CHECK ((state = 'ok') = (result_id IS NOT NULL)),
  CHECK ((state = 'failed') = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_result ON files (result_id) WHERE result_id IS NOT NULL;
CREATE INDEX files_failed ON files (path) WHERE state = 'failed';

CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  path BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'modified', 'deleted', 'renamed')),
  old_path BLOB,
  at REAL NOT NULL,
  CHECK ((kind = 'renamed') = (old_path IS NOT NULL))
) STRICT;

-- Kept by every commit, so that status never has to count: indexed files and their definitions.
CREATE TABLE tally (
  language TEXT PRIMARY KEY,
  files INTEGER NOT NULL,
  symbols INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which records (rowid = records.id) hold a name with these three letters. Text is folded before it comes
-- here, so the tokenizer must not fold again. No positions: candidates are verified against the record.
-- FTS5's own merge settings stay: with 100,000 files, automerge 8 and 16 wrote less in the first index, but
-- single commits of 29 and 136 MB came later, against at most 4 MB.
CREATE VIRTUAL TABLE names USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);

INSERT INTO meta (key, value) VALUES ('uuid', lower(hex(randomblob(16)))), ('floor', '0');
"""

_SECOND = """
-- projects: what annotators say of a result, by name, for questions about many files at once. JSON.
CREATE TABLE facts (
  result_id INTEGER NOT NULL REFERENCES results (id),
  name TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (result_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_by_name ON facts (name);

-- find: the words of the documentation of each record (rowid = records.id), folded and split before they come
-- here; the tokenizer finds the same words again. Candidates are verified against the record.
CREATE VIRTUAL TABLE documentation USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
-- Records up to this id were stored before there was this table; they get into it a few at a time, the newest
-- first (maintenance.document), and count as candidates of every search until then.
INSERT INTO meta (key, value)
SELECT 'undocumented', CAST(max(id) AS TEXT) FROM records HAVING count(*) > 0;

-- plugins: results that no file has, and since when that was noticed (wall time); see maintenance.sweep.
CREATE TABLE unused (
  result_id INTEGER PRIMARY KEY REFERENCES results (id),
  since REAL NOT NULL
) STRICT;

-- graph: what a result names; key is what the other direction looks it up by (store/references.py).
CREATE TABLE refs (
  result_id INTEGER NOT NULL REFERENCES results (id),
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT,
  target TEXT NOT NULL,
  line INTEGER NOT NULL,
  quiet INTEGER NOT NULL CHECK (quiet IN (0, 1)),
  PRIMARY KEY (result_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX refs_by_key ON refs (key) WHERE key IS NOT NULL;
"""

# Of ASCII all but what is in no term, newlines and most other control characters. Letters and digits need not
# be named.
_TERM_CHARACTERS: Final = "\t\x02\x03\x04\x05 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f"
_TOKENIZER: Final = "ascii tokenchars '" + _TERM_CHARACTERS.replace("'", "''") + "'"

_THIRD: Final = """
-- find: which records (by terms.rowid) hold a term: parts of names, whole names as a checksum, kinds, the
-- language, words of documentation. Each is on a line of its own when it comes here (store/records.py). No
-- positions: candidates are verified against the record. Ids of records are far apart, since a result may
-- have many; lists of numbers that are close together are half as long.
CREATE TABLE pieces (
  id INTEGER PRIMARY KEY,
  record_id INTEGER NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE terms USING fts5 (
  text, content = '', contentless_delete = 1, detail = none, tokenize = "<TOKENIZER>"
);
-- The default of 1 MB makes twice as many segments to merge, and larger single commits.
INSERT INTO terms (terms, rank) VALUES ('hashsize', 2097152);

-- Records after 'listed' are not there yet: a save alone does not write to it (store/listing.py). Those up to
-- 'unlisted' were stored before there was this table; they get into it a few at a time, the newest first.
-- Both count as candidates of every search.
INSERT INTO meta (key, value) SELECT 'listed', CAST(coalesce(max(id), 0) AS TEXT) FROM records;
INSERT INTO meta (key, value) SELECT 'unlisted', CAST(coalesce(max(id), 0) AS TEXT) FROM records;
DELETE FROM meta WHERE key = 'undocumented';
DROP TABLE names;
DROP TABLE documentation;
""".replace("<TOKENIZER>", _TOKENIZER.replace('"', '""'))

_FOURTH: Final = """
-- New records are under zstd; those under zlib stay. No table differs, but a Currant that knows no zstd must
-- not take these records for damaged ones.
"""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST, _SECOND, _THIRD, _FOURTH)
VERSION: Final = len(MIGRATIONS)


def version_of(connection: apsw.Connection) -> int:
    """The schema an open index has; 0 for an empty file."""
    return int(connection.pragma("user_version"))


def migrate(connection: apsw.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> int:
    """Bring an index up to date; returns the version it had.

    Raises apsw.Error with the version before the failing step intact.
    """
    found = version_of(connection)
    if found < 0:  # no version of ours was
        raise apsw.CorruptError(f"its schema has the version {found}")
    for number in range(found + 1, len(migrations) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for _ in connection.execute(migrations[number - 1]):
                pass
            connection.pragma("user_version", number)
            connection.pragma("application_id", APPLICATION_ID)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    return found


def settle(connection: apsw.Connection, place: str, *, anew: bool) -> None:
    """Have the index know which file it is. A copy, or one put back from a copy, is another index from here
    on: a clock of the one would say something else in the other. So is one that may have lost commits
    (`anew`): their numbers are given out again. Raises apsw.Error."""
    known = connection.execute("SELECT value FROM meta WHERE key = 'place'").get
    if known == place and not anew:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('place', ?)", (place,))
        if anew or known is not None:
            connection.execute("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'uuid'")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


# Not the planner's statistics, which come and go (store.upkeep).
_TABLES: Final = """
SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_stat[14]'"""


def is_as_made(connection: apsw.Connection) -> bool:
    """Whether the tables are those that the migrations make; a damaged schema may well parse."""
    fresh = apsw.Connection(":memory:")
    try:
        migrate(fresh)
        expected, found = (sorted(map(repr, one.execute(_TABLES))) for one in (fresh, connection))
        return expected == found
    finally:
        fresh.close()
