//! The members of a type: methods and constants, and what is passed over: properties, cases and traits used.

use super::declare::Begin;
use super::lex::{group_end, ident_end, is, skip_space, token_end};
use super::{Class, Place, Scan, Unsure, class};
use crate::outline::SymbolKind::{Constructor, Function};

impl Scan<'_> {
    /// One member, from its first word on.
    pub(super) fn member(&mut self, begin: Begin) -> Result<(), Unsure> {
        let source = self.source;
        let mut at = begin.signature;
        let mut modified = false;
        while let Some(end) = ident_end(source, at) {
            let word = &source[at..end];
            if is(word, "function") {
                return self.method(begin, end);
            } else if is(word, "const") {
                return self.constants(begin, end);
            } else if is(word, "use") && !modified {
                return self.used(end);
            } else if is(word, "case") && !modified {
                self.at = self.semicolon_at(end)?;
                self.anew();
                return Ok(());
            } else if !is_modifier(word) {
                if !modified {
                    return Err(Unsure("a member of an unknown kind"));
                }
                break;
            }
            modified = true;
            at = skip_space(source, end)?;
            if source.get(at) == Some(&b'(') {
                at = skip_space(source, group_end(source, at)?)?; // `private(set)`
            }
        }
        self.property(at)
    }

    /// Pass over a property, from its type or name on, with what is done when it is read or set.
    fn property(&mut self, mut at: usize) -> Result<(), Unsure> {
        let source = self.source;
        let mut named = false;
        while let Some(&byte) = source.get(at) {
            at = match class(byte) {
                Class::Variable => {
                    named = true;
                    at + 1
                }
                Class::Semicolon if named => {
                    self.at = at + 1;
                    return Ok(());
                }
                Class::Opening if byte == b'{' && named => {
                    self.at = group_end(source, at)?;
                    return Ok(());
                }
                Class::Opening => group_end(source, at)?,
                Class::Closing | Class::Semicolon => break,
                Class::Quote | Class::Comment | Class::Tag => token_end(source, at, 0)?,
                _ => at + 1,
            };
        }
        Err(Unsure("a member of an unknown kind"))
    }

    /// After `use`: names of traits, and perhaps what is taken from them.
    fn used(&mut self, at: usize) -> Result<(), Unsure> {
        let end = self.head_end(at)?;
        let block = self.source[end] == b'{';
        self.at = if block { group_end(self.source, end)? } else { end + 1 };
        Ok(())
    }

    /// After `function`.
    fn method(&mut self, begin: Begin, at: usize) -> Result<(), Unsure> {
        let source = self.source;
        let mut at = skip_space(source, at)?;
        if source.get(at) == Some(&b'&') {
            at = skip_space(source, at + 1)?;
        }
        let Some(end) = ident_end(source, at) else {
            return Err(Unsure("a method without a name"));
        };
        let name = &source[at..end];
        let Some(after) = self.parameters(end)? else {
            return Err(Unsure("a method without parameters"));
        };
        let stop = self.return_type(after)?;
        let kind = if name == b"__construct" { Constructor } else { Function };
        match source.get(stop) {
            Some(b'{') => {
                let definition = self.define(kind, name, begin, Some(stop));
                self.at = stop;
                self.body(name, definition, Place::Function)
            }
            Some(b';') => {
                self.at = stop + 1;
                if let Some(definition) = self.define(kind, name, begin, None) {
                    self.collector.end(definition, self.at);
                }
                Ok(())
            }
            _ => Err(Unsure("a method without an end")),
        }
    }
}

fn is_modifier(word: &[u8]) -> bool {
    ["public", "protected", "private", "static", "final", "abstract", "readonly", "var"]
        .iter()
        .any(|keyword| is(word, keyword))
}
