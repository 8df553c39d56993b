"""Which paths count for nothing: samples, the past, what is made, what stands for the reader's own.

Owns the words by which paths are judged, and small questions about the text of a path. No index, no disk.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

README: Final = re.compile(
    r"(readme|contributing|changelog|changes|history|security|authors|code_of_conduct|install|development"
    r"|hacking|governance|support|roadmap|architecture)\b",
    re.I,
)
# Where what stands in a document is an example, or somebody else's.
SAMPLES: Final = re.compile(
    r"(?:^|/)(?:tests?|testing|test-?data|.*fixtures?.*|__tests__|e2e|specs?|snapshots?|testcases|vendor|vendored"
    r"|_vendor|third[_-]?party|node_modules|external|templates?|_templates|_static|dist|skeletons?|cookiecutter.*)/",
    re.I,
)
# Documents about the past name what is not there any more.
PAST: Final = re.compile(
    r"(?:^|/|[_.-])(?:changes?|changelogs?|history|news|releases?|whatsnew|release-?notes?|deprecat\w*|migrat\w*"
    r"|upgrad\w*|rfcs?|adrs?|proposals?|keps?|archive[ds]?|blog|_posts|postmortems?|design-?docs?|designs?)"
    r"(?=[/_.-]|$)",
    re.I,
)
# What Sphinx makes, or keeps in another place.
MADE: Final = re.compile(r"(?:^|/)_(?:static|images|downloads|build|sources|modules|templates|autosummary)/")
# What stands for a path of the reader's.
EXAMPLE: Final = re.compile(
    r"(?:^|/)(?:path|dir|folder)/to/|(?:^|/)node_modules/"
    r"|(?:^|/)(?:examples?|samples?|foo|bar|baz|my|your)(?:[_.-][^/]*)?$"
)
MADE_DOCS: Final = frozenset({"genindex", "modindex", "search", "py-modindex", "self"})
DOCUMENTS: Final = frozenset({"markdown", "rst", "html"})
COMMON: Final = frozenset(
    (
        *(
            "src",
            "lib",
            "test",
            "tests",
            "doc",
            "docs",
            "bin",
            "include",
            "config",
            "conf",
            "scripts",
            "examples",
        ),
        *(
            "app",
            "apps",
            "public",
            "static",
            "assets",
            "templates",
            "tools",
            "data",
            "pages",
            "components",
            "utils",
        ),
        *(
            "changelog",
            "changelog.d",
            "changes",
            "newsfragments",
            "news",
            ".github",
            ".vscode",
            "packages",
            "crates",
        ),
    )
)
ANYWHERE: Final = frozenset(
    {"path", "foo", "your", "my", "some", "example", "build", "dist", "node_modules", ".github", "target"}
)


def upwards(directory: str) -> Iterator[str]:
    """This directory and those above it, up to the root."""
    yield directory
    while directory:
        directory = posixpath.dirname(directory)
        yield directory


def tail_of(target: str) -> str:
    """The path without what leads upwards."""
    parts = [part for part in target.split("/") if part not in ("", ".", "..")]
    return "/".join(parts) + ("/" if target.endswith("/") else "")


def unquoted(anchor: str) -> str:
    """An anchor with its escapes undone."""
    return unquote(anchor)
