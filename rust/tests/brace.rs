//! The scanners of Go and Java: against their grammars, and properties that hold for any bytes.
#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod kit;

use std::path::Path;

use currant::outline::brace::{go, java};
use currant::outline::{Means, outline_by};
use kit::{parsed, scanned};
use proptest::prelude::*;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).unwrap()
}

/// The first line, from 1, that the grammar cannot read.
fn wrong_line(language: &str, source: &[u8]) -> Option<usize> {
    let mut parser = tree_sitter::Parser::new();
    let go = language == "go";
    let grammar = if go { tree_sitter_go::LANGUAGE } else { tree_sitter_java::LANGUAGE };
    parser.set_language(&grammar.into()).unwrap();
    let tree = parser.parse(source, None).unwrap();
    let mut cursor = tree.walk();
    if !cursor.node().has_error() {
        return None;
    }
    // To the innermost node that holds the first error.
    while cursor.goto_first_child() {
        while !cursor.node().has_error() && cursor.goto_next_sibling() {}
    }
    Some(cursor.node().start_position().row + 1)
}

/// One by one, so that a difference is readable.
fn assert_same(language: &str, source: &[u8]) {
    let found = outline_by(Means::Scan, language, source).unwrap().symbols;
    let expected = parsed(language, source);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "{language}: {}", String::from_utf8_lossy(source));
    }
    assert_eq!(found.len(), expected.len(), "{language}: {}", String::from_utf8_lossy(source));
}

#[test]
fn the_recorded_sources_are_ones_that_the_grammars_can_read() {
    for (file, language) in [("every.go", "go"), ("Every.java", "java")] {
        let source = read(&format!("outline/scanned/{language}/{file}"));
        assert_eq!(wrong_line(language, &source), None, "{file}");
    }
}

#[test]
fn the_end_of_a_line_ends_a_declaration_of_go_where_a_semicolon_belongs() {
    for source in [
        "package a\nconst a = 1.\nconst b = 2",
        "package a\nvar a = 1 + // c\n 2\nvar b int",
        "package a\nvar a = x. // c\n y\nvar b int",
        "package a\nvar a chan\n int\nvar b int",
        "package a\nvar a = 1 /* c */ /* d */\nvar b int",
        "package a\nvar a = b /* c */ + /* d */\n\n\n c\nvar d int",
        "package a\ntype A = B; type C = D",
        "package a\nconst (\n a = iota /* c\n d */\n)",
        "package a\nfunc f() // c\nfunc g() (a int) // d\n\nfunc h()",
        "package a\ntype A interface { m(); n() int; B | C }",
        "package a\ntype A interface{ m /* c */ () }",
        "package a\nvar a, b,\n c int",
    ] {
        assert_same("go", source.as_bytes());
    }
}

#[test]
fn what_has_no_tree_is_left_to_the_parser() {
    for (language, source) in [
        ("go", "package a\nfunc f( {\n}\n"),
        ("go", "package a\nfunc f() {\n"),
        ("go", "package a\nfunc f() { \"a\n\" }\n"),
        ("go", "package a\nvar a = `x\n"),
        ("go", "package a\n}\nfunc f() {}\n"),
        ("go", "package a\nfunc f() { ( }\n"),
        ("go", "package a\n/* c"),
        ("go", "package a\nx := 1\n"),
        ("go", "package a\nfunc () {}\n"),
        ("go", "package a\ntype T\ntype U int\n"),
        ("java", "class A { void f() { if ( } void g() {} }"),
        ("java", "class A { void f() { }"),
        ("java", "class A { } }"),
        ("java", "class A { String s = \"a\n\"; }"),
        ("java", "class A { void f() { \\u0041(); } }"),
        ("java", "class A { int x = 1 }"),
        ("java", "class { }"),
        ("java", "class A extends B;"),
        ("java", "enum A { B, C"),
        ("java", "class A { void f() { /* } }"),
        ("java", "class A { String s = \"\"\"\n a; }"),
        ("java", "int x = 1;"),
    ] {
        assert!(scanned(language, source).is_err(), "{language}: {source}");
    }
}

#[test]
fn deep_nesting_is_left_to_the_parser() {
    let nested = |open: &str, close: &str| [open.repeat(100), close.repeat(100)].concat();
    let go = format!("package a\nvar a {}\n", nested("interface{ m() ", "}"));
    assert!(scanned("go", go).is_err());
    assert!(scanned("java", nested("class A {", "}")).is_err());
    // What opens no scope may nest as it likes.
    let java =
        format!("class A {{ int f() {{ return {}; }} }}", nested("(", ")").replace("()", "(1)"));
    assert_same("java", java.as_bytes());
}

#[test]
fn work_grows_with_the_input_and_not_faster() {
    let go_shapes = [
        "func ",
        "func f(",
        "func f() {",
        "type ",
        "type a ",
        "type a[",
        "type a[b ",
        "type (\n",
        "type a[b (",
        "type a[b *",
        "var a = ",
        "var a,",
        "interface{",
        "interface {\n m() ",
        "struct{",
        "const (a\n",
        "// a\n",
        "/**/",
        "/*",
        "//\n",
        "`",
        "\"",
        "'",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "+\n",
        "\n",
        " ",
        ",",
        "a /* b */ ",
        "func() ",
        "chan\n",
        "/* a */ /* b */ +\n",
        "1.\n",
        "type a /* */",
        "type a struct{}\n",
        "func (a) b() {}\n",
        "x.( type ",
        "var a = 1 // c\n",
        "\u{e9}",
        "\\",
        "func f() // a\n",
        "type a interface { b()\n",
        "package ",
        "import (",
        ";",
    ];
    let java_shapes = [
        "class A {",
        "class A<",
        "class A ",
        "@A",
        "@A.",
        "@A(",
        "@ ",
        "@interface A {",
        "record ",
        "record a ",
        "record a(",
        "enum A { B",
        "enum A { B, ",
        "a",
        "a ",
        "a.",
        "a<",
        "static final int a = ",
        "a < b, ",
        "A<B, ",
        "int a, ",
        "new ",
        "new A() ",
        "new A() {",
        "new A<",
        ":: new ",
        "final ",
        "final class A {",
        "{",
        "}",
        "(",
        ")",
        "[",
        "<",
        ">",
        "/**/",
        "/*",
        "// a\n",
        "/// a\n",
        "\"",
        "\"\"\"",
        "'",
        "\\u0022",
        ";",
        ",",
        "=",
        "\n",
        " ",
        "\u{e9}",
        "void f() {",
        "void f();",
        "void f() default ",
        "module a.",
        "import a",
        "import a;",
        "static {",
        "non-sealed ",
        ". class ",
        "class A { static final int x = A<a,",
    ];
    for (shapes, language) in [(&go_shapes[..], "go"), (&java_shapes[..], "java")] {
        for lead in [
            "",
            "package a\nfunc f() { ",
            "package a\nvar a = ",
            "class A { ",
            "class A { void f() { ",
        ] {
            for shape in shapes {
                let work = |times: usize| {
                    let source = format!("{lead}{}", shape.repeat(times)).into_bytes();
                    let mut out = Vec::new();
                    let (work, _) = if language == "go" {
                        go::scan_counted(&source, &mut out)
                    } else {
                        java::scan_counted(&source, &mut out)
                    };
                    work as f64
                };
                let (small, large) = (work(1_000), work(8_000));
                assert!(
                    large <= 9.0 * small + 1_000.0,
                    "{language} {lead:?} {shape:?}: {small} to {large}"
                );
            }
        }
    }
}

/// A fixture cut into pieces that begin at a line, and what may stand between them.
fn edited(
    language: &'static str,
    file: &'static str,
) -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let source = String::from_utf8(read(&format!("outline/scanned/{language}/{file}"))).unwrap();
    let lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let count = lines.len();
    // The grammar of Java finds comments in text blocks.
    let mut inside = false;
    let in_block = |line: &String| {
        let was = inside;
        inside ^= line.matches("\"\"\"").count() == 1;
        was || inside
    };
    let blocks: Vec<bool> = lines.iter().map(in_block).collect();
    let pieces = prop::sample::select(vec![
        "",
        "\n",
        "// c",
        "/* c */",
        "/* c */ int x;",
        "}",
        "{",
        "(",
        ")",
        ";",
        ",",
        "type T struct {",
        "class X {",
        "func f() {",
        "void f() {",
        "@A",
        "static",
        "final",
        "record R(int a) {",
        "enum E {",
        "interface I {",
        "var (",
        "const (",
        "m() int",
        "\"",
        "`",
        "'",
        "= 1",
        "new A() {",
        "x.",
        "default",
        "// \"",
        "<",
        ">",
        "->",
    ]);
    let edit = (0..count, 0..3_usize, pieces);
    prop::collection::vec(edit, 1..4).prop_map(move |edits| {
        let mut lines = lines.clone();
        for (at, how, piece) in edits.into_iter().filter(|(at, ..)| !blocks[*at]) {
            match how {
                0 => lines[at] = piece.to_owned(),
                1 => lines[at].push_str(piece),
                _ => lines[at].insert_str(0, piece),
            }
        }
        (language, lines.join("\n").into_bytes())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 100 } else { 2000 }))]

    /// What the grammar reads without an error and the scanner is sure of, both read alike.
    #[test]
    fn edited_sources_are_scanned_as_they_are_parsed(
        (language, source) in prop_oneof![edited("go", "every.go"), edited("java", "Every.java")]
    ) {
        if let Ok(found) = scanned(language, &source) && wrong_line(language, &source).is_none() {
            let expected = parsed(language, &source);
            let text = String::from_utf8_lossy(&source).into_owned();
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found, expected, "{}", text);
            }
            prop_assert_eq!(found.len(), expected.len(), "{}", text);
        }
    }
}
