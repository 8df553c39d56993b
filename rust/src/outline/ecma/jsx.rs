//! JSX: elements, whose text is not code, and the expressions in them.

use memchr::{memchr, memchr2};

use super::lex::place;
use super::skeleton::{Kind, Node};
use super::{Dialect, Parser};

impl Parser<'_> {
    /// Whether `<` at an operand's place begins an element, not type parameters.
    pub(super) fn elements(&self) -> bool {
        match self.dialect {
            Dialect::JavaScript => true,
            Dialect::TypeScript => false,
            Dialect::Tsx => {
                let (at, _) = self.after(self.at + 1);
                let word = self.word_at(at);
                let (next, _) = self.after(at + word.len());
                // `<T,>(a: T) => a`, `<T extends A>`, `<T = A,>`, `<const T>`
                word.is_empty()
                    || !(matches!(self.source.get(next), Some(b',' | b'='))
                        || self.word_at(next) == b"extends"
                            && !matches!(self.byte_after(next + 7), b'=' | b'>' | b'/')
                        || word == b"const" && !self.word_at(next).is_empty())
            }
        }
    }

    /// Take an element with all that is in it.
    pub(super) fn jsx(&mut self) {
        if !self.enter() {
            return self.leave();
        }
        let mut depth = 0_usize;
        loop {
            // At a `<`.
            self.take(1);
            let closing = self.byte() == b'/';
            if closing {
                self.take(1);
            }
            self.tag_name();
            let end = if closing {
                Some(self.at).filter(|_| self.byte() == b'>')
            } else {
                self.attributes()
            };
            let Some(end) = end else {
                self.fail();
                break;
            };
            let empty = self.source.get(end) == Some(&b'/');
            let end = end + usize::from(empty);
            match (closing, empty) {
                (true, _) => depth = depth.saturating_sub(1),
                (_, false) => depth += 1,
                _ => {}
            }
            if depth == 0 {
                self.take_to(end + 1);
                break;
            }
            if !self.children(end + 1) {
                break;
            }
        }
        self.leave();
    }

    /// From the end of a tag to the next `<`; false if there is none.
    fn children(&mut self, mut at: usize) -> bool {
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let Some(next) = memchr2(b'<', b'{', rest) else {
                self.fail();
                return false;
            };
            self.at = at + next;
            if self.source[self.at] == b'<' {
                return true;
            }
            self.take(1);
            if self.byte() != b'}' {
                self.expression(true);
            }
            if self.byte() != b'}' {
                self.fail();
                return false;
            }
            at = self.at + 1;
        }
    }

    /// `a`, `a.b`, `a:b`, `a-b`, or none.
    fn tag_name(&mut self) {
        self.dashed();
        while matches!(self.byte(), b'.' | b':') {
            self.take(1);
            self.dashed();
        }
        if self.byte() == b'<' && self.typed() {
            self.angle();
        }
    }

    /// A name that may have dashes in it.
    fn dashed(&mut self) {
        let mut end = self.word_end(self.at);
        if !Self::starts_word(self.byte()) {
            return;
        }
        while self.source.get(end) == Some(&b'-') {
            end = self.word_end(end + 1);
        }
        self.take_to(end);
    }

    /// The attributes of a tag; where its `>` or `/>` stands.
    fn attributes(&mut self) -> Option<usize> {
        loop {
            match self.byte() {
                b'>' => return Some(self.at),
                b'/' if self.peek(1) == b'>' => return Some(self.at),
                b'{' => {
                    self.take(1);
                    if self.byte() != b'}' {
                        self.expression(true);
                    }
                    self.expect(b'}');
                }
                b'=' => {
                    self.take(1);
                    match self.byte() {
                        quote @ (b'"' | b'\'') => {
                            let from = self.at + 1;
                            let end = memchr(quote, self.source.get(from..)?)?;
                            self.take_to(from + end + 1);
                        }
                        b'<' => self.jsx(),
                        b'{' => {}
                        _ => return None,
                    }
                }
                b':' => self.take(1),
                byte if Self::starts_word(byte) => {
                    let before = self.at;
                    self.dashed();
                    if self.at == before {
                        return None;
                    }
                }
                _ => return None,
            }
            if self.unsure {
                return None;
            }
        }
    }

    /// `@a`, `@a.b(c)`, `@(a)`, one after the other: a node each.
    pub(super) fn decorators(&mut self) {
        self.enter();
        while self.byte() == b'@' && !self.unsure {
            let start = place(self.at);
            let node = self.open(Node::new(Kind::Attribute, start));
            self.take(1);
            if self.byte() == b'(' {
                self.take(1);
                self.group(b')');
            } else {
                self.take_word();
                while self.byte() == b'.' {
                    self.take(1);
                    if self.byte() == b'#' {
                        self.take(1);
                    }
                    self.take_word();
                }
                if self.byte() == b'<' && self.typed() {
                    self.angle();
                }
                if self.byte() == b'(' {
                    self.take(1);
                    self.group(b')');
                }
            }
            self.forget(node + 1);
            self.close(node);
        }
        self.leave();
    }
}
