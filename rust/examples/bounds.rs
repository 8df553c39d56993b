//! What hostile sources cost: `cargo run --release --example bounds [language [size]]`.
//!
//! Every piece is repeated to two sizes, the second four times the first. A line is printed where the time per
//! byte grew to more than double, or where a source took longer than a second: what is linear prints nothing.

#![expect(clippy::print_stdout, reason = "what was measured is for the reader of a run by hand")]

use std::time::Duration;

use currant::clock::Clock;
use currant::outline::{Outline, languages, outline};

/// Openers, separators and definitions of all the languages: each may be hostile to any of them.
const PIECES: &[&str] = &[
    "(",
    "[",
    "{",
    "<",
    ")",
    "]",
    "}",
    ">",
    "\"",
    "'",
    "`",
    "/*",
    "//",
    "*/",
    "#",
    "\\",
    "\\\n",
    "$(",
    "${",
    "$((",
    "<<a\n",
    "<<a ",
    "<!--",
    "```\n",
    "\"\"\"",
    "'''",
    "a",
    "a ",
    "a\n",
    "\n",
    " ",
    "\t",
    "\n ",
    "\r",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{e9}",
    "a.",
    "a,",
    "a;",
    "a:",
    "a=",
    "a=1\n",
    "a(",
    "a[",
    "a{",
    "a<",
    "(a,",
    "[a,",
    "{a:",
    "a::",
    "=> ",
    "? a : ",
    "x=(",
    "if(",
    "if a {",
    "else if(a){",
    "case x in ",
    "class A{",
    "class A:\n ",
    "class A{a(){}}\n",
    "def f():\n\t",
    "def f(): pass\n",
    "def f; end\n",
    "function f(){",
    "function f(){}\n",
    "fn f(){",
    "fn f(){}\n",
    "func f(){",
    "func f(){}\n",
    "f() {\n",
    "f() { :; }\n",
    "int f(){}\n",
    "int f(){",
    "void A::f(){}\n",
    "namespace a{",
    "namespace a;",
    "struct A{",
    "enum A{",
    "#if 1\n",
    "#if 0\n",
    "#ifdef A\n#else\n",
    "#else\n",
    "#endif\n",
    "#define A(x) x\\\n",
    "#define A 1\n",
    "#include <a>\n",
    "@a ",
    "@a(",
    "#[a]\n",
    "/** a */\n",
    "// a\n",
    "# a\n",
    "## a\n",
    "###### a\n",
    "a\n===\n",
    "a\n---\n",
    "- ",
    "- a\n",
    "> ",
    "> a\n",
    "1. ",
    "[a](b)",
    "![",
    "* ",
    "| a ",
    "<a>",
    "<div>{",
    "{`",
    "`${",
    "f'{",
    "r#\"",
    "readonly A=1\n",
    "A=1\n",
    "=begin\n",
    "=end\n",
    "__END__\n",
    "<?php ",
    "?>",
    "#{",
    "%w(",
    "/a/",
    "&&",
    "|| ",
    "!",
    "-",
    "--",
    "+",
    "*",
    "**",
    "&",
    "%",
    "^",
    "~",
    "->",
    "template<",
    "operator",
    "typedef ",
    "const a = () => {}\n",
    "var a, ",
    "let ",
    "await ",
    "new ",
    "return ",
    "\u{2028}",
    "\u{1F600}",
];

fn time(language: &str, source: &[u8]) -> (Duration, String) {
    let mut best = Duration::MAX;
    let mut what = String::new();
    for _ in 0..2 {
        let clock = Clock::start();
        let found = outline(language, source);
        let took = clock.now();
        what = match found {
            Ok(Outline { partial: Some(partial), .. }) => partial.to_string(),
            Ok(outline) => format!("{} definitions", outline.symbols.len()),
            Err(error) => error.to_string(),
        };
        best = best.min(took);
        if took > Duration::from_millis(300) {
            break;
        }
    }
    (best, what)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let size: usize = arguments.get(1).and_then(|size| size.parse().ok()).unwrap_or(100_000);
    for (language, _) in languages() {
        if arguments.first().is_some_and(|wanted| wanted != language && wanted != "all") {
            continue;
        }
        let (mut worst, mut worst_piece) = (Duration::ZERO, "");
        for piece in PIECES {
            let source = |size: usize| piece.repeat(size / piece.len()).into_bytes();
            let (small, _) = time(language, &source(size));
            let (large, what) = time(language, &source(4 * size));
            let growth = large.as_secs_f64() / small.as_secs_f64().max(1e-4);
            if growth > 8.0 || large > Duration::from_secs(1) {
                println!(
                    "{language:10} {piece:?}: {small:.1?}, {large:.1?} ({growth:.1} times): {what}"
                );
            }
            if large > worst {
                (worst, worst_piece) = (large, piece);
            }
        }
        println!("{language:10} worst of {} bytes: {worst:.1?} for {worst_piece:?}", 4 * size);
    }
}
