"""Each check of the doctor, on what other machines would say."""

import sys
from pathlib import Path

import pytest

from currant import doctor
from currant.doctor import Grade

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /mnt/me/my\040files rw - nfs4 server:/x rw
31 22 0:26 / /depot rw - overlay overlay rw
32 22 0:27 / /depot rw - tmpfs tmpfs rw
not a line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc", "ext4"),
        ("/mnt/me/my files/repo", "nfs4"),
        ("/mnt/me/my file", "ext4"),
        ("/depot/x", "tmpfs"),
        ("/depots", "ext4"),
    ],
)
def test_the_deepest_and_latest_mount_decides(path: str, kind: str) -> None:
    assert doctor.file_system_of(Path(path), MOUNTS) == kind


@pytest.mark.parametrize(
    ("kind", "root", "state"),
    [
        ("ext4", Grade.OK, Grade.OK),
        ("nfs4", Grade.WARN, Grade.FAIL),
        ("fuse.sshfs", Grade.WARN, Grade.FAIL),
        ("overlay", Grade.NOTE, Grade.OK),
        ("proc", Grade.FAIL, Grade.FAIL),
    ],
)
def test_file_systems(kind: str, root: Grade, state: Grade) -> None:
    assert doctor.root_type(kind).grade == root
    assert doctor.state_type(kind).grade == state
    assert bool(doctor.state_type(kind).fix) == (state is Grade.FAIL)


@pytest.mark.parametrize(
    ("version", "grade"),
    [
        (3051003, Grade.OK),
        (3054001, Grade.OK),
        (3051002, Grade.FAIL),
        (3050007, Grade.OK),
        (3050006, Grade.FAIL),
        (3040001, Grade.FAIL),
    ],
)
def test_sqlite_versions(version: int, grade: Grade) -> None:
    assert doctor.sqlite_version(version).grade == grade


def test_watches_name_the_line_that_raises_the_limit() -> None:
    low = doctor.watches(8_192, 10)
    assert low.grade is Grade.WARN
    assert "fs.inotify.max_user_watches=524288" in low.fix
    assert doctor.watches(524_288, 10).grade is Grade.OK
    assert doctor.watches(524_288, 524_000).grade is Grade.FAIL


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_the_lower_limit_of_a_user_namespace_counts_and_is_named(tmp_path: Path) -> None:
    for name, number in {
        "fs/inotify/max_user_watches": 600_000,
        "fs/inotify/max_user_instances": 128,
        "fs/inotify/max_queued_events": 16_384,
        "user/max_inotify_watches": 100,
        "user/max_inotify_instances": 0,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{number}\n")
    held, _, instances = doctor.inotify(tmp_path)
    assert held.grade in (Grade.WARN, Grade.FAIL)
    assert held.found.startswith("user.max_inotify_watches of this user namespace is 100")
    assert "/proc/sys/user/max_inotify_watches" in held.fix
    assert instances.grade is Grade.FAIL
    assert "/proc/sys/user/max_inotify_instances" in instances.fix
    (tmp_path / "user/max_inotify_instances").write_text("128\n")
    (tmp_path / "user/max_inotify_watches").write_text("700000\n")
    held, _, instances = doctor.inotify(tmp_path)
    assert held.found.startswith("max_user_watches is 600,000")
    assert instances.grade is Grade.OK


def test_held_watches_are_counted_from_the_descriptors(tmp_path: Path) -> None:
    process = tmp_path / "42"
    (process / "fd").mkdir(parents=True)
    (process / "fdinfo").mkdir()
    (process / "fd" / "3").symlink_to("anon_inode:inotify")
    (process / "fd" / "4").symlink_to("/dev/null")
    (process / "fdinfo" / "3").write_text("pos:\t0\ninotify wd:1 ino:2\ninotify wd:2 ino:3\n")
    (tmp_path / "43").mkdir()
    assert doctor.held_watches(tmp_path) == 2


def test_damage_is_told_and_nothing_is_changed(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"not a database, but long enough to be read as one" * 200)
    before = (tmp_path / "index.db").read_bytes()
    (check,) = doctor.integrity(tmp_path)
    assert check.grade is Grade.FAIL
    assert "currant index" in check.fix
    assert (tmp_path / "index.db").read_bytes() == before


def test_no_index_yet_is_a_note_with_the_command(tmp_path: Path) -> None:
    (check,) = doctor.owner(tmp_path / ".currant")
    assert (check.grade, check.fix) == (Grade.NOTE, "currant index PATH")


def test_examine_runs_every_check_here(tmp_path: Path) -> None:
    names = [check.name for check in doctor.examine(tmp_path, tmp_path / ".currant")]
    assert {"wheel", "platform", "sqlite", "state directory", "index"} <= set(names)
