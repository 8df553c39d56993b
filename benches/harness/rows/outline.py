"""Megabytes of source per second of one processor, for each language, beside ctags."""

import importlib
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from currant import _core
from harness import programs
from harness.bench import Bench
from harness.programs import run
from harness.result import Line, Row, median

NAMES = {  # ours: ctags'
    "c": "C", "cpp": "C++", "csharp": "C#", "go": "Go", "java": "Java", "javascript": "JavaScript",
    "kotlin": "Kotlin", "markdown": "Markdown", "php": "PHP", "python": "Python", "ruby": "Ruby",
    "rust": "Rust", "shell": "Sh", "typescript": "TypeScript",
}  # fmt: skip
GOAL = {
    "c",
    "cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "typescript",
    "tsx",
    "kotlin",
    "rust",
    "swift",
    "php",
    "python",
}


def measure(bench: Bench) -> Row:
    """Ours: `_core.outline`, its JSON included, in this process; where a scanner reads the language, our
    grammar beside it. ctags: a process, its start included."""
    row = Row("outline", "outline, MB/s of one processor: more is better")
    ctags = programs.find("ctags")
    known = set(programs.output([ctags, "--list-languages"]).decode().split()) if ctags else set()
    if not ctags:
        row.missing.append(programs.missing("ctags"))
    for language, sources in sorted(bench.corpora().items()):
        folder = bench.scratch / "corpus" / language
        folder.mkdir(parents=True)
        paths = written(folder, language, sources)
        name = NAMES.get(language)
        command = [str(ctags), "-f", "-", "-u", f"--language-force={name}", "-L", str(paths)]
        work: dict[str, Callable[[], float]] = {"currant": partial(ours, language, sources)}
        if name in known:
            work["ctags"] = lambda command=command: run(command).cpu
        if language in _core.scanned_languages():
            work["currant, exact_parsers"] = partial(ours, language, sources, "parse")
        if parse := grammar(language):
            work["tree-sitter, parsing alone"] = partial(spent, parse, sources)
        size = sum(map(len, sources)) / 1e6
        speeds = {
            name: [size / seconds for seconds in times]
            for name, times in turns(bench.plan.rounds, work).items()
        }
        origin = bench.origins[language]
        row.samples[language] = [
            {"megabytes": round(size, 3), "files": len(sources), "from": origin},
            {name: [round(one, 2) for one in found] for name, found in speeds.items()},
        ]
        what = f"{language} (few sources, again and again)" if "times" in origin else language
        mine, goal = median(speeds.pop("currant")), "outline" if language in GOAL else None
        if not speeds:
            row.lines.append(Line(what, mine, "MB/s", None, "no rival", goal))
        for rival, found in speeds.items():
            row.lines.append(Line(what, mine, "MB/s", median(found), rival, goal))
            goal = None
    row.commands["ctags"] = "ctags -f - -u --language-force=LANGUAGE -L LIST"
    row.notes.append("a ratio above 1 is in our favour here; everywhere else it is one below 1")
    return row


def turns(rounds: int, work: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Processor seconds of each, taking turns."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, one in work.items():
            found[name].append(one())
    return found


def spent(one: Callable[[bytes], object], sources: list[bytes]) -> float:
    began = time.process_time()
    for source in sources:
        one(source)
    return time.process_time() - began


def ours(language: str, sources: list[bytes], means: str = "either") -> float:
    return spent(partial(_core.outline, language, means=means), sources)


def grammar(language: str) -> Callable[[bytes], object] | None:
    """tree-sitter's parser, where its grammar is installed (PyPI: tree-sitter, tree-sitter-LANGUAGE)."""
    try:
        import tree_sitter

        found = importlib.import_module(f"tree_sitter_{language}")
    except ImportError:
        return None
    return tree_sitter.Parser(tree_sitter.Language(found.language())).parse


def written(folder: Path, language: str, sources: list[bytes]) -> Path:
    names = []
    for number, source in enumerate(sources):
        path = folder / f"{number}.{language}"
        path.write_bytes(source)
        names.append(f"{path}\n")
    listed = folder.with_suffix(".list")
    listed.write_text("".join(names))
    return listed
