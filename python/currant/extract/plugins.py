"""Extractors and annotators of other packages: found by entry point, checked, and made to fit.

Owns: the entry point group, what a plug-in has to say of itself, and the refusal of one that does not. Does
not own: running it (`contain`), or where it stands among the others (`base.Registry`).

A plug-in is a class with `name`, `version`, `languages`, perhaps `detects`, `cost` and `Configuration`, and
one of `extract` and `annotate`; docs/extending.md has examples. What is refused is listed with the reason,
and the index goes on without it.
"""

import hashlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import PathFinder
from typing import Any, Final

import msgspec
from msgspec import Struct

from currant.config import OWN_EXTRACTORS
from currant.extract.contain import LIMIT_SECONDS, Contained, checked, copied
from currant.extract.declared import Declaration, Patterns, problem
from currant.extract.languages import KNOWN_LANGUAGES
from currant.extract.uses import Use
from currant.model import Record

log = logging.getLogger(__name__)

GROUP: Final = "currant.extractors"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
NAMED: Final = "setting"
"""The kind of what a setting names and nobody has: perhaps misspelt, perhaps of another machine."""

_NOT_HERE: Final = "a setting names it, and no plug-in of this name is installed"
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class RefusedError(Exception):
    """This plug-in cannot be used; the message says why and what to do."""


class Source(Struct, frozen=True):
    """One entry point: its name, the package that has it, and how to get at the class."""

    name: str
    package: str
    load: Callable[[], Any]


class Found(Struct):
    """The plug-ins that can be used, in the order of their names, and what is known of the others."""

    extractors: list["PluginExtractor"] = msgspec.field(default_factory=list)
    annotators: list["PluginAnnotator"] = msgspec.field(default_factory=list)
    refused: list[Use] = msgspec.field(default_factory=list)


class Plugin:
    """What both kinds share."""

    def __init__(self, made: Any, identity: str, use: Use, limit: float, detects: Patterns) -> None:
        self.made = made
        self.name = use.name
        self.version = identity
        self.use = use
        self.declaration = Declaration(self.name, identity, detects)
        self._contained = Contained(use.name, limit)


class PluginExtractor(Plugin):
    """An extractor of another package, in the shape of one of ours."""

    @property
    def languages(self) -> frozenset[str]:
        """What it said when it was loaded."""
        return self.use.languages or frozenset()

    def language_version(self, language: str) -> str:
        """The same for all: a plug-in has one version."""
        return language

    def record(self, name: str, language: str, source: bytes) -> Record:
        """Its record of `source`. Raises whatever it raises, OutOfTimeError, BadRecordError."""
        answer = self._contained.call(lambda: self.made.extract(name, language, source))
        return checked(answer, language, source)


class PluginAnnotator(Plugin):
    """An annotator of another package, in the shape of one of ours."""

    @property
    def languages(self) -> frozenset[str] | None:
        """What it said when it was loaded; None for every text."""
        return self.use.languages

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with its addition. Raises whatever it raises, OutOfTimeError, BadRecordError."""
        # A call that is left behind may go on changing the lists it was given.
        given = copied(record)
        answer = self._contained.call(lambda: self.made.annotate(name, language, source, given))
        return checked(answer, language, source)


def installed() -> list[Source]:
    """The entry points of this environment, by name."""
    if not _perhaps_some():
        return []
    from importlib import metadata  # with e-mail and zip files, a quarter of what a short command costs

    points = sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return [Source(point.name, point.dist.name if point.dist else "?", point.load) for point in points]


def _perhaps_some() -> bool:
    """Whether there can be any: False when no package that `importlib.metadata` would find says the name of
    our group; True in doubt. Nearly always there is none."""
    wanted = GROUP.encode()
    if any(hasattr(finder, "find_distributions") and finder is not PathFinder for finder in sys.meta_path):
        return True
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)
        except FileNotFoundError:
            continue
        except OSError:  # an archive
            return True
        if place.lower().rstrip("/\\").endswith(".egg"):
            return True
        for name in names:
            if not name.lower().endswith((".dist-info", ".egg-info")):
                continue
            try:
                with open(os.path.join(place, name, "entry_points.txt"), "rb") as file:
                    if wanted in file.read():
                        return True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return True
    return False


def discover(
    options: Mapping[str, Mapping[str, Any]] | None = None,
    disabled: Iterable[str] = (),
    *,
    sources: Iterable[Source] | None = None,
    taken: Iterable[str] = (),
    limits: Mapping[str, float] = LIMIT_SECONDS,
) -> Found:
    """Load every plug-in, or those in `sources`. `options` are settings by plug-in, `disabled` names of those
    not to load, `taken` names that are in use already.

    Never raises for what a plug-in is or does."""
    found, names, left_out = Found(), {*OWN_EXTRACTORS, *taken}, frozenset(disabled)
    seen: set[str] = set()
    for source in installed() if sources is None else sources:
        seen.add(source.name)
        try:
            plugin = _load(source, options or {}, left_out, names, seen, limits)
        except RefusedError as error:
            log.info("extractor %s of %s is refused: %s", source.name, source.package, error)
            found.refused.append(
                Use(source.name, "?", kind="plug-in", package=source.package, refused=str(error))
            )
            continue
        names.add(plugin.name)
        if isinstance(plugin, PluginExtractor):
            found.extractors.append(plugin)
        else:
            found.annotators.append(plugin)
    for name in sorted({*left_out, *(options or {})} - seen):
        found.refused.append(Use(name, "?", kind=NAMED, package="?", refused=_NOT_HERE))
    return found


def _load(
    source: Source,
    options: Mapping[str, Mapping[str, Any]],
    disabled: frozenset[str],
    taken: set[str],
    seen: set[str],
    limits: Mapping[str, float],
) -> PluginExtractor | PluginAnnotator:
    """One plug-in, whose name is added to `seen`. Raises RefusedError."""
    if source.name in disabled:
        raise RefusedError("switched off by extract.disabled_extractors")
    try:
        kind = source.load()
    except (Exception, SystemExit) as error:
        raise RefusedError(f"it cannot be imported: {type(error).__name__}: {error}") from error
    name = _said(kind, "name", _NAME, "lower case letters, digits, - and _")
    seen.add(name)
    version = _said(kind, "version", _VERSION, 'a text such as "1"')
    if name in taken:
        raise RefusedError(f"the name {name!r} is taken: rename one of the two, or uninstall it")
    if name in disabled:
        raise RefusedError("switched off by extract.disabled_extractors")
    extracts, annotates = (callable(getattr(kind, method, None)) for method in ("extract", "annotate"))
    if extracts == annotates:
        raise RefusedError("it must have one of the methods extract and annotate")
    cost = getattr(kind, "cost", "cheap")
    if cost not in limits:
        raise RefusedError(f"cost is {cost!r}: it must be one of {', '.join(limits)}")
    detects = _detects(getattr(kind, "detects", None))
    languages = _languages(
        getattr(kind, "languages", frozenset()), may_be_all=annotates, known=KNOWN_LANGUAGES | detects.keys()
    )
    made, digest = _configured(kind, options.get(name))
    use = Use(
        name,
        version,
        kind="extractor" if extracts else "annotator",
        languages=languages,
        cost=cost,
        package=source.package,
    )
    wrapper = PluginExtractor if extracts else PluginAnnotator
    return wrapper(made, f"{version}{digest}", use, limits[cost], detects)


def _said(kind: Any, attribute: str, form: re.Pattern[str], what: str) -> str:
    value = getattr(kind, attribute, None)
    if value is None:
        raise RefusedError(f"it has no {attribute}: give it {attribute} = ..., {what}")
    if not isinstance(value, str) or not form.fullmatch(value):
        raise RefusedError(f"its {attribute} is {value!r}: it must be {what}")
    return value


def _detects(said: Any) -> Patterns:
    if said is None:
        return {}
    wrong = problem(said)
    if wrong is not None:
        raise RefusedError(wrong)
    return {language: tuple(patterns) for language, patterns in said.items()}


def _languages(said: Any, *, may_be_all: bool, known: frozenset[str]) -> frozenset[str] | None:
    if said is None and may_be_all:
        return None
    if isinstance(said, str) or not isinstance(said, Iterable):
        raise RefusedError(f"its languages are {said!r}: they must be a set of names")
    languages = frozenset(said)
    unknown = sorted(str(one) for one in languages - known)
    if unknown or not languages:
        raise RefusedError(
            f"its languages are {', '.join(unknown) or 'none'}: name what Currant detects, such as "
            "python, or what it declares in detects"
        )
    return languages


def _configured(kind: Any, options: Mapping[str, Any] | None) -> tuple[Any, str]:
    """The plug-in, and the part of its identity that stands for its configuration."""
    declared = getattr(kind, "Configuration", None)
    if declared is None and options:
        raise RefusedError("extract.options has a section for it, and it has no Configuration: remove one")
    try:
        if declared is None:
            return kind(), ""
        configuration = msgspec.convert(dict(options or {}), declared)
        text = msgspec.json.encode(configuration, order="deterministic")
        return kind(configuration), f"~{hashlib.sha256(text).hexdigest()[:8]}"
    except msgspec.ValidationError as error:
        raise RefusedError(f"extract.options.{kind.name}: {error}") from error
    except (Exception, SystemExit) as error:
        raise RefusedError(f"it cannot be made: {type(error).__name__}: {error}") from error
