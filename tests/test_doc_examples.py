"""Every page's first example works as pasted: in a tree with a `parse_config`, in a home of its own.

Shell examples run in bash, with a service beside them where the page is about one; Python in a process;
settings are loaded. What cannot be run here is in ELSEWHERE, with the reason or the test that does it."""

import os
import re
import select
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

import currant
from currant.config import load_settings

PROJECT = Path(__file__).resolve().parent.parent
DOCS = PROJECT / "docs"

ELSEWHERE = {
    "installing.md": "makes an environment and builds: .ci/run, and benches/install_matrix.py with a wheel",
    "soak.md": "takes an hour; tests/test_soak.py runs it with fewer operations",
    "extending.md": "needs a package that is installed: tests/test_plugins.py",
    "moving.md": "has no end: below, with one",
}
# A service that runs beside the example.
SERVED = {"jobs.md", "schedules.md", "rest.md"}
# What stays in the foreground.
ENDLESS = re.compile(r"^currant serve\s*(#.*)?$", re.M)
# What a reader would have to fill in first.
PLACEHOLDER = re.compile(r"\bID\b|\bNAME\b|path/to")


def examples(page: Path) -> list[tuple[str, str]]:
    """(language, text) of each block that somebody might paste."""
    return re.findall(r"^```(sh|python|toml|yaml)\n(.*?)^```", page.read_text(), re.M | re.S)


PAGES = sorted(page.name for page in DOCS.glob("*.md") if examples(page))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A tree, with what the examples name."""
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (root / "src" / "config.py").write_text("def parse_config(path):\n    return path\n")
    (root / "setup.cfg").touch()
    (root / "README.md").write_text("# Demo\n\nSee [the code](src/config.py).\n\n- [x] begin\n- [ ] go on\n")
    subprocess.run(["git", "init", "--quiet", root], check=True)
    return root


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has just installed Currant."""
    bin_dir, home = tmp_path / "bin", tmp_path / "home"
    bin_dir.mkdir()
    home.mkdir()
    command = bin_dir / "currant"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m currant "$@"\n')
    command.chmod(0o755)
    path = Path(currant.__file__).parent.parent
    return os.environ | {
        "HOME": str(home),
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
        "PYTHONPATH": str(path),
    }


def bash(text: str, here: Path, environ: dict[str, str]) -> str:
    """What the lines say. Stops at the first that fails, as a reader would."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=here,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def service(here: Path, environ: dict[str, str]) -> Iterator[int]:
    """`currant serve` with the tree as its project; its port."""
    said = subprocess.PIPE
    environ["CURRANT_SERVE_PORT"] = "0"
    bash("currant project add .", here, environ)
    with subprocess.Popen(
        [sys.executable, "-m", "currant", "serve", "--json"], cwd=here, env=environ, stdout=said, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = re.search(r"127\.0\.0\.1:(\d+)|\"port\": ?(\d+)", process.stdout.readline())
            assert port
            yield int(port[1] or port[2])
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_the_first_example_works_as_pasted(name: str, here: Path, environ: dict[str, str]) -> None:
    language, text = examples(DOCS / name)[0]
    assert not PLACEHOLDER.search(text)
    if name == "index.md":
        text = text.replace("pip install .", "true")  # this environment has it
    if language == "python":
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=here, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    elif language == "toml":
        target = here / "currant.toml"
        if "~/.config" in text or name == "llm.md":
            target = Path(environ["HOME"]) / ".config" / "currant" / "config.toml"
            target.parent.mkdir(parents=True)
        target.write_text(text)
        assert tomllib.loads(text)
        load_settings(here, environ={"HOME": environ["HOME"]})  # no ConfigError
    elif language == "yaml":
        assert yaml.safe_load(text)
    elif name in SERVED:
        lines = "\n".join(line for line in text.splitlines() if not ENDLESS.search(line))
        with service(here, environ) as port:
            if name == "jobs.md":  # each for itself: "nothing found" is status 1
                lines = "\n".join(f"{line.partition('#')[0]} || test $? = 1" for line in lines.splitlines())
            bash(lines.replace("7411", str(port)), here, environ)
    else:
        bash("\n".join(line for line in text.splitlines() if not ENDLESS.search(line)), here, environ)


def test_the_loop_of_the_page_about_moving_tells_of_a_change(here: Path, environ: dict[str, str]) -> None:
    _, text = examples(DOCS / "moving.md")[0]
    command = [sys.executable, "-u", "-c", text]
    with subprocess.Popen(command, cwd=here, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            # Changes before it watches are none: written until one is told.
            for number in range(1_000):
                (here / "src" / "late.py").write_text(f"x = {number}\n")
                if select.select([process.stdout], [], [], 0.1)[0]:
                    break
            assert "src/late.py" in process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("page", [*PAGES, "../README.md"])
def test_no_page_has_a_watcher_write_into_what_it_watches(page: str) -> None:
    told = [text for _, text in examples(DOCS / page)]
    assert not re.search(r"currant watch[^\n#]*>\s*+(?![/~$&])", "\n".join(told))


def test_the_five_minutes_can_be_pasted_from_top_to_bottom(here: Path, environ: dict[str, str]) -> None:
    said = ""
    for language, text in examples(DOCS / "index.md")[1:]:
        if language == "sh":
            said += bash(text, here, environ)
        else:
            done = subprocess.run(
                [sys.executable, "-c", text], cwd=here, env=environ, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            said += done.stdout
    assert "src/config.py:1" in said
    assert "brand_new.py:1" in said
    assert "everything on disk is in it: True" in said


def test_the_readme_can_be_pasted_with_a_path(here: Path, environ: dict[str, str]) -> None:
    """Without `Set up` and `Tests`, which .ci/run does."""
    for language, text in examples(PROJECT / "README.md"):
        if "pip install" in text or "make test" in text:
            continue
        text = text.replace("PATH", str(here))
        if language == "python":
            done = subprocess.run(
                [sys.executable, "-c", text], cwd=here, env=environ, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert "src/config.py 1" in done.stdout
        else:
            endless = re.compile(r"^currant (watch|serve) [^-]")
            lines = [line for line in text.splitlines() if not endless.match(line)]
            bash("\n".join(lines), here, environ)


def test_the_hook_of_pre_commit_fails_when_a_document_names_what_is_gone(
    here: Path, environ: dict[str, str]
) -> None:
    (hook,) = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())
    assert hook["language"] == "system"
    bash(hook["entry"], here, environ)
    (here / "src" / "config.py").unlink()
    failed = subprocess.run(
        ["bash", "-c", hook["entry"] + " --kind dead"], cwd=here, env=environ, capture_output=True
    )
    assert failed.returncode == 1
    assert b"src/config.py" in failed.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_is_there(shell: str, here: Path, environ: dict[str, str]) -> None:
    said = bash(f"_CURRANT_COMPLETE={shell}_source currant", here, environ)
    assert "_currant_completion" in said
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=said, text=True, check=True)
    words = environ | {
        "_CURRANT_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "currant fi",
        "COMP_CWORD": "1",
    }
    if shell == "fish":
        words["COMP_CWORD"] = "fi"
    assert "find" in bash("currant", here, words)
