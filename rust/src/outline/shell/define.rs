//! What the scanner of shell scripts reports: functions and variables, from where it stands.

use super::Scan;
use crate::outline::scope::line;
use crate::outline::{Symbol, SymbolKind, text};

/// How much of a line is looked at for an assignment.
const LINE_LIMIT: usize = 400;

impl<'s> Scan<'s, '_> {
    /// Length of `()` after blanks, from here; 0 if there is none.
    pub(super) fn brackets(&self) -> usize {
        let rest = &self.source[self.at..];
        let blank =
            |rest: &[u8]| rest.iter().take(40).take_while(|b| matches!(b, b' ' | b'\t')).count();
        let open = blank(rest);
        if rest.get(open) != Some(&b'(') {
            return 0;
        }
        let close = open + 1 + blank(&rest[open + 1..]);
        if rest.get(close) == Some(&b')') { close + 1 } else { 0 }
    }

    /// After the word `function`.
    pub(super) fn function(&mut self, start: usize) {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.skip(1);
        }
        let rest = &self.source[self.at..];
        let special = |byte: &u8| b" \t\r\n;&|()<>\"'`$\\".contains(byte);
        let name = &rest[..rest.iter().position(special).unwrap_or(rest.len())];
        if is_name(name) {
            self.skip(name.len());
            self.skip(self.brackets());
            self.define(start, name);
        }
    }

    /// A function whose head ends here.
    pub(super) fn define(&mut self, start: usize, name: &[u8]) {
        if self.hidden == 0 {
            self.report(SymbolKind::Function, start, self.at, name);
            self.pending = Some(self.out.len() - 1);
        }
        self.command = true;
    }

    fn report(&mut self, kind: SymbolKind, start: usize, end: usize, name: &[u8]) {
        let (_, doc) = self.preamble.claim(self.source, self.line);
        let line = line(self.line);
        self.out.push(Symbol {
            name: text::name(name),
            kind,
            parent: self.path.parent(None),
            start: line,
            end: line,
            signature: text::signature(&self.source[start..end], &[]),
            doc,
        });
    }

    /// The rest of the line, or as much of it as is ever looked at.
    fn rest(&self) -> &'s [u8] {
        let rest = &self.source[self.at..];
        let rest = &rest[..rest.len().min(LINE_LIMIT)];
        &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
    }

    /// Whether what is found is of the file and not of a function or a substitution.
    fn at_top(&self) -> bool {
        self.path.is_empty() && self.hidden == 0
    }

    /// `readonly A=1`, `declare -r A=1`: the first name only.
    pub(super) fn constants(&mut self, start: usize, sure: bool) {
        let rest = self.rest();
        let mut fixed = sure;
        for word in rest.split(|byte| matches!(byte, b' ' | b'\t')) {
            if let Some(flags) = word.strip_prefix(b"-") {
                fixed |= flags.contains(&b'r');
            } else if !word.is_empty() {
                let name = word
                    .split(|byte| matches!(byte, b'=' | b'[' | b'+' | b';'))
                    .next()
                    .unwrap_or_default();
                if fixed && self.at_top() && is_variable(name) {
                    self.report(SymbolKind::Constant, start, self.at + rest.len(), name);
                }
                return;
            }
        }
    }

    /// `NAME=value` at the start of a line and alone on it.
    pub(super) fn variable(&mut self, start: usize, from: usize) {
        if !self.at_top() || start > 0 && self.source[start - 1] != b'\n' {
            return;
        }
        let line = &self.source[from..self.at + self.rest().len()];
        let line = line.trim_ascii();
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { return };
        let (name, value) = (&line[..equals], &line[equals + 1..]);
        let loud =
            name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase);
        if !loud || name.len() < 2 || !is_variable(name) {
            return;
        }
        let value_end = match value.first() {
            Some(quote @ (b'"' | b'\'')) => {
                value[1..].iter().position(|byte| byte == quote).map_or(value.len(), |at| at + 2)
            }
            Some(b'$' | b'(' | b'`') => value.len(),
            _ => value.iter().position(|byte| b" \t;".contains(byte)).unwrap_or(value.len()),
        };
        let after = value[value_end..].trim_ascii();
        if after.is_empty() || matches!(after[0], b'#' | b';' | b'$' | b'"' | b'\'') {
            let end = self.at + self.rest().len();
            self.report(SymbolKind::Variable, start, end, name);
        }
    }
}

/// What a function may be called; shells allow nearly anything.
pub(super) fn is_name(word: &[u8]) -> bool {
    let plain = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"_-.:+/@?!,%^~*".contains(byte) || *byte >= 0x80
    };
    !word.is_empty() && word.iter().all(plain) && word.iter().any(|byte| !byte.is_ascii_digit())
}

fn is_variable(word: &[u8]) -> bool {
    word.first().is_some_and(|byte| !byte.is_ascii_digit())
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
