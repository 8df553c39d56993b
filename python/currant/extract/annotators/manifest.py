"""The fact ``manifest``: what a package says that it needs, in files whose name makes them one.

Owns: which names it looks at and what becomes of a manifest that cannot be read (a note). Does not own: the
formats (`extract.manifests`), what follows from many of them (`projects.skills`).

The fact: ``{"kind", "ecosystem", "name", "version", "requires", "tools", "dependencies": [{"name", "spec",
"scope"}]}``; `extract.manifests.values` says what each holds.
"""

from typing import Final

import msgspec

from currant.extract.manifests import KINDS, read
from currant.extract.manifests.names import kind_of
from currant.extract.manifests.values import BadManifestError, clean
from currant.model import Record

MAX_BYTES: Final = 1 << 19
_MAX_PROBLEMS: Final = 5


class ManifestAnnotator:
    """Adds the fact ``manifest`` to the files whose name is that of one."""

    name = "manifest"
    version = "1"
    languages = None
    roles = KINDS

    def role(self, name: str) -> str | None:
        """The kind of manifest that this name makes of a content."""
        return kind_of(name)

    def annotate(self, name: str, language: str | None, source: bytes, record: Record) -> Record:
        """`record` with what the manifest says, or with a note why it says nothing."""
        kind = kind_of(name)
        if kind is None:
            return record
        notes = list(record.notes)
        facts = dict(record.facts)
        if len(source) > MAX_BYTES:
            notes.append(f"manifest: not read, it has more than {MAX_BYTES >> 10} KiB")
        else:
            try:
                manifest = read(kind, source)
            except BadManifestError as error:
                notes.append(f"manifest: {clean(str(error))}")
            else:
                facts[self.name] = manifest.as_fact(kind)
                notes += [f"manifest: {clean(problem)}" for problem in manifest.problems[:_MAX_PROBLEMS]]
        return msgspec.structs.replace(record, notes=notes, facts=facts)
