//! Properties: which are computed, which are constants, and where they end.

use super::value::{group_end, type_end, value_end};
use super::{Run, Scan};
use crate::outline::SymbolKind::{Constant, Property, Variable};
use crate::outline::linewise::lex::{ident_end, skip, word_at};
use crate::outline::scanner::Unsure;
use crate::outline::scope::Place;

impl Scan<'_> {
    /// The property whose keyword begins and ends at these bytes.
    pub(super) fn property(&mut self, run: Run, at: usize, end: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let from = skip(source, end)?;
        let Some(after) = ident_end(source, from) else {
            if source.get(from) != Some(&b'(') {
                return Err(Unsure("a property without a name"));
            }
            return self.several(from);
        };
        let name = &source[from..after];
        let (last, computed) = self.rest(after)?;
        let shared = source[run.start..run.end].windows(6).any(|word| word == b"static");
        let fixed = &source[at..end] == b"let";
        if self.pass.in_requirements() {
            if computed.is_none() {
                return Err(Unsure("a requirement without accessors"));
            }
            let definition = self.define(run, Property, name, None);
            self.finish(definition, last);
            return Ok(());
        }
        let open = self.pass.collector.place() == Place::Open;
        let kind = match () {
            () if computed.is_some() => Property,
            () if fixed && (shared || open) => Constant,
            () => Variable,
        };
        let brace = memchr::memchr(b'{', &source[run.start..last]).map(|brace| run.start + brace);
        let until = computed.or(brace);
        let definition = self.define(run, kind, name, until);
        if let Some(body) = computed {
            return self.block(definition, name, body);
        }
        if brace.is_none() {
            self.finish(definition, last);
            return Ok(());
        }
        self.pass.collector.enter(None, Place::Function);
        self.pass.at = after;
        self.pass.value(last, definition, true)
    }

    /// `let (a, b) = c`: the names are not reported.
    fn several(&mut self, from: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let names = group_end(source, from)?;
        if !self.pass.in_members() {
            self.pass.at = names;
            return Ok(());
        }
        let (last, _) = self.rest(names)?;
        self.pass.collector.enter(None, Place::Function);
        self.pass.at = names;
        self.pass.value(last, None, true)
    }

    /// From after the name: where the property ends, and where the block begins that computes it.
    fn rest(&self, mut end: usize) -> Result<(usize, Option<usize>), Unsure> {
        let source = self.pass.source;
        let mut next = skip(source, end)?;
        if source.get(next) == Some(&b':') {
            end = type_end(source, next + 1)?;
            next = skip(source, end)?;
        }
        Ok(match source.get(next) {
            Some(b'=') => (value_end(source, next + 1)?, None),
            Some(b',') => (value_end(source, next + 1)?, None),
            Some(b'{') => {
                let last = group_end(source, next)?;
                let mut first = skip(source, next + 1)?;
                while source.get(first) == Some(&b'@') {
                    first = skip(source, super::annotation_end(source, first)?)?;
                }
                let observed = matches!(word_at(source, first), b"willSet" | b"didSet");
                (last, (!observed).then_some(next))
            }
            _ => (end, None),
        })
    }
}
