//! Rust by one pass over its bytes: what `rustlang` finds in a syntax tree, many times as fast.
//!
//! Items begin where a statement may: after `{`, `}` or `;`. There the words are read one by one; what is
//! between, expressions and types, is only passed over, with an eye on brackets, literals, comments,
//! attributes and the insides of macro calls, which are no definitions. This file owns the loop over
//! the bytes and the brackets that are open; `items` owns what each item looks like.

mod items;
mod lex;

use super::brackets::{DEPTH_LIMIT, closing};
use super::collect::{Collector, Open};
use super::scanner::{Scanner, Unsure};
use super::scope::Place;
use super::{SYMBOL_LIMIT, Symbol};

use lex::{
    comment_end, group_end, ident_end, is_blank, is_digit, quote_end, raw_string_end, skip_blank,
    starts_word, string_end, word_end,
};

pub(super) const SCANNER: Scanner = Scanner { name: "rust", version: "scan.1", scan };

/// Finds the definitions of a source.
pub(super) fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    Scan {
        source,
        at: 0,
        fresh: true,
        start: None,
        before: Before::Other,
        open: Vec::new(),
        values: 0,
        collector: Collector::new(source, lex::comments, out),
    }
    .run()
}

/// What is open.
enum Frame {
    /// A bracket, by what closes it; whether it is a scope; the definition that ends with it.
    Bracket { close: u8, scope: bool, definition: Option<Open> },
    /// A value up to its `;`, and what it is the value of.
    Value(Open),
    /// A closure in a value, up to the end of its argument.
    Closure,
}

/// What stands before.
#[derive(Clone, Copy)]
enum Before {
    /// A word, by where it begins and ends.
    Word(usize, usize),
    /// Something else that ends an operand: a literal or a closed bracket.
    Operand,
    Other,
}

struct Scan<'s> {
    source: &'s [u8],
    at: usize,
    /// A statement may begin here, or has begun with words that may stand before an item.
    fresh: bool,
    /// Where those words begin.
    start: Option<usize>,
    before: Before,
    open: Vec<Frame>,
    /// How many of those are values.
    values: usize,
    collector: Collector<'s>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Unsure> {
        if self.source.starts_with(b"#!") && self.source.get(2) != Some(&b'[') {
            self.at = memchr::memchr(b'\n', self.source).unwrap_or(self.source.len());
        }
        while let Some(&byte) = self.source.get(self.at) {
            match byte {
                _ if is_blank(byte) => self.at += 1,
                _ if starts_word(byte) => self.word()?,
                _ if is_digit(byte) => {
                    self.at = word_end(self.source, self.at);
                    self.stale(Before::Operand);
                }
                b'/' => match comment_end(self.source, self.at)? {
                    Some(end) => {
                        self.collector.comment(self.at, end);
                        self.at = end;
                    }
                    None => self.other(),
                },
                b'"' => {
                    self.at = string_end(self.source, self.at)?;
                    self.before = Before::Operand; // but `extern "C"` goes on
                }
                b'\'' => {
                    self.at = quote_end(self.source, self.at);
                    self.stale(Before::Operand);
                }
                b'#' => self.attribute()?,
                b'!' => self.exclamation()?,
                b'{' | b'(' | b'[' => {
                    self.push(Frame::Bracket {
                        close: closing(byte),
                        scope: false,
                        definition: None,
                    })?;
                    self.opened(byte);
                }
                b'}' | b')' | b']' => {
                    self.close(byte)?;
                    if self.collector.count() > SYMBOL_LIMIT {
                        return Ok(());
                    }
                }
                b';' => self.semicolon(),
                b',' => {
                    if matches!(self.open.last(), Some(Frame::Closure)) {
                        self.pop_closure();
                    }
                    self.other();
                }
                b'|' => self.bar()?,
                _ => self.other(),
            }
        }
        if self.open.is_empty() { Ok(()) } else { Err(Unsure("a bracket that is not closed")) }
    }

    /// Whatever stood here was no part of the head of an item.
    fn stale(&mut self, before: Before) {
        (self.fresh, self.start, self.before) = (false, None, before);
    }

    /// A byte without a meaning of its own.
    fn other(&mut self) {
        self.at += 1;
        self.stale(Before::Other);
    }

    /// A statement may begin at the current byte.
    fn anew(&mut self) {
        (self.fresh, self.start, self.before) = (true, None, Before::Other);
    }

    fn push(&mut self, frame: Frame) -> Result<(), Unsure> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Unsure("brackets nested too deep"));
        }
        self.open.push(frame);
        Ok(())
    }

    /// After a bracket was opened.
    fn opened(&mut self, byte: u8) {
        self.at += 1;
        if byte == b'{' { self.anew() } else { self.stale(Before::Other) }
    }

    fn pop_closure(&mut self) {
        self.open.pop();
        self.collector.leave();
    }

    fn close(&mut self, byte: u8) -> Result<(), Unsure> {
        while matches!(self.open.last(), Some(Frame::Closure)) {
            self.pop_closure();
        }
        let Some(Frame::Bracket { close, scope, definition }) = self.open.pop() else {
            return Err(Unsure("a bracket that was not opened"));
        };
        if close != byte {
            return Err(Unsure("a bracket that closes another one"));
        }
        self.at += 1;
        if scope {
            self.collector.leave();
        }
        if let Some(definition) = definition {
            self.collector.end(definition, self.at);
        }
        if byte == b'}' {
            self.anew()
        } else {
            self.stale(Before::Operand)
        }
        Ok(())
    }

    fn semicolon(&mut self) {
        self.at += 1;
        self.anew();
        while matches!(self.open.last(), Some(Frame::Closure)) {
            self.pop_closure();
        }
        if let Some(&Frame::Value(definition)) = self.open.last() {
            self.open.pop();
            self.values -= 1;
            self.collector.end(definition, self.at);
        }
    }

    fn word(&mut self) -> Result<(), Unsure> {
        let start = self.at;
        let end = word_end(self.source, start);
        self.at = end;
        match self.source.get(end) {
            Some(b'"' | b'#') => {
                if let Some(end) = raw_string_end(self.source, start, end)? {
                    self.at = end;
                    self.stale(Before::Operand);
                    return Ok(());
                }
                self.at = ident_end(self.source, start).unwrap_or(end); // r#word
            }
            Some(b'\'') if end == start + 1 && self.source[start] == b'b' => {
                self.at = quote_end(self.source, end);
                self.stale(Before::Operand);
                return Ok(());
            }
            _ => {}
        }
        if self.fresh {
            self.item(start, end)
        } else {
            self.before = Before::Word(start, self.at);
            Ok(())
        }
    }

    /// `#`: an attribute of what comes next, or of what is around.
    fn attribute(&mut self) -> Result<(), Unsure> {
        let start = self.at;
        let mut at = skip_blank(self.source, start + 1)?;
        let inner = self.source.get(at) == Some(&b'!');
        if inner {
            at = skip_blank(self.source, at + 1)?;
        }
        if self.source.get(at) != Some(&b'[') {
            self.other();
            return Ok(());
        }
        self.at = group_end(self.source, at)?;
        if !inner {
            self.collector.attribute(start, self.at);
        }
        Ok(())
    }

    /// `!`: of a macro call, whose inside is not looked at, or an operator.
    fn exclamation(&mut self) -> Result<(), Unsure> {
        let before = self.before;
        self.other();
        let Before::Word(start, end) = before else { return Ok(()) };
        if items::is_keyword(&self.source[start..end]) {
            return Ok(());
        }
        if let Some((open, end)) = self.call(self.at)? {
            self.at = end;
            if open == b'{' { self.anew() } else { self.before = Before::Operand }
        }
        Ok(())
    }

    /// The bracket and the end of the arguments of a macro call, from after its `!`.
    fn call(&self, at: usize) -> Result<Option<(u8, usize)>, Unsure> {
        let mut at = skip_blank(self.source, at)?;
        if let Some(end) = ident_end(self.source, at) {
            at = skip_blank(self.source, end)?;
        }
        match self.source.get(at) {
            Some(&open @ (b'(' | b'[' | b'{')) => Ok(Some((open, group_end(self.source, at)?))),
            _ => Ok(None),
        }
    }

    /// `|`: the parameters of a closure, where it matters that what is inside it is local.
    fn bar(&mut self) -> Result<(), Unsure> {
        let operand = match self.before {
            Before::Word(start, end) => !items::is_keyword(&self.source[start..end]),
            Before::Operand => true,
            Before::Other => false,
        };
        self.other();
        // Not far: what is no closure would otherwise be looked at again and again.
        if operand || self.values == 0 || self.collector.place() == Place::Function {
            return Ok(());
        }
        let (mut at, mut depth) = (self.at, 0usize);
        let limit = at + 1000;
        loop {
            match self.source.get(at) {
                Some(b'|') if depth == 0 => break,
                Some(b'(' | b'[') => depth += 1,
                Some(b')' | b']') if depth > 0 => depth -= 1,
                None | Some(b'{' | b'}' | b')' | b']' | b';' | b'"') => return Ok(()),
                Some(_) if at >= limit => return Ok(()),
                Some(_) => {}
            }
            at += 1;
        }
        self.at = at + 1;
        self.collector.enter(None, Place::Function);
        self.push(Frame::Closure)
    }
}
