//! The C and C++ outliner: golden outlines, and properties that hold for any bytes.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use currant::outline::cfamily::{Dialect, outline, outline_counted};
use currant::outline::{Symbol, SymbolKind};
use proptest::prelude::*;
use std::fmt::Write;

fn symbols(dialect: Dialect, source: &[u8]) -> Vec<Symbol> {
    let mut out = Vec::new();
    outline(dialect, source, &mut out);
    out
}

/// One line per definition, and its documentation below it: `start-end kind parent.name: signature`.
fn readable(symbols: &[Symbol]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        let Symbol { name, kind, parent, start, end, signature, doc } = symbol;
        let parent = parent.as_ref().map_or(String::new(), |parent| format!("{parent}."));
        let kind = kind.as_str();
        writeln!(text, "{start}-{end} {kind} {parent}{name}: {signature}").unwrap();
        for line in doc.lines() {
            writeln!(text, "    | {line}").unwrap();
        }
    }
    text
}

/// Compares with the committed outline; `CURRANT_ACCEPT=1` rewrites it for review.
fn check_golden(name: &str, dialect: Dialect) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cfamily");
    let source = std::fs::read(folder.join(name)).unwrap();
    let actual = readable(&symbols(dialect, &source));
    let golden = folder.join(format!("{name}.outline"));
    if std::env::var_os("CURRANT_ACCEPT").is_some() {
        std::fs::write(&golden, &actual).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    assert_eq!(expected, actual);
}

#[test]
fn kernel_style_c() {
    check_golden("kernel.c", Dialect::C);
}

#[test]
fn modern_cpp() {
    check_golden("modern.cpp", Dialect::Cpp);
}

#[test]
fn pathological_c_recovers() {
    check_golden("pathological.c", Dialect::C);
}

/// The names that a piece of C defines.
fn names(dialect: Dialect, source: &str) -> Vec<String> {
    symbols(dialect, source.as_bytes()).into_iter().map(|symbol| symbol.name).collect()
}

#[test]
fn a_missing_brace_costs_one_function() {
    let source = "int a(void)\n{\n\tif (1) {\n}\n\nint b(void)\n{\n}\n";
    assert_eq!(["a", "b"], names(Dialect::C, source)[..]);
}

#[test]
fn a_cut_file_keeps_what_stands_before_the_cut() {
    assert_eq!(["a", "b"], names(Dialect::C, "int a(void) {}\nint b(void) { if (x")[..]);
    assert_eq!(["s"], names(Dialect::C, "struct s { int x;")[..]);
}

#[test]
fn crlf_and_a_byte_order_mark_change_nothing() {
    let source = "/* doc */\nint a(int x,\n      int y)\n{\n}\n#define B \\\n 1\n";
    let dos = format!("\u{feff}{}", source.replace('\n', "\r\n"));
    assert_eq!(symbols(Dialect::C, source.as_bytes()), symbols(Dialect::C, dos.as_bytes()));
}

#[test]
fn a_license_and_a_detached_comment_are_no_documentation() {
    let source = "/* Copyright X */\nint a(void) {}\n/* detached */\n\nint b(void) {}\n\
                  int c; /* trailing */\nint d(void) {}\n/* mine */\nint e(void) {}\n";
    let docs: Vec<_> =
        symbols(Dialect::C, source.as_bytes()).into_iter().map(|symbol| symbol.doc).collect();
    assert_eq!(["", "", "", "", "mine"], docs[..]);
}

#[test]
fn the_include_guard_is_no_definition() {
    assert_eq!(
        ["A"],
        names(Dialect::C, "/* x */\n#ifndef G_H\n#define G_H\n#define A\n#endif")[..]
    );
    assert_eq!(["A"], names(Dialect::C, "#ifndef A\n#define A 1\n#endif")[..]);
}

#[test]
fn signatures_and_names_are_bounded() {
    let long = "x".repeat(10_000);
    let source = format!(
        "int {long}(int {long}) {{}}\n#define {long} {long}\nnamespace {long} {{ struct {long} {{}}; }}"
    );
    for symbol in symbols(Dialect::Cpp, source.as_bytes()) {
        assert!(symbol.signature.chars().count() <= 240, "{symbol:?}");
        assert!(symbol.name.len() <= 255, "{symbol:?}");
    }
}

#[test]
fn work_grows_with_the_input_and_not_faster() {
    let shapes: &[&str] = &[
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "[",
        "=",
        ":",
        ",",
        ";",
        "#if A\n",
        "#else\n",
        "#endif\n",
        "a<",
        "a(",
        "a::",
        "template<",
        "requires(",
        "\"",
        "'",
        "/*",
        "//\n",
        "R\"(",
        "x = {",
        "f(){",
        "struct s {\n",
        "}\n",
        "int f(a, b) int a;",
        "a(b)\n",
        "#define A\n",
        "\\\n",
        "class A : ",
        "operator",
        "f() : a{",
        "#if 0\n",
        "enum{",
        "(#if\n)\n#else\n",
        "#  ",
        "int f(void){{\n}\n",
        "// a\n",
        "  \t\n",
        "\n",
        "typedef a(",
        "(*",
        "a,",
        "\u{e9}",
        "requires(a){}",
        "f(){{\n}\n\n\n\n x",
        "~a(){}",
        "1'",
    ];
    for dialect in [Dialect::C, Dialect::Cpp] {
        for shape in shapes {
            let steps = |times: usize| {
                let source = shape.repeat(times);
                let mut out = Vec::new();
                outline_counted(dialect, source.as_bytes(), &mut out) as f64
            };
            let (small, large) = (steps(2_000), steps(16_000));
            assert!(large <= 9.0 * small + 1_000.0, "{dialect:?} {shape:?}: {small} to {large}");
        }
    }
}

/// Text made of the tokens that decide something, so that random input gets deep.
fn token_soup() -> impl Strategy<Value = String> {
    let tokens = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        ";",
        ":",
        "::",
        ",",
        "=",
        "==",
        "*",
        "&",
        "~",
        "->",
        "\n",
        "\n}",
        "\n{",
        " ",
        "\t",
        "\\\n",
        "\"",
        "'",
        "R\"(",
        ")\"",
        "/*",
        "*/",
        "//",
        "#if 0\n",
        "\n#if X\n",
        "\n#else\n",
        "\n#endif\n",
        "\n#define M(a) {\n",
        "\n#",
        "struct ",
        "class ",
        "enum ",
        "union ",
        "namespace ",
        "template ",
        "typedef ",
        "using ",
        "operator ",
        "requires ",
        "static ",
        "int ",
        "void ",
        "foo ",
        "Bar ",
        "MACRO",
        "DEFINE_X",
        "extern ",
        "\"C\" ",
        "default",
        "delete",
        "concept ",
        "public",
        "__attribute__",
        "try ",
        "1'0",
        "\u{e9}",
        "\0",
        "\r\n",
        "requires (x) {",
        "friend ",
        "inline ",
    ]);
    prop::collection::vec(tokens, 0..200).prop_map(|tokens| tokens.concat())
}

fn check_any(source: &[u8]) {
    let lines = source.iter().filter(|&&byte| byte == b'\n').count() as u32 + 1;
    for dialect in [Dialect::C, Dialect::Cpp] {
        let mut out = Vec::new();
        let steps = outline_counted(dialect, source, &mut out);
        assert!(steps <= 64 * source.len() as u64 + 64);
        assert!(out.is_sorted_by_key(|symbol| symbol.start));
        for symbol in &out {
            assert!(1 <= symbol.start && symbol.start <= symbol.end, "{symbol:?}");
            assert!(symbol.end <= lines, "{symbol:?} of {lines}");
            assert!(!symbol.name.is_empty() && symbol.name.len() <= 255, "{symbol:?}");
            assert!(symbol.signature.chars().count() <= 240, "{symbol:?}");
            assert!(!symbol.signature.contains('\n'), "{symbol:?}");
            assert!(symbol.doc.chars().count() <= 4_000, "{symbol:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_tokens_are_survived(source in token_soup()) {
        check_any(source.as_bytes());
    }

    #[test]
    fn any_bytes_are_survived(source in prop::collection::vec(any::<u8>(), 0..400)) {
        check_any(&source);
    }

    #[test]
    fn truncated_and_spliced_sources_are_survived(
        from in 0usize..4_000, to in 0usize..4_000, noise in token_soup()
    ) {
        for text in [
            include_str!("cfamily/kernel.c"),
            include_str!("cfamily/modern.cpp"),
            include_str!("cfamily/pathological.c"),
        ] {
            let bytes = text.as_bytes();
            check_any(&bytes[from.min(bytes.len())..]);
            let mut spliced = bytes[..to.min(bytes.len())].to_vec();
            spliced.extend_from_slice(noise.as_bytes());
            spliced.extend_from_slice(&bytes[from.min(bytes.len())..]);
            check_any(&spliced);
        }
    }

    #[test]
    fn balanced_functions_are_all_found(count in 1usize..30, body in "[a-z ;(){]{0,20}") {
        // A body that cannot unbalance the function: every brace of it is closed.
        let open = body.matches('{').count();
        let parts: String =
            (0..count).map(|at| format!("static int f{at}(int a)\n{{ {body}{} }}\n", "}".repeat(open))).collect();
        let found = symbols(Dialect::C, parts.as_bytes());
        prop_assert_eq!(count, found.len());
        for (at, symbol) in found.iter().enumerate() {
            prop_assert_eq!(&format!("f{at}"), &symbol.name);
            prop_assert_eq!(SymbolKind::Function, symbol.kind);
            prop_assert_eq!((2 * at as u32 + 1, 2 * at as u32 + 2), (symbol.start, symbol.end));
        }
    }
}
