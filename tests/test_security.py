"""What a hostile tree tries: links out of it, things that block, programs that want to be run.

The other lines of docs/security.md are in ``test_security_state.py`` (state directory and socket),
``test_security_terminal.py`` (output and questions), ``test_secrets.py`` and ``test_bad_input.py``.
"""

import ast
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import currant
from conftest import GitRepo, Tree
from oracle import git_files
from watcher import Watcher

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "python" / "currant"
STOLEN = "def stolen():\n    pass\n"
SECONDS = 60
"""After which something that hangs counts as hanging. Nothing here takes more than a second or two."""


def run(root: Path, *command: str, **environment: str) -> str:
    """One command on `root`, to its end; its standard output."""
    return subprocess.run(
        [sys.executable, "-m", "currant", *command, "--root", root], check=True, capture_output=True,
        text=True, timeout=SECONDS, env={**os.environ, **environment},
    ).stdout  # fmt: skip


def told(root: Path) -> tuple[list[str], set[str]]:
    """Paths and names of definitions of the index that is there, without looking at the disk again."""
    with currant.open(root, live=False, flags={"scheduler.enabled": False}) as index:
        return index.files(), {definition.name for definition in index.find("", limit=10_000)}


def listed(repo: GitRepo) -> list[str]:
    """The same paths, as git sees them."""
    return list(map(os.fsdecode, git_files(repo.root)))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory beside the tree that no answer may show anything of."""
    place = tmp_path / "outside"
    (place / "sub").mkdir(parents=True)
    for name in ("a.py", "b.py", "sub/a.py"):
        (place / name).write_text(STOLEN)
    return place


# --- links ----------------------------------------------------------------------------------------


def test_links_are_neither_followed_nor_listed(git_repo: GitRepo, outside: Path) -> None:
    git_repo.write({"own.py": "def own(): pass\n", "dir/own2.py": "def own2(): pass\n"})
    for name, target in {
        "file.py": outside / "a.py",
        "tree": outside,
        "inside.py": "own.py",
        "dir/up": "..",
        "loop": "loop",
        "loop1": "loop2",
        "loop2": "loop1",
        "nowhere.py": outside / "absent.py",
        "proc.py": "/proc/self/environ",
    }.items():
        git_repo.path(name).symlink_to(target)
    with Watcher(git_repo.root).ready(), currant.open(git_repo.root) as index:
        git_repo.path("dir/later.py").symlink_to(outside / "a.py")
        git_repo.path("dir/later").symlink_to(outside)
        index.sync()
        assert index.files() == listed(git_repo) == ["dir/own2.py", "own.py"]
        assert index.find("stolen") == []


# Each is run between the look at a file (it is one) and its opening.
SWAPS = {
    "the file by a link": "rm {root}/d/a.py; ln -s {outside}/a.py {root}/d/a.py",
    "its directory by a link": "mv {root}/d {root}/e; ln -s {outside} {root}/d",
    "a directory further up by a link": (
        "mv {root}/u {root}/v; mkdir {outside}/d; cp {outside}/a.py {outside}/d; ln -s {outside} {root}/u"
    ),
    "the file by a pipe": "rm {root}/d/a.py; mkfifo {root}/d/a.py",
    "the file by a directory": "rm {root}/d/a.py; mkdir {root}/d/a.py",
    "the file by a link to a device": "rm {root}/d/a.py; ln -s /dev/zero {root}/d/a.py",
}


@pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)
def test_what_takes_a_files_place_before_it_is_opened_is_not_read(
    tree: Tree, outside: Path, swap: str
) -> None:
    tree.write({"u/d/a.py" if "/u" in swap else "d/a.py": "def own(): pass\n"})
    command = swap.format(root=tree.root, outside=outside)
    run(tree.root, "index", CURRANT_FAIL_POINTS=f"fp_lstat_then_open={command}")
    paths, names = told(tree.root)
    assert names <= {"own"}
    assert not any(tree.path(path).is_symlink() for path in paths)
    run(tree.root, "verify")


def test_a_directory_that_becomes_a_link_before_it_is_listed_is_not_entered(
    git_repo: GitRepo, outside: Path
) -> None:
    """A file that only the other directory has would be noticed by its name."""
    git_repo.write({"d/own.py": "def own(): pass\n", "e/own.py": "def own(): pass\n"})
    (outside / "only-there.py").write_text(STOLEN)
    for place in ("d", "e"):
        command = f"mv {git_repo.root}/{place} {git_repo.root}/.was; ln -s {outside} {git_repo.root}/{place}"
        run(git_repo.root, "index", CURRANT_FAIL_POINTS=f"fp_list_then_descend={command}")
        paths, names = told(git_repo.root)
        assert not any("only-there" in path for path in paths)
        assert names == {"own"}
        git_repo.path(place).unlink()
        git_repo.path(".was").rename(git_repo.path(place))


def test_a_directory_swapped_for_a_link_under_a_watcher_is_left(git_repo: GitRepo, outside: Path) -> None:
    git_repo.write({"u/d/a.py": "def own(): pass\n"})
    with Watcher(git_repo.root).ready(), currant.open(git_repo.root) as index:
        for name in ("u/d", "u"):
            git_repo.path(name).rename(git_repo.path("moved"))
            git_repo.path(name).symlink_to(outside)
            index.sync()
            assert index.find("stolen") == []
            assert index.files() == listed(git_repo)
            # What is written there now is written outside.
            (outside / "new.py").write_text(STOLEN)
            index.sync()
            assert index.find("stolen") == []
            git_repo.path(name).unlink()
            git_repo.path("moved").rename(git_repo.path(name))
        index.sync()
        assert [one.path for one in index.find("own")] == ["u/d/a.py"]


# --- what blocks ----------------------------------------------------------------------------------


def test_pipes_sockets_and_devices_are_never_opened(git_repo: GitRepo) -> None:
    """Opening a pipe for reading blocks, opening some devices does something."""
    git_repo.write({"own.py": "def own(): pass\n", "becomes.py": "def becomes(): pass\n"})
    os.mkfifo(git_repo.path("pipe.py"))
    os.mkfifo(git_repo.path(".ignore"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(git_repo.path("sock.py")))
        if os.geteuid() == 0:  # nobody else may make one
            os.mknod(git_repo.path("zero.py"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
            os.mknod(git_repo.path("disk.py"), stat.S_IFBLK | 0o666, os.makedev(7, 99))
        with Watcher(git_repo.root).ready(), currant.open(git_repo.root) as index:
            os.mkfifo(git_repo.path("later.py"))
            git_repo.path("becomes.py").unlink()
            os.mkfifo(git_repo.path("becomes.py"))
            index.sync()
            assert index.files() == ["own.py"]


RULE_FILES = {
    "a pipe": "mkfifo {0}",
    "an endless device": "ln -s /dev/zero {0}",
    "a link to what only its owner reads": "ln -s /etc/shadow {0}",
    "a directory": "mkdir {0}",
    "a hole of 16 GiB": "truncate -s 16G {0}",
}


@pytest.mark.parametrize("kind", RULE_FILES.values(), ids=RULE_FILES)
def test_rules_that_are_no_rules_are_harmless(git_repo: GitRepo, tmp_path: Path, kind: str) -> None:
    """In each place where rules are looked for: reading ends, is bounded in memory, and shows nothing."""
    git_repo.write({"own.py": "def own(): pass\n", "sub/own.py": "x = 1\n"})
    rules = tmp_path / "rules"
    with git_repo.path(".git/config").open("a") as config:
        config.write(f"[core]\n\texcludesFile = {rules}\n")
    for place in (rules, *map(git_repo.path, (".git/info/exclude", ".gitignore", "sub/.gitignore"))):
        place.unlink(missing_ok=True)
        subprocess.run(kind.format(place), shell=True, check=True)
    limited = 'ulimit -v 2000000; exec "$0" -m currant index --json --root "$1"'
    done = subprocess.run(
        ["sh", "-c", limited, sys.executable, git_repo.root], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    paths, _ = told(git_repo.root)
    assert {"own.py", "sub/own.py"} <= set(paths)
    assert "root:" not in done.stdout + done.stderr
    assert "root:" not in run(git_repo.root, "status", "--json")


# --- what wants to be run -------------------------------------------------------------------------


def test_nothing_that_a_tree_holds_is_run(git_repo: GitRepo, tmp_path: Path) -> None:
    """Programs that git, Python or a shell would run, each of which would leave a mark."""
    mark = tmp_path / "mark"
    leave = f"echo $0 >> {mark}"
    python = f"open({str(mark)!r}, 'a').write(__name__)\n"
    git_repo.write({"own.py": "def own(): pass\n", "sub/x.py": "x = 1\n"})
    git_repo.commit()
    script = f"#!/bin/sh\n{leave}\n"
    hooks = [
        "post-checkout",
        "pre-commit",
        "fsmonitor-watchman",
        "post-index-change",
        "reference-transaction",
    ]
    git_repo.write({f".git/hooks/{name}": script for name in hooks})
    git_repo.write({"evil.sh": script, ".envrc": leave, ".gitattributes": "* filter=evil diff=evil\n"})
    modules = ["sitecustomize", "usercustomize", "conftest", "setup", "currant", "apsw", "click", "json"]
    git_repo.write({f"{name}.py": python for name in modules})
    git_repo.write({"currant/__init__.py": python, "currant/__main__.py": python})
    for name in [*(f".git/hooks/{name}" for name in hooks), "evil.sh"]:
        git_repo.path(name).chmod(0o755)
    evil = git_repo.path("evil.sh")
    with git_repo.path(".git/config").open("a") as config:
        config.write(
            f'[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n\tpager = {evil}\n\teditor = {evil}\n'
            f'\thooksPath = .git/hooks\n\tgitProxy = {evil}\n\taskPass = {evil}\n'
            f'[filter "evil"]\n\tclean = {evil}\n\tsmudge = {evil}\n\tprocess = {evil}\n'
            f'[diff "evil"]\n\ttextconv = {evil}\n\tcommand = {evil}\n[include]\n\tpath = {evil}\n'
            f'[alias]\n\tstatus = !{evil}\n[credential]\n\thelper = !{evil}\n'
        )  # fmt: skip
    # Whatever program Currant would start by its name is one of these.
    fake = tmp_path / "bin"
    fake.mkdir()
    for name in ("git", "sh", "bash", "python3", "ctags", "less", "hg", "watchman", "file", "uname"):
        (fake / name).write_text(f"#!{shutil.which('sh')}\n{leave}\n")
        (fake / name).chmod(0o755)
    environment = {**os.environ, "PATH": os.fspath(fake), "PAGER": os.fspath(evil)}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path and path != str(PROJECT))
    # As people start it: with `python -m`, Python itself would look for modules in the present directory.
    program = Path(sysconfig.get_path("scripts")) / "currant"
    for command in ("index", "status", "find own", "show own.py", "why own.py", "verify", "plan", "doctor",
                    "changes", "files"):  # fmt: skip
        done = subprocess.run(
            [sys.executable, program, *command.split()], cwd=git_repo.root, env=environment,
            capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode in (0, 1), (command, done.stderr)
        assert not mark.exists(), (command, mark.read_text())


def test_the_product_can_start_nothing() -> None:
    """No module of ours evaluates text, unpickles, or starts a program, but for those listed here."""
    forbidden_names = {"eval", "exec", "compile", "__import__"}
    forbidden_modules = {
        "subprocess",
        "pickle",
        "marshal",
        "shelve",
        "runpy",
        "code",
        "multiprocessing",
        "pty",
    }
    forbidden_calls = {"system", "popen", "execv", "execve", "execvp", "spawnv", "posix_spawn", "fork",
                       "create_subprocess_exec", "create_subprocess_shell"}  # fmt: skip
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ""
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in forbidden_names
            ):
                name = node.func.id
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("os", "asyncio"):
                name = node.attr if node.attr in forbidden_calls else ""
            elif isinstance(node, ast.Import):
                name = next((one.name for one in node.names if one.name in forbidden_modules), "")
            elif isinstance(node, ast.ImportFrom) and node.module in forbidden_modules:
                name = node.module or ""
            if name:
                found.append((path.relative_to(PACKAGE).as_posix(), name))
    # The soak drives real programs; it is a tool of the developers, not part of the product's way.
    assert {one for one in found if not one[0].startswith("soak/")} == {
        ("failpoint.py", "subprocess"),
        (
            "extract/confine.py",
            "subprocess",
        ),  # our own parser, in an interpreter without the current directory
        (
            "hub/git.py",
            "subprocess",
        ),  # git on clones of the service's own: no hooks, no prompts, few transports
        ("periodic/store.py", "pickle"),  # APScheduler's rows: nothing but the types of a schedule
    }
    rust = [
        path.name for path in (PROJECT / "rust" / "src").rglob("*.rs")
        if re.search(r"\bCommand::new\b|\blibloading\b", path.read_text())
    ]  # fmt: skip
    assert rust == ["failpoint.rs"]


# --- rights ---------------------------------------------------------------------------------------


@pytest.fixture
def bound(git_repo: GitRepo) -> tuple[GitRepo, list[str]]:
    """A repository and the command that has a watcher be bound by modes, as root is not."""
    if os.geteuid() != 0:
        return git_repo, []
    return git_repo, ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def test_a_file_that_may_not_be_read_any_more_is_found_no_more(bound: tuple[GitRepo, list[str]]) -> None:
    """It is a marked failure; what was known of its content goes with the right to read it."""
    repo, prefix = bound
    repo.write({"a.py": "def was_open(): pass\n", "b.py": "def stays(): pass\n"})
    with Watcher(repo.root, prefix=prefix).ready(), currant.open(repo.root) as index:
        assert index.find("was_open")
        repo.path("a.py").chmod(0)
        index.sync()
        assert index.find("was_open") == []
        view = index.show("a.py")
        assert view is not None
        assert (view.state, view.record) == ("failed", None)
        assert "EACCES" in (view.reason or "")
        assert index.status()["index"]["failed"] == 1
        assert index.find("stays")
        repo.path("a.py").chmod(0o600)
        index.sync()
        assert index.find("was_open")


def test_a_directory_that_may_not_be_read_any_more_is_said_to_be(bound: tuple[GitRepo, list[str]]) -> None:
    """Its rows stay as they were last seen (docs/security.md), and `status` says which ones those are."""
    repo, prefix = bound
    repo.write({"d/a.py": "def was_open(): pass\n"})
    with Watcher(repo.root, prefix=prefix).ready(), currant.open(repo.root) as index:
        repo.path("d").chmod(0)
        index.sync()
        status = index.status()
        assert status["engine"]["denied_paths"] == ["d"]
        assert any("may not be read" in one["what"] for one in status["degraded"])
        repo.path("d").chmod(0o700)
        index.sync()
        assert index.status()["engine"]["denied"] == 0


# --- the page -------------------------------------------------------------------------------------


def test_every_line_that_the_page_defends_has_tests_that_exist() -> None:
    page = (PROJECT / "docs" / "security.md").read_text()
    defended = page.split("\n## Defended\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| (.*) \| (.*) \|$", defended, re.M)[1:]
    assert len(rows) >= 15
    defined = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    for line, tests in rows:
        named = set(re.findall(r"`(test_\w+)`", tests))
        assert named, line
        assert named <= defined, (line, named - defined)
