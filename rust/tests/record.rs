//! The record of a source in one go: what its parts find, and that no bytes break it.

use currant::record::comments::{HEAD, head_text, leading};
use currant::record::intent::{has_title, header, intent};
use currant::record::links::{Doc, backticked, references};
use currant::record::{ExamineError, Limits, Parts, examine};
use proptest::prelude::*;

const ALL: Parts = Parts { header: true, links: true };
const LIMITS: Limits = Limits { symbols: 256, pieces: 4096 };

fn told(language: &str, source: &str) -> Option<String> {
    let comments = leading(language, source);
    header(language, &comments, 0).map(|one| one.intent)
}

#[test]
fn a_licence_is_no_intent() {
    let source = "/* SPDX-License-Identifier: GPL-2.0 */\n/*\n * Copyright (c) 2020 A. Body\n *\n * Reads the\n * clock.\n */\nint a;\n";
    assert_eq!(told("c", source).as_deref(), Some("Reads the clock."));
}

#[test]
fn a_comment_directly_above_a_definition_is_its_own() {
    let source = "// Adds one.\nint add(int a) {}\n";
    assert_eq!(header("c", &leading("c", source), 2), None);
    assert!(header("c", &leading("c", source), 3).is_some());
    let inner = "//! Adds.\nfn add() {}\n";
    assert!(header("rust", &leading("rust", inner), 2).is_some());
}

#[test]
fn a_docstring_comes_before_comments() {
    let source = "# A comment.\n\"\"\"What it is.\n\nMore.\n\"\"\"\n";
    let comments = leading("python", source);
    let found = header("python", &comments, 0).unwrap();
    assert_eq!((found.form, found.start, found.end), ("docstring", 2, 5));
    assert_eq!(found.intent, "What it is.");
}

#[test]
fn stars_and_tabs_in_front_of_a_block_are_dropped() {
    let comments = leading("c", "/**\n *\tone\n **\ttwo\n */\n");
    assert_eq!(comments[0].text, "one\ntwo");
    assert_eq!((comments[0].start, comments[0].end, comments[0].marker), (1, 4, "/**"));
}

#[test]
fn a_title_of_the_template_is_left_to_python() {
    let source = b"# [Source file intent]\n# Reads.\nx = 1\n";
    assert!(has_title(&leading("python", &head_text(source))));
    assert!(matches!(examine("python", source, ALL), Err(ExamineError::NotOrdinary)));
}

#[test]
fn an_entity_in_a_link_is_left_to_python() {
    let source = b"/** See [it](a?b&amp;c). */\nint add(int a) { return a; }\n";
    assert!(matches!(examine("c", source, ALL), Err(ExamineError::NotOrdinary)));
}

#[test]
fn what_stands_in_backticks() {
    for (text, found) in [
        ("src/a.py:12", Some(("path", "src/a.py"))),
        ("Parser.parse()", Some(("name", "Parser.parse()"))),
        ("a_b", Some(("name", "a_b"))),
        ("word", None),
        (".gitignore", None),
        ("https://x.org/a.py", None),
        ("ab", None),
    ] {
        assert_eq!(backticked(text), found, "{text}");
    }
}

#[test]
fn includes_and_spans_with_their_lines() {
    let source = b"#include \"a.h\"\nint b; #include \"no.h\"\n/* See `c.h`,\n ``d_e`` and ```not_this``` */\nint f();\n";
    let docs = [Doc { text: "See `c.h`,\n``d_e`` and ```not_this```", start: 5, end: 5 }];
    let found = references("c", source, &docs);
    let found: Vec<_> = found.iter().map(|one| (one.line, one.kind, one.target.as_str())).collect();
    assert_eq!(found, [(1, "include", "a.h"), (3, "path", "c.h"), (4, "name", "d_e")]);
}

#[test]
fn a_comment_silences_its_line_and_the_next() {
    let source = b"// currant: ignore\n#include \"a.h\"\n#include \"b.h\"\n";
    let quiet: Vec<bool> = references("c", source, &[]).iter().map(|one| one.quiet).collect();
    assert_eq!(quiet, [true, false]);
}

#[test]
fn pieces_hold_so_many_definitions_and_the_last_one_the_rest() {
    let source: String = (0..10).map(|n| format!("int f{n}(void) {{ }}\n")).collect();
    let made = examine("c", source.as_bytes(), ALL).unwrap();
    assert_eq!(made.symbols(), 10);
    let pieces = made.pack("c", Limits { symbols: 4, pieces: 2 }).unwrap();
    let names: Vec<usize> =
        pieces.iter().map(|one| one.names.as_ref().unwrap().matches("\nf").count()).collect();
    assert_eq!(names, [4, 6]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_break_it(
        language in prop::sample::select(&["c", "cpp", "python", "rust", "shell", "yaml", "ocaml", "lua"][..]),
        parts in prop::collection::vec(
            prop::sample::select(&[
                "/*", "*/", "//", "#", "\"\"\"", "'''", "\n", "\r", "\t", " ", "* ", "```", "`a_b`", "``",
                "[x](y)", "include \"a\"", "#include", "word", "é", "\u{0}", "@file ", "---", "-*-",
            ][..]),
            0..60,
        ),
    ) {
        let source = parts.concat();
        let lines = source.matches(['\n', '\r']).count() + 1;
        let mut end = 0;
        for comment in leading(language, &head_text(source.as_bytes())) {
            prop_assert!(end < comment.start && comment.start <= comment.end && comment.end <= lines);
            end = comment.end;
            let _ = intent(&comment.text);
        }
        if let Ok(made) = examine(language, source.as_bytes(), ALL) {
            prop_assert!(made.references().iter().all(|one| one.line >= 1 && one.line <= lines));
            prop_assert!(!made.pack(language, LIMITS).unwrap().is_empty());
        }
    }

    #[test]
    fn any_head_is_cut_and_read(bytes in prop::collection::vec(any::<u8>(), 0..300), times in 1_usize..100) {
        let source = bytes.repeat(times);
        prop_assert!(head_text(&source).len() <= 3 * HEAD);
        let _ = examine("c", &source, ALL);
    }
}
