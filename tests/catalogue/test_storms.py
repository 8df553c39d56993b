"""Everything at once, at random: directories leave the tree and come back, files get their names late, and
the watcher stands still in the middle of it (all sections of docs/guarantees.md). Seeds are fixed but one,
which is printed; ``CURRANT_TEST_SEED`` sets it."""

import os
from pathlib import Path

import pytest

from catalogue.kit import SOURCES, watching
from conftest import GitRepo
from oracle import Storm

ANY_SEED = int(os.environ.get("CURRANT_TEST_SEED") or os.environ["CURRANT_TEST_ANY_SEED"])


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", [1, ANY_SEED])
def test_random_operations_with_a_watcher_that_sleeps_now_and_then(
    git_repo: GitRepo, tmp_path: Path, source: str, seed: int
) -> None:
    print(f"seed {seed}: CURRANT_TEST_SEED={seed} runs it again")
    outside = tmp_path / "outside"
    outside.mkdir()
    storm = Storm(git_repo.root, seed, links=False, outside=outside)
    storm.blow(40)
    with watching(git_repo, source) as live:
        for turn in range(20):
            before = len(storm.log)
            count = storm.chance.choice((1, 2, 3, 5, 10, 40))
            if storm.chance.randrange(2):
                with live.frozen():
                    storm.blow(count)
            else:
                storm.blow(count)
            live.sync()
            rows, wanted = live.rows(), live.oracle()
            recent = "\n".join(storm.log[before:])
            assert rows == wanted, f"seed {seed}, turn {turn}: {rows.keys() ^ wanted.keys()}\n{recent}"
        live.settle()
