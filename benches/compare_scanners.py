"""Compares the scanner of a language with its grammar: the same definitions, in every field?

    python benches/compare_scanners.py python /usr/lib/python3.11 [--show 20]

Reads every file of the language below the folders. A file is *unsure* when its scanner says so: then the
parser reads it anyway, and nothing is compared. Prints how many definitions are equal, how many files differ,
the first differences, by kind how many definitions both have (the same name, parent and first line), and the
megabytes a second of either, and of universal-ctags if it is installed, in processor time.
"""

import argparse
import difflib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from currant import _core
from currant.extract import HEAD_BYTES, detect, is_binary

LIMIT = 4 << 20
"""Bytes: of a larger source the parser reads the head."""


def files(folders: list[str], language: str) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for at, directories, names in os.walk(folder):
            directories.sort()
            for name in sorted(names):
                path = os.path.join(at, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    source = Path(path).read_bytes()
                    head = source[:HEAD_BYTES]
                    if len(source) <= LIMIT and not is_binary(head) and detect(name, head) == language:
                        yield path, source


def outline(language: str, source: bytes, means: str, spent: dict[str, float]) -> dict[str, Any] | str:
    """The outline, or why there is none."""
    began = time.process_time()
    try:
        made = _core.outline(language, source, means)
    except _core.UnsureError as error:
        return str(error)
    finally:
        spent[means] += time.process_time() - began
    found: dict[str, Any] = json.loads(made)
    return found


CTAGS = {"csharp": "C#", "tsx": "TypeScript"}
"""What ctags calls a language, where that is not its name with other capitals."""


def by_ctags(language: str, paths: list[str]) -> float | None:
    """Seconds of processor time that ctags takes; none if it is not there or lacks the language."""
    ctags = shutil.which("ctags")
    name = CTAGS.get(language, language)
    if ctags is None:
        return None
    known = subprocess.run([ctags, "--list-languages"], capture_output=True, text=True, check=True).stdout
    if name.lower() not in known.lower().split():
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [ctags, "-f", os.devnull, f"--language-force={name}", "-L", "-"]
    subprocess.run(command, input="\n".join(paths), text=True, check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def named(found: dict[str, Any]) -> Counter[tuple[str, ...]]:
    """The definitions by kind, name, parent and first line."""
    return Counter(
        (one["kind"], one["name"], str(one["parent"]), str(one["start"])) for one in found["symbols"]
    )


def lines(found: dict[str, Any]) -> list[str]:
    return [json.dumps(one, ensure_ascii=False) for one in found["symbols"]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("language")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--show", type=int, default=10, help="files whose differences are printed")
    parser.add_argument("--skip", type=int, default=0, help="such files that are left out first")
    options = parser.parse_args()
    count, reasons = Counter[str](), Counter[str]()
    kinds: dict[str, Counter[str]] = {}
    paths: list[str] = []
    spent = {"scan": 0.0, "parse": 0.0}
    for path, source in files(options.folders, options.language):
        count["files"] += 1
        count["bytes"] += len(source)
        paths.append(path)
        scanned = outline(options.language, source, "scan", spent)
        parsed = outline(options.language, source, "parse", spent)
        assert not isinstance(parsed, str)
        if isinstance(scanned, str):
            reasons[scanned] += 1
            continue
        if parsed["partial"]:
            count["files that the parser did not finish"] += 1
            continue
        ours_named, theirs_named = named(scanned), named(parsed)
        for which, among in (
            ("both", ours_named & theirs_named),
            ("scanner", ours_named),
            ("parser", theirs_named),
        ):
            for (kind, *_), number in among.items():
                kinds.setdefault(kind, Counter())[which] += number
        ours, theirs = lines(scanned), lines(parsed)
        equal = sum((Counter(ours) & Counter(theirs)).values())
        count["definitions of the parser"] += len(theirs)
        count["definitions of the scanner"] += len(ours)
        count["equal in every field"] += equal
        if ours != theirs:
            count["files that differ"] += 1
            if options.skip < count["files that differ"] <= options.skip + options.show:
                print(path)
                for line in difflib.unified_diff(theirs, ours, "parser", "scanner", lineterm="", n=0):
                    if line[:1] in "+-" and line[:3] not in ("+++", "---"):
                        print("   ", line[:300])
    for name, number in count.items():
        print(f"{number:>12,}  {name}")
    for reason, number in reasons.most_common():
        print(f"{number:>12,}  files: {reason}")
    for kind, one in sorted(kinds.items()):
        recall, precision = (one["both"] / max(one[which], 1) for which in ("parser", "scanner"))
        print(f"{one['both']:>12,}  {kind}: recall {recall:.4f}, precision {precision:.4f}")
    seconds = by_ctags(options.language, paths)
    if seconds is not None:
        spent["ctags"] = seconds
    for means, seconds in spent.items():
        print(f"{count['bytes'] / 1e6 / max(seconds, 1e-9):>12.1f}  MB/s: {means}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
