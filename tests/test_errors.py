"""Errors name the thing and the way out, and each has an exit code."""

import inspect

import pytest

from currant import errors
from currant.errors import ConfigError, ConfigProblem, CurrantError, LockedError, RemoteError, SyncTimeout

TREE = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, CurrantError)]


@pytest.mark.parametrize("cls", TREE)
def test_every_error_has_a_docstring_and_a_nonzero_exit_code(cls: type[CurrantError]) -> None:
    assert cls.__doc__
    assert 1 < cls.exit_code < 128


def test_locked_names_the_pid() -> None:
    assert "process 4711" in str(LockedError(4711, "/srv/code"))
    assert "another process" in str(LockedError(0))


def test_sync_timeout_shows_some_of_what_is_outstanding() -> None:
    error = SyncTimeout(["a", "b", "c", "d"], 2.5)
    assert error.outstanding == ["a", "b", "c", "d"]
    assert "2.5 s" in str(error)
    assert "'c', ..." in str(error)


def test_config_error_lists_every_problem() -> None:
    error = ConfigError(
        [ConfigProblem("a.b", 1, "flag", "must be 2"), ConfigProblem("c.d", "x", "file", "no")]
    )
    assert "a.b = 1 (flag): must be 2" in str(error)
    assert "c.d = 'x' (file): no" in str(error)


def test_remote_error_carries_the_owners_exit_code() -> None:
    assert RemoteError("Strange", "it broke", 9).exit_code == 9
    assert RemoteError.exit_code == 70
