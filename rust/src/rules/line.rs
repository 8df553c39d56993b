//! One rule file's text into rules: lines, comments, trailing spaces, `!`, `/` and what each means.
//!
//! This follows git's reader of exclude files to the byte. Nothing here opens a file.

use super::glob::{Glob, Target};

/// One line that says something.
#[derive(Debug, Clone, Hash)]
pub(super) struct Rule {
    pub(super) glob: Glob,
    pub(super) target: Target,
    /// The line began with `!`.
    pub(super) keeps: bool,
    /// The line ended with `/`.
    pub(super) dir_only: bool,
    /// The same rule as a line for the `ignore` crate, when the crate reads it as git does.
    pub(super) plain: Option<Box<str>>,
}

/// A line that can never match anything, which its author surely did not intend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadLine {
    /// Counted from 1.
    pub(super) line: u32,
    pub(super) reason: &'static str,
}

/// Reads the text of a whole rule file. Bad lines are reported and left out; the rest stands.
pub(super) fn parse(text: &[u8]) -> (Vec<Rule>, Vec<BadLine>) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let (mut rules, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in text.split(|b| *b == b'\n').enumerate() {
        match parse_line(line) {
            Ok(rule) => rules.extend(rule),
            Err(reason) => {
                bad.push(BadLine { line: u32::try_from(index + 1).unwrap_or(u32::MAX), reason });
            }
        }
    }
    (rules, bad)
}

/// Reads one line without its `\n`; `Ok(None)` for comments and blank lines.
pub(super) fn parse_line(line: &[u8]) -> Result<Option<Rule>, &'static str> {
    if line.starts_with(b"#") {
        return Ok(None);
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // git keeps lines as C strings.
    let line = line.split(|b| *b == 0).next().unwrap_or(line);
    let line = without_trailing_spaces(line);
    let (keeps, pattern) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
    let (dir_only, pattern) =
        pattern.strip_suffix(b"/").map_or((false, pattern), |rest| (true, rest));
    let target = if pattern.contains(&b'/') { Target::Path } else { Target::Name };
    let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
    if pattern.is_empty() {
        return Ok(None);
    }
    let (target, pattern) = on_names(target, pattern);
    let glob = Glob::compile(pattern, target)?;
    let plain = plain(target, pattern, keeps, dir_only);
    Ok(Some(Rule { glob, target, keeps, dir_only, plain }))
}

/// `**/name` says the same as `name`, and matching names needs no path.
fn on_names(target: Target, pattern: &[u8]) -> (Target, &[u8]) {
    if target == Target::Path
        && let Some(rest) = pattern.strip_prefix(b"**/")
        && !rest.is_empty()
        && !rest.contains(&b'/')
        && rest != b"**"
    {
        return (Target::Name, rest);
    }
    (target, pattern)
}

/// Cuts trailing spaces, but not an escaped one and what stands before it. Tabs stay.
fn without_trailing_spaces(line: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut at = 0;
    while at < line.len() {
        if line[at] == b'\\' {
            at += 1;
            if at == line.len() {
                return line;
            }
            end = at + 1;
        } else if line[at] != b' ' {
            end = at + 1;
        }
        at += 1;
    }
    &line[..end]
}

/// The rule as the crate would have to see it, or `None` where the crate's reading may differ.
fn plain(target: Target, pattern: &[u8], keeps: bool, dir_only: bool) -> Option<Box<str>> {
    let simple = |b: &u8| b.is_ascii_alphanumeric() || b"*?/._-+~#@=%$^&:,!".contains(b);
    if pattern.windows(2).any(|w| w == b"**") {
        return None;
    }
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        rest = if *first == b'[' {
            // `[ch]`: only letters and digits, so that nothing in it means anything.
            let close = tail.iter().position(|b| !b.is_ascii_alphanumeric())?;
            if close == 0 || tail[close] != b']' {
                return None;
            }
            &tail[close + 1..]
        } else if simple(first) {
            tail
        } else {
            return None;
        };
    }
    let pattern = std::str::from_utf8(pattern).ok()?;
    let keeps = if keeps { "!" } else { "" };
    let anchor = match target {
        Target::Path => "/",
        // A leading `#` or `!` of the pattern itself must not be read again.
        Target::Name if pattern.starts_with(['#', '!']) => return None,
        Target::Name => "",
    };
    let slash = if dir_only { "/" } else { "" };
    Some(format!("{keeps}{anchor}{pattern}{slash}").into())
}
