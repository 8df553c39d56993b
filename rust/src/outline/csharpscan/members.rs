//! What stands in a type beside other types: methods, operators, properties, fields; and how a type is told
//! from the name behind it.

use super::declarations::{Begin, Modifiers};
use super::lex::{
    angle_end, comment_end, directive_end, group_end, ident_end, is_blank, skip_blank,
};
use super::strings::{quote_end, string_end};
use super::{Body, Place, Scan, Unsure};
use crate::outline::SymbolKind::{self, Constant, Constructor, Method, Property};

impl<'s> Scan<'s> {
    pub(super) fn destructor(&mut self, begin: Begin, at: usize) -> Result<bool, Unsure> {
        let name = skip_blank(self.source, at + 1)?;
        let Some(after) = ident_end(self.source, name) else {
            return Err(Unsure("a destructor without a name"));
        };
        let text = [b"~", &self.source[name..after]].concat();
        self.function(begin, Method, &text, after)
    }

    /// What has parameters, from those on.
    fn function(
        &mut self,
        begin: Begin,
        kind: SymbolKind,
        name: &[u8],
        parameters: usize,
    ) -> Result<bool, Unsure> {
        let end = self.head_end(parameters)?;
        let until = matches!(self.source[end], b'{' | b'=').then_some(end);
        let definition = self.define(kind, name, begin, until);
        self.at = end;
        self.body(definition, name, Place::Function)?;
        Ok(true)
    }

    /// `implicit operator T(...)`, from after the first word.
    pub(super) fn conversion(&mut self, begin: Begin, mut at: usize) -> Result<bool, Unsure> {
        let source = self.source;
        loop {
            let Some(end) = ident_end(source, at) else {
                return Err(Unsure("an operator of an unknown kind"));
            };
            let found = &source[at..end] == b"operator";
            at = skip_blank(source, end)?;
            if found {
                break;
            }
            while source.get(at) == Some(&b'<') {
                at = angle_end(source, at)?.ok_or(Unsure("an operator of an unknown kind"))?;
            }
            if source.get(at) == Some(&b'.') {
                at = skip_blank(source, at + 1)?;
            }
        }
        if let Some(end) = ident_end(source, at)
            && &source[at..end] == b"checked"
        {
            at = skip_blank(source, end)?;
        }
        let (from, mut end) = (at, at);
        while let Some(&byte) = source.get(at) {
            at = match byte {
                b'(' if end > from => break,
                b'(' | b'[' => group_end(source, at)?,
                b'<' => angle_end(source, at)?.ok_or(Unsure("an operator of an unknown kind"))?,
                b'{' | b'}' | b';' => return Err(Unsure("an operator of an unknown kind")),
                _ if is_blank(byte) => {
                    at += 1;
                    continue;
                }
                b'/' | b'#' => {
                    at = skip_blank(source, at)?.max(at + 1);
                    continue;
                }
                _ => ident_end(source, at).unwrap_or(at + 1),
            };
            end = at;
        }
        let name = [b"operator ", &source[from..end]].concat();
        self.function(begin, Method, &name, at)
    }

    /// `operator +(...)`, from after that word.
    pub(super) fn operator(&mut self, begin: Begin, at: usize) -> Result<bool, Unsure> {
        let source = self.source;
        let mut at = skip_blank(source, at)?;
        if let Some(end) = ident_end(source, at)
            && &source[at..end] == b"checked"
        {
            at = skip_blank(source, end)?;
        }
        let length = source[at..].iter().take(16).position(|byte| *byte == b'(' || is_blank(*byte));
        let Some(length) = length.filter(|length| *length > 0) else {
            return Err(Unsure("an operator of an unknown kind"));
        };
        let name = [b"operator ", &source[at..at + length]].concat();
        self.function(begin, Method, &name, at + length)
    }

    /// A type and a name, from a byte to what follows them.
    pub(super) fn typed(&self, at: &mut usize) -> Result<Option<Typed<'s>>, Unsure> {
        let source = self.source;
        let mut found = Typed { words: 0, tuple: false, name: b"" };
        let mut qualified = false;
        while let Some(&byte) = source.get(*at) {
            let end = match byte {
                b'(' if found.words == 0 && !found.tuple => {
                    found.tuple = true;
                    group_end(source, *at)?
                }
                b'[' if found.name == b"this" => break,
                b'[' => group_end(source, *at)?,
                b'<' => match angle_end(source, *at)? {
                    Some(end) => end,
                    None => return Ok(None),
                },
                b'?' | b'*' => *at + 1,
                b'.' => {
                    qualified = true;
                    *at += 1;
                    *at = skip_blank(source, *at)?;
                    continue;
                }
                b':' if source.get(*at + 1) == Some(&b':') => {
                    qualified = true;
                    *at += 2;
                    continue;
                }
                _ => {
                    let Some(end) = ident_end(source, *at) else { break };
                    let word = &source[*at..end];
                    if word == b"operator" {
                        found.name = word;
                        *at = end;
                        break;
                    }
                    if word == b"delegate" {
                        // A pointer to a function: `delegate* unmanaged[Cdecl]<int, void>`.
                        let open = memchr::memchr(b'<', &source[end..source.len().min(end + 200)]);
                        let Some(open) = open else { return Ok(None) };
                        let Some(end) = angle_end(source, end + open)? else { return Ok(None) };
                        found.words += 1;
                        *at = skip_blank(source, end)?;
                        continue;
                    }
                    if !qualified && !matches!(word, b"ref" | b"readonly" | b"scoped") {
                        found.words += 1;
                    }
                    qualified = false;
                    found.name = word;
                    end
                }
            };
            *at = skip_blank(source, end)?;
        }
        Ok(Some(found))
    }

    /// A member of a type, from its type on.
    pub(super) fn member(
        &mut self,
        begin: Begin,
        mut at: usize,
        modifiers: &Modifiers,
    ) -> Result<bool, Unsure> {
        let source = self.source;
        let Some(found) = self.typed(&mut at)? else { return Ok(false) };
        let (typed, name) = (found.words + usize::from(found.tuple) >= 2, found.name);
        match (source.get(at), source.get(at + 1)) {
            _ if name == b"operator" => self.operator(begin, at),
            (Some(b'('), _) if typed => self.function(begin, Method, name, at),
            (Some(b'('), _) if found.words == 1 => self.function(begin, Constructor, name, at),
            (Some(b'['), _) if name == b"this" => {
                let end = self.head_end(at)?;
                self.property(begin, b"this[]", end)
            }
            (Some(b'{'), _) if typed => self.property(begin, name, at),
            (Some(b'='), Some(b'>')) if typed => self.property(begin, name, at),
            (Some(b';' | b',' | b'='), _) if typed => self.field(begin, name, at, modifiers),
            _ => Ok(false),
        }
    }

    fn property(&mut self, begin: Begin, name: &[u8], until: usize) -> Result<bool, Unsure> {
        if !matches!(self.source[until], b'{' | b'=') {
            return Err(Unsure("an indexer without accessors"));
        }
        let definition = self.define(Property, name, begin, Some(until));
        self.at = until;
        self.scope(definition, name, Place::Function, Body::Accessors)?;
        Ok(true)
    }

    /// A field or an event, from after its first name to the `;`. What is in its values is not looked at.
    fn field(
        &mut self,
        begin: Begin,
        name: &'s [u8],
        mut at: usize,
        modifiers: &Modifiers,
    ) -> Result<bool, Unsure> {
        let source = self.source;
        let mut names = vec![name];
        let (start, mut angle) = (at, 0usize);
        loop {
            let Some(&byte) = source.get(at) else {
                return Err(Unsure("a declaration without an end"));
            };
            let touches = at > start && super::lex::starts_word(source[at - 1]);
            at = match byte {
                b';' => break,
                b'{' | b'(' | b'[' => group_end(source, at)?,
                b'}' | b')' | b']' => return Err(Unsure("a bracket in a field")),
                b'"' => string_end(source, start, at)?,
                b'\'' => quote_end(source, at),
                b'/' => comment_end(source, at)?.unwrap_or(at + 1),
                b'#' => directive_end(source, at).unwrap_or(at + 1),
                // Arguments of a type, going by how people write them, or a comparison.
                b'<' if touches && !matches!(source.get(at + 1), Some(b' ' | b'=' | b'<')) => {
                    angle += 1;
                    at + 1
                }
                b'>' => {
                    angle = angle.saturating_sub(1);
                    at + 1
                }
                b',' if angle == 0 => {
                    let from = skip_blank(source, at + 1)?;
                    let end = ident_end(source, from).unwrap_or(from);
                    if end > from {
                        names.push(&source[from..end]);
                    }
                    end.max(at + 1)
                }
                _ => at + 1,
            };
        }
        self.at = at + 1;
        if !modifiers.event && (modifiers.constant || modifiers.shared && modifiers.fixed) {
            for name in names {
                if let Some(definition) = self.define(Constant, name, begin, None) {
                    self.collector.end(definition, self.at);
                }
            }
        }
        self.anew();
        Ok(true)
    }
}

/// What [`Scan::typed`] found.
pub(super) struct Typed<'s> {
    /// Words outside of brackets that do not go on a name with a dot.
    pub(super) words: usize,
    /// Began with a tuple.
    pub(super) tuple: bool,
    /// The last word.
    pub(super) name: &'s [u8],
}
