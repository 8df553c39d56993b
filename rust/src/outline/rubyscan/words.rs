//! The words of Ruby: where a name of any kind ends, and which words are keywords.
//!
//! Free functions over `(source, position)`; they know nothing of what stands before.

use memchr::memchr;

use super::lex::State;

/// The words that open and close blocks, and those that end an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Class,
    Module,
    Def,
    /// `if` and `unless`.
    If,
    /// `while` and `until`.
    While,
    For,
    Do,
    /// `begin` and `case`.
    Begin,
    End,
    /// `and`, `or` and `then`.
    And,
    Other,
}

pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(super) const fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

pub(super) fn word_end(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && is_word(source[at]) {
        at += 1;
    }
    at
}

pub(super) fn skip_blanks(source: &[u8], mut at: usize) -> usize {
    while at < source.len() && is_blank(source[at]) {
        at += 1;
    }
    at
}

pub(super) fn line_end(source: &[u8], at: usize) -> usize {
    memchr(b'\n', &source[at..]).map_or(source.len(), |length| at + length)
}

/// The end of a variable that begins with the `$` at `at`: a word, or one sign.
pub(super) fn global_end(source: &[u8], at: usize) -> usize {
    match source.get(at + 1) {
        Some(b'-') => word_end(source, at + 2),
        Some(byte) if is_word(*byte) => word_end(source, at + 1),
        _ => (at + 2).min(source.len()),
    }
}

/// Whether an `=` at `at` assigns: it is no part of `==`, `=~` or `=>`.
pub(super) fn is_assignment(source: &[u8], at: usize) -> bool {
    source.get(at) == Some(&b'=') && !matches!(source.get(at + 1), Some(b'=' | b'~' | b'>'))
}

/// The end of an operator that may be the name of a method.
pub(super) fn operator_end(source: &[u8], at: usize) -> Option<usize> {
    const OPERATORS: [&[u8]; 29] = [
        b"[]=", b"[]", b"<=>", b"===", b"==", b"=~", b"!~", b"!=", b"**", b"+@", b"-@", b"~@",
        b"!@", b"<<", b">>", b"<=", b">=", b"+", b"-", b"*", b"/", b"%", b"<", b">", b"!", b"~",
        b"^", b"&", b"|",
    ];
    let rest = source.get(at..)?;
    if rest.first() == Some(&b'`') {
        return Some(at + 1);
    }
    let found = OPERATORS.iter().find(|one| rest.starts_with(one));
    found.map(|one| at + one.len())
}

/// The end of the name of a method, if one is at `at`: a word with `?`, `!` or `=`, or an operator.
pub(super) fn method_end(source: &[u8], at: usize) -> Option<usize> {
    if !source.get(at).is_some_and(|byte| starts_word(*byte)) {
        return operator_end(source, at);
    }
    let mut end = word_end(source, at);
    if matches!(source.get(end), Some(b'?' | b'!')) {
        return Some(end + 1);
    }
    if is_assignment(source, end) {
        end += 1;
    }
    Some(end)
}

/// What a word is and what may follow it.
pub(super) fn keyword(word: &[u8]) -> Option<(Keyword, State)> {
    use State::{Argument, Begin, End, Middle, Name};
    Some(match word {
        b"class" => (Keyword::Class, Name),
        b"module" => (Keyword::Module, Name),
        b"def" => (Keyword::Def, Name),
        b"if" | b"unless" => (Keyword::If, Begin),
        b"while" | b"until" => (Keyword::While, Begin),
        b"for" => (Keyword::For, Begin),
        b"do" => (Keyword::Do, Begin),
        b"begin" | b"case" => (Keyword::Begin, Begin),
        b"end" => (Keyword::End, End),
        b"and" | b"or" | b"then" => (Keyword::And, Begin),
        b"else" | b"elsif" | b"when" | b"in" | b"ensure" => (Keyword::Other, Begin),
        b"return" | b"break" | b"next" | b"rescue" => (Keyword::Other, Middle),
        b"not" | b"yield" | b"super" | b"defined?" => (Keyword::Other, Argument),
        b"self" | b"nil" | b"true" | b"false" | b"redo" | b"retry" | b"alias" | b"undef" => {
            (Keyword::Other, End)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_methods_end_where_they_do() {
        for (text, rest) in [
            ("a(b)", "(b)"),
            ("a? b", " b"),
            ("a!=b", "=b"),
            ("a=(b)", "(b)"),
            ("a = b", " = b"),
            ("a==b", "==b"),
            ("[]=(a)", "(a)"),
            ("<=>(a)", "(a)"),
            ("-@; b", "; b"),
            ("`(a)", "(a)"),
        ] {
            let end = method_end(text.as_bytes(), 0);
            assert_eq!(end.map(|end| &text[end..]), Some(rest), "{text}");
        }
        assert_eq!(method_end(b"(a)", 0), None);
        assert_eq!(method_end(b"", 0), None);
    }
}
