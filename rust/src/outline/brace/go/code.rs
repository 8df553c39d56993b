//! Runs of Go: where the one here ends, and the declarations in it.

use super::{Pass, is_keyword};
use crate::outline::SymbolKind::Type;
use crate::outline::brace::lex::{self, END, SIGN, WORD};

/// Where a run of code ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// After the bracket that closes the one just opened.
    Closed,
    /// Before the end of the line or `;` that ends a statement, or before a bracket that closes more.
    Statement,
    /// The same, or before the brace of a body.
    Body,
}

impl Pass<'_, '_> {
    /// Pass code, and report what is defined in it; the end of the code that was passed.
    pub(super) fn run(&mut self, until: Until) -> usize {
        let base = self.draft.open.len() - usize::from(until == Until::Closed);
        let stops = if until == Until::Closed { WORD | SIGN } else { WORD | SIGN | END };
        loop {
            self.draft.pos = lex::find(self.draft.source, self.draft.pos, stops);
            let start = self.draft.pos;
            let level = self.draft.open.len() == base && until != Until::Closed;
            let Some(byte) = self.draft.peek() else {
                if !level {
                    self.draft.doubt("brackets without an end");
                    self.draft.open.truncate(base);
                }
                return if level { self.code_end(start) } else { start };
            };
            match byte {
                b'\n' | b';' => {
                    if level {
                        let end = self.code_end(start);
                        if byte == b';' || self.ends_statement(end) {
                            return end;
                        }
                        self.ended = (start + 1, end);
                    }
                    self.draft.pos += 1;
                }
                b'/' => {
                    if self.draft.comment().is_some() {
                        self.draft.note(start);
                        if level {
                            self.ended = (self.draft.pos, self.code_end(start));
                        }
                    } else {
                        self.draft.pos += 1;
                    }
                }
                b'{' if level && until == Until::Body => return self.code_end(start),
                b'(' | b'[' | b'{' => self.draft.push(byte),
                b')' | b']' | b'}' => {
                    if level {
                        return self.code_end(start);
                    }
                    self.draft.pop(byte);
                    if self.draft.open.len() <= base && until == Until::Closed {
                        return self.draft.pos;
                    }
                }
                b'"' | b'\'' | b'`' => self.draft.literal(),
                b'\\' => {
                    self.draft.doubt("a backslash");
                    self.draft.pos += 1;
                }
                _ => self.keyword(start),
            }
        }
    }

    /// Pass a word inside of code, and what it opens if it opens something.
    pub(super) fn keyword(&mut self, start: usize) {
        let word = self.draft.word();
        match word {
            b"func" => {
                self.blanks();
                if self.draft.peek() == Some(b'(') {
                    self.draft.group();
                    self.blanks();
                    if self.draft.peek() == Some(b'(') {
                        self.draft.group();
                    }
                }
            }
            b"struct" | b"interface" => {
                self.draft.space();
                if self.draft.peek() == Some(b'{') {
                    if word == b"struct" { self.draft.group() } else { self.interface() }
                }
            }
            b"type" => {
                let before = self.draft.source[..start].iter().rev();
                let mut before = before.skip_while(|byte| matches!(byte, b' ' | b'\t'));
                if before.next() == Some(&b'(') {
                    return; // `x.(type)`
                }
                if self.draft.is_deep() {
                    return;
                }
                self.draft.pos = start + word.len();
                self.declaration(start, Type);
            }
            _ => {}
        }
    }

    /// Where the code before `at` ends: without the blanks and comments in between.
    pub(super) fn code_end(&mut self, at: usize) -> usize {
        let source = self.draft.source;
        let mut end = at;
        while end > self.ended.0 && matches!(source[end - 1], b' ' | b'\t' | b'\r' | 0x0b | 0x0c) {
            end -= 1;
        }
        self.draft.again += (at - end) as u64;
        if end == self.ended.0 { self.ended.1 } else { end }
    }

    /// Whether the end of a line after this code ends a statement.
    pub(super) fn ends_statement(&self, end: usize) -> bool {
        let source = &self.draft.source[..end];
        match source.last() {
            Some(b')' | b']' | b'}' | b'"' | b'\'' | b'`') => true,
            Some(b'.') => last_word(&source[..end - 1]).first().is_some_and(u8::is_ascii_digit),
            Some(&byte) => lex::is(byte, WORD) && !is_keyword(last_word(source)),
            None => false,
        }
    }

    /// Pass blanks and comments that end no statement: those within a line.
    pub(super) fn blanks(&mut self) {
        let source = self.draft.source;
        loop {
            while matches!(self.draft.peek(), Some(b' ' | b'\t' | b'\r')) {
                self.draft.pos += 1;
            }
            let start = self.draft.pos;
            if !source[start..].starts_with(b"/*") || self.draft.comment().is_none() {
                return;
            }
            if source[start..self.draft.pos].contains(&b'\n') {
                self.draft.again += (self.draft.pos - start) as u64;
                self.draft.pos = start;
                return;
            }
        }
    }
}

/// The word at the end, or as much of it as a keyword may be long.
fn last_word(source: &[u8]) -> &[u8] {
    let tail = &source[source.len().saturating_sub(16)..];
    let start = tail.iter().rposition(|&byte| !lex::is(byte, WORD));
    &tail[start.map_or(0, |at| at + 1)..]
}
