"""Nothing that a tree holds steers the terminal of who asks, and no question is more than a question."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import currant
from conftest import Tree
from currant import jsontext
from currant.api import Index
from currant.errors import UsageError
from currant.store.records import fold

PROJECT = Path(__file__).resolve().parent.parent
# What the progress bar writes, which is ours.
OURS = re.compile(rb"\r\x1b\[2K")
STEERING = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

NAMES = (
    b"title\x1b]0;owned\x07.md",
    b"clear\x1b[2J\x1b[H.py",
    b"c1\xc2\x9b31m.py",
    b"raw\x9b31m.py",
    "bidi\u202eyp.py".encode(),
    b"back\x08\x08\x08.py",
    b"line\nfake.py",
    b"return\rfake.py",
    b"tab\t.py",
)


@pytest.fixture
def hostile(tree: Tree) -> Tree:
    """A tree whose names, headings and rules hold everything that a terminal listens to."""
    tree.write(dict.fromkeys(NAMES, b"def owned(): pass\n"))
    tree.write({"README.md": b"# owned \x1b[31m red \x1b]8;;http://x\x07link \xc2\x9b2J\n\ntext\n"})
    tree.write({"odd.js": 'class X { "owned\x1b[31m"() {} }\nfunction owned(a = "\x1b[2J") {}\n'})
    tree.write({".gitignore": b"\\\x1b[31m\\\n[\x1b\n"})
    # A failure's words are shown as well (not to root, who may read everything).
    tree.path("broken\x1b[5m.py").write_bytes(b"def owned(): pass\n")
    tree.path("broken\x1b[5m.py").chmod(0)
    return tree


def on_a_terminal(root: Path, *command: str) -> str:
    """What `currant` shows when both of its outputs are a terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "currant", *command], cwd=root, stdin=subprocess.DEVNULL, stdout=slave,
        stderr=slave, env=environment,
    ):  # fmt: skip
        os.close(slave)
        told = b""
        try:
            while part := os.read(master, 65536):
                told += part
        except OSError:
            pass  # the last one closed it
    os.close(master)
    return OURS.sub(b"", told).replace(b"\r\n", b"\n").decode("utf-8", "backslashreplace")


def test_no_command_lets_a_name_steer_the_terminal(hostile: Tree) -> None:
    subprocess.run([sys.executable, "-m", "currant", "index", hostile.root], check=True, capture_output=True)
    odd = os.fsdecode(NAMES[0])
    for command in (
        ("find", "owned"),
        ("show", odd),
        ("show", "README.md"),
        ("why", odd),
        ("show", "absent\x1b[31m"),
        ("files",),
        ("changes",),
        ("verify",),
        ("status", "--failures"),
        ("plan",),
        ("doctor",),
        ("index", "--root", "absent\x1b[31m"),
    ):
        told = on_a_terminal(hostile.root, *command)
        assert told, command
        assert STEERING.findall(told.replace("\n", "")) == [], (command, told)


def test_every_line_for_people_goes_through_the_one_function() -> None:
    """`currant.cli.output.echo` is where a terminal is protected; going round it would need a reason."""
    around = [
        f"{path.name}: {line.strip()}"
        for path in sorted((PROJECT / "python" / "currant" / "cli").glob("*.py"))
        for line in path.read_text().splitlines()
        if re.search(r"click\.(echo|secho)\(|(?<!\w)print\(|sys\.std(out|err)\.write\(", line)
    ]
    assert around == [
        '__init__.py: click.echo(f"currant {__version__}")',
        "output.py: click.echo(jsontext.dumps(value))",
        "output.py: click.echo(text, err=err)",
        "top.py: console.print(render(told, SystemClock().now()))",  # into a text, which goes through `echo`
    ]


def test_json_and_nul_lists_hold_every_name_as_it_is(hostile: Tree) -> None:
    def told(*command: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-m", "currant", *command], cwd=hostile.root, check=True, capture_output=True
        ).stdout

    told("index", os.fspath(hostile.root))
    wanted = sorted(os.fsencode(name) for name in os.listdir(hostile.root) if name != ".currant")
    assert told("files", "-0").split(b"\0")[:-1] == wanted
    answer = told("files", "--json")
    assert [os.fsencode(name) for name in jsontext.loads(answer)["files"]] == wanted
    # Any other reader of JSON, too: bytes that are not UTF-8 are lone surrogates, written as escapes.
    assert [os.fsencode(name) for name in json.loads(answer)["files"]] == wanted


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_json_is_valid_for_every_name(name: bytes) -> None:
    written = jsontext.dumps({"path": os.fsdecode(name)})
    assert os.fsencode(json.loads(written.decode("utf-8"))["path"]) == name
    assert b"\n" not in written


# --- questions ------------------------------------------------------------------------------------

SPECIAL = ('"', "'", "\\", "%", "_", "*", "(", ")", ":", "^", "-", "+", "{", "}", "\0", "\n", ";", "--", "/*")
WORDS = (
    "OR",
    "AND",
    "NOT",
    "NEAR",
    "names",
    "text",
    "DROP TABLE files",
    "UNION SELECT",
    "k",
    "\ud800",
    "é",
    "ß",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    for name in ("alpha", "beta_OR_gamma", "quoted", "k", "straße"):
        (root / f"{name}.py").write_text(f"def {name}():\n    pass\n", encoding="utf-8")
    (root / "odd.md").write_text('# it\'s "quoted" 100% (a_b) * OR -- \\ x\n')
    return root


@pytest.fixture
def small_index(small: Path) -> Iterator[Index]:
    with currant.open(small, live=False) as index:
        index.sync()
        yield index


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.lists(st.sampled_from((*SPECIAL, *WORDS)) | st.text(max_size=3), max_size=5).map("".join),
    kind=st.none() | st.sampled_from((*SPECIAL, "function", "heading")),
    language=st.none() | st.sampled_from((*WORDS, "python", "markdown")),
)
def test_no_question_is_more_than_a_question(
    small_index: Index, name: str, kind: str | None, language: str | None
) -> None:
    """Whatever is asked for is looked for as that text: neither SQL nor the search's own syntax gets through.
    The oracle is Python's `in` over all that there is, folded like names (controls are blanks); one letter is
    looked for at the beginning. What is nearly a name is in `tests/test_find.py`."""
    every = small_index.find("", limit=10_000)
    wanted = sorted(
        (one.path, one.name)
        for one in every
        if fold(name) in (fold(one.name) if len(fold(name)) != 1 else fold(one.name)[:1])
        and (not kind or one.kind == fold(kind))
        and (not language or one.language == fold(language))
    )
    found = small_index.find(name, kind=kind, language=language, documentation=False, limit=10_000)
    assert sorted((one.path, one.name) for one in found if one.match != "typo") == wanted
    exact = small_index.find(name, kind=kind, language=language, exact=True, limit=10_000)
    assert {one.name for one in exact} <= {name}
    assert len(small_index.find("", limit=10_000)) == len(every)


def test_names_that_no_file_can_have_are_answered_not_broken(small_index: Index) -> None:
    for name in ("\0", "a\0b", "\ud800", "x" * 100_000, "../" * 1_000, "/", ""):
        assert small_index.show(name) is None
        assert small_index.why(name) is None
    service = small_index.service
    assert service is not None
    for name in ("a\0b", "\ud800", "../../etc/passwd", "/etc/passwd"):
        with pytest.raises(UsageError):
            service.force_process_file(name)
