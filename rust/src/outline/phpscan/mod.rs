//! PHP by one pass over its bytes: what `php` finds in a syntax tree, many times as fast.
//!
//! Text outside of the tags is passed over. Where a statement may begin (after `{`, `}`, `;` and `:`) the words are
//! read that open a declaration (`declare`); in the body of a type, its members (`members`). Elsewhere only few
//! words matter (`expression`).
//!
//! This file owns the loop over the bytes and the brackets that are open; `lex` and `strings` own the bytes.

mod declare;
mod expression;
mod lex;
mod members;
mod strings;

use super::brackets::{DEPTH_LIMIT, closing};
use super::collect::{Collector, Open};
use super::scanner::{Scanner, Unsure};
use super::scope::Place;
use super::{SYMBOL_LIMIT, Symbol};

use lex::{Class, class, comment_end, skip_space, text_end, token_end, word_end};

pub(super) const SCANNER: Scanner = Scanner { name: "php", version: "scan.1", scan };

/// Finds the definitions of a source.
pub(super) fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    Scan {
        source,
        at: text_end(source, 0),
        fresh: true,
        rest: false,
        open: Vec::new(),
        collector: Collector::new(source, lex::comments, out),
    }
    .run()
}

/// What is open.
enum Frame {
    /// A bracket, by what closes it; whether it is a scope; the definition that ends with it.
    Bracket { close: u8, scope: bool, definition: Option<Open> },
    /// The body of a type, which holds members.
    Members(Option<Open>),
    /// What follows the `=>` of a function without a name, up to the end of the expression.
    Arrow,
}

struct Scan<'s> {
    source: &'s [u8],
    at: usize,
    /// A statement or a member may begin here.
    fresh: bool,
    /// A namespace without a block was declared.
    rest: bool,
    open: Vec<Frame>,
    collector: Collector<'s>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Unsure> {
        while let Some(&byte) = self.source.get(self.at) {
            match class(byte) {
                Class::Blank => self.at += 1,
                Class::Comment => match comment_end(self.source, self.at)? {
                    Some(end) => {
                        self.collector.comment(self.at, end);
                        self.at = end;
                    }
                    None if byte == b'#' && self.fresh => self.begin()?,
                    None => self.other(),
                },
                Class::Closing => {
                    self.close(byte)?;
                    if self.collector.count() > SYMBOL_LIMIT {
                        return Ok(());
                    }
                }
                Class::Semicolon => self.semicolon(),
                Class::Tag if self.source.get(self.at + 1) == Some(&b'>') && byte == b'?' => {
                    self.at = text_end(self.source, self.at + 2);
                    self.anew();
                }
                Class::Word if self.fresh => self.begin()?,
                _ if self.fresh && self.in_members() => {
                    return Err(Unsure("a member of an unknown kind"));
                }
                Class::Word => self.word()?,
                Class::Variable | Class::Digit => {
                    self.at = word_end(self.source, self.at + 1);
                    self.fresh = false;
                }
                Class::Quote | Class::Tag => {
                    self.at = token_end(self.source, self.at, 0)?;
                    self.fresh = false;
                }
                Class::Opening => self.bracket(byte, None)?,
                Class::Colon if self.source.get(self.at + 1) == Some(&b':') => {
                    self.member_name()?
                }
                Class::Minus if self.source.get(self.at + 1) == Some(&b'>') => {
                    self.member_name()?
                }
                Class::Colon => {
                    self.at += 1;
                    self.anew(); // after `case 1:`
                }
                Class::Comma => {
                    self.pop_arrows();
                    self.other();
                }
                Class::Backslash => {
                    self.at = word_end(self.source, self.at + 1);
                    self.fresh = false;
                }
                Class::Minus | Class::Other => self.other(),
            }
        }
        if self.open.is_empty() { Ok(()) } else { Err(Unsure("a bracket that is not closed")) }
    }

    /// Whether members of a type are expected.
    fn in_members(&self) -> bool {
        matches!(self.open.last(), Some(Frame::Members(_)))
    }

    /// A byte without a meaning of its own.
    fn other(&mut self) {
        self.at += 1;
        self.fresh = false;
    }

    /// A statement may begin at the current byte if it is in a block.
    fn anew(&mut self) {
        self.fresh = match self.open.last() {
            Some(Frame::Bracket { close, .. }) => *close == b'}',
            Some(Frame::Arrow) => false,
            Some(Frame::Members(_)) | None => true,
        };
    }

    /// `->` or `::` and the name that follows, which may look like a keyword.
    fn member_name(&mut self) -> Result<(), Unsure> {
        let at = skip_space(self.source, self.at + 2)?;
        self.at = word_end(self.source, at);
        self.fresh = false;
        Ok(())
    }

    fn push(&mut self, frame: Frame) -> Result<(), Unsure> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Unsure("brackets nested too deep"));
        }
        self.open.push(frame);
        Ok(())
    }

    /// A bracket that is no scope.
    fn bracket(&mut self, byte: u8, definition: Option<Open>) -> Result<(), Unsure> {
        self.push(Frame::Bracket { close: closing(byte), scope: false, definition })?;
        self.at += 1;
        self.fresh = byte == b'{';
        Ok(())
    }

    /// The brace of a function without a name.
    fn nameless(&mut self) -> Result<(), Unsure> {
        self.collector.enter(None, Place::Function);
        self.push(Frame::Bracket { close: b'}', scope: true, definition: None })?;
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    fn pop_arrows(&mut self) {
        while matches!(self.open.last(), Some(Frame::Arrow)) {
            self.open.pop();
            self.collector.leave();
        }
    }

    fn close(&mut self, byte: u8) -> Result<(), Unsure> {
        self.pop_arrows();
        let (close, scope, definition) = match self.open.pop() {
            Some(Frame::Bracket { close, scope, definition }) => (close, scope, definition),
            Some(Frame::Members(definition)) => (b'}', true, definition),
            Some(Frame::Arrow) | None => return Err(Unsure("a bracket that was not opened")),
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
        self.fresh = false;
        if byte == b'}' {
            self.anew();
        }
        Ok(())
    }

    fn semicolon(&mut self) {
        self.at += 1;
        self.pop_arrows();
        self.anew();
    }
}
