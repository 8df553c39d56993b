"""Task lists of documents: what is a task, where it stands, and that any bytes are read."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import currant
from currant.extract import default_registry
from currant.extract.annotators import tasks as module
from currant.extract.annotators.task_lists import Task
from currant.extract.annotators.tasks import TasksAnnotator, tasks
from currant.model import Record

PLAN = """\
---
title: plan
- [ ] no task, this is front matter
---
# Phase 5: jobs
- [ ] no heading above but the first

Tracking
--------

### Tasks
- [x] Design `Job` table
  - [ ] indexes
    1. [X] by status
    2. [ ] by
       project
- [ ] API
* [x]\tstar
+ [ ]  plus
- [] none
- [y] none
- [ ]
- [x]none
- text [ ] none

> - [ ] quoted, still a task

```sh
- [ ] in a fence
```

- item

  ~~~
  - [x] in a fence in an item
  ~~~
  - [ ] after it

          - [ ] indented code

<!--
- [ ] in a comment
-->

# Done
- [x] last
"""


def seen(language: str, text: str) -> list[tuple[str, bool, int, int, str]]:
    return [
        (one.text, one.done, one.line, one.depth, "/".join(one.headings))
        for one in tasks(language, text.encode())
    ]


def test_tasks_of_markdown_with_their_headings_depth_and_lines() -> None:
    under = "Phase 5: jobs/Tracking/Tasks"
    assert seen("markdown", PLAN) == [
        ("no heading above but the first", False, 6, 0, "Phase 5: jobs"),
        ("Design `Job` table", True, 12, 0, under),
        ("indexes", False, 13, 1, under),
        ("by status", True, 14, 2, under),
        ("by project", False, 15, 2, under),
        ("API", False, 17, 0, under),
        ("star", True, 18, 0, under),
        ("plus", False, 19, 0, under),
        ("quoted, still a task", False, 26, 0, under),
        ("after it", False, 37, 1, under),
        ("last", True, 46, 0, "Done"),
    ]


def test_the_lines_named_hold_the_tasks() -> None:
    lines = PLAN.split("\n")
    for task in tasks("markdown", PLAN.encode()):
        assert task.text.split()[0] in lines[task.line - 1]


RST = """\
====
Plan
====

First
-----
- [ ] one

  * [x] nested
- [X] two ::

    - [ ] literal

.. code-block:: rst

   - [ ] code

.. a comment
   - [ ] in it

.. note:: take care

   - [ ] in a note

Second
------
1. [x] numbered
"""

ADOC = """\
= Plan
* [ ] one
** [*] nested
* [x] two
- [ ] below two
----
* [ ] listing
----
////
* [ ] comment
////
== Second
. [x] numbered
"""

ORG = """\
* Plan
- [ ] one
  - [X] nested
  - [-] partly
#+begin_src org
- [ ] source
#+end_src
** TODO [#A] write it :work:home:
1. [X] below
** DONE read it
"""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "rst",
            RST,
            [
                ("one", False, 7, 0, "Plan/First"),
                ("nested", True, 9, 1, "Plan/First"),
                ("two ::", True, 10, 0, "Plan/First"),
                ("in a note", False, 23, 0, "Plan/First"),
                ("numbered", True, 27, 0, "Plan/Second"),
            ],
        ),
        (
            "asciidoc",
            ADOC,
            [
                ("one", False, 2, 0, "Plan"),
                ("nested", True, 3, 1, "Plan"),
                ("two", True, 4, 0, "Plan"),
                ("below two", False, 5, 1, "Plan"),
                ("numbered", True, 13, 0, "Plan/Second"),
            ],
        ),
        (
            "org",
            ORG,
            [
                ("one", False, 2, 0, "Plan"),
                ("nested", True, 3, 1, "Plan"),
                ("partly", False, 4, 1, "Plan"),
                ("write it", False, 8, 0, "Plan"),
                ("below", True, 9, 0, "Plan/write it"),
                ("read it", True, 10, 0, "Plan"),
            ],
        ),
    ],
)
def test_tasks_of_other_formats(
    language: str, text: str, expected: list[tuple[str, bool, int, int, str]]
) -> None:
    assert seen(language, text) == expected


def annotated(source: bytes, language: str = "markdown") -> Record:
    return TasksAnnotator().annotate("x", language, source, Record(language, [], []))


def test_the_fact_has_the_counts_and_the_tasks() -> None:
    record = annotated(b"# T\r\n- [x] a\r\n- [ ] b\r\n")
    assert record.facts == {
        "tasks": {
            "done": 1,
            "total": 2,
            "items": [
                {"text": "a", "done": True, "line": 2, "depth": 0, "headings": ["T"]},
                {"text": "b", "done": False, "line": 3, "depth": 0, "headings": ["T"]},
            ],
        }
    }


@pytest.mark.parametrize("source", [b"", b"# only text\n", b"see [x] there\n", b"```\n- [ ] a\n```\n"])
def test_a_document_without_tasks_has_no_such_fact(source: bytes) -> None:
    assert annotated(source) == Record("markdown", [], [])


def test_a_document_of_nothing_but_tasks_is_counted_and_listed_in_part() -> None:
    record = annotated(b"- [x] a\n" * (module.MAX_ITEMS + 1))
    assert record.facts["tasks"]["total"] == module.MAX_ITEMS + 1
    assert len(record.facts["tasks"]["items"]) == module.MAX_ITEMS
    assert record.notes == [
        f"partial: the first {module.MAX_ITEMS} of {module.MAX_ITEMS + 1} tasks are listed"
    ]


def test_a_document_beyond_the_limit_says_that_its_end_was_not_read() -> None:
    record = annotated(b"- [x] a\n" + b"x" * module.MAX_BYTES + b"\n\n- [ ] b\n")
    assert record.facts["tasks"]["total"] == 1
    assert record.notes == ["partial: tasks of the first 256 KiB only"]


def test_every_document_of_the_registry_gets_its_tasks_and_no_other_file_pays() -> None:
    registry = default_registry(8)
    for name, text in (("PLAN.md", b"- [ ] a\n"), ("x.adoc", b"* [x] a\n"), ("x.org", b"- [X] a\n")):
        assert registry.choose(name, text, len(text)).run(text).record.facts["tasks"]["total"] == 1
    assert "tasks" not in registry.choose("x.py", b"", 0).identity


WORDS = st.sampled_from(
    ["- ", "* ", "1. ", "[ ] ", "[x] ", "x", "\n", "\n\n", "  ", "    ", "# ", "> ", "```\n"]
)
MARKS = st.sampled_from(
    ["::", ".. ", "====\n", "----\n", "#+begin_src\n", "#+end_src\n", "TODO ", "<!--", "\t"]
)


@given(st.sampled_from(sorted(TasksAnnotator.languages)), st.lists(WORDS | MARKS, max_size=60).map("".join))
@settings(max_examples=150, deadline=None)
def test_whatever_a_document_holds_its_tasks_are_in_order_and_on_their_lines(
    language: str, text: str
) -> None:
    found = list(tasks(language, text.encode()))
    lines = text.split("\n")
    assert [one.line for one in found] == sorted({one.line for one in found})
    for task in found:
        assert isinstance(task, Task)
        assert task.text
        assert re.search(r"\[[ xX*-]\]|TODO|DONE", lines[task.line - 1])


@given(st.sampled_from(sorted(TasksAnnotator.languages)), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_record(language: str, source: bytes) -> None:
    record = annotated(b"* [ ] " + source + b"\n- [x] " + source, language)
    assert record.language == language


@given(
    st.lists(st.tuples(st.booleans(), st.from_regex(r"[a-z]{1,8}", fullmatch=True)), max_size=30),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(max_examples=50, deadline=None)
def test_what_was_written_as_tasks_is_read_as_tasks(written: list[tuple[bool, str]], newline: str) -> None:
    text = newline.join(f"- [{'x' if done else ' '}] {words}" for done, words in written)
    assert [(one.done, one.text) for one in tasks("markdown", text.encode())] == written


def test_the_index_holds_the_tasks_of_a_document(tmp_path: Path) -> None:
    (tmp_path / "PLAN.md").write_text("# Now\n- [x] a\n- [ ] b\n")
    with currant.open(tmp_path, live=False, sync_ms=60_000) as index:
        view = index.show("PLAN.md")
    assert view is not None
    assert view.record is not None
    assert view.record.facts["tasks"]["done"] == 1
