"""The record of a file in full: what headers and documentation say, as values and in the published shape.

- `template`: sections such as ``[Source file intent]``
- `conventions`: documentation of functions and classes, in every common convention
- `signature`: parameters
- `document`: the export and its JSON Schema

Everything here is a pure function of text. `extract` uses it to make records, readers to show them.
"""

from currant.record.document import Document, document, schema, schema_text, typed

__all__ = ["Document", "document", "schema", "schema_text", "typed"]
