"""The record of a file in full: what headers and documentation say, as values and in the published shape.

- `template`: sections such as ``[Source file intent]``
- `conventions`: documentation of functions and classes, in every common convention
- `signature`: parameters
- `export`: the document and its JSON Schema

Everything here is a pure function of text. `extract` uses it to make records, readers to show them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from currant.record.export import Document, document, schema, schema_text, typed

__all__ = ["Document", "document", "schema", "schema_text", "typed"]


if not TYPE_CHECKING:  # which would take any name for one of these

    def __getattr__(name: str) -> Any:
        """Every start needs the titles of `template`, few need the rest."""
        if name in __all__:
            from currant.record import export

            return getattr(export, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
