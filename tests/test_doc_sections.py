"""Documentation in every convention: what each section says. The texts follow real packages in form, not in
words: CPython and requests (Sphinx), numpy, Google's guide, lodash (JSDoc), tokio (rustdoc), Guava (Javadoc),
the Linux kernel, LLVM (Doxygen), the Go library, YARD, phpDoc, Swift's markup, and the header template."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.extract import OutlineExtractor
from currant.record.conventions import Described, DocSections, read

D = Described


def test_the_sections_of_the_template_come_out_by_name() -> None:
    doc = """\
[Function intent]
Counts the pages
of a book.

[Design principles]
- No I/O
- Pure

[Implementation details]
One pass over the text.

[Design decisions]
Bytes, not characters.

Args:
    text (bytes): the book
    limit: where to stop

Returns:
    int: how many
"""
    assert read(doc, "python") == DocSections(
        convention="template",
        intent="Counts the pages of a book.",
        design_principles=["No I/O", "Pure"],
        implementation_details="One pass over the text.",
        design_decisions="Bytes, not characters.",
        parameters=[D("text", "bytes", "the book"), D("limit", None, "where to stop")],
        returns="int: how many",
    )


@pytest.mark.parametrize("title", ["Class method intent", "Class intent", "Function intent", "Method intent"])
def test_an_intent_is_one_whatever_it_is_the_intent_of(title: str) -> None:
    found = read(f"[{title}]\nHolds.\n\n[Unheard of]\nText.\n\n@param a first", "javascript")
    assert (found.intent, found.other, found.parameters) == (
        "Holds.",
        {"Unheard of": "Text."},
        [D("a", None, "first")],
    )


def test_google_sections_end_where_the_indentation_does() -> None:
    doc = """\
Fetches rows of a table.

Reads the pages that hold them, in
their order.

Args:
    table: an open table.
    keys (list[str], optional): which rows;
        all of them by default.
    **options: passed on: to the driver

Yields:
    One row after the other.

Raises:
    OSError: the disk is gone
    KeyError: no such row

Note:
    Slow.

Example:
    >>> fetch(t)
"""
    assert read(doc, "python") == DocSections(
        convention="google",
        intent="Fetches rows of a table.",
        description="Reads the pages that hold them, in\ntheir order.",
        parameters=[
            D("table", None, "an open table."),
            D("keys", "list[str], optional", "which rows; all of them by default."),
            D("**options", None, "passed on: to the driver"),
        ],
        returns="One row after the other.",
        raises=[D("OSError", None, "the disk is gone"), D("KeyError", None, "no such row")],
        implementation_details="Slow.",
        other={"Example": ">>> fetch(t)"},
    )


def test_text_after_a_google_section_is_description_again() -> None:
    found = read("Does.\n\nArgs:\n    a: first\n\nAnd one more thing.\n", "python")
    assert (found.description, found.parameters) == ("And one more thing.", [D("a", None, "first")])


def test_text_behind_a_title_goes_on_to_the_next_blank_line() -> None:
    found = read("Does.\n\nNote: it is slow\nand large.\n\nReturns: nothing\n\nMore.", "python")
    assert (found.intent, found.description) == ("Does.", "More.")
    assert (found.implementation_details, found.returns) == ("it is slow and large.", "nothing")
    assert read("NOTE: only\nthis.", "rust").intent == "NOTE: only this."


def test_numpy_sections_have_names_above_their_text() -> None:
    doc = """\
Return evenly spaced values.

Longer text.

Parameters
----------
start : array_like
    First value.
stop, step : int, optional
    Last value, and
    the distance.
*args
    More.

Returns
-------
out : ndarray
    The values.

Raises
------
ValueError
    If there are none.

See Also
--------
other : like this

Notes
-----
Multiplies.

Examples
--------
>>> f(1)
1
"""
    assert read(doc, "python") == DocSections(
        convention="numpy",
        intent="Return evenly spaced values.",
        description="Longer text.",
        parameters=[
            D("start", "array_like", "First value."),
            D("stop, step", "int, optional", "Last value, and the distance."),
            D("*args", None, "More."),
        ],
        returns="out : ndarray The values.",
        raises=[D("ValueError", None, "If there are none.")],
        implementation_details="Multiplies.",
        other={"See Also": "other : like this", "Examples": ">>> f(1)\n1"},
    )


def test_sphinx_fields_carry_types_before_or_after() -> None:
    doc = """\
Sends a request.

:param url: where to; see
    :class:`URL`.
:param dict headers: what to say first
:type url: str
:param timeout: (optional) seconds
:raises OSError: nobody is there
:return: the answer
:rtype: Response
"""
    assert read(doc, "python") == DocSections(
        convention="sphinx",
        intent="Sends a request.",
        parameters=[
            D("url", "str", "where to; see :class:`URL`."),
            D("headers", "dict", "what to say first"),
            D("timeout", None, "(optional) seconds"),
        ],
        returns="Response: the answer",
        raises=[D("OSError", None, "nobody is there")],
    )


def test_jsdoc_tags_have_types_in_braces_and_defaults_in_brackets() -> None:
    doc = """\
Splits an array into groups.

@static
@memberOf _
@since 3.0.0
@param {Array<{a: number}>} array The array.
@param {number} [size=1] The length
  of a group.
@param {...*} rest - Others.
@returns {Array} Returns the groups.
@throws {TypeError} for no array
@example

chunk([1, 2], 1)
"""
    assert read(doc, "javascript") == DocSections(
        convention="jsdoc",
        intent="Splits an array into groups.",
        parameters=[
            D("array", "Array<{a: number}>", "The array."),
            D("size", "number", "The length of a group."),
            D("rest", "...*", "Others."),
        ],
        returns="Array: Returns the groups.",
        raises=[D("TypeError", None, "for no array")],
        other={"memberOf": "_", "since": "3.0.0", "example": "chunk([1, 2], 1)"},
    )


def test_tsdoc_puts_a_dash_behind_the_name() -> None:
    found = read(
        "Joins.\n\n@remarks\nSlow.\n\n@param a - first\n@typeParam T - what\n@deprecated Use b.", "typescript"
    )
    assert (found.convention, found.implementation_details, found.deprecated) == ("tsdoc", "Slow.", "Use b.")
    assert found.parameters == [D("a", None, "first"), D("T", None, "what")]


def test_javadoc_tags_go_on_until_the_next_one() -> None:
    doc = """\
Returns the element, or {@code null}. <p>Never blocks.

@param index where, counted
    from zero
@param <T> of what
@return the element
@throws IndexOutOfBoundsException if there
    is none
@see List#get
@deprecated
"""
    assert read(doc, "java") == DocSections(
        convention="javadoc",
        intent="Returns the element, or {@code null}. <p>Never blocks.",
        parameters=[D("index", None, "where, counted from zero"), D("<T>", None, "of what")],
        returns="the element",
        raises=[D("IndexOutOfBoundsException", None, "if there is none")],
        deprecated="",
        other={"see": "List#get"},
    )


def test_rustdoc_headings_are_sections_and_code_is_not() -> None:
    doc = """\
Sends a value.

Waits for room.

# Errors

Fails when nobody listens.

# Panics

Never.

# Arguments

* `value` - what to send
* `limit`: how many

# Examples

```
# use x;
send(1);
```
"""
    assert read(doc, "rust") == DocSections(
        convention="rustdoc",
        intent="Sends a value.",
        description="Waits for room.",
        parameters=[D("value", None, "what to send"), D("limit", None, "how many")],
        other={
            "Errors": "Fails when nobody listens.",
            "Panics": "Never.",
            "Examples": "```\n# use x;\nsend(1);\n```",
        },
    )


def test_kernel_doc_names_parameters_with_a_colon() -> None:
    doc = """\
kmalloc_it - allocate memory
@size: how many bytes
@flags: the type
       of memory
@...: more

Text about it.

Context: Any.
Return: the memory or NULL
"""
    assert read(doc, "c") == DocSections(
        convention="kernel-doc",
        intent="allocate memory",
        description="Text about it.",
        parameters=[
            D("size", None, "how many bytes"),
            D("flags", None, "the type of memory"),
            D("...", None, "more"),
        ],
        returns="the memory or NULL",
        other={"Context": "Any."},
    )


def test_doxygen_commands_begin_with_either_mark() -> None:
    found = read(
        "\\brief Draws.\n\nA line.\n\\param[in] x from\n\\param[out] y to\n\\returns how far\n", "cpp"
    )
    assert found == DocSections(
        convention="doxygen",
        intent="Draws.",
        description="A line.",
        parameters=[D("x", None, "from"), D("y", None, "to")],
        returns="how far",
    )


def test_go_text_is_told_apart_from_its_notice_of_deprecation() -> None:
    found = read("Add adds.\n\nIt is exact.\n\nDeprecated: use Sum.", "go")
    assert found == DocSections(
        convention="go", intent="Add adds.", description="It is exact.", deprecated="use Sum."
    )


def test_yard_and_phpdoc_put_types_where_they_like() -> None:
    found = read(
        "Adds.\n@param a [Integer] first\n@param [String, nil] b second\n@return [Integer] sum", "ruby"
    )
    assert found.parameters == [D("a", "Integer", "first"), D("b", "String, nil", "second")]
    assert (found.convention, found.returns) == ("yard", "Integer: sum")
    found = read("Adds.\n\n@param int|null $a first\n@param $b\n@return int sum", "php")
    assert found.parameters == [D("$a", "int|null", "first"), D("$b")]
    assert (found.convention, found.returns) == ("phpdoc", "int sum")


def test_swift_lists_parameters_one_by_one_or_together() -> None:
    one = read("Goes.\n\n- Parameter x: where\n- Returns: how far\n- Throws: never", "swift")
    all_ = read("Goes.\n\n- Parameters:\n  - x: where\n  - y: and\n    there\n- Returns: how far", "swift")
    assert (one.parameters, one.returns, one.other) == (
        [D("x", None, "where")],
        "how far",
        {"Raises": "never"},
    )
    assert all_.parameters == [D("x", None, "where"), D("y", None, "and there")]
    assert (all_.convention, all_.returns) == ("swift", "how far")


@pytest.mark.parametrize(
    "text",
    [
        "Uses a mail@example.org address.",
        "Note that: this is text",
        "Sends :class:`X` to it",
        "A list:\n- one\n- two",
        "[1] is a reference",
        "Time is 12:30: late",
    ],
)
def test_plain_text_is_its_own_first_paragraph(text: str) -> None:
    assert read(text, "python") == DocSections(convention="plain", intent=" ".join(text.split()))


def test_without_documentation_there_is_nothing() -> None:
    assert read(" \n ", "python") == DocSections()


WORDS = (
    "Args:",
    "Returns:",
    "Parameters",
    "----------",
    "@param a b",
    ":param x:",
    "# Errors",
    "[Function intent]",
)
PARTS = st.sampled_from(
    [*WORDS, "\n", "\n    ", "x: y", "- a", "```", "@a: b", "\\brief", "- Parameters:", "é"]
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["python", "c", "go", "rust", "php", "ruby", "swift", "java", None]),
    st.one_of(st.text(max_size=200), st.lists(PARTS, max_size=40).map("".join)),
)
def test_any_text_is_read_and_no_name_is_empty(language: str | None, doc: str) -> None:
    found = read(doc, language)
    assert all(one.name for one in [*found.parameters, *found.raises])
    assert (found.convention is None) == (not doc.strip())


@pytest.mark.parametrize(
    ("language", "before", "each", "after"),
    [
        ("python", 'def f():\n    """', "    ", '"""\n'),
        ("c", "/**\n", " * ", " */\nint f(void) {}\n"),
        ("go", "package p\n\n", "// ", "func f() {}\n"),
        ("shell", "", "# ", "f() { :; }\n"),
    ],
)
def test_a_long_documentation_keeps_its_last_section(
    language: str, before: str, each: str, after: str
) -> None:
    lines = ["Does.", "", *(f"Line {number} of a long text." for number in range(100)), "", "Returns: it", ""]
    source = before + "".join(f"{each}{line}\n" for line in lines) + after
    found = OutlineExtractor().extract("x", language, source.encode()).record.symbols[0]
    assert read(found.doc, language).returns == "it"
