//! Statements, but for declarations, imports and exports.

use memchr::memchr;

use super::Parser;
use super::expression::Stop;

impl Parser<'_> {
    pub(super) fn program(&mut self) {
        if self.source.starts_with(b"#!") {
            self.at = memchr(b'\n', self.source).unwrap_or(self.source.len());
        }
        self.trivia();
        self.statements();
        if !self.done() {
            self.fail(); // a bracket that closes nothing
        }
    }

    /// Statements up to a `}` or the end.
    pub(super) fn statements(&mut self) {
        while !self.done() && self.byte() != b'}' {
            let before = self.at;
            self.statement();
            if self.at == before {
                return self.fail();
            }
        }
    }

    /// `{ ... }`
    pub(super) fn block(&mut self) {
        self.expect(b'{');
        if !self.unsure {
            self.statements();
            self.expect(b'}');
        }
    }

    pub(super) fn statement(&mut self) {
        if !self.enter() {
            return self.leave();
        }
        match self.byte() {
            b'{' => self.block(),
            b';' => self.take(1),
            b'@' => self.decorated(),
            byte if Self::starts_word(byte) => {
                let word = self.word();
                if !self.keyword(word) {
                    self.plain(word);
                }
            }
            _ => self.expression_statement(),
        }
        self.leave();
    }

    pub(super) fn expression_statement(&mut self) {
        self.expression(true);
        self.semicolon();
    }

    /// A label or an expression that begins with a word.
    pub(super) fn plain(&mut self, word: &[u8]) {
        let (next, _) = self.after(self.at + word.len());
        if self.source.get(next) == Some(&b':') {
            self.take(word.len());
            self.take(1);
            return self.statement();
        }
        self.expression_statement();
    }

    /// `( ... )`
    pub(super) fn condition(&mut self) {
        self.expect(b'(');
        self.expression(true);
        self.expect(b')');
    }

    /// A statement that its first word makes one; false if that word means nothing special here.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        match word {
            b"if" => self.conditional(),
            b"for" => self.loop_(),
            b"while" | b"with" => {
                self.take(word.len());
                self.condition();
                self.statement();
            }
            b"do" => {
                self.take(2);
                self.statement();
                if self.word() != b"while" {
                    self.fail();
                    return true;
                }
                self.take(5);
                self.condition();
                if self.byte() == b';' {
                    self.take(1);
                }
            }
            b"switch" => {
                self.take(6);
                self.condition();
                self.block();
            }
            b"case" => {
                self.take(4);
                self.expression_until(Stop { comma: true, case: true, ..Stop::default() });
                self.expect(b':');
            }
            b"default" => {
                self.take(7);
                self.expect(b':');
            }
            b"try" => {
                self.take(3);
                self.block();
                if self.word() == b"catch" {
                    self.take(5);
                    if self.byte() == b'(' {
                        self.take(1);
                        self.group(b')');
                    }
                    self.block();
                }
                if self.word() == b"finally" {
                    self.take(7);
                    self.block();
                }
            }
            b"return" | b"throw" => {
                self.take(word.len());
                if !self.newline {
                    self.expression(true);
                }
                self.semicolon();
            }
            b"break" | b"continue" | b"debugger" => {
                self.take(word.len());
                if !self.newline && Self::starts_word(self.byte()) {
                    self.take_word();
                }
                self.semicolon();
            }
            b"import" => return self.import(),
            b"export" => self.export(self.at),
            _ => return self.declaration(None, self.at),
        }
        true
    }

    /// `if`, with as many `else if` as there are.
    pub(super) fn conditional(&mut self) {
        loop {
            self.take(2);
            self.condition();
            self.statement();
            if self.word() != b"else" {
                return;
            }
            self.take(4);
            if self.word() != b"if" {
                return self.statement();
            }
        }
    }

    pub(super) fn loop_(&mut self) {
        self.take(3);
        if self.word() == b"await" {
            self.take(5);
        }
        self.expect(b'(');
        let word = self.word();
        let declares = match word {
            b"var" | b"const" => true,
            b"let" | b"using" => self.names_follow(word.len()),
            b"await" => self.word_at(self.after(self.at + 5).0) == b"using",
            _ => false,
        };
        if declares {
            if word == b"await" {
                self.take(5);
            }
            self.variables(None, true);
        } else {
            self.expression_until(Stop { comma: true, no_in: true, ..Stop::default() });
        }
        match self.byte() {
            b';' => {
                self.take(1);
                self.expression(true);
                self.expect(b';');
                self.expression(true);
            }
            _ if matches!(self.word(), b"of" | b"in") => {
                self.take(2);
                self.expression(true);
            }
            _ => self.fail(),
        }
        self.expect(b')');
        self.statement();
    }
}
