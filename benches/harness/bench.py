"""What every row is given: the plan, the tree, a scratch directory, sources of every language."""

import os
import random
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.plan import Plan
from harness.programs import CURRANT, run
from harness.trees import Tree

ENDINGS = {
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".hpp", ".cxx"),
    "csharp": (".cs",),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".mjs"),
    "kotlin": (".kt",),
    "markdown": (".md",),
    "php": (".php",),
    "python": (".py",),
    "ruby": (".rb",),
    "rust": (".rs",),
    "shell": (".sh",),
    "swift": (".swift",),
    "tsx": (".tsx",),
    "typescript": (".ts",),
}
GOLDEN = Path(__file__).resolve().parents[2] / "tests/golden/sources"
ENOUGH = 200_000  # bytes: with fewer of a language, a folder does not count as a corpus of it


@dataclass
class Bench:
    """`megabytes`: of the tree. `folders`: where sources are looked for, after the tree. What is nowhere
    comes from the small sources of the tests, again and again."""

    plan: Plan
    tree: Tree
    scratch: Path
    megabytes: float = 0.0
    folders: list[Path] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    _corpora: dict[str, list[bytes]] = field(default_factory=dict)

    def indexed(self) -> None:
        """An index of the tree, made now when the row `cold` was left out."""
        if not self.tree.state.exists():
            run([*CURRANT, "index", str(self.tree.root), "--state-dir", str(self.tree.state), "--json"])

    def corpora(self) -> dict[str, list[bytes]]:
        """Sources by language, about `plan.corpus_mb` of each, the same ones whenever the folders are."""
        if self._corpora:
            return self._corpora
        places = [self.tree.root, *self.folders, Path(sysconfig.get_path("stdlib"))]
        names = ["the tree", *("a folder" for _ in self.folders), "Python's standard library"]
        for language, endings in ENDINGS.items():
            for place, name in zip(places, names, strict=True):
                sources = drawn(place, endings, self.plan.corpus_mb * 1e6)
                if sum(map(len, sources)) >= ENOUGH:
                    self._corpora[language], self.origins[language] = sources, name
                    break
            else:
                few = [path.read_bytes() for path in sorted(GOLDEN.iterdir()) if path.suffix in endings]
                if few:
                    times = round(self.plan.corpus_mb * 1e6 / 4 / sum(map(len, few))) + 1
                    self._corpora[language] = few * times
                    self.origins[language] = f"tests/golden/sources, {times} times"
        return self._corpora


def drawn(place: Path, endings: tuple[str, ...], limit: float) -> list[bytes]:
    paths = sorted(walked(place, endings))
    random.Random(1).shuffle(paths)
    sources, total = list[bytes](), 0
    for path in paths:
        if total >= limit:
            break
        try:
            source = path.read_bytes()
        except OSError:
            continue
        if 0 < len(source) <= 400_000:  # larger ones are mostly generated tables
            sources.append(source)
            total += len(source)
    return sources


_LISTED: dict[Path, list[Path]] = {}


def walked(place: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Each place is listed once."""
    if place not in _LISTED:
        _LISTED[place] = [Path(where, name) for where, _, names in os.walk(place) for name in names]
    return (path for path in _LISTED[place] if path.name.endswith(endings) and not path.is_symlink())
