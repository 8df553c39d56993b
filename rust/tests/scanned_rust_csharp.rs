//! The scanners of Rust and C# beside their grammars: the same outline, field by field, wherever the tree has
//! no error; and what they say where they are not sure.
//!
//! `rust/tests/outline/scanned/` has what is hard about the languages. Here its lines are also moved, doubled
//! and left out at random, and small programs are put together from pieces.

#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod kit;

use currant::fuzz::check;
use currant::outline::{Means, OutlineError, Symbol, outline, outline_by};
use kit::{Random, first_difference, full_name, parsed, recorded, rounds, scanned};

const LANGUAGES: [&str; 2] = ["rust", "csharp"];

fn has_error(language: &str, source: &str) -> bool {
    let mut parser = tree_sitter::Parser::new();
    let grammar = match language {
        "csharp" => tree_sitter_c_sharp::LANGUAGE,
        _ => tree_sitter_rust::LANGUAGE,
    };
    parser.set_language(&grammar.into()).unwrap();
    parser.parse(source, None).unwrap().root_node().has_error()
}

/// Fails where the two disagree on a source; true if there was something to compare.
fn agree(language: &str, source: &str) -> bool {
    match compare(language, source) {
        Some(Err(difference)) => panic!("{difference}"),
        other => other.is_some(),
    }
}

/// None where there is nothing to compare: the scanner is not sure, or the tree has an error.
fn compare(language: &str, source: &str) -> Option<Result<(), String>> {
    let ours = scanned(language, source).ok()?;
    let theirs = parsed(language, source);
    let Some(difference) = first_difference(&ours, &theirs) else { return Some(Ok(())) };
    (!has_error(language, source)).then(|| Err(format!("{difference}\n{source}")))
}

#[test]
fn the_recorded_sources_have_no_errors_and_the_scanners_are_sure_of_them() {
    for language in LANGUAGES {
        for (_, source) in recorded(language) {
            for source in [source.replace('\n', "\r\n"), source] {
                assert!(!has_error(language, &source), "{language}");
                assert!(agree(language, &source), "{:?}", scanned(language, &source).err());
            }
        }
    }
}

/// Moved lines of C# may make what its grammar accepts and C# does not: an abstract method inside another. One
/// in twenty may differ for that; those of Rust do not.
#[test]
fn they_agree_when_lines_are_moved_doubled_and_left_out() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for language in LANGUAGES {
        let (mut compared, mut different) = (0, 0);
        for (_, source) in recorded(language) {
            for _ in 0..60 * rounds() {
                let mut lines: Vec<&str> = source.lines().collect();
                for _ in 0..=random.below(3) {
                    let at = random.below(lines.len());
                    match random.below(3) {
                        0 => drop(lines.remove(at)),
                        1 => lines.insert(at, lines[random.below(lines.len())]),
                        _ => {
                            let other = random.below(lines.len());
                            lines.swap(at, other);
                        }
                    }
                }
                let Some(result) = compare(language, &lines.join("\n")) else { continue };
                compared += 1;
                if let Err(difference) = result {
                    assert!(language == "csharp", "{difference}");
                    different += 1;
                }
            }
        }
        assert!(
            compared > 20 && different * 20 <= compared,
            "{language}: {different} of {compared}"
        );
    }
}

/// Pieces that stand alone in a file, a module or a function.
const RUST: &[&str] = &[
    "fn f<T>(a: T) -> Option<T> where T: Fn(u8) -> u8 { @ }",
    "pub const unsafe extern \"C\" fn g() {}",
    "struct S<const N: usize = { 3 }>([u8; N]);",
    "#[derive(A)] // b\npub struct T { a: u8 } // c",
    "enum E { A = 1, B { c: u8 } }",
    "const A: &str = r#\"} \" fn no() {\"#;",
    "static B: fn() = || { const C: u8 = 1; fn inner() {} };",
    "const _: () = { @ };",
    "type A<'a> = &'a [u8; 3];",
    "mod m { @ }",
    "trait T<'a>: Fn(&'a u8) { fn a(&self); fn b(&self) { @ } const C: u8; }",
    "impl<'a, T> A<T> for &'a mut B<{ 1 > 0 }> { fn a() { @ } const C: char = '}'; }",
    "macro_rules! m { ($a:expr) => { fn no() {} } }",
    "m! { fn no() { '\"' } }",
    "use a::{b, c as d};",
    "/// Documented.",
    "/** By a\n * block. */",
    "// A comment.\n",
    "#[cfg(test)]",
    "",
];
/// Pieces of a type.
const CSHARP: &[&str] = &[
    "public void M<T>(int a = 3, params T[] b) where T : class { @ }",
    "int N() => a < b ? $\"{a}}}\".Length : 3;",
    "public int P { get; private set; } = 3;",
    "string Q { get { @ } set => _ = value; }",
    "(int, List<string>) R => (1, new() { \"}\" });",
    "const string A = @\"\\\", B = \"\\\"{\";",
    "static readonly Func<int, int> C = x => { return x; };",
    "int field, other = 3;",
    "event Action D; event Action E { add { } remove { } }",
    "class K : L<int>, I {\n# }",
    "[A(\"]\")] struct V {\n# }",
    "record Z(int A);",
    "enum F { A, B = 3, }",
    "interface I { void A(); int B { get; } }",
    "delegate int G<T>(T a);",
    "public static T operator +(T a, T b) { @ }",
    "public static implicit operator int(T a) => 1;",
    "int this[int i] { get { @ } }",
    "#if A\nvoid One() { }\n#else\nvoid Two() { }\n#endif",
    "#region don't\n#endregion",
    "/// <summary>Documented.</summary>",
    "/* A\n * block. */",
    "[Attribute]\n// between\nint Attributed() { @ }",
    "",
];
/// Pieces of a function.
const STATEMENTS: &[&str] = &[
    "int Local(int a) => a;",
    "static void Block<T>(T a) where T : new() { @ }",
    "if (a(1)) { @ } else if (b(2)) { @ }",
    "var x = new A(1) { B = 2 };",
    "return a switch { 1 => \"b\", not 2 => $\"{c}\", _ => null };",
    "foreach (var a in b) { @ }",
    "Action f = () => { @ };",
    "a.B(c => { @ });",
    "switch (a) { case 1: @ break; default: return; }",
    "// a comment",
    "char c = '\"';",
    "",
];

/// A program of random pieces. `@` and `#` are places for more of them.
fn program(random: &mut Random, pieces: &[&str], inner: &[&str], depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..random.below(if depth == 0 { 12 } else { 4 }) {
        let piece = pieces[random.below(pieces.len())];
        let mut rest = piece;
        while let Some(at) = rest.find(['@', '#']) {
            out.push_str(&rest[..at]);
            let sign = &rest[at..=at];
            match sign {
                _ if !rest[at + 1..].starts_with(' ') => out.push_str(sign), // `#if`
                _ if depth >= 4 => {}
                "@" => out.push_str(&program(random, inner, inner, depth + 1)),
                _ => out.push_str(&program(random, pieces, inner, depth + 1)),
            }
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

#[test]
fn they_agree_on_random_programs() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for (language, pieces, inner) in
        [("rust", RUST, RUST), ("csharp", CSHARP, STATEMENTS), ("csharp", STATEMENTS, STATEMENTS)]
    {
        let mut compared = 0;
        for _ in 0..300 * rounds() {
            let text = program(&mut random, pieces, inner, 0);
            let wrapped = std::ptr::eq(pieces, CSHARP);
            let source =
                if wrapped { format!("namespace N {{ class C {{\n{text}}} }}") } else { text };
            let sure = scanned(language, &source);
            assert!(sure.is_ok(), "{sure:?}\n{source}");
            compared += usize::from(agree(language, &source));
        }
        assert!(compared > 200, "{language}: {compared}");
    }
}

#[test]
fn they_know_when_they_are_not_sure() {
    let deep = "(".repeat(2000);
    for (language, source, reason) in [
        ("rust", "fn f() {", "a bracket that is not closed"),
        ("rust", "fn f() { (] }", "a bracket that closes another one"),
        ("rust", "fn f() {} }", "a bracket that was not opened"),
        ("rust", "fn f(", "a bracket that is not closed"),
        ("rust", "fn f()", "an item without an end"),
        ("rust", "const A: &str = \"a;", "a string without an end"),
        ("rust", "const A: &str = r#\"a\";", "a raw string without an end"),
        ("rust", "/* /* */", "a comment without an end"),
        ("rust", "mod m { const A: u8 = 3 }", "a bracket that was not opened"),
        ("rust", "trait A = B + C;", "a trait without a body"),
        ("rust", &deep, "brackets nested too deep"),
        ("csharp", "class A {", "a bracket that is not closed"),
        ("csharp", "class A { void F() { (] } }", "a bracket that closes another one"),
        ("csharp", "class A { } }", "a bracket that was not opened"),
        ("csharp", "class A { string b = \"c\n; }", "a string without an end"),
        ("csharp", "class A { string b = $\"{c }", "a string without an end"),
        ("csharp", "class A { what is this }", "a member of an unknown kind"),
        ("csharp", "namespace A {\n\u{a0}class B { }\n}", "a member of an unknown kind"),
        ("csharp", "\u{a0}class B { }", "a declaration of an unknown kind"),
        ("csharp", "public what class B { }", "a declaration of an unknown kind"),
        ("csharp", "#if A\nclass A {\n#endif\n", "a condition that opens or closes a bracket"),
        ("csharp", "#if A\nclass A { }\n", "a condition without an end"),
        ("csharp", &deep, "brackets nested too deep"),
    ] {
        assert_eq!(scanned(language, source), Err(reason.to_owned()), "{source:?}");
        let either = outline(language, source.as_bytes()).unwrap();
        assert_eq!(either.symbols, parsed(language, source), "{source:?}");
    }
}

fn told(language: &str, source: &str) -> String {
    let full =
        |one: &Symbol| format!("{} {}-{} [{}]", full_name(one), one.start, one.end, one.signature);
    let found = scanned(language, source).unwrap();
    found.iter().map(full).collect::<Vec<_>>().join("; ")
}

/// Where the grammars err.
#[test]
fn they_are_right_where_the_grammars_are_not() {
    for (language, source, expected) in [
        ("rust", "extern \"C\" { safe fn f(); }", "f 1-1 [safe fn f()]"),
        ("rust", "extern \"C\" { pub type A; }", "A 1-1 [pub type A]"),
        (
            "rust",
            "impl<#[may_dangle] T> Drop for A<T> {\n  fn drop() {}\n}",
            "A.drop 2-2 [fn drop()]",
        ),
        (
            "csharp",
            "class A\n#if B\n  : C\n#endif\n{\n  void M() { }\n}",
            "A 1-7 [class A : C]; A.M 6-6 [void M()]",
        ),
        (
            "csharp",
            "#if A\nnamespace A\n#else\nnamespace B\n#endif\n{\n  class C { }\n}",
            "A 2-2 [namespace A]; B 4-8 [namespace B]; B.C 7-7 [class C]",
        ),
        (
            "csharp",
            "class A {\n#if B\n  void M(int a)\n#else\n  void M(long a)\n#endif\n  {\n  }\n}",
            "A 1-9 [class A]; A.M 3-3 [void M(int a)]; A.M 5-8 [void M(long a)]",
        ),
        (
            "csharp",
            "// a\n#if B\n  public\n#else\n  internal\n#endif\n  class A { }",
            "A 2-7 [public class A]",
        ),
        (
            "csharp",
            "#if A\ninterface B\n#else\n[D(true)]\n[E] public interface C\n#endif\n{\n  void M();\n}",
            "B 2-2 [interface B]; C 4-9 [public interface C]; C.M 8-8 [void M()]",
        ),
        (
            "csharp",
            "class A {\n#if B\n  int M(int a)\n#else\n  [C] int M(long a)\n#endif\n  {\n  }\n}",
            "A 1-9 [class A]; A.M 3-3 [int M(int a)]; A.M 5-8 [int M(long a)]",
        ),
        (
            "csharp",
            "#if B\n  public\n#else\n  [C(1)] internal\n#endif\n  class A { }",
            "A 1-6 [public class A]",
        ),
        (
            "csharp",
            "class A { void M() { switch (a) { case B.C: D(); break; } } }",
            "A 1-1 [class A]; A.M 1-1 [void M()]",
        ),
    ] {
        assert_eq!(told(language, source), expected, "{source}");
    }
}

/// Sources that would take the square of their size if anything were looked at again and again.
#[test]
fn hostile_sources_come_back() {
    for piece in [
        "r#\"",
        "r####",
        "'",
        "b'",
        "/*",
        "|",
        "fn f(",
        "fn f<",
        "impl<",
        "impl A for ",
        "a!{",
        "#[",
        "#![",
        "pub(",
        "const A: u8 = |",
        "union a",
        "{ (",
        "\"\"\"",
        "$\"{",
        "$$\"\"\"{{",
        "@\"\"",
        "#if\n",
        "#else\n",
        "#if\n[A]\n",
        ":a<",
        ";a<",
        "a b(",
        "{a b(",
        "[[",
        "class A{",
        "class A{[",
        "namespace a;",
        "a<a,",
        "(a,",
        "x=>{",
        "A B{get;}",
        "class A{B C(D){",
        "class A{B C=<",
        "#\n",
        "class A{#if\n[B]\n",
        "class A{#if\npublic\n",
        "class A{operator ",
        "A{\n#elif\n",
        " #",
        "$@",
        "class A{implicit operator ",
        "class A{delegate*<",
        "\"{\\",
        "#if\n#else\n#endif\n",
        "#if\na\n#else\n[",
        "class A\n#else\n[a]\n#endif\n",
    ] {
        let source = piece.repeat(400_000 / piece.len());
        for language in LANGUAGES {
            match outline_by(Means::Scan, language, source.as_bytes()) {
                Ok(found) => check(language, source.as_bytes(), &found),
                Err(error) => assert!(matches!(error, OutlineError::Unsure(_)), "{error}"),
            }
        }
    }
}
