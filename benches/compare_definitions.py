"""Our outlines against parsers that are not ours: recall and precision per language and kind.

    python benches/compare_definitions.py LANGUAGE FOLDER... [--ctags] [--files N] [--examples N]

Draws N files of the language below the folders (always the same ones), asks the reference for the definitions
in each, asks the native module for its outline, and pairs them by name, kind and line. What has no partner is
printed with its line of source. docs/definitions.md has the figures and says what the differences are.

References: CPython's `ast`; the TypeScript compiler and glayzzle's php-parser (npm; NODE_PATH names their
node_modules); the tree-sitter grammars of C and C++ (PyPI: tree-sitter, tree-sitter-c, tree-sitter-cpp);
`syn` (benches/references/syn); go/parser; javac; Ripper; universal-ctags. What a reference cannot read is
left out and counted.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from references import cpython, ctags, grammars

HERE = Path(__file__).parent / "references"
ENDINGS = {
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".hpp", ".hh", ".cxx"),
    "csharp": (".cs",),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs"),
    "kotlin": (".kt",),
    "php": (".php",),
    "python": (".py",),
    "ruby": (".rb",),
    "rust": (".rs",),
    "typescript": (".ts", ".mts"),
}
# Programs that read paths and write {path, found} or {path, error}; a variable names another one.
PROGRAMS = {
    "go": ["go", "run", str(HERE / "definitions.go")],
    "java": ["java", str(HERE / "Definitions.java")],
    "javascript": ["node", str(HERE / "definitions.js")],
    "php": ["node", str(HERE / "definitions.js")],
    "ruby": ["ruby", str(HERE / "definitions.rb")],
    "rust": ["cargo", "run", "-q", "--release", "--manifest-path", str(HERE / "syn/Cargo.toml")],
    "typescript": ["node", str(HERE / "definitions.js")],
}
LARGEST = 400_000  # bytes; larger sources are mostly generated tables

Found = list[tuple[str, str, int]]


@dataclass
class Score:
    """Of one kind: definitions that both have, that only the reference has, that only we have."""

    both: int = 0
    missed: int = 0
    extra: int = 0

    @property
    def recall(self) -> float:
        return self.both / max(self.both + self.missed, 1)

    @property
    def precision(self) -> float:
        return self.both / max(self.both + self.extra, 1)


@dataclass
class Comparison:
    files: int = 0
    unread: int = 0
    scores: dict[str, Score] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def score(self, kind: str) -> Score:
        return self.scores.setdefault(kind, Score())


def draw(folders: list[Path], language: str, count: int) -> list[Path]:
    """The same `count` files whenever the folders hold the same files."""
    paths = []
    for folder in folders:
        for where, below, names in os.walk(folder):
            below.sort()
            paths += [Path(where, name) for name in names if name.endswith(ENDINGS[language])]
    paths = sorted(path for path in paths if path.is_file() and path.stat().st_size <= LARGEST)
    return sorted(random.Random(1).sample(paths, min(count, len(paths))))


def reference(language: str, paths: list[Path], by_ctags: bool) -> dict[Path, Found | None]:
    """What another parser finds in each file; None for what it cannot read."""
    if by_ctags:
        return dict(ctags.definitions(language, paths))
    if language in PROGRAMS:
        command = os.environ.get(f"REFERENCE_{language.upper()}", "").split() or PROGRAMS[language]
        text = "\n".join(map(str, paths)) + "\n"
        process = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
        rows = map(json.loads, process.stdout.splitlines())
        return {
            Path(row["path"]): [(name, kind, line) for name, kind, line in row["found"]]
            if "found" in row
            else None
            for row in rows
        }
    answer: dict[Path, Found | None] = {}
    for path in paths:
        source = path.read_bytes()
        try:
            found = (
                cpython.definitions(source)
                if language == "python"
                else grammars.definitions(language, source)
            )
            answer[path] = found
        except (SyntaxError, ValueError, grammars.Unreadable, RecursionError):
            answer[path] = None
    return answer


def ours(language: str, source: bytes) -> list[tuple[str, str, int, int]]:
    from currant import _core

    symbols = json.loads(_core.outline(language, source))["symbols"]
    return [(one["name"], one["kind"], one["start"], one["end"]) for one in symbols]


def compare(language: str, paths: list[Path], by_ctags: bool = False) -> Comparison:
    """Pair what both found: same name, same kind, and the reference's line within our range of lines."""
    result = Comparison()
    kinds = frozenset(ctags.KINDS[language].values()) | {"constructor", "type"} if by_ctags else None
    same = ctags.SAME.get(language, {}) if by_ctags else {}
    for path, found in reference(language, paths, by_ctags).items():
        if found is None:
            result.unread += 1
            continue
        result.files += 1
        source = path.read_bytes()
        lines = [*source.splitlines(), b""]
        left = [(one[0], same.get(one[1], one[1]), *one[2:]) for one in ours(language, source)]
        left = [one for one in left if kinds is None or one[1] in kinds]
        for name, kind, line in found:
            fits = [one for one in left if one[:2] == (name, kind) and one[2] <= line <= one[3]]
            if fits:
                # The innermost that fits, so that a function in one of its own name finds its partner.
                left.remove(max(fits, key=lambda one: one[2]))
                result.score(kind).both += 1
            else:
                result.score(kind).missed += 1
                text = lines[min(line, len(lines)) - 1].decode(errors="replace").strip()[:110]
                result.examples.append(f"missed {kind} {name}\t{path}:{line}\t{text}")
        for name, kind, start, _ in left:
            result.score(kind).extra += 1
            text = lines[start - 1].decode(errors="replace").strip()[:110]
            result.examples.append(f"extra {kind} {name}\t{path}:{start}\t{text}")
    return result


def table(result: Comparison) -> str:
    """The scores as rows of a Markdown table, the sum last."""
    rows = [
        "| kind | both | only the reference | only ours | recall | precision |",
        "|---|---|---|---|---|---|",
    ]
    whole = Score()
    for kind, score in [*sorted(result.scores.items()), ("**all**", whole)]:
        rows.append(
            f"| {kind} | {score.both} | {score.missed} | {score.extra} "
            f"| {score.recall:.4f} | {score.precision:.4f} |"
        )
        whole.both += score.both
        whole.missed += score.missed
        whole.extra += score.extra
    return "\n".join(rows)


def main() -> None:
    """See the docstring of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("language", choices=sorted(ENDINGS))
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--ctags", action="store_true", help="ask universal-ctags (the only one for C#)")
    parser.add_argument("--examples", type=int, default=40)
    options = parser.parse_args()
    paths = draw(options.folders, options.language, options.files)
    result = compare(options.language, paths, options.ctags)
    print(f"{options.language}: {result.files} files, {result.unread} not readable for the reference")
    print(table(result))
    counts = Counter(" ".join(line.split("\t")[0].split()[:2]) for line in result.examples)
    print(dict(counts.most_common()))
    for line in random.Random(2).sample(result.examples, min(options.examples, len(result.examples))):
        print(line)


if __name__ == "__main__":
    main()
