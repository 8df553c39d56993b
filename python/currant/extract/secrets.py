"""Which files are taken for secrets: listed, hashed, and by default not looked into.

Owns: the built-in names, the mark of a private key in a content, and the identities under which results of
secrets are stored. Does not own: what happens to them (`base`), or how well anybody else keeps a secret: a
password in a source file is a source file to us.

A name is judged by its last component alone, letter case aside. A directory that is renamed takes its rows
along without a read, so a rule about directories would hold only until the next rename.
"""

import fnmatch
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

SecretsMode = Literal["list", "extract"]

HEAD_BYTES: Final = 1024
"""How far into a file the mark of a private key may stand: certificates come after it, comments before."""
MAX_KEY_BYTES: Final = 64 << 10
"""A larger file is no key file. An RSA key of 16,384 bits takes 13 KiB."""

NAMES: Final = (
    # Environments of programs, with the variants that frameworks load.
    *(".env", ".env.*", "*.env", ".envrc"),
    # Private keys and key stores.
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss"),
    *("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.ppk", "*.jks", "*.jceks", "*.keystore"),
    *("*.bks", "*.kdbx", "*.agekey", "secring.gpg", "*.ovpn"),
    # Files in which a tool keeps a password or a token of its user.
    *(".netrc", "_netrc", ".pgpass", ".my.cnf", ".mylogin.cnf", ".npmrc", ".pypirc"),
    *(".git-credentials", ".htpasswd", ".dockercfg", ".s3cfg", ".boto", ".vault-token", ".vault_pass"),
    *("credentials", "credentials.json", "credentials.toml", "client_secret*.json", "service-account*.json"),
    *("service_account*.json", "*.tfstate", "*.tfstate.backup", "*.auto.tfvars", "terraform.tfvars"),
    *("secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml", "master.key", "kubeconfig"),
)
"""What is taken for a secret by its name."""

TEMPLATES: Final = tuple(
    pattern
    for word in ("example", "sample", "template", "dist", "tpl", "schema")
    for pattern in (f".env.{word}", f".env.*.{word}", f"{word}.env", f"*.{word}.env")
)
"""What is not, although a pattern of `NAMES` says so: files that show which variables there are."""

_WILDCARD: Final = re.compile(r"[*?\[]")
_VERSION: Final = "1"  # of everything above and of the mark below; a change has the secrets read again
_PRIVATE_KEY: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-\d|^AGE-SECRET-KEY-1", re.M
)

_KEY_WORDS: Final = (b"PRIVATE KEY", b"PuTTY-User-Key-File", b"AGE-SECRET-KEY")
"""Of which one is in whatever the mark matches."""


class Secrets:
    """The policy in force. `mode` is ``extract.secrets``, `patterns` is ``extract.secret_patterns``: globs
    over the last component of a path that add to `NAMES`."""

    def __init__(self, mode: SecretsMode = "list", patterns: Sequence[str] = ()) -> None:
        self.mode: Final = mode
        wanted = sorted({pattern.lower() for pattern in patterns})
        self._named = _any_of(NAMES)
        self._template = _any_of(TEMPLATES)
        # What the user names is a secret even when it looks like a template.
        self._added = _any_of(wanted)
        digest = hashlib.sha256("\0".join((_VERSION, *wanted)).encode("utf-8", "surrogateescape"))
        self._identity = f"secret/{_VERSION}:{digest.hexdigest()[:8]}"

    @property
    def identity(self) -> str:
        """Under which the empty record of a secret is stored."""
        return self._identity

    def marked(self, identity: str) -> str:
        """Under which the result of a secret is stored that was extracted all the same. Not as that of
        another file: when the mode goes back to ``list``, these are the ones not to be used any more."""
        return f"{identity}+secret"

    def named(self, path: str) -> bool:
        """Whether the name alone makes `path` a secret."""
        name = path[path.rfind("/") + 1 :].lower()
        return (self._named(name) and not self._template(name)) or self._added(name)

    def holds_key(self, head: bytes, size: int) -> bool:
        """Whether a content of `size` bytes that begins with `head` is a private key."""
        if size > MAX_KEY_BYTES:
            return False
        start = head[:HEAD_BYTES]
        # The words first: looking for them is ten times faster than the expression, and few files have one.
        return any(map(start.__contains__, _KEY_WORDS)) and _PRIVATE_KEY.search(start) is not None

    def __call__(self, path: str, head: bytes, size: int) -> bool:
        """Whether this file is a secret."""
        return self.named(path) or self.holds_key(head, size)


def _any_of(globs: Iterable[str]) -> Callable[[str], bool]:
    """Tells names that one of the globs matches.

    Asked for every row of the index at each start, hence in this order: whole names, then how a name begins
    or ends. Only what passes there, and globs that begin and end with a wildcard, meet an expression; those
    of `fnmatch` never go back into a star, so no glob is slow.
    """
    whole: set[str] = set()
    begins: list[str] = []
    ends: list[str] = []
    free: list[str] = []
    for glob in globs:
        first = _WILDCARD.search(glob)
        if first is None:
            whole.add(glob)
        elif first.start():
            begins.append(glob[: first.start()])
            free.append(glob)
        elif first[0] == "*" and _WILDCARD.search(glob, 1) is None:
            ends.append(glob[1:])
        else:
            begins.append("")
            free.append(glob)
    prefixes, suffixes = tuple(begins), tuple(ends)
    matches = re.compile("|".join(map(fnmatch.translate, free)) or r"(?!)").match

    def told(name: str) -> bool:
        if name in whole or name.endswith(suffixes):
            return True
        return name.startswith(prefixes) and matches(name) is not None

    return told
