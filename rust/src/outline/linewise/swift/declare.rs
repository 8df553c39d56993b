//! Functions, types, initialisers, subscripts and aliases: from the keyword to the body, or to the end where there
//! is none.

use super::value::{annotation_end, group_end, is_over, operator_end, type_end, types_end};
use super::{Run, Scan};
use crate::outline::SymbolKind::{
    self, Class, Constructor, Enum, Function, Interface, Method, Property, Struct, Type,
};
use crate::outline::collect::{Open, Start};
use crate::outline::linewise::lex::{
    holds_declaration, ident_end, skip, skip_lines, word_at, word_end,
};
use crate::outline::linewise::pass::{Body, Frame};
use crate::outline::scanner::Unsure;
use crate::outline::scope::Place;
use crate::outline::text;

/// The head of something, from after its name or parameters.
struct Head {
    /// After its last byte that is no comment or white space.
    end: usize,
    /// Where its body begins.
    body: Option<usize>,
}

impl Scan<'_> {
    /// What the keyword from `at` to `end` declares.
    pub(super) fn declaration(&mut self, run: Run, at: usize, end: usize) -> Result<(), Unsure> {
        match &self.pass.source[at..end] {
            b"func" => self.function(run, end),
            b"struct" => self.type_(run, end, Struct),
            b"enum" => self.type_(run, end, Enum),
            b"protocol" => self.type_(run, end, Interface),
            b"extension" => self.extension(end),
            b"typealias" => self.alias(run, end),
            b"macro" => Err(Unsure("a macro")),
            _ => self.type_(run, end, Class),
        }
    }

    fn type_(&mut self, run: Run, at: usize, kind: SymbolKind) -> Result<(), Unsure> {
        let source = self.pass.source;
        let from = skip(source, at)?;
        let end = ident_end(source, from).ok_or(Unsure("a type without a name"))?;
        let body = self.body(end)?;
        let name = &source[from..end];
        let definition = self.define(run, kind, name, Some(body));
        let entered = self.pass.collector.scope_of(name, Place::Type);
        let inside = if kind == Interface { Body::Requirements } else { Body::Members };
        self.members(definition, entered, body, inside)
    }

    fn extension(&mut self, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let from = skip(source, at)?;
        let end = type_end(source, from)?;
        let body = self.body(end)?;
        let name = text::name(&source[from..end]);
        let bare = name.split('<').next().unwrap_or_default();
        let entered = self.pass.collector.enter(Some(bare), Place::Type);
        self.members(None, entered, body, Body::Members)
    }

    /// Go into the body of a type.
    fn members(
        &mut self,
        definition: Option<Open>,
        entered: bool,
        at: usize,
        body: Body,
    ) -> Result<(), Unsure> {
        if !entered {
            return Err(Unsure("names nested too deep"));
        }
        self.pass.at = at;
        let (close, scope, control) = (b'}', true, false);
        self.pass.open(Frame::Bracket { close, body, definition, scope, control })
    }

    /// Where the body of a type begins, from after its name.
    fn body(&self, at: usize) -> Result<usize, Unsure> {
        let head = self.head(at)?;
        head.body.ok_or(Unsure("a type without a body"))
    }

    /// The head of something, up to its body or the end of its line.
    fn head(&self, mut at: usize) -> Result<Head, Unsure> {
        let source = self.pass.source;
        let mut wanted = false;
        loop {
            let (next, line) = skip_lines(source, at)?;
            let over = Head { end: at, body: None };
            let Some(&byte) = source.get(next) else { return Ok(over) };
            if line && !wanted && is_over(source, next) {
                return Ok(over);
            }
            wanted = false;
            at = match byte {
                b'{' => return Ok(Head { end: next, body: Some(next) }),
                b';' | b'}' | b')' | b']' => return Ok(over),
                b'<' => types_end(source, next)?,
                b'(' | b'[' => group_end(source, next)?,
                b'@' => {
                    wanted = true;
                    annotation_end(source, next)?
                }
                b':' | b',' | b'&' | b'.' | b'~' => {
                    wanted = true;
                    next + 1
                }
                b'-' | b'=' => {
                    wanted = true;
                    operator_end(source, next)
                }
                b'?' | b'!' => next + 1,
                _ => {
                    let end =
                        ident_end(source, next).ok_or(Unsure("a head of an unknown shape"))?;
                    wanted = &source[next..end] == b"where";
                    end
                }
            };
        }
    }

    fn function(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let unknown = Unsure("a function of an unknown shape");
        let from = skip(source, at)?;
        let end = match ident_end(source, from) {
            Some(end) => end,
            None => {
                let end = operator_end(source, from);
                if end == from || !matches!(source.get(end), Some(b'(' | b' ')) {
                    return Err(unknown);
                }
                end
            }
        };
        self.callable(run, Function, &source[from..end], end)
    }

    pub(super) fn initialiser(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let sign = matches!(self.pass.source.get(at), Some(b'?' | b'!'));
        self.callable(run, Constructor, b"init", at + usize::from(sign))
    }

    pub(super) fn deinitialiser(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let body = skip(self.pass.source, at)?;
        if self.pass.source.get(body) != Some(&b'{') {
            return Err(Unsure("a head of an unknown shape"));
        }
        let definition = self.define(run, Method, b"deinit", Some(body));
        self.block(definition, b"deinit", body)
    }

    pub(super) fn subscript(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        self.callable(run, Property, b"subscript", at)
    }

    /// Something with parameters, from after its name.
    fn callable(
        &mut self,
        run: Run,
        kind: SymbolKind,
        name: &[u8],
        at: usize,
    ) -> Result<(), Unsure> {
        let source = self.pass.source;
        let mut open = skip(source, at)?;
        if source.get(open) == Some(&b'<') {
            open = skip(source, types_end(source, open)?)?;
        }
        if source.get(open) != Some(&b'(') {
            return Err(Unsure("a function without parameters"));
        }
        let mut end = group_end(source, open)?;
        if holds_declaration(&source[open..end]) {
            return Err(Unsure("a declaration in a parameter"));
        }
        loop {
            let (next, line) = skip_lines(source, end)?;
            let word = word_at(source, next);
            if source.get(next..next + 2) == Some(b"->") {
                end = type_end(source, next + 2)?;
                continue;
            }
            if !matches!(word, b"async" | b"throws" | b"rethrows" | b"reasync")
                || line && word.is_empty()
            {
                break;
            }
            end = word_end(source, next);
            if source.get(end) == Some(&b'(') {
                end = group_end(source, end)?;
            }
        }
        let head = self.head(end)?;
        let definition = self.define(run, kind, name, head.body);
        match head.body {
            Some(body) => self.block(definition, name, body),
            None => {
                self.finish(definition, head.end);
                Ok(())
            }
        }
    }

    fn alias(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let unknown = Unsure("an alias of an unknown shape");
        let from = skip(source, at)?;
        let end = ident_end(source, from).ok_or(unknown)?;
        let mut next = skip(source, end)?;
        if source.get(next) == Some(&b'<') {
            next = skip(source, types_end(source, next)?)?;
        }
        if source.get(next) != Some(&b'=') {
            return Err(unknown);
        }
        let last = type_end(source, next + 1)?;
        if word_at(source, skip(source, last)?) == b"where" {
            return Err(unknown);
        }
        let definition = self.define(run, Type, &source[from..end], None);
        self.finish(definition, last);
        Ok(())
    }

    pub(super) fn define(
        &mut self,
        run: Run,
        kind: SymbolKind,
        name: &[u8],
        until: Option<usize>,
    ) -> Option<Open> {
        let signature = run.signature.unwrap_or(run.start);
        self.pass.collector.define(&Start { kind, name, at: run.start, signature, until })
    }

    /// Go into the block that is the body of something.
    pub(super) fn block(
        &mut self,
        definition: Option<Open>,
        name: &[u8],
        at: usize,
    ) -> Result<(), Unsure> {
        if !self.pass.collector.scope_of(name, Place::Function) {
            return Err(Unsure("names nested too deep"));
        }
        self.pass.at = at;
        let (close, body, scope, control) = (b'}', Body::Code, true, false);
        self.pass.open(Frame::Bracket { close, body, definition, scope, control })
    }

    /// Something ends before this byte, and nothing in it is looked at.
    pub(super) fn finish(&mut self, definition: Option<Open>, end: usize) {
        self.pass.at = end;
        if let Some(definition) = definition {
            self.pass.collector.end(definition, end);
        }
    }
}
