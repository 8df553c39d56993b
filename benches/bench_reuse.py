"""What is extracted again, and what is not: ``python benches/bench_reuse.py [REPOSITORY]``.

Branch switches, renamed directories, worktrees and clones of a generated repository (15,000 files, 10,000 of
them in one directory) or of a copy of REPOSITORY. After each step the number of extractor calls must be the
number of contents that no index has seen before; that is counted by hashing the whole tree with SHA-256.
Prints a table and exits with status 1 when a number differs.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import currant
from currant.config import ExtractSettings
from currant.extract import HEAD_BYTES, Registry, configured_registry

Key = tuple[str, str | None, str]


def git(root: Path, *arguments: str) -> str:
    names = ("-c", "user.name=A Tester", "-c", "user.email=tester@example.org", "-c", "gc.auto=0")
    command = ["git", *names, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def generate(root: Path) -> None:
    for number in range(15_000):
        folder = root / "big" / f"d{number // 200}" if number < 10_000 else root / "src" / f"p{number % 100}"
        folder.mkdir(parents=True, exist_ok=True)
        # Every tenth content is there twice.
        name = number - 1 if number % 10 == 9 else number
        text = "".join(f"def f{name}_{line}(a, b):\n    return a + b\n\n" for line in range(10))
        (folder / f"m{number}.py").write_text(text)


def keys(root: Path, registry: Registry) -> tuple[set[Key], set[Key]]:
    """What the tree holds, as (content, language, extractor): all of it, and what may not be shared."""
    found: set[Key] = set()
    kept: set[Key] = set()
    # Regular files that git does not ignore; what no rule speaks of otherwise is what Currant keeps.
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=root, check=True, capture_output=True
    ).stdout
    for name in filter(None, listed.split(b"\0")):
        path = os.path.join(os.fsencode(root), name)
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            content = file.read()
        choice = registry.choose(os.fsdecode(name), content[:HEAD_BYTES], len(content))
        key = (hashlib.sha256(content).hexdigest(), choice.language, choice.identity)
        found.add(key)
        if not registry.may_share(choice.identity):
            kept.add(key)
    return found, kept


class Table:
    """The steps so far."""

    def __init__(self) -> None:
        self.wrong = 0
        print(
            "| step | files | seconds | contents not seen before | extractor calls | reused | shared | read |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)

    def add(
        self, step: str, seconds: float, expected: int, after: dict[str, Any], before: dict[str, Any]
    ) -> None:
        def more(name: str) -> int:
            return int(after["stats"][name]) - int(before["stats"][name] if before else 0)

        calls, read = more("extractor_calls"), more("bytes_hashed") / (1 << 20)
        reused, shared = more("reused_results"), more("shared_results")
        self.wrong += calls != expected
        print(
            f"| {step} | {after['index']['files']:,} | {seconds:.1f} | {expected:,} | {calls:,}"
            f"{'' if calls == expected else ' (!)'} | {reused:,} | {shared:,} | {read:.1f} MiB |",
            flush=True,
        )


class Watched:
    """A root that is watched by this process; `step` measures one change to it."""

    def __init__(self, root: Path, table: Table, registry: Registry, **flags: Any) -> None:
        self.root, self._table, self._registry = root, table, registry
        self.seen: set[Key] = set()
        self._flags = flags
        self._status: dict[str, Any] = {}
        self._index: currant.Index | None = None

    def start(self, step: str, known: set[Key] | None = None) -> None:
        """Open it; `known` are the contents that a shared cache has."""
        began = time.perf_counter()
        self._index = currant.open(self.root, flags=self._flags)
        self._status = {}
        self._settle(step, began, known or set())

    def change(self, step: str, *arguments: str) -> None:
        """Run git in the root, and measure from its end."""
        git(self.root, *arguments)
        self._settle(step, time.perf_counter(), set())

    def _settle(self, step: str, began: float, known: set[Key]) -> None:
        assert self._index is not None
        self._index.sync(3_600)
        seconds = time.perf_counter() - began
        found, private = keys(self.root, self._registry)
        expected = len(found - self.seen - (known - private))
        self.seen |= found
        after = self._index.status()
        self._table.add(step, seconds, expected, after, self._status)
        self._status = after

    def stop(self) -> None:
        if self._index is not None:
            self._index.close()
            self._index = None


@contextlib.contextmanager
def repository(source: Path | None) -> Iterator[tuple[Path, str]]:
    """A repository to work in, with the branches `main` and `other`, and its largest directory."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CURRANT_BENCH_DIR")) as folder:
        root = Path(folder).resolve() / "repository"
        if source is None:
            root.mkdir()
            generate(root)
        else:
            ignored = shutil.ignore_patterns(".currant", ".git")
            shutil.copytree(source, root, symlinks=True, ignore=ignored)
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "-m", "main")
        names = [
            name for name in git(root, "ls-files", "-z").split("\0") if name.endswith((".py", ".c", ".h"))
        ]
        git(root, "checkout", "--quiet", "-b", "other")
        for number, name in enumerate(names[:: max(1, len(names) // 5_000)]):
            if os.path.islink(root / name):
                continue
            if number % 20 == 19:
                git_path = root / name
                git_path.unlink()
                continue
            with open(root / name, "ab") as file:
                file.write(f"\n# other {number}\n".encode())
        git(root, "commit", "--quiet", "-am", "other")
        git(root, "checkout", "--quiet", "main")
        large = max({name.split("/")[0] for name in names if "/" in name},
                    key=lambda top: sum(name.startswith(top + "/") for name in names))  # fmt: skip
        yield root, large


def main() -> int:
    source = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
    registry = configured_registry(ExtractSettings())
    with repository(source) as (root, large):
        shared = {"extract.shared_cache": str(root.parent / "shared.db"), "extract.shared_cache_mb": 4_096}
        table = Table()
        first = Watched(root, table, registry, **shared)
        first.start("first index")
        first.change("switch to another branch", "checkout", "--quiet", "other")
        first.change("switch back", "checkout", "--quiet", "main")
        first.change("and to the other one again", "checkout", "--quiet", "other")
        first.change("back", "checkout", "--quiet", "main")
        first.change(f"`git mv {large}`", "mv", large, "moved")
        first.change("and back", "mv", "moved", large)
        first.stop()
        git(root, "checkout", "--quiet", "other")
        first.start("a branch switched while nobody watched")
        first.stop()
        git(root, "checkout", "--quiet", "main")
        git(root, "worktree", "add", "--quiet", "--detach", str(root.parent / "worktree"), "main")
        second = Watched(root.parent / "worktree", table, registry, **shared)
        second.start("second worktree, shared results", first.seen)
        second.stop()
        git(root.parent, "clone", "--quiet", "--branch", "other", str(root), str(root.parent / "clone"))
        clone = Watched(root.parent / "clone", table, registry, **shared)
        clone.start("second clone on the other branch, shared results", first.seen | second.seen)
        clone.stop()
        git(root, "worktree", "add", "--quiet", "--detach", str(root.parent / "alone"), "main")
        alone = Watched(root.parent / "alone", table, registry)
        alone.start("third worktree, results not shared")
        alone.stop()
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
