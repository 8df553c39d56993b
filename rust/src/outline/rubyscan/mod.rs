//! Ruby by one pass over its words and signs: what `ruby` finds in a syntax tree, many times as fast.
//!
//! Which `end` belongs to what is what a scanner of Ruby must know. So every word that opens a block is kept until
//! its `end`; whether an `if` opens one or belongs to what stands before it, and whether a `/` begins a string or
//! divides, is told by the words before (`lex`, `words`).
//!
//! This file owns what is open; `define` what is reported; `literals` where strings end.

mod define;
mod lex;
mod literals;
mod words;

use super::brackets::{DEPTH_LIMIT, closing};
use super::collect::{Collector, Open};
use super::scanner::{Scanner, Unsure};
use super::{SYMBOL_LIMIT, Symbol};

use lex::{Lexer, State, Token};
use words::Keyword;

pub(super) const SCANNER: Scanner = Scanner { name: "ruby", version: "scan.1", scan };

/// Finds the definitions of a source.
pub(super) fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    Scan {
        source,
        lexer: Lexer::new(source),
        open: Vec::new(),
        last: 0,
        comma: false,
        made: false,
        collector: Collector::new(source, lex::comments, out),
    }
    .run()
}

/// What is open.
enum Frame {
    /// A bracket, by what closes it.
    Bracket(u8),
    /// A block of no definition, up to its `end`.
    Block,
    /// The head of a loop: a `do` before its end is its own.
    Loop,
    /// A definition up to its `end`; whether it is a scope.
    Body { definition: Option<Open>, scope: bool },
    /// A value up to the end of the expression: of a constant, of a class that is made by a call, or of a method
    /// without an `end`.
    Value { definition: Option<Open>, scope: bool, class: bool },
}

struct Scan<'s> {
    source: &'s [u8],
    lexer: Lexer<'s>,
    open: Vec<Frame>,
    /// The end of the last word or sign.
    last: usize,
    /// That was a comma.
    comma: bool,
    /// That was the end of the arguments or the block of a class that is made by a call.
    made: bool,
    collector: Collector<'s>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Unsure> {
        loop {
            let token = self.lexer.token()?;
            match token {
                Token::Comment => {
                    self.collector.comment(self.lexer.start, self.lexer.at);
                    continue;
                }
                Token::Nothing => break,
                Token::Keyword(keyword) => self.keyword(keyword)?,
                Token::Constant => self.constant()?,
                Token::Opening(byte) => self.push(Frame::Bracket(closing(byte)))?,
                Token::Closing(byte) => {
                    self.end_values();
                    match self.open.pop() {
                        Some(Frame::Bracket(close)) if close == byte => {}
                        Some(Frame::Bracket(_)) => {
                            return Err(Unsure("a bracket that closes another one"));
                        }
                        Some(_) => return Err(Unsure("a bracket that closes a block")),
                        None => return Err(Unsure("a bracket that was not opened")),
                    }
                }
                Token::Newline | Token::Semicolon => {
                    self.end_values();
                    if let Some(frame @ Frame::Loop) = self.open.last_mut() {
                        *frame = Frame::Block;
                    }
                    self.comma = false;
                    continue;
                }
                Token::Comma => self.end_argument(),
                // `X = Class.new { }.new` is no class.
                Token::Operator if self.made => {
                    return Err(Unsure("a class that is used where it is made"));
                }
                Token::Name | Token::Label | Token::Value | Token::Operator => {}
            }
            self.made = matches!(token, Token::Closing(_) | Token::Keyword(Keyword::End))
                && matches!(self.open.last(), Some(Frame::Value { class: true, .. }));
            self.last = self.lexer.at;
            self.comma = token == Token::Comma;
        }
        self.end_values();
        if self.open.is_empty() { Ok(()) } else { Err(Unsure("a block that is not closed")) }
    }

    fn push(&mut self, frame: Frame) -> Result<(), Unsure> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Unsure("blocks nested too deep"));
        }
        self.open.push(frame);
        Ok(())
    }

    fn keyword(&mut self, keyword: Keyword) -> Result<(), Unsure> {
        let begins = self.lexer.before == State::Begin;
        match keyword {
            Keyword::Class => self.class()?,
            Keyword::Module => self.module()?,
            Keyword::Def => self.method()?,
            Keyword::Begin => self.push(Frame::Block)?,
            Keyword::If if begins => self.push(Frame::Block)?,
            Keyword::While if begins => self.push(Frame::Loop)?,
            Keyword::For => self.push(Frame::Loop)?,
            Keyword::If | Keyword::While | Keyword::And => self.end_values(),
            Keyword::Do => match self.open.last_mut() {
                Some(frame @ Frame::Loop) => *frame = Frame::Block,
                _ => self.push(Frame::Block)?,
            },
            Keyword::End => {
                self.end_values();
                match self.open.pop() {
                    Some(Frame::Block | Frame::Loop) => {}
                    Some(Frame::Body { definition, scope }) => {
                        self.close(definition, scope, self.lexer.at)
                    }
                    Some(_) => return Err(Unsure("an end inside of brackets")),
                    None => return Err(Unsure("an end of nothing")),
                }
                if self.collector.count() > SYMBOL_LIMIT {
                    self.open.clear();
                    self.lexer.at = self.source.len();
                }
            }
            Keyword::Other => {}
        }
        Ok(())
    }

    /// A definition ends before this byte.
    fn close(&mut self, definition: Option<Open>, scope: bool, at: usize) {
        if scope {
            self.collector.leave();
        }
        if let Some(definition) = definition {
            self.collector.end(definition, at);
        }
    }

    /// The values that are not in brackets or blocks of their own end with the last word.
    fn end_values(&mut self) {
        while let Some(&Frame::Value { definition, scope, .. }) = self.open.last() {
            self.open.pop();
            self.close(definition, scope, self.last);
        }
    }

    /// A comma ends a value that is an argument.
    fn end_argument(&mut self) {
        let outer = self.open.iter().rev().find(|frame| !matches!(frame, Frame::Value { .. }));
        if matches!(outer, Some(Frame::Bracket(b')' | b']'))) {
            self.end_values();
        }
    }
}
