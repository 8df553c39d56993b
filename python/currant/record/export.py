"""The published shape of a record: what `document` returns, and its JSON Schema.

Owns: the names and the nesting of the export, and how definitions become functions, classes and methods. The
fields of the original scheme (`path`, `language`, `headerSections`, `functions`, `classes` and all in them)
are there in every document, under their names; fields beyond it are only ever added.

A stored record has no path, since files of equal content share it: the path is put in here, when it is read.
"""

import inspect
from typing import Any, Final

import msgspec

from currant.model import Dependency, Header, HistoryEntry, Record, Symbol
from currant.record.conventions import Described, DocSections, read
from currant.record.signature import Parameter, parameters

CLASSES: Final = frozenset({"class", "struct", "union", "enum", "interface", "trait"})
"""Kinds of definitions that are in `classes`."""
FUNCTIONS: Final = frozenset({"function", "method", "constructor"})
"""Kinds of definitions that are functions, or methods of a class of this file."""
_PROSE: Final = (".md", ".rst", ".txt", ".adoc", ".markdown")


class LineRange(msgspec.Struct, frozen=True):
    """First and last line, both inclusive, from 1."""

    start: int
    end: int


class ChangeEntry(msgspec.Struct, frozen=True):
    """One entry of the change history. `timestamp` is ISO 8601."""

    timestamp: str | None
    summary: str | None
    details: list[str]


class HeaderSections(msgspec.Struct, frozen=True, rename="camel"):
    """What the header of the file says. `dependencies` are of kind codebase, system or other; documents of
    the codebase among them are in `referenceDocumentation` too. `form` is null when there is no header."""

    intent: str | None
    design_principles: list[str]
    constraints: list[str]
    reference_documentation: list[str]
    change_history: list[ChangeEntry]
    dependencies: list[Dependency]
    other: dict[str, str]
    form: str | None
    line_range: LineRange | None


class DocumentedSections(msgspec.Struct, frozen=True, rename="camel"):
    """What the documentation of a function or a class says; `convention` is how it is written."""

    intent: str | None
    design_principles: list[str]
    implementation_details: str | None
    design_decisions: str | None
    description: str | None
    returns: str | None
    raises: list[Described]
    deprecated: str | None
    other: dict[str, str]
    convention: str | None


class ParameterDetail(msgspec.Struct, frozen=True):
    """One parameter, from the signature and the documentation; null is what neither says."""

    name: str
    type: str | None
    default: str | None
    description: str | None


class FunctionEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One function, method or constructor. `parent` is what it is defined in or belongs to."""

    name: str
    doc_sections: DocumentedSections
    parameters: list[str]
    line_range: LineRange
    kind: str
    parent: str | None
    signature: str
    parameter_details: list[ParameterDetail]


class ClassEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One class, structure, union, enumeration, interface or trait, with its methods."""

    name: str
    doc_sections: DocumentedSections
    methods: list[FunctionEntry]
    line_range: LineRange
    kind: str
    parent: str | None
    signature: str


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """The record of one file."""

    path: str
    language: str | None
    header_sections: HeaderSections
    functions: list[FunctionEntry]
    classes: list[ClassEntry]
    notes: list[str]
    facts: dict[str, Any]


def typed(path: str, record: Record) -> Document:
    """The document of the file at `path`, whose record this is."""
    functions, classes = _definitions(record)
    return Document(
        path=path,
        language=record.language,
        header_sections=_header(record.header),
        functions=functions,
        classes=classes,
        notes=list(record.notes),
        facts=dict(record.facts),
    )


def document(path: str, record: Record) -> dict[str, Any]:
    """The same in plain values, as it is written in JSON."""
    built: dict[str, Any] = msgspec.to_builtins(typed(path, record))
    return built


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `document`."""
    made: dict[str, Any] = msgspec.json.schema(Document)
    for one in made["$defs"].values():
        one["description"] = inspect.cleandoc(one["description"]).replace("\n", " ")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The record of one file in an index of Currant",
        **made,
    }


def schema_text() -> str:
    """The same as it stands in ``currant/schema/record.schema.json``, which comes with the package."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _header(header: Header | None) -> HeaderSections:
    if header is None:
        return HeaderSections(None, [], [], [], [], [], {}, None, None)
    documents = [
        one.name
        for one in header.dependencies
        if one.kind == "codebase" and one.name.lower().endswith(_PROSE)
    ]
    named = header.reference_documentation
    return HeaderSections(
        intent=header.intent,
        design_principles=header.design_principles,
        constraints=header.constraints,
        reference_documentation=[*named, *(name for name in documents if name not in named)],
        change_history=[_change(entry) for entry in header.change_history],
        dependencies=header.dependencies,
        other=header.other,
        form=header.form,
        line_range=LineRange(header.start, header.end),
    )


def _change(entry: HistoryEntry) -> ChangeEntry:
    return ChangeEntry(entry.timestamp, entry.summary, entry.details)


def _definitions(record: Record) -> tuple[list[FunctionEntry], list[ClassEntry]]:
    """Functions and classes in the order of the file; a method of a type of another file is a function."""
    classes: dict[str, list[tuple[Symbol, list[FunctionEntry]]]] = {}
    order: list[tuple[Symbol, list[FunctionEntry]]] = []
    for symbol in record.symbols:
        if symbol.kind in CLASSES:
            made: tuple[Symbol, list[FunctionEntry]] = (symbol, [])
            order.append(made)
            full = f"{symbol.parent}.{symbol.name}" if symbol.parent else symbol.name
            classes.setdefault(full, []).append(made)
    functions: list[FunctionEntry] = []
    for symbol in record.symbols:
        if symbol.kind in FUNCTIONS:
            owner = _owner(classes.get(symbol.parent or "", []), symbol)
            (functions if owner is None else owner).append(_function(record.language, symbol))
    return functions, [_class(record.language, symbol, methods) for symbol, methods in order]


def _owner(
    candidates: list[tuple[Symbol, list[FunctionEntry]]], symbol: Symbol
) -> list[FunctionEntry] | None:
    """The methods of the class that `symbol` belongs to: of several of one name, the one around it, else the
    first."""
    if len(candidates) > 1:
        for one, methods in candidates[-_SAME_NAME:]:
            if one.start <= symbol.start and symbol.end <= one.end:
                return methods
    return candidates[0][1] if candidates else None


_SAME_NAME: Final = 32  # definitions of one name that are looked at: no file makes this quadratic


def _function(language: str | None, symbol: Symbol) -> FunctionEntry:
    told = read(symbol.doc, language)
    details = _parameters(parameters(language, symbol.name, symbol.signature), told.parameters)
    return FunctionEntry(
        name=symbol.name,
        doc_sections=_sections(told),
        parameters=[one.name for one in details],
        line_range=LineRange(symbol.start, symbol.end),
        kind=symbol.kind,
        parent=symbol.parent,
        signature=symbol.signature,
        parameter_details=details,
    )


def _class(language: str | None, symbol: Symbol, methods: list[FunctionEntry]) -> ClassEntry:
    return ClassEntry(
        name=symbol.name,
        doc_sections=_sections(read(symbol.doc, language)),
        methods=methods,
        line_range=LineRange(symbol.start, symbol.end),
        kind=symbol.kind,
        parent=symbol.parent,
        signature=symbol.signature,
    )


def _parameters(signed: list[Parameter], told: list[Described]) -> list[ParameterDetail]:
    """Those of the signature, in its order and with what the documentation says; without any in the signature
    (it is cut, or its language has none), those of the documentation."""
    described: dict[str, Described] = {}
    for one in told:
        for name in one.name.split(","):
            described.setdefault(_plain(name), one)
    if not signed:
        return [ParameterDetail(one.name, one.type, None, one.text) for one in told]
    nothing = Described("")
    details = []
    for parameter in signed:
        said = described.get(_plain(parameter.name), nothing)
        details.append(
            ParameterDetail(parameter.name, parameter.type or said.type, parameter.default, said.text)
        )
    return details


def _plain(name: str) -> str:
    """A parameter's name without the marks that a signature or a documentation may leave out."""
    return name.strip().lstrip("*&$.").rstrip(".?")


def _sections(told: DocSections) -> DocumentedSections:
    return DocumentedSections(
        intent=told.intent,
        design_principles=told.design_principles,
        implementation_details=told.implementation_details,
        design_decisions=told.design_decisions,
        description=told.description,
        returns=told.returns,
        raises=told.raises,
        deprecated=told.deprecated,
        other=told.other,
        convention=told.convention,
    )
