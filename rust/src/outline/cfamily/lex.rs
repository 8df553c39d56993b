//! The bytes of C and C++: where a comment, a literal or a word ends.
//!
//! Free functions over `(source, position)`; they know nothing of declarations. All of them
//! return a position in `position..=source.len()`, whatever the bytes are. A quoted literal never
//! crosses an unescaped line end, so that a stray apostrophe costs one line at most.

use memchr::{memchr, memchr3};

/// What one token is. Groups are recognised by their brackets, see [`Token::jump`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Word,
    /// A number, a string or a character.
    Literal,
    /// `::`
    Scope,
    /// `->`
    Arrow,
    /// Any other byte (two for `==`, `<=`, `>=`, `!=`: those must not look like an initialiser).
    Punct(u8),
}

/// A token: a kind and a byte range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// What it is.
    pub kind: Kind,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
    /// For a stored `(` or `[`: the index of the token that closes it, 0 while it is open.
    pub jump: u32,
}

const WORD: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
const BLOCK: u8 = 8;

/// Byte classes: parts of words, digits, white space, and what matters inside a skipped block.
static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' || b == b'$' || b >= 0x80 {
            table[byte] |= WORD;
        }
        if b.is_ascii_digit() {
            table[byte] |= DIGIT;
        }
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | b'\\' | 0) {
            table[byte] |= BLANK;
        }
        if matches!(b, b'{' | b'}' | b'"' | b'\'' | b'/' | b'#') {
            table[byte] |= BLOCK;
        }
        byte += 1;
    }
    table
};

/// May this byte start a word?
pub(super) fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & WORD != 0
}

/// May this byte continue a word?
pub(super) fn continues_word(byte: u8) -> bool {
    CLASS[byte as usize] & (WORD | DIGIT) != 0
}

/// White space, or a byte that counts as such (a backslash before a line end, NUL).
pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[byte as usize] & BLANK != 0
}

/// The next byte at or after `at` that can change the nesting of a block.
pub(super) fn next_in_block(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && CLASS[source[at] as usize] & BLOCK == 0 {
        at += 1;
    }
    at
}

/// The end of the word that holds `at`.
pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && continues_word(source[at]) {
        at += 1;
    }
    at
}

/// The end of a number: digits, letters, dots, exponent signs and C++ digit separators.
pub(super) fn number_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() {
        let byte = source[at];
        let sign = matches!(byte, b'+' | b'-')
            && at > 0
            && matches!(source[at - 1], b'e' | b'E' | b'p' | b'P');
        let separator =
            byte == b'\'' && source.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric());
        if !(continues_word(byte) || byte == b'.' || sign || separator) {
            break;
        }
        at += 1;
    }
    at
}

/// Is the line end at `newline` joined to the next line by a backslash?
pub(super) fn is_continued(source: &[u8], newline: usize) -> bool {
    let before = &source[..newline];
    let before = before.strip_suffix(b"\r").unwrap_or(before);
    before.last() == Some(&b'\\')
}

/// From after `//` to the line end (not included) that ends the comment.
pub(super) fn line_comment_end(source: &[u8], mut at: usize) -> usize {
    while let Some(offset) = memchr(b'\n', &source[at..]) {
        let newline = at + offset;
        if !is_continued(source, newline) {
            return newline;
        }
        at = newline + 1;
    }
    source.len()
}

/// From after `/*` to after the `*/`.
pub(super) fn block_comment_end(source: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(offset) = memchr(b'/', &source[at..]) {
        let slash = at + offset;
        if slash > start && source[slash - 1] == b'*' {
            return slash + 1;
        }
        at = slash + 1;
    }
    source.len()
}

/// If a comment starts at `at`, its end.
pub(super) fn comment_end(source: &[u8], at: usize) -> Option<usize> {
    match (source.get(at), source.get(at + 1)) {
        (Some(b'/'), Some(b'/')) => Some(line_comment_end(source, at + 2)),
        (Some(b'/'), Some(b'*')) => Some(block_comment_end(source, at + 2)),
        _ => None,
    }
}

/// From an opening quote (`"` or `'`) to after the closing one, or to the line end.
pub(super) fn quoted_end(source: &[u8], start: usize) -> usize {
    let quote = source[start];
    let mut at = start + 1;
    while let Some(offset) = memchr3(quote, b'\\', b'\n', &source[at..]) {
        let found = at + offset;
        match source[found] {
            b'\n' => return found,
            b'\\' => {
                // An escaped CR LF is one line end.
                let skip = if source[found + 1..].starts_with(b"\r\n") { 3 } else { 2 };
                at = (found + skip).min(source.len());
            }
            _ => return found + 1,
        }
    }
    source.len()
}

/// Is the quote at `at` the opening of a raw string (`R"`, `u8R"`, …)?
pub(super) fn is_raw_string(source: &[u8], at: usize) -> bool {
    let mut start = at;
    while start > 0 && at - start < 4 && continues_word(source[start - 1]) {
        start -= 1;
    }
    matches!(&source[start..at], b"R" | b"LR" | b"uR" | b"UR" | b"u8R")
}

/// From the quote of a raw string to after its end; a malformed one is taken as an ordinary string.
pub(super) fn raw_string_end(source: &[u8], quote: usize) -> usize {
    let head = &source[quote + 1..source.len().min(quote + 18)];
    let Some(length) = memchr(b'(', head) else { return quoted_end(source, quote) };
    let delimiter = &head[..length];
    if delimiter.iter().any(|&byte| is_blank(byte) || matches!(byte, b')' | b'"')) {
        return quoted_end(source, quote);
    }
    let mut at = quote + 1 + length;
    while let Some(offset) = memchr(b')', &source[at..]) {
        let rest = at + offset + 1;
        if source[rest..].starts_with(delimiter) && source.get(rest + length) == Some(&b'"') {
            return rest + length + 1;
        }
        at = rest;
    }
    source.len()
}

/// Is the apostrophe at `at` a C++ digit separator (`1'000`), not the start of a character?
pub(super) fn is_digit_separator(source: &[u8], at: usize) -> bool {
    let mut start = at;
    while start > 0
        && at - start < 32
        && (source[start - 1] == b'\'' || continues_word(source[start - 1]))
    {
        start -= 1;
    }
    start < at
        && source[start].is_ascii_digit()
        && source.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
}

/// Is the `<` at `at` a comparison or a shift, going by how people write them? Template brackets
/// touch what is before or after them.
pub(super) fn is_less_than(source: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map_or(b' ', |before| source[before]);
    let after = source.get(at + 1).copied().unwrap_or(b' ');
    (is_blank(before) && is_blank(after)) || before == b'<' || matches!(after, b'<' | b'=')
}

/// Does only white space stand between the start of its line and `at`?
pub(super) fn is_first_on_line(source: &[u8], mut at: usize) -> bool {
    while at > 0 && matches!(source[at - 1], b' ' | b'\t' | b'\r') {
        at -= 1;
    }
    at == 0 || source[at - 1] == b'\n'
}

/// Is `at` in the first column?
pub(super) fn is_column_zero(source: &[u8], at: usize) -> bool {
    at == 0 || source.get(at - 1) == Some(&b'\n')
}

/// The end of a directive that is being read at `at`: the first line end that is neither escaped
/// nor inside a comment (not included).
pub(super) fn directive_end(source: &[u8], mut at: usize) -> usize {
    while let Some(offset) = memchr3(b'\n', b'/', b'"', &source[at..]) {
        let found = at + offset;
        at = match source[found] {
            b'\n' if !is_continued(source, found) => return found,
            b'"' => quoted_end(source, found),
            b'/' => comment_end(source, found).unwrap_or(found + 1),
            _ => found + 1,
        };
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_literals_stop_at_an_unescaped_line_end() {
        assert_eq!(4, quoted_end(b"\"ab\" c", 0));
        assert_eq!(4, quoted_end(b"'don\nx", 0));
        assert_eq!(7, quoted_end(b"\"a\\\nb\\\"", 0));
        assert_eq!(7, quoted_end(b"\"a\\\r\nb\"", 0));
        assert_eq!(2, quoted_end(b"\"\\", 0));
    }

    #[test]
    fn raw_strings_end_at_their_own_delimiter() {
        let source = b"R\"x(a)\" )y\" )x\" rest";
        assert!(is_raw_string(source, 1));
        assert_eq!(15, raw_string_end(source, 1));
        assert!(!is_raw_string(b"FOR\"", 3));
    }

    #[test]
    fn apostrophes_in_numbers_are_separators() {
        assert!(is_digit_separator(b"1'000", 1));
        assert!(is_digit_separator(b"1'000'000", 5));
        assert!(!is_digit_separator(b"u8'a'", 2));
        assert!(!is_digit_separator(b"case'a'", 4));
    }

    #[test]
    fn comments_end_where_the_language_says() {
        assert_eq!(Some(4), comment_end(b"/**/x", 0));
        assert_eq!(Some(3), comment_end(b"/*/", 0));
        assert_eq!(Some(7), comment_end(b"//a\\\nbc\n", 0));
        assert_eq!(None, comment_end(b"/ x", 0));
    }

    #[test]
    fn directives_run_over_escaped_line_ends_and_comments() {
        assert_eq!(6, directive_end(b"a \\\n b\nc", 0));
        assert_eq!(9, directive_end(b"a /*\n*/ b\nc", 0));
        assert_eq!(6, directive_end(b"a \"/*\"\nc", 0));
    }
}
