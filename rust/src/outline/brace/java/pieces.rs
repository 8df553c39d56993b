//! Pieces that stand in many places: annotations, type arguments, the rest of a statement.

use super::Pass;
use crate::outline::brace::lex::{self, SIGN};

impl Pass<'_, '_> {
    /// Pass an annotation; true if it is `@interface`, which is passed then.
    pub(super) fn annotation(&mut self) -> bool {
        self.draft.pos += 1;
        self.draft.space();
        let name = self.draft.word();
        if name == b"interface" {
            return true;
        }
        if name.is_empty() {
            self.draft.doubt("an annotation without a name");
        }
        loop {
            let end = self.draft.pos;
            self.draft.space();
            match self.draft.peek() {
                Some(b'.') => {
                    self.draft.pos += 1;
                    self.draft.space();
                    self.draft.word();
                }
                Some(b'(') => {
                    self.draft.group();
                    return false;
                }
                _ => {
                    self.back(end);
                    return false;
                }
            }
        }
    }

    /// Go back to where blanks and comments begin that something else may need.
    pub(super) fn back(&mut self, to: usize) {
        self.draft.again += (self.draft.pos - to) as u64;
        self.draft.pos = to;
    }

    /// From `<` to after the `>` that closes it.
    pub(super) fn angles(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.draft.peek() {
            match byte {
                b'<' => depth += 1,
                b'>' => depth -= 1,
                b'(' => {
                    self.draft.group();
                    continue;
                }
                b'/' if self.draft.comment().is_some() => continue,
                b';' | b'{' | b'}' | b')' | b'"' | b'\'' | b'`' | b'/' | b'\\' => {
                    return self.draft.doubt("type arguments without an end");
                }
                _ => {}
            }
            self.draft.pos += 1;
            if depth == 0 {
                return;
            }
        }
        self.draft.doubt("type arguments without an end");
    }

    /// Whether `record`, just passed, begins a declaration: a name and parameters follow.
    pub(super) fn is_record(&mut self) -> bool {
        let end = self.draft.pos;
        self.draft.space();
        let name = self.draft.word();
        self.draft.space();
        let answer = !name.is_empty() && matches!(self.draft.peek(), Some(b'(' | b'<'));
        self.back(end);
        answer
    }

    /// To after the next `;` that is in no bracket.
    pub(super) fn semicolon(&mut self) {
        loop {
            self.draft.pos = lex::find(self.draft.source, self.draft.pos, SIGN | lex::END);
            match self.draft.peek() {
                Some(b';') => {
                    self.draft.pos += 1;
                    return;
                }
                Some(b'\n') => self.draft.pos += 1,
                Some(b'(' | b'[' | b'{') => self.draft.group(),
                Some(b'/') => {
                    if self.draft.comment().is_none() {
                        self.draft.pos += 1;
                    }
                }
                Some(b'"' | b'\'' | b'`') => self.draft.literal(),
                _ => return self.draft.doubt("a statement without an end"),
            }
        }
    }
}
