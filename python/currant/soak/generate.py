"""Chooses the next operation and has it done: the same ones for the same seed and the same tree.

Owns the weights and the model of the tree. The tree is kept near a number of files: below it operations
that make something are likelier, above it those that remove something. Names are few, so that operations
meet; some are not UTF-8, some look like options, patterns or the files of an editor.
"""

import os
import stat
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from currant.soak.hands import Hands
from currant.soak.model import DIRECTORY, FILE, HIDDEN, OTHER, RULE_NAMES, Node, Tree
from currant.soak.steps import Step, step

FILE_NAMES: Final = (
    *(b"a.py", b"b.py", b"c.py", b"d.py", b"e.py", b"f.py", b"g.py", b"h.py", b"i.md", b"j.rs", b"k.tmp"),
    *(
        b"plain",
        b"caf\xe9.py",
        b"two words.py",
        b"new\nline.py",
        b"-rf.py",
        b"#hash.py",
        b"[x].py",
        b"\xff\xfe",
    ),
    *("größe.py".encode(), b"l" * 200 + b".py"),
)
FOLDER_NAMES: Final = (
    *(b"a", b"b", b"c", b"d", b"e", b"f", b"src", b"lib", b"build", b"caf\xe9", b"two words", b"a.py", b"*"),
)
RULES: Final = (
    *(b"build/", b"*.tmp", b"/b", b"!c.py", b"**/d/*.py", b"*.md", b"a.py", b"!*/", b"d?.py", b"# nothing"),
    *(
        b"/src/lib",
        b"e/",
        b"!e/",
        b"plain",
        b"caf*",
        b"[x].py",
        b"two words/",
        b"f/**",
        b"!f/a.py",
        b"g.py\r",
    ),
)
TARGETS: Final = (b".", b"a", b"a.py", b"nowhere", b"b/c", b"src")
_DEEPEST: Final = 9
_MOST_RULES: Final = 8
_MOST_REPOSITORIES: Final = 3
_MOST_COPIED: Final = 80


class Generator:
    """Operations on the tree that `hands` work on. `record` sees each step before it is done. With `utf8`
    no name is anything else, for the sake of others."""

    def __init__(
        self,
        hands: Hands,
        seed: int,
        *,
        files: int,
        record: Callable[[Step], None],
        links: bool = True,
        utf8: bool = False,
    ) -> None:
        self.tree = Tree()
        self.chance = Random(seed)
        self.failed = 0
        """Operations that the file system refused."""
        self.locked: dict[Node, None] = {}
        """What nobody but root may read at present."""
        self.locked_some = False
        """Something was locked since `restore`; not all of it is in `locked` any more."""
        self.held = False
        self._hands = hands
        self._record = record
        self._files = files
        self._file_names = [name for name in FILE_NAMES if not utf8 or _is_utf8(name)]
        self._folder_names = [name for name in FOLDER_NAMES if not utf8 or _is_utf8(name)]
        neutral = [
            *[self._write] * 10, *[self._append] * 8, *[self._truncate] * 2, *[self._rewrite] * 3,
            *[self._replace] * 6, *[self._editor] * 3, *[self._rename] * 6, *[self._move] * 5,
            *[self._exchange] * 2, *[self._kind] * 3, *[self._same] * 2, *[self._utime] * 2, self._chmod,
            self._lock, self._map, *[self._clone] * 2, self._hold, *[self._held] * 2, self._symlink,
        ]  # fmt: skip
        makes = [
            *[self._write] * 8, *[self._mkdir] * 4, *[self._mkdirs] * 6, *[self._unnamed] * 3,
        ]  # fmt: skip
        if links:
            makes += [self._link] * 3
        removes = [*[self._unlink] * 12, *[self._rmtree] * 3, self._unlink_other]
        self._grow = [*neutral, *makes, *makes, *removes]
        self._shrink = [*neutral, *makes, *removes, *removes]
        self._thin = [*neutral, *[self._write] * 8, *[self._rmtree] * 20, self._unlink]
        self._prune = [self._deep_rmtree]
        self._rare = [
            *[self._rule] * 12, *[self._unrule] * 8, *[self._exclude] * 3, *[self._copytree] * 4,
            *[self._untar] * 2, self._nested, *[self.git] * 2, *[self._deep_rmtree] * 2,
        ]  # fmt: skip
        self._rule_table = [*[self._rule] * 4, *[self._unrule] * 2, self._exclude, self._rename, self._move]

    # --- what runs ----------------------------------------------------------------------------------------

    def run(self, count: int, *, rules: bool = False) -> None:
        """`count` operations; `rules`: many of them on files that hold rules."""
        random = self.chance.random
        tree, target = self.tree, self._files
        for _ in range(count):
            chosen = random()
            if chosen < 0.02:
                table = self._rare
            elif rules and chosen < 0.15:
                table = self._rule_table
            else:
                table = self._shrink if len(tree.files) > target else self._grow
                if 3 * len(tree.directories) > target:
                    table = self._thin
                if len(tree.files) > 2 * target and chosen > 0.95:  # git brought much back
                    table = self._prune
            table[int(random() * len(table))]()

    def begin(self) -> None:
        """Read the tree from the disk, as after anything that was not done here."""
        self.locked.clear()
        self.tree.reload(self._hands.base)

    def make_repository(self) -> None:
        """The root becomes a repository."""
        self._do("git_init", b"")
        self.tree.mark_repository(self.tree.root)

    def restore(self) -> None:
        """Everything may be read again, and nothing is held open."""
        if self.locked_some:
            for path, mode in _unreadable(self._hands.base):
                self._do("chmod", path, mode)
            self.locked_some = False
            self.begin()
        if self.held:
            self._do("release")
            self.held = False

    def without_ignore_files(self) -> None:
        """Remove what git knows nothing of: ``.ignore`` and ``.currantignore``."""
        for node in list(self.tree.rules):
            if node.name != b".gitignore" and self._do("unlink", node.path):
                self.tree.remove(node)

    def _do(self, op: str, *args: bytes | str | int) -> bool:
        told = step(op, *args)
        self._record(told)
        if self._hands.do(told):
            return True
        self.failed += 1
        return False

    # --- where --------------------------------------------------------------------------------------------

    def _one(self, found: list[Node]) -> Node | None:
        return found[int(self.chance.random() * len(found))] if found else None

    def _folder(self) -> Node:
        node = self.tree.somewhere(self.chance)
        return node if node.depth < _DEEPEST else self.tree.root

    def _spot(self) -> tuple[Node, bytes]:
        """A directory and a name in it that no directory has."""
        folder = self._folder()
        name = self._file_names[int(self.chance.random() * len(self._file_names))]
        taken = folder.children.get(name)
        if taken is not None and taken.kind == DIRECTORY:
            name = b"m%d.py" % self._number(9)
            taken = folder.children.get(name)
        if taken is not None and taken.kind == OTHER:
            name = b"n%d.py" % self._number(9)
        return folder, name

    def _folder_name(self) -> bytes:
        return self._folder_names[int(self.chance.random() * len(self._folder_names))]

    def _number(self, below: int = 10_000) -> int:
        return int(self.chance.random() * below)

    def _text(self) -> bytes:
        return b"".join(RULES[self._number(len(RULES))] + b"\n" for _ in range(1 + self._number(3)))

    @staticmethod
    def _join(folder: Node, name: bytes) -> bytes:
        path = folder.path
        return path + b"/" + name if path else name

    # --- contents -----------------------------------------------------------------------------------------

    def _write(self) -> None:
        folder, name = self._spot()
        if self._do("write", self._join(folder, name), self._number()):
            self.tree.add(folder, name, FILE)

    def _in_place(self, op: str, *numbers: int) -> None:
        node = self._one(self.tree.files)
        if node is not None:
            self._do(op, node.path, *numbers)

    def _append(self) -> None:
        self._in_place("append", self._number())

    def _truncate(self) -> None:
        self._in_place("truncate")

    def _rewrite(self) -> None:
        self._in_place("rewrite", self._number())

    def _same(self) -> None:
        self._in_place("same")

    def _map(self) -> None:
        self._in_place("map", self._number())

    def _utime(self) -> None:
        self._in_place("utime", (5, 1_600_000_000, 4_000_000_000)[self._number(3)])

    def _chmod(self) -> None:
        self._in_place("chmod", (755, 644, 600)[self._number(3)])

    def _replace(self) -> None:
        self._in_place("replace", self._number())

    def _editor(self) -> None:
        node = self._one(self.tree.files)
        if node is None or node.parent is None or len(node.name) > 200:
            return
        which = ("save_vim", "save_emacs", "save_ide")[self._number(3)]
        if self._do(which, node.path, self._number()):
            backup = node.parent.children.get(node.name + b"~")
            if which == "save_emacs":
                self.tree.add(node.parent, node.name + b"~", FILE)
            elif which == "save_vim" and backup is not None:
                self.tree.remove(backup)
        else:
            self.tree.reload(self._hands.base, node.parent)

    def _clone(self) -> None:
        node = self._one(self.tree.files)
        folder, name = self._spot()
        if node is None or folder.children.get(name) is node:
            return
        if self._do("clone", node.path, self._join(folder, name)):
            self.tree.add(folder, name, FILE)
        else:
            self.tree.reload(self._hands.base, folder)

    def _hold(self) -> None:
        node = self._one(self.tree.files)
        if node is not None:
            self.held = self._do("hold", node.path)

    def _held(self) -> None:
        if self.held:
            self._do("held", self._number())

    # --- names --------------------------------------------------------------------------------------------

    def _unlink(self) -> None:
        node = self._one(self.tree.files)
        if node is not None and self._do("unlink", node.path):
            self.tree.remove(node)

    def _unlink_other(self) -> None:
        node = self._one(self.tree.others)
        if node is not None and self._do("unlink", node.path):
            self.tree.remove(node)

    def _rename(self) -> None:
        node = self._one(self.tree.files)
        folder, name = self._spot()
        if node is not None and self._do("rename", node.path, self._join(folder, name)):
            self._moved(node, folder, name)

    def _link(self) -> None:
        node = self._one(self.tree.files)
        folder, name = self._spot()
        if node is None or name in folder.children:
            return
        if self._do("link", node.path, self._join(folder, name)):
            self.tree.add(folder, name, FILE)

    def _symlink(self) -> None:
        folder, name = self._spot()
        if self._number(2):
            name = self._folder_name()
        if name in folder.children:
            return
        if self._do("symlink", TARGETS[self._number(len(TARGETS))], self._join(folder, name)):
            self.tree.add(folder, name, OTHER)

    def _unnamed(self) -> None:
        folder, name = self._spot()
        if name in folder.children:
            return
        if self._do("unnamed", folder.path, name, self._number()):
            self.tree.add(folder, name, FILE)

    # --- directories --------------------------------------------------------------------------------------

    def _mkdir(self) -> None:
        folder, name = self._folder(), self._folder_name()
        if name not in folder.children and self._do("mkdir", self._join(folder, name)):
            self.tree.add(folder, name, DIRECTORY)

    def _mkdirs(self) -> None:
        node, missing = self._folder(), [self._folder_name() for _ in range(1 + self._number(3))]
        while missing and (child := node.children.get(missing[0])) is not None:
            if child.kind != DIRECTORY:
                return
            node = child
            del missing[0]
        file = self._file_names[self._number(8)]
        if not missing and file in node.children:
            return
        path = self._join(node, b"/".join(missing)) if missing else node.path
        if path and self._do("mkdirs", path, file, self._number()):
            for name in missing:
                node = self.tree.add(node, name, DIRECTORY)
            self.tree.add(node, file, FILE)

    def _rmtree(self) -> None:
        """A small one: large ones would empty the tree faster than it grows."""
        for _ in range(4):
            node = self._one(self.tree.directories)
            if node is None:
                return
            if len(node.children) <= 6 and not any(child.children for child in node.children.values()):
                self._remove_tree(node)
                return

    def _deep_rmtree(self) -> None:
        """Any one, but not most of the tree."""
        node = self._one(self.tree.directories)
        if node is None or sum(1 for _ in self.tree.walk(node)) * 3 > len(self.tree.files):
            return
        self._remove_tree(node)

    def _remove_tree(self, node: Node) -> bool:
        parent = node.parent
        assert parent is not None
        if self._do("rmtree", node.path):
            self.tree.remove(node)
            return True
        self.tree.reload(self._hands.base, parent)
        return False

    def _move(self) -> None:
        node = self._one(self.tree.directories)
        folder, name = self._folder(), self._folder_name()
        if node is None or folder.is_below(node):
            return
        taken = folder.children.get(name)
        if taken is not None and (taken.kind != DIRECTORY or taken.children or taken.repository):
            name = b"z%d" % self._number(30)
            if name in folder.children:
                return
        if self._do("rename", node.path, self._join(folder, name)):
            self._moved(node, folder, name)

    def _moved(self, node: Node, folder: Node, name: bytes) -> None:
        """The model after a rename. Renaming a name onto another one of the same inode does nothing."""
        taken = folder.children.get(name)
        if taken is not None and taken is not node and os.path.lexists(self._full(node)):
            return
        self.tree.move(node, folder, name)

    def _full(self, node: Node) -> bytes:
        return self._hands.base + b"/" + node.path

    def _exchange(self) -> None:
        pool = self.tree.directories if self._number(3) else self.tree.files
        one, other = self._one(pool), self._one(pool)
        if one is None or other is None or one.is_below(other) or other.is_below(one):
            return
        if self._do("exchange", one.path, other.path):
            self.tree.exchange(one, other)

    def _kind(self) -> None:
        """A file becomes a directory, a link or a pipe; a directory becomes a file; a link a file."""
        which = self._number(5)
        if which == 0:
            self._folder_to_file()
        elif which == 1:
            self._other_to_file()
        else:
            self._file_to(which)

    def _folder_to_file(self) -> None:
        node = self._one(self.tree.directories)
        if node is None or len(node.children) > 6 or any(child.children for child in node.children.values()):
            return
        parent, name = node.parent, node.name
        assert parent is not None
        if self._remove_tree(node) and self._do("write", self._join(parent, name), self._number()):
            self.tree.add(parent, name, FILE)

    def _other_to_file(self) -> None:
        node = self._one(self.tree.others)
        if node is None or node.parent is None or not self._do("unlink", path := node.path):
            return
        parent, name = node.parent, node.name
        self.tree.remove(node)
        if self._do("write", path, self._number()):
            self.tree.add(parent, name, FILE)

    def _file_to(self, which: int) -> None:
        node = self._one(self.tree.files)
        if node is None or node.parent is None or not self._do("unlink", path := node.path):
            return
        parent, name = node.parent, node.name
        self.tree.remove(node)
        if which == 3 and name in RULE_NAMES:
            which = 2  # git itself waits for ever for rules from a pipe
        if which == 2 and self._do("mkdirs", path, b"a.py", self._number()):
            self.tree.add(self.tree.add(parent, name, DIRECTORY), b"a.py", FILE)
        elif (which == 3 and self._do("fifo", path)) or (
            which == 4 and self._do("symlink", TARGETS[self._number(len(TARGETS))], path)
        ):
            self.tree.add(parent, name, OTHER)

    def _lock(self) -> None:
        """Nobody but root may read it for a while."""
        if self.locked and self._number(2):
            node: Node | None = next(iter(self.locked))
            assert node is not None
            del self.locked[node]
            folder = node.kind == DIRECTORY
            if node.at >= 0 and self._do("chmod", node.path, "755" if folder else "644") and folder:
                self.tree.reload(self._hands.base, node)
            return
        node = self._one(self.tree.files if self._number(3) else self.tree.directories)
        if node is not None and len(self.locked) < 5 and self._do("chmod", node.path, "000"):
            self.locked[node] = None
            self.locked_some = True

    # --- rules --------------------------------------------------------------------------------------------

    def _rule(self) -> None:
        if len(self.tree.rules) >= _MOST_RULES:
            self._unrule()
            return
        folder = self._folder()
        name = (b".gitignore", b".gitignore", b".gitignore", b".ignore", b".currantignore")[self._number(5)]
        if self._do("put", self._join(folder, name), self._text()):
            self.tree.add(folder, name, FILE)

    def _unrule(self) -> None:
        node = self._one(list(self.tree.rules))
        if node is None:
            return
        if not self._number(3):  # renamed to something that is no rule, or another one of them
            folder, name = self._spot()
            if self._do("rename", node.path, self._join(folder, name)):
                self._moved(node, folder, name)
        elif self._do("unlink", node.path):
            self.tree.remove(node)

    def _exclude(self) -> None:
        node = self._repository()
        if node is not None:
            self._do("exclude", node.path, self._text() if self._number(2) else b"")

    # --- many at once -------------------------------------------------------------------------------------

    def _copytree(self) -> None:
        node, folder = self._one(self.tree.directories), self._folder()
        name = b"copy%d" % self._number(9)
        if node is None or name in folder.children or folder.is_below(node):
            return
        if sum(1 for _ in self.tree.walk(node)) > _MOST_COPIED or len(self.tree.files) > 2 * self._files:
            return
        path = self._join(folder, name)
        self._do("copytree", node.path, path)
        self._again(folder, name)

    def _untar(self) -> None:
        folder, name = self._folder(), b"tar%d" % self._number(5)
        taken = folder.children.get(name)
        if taken is not None and taken.kind != DIRECTORY:
            return
        self._do("untar", self._join(folder, name), 5 + self._number(30), self._number())
        self._again(folder, name)

    def _again(self, folder: Node, name: bytes) -> None:
        """Read one child of a directory from the disk again."""
        if os.path.isdir(self._hands.base + b"/" + self._join(folder, name)):
            child = folder.children.get(name) or self.tree.add(folder, name, DIRECTORY)
            self.tree.reload(self._hands.base, child)

    # --- git ----------------------------------------------------------------------------------------------

    def _repository(self) -> Node | None:
        found = list(self.tree.repositories)
        if self.tree.root.repository:
            found.append(self.tree.root)
        return self._one(found)

    def _nested(self) -> None:
        """A repository inside appears or goes."""
        inside = list(self.tree.repositories)
        if inside and (len(inside) >= _MOST_REPOSITORIES or self._number(2)):
            node = self._one(inside)
            assert node is not None
            if self._do("git_forget", node.path):
                node.repository = False
                self.tree.repositories.pop(node, None)
            return
        node = self._one(self.tree.directories)
        if node is not None and not node.repository and self._do("git_init", node.path):
            self.tree.mark_repository(node)

    def git(self) -> None:
        """Some git command in some repository."""
        node = self._repository()
        if node is None:
            self.make_repository()
            return
        path, which = node.path, self._number(12)
        branch = b"b%d" % self._number(3)
        if which < 4:
            self._do("git", path, b"add", b"-A")
            self._do("git", path, b"commit", b"-q", b"-m", b"more")
        elif which < 6:
            self._do("git", path, b"checkout", b"-q", b"-B", branch)
        elif which < 8:
            self._do("git", path, b"checkout", b"-q", b"-f", branch)
        elif which == 8:
            self._do("git", path, b"stash", b"-q", b"-u")
            if self._number(2):
                self._do("git", path, b"stash", b"pop", b"-q")
        elif which == 9:
            # What is ignored stays. A repository inside of a directory that git does not know goes with it.
            self._do("git", path, b"clean", b"-fdq")
        elif which == 10:
            self._do("git", path, b"reset", b"-q", b"--hard")
        elif node is self.tree.root:  # keeps the number of objects bounded
            self._do("git_forget", path)
            self._do("git_init", path)
        self.tree.reload(self._hands.base, node)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(base: bytes) -> Iterator[tuple[bytes, str]]:
    """(path, mode to give it) of what was locked; directories before what is in them."""
    for where, folders, files in os.walk(base):
        folders[:] = sorted(set(folders) - HIDDEN)
        for name in (*folders, *sorted(files)):
            full = where + b"/" + name
            mode = os.lstat(full).st_mode
            if not mode & 0o400 and not stat.S_ISLNK(mode):
                yield os.path.relpath(full, base), "755" if stat.S_ISDIR(mode) else "644"
