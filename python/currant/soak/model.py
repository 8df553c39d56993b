"""The tree in memory: what is where, so that the next operation is chosen without looking at the disk.

Owns nodes and the lists to choose from. Choosing, adding, removing one and renaming cost the same however
large the tree is; removing a directory costs what is in it. `reload` reads a subtree from the disk again,
for operations (of git, of tar) whose effect nobody here works out.
"""

import os
import stat
from collections.abc import Iterator
from random import Random
from typing import Final

DIRECTORY: Final = "d"
FILE: Final = "f"
OTHER: Final = "o"
"""Symbolic links and pipes."""

RULE_NAMES: Final = frozenset({b".gitignore", b".ignore", b".currantignore"})
HIDDEN: Final = frozenset({b".git", b".currant"})


class Node:
    """One name in the tree. `at` is its place in the list of its kind."""

    __slots__ = ("at", "children", "kind", "name", "parent", "repository")

    def __init__(self, name: bytes, kind: str, parent: "Node | None") -> None:
        self.name = name
        self.kind = kind
        self.parent = parent
        self.children: dict[bytes, Node] = {}
        self.repository = False
        self.at = -1

    @property
    def path(self) -> bytes:
        """From the root, with ``/``; empty for the root itself."""
        parts = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return b"/".join(reversed(parts))

    @property
    def depth(self) -> int:
        """Directories above it."""
        depth, node = 0, self.parent
        while node is not None:
            depth, node = depth + 1, node.parent
        return depth

    def is_below(self, other: "Node") -> bool:
        """Whether `other` is this node or above it."""
        node: Node | None = self
        while node is not None:
            if node is other:
                return True
            node = node.parent
        return False


class Tree:
    """Everything below one root but what is in ``HIDDEN``."""

    def __init__(self) -> None:
        self.root = Node(b"", DIRECTORY, None)
        self._lists: dict[str, list[Node]] = {DIRECTORY: [], FILE: [], OTHER: []}
        self.rules: dict[Node, None] = {}
        """Files that hold rules; a dict, because its order is the same in every run."""
        self.repositories: dict[Node, None] = {}
        """Directories below the root that are repositories of their own."""

    @property
    def files(self) -> list[Node]:
        """Regular files, in no order that means anything."""
        return self._lists[FILE]

    @property
    def directories(self) -> list[Node]:
        """Directories, without the root."""
        return self._lists[DIRECTORY]

    @property
    def others(self) -> list[Node]:
        """Neither files nor directories."""
        return self._lists[OTHER]

    def somewhere(self, chance: Random) -> Node:
        """A directory; the root now and then."""
        found = self._lists[DIRECTORY]
        at = int(chance.random() * (len(found) + 1))
        return self.root if at == len(found) else found[at]

    def add(self, parent: Node, name: bytes, kind: str) -> Node:
        """A node of that name; whatever had the name is gone."""
        old = parent.children.get(name)
        if old is not None:
            if old.kind == kind and kind != DIRECTORY:
                return old
            self.remove(old)
        node = Node(name, kind, parent)
        parent.children[name] = node
        self._enlist(node)
        if name in RULE_NAMES and kind == FILE:
            self.rules[node] = None
        return node

    def remove(self, node: Node) -> None:
        """Forget a node and everything below it."""
        assert node.parent is not None
        del node.parent.children[node.name]
        left = [node]
        while left:
            one = left.pop()
            self._delist(one)
            self.rules.pop(one, None)
            self.repositories.pop(one, None)
            left += one.children.values()

    def move(self, node: Node, parent: Node, name: bytes) -> None:
        """What ``rename`` does; a node that had the name is gone."""
        assert node.parent is not None
        old = parent.children.get(name)
        if old is node:
            return
        if old is not None:
            self.remove(old)
        del node.parent.children[node.name]
        node.parent, node.name = parent, name
        parent.children[name] = node
        self.rules.pop(node, None)
        if name in RULE_NAMES and node.kind == FILE:
            self.rules[node] = None

    def exchange(self, one: Node, other: Node) -> None:
        """Swap the places of two nodes, neither below the other."""
        first, second = one.parent, other.parent
        assert first is not None
        assert second is not None
        one_name, other_name = one.name, other.name
        first.children[one_name], second.children[other_name] = other, one
        one.parent, one.name, other.parent, other.name = second, other_name, first, one_name
        for node in (one, other):
            self.rules.pop(node, None)
            if node.name in RULE_NAMES and node.kind == FILE:
                self.rules[node] = None

    def mark_repository(self, node: Node) -> None:
        """A repository was made in a directory."""
        node.repository = True
        if node is not self.root:
            self.repositories[node] = None

    def reload(self, base: bytes, node: Node | None = None) -> None:
        """Read `node` (default: everything) from the disk below `base` again; in the order of names, so that
        what is chosen next depends on the disk alone."""
        top = self.root if node is None else node
        for child in list(top.children.values()):
            self.remove(child)
        self._read(os.path.join(base, top.path) if top is not self.root else base, top)

    def walk(self, top: Node | None = None) -> Iterator[Node]:
        """Every node below `top`, parents first."""
        left = [self.root if top is None else top]
        while left:
            node = left.pop()
            for child in node.children.values():
                yield child
                left.append(child)

    def _read(self, path: bytes, node: Node) -> None:
        left = [(path, node)]
        while left:
            where, parent = left.pop()
            try:
                names = sorted(os.listdir(where))
            except OSError:
                continue  # may not be read at present
            for name in names:
                if name in HIDDEN:
                    if name == b".git":
                        self.mark_repository(parent)
                    continue
                full = where + b"/" + name
                try:
                    mode = os.lstat(full).st_mode
                except OSError:
                    continue
                kind = DIRECTORY if stat.S_ISDIR(mode) else FILE if stat.S_ISREG(mode) else OTHER
                child = self.add(parent, name, kind)
                if kind == DIRECTORY:
                    left.append((full, child))

    def _enlist(self, node: Node) -> None:
        found = self._lists[node.kind]
        node.at = len(found)
        found.append(node)

    def _delist(self, node: Node) -> None:
        found = self._lists[node.kind]
        last = found.pop()
        if last is not node:
            found[node.at] = last
            last.at = node.at
        node.at = -1
