//! The strings of PHP: where one of any kind ends, and the code in it.

use memchr::{memchr2, memchr3};

use super::lex::{break_end, group, ident_end, next_line, word_end};
use crate::outline::scanner::Unsure;

/// Deepest nesting of strings in the code in strings.
const STRING_DEPTH: usize = 32;
const UNENDED: Unsure = Unsure("a string without an end");

/// From an apostrophe to after the one that closes it.
pub(super) fn single_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let mut at = start + 1;
    while let Some(length) = source.get(at..).and_then(|rest| memchr2(b'\'', b'\\', rest)) {
        at += length;
        if source[at] == b'\'' {
            return Ok(at + 1);
        }
        at += 2;
    }
    Err(UNENDED)
}

/// From a quotation mark or a backtick to after the one that closes it. `{$` and `${` begin code, in which there
/// may be quotation marks.
pub(super) fn quoted_end(source: &[u8], start: usize, depth: usize) -> Result<usize, Unsure> {
    let quote = source[start];
    let mut from = start + 1; // what stands before is not looked at
    let mut at = from;
    while let Some(length) = source.get(at..).and_then(|rest| memchr3(quote, b'\\', b'{', rest)) {
        at += length;
        match source[at] {
            b'\\' => {
                at += 2;
                from = at;
            }
            b'{' => {
                let dollar = at > from && source[at - 1] == b'$';
                if dollar || source.get(at + 1) == Some(&b'$') {
                    if depth >= STRING_DEPTH {
                        return Err(Unsure("strings nested too deep"));
                    }
                    at = group(source, at, depth + 1)?;
                    from = at;
                } else {
                    at += 1;
                }
            }
            _ => return Ok(at + 1),
        }
    }
    Err(UNENDED)
}

/// From `<<<` to after the name that closes the heredoc or nowdoc; none if no name follows.
pub(super) fn heredoc_end(source: &[u8], start: usize) -> Result<Option<usize>, Unsure> {
    let mut at = start + 3;
    while matches!(source.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    let quote = source.get(at).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    at += usize::from(quote.is_some());
    let Some(end) = ident_end(source, at) else { return Ok(None) };
    let name = &source[at..end];
    at = end;
    if quote.is_some() {
        if source.get(at).copied() != quote {
            return Ok(None);
        }
        at += 1;
    }
    if break_end(source, at).is_none() {
        return Ok(None);
    }
    while let Some(line) = next_line(source, at) {
        at = line;
        while matches!(source.get(at), Some(b' ' | b'\t')) {
            at += 1;
        }
        let end = at + name.len();
        if source.get(at..end) == Some(name) && word_end(source, end) == end {
            return Ok(Some(end));
        }
    }
    Err(UNENDED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_string_ends_where_it_does() {
        for (text, rest) in [
            (r"'a\'b' . 'c'", " . 'c'"),
            (r"'a\\' . 'c'", " . 'c'"),
            (r#""a\"b" . "c""#, r#" . "c""#),
            (r#""{$a["}"]}" . "c""#, r#" . "c""#),
            (r#""{$a['"']}" . "c""#, r#" . "c""#),
            (r#""${a["b"]}" . "c""#, r#" . "c""#),
            (r#""\{$a" . "{" . "c""#, r#" . "{" . "c""#),
            (r#""\${" . "c""#, r#" . "c""#),
            (r#""{$a("{$b["c"]}")}" . d"#, " . d"),
            ("`a \"b\" \\` {$c('`')}` . d", " . d"),
        ] {
            let end = match text.as_bytes()[0] {
                b'\'' => single_end(text.as_bytes(), 0),
                _ => quoted_end(text.as_bytes(), 0, 0),
            };
            assert_eq!(end.map(|end| &text[end..]), Ok(rest), "{text}");
        }
        for text in ["\"a", "\"\\\"", "\"{$a\""] {
            assert!(quoted_end(text.as_bytes(), 0, 0).is_err(), "{text}");
        }
        assert_eq!(single_end(b"'a\\'", 0), Err(UNENDED));
    }

    #[test]
    fn a_heredoc_ends_at_its_name_however_it_is_indented() {
        for (text, rest) in [
            ("<<<A\nb\nA;", ";"),
            ("<<<A\nA;", ";"),
            ("<<<  'A'\n AB\n \"\n  A, 1", ", 1"),
            ("<<<\"A_1\"\r\nb\r\n\tA_1)", ")"),
        ] {
            let end = heredoc_end(text.as_bytes(), 0);
            assert_eq!(end.map(|end| end.map(|end| &text[end..])), Ok(Some(rest)), "{text}");
        }
        assert_eq!(heredoc_end(b"<<< 3", 0), Ok(None));
        assert_eq!(heredoc_end(b"<<<A b\nA", 0), Ok(None));
        assert_eq!(heredoc_end(b"<<<A\nAB", 0), Err(UNENDED));
    }
}
