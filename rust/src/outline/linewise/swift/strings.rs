//! The strings of Swift: plain and multi-line ones, those between `#`, and the expressions in them.

use memchr::{memchr, memchr2, memchr3};

use crate::outline::linewise::lex::{comment_end, ident_end};
use crate::outline::scanner::Unsure;

/// Deepest nesting of strings in the expressions of strings.
const STRING_DEPTH: usize = 32;
/// Most signs before the quote of a string.
const SIGNS_LIMIT: usize = 16;

/// After the string or quoted name that starts at `at`, if one does.
pub(super) fn literal_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    literal(source, at, 0)
}

fn literal(source: &[u8], at: usize, depth: usize) -> Result<Option<usize>, Unsure> {
    match source.get(at) {
        Some(b'"') => string(source, at, 0, depth).map(Some),
        Some(b'#') => {
            let signs = source[at..].iter().take(SIGNS_LIMIT).take_while(|byte| **byte == b'#');
            let signs = signs.count();
            match source.get(at + signs) {
                Some(b'"') => string(source, at + signs, signs, depth).map(Some),
                Some(b'/') => Err(Unsure("a regular expression")),
                _ => Ok(Some(at + signs)),
            }
        }
        Some(b'`') => match ident_end(source, at) {
            Some(end) => Ok(Some(end)),
            None => Err(Unsure("a quoted name without an end")),
        },
        _ => Ok(None),
    }
}

/// From the first quote to after the last sign. Behind as many `#`, a backslash means something.
fn string(source: &[u8], quote: usize, signs: usize, depth: usize) -> Result<usize, Unsure> {
    let open = Unsure("a string without an end");
    if depth > STRING_DEPTH {
        return Err(Unsure("strings nested too deep"));
    }
    let long = source[quote..].starts_with(b"\"\"\"");
    let is_signed = |at: usize| {
        source.get(at..at + signs).is_some_and(|run| run.iter().all(|byte| *byte == b'#'))
    };
    let mut at = quote + if long { 3 } else { 1 };
    loop {
        let rest = source.get(at..).ok_or(open)?;
        let offset =
            if long { memchr2(b'"', b'\\', rest) } else { memchr3(b'"', b'\\', b'\n', rest) };
        at += offset.ok_or(open)?;
        at = match source[at] {
            b'\\' if !is_signed(at + 1) => at + 1,
            b'\\' if source.get(at + 1 + signs) == Some(&b'(') => {
                hole(source, at + 2 + signs, depth)?
            }
            b'\\' if !long && source.get(at + 1 + signs) == Some(&b'\n') => return Err(open),
            b'\\' => at + 2 + signs,
            b'"' if long && !source[at..].starts_with(b"\"\"\"") => at + 1,
            b'"' => {
                let end = at + if long { 3 } else { 1 };
                if is_signed(end) {
                    return Ok(end + signs);
                }
                at + 1
            }
            _ => return Err(open),
        };
    }
}

/// From after the `(` of an expression in a string to after the `)` that closes it.
fn hole(source: &[u8], start: usize, depth: usize) -> Result<usize, Unsure> {
    let mut open = 1usize;
    let mut at = start;
    while let Some(&byte) = source.get(at) {
        at = match byte {
            b'(' => {
                open += 1;
                at + 1
            }
            b')' => {
                open -= 1;
                if open == 0 {
                    return Ok(at + 1);
                }
                at + 1
            }
            b'"' | b'#' | b'`' => literal(source, at, depth + 1)?.unwrap_or(at + 1),
            b'/' => comment_end(source, at)?.unwrap_or(at + 1),
            _ => at + 1,
        };
    }
    Err(Unsure("a string without an end"))
}

/// The end of the line that holds `at`.
pub(super) fn line_end(source: &[u8], at: usize) -> usize {
    memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_string_ends_where_it_does() {
        for (text, rest) in [
            (r#""a\"b" + x"#, " + x"),
            (r#""" + """#, r#" + """#),
            (r#""\(f(")"))\\" + x"#, " + x"),
            (r#""\(a ? "\(b)" : "(")" + x"#, " + x"),
            ("\"\"\"\n a \"b\" \\\"\"\" \\(c)\n\"\"\" + x", " + x"),
            (r###"#"a "b" \(c \"# + x"###, " + x"),
            (r###"#"a \#(b(")"))"# + x"###, " + x"),
            ("#\"\"\"\n\"\"\" \"\n\"\"\"# + x", " + x"),
            ("`a` + x", " + x"),
            ("#if A", "if A"),
        ] {
            let end = literal_end(text.as_bytes(), 0);
            assert_eq!(end.map(|end| &text[end.unwrap()..]), Ok(rest), "{text}");
        }
        for text in ["\"a\nb\"", "\"", "\"\\", "\"\"\"a\"\"", "#\"a\"", "\"\\(\"", "`a\n`", "#/a/#"]
        {
            assert!(literal_end(text.as_bytes(), 0).is_err(), "{text}");
        }
    }
}
