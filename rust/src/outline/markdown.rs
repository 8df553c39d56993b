//! Markdown: headings, ATX (`## a`) and underlined, each with its section as its range.
//!
//! Not headings: what is in fenced or indented code, in an HTML comment, in a quotation, in the
//! front matter. A heading's parent is the dotted names of the headings around it.

use super::scope::{self, PATH_LIMIT};
use super::{Language, OutlineError, Partial, SYMBOL_LIMIT, Symbol, SymbolKind, text};

/// Deepest level of a heading.
const LEVELS: usize = 6;

/// The scanner.
pub(super) struct Markdown;

impl Language for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn version(&self) -> &'static str {
        "1.1"
    }

    fn outline(
        &self,
        source: &[u8],
        out: &mut Vec<Symbol>,
    ) -> Result<Option<Partial>, OutlineError> {
        let lines = Lines::of(source);
        let headings = headings(&lines);
        let mut open: Vec<(usize, String)> = Vec::new();
        for (index, heading) in headings.iter().enumerate() {
            open.retain(|(level, _)| *level < heading.level);
            let around: Vec<&str> = open.iter().map(|(_, name)| name.as_str()).collect();
            let parent = Some(around.join(".")).filter(|path| !path.is_empty());
            let parent = parent.filter(|path| path.len() <= PATH_LIMIT);
            out.push(Symbol {
                name: heading.name.clone(),
                kind: SymbolKind::Heading,
                parent,
                start: scope::line(heading.first),
                end: scope::line(section_end(&lines, &headings[index..])),
                signature: format!("{} {}", "#".repeat(heading.level), heading.name),
                doc: String::new(),
            });
            open.push((heading.level, heading.name.clone()));
        }
        Ok(None)
    }
}

struct Heading {
    level: usize,
    name: String,
    /// First line, from 0.
    first: usize,
    /// Last line of the heading itself, from 0.
    last: usize,
}

/// Lines without their ends; a file that ends in a line break has no empty line after it. Four bytes a
/// line, because a file may be nothing but line breaks.
struct Lines<'s> {
    source: &'s [u8],
    starts: Vec<u32>,
}

impl<'s> Lines<'s> {
    fn of(source: &'s [u8]) -> Self {
        let source = &source[..source.len().min(u32::MAX as usize)];
        let ends = memchr::memchr_iter(b'\n', source).map(|end| end + 1);
        let starts = std::iter::once(0).chain(ends).filter(|start| *start < source.len());
        let starts = starts.map(|start| u32::try_from(start).unwrap_or(u32::MAX)).collect();
        Self { source, starts }
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    /// One line; empty if there is no such line.
    fn get(&self, at: usize) -> &'s [u8] {
        let start = |at: usize| self.starts.get(at).map_or(self.source.len(), |at| *at as usize);
        let line = &self.source[start(at)..start(at + 1)];
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }
}

fn headings(lines: &Lines<'_>) -> Vec<Heading> {
    let mut found = Vec::new();
    let mut fence: Option<(u8, usize)> = None;
    let mut commented = false;
    let mut paragraph: Option<usize> = None; // the first line of the one we are in
    let mut at = front_matter(lines);
    while at < lines.len() && found.len() <= SYMBOL_LIMIT {
        let line = lines.get(at);
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let rest = &line[indent..];
        at += 1;
        if let Some((mark, width)) = fence {
            let run = run(rest, mark);
            if indent < 4 && run >= width && rest[run..].trim_ascii().is_empty() {
                fence = None;
            }
            continue;
        }
        if commented {
            commented = !contains(line, b"-->");
            continue;
        }
        let blank = rest.trim_ascii().is_empty();
        if blank || (indent >= 4 || rest.starts_with(b"\t")) && paragraph.is_none() {
            paragraph = None;
            continue;
        }
        if indent >= 4 {
            continue; // goes on with the paragraph
        }
        if rest.starts_with(b"<!--") {
            commented = !contains(&rest[4..], b"-->");
            paragraph = None;
            continue;
        }
        if let Some(mark) = [b'`', b'~'].into_iter().find(|mark| run(rest, *mark) >= 3) {
            let width = run(rest, mark);
            if mark == b'~' || !rest[width..].contains(&b'`') {
                fence = Some((mark, width));
                paragraph = None;
                continue;
            }
        }
        let level = run(rest, b'#');
        let after = &rest[level..];
        if (1..=LEVELS).contains(&level) && after.first().is_none_or(u8::is_ascii_whitespace) {
            let name = text::name(&plain(atx(after)));
            if !name.is_empty() {
                found.push(Heading { level, name, first: at - 1, last: at - 1 });
            }
            paragraph = None;
            continue;
        }
        if let (Some(first), Some(level)) = (paragraph, underline(rest)) {
            let name = text::name(&plain(&text_of(lines, first, at - 1)));
            if !name.is_empty() {
                found.push(Heading { level, name, first, last: at - 1 });
            }
            paragraph = None;
            continue;
        }
        // Lines of a list, a quotation, a table or HTML make no underlined heading.
        let text = !matches!(rest[0], b'>' | b'|' | b'<' | b'-' | b'*' | b'+' | b'=' | b'_')
            && !is_item(rest);
        paragraph = if text { paragraph.or(Some(at - 1)) } else { None };
    }
    found
}

/// The lines of a paragraph as one, as far as a name can need them.
fn text_of(lines: &Lines<'_>, from: usize, to: usize) -> Vec<u8> {
    let mut joined = Vec::new();
    for at in from..to {
        if at > from {
            joined.push(b' ');
        }
        joined.extend_from_slice(lines.get(at));
        if joined.len() > 8 * text::NAME_LIMIT {
            break;
        }
    }
    joined
}

/// How many of a mark a line begins with.
fn run(line: &[u8], mark: u8) -> usize {
    line.iter().take_while(|byte| **byte == mark).count()
}

fn contains(line: &[u8], what: &[u8]) -> bool {
    memchr::memmem::find(line, what).is_some()
}

/// The first line after the front matter: YAML between `---`, TOML between `+++`.
fn front_matter(lines: &Lines<'_>) -> usize {
    let mark = lines.get(0).trim_ascii_end();
    if !matches!(mark, b"---" | b"+++") {
        return 0;
    }
    let close = (1..lines.len()).find(|at| lines.get(*at).trim_ascii_end() == mark);
    close.map_or(0, |at| at + 1)
}

/// `1. item`, `12) item`.
fn is_item(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0
        && matches!(line.get(digits), Some(b'.' | b')'))
        && line.get(digits + 1) == Some(&b' ')
}

/// The level of an underlined heading, if a line is such a rule.
fn underline(line: &[u8]) -> Option<usize> {
    let line = line.trim_ascii_end();
    match line.first()? {
        b'=' if run(line, b'=') == line.len() => Some(1),
        b'-' if run(line, b'-') == line.len() => Some(2),
        _ => None,
    }
}

/// The text of an ATX heading without the marks that may close it.
fn atx(rest: &[u8]) -> &[u8] {
    let rest = rest.trim_ascii();
    let open = rest.iter().rev().take_while(|byte| **byte == b'#').count();
    let inner = &rest[..rest.len() - open];
    if inner.is_empty() || inner.ends_with(b" ") || inner.ends_with(b"\t") {
        inner.trim_ascii()
    } else {
        rest
    }
}

/// Inline marks taken off: code, strong, links and images keep their text; `{#id}` goes.
fn plain(raw: &[u8]) -> Vec<u8> {
    let raw = raw.trim_ascii();
    let raw = &raw[..raw.len().min(4 * text::NAME_LIMIT)];
    let raw = match raw.iter().rposition(|byte| *byte == b'{') {
        Some(at) if raw.ends_with(b"}") && raw[at + 1..].starts_with(b"#") => &raw[..at],
        _ => raw,
    };
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        match raw[at] {
            b'`' => {}
            b'\\' if raw.get(at + 1).is_some_and(u8::is_ascii_punctuation) => {
                out.push(raw[at + 1]);
                at += 1;
            }
            b'*' if raw.get(at + 1) == Some(&b'*') => at += 1,
            b'!' if raw.get(at + 1) == Some(&b'[') => {}
            b'[' if is_link(&raw[at..]) => {}
            b']' if raw.get(at + 1) == Some(&b'(') => {
                let close = raw[at..].iter().position(|byte| *byte == b')');
                at += close.unwrap_or(0);
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    out
}

/// Whether a bracket opens the text of a link: `[a](b)`.
fn is_link(raw: &[u8]) -> bool {
    let close = raw.iter().position(|byte| *byte == b']');
    close.is_some_and(|close| raw.get(close + 1) == Some(&b'('))
}

/// The last line of the section that the first of some headings begins, from 0: before the next
/// heading that is no deeper, without blank lines.
fn section_end(lines: &Lines<'_>, headings: &[Heading]) -> usize {
    let this = &headings[0];
    let next = headings[1..].iter().find(|next| next.level <= this.level);
    let mut end = next.map_or(lines.len(), |next| next.first);
    while end > this.last + 1 && lines.get(end - 1).trim_ascii().is_empty() {
        end -= 1;
    }
    end - 1
}
