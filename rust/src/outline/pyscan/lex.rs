//! The characters of Python: strings, brackets, comments and where a logical line ends.
//!
//! Nothing here knows what a statement means. A call passes over what it names and leaves the scanner behind it;
//! line breaks are counted by whoever passes over them.

use memchr::{memchr, memchr_iter, memchr2, memchr3};

use super::{Scan, Unsure};

/// Most brackets that are open at once; Python itself allows 200.
const BRACKETS_LIMIT: usize = 1000;
/// Most f-strings that are open inside one another; Python itself allows 150.
const NESTED_LIMIT: usize = 40;

/// A sign at the top of a statement, outside of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `=`, and nothing like `==` or `+=`.
    Equals,
    /// `:` of an annotation.
    Colon,
    Comma,
    /// A bracket, and where the one that closes it stands.
    Group(usize),
    /// `+=` and its like: this is no definition.
    Augmented,
}

/// Why a part of a statement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// At the `:` that ends the head of a block.
    Colon,
    /// At a `;`.
    Semicolon,
    /// At the end of the line, or of the file.
    Line,
}

// What a byte may be. Those above `PLAIN` stop the loop.
const PLAIN: u8 = 0;
const QUOTE: u8 = 1;
const OPEN: u8 = 2;
const CLOSE: u8 = 3;
const HASH: u8 = 4;
const NEWLINE: u8 = 5;
const BACKSLASH: u8 = 6;
const RETURN: u8 = 7;
const STRANGE: u8 = 8;
/// But for `;` of interest only where definitions of values count.
const SIGN: u8 = 9;

const fn table(signs: bool) -> [u8; 256] {
    let mut table = [PLAIN; 256];
    table[b'"' as usize] = QUOTE;
    table[b'\'' as usize] = QUOTE;
    table[b'(' as usize] = OPEN;
    table[b'[' as usize] = OPEN;
    table[b'{' as usize] = OPEN;
    table[b')' as usize] = CLOSE;
    table[b']' as usize] = CLOSE;
    table[b'}' as usize] = CLOSE;
    table[b'#' as usize] = HASH;
    table[b'\n' as usize] = NEWLINE;
    table[b'\\' as usize] = BACKSLASH;
    table[b'\r' as usize] = RETURN;
    table[b'`' as usize] = STRANGE;
    table[b'?' as usize] = STRANGE;
    table[b'$' as usize] = STRANGE;
    table[0] = STRANGE;
    table[b';' as usize] = SIGN;
    if signs {
        table[b':' as usize] = SIGN;
        table[b'=' as usize] = SIGN;
        table[b',' as usize] = SIGN;
        table[b'l' as usize] = SIGN;
    }
    table
}

static ALL: [u8; 256] = table(true);
static FEW: [u8; 256] = table(false);

/// A byte of a name, or of a number.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl Scan<'_, '_> {
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Spaces, tabs and joined lines.
    pub(super) fn blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\x0c' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.join(2),
                b'\\' if self.peek(1) == b'\r' && self.peek(2) == b'\n' => self.join(3),
                _ => return,
            }
        }
    }

    fn join(&mut self, bytes: usize) {
        self.at += bytes;
        self.row += 1;
    }

    /// The name that begins here; empty if there is none.
    pub(super) fn word(&self) -> &[u8] {
        let rest = &self.source[self.at..];
        let length = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
        &rest[..length]
    }

    /// Up to the end of the line, wherever that is: nothing on it defines anything.
    pub(super) fn skip_line(&mut self) -> Result<(), Unsure> {
        while self.skip_part()? != Stop::Line {}
        Ok(())
    }

    /// Up to the end of a statement that defines nothing.
    pub(super) fn skip_part(&mut self) -> Result<Stop, Unsure> {
        self.pass(&FEW, false)
    }

    /// Up to the end of a simple statement, or of the head of a block (`head`), with the signs at its top.
    pub(super) fn part(&mut self, head: bool) -> Result<Stop, Unsure> {
        self.signs.clear();
        self.gaps.clear();
        self.pass(&ALL, head)
    }

    /// The one loop over code. `table` says which bytes are of interest.
    fn pass(&mut self, table: &[u8; 256], head: bool) -> Result<Stop, Unsure> {
        let source = self.source;
        let tracks = table[usize::from(b':')] == SIGN;
        self.brackets.clear();
        let mut lambdas = 0_u32;
        let mut group = 0;
        loop {
            let rest = &source[self.at..];
            let plain = rest.iter().position(|byte| table[usize::from(*byte)] != PLAIN);
            let Some(plain) = plain else {
                self.at = source.len();
                self.ended(self.at);
                return self.closed(Stop::Line);
            };
            self.at += plain;
            let byte = source[self.at];
            match table[usize::from(byte)] {
                QUOTE => self.quoted()?,
                OPEN => {
                    if self.brackets.len() >= BRACKETS_LIMIT {
                        return Err(Unsure("brackets are nested too deeply"));
                    }
                    if tracks && self.brackets.is_empty() {
                        group = self.signs.len();
                        self.signs.push((self.at, Sign::Group(0)));
                    }
                    self.brackets.push(match byte {
                        b'(' => b')',
                        b'[' => b']',
                        _ => b'}',
                    });
                    self.at += 1;
                }
                CLOSE => {
                    if self.brackets.pop() != Some(byte) {
                        return Err(Unsure("brackets do not match"));
                    }
                    if tracks && self.brackets.is_empty() {
                        self.signs[group].1 = Sign::Group(self.at);
                    }
                    self.at += 1;
                }
                HASH => {
                    if self.brackets.is_empty() {
                        self.ended(self.at);
                    }
                    let end = memchr(b'\n', &source[self.at..]);
                    let end = end.map_or(source.len(), |length| self.at + length);
                    if tracks {
                        self.gaps.push((self.at, end));
                    }
                    self.at = end;
                    if self.brackets.is_empty() {
                        self.newline();
                        return Ok(Stop::Line);
                    }
                }
                NEWLINE => {
                    if self.brackets.is_empty() {
                        self.ended(self.at);
                        self.newline();
                        return Ok(Stop::Line);
                    }
                    self.newline();
                }
                BACKSLASH => match (self.peek(1), self.peek(2)) {
                    (b'\n', _) => self.join(2),
                    (b'\r', b'\n') => self.join(3),
                    _ => return Err(Unsure("a backslash that joins no lines")),
                },
                RETURN if self.peek(1) == b'\n' => self.at += 1,
                RETURN => return Err(Unsure("a carriage return that ends no line")),
                SIGN if !self.brackets.is_empty() => self.at += 1,
                SIGN => match byte {
                    b';' => {
                        self.ended(self.at);
                        self.at += 1;
                        return Ok(Stop::Semicolon);
                    }
                    b':' if self.peek(1) == b'=' => self.at += 2,
                    b':' if lambdas > 0 => {
                        lambdas -= 1;
                        self.at += 1;
                    }
                    b':' if head => {
                        self.at += 1;
                        return Ok(Stop::Colon);
                    }
                    b'l' => {
                        let begins = self.at == 0 || !is_word(source[self.at - 1]);
                        let length = if begins { self.word().len() } else { 1 };
                        lambdas += u32::from(&source[self.at..self.at + length] == b"lambda");
                        self.at += length;
                    }
                    _ => {
                        if lambdas == 0 {
                            let sign = self.sign(byte);
                            self.signs.extend(sign.map(|sign| (self.at, sign)));
                        }
                        self.at += 1 + usize::from(byte == b'=' && self.peek(1) == b'=');
                    }
                },
                _ => return Err(Unsure("a character that Python does not know")),
            }
        }
    }

    fn sign(&self, byte: u8) -> Option<Sign> {
        match byte {
            b':' => Some(Sign::Colon),
            b',' => Some(Sign::Comma),
            _ => match (self.source[..self.at].last(), self.peek(1)) {
                (Some(b'=' | b'!' | b'<' | b'>'), _) | (_, b'=') => {
                    let shift =
                        self.at >= 2 && matches!(&self.source[self.at - 2..self.at], b"<<" | b">>");
                    shift.then_some(Sign::Augmented)
                }
                (Some(b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'@'), _) => {
                    Some(Sign::Augmented)
                }
                _ => Some(Sign::Equals),
            },
        }
    }

    /// At the end of a line, or of the file.
    pub(super) fn newline(&mut self) {
        if self.at < self.source.len() {
            self.at += 1;
            self.row += 1;
        }
    }

    /// The statement ends at the last byte before `end` that is no blank.
    fn ended(&mut self, end: usize) {
        let blank = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\x0c' | b'\r');
        self.end = self.source[..end].iter().rposition(blank).map_or(0, |at| at + 1);
        self.end_row = self.row;
    }

    fn closed(&self, stop: Stop) -> Result<Stop, Unsure> {
        let open = !self.brackets.is_empty();
        if open { Err(Unsure("a bracket is not closed")) } else { Ok(stop) }
    }

    /// Length of the quotes and of the letters before them, if a string begins here.
    pub(super) fn string_prefix(&self) -> Option<usize> {
        (0..3)
            .find(|ahead| !is_letter(self.peek(*ahead)) || *ahead == 2)
            .filter(|ahead| matches!(self.peek(*ahead), b'"' | b'\''))
    }

    /// A string, at its first quote; the letters before it are looked at again.
    pub(super) fn quoted(&mut self) -> Result<(), Unsure> {
        let before = &self.source[..self.at];
        let letters = before.iter().rev().take(3).take_while(|byte| is_letter(**byte)).count();
        let (rest, prefix) = before.split_at(before.len() - letters);
        let alone = rest.last().is_none_or(|byte| !is_word(*byte));
        let prefix = if alone && letters <= 2 { prefix } else { &[] };
        let has = |letter: u8| prefix.iter().any(|byte| byte.to_ascii_lowercase() == letter);
        if has(b'f') || has(b't') {
            return self.formatted(has(b'r'), 0);
        }
        let quote = self.peek(0);
        if self.peek(1) == quote && self.peek(2) == quote {
            return self.triple(quote);
        }
        self.at += 1;
        loop {
            let found = memchr3(quote, b'\\', b'\n', &self.source[self.at..]);
            let Some(length) = found else { return Err(Unsure("a string does not end")) };
            self.at += length;
            match self.peek(0) {
                b'\\' => self.escape(),
                b'\n' => return Err(Unsure("a string does not end on its line")),
                _ => {
                    self.at += 1;
                    return Ok(());
                }
            }
        }
    }

    /// A backslash in a string, and what it is for.
    fn escape(&mut self) {
        match (self.peek(1), self.peek(2)) {
            (b'\n', _) => self.join(2),
            (b'\r', b'\n') => self.join(3),
            _ => self.at = (self.at + 2).min(self.source.len()),
        }
    }

    fn triple(&mut self, quote: u8) -> Result<(), Unsure> {
        let start = self.at;
        let mut at = start + 3;
        loop {
            let found = memchr2(quote, b'\\', self.source.get(at..).unwrap_or_default());
            let Some(length) = found else { return Err(Unsure("a string does not end")) };
            at += length;
            match &self.source[at..] {
                [b'\\', ..] => at += 2,
                [_, two, three, ..] if *two == quote && *three == quote => break,
                _ => at += 1,
            }
        }
        self.at = at + 3;
        self.row += memchr_iter(b'\n', &self.source[start..at]).count();
        Ok(())
    }

    /// A string with expressions in it, at its first quote. Quotes inside the expressions are their own.
    fn formatted(&mut self, raw: bool, depth: usize) -> Result<(), Unsure> {
        if depth > NESTED_LIMIT {
            return Err(Unsure("strings are nested too deeply"));
        }
        let quote = self.peek(0);
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.at += if triple { 3 } else { 1 };
        // Expressions that are open, each in the format of the one before.
        let mut open = 0_usize;
        while self.at < self.source.len() {
            let byte = self.peek(0);
            match byte {
                b'\\' if matches!(self.peek(1), b'{' | b'}') => self.at += 1,
                b'\\' if !raw && self.peek(1) == b'N' && self.peek(2) == b'{' => {
                    let end = memchr2(b'}', b'\n', &self.source[self.at..]);
                    self.at += end.unwrap_or(2);
                }
                b'\\' => self.escape(),
                b'\n' if !triple => return Err(Unsure("a string does not end on its line")),
                b'\n' => self.newline(),
                b'{' if open == 0 && self.peek(1) == b'{' => self.at += 2,
                b'{' => {
                    self.at += 1;
                    open += usize::from(self.expression(depth)?);
                }
                b'}' if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                _ if byte == quote
                    && (!triple || self.peek(1) == quote && self.peek(2) == quote) =>
                {
                    self.at += if triple { 3 } else { 1 };
                    let whole = open == 0;
                    return if whole { Ok(()) } else { Err(Unsure("a string ends in a format")) };
                }
                _ => self.at += 1,
            }
        }
        Err(Unsure("a string does not end"))
    }

    /// An expression in a string, after its `{`; true if a format follows, behind a `:`.
    fn expression(&mut self, depth: usize) -> Result<bool, Unsure> {
        let mut brackets = Vec::new();
        loop {
            let Some(&byte) = self.source.get(self.at) else {
                return Err(Unsure("a string does not end"));
            };
            match byte {
                b'"' | b'\'' => {
                    let before = &self.source[..self.at];
                    let letters =
                        before.iter().rev().take(3).take_while(|byte| is_letter(**byte)).count();
                    let prefix = before[self.at - letters..].to_ascii_lowercase();
                    if letters <= 2 && prefix.iter().any(|byte| matches!(byte, b'f' | b't')) {
                        self.formatted(prefix.contains(&b'r'), depth + 1)?;
                    } else {
                        self.quoted()?;
                    }
                    continue;
                }
                b'(' | b'[' | b'{' if brackets.len() >= BRACKETS_LIMIT => {
                    return Err(Unsure("brackets are nested too deeply"));
                }
                b'(' => brackets.push(b')'),
                b'[' => brackets.push(b']'),
                b'{' => brackets.push(b'}'),
                b'}' if brackets.is_empty() => {
                    self.at += 1;
                    return Ok(false);
                }
                b')' | b']' | b'}' if brackets.pop() != Some(byte) => {
                    return Err(Unsure("brackets do not match"));
                }
                b':' if brackets.is_empty() => {
                    self.at += 1;
                    return Ok(true);
                }
                b'#' => {
                    let end = memchr(b'\n', &self.source[self.at..]);
                    self.at = end.map_or(self.source.len(), |length| self.at + length);
                    continue;
                }
                b'\n' => {
                    self.newline();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// A letter that may stand before a string.
const fn is_letter(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'r' | b'b' | b'u' | b'f' | b't')
}
