"""What may not be read: directories and files, now and later (section F of docs/guarantees.md).

Modes bind the watcher, whoever runs the tests: when it is root, the watcher is root without the two
capabilities that pass over modes."""

import os
from collections.abc import Iterator

import pytest

from catalogue.kit import SOURCES, Live, watching
from conftest import GitRepo
from oracle import git_files

DENIED = "may not be read"
FAILED = "could not be indexed"
_BOUND = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.fixture(params=SOURCES)
def live(request: pytest.FixtureRequest, git_repo: GitRepo) -> Iterator[Live]:
    """A repository in which one directory is closed."""
    git_repo.write({f"{name}/f": name for name in "abcdefgh"})
    git_repo.write({"m/private/f": "secret", "m/open/f": "o", "top": "0"}).path("m/private").chmod(0)
    try:
        with watching(git_repo, str(request.param), prefix=_BOUND if os.geteuid() == 0 else ()) as live:
            yield live
    finally:
        for path in (git_repo.path("m/private"), git_repo.path("a")):
            path.chmod(0o755)


def deny(live: Live, *names: str) -> None:
    """What the recipe expects from now on: these directories cannot be read, and all else is as ever."""
    closed = tuple(os.fsencode(name) + b"/" for name in names)
    live.paths = lambda root: [path for path in git_files(root) if not path.startswith(closed)]
    live.degraded = (DENIED,) if names else ()
    live.exact_watches = live.verified = not names


def test_a_directory_that_may_not_be_read_leaves_its_siblings_alone(live: Live) -> None:
    deny(live, "m/private")
    live.settle()
    assert live.engine()["denied_paths"] == ["m/private"]
    assert set(live.rows()) == {"top", "m/open/f", *(f"{name}/f" for name in "abcdefgh")}
    live.repo.write({"h/later": "1", "m/later": "2", "m/open/s/later": "3"})
    live.settle()
    if live.source == "inotify":
        engine = live.engine()
        assert live.kernel_watches() == engine["watches"] == engine["dirs"] - 1


def test_a_directory_is_read_as_soon_as_it_may_be(live: Live) -> None:
    deny(live, "m/private")
    live.settle()
    live.repo.path("m/private").chmod(0o755)
    deny(live)
    live.settle()
    assert "m/private/f" in live.rows()
    live.repo.write({"m/private/g": "more", "m/private/s/h": "deep"})
    live.settle()


def test_rows_of_a_directory_that_may_no_longer_be_read_stay_and_are_named(live: Live) -> None:
    live.repo.path("m/private").chmod(0o755)
    live.settle()
    before = live.rows()
    live.repo.path("a").chmod(0)
    live.sync()
    status = live.status()
    assert live.rows() == before
    assert status["engine"]["denied_paths"] == ["a"]
    assert [DENIED in entry["what"] for entry in status["degraded"]] == [True]
    # Meanwhile somebody with rights goes on.
    if os.geteuid() == 0:
        live.repo.write({"a/f": "changed", "a/g": "new"})
    live.repo.path("a").chmod(0o755)
    live.repo.write({"a/h": "after"})
    live.settle()


def test_a_file_that_may_not_be_read_is_a_failure_until_it_may(live: Live) -> None:
    live.repo.path("m/private").chmod(0o755)
    live.settle()
    live.repo.path("top").chmod(0)
    live.repo.write({"b/secret": "hidden"}).path("b/secret").chmod(0)
    live.sync()
    assert live.rows()["b/secret"] == "failed"
    [entry] = live.status()["degraded"]
    assert FAILED in entry["what"]
    reasons = {row.path: row.reason for row in live.index.failures()}
    assert "ermission" in reasons["b/secret"]
    live.repo.path("b/secret").chmod(0o644)
    live.repo.path("top").chmod(0o644)
    live.settle()


def test_an_unreadable_rule_file_is_named_and_hides_nothing(live: Live) -> None:
    live.repo.path("m/private").chmod(0o755)
    live.repo.write({"c/.gitignore": "f\n"})
    live.settle()
    assert "c/f" not in live.rows()
    live.repo.path("c/.gitignore").chmod(0)
    live.sync()
    told = " ".join(entry["what"] for entry in live.status()["degraded"])
    assert "c/.gitignore" in told
    live.repo.path("c/.gitignore").chmod(0o644)
    live.settle()
    assert "c/f" not in live.rows()
