"""Manifests of Python that are not TOML: requirements files, setup.cfg, setup.py.

setup.py is parsed and not run: literals, names that a module assigns once, and sums of them are read, and
whatever is computed is left out.
"""

import ast
import configparser
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from currant.extract.manifests.values import BadManifestError, Manifest, scope_of_group, texts

MAX_SOURCE: Final = 1 << 18
"""A setup.py of more bytes is not parsed: its tree takes fifty times its text."""
MAX_LINES: Final = 5_000
_DEPTH: Final = 30
_NODES: Final = 20_000
_EDITABLE: Final = re.compile(r"#egg=([A-Za-z0-9][A-Za-z0-9._-]*)")


def add_requirement(manifest: Manifest, text: str, scope: str) -> bool:
    """One PEP 508 requirement; False when it is none."""
    # 40 ms, for trees that have Python alone.
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    try:
        parsed = Requirement(text[:2_000])
    except InvalidRequirement:
        return False
    manifest.add(canonicalize_name(parsed.name), parsed.url or str(parsed.specifier), scope)
    return True


def add_requirements(manifest: Manifest, lines: Iterable[str], scope: str) -> None:
    """A list of PEP 508 requirements; what is none is a problem of the manifest."""
    for count, line in enumerate(lines):
        if count == MAX_LINES:
            manifest.problems.append(f"only the first {MAX_LINES} lines of a list were read")
            return
        if line.strip() and not add_requirement(manifest, line.strip(), scope):
            manifest.problems.append(f"not a requirement: {line.strip()[:60]}")


def requirements(text: str, scope: str) -> Manifest:
    """A requirements file of pip."""
    manifest = Manifest("pypi")
    number = 0
    # A line that goes on is one line; the mark keeps the count of those in the file.
    for line in text.replace("\\\n", " \v").split("\n"):
        number += 1 + line.count("\v")
        bare = (
            line.strip() if line.lstrip().startswith("#") else re.split(r"\s#", line, maxsplit=1)[0].strip()
        )
        if not bare or bare.startswith("#"):
            continue
        if number > MAX_LINES:
            manifest.problems.append(f"only the first {MAX_LINES} lines were read")
            break
        if bare.startswith("-"):  # an option: another file, an index, something editable
            if egg := _EDITABLE.search(bare):
                manifest.add(egg[1], bare.split()[-1], scope)
            continue
        bare = re.split(r"\s--?[a-z]", bare, maxsplit=1)[0].strip()  # --hash=...
        if bare.startswith((".", "/")) or "://" in bare.split("@")[0]:
            if egg := _EDITABLE.search(bare):
                manifest.add(egg[1], bare, scope)
        elif not add_requirement(manifest, bare, scope):
            manifest.problems.append(f"line {number} is not a requirement")
    return manifest


def setup_cfg(text: str) -> Manifest:
    """The sections that setuptools reads, and the tools that keep their settings there."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise BadManifestError(f"not an INI file: {str(error).splitlines()[0]}") from None
    sections: Mapping[str, Mapping[str, str]] = {name: dict(parser.items(name)) for name in parser.sections()}
    manifest = Manifest("pypi")
    manifest.say(sections.get("metadata", {}).get("name"), sections.get("metadata", {}).get("version"))
    options = sections.get("options", {})
    manifest.require("python", options.get("python_requires"))
    for key, scope in (
        ("install_requires", "runtime"),
        ("tests_require", "test"),
        ("setup_requires", "build"),
    ):
        add_requirements(manifest, _listed(options.get(key)), scope)
    for group, listed in sections.get("options.extras_require", {}).items():
        add_requirements(manifest, _listed(listed), _scope_of_extra(group))
    manifest.tools += (name.removeprefix("tool:").partition(":")[0] for name in sections if _is_tool(name))
    return manifest


def _listed(value: str | None) -> list[str]:
    """A list of setup.cfg: lines, or parts between semicolons when it is one line without markers."""
    return [line.split(" #")[0] for line in (value or "").splitlines() if not line.lstrip().startswith("#")]


_NO_TOOLS: Final = frozenset(
    {"metadata", "egg_info", "sdist", "bdist_wheel", "aliases", "build_ext", "wheel"}
)


def _is_tool(section: str) -> bool:
    return not section.startswith("options") and section not in _NO_TOOLS


def _scope_of_extra(group: str) -> str:
    known = ("test", "tests", "testing", "dev", "develop", "development", "lint", "docs", "doc", "typing")
    return scope_of_group(group) if group.lower() in known else "optional"


# --- setup.py -----------------------------------------------------------------------------------------


def setup_py(text: str) -> Manifest:
    """What the call of ``setup`` says in literals."""
    if len(text) > MAX_SOURCE:
        raise BadManifestError(f"more than {MAX_SOURCE >> 10} KiB")
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError) as error:
        raise BadManifestError(f"not Python: {getattr(error, 'msg', None) or error}") from None
    literals = _Literals(module)
    manifest = Manifest("pypi")
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _called(node.func) == "setup":
            said = {one.arg: literals.of(one.value) for one in node.keywords if one.arg}
            for one in node.keywords:
                if one.arg is None and isinstance(given := literals.of(one.value), dict):
                    said.update(given)
            _take(manifest, said)
    return manifest


def _take(manifest: Manifest, said: Mapping[str, Any]) -> None:
    manifest.say(said.get("name"), said.get("version"))
    manifest.require("python", said.get("python_requires"))
    for key, scope in (
        ("install_requires", "runtime"),
        ("tests_require", "test"),
        ("setup_requires", "build"),
    ):
        given = said.get(key)
        add_requirements(manifest, given.splitlines() if isinstance(given, str) else texts(given), scope)
    extras = said.get("extras_require")
    for group, listed in extras.items() if isinstance(extras, dict) else ():
        if isinstance(group, str):
            some = [listed] if isinstance(listed, str) else texts(listed)
            add_requirements(manifest, some, _scope_of_extra(group))


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


class _Literals:
    """Values of literals. Bounded: names may stand for lists of names, and so on."""

    def __init__(self, module: ast.Module) -> None:
        self._names: dict[str, ast.expr] = {}
        self._left = _NODES
        for statement in module.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self._names[statement.targets[0].id] = statement.value

    def of(self, node: ast.expr, depth: int = _DEPTH) -> Any:
        """A literal's value, None for what would have to be computed."""
        self._left -= 1
        if depth == 0 or self._left < 0:
            return None
        match node:
            case ast.Constant():
                return node.value
            case ast.List() | ast.Tuple() | ast.Set():
                return [self.of(one, depth - 1) for one in node.elts[: max(0, self._left)]]
            case ast.Dict():
                pairs = zip(node.keys, node.values, strict=True)
                keyed = [(self.of(key, depth - 1), one) for key, one in pairs if key is not None]
                return {key: self.of(one, depth - 1) for key, one in keyed if isinstance(key, str)}
            case ast.Name() if node.id in self._names:
                return self.of(self._names[node.id], depth - 1)
            case ast.Call() if _called(node.func) == "dict":
                return {one.arg: self.of(one.value, depth - 1) for one in node.keywords if one.arg}
            case ast.BinOp(op=ast.Add()):
                left, right = self.of(node.left, depth - 1), self.of(node.right, depth - 1)
                return left + right if isinstance(left, list) and isinstance(right, list) else left or right
        return None
