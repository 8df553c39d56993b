"""Bytes that somebody else wrote, in any form: configuration, and what comes through the socket.

Anything but an answer or an error of `currant.errors` is a failure of the reader. The readers in the native
core have targets of their own (`rust/fuzz`, run by ``cargo test --test fuzz``).
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from currant.cache import MetadataCache
from currant.clock import ManualClock
from currant.config import _FIELDS, Settings, load_settings
from currant.errors import ConfigError, CurrantError
from currant.ipc import wire
from currant.ipc.methods import METHODS, Desk
from currant.ipc.server import _parts
from currant.query import Query
from currant.store import Store
from test_ipc import IndexOnly

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

KEYS = st.sampled_from([*_FIELDS, "monitor", "nothing", "monitor.debounce_mss", ""])
TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "\0",
        "\udc80",
        "1e999",
        "-0",
        "nan",
        "inf",
        "[",
        "[1",
        '["a", 1]',
        "{}",
        "9" * 5000,
        "true",
        "a,\0,b",
        "/" * 5000,
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def told(root: Path, **sources: Any) -> Settings | None:
    """The settings, or None for a typed refusal that names its source."""
    try:
        return load_settings(
            root, environ={"HOME": str(root / "home"), **sources.pop("environ", {})}, **sources
        )
    except ConfigError as error:
        str(error).encode()  # can be shown to somebody
        return None


@contextmanager
def a_root(toml: bytes | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        if toml is not None:
            Path(name, "currant.toml").write_bytes(toml)
        yield Path(name)


TOML_PIECES = st.lists(
    st.sampled_from(
        [
            *(key.encode() for key in _FIELDS),
            *b"[monitor] [[monitor]] [ ] = . \" ''' { } , # 0x 1979-99-99 inf true a 1 -1 1e9 \\".split(),
            *(b"\n", b"\r", b"\xff", b"\xef\xbb\xbf", b'"\\u0000"', b"9" * 5000),
            *(b'state_dir = "', b"extract.secrets = "),
        ]
    ),
    max_size=14,
).map(b"".join)


@QUICK
@given(st.binary(max_size=80) | TOML_PIECES)
@example(b'state_dir = "\\u0000"')
@example(b"cache.max_bytes = " + b"9" * 5000)
@example(b"a = " + b"[" * 100_000)
@example(b"a." * 20_000 + b"a = 1")
@example(b"a={" + b"a ." * 300_000 + b"a=1}")
@example(b"d = 1979-99-99")
def test_any_bytes_in_a_configuration_file_are_settings_or_a_typed_refusal(toml: bytes) -> None:
    with a_root(toml) as root:
        told(root)


@QUICK
@given(st.dictionaries(KEYS, VALUES, max_size=4))
@example({"state_dir": "\0"})
@example({"monitor.ignore_patterns": ["\0", "\udc80", "\n"]})
@example({"cache.max_bytes": 10**400})
def test_any_flag_is_a_setting_or_a_typed_refusal(flags: dict[str, Any]) -> None:
    with a_root() as root:
        told(root, flags=flags)


@QUICK
@given(st.dictionaries(KEYS, TEXTS.filter(lambda text: "\0" not in text), max_size=4))
@example({"monitor.max_watches": "9" * 5000})
@example({"state_dir": "/" * 5000})
def test_any_variable_is_a_setting_or_a_typed_refusal(values: dict[str, str]) -> None:
    names = {f"CURRANT_{key.upper().replace('.', '_')}": text for key, text in values.items()}
    with a_root() as root:
        told(root, environ=names)


REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "id": VALUES,
        "method": VALUES | st.sampled_from(sorted(METHODS)),
        "params": VALUES,
        "sync_ms": VALUES,
    },
)
LINES = (
    st.binary(max_size=80)
    | REQUESTS.map(wire.encode)
    | VALUES.map(lambda value: wire.encode({"a": value})[4:])
)


@QUICK
@given(LINES)
@example(b"[" * 200_000)
@example(b'{"a":' * 200_000)
@example(b'{"id":' + b"9" * 5000 + b"}")
@example(b'{"id":NaN,"method":"ping"}')
@example(b'{"method":"ping","sync_ms":1e999}')
@example(b'{"method":"find","params":{"name":"\\ud800"}}')
@example(b'\xef\xbb\xbf{"method":"ping"}')
@example('{"method":"ping"}'.encode("utf-16"))
def test_any_line_from_a_peer_is_a_request_or_a_typed_refusal(line: bytes) -> None:
    try:
        request = wire.decode(line)
        _parts(request)
    except (wire.WireError, CurrantError) as error:
        str(error).encode("utf-8", "backslashreplace")
        return
    assert wire.decode(wire.encode({"id": request.get("id")})).keys() == {"id"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = tmp_path
    store = Store.open(root / "state", clock=ManualClock())
    service = IndexOnly(root, store, Query(store, MetadataCache(1 << 20)))
    service.commit("a.c", os.fsdecode(b"\xff.c"))
    yield Desk(service, version="0", live=True)  # type: ignore[arg-type]
    store.close()


# Those that only read; the others need an engine.
QUESTIONS = ["find", "show", "why", "files", "failures", "rows", "counts", "changes", "ping", "sync"]
QUESTIONS += ["task_progress", "skills"]
PARAMETERS = sorted({name for method in QUESTIONS for name in METHODS[method].params})
LIMITS = st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30])
CLOCKS = st.sampled_from(["c:1:1", "c::", "c:x:y", "c:1:" + "9" * 5000, ":::", "c:1:-1", "c:1:٣"])


@QUICK
@given(
    st.sampled_from(QUESTIONS),
    st.dictionaries(st.sampled_from(PARAMETERS), VALUES | LIMITS | CLOCKS | st.just("a.c"), max_size=4),
)
@example("find", {"name": "f", "limit": 10**30})
@example("find", {"name": "f", "limit": -(10**30)})
@example("failures", {"limit": 10**30})
@example("changes", {"since": "c:1:" + "9" * 5000})
@example("changes", {"limit": 2**63})
@example("show", {"path": "\0"})
@example("show", {"path": "\ud800"})
@example("find", {"name": "\udc80", "kind": "\ud800"})
@example("rows", {"path": "a" * 10_000})
@example("task_progress", {"path": "\ud800", "tasks": "\0"})
@example("task_progress", {"path": "\udcff/../\0", "tasks": "open"})
@example("sync", {"paths": ["\0", "\ud800", "../..", "/etc"]})
def test_any_question_gets_an_answer_or_a_typed_refusal(
    desk: Desk, name: str, params: dict[str, Any]
) -> None:
    try:
        answer = desk.ask(name, params, 0)
    except CurrantError as error:
        str(error).encode("utf-8", "backslashreplace")
        return
    wire.decode(wire.encode({"result": answer.result}))
