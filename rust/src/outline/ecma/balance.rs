//! Brackets whose inside is of no interest, and the angle brackets of types, which look like comparisons.

use memchr::memchr3;

use super::Parser;
use super::lex::{comment_end, place};

impl Parser<'_> {
    /// Where brackets that open at a place are closed again. Only for what has no regular expressions: types,
    /// enumerations, lists of names.
    pub(super) fn balanced_end(&self, start: usize, limit: usize) -> Option<usize> {
        let mut at = start;
        self.balance(&mut at, limit).map(|()| at)
    }

    /// The same; moves on as far as it looks.
    pub(super) fn balance(&self, at: &mut usize, limit: usize) -> Option<()> {
        let source = &self.source[..limit.min(self.source.len())];
        // Which brackets are open; templates count as one. `${` in a template goes back to code.
        let mut open: Vec<u8> = Vec::new();
        loop {
            if open.last() == Some(&b'`') {
                *at += memchr3(b'`', b'\\', b'$', source.get(*at..)?)?;
                match source[*at] {
                    b'\\' => *at += 1,
                    b'`' => drop(open.pop()),
                    _ if source.get(*at + 1) == Some(&b'{') => {
                        open.push(b'}');
                        *at += 1;
                    }
                    _ => {}
                }
                *at += 1;
            } else {
                match *source.get(*at)? {
                    b'(' => open.push(b')'),
                    b'[' => open.push(b']'),
                    b'{' => open.push(b'}'),
                    b'`' => open.push(b'`'),
                    close @ (b')' | b']' | b'}') if open.pop() != Some(close) => return None,
                    b'"' | b'\'' => *at = self.string_end(*at)? - 1,
                    b'/' if matches!(source.get(*at + 1), Some(b'/' | b'*')) => {
                        *at = comment_end(source, *at) - 1;
                    }
                    _ => {}
                }
                *at += 1;
            }
            if open.is_empty() {
                return Some(());
            }
        }
    }

    /// Take brackets whose inside is of no interest.
    pub(super) fn balanced(&mut self) {
        match self.balanced_end(self.at, self.source.len()) {
            Some(end) => {
                self.note_comments(self.at, end);
                self.take_to(end);
            }
            None => self.fail(),
        }
    }

    /// Remember the comments in a range that was passed over, which signatures leave out.
    pub(super) fn note_comments(&mut self, mut at: usize, end: usize) {
        while let Some(next) = memchr3(b'/', b'"', b'\'', &self.source[at.min(end)..end]) {
            at += next;
            match self.source[at] {
                b'/' if matches!(self.source.get(at + 1), Some(b'/' | b'*')) => {
                    let close = comment_end(self.source, at);
                    self.comments.push((place(at), place(close)));
                    at = close;
                }
                b'/' => at += 1,
                _ => at = self.string_end(at).unwrap_or(at + 1),
            }
        }
    }

    /// Where a type argument list ends that may begin with the `<` at the next token; none if it is a
    /// comparison. Nothing is taken.
    pub(super) fn type_arguments_end(&mut self, sure: bool) -> Option<usize> {
        let start = self.at;
        let limit = (start + self.budget).min(self.source.len());
        let mut depth = 0_usize;
        let mut at = start;
        let mut operand = true; // a type may begin here
        let mut parameters = 0_u64; // for each `<` whether it was where a type may begin
        let found = loop {
            let Some(&byte) = self.source.get(at).filter(|_| at < limit) else { break None };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                b'<' if depth == 64 => break None,
                b'<' => {
                    parameters = parameters << 1 | u64::from(operand && depth > 0);
                    (depth, operand) = (depth + 1, true);
                    at += 1;
                }
                b'>' => {
                    // Behind `<T>`, unlike behind `A<T>`, the parameters of a function come.
                    operand = parameters & 1 == 1;
                    parameters >>= 1;
                    depth -= 1;
                    at += 1;
                    if depth == 0 {
                        break Some(at);
                    }
                }
                b'=' if self.source.get(at + 1) == Some(&b'>') => {
                    at += 2;
                    operand = true;
                }
                b'=' if sure || parameters & 1 == 1 => {
                    at += 1;
                    operand = true;
                }
                b'/' if matches!(self.source.get(at + 1), Some(b'/' | b'*')) => {
                    at = comment_end(self.source, at);
                }
                b'(' if !operand && !sure => break None,
                b'(' | b'[' | b'{' | b'`' => match self.balance(&mut at, limit) {
                    Some(()) => operand = false,
                    None => break None,
                },
                b'"' | b'\'' => match self.string_end(at) {
                    Some(end) => (at, operand) = (end, false),
                    None => break None,
                },
                b'&' | b'|' if self.source.get(at + 1) == Some(&byte) => break None,
                b',' | b'|' | b'&' | b'?' | b':' | b'-' => {
                    operand = true;
                    at += 1;
                }
                b'.' => at += 1,
                b'0'..=b'9' => {
                    at += 1;
                    operand = false;
                }
                _ if Self::starts_word(byte) => {
                    let end = self.word_end(at);
                    if end == at {
                        break None;
                    }
                    let word = &self.source[at..end];
                    operand = matches!(
                        word,
                        b"extends" | b"keyof" | b"typeof" | b"new" | b"infer" | b"readonly"
                    );
                    operand |= word == b"import" && self.source.get(end) == Some(&b'(');
                    at = end;
                }
                _ => break None,
            }
        };
        if found.is_none() {
            self.budget = self.budget.saturating_sub(at.saturating_sub(start) + 1);
            if self.budget == 0 {
                self.fail();
            }
        }
        found
    }

    /// Take type parameters or arguments that are known to be some.
    pub(super) fn angle(&mut self) {
        match self.type_arguments_end(true) {
            Some(end) => {
                self.note_comments(self.at, end);
                self.take_to(end);
            }
            None => self.fail(),
        }
    }
}
