"""The kit of the catalogue: a real watcher on a real tree, and what must hold after every recipe.

A recipe is a function that does something to a tree while ``currant watch`` runs on it in a process of its
own. `Live` is that tree and that process; `Live.settle` waits for the barrier and then asserts everything
that holds whatever happened:

- the index is what git and a reader of the disk say: paths, contents, and ``currant verify``;
- as many watches in the kernel as the engine counts, and one for each directory that is kept;
- nothing is pending, in flight, being listed or in limbo;
- `status` calls itself degraded by what the recipe announced, and by nothing else;
- the extractor was called for no content twice.

`Bench` shares one watcher between the recipes of a module, each in a directory of its own (`Live.place`), and
replaces it after a recipe that failed. `watching` starts one for a single recipe, with fail points.
"""

import ctypes
import os
import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import xxhash

import currant
from conftest import GitRepo, Tree, isolate
from currant.api import Index
from currant.soak.watcher import tree_watches
from oracle import git_files
from watcher import Watcher

SOURCES: Final = ("inotify", "poll", "notify")
"""Every recipe that asserts no number of events runs on each of them."""

POLL_MS: Final = 250
_SYNC_SECONDS: Final = 60.0
_LOOKS: Final = 100
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def exchange(one: Path, other: Path) -> None:
    """Swap two names in one step. Raises OSError."""
    if _LIBC.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "not exchanged", os.fspath(one))


class Live:
    """A repository, the watcher on it, and a connection to that watcher.

    `degraded` is what the recipe expects of `status`: codes or words of which one occurs in each entry, and
    each of which occurs in some entry. `exact_watches` False: not every directory can have its watch.
    `paths` is the oracle for what is to be kept."""

    def __init__(self, repo: GitRepo, watcher: Watcher, source: str) -> None:
        self.repo = repo
        self.root = repo.root
        self.watcher = watcher
        self.source = source
        self.state_dir: Path | None = None
        self.degraded: tuple[str, ...] = ()
        self.exact_watches = True
        self.paths: Callable[[Path], list[bytes]] = git_files
        self.verified = True
        self.sound = True
        self._index: Index | None = None
        self._drain: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """The watcher's process."""
        return self.watcher.process.pid

    @property
    def index(self) -> Index:
        """The watcher's index, over its socket."""
        if self._index is None:
            flags = {} if self.state_dir is None else {"state_dir": os.fspath(self.state_dir)}
            self._index = currant.open(self.root, create=False, flags=flags)
        assert self._index.owner["pid"] == self.pid, "the watcher is gone and this process took over"
        return self._index

    def start(self) -> "Live":
        """Wait until the first scan is indexed; from then on what the watcher prints is read and dropped."""
        self.watcher.ready()
        self._drain = threading.Thread(target=self._read, name="catalogue-drain")
        self._drain.start()
        self.sync()
        return self

    def _read(self) -> None:
        while self.watcher.next() is not None:
            pass

    def close(self) -> None:
        """Idempotent."""
        if self._index is not None:
            self._index.close()
        self.watcher.process.kill()
        if self._drain is not None:
            self._drain.join()
        self.watcher.close()

    # --- doing ----------------------------------------------------------------------------------------------

    def place(self, name: str) -> Tree:
        """A directory of the recipe's own, made and indexed."""
        place = self.root / name
        place.mkdir()
        self.sync()
        return Tree(place)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The watcher stands still inside: all that is done is history when it goes on."""
        self.watcher.freeze()
        try:
            yield
        finally:
            self.watcher.thaw()

    def sync(self) -> str:
        """Everything done so far is in the index."""
        return self.index.sync(_SYNC_SECONDS)

    def until_missing(self) -> None:
        """The watcher knows that its root is gone, says so, and calls nothing fresh."""
        while not (told := self.index.ask("sync", {})).degraded or not self.engine()["root_missing"]:
            continue
        assert not told.fresh
        assert [entry["code"] for entry in self.status()["degraded"]] == ["root_missing"]

    def until_there(self) -> None:
        """The watcher has found its root again."""
        while self.engine()["root_missing"]:
            self.index.ask("sync", {})

    # --- asking ---------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """As it is now."""
        return self.index.status()

    def engine(self) -> dict[str, Any]:
        """The engine's part of `status`."""
        found: dict[str, Any] = self.status()["engine"]
        return found

    def extractor_calls(self) -> int:
        """Contents that were parsed since the watcher started."""
        return int(self.status()["stats"]["extractor_calls"])

    def hashed(self) -> int:
        """Bytes read from disk since the watcher started."""
        return int(self.status()["stats"]["bytes_hashed"])

    def rows(self) -> dict[str, str]:
        """Path -> content hash of everything indexed, ``failed`` for what could not be read. No barrier."""
        asked = self.index.ask("rows", {}, sync_ms=-1).result
        return {row[0]: row[2] if row[1] == "ok" else row[1] for row in asked}

    def below(self, place: Tree) -> list[str]:
        """What the index has below a place, relative to it. No barrier."""
        prefix = "" if place.root == self.root else os.path.relpath(place.root, self.root) + "/"
        return [path.removeprefix(prefix) for path in self.rows() if path.startswith(prefix)]

    def row(self, place: Tree, name: str) -> str | None:
        """The content hash of one file of a place, None when the index does not have it. No barrier."""
        return self.rows().get(os.path.relpath(place.path(name), self.root))

    def read_once_more(self, place: Tree, *names: str) -> None:
        """Have files read long enough after their last change for no scan to read them again."""
        for name in names:
            path = os.path.relpath(place.path(name), self.root)
            while (row := self.index.why(path)) is None or row.racy:
                self.index.ask("force_process_file", {"path": path})

    def kernel_watches(self) -> int:
        """inotify watches on the tree that the kernel has for the watcher's process."""
        count = 0
        base = f"/proc/{self.pid}/fdinfo"
        for name in os.listdir(base):
            try:
                with open(f"{base}/{name}") as file:
                    count += tree_watches(file.read())
            except FileNotFoundError:
                continue  # closed meanwhile
        return count

    def descriptors(self) -> int:
        """Open files of the watcher's process."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self) -> int:
        """Bytes of memory that the watcher's process holds."""
        with open(f"/proc/{self.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # --- what must hold -------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Wait for the barrier and assert every invariant."""
        self.sound = False
        self.sync()
        rows = self.rows()
        wanted = self.oracle()
        assert rows == wanted, _difference(rows, wanted)
        if self.verified:
            report = self.index.verify()
            assert report.ok, report
        status = self.at_rest()
        self._assert_degraded(status)
        self._assert_watches(status["engine"])
        # A result is kept for a while after its last file went, so this is what was ever committed.
        assert status["stats"]["extractor_calls"] <= status["index"]["results"], "a content was parsed twice"
        self.sound = True

    def oracle(self) -> dict[str, str]:
        """What the index ought to say: git for the paths, this process for the contents."""
        found = {}
        for name in self.paths(self.root):
            with open(os.path.join(os.fsencode(self.root), name), "rb") as file:
                found[os.fsdecode(name)] = xxhash.xxh3_128(file.read()).hexdigest()
        return found

    def directories(self) -> int:
        """Directories that are to be kept, the root too: those that git does not ignore."""
        found: list[bytes] = []
        base = os.fsencode(self.root)
        for at, inside, _ in os.walk(base):
            own = (b".git", b".currant") if at == base else (b".git",)
            inside[:] = [name for name in inside if name not in own]
            paths = [os.path.join(at, name) for name in inside]
            inside[:] = [os.path.basename(path) for path in paths if not os.path.islink(path)]
            found += [os.path.relpath(os.path.join(at, name), base) for name in inside]
        told = subprocess.run(
            ["git", "check-ignore", "-z", "--stdin"], input=b"\0".join(found), cwd=base, capture_output=True
        )
        assert told.returncode in (0, 1), told.stderr  # 1: none
        return 1 + len(found) - len([name for name in told.stdout.split(b"\0") if name])

    def at_rest(self) -> dict[str, Any]:
        """`status` once nothing is under way. The poll tier begins a scan whenever it is time, so it is asked
        again; each question waits for a barrier."""
        for _ in range(_LOOKS):
            status = self.status()
            engine = status["engine"]
            busy = {key: engine[key] for key in ("pending", "in_flight", "listing", "dirty_dirs")}
            busy["limbo"] = engine.get("limbo", 0)
            busy["active_workers"] = status["active_workers"]
            if not any(busy.values()) and status["fresh"]:
                return status
            self.sync()
        raise AssertionError(f"never at rest: {busy}, fresh {status['fresh']}")

    def _assert_degraded(self, status: Mapping[str, Any]) -> None:
        told = [f"{entry['code']}: {entry['what']}" for entry in status["degraded"]]
        unexpected = [what for what in told if not any(word in what for word in self.degraded)]
        assert not unexpected, unexpected
        silent = [word for word in self.degraded if not any(word in what for what in told)]
        assert not silent, f"expected of status.degraded: {silent}, there is {told}"

    def _assert_watches(self, engine: Mapping[str, Any]) -> None:
        if not self.exact_watches:
            return
        assert engine["dirs"] == self.directories()
        if engine["source"] == "inotify":
            assert self.kernel_watches() == engine["watches"] == engine["dirs"]
        elif engine["source"] == "poll":
            assert self.kernel_watches() == 0


def _difference(rows: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    return (
        f"missing {sorted(wanted.keys() - rows.keys())}, extra {sorted(rows.keys() - wanted.keys())}, "
        f"different {sorted(path for path in rows.keys() & wanted.keys() if rows[path] != wanted[path])}"
    )


class Trap:
    """A command that a fail point runs once, in the middle of what `Live` does after `arm`.

    The point is passed by other work too, and the poll tier passes it all the time; so it is armed for many
    passes, and each of them looks whether it is the one: armed, and `when` (a shell condition) holds."""

    def __init__(
        self, base: Path, point: str, command: str, *, when: str = "true", passes: int = 200
    ) -> None:
        self._armed = base / "armed"
        self._fired = base / "fired"
        script = base / "trap.sh"
        taken = f"mv {shlex.quote(str(self._armed))} {shlex.quote(str(self._fired))} 2>/dev/null"
        script.write_text(f"{{ {when} ; }} && {taken} && {{ {command} ; }}\n")
        line = f"sh {shlex.quote(str(script))}"
        self.environment = {
            "CURRANT_FAIL_POINTS": "\n".join(f"{point}@{number}={line}" for number in range(1, passes + 1))
        }

    def arm(self) -> None:
        """From now on."""
        self._armed.touch()

    def assert_fired(self) -> None:
        """The race happened."""
        assert self._fired.exists(), "the fail point was not passed: the race did not happen"


def fail_points(points: Mapping[str, str]) -> dict[str, str]:
    """The environment in which a watcher runs these commands, once each, when it reaches the point."""
    return {"CURRANT_FAIL_POINTS": "\n".join(f"{name}={command}" for name, command in points.items())}


@contextmanager
def watching(
    repo: GitRepo,
    source: str = "inotify",
    *settings: str,
    points: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    state_dir: Path | None = None,
    ready: bool = True,
) -> Iterator[Live]:
    """A watcher of its own on `repo`; `points` maps fail points to commands. Ends with the block."""
    if state_dir is not None:
        settings = (*settings, f"state_dir={state_dir}")
    added = {**(environment or {}), **(fail_points(points) if points else {})}
    base = (f"monitor.source={source}", f"monitor.poll_interval_ms={POLL_MS}")
    live = Live(repo, Watcher(repo.root, *base, *settings, environment=added, prefix=prefix), source)
    live.state_dir = state_dir
    try:
        yield live.start() if ready else live
    finally:
        live.close()


class Bench:
    """One watcher for many recipes, replaced when a recipe left it unsound."""

    def __init__(self, base: Path, home: Path, source: str) -> None:
        self._base = base
        self._home = home
        self._source = source
        self._made = 0
        self._live: Live | None = None
        self._cleanup = ExitStack()

    def live(self) -> Live:
        """The watcher; a fresh one after a failure. What the last recipe expected is forgotten."""
        if self._live is None or not self._live.sound:
            self._cleanup.close()
            self._made += 1
            root = self._base / f"root{self._made}"
            root.mkdir()
            with pytest.MonkeyPatch.context() as patch:
                isolate(patch, self._home)
                repo = GitRepo(root)
                repo.git("init", "--quiet", f"--initial-branch={repo.branch}")
                self._live = self._cleanup.enter_context(watching(repo, self._source))
        self._live.degraded = ()
        self._live.exact_watches = True
        self._live.paths = git_files
        return self._live

    def close(self) -> None:
        """Idempotent."""
        self._cleanup.close()
