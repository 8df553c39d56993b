"""Large sources in processes of their own: the same answers, and an end for what would not end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from currant import _core
from currant.config import ExtractSettings
from currant.extract import configured_registry, confine, default_registry
from currant.extract.base import ExtractionError
from currant.extract.confine import Confined
from currant.extract.outline import OutOfBoundsError
from currant.model import Packed
from currant.packed import unpacked

LARGE = b"def f():\n    return 1\n\n\n" * 4_000
# Innocent for longer than the head that the core looks at first, then what no parser of C# can take.
HOSTILE = b"class A { int f() { return 1; } }\n" * 9_000 + b"template<" * 44_000


@pytest.fixture
def confined() -> Iterator[Confined]:
    """Every language that has a parser is parsed."""
    made = Confined(_core.parsed_languages())
    yield made
    made.close()


def processes(confined: Confined) -> list[int]:
    return [helper._process.pid for helper in confined._all]


def test_a_large_source_has_the_same_outline_and_record_as_here(confined: Confined) -> None:
    assert confined.outline("python", LARGE) == _core.outline("python", LARGE, "parse")
    ours = _core.examine("python", LARGE, True, True, 256, 4096, "parse")
    assert confined.examine("python", LARGE, True, True, 256, 4096) == ours
    assert len(processes(confined)) == 1, "one after the other, in the same process"


def test_small_sources_and_scanned_languages_stay_here(confined: Confined) -> None:
    confined.outline("python", LARGE[: confine.LARGE])
    confined.outline("c", b"int f(void) { }\n" * 10_000)
    assert processes(confined) == []


def test_what_takes_too_much_computing_is_ended_by_the_kernel_and_the_next_is_read(
    confined: Confined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confine, "allowed_seconds", lambda _size: 1)
    with pytest.raises(OutOfBoundsError, match="more than 1 s of computing"):
        confined.outline("csharp", HOSTILE)
    assert processes(confined) == []
    monkeypatch.undo()
    assert confined.outline("python", LARGE) == _core.outline("python", LARGE, "parse")


def test_a_process_that_is_killed_costs_one_outline(confined: Confined) -> None:
    confined.outline("python", LARGE)
    (pid,) = processes(confined)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(OutOfBoundsError, match="its parser ended with code -9"):
        confined.outline("python", LARGE)
    confined.outline("python", LARGE)


def test_a_process_that_ended_for_want_of_work_is_replaced(confined: Confined) -> None:
    confined.outline("python", LARGE)
    (helper,) = confined._all
    stdin = helper._process.stdin
    assert stdin is not None
    stdin.close()  # the process takes this for the end of its work
    assert helper._process.wait() == 0
    reader, writer = os.pipe()
    os.close(reader)
    helper._process.stdin = os.fdopen(writer, "wb")
    assert confined.outline("python", LARGE) == _core.outline("python", LARGE, "parse")
    assert processes(confined) != [helper._process.pid]


def test_after_the_close_nothing_is_parsed_and_no_process_is_left(confined: Confined) -> None:
    confined.outline("python", LARGE)
    (helper,) = confined._all
    confined.close()
    assert helper._process.returncode == -signal.SIGKILL
    with pytest.raises(ExtractionError, match="the service stops"):
        confined.outline("python", LARGE)


def test_a_large_source_is_scanned_here_and_parsed_elsewhere_if_the_scanner_is_not_sure() -> None:
    confined = Confined()
    try:
        assert confined.outline("python", LARGE) == _core.outline("python", LARGE, "scan")
        assert confined.examine("python", LARGE, True, True, 256, 4096) is not None
        assert processes(confined) == []
        broken = LARGE + b"x = (\n"
        assert confined.outline("python", broken) == _core.outline("python", broken, "parse")
        ours = _core.examine("python", broken, True, True, 256, 4096, "parse")
        assert confined.examine("python", broken, True, True, 256, 4096) == ours
        assert len(processes(confined)) == 1
    finally:
        confined.close()


def test_without_processes_of_their_own_large_sources_are_parsed_here() -> None:
    confined = Confined(["python"], apart=False)
    assert confined.outline("python", LARGE) == _core.outline("python", LARGE, "parse")
    assert processes(confined) == []


def test_scanned_and_parsed_results_are_stored_under_different_versions() -> None:
    scanned = default_registry(8).choose("a.py", b"", 0).identity
    for setting in (("python",), ("all",)):
        parsed = default_registry(8, exact_parsers=setting).choose("a.py", b"", 0).identity
        assert parsed != scanned
    other = default_registry(8, exact_parsers=("go",)).choose("a.py", b"", 0).identity
    assert other == scanned


@pytest.mark.parametrize("means", ["", "tree", "Parse"])
def test_what_is_no_means_is_refused(means: str) -> None:
    with pytest.raises(ValueError, match="no means of this name"):
        _core.outline("python", b"", means)


def test_every_language_that_is_parsed_can_be_scanned_alone() -> None:
    for language in [*_core.parsed_languages(), "c"]:
        assert _core.outline(language, b"", "scan") == _core.outline(language, b"")


def test_the_file_is_marked_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "allowed_seconds", lambda _size: 1)
    registry = configured_registry(ExtractSettings(exact_parsers=("all",)))
    try:
        made = registry.choose("a.cs", HOSTILE[:8192], len(HOSTILE)).run(HOSTILE)
        assert made.record.notes == ["partial: not parsed: it takes more than 1 s of computing"]
        assert made.record.language == "csharp"
        good = registry.choose("a.py", LARGE[:8192], len(LARGE)).run(LARGE).made
        assert isinstance(good, Packed)
        assert len(unpacked(good).symbols) == 4_000
    finally:
        registry.close()


def test_nothing_is_imported_from_the_current_directory(tmp_path: Path, confined: Confined) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit(3)\n")
    code = (
        "import sys; sys.path[:] = [one for one in sys.path if one]\n"
        "from currant.extract.confine import Confined\n"
        "made = Confined(['python']); print(len(made.outline('python', b'def f(): pass\\n' * 9000)) > 1000)\n"
        "made.close()\n"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("True\n", "")
