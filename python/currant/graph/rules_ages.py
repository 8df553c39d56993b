"""Documents older than the code that they describe; headers that are missing or end too early."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from currant.graph.findings import DAY, Finding
from currant.graph.scene import Scene
from currant.graph.words import DOCUMENTS
from currant.model import Reference

_SHARE: Final = 0.5  # of the files of a language that have a header, from which on the others lack one
_LEAST: Final = 5


def older(scene: Scene, path: str, described: Sequence[tuple[int, str]], grace: float) -> Finding | None:
    """A document that names code (line, path) which was seen to change more than `grace` seconds after it;
    None for one that does not."""
    own = max(scene.mtime[path], scene.changed.get(path, 0.0))
    late: list[tuple[float, int, str]] = []
    for line, target in described:
        if target == path or scene.language.get(target, "") in (*DOCUMENTS, ""):
            continue
        at = scene.changed.get(target)
        if at is not None and at - own > grace:
            late.append((at, line, target))
    if not late:
        return None
    at, line, target = max(late)
    more = len({one for _, _, one in late}) - 1
    others = f", and {more} more that it names" if more else ""
    days = (at - own) / DAY
    return Finding(path, line, "older", target, f"changed {days:.0f} days after this document{others}")


def headers(scene: Scene, grace: float) -> Iterator[tuple[Finding, bool]]:
    """Headers that are missing where most files have one, and those whose history ends more than `grace`
    seconds (at least a day) too early; with each, whether the header asks not to be told."""
    headers: dict[str, Reference] = {}
    for path, found in scene.by_file.items():
        for one in found:
            if one.kind == "header":
                headers[path] = one
    of_language: defaultdict[str, list[str]] = defaultdict(list)
    for path, language in scene.language.items():
        if language and language not in DOCUMENTS:
            of_language[language].append(path)
    for language, paths in of_language.items():
        having = sum(path in headers for path in paths)
        if having < _LEAST or having < _SHARE * len(paths):
            continue
        for path in paths:
            if path not in headers and not path.endswith("__init__.py"):
                reason = f"no header; {having} of {len(paths)} {language} files have one"
                yield Finding(path, 1, "header", "", reason), False
    for path, one in headers.items():
        at, stamp = scene.changed.get(path), _seconds(one.target)
        if at is not None and stamp is not None and at - stamp > max(grace, DAY):
            days = (at - stamp) / DAY
            reason = f"the newest entry of its history is {days:.0f} days older than the last change"
            yield Finding(path, one.line, "header", one.target, reason), one.quiet


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
