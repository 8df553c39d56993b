//! The place in a source, and the definitions made so far: what both languages share.
//!
//! The rules for what a definition takes from its surroundings are those of [`crate::outline::visit`]: its
//! documentation is the run of comments directly above, each first on its line; the scopes around it are
//! joined with dots; what a scope with too long a name holds is not reported.

use memchr::memchr;

use super::lex::{self, BLANK, SIGN, WORD};
use crate::outline::brackets::closing;
use crate::outline::scanner::Unsure;
use crate::outline::scope::{Path, Place};
use crate::outline::{SYMBOL_LIMIT, Symbol, SymbolKind, text};

/// Deepest nesting of what recurses: definitions in definitions.
const DEPTH_LIMIT: usize = 60;

/// Where a definition stands that was begun and not yet finished.
pub(super) type Index = usize;

/// A scope to be left: what [`Draft::enter`] gives and [`Draft::leave`] takes.
#[must_use]
pub(super) struct Outside {
    entered: bool,
    muted: bool,
}

/// One pass over one source.
pub(super) struct Draft<'s, 'o> {
    pub source: &'s [u8],
    /// Where the scanner is.
    pub pos: usize,
    out: &'o mut Vec<Symbol>,
    /// Where a literal ends, by language.
    literal: fn(&[u8], usize) -> Option<usize>,
    /// Why the scanner is not sure; the first reason stands.
    doubt: Option<&'static str>,
    path: Path,
    /// How many scopes are open.
    depth: usize,
    /// In a scope whose definitions are not reported.
    muted: bool,
    /// The comments since the last definition, as byte ranges.
    pub comments: Vec<(usize, usize)>,
    /// The brackets that are open, by what closes them.
    pub open: Vec<u8>,
    /// A position and its line: lines are counted between the positions that are asked for.
    line: (usize, u32),
    /// Bytes looked at more than once, so that a test can count.
    pub again: u64,
}

impl<'s, 'o> Draft<'s, 'o> {
    pub fn new(
        source: &'s [u8],
        literal: fn(&[u8], usize) -> Option<usize>,
        out: &'o mut Vec<Symbol>,
    ) -> Self {
        Self {
            source,
            pos: 0,
            out,
            literal,
            doubt: None,
            path: Path::default(),
            depth: 0,
            muted: false,
            comments: Vec::new(),
            open: Vec::new(),
            line: (0, 1),
            again: 0,
        }
    }

    /// The scanner is not sure from here on.
    pub fn doubt(&mut self, why: &'static str) {
        self.doubt.get_or_insert(why);
    }

    /// How many bytes were looked at, and whether the scanner is sure.
    pub fn end(&self) -> (u64, Result<(), Unsure>) {
        (self.again + self.pos as u64, self.doubt.map_or(Ok(()), |why| Err(Unsure(why))))
    }

    /// More definitions than anybody wants: the pass may end.
    pub fn is_full(&self) -> bool {
        self.out.len() > SYMBOL_LIMIT
    }

    pub fn peek(&self) -> Option<u8> {
        self.source.get(self.pos).copied()
    }

    /// The word that starts here, which is then passed; empty if none does.
    pub fn word(&mut self) -> &'s [u8] {
        let start = self.pos;
        self.pos = lex::skip(self.source, start, WORD);
        &self.source[start..self.pos]
    }

    /// Pass the comment that starts here, if one does; its start if so.
    pub fn comment(&mut self) -> Option<usize> {
        let (end, closed) = lex::comment_end(self.source, self.pos)?;
        if !closed {
            self.doubt("a comment without an end");
        }
        Some(std::mem::replace(&mut self.pos, end))
    }

    /// Pass the literal that starts here, or only its quote if it has no end.
    pub fn literal(&mut self) {
        if let Some(end) = (self.literal)(self.source, self.pos) {
            self.pos = end;
        } else {
            self.doubt("a literal without an end");
            self.pos += 1;
        }
    }

    /// Pass white space and comments that document nothing.
    pub fn space(&mut self) {
        loop {
            self.pos = lex::skip(self.source, self.pos, BLANK);
            if self.peek() != Some(b'/') || self.comment().is_none() {
                return;
            }
        }
    }

    /// Pass white space and comments, which may document what comes next.
    pub fn gap(&mut self) {
        loop {
            self.pos = lex::skip(self.source, self.pos, BLANK);
            let Some(start) = (self.peek() == Some(b'/')).then(|| self.comment()).flatten() else {
                return;
            };
            self.note(start);
        }
    }

    /// Keep the comment that has just been passed.
    pub fn note(&mut self, start: usize) {
        if !self.muted {
            self.comments.push((start, self.pos));
        }
    }

    /// Pass an opening bracket.
    pub fn push(&mut self, byte: u8) {
        self.open.push(closing(byte));
        self.pos += 1;
    }

    /// Pass a closing bracket. One that does not close what was opened last closes nothing.
    pub fn pop(&mut self, byte: u8) {
        self.pos += 1;
        match self.open.pop() {
            Some(expected) if expected == byte => {}
            Some(expected) => {
                self.open.push(expected);
                self.doubt("brackets that do not match");
            }
            None => self.doubt("brackets that do not match"),
        }
    }

    /// From an opening bracket to after the one that closes it; nothing in between is looked at.
    pub fn group(&mut self) {
        let base = self.open.len();
        loop {
            self.pos = lex::find(self.source, self.pos, SIGN);
            match self.peek() {
                None => {
                    self.doubt("brackets without an end");
                    self.open.truncate(base);
                    return;
                }
                Some(byte @ (b'(' | b'[' | b'{')) => self.push(byte),
                Some(byte @ (b')' | b']' | b'}')) => self.pop(byte),
                Some(b'/') => {
                    if self.comment().is_none() {
                        self.pos += 1;
                    }
                }
                Some(b'\\') => {
                    self.doubt("a backslash");
                    self.pos += 1;
                }
                Some(_) => self.literal(),
            }
            if self.open.len() <= base {
                return;
            }
        }
    }

    /// The 1-based line of a byte.
    fn line_at(&mut self, at: usize) -> u32 {
        let (known, line) = self.line;
        let count = |bytes: &[u8]| {
            u32::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
        };
        let at = at.min(self.source.len());
        self.again += known.abs_diff(at) as u64;
        let line = if at >= known {
            line.saturating_add(count(&self.source[known..at]))
        } else {
            line - count(&self.source[at..known])
        };
        self.line = (at, line);
        line
    }

    /// Report a definition that begins at `start`, with the comments above it as documentation. What is known
    /// only at its end is set by [`Draft::finish`].
    pub fn begin(
        &mut self,
        kind: SymbolKind,
        name: &[u8],
        owner: Option<&str>,
        start: usize,
    ) -> Option<Index> {
        self.begin_above(kind, name, owner, start, self.comments.len())
    }

    /// The same with only the first `above` comments; the later ones stay for what comes next.
    pub fn begin_above(
        &mut self,
        kind: SymbolKind,
        name: &[u8],
        owner: Option<&str>,
        start: usize,
        above: usize,
    ) -> Option<Index> {
        if self.muted || self.is_full() {
            return None;
        }
        let name = if name.len() <= text::NAME_LIMIT && name.is_ascii() {
            String::from_utf8_lossy(name).into_owned()
        } else {
            text::name(name)
        };
        if name.is_empty() {
            return None;
        }
        let doc = if above == 0 { String::new() } else { self.claim(start, above) };
        let line = self.line_at(start);
        let parent = self.path.parent(owner);
        let (start, end, signature) = (line, line, String::new());
        self.out.push(Symbol { name, kind, parent, start, end, signature, doc });
        Some(self.out.len() - 1)
    }

    /// The end of a definition, and where its signature lies.
    pub fn finish(&mut self, index: Option<Index>, end: usize, signature: (usize, usize)) {
        let Some(index) = index else { return };
        let line = self.line_at(end.saturating_sub(1));
        let text = self.signature(signature);
        if let Some(symbol) = self.out.get_mut(index) {
            symbol.end = line.max(symbol.start);
            symbol.signature = text;
        }
    }

    /// The same for definitions that share it: `a, b = 1, 2`.
    pub fn finish_all(&mut self, all: std::ops::Range<Index>, end: usize, from: usize) {
        if all.is_empty() || all.end > self.out.len() {
            return;
        }
        self.finish(Some(all.start), end, (from, end));
        let (before, shared) = self.out.split_at_mut(all.start + 1);
        let Some(first) = before.last() else { return };
        for symbol in shared.iter_mut().take(all.len() - 1) {
            symbol.end = first.end;
            symbol.signature.clone_from(&first.signature);
        }
    }

    /// How many definitions there are.
    pub fn count(&self) -> usize {
        self.out.len()
    }

    fn signature(&mut self, (from, to): (usize, usize)) -> String {
        let to = to.clamp(from, from + text::RAW_LIMIT).min(self.source.len());
        let raw = self.source.get(from..to).unwrap_or_default();
        let mut gaps = Vec::new();
        let mut at = 0;
        if memchr(b'/', raw).is_some() {
            self.again += raw.len() as u64;
            while at < raw.len() {
                at = lex::find(raw, at, SIGN);
                match raw.get(at) {
                    Some(b'/') => {
                        if let Some((end, _)) = lex::comment_end(raw, at) {
                            gaps.push((at, end));
                            at = end;
                        } else {
                            at += 1;
                        }
                    }
                    // A literal that is cut is the last thing here.
                    Some(b'"' | b'\'' | b'`') => {
                        at = (self.literal)(raw, at).unwrap_or(raw.len());
                    }
                    _ => at += 1,
                }
            }
        }
        text::signature(raw, &gaps)
    }

    /// The documentation of a definition that begins at `start`, from the first `above` comments. Whether
    /// there is any or not, they are used up.
    fn claim(&mut self, start: usize, above: usize) -> String {
        let source = self.source;
        let mut comments = std::mem::take(&mut self.comments);
        let later = comments.split_off(above.min(comments.len()));
        let mut pieces: Vec<&[u8]> = Vec::new();
        let (mut first, mut next) = (start, start);
        for &(from, to) in comments.iter().rev() {
            // What follows code on its line is about that code, what is marked with `!` about what is around.
            let before = source[..from].iter().rev();
            let mut blank = before.take_while(|byte| **byte != b'\n').inspect(|_| self.again += 1);
            let piece = &source[from..to];
            if piece.starts_with(b"//!")
                || piece.starts_with(b"/*!")
                || !blank.all(u8::is_ascii_whitespace)
            {
                continue;
            }
            let between = &source[to.min(next)..next];
            let lines = memchr::memchr_iter(b'\n', between).take(2).count();
            self.again += between.len().min(1 << 16) as u64;
            if lines > 1 || lines == 0 && pieces.is_empty() {
                break;
            }
            pieces.push(piece);
            (first, next) = (from, from);
        }
        comments.clear();
        comments.extend(later);
        self.comments = comments;
        if pieces.is_empty() {
            return String::new();
        }
        pieces.reverse();
        text::above(&pieces, memchr(b'\n', &source[..first]).is_none())
    }

    /// Open a scope of this name: what is defined until [`Draft::leave`] lies in it.
    pub fn enter(&mut self, owner: Option<&str>, name: &[u8]) -> Outside {
        let name = text::name(name);
        self.depth += 1;
        let muted = self.muted;
        let entered = match owner {
            _ if name.is_empty() => self.path.enter(None, Place::Open),
            Some(owner) => self.path.enter(Some(&[owner, ".", &name].concat()), Place::Open),
            None => self.path.enter(Some(&name), Place::Open),
        };
        self.muted |= !entered;
        Outside { entered, muted }
    }

    pub fn leave(&mut self, outside: Outside) {
        self.depth -= 1;
        if outside.entered {
            self.path.leave();
        }
        self.muted = outside.muted;
    }

    /// Whether scopes nest too deep to go further in; the scanner is not sure then.
    pub fn is_deep(&mut self) -> bool {
        let deep = self.depth >= DEPTH_LIMIT;
        if deep {
            self.doubt("definitions nested too deep");
        }
        deep
    }

    /// Go into, or out of, what nests and has no name.
    pub fn nest(&mut self, deeper: bool) {
        self.depth = if deeper { self.depth + 1 } else { self.depth - 1 };
    }
}
