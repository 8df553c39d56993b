"""What the index ought to say, told by others: git for the files, a regular expression for definitions; and
a seeded storm of operations to say it about.

Shared by the end-to-end tests and by ``benches/compare_git.py``. Knows nothing of Currant but the name of
its state directory.
"""

import ctypes
import os
import random
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

STATE_DIR: Final = b".currant"
NAMES: Final = ("a", "b", "c", "d", os.fsdecode(b"caf\xe9"))
"""Few, so that operations meet; one is not UTF-8."""

RULES: Final = ("a/", "*.py", "/b", "!c.py", "c/", "**/d/*.py", "!*/", "d?.py", "# nothing")
_DEFINITION: Final = re.compile(rb"^def (\w+)\(", re.MULTILINE)
_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


def git_files(root: Path) -> list[bytes]:
    """Tracked or untracked, not ignored, regular files of one repository in the order of their bytes.
    Raises CalledProcessError."""
    base = os.fsencode(root)
    return sorted({name for name in ls_files(base, "-co") if _is_kept(base, name)})


def ls_files(root: bytes, which: str) -> list[bytes]:
    """What ``git ls-files`` says with the standard exclusions, in git's order, as it says it."""
    command = ["git", "-C", root, "ls-files", which + "z", "--exclude-standard"]
    told = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True).stdout
    return [name for name in told.split(b"\0") if name]


def git_files_nested(root: Path) -> tuple[list[bytes], int]:
    """The same with repositories inside of repositories, each by its own rules below its own prefix; linked
    worktrees are left out. Also how many files were left out because they are tracked although a rule
    ignores them: git lists those, Currant does not (ignored means invisible)."""
    kept: set[bytes] = set()
    forced = 0
    left = [(os.fsencode(root), b"")]
    while left:
        base, prefix = left.pop()
        hidden = {name for name in ls_files(base, "-ci") if _is_kept(base, name)}
        forced += len(hidden)
        for name in ls_files(base, "-co"):
            inner = os.path.join(base, name.rstrip(b"/"))
            if _is_kept(base, name):
                kept.add(prefix + name)
            elif not os.path.islink(inner) and _is_repository(inner):
                left.append((inner, prefix + name.rstrip(b"/") + b"/"))
        kept -= {prefix + name for name in hidden}
    return sorted(kept), forced


def _is_repository(directory: bytes) -> bool:
    """Whether a repository of its own is there. A linked worktree shows the files of another one again."""
    mark = os.path.join(directory, b".git")
    try:
        with open(mark, "rb") as file:
            return b"/worktrees/" not in file.read()
    except IsADirectoryError:
        return True
    except OSError:
        return False


def _is_kept(base: bytes, name: bytes) -> bool:
    if name.startswith(STATE_DIR + b"/"):
        return False
    try:
        return stat.S_ISREG(os.lstat(os.path.join(base, name)).st_mode)
    except OSError:
        return False  # tracked, but no longer there


def definitions(root: Path, files: Iterable[bytes]) -> set[tuple[str, str]]:
    """(path, name) of each definition that the storm may have written into the Python files among `files`."""
    found = set()
    for name in files:
        if name.endswith(b".py"):
            content = (root / os.fsdecode(name)).read_bytes()
            found |= {(os.fsdecode(name), each.decode()) for each in _DEFINITION.findall(content)}
    return found


def link_open_file(handle: int, path: Path) -> None:
    """Give a file that was made without a name one (Linux). Raises OSError."""
    descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(str(handle), path, src_dir_fd=descriptors, follow_symlinks=True)
    finally:
        os.close(descriptors)


class Storm:
    """Random operations on the tree below `root`, the same ones for the same seed and the same tree.

    `links`: hard links too. A notification names the name that was written through. When that one is ignored,
    or came and went before anybody looked, nothing tells that the other names changed: only a scan does.
    `outside`: a directory of the same file system that directories leave to, and come back from.
    `log` has what was done, for the message of a test that fails.
    """

    def __init__(self, root: Path, seed: int, *, links: bool = True, outside: Path | None = None) -> None:
        self.root = root
        self.outside = outside
        self.chance = random.Random(seed)
        self.log: list[str] = []
        self._operations: list[Callable[[], object]] = [
            *[self._write] * 4, *[self._append] * 2, self._replace, *[self._unlink] * 2, self._touch,
            self._mode, self._link, self._symlink, self._rename, *[self._make] * 2, self._make_deep,
            self._remove, *[self._move] * 3, self._exchange, self._kind, self._ignore, self._unignore,
        ]  # fmt: skip
        if not links:
            self._operations.remove(self._link)
        if outside is not None:
            self._operations += [*[self._leave] * 2, *[self._enter] * 2, self._nameless]

    def blow(self, count: int) -> None:
        """`count` operations; those that the file system refuses count too."""
        for _ in range(count):
            operation = self.chance.choice(self._operations)
            try:
                told = operation()
            except OSError as error:
                told = error.strerror
            self.log.append(f"{operation.__name__[1:]} {told}")

    # --- where ----------------------------------------------------------------------------------------------

    def _walk(self) -> tuple[list[Path], list[Path]]:
        """Directories, the root first, and everything else; sorted, the same for a seed anywhere."""
        directories, others = [self.root], []
        for base, inside, files in os.walk(self.root):
            inside[:] = sorted(name for name in inside if name not in (".git", ".currant"))
            directories += [Path(base, name) for name in inside if not Path(base, name).is_symlink()]
            others += [Path(base, name) for name in sorted(files)]
        return directories, others

    def _somewhere(self) -> Path:
        return self.chance.choice(self._walk()[0])

    def _below(self) -> Path:
        """A directory that is not the root. Raises OSError when there is none."""
        directories = self._walk()[0][1:]
        if not directories:
            raise FileNotFoundError("no directory")
        return self.chance.choice(directories)

    def _file(self) -> Path:
        """Raises OSError when there is none."""
        others = self._walk()[1]
        if not others:
            raise FileNotFoundError("no file")
        return self.chance.choice(others)

    def _name(self) -> str:
        return self.chance.choice(NAMES) + ".py"

    def _source(self) -> str:
        return "".join(
            f"def f{self.chance.randrange(300)}(): pass\n" for _ in range(self.chance.randrange(4))
        )

    # --- what -----------------------------------------------------------------------------------------------

    def _write(self) -> Path:
        path = self._somewhere() / self._name()
        path.write_text(self._source())
        return path

    def _append(self) -> Path:
        path = self._file()
        with open(path, "a") as file:
            file.write(self._source())
        return path

    def _replace(self) -> Path:
        path = self._file()
        fresh = path.with_name("fresh~")
        fresh.write_text(self._source())
        fresh.replace(path)
        return path

    def _unlink(self) -> Path:
        path = self._file()
        path.unlink()
        return path

    def _touch(self) -> Path:
        path = self._file()
        os.utime(path, (5, 5), follow_symlinks=False)
        return path

    def _mode(self) -> Path:
        path = self._file()
        path.chmod(0o755)
        return path

    def _link(self) -> tuple[Path, Path]:
        old, new = self._file(), self._somewhere() / self._name()
        os.link(old, new, follow_symlinks=False)
        return old, new

    def _symlink(self) -> tuple[Path, str]:
        path, target = self._somewhere() / self._name(), self.chance.choice(("a", "..", "a.py", "nowhere"))
        path.symlink_to(target)
        return path, target

    def _rename(self) -> tuple[Path, Path]:
        old, new = self._file(), self._somewhere() / self._name()
        old.rename(new)
        return old, new

    def _make(self) -> Path:
        path = self._somewhere() / self.chance.choice(NAMES)
        path.mkdir()
        return path

    def _make_deep(self) -> Path:
        path = self._somewhere().joinpath(*(self.chance.choice(NAMES) for _ in range(3)))
        path.mkdir(parents=True)
        (path / self._name()).write_text(self._source())
        return path

    def _remove(self) -> Path:
        path = self._below()
        shutil.rmtree(path)
        return path

    def _move(self) -> tuple[Path, Path]:
        old, new = self._below(), self._somewhere() / self.chance.choice((*NAMES, "y", "z"))
        old.rename(new)
        return old, new

    def _exchange(self) -> tuple[Path, Path]:
        """Swap two directories in one step (Linux)."""
        one, other = self._below(), self._below()
        libc = ctypes.CDLL(None, use_errno=True)
        swap = getattr(libc, "renameat2", None)
        if swap is None:
            raise OSError(0, "no renameat2 here")
        if swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno(), "not exchanged")
        return one, other

    def _leave(self) -> tuple[Path, Path]:
        """A directory is renamed out of the tree, and may change there."""
        assert self.outside is not None
        old, new = self._below(), self.outside / self.chance.choice(NAMES)
        old.rename(new)
        if self.chance.randrange(2):
            (new / self._name()).write_text(self._source())
        return old, new

    def _enter(self) -> tuple[Path, Path]:
        """One that is outside is renamed into the tree."""
        assert self.outside is not None
        there = sorted(self.outside.iterdir())
        if not there:
            raise FileNotFoundError("nothing outside")
        old, new = self.chance.choice(there), self._somewhere() / self.chance.choice(NAMES)
        old.rename(new)
        return old, new

    def _nameless(self) -> Path:
        """A file made without a name gets one, and is written to under both (Linux)."""
        path = self._somewhere() / self._name()
        with open(os.open(path.parent, os.O_TMPFILE | os.O_WRONLY), "w") as file:
            file.write(self._source())
            file.flush()
            link_open_file(file.fileno(), path)
            file.write(self._source())
        return path

    def _kind(self) -> Path:
        """A file becomes a directory, or a directory a file."""
        if self.chance.randrange(2):
            path = self._file()
            path.unlink()
            path.mkdir()
            (path / self._name()).write_text(self._source())
        else:
            path = self._below()
            shutil.rmtree(path)
            path.write_text(self._source())
        return path

    def _ignore(self) -> Path:
        path = self._somewhere() / ".gitignore"
        path.write_text("".join(self.chance.choice(RULES) + "\n" for _ in range(self.chance.randrange(1, 4))))
        return path

    def _unignore(self) -> Path:
        rules = [path for path in self._walk()[1] if path.name == ".gitignore"]
        if not rules:
            raise FileNotFoundError("no rules")
        path = self.chance.choice(rules)
        path.unlink()
        return path
