//! The bytes of Rust: where a comment, a literal, a word or a group of brackets ends.
//!
//! Free functions over `(source, position)`; they know nothing of items. Each returns a position behind
//! the one it was given, and none if what began there has no end.

use memchr::{memchr, memchr2};

use crate::outline::brackets;
use crate::outline::scanner::Unsure;

const WORD: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
/// What matters inside a group whose contents are not looked at.
const GROUP: u8 = 8;

static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 {
            table[byte] |= WORD;
        }
        if b.is_ascii_digit() {
            table[byte] |= DIGIT;
        }
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            table[byte] |= BLANK;
        }
        if matches!(b, b'(' | b'[' | b'{' | b')' | b']' | b'}' | b'"' | b'\'' | b'/') {
            table[byte] |= GROUP;
        }
        byte += 1;
    }
    table
};

pub(super) fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & WORD != 0
}

pub(super) fn is_digit(byte: u8) -> bool {
    CLASS[byte as usize] & DIGIT != 0
}

pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[byte as usize] & BLANK != 0
}

fn continues_word(byte: u8) -> bool {
    CLASS[byte as usize] & (WORD | DIGIT) != 0
}

/// The end of the word or number that holds `at`.
pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && continues_word(source[at]) {
        at += 1;
    }
    at
}

/// If a comment starts at `at`, its end. That of `///` and `//!` is behind the line end, as in the grammar.
pub(super) fn comment_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    match source.get(at + 1) {
        Some(b'/') => {
            let end = memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length);
            let doc = match source.get(at + 2) {
                Some(b'!') => true,
                Some(b'/') => source.get(at + 3) != Some(&b'/'),
                _ => false,
            };
            Ok(Some(if doc { source.len().min(end + 1) } else { end }))
        }
        Some(b'*') => block_comment_end(source, at + 2).map(Some),
        _ => Ok(None),
    }
}

/// From after `/*` to after the `*/` that belongs to it; block comments nest.
fn block_comment_end(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    let mut depth = 1usize;
    while let Some(offset) = memchr2(b'/', b'*', &source[at..]) {
        at += offset;
        match (source[at], source.get(at + 1)) {
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Ok(at);
                }
            }
            _ => at += 1,
        }
    }
    Err(Unsure("a comment without an end"))
}

/// From the opening `"` to after the closing one.
pub(super) fn string_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let mut at = start + 1;
    while let Some(offset) = source.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += offset;
        if source[at] == b'"' {
            return Ok(at + 1);
        }
        at += 2;
    }
    Err(Unsure("a string without an end"))
}

/// If the word at `start..end` and what follows it begin a raw string, its end.
pub(super) fn raw_string_end(
    source: &[u8],
    start: usize,
    end: usize,
) -> Result<Option<usize>, Unsure> {
    if !matches!(&source[start..end], b"r" | b"br" | b"cr") {
        return Ok(None);
    }
    let hashes = source[end..].iter().take_while(|byte| **byte == b'#').count();
    let mut at = end + hashes;
    if source.get(at) != Some(&b'"') {
        return Ok(None);
    }
    at += 1;
    while let Some(offset) = memchr(b'"', &source[at..]) {
        at += offset + 1;
        let closing = source[at..].iter().take(hashes).take_while(|byte| **byte == b'#').count();
        at += closing;
        if closing == hashes {
            return Ok(Some(at));
        }
    }
    Err(Unsure("a raw string without an end"))
}

/// From an apostrophe to after the character or the lifetime.
pub(super) fn quote_end(source: &[u8], start: usize) -> usize {
    let at = start + 1;
    let length = match source.get(at) {
        None => return at,
        Some(b'\\') => {
            let rest = &source[source.len().min(at + 2)..source.len().min(at + 16)];
            return memchr(b'\'', rest).map_or(at, |offset| at + 2 + offset + 1);
        }
        Some(b'\'') => return at + 1,
        Some(0..0x80) => 1,
        Some(0x80..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
    };
    if source.get(at + length) == Some(&b'\'') {
        return at + length + 1;
    }
    word_end(source, at)
}

/// Behind white space and comments.
pub(super) fn skip_blank(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    while let Some(&byte) = source.get(at) {
        if is_blank(byte) {
            at += 1;
        } else if byte == b'/'
            && let Some(end) = comment_end(source, at)?
        {
            at = end;
        } else {
            break;
        }
    }
    Ok(at)
}

/// The end of an identifier at `at`, a raw one too.
pub(super) fn ident_end(source: &[u8], at: usize) -> Option<usize> {
    if !source.get(at).copied().is_some_and(starts_word) {
        return None;
    }
    let raw =
        source[at..].starts_with(b"r#") && source.get(at + 2).copied().is_some_and(starts_word);
    Some(word_end(source, if raw { at + 2 } else { at }))
}

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let matters = |byte: u8| CLASS[byte as usize] & GROUP != 0;
    brackets::group_end(source, start, matters, |at, byte| match byte {
        b'"' => any_string_end(source, start, at),
        b'\'' => Ok(quote_end(source, at)),
        _ => Ok(comment_end(source, at)?.unwrap_or(at + 1)),
    })
}

/// From a `"`, of a raw string too, to after the end of the string. Looks back as far as `from`.
fn any_string_end(source: &[u8], from: usize, quote: usize) -> Result<usize, Unsure> {
    let before = &source[from..quote];
    let hashes = before.iter().rev().take_while(|byte| **byte == b'#').count();
    let before = &before[..before.len() - hashes];
    let word = before.iter().rev().take(3).take_while(|byte| continues_word(**byte)).count();
    let end = from + before.len();
    match raw_string_end(source, end - word, end)? {
        Some(end) => Ok(end),
        None => string_end(source, quote),
    }
}

/// The comments in a piece of source.
pub(super) fn comments(raw: &[u8], out: &mut Vec<(usize, usize)>) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at = match byte {
            b'/' => match comment_end(raw, at) {
                Ok(None) => at + 1,
                Ok(Some(end)) => {
                    out.push((at, end));
                    end
                }
                Err(_) => {
                    out.push((at, raw.len()));
                    return;
                }
            },
            b'"' => string_end(raw, at).unwrap_or(raw.len()),
            b'\'' => quote_end(raw, at),
            _ if starts_word(byte) => {
                let end = word_end(raw, at);
                match raw_string_end(raw, at, end) {
                    Ok(found) => found.unwrap_or(end),
                    Err(_) => raw.len(),
                }
            }
            _ => at + 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        assert_eq!(quote_end(b"'a', 'b'", 0), 3);
        assert_eq!(quote_end(b"'a, 'b>", 0), 2);
        assert_eq!(quote_end(b"'\\'' x", 0), 4);
        assert_eq!(quote_end(b"'\\u{1F600}'", 0), 11);
        assert_eq!(quote_end("'\u{e9}'".as_bytes(), 0), 4);
        assert_eq!(quote_end(b"'static str", 0), 7);
        assert_eq!(quote_end(b"'", 0), 1);
        assert_eq!(quote_end(b"'\\", 0), 1);
    }

    #[test]
    fn raw_strings_end_with_as_many_hashes() {
        assert_eq!(raw_string_end(b"r##\"a\"# \"##x", 0, 1), Ok(Some(11)));
        assert_eq!(raw_string_end(b"br\"\\\" x", 0, 2), Ok(Some(5)));
        assert_eq!(raw_string_end(b"r#fn", 0, 1), Ok(None));
        assert!(raw_string_end(b"r#\"\"", 0, 1).is_err());
        assert_eq!(group_end(b"(br#\")\"#)", 0), Ok(9));
        assert_eq!(group_end(b"(attr\")\")", 0), Ok(9));
    }

    #[test]
    fn block_comments_nest() {
        assert_eq!(comment_end(b"/* /* */ */ x", 0), Ok(Some(11)));
        assert_eq!(comment_end(b"/**/", 0), Ok(Some(4)));
        assert!(comment_end(b"/*/", 0).is_err());
        assert_eq!(comment_end(b"/// a\nb", 0), Ok(Some(6)));
        assert_eq!(comment_end(b"//// a\nb", 0), Ok(Some(6))); // in front of the line end
        assert_eq!(comment_end(b"// a\nb", 0), Ok(Some(4)));
    }
}
