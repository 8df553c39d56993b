//! Tokens: white space and comments, words, strings, numbers, regular expressions, templates; where a statement
//! ends; how deep calls may go.

use memchr::{memchr, memchr3, memmem};

use super::Parser;
use super::skeleton::{Kind, Node};

/// Bytes of names: 1 where one may begin, 2 where it may only go on.
const WORD: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | 0x80..=0xff => 1,
            b'0'..=b'9' => 2,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// An offset as it is stored; sources are shorter than 4 GiB.
#[allow(clippy::cast_possible_truncation, reason = "checked for the whole source at the start")]
pub(super) const fn place(at: usize) -> u32 {
    at as u32
}

/// Length of a white-space character beyond ASCII, 0 if there is none; (length, is a line break).
fn wide_space(rest: &[u8]) -> (usize, bool) {
    match rest {
        [0xc2, 0xa0, ..] => (2, false),
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => (3, true),
        [0xe2, 0x80, 0x80..=0x8b | 0xaf, ..] | [0xe2, 0x81, 0x9f | 0xa0, ..] => (3, false),
        [0xe3, 0x80, 0x80, ..] | [0xef, 0xbb, 0xbf, ..] | [0xe1, 0x9a, 0x80, ..] => (3, false),
        _ => (0, false),
    }
}

impl<'s> Parser<'s> {
    /// The byte so far ahead; 0 at the end.
    #[inline]
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The first byte of the next token; 0 at the end.
    #[inline]
    pub(super) fn byte(&self) -> u8 {
        self.source.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn done(&self) -> bool {
        self.at >= self.source.len()
    }

    /// Take a token of so many bytes, and what lies before the next one.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) {
        self.take_to(self.at + bytes);
    }

    #[inline]
    pub(super) fn take_to(&mut self, end: usize) {
        self.at = end.min(self.source.len());
        self.end = self.at;
        self.taken = self.nodes.len();
        self.newline = false;
        self.trivia();
    }

    /// Go to the next token.
    #[inline]
    pub(super) fn trivia(&mut self) {
        loop {
            match self.byte() {
                b' ' => self.at += 1,
                b'\n' => {
                    self.newline = true;
                    self.at += 1;
                }
                b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'/' if matches!(self.peek(1), b'/' | b'*') => self.comment(),
                0xc2..=0xef => {
                    let (length, line) = wide_space(&self.source[self.at..]);
                    if length == 0 {
                        return;
                    }
                    self.newline |= line;
                    self.at += length;
                }
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        let end = comment_end(self.source, start);
        if self.source[start + 1] == b'*' {
            let text = &self.source[start..end];
            self.newline = self.newline || memchr(b'\n', text).is_some();
            self.unsure |= text.len() < 4 || !text.ends_with(b"*/");
        }
        self.at = end;
        let (start, end) = (place(start), place(end));
        self.comments.push((start, end));
        self.nodes.push(Node { end, ..Node::new(Kind::Comment, start) });
    }

    /// Where the next token after a place begins, and whether a line break lies before it.
    pub(super) fn after(&self, mut at: usize) -> (usize, bool) {
        let mut newline = false;
        loop {
            match self.source.get(at) {
                Some(b'\n') => {
                    newline = true;
                    at += 1;
                }
                Some(b' ' | b'\t' | b'\r' | 0x0b | 0x0c) => at += 1,
                Some(b'/') if matches!(self.source.get(at + 1), Some(b'/' | b'*')) => {
                    let end = comment_end(self.source, at);
                    newline = newline || memchr(b'\n', &self.source[at..end]).is_some();
                    at = end;
                }
                Some(0xc2..=0xef) => {
                    let (length, line) = wide_space(&self.source[at..]);
                    if length == 0 {
                        return (at, newline);
                    }
                    newline |= line;
                    at += length;
                }
                _ => return (at, newline),
            }
        }
    }

    /// The first byte of the token after a place; 0 at the end.
    pub(super) fn byte_after(&self, at: usize) -> u8 {
        self.source.get(self.after(at).0).copied().unwrap_or(0)
    }

    /// Whether a name may begin with a byte.
    #[inline]
    pub(super) fn starts_word(byte: u8) -> bool {
        WORD[usize::from(byte)] == 1
    }

    /// Where the name ends that begins at a place.
    #[inline]
    pub(super) fn word_end(&self, mut at: usize) -> usize {
        while let Some(&byte) = self.source.get(at) {
            match byte {
                byte if WORD[usize::from(byte)] == 0 => return at,
                b'\\' if self.source.get(at + 1) == Some(&b'u') => {
                    at += 2;
                    if self.source.get(at) == Some(&b'{') {
                        let close = self.source[at..].iter().take(12).position(|b| *b == b'}');
                        at += close.map_or(0, |length| length + 1);
                    }
                }
                b'\\' => return at,
                0xc2..=0xef if wide_space(&self.source[at..]).0 > 0 => return at,
                _ => at += 1,
            }
        }
        at
    }

    /// The name that comes next; empty if none does.
    #[inline]
    pub(super) fn word(&self) -> &'s [u8] {
        self.word_at(self.at)
    }

    /// The name at a place; empty if there is none.
    #[inline]
    pub(super) fn word_at(&self, at: usize) -> &'s [u8] {
        if self.source.get(at).is_some_and(|byte| Self::starts_word(*byte)) {
            &self.source[at..self.word_end(at)]
        } else {
            b""
        }
    }

    /// Take a name; its range.
    pub(super) fn take_word(&mut self) -> (u32, u32) {
        let start = self.at;
        let end = self.word_end(start);
        if end == start {
            self.fail();
            return (0, 0);
        }
        self.take_to(end);
        (place(start), place(end))
    }

    /// Take a byte that has to come.
    pub(super) fn expect(&mut self, byte: u8) {
        if self.byte() == byte { self.take(1) } else { self.fail() }
    }

    /// Where the string ends that begins at a place; none if it has no end.
    pub(super) fn string_end(&self, start: usize) -> Option<usize> {
        let quote = *self.source.get(start)?;
        let mut at = start + 1;
        loop {
            at += memchr3(quote, b'\\', b'\n', self.source.get(at..)?)?;
            match self.source[at] {
                b'\\' if self.source.get(at + 1) == Some(&b'\r') => at += 3,
                b'\\' => at += 2,
                b'\n' => return None,
                _ => return Some(at + 1),
            }
        }
    }

    pub(super) fn string(&mut self) {
        match self.string_end(self.at) {
            Some(end) => self.take_to(end),
            None => self.fail(),
        }
    }

    pub(super) fn number(&mut self) {
        let mut at = self.at;
        let hex = matches!(self.peek(1), b'x' | b'X');
        while let Some(&byte) = self.source.get(at) {
            let sign = matches!(byte, b'e' | b'E')
                && !hex
                && matches!(self.source.get(at + 1), Some(b'+' | b'-'));
            if sign {
                at += 2;
            } else if byte == b'.' || byte.is_ascii_alphanumeric() || byte == b'_' {
                at += 1;
            } else {
                break;
            }
        }
        self.take_to(at);
    }

    /// A regular expression with its flags.
    pub(super) fn regex(&mut self) {
        let mut at = self.at + 1;
        let mut class = false;
        loop {
            match self.source.get(at) {
                None | Some(b'\n') => return self.fail(),
                Some(b'\\') => at += 1,
                Some(b'[') => class = true,
                Some(b']') => class = false,
                Some(b'/') if !class => break,
                _ => {}
            }
            at += 1;
        }
        at += 1;
        while self.source.get(at).is_some_and(u8::is_ascii_alphabetic) {
            at += 1;
        }
        self.take_to(at);
    }

    /// A template, with the expressions in it.
    pub(super) fn template(&mut self) {
        let mut at = self.at + 1;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let Some(next) = memchr3(b'`', b'\\', b'$', rest) else { return self.fail() };
            at += next;
            match self.source[at] {
                b'\\' => at += 2,
                b'`' => return self.take_to(at + 1),
                _ if self.source.get(at + 1) == Some(&b'{') => {
                    self.take_to(at + 2);
                    self.expression(true);
                    if self.byte() != b'}' {
                        return self.fail();
                    }
                    at = self.at + 1;
                }
                _ => at += 1,
            }
        }
    }

    /// The end of a statement: `;`, a line break, or what ends the block around it.
    pub(super) fn semicolon(&mut self) {
        match self.byte() {
            b';' => self.take(1),
            b'}' => {}
            _ if self.newline || self.done() => {}
            _ => self.fail(),
        }
    }

    /// Go down one call; false if that is too deep.
    pub(super) fn enter(&mut self) -> bool {
        self.depth += 1;
        if self.depth > super::DEPTH_LIMIT {
            self.fail();
        }
        !self.unsure
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Where the comment ends that begins at a place: behind its last byte, for a line that before the line break.
pub(super) fn comment_end(source: &[u8], start: usize) -> usize {
    let rest = &source[(start + 2).min(source.len())..];
    if source.get(start + 1) == Some(&b'*') {
        return memmem::find(rest, b"*/").map_or(source.len(), |length| start + 2 + length + 2);
    }
    let end = memchr(b'\n', rest).map_or(source.len(), |length| start + 2 + length);
    if source[..end].ends_with(b"\r") { end - 1 } else { end }
}
