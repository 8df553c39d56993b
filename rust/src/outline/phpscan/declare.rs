//! Statements that declare something, from the first attribute up to the body. What stands in a type is read by
//! `members`.

use super::lex::{
    self, group_end, ident_end, is, qualified_end, skip_attributes, skip_space, token_end,
};
use super::{Class, Frame, Open, Place, Scan, Unsure, class, word_end};
use crate::outline::SymbolKind::{self, Constant, Enum, Function, Interface, Namespace, Trait};
use crate::outline::collect::Start;

/// Where a declaration and its signature begin.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    pub(super) at: usize,
    pub(super) signature: usize,
}

impl<'s> Scan<'s> {
    /// A word or an attribute, where a statement or a member may begin.
    pub(super) fn begin(&mut self) -> Result<(), Unsure> {
        let signature = skip_attributes(self.source, self.at)?;
        let begin = Begin { at: self.at, signature };
        if self.in_members() {
            return self.member(begin);
        }
        if !self.statement(begin)? {
            self.fresh = false;
            if begin.at == begin.signature {
                return self.word();
            }
            self.at = begin.signature; // attributes of a function without a name
        }
        Ok(())
    }

    /// A statement, if it is one that declares something.
    fn statement(&mut self, begin: Begin) -> Result<bool, Unsure> {
        let source = self.source;
        let at = begin.signature;
        let Some(end) = ident_end(source, at) else { return Ok(false) };
        let word = &source[at..end];
        match word[0].to_ascii_lowercase() {
            b'a' if is(word, "abstract") => self.class(begin, at),
            b'f' if is(word, "function") => self.function(begin, end),
            b'f' if is(word, "final") => self.class(begin, at),
            b'r' if is(word, "readonly") => self.class(begin, at),
            b'p' if ["public", "protected", "private"].iter().any(|one| is(word, one)) => {
                Err(Unsure("a member outside of a type"))
            }
            b'c' if is(word, "class") => self.class(begin, at),
            b'c' if is(word, "const") => self.constants(begin, end).map(|()| true),
            b'i' if is(word, "interface") => self.type_(begin, end, Interface),
            b't' if is(word, "trait") => self.type_(begin, end, Trait),
            b'e' if is(word, "enum") => self.type_(begin, end, Enum),
            b'n' if is(word, "namespace") => self.namespace(begin, end),
            b'u' if is(word, "use") => {
                let end = self.semicolon_at(end)?;
                self.at = end;
                Ok(true)
            }
            b'_' if is(word, "__halt_compiler") => {
                self.at = source.len();
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// From after `function` or `fn` to what follows the parameters.
    pub(super) fn parameters(&self, at: usize) -> Result<Option<usize>, Unsure> {
        let source = self.source;
        let mut at = skip_space(source, at)?;
        if source.get(at) == Some(&b'&') {
            at = skip_space(source, at + 1)?;
        }
        if source.get(at) != Some(&b'(') {
            return Ok(None);
        }
        skip_space(source, group_end(source, at)?).map(Some)
    }

    /// Behind the type that a function gives, if one is at `at`.
    pub(super) fn return_type(&self, mut at: usize) -> Result<usize, Unsure> {
        let source = self.source;
        if source.get(at) != Some(&b':') {
            return Ok(at);
        }
        at += 1;
        while let Some(&byte) = source.get(at) {
            at = match byte {
                b'|' | b'&' | b'?' | b'(' | b')' | b'\\' => at + 1,
                b'/' | b'#' => match lex::comment_end(source, at)? {
                    Some(end) => end,
                    None => break,
                },
                _ if class(byte) == Class::Blank => at + 1,
                _ if class(byte) == Class::Word => word_end(source, at),
                _ => break,
            };
        }
        Ok(at)
    }

    pub(super) fn define(
        &mut self,
        kind: SymbolKind,
        name: &[u8],
        begin: Begin,
        until: Option<usize>,
    ) -> Option<Open> {
        let Begin { at, signature } = begin;
        self.collector.define(&Start { kind, name, at, signature, until })
    }

    /// Where a head ends: at the next `{` or `;` outside of brackets.
    pub(super) fn head_end(&self, mut at: usize) -> Result<usize, Unsure> {
        let source = self.source;
        while let Some(&byte) = source.get(at) {
            at = match class(byte) {
                Class::Semicolon => return Ok(at),
                Class::Opening if byte == b'{' => return Ok(at),
                Class::Opening => group_end(source, at)?,
                Class::Closing => return Err(Unsure("a bracket in the head of a declaration")),
                Class::Quote | Class::Comment | Class::Tag => token_end(source, at, 0)?,
                _ => at + 1,
            };
        }
        Err(Unsure("a declaration without an end"))
    }

    /// Behind the next semicolon outside of brackets, or at the closing tag that stands for one.
    pub(super) fn semicolon_at(&self, mut at: usize) -> Result<usize, Unsure> {
        let source = self.source;
        while let Some(&byte) = source.get(at) {
            at = match class(byte) {
                Class::Semicolon => return Ok(at + 1),
                Class::Opening => group_end(source, at)?,
                Class::Closing => return Err(Unsure("a bracket in a declaration")),
                Class::Tag if source[at..].starts_with(b"?>") => return Ok(at),
                Class::Quote | Class::Comment | Class::Tag => token_end(source, at, 0)?,
                _ => at + 1,
            };
        }
        Err(Unsure("a declaration without an end"))
    }

    /// From `abstract`, `final`, `readonly` or `class` on.
    fn class(&mut self, begin: Begin, mut at: usize) -> Result<bool, Unsure> {
        let source = self.source;
        while let Some(end) = ident_end(source, at) {
            let word = &source[at..end];
            if is(word, "class") {
                return self.type_(begin, end, SymbolKind::Class);
            }
            if !is(word, "abstract") && !is(word, "final") && !is(word, "readonly") {
                break;
            }
            at = skip_space(source, end)?;
        }
        // `readonly` may be the name of a function.
        match source.get(at) {
            Some(b'(') => Ok(false),
            _ => Err(Unsure("a modifier of no class")),
        }
    }

    /// After the word that says what kind of type it is.
    fn type_(&mut self, begin: Begin, at: usize, kind: SymbolKind) -> Result<bool, Unsure> {
        let source = self.source;
        let at = skip_space(source, at)?;
        let Some(end) = ident_end(source, at) else {
            return match kind {
                Enum => Ok(false), // a name like any other
                _ => Err(Unsure("a type without a name")),
            };
        };
        let name = &source[at..end];
        if kind == Enum && (is(name, "extends") || is(name, "implements") || is(name, "instanceof"))
        {
            return Ok(false);
        }
        let brace = self.head_end(end)?;
        if source[brace] != b'{' {
            return Err(Unsure("a type without a body"));
        }
        let definition = self.define(kind, name, begin, Some(brace));
        self.at = brace;
        if self.collector.scope_of(name, Place::Type) {
            self.push(Frame::Members(definition))?;
            self.at += 1;
            self.fresh = true;
        } else {
            self.pass(definition)?;
        }
        Ok(true)
    }

    /// Pass over the braces at the current byte, in which nothing is reported.
    fn pass(&mut self, definition: Option<Open>) -> Result<(), Unsure> {
        self.at = group_end(self.source, self.at)?;
        if let Some(definition) = definition {
            self.collector.end(definition, self.at);
        }
        self.anew();
        Ok(())
    }

    fn namespace(&mut self, begin: Begin, at: usize) -> Result<bool, Unsure> {
        let source = self.source;
        let at = skip_space(source, at)?;
        if source.get(at) == Some(&b'\\') {
            return Ok(false); // `namespace\name`
        }
        let end = ident_end(source, at).map_or(at, |end| qualified_end(source, end));
        let name = &source[at..end];
        let after = skip_space(source, end)?;
        let rest = source.get(after..).unwrap_or_default();
        match rest {
            [b'{', ..] if name.is_empty() => {
                self.at = after;
                self.bracket(b'{', None)?;
            }
            [b'{', ..] => {
                self.leave_rest();
                let definition = self.define(Namespace, name, begin, Some(after));
                self.at = after;
                self.body(name, definition, Place::Open)?;
            }
            [b';', ..] | [b'?', b'>', ..] if self.open.is_empty() && !name.is_empty() => {
                self.leave_rest();
                let definition = self.define(Namespace, name, begin, None);
                self.at = if rest[0] == b';' { after + 1 } else { end };
                if let Some(definition) = definition {
                    self.collector.end(definition, self.at);
                }
                self.rest = self.collector.scope_of(name, Place::Open);
            }
            _ => return Err(Unsure("a namespace of an unknown kind")),
        }
        Ok(true)
    }

    /// `namespace b` ends `namespace a;`.
    fn leave_rest(&mut self) {
        if self.rest && self.open.is_empty() {
            self.collector.leave();
            self.rest = false;
        }
    }

    /// Go into the braces of a definition, at the current byte.
    pub(super) fn body(
        &mut self,
        name: &[u8],
        definition: Option<Open>,
        place: Place,
    ) -> Result<(), Unsure> {
        if !self.collector.scope_of(name, place) {
            return self.pass(definition);
        }
        self.push(Frame::Bracket { close: b'}', scope: true, definition })?;
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// After `function`, where a statement begins.
    fn function(&mut self, begin: Begin, at: usize) -> Result<bool, Unsure> {
        let source = self.source;
        let mut at = skip_space(source, at)?;
        if source.get(at) == Some(&b'&') {
            at = skip_space(source, at + 1)?;
        }
        let Some(end) = ident_end(source, at) else { return Ok(false) };
        let name = &source[at..end];
        let Some(after) = self.parameters(end)? else {
            return Err(Unsure("a function without parameters"));
        };
        let brace = self.return_type(after)?;
        if source.get(brace) != Some(&b'{') {
            return Err(Unsure("a function without a body"));
        }
        let definition = self.define(Function, name, begin, Some(brace));
        self.at = brace;
        self.body(name, definition, Place::Function)?;
        Ok(true)
    }

    /// After `const`: names and values up to the semicolon. A type may stand before the first name.
    pub(super) fn constants(&mut self, begin: Begin, mut at: usize) -> Result<(), Unsure> {
        let source = self.source;
        let mut names: Vec<&'s [u8]> = Vec::new();
        let mut last: &[u8] = b"";
        let mut value = false;
        let end = loop {
            let Some(&byte) = source.get(at) else {
                return Err(Unsure("a declaration without an end"));
            };
            at = match class(byte) {
                Class::Word => {
                    let end = word_end(source, at);
                    last = &source[at..end];
                    end
                }
                Class::Semicolon => break at + 1,
                Class::Comma => {
                    value = false;
                    at + 1
                }
                Class::Opening => group_end(source, at)?,
                Class::Closing => return Err(Unsure("a bracket in a declaration")),
                Class::Tag if source[at..].starts_with(b"?>") => {
                    break source[..at].trim_ascii_end().len();
                }
                Class::Quote | Class::Comment | Class::Tag => token_end(source, at, 0)?,
                _ => {
                    if byte == b'=' && !value {
                        value = true;
                        names.push(last);
                    }
                    at + 1
                }
            };
        };
        self.at = end.max(begin.signature);
        for name in names {
            if let Some(definition) = self.define(Constant, name, begin, None) {
                self.collector.end(definition, self.at);
            }
        }
        self.anew();
        Ok(())
    }
}
