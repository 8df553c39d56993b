//! Types of Go: their kind, and the methods of interfaces.

use super::code::Until;
use super::{Pass, is_keyword};
use crate::outline::SymbolKind::{Interface, Method, Struct, Type};
use crate::outline::brace::lex::{self, WORD};

impl Pass<'_, '_> {
    /// From the brace of an interface to after the one that closes it: its methods.
    pub(super) fn interface(&mut self) {
        if self.draft.is_deep() {
            self.draft.group();
            return;
        }
        self.draft.nest(true);
        self.elements();
        self.draft.nest(false);
    }

    pub(super) fn elements(&mut self) {
        self.draft.push(b'{');
        loop {
            self.draft.gap();
            let start = self.draft.pos;
            match self.draft.peek() {
                None => {
                    self.draft.doubt("an interface without an end");
                    return;
                }
                Some(b'}') => {
                    self.draft.pop(b'}');
                    return;
                }
                Some(b';') => {
                    self.draft.pos += 1;
                    continue;
                }
                Some(_) => {}
            }
            let name = self.draft.word();
            self.blanks();
            if name.is_empty() || is_keyword(name) || self.draft.peek() != Some(b'(') {
                self.draft.pos = start;
                self.run(Until::Statement);
            } else {
                let index = self.draft.begin(Method, name, None, start);
                let outside = self.draft.enter(None, name);
                let end = self.signature();
                self.draft.leave(outside);
                self.draft.finish(index, end, (start, end));
            }
            if self.draft.pos == start || self.draft.peek() == Some(b'{') {
                self.draft.doubt("a sign instead of a method");
                self.draft.pos = self.draft.pos.max(start);
                let byte = self.draft.peek().unwrap_or_default();
                self.strange(byte);
            }
        }
    }

    pub(super) fn type_specification(&mut self, start: usize) {
        let name = self.draft.word();
        if name.is_empty() || is_keyword(name) {
            self.draft.doubt("a type without a name");
            return;
        }
        self.blanks();
        if self.draft.peek() == Some(b'[') && self.has_parameters() {
            self.draft.group();
            self.blanks();
        }
        let (shape, word) = (self.draft.pos, self.draft.word());
        let mut kind = Type;
        if matches!(word, b"struct" | b"interface") {
            self.draft.space();
            kind = match self.draft.peek() {
                Some(b'{') if word == b"struct" => Struct,
                Some(b'{') => Interface,
                _ => Type,
            };
        }
        let index = self.draft.begin(kind, name, None, start);
        let outside = self.draft.enter(None, name);
        if kind == Type {
            self.draft.pos = shape;
            let end = self.run(Until::Statement);
            if end <= shape {
                self.draft.doubt("a type that is nothing");
            }
            self.draft.leave(outside);
            self.draft.finish(index, end, (start, end));
            return;
        }
        let until = self.draft.pos;
        if kind == Struct {
            self.draft.group();
        } else {
            self.draft.comments.clear();
            self.interface();
        }
        self.draft.leave(outside);
        self.draft.finish(index, self.draft.pos, (start, until));
    }

    /// Whether the bracket here opens the parameters of a type, and not the length of an array: `[T any]`,
    /// `[K, V any]`, `[P *T | U]`, against `[n]`, `[n * 2]`, `[pkg.N]`.
    pub(super) fn has_parameters(&mut self) -> bool {
        let start = self.draft.pos;
        self.draft.pos += 1;
        self.draft.space();
        let name = self.draft.word();
        self.draft.space();
        let next = self.draft.peek();
        self.draft.again += (self.draft.pos - start) as u64;
        let answer = !name.is_empty()
            && match next {
                Some(b',' | b'~' | b'[') => true,
                // `[P *T,]` and `[P *T | ~U]` are parameters, `[N * M]` and `[P *T | U]` a length.
                Some(b'*' | b'(') => {
                    self.draft.pos = start;
                    self.draft.group();
                    let inside = &self.draft.source[start..self.draft.pos];
                    let inside = inside.get(1..inside.len() - 1).unwrap_or_default();
                    let has = |bytes: &[u8]| inside.iter().any(|byte| bytes.contains(byte));
                    let (listed, nested) = (has(b",~"), has(b"([{"));
                    self.draft.again += 2 * inside.len() as u64;
                    if nested && (listed || next == Some(b'*')) {
                        self.draft.doubt("an array or the parameters of a type");
                    }
                    listed
                }
                Some(byte) => lex::is(byte, WORD),
                None => false,
            };
        self.draft.pos = start;
        answer
    }
}
