//! The scanners of PHP and Ruby beside their grammars: the same outline, field by field, wherever the tree has no error; and
//! what they say where they are not sure.
//!
//! `rust/tests/outline/scanned/` has what is hard about the languages. Here its lines are also moved, doubled and
//! left out at random, and small programs are put together from pieces.

#![cfg(feature = "outline")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod kit;

use currant::fuzz::check;
use currant::outline::{Means, OutlineError, Symbol, outline, outline_by};
use kit::{Random, first_difference, full_name, parsed, recorded, rounds, scanned};

const LANGUAGES: [&str; 2] = ["php", "ruby"];

fn has_error(language: &str, source: &str) -> bool {
    error_row(language, source).is_some()
}

/// The line of the first error in the tree, from 0.
fn error_row(language: &str, source: &str) -> Option<usize> {
    let mut parser = tree_sitter::Parser::new();
    let grammar = match language {
        "php" => tree_sitter_php::LANGUAGE_PHP,
        _ => tree_sitter_ruby::LANGUAGE,
    };
    parser.set_language(&grammar.into()).unwrap();
    let tree = parser.parse(source, None).unwrap();
    let mut node = tree.root_node();
    if !node.has_error() {
        return None;
    }
    loop {
        let mut cursor = node.walk();
        match node.children(&mut cursor).find(tree_sitter::Node::has_error) {
            Some(child) => node = child,
            None => return Some(node.start_position().row),
        }
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
fn the_recorded_sources_have_no_errors() {
    for language in LANGUAGES {
        for (_, source) in recorded(language) {
            let row = error_row(language, &source);
            assert_eq!(row, None, "{language}: {:?}", source.lines().nth(row.unwrap_or(0)));
            let result = compare(language, &source);
            assert_eq!(result, Some(Ok(())), "{:?}", scanned(language, &source).err());
        }
    }
}

#[test]
fn they_agree_when_lines_are_moved_doubled_and_left_out() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for language in LANGUAGES {
        let mut compared = 0;
        for (_, source) in recorded(language) {
            for _ in 0..100 * rounds() {
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
                assert_eq!(result, Ok(()), "{}", result.clone().unwrap_err());
            }
        }
        assert!(compared > 50, "{language}: {compared}");
    }
}

/// Pieces that stand alone in a file or a function.
const PHP: &[&str] = &[
    "function f(array $a = [')'], ?B $b = null): ?C { @ }",
    "function &g() { @ }",
    "abstract class A extends \\B implements C, D { # }",
    "final class E { # }",
    "interface I extends J { function a(); const B = '}'; }",
    "trait T { # }",
    "enum F: string implements I { case A = 'a'; case B = \"}\"; # }",
    "const G = [1, ';'], H = 'I' . \"{$a['}']}\";",
    "define('J', fn() => 1);",
    "if (!defined('K')) { define(\"K\", function () { @ }); }",
    "$a = function (int $b) use (&$c): int { @ };",
    "$a = static fn(A|B $b = new C(')')) => define('NO', 1);",
    "$a = new class(1) extends B { function no() { } };",
    "if ($a / 2 > 3): @ elseif ($b): @ else: @ endif;",
    "foreach ($a as $b => $c) { @ }",
    "switch ($a) { case 1: @ break; case B::C: default: @ }",
    "$a = match (true) { $b < 3, 4 => 'c', default => 5 };",
    "$a = <<<B\n  } function no() { \" {$c['d']}\n  B . '\"';",
    "$a = <<<'B'\n$c {$d\nB;",
    "?> isn't { <?= $a['b'] ?> # <?php",
    "$a->function()->class['b']::$c; A::class; $a?->define('NO', 2);",
    "`ls {$a[\"`\"]}`;",
    "use A\\{B, C as D};",
    "/** Documented.\n * Twice. */",
    "// A comment, is it?",
    "# Another.",
    "#[Attribute(']')]\nfunction h() {}",
    "label: echo '\\\\', \"\\\\\", \"\\\"\";",
    "",
];
/// Pieces of a class.
const MEMBERS: &[&str] = &[
    "public function a(private readonly int $a = 3, #[B('{')] public $c = []) { @ }",
    "function __construct() { parent::__construct(); }",
    "abstract protected static function &list(): static;",
    "public const int A = 1, B = self::A;",
    "const C = ['}', /* ; */ 2];",
    "private ?array $d = ['a' => [1, \"}\"]], $e;",
    "public private(set) string $f { get => '}'; set { $this->f = $value; } }",
    "var $g = <<<H\n}\nH;",
    "use T;",
    "/** Documented. */",
    "# By a hash.",
    "#[I]\n#[J(1)]",
    "",
];

/// Pieces of Ruby that stand alone anywhere but in a method.
const RUBY: &[&str] = &[
    "module A\n @ \nend",
    "class B < C::D\n @ \nend",
    "class E; end",
    "class << self\n @ \nend",
    "def f(a, b = {}, *c, d: ')', &e)\n % \nend",
    "def g a, b = 1\n % \nend",
    "def self.h; % \nend",
    "def K.i(j) = k(j) { |l| m }",
    "private def value=(v) % \nend",
    "def [](a) = b[a]",
    "def ==(a) a end",
    "def if?\n % \nrescue A, B => c\n % \nensure\n % \nend",
    "L = Struct.new(:a, :b) do\n @ \nend",
    "M = Class.new(N) { def o; end }",
    "P = [Q = 1, R = {a: 2}]",
    "S = <<~T.strip\n  end #{a { \"}\" }}\n  def no\nT",
    "U = a ? %w[b end] : /c'/ if d",
    "describe \"a\" do\n @ \nend",
    "attr_reader :a, :if, :end",
    "# Documented,\n# twice.",
    "=begin\nDocumented.\n=end",
    "alias end begin",
    "",
];
/// Pieces of a method of Ruby.
const STATEMENTS: &[&str] = &[
    "if a then b else c end",
    "return unless a / b > 1",
    "x = if a\n % \nelsif b\n % \nend",
    "while a do b end",
    "until a && b\n % \nend",
    "for i in 0...9 do % \nend",
    "begin\n % \nend while a",
    "case a\nwhen 1, \"b\" then c\nelse\n % \nend",
    "a.each do |b, (c, d)|\n % \nend",
    "a { |b| b | c }.\n  end",
    "a\n  .b # c\n  # d\n  &.if(1)",
    "foo(<<-A, <<~'B', 1)\n end #{a}\n A\n def no\n B",
    "a[1] / 2; @b / 3; c / d # /",
    "p ?a, :if, :\"b #{c}\", { end: 1, \"def\": 2 }",
    "puts \"a #{b \"c #{d}\"} }\" 'e'",
    "x = y ? 'z' : %q(w (v))",
    "a << <<~C\n  end\nC",
    "-> (a) do b end",
    "yield self, nil if block_given?",
    "x += 1 while y; redo until z",
    "def inner; end",
    "%i[a b].each { |c| d(/#{c}\\//) }",
    "",
];

/// A program of random pieces. A sign between spaces is a place for more of them.
fn program(random: &mut Random, pieces: &[&str], depth: usize) -> String {
    let mut out = String::new();
    for _ in 0..random.below(if depth == 0 { 12 } else { 4 }) {
        let piece = *random.pick(pieces);
        let ruby = std::ptr::eq(pieces, RUBY) || std::ptr::eq(pieces, STATEMENTS);
        for (at, part) in piece.split(' ').enumerate() {
            out.push_str(if at == 0 { "" } else { " " });
            let inner = match part {
                "@" if ruby => RUBY,
                "%" if ruby => STATEMENTS,
                "@" => PHP,
                "#" if !piece.starts_with('#') && !ruby => MEMBERS,
                _ => {
                    out.push_str(part);
                    continue;
                }
            };
            if depth < 4 {
                out.push('\n');
                out.push_str(&program(random, inner, depth + 1));
            }
        }
        out.push('\n');
    }
    // Attributes stand before something.
    out.push_str(if std::ptr::eq(pieces, MEMBERS) { "function last();\n" } else { "" });
    out
}

#[test]
fn they_agree_on_random_programs() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for (language, pieces) in [("php", PHP), ("ruby", RUBY), ("ruby", STATEMENTS)] {
        let mut compared = 0;
        for _ in 0..600 * rounds() {
            let head = if language == "php" { "<?php\n" } else { "" };
            let source = format!("{head}{}", program(&mut random, pieces, 0));
            if has_error(language, &source) {
                continue;
            }
            let sure = scanned(language, &source);
            assert!(sure.is_ok(), "{sure:?}\n{source}");
            compared += 1;
            let result = compare(language, &source);
            assert_eq!(result, Some(Ok(())), "{}", result.clone().unwrap().unwrap_err());
        }
        assert!(compared > 200, "{language}: {compared}");
    }
}

#[test]
fn they_know_when_they_are_not_sure() {
    let deep = format!("<?php {}", "(".repeat(2000));
    let strings = format!("<?php {}", "\"{$a[".repeat(50));
    let blocks = "begin ".repeat(2000);
    let holes = "\"#{".repeat(50);
    let heres = "<<A, ".repeat(200);
    for (language, source, reason) in [
        ("php", "<?php function f() {", "a bracket that is not closed"),
        ("php", "<?php function f() { (] }", "a bracket that closes another one"),
        ("php", "<?php } ", "a bracket that was not opened"),
        ("php", "<?php $a = 'b;", "a string without an end"),
        ("php", "<?php $a = \"{$b\";", "a string without an end"),
        ("php", "<?php $a = <<<B\nb", "a string without an end"),
        ("php", "<?php /* ", "a comment without an end"),
        ("php", "<?php class {", "a type without a name"),
        ("php", "<?php class A;", "a type without a body"),
        ("php", "<?php function f();", "a function without a body"),
        ("php", "<?php class A { what is this; }", "a member of an unknown kind"),
        ("php", "<?php class A { 3 }", "a member of an unknown kind"),
        ("php", "<?php class A { public }", "a member of an unknown kind"),
        ("php", "<?php final const A = 1;", "a modifier of no class"),
        ("php", "<?php public $a;", "a member outside of a type"),
        ("php", "<?php namespace 3;", "a namespace of an unknown kind"),
        ("php", "<?php const A = 3", "a declaration without an end"),
        ("php", &deep, "brackets nested too deep"),
        ("php", &strings, "strings nested too deep"),
        ("ruby", "def f", "a block that is not closed"),
        ("ruby", "def f; (] end", "a bracket that closes another one"),
        ("ruby", "foo(end)", "an end inside of brackets"),
        ("ruby", "foo { begin }", "a bracket that closes a block"),
        ("ruby", "foo)", "a bracket that was not opened"),
        ("ruby", "end", "an end of nothing"),
        ("ruby", "a = \"#{b", "a string without an end"),
        ("ruby", "a = %w[b", "a string without an end"),
        ("ruby", "a = <<~B\n c", "a here-document without an end"),
        ("ruby", "a = <<~B", "a here-document without an end"),
        ("ruby", "a(<<~B, \"c\nd\")\nB\n", "a here-document in a string"),
        ("ruby", "a = \"#{<<~B}\"\nB\n", "a here-document in a string"),
        ("ruby", "a /b\n/", "a division or a regular expression"),
        ("ruby", "=begin\n", "a comment without an end"),
        ("ruby", "class a.b\nend", "a class or module without a name"),
        ("ruby", "class A<%= b %> < C\nend", "a template"),
        ("ruby", "class A < B do end\nend", "a block in a head"),
        ("ruby", "def (a).b; end", "a method of an unknown kind"),
        ("ruby", "A = Class.new do end.new", "a class that is used where it is made"),
        ("ruby", "A = Class.new { } # b\n  &.c", "a class that is used where it is made"),
        ("ruby", &blocks, "blocks nested too deep"),
        ("ruby", &holes, "strings nested too deep"),
        ("ruby", &heres, "too many here-documents"),
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
        ("php", "<?php function readonly($a) { }", "readonly 1-1 [function readonly($a)]"),
        (
            "php",
            "<?php class A { const int CONST = 1; }",
            "A 1-1 [class A]; A.CONST 1-1 [const int CONST = 1]",
        ),
        (
            "php",
            "<?php function f() {} __halt_compiler(); function no() { '",
            "f 1-1 [function f()]",
        ),
        ("ruby", "class A\n  private :b, :b=\nend", "A 1-3 [class A]"),
        ("ruby", "def a; b <<c; d ?e : f; end", "a 1-1 [def a]"),
        ("php", "<?xml version='1.0'?><?php function f() {}", "f 1-1 [function f()]"),
    ] {
        assert_eq!(told(language, source), expected, "{source}");
    }
}

/// Sources that would take the square of their size if anything were looked at again and again.
#[test]
fn hostile_sources_come_back() {
    const PHP: &str = "\"{$a|\"{$|<<<A\n|<<<|'|`|/*|#[|#|?>|<?php |<?|{|(|fn(|fn()=>|function(|function f(|\
        function f(){|function() use(|new class(|new class{|new |class A{|class A{const A=|\
        class A{function f(|class A{use |class A{public $a=|class A{public $a{|class A |enum A |\
        namespace a;|namespace a{|namespace |use |const A=|const A=(|const A,|define('|define('a',|\
        define(|define('a'+|$a->|a::|abstract |#[A]|a:|a?b:|define('a',fn()=>|match(a){|\
        class A{case |function f():|fn():";
    const RUBY: &str = "\"#{|\"#|'|`|/|a /|%w[|%|<<A\n|<<A,|<<'a' |<<\"|?|:|:\"|a\n|a\n#\n|a\n\n.b|a\n\n|\
        A=|A=1,|(A=|[A=1,|A=Struct.new(|A=Struct.new(1) |A=Class.new do |def f|def f(|def f a,|\
        def f=|def f()=|def a.|def |class A<|class A\n|class A<B(|class <<|module A::|module A\n|\
        if |while |while a do |do |{|(|[|->|alias a |undef a,|__END__ |=begin\n|begin\n|end\n|a.|\
        # a\n|a # b\n|A = # b\n|a ? b :|%q(|$|@|\\\n|&.|rescue |return if |#{";
    for (language, pieces) in [("php", PHP), ("ruby", RUBY)] {
        for piece in pieces.split('|') {
            let head = if language == "php" { "<?php " } else { "" };
            for tail in ["", " end"] {
                let source = format!("{head}{}{tail}", piece.repeat(400_000 / piece.len()));
                match outline_by(Means::Scan, language, source.as_bytes()) {
                    Ok(found) => check(language, source.as_bytes(), &found),
                    Err(error) => assert!(matches!(error, OutlineError::Unsure(_)), "{error}"),
                }
            }
        }
    }
}
