"""The tests themselves: what they start can be interrupted, wherever they were started from, and ends with a
test that fails. A run in the background of a shell hung for ever at the first Ctrl-C of a test.
"""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

IGNORING = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path.insert(0, sys.argv[1])
import conftest
program = "import signal; print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
print(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip())
"""


def test_programs_of_a_run_in_the_background_take_an_interrupt() -> None:
    told = subprocess.run(
        [sys.executable, "-c", IGNORING, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "False\n", told.stderr


def test_a_failing_test_does_not_wait_for_its_program() -> None:
    reads = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    process = subprocess.Popen(reads, stdin=subprocess.PIPE)
    with pytest.raises(ZeroDivisionError), process:
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
