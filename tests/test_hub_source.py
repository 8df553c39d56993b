"""What may become a project: addresses taken apart, passwords kept out of sight, everything else refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currant.errors import RootRefusedError, SourceRefused
from currant.hub.git import environment, parse_progress
from currant.hub.source import check_name, looks_like_url, name_for, parse_root, parse_url, redacted


@pytest.mark.parametrize(
    ("source", "url", "secret"),
    [
        ("https://example.org/team/app.git", "https://example.org/team/app.git", None),
        ("https://me:pa%40ss@example.org/app", "https://example.org/app", ("me", "pa@ss")),
        ("https://token@example.org:8443/app", "https://example.org:8443/app", ("token", "")),
        ("http://[::1]:80/app", "http://[::1]:80/app", None),
        ("ssh://git@example.org/app", "ssh://git@example.org/app", None),
        ("ssh://git:secret@example.org/app", "ssh://git@example.org/app", None),
        ("git@example.org:team/app.git", "git@example.org:team/app.git", None),
        ("example.org:app", "example.org:app", None),
        ("git://example.org/app", "git://example.org/app", None),
        ("file:///srv/app", "file:///srv/app", None),
        ("file://localhost/srv/app", "file:///srv/app", None),
    ],
)
def test_an_address_is_taken_apart(source: str, url: str, secret: tuple[str, str] | None) -> None:
    assert looks_like_url(source)
    parsed = parse_url(source)
    assert (parsed.url, parsed.secret) == (url, secret)
    assert parse_url(parsed.whole) == parsed


@pytest.mark.parametrize(
    "source",
    [
        "-uhttps://example.org/app",
        "--upload-pack=touch x",
        "ext::sh -c id",
        "ext::sh",
        "fd::7",
        "https://example.org/app ext::sh",
        "ftp://example.org/app",
        "file:relative",
        "file://elsewhere/srv/app",
        "ssh://-oProxyCommand=id/app",
        "ssh://-oProxyCommand=id@example.org/app",
        "-oProxyCommand=id:app",
        "user@-oProxyCommand:app",
        "git@example.org:-app",
        "https:///app",
        "https://example.org",
        "https://example.org/",
        "https://example.org/app?access_token=secret",
        "https://example.org/app#secret",
        "https://example.org/a\nb",
        "https://example.org:port/app",
        "https://" + "x" * 3_000,
        "",
    ],
)
def test_what_is_no_address_is_refused(source: str) -> None:
    with pytest.raises(SourceRefused) as refused:
        parse_url(source)
    assert "secret" not in str(refused.value)


@given(
    scheme=st.sampled_from(["https", "http", "ssh", "ftp", "git", "file"]),
    password=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1).map(
        lambda text: f"S3cr3t{text}"
    ),
    path=st.sampled_from(["", "/", "/app", "/a@b", ":x/app"]),
)
def test_no_password_is_ever_shown(scheme: str, password: str, path: str) -> None:
    source = f"{scheme}://user:{password}@example.org{path}"
    try:
        parsed = parse_url(source)
        told = parsed.url + parsed.shown + repr(parsed)
    except SourceRefused as error:
        told = str(error)
    assert "S3cr3t" not in told
    assert "S3cr3t" not in redacted(f"fatal: {source}: not found")


def test_a_password_reaches_git_by_its_environment_alone() -> None:
    base = {"PATH": "/bin", "GIT_DIR": "/elsewhere", "GIT_SSH_COMMAND": "ssh -i key"}
    env = environment(base, parse_url("https://me:S3cr3t@example.org:1/app"))
    assert env["GIT_CONFIG_KEY_1"] == "credential.https://example.org:1.helper"
    assert env["CURRANT_GIT_PASSWORD"] == "S3cr3t"
    assert "S3cr3t" not in env["GIT_CONFIG_VALUE_1"]
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_SSH_COMMAND"] == "ssh -i key"
    assert "GIT_DIR" not in env
    assert "ext" not in env["GIT_ALLOW_PROTOCOL"].split(":")


def test_a_directory_is_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd:name").mkdir()
    for source in ("/srv/app", "./app:x", "app", ".", "odd:name"):
        assert not looks_like_url(source)


def test_a_root_is_refused_like_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    home = tmp_path / "state" / "currant"
    (tmp_path / "me" / "src").mkdir(parents=True)
    (home / "clones").mkdir(parents=True)
    (tmp_path / "file").touch()
    assert parse_root("~/src", home) == tmp_path / "me" / "src"
    (tmp_path / "link").symlink_to(tmp_path / "me" / "src")
    assert parse_root(str(tmp_path / "link"), home) == tmp_path / "me" / "src"
    for refused in ("/", "~", str(tmp_path / "file"), str(tmp_path / "none"), "a\0b"):
        with pytest.raises(RootRefusedError):
            parse_root(refused, home)
    for refused in ("/" + "n" * 10_000, "~nobody-has-this-name/src", str(tmp_path / "file" / "below")):
        with pytest.raises(RootRefusedError) as told:
            parse_root(refused, home)
        assert len(str(told.value)) < 400
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    os.mkdir(odd)
    with pytest.raises(RootRefusedError, match="UTF-8"):  # the ledger and every answer are text
        parse_root(odd, home)
    for mixed in (home, home.parent, home / "clones"):  # our own databases are no files to index
        with pytest.raises(RootRefusedError, match="own state"):
            parse_root(str(mixed), home)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/home/me/src/linux", "linux"),
        ("/srv/app/", "app"),
        ("https://example.org/team/app.git", "app"),
        ("git@example.org:app.git", "app"),
        ("/srv/..hidden name..", "hidden-name"),
        ("/", "project"),
    ],
)
def test_a_project_is_called_like_its_directory(source: str, name: str) -> None:
    assert name_for(source) == name
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a/b", "-x", "a\nb", "x" * 101, "x" * 10_000])
def test_an_odd_name_is_refused(name: str) -> None:
    with pytest.raises(SourceRefused) as told:
        check_name(name)
    assert len(str(told.value)) < 250


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("remote: Counting objects: 100% (9/9), done.", 0.02),
        ("Receiving objects:  50% (1/2), 3.1 MiB | 1 MiB/s", 0.4),
        ("Resolving deltas: 100% (5/5), done.", 0.85),
        ("Updating files: 100% (12/12), done.", 1.0),
        ("remote: Total 9 (delta 0), reused 0", None),
        ("Receiving objects: many", None),
        ("fatal: repository not found", None),
    ],
)
def test_progress_of_git_is_read(line: str, share: float | None) -> None:
    told = parse_progress(line)
    assert (None if told is None else told[0]) == (None if share is None else pytest.approx(share))


@given(st.text())
def test_whatever_git_says_is_survived(line: str) -> None:
    told = parse_progress(line)
    assert told is None or 0 <= told[0] <= 1
