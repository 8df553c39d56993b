"""What a text in backticks may be: a path, an identifier, or neither. Sure cases only."""

import re
from collections.abc import Iterator
from typing import Final

Found = tuple[str, str, int]
"""Kind, target, line."""

# With a slash, or with an ending that files have; nothing that a shell or a template would expand.
_PATH: Final = re.compile(r"(?:\.{1,2}/)*[\w@+.-]+(?:/[\w@+.-]+)*/?")
_POSITION: Final = re.compile(r"(?::\d+(?:[-:]\d+)?|#L\d+(?:-L?\d+)?)$")
_ENDING: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}$")
_ENDINGS_TEXT: Final = """
bash bat bzl c cc cfg cjs clj cmake conf cpp cs css csv cxx dart el erl ex exs fish go gradle graphql h
hcl hh hpp hs htm html hxx ini ipynb java jl js json json5 jsonc jsx kt kts less lock lua m4 markdown md
mdx mjs mk ml mm mts nix patch php pl plist pm png po proto ps1 py pyi pyx r rb rs rst s sass scala scss
sh sql svelte svg swift tcl tex tf toml tpl ts tsx txt vim vue xml yaml yml zig zsh"""
_ENDINGS: Final = frozenset(_ENDINGS_TEXT.split())
_NAME: Final = re.compile(r"([A-Za-z_]\w*(?:(?:\.|::|#)[A-Za-z_]\w*)*)(\(\))?")


def has_ending(path: str) -> bool:
    """Whether the last component ends like the name of a file."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() in _ENDINGS and "." in name.strip(".")


def backticked(text: str) -> Iterator[tuple[str, str]]:
    """The kind and the target of a text in backticks; nothing when it is neither path nor identifier.

    ``src/a.py:12`` is the path ``src/a.py``; ``Parser.parse()`` is a name and keeps its parentheses.
    """
    text = text.strip()
    if len(text) < 3 or "://" in text:
        return
    bare = _POSITION.sub("", text)
    if _PATH.fullmatch(bare) and (
        has_ending(bare) or bare.endswith("/") or ("/" in bare and bool(_ENDING.search(bare)))
    ):
        if not (bare.count("/") == 0 and bare.startswith(".")):
            yield "path", bare
        return
    match = _NAME.fullmatch(text)
    if match and (match[2] or "." in text or "::" in text or "#" in text or "_" in text.strip("_")):
        yield "name", text
