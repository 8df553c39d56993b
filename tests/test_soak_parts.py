"""The parts of the soak by themselves: what a run rests on comes before its verdict."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from currant.errors import UsageError
from currant.soak import git
from currant.soak.check import compare
from currant.soak.generate import Generator
from currant.soak.hands import Hands
from currant.soak.model import Tree
from currant.soak.rivals import mistakes
from currant.soak.shrink import shrink, tree_steps
from currant.soak.steps import Step, parse, read_script, step, write_script
from soak_kit import listing, made


def test_a_step_survives_its_line() -> None:
    for told in (
        step("write", b"caf\xe9/two words\n%#.py", 7),
        step("put", "a", b""),
        step("!start", "monitor.max_watches=3"),
        Step("!stop"),
    ):
        assert parse(str(told)) == told
        assert str(told).isascii()
    assert parse("# a comment") is None
    assert parse("") is None


def test_a_script_is_read_as_it_was_written(tmp_path: Path) -> None:
    steps = [step("mkdir", b"\xff"), step("!kill")]
    write_script(tmp_path / "script", steps, ["two lines\nof comment \xe9"])
    assert read_script(tmp_path / "script") == steps
    with pytest.raises(UsageError, match="nowhere"):
        read_script(tmp_path / "nowhere")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_model_is_the_tree_on_disk(tmp_path: Path, seed: int) -> None:
    hands, generator, _ = made(tmp_path / "root", seed, 1_500)
    there = Tree()
    there.reload(hands.base)
    assert listing(generator.tree) == listing(there)
    hands.close()


def test_a_seed_means_the_same_steps_and_the_same_tree(tmp_path: Path) -> None:
    outcomes = []
    for name in ("one", "other"):
        hands, generator, steps = made(tmp_path / name, 11, 1_000)
        outcomes.append((steps, listing(generator.tree), tree_steps(hands.base)))
        hands.close()
    assert outcomes[0] == outcomes[1]


def test_the_steps_of_a_tree_make_it_again(tmp_path: Path) -> None:
    hands, generator, _ = made(tmp_path / "root", 5, 1_000)
    generator.restore()
    steps = tree_steps(hands.base)
    again = Hands(os.fsencode(tmp_path / "again"))
    (tmp_path / "again").mkdir()
    assert all(again.do(one) for one in steps)
    assert tree_steps(again.base) == steps
    hands.close()


def test_nothing_outside_of_the_root_can_be_reached(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").write_text("mine\n")
    (tmp_path / "root/link").symlink_to("../outside")
    hands = Hands(os.fsencode(tmp_path / "root"))
    for told in (
        step("write", "../outside", 1),
        step("unlink", os.fsencode(tmp_path / "outside")),
        step("rename", "../outside", "here"),
        step("symlink", "../outside", "another"),
        step("symlink", "/", "everything"),
        step("append", "link", 3),
        step("put", "link", b"overwritten"),
        step("rmtree", ""),
        step("rmtree", "/"),
        step("git", "", "clean", "-fdxq"),  # no repository here: git must not look for one upwards
    ):
        assert not hands.do(told), told
    assert (tmp_path / "outside").read_text() == "mine\n"
    assert sorted(os.listdir(tmp_path / "root")) == ["link"]


def test_every_operation_is_done_now_and_then(tmp_path: Path) -> None:
    hands, generator, steps = made(tmp_path / "root", 3, 5_000)
    generator.restore()
    assert {name[3:] for name in dir(hands) if name.startswith("op_")} - {one.op for one in steps} == {"fill"}
    hands.close()


def test_what_a_tracked_name_leads_to_through_a_link_is_no_file_of_git(tmp_path: Path) -> None:
    hands = Hands(os.fsencode(tmp_path))
    for told in (
        step("git_init", ""),
        step("mkdirs", "lib", "a.py", 1),
        step("write", "a.py", 2),
        step("git", "", "add", "-A"),
        step("rmtree", "lib"),
        step("symlink", ".", "lib"),
        step("mkdirs", "inner/deep", "b.py", 3),
        step("git_init", "inner"),
        step("put", "inner/.gitignore", b"deep/\n"),
        step("mkdirs", "hidden", "c.py", 1),
        step("git_init", "hidden"),
        step("exclude", "", b"hidden/\n"),
    ):
        assert hands.do(told), told
    assert git.files(hands.base) == ({b"a.py", b"inner/.gitignore"}, set())


def test_git_says_nothing_of_a_directory_that_was_a_repository_when_it_was_added(tmp_path: Path) -> None:
    hands = Hands(os.fsencode(tmp_path))
    for told in (
        step("git_init", ""),
        step("mkdir", "inner"),
        step("git_init", "inner"),
        step("git", "", "add", "-A"),
        step("rename", "inner", "moved"),
        step("mkdirs", "inner", "a.py", 1),
        step("write", "b.py", 1),
    ):
        assert hands.do(told), told
    assert git.files(hands.base) == ({b"b.py"}, {b"inner/"})


def test_rows_are_compared_one_by_one() -> None:
    live = {b"same": ("ok", "1"), b"old": ("ok", "1"), b"gone": ("ok", "1")}
    fresh = {b"same": ("ok", "1"), b"old": ("ok", "2"), b"new": ("failed", None)}
    assert [(one.kind, one.path) for one in compare(live, fresh)] == [
        ("extra", b"gone"),
        ("missing", b"new"),
        ("different", b"old"),
    ]


def test_mistakes_of_a_rival_are_of_three_kinds() -> None:
    believed = {"same": "1", "old": "1", "gone": "1"}
    assert mistakes(believed, {"same": "1", "old": "2", "new": "1"}) == {
        ("missing", "new"),
        ("phantom", "gone"),
        ("stale", "old"),
    }


def test_shrinking_finds_the_two_steps_that_matter() -> None:
    steps = [step("write", str(number), number) for number in range(400)]
    tried = 0

    def fails(candidate: Sequence[Step]) -> bool:
        nonlocal tried
        tried += 1
        return steps[37] in candidate and steps[311] in candidate

    assert shrink(steps, fails, lambda: True) == [steps[37], steps[311]]
    assert tried < 100
    assert len(shrink(steps, fails, iter([True] * 5 + [False] * 500).__next__)) < 400


def test_the_generator_needs_no_walk_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hands, generator, _ = made(tmp_path / "root", 2, 300)
    walked: list[object] = []
    monkeypatch.setattr(generator, "_rare", generator._grow)
    failed = generator.failed
    with monkeypatch.context() as patched:
        for owner, name in ((os, "walk"), (os, "listdir"), (subprocess, "run")):
            patched.setattr(owner, name, walked.append)
        for _ in range(200):
            generator.run(1)
            if generator.failed > failed:
                break  # after a refusal it may look
    assert walked == []
    hands.close()


def test_locked_files_are_given_back(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    hands = Hands(os.fsencode(root))
    steps: list[Step] = []
    generator = Generator(hands, 1, files=50, record=steps.append)
    for told in (
        step("mkdirs", "a/b", "c.py", 1),
        step("chmod", "a/b/c.py", "000"),
        step("chmod", "a/b", "000"),
    ):
        assert hands.do(told)
    generator.locked_some = True
    generator.begin()  # forgets which, not that
    generator.restore()
    assert [str(one) for one in steps] == ["chmod a/b 755", "chmod a/b/c.py 644"]
    assert (root / "a/b").stat().st_mode & 0o777 == 0o755


def test_of_a_file_with_two_names_the_one_that_was_written_through_last_counts(tmp_path: Path) -> None:
    """What was written through the other one before is told by it only as far as it goes."""
    hands = Hands(os.fsencode(tmp_path))
    for told in (step("write", "kept.py", 1), step("link", "kept.py", "ignored.py")):
        assert hands.do(told), told
    inode = (tmp_path / "kept.py").stat().st_ino
    for name in ("kept.py", "ignored.py", "kept.py"):
        assert hands.do(step("append", name, 1))
        assert hands.written_through == {inode: name.encode()}
