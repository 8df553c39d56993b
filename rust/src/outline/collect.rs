//! What a scanner knows while it passes a source: the scopes it is in, the comments it has just seen.
//!
//! The scanners of single languages read the bytes and say what begins and ends where; this file makes
//! [`Symbol`]s of it, by the same rules as the walk over a syntax tree (`visit`): which comments
//! document a definition, which line it begins on, what is hidden, what a scope is called. Positions
//! must be given in ascending order, as a single pass meets them.

use super::{Symbol, SymbolKind, text};

/// Longest dotted name of a scope, in bytes, as in `visit`: keeps the output linear in the source.
const PATH_LIMIT: usize = 1000;

/// Where a scope is, which decides what a function in it is called and whether a variable counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// File, module, namespace.
    Open,
    /// Class, interface and the like.
    Type,
    /// A function: variables in it are local.
    Function,
}

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

struct Scope {
    /// Length of the path without it.
    outside: usize,
    place: Place,
}

/// Comments and attributes that stand one below the other, not yet claimed by a definition.
#[derive(Default)]
struct Preamble {
    /// Byte ranges of the comments.
    comments: Vec<(usize, usize)>,
    /// Line of the first attribute, if there is one.
    attribute: Option<usize>,
    first: usize,
    last: usize,
}

/// Byte ranges of the comments in a piece of source, in ascending order.
pub(super) type Comments = fn(&[u8], &mut Vec<(usize, usize)>);

/// The state of one pass.
pub(super) struct Collector<'s> {
    source: &'s [u8],
    out: &'s mut Vec<Symbol>,
    comments_in: Comments,
    scopes: Vec<Scope>,
    /// The names of the open scopes, joined with dots.
    path: String,
    preamble: Preamble,
    /// Where the head of the last definition ends: comments before that are inside it.
    head: usize,
    /// A byte and the line it is on, from 0, from which lines are counted on.
    counted: (usize, usize),
    gaps: Vec<(usize, usize)>,
}

impl<'s> Collector<'s> {
    pub(super) fn new(source: &'s [u8], comments_in: Comments, out: &'s mut Vec<Symbol>) -> Self {
        let (scopes, path, gaps) = (Vec::new(), String::new(), Vec::new());
        let (preamble, head, counted) = (Preamble::default(), 0, (0, 0));
        Self { source, out, comments_in, scopes, path, preamble, head, counted, gaps }
    }

    /// How many definitions there are so far.
    pub(super) fn count(&self) -> usize {
        self.out.len()
    }

    /// Where the pass is.
    pub(super) fn place(&self) -> Place {
        self.scopes.last().map_or(Place::Open, |scope| scope.place)
    }

    /// Open a scope, with a name or without; false if that would be too deep: nothing inside is looked at.
    pub(super) fn enter(&mut self, name: Option<&str>, place: Place) -> bool {
        let outside = self.path.len();
        if let Some(name) = name {
            if outside + 1 + name.len() > PATH_LIMIT {
                return false;
            }
            if outside > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
        self.scopes.push(Scope { outside, place });
        true
    }

    /// Close the innermost scope.
    pub(super) fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.path.truncate(scope.outside);
        }
    }

    /// A definition; none if it is not reported: it has no name or is a local value.
    pub(super) fn define(&mut self, start: &Start<'_>) -> Option<Open> {
        use SymbolKind::{Constant, Function, Method, Variable};
        let place = self.place();
        let hidden = matches!(start.kind, Constant | Variable) && place == Place::Function
            || start.kind == Variable && place == Place::Type;
        if hidden || start.name.is_empty() {
            return None;
        }
        let method = start.kind == Function && place == Place::Type;
        let kind = if method { Method } else { start.kind };
        let row = self.row(start.at);
        let (first, doc) = self.claim(row);
        self.head = self.head.max(start.until.unwrap_or(0));
        let signature = match start.until {
            Some(until) => self.signature(start.signature, until),
            None => String::new(),
        };
        self.out.push(Symbol {
            name: text::name(start.name),
            kind,
            parent: (!self.path.is_empty()).then(|| self.path.clone()),
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
        let before = self.source.get(..start).unwrap_or_default();
        let mut blank = before.iter().rev().take_while(|byte| **byte != b'\n');
        // What follows code on its line is about that code, not about what comes next; what is
        // marked with `!` is about the file or the module.
        let about_around = matches!(self.source.get(start..start + 3), Some(b"//!" | b"/*!"));
        if about_around || start < self.head || !blank.all(u8::is_ascii_whitespace) {
            return;
        }
        self.extend(start, end);
        self.preamble.comments.push((start, end));
    }

    /// An attribute that stands before the definition it belongs to.
    pub(super) fn attribute(&mut self, start: usize, end: usize) {
        if start >= self.head {
            let row = self.extend(start, end);
            self.preamble.attribute.get_or_insert(row);
        }
    }

    /// Make something the next of the preamble, or the first of a new one if lines lie between.
    fn extend(&mut self, start: usize, end: usize) -> usize {
        let row = self.row(start);
        let last = self.row(end.saturating_sub(1).max(start));
        let preamble = &mut self.preamble;
        let empty = preamble.comments.is_empty() && preamble.attribute.is_none();
        if empty || row > preamble.last + 1 {
            preamble.comments.clear();
            preamble.attribute = None;
            preamble.first = row;
        }
        preamble.last = last;
        row
    }

    /// The preamble of a definition that begins on a line: (its first line with attributes, its
    /// documentation). Whether it is one or not, it is used up.
    fn claim(&mut self, row: usize) -> (usize, String) {
        let preamble = &mut self.preamble;
        let attribute = preamble.attribute.take();
        let near = preamble.last + 1 == row || preamble.last == row && attribute.is_some();
        let (top, source) = (std::mem::take(&mut preamble.first) == 0, self.source);
        preamble.last = 0;
        if !near {
            preamble.comments.clear();
            return (row, String::new());
        }
        let first = attribute.unwrap_or(row).min(row);
        if preamble.comments.is_empty() {
            return (first, String::new());
        }
        let pieces: Vec<&[u8]> =
            preamble.comments.drain(..).filter_map(|(from, to)| source.get(from..to)).collect();
        (first, text::above(&pieces, top))
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

fn line(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}
