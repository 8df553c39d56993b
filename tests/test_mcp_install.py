"""`currant mcp install`: what is written starts a server, and nothing that was in a file is lost."""

import json
import os
import pty
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters

from currant.cli import mcp as cli_mcp
from currant.cli import run
from currant.errors import UsageError
from currant.mcp import clients, install
from currant.mcp.clients import CLIENTS
from currant.mcp.configuration import Unreadable, json_with, json_without, toml_with, toml_without
from mcp_kit import fresh

ENTRY = {"command": "/bin/currant", "args": ["mcp", "--root", '/a b/ü"\\']}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    return made


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "some project"
    (made / ".git").mkdir(parents=True)
    (made / "a.py").write_text("def here():\n    pass\n")
    monkeypatch.chdir(made)
    return made


def installed(capsys: pytest.CaptureFixture[str], *options: str, status: int = 0) -> list[dict[str, Any]]:
    """Run it; what it did, by client."""
    capsys.readouterr()
    assert run(["mcp", "install", "--json", *options]) == status
    answer: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["clients"]
    return answer


# --- the files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_written_starts_a_server(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (one,) = installed(capsys, "--client", name, "--yes")
    assert one["action"] == "written"
    client = CLIENTS[name]
    text = Path(one["path"]).read_text()
    entry = client.entries(text)[one["name"]]
    assert entry["args"] == ["mcp", "--root", str(root)]
    assert os.access(entry["command"], os.X_OK)
    # And again: nothing to do. The whole way for one of them; it is the same program.
    assert installed(capsys, "--client", name, "--yes")[0]["action"] == "unchanged"
    assert Path(one["path"]).read_text() == text

    async def talk() -> None:
        environment = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        server = StdioServerParameters(command=entry["command"], args=entry["args"], env=environment)
        async with Client(server) as connected:
            assert (await fresh(connected, "find_symbol", name="here"))["hits"]

    if name == "claude-code":
        anyio.run(talk)

    (gone,) = installed(capsys, "--client", name, "--yes", "--remove")
    assert gone["action"] == "written"
    assert client.entries(Path(one["path"]).read_text()) == {}


def test_the_rest_of_a_file_stays_and_a_copy_of_it_too(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (
        '{\n\t"other": [1, 2.5, null],\n\t"mcpServers": {"mine": {"command": "x", "env": {"KEY": "ü"}}}\n}\n'
    )
    path = root / ".mcp.json"
    path.write_text(before)
    path.chmod(0o600)
    (one,) = installed(capsys, "--client", "claude-code", "--yes")
    after = json.loads(path.read_text())
    assert after["mcpServers"].pop("currant")
    assert after == json.loads(before)
    assert "\n\t" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Path(one["backup"]).read_text() == before
    assert stat.S_IMODE(Path(one["backup"]).stat().st_mode) == 0o600
    # The next copy is another file.
    (gone,) = installed(capsys, "--client", "claude-code", "--yes", "--remove")
    assert gone["backup"] != one["backup"]
    assert Path(one["backup"]).read_text() == before
    assert json.loads(path.read_text()) == json.loads(before)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"mcpServers": {', "not JSON"),
        ("[]", "not a JSON object"),
        ('{"mcpServers": []}', "mcpServers in it is not an object"),
        ('{"mcpServers": {"a": {}, "a": {}}}', "a key is there twice"),
        ('{\n  // mine\n  "mcpServers": {},\n}', "comments"),
        ('{"mcpServers": {"currant": {"url": "http://127.0.0.1"}}}', "not started by a command"),
        ('{"a": NaN}', "NaN"),
        ("[" * 100_000, "not JSON"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_in_full_is_left_alone(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, why: str
) -> None:
    path = root / ".mcp.json"
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(content)
    (one,) = installed(capsys, "--client", "claude-code", "--yes", status=2)
    assert one["action"] == "refused"
    assert why in one["error"]
    # The way out: what to write by hand.
    assert json.loads(one["error"].partition("add:\n")[2])["mcpServers"]["currant"]["args"][:2] == [
        "mcp",
        "--root",
    ]
    assert path.read_bytes() == content
    assert [entry.name for entry in root.iterdir() if "bak" in entry.name] == []


def test_one_that_is_refused_does_not_keep_the_others_from_it(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".mcp.json").write_text("{")
    (home / ".cursor").mkdir()
    actions = {one["client"]: one["action"] for one in installed(capsys, "--yes", status=2)}
    assert actions == {"claude-code": "refused", "cursor": "written"}


def test_print_writes_nothing(root: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(root.rglob("*"))
    assert run(["mcp", "install", "--print", *(word for name in CLIENTS for word in ("--client", name))]) == 0
    out = capsys.readouterr().out
    assert all(client.title in out for client in CLIENTS.values())
    assert "+[mcp_servers.currant-some-project]" in out
    assert sorted(root.rglob("*")) == before
    assert list(home.iterdir()) == []


def test_a_link_stays_a_link(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "dotfiles.json"
    kept.write_text("{}")
    path = CLIENTS["windsurf"].file(root, home)
    path.parent.mkdir(parents=True)
    path.symlink_to(kept)
    installed(capsys, "--client", "windsurf", "--yes")
    assert path.is_symlink()
    assert list(json.loads(kept.read_text())["mcpServers"]) == ["currant-some-project"]


def test_a_link_that_came_with_the_tree_leads_nowhere(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = home / "settings.json"
    mine.write_text("{}")
    (root / ".mcp.json").symlink_to(mine)
    (root / ".vscode").symlink_to(home)
    told_of = installed(capsys, "--client", "claude-code", "--client", "vscode", "--yes", status=2)
    assert ["leads out" in one["error"] for one in told_of] == [True, True]
    assert mine.read_text() == "{}"
    assert sorted(home.iterdir()) == [mine]


def test_a_file_that_changes_meanwhile_is_not_written_over(root: Path, home: Path) -> None:
    change = install.addition(CLIENTS["claude-code"], root, home)
    (root / ".mcp.json").write_text('{"mine": 1}')
    with pytest.raises(UsageError, match="changed by somebody else"):
        install.write(change)
    assert (root / ".mcp.json").read_text() == '{"mine": 1}'


def test_what_cannot_be_written_is_said(root: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / ".mcp.json").mkdir()
    (root / ".cursor").write_text("")
    actions = installed(capsys, "--client", "claude-code", "--client", "cursor", "--yes", status=2)
    assert ["cannot be" in one["error"] for one in actions] == [True, True]


def test_roots_of_one_name_get_entries_of_their_own(home: Path, tmp_path: Path) -> None:
    """Clients with one file for everything."""
    codex = CLIENTS["codex"]
    names = []
    for folder in ("one", "two"):
        root = tmp_path / folder / "api"
        root.mkdir(parents=True)
        change = install.addition(codex, root, home)
        install.write(change)
        names.append(change.name)
        assert not install.addition(codex, root, home).changes
    assert names == ["currant-api", "currant-api-2"]
    install.write(install.removal(codex, tmp_path / "one" / "api", home))
    assert list(codex.entries((home / ".codex" / "config.toml").read_text())) == ["currant-api-2"]


# --- the command ------------------------------------------------------------------------------------------


def test_without_a_client_in_sight_one_must_be_named(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["mcp", "install", "--yes"]) == 2
    assert "--client" in capsys.readouterr().err


def test_the_names_of_the_command_are_those_of_the_clients() -> None:
    assert list(cli_mcp._NAMES) == list(CLIENTS)


def test_portable_names_no_path_of_this_machine(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, arguments in (("claude-code", ["mcp"]), ("vscode", ["mcp", "--root", "${workspaceFolder}"])):
        (one,) = installed(capsys, "--client", name, "--yes", "--portable")
        entry = CLIENTS[name].entries(Path(one["path"]).read_text())["currant"]
        assert (entry["command"], entry["args"]) == ("currant", arguments)
    (one,) = installed(capsys, "--client", "codex", "--yes", "--portable", status=2)
    assert "needs the path" in one["error"]


def test_settings_go_along(
    root: Path, home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    (one,) = installed(
        capsys,
        "--client",
        "claude-code",
        "--yes",
        "--state-dir",
        str(state),
        "--set",
        "monitor.debounce_ms=50",
    )
    entry = CLIENTS["claude-code"].entries(Path(one["path"]).read_text())["currant"]
    assert entry["args"][3:] == ["--set", "monitor.debounce_ms=50", "--state-dir", str(state)]
    assert run(["mcp", "--root", str(root), "install", "--yes"]) == 2
    assert "behind install" in capsys.readouterr().err


def test_nobody_is_asked_where_nobody_is(root: Path, home: Path) -> None:
    command = [sys.executable, "-m", "currant", "mcp", "install", "--client", "claude-code"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert not (root / ".mcp.json").exists()


@pytest.mark.parametrize(("answer", "status"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_somebody_is_asked(root: Path, home: Path, answer: bytes, status: int) -> None:
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        command = [sys.executable, "-m", "currant", "mcp", "install", "--client", "claude-code"]
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == status, done.stderr
    assert '+    "currant": {' in done.stdout
    assert (root / ".mcp.json").exists() == (status == 0)


# --- text to text -----------------------------------------------------------------------------------------

_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
_OTHERS = st.dictionaries(st.text().filter(lambda name: name != "currant"), _JSON, max_size=3)


@given(st.dictionaries(st.text().filter(lambda key: key != "mcpServers"), _JSON, max_size=3), _OTHERS,
       st.sampled_from([None, 2, "\t"]), st.booleans())  # fmt: skip
def test_json_keeps_everything_else(rest: Any, others: Any, indent: Any, ascii_only: bool) -> None:
    whole = {**rest, "mcpServers": others}
    text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
    added = json_with(text, "mcpServers", "currant", ENTRY)
    added.encode()
    assert json.loads(added) == {**rest, "mcpServers": {**others, "currant": ENTRY}}
    assert json_with(added, "mcpServers", "currant", ENTRY) == added
    assert json.loads(json_without(added, "mcpServers", "currant")) == whole
    assert json_without(text, "mcpServers", "currant") == text


def test_what_an_entry_has_besides_stays() -> None:
    text = json.dumps({"mcpServers": {"currant": {"command": "old", "env": {"A": "1"}}}})
    added = json_with(text, "mcpServers", "currant", ENTRY)
    assert json.loads(added)["mcpServers"]["currant"] == {**ENTRY, "env": {"A": "1"}}
    assert json_with(added, "mcpServers", "currant", ENTRY) == added
    toml = '[mcp_servers.currant]\n# why\ncommand = "old"\nstartup_timeout_sec = 20\n'
    toml += '\n[mcp_servers.currant.env]\nA = "1"\n'
    written = toml_with(toml, "mcp_servers", "currant", ENTRY)
    assert "# why" in written
    table = tomllib.loads(written)["mcp_servers"]["currant"]
    assert table == {**ENTRY, "startup_timeout_sec": 20, "env": {"A": "1"}}
    assert toml_with(written, "mcp_servers", "currant", ENTRY) == written
    assert toml_without(written, "mcp_servers", "currant") == ""


_TOML = """# my configuration
model = "gpt-5"

[mcp_servers.first]  # that one
command = "a"
args = [
  "[mcp_servers.currant]",
]

# about the profile
[profiles.x]
note = '''
text
'''
[[list]]
a = 1
"""


@pytest.mark.parametrize("text", [_TOML, "", "a = 1", _TOML.replace("\n", "\r\n"), "[mcp_servers]\n"])
def test_toml_is_changed_in_place(text: str) -> None:
    added = toml_with(text, "mcp_servers", "currant", ENTRY)
    assert added.startswith(text)
    assert tomllib.loads(added)["mcp_servers"]["currant"] == ENTRY
    assert toml_with(added, "mcp_servers", "currant", ENTRY) == added
    assert toml_without(added, "mcp_servers", "currant").rstrip("\r\n") == text.rstrip("\r\n")


def test_toml_between_others_keeps_their_comments() -> None:
    first = '[mcp_servers.a]\ncommand = "a"\n\n'
    last = '# about b\n[mcp_servers.b]\ncommand = "b"\n'
    text = first + '[mcp_servers.currant]\ncommand = "x"\n\n' + last
    gone = toml_without(text, "mcp_servers", "currant")
    assert gone == first + last


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers = { currant = { command = "x" } }\n',
        '[mcp_servers]\ncurrant.command = "x"\n',
        'mcp_servers.currant.command = "x"\n',
        '[mcp_servers]\ncurrant = { command = "x" }\n',
        "[mcp_servers\n",
        "mcp_servers = 5\n",
        'a = """\n[mcp_servers.currant]\n"""\nmcp_servers.currant.command = "x"\n',
    ],
)
def test_toml_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        toml_with(text, "mcp_servers", "currant", ENTRY)
    if "= 5" in text or "[mcp_servers\n" in text or '"x"' in text:
        with pytest.raises(Unreadable):
            toml_without(text, "mcp_servers", "currant")


def test_a_name_is_made_of_the_directory() -> None:
    codex = CLIENTS["codex"]
    for path, name in (
        ("/a/My App!", "currant-my-app"),
        ("/", "currant"),
        ("/x/--", "currant"),
        ("/x/ü", "currant"),
    ):
        assert clients.name_for(codex, {}, Path(path)) == name
