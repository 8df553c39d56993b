//! The bytes of C#: where a comment, a directive, a word or a group of brackets ends.
//!
//! Free functions over `(source, position)`; they know nothing of declarations. Each returns a position
//! behind the one it was given, and an error if what began there has no end.

use memchr::{memchr, memchr2, memchr3};

use super::strings::{quote_end, string_end};
use crate::outline::brackets;
use crate::outline::scanner::Unsure;

const WORD: u8 = 1;
const DIGIT: u8 = 2;
const BLANK: u8 = 4;
/// What matters inside a group whose contents are not looked at.
const GROUP: u8 = 8;
/// What matters inside a statement that has begun.
const CODE: u8 = 16;

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
        if matches!(b, b'(' | b'[' | b'{' | b')' | b']' | b'}' | b'"' | b'\'' | b'/' | b'#') {
            table[byte] |= GROUP | CODE;
        }
        if matches!(b, b';' | b':') {
            table[byte] |= CODE;
        }
        byte += 1;
    }
    table
};

pub(super) fn starts_word(byte: u8) -> bool {
    CLASS[byte as usize] & WORD != 0
}

pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[byte as usize] & BLANK != 0
}

fn continues_word(byte: u8) -> bool {
    CLASS[byte as usize] & (WORD | DIGIT) != 0
}

/// The next byte of a statement that matters.
pub(super) fn next_in_code(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && CLASS[source[at] as usize] & CODE == 0 {
        at += 1;
    }
    at
}

/// The end of the word or number that holds `at`.
pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && continues_word(source[at]) {
        at += 1;
    }
    at
}

/// The end of an identifier or keyword at `at`; `@` may stand before it.
pub(super) fn ident_end(source: &[u8], at: usize) -> Option<usize> {
    let from = at + usize::from(source.get(at) == Some(&b'@'));
    source.get(from).copied().is_some_and(starts_word).then(|| word_end(source, from))
}

fn line_end(source: &[u8], at: usize) -> usize {
    memchr2(b'\n', b'\r', &source[at..]).map_or(source.len(), |length| at + length)
}

/// If a comment starts at `at`, its end.
pub(super) fn comment_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    match source.get(at + 1) {
        Some(b'/') => Ok(Some(line_end(source, at))),
        Some(b'*') => {
            let mut end = at + 2;
            while let Some(offset) = memchr(b'/', &source[end..]) {
                end += offset + 1;
                if end > at + 3 && source[end - 2] == b'*' {
                    return Ok(Some(end));
                }
            }
            Err(Unsure("a comment without an end"))
        }
        _ => Ok(None),
    }
}

/// If a directive starts with the `#` at `at`, the end of its line.
pub(super) fn directive_end(source: &[u8], at: usize) -> Option<usize> {
    let mut blank = source[..at].iter().rev().take_while(|byte| **byte != b'\n');
    blank.all(u8::is_ascii_whitespace).then(|| line_end(source, at))
}

/// The same inside the head of a declaration, where the first branch of a condition counts: if the directive
/// is `#else` or `#elif`, the end of the line of the `#endif`. What stands between must not be much.
pub(super) fn branches_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    let Some(end) = directive_end(source, at) else { return Ok(None) };
    if !directive(source, at).starts_with(b"el") {
        return Ok(Some(end));
    }
    let (mut depth, mut from) = (0usize, end);
    while let Some(offset) = memchr(b'#', &source[from..]) {
        from += offset;
        if let Some(last) = directive_end(source, from) {
            let word = directive(source, from);
            if word.starts_with(b"if") {
                depth += 1;
            } else if word.starts_with(b"endif") {
                if depth == 0 {
                    let branch = &source[end..from];
                    let branch = &branch[attributes_end(branch)?..];
                    let much = memchr3(b'{', b';', b'(', branch).is_some() || has_keyword(branch);
                    return match much {
                        true => Err(Unsure("a declaration with two heads")),
                        false => Ok(Some(last)),
                    };
                }
                depth -= 1;
            }
        }
        from += 1;
    }
    Err(Unsure("a condition without an end"))
}

/// Behind the attributes that a piece begins with.
fn attributes_end(piece: &[u8]) -> Result<usize, Unsure> {
    let mut at = skip_space(piece, 0)?;
    while piece.get(at) == Some(&b'[') {
        at = skip_space(piece, group_end(piece, at)?)?;
    }
    Ok(at)
}

/// What follows the `#` at `at`.
pub(super) fn directive(source: &[u8], at: usize) -> &[u8] {
    source[at + 1..].trim_ascii_start()
}

/// Whether a piece declares a type or a namespace.
fn has_keyword(piece: &[u8]) -> bool {
    piece.split(|byte| !continues_word(*byte)).any(|word| {
        matches!(
            word,
            b"class" | b"enum" | b"interface" | b"namespace" | b"record" | b"struct" | b"using"
        )
    })
}

/// Behind white space, comments and directives.
pub(super) fn skip_blank(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    loop {
        at = skip_space(source, at)?;
        if source.get(at) != Some(&b'#') {
            return Ok(at);
        }
        let Some(end) = branches_end(source, at)? else { return Ok(at) };
        at = end;
    }
}

/// Behind white space and comments.
pub(super) fn skip_space(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    while let Some(&byte) = source.get(at) {
        let end = match byte {
            _ if is_blank(byte) => Some(at + 1),
            b'/' => comment_end(source, at)?,
            _ => None,
        };
        let Some(end) = end else { break };
        at = end;
    }
    Ok(at)
}

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let matters = |byte: u8| CLASS[byte as usize] & GROUP != 0;
    brackets::group_end(source, start, matters, |at, byte| match byte {
        b'"' => string_end(source, start, at),
        b'\'' => Ok(quote_end(source, at)),
        b'/' => Ok(comment_end(source, at)?.unwrap_or(at + 1)),
        _ => Ok(directive_end(source, at).unwrap_or(at + 1)),
    })
}

/// From a `<` to after the `>` that closes it; none if these are no arguments of a type. Looks no further
/// than the end of the statement.
pub(super) fn angle_end(source: &[u8], start: usize) -> Result<Option<usize>, Unsure> {
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
            b'(' | b'[' => match flat_end(source, at)? {
                Some(end) => end,
                None => return Ok(None),
            },
            b':' if source.get(at + 1) == Some(&b':') => at + 2,
            b',' | b'.' | b'?' | b'*' | b'@' => at + 1,
            b'/' | b'#' => match skip_blank(source, at)? {
                end if end > at => end,
                _ => return Ok(None),
            },
            _ if is_blank(byte) => at + 1,
            _ if starts_word(byte) => word_end(source, at),
            _ => return Ok(None),
        };
    }
    Ok(None)
}

/// From an opening bracket to after the one that closes it; none if a block or a statement's end comes
/// first.
pub(super) fn flat_end(source: &[u8], start: usize) -> Result<Option<usize>, Unsure> {
    let (mut depth, mut at) = (0usize, start);
    loop {
        at = next_in_code(source, at);
        match source.get(at) {
            None | Some(b'{' | b'}' | b';') => return Ok(None),
            Some(b'(' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b')' | b']') => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Ok(Some(at));
                }
            }
            Some(b'"') => at = string_end(source, start, at)?,
            Some(b'\'') => at = quote_end(source, at),
            Some(b'/') => at = comment_end(source, at)?.unwrap_or(at + 1),
            Some(b'#') => at = directive_end(source, at).unwrap_or(at + 1),
            Some(_) => at += 1,
        }
    }
}

/// The comments and directives in a piece of source.
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
            b'#' if at > 0 => match branches_end(raw, at) {
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
            b'"' => string_end(raw, 0, at).unwrap_or(raw.len()),
            b'\'' => quote_end(raw, at),
            _ => at + 1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str) -> Result<usize, Unsure> {
        let quote = memchr(b'"', text.as_bytes()).unwrap();
        string_end(text.as_bytes(), 0, quote)
    }

    #[test]
    fn every_kind_of_string_ends_where_it_does() {
        for (text, rest) in [
            (r#""a\"b""#, ""),
            (r#""" + """#, r#" + """#),
            (r#"@"a\" + x"#, " + x"),
            (r#"@"a""b" + x"#, " + x"),
            (r#"$"a{b}c" + x"#, " + x"),
            (r#"$"a{{b" + x"#, " + x"),
            (r#"$"a{f("}")}c" + x"#, " + x"),
            (r#"$"{(x ? $"{y}" : @"""")}" + x"#, " + x"),
            (r#"$@"\{x}""" + "" + x"#, r#" + "" + x"#),
            (r#"@$"a""{x}" + x"#, " + x"),
            (r#""""a "quoted" b""" + x"#, " + x"),
            (r#""""" a""" b """" + x"#, " + x"),
            (r#"$$"""{a} {{b("""x""")}} }""" + x"#, " + x"),
            (r#"$"{d:hh':'mm}" + x"#, " + x"),
        ] {
            assert_eq!(end_of(text).map(|end| &text[end..]), Ok(rest), "{text}");
        }
        for text in ["\"a\nb\"", "@\"a\"\"", "\"\"\"a\"\"", "$\"{\"", "\"\\", "$\"a\n\""] {
            assert!(end_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn arguments_of_types_are_told_from_comparisons() {
        assert_eq!(angle_end(b"<A, B<C[]>>(", 0), Ok(Some(11)));
        assert_eq!(angle_end(b"<(int a, B b)?> x", 0), Ok(Some(15)));
        assert_eq!(angle_end(b"< 3 && b > x", 0), Ok(None));
        assert_eq!(angle_end(b"<A", 0), Ok(None));
    }

    #[test]
    fn a_directive_is_the_first_of_its_line() {
        assert_eq!(directive_end(b"  #if X\n", 2), Some(7));
        assert_eq!(directive_end(b"a #if X\n", 2), None);
    }
}
