//! What a scanner knows while it passes a source: the scopes it is in, the comments it has just seen.
//!
//! The scanners of single languages read the bytes and say what begins and ends where; this file makes
//! [`Symbol`]s of it, by the same rules as the walk over a syntax tree (`visit`): which comments
//! document a definition, which line it begins on, what is hidden, what a scope is called. Positions
//! must be given in ascending order, as a single pass meets them.

use super::preamble::Preamble;
use super::scope::{Path, Place, line};
use super::{Symbol, SymbolKind, text};

/// A definition that begins.
pub(super) struct Start<'n> {
    pub kind: SymbolKind,
    pub name: &'n [u8],
    /// Where it begins, attributes that belong to it included.
    pub at: usize,
    /// Where its signature begins.
    pub signature: usize,
    /// Where its signature ends and its body begins; none if it has no body.
    pub until: Option<usize>,
}

/// A definition that has not ended yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    index: usize,
    /// Where the signature begins, if it ends only where the definition does.
    signature: Option<usize>,
}

/// Byte ranges of the comments in a piece of source, in ascending order.
pub(super) type Comments = fn(&[u8], &mut Vec<(usize, usize)>);

/// The state of one pass.
pub(super) struct Collector<'s> {
    source: &'s [u8],
    out: &'s mut Vec<Symbol>,
    comments_in: Comments,
    path: Path,
    preamble: Preamble,
    /// A byte and the line it is on, from 0, from which lines are counted on.
    counted: (usize, usize),
    gaps: Vec<(usize, usize)>,
}

impl<'s> Collector<'s> {
    pub(super) fn new(source: &'s [u8], comments_in: Comments, out: &'s mut Vec<Symbol>) -> Self {
        let (path, preamble) = (Path::default(), Preamble::default());
        Self { source, out, comments_in, path, preamble, counted: (0, 0), gaps: Vec::new() }
    }

    /// How many definitions there are so far.
    pub(super) fn count(&self) -> usize {
        self.out.len()
    }

    /// Where the pass is.
    pub(super) fn place(&self) -> Place {
        self.path.here()
    }

    /// Open a scope, with a name or without; false if that would be too deep: nothing inside is looked at.
    pub(super) fn enter(&mut self, name: Option<&str>, place: Place) -> bool {
        self.path.enter(name, place)
    }

    /// Close the innermost scope.
    pub(super) fn leave(&mut self) {
        self.path.leave();
    }

    /// A definition; none if it is not reported: it has no name or is a local value.
    pub(super) fn define(&mut self, start: &Start<'_>) -> Option<Open> {
        self.define_in(start, None)
    }

    /// The same for what belongs to a type that it is not written in.
    pub(super) fn define_in(&mut self, start: &Start<'_>, owner: Option<&str>) -> Option<Open> {
        let place = self.place();
        if place.hides(start.kind) || start.name.is_empty() {
            return None;
        }
        let method =
            start.kind == SymbolKind::Function && (place == Place::Type || owner.is_some());
        let kind = if method { SymbolKind::Method } else { start.kind };
        let row = self.row(start.at);
        let (first, doc) = self.preamble.claim(self.source, row);
        self.preamble.pass(start.until.unwrap_or(0));
        let signature = match start.until {
            Some(until) => self.signature(start.signature, until),
            None => String::new(),
        };
        self.out.push(Symbol {
            name: text::name(start.name),
            kind,
            parent: self.path.parent(owner),
            start: line(first),
            end: line(row),
            signature,
            doc,
        });
        let signature = start.until.is_none().then_some(start.signature);
        Some(Open { index: self.out.len() - 1, signature })
    }

    /// A definition ends before this byte.
    pub(super) fn end(&mut self, open: Open, at: usize) {
        let row = self.row(at.saturating_sub(1));
        let signature = open.signature.map(|from| self.signature(from, at));
        if let Some(symbol) = self.out.get_mut(open.index) {
            symbol.end = line(row).max(symbol.start);
            if let Some(signature) = signature {
                symbol.signature = signature;
            }
        }
    }

    /// The name of a scope for a definition.
    pub(super) fn scope_of(&mut self, name: &[u8], place: Place) -> bool {
        if name.len() < text::NAME_LIMIT
            && let Ok(name) = std::str::from_utf8(name)
            && !name.contains(char::is_whitespace)
        {
            return self.enter(Some(name), place);
        }
        self.enter(Some(&text::name(name)), place)
    }

    fn signature(&mut self, from: usize, to: usize) -> String {
        let to = to.min(from + text::RAW_LIMIT).min(self.source.len());
        let raw = self.source.get(from..to).unwrap_or_default();
        self.gaps.clear();
        if memchr::memchr2(b'/', b'#', raw).is_some() {
            (self.comments_in)(raw, &mut self.gaps);
        }
        text::signature(raw, &self.gaps)
    }

    /// A comment, which may turn out to document what comes next.
    pub(super) fn comment(&mut self, start: usize, end: usize) {
        if self.preamble.takes(self.source, start) {
            let rows = self.rows(start, end);
            self.preamble.comment((start, end), rows);
        }
    }

    /// An attribute that stands before the definition it belongs to.
    pub(super) fn attribute(&mut self, start: usize, end: usize) {
        if self.preamble.is_open(start) {
            let rows = self.rows(start, end);
            self.preamble.attribute(rows);
        }
    }

    /// The first and the last line of a piece, from 0.
    fn rows(&mut self, start: usize, end: usize) -> (usize, usize) {
        (self.row(start), self.row(end.saturating_sub(1).max(start)))
    }

    /// The line of a byte, from 0.
    fn row(&mut self, at: usize) -> usize {
        let (from, row) = self.counted;
        let at = at.min(self.source.len());
        let row = if at >= from {
            row + memchr::memchr_iter(b'\n', &self.source[from..at]).count()
        } else {
            row - memchr::memchr_iter(b'\n', &self.source[at..from]).count()
        };
        self.counted = (at, row);
        row
    }
}
