//! The bytes of Go and Java: where a comment, a literal or a word ends.
//!
//! Free functions over `(source, position)`; they know nothing of declarations. All of them return a
//! position in `position..=source.len()`, whatever the bytes are.

use memchr::{memchr, memchr3};

/// Part of a word or a number.
pub(super) const WORD: u8 = 1;
/// What a plain run of code may not hold: brackets, quotes, slashes.
pub(super) const SIGN: u8 = 2;
/// The end of a line or of a statement.
pub(super) const END: u8 = 4;
/// White space, the end of a line included.
pub(super) const BLANK: u8 = 8;
/// What an annotation begins with.
pub(super) const AT: u8 = 16;

/// Byte classes.
static CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut at = 0usize;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80 {
            table[at] |= WORD;
        }
        if matches!(
            byte,
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b'"' | b'\'' | b'`' | b'/' | b'\\'
        ) {
            table[at] |= SIGN;
        }
        if matches!(byte, b'\n' | b';') {
            table[at] |= END;
        }
        if byte == b'@' {
            table[at] |= AT;
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            table[at] |= BLANK;
        }
        at += 1;
    }
    table
};

/// Whether a byte is of one of these classes.
pub(super) fn is(byte: u8, classes: u8) -> bool {
    CLASS[byte as usize] & classes != 0
}

/// The next byte of one of these classes.
pub(super) fn find(source: &[u8], at: usize, classes: u8) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is(byte, classes)).unwrap_or(rest.len())
}

/// The next byte of none of these classes.
pub(super) fn skip(source: &[u8], at: usize, classes: u8) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| !is(byte, classes)).unwrap_or(rest.len())
}

/// If a comment starts at `at`, its end (without the line break) and whether it has one.
pub(super) fn comment_end(source: &[u8], at: usize) -> Option<(usize, bool)> {
    match (source.get(at)?, source.get(at + 1)?) {
        (b'/', b'/') => {
            let end = memchr(b'\n', &source[at + 2..]).map_or(source.len(), |found| at + 2 + found);
            Some((end, true))
        }
        (b'/', b'*') => {
            let first = at + 2;
            let mut from = first;
            while let Some(found) = memchr(b'/', &source[from..]) {
                from += found + 1;
                if from - 1 > first && source[from - 2] == b'*' {
                    return Some((from, true));
                }
            }
            Some((source.len(), false))
        }
        _ => None,
    }
}

/// After the quote at `at` to after the one that closes it, on the same line.
pub(super) fn quoted_end(source: &[u8], at: usize) -> Option<usize> {
    let quote = *source.get(at)?;
    let mut from = at + 1;
    loop {
        from += memchr3(quote, b'\\', b'\n', source.get(from..)?)?;
        match source[from] {
            b'\n' => return None,
            b'\\' if source.get(from + 1) != Some(&b'\n') => from += 2,
            b'\\' => return None,
            _ => return Some(from + 1),
        }
    }
}

/// After the literal of Go that starts at `at`.
pub(super) fn go_literal_end(source: &[u8], at: usize) -> Option<usize> {
    match source.get(at)? {
        b'`' => memchr(b'`', &source[at + 1..]).map(|found| at + found + 2),
        _ => quoted_end(source, at),
    }
}

/// After the literal of Java that starts at `at`.
pub(super) fn java_literal_end(source: &[u8], at: usize) -> Option<usize> {
    match source.get(at)? {
        b'`' => None,
        b'"' if source[at..].starts_with(b"\"\"\"") => {
            let mut from = at + 3;
            loop {
                from += memchr::memchr2(b'"', b'\\', source.get(from..)?)?;
                match source[from] {
                    b'\\' => from += 2,
                    _ if source[from..].starts_with(b"\"\"\"") => return Some(from + 3),
                    _ => from += 1,
                }
            }
        }
        _ => quoted_end(source, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_where_they_end() {
        assert_eq!(comment_end(b"// a\nb", 0), Some((4, true)));
        assert_eq!(comment_end(b"/* a */b", 0), Some((7, true)));
        assert_eq!(comment_end(b"/*/ */b", 0), Some((6, true)));
        assert_eq!(comment_end(b"/**/b", 0), Some((4, true)));
        assert_eq!(comment_end(b"/* a", 0), Some((4, false)));
        assert_eq!(comment_end(b"/ a", 0), None);
        assert_eq!(comment_end(b"/", 0), None);
    }

    #[test]
    fn literals_end_where_they_end() {
        assert_eq!(go_literal_end(br#""a\"b" c"#, 0), Some(6));
        assert_eq!(go_literal_end(b"`a\n\\` c", 0), Some(5));
        assert_eq!(go_literal_end(b"'\\'' c", 0), Some(4));
        assert_eq!(go_literal_end(b"\"a\nb\"", 0), None);
        assert_eq!(go_literal_end(b"\"a\\", 0), None);
        assert_eq!(java_literal_end(br#""" c"#, 0), Some(2));
        assert_eq!(java_literal_end(b"\"\"\"\n a \"b\" \\\"\"\" \"\"\" c", 0), Some(19));
        assert_eq!(java_literal_end(b"\"\"\" a", 0), None);
    }
}
