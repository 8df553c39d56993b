//! What a file is for, from the comments that it begins with.
//!
//! Owns which of the leading comments is the header of a file and what in it is noise: licences, marks of
//! editors and linters. A comment that stands directly above the first definition documents that definition
//! and is no header. Does not own the sections of the header template; [`has_title`] says when those are to
//! be looked for.

use super::comments::{Comment, DOCSTRING};
use super::text::{Pattern, pattern, strip, strip_end};

/// Characters of an intent.
const MAX_INTENT: usize = 1_000;
/// Characters; a longer line is not drawn by anybody.
const LONG: usize = 400;

/// The header of a file that does not have the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `docstring` or `comment`.
    pub form: &'static str,
    /// First line, from 1.
    pub start: usize,
    /// Last line, inclusive.
    pub end: usize,
    /// What it says first about the file.
    pub intent: String,
}

/// Paragraphs that are about rights, not about the file.
static LICENCE: Pattern = pattern!(concat!(
    r"(?is)^\W*copyright\b|copyright(?:ed)?\s*(?:\(c\)|(?u:©)|(?:19|20)\d\d|by\b|holder|notice|owner|law)",
    r"|\(c\)\s*(?:19|20)\d\d|spdx-|all rights reserved|permission is hereby granted",
    r"|redistribution and use|redistributions (?:of|in)|licen[cs]ed under|licen[cs]e agreement",
    r"|(?:apache|mit|bsd|mozilla|gnu|public|isc|zlib|boost) (?:software |general |lesser |public )*licen[cs]e",
    r"|(?:is|are) free software|you may not use this (?:file|software|code|work)",
    r"|you (?:may|should) (?:obtain|have received) a copy|governed by an? [\w-]+[ -](?:style )?licen",
    r"|without (?:even the implied |any )?warrant|provided (?u:[\x22'`“])?as[ -]is|origin of this software",
    r"|licen[cs]e header|see the licen[cs]e|unless required by applicable law|altered source versions",
    r"|(?:part|rest) of the .{1,40} project,? under|subject to the following conditions|above copyright",
    r"|liab(?:le|ility)\b.{0,200}damages|in(?:to)? the public domain|not be used to endorse",
    r"|^this file is part of|(?:apache|opensource)\.org/licenses",
    r"|see (?:the )?(?:file )?['\x22]?(?:copying|license|licence)\b",
));
/// Lines for tools, dropped before anything else.
static NOISE: Pattern = pattern!(concat!(
    r"(?i)\A(?:-\*-.*-\*-|.*\bSPDX-.*|(?:ex|vi|vim)[<=>\d]*:.*|\$(?:Id|Header|Revision|\w{3,12})\b.{0,100}\$|(?:go:|\+build\b).*",
    r"|.*(?:en)?coding[:=][ \t]*[-\w.]+[ \t]*|frozen_string_literal:.*|@?ts-(?:no)?check",
    r"|(?:eslint|jshint|jslint|pylint|flake8|mypy|ruff|isort|yapf|nolint|rubocop|shellcheck|tslint|prettier",
    r"|istanbul|webpack|type|fmt|clang-format|yamllint|stylelint)[-:].*|sourceMappingURL=.*",
    r"|(?:eslint|globals?|jshint|jslint) [\w$-]+[:,].*|(?:noqa|shellcheck disable)\b.*",
    r"|@(?:flow|jsx|format|generated|preserve|license|licence|copyright|authors?|version|since|emails?",
    r"|package|subpackage|category|link|ignore|internal|test|jest-environment|todo|date|ingroup|addtogroup",
    r"|defgroup)\b.*",
    r"|\\(?:authors?|version|date|copyright|ingroup|addtogroup|defgroup)\b.*",
    r"|(?:authors?|maintainers?|created(?: on| by)?|last modified|version|date)[ \t]*:.*",
    r"|/?<(?:reference|amd-).*|<editor-fold.*|#(?:pragma|region|endregion).*|TODO\b.*|<[^>]*>)\z",
));
/// Tags that introduce the very text that is looked for; the file's own name goes with them.
static TAG: Pattern = pattern!(
    r"\A[@\\](?:file|fileoverview|overview|module|packageDocumentation|brief|short|desc|description|summary|details)\b"
);
static TAGGED_NAME: Pattern = pattern!(r"\A[ \t]+[\w./+-]+\.[A-Za-z+]{1,5}[ \t]*\z");
static ANY_TAG: Pattern = pattern!(r"\A[@\\:][A-Za-z]+\b");
static OWN_NAME: Pattern = pattern!(r"\A[\w./+-]*\w\.\w{1,5}\z");
/// Lines drawn beside the text, and a mode of Emacs: `===-- name.h - what it is ---*- C++ -*-===`.
static ORNAMENT: Pattern = pattern!(concat!(
    r"^[-=*#~+/\\|!]+[ \t]+|[-=*#~]*-\*-.{0,40}?-\*-[-=*#~/\\]*",
    r"|[ \t]+[-=*#~+/\\|]{2,}[ \t]*$|[-=*#~]{3,}[/\\]*[ \t]*$",
));
static ABOUT_FILE: Pattern =
    pattern!(r"[@\\](?:file|fileoverview|overview|packageDocumentation)\b");
/// A title of the header template stands alone in its line.
static TITLE: Pattern =
    pattern!(r"\A[ \t]*\[[A-Za-z][A-Za-z0-9 /_-]{1,60}\][ \t]*:?[ \t]*(?:<!--.*)?\z");

/// Whether a line of these comments may be a title of the header template.
#[must_use]
pub fn has_title(comments: &[Comment]) -> bool {
    comments.iter().any(|comment| {
        comment.text.contains('[') && comment.text.split('\n').any(|line| TITLE.is_match(line))
    })
}

/// The header among `comments`; `first` is the line of the first definition, 0 without any.
#[must_use]
pub fn header(language: &str, comments: &[Comment], first: usize) -> Option<Header> {
    let docstring = comments.last().filter(|one| one.marker == DOCSTRING);
    if let Some(found) = docstring.and_then(|one| told(one, "docstring")) {
        return Some(found);
    }
    let others = &comments[..comments.len() - usize::from(docstring.is_some())];
    // Inner documentation is about the file wherever it stands; everything else may be about what follows.
    let inner = |one: &&Comment| matches!(one.marker, "//!" | "/*!");
    let (before, after): (Vec<_>, Vec<_>) = others.iter().partition(inner);
    before
        .into_iter()
        .chain(after)
        .filter(|one| one.end + 1 != first || about_file(language, one))
        .find_map(|one| told(one, "comment"))
}

fn told(comment: &Comment, form: &'static str) -> Option<Header> {
    let intent = intent(&comment.text)?;
    Some(Header { form, start: comment.start, end: comment.end, intent })
}

/// Whether a comment directly above a definition is about the file all the same.
fn about_file(language: &str, comment: &Comment) -> bool {
    if language == "rust" {
        return matches!(comment.marker, "//!" | "/*!");
    }
    ABOUT_FILE.is_match(&comment.text)
}

/// The first paragraph that says something about the file.
#[must_use]
pub fn intent(text: &str) -> Option<String> {
    let mut title: Option<String> = None;
    for paragraph in paragraphs(text) {
        let letters = paragraph.chars().any(char::is_alphabetic);
        if LICENCE.is_match(&paragraph) || OWN_NAME.is_match(&paragraph) || !letters {
            continue;
        }
        // A title of one word is the name of the thing; the text below it says more.
        if title.is_none() && !paragraph.contains(' ') && !paragraph.ends_with(['.', '!']) {
            title = Some(paragraph);
            continue;
        }
        return Some(cut(paragraph));
    }
    title
}

/// At most `MAX_INTENT` characters; a cut ends in an ellipsis that counts.
fn cut(text: String) -> String {
    if text.len() <= MAX_INTENT || text.chars().count() <= MAX_INTENT {
        return text;
    }
    let kept: String = text.chars().take(MAX_INTENT - 1).collect();
    format!("{}…", strip_end(&kept))
}

/// Paragraphs in one line each, without rulers and what is meant for tools.
fn paragraphs(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for raw in text.split('\n') {
        let mut line = strip(raw);
        if is_ruler(line) {
            open = false;
            continue;
        }
        if NOISE.is_match(line) {
            continue;
        }
        if let Some(tag) = TAG.find(line) {
            let rest = &line[tag.end..];
            line = if TAGGED_NAME.is_match(rest) {
                ""
            } else {
                rest.trim_start_matches([' ', '\t', ':'])
            };
            open = false;
            if line.is_empty() {
                continue;
            }
        } else if ANY_TAG.is_match(line) {
            // A tag of any other kind begins what is no description any more.
            break;
        }
        let long = line.len() > LONG && line.chars().count() > LONG;
        let bare = if long { line.into() } else { ORNAMENT.without(line) };
        let line = bare.split(super::text::is_space).filter(|word| !word.is_empty());
        let line = line.collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            continue;
        }
        match out.last_mut() {
            Some(last) if open => {
                last.push(' ');
                last.push_str(&line);
            }
            _ => out.push(line),
        }
        open = true;
    }
    out
}

/// A line of neither words nor brackets nor quotes.
fn is_ruler(line: &str) -> bool {
    !line.contains(|one: char| {
        one.is_alphanumeric() || matches!(one, '_' | '<' | '[' | '(' | '"' | '\'' | '`')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_in_ascii_what_they_find_in_any_text() {
        let patterns = [
            &LICENCE,
            &NOISE,
            &TAG,
            &TAGGED_NAME,
            &ANY_TAG,
            &OWN_NAME,
            &ORNAMENT,
            &ABOUT_FILE,
            &TITLE,
        ];
        let pieces = [
            "Copyright",
            " (C) ",
            "2020",
            "Licensed under",
            "the MIT ",
            "licence",
            "liable for ",
            "damages",
            "\n",
            "part of the ",
            "K project",
            " ",
            "provided as is",
            "vim: set x",
            "-*- c -*-",
            "coding: utf-8",
            "TODO",
            "@file",
            "@author",
            " a.c",
            ": ",
            "[Source file intent]",
            "<!-- ",
            "===",
            "---",
            "* ",
            "word",
            "_x",
            "$Id: a $",
            "#region",
            "\x0b",
            "\x1c",
            "warranty",
            "without any ",
            "see the license",
            "eslint-x",
        ];
        super::super::text::check(&patterns, &pieces);
    }
}
