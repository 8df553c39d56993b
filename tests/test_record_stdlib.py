"""Python's own sources, read by Python's own parser and by us: parameters, docstrings, headers.

The standard library is on every machine that runs the tests, written by hundreds of hands, and `ast` says
what is true of it."""

import ast
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from currant.extract import OutlineExtractor
from currant.extract.annotators.header import header
from currant.model import Record
from currant.record.signature import parameters

LIBRARY = Path(os.__file__).parent
MODULES = sorted(
    path
    for pattern in ("[a-d]*.py", "asyncio/*.py", "logging/*.py", "email/*.py", "concurrent/futures/*.py")
    for path in LIBRARY.glob(pattern)
)


@pytest.fixture(scope="module")
def modules() -> list[tuple[Path, ast.Module, bytes, Record]]:
    """Each module with its tree, its source and our record of it."""
    outline = OutlineExtractor()
    out = []
    for path in MODULES:
        source = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        out.append((path, tree, source, outline.extract(path.name, "python", source).record))
    return out


def callables(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, however deep."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """What `parameters` should say."""
    given = node.args
    positional = [one.arg for one in [*given.posonlyargs, *given.args]]
    if positional[:1] and positional[0] in ("self", "cls", "mcs"):
        del positional[0]
    names = [*positional, *([f"*{given.vararg.arg}"] if given.vararg else [])]
    names += [one.arg for one in given.kwonlyargs]
    return names + ([f"**{given.kwarg.arg}"] if given.kwarg else [])


def test_parameters_are_those_that_python_itself_sees(
    modules: list[tuple[Path, ast.Module, bytes, Record]],
) -> None:
    seen = 0
    wrong = []
    for path, tree, _source, record in modules:
        ours = {
            (one.name, one.end): one
            for one in record.symbols
            if one.kind in ("function", "method", "constructor")
        }
        for node in callables(tree):
            one = ours.get((node.name, node.end_lineno or 0))
            if one is None or one.signature.endswith("…"):
                continue
            seen += 1
            found = [parameter.name for parameter in parameters("python", one.name, one.signature)]
            if found != named(node):
                wrong.append((path.name, one.signature, found))
    assert wrong == []
    assert seen > 1_000


def test_a_module_with_a_docstring_has_a_header_in_its_lines(
    modules: list[tuple[Path, ast.Module, bytes, Record]],
) -> None:
    seen = 0
    for path, tree, source, record in modules:
        text = ast.get_docstring(tree)
        if not text:
            continue
        found = header("python", source, record)
        assert found is not None, path
        if found.form == "docstring":
            seen += 1
            node = tree.body[0]
            assert (found.start, found.end) == (node.lineno, node.end_lineno), path
            assert found.intent, path
            assert " ".join(found.intent.split())[:20] in " ".join(text.split()), path
    assert seen > 40
