"""The published record: its shape, its JSON Schema, and that every document keeps to both."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import currant
from currant.extract import default_registry
from currant.extract.languages import detect
from currant.model import Record, Symbol
from currant.record import Document, document, schema, schema_text

DEFINITIONS = schema()["$defs"]
SCHEMA = Path(currant.__file__).parent / "schema" / "record.schema.json"

# The scheme that the record was first asked for in: every name in it is in every document.
SECTIONS = {"intent": 0, "designPrinciples": [0], "implementationDetails": 0, "designDecisions": 0}
RANGE = {"start": 0, "end": 0}
FUNCTION = {"name": 0, "docSections": SECTIONS, "parameters": [0], "lineRange": RANGE}
ORIGINAL: dict[str, Any] = {
    "path": 0,
    "language": 0,
    "headerSections": {
        "intent": 0,
        "designPrinciples": [0],
        "constraints": [0],
        "referenceDocumentation": [0],
        "changeHistory": [{"timestamp": 0, "summary": 0, "details": [0]}],
    },
    "functions": [FUNCTION],
    "classes": [{"name": 0, "docSections": SECTIONS, "methods": [FUNCTION], "lineRange": RANGE}],
}

SOURCE = '''\
"""
[Source file intent]
Keeps accounts.

[Source file design principles]
- One writer

[Source file constraints]
- No I/O

[Dependencies]
codebase:doc/BOOKS.md
codebase:src/money.py
system:decimal

[GenAI tool change history]
2025-05-02T08:00:00Z : Made by hand
* at once
"""

class Account:
    """[Class intent]
    Holds money.

    [Design principles]
    Never negative.
    """

    def pay(self, amount: int, *, into="here") -> bool:
        """[Class method intent]
        Pays in.

        [Implementation details]
        Adds.

        Args:
            amount: how much
            into (str): where
        """

def total(accounts):
    """Sums up."""
'''


def made(path: str, source: str) -> dict[str, Any]:
    """The document of a source, as the registry extracts it."""
    head = source.encode()
    return document(path, default_registry(8).choose(path, head, len(head)).run(head).record)


def valid(value: Any, rule: Any, at: str = "$") -> None:
    """Assert what JSON Schema says, as far as the schema of the record uses it."""
    if "$ref" in rule:
        rule = DEFINITIONS[rule["$ref"].rpartition("/")[2]]
    if "anyOf" in rule:
        assert any(not failures(value, one) for one in rule["anyOf"]), at
        return
    known = {
        "type",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "title",
        "description",
        "enum",
    }
    assert rule.keys() <= known | {"$schema", "$defs"}, f"{at}: the schema says more than this test checks"
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    if "type" in rule:
        assert isinstance(value, kinds[rule["type"]]), at
    for name in rule.get("required", ()):
        assert name in value, f"{at}.{name} is missing"
    if isinstance(value, dict):
        # Open for later fields; but today's documents have no name that the schema does not tell of.
        properties, more = rule.get("properties", {}), rule.get("additionalProperties")
        for name, one in value.items():
            if name in properties:
                valid(one, properties[name], f"{at}.{name}")
            elif isinstance(more, dict):
                valid(one, more, f"{at}.{name}")
            else:
                assert not properties, f"{at}.{name} is not in the schema"
    if isinstance(value, list) and "items" in rule:
        for number, one in enumerate(value):
            valid(one, rule["items"], f"{at}[{number}]")


def failures(value: Any, rule: Any) -> bool:
    try:
        valid(value, rule)
    except AssertionError:
        return True
    return False


def only(value: Any, shape: Any) -> Any:
    """What of a document the original scheme names. KeyError for what is missing."""
    if isinstance(shape, dict):
        return {name: only(value[name], inner) for name, inner in shape.items()}
    return [only(one, shape[0]) for one in value] if isinstance(shape, list) else value


def test_a_document_has_exactly_the_shape_that_was_asked_for() -> None:
    got = made("src/bank.py", SOURCE)
    nothing = {"implementationDetails": None, "designDecisions": None}
    assert only(got, ORIGINAL) == {
        "path": "src/bank.py",
        "language": "python",
        "headerSections": {
            "intent": "Keeps accounts.",
            "designPrinciples": ["One writer"],
            "constraints": ["No I/O"],
            "referenceDocumentation": ["doc/BOOKS.md"],
            "changeHistory": [
                {"timestamp": "2025-05-02T08:00:00Z", "summary": "Made by hand", "details": ["at once"]}
            ],
        },
        "functions": [
            {
                "name": "total",
                "docSections": {"intent": "Sums up.", "designPrinciples": [], **nothing},
                "parameters": ["accounts"],
                "lineRange": {"start": 41, "end": 42},
            }
        ],
        "classes": [
            {
                "name": "Account",
                "docSections": {
                    "intent": "Holds money.",
                    "designPrinciples": ["Never negative."],
                    **nothing,
                },
                "methods": [
                    {
                        "name": "pay",
                        "docSections": {
                            "intent": "Pays in.",
                            "designPrinciples": [],
                            "implementationDetails": "Adds.",
                            "designDecisions": None,
                        },
                        "parameters": ["amount", "into"],
                        "lineRange": {"start": 29, "end": 39},
                    }
                ],
                "lineRange": {"start": 21, "end": 39},
            }
        ],
    }
    assert got["headerSections"]["dependencies"] == [
        {"kind": "codebase", "name": "doc/BOOKS.md"},
        {"kind": "codebase", "name": "src/money.py"},
        {"kind": "system", "name": "decimal"},
    ]
    assert got["classes"][0]["methods"][0]["parameterDetails"] == [
        {"name": "amount", "type": "int", "default": None, "description": "how much"},
        {"name": "into", "type": "str", "default": '"here"', "description": "where"},
    ]


def test_the_schema_in_the_package_is_that_of_the_model() -> None:
    # After a change: python -c 'import currant.record as r; print(r.schema_text(), end="")' > that file.
    assert SCHEMA.read_text() == schema_text()


def test_the_schema_tells_valid_documents_from_others() -> None:
    good = made("x.py", SOURCE)
    valid(good, schema())
    for spoilt in (
        {**good, "path": 3},
        {**good, "more": 1},
        {name: good[name] for name in ("path", "language")},
    ):
        assert failures(spoilt, schema())
    for bad in ({**good, "functions": [{"name": "f"}]}, {**good, "headerSections": None}, []):
        assert failures(bad, schema())
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, Document)


@pytest.mark.parametrize(
    ("path", "source", "functions", "methods"),
    [
        (
            "a.go",
            "package p\ntype T struct{}\nfunc (t T) A() {}\nfunc (o Other) B() {}\n",
            ["B"],
            {"T": ["A"]},
        ),
        ("a.rs", "struct T;\nimpl T { fn a(&self) {} }\nfn b() {}\n", ["b"], {"T": ["a"]}),
        ("a.java", "class A { void a() {} class B { void b() {} } }\n", [], {"A": ["a"], "B": ["b"]}),
        ("a.py", "def f():\n    def g(): ...\n", ["f", "g"], {}),
        ("a.cpp", "struct A { void f(); };\nvoid A::f() {}\n", [], {"A": ["f"]}),
        ("a.md", "# T\n\ntext\n", [], {}),
        ("a.bin", "\0", [], {}),
    ],
)
def test_methods_are_with_their_class_wherever_they_are_written(
    path: str, source: str, functions: list[str], methods: dict[str, list[str]]
) -> None:
    got = made(path, source)
    valid(got, schema())
    assert [one["name"] for one in got["functions"]] == functions
    found = {one["name"]: sorted({method["name"] for method in one["methods"]}) for one in got["classes"]}
    assert found == methods


def test_of_two_classes_of_one_name_each_has_its_own_methods() -> None:
    source = "if x:\n    class A:\n        def a(self): ...\nelse:\n    class A:\n        def b(self): ...\n"
    got = made("x.py", source)
    assert [[method["name"] for method in one["methods"]] for one in got["classes"]] == [["a"], ["b"]]


SYMBOLS = st.builds(
    Symbol,
    name=st.sampled_from("fgA"),
    kind=st.sampled_from(["function", "method", "class", "struct", "heading"]),
    parent=st.sampled_from([None, "A", "A.g", "B"]),
    start=st.integers(1, 9),
    end=st.integers(1, 9),
    signature=st.text("fgA(),: x=", max_size=20),
    doc=st.text(max_size=60),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(SYMBOLS, max_size=12), st.sampled_from(["python", "go", "x", None]))
def test_every_function_and_class_of_a_record_is_in_its_document_once(
    symbols: list[Symbol], language: str | None
) -> None:
    got = document("p", Record(language, symbols, []))
    valid(got, schema())
    methods = [method for one in got["classes"] for method in one["methods"]]
    told = [(one["name"], one["kind"], one["lineRange"]["start"]) for one in [*got["functions"], *methods]]
    callables = [(one.name, one.kind, one.start) for one in symbols if one.kind in ("function", "method")]
    assert sorted(told) == sorted(callables)
    assert len(got["classes"]) == sum(one.kind in ("class", "struct") for one in symbols)


def test_our_own_sources_have_documents_that_keep_to_the_schema() -> None:
    for path in sorted(Path(currant.__file__).parent.rglob("*.py"))[:25]:
        source = path.read_bytes()
        assert detect(path.name, source) == "python"
        got = document(
            path.name, default_registry(8).choose(path.name, source, len(source)).run(source).record
        )
        valid(got, schema())
        assert got["headerSections"]["intent"] or not source.startswith(b'"""')
