"""git, as the service runs it: without prompts, hooks, options from an address, or secrets on a command line.

Owns the environment and the arguments of each git process, its progress, and its end: a git that is told to
stop, or says nothing for too long, goes with everything it started. `currant.hub.source` decides what may be
cloned at all.
"""

import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from currant.clock import Clock
from currant.errors import GitError
from currant.hub.source import SCHEMES, GitUrl, redacted

if sys.platform != "win32":
    import fcntl

_SLICE_SECONDS: Final = 0.2
_END_SECONDS: Final = 2.0
_KEPT_LINES: Final = 12
_TRACKING: Final = "refs/remotes/origin/currant"
_HELPER: Final = (
    '!f() { test "$1" = get || exit 0; '
    'printf "username=%s\\npassword=%s\\n" "$CURRANT_GIT_USER" "$CURRANT_GIT_PASSWORD"; }; f'
)
"""A credential helper that hands over two variables: a child's environment is its user's alone, its arguments
are not."""

_SETTINGS: Final = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("credential.interactive", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("advice.detachedHead", "false"),
)
_PROGRESS: Final = re.compile(r"(?:remote: )?(?P<what>[A-Z][a-z]+ [a-z]+):\s+(?P<percent>\d{1,3})%")
# Where on the way from 0 to 1 each step of a clone or fetch lies.
_STEPS: Final[Mapping[str, tuple[float, float]]] = {
    "Counting objects": (0.0, 0.02),
    "Compressing objects": (0.02, 0.05),
    "Receiving objects": (0.05, 0.75),
    "Unpacking objects": (0.05, 0.75),
    "Resolving deltas": (0.75, 0.85),
    "Updating files": (0.85, 1.0),
}

Told = Callable[[float, str], None]
"""Hears of progress: how much of it (0 to 1), and git's own words."""


def parse_progress(line: str) -> tuple[float, str] | None:
    """What one line of ``--progress`` says: the share of the whole and a message; None when it is another."""
    found = _PROGRESS.match(line)
    step = None if found is None else _STEPS.get(found["what"])
    if found is None or step is None:
        return None
    low, high = step
    return low + (high - low) * min(100, int(found["percent"])) / 100, line.strip().rstrip(".,")


class Git:
    """Runs git for one project. `check` is called several times a second and may raise to have it stopped;
    `turn` is a file whose lock each git process holds until it ends, so that none is at work unseen when its
    service was killed.
    """

    def __init__(
        self,
        turn: Path,
        *,
        clock: Clock,
        stall_s: float,
        check: Callable[[], None] = lambda: None,
        told: Told = lambda _share, _message: None,
    ) -> None:
        self._turn = turn
        self._clock = clock
        self._stall_s = stall_s
        self._check = check
        self._told = told
        self._fd = -1

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Inside, no git of an earlier service still works here. Raises BlockingIOError while one does, which
        is told to end: nobody listens to it any more."""
        if sys.platform == "win32":
            yield
            return
        fd = os.open(self._turn, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _end_orphan(fd)
                raise
            self._fd = fd
            yield
        finally:
            self._fd = -1
            os.close(fd)

    def clone(self, url: GitUrl, into: Path, *, depth: int = 0) -> str:
        """Clone into the directory `into`, which must not be there; the commit that is checked out ("" for a
        repository without any). Raises GitError."""
        base = [
            "clone",
            "--progress",
            "--no-tags",
            "--single-branch",
            "--no-recurse-submodules",
            "--template=",
        ]
        end = ["--", url.url, os.fspath(into)]
        try:
            self._run([*base, *([f"--depth={depth}"] if depth else []), *end], url=url)
        except GitError as error:
            if not depth or "dumb http" not in str(error):
                raise
            self._run([*base, *end], url=url)  # a server of files alone cannot cut history
        return self.head(into)

    def update(self, repository: Path, url: GitUrl, *, depth: int = 0) -> tuple[str, str]:
        """Bring a clone of ours to what its origin's default branch is now, also where that was rewritten;
        the commits (before, after). Raises GitError."""
        before = self.head(repository)
        self._remove_locks(repository)
        base = ["fetch", "--progress", "--no-tags", "--force"]
        end = ["--", url.url, f"+HEAD:{_TRACKING}"]
        try:
            self._run([*base, *([f"--depth={depth}"] if depth else []), *end], repository, url=url)
        except GitError as error:
            if "couldn't find remote ref HEAD" in str(error) and not before:
                return "", ""  # still without any commit
            if not depth or "dumb http" not in str(error):
                raise
            self._run([*base, *end], repository, url=url)
        if self._ask(repository, "rev-parse", "--verify", "--quiet", _TRACKING) != before:
            self._run(["reset", "--hard", "--quiet", _TRACKING], repository)
        return before, self.head(repository)

    def head(self, repository: Path) -> str:
        """The commit that is checked out; "" when there is none."""
        return self._ask(repository, "rev-parse", "--verify", "--quiet", "HEAD")

    def _ask(self, repository: Path, *arguments: str) -> str:
        done = subprocess.run(
            _command(repository, arguments),
            env=environment(os.environ, None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,  # Ctrl-C is for the service, not for its git
            timeout=60,
        )
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""

    def _remove_locks(self, repository: Path) -> None:
        """What a killed git left. Only inside `turn`: nobody else is at work in there."""
        if self._fd < 0:
            return
        inside = repository / ".git"
        for lock in [*inside.glob("*.lock"), *inside.glob("refs/**/*.lock")]:
            with suppress(OSError):
                lock.unlink()

    def _run(
        self,
        arguments: Sequence[str],
        repository: Path | None = None,
        *,
        url: GitUrl | None = None,
    ) -> None:
        """One git process to its end. Raises GitError, and what `check` raises."""
        self._check()
        more: dict[str, Any] = {} if self._fd < 0 else {"pass_fds": (self._fd,)}
        try:
            process = subprocess.Popen(
                _command(repository, arguments),
                env=environment(os.environ, url),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask at, and one group to end
                **more,
            )
        except OSError as error:
            raise GitError(f"git cannot be started: {error.strerror or error}") from error
        with process:
            try:
                self._sign(process.pid)
                last = self._listen(process)
            except BaseException:
                _end(process)
                raise
            status = process.wait()
        if status != 0:
            said = " / ".join(last) or f"exit status {status}"
            raise GitError(f"git {arguments[0]} failed: {redacted(said)}")

    def _sign(self, pid: int) -> None:
        """Write down who holds the lock, for the service after this one."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{pid} {_started(pid)}\n".encode(), 0)

    def _listen(self, process: "subprocess.Popen[bytes]") -> list[str]:
        """Read what git says until it ends; its last lines that are no progress."""
        assert process.stderr is not None
        last: list[str] = []
        rest = b""
        heard = self._clock.monotonic()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stderr, selectors.EVENT_READ)
            while True:
                if not waiting.select(_SLICE_SECONDS):
                    self._check()
                    if self._clock.monotonic() - heard >= self._stall_s:
                        raise GitError(f"git said nothing for {self._stall_s:g} s: the other end hangs")
                    continue
                block = os.read(process.stderr.fileno(), 1 << 16)
                if not block:
                    break
                heard = self._clock.monotonic()
                self._check()
                *lines, rest = re.split(rb"[\r\n]", rest + block)
                rest = rest[-4_096:]
                for line in lines:
                    self._hear(line.decode(errors="replace").strip(), last)
        self._hear(rest.decode(errors="replace").strip(), last)
        return last

    def _hear(self, line: str, last: list[str]) -> None:
        progress = parse_progress(line)
        if progress is not None:
            self._told(*progress)
        elif line and not line.startswith("Cloning into"):
            last.append(line[:500])
            del last[:-_KEPT_LINES]


def environment(base: Mapping[str, str], url: GitUrl | None) -> dict[str, str]:
    """What a git process of ours gets: the user's own set-up, nothing that asks, no other transport."""
    env = {name: value for name, value in base.items() if name not in _REPOSITORY_VARIABLES}
    env |= {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "SSH_ASKPASS_REQUIRE": "never",
        "GCM_INTERACTIVE": "never",
        "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    if url is not None and url.secret is not None:
        # The empty one first: no helper of the user's is asked, nor told what to keep. Ours is for this one
        # server: whoever it redirects to is told nothing.
        scheme, _, rest = url.url.partition("://")
        env |= {
            "CURRANT_GIT_USER": url.secret[0],
            "CURRANT_GIT_PASSWORD": url.secret[1],
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "credential.helper",
            "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": f"credential.{scheme}://{rest.partition('/')[0]}.helper",
            "GIT_CONFIG_VALUE_1": _HELPER,
        }
    return env


_REPOSITORY_VARIABLES: Final = frozenset(
    {
        *(
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_COMMON_DIR",
            "GIT_PREFIX",
        ),
        *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_CONFIG_PARAMETERS", "GIT_TEMPLATE_DIR"),
    }
)
"""Set when the service was started by a hook: they would send git to another repository."""


def _started(pid: int) -> str:
    """When a process began, in the kernel's count: with its number that names it for ever. "" if unknown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    return text[text.rindex(")") + 2 :].split()[19]


def _end_orphan(fd: int) -> None:
    """End the git that a killed service left at work, if it is still the one that was written down."""
    told = os.pread(fd, 64, 0).split()
    if len(told) == 2 and told[0].isdigit() and _started(int(told[0])) == told[1].decode():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(told[0]), signal.SIGKILL)


def _command(repository: Path | None, arguments: Sequence[str]) -> list[str]:
    settings = [part for key, value in _SETTINGS for part in ("-c", f"{key}={value}")]
    where = [] if repository is None else ["-C", os.fspath(repository)]
    return ["git", *where, *settings, *arguments]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process and all that it started: politely, then not. It is waited for last: until then its group
    cannot become anybody else's."""
    _signal(process, signal.SIGTERM)
    assert process.stderr is not None
    with selectors.DefaultSelector() as waiting, suppress(OSError):
        waiting.register(process.stderr, selectors.EVENT_READ)
        # Its end is that of everybody who could write there.
        while waiting.select(_END_SECONDS) and os.read(process.stderr.fileno(), 1 << 16):
            pass
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
