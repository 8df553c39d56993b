"""Names and labels that nothing defines any more. Owns what shows that a name was this tree's own."""

from typing import Final

from currant.graph.findings import Finding
from currant.graph.scene import INTERSPHINX, Scene
from currant.graph.words import MADE_DOCS
from currant.model import Reference
from currant.store import records, search
from currant.store import references as stored

_MOST: Final = 50  # records without a file that are looked at for a name
_STORED: Final = "SELECT stored FROM records WHERE id = ?"
_LABEL_ORPHANS: Final = """
SELECT 1 FROM refs r WHERE r.key = ? AND r.kind = 'anchor'
AND NOT EXISTS (SELECT 1 FROM files f WHERE f.result_id = r.result_id) LIMIT 1"""


class Names:
    """The rules ``name`` and, for labels, ``anchor``."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._names: dict[str, str | None] = {}

    def label(self, path: str, one: Reference) -> Finding | None:
        """What is wrong with a reference to a label, None for nothing."""
        label = stored.label(one.target)
        if ":" in label or label in MADE_DOCS or label in self._scene.labels:
            return None
        # With the inventories of other projects only a label that was here once is surely this tree's own.
        if (INTERSPHINX in self._scene.labels or not self._scene.labels) and not self._had_label(label):
            return None
        return Finding(path, one.line, "anchor", one.target, "no label of this name in the tree")

    def name(self, path: str, one: Reference) -> Finding | None:
        """What is wrong with a name in backticks, None for nothing."""
        if one.target not in self._names:
            self._names[one.target] = self._undefined(one.target)
        reason = self._names[one.target]
        return None if reason is None else Finding(path, one.line, "name", one.target, reason)

    def _undefined(self, target: str) -> str | None:
        """Why a name is dead, None when it is not, or when nobody knows.

        Two things show that it was defined here: a result that no file has any more defines it; or its
        class is defined here, once, with nothing to inherit from, and has no such member.
        """
        if not target.endswith("()"):
            return None
        parts = target.removesuffix("()").replace("::", ".").replace("#", ".").split(".")
        name = parts[-1]
        if len(name) < 3 or self._scene.query.find(name, exact=True, limit=1):
            return None
        if self._was_defined(name):
            return f"{name} was defined in this tree and is not any more"
        if len(parts) == 2:
            owners = self._scene.query.find(parts[0], exact=True, limit=3)
            if len(owners) == 1 and owners[0].kind == "class" and owners[0].language == "python":
                signature = owners[0].signature
                if "(" not in signature and not self._mentions(owners[0].path, name):
                    return f"{parts[0]} ({owners[0].path}:{owners[0].start}) has no {name}"
        return None

    def _mentions(self, path: str, name: str) -> bool:
        view = self._scene.query.show(path)
        record = view.record if view else None
        return record is None or any(
            symbol.name == "__getattr__" or name in symbol.signature for symbol in record.symbols
        )

    def _was_defined(self, name: str) -> bool:
        expression = search.whole(records.fold(name))
        if expression is None:
            return False
        for number in search.unused(self._scene.connection, expression, _MOST):
            stored_form = self._scene.connection.execute(_STORED, (number,)).get
            if stored_form is not None and any(
                symbol.name == name and symbol.kind != "heading"
                for symbol in records.decode(stored_form)[0].symbols
            ):
                return True
        return False

    def _had_label(self, label: str) -> bool:
        """Whether a content that no file has any more has this label."""
        return self._scene.connection.execute(_LABEL_ORPHANS, ("#" + label,)).fetchone() is not None
