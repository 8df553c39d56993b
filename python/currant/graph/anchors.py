"""Whether a place in a page exists. Renderers make different addresses of one heading, so letters and digits
alone are compared; that may miss a dead anchor and finds no false one for an exclamation mark."""

import html
import re
from collections.abc import Iterable
from typing import Final

_SQUASHED: Final = re.compile(r"[\W_]+")
_EMOJI: Final = re.compile(r":[a-z0-9_+-]+:")
_IMAGE: Final = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_LINK: Final = re.compile(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_TAG: Final = re.compile(r"<[^<>]*>")
_ATTRIBUTES: Final = re.compile(r"\{[^{}]*\}\s*$")
_NUMBERED: Final = re.compile(r"[-_]?\d+$")
_ALWAYS: Final = re.compile(r"|top|L\d+(C\d+)?(-L?\d+(C\d+)?)?|:~:.*|!.*|/.*", re.I)


def known(headings: Iterable[str], anchors: Iterable[str]) -> frozenset[str]:
    """What the headings and the anchors of a page can be called, for `is_known`."""
    names: set[str] = set()
    for text in (*headings, *anchors):
        bare = _LINK.sub(r"\1", _IMAGE.sub("", _ATTRIBUTES.sub("", text)))
        variants = (text, bare, text.partition("[")[0], _TAG.sub("", bare), _EMOJI.sub("", bare))
        names |= {_squash(html.unescape(one)) for one in variants}
    return frozenset(names)


def is_known(anchor: str, names: frozenset[str]) -> bool:
    """Whether one of these names is meant by `anchor`; true as well for what no heading is needed for."""
    if _ALWAYS.fullmatch(anchor):
        return True
    wanted = _squash(anchor.removeprefix("user-content-"))
    if not wanted or wanted in names:
        return True
    # The second heading of a name gets a number.
    return _squash(_NUMBERED.sub("", anchor)) in names


def _squash(text: str) -> str:
    return _SQUASHED.sub("", text.lower())
