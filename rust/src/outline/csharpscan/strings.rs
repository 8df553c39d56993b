//! The literals of C#: where a character or a string of any kind ends, and the holes in strings.

use memchr::{memchr, memchr2, memchr3};

use super::lex::comment_end;
use crate::outline::scanner::Unsure;

/// Deepest nesting of strings in the holes of strings.
const STRING_DEPTH: usize = 32;

/// From an apostrophe to after the character; a lone one is passed over.
pub(super) fn quote_end(source: &[u8], start: usize) -> usize {
    let at = start + 1;
    let length = match source.get(at) {
        None => return at,
        Some(b'\\') => {
            let rest = &source[source.len().min(at + 2)..source.len().min(at + 16)];
            return memchr(b'\'', rest).map_or(at, |offset| at + 2 + offset + 1);
        }
        Some(0..0x80) => 1,
        Some(0x80..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
    };
    if source.get(at + length) == Some(&b'\'') { at + length + 1 } else { at }
}

/// From a `"` to after the end of the string. What stands before the quote says which kind it is; it is
/// looked for back to `from`.
pub(super) fn string_end(source: &[u8], from: usize, quote: usize) -> Result<usize, Unsure> {
    string(source, from, quote, 0)
}

fn string(source: &[u8], from: usize, quote: usize, depth: usize) -> Result<usize, Unsure> {
    if depth > STRING_DEPTH {
        return Err(Unsure("strings nested too deep"));
    }
    let before = &source[from..quote];
    let signs = before.iter().rev().take_while(|byte| matches!(byte, b'$' | b'@')).count();
    let signs = &before[before.len() - signs..];
    let verbatim = signs.contains(&b'@');
    let dollars = memchr::memchr_iter(b'$', signs).count();
    let quotes = source[quote..].iter().take_while(|byte| **byte == b'"').count();
    if quotes >= 3 && !verbatim {
        return raw(source, quote + quotes, quotes, dollars, depth);
    }
    let mut at = quote + 1;
    if dollars > 0 {
        return interpolated(source, at, verbatim, depth);
    }
    if verbatim {
        while let Some(offset) = memchr(b'"', &source[at..]) {
            at += offset + 1;
            if source.get(at) != Some(&b'"') {
                return Ok(at);
            }
            at += 1;
        }
        return Err(Unsure("a string without an end"));
    }
    while let Some(offset) = source.get(at..).and_then(|rest| memchr3(b'"', b'\\', b'\n', rest)) {
        at += offset;
        match source[at] {
            b'"' => return Ok(at + 1),
            b'\n' => break,
            _ => at += 2,
        }
    }
    Err(Unsure("a string without an end"))
}

/// From after the opening quotes of a raw string.
fn raw(
    source: &[u8],
    mut at: usize,
    quotes: usize,
    dollars: usize,
    depth: usize,
) -> Result<usize, Unsure> {
    while let Some(offset) = memchr2(b'"', b'{', &source[at..]) {
        at += offset;
        let sign = source[at];
        let run = source[at..].iter().take_while(|byte| **byte == sign).count();
        at += run;
        if sign == b'"' && run >= quotes {
            return Ok(at);
        }
        if sign == b'{' && dollars > 0 && run >= dollars {
            at = hole(source, at, depth)?;
        }
    }
    Err(Unsure("a string without an end"))
}

/// From after the opening quote of an interpolated string.
fn interpolated(
    source: &[u8],
    mut at: usize,
    verbatim: bool,
    depth: usize,
) -> Result<usize, Unsure> {
    while let Some(&byte) = source.get(at) {
        let next = source.get(at + 1);
        at = match byte {
            b'"' if verbatim && next == Some(&b'"') => at + 2,
            b'"' => return Ok(at + 1),
            b'\\' if !verbatim => at + 2,
            b'\n' if !verbatim => break,
            b'{' if next == Some(&b'{') => at + 2,
            b'{' => hole(source, at + 1, depth)?,
            _ => at + 1,
        };
    }
    Err(Unsure("a string without an end"))
}

/// From after the `{` of a hole to after the `}` that closes it.
fn hole(source: &[u8], start: usize, depth: usize) -> Result<usize, Unsure> {
    let mut open = 1usize;
    let mut at = start;
    while let Some(&byte) = source.get(at) {
        at = match byte {
            b'{' => {
                open += 1;
                at + 1
            }
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Ok(at + 1);
                }
                at + 1
            }
            b'"' => string(source, start, at, depth + 1)?,
            b'\'' => quote_end(source, at),
            b'/' => comment_end(source, at)?.unwrap_or(at + 1),
            _ => at + 1,
        };
    }
    Err(Unsure("a string without an end"))
}
