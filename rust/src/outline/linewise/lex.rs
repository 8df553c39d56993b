//! The bytes of Kotlin and Swift: where a comment, a word or a group of brackets ends.
//!
//! Free functions over `(source, position)`; they know nothing of declarations. Each returns a position behind the one
//! it was given, and an error if what began there has no end. Literals differ, so a function that passes
//! them is an argument.

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
        // What begins with these three is punctuation or white space, but for few letters.
        let letter = b >= 0x80 && !matches!(b, 0xc2 | 0xe2 | 0xef);
        if b.is_ascii_alphabetic() || b == b'_' || letter {
            table[byte] |= WORD;
        }
        if b.is_ascii_digit() {
            table[byte] |= DIGIT;
        }
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            table[byte] |= BLANK;
        }
        if matches!(b, b'(' | b'[' | b'{' | b')' | b']' | b'}' | b'"' | b'\'' | b'/' | b'`' | b'#')
        {
            table[byte] |= GROUP;
        }
        byte += 1;
    }
    table
};

pub(super) fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & WORD != 0
}

pub(super) fn is_word(byte: u8) -> bool {
    CLASS[byte as usize] & (WORD | DIGIT) != 0
}

pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[byte as usize] & BLANK != 0
}

/// The end of the word or number that holds `at`.
pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && is_word(source[at]) {
        at += 1;
    }
    at
}

/// The end of a plain or quoted identifier, or of a keyword, at `at`.
pub(super) fn ident_end(source: &[u8], at: usize) -> Option<usize> {
    match source.get(at).copied()? {
        b'`' => {
            let end = at + 1 + memchr2(b'`', b'\n', &source[at + 1..])?;
            (source[end] == b'`' && end > at + 1).then_some(end + 1)
        }
        byte => starts_word(byte).then(|| word_end(source, at)),
    }
}

/// The word that begins here; empty if none does.
pub(super) fn word_at(source: &[u8], at: usize) -> &[u8] {
    source.get(at..word_end(source, at)).unwrap_or_default()
}

/// If a comment starts at `at`, its end. Block comments nest.
pub(super) fn comment_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    match source.get(at + 1) {
        Some(b'/') => {
            Ok(Some(memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length)))
        }
        Some(b'*') => {
            let (mut depth, mut from) = (1usize, at + 2);
            while let Some(offset) = memchr2(b'*', b'/', &source[from..]) {
                from += offset + 1;
                match (source[from - 1], source.get(from)) {
                    (b'*', Some(b'/')) => depth -= 1,
                    (b'/', Some(b'*')) => depth += 1,
                    _ => continue,
                }
                from += 1;
                if depth == 0 {
                    return Ok(Some(from));
                }
            }
            Err(Unsure("a comment without an end"))
        }
        _ => Ok(None),
    }
}

/// Behind white space and comments, and whether a line ends on the way.
pub(super) fn skip_lines(source: &[u8], mut at: usize) -> Result<(usize, bool), Unsure> {
    let mut line = false;
    while let Some(&byte) = source.get(at) {
        let end = match byte {
            _ if is_blank(byte) => {
                line |= byte == b'\n';
                Some(at + 1)
            }
            b'/' => comment_end(source, at)?,
            _ => None,
        };
        let Some(end) = end else { break };
        at = end;
    }
    Ok((at, line))
}

/// Behind white space and comments.
pub(super) fn skip(source: &[u8], at: usize) -> Result<usize, Unsure> {
    skip_lines(source, at).map(|(at, _)| at)
}

/// After the literal or quoted name that starts with the sign at the position, if it is one.
pub(super) type Literal = fn(&[u8], usize) -> Result<Option<usize>, Unsure>;

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], start: usize, literal: Literal) -> Result<usize, Unsure> {
    let matters = |byte: u8| CLASS[byte as usize] & GROUP != 0;
    brackets::group_end(source, start, matters, |at, byte| match byte {
        b'/' => Ok(comment_end(source, at)?.unwrap_or(at + 1)),
        _ => Ok(literal(source, at)?.unwrap_or(at + 1)),
    })
}

/// From a `<` to after the `>` that closes it; none if these are no arguments of a type. Looks no further than what a
/// type may hold.
pub(super) fn angle_end(
    source: &[u8],
    start: usize,
    literal: Literal,
) -> Result<Option<usize>, Unsure> {
    let (mut angle, mut at) = (0usize, start);
    while let Some(&byte) = source.get(at) {
        at = match byte {
            b'<' => {
                angle += 1;
                at + 1
            }
            b'>' => {
                angle -= 1;
                if angle == 0 {
                    return Ok(Some(at + 1));
                }
                at + 1
            }
            b'-' if source.get(at + 1) == Some(&b'>') => at + 2,
            b'(' | b'[' => group_end(source, at, literal)?,
            b',' | b'.' | b'?' | b'!' | b'*' | b'@' | b':' | b'&' | b'~' => at + 1,
            b'=' if source.get(at + 1) == Some(&b'=') => at + 2,
            b'/' => match comment_end(source, at)? {
                Some(end) => end,
                None => return Ok(None),
            },
            _ if is_blank(byte) => at + 1,
            _ => match ident_end(source, at) {
                Some(end) => end,
                None if byte.is_ascii_digit() => word_end(source, at),
                None => return Ok(None),
            },
        };
    }
    Ok(None)
}

/// Whether a piece that is passed as a whole may define something: it has a lambda and a word that declares.
pub(super) fn holds_declaration(piece: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(piece, word).is_some();
    memchr(b'{', piece).is_some()
        && (has(b"fun ") || has(b"func ") || has(b"class ") || has(b"struct ") || has(b"enum "))
}

/// The comments in a piece of source.
pub(super) fn comments_in(raw: &[u8], literal: Literal, out: &mut Vec<(usize, usize)>) {
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
            b'"' | b'\'' | b'`' | b'#' => match literal(raw, at) {
                Ok(end) => end.unwrap_or(at + 1),
                Err(_) => return, // cut in the middle
            },
            _ => at + 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest() {
        assert_eq!(comment_end(b"/* /* */ */ x", 0), Ok(Some(11)));
        assert_eq!(comment_end(b"/**/ x", 0), Ok(Some(4)));
        assert_eq!(comment_end(b"/*/ */ x", 0), Ok(Some(6)));
        assert_eq!(comment_end(b"/***/ x", 0), Ok(Some(5)));
        assert_eq!(comment_end(b"// a\nb", 0), Ok(Some(4)));
        assert_eq!(comment_end(b"/ a", 0), Ok(None));
        assert!(comment_end(b"/* /* */", 0).is_err());
    }

    #[test]
    fn arguments_of_types_are_told_from_comparisons() {
        let none: Literal = |_, _| Ok(None);
        assert_eq!(angle_end(b"<A, B<in C?>>(", 0, none), Ok(Some(13)));
        assert_eq!(angle_end(b"<(A) -> B, *> x", 0, none), Ok(Some(13)));
        assert_eq!(angle_end(b"< 3 && b + x", 0, none), Ok(None));
        assert_eq!(angle_end(b"<A", 0, none), Ok(None));
    }

    #[test]
    fn a_quoted_name_ends_on_its_line() {
        assert_eq!(ident_end(b"`a b` c", 0), Some(5));
        assert_eq!(ident_end(b"`a\n`", 0), None);
        assert_eq!(ident_end(b"``", 0), None);
        assert_eq!(ident_end(b"a1 b", 0), Some(2));
    }
}
