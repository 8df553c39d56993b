"""Owns how an answer is put beside what syntax gave: it fills what is empty, replaces nothing, and is marked.

The mark is the fact ``llm``: `source` (``llm:MODEL``) and `filled`, the names of what came from there. A
header that is the model's alone has the form ``llm:MODEL`` and no lines.
"""

from typing import Any, Final

import msgspec

from currant.llm.prompt import Answer
from currant.model import Dependency, Header, Record, Symbol

FACT: Final = "llm"


def merged(record: Record, answer: Answer, source: str) -> Record:
    """`record` with what it lacks from `answer`; `source` is ``llm:MODEL``."""
    filled: list[str] = []
    header = _header(record.header, answer, source, filled)
    symbols = _symbols(record.symbols, answer, filled)
    if not filled:
        return record
    facts = {**record.facts, FACT: {"source": source, "filled": filled}}
    return msgspec.structs.replace(record, header=header, symbols=symbols, facts=facts)


def source_of(extractor: str) -> str:
    """``llm:MODEL`` for the identity of a result (``llm/1:PROVIDER:MODEL``)."""
    return "llm:" + extractor.split(":", 2)[-1]


def _header(header: Header | None, answer: Answer, source: str, filled: list[str]) -> Header:
    base = header or Header(form=source, start=0, end=0)
    values: dict[str, Any] = {
        "intent": answer.intent,
        "design_principles": answer.design_principles,
        "constraints": answer.constraints,
        "dependencies": [Dependency(uses.kind, uses.name) for uses in answer.dependencies],
    }
    new = {name: value for name, value in values.items() if value and not getattr(base, name)}
    filled += [f"header.{name}" for name in new]
    return msgspec.structs.replace(base, **new)


def _symbols(symbols: list[Symbol], answer: Answer, filled: list[str]) -> list[Symbol]:
    """By name and parent; by the name alone where the answer and the file have only one of that name."""
    exact = {(one.name, one.parent or None): one.doc for one in answer.definitions}
    names = [one.name for one in answer.definitions]
    alone = {one.name: one.doc for one in answer.definitions if names.count(one.name) == 1}
    mine = [symbol.name for symbol in symbols]
    counts = {name: mine.count(name) for name in alone}
    out = []
    for at, symbol in enumerate(symbols):
        doc = None if symbol.doc else exact.get((symbol.name, symbol.parent or None))
        if doc is None and not symbol.doc and counts.get(symbol.name) == 1:
            doc = alone[symbol.name]
        if doc:
            filled.append(f"symbols.{at}.doc")
            symbol = msgspec.structs.replace(symbol, doc=doc)
        out.append(symbol)
    return out
