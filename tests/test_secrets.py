"""Secrets are listed and not looked into: which files those are, and what new settings have read again."""

import fnmatch
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import currant
from conftest import Tree
from currant.config import load_settings
from currant.errors import ConfigError
from currant.extract import Registry, Secrets
from currant.extract.secrets import NAMES

KEY = "# -----BEGIN RSA PRIVATE KEY-----\ndef private_thing(): pass\n"
CODE = "def private_thing():\n    pass\n"


@pytest.mark.parametrize(
    "name",
    [".env", ".env.local", ".env.production", "prod.env", ".ENV", "id_rsa", "id_ed25519", "id_ecdsa_sk",
     "server.pem", "SERVER.PEM", "tls.key", "a.p12", "a.pfx", "a.jks", "a.kdbx", ".netrc", ".pgpass",
     ".npmrc", ".pypirc", "credentials.json", "credentials", "client_secret_1.json", "terraform.tfvars"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert Secrets().named(name)
    assert Secrets().named(f"deep/below/{name}")
    assert not Secrets().named(f"{name}/inside.py")


@pytest.mark.parametrize(
    "name",
    [".env.example", ".env.sample", ".env.template", ".env.local.example", "example.env", "id_rsa.pub",
     "environment.py", "env", "keys.py", "monkey", "a.keys", "pem", "netrc.py", "credentials.py",
     "README.md"],
)  # fmt: skip
def test_names_that_are_none(name: str) -> None:
    assert not Secrets().named(name)


def test_patterns_add_names_and_a_named_template_is_a_secret() -> None:
    added = Secrets("list", ["*.vault", "Prod-?.ini", ".env.example"])
    for name in ("a.vault", "A.VAULT", "prod-1.ini", ".env.example", "id_rsa"):
        assert added.named(name), name
    assert not added.named("prod-12.ini")


@given(
    st.lists(st.text("ab.*?[]!-é", min_size=1, max_size=6), max_size=4),
    st.lists(st.text("ab.!-é[", min_size=1, max_size=6), max_size=20),
)
def test_patterns_mean_what_fnmatch_says(patterns: list[str], names: list[str]) -> None:
    told = Secrets("list", patterns)
    for name in names:
        assert told.named(name) == any(fnmatch.fnmatchcase(name, one) for one in (*patterns, *NAMES)), name


@pytest.mark.parametrize(
    ("head", "size", "secret"),
    [
        (b"-----BEGIN PRIVATE KEY-----\nMII", 1700, True),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", 400, True),
        (b"-----BEGIN EC PRIVATE KEY-----\r\n", 400, True),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 400, True),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n", 4000, True),
        (b"Bag Attributes\n  friendlyName: x\n-----BEGIN PRIVATE KEY-----\n", 1700, True),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", 400, True),
        (b"-----BEGIN CERTIFICATE-----\nMII", 1700, False),
        (b"-----BEGIN PUBLIC KEY-----\nMII", 300, False),
        (b"x" * 1000 + b"-----BEGIN PRIVATE KEY-----\n", 1700, False),
        (b"-----BEGIN PRIVATE KEY-----\n", 1 << 20, False),
        (b"", 0, False),
    ],
)
def test_the_mark_of_a_private_key(head: bytes, size: int, secret: bool) -> None:
    assert Secrets().holds_key(head, size) == secret


def test_a_secret_has_an_empty_record_of_its_own_identity() -> None:
    made = Registry([], max_file_mb=1)
    choice = made.choose("id_rsa", b"\0binary", 7)
    record = choice.run(b"").record
    assert (record.language, record.symbols, record.notes) == (None, [], ["secret"])
    assert choice.identity == made.hidden_identity
    # The same content under another name shares nothing with it.
    assert made.choose("plain.txt", b"\0binary", 7).identity != choice.identity


def index_of(root: Path, **settings: object) -> dict[str, tuple[str | None, list[str], list[str]]]:
    """What the index says after one run: path -> (extractor, notes, names). Also checks that `find` finds
    exactly the names that the records have."""
    flags = {f"extract.{key}": value for key, value in settings.items()}
    with currant.open(root, live=False, flags=flags) as index:
        index.sync()
        told = {}
        for path in map(os.fsdecode, index.files()):
            view = index.show(path)
            assert view is not None
            assert view.record is not None
            told[path] = (view.extractor, view.record.notes, [symbol.name for symbol in view.record.symbols])
        found = sorted(definition.path for definition in index.find("private_thing"))
        assert found == sorted(path for path, (_, _, names) in told.items() if "private_thing" in names)
        calls = index.status()["stats"]["extractor_calls"]
        assert isinstance(calls, int)
        told["(calls)"] = (None, [str(calls)], [])
        return told


def test_a_secret_is_listed_and_never_found(tree: Tree) -> None:
    tree.write({"id_rsa": CODE, "key.py": KEY, "open.py": CODE, "server.pem": "x", ".env": "A=1\n"})
    told = index_of(tree.root)
    for path in ("id_rsa", "key.py", "server.pem", ".env"):
        assert told[path][1:] == (["secret"], []), path
    assert told["open.py"][2] == ["private_thing"]


def test_a_file_that_becomes_a_secret_by_its_new_name_is_found_no_more(tree: Tree) -> None:
    tree.write({"open.py": CODE})
    assert index_of(tree.root, secret_patterns=["*.hidden.py"])["open.py"][2] == ["private_thing"]
    tree.path("open.py").rename(tree.path("open.hidden.py"))
    assert index_of(tree.root, secret_patterns=["*.hidden.py"])["open.hidden.py"][1:] == (["secret"], [])


def test_switching_the_mode_reads_the_secrets_again_and_nothing_else(tree: Tree) -> None:
    tree.write({"key.py": KEY, "open.py": CODE, **{f"m{i}.py": f"def m{i}(): pass\n" for i in range(10)}})
    assert index_of(tree.root)["(calls)"][1] == ["12"]
    told = index_of(tree.root, secrets="extract")
    assert told["key.py"][2] == ["private_thing"]
    assert told["(calls)"][1] == ["1"]
    told = index_of(tree.root)
    assert told["key.py"][1:] == (["secret"], [])
    assert told["(calls)"][1] == ["0"], "its empty record was still stored"
    assert index_of(tree.root)["(calls)"][1] == ["0"]


def test_a_changed_pattern_reads_again_what_it_names(tree: Tree) -> None:
    tree.write({"a.vault.py": CODE, "open.py": CODE + "x = 1\n", "id_rsa": "x"})
    assert index_of(tree.root)["a.vault.py"][2] == ["private_thing"]
    told = index_of(tree.root, secret_patterns=["*.vault.py"])
    assert told["a.vault.py"][1:] == (["secret"], [])
    assert told["open.py"][2] == ["private_thing"]
    # Another name for the policy, hence new records, but only of secrets.
    assert told["(calls)"][1] == ["2"]
    assert index_of(tree.root)["a.vault.py"][2] == ["private_thing"]


def test_an_index_of_before_there_were_secrets_hides_them_too(tree: Tree) -> None:
    """Rows that an earlier policy took for ordinary files do not say so; their names do."""
    tree.write({"a.secret.py": CODE, "b.secret.py": CODE})
    index_of(tree.root, secrets="extract", secret_patterns=["a.*"])
    told = index_of(tree.root, secret_patterns=["*.secret.py"])
    assert told["a.secret.py"][1:] == told["b.secret.py"][1:] == (["secret"], [])


def test_settings_of_secrets(tmp_path: Path) -> None:
    def load(**environ: str) -> tuple[str, tuple[str, ...]]:
        extract = load_settings(tmp_path, environ=environ).extract
        return extract.secrets, extract.secret_patterns

    assert load() == ("list", ())
    assert load(CURRANT_EXTRACT_SECRETS="extract") == ("extract", ())
    assert load(CURRANT_EXTRACT_SECRET_PATTERNS="*.vault, *.tok") == ("list", ("*.vault", "*.tok"))
    for bad in ("secret/*", "", "a\0b"):
        with pytest.raises(ConfigError, match="secret_patterns"):
            load_settings(tmp_path, flags={"extract.secret_patterns": [bad]}, environ={})
    with pytest.raises(ConfigError, match="must be one of extract, list"):
        load(CURRANT_EXTRACT_SECRETS="show")
