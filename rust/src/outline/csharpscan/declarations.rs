//! Declarations: from the first attribute to the keyword, and namespaces and types up to their body. What else
//! stands in a type is read by `members`.

use super::lex::{
    branches_end, comment_end, directive, directive_end, flat_end, group_end, ident_end,
    skip_blank, skip_space,
};
use super::strings::{quote_end, string_end};
use super::{Body, Frame, Open, Place, Scan, Unsure};
use crate::outline::SymbolKind::{self, Class, Enum, Interface, Namespace, Struct, Type};
use crate::outline::brackets::closing;
use crate::outline::collect::Start;

/// What stands before the type or the keyword of a declaration.
#[derive(Default)]
pub(super) struct Modifiers {
    pub(super) constant: bool,
    pub(super) shared: bool,
    pub(super) fixed: bool,
    pub(super) event: bool,
}

/// Where a declaration and its signature begin.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    pub(super) at: usize,
    pub(super) signature: usize,
}

/// Words that may stand before a declaration; those that say more of a field are not among them.
fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"abstract"
            | b"async"
            | b"extern"
            | b"file"
            | b"fixed"
            | b"global"
            | b"internal"
            | b"new"
            | b"override"
            | b"partial"
            | b"private"
            | b"protected"
            | b"public"
            | b"ref"
            | b"required"
            | b"sealed"
            | b"unsafe"
            | b"virtual"
            | b"volatile"
    )
}

impl<'s> Scan<'s> {
    /// A declaration, if one begins here; its body is gone into or passed over. False if it is none, which
    /// in a file or a namespace may be a statement.
    pub(super) fn declaration(&mut self) -> Result<bool, Unsure> {
        let source = self.source;
        // Begins with a directive if the first attributes are conditional.
        let mut at = skip_blank(source, self.at)?;
        while source.get(at) == Some(&b'[') {
            let end = group_end(source, at)?;
            if self.is_global(at)? {
                self.at = end;
                return Ok(true);
            }
            at = skip_blank(source, end)?;
        }
        let begin = Begin { at: self.at, signature: at };
        let mut modifiers = Modifiers::default();
        let inside = self.collector.place() == Place::Type;
        while let Some(end) = ident_end(source, at) {
            let next = skip_blank(source, end)?;
            match &source[at..end] {
                b"namespace" if !inside => return self.namespace(begin, next),
                b"class" => return self.type_(begin, next, Class),
                b"struct" => return self.type_(begin, next, Struct),
                b"interface" => return self.type_(begin, next, Interface),
                b"enum" => return self.type_(begin, next, Enum),
                b"record" if ident_end(source, next).is_some() => return self.record(begin, next),
                b"delegate" if source.get(next) != Some(&b'*') => {
                    return self.delegate(begin, next);
                }
                b"using" if source.get(next) != Some(&b'(') => return self.using(next),
                b"implicit" | b"explicit" if inside => return self.conversion(begin, next),
                b"const" => modifiers.constant = true,
                b"static" => modifiers.shared = true,
                b"readonly" => modifiers.fixed = true,
                b"event" => modifiers.event = true,
                word if is_modifier(word) => {
                    // `file` and the like may be names, too.
                    if !(ident_end(source, next).is_some()
                        || matches!(source.get(next), Some(b'(' | b'~' | b'[')))
                    {
                        break;
                    }
                }
                _ => break,
            }
            at = next;
        }
        if !inside {
            return Ok(false);
        }
        if source.get(at) == Some(&b'~') {
            return self.destructor(begin, at);
        }
        self.member(begin, at, &modifiers)
    }

    /// Whether a condition begins here that is only about attributes and modifiers of what follows it.
    pub(super) fn is_conditional(&self) -> Result<bool, Unsure> {
        let source = self.source;
        let Some(end) = directive_end(source, self.at) else { return Ok(false) };
        if !directive(source, self.at).starts_with(b"if") {
            return Ok(false);
        }
        let mut at = skip_space(source, end)?;
        let mut found = false;
        loop {
            let end = match source.get(at) {
                Some(b'#') => return Ok(found && !directive(source, at).starts_with(b"if")),
                Some(b'[') if !self.is_global(at)? => flat_end(source, at)?,
                _ => ident_end(source, at).filter(|end| is_modifier(&source[at..*end])),
            };
            let Some(end) = end else { return Ok(false) };
            (at, found) = (skip_space(source, end)?, true);
        }
    }

    /// Whether an attribute list is that of the assembly or the module.
    fn is_global(&self, at: usize) -> Result<bool, Unsure> {
        let at = skip_blank(self.source, at + 1)?;
        let Some(end) = ident_end(self.source, at) else { return Ok(false) };
        let next = skip_blank(self.source, end)?;
        let target = matches!(&self.source[at..end], b"assembly" | b"module");
        Ok(target
            && self.source.get(next) == Some(&b':')
            && self.source.get(next + 1) != Some(&b':'))
    }

    /// Where a head ends: at the next `{`, `;` or `=>` outside of brackets, or at the `#` of an `#else` after
    /// which another declaration stands that shares the body.
    pub(super) fn head_end(&self, mut at: usize) -> Result<usize, Unsure> {
        let source = self.source;
        let start = at;
        while let Some(&byte) = source.get(at) {
            at = match byte {
                b'{' | b';' => return Ok(at),
                b'=' if source.get(at + 1) == Some(&b'>') => return Ok(at),
                b'(' | b'[' => group_end(source, at)?,
                b'}' | b')' | b']' => return Err(Unsure("a bracket in the head of a declaration")),
                b'"' => string_end(source, start, at)?,
                b'\'' => quote_end(source, at),
                b'/' => comment_end(source, at)?.unwrap_or(at + 1),
                b'#' => match branches_end(source, at) {
                    Ok(end) => end.unwrap_or(at + 1),
                    Err(_) => return Ok(at),
                },
                _ => at + 1,
            };
        }
        Err(Unsure("a declaration without an end"))
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

    /// Go into the body of a definition, at the current byte: `{`, `=>` or, if there is none, `;`.
    pub(super) fn body(
        &mut self,
        definition: Option<Open>,
        name: &[u8],
        place: Place,
    ) -> Result<(), Unsure> {
        let byte = self.source[self.at];
        if matches!(byte, b';' | b'#') {
            self.rest(definition, self.at);
            return Ok(());
        }
        let body = if place == Place::Function { Body::Code } else { Body::Members };
        self.scope(definition, name, place, body)
    }

    /// The same for what is known to have a body.
    pub(super) fn scope(
        &mut self,
        definition: Option<Open>,
        name: &[u8],
        place: Place,
        body: Body,
    ) -> Result<(), Unsure> {
        let block = self.source[self.at] == b'{';
        if !self.collector.scope_of(name, place) {
            if !block {
                return Err(Unsure("names nested too deep"));
            }
            self.at = group_end(self.source, self.at)?;
            if let Some(definition) = definition {
                self.collector.end(definition, self.at);
            }
            self.anew();
        } else if block {
            self.push(Frame::Bracket { close: closing(b'{'), body, definition })?;
            self.at += 1;
            self.fresh = true;
        } else {
            self.push(Frame::Value(definition))?;
            self.at += 2;
            self.fresh = false;
        }
        Ok(())
    }

    fn namespace(&mut self, begin: Begin, name: usize) -> Result<bool, Unsure> {
        let end = self.head_end(name)?;
        let text = self.qualified(name)?;
        if self.rest && self.open.is_empty() {
            self.collector.leave();
            self.rest = false;
        }
        let block = self.source[end] == b'{';
        let definition = self.define(Namespace, text, begin, block.then_some(end));
        self.at = end;
        if block {
            self.body(definition, text, Place::Open)?;
            return Ok(true);
        }
        let shared = self.source[end] == b'#';
        self.rest(definition, end);
        if shared {
            return Ok(true);
        }
        if !self.open.is_empty() {
            return Err(Unsure("a namespace without a block in a block"));
        }
        self.rest = self.collector.scope_of(text, Place::Open);
        Ok(true)
    }

    /// A name with dots.
    fn qualified(&self, from: usize) -> Result<&'s [u8], Unsure> {
        let (source, mut end) = (self.source, from);
        let mut at = from;
        while let Some(after) = ident_end(source, at) {
            end = after;
            at = skip_space(source, after)?;
            if source.get(at) != Some(&b'.') {
                break;
            }
            at = skip_space(source, at + 1)?;
        }
        Ok(&source[from..end])
    }

    fn record(&mut self, begin: Begin, at: usize) -> Result<bool, Unsure> {
        let end = ident_end(self.source, at).unwrap_or(at);
        let next = skip_blank(self.source, end)?;
        match &self.source[at..end] {
            b"struct" => self.type_(begin, next, Struct),
            b"class" => self.type_(begin, next, Class),
            _ => self.type_(begin, at, Class),
        }
    }

    fn type_(&mut self, begin: Begin, at: usize, kind: SymbolKind) -> Result<bool, Unsure> {
        let Some(after) = ident_end(self.source, at) else {
            return Err(Unsure("a type without a name"));
        };
        let name = &self.source[at..after];
        let end = self.head_end(after)?;
        let block = self.source[end] == b'{';
        let definition = self.define(kind, name, begin, block.then_some(end));
        self.at = end;
        if kind == Enum && block {
            self.at = group_end(self.source, end)?;
            if self.source.get(self.at) == Some(&b';') {
                self.at += 1;
            }
            if let Some(definition) = definition {
                self.collector.end(definition, self.at);
            }
            self.anew();
            return Ok(true);
        }
        self.body(definition, name, Place::Type)?;
        Ok(true)
    }

    /// Up to the `;`, or to an `#else`: a definition without a body, or nothing that is reported.
    pub(super) fn rest(&mut self, definition: Option<Open>, end: usize) {
        let last = match self.source[end] {
            b';' => end + 1,
            _ => self.source[..end].trim_ascii_end().len(),
        };
        self.at = end.max(last);
        if let Some(definition) = definition {
            self.collector.end(definition, last);
        }
        self.anew();
    }

    fn using(&mut self, at: usize) -> Result<bool, Unsure> {
        let end = self.head_end(at)?;
        if self.source[end] != b';' {
            return Ok(false); // `using var x = new X { }`
        }
        self.rest(None, end);
        Ok(true)
    }

    fn delegate(&mut self, begin: Begin, mut at: usize) -> Result<bool, Unsure> {
        let end = self.head_end(at)?;
        if self.source[end] != b';' {
            return if self.collector.place() == Place::Type {
                Err(Unsure("a delegate with a body"))
            } else {
                Ok(false)
            };
        }
        let Some(found) = self.typed(&mut at)? else {
            return Err(Unsure("a delegate without a name"));
        };
        let definition = self.define(Type, found.name, begin, None);
        self.rest(definition, end);
        Ok(true)
    }
}
