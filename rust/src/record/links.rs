//! What a source file names: files it includes, and what its documentation mentions.
//!
//! Owns which texts in a doc comment are references, and what the comment that silences them looks like. Sure
//! cases only. Markdown, HTML and reStructuredText are read in Python (`currant.extract.annotators`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::text::{Pattern, bytes_pattern, pattern, strip};
use memchr::memmem;

/// Characters of a target.
const MAX_TARGET: usize = 1_000;
/// Lines below the first one that may hold a documentation's text.
const MAX_LINES: usize = 500;

/// Something that a content names, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// Line, from 1. First, because references are told by line.
    pub line: usize,
    /// `include`, `path` and `name` (in backticks), `link`, `url`, `anchor`.
    pub kind: &'static str,
    /// As written. A link may hold entities of HTML, which nobody has resolved.
    pub target: String,
    /// A comment next to it says that nothing is to be reported of it.
    pub quiet: bool,
}

/// The documentation of one definition, and the lines of that definition.
#[derive(Debug, Clone, Copy)]
pub struct Doc<'a> {
    /// Without comment markers.
    pub text: &'a str,
    /// First line of the definition, from 1.
    pub start: usize,
    /// Its last line, inclusive.
    pub end: usize,
}

type Bytes = regex::bytes::Regex;

static SILENT: LazyLock<Bytes> = bytes_pattern!(r"(?-u)currant:[ \t]*ignore(-file)?\b");
static INCLUDE: LazyLock<Bytes> = bytes_pattern!(r#"(?-u)#[ \t]*include[ \t]*"([^"\n]{1,300})""#);
/// Sphinx resolves the labels and pages of other projects through this setting of its conf.py.
static INTERSPHINX: LazyLock<Bytes> =
    bytes_pattern!(r#"(?m-u)^[^#\n]*\b(?:\w+_)?intersphinx(?:_mapping|_enable|['"])"#);
static SCHEME: Pattern = pattern!(r"\A(?:[A-Za-z][A-Za-z0-9+.-]{1,20}:|//)");
/// With a slash, or with an ending that files have; nothing that a shell or a template would expand.
static PATH: Pattern = pattern!(r"\A(?:\.{1,2}/)*[\w@+.-]+(?:/[\w@+.-]+)*/?\z");
static POSITION: Pattern = pattern!(r"(?::\d+(?:[-:]\d+)?|#L\d+(?:-L?\d+)?)\z");
static ENDING: Pattern = pattern!(r"\.[A-Za-z][A-Za-z0-9]{0,7}\z");
static NAME: Pattern = pattern!(r"\A([A-Za-z_]\w*(?:(?:\.|::|#)[A-Za-z_]\w*)*)(\(\))?\z");
const ENDINGS: &str = "
bash bat bzl c cc cfg cjs clj cmake conf cpp cs css csv cxx dart el erl ex exs fish go gradle graphql h
hcl hh hpp hs htm html hxx ini ipynb java jl js json json5 jsonc jsx kt kts less lock lua m4 markdown md
mdx mjs mk ml mm mts nix patch php pl plist pm png po proto ps1 py pyi pyx r rb rs rst s sass scala scss
sh sql svelte svg swift tcl tex tf toml tpl ts tsx txt vim vue xml yaml yml zig zsh";

/// What `source` names, each once a line, by line. Any bytes will do.
#[must_use]
pub fn references(language: &str, source: &[u8], docs: &[Doc<'_>]) -> Vec<Reference> {
    let mut found: Vec<(&'static str, String, usize)> = Vec::new();
    match language {
        "c" | "cpp" => includes(source, &mut found),
        "python" if memmem::find(source, b"intersphinx").is_some() => {
            if let Some(at) = INTERSPHINX.find(source) {
                let line = memchr::memchr_iter(b'\n', &source[..at.start()]).count() + 1;
                found.push(("anchor", "intersphinx_mapping".to_owned(), line));
            }
        }
        _ => {}
    }
    in_docs(source, docs, &mut found);
    if found.is_empty() {
        return Vec::new();
    }
    let (all, lines) = silenced(source);
    let kept: BTreeSet<Reference> = found
        .into_iter()
        .filter(|(_, target, _)| !target.is_empty() && !target.contains('\0'))
        .map(|(kind, target, line)| Reference {
            line,
            kind,
            target: cut(target),
            quiet: all || lines.contains(&line),
        })
        .collect();
    kept.into_iter().collect()
}

fn cut(target: String) -> String {
    match target.char_indices().nth(MAX_TARGET) {
        Some((at, _)) => target[..at].to_owned(),
        None => target,
    }
}

/// Whether all of the content is silenced, and the lines that are: that of a comment and the next.
fn silenced(source: &[u8]) -> (bool, BTreeSet<usize>) {
    let mut lines = BTreeSet::new();
    if memmem::find(source, b"currant:").is_none() {
        return (false, lines);
    }
    let mut counter = Lines::default();
    for found in SILENT.captures_iter(source) {
        if found.get(1).is_some() {
            return (true, BTreeSet::new());
        }
        let line = counter.at(source, found.get(0).map_or(0, |whole| whole.start()));
        lines.extend([line, line + 1]);
    }
    (false, lines)
}

/// Numbers of lines, counted on from the last one asked for.
struct Lines {
    at: usize,
    line: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { at: 0, line: 1 }
    }
}

impl Lines {
    /// The line of a byte that is not in front of the one before.
    fn at(&mut self, source: &[u8], byte: usize) -> usize {
        self.line += memchr::memchr_iter(b'\n', &source[self.at..byte]).count();
        self.at = byte;
        self.line
    }
}

fn includes(source: &[u8], found: &mut Vec<(&'static str, String, usize)>) {
    let mut counter = Lines::default();
    for captures in INCLUDE.captures_iter(source) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
        let start = memchr::memrchr(b'\n', &source[..whole.start()]).map_or(0, |at| at + 1);
        if source[start..whole.start()].iter().any(|byte| !matches!(byte, b' ' | b'\t')) {
            continue; // not at the start of its line
        }
        let line = counter.at(source, name.start());
        found.push(("include", String::from_utf8_lossy(name.as_bytes()).into_owned(), line));
    }
}

fn in_docs(source: &[u8], docs: &[Doc<'_>], found: &mut Vec<(&'static str, String, usize)>) {
    let mut lines: Vec<&[u8]> = Vec::new();
    for doc in docs {
        if !doc.text.contains('`') && !doc.text.contains("](") {
            continue;
        }
        let mut named: Vec<(&str, &'static str, &str)> = Vec::new();
        spans(doc.text, |whole, inner| {
            named.extend(backticked(inner).map(|(kind, target)| (whole, kind, target)));
        });
        links(doc.text, |whole, target| {
            let target = strip(target);
            let kind = if SCHEME.is_match(target) { "url" } else { "link" };
            named.push((whole, kind, target));
        });
        if named.is_empty() {
            continue;
        }
        if lines.is_empty() {
            let mut at = 0;
            for end in memchr::memchr_iter(b'\n', source).chain([source.len()]) {
                lines.push(&source[at..end]);
                at = end + 1;
            }
        }
        // A doc comment stands above its definition or at its head; how far above, only its length tells.
        let height = doc.text.matches('\n').count() + 6;
        let first = doc.start.saturating_sub(height).max(1);
        for (whole, kind, target) in named {
            let line = line_of(whole, &lines, first, doc.end).unwrap_or(doc.start);
            found.push((kind, target.to_owned(), line));
        }
    }
}

fn line_of(text: &str, lines: &[&[u8]], first: usize, last: usize) -> Option<usize> {
    let last = last.min(first + MAX_LINES).min(lines.len());
    (first..=last).find(|&number| memmem::find(lines[number - 1], text.as_bytes()).is_some())
}

/// Links as Markdown has them, `[text](target)`, with a text of 1 to 200 characters in one line and a target of 1 to
/// 500 without white space and brackets: each as a whole, and its target.
fn links<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'[', &bytes[at..]).map(|found| at + found) {
        let Some(close) = memchr::memchr2(b']', b'\n', &bytes[open + 1..]) else { return };
        let close = open + 1 + close;
        // Whatever opens before this ends here, too.
        at = close + 1;
        let Some(rest) = text[close..].strip_prefix("](") else { continue };
        let ends = |one: char| matches!(one, '(' | ')' | '<' | '>') || one.is_whitespace();
        let Some(end) = rest.find(ends).filter(|&end| rest[end..].starts_with(')')) else {
            continue;
        };
        if !(1..=500).contains(&rest[..end].chars().count()) {
            continue;
        }
        let near = text[..close].char_indices().rev().take(201).map(|(start, _)| start);
        let first =
            near.filter(|&start| (open..close - 1).contains(&start) && bytes[start] == b'[');
        if let Some(first) = first.min() {
            at = close + 2 + end + 1;
            each(&text[first..at], &rest[..end]);
        }
    }
}

/// Texts between one or two backticks on one line, 2 to 200 characters: each with its ticks, and without.
fn spans<'a>(text: &'a str, mut each: impl FnMut(&'a str, &'a str)) {
    let bytes = text.as_bytes();
    let ticks = |at: usize| bytes[at..].iter().take_while(|&&byte| byte == b'`').count();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'`', &bytes[at..]).map(|found| at + found) {
        let run = ticks(open);
        // Of three ticks the last two may open, of two the last one, of more than that likewise.
        let matched = (run.saturating_sub(2)..run).find_map(|skip| {
            let (start, width) = (open + skip, run - skip);
            let from = start + width;
            let close = from + memchr::memchr2(b'`', b'\n', &bytes[from..])?;
            let count = text[from..close].chars().count();
            let closed = bytes[close] == b'`' && ticks(close) == width;
            (closed && (2..=200).contains(&count)).then_some((start, from, close, width))
        });
        match matched {
            Some((start, from, close, width)) => {
                each(&text[start..close + width], &text[from..close]);
                at = close + width;
            }
            None => at = open + run,
        }
    }
}

/// The kind and the target of a text in backticks; nothing when it is neither path nor identifier.
/// `src/a.py:12` is the path `src/a.py`; `Parser.parse()` is a name and keeps its parentheses.
#[must_use]
pub fn backticked(text: &str) -> Option<(&'static str, &str)> {
    let text = strip(text);
    if text.chars().nth(2).is_none() || text.contains("://") {
        return None;
    }
    let bare = POSITION.find(text).map_or(text, |at| &text[..at.start]);
    let like_a_file =
        has_ending(bare) || bare.ends_with('/') || (bare.contains('/') && ENDING.is_match(bare));
    if PATH.is_match(bare) && like_a_file {
        return (bare.contains('/') || !bare.starts_with('.')).then_some(("path", bare));
    }
    let (_, call) = NAME.group(text, 2)?;
    let sure = call.is_some()
        || text.contains(['.', '#'])
        || text.contains("::")
        || text.trim_matches('_').contains('_');
    sure.then_some(("name", text))
}

/// Whether the last component ends like the name of a file.
#[must_use]
pub fn has_ending(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if !name.trim_matches('.').contains('.') {
        return false;
    }
    let ending = name.rsplit('.').next().unwrap_or("").to_lowercase();
    ENDINGS.split_ascii_whitespace().any(|known| known == ending)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\[[^\]\n]{1,200}\]\(([^()\s<>]{1,500})\)").unwrap());

    #[test]
    fn patterns_find_in_ascii_what_they_find_in_any_text() {
        let patterns = [&SCHEME, &PATH, &POSITION, &ENDING, &NAME];
        let pieces = [
            "https:", "//", "a+b.c", "/", "..", ".", "x_1", "@", "-", ":12", "-3", "#L4", ".py",
            "::", "#", "()", " ", "\n", "\x0b", "+",
        ];
        super::super::text::check(&patterns, &pieces);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn links_are_what_a_pattern_finds(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "](", ")", "(", "a", "\n", " ", "<", "\u{e9}", "[b](c)", "\u{a0}", "x]", "\u{2028}",
            ]),
            0..20,
        ), long in 190_usize..210, target in 490_usize..510) {
            let text = pieces.concat().replace('x', &"\u{e9}".repeat(long)).replace('c', &"d".repeat(target));
            let mut found = Vec::new();
            links(&text, |whole, target| found.push((whole.to_owned(), target.to_owned())));
            let expected: Vec<_> = LINK
                .captures_iter(&text)
                .map(|one| (one[0].to_owned(), one[1].to_owned()))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
