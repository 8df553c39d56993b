"""What a symbol query costs, in processor time: ``python benches/find_latency.py --state-dir DIR``.

DIR holds an index that is not in use (``currant index TREE --state-dir DIR``). Questions are drawn from
the index itself with a fixed seed: names by how many definitions they have, beginnings and parts of names,
typing errors, words of documentation, with and without filters. Each is asked once, with an empty cache of
decoded records, in one thread whose processor time is read before and after; what else the machine does is
not in it.

``--save FILE`` keeps a digest of every answer, ``--compare FILE`` says which differ from it.
``--warm`` keeps the cache.
Prints a Markdown table.
"""

import argparse
import collections
import hashlib
import json
import random
import time
import zlib
from pathlib import Path
from typing import Any

from currant import _core, packed
from currant.cache import MetadataCache
from currant.clock import SystemClock
from currant.model import Record
from currant.query import Query
from currant.store import Store, records, search

Question = tuple[str, str, dict[str, Any]]
"""(class of question, name, options of `Query.find`)."""

COMMON = ["init", "probe", "main", "read", "get", "data", "flags", "reset", "lock", "error", "name", "size"]
WORDS = [
    "free the",
    "reference count",
    "must hold lock",
    "deprecated",
    "power management",
    "interrupt",
    "dma",
]
PATHS = ["drivers/", "/fs/ext4/", "*.h", "include/**/*.h", "/tools/", "/kernel/sched/core.c"]
SAMPLE = 3000  # pieces of records that questions are drawn from


class Counted:
    """Stands for what opens records, and keeps what it was given."""

    error = zlib.error
    compress = staticmethod(zlib.compress)
    crc32 = staticmethod(zlib.crc32)

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self._select = getattr(_core, "select", None)

    def decompress(self, stored: bytes) -> bytes:
        self.given.append(stored)
        return zlib.decompress(stored)

    def select(self, stored: bytes, *wanted: Any) -> bytes | None:
        self.given.append(stored)
        return self._select(stored, *wanted) if self._select else None

    def bytes(self) -> int:
        return sum(len(zlib.decompress(stored)) for stored in self.given)


def sampled(store: Store, source: random.Random) -> list[Record]:
    with store.snapshot() as connection:
        ids = [number for (number,) in connection.execute("SELECT id FROM records")]
        chosen = source.sample(ids, min(SAMPLE, len(ids)))
        sql = "SELECT stored FROM records WHERE id = ?"
        return [records.decode(connection.execute(sql, (number,)).get)[0] for number in chosen]


def questions(found: list[Record], source: random.Random, each: int) -> list[Question]:
    counts = collections.Counter(symbol.name for record in found for symbol in record.symbols)
    names = sorted(name for name in counts if name.isascii() and len(name) > 3)
    once = [name for name in names if counts[name] == 1]
    some = [name for name in names if 2 <= counts[name] <= 4]
    many = [name for name in names if counts[name] > 4]
    words = sorted(
        {
            word
            for record in found
            for symbol in record.symbols
            for word in records.words(symbol.doc)
            if len(word) > 3
        }
    )
    functions = sorted(
        {symbol.name for record in found for symbol in record.symbols if symbol.kind == "function"}
    )
    out: list[Question] = []

    def add(group: str, name: str, **options: Any) -> None:
        out.append((group, name, options))

    for name in source.sample(once, each * 2):
        add("name, rare", name)
    for name in source.sample(some, min(each, len(some))):
        add("name, in some files", name)
    for name in [*COMMON, *source.sample(many, min(each, len(many)))]:
        add("name, common", name)
        add("name, exact", name, exact=True)
        add("name, kind or language", name, kind="function")
        add("name, kind or language", name, language="c")
        add("name, path", name, path=source.choice(PATHS))
    for name in source.sample(once, each):
        add("name, exact", name, exact=True)
        add("name, kind or language", name, kind=source.choice(["function", "constant", "struct"]))
        add("name, path", name, path=source.choice(PATHS))
    for name in source.sample(functions, each):
        add("beginning", name[: source.randint(2, max(2, len(name) - 1))])
    for name in source.sample(names, each * 2):
        start = source.randint(1, len(name) - 2)
        add("part", name[start : start + source.randint(2, 8)])
    for name in source.sample(names, each):
        start = source.randint(1, len(name) - 2)
        asked = name[start : start + source.randint(3, 8)]
        add("part, filtered", asked, kind="function", limit=20)
        add("part, filtered", asked, path=source.choice(PATHS), documentation=False)
    for name in source.sample([name for name in names if len(name) > 5], each):
        at = source.randint(1, len(name) - 2)
        swapped = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        add("typing error", source.choice([swapped, name[:at] + name[at + 1 :], name[:at] + "q" + name[at:]]))
    for word in [*WORDS, *source.sample(words, each)]:
        add("documentation", word, documentation=True)
    for _ in range(each):
        add("documentation", " ".join(source.sample(words, 2)))
    return out


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def line(kind: str, rows: list[dict[str, float]]) -> str:
    times = [row["ms"] for row in rows]
    shares = " | ".join(f"{percentile(times, share):.2f}" for share in (0.5, 0.9, 0.99))

    def of(name: str, unit: float = 1) -> str:
        values = [row[name] / unit for row in rows]
        return f"{percentile(values, 0.5):,.0f} / {percentile(values, 0.99):,.0f}"

    return (
        f"| {kind} | {len(rows):,} | {shares} | {max(times):.2f} "
        f"| {of('looked')} | {of('opened')} | {of('decoded')} | {of('bytes', 1024)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--each", type=int, default=80)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--slowest", type=int, default=0)
    given = parser.parse_args()
    source = random.Random(given.seed)
    store = Store.open(given.state_dir, clock=SystemClock())
    asked = questions(sampled(store, source), source, given.each)
    source.shuffle(asked)
    opened, decoded = Counted(), [0]
    looked = [0]
    records.zlib = packed.zlib = opened  # type: ignore[assignment, attr-defined]
    _core.select = opened.select  # type: ignore[assignment]
    decode = packed.decode_json

    def counting(text: bytes) -> Record:
        decoded[0] += 1
        return decode(text)

    packed.decode_json = records.decode_json = counting  # type: ignore[attr-defined]
    for name in ("candidates", "few"):
        if hasattr(search, name):
            setattr(search, name, _counted(getattr(search, name), looked))

    cache = MetadataCache(64 << 20)
    query = Query(store, cache)
    query.find("warmup")
    rows: list[dict[str, Any]] = []
    answers: dict[str, str] = {}
    for kind, name, options in asked:
        if not given.warm:
            cache.clear()
        opened.given = []
        decoded[0] = looked[0] = 0
        before = time.thread_time_ns()
        found = query.find(name, **options)
        took = (time.thread_time_ns() - before) / 1e6
        rows.append(
            {
                "kind": kind,
                "asked": f"{name!r} {options}",
                "ms": took,
                "looked": looked[0],
                "opened": len(opened.given),
                "decoded": decoded[0],
                "bytes": opened.bytes(),
            }
        )
        answers[f"{name!r} {options}"] = hashlib.blake2b(repr(found).encode(), digest_size=8).hexdigest()
    store.close()
    print("| question | asked | p50 ms | p90 ms | p99 ms | max ms | candidates | opened | decoded | KiB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for kind in sorted({row["kind"] for row in rows}):
        print(line(kind, [row for row in rows if row["kind"] == kind]))
    print(line("**all**", rows))
    for row in sorted(rows, key=lambda row: -row["ms"])[: given.slowest]:
        print(row)
    if given.save:
        given.save.write_text(json.dumps(answers))
    if given.compare:
        before_answers = json.loads(given.compare.read_text())
        differing = [one for one, digest in answers.items() if before_answers.get(one) != digest]
        print(f"\n{len(answers):,} answers, {len(differing)} differ", *differing[:10], sep="\n")


def _counted(function: Any, count: list[int]) -> Any:
    """`function`, which gives candidates, with those that were taken counted."""

    def taken(rows: Any) -> Any:
        for row in rows:
            count[0] += 1
            yield row

    def counting(*given: Any, **options: Any) -> Any:
        rows = function(*given, **options)
        return None if rows is None else taken(rows)

    return counting


if __name__ == "__main__":
    main()
