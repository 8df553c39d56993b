"""End to end over the native engine: real files, real watches, real store; the disk is the oracle.

After every storm of changes the rows must equal a fresh walk of the tree with fresh hashes. Nothing here
waits for some time: `sync` says when everything written before it is in.
"""

import atexit
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import xxhash

from currant import _core
from currant.config import ExtractSettings, MonitorSettings, SchedulerSettings, Settings
from currant.extract import default_registry
from currant.service import Service
from store_kit import overwrite, page_of

SCRATCH = tempfile.mkdtemp(prefix="currant-test-")
atexit.register(shutil.rmtree, SCRATCH, True)
QUICK = Settings(
    scheduler=SchedulerSettings(max_queue_size=100),
    monitor=MonitorSettings(debounce_ms=5, max_delay_ms=50),
    extract=ExtractSettings(max_file_mb=1),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.fixture
def service(root: Path) -> Iterator[Service]:
    service = Service(root, QUICK)
    service.start()
    yield service
    service.stop()


def on_disk(root: Path) -> dict[bytes, str]:
    """Content hash of every file that the index ought to hold, by a walk of our own."""
    walked, _, problems = _core.walk(str(root), state_dir=str(root / ".currant"))
    assert problems == []
    return {
        os.fsencode(file.path): xxhash.xxh3_128_digest((root / file.path).read_bytes()).hex()
        for file in walked
    }


def in_index(service: Service) -> dict[bytes, str | None]:
    rows: dict[bytes, str | None] = {}
    for path in service.query.files():
        view = service.query.show(os.fsdecode(path))
        assert view is not None
        rows[path] = view.content
    return rows


def settle(service: Service) -> None:
    result = service.sync(60)
    assert result.fresh, (result.outstanding, service.get_status())


def check(service: Service) -> None:
    settle(service)
    assert in_index(service) == on_disk(service.root)


def calls(service: Service) -> int:
    return int(service.get_status()["stats"]["extractor_calls"])


def write(path: Path, text: str) -> Path:
    """In one step, so that no test can count the empty file that a plain write begins with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=SCRATCH, delete=False) as file:
        file.write(text)
    os.rename(file.name, path)
    return path


def test_a_saved_symbol_is_found(service: Service, root: Path) -> None:
    write(root / "pkg/x.py", "def freshly_saved():\n    pass\n")
    settle(service)
    [found] = service.query.find("freshly_saved", exact=True)
    assert (found.path, found.language, found.start, found.end) == ("pkg/x.py", "python", 1, 2)
    write(root / "pkg/x.py", "class Replaced:\n    pass\n")
    settle(service)
    assert service.query.find("freshly_saved") == []
    assert service.query.find("Replaced", exact=True)


def test_names_in_any_encoding(service: Service, root: Path) -> None:
    for name in (b"caf\xe9.py", b"\xff\xfe", "日本.py".encode(), b"new\nline", b"back\\slash"):
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(b"x = 1\n")
    check(service)
    assert len(service.query.files()) == 5


def test_a_renamed_directory_and_a_renamed_file_cost_no_extractor_call(service: Service, root: Path) -> None:
    for index in range(60):
        write(root / f"old/deep/{index}.py", f"def f{index}(): pass\n")
    check(service)
    before = calls(service)
    assert before == 60
    (root / "old").rename(root / "new")
    check(service)
    (root / "new/deep/3.py").rename(root / "moved.py")
    check(service)
    assert calls(service) == before
    assert [found.path for found in service.query.find("f3", exact=True)] == ["moved.py"]


def test_a_branch_switch_and_back_extracts_only_what_was_never_seen(service: Service, root: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
        subprocess.run(["git", *identity, "-C", str(root), *arguments], check=True, capture_output=True)

    for index in range(40):
        write(root / f"{index}.py", f"def main{index}(): pass\n")
    git("add", ".")
    git("commit", "-qm", "main")
    git("checkout", "-qb", "other")
    for index in range(0, 40, 2):
        write(root / f"{index}.py", f"def other{index}(): pass\n")
    git("rm", "-q", "1.py")
    git("add", ".")
    git("commit", "-qm", "other")
    check(service)
    git("checkout", "-q", "-")
    check(service)
    seen = calls(service)
    for _ in range(4):
        git("checkout", "-q", "-")
        check(service)
    assert calls(service) == seen


def test_fifos_links_and_devices_are_never_opened(service: Service, root: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside/secret.py", "def secret(): pass\n")
    write(root / "real.py", "def real(): pass\n")
    os.mkfifo(root / "pipe.py")
    os.symlink(tmp_path / "outside", root / "linked")
    os.symlink("real.py", root / "link.py")
    check(service)
    assert service.query.files() == [b"real.py"]
    (root / "real.py").unlink()
    os.mkfifo(root / "real.py")
    check(service)
    assert service.query.files() == []


def test_a_directory_that_becomes_a_link_takes_its_rows_along(
    service: Service, root: Path, tmp_path: Path
) -> None:
    write(root / "d/x.py", "def x(): pass\n")
    write(tmp_path / "outside/x.py", "def outside(): pass\n")
    check(service)
    shutil.rmtree(root / "d")
    os.symlink(tmp_path / "outside", root / "d")
    check(service)
    assert service.query.files() == []


def test_ignored_means_invisible_and_an_edit_of_the_rules_counts_at_once(
    service: Service, root: Path
) -> None:
    for index in range(20):
        write(root / f"build/{index}.py", f"def built{index}(): pass\n")
    check(service)
    assert len(service.query.files()) == 20
    write(root / ".gitignore", "build/\n")
    check(service)
    assert service.query.files() == [b".gitignore"]
    before = calls(service)
    write(root / ".gitignore", "# nothing\n")
    check(service)
    assert len(service.query.files()) == 21
    assert calls(service) == before + 1  # the rules file itself; the others were known


def test_the_state_directory_never_appears(service: Service, root: Path) -> None:
    write(root / "x.py", "x = 1\n")
    check(service)
    assert (root / ".currant/index.db").exists()
    assert not service.force_process_file(".currant/index.db")
    assert service.query.files() == [b"x.py"]


def test_a_file_larger_than_the_limit_is_hashed_and_noted(service: Service, root: Path) -> None:
    write(root / "big.py", "def big(): pass\n" + "#" * (3 << 20))
    check(service)
    view = service.query.show("big.py")
    assert view is not None
    assert view.record is not None
    assert view.record.notes == ["skipped: 3.0 MB > extract.max_file_mb 1"]


@pytest.mark.parametrize("seed", range(4))
def test_any_storm_of_changes_ends_in_the_state_of_the_disk(service: Service, root: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        storm(root, chance, 60, links=False)
        check(service)


def test_a_write_through_one_name_of_a_file_reaches_its_other_names(service: Service, root: Path) -> None:
    write(root / "a/one.py", "def before(): pass\n")
    check(service)
    (root / "b").mkdir()
    os.link(root / "a/one.py", root / "b/two.py")
    check(service)
    with open(root / "b/two.py", "a") as file:
        file.write("def after(): pass\n")
    check(service)
    assert [found.path for found in service.query.find("after", exact=True)] == ["a/one.py", "b/two.py"]


def test_restart_after_a_storm_while_nobody_watched(root: Path) -> None:
    chance = random.Random(99)
    for _ in range(4):
        storm(root, chance, 60)
        with Service(root, QUICK) as service:
            check(service)
            storm(root, chance, 60)  # and stop in the middle of it


def test_once_without_watching(root: Path) -> None:
    for index in range(30):
        write(root / f"{index % 3}/{index}.py", f"def f{index}(): pass\n")
    with Service(root, QUICK, live=False) as service:
        check(service)
        assert service.get_status()["phase"] == "idle"
        assert service.get_status()["engine"]["watches"] == 0


def test_rows_that_cannot_be_read_at_start_are_rebuilt_from_the_disk(root: Path) -> None:
    """The rows are not checked before they are read: reading all of them is the check."""
    for index in range(300):
        write(root / f"{index % 3}/{index}.py", f"def f{index}(): pass\n")
    with Service(root, QUICK) as service:
        check(service)
    index = root / ".currant/index.db"
    offset, size = page_of(index, "files")
    overwrite(index, offset, b"\xa5" * size)
    with Service(root, QUICK) as service:
        assert service.store.opened.how == "rebuilt"
        check(service)


def storm(root: Path, chance: random.Random, count: int, *, links: bool = True) -> None:
    """Random operations on a small tree, so that they meet.

    `links`: hard links too. The kernel reports a write under the name it went through; if that name is gone
    before anybody looked, only a scan can tell that the other names changed, so a live watcher alone cannot.
    """

    def somewhere() -> Path:
        parts = [chance.choice("abc") for _ in range(chance.randrange(3))]
        return root.joinpath(*parts)

    for _ in range(count):
        folder, name = somewhere(), f"{chance.choice('pqr')}.py"
        other = somewhere()
        try:
            match chance.randrange(9 if links else 8):
                case 0 | 1 | 2:
                    write(folder / name, f"def f{chance.randrange(50)}(): pass\n")
                case 3:
                    with open(folder / name, "a") as file:
                        file.write("x = 1\n")
                case 4:
                    (folder / name).unlink()
                case 5:
                    (folder / name).rename(other / name)
                case 6:
                    (folder / chance.choice("abc")).rename(other / chance.choice("abc"))
                case 7:
                    shutil.rmtree(folder / chance.choice("abc"))
                case 8:
                    os.link(folder / name, other / f"{chance.choice('pqr')}.py")
        except OSError:
            continue


def test_detection_and_the_core_agree_on_the_names_of_languages() -> None:
    """Every language that the core outlines is one that some file name leads to."""
    from currant.extract.languages import _KNOWN

    assert {language for language, _ in _core.languages()} <= _KNOWN
    assert default_registry(8).languages == {language for language, _ in _core.languages()}
