//! Properties: which are reported and as what, and where they end, accessors included.

use super::value::{accessor, group_end, type_end, value_end};
use super::{Run, Scan};
use crate::outline::SymbolKind::{Constant, Property, Variable};
use crate::outline::collect::Start;
use crate::outline::linewise::lex::{skip, word_at};
use crate::outline::scanner::Unsure;
use crate::outline::scope::Place;

/// What follows the name of a property.
struct Rest {
    end: usize,
    delegate: bool,
    /// Where its getter begins.
    getter: Option<usize>,
}

impl Scan<'_> {
    /// The property whose keyword begins and ends at these bytes.
    pub(super) fn property(&mut self, run: Run, at: usize, end: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let named = self.named(end)?;
        if named.name.is_empty() {
            let open = skip(source, end)?;
            if self.pass.in_members() || source.get(open) != Some(&b'(') {
                return Err(Unsure("a property without a name"));
            }
            self.pass.at = group_end(source, open)?; // several names at once
            return Ok(());
        }
        let rest = self.rest(named.end)?;
        let modifiers = &source[run.start..run.end];
        let constant = modifiers.split(|byte| *byte == b' ').any(|word| word == b"const");
        let code = rest.delegate || rest.getter.is_some();
        let loud = named.name.len() > 1 && !named.name.iter().any(u8::is_ascii_lowercase);
        let kind = match () {
            () if constant || loud && !code => Constant,
            () if code => Property,
            () => Variable,
        };
        let start = Start {
            kind,
            name: named.name,
            at: run.start,
            signature: run.signature.unwrap_or(at),
            until: rest.getter,
        };
        let owner = named.owner.as_deref();
        let definition = self.pass.collector.define_in(&start, owner);
        if memchr::memchr(b'{', &source[named.end..rest.end]).is_none() {
            self.finish(definition, rest.end);
            return Ok(());
        }
        let entered = match kind {
            Property => self.enter(named.name, owner),
            _ => self.pass.collector.enter(None, Place::Function),
        };
        if !entered {
            return Err(Unsure("names nested too deep"));
        }
        self.pass.at = named.end;
        self.pass.value(rest.end, definition, true)
    }

    /// Type, value and accessors of a property, from after its name.
    fn rest(&self, mut end: usize) -> Result<Rest, Unsure> {
        let source = self.pass.source;
        let mut delegate = false;
        let mut next = skip(source, end)?;
        if source.get(next) == Some(&b':') {
            end = type_end(source, next + 1)?;
            next = skip(source, end)?;
        }
        if word_at(source, next) == b"where" {
            end = self.constraints(next + b"where".len())?;
            next = skip(source, end)?;
        }
        if source.get(next) == Some(&b'=') {
            end = value_end(source, next + 1)?;
        } else if word_at(source, next) == b"by" {
            delegate = true;
            end = value_end(source, next + b"by".len())?;
        }
        let mut getter = None;
        for _ in 0..2 {
            next = skip(source, end)?;
            let behind = match source.get(next) {
                Some(b';') => skip(source, next + 1)?,
                _ => next,
            };
            let Some(found) = accessor(source, behind)? else { break };
            if found.getter {
                getter.get_or_insert(found.start);
            }
            end = found.end;
        }
        Ok(Rest { end, delegate, getter })
    }
}
