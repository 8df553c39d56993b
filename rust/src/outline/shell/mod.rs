//! Shell (sh, bash, ksh, zsh): functions, read-only variables, and variables in capitals that are
//! set at the start of a line.
//!
//! A scanner, not a parser: one pass over the bytes with a stack of what is open, so that quotes,
//! here-documents, substitutions and `case` patterns are not taken for code. What is inside a
//! command substitution is not reported. A function that is never closed ends with the file.

mod define;

use super::preamble::Preamble;
use super::scope::{Path, Place};
use super::{Language, OutlineError, Partial, SYMBOL_LIMIT, Symbol};

/// Most frames that are open at once; what would open more is passed over.
const DEPTH_LIMIT: usize = 1000;
/// How far down the open frames a closing bracket looks for its opening one.
const CLOSE_LIMIT: usize = 64;

/// The scanner.
pub(super) struct Shell;

impl Language for Shell {
    fn name(&self) -> &'static str {
        "shell"
    }

    fn version(&self) -> &'static str {
        "1.2"
    }

    fn outline(
        &self,
        source: &[u8],
        out: &mut Vec<Symbol>,
    ) -> Result<Option<Partial>, OutlineError> {
        Scan::new(source, out).run();
        Ok(None)
    }
}

/// What is open. Braces and brackets may be the body of a function: its place in the output, and
/// whether it is a scope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Brace(Option<(usize, bool)>),
    Bracket(Option<(usize, bool)>),
    /// `a=( ... )`
    Array,
    /// `$( ... )`
    Substitution,
    /// `$(( ... ))`, with the number of brackets open in it.
    Arithmetic(usize),
    /// `" ... "`
    Quote,
    /// `${ ... }`
    Parameter,
    /// `case ... esac`; the flag says that a pattern comes next.
    Case(bool),
}

/// A here-document whose text begins on the next line.
struct Here<'s> {
    mark: &'s [u8],
    /// `<<-`: tabs before the mark do not count.
    tabs: bool,
}

struct Scan<'s, 'o> {
    source: &'s [u8],
    out: &'o mut Vec<Symbol>,
    at: usize,
    /// Line of `at`, from 0.
    line: usize,
    frames: Vec<Frame>,
    /// Substitutions among the frames.
    hidden: usize,
    /// The next word is a command.
    command: bool,
    /// A function whose body comes next: its place in the output.
    pending: Option<usize>,
    heres: Vec<Here<'s>>,
    path: Path,
    /// Comments on lines of their own.
    preamble: Preamble,
}

impl<'s, 'o> Scan<'s, 'o> {
    fn new(source: &'s [u8], out: &'o mut Vec<Symbol>) -> Self {
        Self {
            source,
            out,
            at: 0,
            line: 0,
            frames: Vec::new(),
            hidden: 0,
            command: true,
            pending: None,
            heres: Vec::new(),
            path: Path::default(),
            preamble: Preamble::default(),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn run(mut self) {
        while self.at < self.source.len() && self.out.len() <= SYMBOL_LIMIT {
            match self.frames.last().copied() {
                Some(Frame::Quote) => self.quoted(b'"'),
                Some(Frame::Parameter) => self.quoted(b'}'),
                Some(Frame::Arithmetic(open)) => self.arithmetic(open),
                _ => self.code(),
            }
        }
        // What is still open ends with the file.
        let last = if self.source.ends_with(b"\n") { self.line } else { self.line + 1 };
        while let Some(frame) = self.frames.pop() {
            self.close(frame, last.max(1));
        }
    }

    /// One step over bytes that mean nothing special; line breaks are counted here only.
    fn skip(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.source.len());
        self.line += self.source[self.at..end].iter().filter(|byte| **byte == b'\n').count();
        self.at = end;
    }

    fn push(&mut self, frame: Frame, bytes: usize) {
        self.skip(bytes);
        if self.frames.len() < DEPTH_LIMIT {
            self.hidden += usize::from(frame == Frame::Substitution);
            self.frames.push(frame);
        } else if !matches!(frame, Frame::Substitution) {
            self.close(frame, self.line + 1);
        }
        self.command = frame != Frame::Array;
    }

    /// End what a frame was the body of, at a line counted from 1.
    fn close(&mut self, frame: Frame, line: usize) {
        match frame {
            Frame::Brace(Some((index, scope))) | Frame::Bracket(Some((index, scope))) => {
                if scope {
                    self.path.leave();
                }
                self.out[index].end = u32::try_from(line).unwrap_or(u32::MAX);
            }
            Frame::Substitution => self.hidden -= 1,
            _ => {}
        }
    }

    /// Close frames up to the innermost that `is` wanted; nothing if there is none.
    fn pop_to(&mut self, is: fn(&Frame) -> bool) {
        let found = self.frames.iter().rev().take(CLOSE_LIMIT).position(is);
        if let Some(found) = found {
            let keep = self.frames.len() - found - 1;
            while self.frames.len() > keep {
                if let Some(frame) = self.frames.pop() {
                    self.close(frame, self.line + 1);
                }
            }
        }
    }

    /// Inside `" "` or `${ }`.
    fn quoted(&mut self, end: u8) {
        match (self.peek(0), self.peek(1)) {
            (b'\\', _) => self.skip(2),
            (byte, _) if byte == end => {
                self.frames.pop();
                self.skip(1);
                self.command = false;
            }
            (b'$', b'(') if self.peek(2) == b'(' => self.push(Frame::Arithmetic(2), 3),
            (b'$', b'(') => self.push(Frame::Substitution, 2),
            (b'$', b'{') => self.push(Frame::Parameter, 2),
            (b'"', _) => self.push(Frame::Quote, 1),
            _ => self.skip(1),
        }
    }

    fn arithmetic(&mut self, open: usize) {
        let now = match self.peek(0) {
            b'(' => open + 1,
            b')' => open - 1,
            _ => open,
        };
        self.skip(1);
        self.frames.pop();
        self.command = false;
        if now > 0 {
            self.frames.push(Frame::Arithmetic(now));
        }
    }

    fn code(&mut self) {
        let word_start = self.at == 0
            || matches!(
                self.source[self.at - 1],
                b' ' | b'\t' | b'\n' | b';' | b'(' | b')' | b'&' | b'|'
            );
        match (self.peek(0), self.peek(1)) {
            (b'\n', _) => self.newline(),
            (b' ' | b'\t' | b'\r', _) => self.skip(1),
            (b'\\', _) => {
                // A continued line is the same command.
                let continued = self.peek(1) == b'\n';
                self.skip(2);
                self.command &= continued;
            }
            (b'#', _) if word_start => self.comment(),
            (b'\'', _) => self.until(b'\'', false),
            (b'`', _) => self.until(b'`', true),
            (b'"', _) => self.push(Frame::Quote, 1),
            (b'$', b'\'') => {
                self.skip(1);
                self.until(b'\'', true);
            }
            (b'$', b'(') if self.peek(2) == b'(' => self.push(Frame::Arithmetic(2), 3),
            (b'(', b'(') if self.command => self.push(Frame::Arithmetic(2), 2),
            (b'$' | b'<' | b'>', b'(') => self.push(Frame::Substitution, 2),
            (b'$', b'{') => self.push(Frame::Parameter, 2),
            (b'<', b'<') => self.here(),
            (b';', b';' | b'&') => {
                self.skip(2);
                self.command = true;
                if let Some(Frame::Case(pattern)) = self.frames.last_mut() {
                    *pattern = true;
                }
            }
            (b';' | b'&' | b'|', _) => {
                self.skip(1);
                self.command = true;
            }
            (b'(', _) => self.open_bracket(),
            (b')', _) => self.close_bracket(),
            (b'<' | b'>' | b'$', _) => {
                self.skip(1);
                self.command = false;
            }
            _ => self.word(),
        }
    }

    fn newline(&mut self) {
        self.skip(1);
        self.command = !matches!(self.frames.last(), Some(Frame::Array));
        for here in std::mem::take(&mut self.heres) {
            while self.at < self.source.len() {
                let rest = &self.source[self.at..];
                let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let mut text = &rest[..length];
                if here.tabs {
                    let tabs = text.iter().take_while(|byte| **byte == b'\t').count();
                    text = &text[tabs..];
                }
                let end = text.strip_suffix(b"\r").unwrap_or(text) == here.mark;
                self.skip(length + 1);
                if end {
                    break;
                }
            }
        }
    }

    fn comment(&mut self) {
        let rest = &self.source[self.at..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let before = self.source[..self.at].iter().rev().take_while(|byte| **byte != b'\n');
        if before.take(200).all(|byte| matches!(byte, b' ' | b'\t')) {
            self.preamble.comment((self.at, self.at + length), (self.line, self.line));
        }
        self.skip(length);
    }

    /// Past a quotation that has no structure inside.
    fn until(&mut self, end: u8, escapes: bool) {
        self.skip(1);
        while self.at < self.source.len() {
            let byte = self.peek(0);
            self.skip(if escapes && byte == b'\\' { 2 } else { 1 });
            if byte == end {
                break;
            }
        }
        self.command = false;
    }

    /// `<<WORD`, `<<-'WORD'`, `<<<`.
    fn here(&mut self) {
        if self.peek(2) == b'<' {
            self.skip(3);
            self.command = false;
            return;
        }
        self.skip(2);
        let tabs = self.peek(0) == b'-';
        self.skip(usize::from(tabs));
        while matches!(self.peek(0), b' ' | b'\t') {
            self.skip(1);
        }
        let quote = self.peek(0);
        let quoted = matches!(quote, b'\'' | b'"');
        self.skip(usize::from(quoted || quote == b'\\'));
        let rest = &self.source[self.at..];
        let plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.!%+@".contains(byte) || *byte >= 0x80;
        let length = if quoted {
            rest.iter().take(200).position(|byte| *byte == quote || *byte == b'\n')
        } else {
            rest.iter().take(200).position(|byte| !plain(byte))
        };
        let mark = &rest[..length.unwrap_or(rest.len().min(200))];
        self.skip(mark.len() + usize::from(quoted));
        // `<<` before a number is a shift in arithmetic that we did not recognise.
        if !mark.is_empty() && !mark[0].is_ascii_digit() {
            self.heres.push(Here { mark, tabs });
        }
        self.command = false;
    }

    fn open_bracket(&mut self) {
        if let Some(Frame::Case(true)) = self.frames.last() {
            self.skip(1);
        } else if self.at > 0 && self.source[self.at - 1] == b'=' {
            self.push(Frame::Array, 1);
        } else {
            let body = self.body();
            self.push(Frame::Bracket(body), 1);
        }
    }

    fn close_bracket(&mut self) {
        if let Some(Frame::Case(pattern @ true)) = self.frames.last_mut() {
            *pattern = false;
            self.skip(1);
            self.command = true;
            return;
        }
        self.pop_to(|frame| {
            matches!(frame, Frame::Bracket(_) | Frame::Array | Frame::Substitution)
        });
        self.skip(1);
        // `$(a)` may be part of a word, `(a)` ends a command; neither is followed by a command.
        self.command = false;
    }

    /// The pending function begins here: enter its scope.
    fn body(&mut self) -> Option<(usize, bool)> {
        let index = self.pending.take()?;
        let scope = self.path.enter(Some(&self.out[index].name), Place::Function);
        Some((index, scope))
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = &self.source[start..];
        let special = |byte: &u8| b" \t\r\n;&|()<>\"'`$\\".contains(byte);
        let length = rest.iter().position(special).unwrap_or(rest.len()).max(1);
        let word = &rest[..length];
        let command = std::mem::replace(&mut self.command, false);
        if let Some(Frame::Case(pattern)) = self.frames.last_mut() {
            if word == b"in" && !*pattern && !command {
                *pattern = true;
                self.skip(length);
                return;
            }
            if word == b"esac" && (*pattern || command) {
                self.frames.pop();
                self.skip(length);
                return;
            }
            if *pattern {
                self.skip(length);
                return;
            }
        }
        if !command {
            self.skip(length);
            return;
        }
        self.skip(length);
        match word {
            b"{" => {
                let body = self.body();
                self.push(Frame::Brace(body), 0);
            }
            b"}" => self.pop_to(|frame| matches!(frame, Frame::Brace(_))),
            b"if" | b"then" | b"else" | b"elif" | b"do" | b"while" | b"until" | b"!" | b"time" => {
                self.command = true;
            }
            b"case" => {
                self.push(Frame::Case(false), 0);
                self.command = false;
            }
            b"function" => self.function(start),
            b"readonly" => self.constants(start, true),
            b"declare" | b"typeset" => self.constants(start, false),
            b"export" => self.variable(start, self.at),
            _ if self.brackets() > 0 && define::is_name(word) => {
                self.skip(self.brackets());
                self.define(start, word);
            }
            _ => self.variable(start, start),
        }
        if self.command && self.pending.is_none() {
            return;
        }
        self.command |= self.pending.is_some();
    }
}
