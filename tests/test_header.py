"""Headers: which comment a file begins with is about it, and what the sections of the template become."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant import _core
from currant.extract.annotators.header import HeaderAnnotator, header
from currant.model import Dependency, Header, HistoryEntry, Record, Symbol

EMPTY = Record(language=None, symbols=[], notes=[])


def intent(language: str, source: str, first: int | None = None) -> str | None:
    """What the header says the file is for; `first` is the line of the first definition."""
    symbols = [] if first is None else [Symbol("f", "function", None, first, first, "", "")]
    found = header(language, source.encode(), Record(language, symbols, []))
    return None if found is None else found.intent


NEW = """\
#!/usr/bin/env python3
# -*- coding: utf-8 -*-
###############################################################################
# IMPORTANT: This header is meant for tools
###############################################################################
# [GenAI coding tool directive]
# - Maintain this header with all modifications
###############################################################################
# [Source file intent]
# Serves pages to the
# browsers of one house.
###############################################################################
# [Source file design principles]
# - Never block
#   the loop
# - Fail loudly
###############################################################################
# [Source file constraints]
# Needs Linux.
###############################################################################
# [Dependencies] <!-- Never reference documents in a scratchpad -->
# codebase:doc/DESIGN.md
# - codebase: src/pages.py
# system:asyncio
# other: RFC 9110
###############################################################################
# [GenAI tool change history] <!-- newest first -->
# 2025-05-02T08:00:00Z : Added a cache by CodeAssistant
# * Bounded in bytes
# * Emptied when a page
#   changes
# 2025-04-20T21:11:06Z : First version
###############################################################################

import asyncio
"""

OLD = '''\
"""
[Source file intent]
Keeps the books.

[Source file design principles]
One writer. Many readers.

[Source file constraints]
None.

[Reference documentation]
- doc/BOOKS.md
- doc/design/LEDGER.md

[Weather]
Sunny.

[GenAI tool change history]
2025-04-15 09:30 : Made
"""
'''


def test_a_header_of_the_new_template_fills_every_field() -> None:
    assert header("python", NEW.encode(), EMPTY) == Header(
        form="template",
        start=2,
        end=33,
        intent="Serves pages to the browsers of one house.",
        design_principles=["Never block the loop", "Fail loudly"],
        constraints=["Needs Linux."],
        dependencies=[
            Dependency("codebase", "doc/DESIGN.md"),
            Dependency("codebase", "src/pages.py"),
            Dependency("system", "asyncio"),
            Dependency("other", "RFC 9110"),
        ],
        change_history=[
            HistoryEntry(
                "2025-05-02T08:00:00Z",
                "Added a cache by CodeAssistant",
                ["Bounded in bytes", "Emptied when a page changes"],
            ),
            HistoryEntry("2025-04-20T21:11:06Z", "First version"),
        ],
    )


def test_a_header_of_the_old_template_in_a_docstring_keeps_what_no_field_is_for() -> None:
    assert header("python", OLD.encode(), EMPTY) == Header(
        form="template",
        start=1,
        end=20,
        intent="Keeps the books.",
        design_principles=["One writer. Many readers."],
        reference_documentation=["doc/BOOKS.md", "doc/design/LEDGER.md"],
        change_history=[HistoryEntry("2025-04-15T09:30", "Made")],
        other={"Weather": "Sunny."},
    )


@pytest.mark.parametrize(
    ("language", "before", "each", "after"),
    [
        *(
            (name, "/**\n", " * ", "\n */")
            for name in ("c", "java", "javascript", "typescript", "php", "css")
        ),
        *((name, "", "// ", "") for name in ("go", "rust", "cpp", "csharp", "swift", "kotlin", "scala")),
        *((name, "", "# ", "") for name in ("shell", "ruby", "yaml", "toml", "make", "perl", "dockerfile")),
        *((name, "", "-- ", "") for name in ("sql", "lua", "haskell")),
        *((name, "", ";; ", "") for name in ("lisp", "clojure")),
        *((name, "", "% ", "") for name in ("latex", "erlang", "matlab")),
        *((name, "<!--\n", "  ", "\n-->") for name in ("html", "xml", "markdown", "vue")),
        ("ocaml", "(*\n", " ", "\n*)"),
        ("vim", "", '" ', ""),
        ("batch", "", "REM ", ""),
        ("fortran", "", "! ", ""),
        ("python", '"""\n', "", '\n"""'),
    ],
)
def test_the_template_is_read_in_every_comment_style(
    language: str, before: str, each: str, after: str
) -> None:
    told = ["[Source file intent]", "Says why.", "", "[Source file constraints]", "- small", "- fast"]
    source = before + "\n".join(each + line for line in told) + after + "\n"
    found = header(language, source.encode(), EMPTY)
    assert found is not None
    assert (found.form, found.intent, found.constraints) == ("template", "Says why.", ["small", "fast"])


def test_blank_lines_between_the_comments_do_not_tear_a_template_apart() -> None:
    source = "// [Source file intent]\n// One.\n\n// [Source file constraints]\n// Two.\n\npackage x\n"
    found = header("go", source.encode(), EMPTY)
    assert found is not None
    assert (found.intent, found.constraints, found.start, found.end) == ("One.", ["Two."], 1, 5)


def test_an_unfilled_template_says_nothing() -> None:
    source = "# [Source file intent]\n# <Describe the purpose of this file>\n# [Dependencies]\n# None\n"
    found = header("python", source.encode(), EMPTY)
    assert found == Header(form="template", start=1, end=4)


def test_text_in_brackets_alone_is_no_template() -> None:
    assert intent("shell", "#!/bin/sh\n# [Note]\n# Runs things.\n") == "[Note] Runs things."


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("python", '# Copyright 2001 Someone\n"""Wraps text.\n\nMore of it."""\n', "Wraps text."),
        ("python", '"""Frobs\nthings."""\n', "Frobs things."),
        ("python", "r'Short.'\n", "Short."),
        ("python", '"""\nTitle of it\n===========\n\nText.\n"""\n', "Title of it"),
        ("python", '"""\nNumThing\n========\n\nProvides\n  1. arrays\n"""\n', "Provides 1. arrays"),
        ("python", "# Does it.\nimport os\n", "Does it."),
        (
            "go",
            "// Copyright 2012 X.\n\n// Package io reads.\npackage io\n",
            "Package io reads.",
        ),
        ("go", "//go:build linux\n\n// Package p runs.\npackage p\n", "Package p runs."),
        ("rust", "//! Channels.\n//!\n//! # Examples\nuse x;\n", "Channels."),
        ("rust", "// Copyright X\n#![allow(dead_code)]\n//! Inner.\n", "Inner."),
        (
            "c",
            "// SPDX-License-Identifier: GPL-2.0\n/*\n *  linux/fs/x.c\n *\n *  Copyright (C) 1991 X\n *\n"
            " *  Handles inodes.\n */\n#include <x.h>\n",
            "Handles inodes.",
        ),
        ("c", "#ifndef X_H\n#define X_H\n\n/* Lists. */\n\nint x;\n", "Lists."),
        ("cpp", "//===- Option.h - Options ---*- C++ -*-===//\n//\n// Part of X\n", "Option.h - Options"),
        ("cpp", "/**\n * @file a.h\n * @brief Draws lines.\n * @author Me\n */\n\n", "Draws lines."),
        ("javascript", "'use strict';\n/** @fileoverview Sorts. */\n\nf();\n", "Sorts."),
        ("javascript", "/* eslint-disable */\n// @flow\n\n// Sorts rows.\n\nf();\n", "Sorts rows."),
        ("java", "/*\n * Licensed under the Apache License, Version 2.0\n */\npackage x;\n", None),
        ("shell", "#!/bin/sh\n#\n# Starts it.\n#\nset -e\n", "Starts it."),
        ("ruby", "# frozen_string_literal: true\n\n# Parses.\n\nmodule X\nend\n", "Parses."),
        ("php", "<?php\ndeclare(strict_types=1);\n/**\n * Routes.\n */\n\nnamespace X;\n", "Routes."),
        ("html", "<!DOCTYPE html>\n<!-- The door. -->\n<html>\n", "The door."),
        ("markdown", "# Thing\n\n[![b](c)](d)\n\nDoes\nthings.\n\nMore\n", "Does things."),
        ("markdown", "---\ntitle: x\n---\n\nBody.\n", "Body."),
        (
            "python",
            '"""Finds copyright lines; access is governed by a lock."""\n',
            "Finds copyright lines; access is governed by a lock.",
        ),
        ("python", '"""You should not use this module."""\n', "You should not use this module."),
        ("c", "/* You may not use this file except in compliance. */\n\n/* Real. */\n\nint x;\n", "Real."),
        (
            "markdown",
            "# T\n\nParses things, under the MIT license.\n",
            "Parses things, under the MIT license.",
        ),
        ("c", "/* One.\r\n * Two.\r\n */\r\n\r\nint x;\r\n", "One. Two."),
        ("c", "/*\t$OpenBSD$\t*/\n\n// New.\n\nint x;\n", "New."),
        ("c", "// Old.\rint x;\r", "Old."),
        ("yaml", "# Rules of the house.\na: 1\n", "Rules of the house."),
        ("json", "{}\n", None),
        ("python", "x = 1\n", None),
        ("python", "", None),
    ],
)
def test_the_first_paragraph_that_is_about_the_file_is_its_intent(
    language: str, source: str, expected: str | None
) -> None:
    assert intent(language, source) == expected


def test_a_manifest_in_a_comment_is_no_template() -> None:
    source = "//! Sends mail.\n//!\n//! ```toml\n//! [dependencies]\n//! mail = 1\n//! ```\nuse x;\n"
    assert intent("rust", source) == "Sends mail."


def test_a_comment_right_above_the_first_definition_is_about_that() -> None:
    source = "#!/bin/sh\n# Prints.\nprint_it() { :; }\n"
    assert intent("shell", source, first=3) is None
    assert intent("shell", "# The tools.\n\n# Prints.\nprint_it() { :; }\n", first=4) == "The tools."
    # Unless it says so itself.
    assert intent("javascript", "/** @file Tools. */\nfunction f() {}\n", first=2) == "Tools."


def test_a_project_has_titles_of_its_own_and_they_are_part_of_the_identity() -> None:
    source = b"# [Purpose]\n# Why.\n# [Rules]\n# - one\n# [Source file intent]\n# Old.\n"
    plain, own = HeaderAnnotator(), HeaderAnnotator({"Purpose": "intent", "RULES": "constraints"})
    found = own.annotate("x.py", "python", source, EMPTY).header
    assert found is not None
    assert (found.intent, found.constraints) == ("Why.\n\nOld.", ["one"])
    assert own.version != plain.version == HeaderAnnotator({}).version
    assert own.version == HeaderAnnotator({"rules": "constraints", "purpose": "intent"}).version
    dropped = HeaderAnnotator({"source file intent": "ignore"}).annotate("x", "python", source, EMPTY).header
    assert dropped is not None
    assert dropped.intent is None


def test_the_intent_of_a_file_of_a_gigantic_comment_is_bounded() -> None:
    found = header("python", b'"""' + b"word " * 100_000 + b'"""', EMPTY)
    assert found is not None
    assert found.intent is not None
    assert len(found.intent) <= 1_000


PARTS = ("# ", "//", "/*", "*/", '"""', "'", "<!--", "-->", "[Source file intent]", "[Dependencies]", "\n")
MORE = (
    "\n\n",
    "* ",
    "- ",
    "2025-05-02T08:00:00Z : x",
    "codebase:a",
    "=====",
    "\\",
    "é",
    "\0",
    "#!",
    "@file ",
    "w ",
)
LANGUAGES = sorted(set(_core.comment_languages()))
SOUP = st.lists(st.sampled_from(PARTS + MORE), max_size=60).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(LANGUAGES), st.one_of(st.binary(max_size=400), SOUP.map(str.encode)))
def test_any_bytes_have_a_header_within_the_file_or_none(language: str, source: bytes) -> None:
    found = header(language, source, EMPTY)
    if found is not None:
        ends = source.count(b"\n") or source.count(b"\r")
        assert 1 <= found.start <= found.end <= ends + 1
        assert found.form == "template" or found.intent


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LANGUAGES), SOUP)
def test_comments_come_in_order_and_do_not_overlap(language: str, text: str) -> None:
    end = 0
    for _text, first, last, _marker in _core.leading_comments(language, text.encode()):
        assert end < first <= last
        end = last
