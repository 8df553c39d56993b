"""Megabytes of source per second of one processor, for each language, beside ctags."""

import time
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
    """Ours: `_core.outline`, its JSON included, in this process. ctags: a process, its start included."""
    row = Row("outline", "outline, MB/s of one processor")
    ctags = programs.find("ctags")
    if not ctags:
        row.missing.append(programs.missing("ctags"))
    for language, sources in sorted(bench.corpora().items()):
        folder = bench.scratch / "corpus" / language
        folder.mkdir(parents=True)
        paths = written(folder, language, sources)
        size = sum(map(len, sources)) / 1e6
        ours, theirs = list[float](), list[float]()
        command = [str(ctags), "-f", "-", "-u", f"--language-force={NAMES.get(language)}", "-L", str(paths)]
        for _ in range(bench.plan.rounds):
            began = time.process_time()
            for source in sources:
                _core.outline(language, source)
            ours.append(size / (time.process_time() - began))
            if ctags and language in NAMES:
                theirs.append(size / run(command).cpu)
        row.samples[language] = [
            {"megabytes": round(size, 3), "files": len(sources), "from": bench.origins[language]},
            {"currant": [round(one, 2) for one in ours], "ctags": [round(one, 2) for one in theirs]},
        ]
        goal = "outline" if language in GOAL else None
        rival = median(theirs) if theirs else None
        row.lines.append(Line(language, median(ours), "MB/s", rival, "ctags" if theirs else "", goal))
    row.commands["ctags"] = "ctags -f - -u --language-force=LANGUAGE -L LIST"
    row.notes.append("a ratio above 1 is in our favour here; the rest of the table is time or size")
    return row


def written(folder: Path, language: str, sources: list[bytes]) -> Path:
    names = []
    for number, source in enumerate(sources):
        path = folder / f"{number}.{language}"
        path.write_bytes(source)
        names.append(f"{path}\n")
    listed = folder.with_suffix(".list")
    listed.write_text("".join(names))
    return listed
