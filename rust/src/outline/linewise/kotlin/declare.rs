//! Functions, types, objects, constructors and aliases: from the keyword to the body, or to the end where there is none.

use super::value::{annotation_end, group_end, type_end, types_end, value_end};
use super::{Run, Scan, modifier_at};
use crate::outline::SymbolKind::{Class, Constructor, Enum, Function, Interface, Type};
use crate::outline::collect::{Open, Start};
use crate::outline::linewise::lex::{holds_declaration, ident_end, skip, skip_lines, word_at};
use crate::outline::linewise::pass::{Body, Frame};
use crate::outline::scanner::Unsure;
use crate::outline::scope::Place;
use crate::outline::text;

/// The name of a function or property and what it extends.
pub(super) struct Named<'s> {
    pub name: &'s [u8],
    pub owner: Option<String>,
    /// After the name.
    pub end: usize,
}

/// The head of a type.
struct Head {
    /// After its last byte that is no comment or white space.
    end: usize,
    /// Where its body begins.
    body: Option<usize>,
}

impl<'s> Scan<'s> {
    /// What the keyword from `at` to `end` declares.
    pub(super) fn declaration(&mut self, run: Run, at: usize, end: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        match &source[at..end] {
            b"class" => self.type_(run, end),
            b"interface" => self.type_of(run, end, Interface),
            b"object" => self.type_of(run, end, Class),
            b"typealias" => self.alias(run, end),
            _ => {
                let next = skip(source, end)?;
                if word_at(source, next) == b"interface" {
                    return self.type_of(run, next + b"interface".len(), Interface);
                }
                self.function(run, end)
            }
        }
    }

    fn type_(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let kind = match () {
            () if run.enumeration => Enum,
            () if run.annotation => Interface,
            () => Class,
        };
        self.type_of(run, at, kind)
    }

    fn type_of(
        &mut self,
        run: Run,
        at: usize,
        kind: crate::outline::SymbolKind,
    ) -> Result<(), Unsure> {
        let source = self.pass.source;
        let from = skip(source, at)?;
        let end = ident_end(source, from).ok_or(Unsure("a type without a name"))?;
        let head = self.head(end)?;
        let start = Start {
            kind,
            name: &source[from..end],
            at: run.start,
            signature: run.signature.unwrap_or(run.start),
            until: head.body,
        };
        let definition = self.pass.collector.define(&start);
        self.members(definition, Some(&source[from..end]), &head, kind == Enum)
    }

    /// Go into the body of a type.
    fn members(
        &mut self,
        definition: Option<Open>,
        name: Option<&[u8]>,
        head: &Head,
        entries: bool,
    ) -> Result<(), Unsure> {
        self.pass.at = head.end;
        let Some(body) = head.body else {
            if let Some(definition) = definition {
                self.pass.collector.end(definition, head.end);
            }
            return Ok(());
        };
        self.pass.at = body;
        let scope = match name {
            Some(name) => self.pass.collector.scope_of(name, Place::Type),
            None => self.pass.collector.enter(None, Place::Type),
        };
        if !scope {
            return Err(Unsure("names nested too deep"));
        }
        let (close, body, control) = (b'}', Body::Members, false);
        self.pass.open(Frame::Bracket { close, body, definition, scope, control })?;
        if entries { self.entries() } else { Ok(()) }
    }

    /// The entries of an enumeration, up to the `;` before its members or the brace that closes it.
    fn entries(&mut self) -> Result<(), Unsure> {
        let source = self.pass.source;
        loop {
            let at = self.gap()?;
            self.pass.at = match source.get(at) {
                Some(b',') => at + 1,
                Some(b'@') => annotation_end(source, at)?,
                Some(b'(' | b'{') => group_end(source, at)?,
                Some(b';') => {
                    self.pass.at = at + 1;
                    return Ok(());
                }
                Some(b'}') => return Ok(()),
                _ => ident_end(source, at).ok_or(Unsure("an entry of an unknown kind"))?,
            };
        }
    }

    /// Pass white space and comments, which may document what comes next; where that is.
    fn gap(&mut self) -> Result<usize, Unsure> {
        let source = self.pass.source;
        loop {
            let blank = source[self.pass.at..].iter();
            self.pass.at += blank.take_while(|byte| byte.is_ascii_whitespace()).count();
            let at = self.pass.at;
            if self.pass.peek() != Some(b'/') {
                return Ok(at);
            }
            self.pass.at = skip(source, at)?;
            if self.pass.at == at {
                return Ok(at);
            }
        }
    }

    /// The head of a type, from after its name.
    fn head(&self, mut at: usize) -> Result<Head, Unsure> {
        let source = self.pass.source;
        let (mut wanted, mut specifiers, mut by) = (false, false, false);
        let unknown = Unsure("a head of an unknown shape");
        loop {
            let (next, line) = skip_lines(source, at)?;
            let over = Head { end: at, body: None };
            let Some(&byte) = source.get(next) else { return Ok(over) };
            at = match byte {
                b'{' if wanted => return Err(Unsure("a lambda in the head of a type")),
                b'{' => return Ok(Head { end: next, body: Some(next) }),
                b';' | b'}' | b')' | b']' => return Ok(over),
                b'<' => types_end(source, next)?,
                b'(' => {
                    let end = group_end(source, next)?;
                    if specifiers && holds_declaration(&source[next..end]) {
                        return Err(Unsure("a declaration in the head of a type"));
                    }
                    wanted = false;
                    end
                }
                b':' if by && source.get(next + 1) == Some(&b':') => {
                    wanted = true;
                    next + 2
                }
                b':' => {
                    (wanted, specifiers, by) = (true, true, false);
                    next + 1
                }
                b',' => {
                    (wanted, by) = (true, false);
                    next + 1
                }
                b'.' | b'&' => {
                    wanted = true;
                    next + 1
                }
                b'-' if source.get(next + 1) == Some(&b'>') => {
                    wanted = true;
                    next + 2
                }
                b'?' => next + 1,
                b'!' if by && source.get(next + 1) == Some(&b'!') => next + 2,
                b'"' if by => return Err(unknown),
                b'@' if wanted => annotation_end(source, next)?,
                _ if !wanted && !specifiers => match self.constructor_follows(next, line)? {
                    Some(end) => end,
                    None if word_at(source, next) == b"where" => {
                        wanted = true;
                        next + b"where".len()
                    }
                    None if line => return Ok(over),
                    None => return Err(unknown),
                },
                b'@' if line => return Ok(over),
                _ => {
                    let end = ident_end(source, next).ok_or(unknown)?;
                    let word = &source[next..end];
                    match word {
                        b"by" if !wanted && specifiers => (wanted, by) = (true, true),
                        b"where" if !wanted => (wanted, by) = (true, false),
                        b"object" | b"if" | b"when" | b"try" | b"fun" if by && wanted => {
                            return Err(Unsure("a value in the head of a type"));
                        }
                        b"suspend" if wanted => {}
                        _ if wanted => wanted = false,
                        _ if line => return Ok(over),
                        _ => return Err(unknown),
                    }
                    end
                }
            };
        }
    }

    /// After the word `constructor`, if it comes here, behind annotations and modifiers.
    fn constructor_follows(&self, mut at: usize, line: bool) -> Result<Option<usize>, Unsure> {
        let source = self.pass.source;
        loop {
            let end = match modifier_at(source, at) {
                Some(end) => end,
                None if source.get(at) == Some(&b'@') => annotation_end(source, at)?,
                None if word_at(source, at) == b"constructor" => {
                    // Of this type or of the one around it, with the same words.
                    if line && self.pass.in_members() {
                        return Err(Unsure("a constructor on a line of its own"));
                    }
                    return Ok(Some(at + b"constructor".len()));
                }
                None => return Ok(None),
            };
            at = skip(source, end)?;
        }
    }

    pub(super) fn companion(&mut self, run: Run, _: usize, end: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let at = skip(source, end)?;
        if word_at(source, at) != b"object" {
            return Err(Unsure("a companion of an unknown kind"));
        }
        let end = at + b"object".len();
        let (next, line) = skip_lines(source, end)?;
        if !line && ident_end(source, next).is_some() {
            return self.type_of(run, end, Class);
        }
        let head = self.head(end)?;
        self.members(None, None, &head, false)
    }

    pub(super) fn constructor(&mut self, run: Run, at: usize, end: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let unknown = Unsure("a constructor of an unknown shape");
        let open = skip(source, end)?;
        if source.get(open) != Some(&b'(') {
            return Err(unknown);
        }
        let mut last = group_end(source, open)?;
        let next = skip(source, last)?;
        if source.get(next) == Some(&b':') {
            let word = skip(source, next + 1)?;
            let open = skip(source, word + word_at(source, word).len())?;
            if source.get(open) != Some(&b'(') {
                return Err(unknown);
            }
            last = group_end(source, open)?;
            if holds_declaration(&source[open..last]) {
                return Err(Unsure("a declaration in the head of a constructor"));
            }
        }
        let body = skip(source, last)?;
        let body = (source.get(body) == Some(&b'{')).then_some(body);
        let start = Start {
            kind: Constructor,
            name: b"constructor",
            at: run.start,
            signature: run.signature.unwrap_or(at),
            until: body,
        };
        let definition = self.pass.collector.define(&start);
        match body {
            Some(body) => self.block(definition, b"constructor", None, body),
            None => {
                self.finish(definition, last);
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
        let start = Start {
            kind: Type,
            name: &source[from..end],
            at: run.start,
            signature: run.signature.unwrap_or(run.start),
            until: None,
        };
        let definition = self.pass.collector.define(&start);
        self.finish(definition, last);
        Ok(())
    }

    fn function(&mut self, run: Run, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        let named = self.named(at)?;
        let unknown = Unsure("a function without parameters");
        let open = skip(source, named.end)?;
        if named.name.is_empty() || source.get(open) != Some(&b'(') {
            return Err(unknown);
        }
        let mut last = group_end(source, open)?;
        let mut next = skip(source, last)?;
        if source.get(next) == Some(&b':') {
            last = type_end(source, next + 1)?;
            next = skip(source, last)?;
        }
        if word_at(source, next) == b"where" {
            last = self.constraints(next + b"where".len())?;
            next = skip(source, last)?;
        }
        let equals = source.get(next) == Some(&b'=') && source.get(next + 1) != Some(&b'=');
        let braces = source.get(next) == Some(&b'{');
        let start = Start {
            kind: Function,
            name: named.name,
            at: run.start,
            signature: run.signature.unwrap_or(run.start),
            until: (equals || braces).then_some(next),
        };
        let owner = named.owner.as_deref();
        let definition = self.pass.collector.define_in(&start, owner);
        if braces {
            return self.block(definition, named.name, owner, next);
        }
        if !equals {
            self.finish(definition, last);
            return Ok(());
        }
        let end = value_end(source, next + 1)?;
        self.pass.at = next + 1;
        if memchr::memchr(b'{', &source[next..end]).is_none() {
            self.finish(definition, end);
            return Ok(());
        }
        if !self.enter(named.name, owner) {
            return Err(Unsure("names nested too deep"));
        }
        self.pass.value(end, definition, true)
    }

    /// `where A : B, C : D`, from after the word.
    pub(super) fn constraints(&self, mut at: usize) -> Result<usize, Unsure> {
        let source = self.pass.source;
        let unknown = Unsure("a constraint of an unknown shape");
        loop {
            at = skip(source, at)?;
            if source.get(at) == Some(&b'@') {
                at = skip(source, annotation_end(source, at)?)?;
            }
            at = skip(source, ident_end(source, at).ok_or(unknown)?)?;
            if source.get(at) != Some(&b':') {
                return Err(unknown);
            }
            let end = type_end(source, at + 1)?;
            at = skip(source, end)?;
            if source.get(at) != Some(&b',') {
                return Ok(end);
            }
            at += 1;
        }
    }

    /// The name of a function or property that follows its keyword, and what it extends.
    pub(super) fn named(&self, at: usize) -> Result<Named<'s>, Unsure> {
        let source = self.pass.source;
        let mut at = skip(source, at)?;
        if source.get(at) == Some(&b'<') {
            at = skip(source, types_end(source, at)?)?;
        }
        while source.get(at) == Some(&b'@') {
            at = skip(source, annotation_end(source, at)?)?;
        }
        let from = at;
        let (mut name, mut end, mut dot): (&[u8], _, _) = (b"", at, None);
        loop {
            let byte = source.get(at).copied().unwrap_or_default();
            at = match byte {
                b'(' if name.is_empty() && at == from => group_end(source, at)?,
                b'<' if !name.is_empty() => {
                    name = b"";
                    types_end(source, at)?
                }
                b'?' => {
                    name = b"";
                    at + 1
                }
                b'.' => {
                    dot = Some(at);
                    name = b"";
                    at + 1
                }
                _ if name.is_empty() => match ident_end(source, at) {
                    Some(after) => {
                        (name, end) = (&source[at..after], after);
                        after
                    }
                    None => break,
                },
                _ => break,
            };
            at = skip(source, at)?;
        }
        let owner = dot.and_then(|dot| owner_of(&source[from..dot]));
        Ok(Named { name, owner, end })
    }

    /// Open the scope of a function.
    pub(super) fn enter(&mut self, name: &[u8], owner: Option<&str>) -> bool {
        let place = Place::Function;
        match owner {
            None => self.pass.collector.scope_of(name, place),
            Some(owner) => {
                let name = format!("{owner}.{}", text::name(name));
                self.pass.collector.enter(Some(&name), place)
            }
        }
    }

    /// Go into the block that is the body of something.
    fn block(
        &mut self,
        definition: Option<Open>,
        name: &[u8],
        owner: Option<&str>,
        body: usize,
    ) -> Result<(), Unsure> {
        self.pass.at = body;
        if !self.enter(name, owner) {
            return Err(Unsure("names nested too deep"));
        }
        let (close, body) = (b'}', Body::Code);
        self.pass.open(Frame::Bracket { close, body, definition, scope: true, control: false })
    }

    /// Something ends before this byte, and nothing in it is looked at.
    pub(super) fn finish(&mut self, definition: Option<Open>, end: usize) {
        self.pass.at = end;
        if let Some(definition) = definition {
            self.pass.collector.end(definition, end);
        }
    }
}

/// The name of the type that an extension extends, from what stands before the dot.
fn owner_of(receiver: &[u8]) -> Option<String> {
    let text = text::name(receiver);
    let bare = text.split(['<', '?']).next()?.trim_start_matches('(').trim_end();
    Some(bare.to_owned()).filter(|name| !name.is_empty())
}
