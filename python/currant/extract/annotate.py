"""Annotators: what is added to the record of a content after its outline.

Owns: the protocol, the part that annotators have in the identity of a result, and that one which fails costs
the record its addition and nothing else. Does not own: which annotators there are (`base.default_registry`).

An annotator may use its arguments and nothing else: no path, no other file, no clock. What it says is kept
under a key that holds the content, the language, and the name and version of the annotator.
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Protocol, TypeVar, runtime_checkable

import msgspec

from currant.extract.contain import OutOfTimeError
from currant.extract.uses import Use
from currant.model import Record

log = logging.getLogger(__name__)

_MESSAGE: Final = 200  # characters of a failure that are worth keeping
_T = TypeVar("_T")


class Annotator(Protocol):
    """Adds to the record of one content, whatever outlined it."""

    @property
    def name(self) -> str:
        """Short and stable: part of the identity."""

    @property
    def version(self) -> str:
        """Changes whenever what it adds may."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it looks at; None for every text, one of an unknown language included."""

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with what this annotator found in `source`. `name` is the file's last component, for
        messages only: it must not change the result. Whatever is raised becomes a note."""


@runtime_checkable
class NamedAnnotator(Annotator, Protocol):
    """Looks only at files of certain names. What the name makes of a content, its role, is part of the
    identity of the result: the same bytes under another name are another result."""

    @property
    def roles(self) -> frozenset[str]:
        """Every role there is."""

    def role(self, name: str) -> str | None:
        """The role of a file of this name, None for one that it does not look at. All that `annotate` may
        take from the name."""


class Annotators:
    """The annotators in use, in their order, which is part of the identity; those by name come last."""

    def __init__(self, annotators: Iterable[Annotator] = ()) -> None:
        every = tuple(annotators)
        self._named: Final = tuple(one for one in every if isinstance(one, NamedAnnotator))
        self._all: Final = tuple(one for one in every if not isinstance(one, NamedAnnotator))
        self._by_language: dict[str | None, tuple[Annotator, ...]] = {}

    def of(self, language: str | None) -> tuple[Annotator, ...]:
        """Those that look at this language."""
        found = self._by_language.get(language)
        if found is None:
            found = tuple(
                one for one in self._all if one.languages is None or (language and language in one.languages)
            )
            self._by_language[language] = found
        return found

    @property
    def languages(self) -> frozenset[str]:
        """The languages that some annotator names."""
        return frozenset().union(*(one.languages or () for one in self._all))

    def identity(self, language: str | None) -> str:
        """What they add to the identity of a result: ``+header/1+links/1``, or nothing."""
        return "".join(f"+{one.name}/{one.version}" for one in self.of(language))

    def named(self, name: str) -> tuple[tuple[Annotator, ...], str]:
        """Those that look at a file of this name besides, and what they add to the identity after the others:
        ``+manifest/1:npm``."""
        roles = [(one, role) for one in self._named if (role := one.role(name)) is not None]
        return tuple(one for one, _ in roles), "".join(map(_role_text, roles))

    def roles(self) -> frozenset[str]:
        """All that `named` may add to an identity, nothing included."""
        each = [["", *(_role_text((one, role)) for role in one.roles)] for one in self._named]
        return frozenset("".join(some) for some in itertools.product(*each))


def _role_text(pair: tuple[NamedAnnotator, str]) -> str:
    annotator, role = pair
    return f"+{annotator.name}/{annotator.version}:{role}"


def annotated(
    annotators: Sequence[Annotator],
    uses: Mapping[str, Use],
    name: str,
    language: str | None,
    source: bytes,
    record: Record,
) -> tuple[Record, bool]:
    """`record` after all of them, one after the other, and whether one ran out of time."""
    late = False
    for annotator in annotators:

        def annotate(annotator: Annotator = annotator, given: Record = record) -> Record:
            answer = annotator.annotate(name, language, source, given)
            if not isinstance(answer, Record):
                raise TypeError(f"gave {type(answer).__name__} in place of a record")
            return answer

        answer, note, out_of_time = attempt(uses[annotator.name], name, annotate)
        late = late or out_of_time
        record = noted(record, note) if answer is None else answer
    return record, late


def attempt(use: Use, name: str, call: Callable[[], _T]) -> tuple[_T | None, str, bool]:
    """What `call` gives; else None, the note for the record, and whether it took too long. Counted."""
    use.called()
    try:
        return call(), "", False
    except OutOfTimeError as error:
        _say(use, "%s (%r)", error, name)
        use.failed(str(error), timeout=True)
        return None, str(error), True
    except Exception as error:
        _say(use, "extractor %s broke on %r", use.name, name, trace=True)
        note = f"{use.name} failed: {type(error).__name__}: {error}"[:_MESSAGE]
        # It becomes part of the record, which is stored as UTF-8.
        note = note.encode("utf-8", "backslashreplace").decode()
        use.failed(note)
        return None, note, False


def _say(use: Use, text: str, *values: object, trace: bool = False) -> None:
    """Into the log, loudly the first time: the status counts, and a line for each file helps nobody."""
    log.log(logging.DEBUG if use.failures else logging.WARNING, text, *values, exc_info=trace)


def noted(record: Record, note: str) -> Record:
    """`record` with one more note."""
    return msgspec.structs.replace(record, notes=[*record.notes, note])


def cost_of(record: Record) -> int:
    """About how many bytes everything but the definitions takes in memory."""
    return 3 * len(msgspec.json.encode(msgspec.structs.replace(record, symbols=[])))
