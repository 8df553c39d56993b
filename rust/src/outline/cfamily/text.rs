//! The two pieces of text that a symbol carries: its signature and its documentation.
//!
//! Both are cut on a character boundary, and bytes that are not UTF-8 are replaced.

use super::lex;

/// Longest name, in bytes.
const NAME_LIMIT: usize = 255;
/// Longest signature, in characters.
pub(super) const SIGNATURE_LIMIT: usize = 240;
/// Longest documentation, in characters.
pub(super) const DOC_LIMIT: usize = 4_000;
/// Bytes of a comment that are looked at: enough for `DOC_LIMIT` characters and their margins.
const DOC_WINDOW: usize = 8_192;
/// Bytes of a declaration that are looked at.
const SIGNATURE_WINDOW: usize = 8_192;

/// Source text as a one-line signature: comments, directives and line continuations removed,
/// white space collapsed.
pub(super) fn collapse(source: &[u8]) -> String {
    let mut text = Vec::with_capacity(source.len().min(SIGNATURE_LIMIT));
    collapse_into(source, &mut text);
    finish(text, SIGNATURE_LIMIT)
}

/// As [`collapse`], appended to bytes that [`finish`] will take.
pub(super) fn collapse_into(source: &[u8], text: &mut Vec<u8>) {
    let source = &source[..source.len().min(SIGNATURE_WINDOW)];
    let mut at = 0;
    let mut gap = false;
    // Four bytes to a character at most, so that cutting at the limit is still exact.
    while at < source.len() && text.len() < SIGNATURE_LIMIT * 4 + 4 {
        let byte = source[at];
        if lex::is_blank(byte) {
            gap = true;
            at += 1;
        } else if let Some(end) = lex::comment_end(source, at) {
            gap = true;
            at = end;
        } else if byte == b'#' && at > 0 && lex::is_first_on_line(source, at) {
            gap = true;
            at = lex::directive_end(source, at);
        } else {
            let end = match byte {
                b'"' | b'\'' => lex::quoted_end(source, at),
                _ => at + 1,
            };
            if gap && !text.is_empty() {
                text.push(b' ');
            }
            gap = false;
            // A literal may go on after an escaped line end.
            let piece = source[at..end].iter();
            text.extend(piece.map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
            at = end;
        }
    }
}

/// Bytes as text of at most `limit` characters.
pub(super) fn finish(bytes: Vec<u8>, limit: usize) -> String {
    let mut text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    if text.len() > limit
        && let Some((cut, _)) = text.char_indices().nth(limit)
    {
        text.truncate(cut);
    }
    let kept = text.trim_end().len();
    text.truncate(kept);
    text
}

/// A name as text of at most [`NAME_LIMIT`] bytes.
pub(super) fn name(source: &[u8]) -> String {
    // Replacing a byte makes three of it.
    let short = source.len() * 3 <= NAME_LIMIT;
    let mut text = String::from_utf8_lossy(&source[..source.len().min(NAME_LIMIT)]).into_owned();
    if !short {
        let cut = (0..=NAME_LIMIT.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(cut.unwrap_or(0));
    }
    text
}

/// The text of a comment (one block comment, or line comments on adjacent lines) without markers.
pub(super) fn clean_comment(comment: &[u8]) -> String {
    let comment = &comment[..comment.len().min(DOC_WINDOW)];
    let mut text = Vec::with_capacity(comment.len().min(DOC_LIMIT));
    let mut blank_lines = 0;
    for line in comment.split(|&byte| byte == b'\n') {
        let line = strip_markers(line);
        if line.is_empty() {
            blank_lines += 1;
            continue;
        }
        if !text.is_empty() {
            text.push(b'\n');
            // One empty line is a paragraph; more say no more.
            if blank_lines > 0 {
                text.push(b'\n');
            }
        }
        blank_lines = 0;
        text.extend_from_slice(line);
        if text.len() > DOC_LIMIT * 4 {
            break;
        }
    }
    finish(text, DOC_LIMIT)
}

/// One line of a comment without `/**`, `*/`, `*`, `//`, `///`, `//!` and rulers of these.
fn strip_markers(line: &[u8]) -> &[u8] {
    let mut line = line.trim_ascii();
    if let Some(rest) = line.strip_prefix(b"//") {
        let rest = &rest[rest.iter().take_while(|&&byte| byte == b'/').count()..];
        line = rest.strip_prefix(b"!").unwrap_or(rest);
        line = line.strip_prefix(b"<").unwrap_or(line);
    } else {
        let opens = line.starts_with(b"/*");
        line = line.strip_prefix(b"/").filter(|_| opens).unwrap_or(line);
        line = line.strip_suffix(b"*/").unwrap_or(line);
        line = &line[line.iter().take_while(|&&byte| byte == b'*').count()..];
        if opens {
            line = line.strip_prefix(b"!").unwrap_or(line);
        }
        if line == b"/" {
            line = b"";
        }
    }
    let line = line.trim_ascii();
    let is_ruler = line.iter().all(|byte| matches!(byte, b'*' | b'-' | b'=' | b'/' | b'~' | b'_'));
    if is_ruler { b"" } else { line }
}

/// Does the comment at the head of a file say who owns it, rather than what follows?
pub(super) fn is_license(comment: &[u8]) -> bool {
    let head = &comment[..comment.len().min(DOC_WINDOW)];
    let contains = |needle: &[u8]| {
        head.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
    };
    contains(b"SPDX-License") || contains(b"copyright") || contains(b"license")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_one_line_without_comments_and_directives() {
        let source =
            b"static int  foo(int a, /* first */\n#ifdef X\n\tint b, // second\n#endif\n\tchar *c)";
        assert_eq!("static int foo(int a, int b, char *c)", collapse(source));
        assert_eq!("#define A \"x  /* y */\"", collapse(b"#define A \\\n \"x  /* y */\""));
    }

    #[test]
    fn cutting_respects_characters() {
        let long = "é".repeat(500);
        assert_eq!(SIGNATURE_LIMIT, collapse(long.as_bytes()).chars().count());
        assert_eq!(3, finish(b"a\xff\xfeb".to_vec(), 3).chars().count());
    }

    #[test]
    fn comment_markers_are_stripped() {
        assert_eq!(
            "foo - does\n@a: first\n\nMore.",
            clean_comment(b"/**\n * foo - does\n * @a: first\n *\n *\n * More.\n */")
        );
        assert_eq!("One.\nTwo.", clean_comment(b"/// One.\n    /// Two."));
        assert_eq!("Short.", clean_comment(b"/* Short. */"));
        assert_eq!(
            "Title",
            clean_comment(b"/*********\n * Title *\n ********/").trim_end_matches(" *")
        );
        assert_eq!("", clean_comment(b"/*=======*/"));
        assert_eq!("", clean_comment(b"/**/"));
    }
}
