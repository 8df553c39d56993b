"""Short soaks: the whole thing with a new seed each time, printed; and its verdict on a bug made for it."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from currant.clock import SystemClock
from currant.soak.check import Rows
from currant.soak.report import Report
from currant.soak.run import Options, soak
from currant.soak.shrink import trial
from currant.soak.steps import Step, read_script
from currant.soak.surroundings import fresh_directory

SEED = int(os.environ.get("CURRANT_TEST_SEED") or random.SystemRandom().randrange(1 << 31))
SCRIPTS = Path(__file__).parent / "soak_scripts"
COMMAND = (sys.executable, "-m", "currant.soak")


def told(report: Report) -> str:
    return "\n".join(report.lines())


def test_a_short_soak_with_a_new_seed_finds_no_difference(tmp_path: Path) -> None:
    print(f"seed {SEED} (CURRANT_TEST_SEED repeats it)")
    report = soak(Options(2_000, SEED, directory=tmp_path, out=tmp_path, files=120, shrink_seconds=20))
    print(told(report))
    assert report.ok, told(report)
    assert report.operations >= 2_000
    assert set(report.kinds) >= {"killed", "stopped", "rules", "limited", "overflow"}
    assert report.kills
    assert report.overflows
    assert sum(report.forced.values()) == report.kinds["overflow"]
    assert report.polled_rounds, "a limit was set below the number of directories"
    assert report.git_compared
    assert report.feeds_replayed == report.rounds
    assert list(tmp_path.glob("currant-soak-*")) == [], "the temporary directory is gone"


@pytest.mark.parametrize(("source", "seed"), [("inotify", 4), ("poll", 5), ("notify", 6)])
def test_a_source_by_name_stands_a_small_soak(tmp_path: Path, source: str, seed: int) -> None:
    options = Options(300, seed, directory=tmp_path, out=tmp_path, source=source, files=60, shrink_seconds=0)
    report = soak(options)
    assert report.ok, told(report)
    assert report.state == ("inside" if seed % 2 == 0 else "outside")


def test_a_failing_round_is_shrunk_to_a_script_that_replays(tmp_path: Path) -> None:
    """The bug: after a `mkdirs` and then an `append`, no row of a Python file is told."""

    def tamper(rows: Rows, done: Sequence[Step]) -> Rows:
        names = [one.op for one in done]
        if "mkdirs" in names and "append" in names[names.index("mkdirs") :]:
            return {path: row for path, row in rows.items() if not path.endswith(b".py")}
        return rows

    options = Options(
        60, 3, directory=tmp_path, out=tmp_path, files=8, adversity=False, shrink_seconds=60, state="outside"
    )
    report = soak(options, tamper=tamper)
    assert not report.ok
    failure = report.failures[0]
    assert failure.reproduced
    steps = read_script(Path(failure.script))
    assert len(steps) <= 4, steps
    assert "append" in [one.op for one in steps]
    assert "difference" in told(report)
    # Without the bug the script finds nothing.
    done = subprocess.run(
        [*COMMAND, "--replay", failure.script, "--dir", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("0 failed\n")


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_what_a_soak_once_found_is_found_no_more(tmp_path: Path, script: Path) -> None:
    with fresh_directory(tmp_path, keep=False) as directory:
        findings = trial(read_script(script), directory / "trial", clock=SystemClock())
    assert findings == []


def test_the_command_reports_in_json_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *COMMAND,
            "--ops",
            "100",
            "--seed",
            "9",
            "--files",
            "30",
            "--no-adversity",
            "--json",
            "--dir",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert report["seed"] == 9
    assert report["recovery"]["live"]["count"] == report["rounds"]
    assert os.listdir(tmp_path) == []


def test_a_directory_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "--dir", tmp_path / "nowhere"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "nowhere" in done.stderr.splitlines()[-1]


def test_rivals_are_counted_in_the_same_storm(tmp_path: Path) -> None:
    options = Options(
        120, 8, directory=tmp_path, out=tmp_path, files=30, adversity=False, rivals=True, shrink_seconds=0
    )
    report = soak(options)
    assert report.ok, told(report)
    assert report.rivals.keys() == {"watchfiles", "watchdog"}
    for name, counted in report.rivals.items():
        assert counted["checks"] == report.rounds, (name, counted)
        assert counted["note"] == ""
        assert name in told(report)


def test_ctrl_c_ends_a_soak_with_the_report_so_far(tmp_path: Path) -> None:
    command = [*COMMAND, "--ops", "1000000", "--seed", "2", "--files", "30", "--json", "--dir", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "rounds" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["interrupted"]
    assert report["rounds"]
    assert os.listdir(tmp_path) == []
