//! What the scanner of Python reports: functions, classes, aliases, and the values of a module.

use super::lex::{Sign, Stop, is_word};
use super::{Decorators, Place, Scan, Unsure, line};
use crate::outline::SymbolKind::{
    self, Class, Constant, Constructor, Function, Method, Property, Type, Variable,
};
use crate::outline::{Symbol, python_names, text};

impl Scan<'_, '_> {
    /// A decorator: up to the end of its line.
    pub(super) fn decorator(&mut self) -> Result<(), Unsure> {
        let row = self.row;
        self.at += 1;
        self.blanks();
        let start = self.at;
        self.skip_line()?;
        let text = self.source.get(start..self.end).unwrap_or_default();
        let property = python_names::is_property(text);
        let decorators = self.decorators.get_or_insert(Decorators { row, property });
        decorators.property |= property;
        Ok(())
    }

    /// The head of a function or class, which begins at `start`; the scanner stands at `def` or `class`.
    pub(super) fn head(&mut self, start: usize) -> Result<(), Unsure> {
        let class = self.peek(0) == b'c';
        let begins = self.row;
        self.at += self.word().len();
        self.blanks();
        let (from, length) = (self.at, self.word().len());
        let name = text::name(&self.source[from..from + length]);
        if length == 0 || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Unsure("a definition without a name"));
        }
        let decorators = self.decorators.take();
        if self.part(true)? != Stop::Colon {
            return Err(Unsure("a head without a colon"));
        }
        if self.hidden {
            return self.body(None);
        }
        let place = self.path.here();
        let mut kind = match (class, place) {
            (true, _) => Class,
            (_, Place::Type) if name == "__init__" => Constructor,
            (_, Place::Type) => Method,
            _ => Function,
        };
        if place == Place::Type && decorators.as_ref().is_some_and(|found| found.property) {
            kind = Property;
        }
        let signature = self.signature(start, self.at);
        let row = decorators.map_or(begins, |found| found.row);
        self.report(kind, name, row, self.row, signature);
        self.body(Some(self.out.len() - 1))
    }

    /// What follows a head: a block, or statements on the same line.
    fn body(&mut self, owner: Option<usize>) -> Result<(), Unsure> {
        if self.is_line_end() {
            self.skip_line()?;
            self.expects = true;
            self.owner = owner;
            return Ok(());
        }
        let Some(index) = owner else { return self.plain() };
        self.enter(index);
        self.docstring(index)?;
        self.plain()?;
        self.leave(index, self.end_row);
        Ok(())
    }

    /// Into the scope of a definition. Nothing in one that is hidden is a scope itself.
    pub(super) fn enter(&mut self, index: usize) {
        let symbol = &self.out[index];
        let place = if symbol.kind == Class { Place::Type } else { Place::Function };
        self.hidden = !self.path.enter(Some(&symbol.name), place);
    }

    /// Out of it: it ends on that line, counted from 0.
    pub(super) fn leave(&mut self, index: usize, row: usize) {
        if !std::mem::take(&mut self.hidden) {
            self.path.leave();
        }
        if let Some(symbol) = self.out.get_mut(index) {
            symbol.end = line(row).max(symbol.start);
        }
    }

    /// The string that the body of a definition may begin with. The scanner stays where it is.
    pub(super) fn docstring(&mut self, index: usize) -> Result<(), Unsure> {
        let (at, row) = (self.at, self.row);
        let mut inside = Vec::new();
        while let Some(prefix) = self.string_prefix() {
            let from = self.at + prefix;
            self.at = from;
            self.quoted()?;
            let literal = &self.source[from..self.at];
            let quotes = python_names::quotes(literal);
            inside.extend_from_slice(
                literal.get(quotes..literal.len().saturating_sub(quotes)).unwrap_or_default(),
            );
            self.blanks();
        }
        if self.at > at && (self.peek(0) == b';' || self.is_line_end()) {
            let doc = text::docstring(&inside);
            if !doc.is_empty() {
                self.out[index].doc = doc;
            }
        }
        (self.at, self.row) = (at, row);
        Ok(())
    }

    /// `type X = ...` at `start`, up to its end; none, and nothing is passed over, if it is something else.
    pub(super) fn alias(&mut self, start: usize) -> Result<Option<Stop>, Unsure> {
        if self.word() != b"type" {
            return Ok(None);
        }
        let row = self.row;
        self.at = start + b"type".len();
        self.blanks();
        let (from, length) = (self.at, self.word().len());
        let word = &self.source[from..from + length];
        let other = matches!(word, b"in" | b"is" | b"and" | b"or" | b"if" | b"not" | b"");
        if !other {
            let stop = self.part(false)?;
            if let Some(at) = self.signs.iter().position(|sign| sign.1 == Sign::Equals) {
                let left = match self.signs[0] {
                    (at, Sign::Group(_)) => at,
                    _ => self.signs[at].0,
                };
                let name = text::name(&self.source[from..left]);
                let signature = self.signature(start, self.end);
                if !self.hidden && !name.is_empty() {
                    self.report(Type, name, row, self.end_row, signature);
                }
                return Ok(Some(stop));
            }
        }
        (self.at, self.row) = (start, row);
        Ok(None)
    }

    /// The values that the statement from `start` to `end` gives names to: `LIMIT = 3`, `name: int = 3`,
    /// `twice = lambda x: 2 * x`, `Point = namedtuple(...)`, `A = B = 3`, `A, B = 1, 2`.
    pub(super) fn assigned(&mut self, start: usize, row: usize) {
        let signs = std::mem::take(&mut self.signs);
        self.targets(start, row, &signs);
        self.signs = signs;
    }

    fn targets(&mut self, start: usize, row: usize, signs: &[(usize, Sign)]) {
        let equals = |sign: &&(usize, Sign)| sign.1 == Sign::Equals;
        let first = signs.iter().find(equals).map_or(self.end, |sign| sign.0);
        let colon = signs.iter().find(|sign| sign.1 == Sign::Colon).map(|sign| sign.0);
        let typed = colon.filter(|at| *at < first);
        let links = signs.iter().filter(equals).count();
        if links == 0 && typed.is_none() || signs.iter().any(|sign| sign.1 == Sign::Augmented) {
            return;
        }
        let mut signature = None;
        let mut from = start;
        let mut rest = signs;
        for link in 0..links.clamp(1, python_names::CHAIN_LIMIT) {
            let next = rest.iter().position(|sign| sign.1 == Sign::Equals);
            let (here, after) = rest.split_at(next.unwrap_or(rest.len()));
            let end = after.first().map_or(self.end, |sign| sign.0);
            let typed = typed.filter(|_| link == 0);
            let left = (from, typed.unwrap_or(end));
            from = (end + 1).min(self.end);
            rest = after.get(1..).unwrap_or_default();
            let mut found = Vec::new();
            if let Some(name) = identifier(&self.source[left.0..left.1]) {
                let last = link + 1 >= links && links > 0;
                let made = last.then(|| self.made(from, rest)).flatten();
                let loud = || python_names::is_loud(&name).then_some(Constant);
                let kind = made.or_else(|| loud().or(typed.map(|_| Variable)));
                found.extend(kind.map(|kind| (kind, name)));
            } else {
                let inside = here.partition_point(|sign| sign.0 < left.1);
                let names = self.pattern(left.0, left.1, &here[..inside]);
                let loud = names.into_iter().filter(|name| python_names::is_loud(name));
                found.extend(loud.map(|name| (Constant, name)));
            }
            for (kind, name) in found {
                let signature =
                    signature.get_or_insert_with(|| self.signature(start, self.end)).clone();
                self.report(kind, name, row, self.end_row, signature);
            }
        }
    }

    /// The names in `A, B` or `(A, B)` or `[A, B]`.
    fn pattern(&self, from: usize, to: usize, signs: &[(usize, Sign)]) -> Vec<String> {
        let commas = signs.iter().filter(|sign| sign.1 == Sign::Comma).map(|sign| sign.0);
        let commas: Vec<usize> = commas.collect();
        if !commas.is_empty() {
            let starts = std::iter::once(from).chain(commas.iter().map(|at| at + 1));
            let ends = commas.iter().copied().chain([to]);
            return starts
                .zip(ends)
                .filter_map(|(from, to)| identifier(&self.source[from..to]))
                .collect();
        }
        let [(open, Sign::Group(close))] = signs else { return Vec::new() };
        let alone = |from: usize, to: usize| {
            self.source.get(from..to).is_some_and(|raw| raw.trim_ascii().is_empty())
        };
        if self.source[*open] == b'{' || !alone(from, *open) || !alone(*close + 1, to) {
            return Vec::new();
        }
        let (mut names, mut piece) = (Vec::new(), Vec::new());
        let (mut depth, mut comment) = (0_usize, false);
        for (at, &byte) in self.source.iter().enumerate().take(close + 1).skip(open + 1) {
            match byte {
                b'\n' => comment = false,
                _ if comment => continue,
                b'#' => comment = true,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' if at < *close => depth = depth.saturating_sub(1),
                b',' | b')' | b']' if depth == 0 => {
                    names.extend(identifier(&piece));
                    piece.clear();
                    continue;
                }
                _ => {}
            }
            piece.push(if comment { b' ' } else { byte });
        }
        names
    }

    /// What a value is, if that is a function or a type: `lambda` or a call to a maker of types, and nothing else.
    fn made(&self, from: usize, signs: &[(usize, Sign)]) -> Option<SymbolKind> {
        let value = self.source.get(from..self.end)?;
        let begin = from + value.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let value = &self.source[begin..self.end];
        if let Some(rest) = value.strip_prefix(b"lambda") {
            let alone = rest.first().is_none_or(|byte| !is_word(*byte));
            let tuple = signs.iter().any(|sign| sign.1 == Sign::Comma);
            return (alone && !tuple).then_some(Function);
        }
        let Some(&(open, Sign::Group(close))) = signs.last() else { return None };
        if close + 1 != self.end || self.source[open] != b'(' {
            return None;
        }
        let kind = python_names::made_by(&text::name(self.source[begin..open].trim_ascii()))?;
        // What is called is names, dots and brackets.
        let mut at = begin;
        for &(open, sign) in signs {
            let Sign::Group(close) = sign else { return None };
            let plain = self.source[at..open].trim_ascii_end();
            if !plain.iter().all(|byte| is_word(*byte) || *byte == b'.') {
                return None;
            }
            at = close + 1;
        }
        Some(kind)
    }

    /// The text from `start` to `end` in one line, without the comments in it.
    fn signature(&self, start: usize, end: usize) -> String {
        let end = end.min(start + text::RAW_LIMIT).max(start);
        let inside = self.gaps.iter().filter(|gap| gap.0 < end);
        let gaps: Vec<_> = inside.map(|gap| (gap.0 - start, gap.1 - start)).collect();
        text::signature(&self.source[start..end], &gaps)
    }

    fn report(
        &mut self,
        kind: SymbolKind,
        name: String,
        row: usize,
        last: usize,
        signature: String,
    ) {
        let (_, doc) = self.preamble.claim(self.source, row);
        let parent = self.path.parent(None);
        let start = line(row);
        let end = line(last).max(start);
        self.out.push(Symbol { name, kind, parent, start, end, signature, doc });
    }
}

/// The name that a text is.
fn identifier(raw: &[u8]) -> Option<String> {
    let raw = raw.trim_ascii();
    let name = raw.first().is_some_and(|byte| !byte.is_ascii_digit());
    (name && raw.iter().all(|byte| is_word(*byte))).then(|| text::name(raw))
}
