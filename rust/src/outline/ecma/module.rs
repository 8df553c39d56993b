//! Imports and exports.

use super::Parser;
use super::lex::place;
use super::skeleton::{Form, Kind, Node, Wrap};

impl Parser<'_> {
    /// An import; false if it is an expression.
    pub(super) fn import(&mut self) -> bool {
        if matches!(self.byte_after(self.at + 6), b'(' | b'.') {
            return false;
        }
        let from = self.nodes.len();
        self.take(6);
        loop {
            match self.byte() {
                b'"' | b'\'' => {
                    self.string();
                    if matches!(self.word(), b"with" | b"assert")
                        && self.byte_after(self.at + self.word().len()) == b'{'
                    {
                        self.take_word();
                        self.balanced();
                    }
                    break;
                }
                b'{' => self.balanced(),
                b',' | b'*' => self.take(1),
                b'=' => {
                    self.take(1);
                    self.expression(false);
                    break;
                }
                byte if Self::starts_word(byte) => drop(self.take_word()),
                _ => {
                    self.fail();
                    break;
                }
            }
        }
        self.semicolon();
        self.forget(from);
        true
    }

    /// Decorators, and the class they belong to.
    pub(super) fn decorated(&mut self) {
        let (start, from) = (self.at, self.nodes.len());
        self.decorators();
        match self.word() {
            b"export" => self.export(start),
            b"class" | b"abstract" => {
                // They are inside the class, where nothing takes them into account.
                self.forget(from);
                self.class_declaration(None, start);
            }
            _ => self.fail(),
        }
    }

    /// `export ...`; decorators may stand before it.
    pub(super) fn export(&mut self, start: usize) {
        let wrap = Wrap { row: place(start), head: place(self.at) };
        self.take(6);
        match self.byte() {
            b'*' | b'{' => self.reexport(),
            b'=' if self.typed() => {
                self.take(1);
                if self.word() == b"function" {
                    self.function_value(self.at);
                    self.semicolon();
                } else {
                    self.expression_statement();
                }
            }
            b'@' => {
                let (start, from) = (self.at, self.nodes.len());
                self.decorators();
                self.forget(from);
                if self.word() == b"default" {
                    self.take(7);
                }
                self.class_declaration(Some(wrap), start);
            }
            _ => match self.word() {
                b"default" => {
                    self.take(7);
                    self.export_default(wrap);
                }
                b"import" if self.typed() => drop(self.import()),
                b"as" if self.typed() => {
                    self.take(2);
                    self.take_word();
                    self.take_word();
                    self.semicolon();
                }
                b"type" if self.typed() && matches!(self.byte_after(self.at + 4), b'{' | b'*') => {
                    self.take(4);
                    self.reexport();
                }
                _ => {
                    if !self.declaration(Some(wrap), self.at) {
                        self.fail();
                    }
                }
            },
        }
    }

    /// `* as a from "b"`, `{ a, b } from "c"`
    pub(super) fn reexport(&mut self) {
        if self.byte() == b'{' {
            self.balanced();
        } else {
            self.take(1);
            if self.word() == b"as" {
                self.take(2);
                if matches!(self.byte(), b'"' | b'\'') {
                    self.string();
                } else {
                    self.take_word();
                }
            }
        }
        if self.word() == b"from" {
            self.take(4);
            self.string();
            if matches!(self.word(), b"with" | b"assert")
                && self.byte_after(self.at + self.word().len()) == b'{'
            {
                self.take_word();
                self.balanced();
            }
        }
        self.semicolon();
    }

    /// After `export default`.
    pub(super) fn export_default(&mut self, wrap: Wrap) {
        let word = self.word();
        let (next, newline) = self.after(self.at + word.len());
        let following = self.word_at(next);
        let declares = match word {
            b"function" => self.function_is_named(next),
            b"async" if !newline && following == b"function" => {
                self.function_is_named(self.after(next + 8).0)
            }
            b"class" => {
                !following.is_empty()
                    && following != b"extends"
                    && !(self.typed() && following == b"implements")
            }
            b"abstract" => self.typed() && following == b"class",
            b"interface" | b"enum" | b"type" => self.typed() && !newline && !following.is_empty(),
            _ => false,
        };
        if declares {
            self.declaration(Some(wrap), self.at);
            return;
        }
        if self.byte() == b'@' {
            let (start, from) = (self.at, self.nodes.len());
            self.decorators();
            self.forget(from);
            return self.class_declaration(Some(wrap), start);
        }
        let node = self.begin(Kind::Export, Some(wrap), self.at);
        let index = self.open(Node { start: wrap.row, ..node });
        let value = match word {
            // Where types are declared it has no body.
            b"function" if self.typed() => self.function_value(self.at),
            _ => self.expression(false),
        };
        if value.form == Form::Absent {
            self.fail();
        }
        self.semicolon();
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.value = value;
        }
    }

    pub(super) fn function_is_named(&self, mut at: usize) -> bool {
        if self.source.get(at) == Some(&b'*') {
            at = self.after(at + 1).0;
        }
        self.source.get(at).is_some_and(|byte| Self::starts_word(*byte))
    }
}
