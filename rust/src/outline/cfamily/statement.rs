//! Collecting the tokens of one statement, and the stack of scopes that are read as statements
//! too: namespaces, `extern "C"`, classes and structs.
//!
//! A statement ends at a `;`, `{` or `}` outside of brackets. The values of initialisers and
//! template parameters are passed over without being stored.

use super::block::BlockKind;
use super::declare::Opened;
use super::lex::{self, Kind, Token};
use super::words::{has_part, is_upper};
use super::{Dialect, Scanner};
use crate::outline::SYMBOL_LIMIT;

/// Tokens of one statement that are kept; what follows is only counted.
const MAX_TOKENS: usize = 1_024;
/// Scopes deeper than this are skipped as blocks.
const MAX_FRAMES: usize = 64;

/// An open scope.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Its dotted name, empty if it has none.
    pub name: String,
    /// Its symbol, whose last line is set when the scope closes.
    pub symbol: Option<usize>,
    /// For a struct, union or class: what its declaration has to know after the `}`.
    pub aggregate: Option<Aggregate>,
}

/// A type with a body whose declaration goes on after the body: `typedef struct { … } name;`
#[derive(Debug, Clone, Copy)]
pub(super) struct Aggregate {
    /// The declaration began with `typedef`.
    pub typedef: bool,
    /// Offset of its first token.
    pub start: usize,
    /// Offset of its `{`.
    pub brace: usize,
    /// The comment above.
    pub doc: Option<(usize, usize)>,
}

/// The part of a statement that a condition restores besides its tokens.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// Brackets that are open but not stored.
    unstored: u32,
    /// After `=`: the value is passed over.
    value: bool,
    /// The first token of the value is stored.
    value_stored: bool,
    /// The value was a list, and its `}` is the last thing that was read.
    value_closed: bool,
    /// After the `:` of a constructor's initialisers.
    initialisers: bool,
    /// A `:` was seen.
    colon: bool,
    /// The last token was `template`.
    template: bool,
    /// Open `<` of template parameters.
    angles: u32,
}

/// A statement at an `#if`.
#[derive(Debug)]
pub(super) struct Snapshot {
    serial: u32,
    tokens: usize,
    state: State,
}

/// The statement being collected.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Offset of its first token.
    pub start: usize,
    /// The comment above it.
    pub doc: Option<(usize, usize)>,
    /// The type whose body it follows.
    pub aggregate: Option<Aggregate>,
    /// The head of a K&R function: declarations of parameters follow.
    pub old_style: bool,
    /// Indices of the stored brackets that are open.
    opens: Vec<u32>,
    state: State,
    /// Counts statements.
    serial: u32,
}

impl Statement {
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.aggregate.is_none()
    }

    /// Forgets the statement; the next token starts another one.
    pub fn clear(&mut self) {
        self.tokens.clear();
        self.opens.clear();
        self.doc = None;
        self.aggregate = None;
        self.old_style = false;
        self.state = State::default();
        self.serial = self.serial.wrapping_add(1);
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot { serial: self.serial, tokens: self.tokens.len(), state: self.state }
    }

    /// Returns to a snapshot. A statement that began after it is forgotten.
    pub fn restore(&mut self, to: &Snapshot) {
        if self.serial != to.serial {
            self.clear();
        } else if to.tokens < self.tokens.len() {
            self.tokens.truncate(to.tokens);
            self.opens.clear();
            for index in 0..self.tokens.len() {
                let token = &mut self.tokens[index];
                match token.kind {
                    Kind::Punct(b'(' | b'[') => {
                        if token.jump as usize >= to.tokens {
                            token.jump = 0;
                        }
                        self.opens.push(index as u32);
                    }
                    Kind::Punct(b')' | b']') => {
                        self.opens.pop();
                    }
                    _ => {}
                }
            }
            self.state = to.state;
        } else {
            self.state = to.state;
        }
    }

    fn is_nested(&self) -> bool {
        !self.opens.is_empty() || self.state.unstored > 0
    }

    /// Closes all brackets: what stands before the innermost open one is forgotten.
    fn unnest(&mut self) {
        if let Some(&open) = self.opens.last() {
            let forgotten = open + 1;
            self.tokens.drain(..forgotten as usize);
            for token in &mut self.tokens {
                token.jump = token.jump.saturating_sub(forgotten);
            }
            if let Some(first) = self.tokens.first() {
                self.start = first.start as usize;
                self.doc = None;
            }
        }
        self.opens.clear();
        self.state.unstored = 0;
        self.state.angles = 0;
    }

    /// Are tokens stored here, or only counted?
    fn stores(&mut self) -> bool {
        if self.state.angles > 0 || self.tokens.len() >= MAX_TOKENS {
            return false;
        }
        if self.state.value {
            return !std::mem::replace(&mut self.state.value_stored, true);
        }
        true
    }
}

impl<'s> Scanner<'s, '_> {
    /// Reads the whole source.
    pub(super) fn run(&mut self) {
        let source = self.source;
        while let Some(&byte) = source.get(self.pos)
            && self.out.len() <= SYMBOL_LIMIT
        {
            self.steps += 1;
            let start = self.pos;
            if lex::is_blank(byte) {
                self.pos += 1;
            } else if lex::starts_word(byte) {
                self.pos = lex::word_end(source, start);
                self.word(start);
            } else if byte.is_ascii_digit() {
                self.pos = lex::number_end(source, start);
                self.push(Kind::Literal, start);
            } else {
                self.other(byte, start);
            }
        }
        let end = source.len();
        let line = self.line_at(end.saturating_sub(1));
        for frame in self.frames.drain(..) {
            if let Some(symbol) = frame.symbol {
                self.out[symbol].end = line;
            }
        }
    }

    /// Stores the token from `start` to the current position, if it counts.
    fn push(&mut self, kind: Kind, start: usize) {
        self.statement.state.template = false;
        self.statement.state.value_closed = false;
        if self.statement.tokens.is_empty() {
            self.statement.start = start;
            self.statement.doc = self.doc_for(start);
        }
        if self.statement.stores() {
            let token = Token { kind, start: start as u32, end: self.pos as u32, jump: 0 };
            self.statement.tokens.push(token);
        }
    }

    fn word(&mut self, start: usize) {
        if self.follows_list(start) || self.follows_macro_line(start) {
            self.end_of_statement();
            self.statement.clear();
        }
        self.push(Kind::Word, start);
        if self.dialect == Dialect::Cpp && &self.source[start..self.pos] == b"template" {
            self.statement.state.template = true;
        }
    }

    /// Did the statement so far end with the `}` of its value? `ITEM(x) = { … } ITEM_END(x)` has its
    /// semicolon in the macro; without this, all bodies up to the next one would be taken for values.
    fn follows_list(&self, start: usize) -> bool {
        self.statement.state.value_closed
            && !self.statement.is_nested()
            && (is_upper(&self.source[start..self.pos]) || lex::is_column_zero(self.source, start))
    }

    /// Was the statement so far a macro call that needs no semicolon? `MACRO(x)` is one when the
    /// next line starts another declaration in the first column.
    fn follows_macro_line(&self, start: usize) -> bool {
        let tokens = &self.statement.tokens;
        let Some(name) = tokens.first() else { return false };
        let Some(open) = tokens.get(1) else {
            // NAMESPACE_BEGIN, alone on its line.
            let word = self.text_of(name);
            let between = &self.source[name.end as usize..start];
            return is_upper(word)
                && (has_part(word, b"BEGIN") || has_part(word, b"END"))
                && memchr::memchr(b'\n', between).is_some();
        };
        let is_call = name.kind == Kind::Word
            && open.kind == Kind::Punct(b'(')
            && open.jump as usize == tokens.len() - 1
            && lex::is_column_zero(self.source, start);
        let next = &self.source[start..self.pos];
        let next_is_call = is_upper(next) && self.source.get(self.pos) == Some(&b'(');
        is_call
            && (is_upper(self.text_of(name))
                || next_is_call
                || (matches!(next, b"static" | b"extern" | b"typedef" | b"enum" | b"inline")
                    && !self.text_of(name).starts_with(b"__")))
    }

    /// A byte that starts neither a word nor a number.
    fn other(&mut self, byte: u8, start: usize) {
        let source = self.source;
        if let Some(end) = lex::comment_end(source, start) {
            self.remember_comment(start, end);
            self.pos = end;
            return;
        }
        let next = source.get(start + 1).copied();
        match byte {
            b'#' if lex::is_first_on_line(source, start) => self.directive(),
            b'"' | b'\'' => {
                let raw = self.dialect == Dialect::Cpp && lex::is_raw_string(source, start);
                self.pos = match raw && byte == b'"' {
                    true => lex::raw_string_end(source, start),
                    false => lex::quoted_end(source, start),
                };
                self.push(Kind::Literal, start);
            }
            b':' if next == Some(b':') => {
                self.pos += 2;
                self.push(Kind::Scope, start);
            }
            b'-' if next == Some(b'>') => {
                self.pos += 2;
                self.push(Kind::Arrow, start);
            }
            b'=' | b'<' | b'>' | b'!' if next == Some(b'=') => {
                self.pos += 2;
                self.push(Kind::Punct(byte), start);
            }
            b'{' => {
                self.pos += 1;
                self.open_brace(start);
            }
            b'}' => {
                self.pos += 1;
                self.close_brace(start);
            }
            _ => {
                self.pos += 1;
                self.punct(byte, start);
            }
        }
    }

    /// Keeps the place of a comment; line comments on adjacent lines are one.
    fn remember_comment(&mut self, start: usize, end: usize) {
        let source = self.source;
        let (from, to) = self.comment;
        if source[start + 1] == b'/' && from < to && source[from + 1] == b'/' && to < start {
            let between = &source[to..start];
            let adjacent = between.iter().all(|&byte| matches!(byte, b' ' | b'\t' | b'\n'))
                && memchr::memchr_iter(b'\n', between).count() == 1;
            self.steps += between.len() as u64;
            if adjacent && lex::is_first_on_line(source, from) {
                self.comment = (from, end);
                return;
            }
        }
        self.comment = (start, end);
    }

    fn punct(&mut self, byte: u8, start: usize) {
        match byte {
            b'(' | b'[' => {
                let before = self.statement.tokens.len();
                self.push(Kind::Punct(byte), start);
                if self.statement.tokens.len() > before {
                    self.statement.opens.push(before as u32);
                } else {
                    self.statement.state.unstored += 1;
                }
            }
            b')' | b']' => self.close_bracket(byte, start),
            b';' => {
                if !self.statement.is_nested() {
                    self.end_of_statement();
                }
            }
            b'<' if self.statement.state.template && self.statement.state.angles == 0 => {
                self.statement.state.template = false;
                self.statement.state.angles = 1;
            }
            b'<' | b'>' if self.statement.state.angles > 0 => {
                let compares = byte == b'<' && lex::is_less_than(self.source, start);
                if self.statement.state.unstored == 0 && !compares {
                    let angles = &mut self.statement.state.angles;
                    *angles = if byte == b'<' { angles.saturating_add(1) } else { *angles - 1 };
                }
            }
            _ if self.statement.is_nested() || self.statement.state.angles > 0 => {
                self.push(Kind::Punct(byte), start);
            }
            b'=' => self.equals(start),
            b':' => self.colon(start),
            b',' => {
                // The next declarator.
                self.statement.state.value = false;
                self.push(Kind::Punct(byte), start);
            }
            _ => self.push(Kind::Punct(byte), start),
        }
    }

    fn close_bracket(&mut self, byte: u8, start: usize) {
        let statement = &mut self.statement;
        if statement.state.unstored > 0 {
            statement.state.unstored -= 1;
        } else if let Some(open) = statement.opens.pop() {
            statement.tokens[open as usize].jump = statement.tokens.len() as u32;
            let (start, end) = (start as u32, self.pos as u32);
            statement.tokens.push(Token { kind: Kind::Punct(byte), start, end, jump: 0 });
        }
    }

    fn equals(&mut self, start: usize) {
        let assigns = match self.statement.tokens.last() {
            None => false,
            Some(token) => match token.kind {
                Kind::Word => self.text_of(token) != b"operator" || !self.is_cpp(),
                Kind::Punct(byte) => {
                    token.end as usize != start
                        || !matches!(
                            byte,
                            b'<' | b'!' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^'
                        )
                }
                _ => true,
            },
        };
        self.push(Kind::Punct(b'='), start);
        if assigns {
            self.statement.state.value = true;
            self.statement.state.value_stored = false;
        }
    }

    fn colon(&mut self, start: usize) {
        if self.is_cpp() && !self.statement.state.value {
            if self.is_access_label() {
                self.statement.clear();
                return;
            }
            if !self.statement.state.colon {
                self.statement.state.colon = true;
                self.statement.state.initialisers = self.follows_parameters();
            }
        }
        self.push(Kind::Punct(b':'), start);
    }

    /// `public:`, `public slots:` and their like, inside a class.
    fn is_access_label(&self) -> bool {
        let tokens = &self.statement.tokens;
        let in_class = self.frames.last().is_some_and(|frame| frame.aggregate.is_some());
        in_class
            && (1..=2).contains(&tokens.len())
            && tokens.iter().all(|token| token.kind == Kind::Word)
            && matches!(
                self.text_of(&tokens[0]),
                b"public" | b"private" | b"protected" | b"signals" | b"Q_SIGNALS" | b"slots"
            )
    }

    /// Does the statement so far end like the head of a constructor, not of a class or bit field?
    fn follows_parameters(&self) -> bool {
        let tokens = &self.statement.tokens;
        let mut has_group = false;
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            match token.kind {
                Kind::Punct(b'(') => has_group = true,
                Kind::Word
                    if matches!(self.text_of(token), b"class" | b"struct" | b"union" | b"enum") =>
                {
                    return false;
                }
                _ => {}
            }
            index = (token.jump as usize).max(index) + 1;
        }
        has_group
    }

    /// The source of a token.
    pub(super) fn text_of(&self, token: &Token) -> &'s [u8] {
        &self.source[token.start as usize..token.end as usize]
    }

    fn end_of_statement(&mut self) {
        if !self.statement.tokens.is_empty() && self.declare_statement() {
            // The head of a K&R function: the declarations of its parameters belong to it.
            self.statement.old_style = true;
            self.statement.state = State::default();
        } else {
            self.statement.clear();
        }
    }

    fn open_brace(&mut self, brace: usize) {
        if self.statement.is_nested() {
            if self.statement.state.value || !lex::is_column_zero(self.source, brace) {
                self.skip_block(BlockKind::List, false);
                return;
            }
            self.statement.unnest(); // unbalanced brackets end where a body starts
        }
        self.statement.state.angles = 0;
        let start = self.declaration_start();
        let column_zero = lex::is_column_zero(self.source, start);
        if self.statement.state.value {
            self.skip_block(BlockKind::List, column_zero);
            self.statement.state.value_closed = true;
            return;
        }
        if self.is_part_of_head() {
            self.skip_block(BlockKind::List, false);
            let end = self.pos - usize::from(self.pos > 0);
            self.push(Kind::Punct(b'}'), end);
            return;
        }
        match self.declare_block(brace) {
            Opened::Scope(frame) if self.frames.len() < MAX_FRAMES => {
                self.frames.push(frame);
                self.statement.clear();
            }
            Opened::Scope(frame) => {
                self.skip_block(BlockKind::Body, false);
                self.close_frame(frame);
            }
            Opened::List(frame) => {
                self.skip_block(BlockKind::List, column_zero);
                self.close_frame(frame);
            }
            Opened::Body(symbol) => {
                self.skip_block(BlockKind::Body, column_zero);
                if let Some(symbol) = symbol {
                    self.out[symbol].end = self.line_at(self.pos.saturating_sub(1));
                }
                self.statement.clear();
            }
        }
    }

    /// Where the declaration being collected began.
    pub(super) fn declaration_start(&self) -> usize {
        match self.statement.aggregate {
            Some(aggregate) => aggregate.start,
            None if self.statement.tokens.is_empty() => self.pos.saturating_sub(1),
            None => self.statement.start,
        }
    }

    /// Does this `{` belong to the head of a function: a member's `name{value}`, or the body of
    /// a `requires` expression?
    fn is_part_of_head(&self) -> bool {
        if !self.is_cpp() {
            return false;
        }
        let tokens = &self.statement.tokens;
        let Some(last) = tokens.last() else { return false };
        if self.statement.state.initialisers
            && (matches!(last.kind, Kind::Punct(b'>'))
                || (last.kind == Kind::Word && self.text_of(last) != b"try"))
        {
            return true;
        }
        // The first `requires` of a head is a clause, and what it is followed by a condition; one
        // inside the condition opens an expression with a body.
        let opens_expression = |at: usize| {
            at > 0
                && tokens.get(at).is_some_and(|token| self.text_of(token) == b"requires")
                && (matches!(tokens[at - 1].kind, Kind::Punct(b'&' | b'|' | b'!'))
                    || self.text_of(&tokens[at - 1]) == b"requires")
        };
        match last.kind {
            Kind::Word => opens_expression(tokens.len() - 1),
            Kind::Punct(b')') => {
                let open = tokens.iter().rposition(|token| token.jump as usize == tokens.len() - 1);
                open.is_some_and(|open| open > 0 && opens_expression(open - 1))
            }
            _ => false,
        }
    }

    fn close_brace(&mut self, brace: usize) {
        self.statement.clear();
        // A `}` in the first column closes the declaration that began there, and what is in it.
        if lex::is_column_zero(self.source, brace) {
            let open = self.frames.iter().rposition(|frame| match &frame.aggregate {
                Some(aggregate) => lex::is_column_zero(self.source, aggregate.start),
                None => true,
            });
            if let Some(open) = open
                && self.frames[open].aggregate.is_some()
            {
                while self.frames.len() > open + 1 {
                    if let Some(frame) = self.frames.pop() {
                        self.close_frame(frame);
                    }
                }
            }
        }
        if let Some(frame) = self.frames.pop() {
            self.close_frame(frame);
        }
    }

    /// A scope ended before the current position: its declaration may go on.
    fn close_frame(&mut self, frame: Frame) {
        if let Some(symbol) = frame.symbol {
            self.out[symbol].end = self.line_at(self.pos.saturating_sub(1));
        }
        self.statement.clear();
        self.statement.aggregate = frame.aggregate;
    }

    /// In C a function cannot stand inside a struct: one in the first column shows that a `}` was
    /// lost. Closes the open structs.
    pub(super) fn leave_aggregates(&mut self) {
        while self.frames.last().is_some_and(|frame| frame.aggregate.is_some()) {
            if let Some(frame) = self.frames.pop()
                && let Some(symbol) = frame.symbol
            {
                let line = self.line_at(self.statement.start);
                let symbol = &mut self.out[symbol];
                symbol.end = (line - 1).max(symbol.start);
            }
        }
    }
}
