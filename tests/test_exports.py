"""What `import currant` offers: the same to a type checker as at run time."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import currant

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", currant.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(currant, name) is not None
    assert name in dir(currant)


def test_what_a_users_program_imports_is_there() -> None:
    """`typed_user.py` is read by type checkers and never run, so they might believe what is not so."""
    tree = ast.parse((HERE / "typed_user.py").read_text())
    found = [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("currant")
        for alias in node.names
    ]
    assert found
    for module, name in found:
        assert hasattr(import_module(module), name), f"{module}.{name}"


def test_a_type_checker_knows_a_misspelt_name(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import currant\ncurrant.opne('.')\nfrom currant.api import open_inex\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(HERE.parent / "pyproject.toml")]
    done = subprocess.run([*command, str(program)], cwd=HERE.parent, capture_output=True, text=True)
    assert '"opne"' in done.stdout
    assert '"open_inex"' in done.stdout
