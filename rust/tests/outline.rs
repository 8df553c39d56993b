//! Outlines as their users see them: golden files, and properties that hold for any bytes.
//!
//! The golden files stand beside the fixtures, one line a definition. After a change that is meant
//! to change them, run the tests with `CURRANT_BLESS=1` and read the difference. Then raise the
//! version of the language, because stored results are reused as long as it stays.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use currant::fuzz::check;
use currant::outline::{
    Means, Outline, OutlineError, Partial, Symbol, SymbolKind, languages, outline, outline_by,
    scanned_languages, to_json,
};
use proptest::prelude::*;

/// Fixture and language.
const FIXTURES: &[(&str, &str)] = &[
    ("sample.md", "markdown"),
    ("sample.sh", "shell"),
    #[cfg(feature = "outline")]
    ("Sample.cs", "csharp"),
    #[cfg(feature = "outline")]
    ("Sample.java", "java"),
    #[cfg(feature = "outline")]
    ("Sample.kt", "kotlin"),
    #[cfg(feature = "outline")]
    ("Sample.swift", "swift"),
    #[cfg(feature = "outline")]
    ("component.tsx", "tsx"),
    #[cfg(feature = "outline")]
    ("module.mjs", "javascript"),
    #[cfg(feature = "outline")]
    ("sample.go", "go"),
    #[cfg(feature = "outline")]
    ("sample.js", "javascript"),
    #[cfg(feature = "outline")]
    ("sample.php", "php"),
    #[cfg(feature = "outline")] // it has an error, and the scanner is not sure
    ("sample.py", "python"),
    #[cfg(feature = "outline")]
    ("sample.rb", "ruby"),
    #[cfg(feature = "outline")]
    ("sample.rs", "rust"),
    #[cfg(feature = "outline")]
    ("sample.ts", "typescript"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outline")
}

fn fixture(file: &str) -> Vec<u8> {
    std::fs::read(folder().join("fixtures").join(file)).unwrap()
}

/// One line a definition: lines, kind, full name, signature, documentation.
fn readable(symbols: &[Symbol]) -> String {
    let mut out = String::new();
    for symbol in symbols {
        let Symbol { name, kind, parent, start, end, signature, doc } = symbol;
        let parent = parent.as_ref().map(|parent| format!("({parent}) ")).unwrap_or_default();
        writeln!(out, "{start}-{end} {} {parent}{name} | {signature}", kind.as_str()).unwrap();
        for line in doc.lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    out
}

#[test]
fn fixtures_give_the_recorded_outlines() {
    let bless = std::env::var_os("CURRANT_BLESS").is_some();
    for (file, language) in FIXTURES {
        let found = readable(&outline(language, &fixture(file)).unwrap().symbols);
        let path = folder().join("expected").join(format!("{file}.txt"));
        if bless {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        assert_eq!(found, expected, "{file}");
    }
}

#[test]
fn windows_line_ends_change_nothing() {
    for (file, language) in FIXTURES {
        let unix = fixture(file);
        let windows = String::from_utf8(unix.clone()).unwrap().replace('\n', "\r\n");
        let unix = readable(&outline(language, &unix).unwrap().symbols);
        let windows = outline(language, windows.as_bytes()).unwrap();
        assert_eq!(readable(&windows.symbols), unix, "{file}");
    }
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    for (file, language) in FIXTURES {
        let plain = fixture(file);
        let marked = [b"\xef\xbb\xbf", plain.as_slice()].concat();
        assert_eq!(outline(language, &marked), outline(language, &plain), "{file}");
    }
}

#[test]
fn json_is_valid_for_any_text() {
    let symbols = vec![Symbol {
        name: "a\"b\\c\u{7f}".to_owned(),
        kind: SymbolKind::Function,
        parent: None,
        start: 1,
        end: 2,
        signature: String::from_utf8_lossy(b"f(\xff)\t").into_owned(),
        doc: "é\n\u{1}".to_owned(),
    }];
    let outline = Outline { symbols, partial: Some(Partial::Many { kept: 1 }) };
    let json = String::from_utf8(to_json(&outline)).unwrap();
    let expected = concat!(
        r#"{"partial":"only the first 1 definitions are kept","symbols":"#,
        r#"[{"name":"a\"b\\c\u007f","kind":"function","parent":null,"start":1,"end":2,"#,
        "\"signature\":\"f(\u{fffd})\\t\",\"doc\":\"é\\n\\u0001\"}]}"
    );
    assert_eq!(json, expected);
}

#[test]
fn an_unknown_language_is_refused() {
    let error = outline("klingon", b"").unwrap_err();
    assert_eq!(error, OutlineError::UnknownLanguage("klingon".to_owned()));
}

#[test]
fn every_language_is_listed_once_has_a_version_and_takes_nothing() {
    let all = languages();
    let names: HashSet<_> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.iter().all(|(_, version)| !version.is_empty()));
    for (name, _) in all {
        assert_eq!(outline(name, b""), Ok(Outline::default()), "{name}");
    }
}

/// A version that names a grammar names the one that is built in.
#[cfg(feature = "outline")]
#[test]
fn versions_name_the_locked_grammars() {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = std::fs::read_to_string(lock).unwrap();
    for (name, version) in languages() {
        for part in version.split('+').skip(1) {
            let (package, number) = part.rsplit_once('-').unwrap();
            let entry = format!("name = \"{package}\"\nversion = \"{number}\"\n");
            assert!(lock.contains(&entry), "{name}: {part} is not what is locked");
        }
    }
}

/// Languages in which whatever has a parent is written inside that parent.
const NESTED: [&str; 7] = ["python", "java", "csharp", "markdown", "shell", "typescript", "tsx"];

#[test]
fn parents_exist() {
    for (file, language) in FIXTURES {
        let found = outline(language, &fixture(file)).unwrap();
        check(language, &fixture(file), &found);
        let symbols = found.symbols;
        if !NESTED.contains(language) {
            continue; // members may be written outside their type
        }
        let full = |symbol: &Symbol| match &symbol.parent {
            Some(parent) => format!("{parent}.{}", symbol.name),
            None => symbol.name.clone(),
        };
        let names: HashSet<String> = symbols.iter().map(full).collect();
        for symbol in &symbols {
            let parent = symbol.parent.as_ref();
            assert!(parent.is_none_or(|parent| names.contains(parent)), "{file}: {symbol:?}");
        }
    }
}

/// A source that could cost more than its size: deep nesting, or no end of anything.
fn pathological(size: usize) -> Vec<Vec<u8>> {
    let repeat = |piece: &str| piece.repeat(size / piece.len()).into_bytes();
    let mut all: Vec<Vec<u8>> = [
        "(",
        "[",
        "{",
        "<",
        "\"",
        "'",
        "`",
        "/*",
        "//",
        "#",
        "\\",
        "$(",
        "${",
        "<<a",
        ")",
        "}",
        "class A{",
        "class A:\n ",
        "def f():\n\t",
        "function f(){",
        "fn f(){",
        "f() {\n",
        "case x in ",
        "a:{",
        "a<",
        "(a,",
        "x=(",
        "if(",
        "<a>",
        "<div>{",
        "@a ",
        "#[a]\n",
        "- ",
        "> ",
        "# a\n",
        "namespace a{",
        "namespace a;",
        "=> ",
        "? a : ",
        "a.",
        "a\n===\n",
        "```\n",
        "\u{0}",
        "\u{ff}",
        "{ (",
        "readonly ",
        "`${",
        "*/",
        "=begin\n",
        "\"\"\"",
        "f'{",
        "'''",
        "|",
        "&&",
        "\n ",
    ]
    .iter()
    .map(|piece| repeat(piece))
    .collect();
    all.push((0..size).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect());
    all
}

/// The scanners look at a byte a bounded number of times; the parsers are cut off. A parser gets
/// less here, because it may take long before it is; a scanner before it gets as much as the others.
#[test]
fn pathological_sources_come_back() {
    const SCANNED: [&str; 4] = ["c", "cpp", "markdown", "shell"];
    for (language, _) in languages() {
        let size = if SCANNED.contains(&language) { 200_000 } else { 1_500 };
        for source in pathological(size) {
            match outline(language, &source) {
                Ok(found) => check(language, &source, &found),
                Err(error) => panic!("{language}: {error}"),
            }
        }
    }
    for language in scanned_languages() {
        for source in pathological(200_000) {
            match outline_by(Means::Scan, language, &source) {
                Ok(found) => check(language, &source, &found),
                Err(error) => assert!(matches!(error, OutlineError::Unsure(_)), "{error}"),
            }
        }
    }
}

/// What no editor writes and every disk holds somewhere: depth that would overflow the stack of anything that
/// recurses, one line of megabytes, a million lines, other encodings, texts that end in the middle of something.
#[test]
fn sources_of_any_shape_come_back_with_an_outline_or_a_reason() {
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let sample = "class A { int f() { return 1; } }\ndef f(): pass\n# a\nfunction g() { x; }\n";
    let marked = [b"\xff\xfe", utf16(sample).as_slice()].concat();
    let mut sources: Vec<Vec<u8>> = vec![
        "(".repeat(100_000).into(),
        "[".repeat(100_000).into(),
        "{".repeat(100_000).into(),
        vec![b'a'; 10 << 20],
        vec![b'\n'; 1_000_000],
        (0..=255).collect(),
        utf16(sample),
        marked,
        sample.bytes().flat_map(|byte| [byte, 0]).collect(),
        "def \u{e9}\u{1f600}(): pass\nint \u{e9}\u{1f600}() {}\n".into(),
    ];
    let start = sample.as_bytes();
    for opened in
        ["\"", "'", "`", "/*", "\"\"\"", "<<EOF\n", "r#\"", "#if 1\n", "<!--", "```\n", "\u{1f600}"]
    {
        let opened = opened.as_bytes();
        sources.push([start, opened, start].concat());
        // A character that is cut, too.
        sources.push([start, &opened[..opened.len() - opened.len() / 2]].concat());
    }
    for (language, _) in languages() {
        for source in &sources {
            let found = outline(language, source).unwrap();
            check(language, source, &found);
        }
    }
}

/// The parser takes minutes for this one, most of them in an operation that cannot be interrupted.
#[cfg(feature = "outline")]
#[test]
fn a_large_source_whose_head_is_slow_is_not_tried() {
    for (language, piece, size) in [("csharp", "template<", 360_000), ("swift", "#", 60_000)] {
        let found = outline_by(Means::Parse, language, piece.repeat(size / piece.len()).as_bytes())
            .unwrap();
        let given_up = matches!(found.partial, Some(Partial::Slow { .. } | Partial::Cut { .. }));
        assert!(given_up, "{language}: {found:?}");
    }
}

/// More definitions than a record may hold, in every way in which they are found.
#[test]
fn of_a_million_definitions_the_first_are_kept_and_the_outline_says_so() {
    for (language, line) in [
        ("c", "int a;\n"),
        ("cpp", "#define A\n"),
        ("markdown", "# a\n"),
        ("shell", "AB=1\n"),
        ("python", "AB=1\n"),
        ("typescript", "type A = B\n"),
        #[cfg(feature = "outline")]
        ("go", "var a b\n"),
    ] {
        let source = line.repeat(200_000);
        let found = outline(language, source.as_bytes()).unwrap();
        assert_eq!(found.partial, Some(Partial::Many { kept: 100_000 }), "{language}");
        assert_eq!(found.symbols.len(), 100_000, "{language}");
    }
}

#[cfg(feature = "outline")]
#[test]
fn a_parse_that_was_cut_off_leaves_nothing_behind() {
    let hostile = "a\n===\n".repeat(400);
    let parse = |source: &[u8]| outline_by(Means::Parse, "ruby", source).unwrap();
    let cut = parse(hostile.as_bytes());
    assert!(matches!(cut.partial, Some(Partial::Cut { .. })), "{cut:?}");
    let after = parse(b"def f; end").symbols;
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].name.as_str(), after[0].start), ("f", 1));
}

#[cfg(feature = "outline")]
#[test]
fn of_a_huge_source_the_head_is_outlined_and_the_outline_says_so() {
    let mut huge = b"def first(): pass\n".to_vec();
    huge.resize(4 << 20, b'\n');
    let parse = |source: &[u8]| outline_by(Means::Parse, "python", source).unwrap();
    assert_eq!(parse(&huge).partial, None);
    huge.extend_from_slice(b"def last(): pass\n");
    assert_eq!(outline("python", &huge).unwrap().symbols.len(), 2, "the scanner reads all of it");
    let found = parse(&huge);
    assert_eq!(found.partial, Some(Partial::Head { size: huge.len(), limit: 4 << 20 }));
    assert_eq!(found.symbols.len(), 1);
    check("python", &huge, &found);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 1000 }))]

    #[test]
    fn no_bytes_make_it_panic(source in proptest::collection::vec(any::<u8>(), 0..2000)) {
        for (language, _) in languages() {
            if let Ok(symbols) = outline(language, &source) {
                check(language, &source, &symbols);
            }
        }
    }

    /// Fixtures cut at both ends, with bytes changed: what a file looks like while it is edited.
    #[test]
    fn no_edit_makes_it_panic(
        which in 0..FIXTURES.len(),
        from in 0.0..1.0_f64,
        to in 0.0..1.0_f64,
        edits in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 0..8),
    ) {
        let (file, language) = FIXTURES[which];
        let mut source = fixture(file);
        let at = |share: f64, length: usize| (share * length as f64) as usize;
        for (share, byte) in edits {
            let length = source.len();
            source[at(share, length)] = byte;
        }
        let (from, to) = (at(from, source.len()), at(to, source.len()));
        let source = &source[from.min(to)..from.max(to)];
        if let Ok(symbols) = outline(language, source) {
            check(language, source, &symbols);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// The same bytes give the same outline, whatever the parser of the thread did before.
    #[test]
    fn an_outline_depends_on_the_bytes_only(order in Just(FIXTURES.to_vec()).prop_shuffle()) {
        for (file, language) in order {
            let here = outline(language, &fixture(file));
            let there = std::thread::spawn(move || outline(language, &fixture(file))).join().unwrap();
            prop_assert_eq!(here, there);
        }
    }
}
