"""Ignore rules and version control while everything is watched (section G of docs/guarantees.md).

Git is the oracle throughout: after each recipe the index holds what ``git ls-files`` says, and no directory
that git ignores has a watch."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, Live, watching
from conftest import GitRepo
from oracle import RULES, git_files_nested

# Rules of git's documentation and the corners where matchers disagree: anchors, negation below what is
# excluded, classes, escapes, trailing blanks, double stars.
PATTERNS = (
    "*.o", "!keep.o", "/top", "top/", "build/", "!build/", "!build/keep.txt", "doc/*.txt",
    "doc/**/deep.txt", "**/any", "**/any/x", "a/**/b", "a/**", "!a/b", "/*", "!/src", "!/*.md", "src/*",
    "!src/lib", "*/two", "[ab].py", "[!a].txt", "[a-c]d", "q?.c", "\\#hash", "\\!bang", "# comment", "",
    "  ", "space\\ ", "trail   ", "*.LOG", "foo*bar", "**foo", "foo**", "**/", "/**/x", "x/**/", "lib/",
    "!lib/", "lib/*.a", "!lib/*.a", "name", "name/", "/name", "name/*", "!name/in", ".hidden", ".*",
    "!.gitignore", "*~", "\\*star", "[*]star", "deep/er/est", "deep/*/est", "deep/**", "!deep/er/",
    "no/such/thing", "//", "/", "a//b", "!", "*",
)  # fmt: skip
FILES = (
    "x.o", "keep.o", "top", "build/out", "build/keep.txt", "doc/a.txt", "doc/in/deep.txt", "any/x",
    "in/any/x", "a/b/c", "a/q/b", "src/lib/m.py", "src/two", "a.py", "c.py", "a.txt", "b.txt", "bd",
    "qq.c", "#hash", "!bang", "space ", "trail", "A.LOG", "fooXbar", "barfoo", "lib/l.a", "lib/l.c",
    "name/in", "in/name", ".hidden", "e~", "*star", "deep/er/est", "deep/x/est", "readme.md", "in/x/y",
)  # fmt: skip


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    """For recipes that need a watcher of their own."""
    return str(request.param)


def test_an_ignored_tree_is_neither_watched_nor_heard(live: Live) -> None:
    place = live.place("pruned").write({".gitignore": "node_modules/\n", "main.py": "", "node_modules/": ""})
    live.settle()
    live.read_once_more(place, ".gitignore", "main.py")
    before = live.engine()
    place.write({f"node_modules/p{n % 400}/lib/i{n}.js": "var x\n" for n in range(1_000)})
    live.settle()  # as many watches as directories that git keeps
    after = live.engine()
    assert (after["dirs"], after["emitted"]) == (before["dirs"], before["emitted"])
    if live.source == "inotify":
        assert (after["events"], after["listings"]) == (before["events"], before["listings"])


def test_an_edit_of_a_rule_file_hides_and_reveals_what_is_there(live: Live) -> None:
    place = live.place("edited").write({"gen/a": "1", "gen/deep/b": "2", "sub/gen/c": "3", "kept": "4"})
    live.settle()
    place.write({".gitignore": "gen/\n"})
    live.settle()
    assert live.below(place) == [".gitignore", "kept"]
    place.write({".gitignore": "/gen/\n"})
    live.settle()
    assert live.below(place) == [".gitignore", "kept", "sub/gen/c"]
    place.path(".gitignore").unlink()
    live.settle()
    place.write({"gen/new": "5", "sub/gen/deep/new": "6"})
    live.settle()
    place.write({"sub/.gitignore": "gen\n"})
    live.settle()
    assert "sub/gen/c" not in live.below(place)
    place.path("sub/.gitignore").rename(place.path("sub/.gitignore.off"))
    live.settle()
    assert "sub/gen/c" in live.below(place)
    (place.path("sub/.gitignore.off")).rename(place.path(".gitignore"))
    live.settle()
    assert live.below(place) == [".gitignore", "kept"]


def test_a_rule_file_that_comes_together_with_what_it_hides(live: Live) -> None:
    place = live.place("together").write({".gitignore": "# nothing\n"})
    live.settle()
    with live.frozen():
        place.write({"b/o": "1", "b/deep/o": "2"})
        with place.path(".gitignore").open("a") as rules:
            rules.write("b/\n")
    live.settle()
    assert live.below(place) == [".gitignore"]
    with live.frozen():
        place.write({"c/o": "3", "c/.gitignore": "*\n"})
    live.settle()
    with live.frozen():
        place.write({".gitignore": "", "b/later": "4"})
    live.settle()
    assert live.below(place) == [".gitignore", "b/deep/o", "b/later", "b/o"]


def test_what_comes_between_two_edits_is_judged_by_the_last(live: Live) -> None:
    place = live.place("between")
    for round_ in range(10):
        with live.frozen():
            place.write({".gitignore": "x*\n", f"x{round_}/f": "1"})
            place.write({".gitignore": "y*\n", f"y{round_}/f": "2", f"x{round_}/g": "3"})
    live.settle()
    assert live.below(place) == [".gitignore", *sorted(f"x{n}/{name}" for n in range(10) for name in "fg")]


def test_every_kind_of_pattern_means_what_git_says(git_repo: GitRepo) -> None:
    git_repo.write(dict.fromkeys(FILES, "x"))
    chance = random.Random(4)
    with watching(git_repo) as live:
        for _ in range(8):
            git_repo.write({".gitignore": "\n".join(chance.sample(PATTERNS, 6))})
            git_repo.write({"in/.gitignore": "\n".join(chance.sample(PATTERNS, 3))})
            live.settle()
        for pattern in PATTERNS:
            git_repo.write({".gitignore": f"{pattern}\n", "in/.gitignore": f"!{pattern}\n"})
            live.sync()
            assert live.rows().keys() == live.oracle().keys(), pattern
        live.settle()


def test_the_exclude_file_of_the_repository_counts_at_once(live: Live) -> None:
    place = live.place("excluded").write({"secret/a": "1", "kept": "2"})
    live.settle()
    exclude = live.root / ".git/info/exclude"
    before = exclude.read_text()
    exclude.write_text(before + "secret/\n")
    live.settle()
    assert live.below(place) == ["kept"]
    exclude.write_text(before)
    live.settle()
    assert live.below(place) == ["kept", "secret/a"]


def test_the_users_own_exclude_file_counts_as_soon_as_it_is_configured(live: Live, tmp_path: Path) -> None:
    place = live.place("configured").write({"a.tmp": "1", "b.bak": "2"})
    live.settle()
    (tmp_path / "excludes").write_text("*.tmp\n")
    live.repo.git("config", "core.excludesFile", os.fspath(tmp_path / "excludes"))
    live.settle()
    assert live.below(place) == ["b.bak"]
    (tmp_path / "excludes").write_text("*.bak\n")
    live.settle()
    assert live.below(place) == ["a.tmp"]
    live.repo.git("config", "--unset", "core.excludesFile")
    live.settle()
    assert live.below(place) == ["a.tmp", "b.bak"]


def test_rules_of_the_directories_above_the_root_count(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"project/src/a.log": "1", "project/src/b.py": "2"})
    inner = GitRepo(git_repo.path("project"))
    with watching(inner, source) as live:
        live.settle()
        git_repo.write({".gitignore": "*.log\n"})
        live.settle()
        assert list(live.rows()) == ["src/b.py"]
        git_repo.write({".gitignore": "/project/src/b.py\n"})
        live.settle()
        assert list(live.rows()) == ["src/a.log"]
        git_repo.path(".gitignore").unlink()
        live.settle()
        assert len(live.rows()) == 2


def test_a_linked_worktree_obeys_the_repository_that_it_belongs_to(git_repo: GitRepo, source: str) -> None:
    git_repo.write({"a.py": "1"}).commit()
    git_repo.git("worktree", "add", "--quiet", "../linked")
    linked = GitRepo(git_repo.root.parent / "linked")
    linked.write({"made.tmp": "2"})
    with watching(linked, source) as live:
        live.settle()
        with git_repo.path(".git/info/exclude").open("a") as exclude:
            exclude.write("*.tmp\n")
        live.settle()
        assert list(live.rows()) == ["a.py"]


def test_a_submodule_obeys_its_own_exclude_file(
    git_repo: GitRepo, make_repo: Callable[[str], GitRepo], source: str
) -> None:
    inner = make_repo("library").write({"lib.py": "1"})
    inner.commit()
    git_repo.write({"main.py": "2", ".gitignore": "*.sub\n"})
    git_repo.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", os.fspath(inner.root), "sub"
    )
    git_repo.commit()
    git_repo.write({"sub/x.tmp": "3", "sub/y.sub": "4"})
    with watching(git_repo, source) as live:
        live.paths = lambda root: git_files_nested(root)[0]
        live.exact_watches = False  # git answers no question about what is inside
        live.settle()
        with git_repo.path(".git/modules/sub/info/exclude").open("a") as exclude:
            exclude.write("*.tmp\n")
        live.settle()
        assert "sub/x.tmp" not in live.rows()
        assert "sub/y.sub" in live.rows(), "the outer rules end where the inner repository begins"


@pytest.mark.parametrize("entered", [True, False])
def test_repositories_inside_are_entered_or_left_as_configured(
    git_repo: GitRepo, source: str, entered: bool
) -> None:
    git_repo.write({"a.py": "1", ".gitignore": "*.tmp\n"}).commit()
    git_repo.git("worktree", "add", "--quiet", "agents/one")
    with watching(git_repo, source, f"monitor.nested_repositories={str(entered).lower()}") as live:
        outer = live.paths
        live.paths = (lambda root: git_files_nested(root)[0]) if entered else outer
        live.exact_watches = False
        live.settle()
        # It begins while everything is watched: as a plain directory, then as a repository.
        git_repo.write({"n/x.py": "2", "n/x.tmp": "3"})
        live.settle()
        GitRepo(git_repo.path("n")).git("init", "--quiet")
        live.settle()
        rows = live.rows()
        assert [path for path in rows if path.startswith("agents/")] == [], "what is in view already"
        assert [path for path in rows if path.startswith("n/")] == (["n/x.py", "n/x.tmp"] if entered else [])
        # And ends.
        shutil.rmtree(git_repo.path("n/.git"))
        live.settle()
        assert [path for path in live.rows() if path.startswith("n/")] == ["n/x.py"]


def test_what_git_tracks_although_a_rule_hides_it_stays_hidden(git_repo: GitRepo, source: str) -> None:
    git_repo.write({".gitignore": "*.log\n", "x.log": "1", "a.py": "2"})
    with watching(git_repo, source) as live:
        live.paths = lambda root: git_files_nested(root)[0]
        live.settle()
        git_repo.git("add", "--force", "x.log")
        live.settle()
        assert list(live.rows()) == [".gitignore", "a.py"]
        git_repo.write({".gitignore": ""})
        live.settle()
        assert list(live.rows()) == [".gitignore", "a.py", "x.log"]


def test_what_git_does_in_its_own_directory_is_no_change(live: Live) -> None:
    place = live.place("churn").write({f"{n}.py": f"x = {n}\n" for n in range(20)})
    live.repo.commit()
    live.settle()
    live.read_once_more(place, *(f"{n}.py" for n in range(20)))
    before = live.engine()
    read = live.hashed()
    live.repo.git("gc", "--quiet")
    live.repo.git("tag", "again")
    live.repo.git("tag", "--delete", "again")
    live.settle()
    after = live.engine()
    assert after["emitted"] == before["emitted"]
    assert live.hashed() == read
    assert len(live.below(place)) == 20


def test_what_git_leaves_half_done_is_read_when_git_is_done(git_repo: GitRepo) -> None:
    names = [f"d{n % 7}/{n}.py" for n in range(100)]
    git_repo.write(dict.fromkeys(names, ""))
    with watching(git_repo) as live:
        live.settle()
        before = live.extractor_calls()
        lock = git_repo.path(".git/index.lock")
        lock.touch()
        git_repo.write({name: f"def half{n}(): pass\n" for n, name in enumerate(names)})
        while not ((engine := live.engine())["vcs_busy"] and engine["pending"] == len(names)):
            pass  # each look is a question to the watcher
        git_repo.write({name: f"def whole{n}(): pass\n" for n, name in enumerate(names)})
        lock.unlink()
        live.settle()
        assert live.extractor_calls() == before + len(names)
        assert not live.engine()["vcs_busy"]


def test_a_sync_does_not_wait_for_git(live: Live) -> None:
    place = live.place("locked")
    lock = live.root / ".git/index.lock"
    lock.touch()
    try:
        for number in range(5):
            place.write({"f.py": f"def locked{number}(): pass\n"})
            live.sync()
            assert live.index.find(f"locked{number}", exact=True, sync_ms=-1)
    finally:
        lock.unlink()


def test_branches_switched_under_load_leave_what_git_says(live: Live) -> None:
    """Thousands of passing states: rules, kinds and directories change with each branch."""
    place = live.place("branches")
    chance = random.Random(9)
    names = [f"b{n}" for n in range(4)]
    live.repo.git("checkout", "--quiet", "-b", "base")
    live.repo.commit()
    for name in names:
        live.repo.git("checkout", "--quiet", "-b", name, "base")
        place.write({f"{chance.choice('abcd')}/{n}.py": f"{name} {n}\n" for n in range(60)})
        place.write({f"{chance.choice('abcd')}/.gitignore": chance.choice(RULES) + "\n"})
        place.write({f"kind_{n}{'/f' if chance.randrange(2) else ''}": name for n in range(5)})
        live.repo.commit()
    live.paths = lambda root: git_files_nested(root)[0]
    for _ in range(8):
        live.repo.git("checkout", "--quiet", "--force", chance.choice([*names, "base"]))
        if chance.randrange(3) == 0:
            live.settle()
    live.settle()
    live.repo.git("checkout", "--quiet", "--force", "-B", live.repo.branch, "base")
    live.repo.git("clean", "-ffdqx", "--exclude=/.currant")
    live.settle()


def test_a_repository_that_is_made_step_by_step_is_one_in_the_end(git_repo: GitRepo, source: str) -> None:
    git_repo.write({".gitignore": "out/\n", "n/out/a": "1", "n/b": "2", "n/.git/": ""})
    with watching(git_repo, source) as live:
        live.paths = lambda root: git_files_nested(root)[0]
        live.exact_watches = False
        for step in ("HEAD", "objects/", "refs/"):
            live.settle()
            git_repo.write({f"n/.git/{step}": "ref: refs/heads/main\n" if step == "HEAD" else ""})
        live.settle()
        assert "n/out/a" in live.rows(), "the outer rules end where another repository begins"
        shutil.rmtree(git_repo.path("n/.git"))
        live.settle()
