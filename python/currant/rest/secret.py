"""Owns how the installation's secret is compared, and what the page's cookie holds.

The token itself is the home's (`currant.hub.home`). The cookie carries a value derived from it, for a browser
sends a host's cookies to every port of that host, whoever listens there.
"""

import hashlib
import hmac


def cookie_value(token: str) -> str:
    """What the page's cookie holds: it opens this service and does not tell the token."""
    return hmac.new(token.encode(), b"currant page cookie 1", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())
