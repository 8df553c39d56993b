"""The tests of watchfiles itself, unmodified, against `currant.watch`: see tests/watchfiles_suite/README.md.

They run in a process of their own, because there `import watchfiles` finds us, and in a copy, because they
write into their own files. Those left out are listed with the reason, here and in docs/moving.md.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import currant

SUITE = Path(__file__).parent / "watchfiles_suite"

LEFT_OUT = {
    # They compare `repr` with how the Rust library behind watchfiles prints itself.
    "test_rust_notify.py::test_close",
    "test_rust_notify.py::test_not_polling_repr",
    "test_rust_notify.py::test_polling_repr",
}
# They ask that something took between 40 and 70 ms; on a busy machine it may take longer.
TIMED = "test_return_timeout or test_return_event or test_return_debounce"

CONFIG = """
[pytest]
log_format = %(name)s %(levelname)s: %(message)s
filterwarnings = error
timeout = 30
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    shutil.copytree(SUITE / "upstream", tmp_path / "tests")
    (tmp_path / "tests" / "test_files" / "dir_b").mkdir()
    shutil.copy(SUITE / "alias.py", tmp_path)
    (tmp_path / "pytest.ini").write_text(CONFIG)
    return tmp_path


def run(suite: Path, *arguments: str) -> tuple[int, str]:
    denied = suite / "denied" / "below"
    denied.mkdir(parents=True, exist_ok=True)
    denied.chmod(0)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [str(Path(currant.__file__).parents[1]), str(suite), os.environ.get("PYTHONPATH", "")]
        ),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "WATCHFILES_TEST_PERMISSION_DENIED_PATH": str(denied.parent),
    }
    plugins = [f"-p{name}" for name in ("alias", "anyio.pytest_plugin", "pytest_mock", "pytest_timeout")]
    command = [sys.executable, "-m", "pytest", "-q", "-pno:cacheprovider", *plugins, *arguments]
    done = subprocess.run(
        command, cwd=suite, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    denied.chmod(0o700)
    return done.returncode, done.stdout


def test_the_tests_of_watchfiles_pass(suite: Path) -> None:
    left_out = [f"--deselect=tests/{name}" for name in LEFT_OUT]
    if os.geteuid() == 0:  # nothing is denied to root
        left_out.append("--deselect=tests/test_rust_notify.py::test_ignore_permission_denied")
    code, output = run(suite, *left_out, "-k", f"not ({TIMED})", "tests")
    assert code == 0, output
    passed = re.search(r"(\d+) passed", output)
    assert passed is not None
    assert int(passed[1]) >= 110, output


def test_the_timed_tests_of_watchfiles_pass_in_a_calm_moment(suite: Path) -> None:
    for _ in range(5):
        code, output = run(suite, "-k", TIMED, "tests/test_rust_notify.py")
        if code == 0:
            break
    assert code == 0, output


def test_what_is_left_out_is_in_the_documentation() -> None:
    moving = (Path(__file__).parent.parent / "docs" / "moving.md").read_text()
    for name in LEFT_OUT:
        assert name.split("::")[1] in moving
