"""The commands as they are typed: answers, exit statuses, JSON, and what they must not do."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from currant.api import open_index
from currant.cli import cli, run
from currant.cli.place import Place, find_root
from currant.cli.reader import reading
from currant.errors import UsageError

ODD = os.fsdecode(b"\xff\xfe\nname.py")
COMMANDS = "index watch status sync find show files why changes verify audit plan doctor".split()  # noqa: SIM905


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("CURRANT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    tree = tmp_path / "repo"
    (tree / "src").mkdir(parents=True)
    (tree / ".git").mkdir()
    (tree / "src" / "one.py").write_text("def parse_config(path):\n    return path\n")
    (tree / "src" / "copy.py").write_text("def parse_config(path):\n    return path\n")
    (tree / ODD).write_text("def odd():\n    pass\n")
    (tree / ".gitignore").write_text("*.o\n")
    (tree / "x.o").write_text("")
    monkeypatch.chdir(tree)
    return tree


@pytest.fixture
def indexed(root: Path) -> Path:
    with open_index(root, live=False, sync_ms=60_000) as index:
        index.sync(60)
    return root


@pytest.fixture
def watched(root: Path) -> Iterator[Path]:
    """An owner that watches, in this process."""
    with open_index(root, sync_ms=60_000) as index:
        index.sync(60)
        yield root


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    """Run with --json; the answer."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == status
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_every_command_has_help_that_says_more_than_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    listed = cli.list_commands(None)  # type: ignore[arg-type]
    assert set(COMMANDS) <= set(listed)
    told: list[list[str]] = []
    for name in listed:
        command = cli.get_command(None, name)  # type: ignore[arg-type]
        below = getattr(command, "commands", {})  # a group says it of each of its commands
        told += [[name, one] for one in below] or [[name]]
    for words in told:
        assert run([*words, "--help"]) == 0
        text = capsys.readouterr().out
        assert "--json" in text
        assert len(text) > 400


def test_index_then_find(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ask(capsys, "index")
    assert told["fresh"]
    assert told["index"]["files"] == 4
    # Files written a moment ago may be read twice; what is in them is extracted once for each content.
    assert told["extractor_calls"] == 3
    assert told["reused_results"] >= 1
    again = ask(capsys, "index")
    assert (again["extractor_calls"], again["clock"]) == (0, told["clock"])
    found = ask(capsys, "find", "parse_conf", "--lang", "python")
    assert [one["path"] for one in found["definitions"]] == ["src/copy.py", "src/one.py"]
    assert found["fresh"]
    assert found["clock"] == told["clock"]


def test_finding_nothing_is_status_1(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "find", "no_such_name", status=1)["definitions"] == []
    assert run(["find", "no_such_name"]) == 1


@pytest.mark.parametrize("command", ["status", "sync", "files", "verify", "changes"])
def test_no_index_is_status_3_and_none_is_made(
    root: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert ask(capsys, command, status=3)["error"]["type"] == "NoIndexError"
    assert run([command]) == 3
    assert "currant index" in capsys.readouterr().err
    assert not (root / ".currant").exists()


def test_files_null_is_byte_for_byte_what_is_there(
    indexed: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["files", "-0"]) == 0
    assert capfdbinary.readouterr().out == b".gitignore\0src/copy.py\0src/one.py\0" + os.fsencode(ODD) + b"\0"


def test_files_by_a_part_of_the_path_or_a_glob(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "files", "ONE.py")["files"] == ["src/one.py"]
    assert ask(capsys, "files", "src/*.py", "--limit", "1")["files"] == ["src/copy.py"]
    assert ask(capsys, "files", "*.py", "--after", "src/copy.py")["files"][0] == "src/one.py"
    assert ask(capsys, "files", "no such file", status=1)["files"] == []
    assert run(["files", "--limit", "1"]) == 0
    told = capsys.readouterr()
    assert told.out == ".gitignore\n"
    assert "--limit gives more" in told.err


def test_a_name_with_a_newline_stays_on_one_line(
    indexed: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["files"]) == 0
    assert len(capfdbinary.readouterr().out.splitlines()) == 4


def test_names_that_are_not_utf8_survive_json(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ODD in ask(capsys, "files")["files"]
    assert ask(capsys, "show", ODD)["file"]["path"] == ODD


def test_show_and_why(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = ask(capsys, "show", "src/one.py")["file"]
    assert [symbol["name"] for symbol in shown["record"]["symbols"]] == ["parse_config"]
    told = [ask(capsys, "why", f"src/{name}.py")["why"] for name in ("one", "copy")]
    assert {one["reused_from"] is None for one in told} == {True, False}
    assert ask(capsys, "show", "x.o", status=1)["file"] is None
    assert run(["show", "src/one.py"]) == 0
    assert run(["why", "src/copy.py"]) == 0
    assert "parse_config" in capsys.readouterr().out


def test_changes_since_a_clock(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clock = ask(capsys, "sync")["clock"]
    (indexed / "src" / "one.py").unlink()
    (indexed / "new.md").write_text("# New\n")
    told = ask(capsys, "changes", "--since", clock)
    assert {row["path"]: row["change_type"] for row in told["changes"]} == {
        "src/one.py": "deleted",
        "new.md": "created",
    }
    assert not told["fresh_instance"]
    assert ask(capsys, "changes", "--since", told["clock"])["changes"] == []
    assert ask(capsys, "changes", "--since", "c:00000000:9")["fresh_instance"]
    assert run(["changes", "--since", "yesterday"]) == 2


def test_verify_is_0_and_says_what_was_compared(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ask(capsys, "verify")
    assert told["ok"]
    assert told["files"] == 4


def test_verify_is_1_with_the_list_when_the_index_lies(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A row that points to another result, with all else as it was: only reading the file can tell.
    import apsw

    database = apsw.Connection(str(indexed / ".currant" / "index.db"))
    (other,) = database.execute(
        "SELECT result_id FROM files WHERE path = CAST('.gitignore' AS BLOB)"
    ).fetchone()
    database.execute(
        "UPDATE files SET racy = 0, result_id = ? WHERE path = CAST('src/one.py' AS BLOB)", (other,)
    )
    database.close()
    (indexed / ".currant" / "index.seal").unlink()  # or the next start would know that it was changed
    (found,) = ask(capsys, "verify", status=1)["differences"]
    assert (found["path"], found["kind"]) == ("src/one.py", "different")


def test_status_without_and_with_a_watcher(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ask(capsys, "status")
    assert (told["running"], told["pid"], told["index"]["files"]) == (False, None, 4)
    assert run(["status"]) == 0
    with open_index(indexed) as index:
        index.sync(60)
        told = ask(capsys, "status")
        assert (told["running"], told["pid"], told["fresh"]) == (True, os.getpid(), True)
        assert run(["status"]) == 0


def test_questions_to_a_watcher_see_what_was_just_written(
    watched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(20):
        (watched / f"n{number}.py").write_text(f"def fresh_{number}():\n    pass\n")
        found = ask(capsys, "find", f"fresh_{number}", "--exact", "--wait", "60")
        assert found["fresh"]
        assert [one["path"] for one in found["definitions"]] == [f"n{number}.py"]
    assert ask(capsys, "verify")["ok"]
    assert ask(capsys, "index")["owner"] == os.getpid()


def test_a_second_watcher_is_refused_with_the_first_ones_pid(
    watched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["watch"]) == 4
    assert str(os.getpid()) in capsys.readouterr().err


def test_plan_and_doctor(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = ask(capsys, "plan")
    assert (told["files"], told["directories"], told["languages"]["python"]) == (4, 2, 3)
    assert not (root / ".currant").exists()
    assert run(["plan"]) == 0
    checks = {check["name"]: check for check in ask(capsys, "doctor")["checks"]}
    assert checks["sqlite"]["grade"] == "ok"
    assert checks["index"]["fix"] == "currant index PATH"
    assert run(["doctor"]) == 0


@pytest.mark.parametrize("command", ["plan", "index", "watch"])
def test_wide_roots_are_refused(root: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert run([command, "/"]) == 2
    assert "--yes-really" in capsys.readouterr().err


def test_wrong_settings_are_told_with_their_range(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", "--set", "scheduler.worker_threads=99", "--set", "nonsense.key=1"]) == 2
    told = capsys.readouterr().err
    assert "from 1 to 8" in told
    assert "nonsense.key" in told
    assert run(["index", "--set", "worker_threads"]) == 2
    assert run(["find"]) == 2
    assert not (root / ".currant").exists()


def test_ignore_is_for_one_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "index", "--ignore", "src/")["index"]["files"] == 2


def test_the_root_is_found_from_below(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_root(indexed / "src") == indexed
    assert run(["show", "one.py", "--root", str(indexed)]) == 1
    monkeypatch.chdir(indexed / "src")
    assert run(["show", "one.py"]) == 0
    assert run(["show", "src/one.py"]) == 0


def test_files_outside_of_the_root_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(root)
    assert place.relative("src/../src/one.py") == "src/one.py"
    assert place.relative(str(root / "src" / "one.py")) == "src/one.py"
    with pytest.raises(UsageError):
        place.relative("../elsewhere")
    monkeypatch.chdir("/")
    assert place.relative("src/one.py") == "src/one.py"


def test_a_root_said_through_a_link_is_the_same_root(
    indexed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(indexed)
    assert run(["show", str(tmp_path / "link" / "src" / "one.py")]) == 0
    monkeypatch.chdir(indexed / "src")
    assert run(["show", "one.py", "--root", str(tmp_path / "link")]) == 0


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "currant", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
        env=environment(),
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_tells_changes_and_stops_cleanly(root: Path, number: signal.Signals) -> None:
    with start("watch", "--json", "--root", str(root)) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert (ready["ready"], ready["files"]) == (True, 4)
        (root / "late.py").write_text("def late():\n    pass\n")
        change = json.loads(process.stdout.readline())
        assert (change["change"], change["path"]) == ("created", "late.py")
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == 0
        assert errors == "stopped\n"
    assert not (root / ".currant" / "sock").exists()
    assert run(["verify"]) == 0


def test_following_a_watcher_from_another_process(watched: Path) -> None:
    since = json.loads(
        subprocess.run(
            [sys.executable, "-m", "currant", "sync", "--json", "--root", str(watched)],
            capture_output=True,
            check=True,
            env=environment(),
        ).stdout
    )["clock"]
    with start("changes", "--follow", "--since", since, "--json", "--root", str(watched)) as process:
        assert process.stdout is not None
        (watched / "seen.py").write_text("x = 1\n")
        assert json.loads(process.stdout.readline())["path"] == "seen.py"
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130


def test_a_short_command_imports_no_index_code(watched: Path) -> None:
    code = (
        "import sys; from currant.cli import run; "
        f"status = run(['find', 'parse_config', '--root', {str(watched)!r}, '--json']); "
        "print(status, *sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    status, *modules = done.stderr.split()
    assert status == "0"
    heavy = {"rich", "asyncio", "apsw", "msgspec", "xxhash", "watchfiles"}
    ours = {f"currant.{name}" for name in ("_core", "service", "store", "query", "model", "config", "api")}
    assert not (heavy | ours) & set(modules)


def test_the_command_runs_whatever_of_it_was_imported_before() -> None:
    """A submodule takes the name of the function that stands in its package."""
    code = (
        "import importlib, pkgutil, sys; import currant.cli as cli; "
        "[importlib.import_module(f'currant.cli.{one.name}') for one in pkgutil.iter_modules(cli.__path__)]; "
        "sys.argv = ['currant', '--version']; cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("currant ")


def test_a_reader_that_leaves_is_no_error(indexed: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m currant changes | head -c 1",
        shell=True,
        capture_output=True,
        check=False,
        env=environment(),
    )
    assert b"Traceback" not in done.stderr


def test_a_killed_watcher_leaves_nothing_to_clean_up(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        with start("watch", "--json", "--root", str(root)) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["ready"]
            (root / f"late{number}.py").write_text(f"def late_{number}():\n    pass\n")
            process.kill()
            process.communicate()
        assert (root / ".currant" / "sock").exists()  # a dead one
        found = ask(capsys, "find", f"late_{number}", "--exact")
        assert [one["path"] for one in found["definitions"]] == [f"late{number}.py"]
        assert ask(capsys, "verify")["ok"]


def test_a_question_while_its_watcher_is_killed_is_answered(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The owner dies between the question and the answer: the one who asked becomes the owner."""
    with start("watch", "--json", "--root", str(root)) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        with reading(Place(root), None) as reader:
            assert reader.ask("find", {"name": "parse_config"}).fresh
            process.kill()
            process.communicate()
            answer = reader.ask("find", {"name": "parse_config"})
            assert answer.fresh
            assert len(answer.result) == 2


def test_verify_is_not_fooled_by_work_that_goes_on(watched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = threading.Event()

    def work() -> None:
        number = 0
        while not done.is_set():
            number += 1
            (watched / "src" / f"w{number % 7}.py").write_text(f"def w{number}():\n    pass\n")
            (watched / "src" / f"w{(number + 3) % 7}.py").unlink(missing_ok=True)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        told = ask(capsys, "verify")
    finally:
        done.set()
        worker.join()
    assert told["differences"] == []
    assert ask(capsys, "verify")["ok"]


def test_many_readers_at_once_all_get_the_truth(watched: Path) -> None:
    wrong: list[str] = []

    def read() -> None:
        with open_index(watched, sync_ms=60_000) as index:
            for _ in range(10):
                if "src/one.py" not in index.files() or not index.last.fresh:
                    wrong.append(repr(index.last))

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for number in range(50):
        (watched / f"busy{number}.py").write_text(f"x = {number}\n")
    for reader in readers:
        reader.join()
    assert wrong == []


def test_a_damaged_index_is_set_aside_and_rebuilt_and_said_so(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (indexed / ".currant" / "index.db").write_bytes(b"nonsense " * 10_000)
    assert ask(capsys, "doctor", status=1)["ok"] is False
    assert run(["find", "parse_config", "--json"]) == 0
    told = capsys.readouterr()
    assert len(json.loads(told.out)["definitions"]) == 2
    assert "damaged" in told.err
    assert run(["verify"]) == 0


def test_a_log_level_that_does_not_exist(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRANT_LOG", "loud")
    assert run(["status"]) == 2
