"""What must not become slower without anybody noticing. No test here is about time on a clock.

What runs in Python is counted: calls, by the interpreter's own profiling hook, which gives the same number
on a busy machine. What runs in Rust is compared with a yardstick in the same process: the processor time of
this thread, the best of several rounds taken in turn, beside a regular expression over the same bytes. The
bounds are about three times what was measured for native code, and one and a half times for calls.
docs/benchmarks.md says how they were found.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from currant import _core
from currant.service import Service
from store_kit import opened, upsert

PACKAGE = str(Path(_core.__file__).parent)
YARDSTICK = re.compile(rb"[A-Za-z_]\w*|\d+|\S")
SOURCE = b"".join(
    b"""
/* What number %(n)d of the functions does. */
static int function_%(n)d(struct device *dev, unsigned long flags)
{
\tstruct item_%(n)d *item = container_of(dev, struct item_%(n)d, dev);

\tif (!item || (flags & FLAG_%(n)d))
\t\treturn -EINVAL; /* no such item */
\tfor (int i = 0; i < item->count; i++)
\t\titem->table[i].value = compute(item, "a text with { in it", i);
\treturn item->count;
}

struct item_%(n)d {
\tstruct device dev;
\tint count;
\tstruct { int value; } table[16];
};
#define FLAG_%(n)d (1 << 3)
"""
    % {b"n": number}
    for number in range(300)
)


OUTLINE, RECORD = 0.5, 0.8
"""At most so many times the yardstick. Measured: 0.15 to 0.18, and 0.26 to 0.28."""
COMMIT, RESTART = 110, 0.1
"""At most so many calls for a row, and for a file more. Counted: 72.5, and 0."""


def spent(work: Callable[[], object]) -> float:
    """Processor seconds of this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def beside_the_yardstick(work: Callable[[], object]) -> float:
    """How many times as much processor time as the yardstick, each at its best."""
    ours, yardstick = list[float](), list[float]()
    for _ in range(15):
        ours.append(spent(work))
        yardstick.append(spent(lambda: YARDSTICK.findall(SOURCE)))
    return min(ours) / min(yardstick)


class Calls:
    """Calls of this package's functions, and of built-in ones from them, on the threads that were told."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def hook(self, frame: object, event: str, _: object) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(PACKAGE):  # type: ignore[attr-defined]
            with self._lock:
                self.count += 1


@contextmanager
def counted() -> Iterator[Calls]:
    """Count on this thread, and on threads that are started meanwhile."""
    calls = Calls()
    before = sys.getprofile()
    threading.setprofile(calls.hook)
    sys.setprofile(calls.hook)
    try:
        yield calls
    finally:
        sys.setprofile(before)
        threading.setprofile(None)  # type: ignore[arg-type]


def test_an_outline_of_c_costs_a_fraction_of_a_regular_expression() -> None:
    assert len(_core.outline("c", SOURCE)) > 100_000  # it finds something
    assert beside_the_yardstick(lambda: _core.outline("c", SOURCE)) < OUTLINE


def test_a_whole_record_of_c_costs_little_more() -> None:
    made = _core.examine("c", SOURCE, True, True, 1_000, 100)
    assert made is not None
    assert made[1] == 900
    assert beside_the_yardstick(lambda: _core.examine("c", SOURCE, True, True, 1_000, 100)) < RECORD


def test_a_commit_costs_the_same_number_of_calls_for_every_row(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as store:
        counts = []
        for part, rows in enumerate((200, 2_000)):
            items = [
                upsert(
                    f"d{number % 50}/f{number}.c".encode(), (part, number), names=(f"name_{part}_{number}",)
                )
                for number in range(rows)
            ]
            with counted() as calls:
                store.commit(items, 1.0)
            counts.append(calls.count / rows)
    few, many = counts
    assert many < COMMIT
    assert many <= few * 1.1  # what a row costs does not grow with their number


def test_a_restart_with_nothing_changed_does_nothing_for_a_file(tmp_path: Path) -> None:
    few, many = (restart(tmp_path / str(files), files) for files in (200, 2_000))
    assert (many - few) / 1_800 < RESTART


def restart(root: Path, files: int) -> int:
    """Calls of a start over so many files."""
    for number in range(files):
        path = root / f"d{number // 100}" / f"f{number}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"int name_{number}(void) {{ return {number}; }}\n")
    read = 1
    while read:  # what was written just before is read again by the next one
        with Service(root, live=False) as service:
            service.sync(60)
            status = service.get_status()
            assert status["index"]["files"] == files
            read = status["stats"]["bytes_hashed"]
    with counted() as calls, Service(root, live=False) as service:
        service.sync(60)
        status = service.get_status()
    assert status["stats"]["bytes_hashed"] == 0
    return calls.count
