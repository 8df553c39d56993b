//! The literals of Kotlin: where a character or a string of either kind ends, and the expressions in strings.

use memchr::{memchr, memchr2, memchr3};

use crate::outline::linewise::lex::{comment_end, ident_end};
use crate::outline::scanner::Unsure;

/// Deepest nesting of strings in the expressions of strings.
const STRING_DEPTH: usize = 32;

/// After the literal or quoted name that starts at `at`, if one does.
pub(super) fn literal_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    match source.get(at) {
        Some(b'"') => string(source, at, 0).map(Some),
        Some(b'\'') => quote_end(source, at).map(Some),
        Some(b'`') => match ident_end(source, at) {
            Some(end) => Ok(Some(end)),
            None => Err(Unsure("a quoted name without an end")),
        },
        _ => Ok(None),
    }
}

/// From an apostrophe to after the character.
fn quote_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let at = start + 1;
    let length = match source.get(at) {
        Some(b'\\') => {
            let rest = &source[source.len().min(at + 2)..source.len().min(at + 8)];
            return memchr(b'\'', rest)
                .map(|offset| at + 2 + offset + 1)
                .ok_or(Unsure("a character without an end"));
        }
        Some(0x20..0x80) => 1,
        Some(0x80..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
        _ => 0,
    };
    match source.get(at + length) {
        Some(b'\'') if length > 0 => Ok(at + length + 1),
        _ => Err(Unsure("a character without an end")),
    }
}

fn string(source: &[u8], quote: usize, depth: usize) -> Result<usize, Unsure> {
    if depth > STRING_DEPTH {
        return Err(Unsure("strings nested too deep"));
    }
    if source[quote..].starts_with(b"\"\"\"") {
        return raw(source, quote + 3, depth);
    }
    let mut at = quote + 1;
    loop {
        let Some(offset) = source.get(at..).and_then(|rest| memchr3(b'"', b'\\', b'$', rest))
        else {
            return Err(Unsure("a string without an end"));
        };
        if memchr(b'\n', &source[at..at + offset]).is_some() {
            return Err(Unsure("a string without an end"));
        }
        at += offset;
        at = match source[at] {
            b'"' => return Ok(at + 1),
            b'\\' if source.get(at + 1) != Some(&b'\n') => at + 2,
            b'$' if source.get(at + 1) == Some(&b'{') => hole(source, at + 2, depth)?,
            b'$' => at + 1,
            _ => return Err(Unsure("a string without an end")),
        };
    }
}

/// From after the opening quotes of a raw string. The last three of a run of quotes close it.
fn raw(source: &[u8], mut at: usize, depth: usize) -> Result<usize, Unsure> {
    while let Some(offset) = memchr2(b'"', b'$', &source[at..]) {
        at += offset;
        if source[at] == b'"' {
            let run = source[at..].iter().take_while(|byte| **byte == b'"').count();
            at += run;
            if run >= 3 {
                return Ok(at);
            }
        } else if source.get(at + 1) == Some(&b'{') {
            at = hole(source, at + 2, depth)?;
        } else {
            at += 1;
        }
    }
    Err(Unsure("a string without an end"))
}

/// From after the `${` of an expression in a string to after the `}` that closes it.
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
            b'"' => string(source, at, depth + 1)?,
            b'\'' | b'`' => literal_end(source, at)?.unwrap_or(at + 1),
            b'/' => comment_end(source, at)?.unwrap_or(at + 1),
            _ => at + 1,
        };
    }
    Err(Unsure("a string without an end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_literal_ends_where_it_does() {
        for (text, rest) in [
            (r#""a\"b" + x"#, " + x"),
            (r#""" + """#, r#" + """#),
            (r#""$a${f("}")}c" + x"#, " + x"),
            (r#""${ if (a) { "}" } else "{" }" + x"#, " + x"),
            ("\"${a\n}\" + x", " + x"),
            (r#""""a "b" \" + x"#, ""),
            (r#""""a "b" \""" + x"#, " + x"),
            (r#""""""" + x"#, " + x"),
            (r#""""a""""" + x"#, " + x"),
            ("\"\"\"\n${ \"\"\"}\"\"\" }\"\"\" + x", " + x"),
            ("'\"' + x", " + x"),
            (r"'\'' + x", " + x"),
            (r"'\u0041' + x", " + x"),
            ("'\u{e9}' + x", " + x"),
            ("`a \"b` + x", " + x"),
        ] {
            let end = literal_end(text.as_bytes(), 0);
            match rest {
                "" => assert!(end.is_err(), "{text}"),
                _ => assert_eq!(end.map(|end| &text[end.unwrap()..]), Ok(rest), "{text}"),
            }
        }
        for text in ["\"a\nb\"", "\"", "\"\\", "\"\"\"a\"\"", "\"${\"", "'", "'ab'", "''", "`a\n`"]
        {
            assert!(literal_end(text.as_bytes(), 0).is_err(), "{text}");
        }
    }
}
