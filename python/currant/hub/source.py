"""What a project is made of: a directory, or the address of a git repository.

Owns the telling apart, and what is refused. Pure but for the look at whether a directory is there. A password
never leaves `GitUrl.secret`: `shown` is what people, logs and other processes see.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from currant.errors import RootRefusedError, SourceRefused
from currant.plan import refuse_wide_root

SCHEMES: Final = ("https", "http", "ssh", "git", "file")
"""Transports that git may use. Others (``ext::``, ``fd::``) run commands that the address names."""

_SCP: Final = re.compile(
    r"(?:(?P<user>[^@/:\s]+)@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<path>[^\s].*)"
)
_USER_INFO: Final = re.compile(r"(?<=://)\S*@")  # greedy: a password may hold an @ or a slash
_LONGEST: Final = 2_048
_NAME_CHARS: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class GitUrl:
    """An address that git may clone. `url` and `shown` hold no secret; `secret`: (user, password)."""

    url: str
    secret: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """For people."""
        return self.url

    @property
    def whole(self) -> str:
        """With the secret, to be kept where nobody else reads."""
        if self.secret is None:
            return self.url
        user, password = (quote(part, safe="") for part in self.secret)
        info = f"{user}:{password}" if password else user
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{info}@{rest}"


def looks_like_url(source: str) -> bool:
    """Whether `source` is meant as an address and not as a directory."""
    if "://" in source or "::" in source:
        return True
    return not os.path.lexists(source) and "/" not in source.partition(":")[0] and ":" in source


def parse_url(source: str) -> GitUrl:
    """The address, taken apart. Raises SourceRefused."""
    if len(source) > _LONGEST or any(not char.isprintable() for char in source) or " " in source:
        raise SourceRefused("the address of a repository is one line of printable characters without spaces")
    if source.startswith("-"):
        raise SourceRefused(f"{redacted(source)!r} would be an option of git: no address starts with a dash")
    if "://" not in source:
        scp = _SCP.fullmatch(source)
        if scp is None or "::" in source or scp["host"] in SCHEMES:
            raise _transport(source)
        user, path = scp["user"] or "", scp["path"]
        if user.startswith("-") or scp["host"].startswith("-") or path.startswith("-"):
            raise SourceRefused(f"{redacted(source)!r} would be an option of ssh")
        return GitUrl(source)
    if "::" in source.partition("://")[0]:
        raise _transport(source)
    try:
        parts = urlsplit(source)
        host, port, user, password = parts.hostname or "", parts.port, parts.username, parts.password
    except ValueError:
        raise SourceRefused(f"{redacted(source)!r} is no address") from None
    if parts.scheme not in SCHEMES:
        raise _transport(source)
    if parts.scheme == "file":
        if host not in ("", "localhost") or not parts.path.startswith("/"):
            raise SourceRefused(f"{redacted(source)!r}: a file address is file:///absolute/path")
        return GitUrl("file://" + parts.path)
    if not host or host.startswith("-") or (user or "").startswith("-"):
        raise SourceRefused(f"{redacted(source)!r} names no host")
    if parts.query or parts.fragment or "?" in source or "#" in source:
        # git would send it as part of a path; and it is where tokens hide from `redacted`.
        raise SourceRefused("the address of a repository has no ? and no #")
    if parts.path.strip("/") == "":
        raise SourceRefused(f"{redacted(source)!r} names a host and no repository")
    address = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    secret = None
    if parts.scheme == "ssh":  # there the user is part of the address, and a password is not used at all
        address = f"{user}@{address}" if user else address
    elif user is not None or password is not None:
        secret = (unquote(user or ""), unquote(password or ""))
    return GitUrl(urlunsplit((parts.scheme, address, parts.path, "", "")), secret)


def _transport(source: str) -> SourceRefused:
    return SourceRefused(f"{redacted(source)!r}: git may use {', '.join(SCHEMES)} and nothing else")


def redacted(text: str) -> str:
    """`text` without user names and passwords in addresses."""
    return _USER_INFO.sub("***@", text)


def parse_root(source: str, home: Path) -> Path:
    """The directory, all links resolved. Raises RootRefusedError, also where the service's own state is."""
    if "\0" in source:
        raise RootRefusedError("a path has no NUL")
    try:
        root = Path(os.path.realpath(Path(source).expanduser()))
        there = root.is_dir()
    except (OSError, RuntimeError) as error:  # too long a name, a disk that fails, ~nobody
        why = getattr(error, "strerror", None) or str(error)
        raise RootRefusedError(f"{_short(source)} cannot be looked at: {why}") from None
    if not there:
        raise RootRefusedError(f"{_short(str(root))} is not a directory")
    if not _is_text(root):
        raise RootRefusedError(
            f"{str(root)!r} is not UTF-8, which the path of a project has to be (those of its "
            "files need not): rename it, or mount it elsewhere"
        )
    if not os.access(root, os.R_OK | os.X_OK):
        raise RootRefusedError(f"{root} may not be read by this user")
    try:
        refuse_wide_root(root)
    except RootRefusedError as error:
        text = str(error).replace(", or say --yes-really if this is what you want", "")
        raise RootRefusedError(text) from None
    if home.is_relative_to(root) or root.is_relative_to(home):
        raise RootRefusedError(f"{root} and the service's own state in {home} must not lie in one another")
    return root


def _is_text(path: Path) -> bool:
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:100]}..."


def name_for(source: str) -> str:
    """A short name for a project: the last part of its path, without ``.git``."""
    last = source.rstrip("/").replace(":", "/").rpartition("/")[2].removesuffix(".git")
    return _NAME_CHARS.sub("-", last).strip("-.") or "project"


def check_name(name: str) -> str:
    """A name that somebody chose. Raises SourceRefused."""
    if not name or len(name) > 100 or not name.isprintable() or "/" in name or name.startswith("-"):
        raise SourceRefused(
            f"{_short(name)!r}: a name has 1 to 100 printable characters, no slash, and no dash in front"
        )
    return name
