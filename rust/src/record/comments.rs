//! The comments and the docstring that a file begins with, in the comment style of each language.
//!
//! Owns the table of styles and the scanner. Does not own what the text means: that is in `intent`, and in
//! Python for the sections of the header template.
//!
//! The scanner looks at whole lines and stops at the first one that is neither comment nor blank nor one of
//! the few that usually stand in front (a shebang, `<?php`, an include guard). Any text is taken; the time
//! is linear in the head that is looked at.

use std::borrow::Cow;

use super::text::{Pattern, is_space, pattern, strip, strip_end};

/// How many bytes of a file are looked at for its header.
pub const HEAD: usize = 16 << 10;
/// Comments in front of the code that are looked at; licences are among them.
const MAX_COMMENTS: usize = 12;
/// What stands for the marker of a docstring.
pub const DOCSTRING: &str = "\"\"\"";

/// A run of line comments without a gap, or one block: its text without markers, and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Without the markers and the indentation that its lines have in common.
    pub text: String,
    /// First line, from 1.
    pub start: usize,
    /// Last line, inclusive.
    pub end: usize,
    /// What it begins with (`#`, `/**`), or [`DOCSTRING`].
    pub marker: &'static str,
}

/// Lines that may stand before or between comments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Skip {
    Nothing,
    Guard,
    Script,
    Rust,
    Markup,
}

type Pair = (&'static str, &'static str);

/// How a language writes comments; longer markers come first.
struct Style {
    languages: &'static str,
    line: &'static [&'static str],
    block: &'static [Pair],
    skip: Skip,
    docstring: bool,
}

const C_BLOCK: &[Pair] = &[("/**", "*/"), ("/*!", "*/"), ("/*", "*/")];
const XML_BLOCK: &[Pair] = &[("<!--", "-->")];
const SLASHES: &[&str] = &["///", "//!", "//"];

const fn plain(
    languages: &'static str,
    line: &'static [&'static str],
    block: &'static [Pair],
) -> Style {
    Style { languages, line, block, skip: Skip::Nothing, docstring: false }
}

const fn with(style: Style, skip: Skip, docstring: bool) -> Style {
    Style { skip, docstring, ..style }
}

/// Every language that has comments; a file of any other language has no header.
static STYLES: &[Style] = &[
    with(plain("c cpp objective-c", SLASHES, C_BLOCK), Skip::Guard, false),
    with(plain("javascript typescript tsx", &["///", "//"], C_BLOCK), Skip::Script, false),
    plain(
        "go java csharp swift kotlin scala groovy dart d css less sass protobuf thrift solidity zig \
         glsl wgsl verilog systemverilog prisma linker-script yacc lex devicetree json go-mod",
        SLASHES,
        C_BLOCK,
    ),
    with(plain("rust", &["//!", "//"], &[("/*!", "*/"), ("/*", "*/")]), Skip::Rust, false),
    with(plain("php", &["//", "#"], C_BLOCK), Skip::Script, false),
    with(plain("python cython bazel starlark", &["#"], &[]), Skip::Nothing, true),
    plain(
        "shell perl yaml toml make r dockerfile cmake awk tcl nim graphql meson kconfig bitbake \
         gdscript systemtap",
        &["#"],
        &[],
    ),
    with(plain("julia elixir", &["#"], &[("#=", "=#")]), Skip::Nothing, true),
    plain("ruby", &["#"], &[("=begin", "=end")]),
    plain("powershell", &["#"], &[("<#", "#>")]),
    plain("coffeescript", &["#"], &[("###", "###")]),
    plain("hcl nix", &["#", "//"], C_BLOCK),
    plain("ini", &["#", ";"], &[]),
    plain("sql", &["--", "#"], C_BLOCK),
    plain("haskell elm", &["--"], &[("{-", "-}")]),
    plain("lua", &["--"], &[("--[==[", "]==]"), ("--[[", "]]")]),
    plain("vhdl", &["--"], &[]),
    plain("lisp", &[";"], &[("#|", "|#")]),
    plain("clojure", &[";"], &[]),
    plain("assembly", &[";", "//", "@", "#"], C_BLOCK),
    plain("erlang latex", &["%"], &[]),
    plain("matlab", &["%"], &[("%{", "%}")]),
    plain("fortran", &["!"], &[]),
    plain("vim", &["\""], &[]),
    plain("batch", &["::", "rem ", "REM ", "@rem ", "@REM "], &[]),
    plain("ocaml coq", &[], &[("(**", "*)"), ("(*", "*)")]),
    plain("fsharp", &["///", "//"], &[("(*", "*)")]),
    plain("pascal", &["//"], &[("(*", "*)"), ("{", "}")]),
    with(plain("html xml vue svelte markdown", &[], XML_BLOCK), Skip::Markup, false),
    plain("jinja", &[], &[("{#", "#}")]),
    plain("smalltalk", &[], &[("\"", "\"")]),
    plain("rst", &[], &[]),
];

static GUARD: Pattern = pattern!(
    r"\A(?:#[ \t]*(?:pragma[ \t]+once|ifndef[ \t]+\w+|if[ \t]+!?[ \t]*defined\b.*|define[ \t]+\w+)[ \t]*(?://.*|/\*.*\*/)?)\z"
);
static SCRIPT: Pattern =
    pattern!(r#"\A(?:#!.*|["']use strict["'];?|<\?php.*|declare\(strict_types=1\);)\z"#);
static RUST: Pattern = pattern!(r"\A(?:#!\[[^\n]*\]|#!/.*)\z");
static MARKUP: Pattern = pattern!(r"(?i)\A(?:<\?xml\b.*\?>|<!doctype\b[^\[]*>|<template>)\z");
/// What begins like a line comment and is code.
static NO_COMMENT: Pattern =
    pattern!(r"\A(?:#[ \t]*(?:include|define|if|ifdef|ifndef|undef|pragma|error)\b|#\[|#=)");
static OPENS_STRING: Pattern = pattern!(r#"\A@?(?:moduledoc[ \t]+)?~?[rRuUS]?("""|'''|"|')"#);

/// The languages that have comments.
pub fn languages() -> impl Iterator<Item = &'static str> {
    STYLES.iter().flat_map(|style| style.languages.split_ascii_whitespace())
}

fn style_of(language: &str) -> Option<&'static Style> {
    STYLES
        .iter()
        .find(|style| style.languages.split_ascii_whitespace().any(|known| known == language))
}

/// The text of a head: what is not UTF-8 replaced, and every line ended by one `\n`.
#[must_use]
pub fn head_text(source: &[u8]) -> Cow<'_, str> {
    let head = &source[..source.len().min(HEAD)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = String::from_utf8_lossy(head);
    if memchr::memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    let text = text.replace("\r\n", "\n");
    // A line ends where the outline says it does, but for files in which no line would end.
    let other = if text.contains('\n') { " " } else { "\n" };
    Cow::Owned(text.replace('\r', other))
}

/// The comments that `text` begins with, in their order, and the docstring after them.
#[must_use]
pub fn leading(language: &str, text: &str) -> Vec<Comment> {
    let Some(style) = style_of(language) else {
        return Vec::new();
    };
    let mut lines = Lines { known: Vec::new(), rest: Some(text) };
    let mut out: Vec<Comment> = Vec::new();
    let mut run = Run { lines: Vec::new(), marker: "" };
    let mut number = 0;
    while out.len() < MAX_COMMENTS
        && let Some(line) = lines.get(number)
    {
        let line = strip(line);
        let shebang = number == 0 && line.starts_with("#!") && !line.starts_with("#![");
        if line.is_empty() || passed(style.skip, line) || shebang {
            run.finish(number, &mut out);
            number += 1;
            continue;
        }
        if let Some(&(opener, closer)) = style.block.iter().find(|pair| line.starts_with(pair.0)) {
            run.finish(number, &mut out);
            let comment = block(&mut lines, number, line, opener, closer);
            number = comment.end;
            out.push(comment);
            continue;
        }
        let starts = |one: &&&'static str| line.starts_with(**one) || line == strip_end(one);
        let Some(&found) = style.line.iter().find(starts) else { break };
        if found == "#" && language != "python" && NO_COMMENT.is_match(line) {
            break;
        }
        if found != run.marker {
            run.finish(number, &mut out);
        }
        run.marker = found;
        run.lines.push(bare(line, found));
        number += 1;
    }
    run.finish(number, &mut out);
    if style.docstring && out.len() < MAX_COMMENTS {
        out.extend(docstring(&mut lines, number));
    }
    out
}

/// The lines of a text, told apart as far as somebody has asked: of most files only the first few matter.
struct Lines<'a> {
    known: Vec<&'a str>,
    rest: Option<&'a str>,
}

impl<'a> Lines<'a> {
    fn get(&mut self, number: usize) -> Option<&'a str> {
        while self.known.len() <= number {
            let rest = self.rest?;
            let end = memchr::memchr(b'\n', rest.as_bytes());
            self.rest = end.map(|end| &rest[end + 1..]);
            self.known.push(&rest[..end.unwrap_or(rest.len())]);
        }
        self.known.get(number).copied()
    }
}

fn passed(skip: Skip, line: &str) -> bool {
    match skip {
        Skip::Nothing => false,
        Skip::Guard => line.starts_with('#') && GUARD.is_match(line),
        Skip::Script => SCRIPT.is_match(line),
        Skip::Rust => RUST.is_match(line),
        Skip::Markup => MARKUP.is_match(line),
    }
}

/// Line comments that follow each other.
struct Run<'a> {
    lines: Vec<&'a str>,
    marker: &'static str,
}

impl Run<'_> {
    /// Hand on what there is; `number` lines are behind.
    fn finish(&mut self, number: usize, out: &mut Vec<Comment>) {
        if self.lines.is_empty() {
            return;
        }
        out.push(Comment {
            text: strip_end(&self.lines.join("\n")).to_owned(),
            start: number - self.lines.len() + 1,
            end: number,
            marker: self.marker,
        });
        self.lines.clear();
    }
}

/// A line comment without its marker; of repeated marks (`####`, `;;;`) without all of them.
fn bare<'a>(line: &'a str, marker: &str) -> &'a str {
    let mut rest = line.get(marker.len()..).unwrap_or("");
    if marker.len() == 1 {
        rest = rest.trim_start_matches(marker);
    }
    strip_end(rest.strip_prefix(' ').unwrap_or(rest))
}

/// The block comment that begins in this line; without an end, all that is looked at.
fn block<'a>(
    lines: &mut Lines<'a>,
    number: usize,
    line: &'a str,
    opener: &'static str,
    closer: &str,
) -> Comment {
    let (found, end) = until(lines, number, &line[opener.len()..], |rest| rest.find(closer));
    let mut body = Vec::with_capacity(found.len());
    for (index, line) in found.into_iter().enumerate() {
        body.push(if index == 0 {
            line.trim_matches([' ', '\t', '*', '!']).to_owned()
        } else {
            unstarred(line).to_owned()
        });
    }
    Comment {
        text: dedent(&body).trim_matches('\n').to_owned(),
        start: number + 1,
        end,
        marker: opener,
    }
}

/// The parts of a text that goes on over lines: from `first` (the rest of line `number`) to where `end` finds
/// its end, or to the last line; and the number of that line, from 1.
fn until<'a>(
    lines: &mut Lines<'a>,
    number: usize,
    first: &'a str,
    end: impl Fn(&str) -> Option<usize>,
) -> (Vec<&'a str>, usize) {
    let mut found = Vec::new();
    let mut rest = first;
    let mut at = number;
    loop {
        if let Some(end) = end(rest) {
            found.push(&rest[..end]);
            return (found, at + 1);
        }
        found.push(rest);
        at += 1;
        let Some(next) = lines.get(at) else { return (found, at) };
        rest = next;
    }
}

/// A line of a block without the star in front of it.
fn unstarred(line: &str) -> &str {
    let inner = line.trim_start_matches([' ', '\t']);
    let stars = inner.len() - inner.trim_start_matches('*').len();
    let after = &inner[stars..];
    let rest = if stars > 0 && !after.starts_with('/') {
        after.strip_prefix([' ', '\t']).unwrap_or(after)
    } else if stars > 1 {
        &inner[stars - 1..] // the last one belongs to the end of the comment
    } else if let Some(after) =
        inner.strip_prefix('|').and_then(|rest| rest.strip_prefix([' ', '\t']))
    {
        after
    } else {
        line
    };
    strip_end(rest)
}

/// Without the indentation that all lines but the first have in common.
fn dedent<T: AsRef<str>>(lines: &[T]) -> String {
    let mut out = String::new();
    let mut lines = lines.iter().map(AsRef::as_ref);
    out.push_str(strip(lines.next().unwrap_or("")));
    let rest: Vec<String> = lines.map(expand_tabs).collect();
    let indent = |line: &str| line.chars().take_while(|&one| is_space(one)).count();
    let margin = rest.iter().filter(|line| !strip(line).is_empty()).map(|line| indent(line)).min();
    for line in &rest {
        out.push('\n');
        let cut = line.char_indices().nth(margin.unwrap_or(0)).map_or(line.len(), |(at, _)| at);
        out.push_str(strip_end(&line[cut..]));
    }
    out
}

/// Tabs as spaces, up to the next column that 4 divides.
fn expand_tabs(line: &str) -> String {
    if !line.contains('\t') {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len() + 16);
    let mut column = 0;
    for one in line.chars() {
        if one == '\t' {
            let width = 4 - column % 4;
            out.extend(std::iter::repeat_n(' ', width));
            column += width;
        } else {
            out.push(one);
            column += 1;
        }
    }
    out
}

/// The string that the code begins with.
fn docstring(lines: &mut Lines<'_>, number: usize) -> Option<Comment> {
    let line = strip(lines.get(number)?);
    let (opened, quote) = OPENS_STRING.group(line, 1)?;
    let quote = &line[quote?];
    let first = &line[opened.end..];
    let end = |rest: &str| {
        let mut from = 0;
        loop {
            let at = from + rest.get(from..)?.find(quote)?;
            if at == 0 || rest.as_bytes()[at - 1] != b'\\' {
                return Some(at);
            }
            from = at + 1;
        }
    };
    // A string in single quotes ends in its line, or it is none.
    if quote.len() == 1 && end(first).is_none() {
        return None;
    }
    let (found, end) = until(lines, number, first, end);
    Some(Comment {
        text: dedent(&found).trim_matches('\n').to_owned(),
        start: number + 1,
        end,
        marker: DOCSTRING,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_in_ascii_what_they_find_in_any_text() {
        let patterns = [&GUARD, &SCRIPT, &RUST, &MARKUP, &NO_COMMENT, &OPENS_STRING];
        let pieces = [
            "#",
            " ",
            "pragma once",
            "ifndef A_",
            "if !defined X",
            "define ",
            "// a",
            "/* b */",
            "#!x",
            "\n",
            "'use strict'",
            ";",
            "<?php",
            "declare(strict_types=1);",
            "#![a]",
            "<?xml",
            "?>",
            "<!DOCTYPE h",
            ">",
            "<template>",
            "include",
            "#[",
            "#=",
            "@moduledoc ",
            "~r",
            "\"\"\"",
            "'''",
            "\"",
            "\x0b",
            "\x1c",
        ];
        super::super::text::check(&patterns, &pieces);
    }
}
