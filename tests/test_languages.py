"""Language detection by name and first bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currant.extract import HEAD_BYTES, detect, is_binary

BY_NAME = {
    "a.py": "python",
    "a.pyi": "python",
    "a.js": "javascript",
    "a.mjs": "javascript",
    "a.jsx": "javascript",
    "a.ts": "typescript",
    "a.d.ts": "typescript",
    "a.tsx": "tsx",
    "a.go": "go",
    "a.rs": "rust",
    "A.java": "java",
    "a.c": "c",
    "a.cc": "cpp",
    "a.cpp": "cpp",
    "a.hpp": "cpp",
    "a.C": "cpp",
    "a.cs": "csharp",
    "a.rb": "ruby",
    "Rakefile": "ruby",
    "a.gemspec": "ruby",
    "a.php": "php",
    "a.kt": "kotlin",
    "build.gradle.kts": "kotlin",
    "a.swift": "swift",
    "a.sh": "shell",
    ".bashrc": "shell",
    "README.md": "markdown",
    "Makefile": "make",
    "GNUmakefile": "make",
    "Makefile.am": "make",
    "Kconfig.debug": "kconfig",
    "Dockerfile": "dockerfile",
    "Dockerfile.alpine": "dockerfile",
    "CMakeLists.txt": "cmake",
    "notes.txt": "text",
    "config.h.in": "c",
    "a.S": "assembly",
    "A.PY": "python",
    "LICENSE": "text",
    "go.mod": "go-mod",
    "Cargo.lock": "toml",
}


@pytest.mark.parametrize(("name", "language"), BY_NAME.items())
def test_by_name(name: str, language: str) -> None:
    assert detect(name, b"") == language
    assert detect(f"some/where.py/{name}", b"") == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        (b"#!/usr/bin/python3.11 -u\n", "python"),
        (b"#!/usr/bin/env python3\n", "python"),
        (b"#!/usr/bin/env -S PYTHONPATH=. python -u\n", "python"),
        (b"#! /bin/sh\n", "shell"),
        (b"#!/bin/bash -e\r\n", "shell"),
        (b"#!/usr/bin/env node\n", "javascript"),
        (b"#!/usr/bin/perl -w", "perl"),
        (b"#!/usr/local/bin/ruby2.7\n", "ruby"),
        (b"#!/usr/bin/env\n", None),
        (b"#!\n", None),
        (b"#!/opt/strange/thing\n", None),
        (b" #!/bin/sh\n", None),
    ],
)
def test_by_shebang(line: bytes, language: str | None) -> None:
    assert detect("script", line) == language


def test_the_name_wins_over_the_shebang() -> None:
    assert detect("tool.py", b"#!/bin/sh\n") == "python"


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b"# -*- mode: python; coding: utf-8 -*-\n", "python"),
        (b"// -*- C++ -*-\n", "cpp"),
        (b"\n\n/* vim: set ts=4 ft=php : */\n", "php"),
        (b"# vi: filetype=sh\n", "shell"),
        (b"# -*- coding: utf-8 -*-\n", None),
        (b"\n\n\n\n\n\n# vim: ft=python\n", None),
        (b"# vim: ft=nosuchlanguage\n", None),
    ],
)
def test_by_modeline(head: bytes, language: str | None) -> None:
    assert detect("something", head) == language


C_HEADER = b"""#ifndef X_H
#define X_H
/* A class of devices: public: yes.
 * template <foo> is what you fill in
   virtual addresses are not
 */
#ifdef __cplusplus
extern "C" {
class Wrapper;
#endif
struct x { int class; int new; };
int f(struct x *this);
#ifdef __cplusplus
}
#endif
#endif
"""


@pytest.mark.parametrize(
    "head",
    [
        b"namespace a::b {\n",
        b"namespace\n{\n",
        b"template <typename T>\nstruct X;\n",
        b"class Foo final : public Bar {\n",
        b"struct A {\n public:\n  A();\n};\n",
        b"#include <vector>\n",
        b"using Bytes = std::vector<char>;\n",
        b"using namespace std;\n",
        b"  virtual void f() = 0;\n",
        b"// -*- C++ -*-\nstruct x;\n",
        b"constexpr int x = 1;\n",
    ],
)
def test_a_header_with_cpp_in_it_is_cpp(head: bytes) -> None:
    assert detect("x.h", head) == "cpp"


@pytest.mark.parametrize("head", [b"", C_HEADER, b"int class;\nint template;\n", b"#include <string.h>\n"])
def test_any_other_header_is_c(head: bytes) -> None:
    assert detect("x.h", head) == "c"


def test_an_objective_c_header_is_neither() -> None:
    assert detect("x.h", b"#import <Foundation/Foundation.h>\n@interface X\n@end\n") == "objective-c"


def test_one_extension_two_owners() -> None:
    assert detect("a.m", b"#import <x.h>\n") == "objective-c"
    assert detect("a.m", b"function y = f(x)\n") == "matlab"
    assert detect("a.inc", b"<?php\n") == "php"
    assert detect("a.inc", b"foo\n") is None
    assert detect("a_de.ts", b"<?xml version='1.0'?>\n<!DOCTYPE TS>") == "xml"
    assert detect("top.v", b"`timescale 1ns/1ps\nmodule top(\n") == "verilog"


def test_binary_is_a_nul_in_the_head_and_nowhere_else() -> None:
    assert not is_binary(b"")
    assert is_binary(b"text\0")
    assert not is_binary(b"x" * HEAD_BYTES + b"\0")


@settings(deadline=None)
@given(name=st.text(min_size=1).filter(lambda name: "/" not in name), head=st.binary(max_size=300))
def test_any_name_and_bytes_have_an_answer_that_ignores_the_directory(name: str, head: bytes) -> None:
    assert detect(name, head) == detect("x/y.rs/" + name, head)


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_what_lies_behind_the_head_has_no_say(tail: bytes) -> None:
    head = b"int x;\n" * 1200
    assert detect("x.h", head) == detect("x.h", head + tail)


@pytest.mark.parametrize(
    ("name", "head", "language"),
    [
        ("a.pl", b"use strict;\nmy $x = 1;\n", "perl"),
        ("a.pl", b"% Facts.\nparent(a, b).\ngrand(X, Z) :- parent(X, Y), parent(Y, Z).\n", "prolog"),
        ("a.pl", b":- module(lists, [append/3]).\n", "prolog"),
        ("a.pl", b"#!/usr/bin/env swipl\nmain.\n", "prolog"),
        ("a.pl", b"# no code at all\n", "perl"),
        ("a.pl", b"% a format of its own\nmy %h = ();\n", "perl"),
        ("a.m", b"% Computes.\nfunction y = f(x)\n", "matlab"),
        ("a.m", b"// Draws.\n\nint x;\n", "objective-c"),
        ("a.m", b"#import <UIKit/UIKit.h>\n", "objective-c"),
        ("a.h", b"NS_ASSUME_NONNULL_BEGIN\n", "objective-c"),
        ("a.h", b"typedef NS_ENUM(NSInteger, Kind) {\n", "objective-c"),
        ("a.h", b"/* -*- mode: c++ -*- */\nint f(void);\n", "cpp"),
        ("a.ts", b"\n<?xml version='1.0'?><TS>", "xml"),
        ("a.ts", b"\xef\xbb\xbf<!DOCTYPE TS>", "xml"),
        ("a.ts", b"const x = '<?xml';\n", "typescript"),
        ("tiles.tsx", b"<?xml version='1.0'?>\n<tileset>", "xml"),
        ("a.tsx", b"export const A = () => <b/>;\n", "tsx"),
        ("i386.md", b';; Machine description.\n(define_insn "add"\n', "lisp"),
        ("a.md", b"(define_insn is one)\n", "lisp"),
        ("a.md", b"# Title\n", "markdown"),
        ("a.cls", b"\\NeedsTeXFormat{LaTeX2e}\n", "latex"),
        ("a.cls", b"public class A {}\n", "text"),
        ("Snakefile", b"rule all:\n", "python"),
        ("x.fish", b"", "fish"),
    ],
)
def test_a_name_with_several_owners_is_told_apart_by_the_content(
    name: str, head: bytes, language: str
) -> None:
    assert detect(name, head) == language


@pytest.mark.parametrize(
    ("head", "language"),
    [
        (b'#!/bin/sh\n# the next line restarts \\\nexec tclsh "$0" "$@"\n', "tcl"),
        (b"#!/bin/sh\n''':'\nexec python3 -u \"$0\" \"$@\"\n'''\n", "python"),
        (b"#!/bin/sh\n':' //; exec node \"$0\"\n", "shell"),
        (b'#!/bin/sh\nset -e\nexec /usr/bin/perl -x "$0"\n', "perl"),
        (b'#!/bin/sh\nexec make "$@"\n', "shell"),
        (b'#!/bin/bash\nexec docker run "$@"\n', "shell"),
        (b"#!/usr/bin/env -S uv run --script\n# /// script\n", "python"),
    ],
)
def test_a_script_that_becomes_another_one_is_written_in_that_language(head: bytes, language: str) -> None:
    assert detect("tool", head) == language


@given(st.sampled_from(["a.pl", "a.m", "a.h", "a.ts", "a.md", "a.cls", "a"]), st.binary(max_size=300))
def test_any_content_has_a_language_of_its_name_or_none(name: str, head: bytes) -> None:
    assert (
        detect(name, head)
        in {"perl", "prolog", "matlab", "objective-c", "c", "cpp", None}
        | {*("typescript", "xml", "markdown", "lisp", "latex", "text")}
        or head[:2] == b"#!"
    )
