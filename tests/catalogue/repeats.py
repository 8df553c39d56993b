"""What twenty repeats of the same thing may leave behind: nothing.

Counted are descriptors, threads, watches, nodes of the tree by kind, and memory of the watcher's process."""

import os
from collections.abc import Callable
from typing import Final

from catalogue.kit import Live

_WARM: Final = 3
_REPEATS: Final = 20
_COUNTED: Final = ("files", "dirs", "failed", "unwatched", "denied")


def _held(live: Live) -> dict[str, int]:
    engine = live.at_rest()["engine"]
    return {"watches": live.kernel_watches(), **{key: engine[key] for key in _COUNTED}}


def _pooled(live: Live) -> int:
    return live.descriptors() + len(os.listdir(f"/proc/{live.pid}/task"))


def leaves_nothing_behind(live: Live, round_of: Callable[[], None], memory: int = 8 << 20) -> None:
    """Do the round a few times, so that buffers, pools and caches are as large as they get; then twenty times
    more. Everything that is counted is as before, and memory grew by less than `memory` bytes."""
    live.settle()
    for _ in range(_WARM):
        round_of()
    live.settle()
    before, pool, resident = _held(live), _pooled(live), live.resident()
    for _ in range(_REPEATS):
        round_of()
    live.settle()
    assert _held(live) == before
    # One connection more may have been opened; a descriptor or a thread left by each repeat are 20.
    assert _pooled(live) - pool < _REPEATS
    # Twenty lost nodes or rows are some kilobytes, which no such test can see; twenty lost buffers, listings
    # or snapshots are more than this.
    assert live.resident() - resident < memory
