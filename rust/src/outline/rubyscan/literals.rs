//! The literals of Ruby: strings, symbols, regular expressions and lists with any delimiter, here-documents, and
//! the code in them.

use memchr::{memchr, memchr2, memchr3};

use super::lex::{Here, Lexer, State, Token};
use super::words::{is_word, line_end, starts_word, word_end};
use crate::outline::scanner::Unsure;

/// Deepest nesting of strings in the code in strings.
const STRING_DEPTH: usize = 32;
/// Most here-documents that begin on one line.
const HERE_LIMIT: usize = 100;
const UNENDED: Unsure = Unsure("a string without an end");

impl<'s> Lexer<'s> {
    /// From behind an opening quotation mark to behind the one that closes it.
    pub(super) fn literal(&mut self, from: usize, close: u8, code: bool) -> Result<Token, Unsure> {
        let end = self.plain_end(from, close, code)?;
        self.passed(end)?;
        self.value(end)
    }

    /// A here-document's text would begin inside of this literal.
    fn passed(&self, end: usize) -> Result<(), Unsure> {
        if !self.heres.is_empty() && memchr(b'\n', &self.source[self.start..end]).is_some() {
            return Err(Unsure("a here-document in a string"));
        }
        Ok(())
    }

    fn plain_end(&mut self, mut at: usize, close: u8, code: bool) -> Result<usize, Unsure> {
        let hash = if code { b'#' } else { close };
        while let Some(length) =
            self.source.get(at..).and_then(|rest| memchr3(close, b'\\', hash, rest))
        {
            at += length;
            at = match self.source[at] {
                b'\\' => at + 2,
                byte if byte == close => return Ok(at + 1),
                _ if self.source.get(at + 1) == Some(&b'{') => self.hole(at + 2)?,
                _ => at + 1,
            };
        }
        Err(UNENDED)
    }

    /// The same for brackets, which may nest.
    fn nested_end(
        &mut self,
        mut at: usize,
        open: u8,
        close: u8,
        code: bool,
    ) -> Result<usize, Unsure> {
        let mut depth = 1usize;
        while let Some(&byte) = self.source.get(at) {
            at = match byte {
                b'\\' => at + 2,
                b'#' if code && self.source.get(at + 1) == Some(&b'{') => self.hole(at + 2)?,
                _ if byte == close => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(at + 1);
                    }
                    at + 1
                }
                _ => {
                    depth += usize::from(byte == open);
                    at + 1
                }
            };
        }
        Err(UNENDED)
    }

    /// From behind the `#{` in a literal to behind the `}` that closes it.
    fn hole(&mut self, from: usize) -> Result<usize, Unsure> {
        if self.depth >= STRING_DEPTH {
            return Err(Unsure("strings nested too deep"));
        }
        let outside = (self.start, self.before, self.state);
        let heres = std::mem::take(&mut self.heres);
        self.depth += 1;
        (self.at, self.state) = (from, State::Begin);
        let mut open = 1usize;
        while open > 0 {
            match self.token()? {
                Token::Opening(b'{') => open += 1,
                Token::Closing(b'}') => open -= 1,
                Token::Nothing => return Err(UNENDED),
                _ => {}
            }
        }
        if !self.heres.is_empty() {
            return Err(Unsure("a here-document in a string"));
        }
        self.depth -= 1;
        self.heres = heres;
        (self.start, self.before, self.state) = outside;
        Ok(self.at)
    }

    pub(super) fn regex(&mut self) -> Result<Token, Unsure> {
        let argument = self.before == State::Argument;
        let end = self.plain_end(self.at + 1, b'/', true)?;
        if argument && memchr(b'\n', &self.source[self.start..end]).is_some() {
            return Err(Unsure("a division or a regular expression"));
        }
        self.passed(end)?;
        self.value(word_end(self.source, end))
    }

    /// `%w[...]` and its like.
    pub(super) fn percent(&mut self) -> Result<Token, Unsure> {
        let source = self.source;
        let mut at = self.start + 1;
        let mut kind = b'Q';
        let byte = source.get(at).copied().unwrap_or(b' ');
        if matches!(byte, b'q' | b'Q' | b'w' | b'W' | b'i' | b'I' | b'r' | b's' | b'x') {
            kind = byte;
            at += 1;
        }
        let open = source.get(at).copied().unwrap_or(b' ');
        let strange = is_word(open) && open != b'_' || open == b'=' || open.is_ascii_whitespace();
        if strange || open == b'_' && kind == b'Q' {
            self.at = self.start + 1;
            self.state = State::Begin;
            return Ok(Token::Operator);
        }
        let code = !matches!(kind, b'q' | b'w' | b'i' | b's');
        let end = match open {
            b'(' => self.nested_end(at + 1, open, b')', code)?,
            b'[' => self.nested_end(at + 1, open, b']', code)?,
            b'{' => self.nested_end(at + 1, open, b'}', code)?,
            b'<' => self.nested_end(at + 1, open, b'>', code)?,
            _ => self.plain_end(at + 1, open, code)?,
        };
        self.passed(end)?;
        self.value(if kind == b'r' { word_end(source, end) } else { end })
    }

    /// `<<`: a here-document or an operator.
    pub(super) fn here(&mut self) -> Result<Token, Unsure> {
        let source = self.source;
        let mut at = self.at + 2;
        let indented = matches!(source.get(at), Some(b'~' | b'-'));
        at += usize::from(indented);
        let first = source.get(at).copied().unwrap_or(b' ');
        let quoted = matches!(first, b'"' | b'\'' | b'`');
        let may = match self.before {
            State::Begin | State::Middle => true,
            // `list <<item` is an operator.
            State::Argument => {
                self.start > 0
                    && source[self.start - 1].is_ascii_whitespace()
                    && (indented || quoted || first.is_ascii_uppercase())
            }
            State::End | State::Name => false,
        };
        if !may || !quoted && !starts_word(first) {
            self.at += 2;
            self.state = if self.before == State::Name { State::Argument } else { State::Begin };
            return Ok(Token::Operator);
        }
        let (from, to) = if quoted {
            let length = memchr2(first, b'\n', &source[at + 1..]).ok_or(UNENDED)?;
            if source[at + 1 + length] != first {
                return Err(UNENDED);
            }
            (at + 1, at + 1 + length)
        } else {
            (at, word_end(source, at))
        };
        if self.heres.len() >= HERE_LIMIT {
            return Err(Unsure("too many here-documents"));
        }
        self.heres.push(Here { mark: &source[from..to], indented });
        self.value(to + usize::from(quoted))
    }

    /// Pass the texts of the here-documents that were announced on the line that has just ended.
    pub(super) fn here_documents(&mut self) -> Result<(), Unsure> {
        for here in std::mem::take(&mut self.heres) {
            loop {
                if self.at >= self.source.len() {
                    return Err(Unsure("a here-document without an end"));
                }
                let end = line_end(self.source, self.at);
                let line = &self.source[self.at..end];
                let line = if here.indented { line.trim_ascii_start() } else { line };
                self.at = (end + 1).min(self.source.len());
                if line.starts_with(here.mark)
                    && line[here.mark.len()..].trim_ascii_end().is_empty()
                {
                    break;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows the first token.
    fn rest(text: &str) -> Result<&str, Unsure> {
        let mut lexer = Lexer::new(text.as_bytes());
        lexer.token()?;
        Ok(&text[lexer.at..])
    }

    #[test]
    fn every_kind_of_literal_ends_where_it_does() {
        for (text, expected) in [
            (r"'a\'b' + c", " + c"),
            (r##""a\"#{b["}"]}" + c"##, " + c"),
            (r##""#{a { "#{b}}" }}" + c"##, " + c"),
            (r##""#{a.gsub(/"}/, '}')}" + c"##, " + c"),
            (r##""#a #{?}}" + c"##, " + c"),
            ("`a #{`b`}` + c", " + c"),
            ("/a[\\/]\"#{/}/}/mix + c", " + c"),
            ("%w[a [b] \\] c] + c", " + c"),
            ("%q(a (b) #{) + c", " + c"),
            ("%Q{a {b} #{%w(})}} + c", " + c"),
            ("%(a ()) + c", " + c"),
            ("%r!a/b\\!!x + c", " + c"),
            ("%i<a <b>> + c", " + c"),
            ("%x|a| + c", " + c"),
            (":\"a b#{c}\" + c", " + c"),
            (":'a' + c", " + c"),
            (":a? + c", " + c"),
            (":a=> c", "=> c"),
            (":a= + c", " + c"),
            (":[]= + c", " + c"),
            (":<=> + c", " + c"),
            (":@@a + c", " + c"),
            ("?\" + c", " + c"),
            ("?\\n + c", " + c"),
            ("?\\C-a + c", " + c"),
            ("?\u{e9} + c", " + c"),
            ("$' + c", " + c"),
            ("$-w + c", " + c"),
            ("@@a + c", " + c"),
            ("1_000.5e3 + c", " + c"),
        ] {
            assert_eq!(rest(text), Ok(expected), "{text}");
        }
        for text in ["\"a", "\"#{\"", "%w[a", "/a", "'a\\'", "\"#{a"] {
            assert!(rest(text).is_err(), "{text}");
        }
    }

    #[test]
    fn here_documents_end_at_their_marks() {
        for (text, expected) in [
            ("<<A, 1\nb\nA\nc", "c"),
            ("<<~A + <<-'B C'\n A b\n  A\n\" #{\n  B C\nc", "c"),
            ("<<A\n A\nA\nc", "c"),
            ("<<~`A`\n  A\r\nc", "c"),
        ] {
            let mut lexer = Lexer::new(text.as_bytes());
            while lexer.token().unwrap() != Token::Newline {}
            assert_eq!(&text[lexer.at..], expected, "{text}");
        }
        let mut lexer = Lexer::new(b"<<A\nb");
        while lexer.token().is_ok_and(|token| token != Token::Nothing) {}
        assert_eq!(lexer.token(), Ok(Token::Nothing));
    }
}
