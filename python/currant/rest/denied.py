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
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def answer() -> HTMLResponse:
    """The page, with status 401."""
    headers = {"WWW-Authenticate": 'Bearer realm="currant"', "Content-Security-Policy": _POLICY}
    return HTMLResponse(_HTML, 401, headers)
