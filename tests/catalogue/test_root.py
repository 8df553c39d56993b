"""The root itself: removed, renamed, replaced, owned by somebody else, changed while nobody watched (section C of
docs/guarantees.md). The state directory is outside of the root where the root goes away."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import currant
from catalogue.kit import SOURCES, Live, watching
from conftest import GitRepo
from currant.cli import run
from currant.errors import LockedError, RootRefusedError

Start = Callable[[], Live]


@pytest.fixture(params=SOURCES)
def apart(git_repo: GitRepo, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Live]:
    """A watcher on a small repository, whose state is not inside of it."""
    git_repo.write({"f": "1", "d/e/g": "2"})
    with watching(git_repo, request.param, f"state_dir={tmp_path / 'state'}") as live:
        live.settle()
        yield live
