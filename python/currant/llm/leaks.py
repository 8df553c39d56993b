"""Owns which contents are not sent because they look as if they held a secret.

Beyond the rules for whole files (`currant.extract.secrets`), which apply in any case: a source may hold a key
among other things. Only marks that mean little else are looked for, with a line number for the message; a
password without such a mark is not found, and docs/llm.md says so.
"""

import re
from typing import Final

_MARKS: Final = (
    ("a private key", rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|AGE-SECRET-KEY-1[0-9A-Z]{8}"),
    ("an AWS access key", rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("an AWS secret key", rb"(?i:aws_secret_access_key)[\"' ]*[:=][\"' ]*[A-Za-z0-9/+]{40}\b"),
    ("a GitHub token", rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})"),
    ("a GitLab token", rb"\bglpat-[A-Za-z0-9_-]{20}"),
    ("a Slack token", rb"\bxox[abposr]-[A-Za-z0-9-]{10}"),
    ("a Google API key", rb"\bAIza[A-Za-z0-9_-]{35}"),
    ("a Stripe key", rb"\b[rs]k_live_[A-Za-z0-9]{20}"),
    ("an API key", rb"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32}"),
    ("a package registry token", rb"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{40})"),
    ("a JSON web token", rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    (
        "a password in an address",
        rb"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>{}$]{1,64}:[^\s/:@\"'<>{}$]{3,64}@",
    ),
)
_PATTERNS: Final = tuple((what, re.compile(pattern)) for what, pattern in _MARKS)


def leak(content: bytes) -> str | None:
    """What looks like a secret in it, and in which line; None when nothing does."""
    for what, pattern in _PATTERNS:
        found = pattern.search(content)
        if found is not None:
            return f"line {content.count(bytes((10,)), 0, found.start()) + 1} looks like {what}"
    return None
