"""The barrier: what was written before a sync is what a reader finds after it, whatever else goes on.

Each test writes, syncs and reads; none waits for anything but the sync itself. The index lives in this
process where nothing has to be stopped, in a watcher of its own where something has.
"""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import xxhash

import currant
from conftest import GitRepo
from currant.api import Index
from oracle import git_files

QUICK = {"monitor.debounce_ms": 5, "monitor.max_delay_ms": 50}
ANY_SEED = int(os.environ.get("CURRANT_TEST_SEED") or os.environ["CURRANT_TEST_ANY_SEED"])
LOOPS = 1_000

_WRITE_ON = """
import os, sys
count = 0
print("writing", flush=True)
while True:
    count += 1
    path = f"{sys.argv[1]}/noise{count % 50}.py"
    with open(path, "w") as file:
        file.write(f"def noise{count}(): pass\\n")
    if count % 7 == 0:
        os.unlink(path)
"""


def content(path: Path) -> str | None:
    """What the index ought to hold of a file: the hash of what is in it, None when it is not there."""
    try:
        return xxhash.xxh3_128_digest(path.read_bytes()).hex()
    except FileNotFoundError:
        return None


class Writer:
    """Random changes of one tree; each says which paths it touched."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.chance = random.Random(seed)
        self.count = 0
        self.directories = [Path()]
        self.files: list[Path] = []

    def change(self) -> list[Path]:
        """One change; the paths, from the root, that are different now."""
        self.count += 1
        kinds = [self._write, self._write, self._replace, self._append, self._same_size, self._unlink,
                 self._rename, self._deep, self._move]  # fmt: skip
        return self.chance.choice(kinds)()

    def _text(self) -> str:
        return f"def f{self.count}(): return {self.chance.randrange(10**6):06}\n"

    def _new(self) -> Path:
        return self.chance.choice(self.directories) / f"n{self.count}.py"

    def _write(self) -> list[Path]:
        path = self._new()
        (self.root / path).write_text(self._text())
        self.files.append(path)
        return [path]

    def _any(self) -> Path:
        if not self.files:
            self._write()
        return self.chance.choice(self.files)

    def _replace(self) -> list[Path]:
        path = self._any()
        beside = self.root / path.parent / "beside~"
        beside.write_text(self._text())
        beside.replace(self.root / path)
        return [path]

    def _append(self) -> list[Path]:
        path = self._any()
        with (self.root / path).open("a") as file:
            file.write(self._text())
        return [path]

    def _same_size(self) -> list[Path]:
        """Other bytes of the same number, and the time of modification put back."""
        path = self._any()
        before = (self.root / path).stat()
        text = (self.root / path).read_text()
        (self.root / path).write_text(text.translate(str.maketrans("0123456789", "1234567890")))
        os.utime(self.root / path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return [path]

    def _unlink(self) -> list[Path]:
        path = self._any()
        (self.root / path).unlink()
        self.files.remove(path)
        return [path]

    def _rename(self) -> list[Path]:
        old, new = self._any(), self._new()
        (self.root / old).rename(self.root / new)
        self.files.remove(old)
        self.files.append(new)
        return [old, new]

    def _deep(self) -> list[Path]:
        """A new directory, two deep, with a file in it."""
        base = self.chance.choice(self.directories[:20]) / f"d{self.count}"
        path = base / "deep" / "x.py"
        (self.root / path).parent.mkdir(parents=True)
        (self.root / path).write_text(self._text())
        self.directories += [base, base / "deep"]
        self.files.append(path)
        return [path]

    def _move(self) -> list[Path]:
        """A directory gets another name, or goes."""
        if len(self.directories) < 3:
            return self._deep()
        old = self.chance.choice(self.directories[1:])
        inside = [path for path in self.files if path.is_relative_to(old)]
        self.directories = [path for path in self.directories if not path.is_relative_to(old)]
        self.files = [path for path in self.files if path not in inside]
        if self.chance.randrange(3) == 0:
            shutil.rmtree(self.root / old)
            return inside
        new = self.chance.choice(self.directories[:20]) / f"m{self.count}"
        (self.root / old).rename(self.root / new)
        moved = [new / path.relative_to(old) for path in inside]
        self.directories.append(new)
        self.files += moved
        return inside + moved


def rows_of(index: Index, paths: list[Path]) -> dict[Path, str | None]:
    """Content by path, as the index has it now, without another barrier."""
    found = {path: index.show(os.fspath(path), sync_ms=-1) for path in paths}
    return {path: None if view is None else view.content for path, view in found.items()}


def test_a_thousand_times_what_was_written_is_what_is_read(tree, tmp_path: Path) -> None:
    print(f"CURRANT_TEST_SEED={ANY_SEED} runs it again")
    writer = Writer(tree.root, ANY_SEED)
    with currant.open(tree.root, flags=QUICK) as index:
        for number in range(LOOPS):
            changed = writer.change()
            index.sync(60)
            wanted = {path: content(tree.root / path) for path in changed}
            assert rows_of(index, changed) == wanted, (ANY_SEED, number)
        assert index.files() == sorted(map(os.fspath, writer.files), key=os.fsencode)
        assert index.verify().ok
        engine = index.status()["engine"]
        assert (engine["pending"], engine["in_flight"], engine["fresh"]) == (0, 0, True)


def test_a_sync_during_a_checkout_of_five_thousand_files(git_repo: GitRepo) -> None:
    for branch in ("main", "other"):
        if branch != git_repo.branch:
            git_repo.git("checkout", "--quiet", "-b", branch)
        git_repo.write({f"d{n % 50}/f{n}.py": f"def {branch}{n}(): pass\n" for n in range(5_000)})
        git_repo.write({f"only_{branch}/{n}.py": "" for n in range(100)})
        git_repo.commit()
    with currant.open(git_repo.root, flags=QUICK) as index:
        index.sync(60)
        rounds = 0
        command = ["git", "-C", os.fspath(git_repo.root), "checkout", "--quiet", "main"]
        with subprocess.Popen(command) as git:
            while git.poll() is None:
                rounds += 1
                git_repo.write({"mine.py": f"def mine{rounds}(): pass\n"})
                index.sync(60)
                assert index.find(f"mine{rounds}", exact=True, sync_ms=-1)
        assert git.returncode == 0
        assert rounds > 0
        index.sync(60)
        assert index.files() == [os.fsdecode(name) for name in git_files(git_repo.root)]
        assert index.verify().ok


def test_a_sync_while_another_process_writes_without_pause(tree) -> None:
    (tree.root / "noise").mkdir()
    command = [sys.executable, "-c", _WRITE_ON, os.fspath(tree.root / "noise")]
    with currant.open(tree.root, flags=QUICK) as index:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as noise:
            try:
                assert noise.stdout is not None
                assert noise.stdout.readline() == b"writing\n"
                for number in range(50):
                    tree.write({"mine.py": f"def mine{number}(): pass\n"})
                    index.sync(60)
                    assert index.find(f"mine{number}", exact=True, sync_ms=-1)
                assert noise.poll() is None
            finally:
                noise.kill()
        index.sync(60)
        assert index.verify().ok
