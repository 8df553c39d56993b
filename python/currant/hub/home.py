"""The home of the service: its directory, its lock, its token, and the note that says where it listens.

Owns the names of the files in it and how they are made: 0600 in a 0700 directory. Does not own what is in
`jobs.db` (`currant.jobs`) nor in `schedules.db` (`currant.periodic`).
"""

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from currant import statedir
from currant.config import Settings
from currant.errors import AlreadyServing, LockedError, StoreError, StoreFullError, UsageError
from currant.lock import RootLock
from currant.owner import lock_holder

LOCK_NAME: Final = "serve.lock"
_TOKEN_BYTES: Final = 32


class Address(msgspec.Struct, frozen=True):
    """What `serve.json` says: who serves, where, and since when (seconds since the epoch)."""

    pid: int
    port: int
    started: float
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """Where to ask it."""
        return f"http://{self.host}:{self.port}"


def home_of(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the service keeps its state: `serve.home`, else below the user's directory for state."""
    if settings.serve.home:
        home = Path(settings.serve.home).expanduser()
        if not home.is_absolute():
            raise UsageError(f"serve.home = {settings.serve.home!r}: name an absolute path")
        return home
    base = environ.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(base):  # a relative one is invalid by its specification
        if not environ.get("HOME"):
            raise UsageError("there is no home directory to keep the service's state in: set serve.home")
        base = os.path.join(environ["HOME"], ".local", "state")
    return Path(base) / "currant"


class Home:
    """The directory and what lies in it. Making one of these touches nothing; `prepare` makes it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        self.database = self.path / "jobs.db"
        self.clones = self.path / "clones"
        self.log = self.path / "log"
        self._note = self.path / "serve.json"
        self._token = self.path / "token"
        self._lock = RootLock(self.path, str(self.path), name=LOCK_NAME)

    def prepare(self) -> None:
        """Make it and what belongs into it, private to this user. Raises StoreError."""
        statedir.prepare(self.path, "--home")
        with _written(self.path):
            for directory in (self.clones, self.log):
                directory.mkdir(mode=0o700, exist_ok=True)
                statedir.check(directory)

    def acquire(self) -> None:
        """Become the one that serves. Raises AlreadyServing naming the other one, StoreError."""
        try:
            with _written(self.path):
                self._lock.acquire()
        except LockedError as error:
            at = self.address()
            # A note of an earlier service would send people to nobody.
            url = at.url if at is not None and at.pid == error.pid else ""
            raise AlreadyServing(error.pid, str(self.path), url) from None

    def release(self) -> None:
        """Stop being it: the note goes first. Idempotent."""
        if self._lock.held:
            with suppress(OSError):
                self._note.unlink()
        self._lock.release()

    def served_by(self) -> int | None:
        """The process that serves this home, 0 when it cannot be named, None when nobody does."""
        return lock_holder(self.path / LOCK_NAME)

    def announce(self, address: Address) -> None:
        """Say where this process listens. Raises StoreError."""
        with _written(self.path):
            _replace(self._note, msgspec.json.encode(address))

    def address(self) -> Address | None:
        """Where the service of this home says it listens; None without a note that can be read."""
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Address)
        except (OSError, msgspec.DecodeError):
            return None

    def running(self) -> Address | None:
        """Where to ask the service now; None when none runs, or it does not listen yet."""
        at = self.address()
        return at if at is not None and self.served_by() is not None else None

    def token(self) -> str:
        """The secret of this installation; made at the first call. Raises StoreError."""
        with _written(self.path):
            return self._told() or self._made()

    def _told(self) -> str:
        """What is in the file; empty when there is none, or nothing in it."""
        try:
            told = self._token.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return ""
        except ValueError:
            told = "\0"
        if not told.isprintable() or " " in told:
            raise StoreError(
                f"{self._token} holds no token: remove it, and the next start makes a new one "
                "(programs and browsers have to be given that)"
            )
        return told

    def _made(self) -> str:
        made = secrets.token_urlsafe(_TOKEN_BYTES)
        fresh = self.path / f"token.{os.getpid()}.{secrets.token_hex(4)}"
        _write(fresh, made.encode() + b"\n")
        try:
            os.link(fresh, self._token)  # whoever is first decides, and nobody ever reads half of it
        except FileExistsError:
            if not self._told():
                os.replace(fresh, self._token)
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
        return self._told()

    def clone_of(self, project_id: str) -> Path:
        """Where the clone of a project of kind git is."""
        return self.clones / project_id


@contextmanager
def _written(home: Path) -> Iterator[None]:
    """A file system that is full, read-only or broken is no fault of ours: say which, and the way out."""
    try:
        yield
    except OSError as error:
        where, why = error.filename or home, error.strerror or error
        if error.errno == errno.ENOSPC:
            raise StoreFullError(f"no space left for {where}: free some, and start again") from error
        raise StoreError(f"{where} cannot be used ({why}): repair it, or name another --home") from error


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


def _replace(path: Path, content: bytes) -> None:
    """Put `content` under the name at once: nobody sees half of it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        _write(fresh, content)
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise
