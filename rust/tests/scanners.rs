//! Scanners beside the grammars in whose place they stand: the same outline, field by field.
//!
//! `rust/tests/outline/scanned/` has sources by language with what is hard about it; the fixtures of the outlines
//! are compared, too, and then pieces of all of them, put together and changed at random. Where a scanner is not
//! sure there is nothing to compare, and a test says which sources that may be.

#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod kit;

use currant::outline::{Means, Symbol, outline_by, scanned_languages};
use kit::{Random, first_difference, full_name, parsed, recorded, rounds, scanned};

#[test]
fn scanner_and_grammar_agree_on_every_recorded_source() {
    for language in scanned_languages() {
        for (file, source) in recorded(language) {
            for source in [source.clone(), source.replace('\n', "\r\n")] {
                let ours = scanned(language, &source);
                let ours = ours.unwrap_or_else(|reason| panic!("{file}: not sure: {reason}"));
                let difference = first_difference(&ours, &parsed(language, &source));
                assert!(difference.is_none(), "{file}: {}", difference.unwrap_or_default());
            }
        }
    }
}

/// Lines of Python, out of which programs are made that no grammar has an error in.
const LINES: &[&str] = &[
    "x = 3",
    "LIMIT = 3  # trailing",
    "ONE = TWO = (1,\n  2)",
    "A_, B_ = 1, 2",
    "name: int = 3",
    "T_ = TypeVar(\"T_\")",
    "F_ = lambda a, b=1: a",
    "pass; SEMI = 3; y = 4",
    "call(a, # comment (\n b)",
    "type Alias[T] = list[T]",
    "\"\"\"A string\n  def no(): pass\n\"\"\"",
    "'one' \"two\"",
    "s = f\"{a['b']:>{c}} {{}}\"",
    "s = rb'''a\n\\''''",
    "return_ = a[1:2] if b else {1: 2}",
    "z = 1 \\\n    + 2",
    "# a comment",
    "# another",
    "  # indented",
    "",
    "\t",
    "match = 3",
    "print(x)",
    "del x",
];
/// Heads of blocks.
const HEADS: &[&str] = &[
    "def f():",
    "def g(a: int = 3, *b, # c\n   d=':') -> {1: 2}:  # trailing",
    "async def h(): # comment",
    "class C:",
    "class D(Base, metaclass=M):",
    "@property\ndef p(self):",
    "@dec(1)\n# between\n@x.setter\ndef q(self, v):",
    "def __init__(self):",
    "if x:",
    "while (a\n   and b):",
    "for a in b:",
    "with a as b, c as d:",
    "if x: pass\nelse:",
    "try: pass\nfinally:",
];

/// A program of random lines and blocks.
fn program(random: &mut Random) -> String {
    let mut out = String::new();
    let mut indents = vec![String::new()];
    let mut opens = false;
    for _ in 0..5 + random.below(40) {
        if opens {
            let step = ["  ", "    ", "\t"][random.below(3)];
            // A block is one kind of white space, as Python wants it.
            let around = indents.last().unwrap().clone();
            let step = if around.starts_with('\t') || around.is_empty() { step } else { "  " };
            let step = if around.starts_with('\t') { "\t" } else { step };
            indents.push(format!("{around}{step}"));
            opens = false;
        } else {
            indents.truncate(1 + random.below(indents.len() + 2).min(indents.len() - 1));
        }
        let indent = indents.last().unwrap().clone();
        let head = random.below(3) == 0;
        let text =
            if head { HEADS[random.below(HEADS.len())] } else { LINES[random.below(LINES.len())] };
        // What is one logical line keeps its breaks; what is several gets the indentation in each.
        let joined = text.contains("\"\"\"") || text.contains("'''") || text.ends_with(" + 2");
        let text =
            if joined { text.to_owned() } else { text.replace('\n', &format!("\n{indent}")) };
        out.push_str(&indent);
        out.push_str(&text);
        out.push('\n');
        if head && random.below(4) == 0 {
            out.truncate(out.len() - 1);
            match text.contains('#') {
                true => out.push_str(&format!("\n{indent} pass\n")),
                false => out.push_str(" INLINE = 'doc'; type Inner = int\n"),
            }
        } else if head {
            // The first line is a statement: a block of comments is no block.
            let text = ["'''A docstring.'''", "pass", "X1 = 3", "'a'; b = 3"][random.below(4)];
            let step = if indent.contains('\t') { "\t" } else { "  " };
            out.push_str(&format!("{indent}{step}{text}\n"));
            indents.push(format!("{indent}{step}"));
        }
    }
    out
}

#[test]
fn scanner_and_grammar_agree_on_random_python() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..500 * rounds() {
        let source = program(&mut random);
        let ours = scanned("python", &source);
        let ours = ours.unwrap_or_else(|reason| panic!("not sure: {reason}\n{source}"));
        let difference = first_difference(&ours, &parsed("python", &source));
        assert!(difference.is_none(), "{}\n{source}", difference.unwrap_or_default());
    }
}

/// What Python itself would refuse, or what is beyond a bound.
#[test]
fn the_scanner_of_python_knows_when_it_is_not_sure() {
    let deep = format!("x = {}", "(".repeat(2000));
    for (source, reason) in [
        ("x = (1,\n", "a bracket is not closed"),
        ("x = (1]\n", "brackets do not match"),
        ("x = 1)\n", "brackets do not match"),
        ("x = 'a\n", "a string does not end on its line"),
        ("x = 'a", "a string does not end"),
        ("x = '''a\n", "a string does not end"),
        ("x = f'{a\n", "a string does not end"),
        ("x = f'{a]}'\n", "brackets do not match"),
        ("x = f'{a:'\n", "a string ends in a format"),
        ("def f():\n", "a block is missing"),
        ("def f():\nx = 3\n", "a block is missing"),
        ("def f():\n    # only a comment\n", "a block is missing"),
        ("x = 3\n  y = 4\n", "a line is indented that opens no block"),
        ("if x:\n    y\n  z\n", "a line is indented like none before"),
        ("def (x): pass\n", "a definition without a name"),
        ("def f()\n    pass\n", "a head without a colon"),
        ("if x\n    pass\n", "a head without a colon"),
        ("@a\nx = 3\n", "decorators of nothing"),
        ("@a\n", "decorators of nothing"),
        ("<<<<<<< ours\n", "a line that begins like no statement"),
        ("x = `a`\n", "a character that Python does not know"),
        ("x = \\ 3\n", "a backslash that joins no lines"),
        ("x = 3\ry = 4\n", "a carriage return that ends no line"),
        (&deep, "brackets are nested too deeply"),
    ] {
        assert_eq!(scanned("python", source), Err(reason.to_owned()), "{source:?}");
        let either = outline_by(Means::Either, "python", source.as_bytes());
        assert_eq!(either.unwrap().symbols, parsed("python", source), "{source:?}");
    }
}

/// Where the grammar errs, by what Python's own parser says: inside of brackets indentation means nothing.
#[test]
fn the_scanner_of_python_is_right_where_the_grammar_is_not() {
    let source =
        "class A:\n    def f(self):\n        x = (a.\n  b\n        )\n    def g(self): pass\n";
    let full = |one: &Symbol| format!("{} {}-{}", full_name(one), one.start, one.end);
    let ours = scanned("python", source).unwrap();
    let told: Vec<String> = ours.iter().map(full).collect();
    assert_eq!(told.join(", "), "A 1-6, A.f 2-5, A.g 6-6");
    assert_ne!(ours, parsed("python", source), "mended?");
}
