//! The bytes of PHP: where a comment, a word, a group of brackets or the text outside of the tags ends.
//!
//! Free functions over `(source, position)`; they know nothing of declarations. Each returns a position
//! behind the one it was given, and an error if what began there has no end.

use memchr::{memchr, memchr3, memmem};

use super::strings::{heredoc_end, quoted_end, single_end};
use crate::outline::brackets;
use crate::outline::scanner::Unsure;

/// What a byte may begin, outside of strings and comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing of interest.
    Other,
    Blank,
    Word,
    Digit,
    /// `$`
    Variable,
    /// A quotation mark of any kind.
    Quote,
    /// `/` or `#`.
    Comment,
    /// `<` or `?`, which may begin a heredoc or end the code.
    Tag,
    Opening,
    Closing,
    Semicolon,
    Colon,
    /// `-`, of `->`.
    Minus,
    Comma,
    Backslash,
}

static CLASS: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0usize;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => Class::Blank,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => Class::Word,
            b'0'..=b'9' => Class::Digit,
            b'$' => Class::Variable,
            b'\'' | b'"' | b'`' => Class::Quote,
            b'/' | b'#' => Class::Comment,
            b'<' | b'?' => Class::Tag,
            b'(' | b'[' | b'{' => Class::Opening,
            b')' | b']' | b'}' => Class::Closing,
            b';' => Class::Semicolon,
            b':' => Class::Colon,
            b'-' => Class::Minus,
            b',' => Class::Comma,
            b'\\' => Class::Backslash,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

pub(super) fn class(byte: u8) -> Class {
    CLASS[byte as usize]
}

/// The end of the word or number that holds `at`.
pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && matches!(class(source[at]), Class::Word | Class::Digit) {
        at += 1;
    }
    at
}

/// The end of the word that starts at `at`, if one does.
pub(super) fn ident_end(source: &[u8], at: usize) -> Option<usize> {
    source.get(at).filter(|byte| class(**byte) == Class::Word).map(|_| word_end(source, at))
}

/// The end of a word, with the names before it that are joined to it with `\`.
pub(super) fn qualified_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len()
        && matches!(class(source[at]), Class::Word | Class::Digit | Class::Backslash)
    {
        at += 1;
    }
    at
}

/// If a comment starts at `at`, its end: for one of a line before the line break or the closing tag.
pub(super) fn comment_end(source: &[u8], at: usize) -> Result<Option<usize>, Unsure> {
    match (source.get(at), source.get(at + 1)) {
        (Some(b'/'), Some(b'*')) => memmem::find(&source[at + 2..], b"*/")
            .map(|length| Some(at + 2 + length + 2))
            .ok_or(Unsure("a comment without an end")),
        (Some(b'/'), Some(b'/')) => Ok(Some(line_end(source, at + 2))),
        (Some(b'#'), Some(b'[')) | (Some(b'/'), _) => Ok(None),
        (Some(b'#'), _) => Ok(Some(line_end(source, at + 1))),
        _ => Ok(None),
    }
}

fn line_end(source: &[u8], mut at: usize) -> usize {
    while let Some(length) = memchr3(b'\n', b'\r', b'?', &source[at..]) {
        at += length;
        if source[at] != b'?' || source.get(at + 1) == Some(&b'>') {
            return at;
        }
        at += 1;
    }
    source.len()
}

/// Behind white space and comments.
pub(super) fn skip_space(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    while let Some(&byte) = source.get(at) {
        at = match class(byte) {
            Class::Blank => at + 1,
            Class::Comment => match comment_end(source, at)? {
                Some(end) => end,
                None => break,
            },
            _ => break,
        };
    }
    Ok(at)
}

/// From where text outside of the tags begins to where code does; the end of the source if there is none.
pub(super) fn text_end(source: &[u8], mut at: usize) -> usize {
    while let Some(length) = memmem::find(&source[at..], b"<?") {
        at += length + 2;
        let rest = &source[at..];
        match rest {
            [b'=', ..] => return at + 1,
            [] | [b' ' | b'\t' | b'\n' | b'\r', ..] => return at,
            _ if rest.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case(b"php"))
                && !rest.get(3).is_some_and(|byte| class(*byte) == Class::Word) =>
            {
                return at + 3;
            }
            _ => {}
        }
    }
    source.len()
}

/// From a byte that begins a string, a comment or text outside of the tags to behind it, or behind the byte if
/// it begins none of those.
pub(super) fn token_end(source: &[u8], at: usize, depth: usize) -> Result<usize, Unsure> {
    match source[at] {
        b'\'' => single_end(source, at),
        b'"' | b'`' => quoted_end(source, at, depth),
        b'/' | b'#' => Ok(comment_end(source, at)?.unwrap_or(at + 1)),
        b'<' if source[at..].starts_with(b"<<<") => Ok(heredoc_end(source, at)?.unwrap_or(at + 3)),
        b'?' if source.get(at + 1) == Some(&b'>') => Ok(text_end(source, at + 2)),
        _ => Ok(at + 1),
    }
}

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    group(source, start, 0)
}

/// The same in strings that are nested so deep.
pub(super) fn group(source: &[u8], start: usize, depth: usize) -> Result<usize, Unsure> {
    let matters = |byte| {
        matches!(
            class(byte),
            Class::Opening | Class::Closing | Class::Quote | Class::Comment | Class::Tag
        )
    };
    brackets::group_end(source, start, matters, |at, _| token_end(source, at, depth))
}

/// Behind attributes, white space and comments.
pub(super) fn skip_attributes(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    loop {
        at = skip_space(source, at)?;
        if !source[at..].starts_with(b"#[") {
            return Ok(at);
        }
        at = group_end(source, at + 1)?;
    }
}

/// The comments in a piece of source.
pub(super) fn comments(raw: &[u8], out: &mut Vec<(usize, usize)>) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at = match class(byte) {
            Class::Comment => match comment_end(raw, at) {
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
            Class::Quote | Class::Tag => token_end(raw, at, 0).unwrap_or(raw.len()),
            _ => at + 1,
        };
    }
}

/// Whether a word is this keyword, which is given in lower case.
pub(super) fn is(word: &[u8], keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword.as_bytes())
}

/// Behind a line break that is at `at`, if one is.
pub(super) fn break_end(source: &[u8], at: usize) -> Option<usize> {
    match source.get(at..)? {
        [b'\r', b'\n', ..] => Some(at + 2),
        [b'\n' | b'\r', ..] => Some(at + 1),
        _ => None,
    }
}

/// The start of the next line.
pub(super) fn next_line(source: &[u8], at: usize) -> Option<usize> {
    memchr(b'\n', source.get(at..)?).map(|length| at + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_at_the_closing_tag_and_attributes_are_none() {
        assert_eq!(comment_end(b"// a? b ?> c", 0), Ok(Some(8)));
        assert_eq!(comment_end(b"# a??> c", 0), Ok(Some(4)));
        assert_eq!(comment_end(b"#[A]", 0), Ok(None));
        assert_eq!(comment_end(b"/* ?> */ a", 0), Ok(Some(8)));
        assert_eq!(comment_end(b"/*/", 0), Err(Unsure("a comment without an end")));
        assert_eq!(comment_end(b"#", 0), Ok(Some(1)));
    }

    #[test]
    fn code_begins_at_a_tag() {
        assert_eq!(text_end(b"<?xml ?><?phpx <?PHP a", 0), 20);
        assert_eq!(text_end(b"a <?= b", 0), 5);
        assert_eq!(text_end(b"a <? b", 0), 4);
        assert_eq!(text_end(b"a <b", 0), 4);
    }

    #[test]
    fn a_group_holds_strings_comments_and_text() {
        for (text, rest) in [
            ("(')' . \")\" /* ) */) a", " a"),
            ("{ // }\n ?> } <?php } a", " a"),
            ("[<<<A\n]\n  A, 1 << 2] a", " a"),
            ("(#[A(')')] fn() => 1) a", " a"),
        ] {
            let end = group_end(text.as_bytes(), 0).unwrap();
            assert_eq!(&text[end..], rest, "{text}");
        }
    }
}
