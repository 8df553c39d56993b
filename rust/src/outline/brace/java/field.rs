//! Fields: which are constants, and where the value of one ends and the next begins.

use super::{Body, Head, Pass};
use crate::outline::SymbolKind::Constant;
use crate::outline::brace::lex::{self, BLANK, WORD};

/// Longest list of type arguments before `::` that is looked for in a value, in bytes.
const REFERENCE_LIMIT: usize = 200;

impl Pass<'_, '_> {
    /// From the sign after the name of a field on.
    pub(super) fn field(&mut self, body: Body, head: &Head<'_>) {
        let constant = body == Body::Interface || head.is_static && head.is_final;
        if body == Body::File {
            self.draft.doubt("a field outside of a type");
        }
        let first = self.draft.count();
        if !constant || body == Body::File {
            self.draft.comments.truncate(head.above);
            return self.semicolon();
        }
        self.draft.begin_above(Constant, head.name, None, head.start, head.above);
        loop {
            self.draft.space();
            match self.draft.peek() {
                Some(b';') => {
                    self.draft.pos += 1;
                    break;
                }
                Some(b',') => {
                    self.draft.pos += 1;
                    self.draft.space();
                    let name = self.draft.word();
                    if name.is_empty() {
                        self.draft.doubt("a constant without a name");
                    }
                    self.draft.begin_above(Constant, name, None, head.start, 0);
                }
                Some(b'=') => self.value(),
                Some(b'[') => self.draft.group(),
                Some(b'@') => {
                    self.annotation();
                }
                _ => {
                    self.strange("a sign that is no part of a field");
                    break;
                }
            }
        }
        self.draft.comments.clear();
        let from = head.signature.unwrap_or(head.start);
        self.draft.finish_all(first..self.draft.count(), self.draft.pos, from);
    }

    /// The value of a constant, up to `;` or the comma before the next constant.
    pub(super) fn value(&mut self) {
        self.draft.pos += 1;
        while let Some(byte) = self.draft.peek() {
            match byte {
                b';' => return,
                b',' if self.is_declarator() => return,
                b'}' | b')' | b']' => return self.draft.doubt("brackets that do not match"),
                b'(' | b'[' | b'{' => self.draft.group(),
                b'"' | b'\'' | b'`' => self.draft.literal(),
                b'/' if self.draft.comment().is_some() => {}
                b'<' if self.is_reference() => self.angles(),
                b'\\' => return self.draft.doubt("a backslash"),
                _ if lex::is(byte, WORD) => {
                    let start = self.draft.pos;
                    if self.draft.word() == b"new" {
                        self.creation(start);
                    }
                }
                _ => self.draft.pos += 1,
            }
        }
        self.draft.doubt("a value without an end");
    }

    /// Whether the comma here separates constants, and not the arguments of a type.
    pub(super) fn is_declarator(&mut self) -> bool {
        let start = self.draft.pos;
        self.draft.pos += 1;
        self.draft.space();
        let name = self.draft.word();
        self.draft.space();
        let answer =
            !name.is_empty() && matches!(self.draft.peek(), Some(b'=' | b',' | b';' | b'['));
        self.back(start);
        answer
    }

    /// Whether the `<` here opens type arguments: `.<A, B>f()`, `A<B, C>::new`.
    pub(super) fn is_reference(&mut self) -> bool {
        let source = self.draft.source;
        let start = self.draft.pos;
        if source[..start].trim_ascii_end().ends_with(b".") {
            return true;
        }
        let rest = &source[start..source.len().min(start + REFERENCE_LIMIT)];
        let (mut depth, mut at) = (0_usize, 0);
        for (index, byte) in rest.iter().enumerate() {
            match byte {
                b'<' => depth += 1,
                b'>' => depth -= 1,
                b',' | b'.' | b'?' | b'&' | b'[' | b']' => {}
                _ if lex::is(*byte, WORD | BLANK) => {}
                _ => break,
            }
            if depth == 0 {
                at = index;
                break;
            }
        }
        self.draft.again += at as u64;
        at > 0 && rest[at + 1..].trim_ascii_start().starts_with(b"::")
    }
}
