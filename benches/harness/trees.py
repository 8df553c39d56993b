"""The trees that are measured on: the user's, a copy of Python's standard library, generated ones.

Nothing is written into a tree that the user named; every index lies in the scratch directory.
"""

import itertools
import os
import random
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path


def git(root: Path, *arguments: str) -> str:
    names = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0")
    return subprocess.run(
        ["git", *names, *arguments], cwd=root, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def committed(root: Path) -> Path:
    """Make `root` a repository with everything in it committed."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "bench")
    return root


def imported(root: Path) -> Path:
    """The same for a great many files: `git add` would make a file of each content, and with all of them in
    one pack it looks through what it has for each (`core.bigFileThreshold`)."""
    git(root, "init", "--quiet", "--initial-branch=main")
    importer = subprocess.Popen(
        ["git", "fast-import", "--quiet", "--date-format=now"], cwd=root, stdin=subprocess.PIPE
    )
    assert importer.stdin is not None
    with importer.stdin as told:
        told.write(b"commit refs/heads/main\ncommitter bench <bench@example.org> now\ndata 5\nbench\n")
        for where, folders, names in os.walk(os.fsencode(root)):
            if b".git" in folders:
                folders.remove(b".git")
            below = os.path.relpath(where, os.fsencode(root))
            for name in names:
                path = os.path.normpath(os.path.join(below, name))
                with open(os.path.join(where, name), "rb") as file:
                    content = file.read()
                told.write(b"M 100644 inline %b\ndata %d\n%b\n" % (path, len(content), content))
    if importer.wait():
        raise RuntimeError("git fast-import failed")
    git(root, "read-tree", "HEAD")
    git(root, "update-index", "-q", "--refresh")  # the stat of each file, after one look at its content
    return root


def standard_library(into: Path) -> Path:
    """A copy of this interpreter's library as a repository; about 30 MB."""
    ignored = shutil.ignore_patterns(
        "__pycache__", "site-packages", "dist-packages", "*.so", "*.a", "config-*"
    )
    shutil.copytree(
        sysconfig.get_path("stdlib"), into, symlinks=True, ignore=ignored, ignore_dangling_symlinks=True
    )
    return committed(into)


def text(number: int, definitions: int = 20) -> str:
    """A module whose names no other has; about 60 bytes for each definition."""
    return "".join(
        f"def name_{number}_{at}(first, second):\n    return first + second\n\n" for at in range(definitions)
    )


def generated(into: Path, files: int, *, definitions: int = 20) -> list[Path]:
    """So many modules, 100 in each directory, at most 100 directories in one."""
    made = []
    for number in range(files):
        folder = into / f"p{number // 10_000}" / f"d{number // 100}"
        if number % 100 == 0:
            folder.mkdir(parents=True)
        path = folder / f"m{number}.py"
        path.write_text(text(number, definitions))
        made.append(path)
    return made


# Of each thousand directories, how many are so many levels down; 16 files are in one on average, half of them
# have fewer than eight. The sources of Linux 6.1: 16.4 files, most of them two to five levels down.
LEVELS = (1, 20, 150, 300, 280, 150, 70, 29)
FILES_EACH = 16
WORDS = ("core", "util", "test", "device", "io", "handler", "table", "client", "frame_buffer")


def monorepo(into: Path, files: int) -> int:
    """So many modules of one definition, in directories as a large repository has them: the same ones each
    time. The number of directories."""
    source = random.Random(1)
    above, folders = [os.fspath(into)], list[str]()
    for share in LEVELS:
        count = max(1, round(files / FILES_EACH * share / sum(LEVELS)))
        above = [f"{source.choice(above)}/{source.choice(WORDS)}_{number:x}" for number in range(count)]
        folders += above
    for folder in folders:
        os.makedirs(folder)
    source.shuffle(folders)
    number = 0
    for folder in itertools.cycle(folders):
        for _ in range(min(round(source.lognormvariate(2.05, 1.2)), files - number)):
            with open(f"{folder}/{source.choice(WORDS)}_{number:x}.py", "w") as file:
                file.write(text(number, 1))
            number += 1
        if number == files:
            return len(folders)
    return 0  # not reached: the cycle has no end


@dataclass(frozen=True)
class Tree:
    """One that the whole programs are compared on. `state` is the index that the row `cold` leaves behind,
    `tags` the tags file of ctags."""

    name: str
    root: Path
    scratch: Path

    @property
    def state(self) -> Path:
        return self.scratch / "state"

    @property
    def tags(self) -> Path:
        return self.scratch / "tags"

    @property
    def hidden(self) -> dict[str, str]:
        """Local paths, and what a published command has in their place."""
        return {os.fspath(self.root): "TREE", os.fspath(self.scratch): "SCRATCH"}

    @property
    def git(self) -> dict[str, str]:
        """The environment for git: a copy of the tree's index, refreshed by `ready`. With an index made by
        another machine, or before a copy, every `git status` would read every file again."""
        return {"GIT_INDEX_FILE": os.fspath(self.scratch / "git-index")}

    def ready(self) -> None:
        """Make that copy. Does nothing when the tree is no repository."""
        told = subprocess.run(
            ["git", "-C", self.root, "rev-parse", "--git-path", "index"], capture_output=True, text=True
        )
        found = self.root / told.stdout.strip()
        if told.returncode == 0 and found.is_file():
            shutil.copy(found, self.scratch / "git-index")
            command = ["git", "-C", self.root, "update-index", "-q", "--refresh"]
            subprocess.run(command, env={**os.environ, **self.git}, stdout=subprocess.DEVNULL, check=False)

    def warm(self) -> int:
        """Read every file once, so that nobody waits for the disk; the number of bytes."""
        total = 0
        for where, folders, names in os.walk(self.root):
            if ".git" in folders:
                folders.remove(".git")
            for name in names:
                try:
                    with open(os.path.join(where, name), "rb") as file:
                        total += len(file.read())
                except OSError:
                    continue
        return total
