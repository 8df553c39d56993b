//! The words and signs of Ruby. What a sign means depends on what stands before it, so a lexer keeps whether an
//! expression may begin (`/` is a regular expression), has ended (`/` divides), or whether a name stands there
//! that may take arguments without brackets (it depends on the space).
//!
//! Strings and their like are passed over by `literals`, names by `words`; which words open what is for others to say.

use super::words::{
    Keyword, global_end, is_blank, is_word, keyword, line_end, method_end, skip_blanks,
    starts_word, word_end,
};
use crate::outline::scanner::Unsure;

/// What stands before the next word or sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing, or something that wants an expression.
    Begin,
    /// `return` and its like: an expression may follow, and so may the `if` that belongs to them.
    Middle,
    /// A name that may take arguments.
    Argument,
    /// The end of an expression.
    End,
    /// A dot or `def`: whatever follows is a name.
    Name,
}

/// A word or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Name,
    /// A name that begins with a capital letter, not after a dot.
    Constant,
    Keyword(Keyword),
    /// `name:`
    Label,
    /// A literal or a variable with a sign before it.
    Value,
    Opening(u8),
    Closing(u8),
    /// A line break that ends a statement.
    Newline,
    Semicolon,
    Comma,
    Operator,
    Comment,
    /// The end of the source.
    Nothing,
}

/// A here-document whose text begins on the next line.
#[derive(Clone, Copy)]
pub(super) struct Here<'s> {
    pub(super) mark: &'s [u8],
    /// The mark may be indented.
    pub(super) indented: bool,
}

/// The place in a source.
#[derive(Clone)]
pub(super) struct Lexer<'s> {
    pub(super) source: &'s [u8],
    pub(super) at: usize,
    /// Where the last token began.
    pub(super) start: usize,
    /// What stood before it.
    pub(super) before: State,
    pub(super) state: State,
    /// White space stands before the token at hand.
    spaced: bool,
    /// The line breaks before the next word end nothing: it is a dot.
    joined: bool,
    pub(super) heres: Vec<Here<'s>>,
    /// How many strings are open around this.
    pub(super) depth: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s [u8]) -> Self {
        Self {
            source,
            at: 0,
            start: 0,
            before: State::Begin,
            state: State::Begin,
            spaced: false,
            joined: false,
            heres: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Whether what stands here is the first of its line.
    fn is_first(&self) -> bool {
        self.at == 0 || self.source[self.at - 1] == b'\n'
    }

    /// The next word or sign.
    pub(super) fn token(&mut self) -> Result<Token, Unsure> {
        self.spaced = false;
        loop {
            let Some(&byte) = self.source.get(self.at) else {
                self.start = self.at;
                return match self.heres.is_empty() {
                    true => Ok(Token::Nothing),
                    false => Err(Unsure("a here-document without an end")),
                };
            };
            match byte {
                _ if is_blank(byte) => self.at += 1,
                b'\n' => {
                    let line = self.at;
                    self.at += 1;
                    if !self.heres.is_empty() {
                        self.here_documents()?;
                    }
                    let ends = !matches!(self.state, State::Begin | State::Name);
                    if ends && !self.joined {
                        self.joined = self.continues();
                    }
                    if ends && !self.joined {
                        (self.start, self.before, self.state) = (line, self.state, State::Begin);
                        return Ok(Token::Newline);
                    }
                }
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'\\' if self.peek(1) == b'\r' && self.peek(2) == b'\n' => self.at += 3,
                _ => break,
            }
            self.spaced = true;
        }
        (self.start, self.before) = (self.at, self.state);
        let byte = self.source[self.at];
        self.joined &= byte == b'#';
        if starts_word(byte) {
            return self.word();
        }
        self.sign(byte)
    }

    /// Whether the next line that is no comment goes on with a dot.
    fn continues(&self) -> bool {
        let mut at = self.at;
        while let Some(&byte) = self.source.get(at) {
            match byte {
                b'\n' => at += 1,
                _ if is_blank(byte) => at += 1,
                b'#' => at = line_end(self.source, at),
                b'.' => return self.source.get(at + 1) != Some(&b'.'),
                b'&' => return self.source.get(at + 1) == Some(&b'.'),
                _ => return false,
            }
        }
        false
    }

    fn word(&mut self) -> Result<Token, Unsure> {
        let source = self.source;
        let start = self.at;
        let mut end = word_end(source, start);
        if matches!(source.get(end), Some(b'?' | b'!'))
            && (source.get(end + 1) != Some(&b'=')
                || matches!(source.get(end + 2), Some(b'=' | b'~' | b'>')))
        {
            end += 1;
        }
        self.at = end;
        if self.before == State::Name {
            self.state = State::Argument;
            return Ok(Token::Name);
        }
        if source.get(end) == Some(&b':') && source.get(end + 1) != Some(&b':') {
            self.at = end + 1;
            self.state = State::Begin;
            return Ok(Token::Label);
        }
        let word = &source[start..end];
        if word[0].is_ascii_lowercase() {
            if let Some((keyword, state)) = keyword(word) {
                self.state = state;
                if matches!(word, b"alias" | b"undef") {
                    self.names(word == b"alias");
                }
                return Ok(Token::Keyword(keyword));
            }
        } else if word == b"__END__" && (start == 0 || source[start - 1] == b'\n') {
            let last = line_end(source, end);
            if source[end..last].trim_ascii_end().is_empty() {
                self.at = source.len();
                return Ok(Token::Nothing);
            }
        }
        self.state = State::Argument;
        let capital = word[0].is_ascii_uppercase();
        Ok(if capital { Token::Constant } else { Token::Name })
    }

    /// The names behind `alias` and `undef`, which may look like anything.
    fn names(&mut self, two: bool) {
        let source = self.source;
        let mut left = 2;
        while left > 0 {
            let mut at = skip_blanks(source, self.at);
            while matches!(source.get(at), Some(b':' | b'$' | b'@')) {
                at += 1;
            }
            let Some(end) = method_end(source, at) else { break };
            self.at = end;
            if two {
                left -= 1;
                continue;
            }
            let comma = skip_blanks(source, end);
            if source.get(comma) != Some(&b',') {
                break;
            }
            self.at = comma + 1;
        }
        self.state = State::End;
    }

    /// Something that is an operator, of so many bytes.
    fn operator(&mut self, bytes: usize) -> Result<Token, Unsure> {
        self.at += bytes;
        self.state = match self.before {
            State::Name => State::Argument,
            _ => State::Begin,
        };
        Ok(Token::Operator)
    }

    /// Something that is a value and ends at `end`.
    pub(super) fn value(&mut self, end: usize) -> Result<Token, Unsure> {
        self.at = end;
        self.state = State::End;
        Ok(Token::Value)
    }

    /// Whether a literal may begin here with a sign that is an operator, too.
    fn may_begin(&self) -> bool {
        match self.before {
            State::Begin | State::Middle => true,
            State::Argument => {
                let next = self.peek(1);
                self.spaced && !next.is_ascii_whitespace() && next != b'='
            }
            State::End | State::Name => false,
        }
    }

    fn sign(&mut self, byte: u8) -> Result<Token, Unsure> {
        let source = self.source;
        match byte {
            b'#' => {
                self.at = line_end(source, self.at);
                Ok(Token::Comment)
            }
            b'(' | b'[' | b'{' => {
                self.at += 1;
                self.state = State::Begin;
                Ok(Token::Opening(byte))
            }
            b')' | b']' | b'}' => {
                self.at += 1;
                self.state = State::End;
                Ok(Token::Closing(byte))
            }
            b'\'' | b'"' => self.literal(self.at + 1, byte, byte == b'"'),
            b'`' if self.before != State::Name => self.literal(self.at + 1, byte, true),
            b';' => {
                self.at += 1;
                self.state = State::Begin;
                Ok(Token::Semicolon)
            }
            b',' => {
                self.at += 1;
                self.state = State::Begin;
                Ok(Token::Comma)
            }
            b'.' if self.peek(1) == b'.' => self.operator(2),
            b'.' => self.dot(1),
            b'&' if self.peek(1) == b'.' => self.dot(2),
            b':' => self.colon(),
            b'0'..=b'9' => self.number(),
            b'@' => self.value(word_end(source, self.at + 1 + usize::from(self.peek(1) == b'@'))),
            b'$' => self.value(global_end(source, self.at)),
            b'=' if self.is_first() && source[self.at..].starts_with(b"=begin") => self.block(),
            b'/' if self.may_begin() => self.regex(),
            b'%' if self.may_begin() => self.percent(),
            b'<' if self.peek(1) == b'<' => self.here(),
            b'?' => self.question(),
            _ => self.operator(1),
        }
    }

    fn dot(&mut self, bytes: usize) -> Result<Token, Unsure> {
        self.at += bytes;
        self.state = State::Name;
        Ok(Token::Operator)
    }

    fn number(&mut self) -> Result<Token, Unsure> {
        let mut end = word_end(self.source, self.at);
        if self.source.get(end) == Some(&b'.')
            && self.source.get(end + 1).is_some_and(u8::is_ascii_digit)
        {
            end = word_end(self.source, end + 1);
        }
        self.value(end)
    }

    /// `::`, a symbol, or one half of `a ? b : c`.
    fn colon(&mut self) -> Result<Token, Unsure> {
        let source = self.source;
        let next = self.peek(1);
        // `"a": b`
        let label = self.at > 0 && !self.spaced && matches!(source[self.at - 1], b'"' | b'\'');
        match next {
            b':' => self.dot(2),
            _ if label => self.operator(1),
            b'"' | b'\'' => self.literal(self.at + 2, next, next == b'"'),
            b'$' => self.value(global_end(source, self.at + 1)),
            b'@' => self.value(word_end(source, self.at + 2 + usize::from(self.peek(2) == b'@'))),
            _ => match method_end(source, self.at + 1) {
                Some(end) if end > self.at + 1 => self.value(end),
                _ => self.operator(1),
            },
        }
    }

    /// `?a`, or one half of `a ? b : c`.
    fn question(&mut self) -> Result<Token, Unsure> {
        let source = self.source;
        let next = self.peek(1);
        let may = match self.before {
            State::Begin | State::Middle => true,
            State::Argument => self.spaced && !is_word(next),
            State::End | State::Name => false,
        };
        if !may || next == 0 || next.is_ascii_whitespace() {
            return self.operator(1);
        }
        if next == b'\\' {
            let mut end = (self.at + 3).min(source.len());
            if source.get(end) == Some(&b'-') {
                end = (end + 2).min(source.len()); // `?\C-a`
            }
            return self.value(word_end(source, end));
        }
        let end = if next < 0x80 { self.at + 2 } else { word_end(source, self.at + 1) };
        if next < 0x80 && is_word(next) && source.get(end).is_some_and(|byte| is_word(*byte)) {
            return self.operator(1);
        }
        self.value(end)
    }

    /// `=begin` to the line of `=end`.
    fn block(&mut self) -> Result<Token, Unsure> {
        let mut at = self.at;
        loop {
            at = line_end(self.source, at);
            if at >= self.source.len() {
                return Err(Unsure("a comment without an end"));
            }
            at += 1;
            if self.source[at..].starts_with(b"=end") {
                self.at = line_end(self.source, at);
                return Ok(Token::Comment);
            }
        }
    }
}

/// The comments in a piece of source.
pub(super) fn comments(raw: &[u8], out: &mut Vec<(usize, usize)>) {
    let mut lexer = Lexer::new(raw);
    if raw.starts_with(b"def") {
        // The name of a method may be any operator.
        let at = skip_blanks(raw, 3);
        lexer.at = method_end(raw, at).unwrap_or(at);
        lexer.state = State::Argument;
    }
    while let Ok(token) = lexer.token() {
        match token {
            Token::Nothing => return,
            Token::Comment => out.push((lexer.start, lexer.at)),
            _ => {}
        }
    }
}
