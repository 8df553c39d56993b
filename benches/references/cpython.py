"""Python by CPython's own `ast`: what docs/definitions.md says counts, written down a second time."""

import ast
from collections.abc import Iterator

Found = list[tuple[str, str, int]]
MAKERS = {
    "namedtuple": "class",
    "NamedTuple": "class",
    "TypedDict": "class",
    "make_dataclass": "class",
    "NewType": "type",
    "TypeVar": "type",
    "ParamSpec": "type",
    "TypeVarTuple": "type",
}


def definitions(source: bytes) -> Found:
    """Raises SyntaxError or ValueError for what CPython does not read."""
    return list(_within(ast.parse(source), "open"))


def _within(node: ast.AST, place: str) -> Iterator[tuple[str, str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child.name, _function(child, place), child.lineno
            yield from _within(child, "function")
        elif isinstance(child, ast.ClassDef):
            yield child.name, "class", child.lineno
            yield from _within(child, "type")
        elif isinstance(child, ast.Assign | ast.AnnAssign) and place == "open":
            yield from _assigned(child)
        elif hasattr(ast, "TypeAlias") and isinstance(child, ast.TypeAlias):
            yield child.name.id, "type", child.lineno
        elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from _within(child, place)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, place: str) -> str:
    if place != "type":
        return "function"
    for decorator in node.decorator_list:
        name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
        if name in ("property", "cached_property", "setter", "getter", "deleter"):
            return "property"
    return "constructor" if node.name == "__init__" else "method"


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, str, int]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for name in names:
            if not isinstance(name, ast.Name):
                continue
            kind = None
            if name is target and isinstance(node.value, ast.Lambda):
                kind = "function"
            if name is target and isinstance(node.value, ast.Call):
                called = node.value.func
                last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                kind = MAKERS.get(last)
            if kind is None and len(name.id) > 1 and name.id.isupper():
                kind = "constant"
            if kind is None and isinstance(node, ast.AnnAssign):
                kind = "variable"
            if kind:
                yield name.id, kind, name.lineno
