//! The text of a definition made presentable: signatures in one line, comments without markers.
//!
//! Works on bytes of any kind; what is not UTF-8 is replaced. Limits are in characters, and a cut
//! ends in an ellipsis that counts.

/// Longest signature, in characters.
pub(super) const SIGNATURE_LIMIT: usize = 240;
/// Longest documentation, in characters.
pub(super) const DOC_LIMIT: usize = 4000;
/// Longest name, in bytes.
pub(super) const NAME_LIMIT: usize = 255;

/// How much source a text is made from at most, so that a huge comment or a minified line costs
/// no more than a long one.
pub(super) const RAW_LIMIT: usize = 8192;

/// A name: white space collapsed, cut to [`NAME_LIMIT`] bytes. Empty if there is none.
pub(super) fn name(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(head(raw, 2 * NAME_LIMIT));
    let mut out = String::with_capacity(text.len().min(NAME_LIMIT));
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.len() > NAME_LIMIT {
        let mut end = NAME_LIMIT;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
    }
    out
}

/// A declaration in one line. `gaps` are ranges of `raw` to leave out (comments), ascending.
///
/// Where the line was broken just inside a bracket the break leaves no space, and a trailing comma
/// before a closing bracket goes; at the end, what only introduced a body goes.
pub(super) fn signature(raw: &[u8], gaps: &[(usize, usize)]) -> String {
    let raw = head(raw, RAW_LIMIT);
    let mut kept = Vec::with_capacity(raw.len().min(2 * SIGNATURE_LIMIT));
    let mut at = 0;
    for &(from, to) in gaps {
        let (from, to) = (from.min(raw.len()), to.min(raw.len()));
        if from >= at {
            kept.extend_from_slice(&raw[at..from]);
            kept.push(b' ');
            at = to.max(at);
        }
    }
    kept.extend_from_slice(&raw[at..]);
    let text = String::from_utf8_lossy(&kept);
    let mut out = String::with_capacity(text.len().min(4 * SIGNATURE_LIMIT));
    let mut broken = false; // a line break lies between `out` and what comes next
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c == '\0' {
            space = true;
            broken |= c == '\n';
            continue;
        }
        if space {
            let inside = out.ends_with(['(', '[']) || matches!(c, ')' | ']');
            match (broken && inside, c) {
                (true, ')' | ']') if out.ends_with(',') => drop(out.pop()),
                (true, _) => {}
                (false, _) if out.is_empty() => {}
                (false, _) => out.push(' '),
            }
            (space, broken) = (false, false);
        }
        out.push(c);
        if out.len() > 4 * SIGNATURE_LIMIT + 16 {
            break; // longer than the limit already, even in four-byte characters
        }
    }
    loop {
        let end = out.trim_end_matches([' ', '{', ';', ',', ':']);
        let end = end.strip_suffix(" =").unwrap_or(end).len();
        if end == out.len() {
            break;
        }
        out.truncate(end);
    }
    cut(&mut out, SIGNATURE_LIMIT);
    out
}

/// The documentation in the comments directly above a definition. At the top of a file (`top`) a
/// licence or the line that names the interpreter belongs to the file, not to what follows it.
pub(super) fn above(pieces: &[&[u8]], top: bool) -> String {
    let about_file = |piece: &&[u8]| {
        let text = String::from_utf8_lossy(head(piece, 2000)).to_ascii_lowercase();
        let words = ["copyright", "spdx-license", "frozen_string_literal"];
        text.starts_with("#!") || words.iter().any(|word| text.contains(word))
    };
    if top && pieces.iter().take(40).any(about_file) { String::new() } else { comment(pieces) }
}

/// The text of a run of comments, markers stripped line by line.
fn comment(pieces: &[&[u8]]) -> String {
    let mut lines = Vec::new();
    let mut budget = RAW_LIMIT;
    for piece in pieces {
        let piece = head(piece, budget);
        budget -= piece.len();
        let text = String::from_utf8_lossy(piece);
        for line in text.lines() {
            lines.push(bare(line).to_owned());
        }
    }
    if lines.iter().any(|line| line.contains("<summary>")) {
        lines.iter_mut().for_each(|line| *line = without_tags(line));
    }
    paragraph(&lines)
}

/// XML documentation as text: tags go, what they refer to (`cref`, `name`) stays.
fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((tag, after)) = after.split_once('>') else {
            out.push('<');
            rest = after;
            continue;
        };
        if let Some((_, value)) = tag.split_once("=\"") {
            out.push_str(value.split('"').next().unwrap_or_default());
            out.push_str(if tag.ends_with('/') { "" } else { " " });
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The text inside a docstring (quotes and prefix already gone): common indentation removed.
pub(super) fn docstring(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(head(raw, RAW_LIMIT));
    let mut lines: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
    let indent = lines.iter().skip(1).filter(|line| !line.trim().is_empty());
    let indent = indent.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    for (index, line) in lines.iter_mut().enumerate() {
        let gone = if index == 0 { line.len() - line.trim_start().len() } else { indent };
        // A line of odd white space may be shorter than the indentation, or cut a character.
        *line = line.get(gone..).unwrap_or_else(|| line.trim_start()).to_owned();
    }
    paragraph(&lines)
}

/// One line of a comment without what marks it as one.
fn bare(line: &str) -> &str {
    let line = line.trim();
    if matches!(line, "=begin" | "=end") {
        return "";
    }
    let line = line.strip_suffix("*/").map_or(line, |rest| rest.trim_end_matches('*'));
    let markers = ["/**", "/*!", "/*", "///", "//!", "//", "*", "##", "#!", "#", "<!--"];
    for marker in markers {
        if let Some(rest) = line.strip_prefix(marker) {
            // A rule of stars, slashes or dashes says nothing.
            let rest = rest.strip_prefix(' ').unwrap_or(rest).trim_end();
            return if rest.chars().all(|c| "*/#-=".contains(c)) { "" } else { rest };
        }
    }
    line
}

/// Lines joined, without the empty ones at both ends, cut to [`DOC_LIMIT`].
fn paragraph(lines: &[String]) -> String {
    let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(first, |at| at + 1);
    let mut out = lines[first..last].join("\n").replace('\0', " ");
    cut(&mut out, DOC_LIMIT);
    out
}

/// Cut to `limit` characters, the last of which is then an ellipsis.
fn cut(text: &mut String, limit: usize) {
    if text.len() <= limit {
        return;
    }
    let mut ends = text.char_indices().skip(limit - 1).map(|(at, _)| at);
    let (Some(keep), Some(_)) = (ends.next(), ends.next()) else { return };
    text.truncate(keep);
    let end = text.trim_end().len();
    text.truncate(end);
    text.push('…');
}

/// The first bytes of a slice.
fn head(raw: &[u8], limit: usize) -> &[u8] {
    &raw[..raw.len().min(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_signature_becomes_one_line() {
        let raw = b"def f(\n    a: int,  # first\n    b: int = 2,\n) -> None";
        let from = 20;
        assert_eq!(signature(raw, &[(from, from + 7)]), "def f(a: int, b: int = 2) -> None");
    }

    #[test]
    fn a_cut_counts_its_ellipsis() {
        let long = "é".repeat(1000);
        assert_eq!(signature(long.as_bytes(), &[]).chars().count(), SIGNATURE_LIMIT);
        let exact = "é".repeat(SIGNATURE_LIMIT);
        assert_eq!(signature(exact.as_bytes(), &[]), exact);
        assert!(name(long.as_bytes()).len() <= NAME_LIMIT);
    }

    #[test]
    fn comments_lose_their_markers() {
        assert_eq!(comment(&[b"/**\n * Adds.\n *\n * @return sum\n */"]), "Adds.\n\n@return sum");
        assert_eq!(comment(&[b"/// One\n", b"///  two"]), "One\n two");
        assert_eq!(comment(&[b"# ------", b"# Title"]), "Title");
        assert_eq!(comment(&[b"/** Short. */"]), "Short.");
    }

    #[test]
    fn docstrings_are_dedented() {
        assert_eq!(
            docstring(b"  First.\n\n    Second\n      third\n    "),
            "First.\n\nSecond\n  third"
        );
    }
}
