//! The scanners of Kotlin and Swift beside their grammars: the same outline, field by field, wherever the tree has no
//! error; and what they say where they are not sure.
//!
//! `rust/tests/outline/scanned/` has what is hard about the languages. Here its lines are also moved, doubled
//! and left out at random, and small programs are put together from pieces.

#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod kit;

use currant::fuzz::check;
use currant::outline::{Means, OutlineError, Symbol, outline, outline_by};
use kit::{Random, first_difference, full_name, parsed, recorded, rounds, scanned};

const LANGUAGES: [&str; 2] = ["kotlin", "swift"];

fn has_error(language: &str, source: &str) -> bool {
    let mut parser = tree_sitter::Parser::new();
    let grammar = match language {
        "swift" => tree_sitter_swift::LANGUAGE,
        _ => tree_sitter_kotlin_ng::LANGUAGE,
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

/// Moved lines may make what a grammar reads as no reader of the language would: an annotation with arguments as a
/// statement of its own. One in twenty may differ for that.
#[test]
fn they_agree_when_lines_are_moved_doubled_and_left_out() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for language in LANGUAGES {
        let (mut compared, mut different) = (0, 0);
        for (_, source) in recorded(language) {
            for _ in 0..150 * rounds() {
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
                    if std::env::var_os("CURRANT_FUZZ_SHOW").is_some() {
                        eprintln!("{difference}");
                    }
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

/// Pieces of a file or a type of Kotlin.
const KOTLIN: &[&str] = &[
    "fun f(a: Int = 3, vararg b: A<T>): Int {\n§\n}",
    "fun <T> A<T>?.g(c: (Int) -> Unit = { fun no() {} }) = a ?: b",
    "suspend inline fun h(): A\n    where T : B = c { §\n}",
    "val a = 1",
    "val b: Map<A, B<C>>? get() = 1",
    "var c: Int = 0\n    private set",
    "var d by lazy {\n§\n}",
    "var e = 1 +\n    2\n    get() { return field }\n    set(value) {\n§\n    }",
    "const val F_ = \"${if (a) \"}\" else \"{\"}\"",
    "private val G_ = listOf(1)\n    .map { it }\n    ?.b()",
    "class H",
    "data class I(val a: Int = b({ c }), var d: E) : F<G>(1), J",
    "open class K<T> {\n¤\n}",
    "class L private constructor() : M by n",
    "enum class N(val a: Int) {\n    A(1) { fun no() {} },\n    @B C,\n    ;\n¤\n}",
    "object O : P {\n¤\n}",
    "sealed interface Q {\n¤\n}",
    "fun interface R {\n¤\n}",
    "annotation class S(val a: String)",
    "typealias T = suspend (A, B?) -> C<D>",
    "@A private val u = when {\n a -> b\n else -> c\n}",
    "val v = if (a) b\n    else c",
    "val w = object : A(1) { fun no() {} }",
    "val x = fun(a: Int): Int { return a }",
    "val y = \"\"\"fun no() { \"a\" ${b}\"\"\"",
    "lateinit var z: A",
    "/** Documented. */",
    "/* A /* nested */\n * block. */\n",
    "// A comment.\n",
    "",
];
/// Pieces of a function of Kotlin.
const KOTLIN_CODE: &[&str] = &[
    "fun local(a: Int) = a",
    "inline fun block() {\n§\n}",
    "class Local(val a: Int) {\n    fun method() {}\n}",
    "val a = b { §\n}",
    "var d by lazy { §\n}",
    "if (a) { §\n} else if (b) {\n§\n}",
    "for (a in b) { §\n}",
    "when (val a = b) {\n    is A -> { §\n}\n    else -> c\n}",
    "try { §\n} catch (e: E) {\n§\n}",
    "return a.b(c = { d -> §\n})",
    "run label@{ return@label }",
    "val c = object : D { fun no() {} }",
    "val e = A::class",
    "// a comment\n",
    "x = 'y' + '\"'",
    "",
];

/// Pieces of a file or a type of Swift.
const SWIFT: &[&str] = &[
    "func f(a: Int = 3, _ b: A<T>...) -> Int {\n§\n}",
    "@objc public func g<T>(c: (Int) -> Void = { a in }) async throws -> T? where T: A {\n§\n}",
    "static func == (a: A, b: A) -> Bool { a }",
    "let a = 1",
    "static let b = c { §\n}",
    "var d: Map<A, [B: C]>? { 1 }",
    "var e: Int = 0 {\n    didSet {\n§\n    }\n}",
    "private(set) var g = h +\n    i",
    "static let J_ = \"\\(a ? \"}\" : \"{\")\"",
    "lazy var k: A = { §\n}()",
    "let l = a\n    .b { $0 }\n    ?? c",
    "class M: N, O {\n¤\n}",
    "final class P<T> where T: Q {\n¤\n}",
    "struct R {\n¤\n}",
    "enum S: String {\n    case a, b = \"x\"\n    case c(Int)\n¤\n}",
    "protocol T {\n    var a: Int { get }\n    func b()\n}",
    "extension U where V == W {\n¤\n}",
    "actor X {\n¤\n}",
    "typealias Y = (A, B?) -> C<D>",
    "@A(\"x\")\n// between\nvar z: some View {\n    B {\n§\n    }\n    .c()\n}",
    "let aa = #\"a \"b\" \\#(c)\"#",
    "let bb = \"\"\"\n  func no() { \"a\" \\(b)\n  \"\"\"",
    "#if DEBUG\nfunc cc() {}\n#else\nfunc dd() {}\n#endif",
    "/// Documented.",
    "/* A /* nested */\n * block. */",
    "// A comment.\n",
    "",
];
/// Pieces of a function of Swift.
const SWIFT_CODE: &[&str] = &[
    "func local(a: Int) -> Int { a }",
    "@discardableResult func block() {\n§\n}",
    "class Local {\n    func method() {}\n}",
    "let a = b { §\n}",
    "var d: Int { 1 }",
    "if let a = b { §\n} else if c {\n§\n}",
    "for a in b where c { §\n}",
    "switch a {\ncase .b(let c): §\ndefault: break\n}",
    "do { §\n} catch {\n§\n}",
    "guard let a = b else { return }",
    "return a.b(c: { d in §\n})",
    "let e = A.self",
    "// a comment\n",
    "x = \"y\" + #\"\\\"#",
    "",
];

/// A program of random pieces. `§` and `¤` are places for more of them.
fn program(random: &mut Random, pieces: &[&str], inner: &[&str], depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..random.below(if depth == 0 { 12 } else { 4 }) {
        let piece = pieces[random.below(pieces.len())];
        for part in piece.split_inclusive(['§', '¤']) {
            let text = part.trim_end_matches(['§', '¤']);
            out.push_str(text);
            match &part[text.len()..] {
                _ if depth >= 4 => {}
                "§" => out.push_str(&program(random, inner, inner, depth + 1)),
                "¤" => out.push_str(&program(random, pieces, inner, depth + 1)),
                _ => {}
            }
        }
        out.push('\n');
    }
    out
}

#[test]
fn they_agree_on_random_programs() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for (language, pieces, inner, around) in [
        ("kotlin", KOTLIN, KOTLIN_CODE, ["package a\n", "\n"]),
        ("kotlin", KOTLIN, KOTLIN_CODE, ["class A {\n", "\n}\n"]),
        ("kotlin", KOTLIN_CODE, KOTLIN_CODE, ["fun a() {\n", "\n}\n"]),
        ("swift", SWIFT, SWIFT_CODE, ["import A\n", "\n"]),
        ("swift", SWIFT, SWIFT_CODE, ["class A {\n", "\n}\n"]),
        ("swift", SWIFT_CODE, SWIFT_CODE, ["func a() {\n", "\n}\n"]),
    ] {
        let (mut compared, mut different) = (0, 0);
        for _ in 0..300 * rounds() {
            let text = program(&mut random, pieces, inner, 0);
            let source = format!("{}{text}{}", around[0], around[1]);
            let sure = scanned(language, &source);
            assert!(sure.is_ok(), "{sure:?}\n{source}");
            let Some(result) = compare(language, &source) else { continue };
            compared += 1;
            if let Err(difference) = result {
                assert!(std::env::var_os("CURRANT_FUZZ_SHOW").is_none(), "{difference}");
                different += 1;
            }
        }
        assert!(compared > 200 && different == 0, "{language}: {different} of {compared}");
    }
}

#[test]
fn they_know_when_they_are_not_sure() {
    let deep = "(".repeat(2000);
    for (language, source, reason) in [
        ("kotlin", "class A {", "a bracket that is not closed"),
        ("kotlin", "fun f() { (] }", "a bracket that closes another one"),
        ("kotlin", "fun f() = (]", "a bracket that closes another one"),
        ("kotlin", "fun f() {} }", "a bracket that was not opened"),
        ("kotlin", "val a = \"b\n\"", "a string without an end"),
        ("kotlin", "val a = \"${b\"", "a string without an end"),
        ("kotlin", "f(\"\"\"b\"\")", "a string without an end"),
        ("kotlin", "f('ab')", "a character without an end"),
        ("kotlin", "/* /* */", "a comment without an end"),
        ("kotlin", "fun `a\n`() {}", "a function without parameters"),
        ("kotlin", "f(`a\n`)", "a quoted name without an end"),
        ("kotlin", "class A {\n    what is this\n}", "a member of an unknown kind"),
        ("kotlin", "class A {\n    1\n}", "a member of an unknown kind"),
        ("kotlin", "class A {\n    val = 1\n}", "a property without a name"),
        ("kotlin", "class { }", "a type without a name"),
        ("kotlin", "fun f", "a function without parameters"),
        ("kotlin", "enum class A { 1 }", "an entry of an unknown kind"),
        ("kotlin", "class A : B by if (c) d else e {\n}", "a value in the head of a type"),
        ("kotlin", "class A : B({ fun c() {} })", "a declaration in the head of a type"),
        (
            "kotlin",
            "class A {\n    class B\n    constructor()\n}",
            "a constructor on a line of its own",
        ),
        ("kotlin", "typealias A = 1", "a type of an unknown shape"),
        ("kotlin", "val a = #", "a sign that is no part of a value"),
        ("kotlin", "val a = 1 +\nclass B", "a declaration in a value"),
        ("kotlin", "f { \\ }", "a sign that Kotlin does not know"),
        ("kotlin", "@ class A", "an annotation without a name"),
        ("kotlin", &deep, "brackets nested too deep"),
        ("swift", "class A {", "a bracket that is not closed"),
        ("swift", "func f() { (] }", "a bracket that closes another one"),
        ("swift", "let a = (]", "a bracket that closes another one"),
        ("swift", "func f() {} }", "a bracket that was not opened"),
        ("swift", "let a = \"b\n\"", "a string without an end"),
        ("swift", "f(#\"a\")", "a string without an end"),
        ("swift", "f(\"\\(a\")", "a string without an end"),
        ("swift", "f(#/a/#)", "a regular expression"),
        ("swift", "/* /* */", "a comment without an end"),
        ("swift", "f(`a\n`)", "a quoted name without an end"),
        ("swift", "class A {\n    what is this\n}", "a member of an unknown kind"),
        ("swift", "class A {\n    var = 1\n}", "a property without a name"),
        ("swift", "class A {\n    #macro()\n}", "a member of an unknown kind"),
        ("swift", "class A { struct { } }", "a type without a name"),
        ("swift", "struct A", "a type without a body"),
        ("swift", "func f", "a function without parameters"),
        ("swift", "func ==<T>(a: T) {}", "a function of an unknown shape"),
        ("swift", "protocol A {\n    var b: C\n}", "a requirement without accessors"),
        ("swift", "let a = b c", "two operands side by side"),
        ("swift", "let a = 1 +\nclass B {}", "a declaration in a value"),
        ("swift", "macro a() = #b", "a macro"),
        ("swift", "func a(b: C = { func d() {} }) {}", "a declaration in a parameter"),
        ("swift", "@ class A {}", "an attribute without a name"),
        ("swift", &deep, "brackets nested too deep"),
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

/// Without the line's end, the grammar's own scanner never comes back.
#[test]
fn the_kotlin_parser_ends_behind_an_annotation() {
    for source in ["val x = 1\n@Foo", "val x = 1\n@", "val x = 1\n// a\n@A @B", "val x = 1 @Foo(1)"]
    {
        let names: Vec<_> = parsed("kotlin", source).into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["x"], "{source:?}");
    }
}

/// Where the grammars err.
#[test]
fn they_are_right_where_the_grammars_are_not() {
    for (language, source, expected) in [
        // All in one line.
        (
            "kotlin",
            "class A { fun f() {} }\nclass B { val c get() = 1 }",
            "A 1-1 [class A]; A.f 1-1 [fun f()]; B 2-2 [class B]; B.c 2-2 [val c]",
        ),
        // The body of a class behind `by` is no lambda.
        (
            "kotlin",
            "class A(b: B) : C by b {\n    override val d: Int\n        get() = 1\n}",
            "A 1-4 [class A(b: B) : C by b]; A.d 2-3 [override val d: Int]",
        ),
        // Annotations of a file's declaration are no statement.
        (
            "kotlin",
            "package a\n\n/** B. */\n@B\n@C(D.E)\nannotation class F",
            "F 4-6 [annotation class F]",
        ),
        (
            "kotlin",
            "package a\n@A @B private val u = 1\nval c = 1",
            "u 2-2 [private val u = 1]; c 3-3 [val c = 1]",
        ),
        // A block comment between a line and the next does not join them.
        ("kotlin", "val a = 1\n/** Does. */ fun b() {}", "a 1-1 [val a = 1]; b 2-2 [fun b()]"),
        // A string in raw quotes ends with the last three of them.
        (
            "kotlin",
            "val a = \"\"\"b\"\"\"\"\"\nval c = 1",
            "a 1-1 [val a = \"\"\"b\"\"\"\"\"]; c 2-2 [val c = 1]",
        ),
    ] {
        assert_eq!(told(language, source), expected, "{source}");
        let ours = scanned(language, source).unwrap();
        assert_ne!(ours, parsed(language, source), "mended? {source}");
    }
}

/// Sources that would take the square of their size if anything were looked at again and again.
#[test]
fn hostile_sources_come_back() {
    for piece in [
        "\"${",
        "\"\"\"${",
        "'",
        "`",
        "/*",
        "@A",
        "@A(",
        "@A<",
        "@A.",
        "fun ",
        "fun f(",
        "fun f<",
        "fun (",
        "fun A.",
        "fun f()=",
        "val a=",
        "val a by ",
        "val a:",
        "val a:(",
        "val a get()=",
        "get()=",
        "private ",
        "private set ",
        "class A:",
        "class A(",
        "class A<",
        "class A{",
        "class A{val b={",
        "class A @B ",
        "class A by ",
        "object:",
        "object A{",
        "enum class A{",
        "enum class A{B{",
        "companion ",
        "init{",
        "constructor(",
        "constructor():this(",
        "typealias A=",
        "typealias A=B<",
        "typealias A=(",
        "a as B<",
        "val a=b as C<",
        "val a=b is ",
        "val a=if(",
        "val a=when{",
        "val a=try{",
        "val a=object:",
        "val a=fun(",
        "a@",
        "a@b ",
        "->",
        "{",
        "{(",
        "else ",
        "if(",
        "::",
        "?.",
        "?:",
        "!",
        "\n",
        "a\n",
        ".\n",
        "\n//\n",
        "val a=1\n/**/",
        "fun f()=a{class B{val c=",
        "fun f()={fun g()=",
        "import a\n",
        "import ",
        "where A:B,",
        "fun f() where A:",
        "\"",
        "\"\"\"",
        "\"$",
        "1.",
        "suspend ",
        "context(a)",
        "func ",
        "func f(",
        "func f<",
        "func f()->",
        "func ==",
        "init(",
        "init<",
        "subscript(",
        "deinit{",
        "struct A{",
        "protocol A{var b",
        "extension A{",
        "extension A<",
        "extension [",
        "actor A{",
        "class class ",
        "let a:",
        "let a:[",
        "let a={",
        "let a=b{class C{let d={",
        "var a{",
        "var a{get{",
        "a as B<",
        "let a=b as C<",
        "#\"",
        "##",
        "#if\n",
        "\"\\(",
        "#\"\\#(",
        "\"\"\"\\(",
        "@a ",
        "private(",
        "case a,",
        "?",
        "!",
        "a?b:",
        "a ?? ",
        "let a=if b{}else ",
        "let a,",
        "where A==B,",
        "->",
        "\\",
        "public ",
        "static ",
        "indirect ",
        "operator ",
        "macro ",
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
