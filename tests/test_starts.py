"""What a command imports: a start is mostly imports, and which they are is the same on every machine.

The lists name what costs most and is not needed; `benches/run.py --rows starts,restart` has the times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from currant.api import open_index

# Of the standard library and others: e-mail and zip files come with importlib.metadata.
NEVER = {
    *("asyncio", "concurrent.futures", "configparser", "difflib", "email.message", "importlib.metadata"),
    *("markdown_it", "rich", "sqlite3", "tomllib", "xml.etree.ElementTree", "zipfile"),
    *("fastapi", "mcp", "sqlalchemy", "uvicorn", "psutil"),
    *("currant.graph", "currant.projects", "currant.llm.tier", "currant.store.llm"),
    *("currant.extract.annotators.links_markdown", "currant.extract.annotators.links_rst"),
    *("currant.extract.annotators.task_lists", "currant.extract.manifests.readers"),
}
OF_SOME_QUESTIONS = {
    *("currant.audit.auditor", "currant.verify", "currant.record.export", "currant.record.conventions"),
}
OF_A_SERVICE = {
    *("currant.api", "currant.service", "currant.parts", "currant.workers", "currant.writer"),
    *("currant.audit.auditor", "currant.query", "currant.ipc.server", "currant.plan"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("starts")
    (tree / "one.py").write_text("def one():\n    pass\n")
    with open_index(tree, live=False, sync_ms=60_000) as index:
        index.sync(60)
    return tree


def imported(root: Path, *arguments: str) -> set[str]:
    """The modules that are there after one command, in a process of its own."""
    program = (
        "import json, sys\n"
        "from currant.cli import run\n"
        "status = run(sys.argv[1:])\n"
        "print('\\n' + json.dumps([status, sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize(
    "command", ["index", "find one", "files", "show one.py --json", "status", "changes", "sync"]
)
def test_a_command_imports_nothing_that_it_does_not_need(root: Path, command: str) -> None:
    assert imported(root, *command.split()) & NEVER == set()


@pytest.mark.parametrize("command", ["index", "files", "changes", "sync"])
def test_what_only_some_questions_need_waits_for_them(root: Path, command: str) -> None:
    assert imported(root, *command.split()) & OF_SOME_QUESTIONS == set()


def test_the_disk_is_read_before_the_service_is_imported(root: Path) -> None:
    program = (
        "import json, sys\n"
        "from currant.cli import run\n"
        "from currant.outset import Outset\n"
        "begin, there = Outset.begin, []\n"
        "Outset.begin = lambda self: there.append(sorted(sys.modules)) or begin(self)\n"
        "status = run(['index'])\n"
        "print('\\n' + json.dumps([status, there[0]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    late = {"currant.service", "currant.store", "currant.extract", "currant.model", "currant.query", "apsw"}
    assert set(modules) & late == set()


def test_a_command_says_all_it_has_to_say_and_runs_what_was_left_for_its_end(root: Path) -> None:
    program = (
        "import atexit, sys\n"
        "from currant import cli\n"
        "atexit.register(print, 'the end')\n"
        "sys.argv = ['currant', *sys.argv[1:]]\n"
        "cli.main()"
    )
    for command, status in ((["files"], 0), (["find", "nothing-of-this-name"], 1), (["find"], 2)):
        done = subprocess.run(
            [sys.executable, "-c", program, *command], cwd=root, capture_output=True, text=True
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (status, "the end"), done.stderr


def test_status_without_a_watcher_is_told_without_a_service(root: Path) -> None:
    assert imported(root, "status") & (NEVER | OF_A_SERVICE) == set()


def test_a_question_to_a_watcher_imports_neither_model_nor_store(root: Path) -> None:
    with open_index(root, sync_ms=60_000) as index:
        index.sync(60)
        for command in ("status", "find one", "files"):
            found = imported(root, *command.split())
            assert found & (NEVER | OF_A_SERVICE | {"currant.model", "currant.store", "apsw"}) == set()


def test_the_name_alone_imports_nothing_of_ours() -> None:
    program = "import currant, sys; print([name for name in sys.modules if name.startswith('currant.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
