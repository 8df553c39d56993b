//! The scanner of JavaScript, TypeScript and TSX beside the grammars: random programs, and what only one of the
//! two reads rightly. Recorded sources are in `scanners.rs`.

#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod kit;

use currant::outline::{Means, Symbol, outline_by};
use kit::{Random, full_name, parsed, rounds, scanned};

/// Lines, kinds and full names.
fn told(symbols: &[Symbol]) -> String {
    let one = |symbol: &Symbol| {
        let (kind, name) = (symbol.kind.as_str(), full_name(symbol));
        format!("{kind} {name} {}-{}", symbol.start, symbol.end)
    };
    symbols.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Operands; what stands in brackets is a place for another.
const OPERANDS: &[&str] = &[
    "a",
    "this.b.c",
    "f(@, @)",
    "[@, function () { # }]",
    "({ a: @, b() { # }, get c() { # } })",
    "/[/'\"`{]/g",
    "`t ${@} }`",
    "'s}\\''",
    "\"{\"",
    "1.5e3",
    "new A(@)",
    "function named() { # }",
    "async function () { # }",
    "(a, { b } = {}) => @",
    "async x => { # }",
    "class { m() { # } static F = @; g = () => @ }",
    "(@, @)",
    "!@",
    "a ? @ : @",
    "-@ / @",
    "typeof @",
    "a.b = @",
    "x = @",
    "void 0",
    "@ || @",
    "undefined",
    "A.prototype.p = @",
    "this.q = @",
    "exports.R = @",
    "{ a() { # }, LOUD: @, 'k': @ }.x",
    "new class { n() { # } }",
    "await @",
];
/// Statements. `@` is an operand, `#` a statement.
const STATEMENTS: &[&str] = &[
    "x = @;",
    "const C1 = @, c2 = @;",
    "let l = @\n",
    "var V = @;",
    "if (@) { # } else #",
    "for (const x of [@]) { # }",
    "for (let i = 0; i < 3; i++) #",
    "while (a) { # }",
    "do { # } while (a)\n",
    "switch (@) { case 1: # default: # }",
    "try { # } catch (e) { # } finally { # }",
    "{ # }",
    "label: { # }",
    "function decl(a = () => { # }) { # }",
    "async function* gen() { # }",
    "class K extends L { constructor() { # } m() { # } static s = @; #p = @\n get g() { # } }",
    "/** Documented. */\nfunction d() { # }",
    "// A comment.\n// More of it.\nconst F = () => { # };",
    "f(@);",
    "(function () { # })();",
    "exports.e = @;",
    "module.exports = @;",
    "P.prototype = { a() { # }, b: @ };",
    "Q.r = function () { # };",
    "this.t = @;",
    "; /* c */",
    "const o = { m() { # }, n: function () { # }, k: @ };",
    "a.b.c = @, d.e = @;",
    "throw @;",
    "x = /re/ / 2;\n",
];
/// Statements with types.
const TYPED: &[&str] = &[
    "interface I<T = {}> extends J<T> { /** M. */ m<U>(a: U): void; p: { q(): void }\n get g(): string; (c: T): T }",
    "type T<U> = U extends (infer R)[] ? { a: () => R } : `x${string}`;",
    "enum E { A, B = '}' }",
    "declare const D: string;",
    "namespace N.M { # }",
    "function o(a: string): void;\nfunction o(a: any) { # }",
    "abstract class B { abstract m(): void; # \n}",
    "const g = <T,>(x: T): x is string => { # };",
    "const u = x as unknown as Map<string, number>;",
    "let z: (a: number) => void = @;",
    "class G<T> implements I<T> { private readonly a?: string; constructor(private b: T, public c = @) { # }\n get v(): T { # } m?<U>(): U { # } static #x: T = @; }",
    "const t = a ? (b) : (c: number): number => @;",
    "declare global { interface W { x: number } }",
    "const s = { m(a: string): void { # } } satisfies S;",
    "f<string>(@); if (a < b && c > d) { # }",
    "@dec({ a: @ })\nclass Dec { @In() x: string = @; @On('e') h(): void { # } }",
];

fn statement(random: &mut Random, typed: bool, depth: usize) -> String {
    let text = match random.below(if typed { 46 } else { STATEMENTS.len() }) {
        at if at < STATEMENTS.len() => STATEMENTS[at],
        at => TYPED[at - STATEMENTS.len()],
    };
    // `abstract class B` has members where others have statements.
    let text = text.replace("# \n}", "n() { # } }");
    fill(random, typed, &text, depth)
}

fn fill(random: &mut Random, typed: bool, text: &str, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['@', '#']) {
        let (before, mark) = rest.split_at(at);
        out.push_str(before);
        let next = mark[1..].bytes().next().unwrap_or(b' ');
        if next.is_ascii_alphabetic() {
            out.push_str(&mark[..1]); // `@dec`, `#p`
        } else if mark.starts_with('#') {
            let line = random.pick(&["", "\n", " "]);
            out.push_str(line);
            out.push_str(&if depth > 3 {
                ";".to_owned()
            } else {
                statement(random, typed, depth + 1)
            });
            out.push_str(line);
        } else if depth > 3 {
            out.push('a');
        } else {
            let one = random.pick(OPERANDS);
            let one = fill(random, typed, one, depth + 1);
            // An operand alone may stand anywhere, an operator or an object only in brackets.
            let open = !out.ends_with(['(', '[', ' ']) || one.contains(" ? ");
            let bare = out.ends_with("= ") && random.below(2) == 0 && !one.starts_with('{');
            out.push_str(&if open || !bare { format!("({one})") } else { one });
        }
        rest = &mark[1..];
    }
    out + rest
}

/// Programs that the grammars read without an error, nearly all of them: where the two differ the scanner is to
/// have said that it is not sure, so that few may be left out.
#[test]
fn scanner_and_grammar_agree_on_random_programs() {
    for language in ["javascript", "typescript", "tsx"] {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut sure, all) = (0, 400 * rounds());
        for _ in 0..all {
            let count = 1 + random.below(4);
            let program: String = (0..count)
                .map(|_| statement(&mut random, language != "javascript", 0) + "\n")
                .collect();
            if let Ok(ours) = scanned(language, &program) {
                sure += 1;
                assert_eq!(told(&ours), told(&parsed(language, &program)), "{language}\n{program}");
                assert_eq!(ours, parsed(language, &program), "{language}\n{program}");
            }
        }
        assert!(sure * 100 >= all * 99, "{language}: sure of {sure} of {all}");
    }
}

#[test]
fn it_is_not_sure_of_what_is_no_program() {
    for (language, source) in [
        ("javascript", "function f() {"),
        ("javascript", "f())"),
        ("javascript", "f(]"),
        ("javascript", "x = 'a\n"),
        ("javascript", "x = `a ${b"),
        ("javascript", "x = /a\n"),
        ("javascript", "/* a"),
        ("javascript", "a b"),
        ("javascript", "x = <a><b></a>"),
        ("javascript", "x = <a>{b</a>"),
        ("javascript", "const a: string = b"),
        ("javascript", "type A = string"),
        ("javascript", "function f(): void {}"),
        ("javascript", "class A { x: string }"),
        ("javascript", "<<<<<<< ours"),
        ("javascript", "a ? b"),
        ("javascript", "@dec x"),
        ("javascript", "if (a"),
        ("javascript", "x = { a b }"),
        ("typescript", "type A = "),
        ("typescript", "interface A { a: }"),
        ("typescript", "interface A { m("),
        ("typescript", "enum A {"),
        ("typescript", "class A<T { }"),
        ("typescript", "declare declare x"),
        ("typescript", "const a = <b>c</b>"),
    ] {
        assert!(scanned(language, source).is_err(), "{language}: {source}");
        let either = outline_by(Means::Either, language, source.as_bytes()).unwrap();
        assert_eq!(either.symbols, parsed(language, source), "{source}");
    }
}

/// What the grammars read otherwise than the language has it, or not at all. When one of these fails because the
/// grammar has been mended, it may go to the recorded sources.
#[test]
fn it_is_right_where_the_grammar_is_not() {
    for (language, source, expected) in [
        // The type arguments of an import, which is most of what differs in declarations.
        (
            "typescript",
            "declare const a: import(\"b\").C<\n  D\n>;\ninterface E {}\n",
            "constant a 1-3, interface E 4-4",
        ),
        ("typescript", "export default function (): { a: string };\n", "function default 1-1"),
        // A line break may stand behind `get`.
        ("javascript", "class A { get\nb() {} }", "class A 1-2, property A.b 1-2"),
        (
            "typescript",
            "const a = <const T,>(b: T) => b, c = f<<T>(d: T) => T>(e), G = 1\n",
            "function a 1-1",
        ),
    ] {
        let ours = scanned(language, source).unwrap();
        assert_eq!(told(&ours), expected, "{source}");
    }
    // A comment behind `export` is no part of the signature.
    let found = scanned("javascript", "export /* pure */ function f() {}").unwrap();
    assert_eq!(found[0].signature, "export function f()");
}

/// What stands before the first of several names is about all of them.
#[test]
fn every_name_of_a_list_is_exported_and_constant() {
    for (language, source, expected) in [
        (
            "javascript",
            "export const a = 1, b = 2,\n  { c } = d, e = {}, f = () => { const G = 1, H = 2; }, i = 3;\nlet j = 1, K = 2;\n",
            "constant a 1-1, constant b 1-1, constant e 2-2, function f 2-2, constant i 2-2",
        ),
        (
            "javascript",
            "const AA = 1, BB = 2, c = 3, d = {};\n",
            "constant AA 1-1, constant BB 1-1, constant d 1-1",
        ),
        (
            "javascript",
            "export let a, b; const CC = 1;\nvar D, e = 2",
            "variable a 1-1, variable b 1-1, constant CC 1-1",
        ),
        ("typescript", "declare const a: number, b: string;\n", "constant a 1-1, constant b 1-1"),
        (
            "typescript",
            "export namespace N { export const a = 1, b = 2 }\nexport var c = 1, d = 2;\n",
            "namespace N 1-1, constant N.a 1-1, constant N.b 1-1, variable c 2-2, variable d 2-2",
        ),
        (
            "tsx",
            "export const a = <b/>, c = <d>{() => { let e, F }}</d>;\n",
            "constant a 1-1, constant c 1-1",
        ),
    ] {
        assert_eq!(told(&scanned(language, source).unwrap()), expected, "{source}");
        assert_eq!(scanned(language, source).unwrap(), parsed(language, source), "{source}");
    }
    let found = scanned("javascript", "export const a = 1, b = 2;").unwrap();
    assert_eq!([&*found[0].signature, &*found[1].signature], ["export const a = 1", "b = 2"]);
}

/// As large as many a bundle: what looks at a byte more than a few times would not come back.
#[test]
fn hostile_sources_come_back() {
    const SIZE: usize = if cfg!(debug_assertions) { 1 << 17 } else { 1 << 20 };
    let pieces = [
        "(",
        "[",
        "{",
        "}",
        ")",
        "`${",
        "`",
        "${",
        "a=>",
        "(a)=>",
        "a?",
        "a?b:",
        "!",
        "-",
        "new ",
        "await ",
        "a=",
        "a.b=",
        "a.b=c.d=function(){},",
        "if(a)",
        "else ",
        "if(a);else ",
        "for(;;)",
        "function f(){",
        "class A{",
        "class A{a=",
        "class A{@b ",
        "@a ",
        "<a>",
        "<a b=",
        "<a>{",
        "</a>",
        "<>",
        "a<",
        "a<(b,",
        "a<{b:",
        "a<b>",
        "a<b>c",
        "async<a>",
        "<T>(",
        "type A=",
        "type A=A<",
        "type A=(",
        "A|",
        "interface A{",
        "a:",
        "{a:",
        "({a(){",
        "declare ",
        "namespace A{",
        "export default ",
        "export ",
        "import ",
        "case a:",
        "/",
        "/a",
        "/*",
        "//",
        "/**/",
        "'",
        "\"",
        "\\",
        "\\u{",
        "#",
        "a as ",
        "a!",
        "a?.",
        "...",
        "get ",
        "static ",
        "async ",
        "yield ",
        "a\n",
        "a\n/**/",
        "x.y=/**/",
        "const a=",
        "const {",
        "const a=1,",
        "exports.A=",
        "exports.a=exports.",
        "0x",
        "\u{a0}",
        "class A extends ",
        "class A extends B<{",
        "(a:b):",
        "a?(b):",
        "try{",
        "do ",
        "switch(a){",
        "let as ",
        "abstract class ",
    ];
    for language in ["javascript", "typescript", "tsx"] {
        for piece in pieces {
            for start in ["", "x = "] {
                let source = start.to_owned() + &piece.repeat(SIZE / piece.len());
                let _ = scanned(language, &source);
            }
        }
    }
}

/// The parser calls itself; how deep is bounded, whatever the text is, so that a small stack is enough.
#[test]
fn nesting_does_not_overflow_a_small_stack() {
    const STACK: usize = if cfg!(debug_assertions) { 2 << 20 } else { 384 << 10 };
    let pieces = [
        "(",
        "[",
        "{",
        "a=>",
        "`${",
        "if(a)",
        "function f(){",
        "function f(a=",
        "class A{a=",
        "class A{m(){",
        "class A{[",
        "x={a(){",
        "x={a:",
        "<a b={",
        "<a>{",
        "x=function(){",
        "namespace A{",
        "class A extends B<{m(a=",
        "@a(",
        "f(@a(",
        "a[",
        "a(",
        "class A extends class{m(){",
        "x=<a>{<b c=",
        "interface A{m(a=",
        "(class{@a(",
        "for(;a(()=>{",
        "label:",
        "export default class{a=",
        "(async()=>{",
        "(a=>a(b=>{",
        "a?a=>",
        "switch(a){case a(()=>{",
        "try{a(function(){",
        "declare namespace A{",
        "else if(a){",
        "do ",
        "a=b?",
        "new (",
        "await ",
        "async(",
        "import(",
        "@(",
    ];
    let read = move || {
        for language in ["javascript", "typescript", "tsx"] {
            for piece in pieces {
                for start in ["", "x="] {
                    let _ = scanned(language, start.to_owned() + &piece.repeat(5_000));
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(STACK).spawn(read).unwrap().join().unwrap();
}
