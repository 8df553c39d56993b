"""Extractors and the registry that picks one.

Owns: the protocol, the identity under which a result is stored, the policy (secret, binary, too large, no
outliner for this language). Does not own: reading, storing, retrying.

A result may depend only on what its `ResultKey` holds: content, language, identity of the extractor with
all of its configuration. That is why the size limit is part of the identity of the record that says "too
large": raise the limit and the key changes, so the file is looked at again.

After the extractor, annotators (`annotate`) add to the record of every text. To add an extractor: one file
here, one line in `default_registry`, one test; an annotator's file goes into `annotators/`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace

from currant.config import ExtractSettings, HeaderField
from currant.extract.annotate import Annotator, Annotators, annotated, attempt, cost_of, noted
from currant.extract.declared import Declared
from currant.extract.languages import detect, is_binary
from currant.extract.plugins import Plugin, PluginAnnotator, PluginExtractor, Source, discover
from currant.extract.secrets import Secrets, SecretsMode
from currant.extract.together import AtOnce, Native
from currant.extract.uses import Use
from currant.model import MAX_HASHED_BYTES, Packed, Record
from currant.packed import unpacked

MIB = 1 << 20
_UNHASHED = "unhashed/1"
_LATE = "+late"
_SECRET = "+secret"


class ExtractionError(Exception):
    """The extractor refused or broke on this content; the message says why. A state of that one path."""


class Extraction(msgspec.Struct, frozen=True):
    """A record and about how many bytes it takes in memory (for the writer's bounds).

    `provisional`: a part is missing for a reason that has nothing to do with the content, so the record is
    not to be kept for longer than until the next start."""

    made: Record | Packed
    cost: int
    provisional: bool = False

    @property
    def record(self) -> Record:
        """What was made, opened if it is in its stored form."""
        return unpacked(self.made) if isinstance(self.made, Packed) else self.made


class Extractor(Protocol):
    """Turns a content into a record, from nothing but its arguments."""

    @property
    def name(self) -> str:
        """Short and stable: part of the identity."""

    @property
    def version(self) -> str:
        """Changes whenever the output may, for any language."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages it answers for."""

    def language_version(self, language: str) -> str:
        """Changes whenever the output for this language may."""

    def extract(self, name: str, language: str, source: bytes) -> Extraction:
        """The record of `source`. `name` is the file's last component, for messages only: it must not
        change the result. Raises ExtractionError."""


_JUDGES_OF_NAMES: Final = (
    *("base.py", "annotate.py", "secrets.py", "declared.py", "annotators/manifest.py"),
    "manifests/names.py",
)


class Choice(msgspec.Struct, frozen=True):
    """What is to be done with one content: everything the key needs, and how to get the record.

    `at_once`: what may make it with many others (`together.examine_many`); it counts what is used."""

    language: str | None
    identity: str
    run: Callable[[bytes], Extraction]
    at_once: AtOnce | None = None


class PlainExtractor:
    """For contents that nothing outlines: a record with a language at most."""

    name = "plain"
    # Raised when `languages` tells another language of some content: what had none is then asked again.
    version = "2"
    languages: frozenset[str] = frozenset()

    def language_version(self, language: str) -> str:
        """There is only one."""
        return "1"

    def extract(self, name: str, language: str, source: bytes) -> Extraction:
        """No symbols."""
        return plain(language or None)


def plain(language: str | None, notes: Sequence[str] = ()) -> Extraction:
    """A record without symbols."""
    return Extraction(Record(language=language, symbols=[], notes=list(notes)), cost=64)


def provisional(identity: str) -> str:
    """Under which a record is stored that lacks a part and is to be made again: never one that is in use."""
    return identity + _LATE


def identity_of(extractor: Extractor, language: str) -> str:
    """What `ResultKey.extractor` holds: ``outline/3:py-1``."""
    return f"{extractor.name}/{extractor.version}:{extractor.language_version(language)}"


class Registry:
    """Which extractor answers for which language; a later one takes over from an earlier one."""

    def __init__(
        self,
        extractors: Iterable[Extractor],
        *,
        max_file_mb: int,
        secrets: Secrets | None = None,
        annotators: Iterable[Annotator] = (),
        plugins: Iterable[PluginExtractor] = (),
        refused: Iterable[Use] = (),
        native: Native | None = None,
        closing: Callable[[], None] | None = None,
    ) -> None:
        self._closing = closing
        self._native = native
        self._ordinary: dict[str | None, AtOnce | None] = {}  # by language, for names that are nothing
        self._max_file_mb = max_file_mb
        self._secrets = secrets or Secrets()
        self._plain: Extractor = PlainExtractor()
        annotating = tuple(annotators)
        self._annotators = Annotators(annotating)
        self._uses: dict[str, Use] = {}
        self._refused = tuple(refused)
        self._plugins: dict[str, PluginExtractor] = {}
        self._by_language: dict[str, Extractor] = {}
        self._identities: dict[str, str] = {}
        for extractor in extractors:
            for language in extractor.languages:
                self._by_language[language] = extractor
                self._identities[language] = identity_of(extractor, language)
            self._uses[extractor.name] = Use(
                extractor.name, extractor.version, kind="extractor", languages=extractor.languages
            )
        plugins = tuple(plugins)
        declaring = [one for one in (*plugins, *annotating) if isinstance(one, Plugin)]
        self._declared = Declared(one.declaration for one in declaring)
        for plugin in plugins:  # what it takes over remains, for when it fails
            for language in plugin.languages:
                self._plugins[language] = plugin
                before = self._identities.get(language)
                after = f"-{before.replace(':', '-')}" if before else ""
                self._identities[language] = f"{plugin.name}/{plugin.version}:{language}{after}"
            self._uses[plugin.name] = plugin.use
        for annotator in annotating:
            self._uses[annotator.name] = (
                annotator.use
                if isinstance(annotator, PluginAnnotator)
                else Use(annotator.name, annotator.version, kind="annotator", languages=annotator.languages)
            )
        self._plain_identity = identity_of(self._plain, "")
        self._every_role: frozenset[str] | None = None
        self._every_text: frozenset[str] | None = None
        self._whole: dict[str | None, str] = {}  # language -> identity with the annotators
        self._large_identity = f"large/1:{max_file_mb}"

    @property
    def limit(self) -> int:
        """Size in bytes up to which a content is looked at."""
        return self._max_file_mb * MIB

    @property
    def languages(self) -> frozenset[str]:
        """The languages that have an extractor."""
        return frozenset(self._identities)

    def close(self) -> None:
        """End what extractors have started, and refuse what is under way. Idempotent."""
        if self._closing is not None:
            self._closing()

    def identities(self) -> frozenset[str]:
        """Every identity a result can be stored under now. A row under any other is out of date."""
        usual = self._of_texts() | {
            *(self._plain_identity, self._large_identity, _UNHASHED),
            *(self._plain_identity + mark for mark in self._declared.marks),
        }
        if self._secrets.mode == "list":
            return usual | {self._secrets.identity}
        return usual | {self._secrets.marked(identity) for identity in usual}

    def is_current(self, language: str, identity: str) -> bool:
        """Whether a result of this language (``""`` for none) may be stored under this identity now. One of
        `identities` may be right for another language only: what was plain may be outlined by now."""
        if identity not in self.identities():
            return False
        if not language:
            return True
        bare = identity.removesuffix(self._secrets.marked(""))
        if bare not in self._of_texts():
            # Plain and of a language was a text before an annotator of every text came; a binary has none.
            return bare != self._plain_identity
        return bare in {self._identity(language) + role for role in self._roles()}

    def _roles(self) -> frozenset[str]:
        """Everything that a name may add to the identity of a text."""
        if self._every_role is None:
            marks = ("", *self._declared.marks)
            self._every_role = frozenset(role + mark for role in self._annotators.roles() for mark in marks)
        return self._every_role

    def _of_texts(self) -> frozenset[str]:
        """Every identity that the result of a text may have."""
        if self._every_text is None:
            self._every_text = frozenset(text + role for text in self._texts() for role in self._roles())
        return self._every_text

    def _texts(self) -> frozenset[str]:
        """The same for those whose name is nothing to anybody."""
        # Any language that nothing outlines and no annotator names has the identity of "none".
        languages = (None, *self._identities, *self._annotators.languages)
        return frozenset(map(self._identity, languages))

    def lacks_role(self, path: str, identity: str) -> bool:
        """Whether the name of a file is something to an annotator, or declares its language, and its result
        was made without that: the index is older than the annotator or the plug-in, or than the name in its
        list. `identities` cannot tell, as files of other names keep the identity."""
        name = path.rpartition("/")[2]
        declared = self._declared.of(name)
        role = self._annotators.named(name)[1] + (declared.mark if declared is not None else "")
        if not role:
            return False
        bare = identity.removesuffix(self._secrets.marked(""))
        return bare in self._of_texts() and not bare.endswith(role)

    @property
    def names_policy(self) -> str:
        """Changes whenever `to_hide` or `lacks_role` may answer otherwise for some name: rows that were right
        under it need not be asked again."""
        parts = [self._secrets.mode, self._secrets.identity, *sorted(self.identities())]
        parts += sorted(self._declared.marks)
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape"))
        # The lists of names are part of our own sources, which nothing but themselves stands for.
        for name in _JUDGES_OF_NAMES:
            digest.update((Path(__file__).parent / name).read_bytes())
        return digest.hexdigest()

    def uses(self) -> list[Use]:
        """Every extractor and annotator with its counts, and the plug-ins that were refused."""
        return [*self._uses.values(), *self._refused]

    def to_hide(self, path: str) -> bool:
        """Whether the name of a file says that its result is to be one of `hidden_identity`.

        An index may have been made when the name was no secret yet; its rows do not show that."""
        return self._secrets.mode == "list" and self._secrets.named(path)

    def is_of_secret(self, identity: str) -> bool:
        """Whether a result stored under this is that of a secret, extracted all the same or not."""
        return identity.startswith("secret/") or identity.removesuffix(_LATE).endswith(_SECRET)

    def may_share(self, identity: str) -> bool:
        """Whether a result of this identity may be kept outside of its index, where another index finds it by
        content: not that of a secret, nor one whose content has no hash."""
        return identity != _UNHASHED and not self.is_of_secret(identity)

    @property
    def hidden_identity(self) -> str:
        """Under which the empty records of secrets are stored."""
        return self._secrets.identity

    def choose(self, path: str, head: bytes, size: int) -> Choice:
        """Decide by name, head and size what happens to a content. Calls no extractor yet."""
        if not self._secrets(path, head, size):
            return self._choose(path, head, size)
        if self._secrets.mode == "list":
            return Choice(None, self._secrets.identity, lambda _source: plain(None, ["secret"]))
        choice = self._choose(path, head, size)
        return replace(choice, identity=self._secrets.marked(choice.identity))

    def _choose(self, path: str, head: bytes, size: int) -> Choice:
        if size > MAX_HASHED_BYTES:
            note = f"not hashed: {size / MIB:.0f} MB > {MAX_HASHED_BYTES / MIB:.0f} MB"
            return Choice(None, _UNHASHED, lambda _source: plain(None, [note]))
        name = path.rpartition("/")[2]
        declared = self._declared.of(name)
        mark = "" if declared is None else declared.mark
        if is_binary(head):
            return Choice(None, self._plain_identity + mark, lambda _source: plain(None, ["binary"]))
        language = detect(path, head) if declared is None else declared.language
        if size > self.limit:
            note = f"skipped: {size / MIB:.1f} MB > extract.max_file_mb {self._max_file_mb}"
            return Choice(language, self._large_identity, lambda _source: plain(language, [note]))
        named, role = self._annotators.named(name)
        run, at_once = self._reader(name, language, named)
        return Choice(language, self._identity(language) + role + mark, run, at_once)

    def _identity(self, language: str | None) -> str:
        """Under which a text of this language is stored."""
        found = self._whole.get(language)
        if found is None:
            outline = self._plain_identity if language is None else self._identities.get(language)
            found = (outline or self._plain_identity) + self._annotators.identity(language)
            self._whole[language] = found
        return found

    def _reader(
        self, name: str, language: str | None, named: tuple[Annotator, ...]
    ) -> tuple[Callable[[bytes], Extraction], AtOnce | None]:
        """What makes the record of a text; `named` are the annotators that look at its name besides. Second,
        what may make it with others."""
        annotators = self._annotators.of(language)
        if named:
            annotators = (*annotators, *named)
            at_once = self._at_once(language, annotators)
        elif language in self._ordinary:
            at_once = self._ordinary[language]
        else:
            at_once = self._ordinary[language] = self._at_once(language, annotators)

        def read(source: bytes) -> Extraction:
            found = None if at_once is None else at_once.examine(source)
            if found is not None:
                return found
            made = plain(language) if language is None else self._outlined(name, language, source)
            if not annotators:
                return made
            record, late = annotated(annotators, self._uses, name, language, source, made.record)
            return Extraction(record, made.cost + cost_of(record), made.provisional or late)

        return read, at_once

    def _at_once(self, language: str | None, annotators: tuple[Annotator, ...]) -> AtOnce | None:
        """What makes the whole record in one call of the native core; None when somebody else has a part in
        it."""
        native = self._native
        if native is None or language is None or language in self._plugins:
            return None
        extractor = self._by_language.get(language)
        if extractor not in (None, native.extractor) or not native.takes(language, annotators):
            return None
        uses = [self._uses[one.name] for one in annotators]
        if extractor is not None:
            uses.insert(0, self._uses[extractor.name])
        return AtOnce(native, language, annotators, tuple(uses), native.asks(language, annotators))

    def _outlined(self, name: str, language: str, source: bytes) -> Extraction:
        """The record before the annotators: the plug-in's, else that of our own extractor."""
        plugin = self._plugins.get(language)
        if plugin is None:
            return self._our_own(name, language, source)
        chosen = plugin
        record, note, late = attempt(plugin.use, name, lambda: chosen.record(name, language, source))
        if record is not None:
            # As objects, the definitions take about what their text does.
            return Extraction(record, 3 * len(source) + 64)
        made = self._our_own(name, language, source)
        return replace(made, made=noted(made.record, note), provisional=late)

    def _our_own(self, name: str, language: str, source: bytes) -> Extraction:
        extractor = self._by_language.get(language)
        if extractor is None:
            return plain(language)
        use = self._uses[extractor.name]
        use.called()
        try:
            return extractor.extract(name, language, source)
        except Exception as error:
            use.failed(str(error))
            raise


def default_registry(
    max_file_mb: int,
    *,
    secrets: SecretsMode = "list",
    secret_patterns: Sequence[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    disabled: Sequence[str] = (),
    header_template: Mapping[str, HeaderField] | None = None,
    sources: Iterable[Source] | None = (),
    exact_parsers: Sequence[str] = (),
    confine: bool = False,
) -> Registry:
    """Every extractor that comes with Currant, then the plug-ins of `sources` (None: the installed ones)
    except for those `disabled`, with their `options`. The native module is loaded here, not at import.

    `exact_parsers`: languages that are parsed and not scanned, or ``all``. `confine`: large sources are
    parsed in processes of their own, which `Registry.close` ends."""
    from currant import _core
    from currant.extract.annotators.header import HeaderAnnotator
    from currant.extract.annotators.links import LinksAnnotator
    from currant.extract.annotators.manifest import ManifestAnnotator
    from currant.extract.annotators.tasks import TasksAnnotator
    from currant.extract.confine import Confined
    from currant.extract.outline import OutlineExtractor
    from currant.extract.whole import Whole

    # One line each, in the order in which they run: links come after the header, which they read.
    exact = _core.parsed_languages() if "all" in exact_parsers else list(exact_parsers)
    confined = Confined(exact, apart=confine)
    outline = OutlineExtractor(confined.outline, _core.languages(exact))
    header, links = HeaderAnnotator(header_template), LinksAnnotator()
    annotators: tuple[Annotator, ...] = (header, TasksAnnotator(), links, ManifestAnnotator())
    found = discover(options, disabled, sources=sources, taken=[one.name for one in annotators])
    return Registry(
        [outline],
        max_file_mb=max_file_mb,
        secrets=Secrets(secrets, secret_patterns),
        annotators=[*annotators, *found.annotators],
        plugins=found.extractors,
        refused=found.refused,
        native=Whole(outline, header, links, confined),
        closing=confined.close,
    )


def configured_registry(settings: ExtractSettings) -> Registry:
    """The extractors in use under these settings, those of other packages among them."""
    return default_registry(
        settings.max_file_mb,
        secrets=settings.secrets,
        secret_patterns=settings.secret_patterns,
        options=settings.options,
        disabled=settings.disabled_extractors,
        header_template=settings.header_template,
        sources=None,
        exact_parsers=settings.exact_parsers,
        confine=True,
    )
