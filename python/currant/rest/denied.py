"""Owns what a browser without the token is shown: how to get it, and a field for it.

The files of the page are behind the token too, so this one brings its style along. The content policy names
that style by its hash; nothing else may be loaded or run.
"""

import base64
import hashlib
from importlib.resources import files
from typing import Final

from starlette.responses import HTMLResponse

_HTML: Final = (files("currant.rest") / "page" / "denied.html").read_text("utf-8")
_STYLE: Final = _HTML.partition("<style>")[2].partition("</style>")[0]
_WRONG: Final = _HTML[_HTML.index('    <p role="alert">') : _HTML.index("    <form")]
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def answer(*, wrong: bool = False) -> HTMLResponse:
    """The page, with status 401; `wrong`: it says that what was given is not the token."""
    headers = {"WWW-Authenticate": 'Bearer realm="currant"', "Content-Security-Policy": _POLICY}
    return HTMLResponse(_HTML if wrong else _HTML.replace(_WRONG, ""), 401, headers)
