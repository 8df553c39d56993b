"""universal-ctags as a reference: which of its kinds are which of ours, and how it is run.

Its parsers are hand-written, one by one, by other people than the grammars we use. They miss what stands in
unusual places, so what they do not find proves little; what they find and we do not is worth a look.
"""

import json
import re
import subprocess
from pathlib import Path

Found = list[tuple[str, str, int]]

# Kinds that ctags has and our outlines leave out on purpose (fields, enumerators, locals) are not here.
KINDS: dict[str, dict[str, str]] = {
    "csharp": {
        "class": "class",
        "interface": "interface",
        "struct": "struct",
        "enum": "enum",
        "method": "method",
        "property": "property",
        "namespace": "namespace",
    },
    "c": {
        "function": "function",
        "struct": "struct",
        "union": "union",
        "enum": "enum",
        "typedef": "type",
        "macro": "macro",
    },
    "cpp": {
        "function": "function",
        "class": "class",
        "struct": "struct",
        "union": "union",
        "enum": "enum",
        "namespace": "namespace",
        "typedef": "type",
    },
    "kotlin": {"class": "class", "interface": "interface", "object": "class", "method": "function"},
}

LANGUAGES = {"c": "C", "cpp": "C++", "csharp": "C#", "kotlin": "Kotlin"}
# Kinds of ours that are one of theirs.
SAME = {"cpp": {"method": "function", "constructor": "function"}, "kotlin": {"method": "function"}}


def definitions(language: str, paths: list[Path]) -> dict[Path, Found]:
    """What ctags finds in each file, of the kinds that both know."""
    kinds = KINDS[language]
    answer: dict[Path, Found] = {path: [] for path in paths}
    process = subprocess.run(
        [
            "ctags",
            "--options=NONE",
            "--output-format=json",
            f"--language-force={LANGUAGES[language]}",
            "--fields=+nKs",
            "--sort=no",
            "-f",
            "-",
            "-L",
            "-",
        ],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=True,
    )
    for line in process.stdout.splitlines():
        tag = json.loads(line)
        if tag["_type"] != "tag" or tag["kind"] not in kinds or tag["name"].startswith("__anon"):
            continue
        name, kind = tag["name"], kinds[tag["kind"]]
        if language == "cpp":
            name = re.sub(r"^operator (?=\W)", "operator", name)
            test = re.search(r"\b\w*TEST\w*\((\w+),\s*(\w+)", tag.get("pattern", ""))
            name = ".".join(test.groups()) if test and "TEST" in name else name
        if language == "csharp" and kind in ("method", "property"):
            # Not told apart there: constructors, delegates and members of an interface named in full.
            if name == tag.get("scope", "").split(".")[-1]:
                kind = "constructor"
            elif re.search(r"\bdelegate\b", tag.get("pattern", "")):
                kind = "type"
            name = name.split(".")[-1]
        answer[Path(tag["path"])].append((name, kind, tag["line"]))
    return answer
