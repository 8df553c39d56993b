//! C# by one pass over its bytes: what `csharp` finds in a syntax tree, many times as fast.
//!
//! In a namespace or a type each declaration is read word by word up to its body (`declarations`, `members`). In a body only
//! the beginnings of statements are looked at, because a local function may stand there (`local`); what is
//! between is passed over, with an eye on brackets, literals, comments and directives. Both branches of an
//! `#if` are read; where they leave different brackets open, the file is not for this scanner.
//!
//! This file owns the loop over the bytes and the brackets that are open.

mod declarations;
mod lex;
mod local;
mod members;
mod strings;

use super::brackets::{DEPTH_LIMIT, closing};
use super::collect::{Collector, Open};
use super::scanner::{Scanner, Unsure};
use super::scope::Place;
use super::{SYMBOL_LIMIT, Symbol};

use lex::{comment_end, directive_end, is_blank, next_in_code, skip_space};
use strings::{quote_end, string_end};

pub(super) const SCANNER: Scanner = Scanner { name: "csharp", version: "scan.1", scan };

/// Finds the definitions of a source.
pub(super) fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    Scan {
        source,
        at: 0,
        fresh: true,
        rest: false,
        open: Vec::new(),
        conditions: Vec::new(),
        collector: Collector::new(source, lex::comments, out),
    }
    .run()
}

/// What a bracket is to a definition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Nothing.
    None,
    /// The body of a namespace or a type, which holds declarations.
    Members,
    /// The body of a function.
    Code,
    /// The accessors of a property, after which a value may follow.
    Accessors,
}

/// What is open.
enum Frame {
    /// A bracket, by what closes it; what it is the body of.
    Bracket { close: u8, body: Body, definition: Option<Open> },
    /// What follows `=>` or `=`, up to its `;`.
    Value(Option<Open>),
}

struct Scan<'s> {
    source: &'s [u8],
    at: usize,
    /// A statement or a declaration may begin here.
    fresh: bool,
    /// A namespace without a block was declared.
    rest: bool,
    open: Vec<Frame>,
    /// How much was open at each `#if` that has no `#endif` yet.
    conditions: Vec<usize>,
    collector: Collector<'s>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Unsure> {
        loop {
            if !self.fresh {
                self.at = next_in_code(self.source, self.at);
            }
            let Some(&byte) = self.source.get(self.at) else { break };
            match byte {
                _ if is_blank(byte) => self.at += 1,
                b'/' => match comment_end(self.source, self.at)? {
                    Some(end) => {
                        self.collector.comment(self.at, end);
                        self.at = end;
                    }
                    None => self.other(),
                },
                b'#' if self.fresh && self.members() && self.is_conditional()? => {
                    self.begin(byte)?
                }
                b'#' => match directive_end(self.source, self.at) {
                    Some(end) => {
                        self.directive(self.at, self.open.len())?;
                        self.at = end;
                    }
                    None => return Err(Unsure("a directive behind something else")),
                },
                b'}' | b')' | b']' => {
                    self.close(byte)?;
                    if self.collector.count() > SYMBOL_LIMIT {
                        return Ok(());
                    }
                }
                b';' => self.semicolon(),
                _ if self.fresh => self.begin(byte)?,
                b'"' => {
                    let from = self.at.saturating_sub(8);
                    self.at = string_end(self.source, from, self.at)?;
                }
                b'\'' => self.at = quote_end(self.source, self.at),
                b'{' | b'(' | b'[' => self.bracket(byte)?,
                b':' if self.source.get(self.at + 1) == Some(&b':') => self.at += 2,
                b':' => {
                    self.at += 1;
                    self.anew(); // after `case 1:`
                }
                _ => self.other(),
            }
        }
        if !self.conditions.is_empty() {
            return Err(Unsure("a condition without an end"));
        }
        if self.open.is_empty() { Ok(()) } else { Err(Unsure("a bracket that is not closed")) }
    }

    /// Whatever stands here begins a statement or a declaration.
    fn begin(&mut self, byte: u8) -> Result<(), Unsure> {
        let members = self.members();
        let (from, open) = (self.at, self.open.len());
        if members && self.declaration()? {
            return self.passed(from, open);
        }
        // Statements may stand in a file, but not in a namespace or a type.
        if members && !self.open.is_empty() {
            return Err(Unsure("a member of an unknown kind"));
        }
        if self.local()? {
            return self.passed(from, open);
        }
        if members && (byte >= 0x80 || byte == b'[' || self.is_declared()) {
            return Err(Unsure("a declaration of an unknown kind"));
        }
        self.fresh = false;
        if byte == b'{' {
            self.bracket(byte)?;
        }
        Ok(())
    }

    /// Whether a word stands here that only declarations begin with.
    fn is_declared(&self) -> bool {
        let end = lex::word_end(self.source, self.at);
        matches!(
            &self.source[self.at..end],
            b"abstract"
                | b"internal"
                | b"namespace"
                | b"partial"
                | b"private"
                | b"protected"
                | b"public"
                | b"sealed"
        )
    }

    /// Whether declarations are expected.
    fn members(&self) -> bool {
        match self.open.last() {
            Some(Frame::Bracket { body, .. }) => *body == Body::Members,
            Some(Frame::Value(_)) => false,
            None => true,
        }
    }

    fn other(&mut self) {
        self.at += 1;
        self.fresh = false;
    }

    /// A statement may begin at the current byte if it is in a block.
    fn anew(&mut self) {
        self.fresh = match self.open.last() {
            Some(Frame::Bracket { close, .. }) => *close == b'}',
            Some(Frame::Value(_)) => false,
            None => true,
        };
    }

    fn push(&mut self, frame: Frame) -> Result<(), Unsure> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(Unsure("brackets nested too deep"));
        }
        self.open.push(frame);
        Ok(())
    }

    /// A bracket of no definition.
    fn bracket(&mut self, byte: u8) -> Result<(), Unsure> {
        let frame = Frame::Bracket { close: closing(byte), body: Body::None, definition: None };
        self.push(frame)?;
        self.at += 1;
        self.fresh = byte == b'{';
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), Unsure> {
        let Some(Frame::Bracket { close, body, definition }) = self.open.pop() else {
            return Err(Unsure("a bracket that was not opened"));
        };
        if close != byte {
            return Err(Unsure("a bracket that closes another one"));
        }
        self.at += 1;
        if body == Body::Accessors {
            let next = skip_space(self.source, self.at)?;
            if self.source.get(next) == Some(&b'=') {
                self.at = next + 1;
                self.fresh = false;
                return self.push(Frame::Value(definition));
            }
        }
        if body != Body::None {
            self.collector.leave();
        }
        if let Some(definition) = definition {
            if body == Body::Members && self.source.get(self.at) == Some(&b';') {
                self.at += 1;
            }
            self.collector.end(definition, self.at);
        }
        if byte == b'}' {
            self.anew()
        } else {
            self.fresh = false
        }
        Ok(())
    }

    fn semicolon(&mut self) {
        self.at += 1;
        if let Some(&Frame::Value(definition)) = self.open.last() {
            self.open.pop();
            self.collector.leave();
            if let Some(definition) = definition {
                self.collector.end(definition, self.at);
            }
        }
        self.anew();
    }

    /// Directives in a piece of source that was read at once, where so much was open.
    fn passed(&mut self, from: usize, open: usize) -> Result<(), Unsure> {
        let mut at = from;
        while let Some(offset) = memchr::memchr(b'#', &self.source[at..self.at.max(at)]) {
            at += offset;
            if directive_end(self.source, at).is_some() {
                self.directive(at, open)?;
            }
            at += 1;
        }
        Ok(())
    }

    /// A directive. Each branch of a condition must leave open what was open.
    fn directive(&mut self, at: usize, open: usize) -> Result<(), Unsure> {
        let word = lex::directive(self.source, at);
        if word.starts_with(b"if") {
            self.conditions.push(open);
        } else if word.starts_with(b"el") || word.starts_with(b"endif") {
            if self.conditions.last().is_some_and(|before| *before != open) {
                return Err(Unsure("a condition that opens or closes a bracket"));
            }
            if word.starts_with(b"endif") {
                self.conditions.pop();
            }
        }
        Ok(())
    }
}
