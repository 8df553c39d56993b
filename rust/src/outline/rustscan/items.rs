//! The items of Rust: what stands at the beginning of a statement and defines something.

use super::lex::{
    comment_end, group_end, ident_end, is_blank, quote_end, raw_string_end, skip_blank,
    starts_word, string_end, word_end,
};
use super::{Before, Frame, Open, Place, Scan, Unsure};
use crate::outline::SymbolKind::{
    self, Constant, Enum, Function, Macro, Module, Struct, Trait, Type, Union, Variable,
};
use crate::outline::brackets::closing;
use crate::outline::collect::Start;
use crate::outline::text;

/// Words that are no names, so that a `!` behind them is an operator.
pub(super) fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"as"
            | b"async"
            | b"await"
            | b"break"
            | b"const"
            | b"continue"
            | b"dyn"
            | b"else"
            | b"for"
            | b"if"
            | b"impl"
            | b"in"
            | b"let"
            | b"loop"
            | b"match"
            | b"move"
            | b"mut"
            | b"ref"
            | b"return"
            | b"static"
            | b"unsafe"
            | b"where"
            | b"while"
            | b"yield"
    )
}

/// The head of an item: from after its name to its body or its end.
struct Head {
    /// Where it ends: at `{`, `;` or the `(` of a tuple struct.
    end: usize,
    /// The byte there.
    open: u8,
    /// Where what stands after `for` begins.
    subject: Option<usize>,
    /// Where the last word or sign before `where`, or before the end, ends.
    last: usize,
}

impl Scan<'_> {
    /// A word where an item may begin. The position is after the word.
    pub(super) fn item(&mut self, word: usize, end: usize) -> Result<(), Unsure> {
        let start = *self.start.get_or_insert(word);
        self.before = Before::Word(word, self.at);
        match &self.source[word..end] {
            b"pub" => {
                let at = skip_blank(self.source, self.at)?;
                if self.source.get(at) == Some(&b'(') {
                    self.at = group_end(self.source, at)?;
                }
                return Ok(());
            }
            b"async" | b"unsafe" | b"extern" | b"default" | b"safe" | b"auto" | b"crate" => {
                return Ok(());
            }
            b"fn" => self.function(start)?,
            b"struct" => self.fields(start, Struct)?,
            b"enum" => self.fields(start, Enum)?,
            b"union" => self.fields(start, Union)?,
            b"trait" => self.block(start, Trait)?,
            b"mod" => self.block(start, Module)?,
            b"impl" => self.implementation()?,
            b"type" => self.alias(start)?,
            b"const" => {
                if !self.value(start, Constant)? {
                    self.fresh = true; // `const fn`
                    self.start = Some(start);
                }
                return Ok(());
            }
            b"static" => {
                self.value(start, Variable)?;
                return Ok(());
            }
            b"use" => {
                let head = self.head(self.at, false)?;
                self.at = head.end;
                while self.source.get(self.at) == Some(&b'{') {
                    self.at = group_end(self.source, self.at)?;
                }
            }
            b"macro_rules" => self.macro_rules(start)?,
            _ => {
                self.fresh = false;
                self.start = None;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The name at or after a byte: where it begins and ends.
    fn name(&self, at: usize) -> Result<Option<(usize, usize)>, Unsure> {
        let at = skip_blank(self.source, at)?;
        Ok(ident_end(self.source, at).map(|end| (at, end)))
    }

    /// The head of an item from a byte on; `tuple` if a `(` may begin its fields.
    fn head(&self, mut at: usize, mut tuple: bool) -> Result<Head, Unsure> {
        let source = self.source;
        let (mut angle, mut subject, mut last, mut condition) = (0usize, None, at, false);
        loop {
            let Some(&byte) = source.get(at) else {
                return Err(Unsure("an item without an end"));
            };
            if is_blank(byte) {
                at += 1;
                continue;
            }
            let from = at;
            match byte {
                b';' => return Ok(Head { end: at, open: byte, subject, last }),
                b'{' if angle == 0 => return Ok(Head { end: at, open: byte, subject, last }),
                b'(' if angle == 0 && tuple => {
                    return Ok(Head { end: at, open: byte, subject, last });
                }
                b'{' | b'(' | b'[' => at = group_end(source, at)?,
                b'}' | b')' | b']' => return Err(Unsure("a bracket in the head of an item")),
                b'<' => {
                    angle += 1;
                    at += 1;
                }
                b'>' => {
                    if !(at > 0 && matches!(source[at - 1], b'-' | b'=')) {
                        angle = angle.saturating_sub(1);
                    }
                    at += 1;
                }
                b'"' => at = string_end(source, at)?,
                b'\'' => at = quote_end(source, at),
                b'/' => {
                    if let Some(end) = comment_end(source, at)? {
                        at = end;
                        continue;
                    }
                    at += 1;
                }
                _ if starts_word(byte) => {
                    at = self.head_word(at)?;
                    match &source[from..at] {
                        b"where" if angle == 0 && !condition => {
                            (condition, tuple) = (true, false);
                            continue;
                        }
                        b"for" if angle == 0 && subject.is_none() && !condition => {
                            let next = skip_blank(source, at)?;
                            if !self.is_higher_ranked(next)? {
                                subject = Some(next);
                            }
                        }
                        _ => {}
                    }
                }
                _ => at += 1,
            }
            if !condition {
                last = at;
            }
        }
    }

    /// Whether what follows a `for` are lifetimes, not a type.
    fn is_higher_ranked(&self, at: usize) -> Result<bool, Unsure> {
        if self.source.get(at) != Some(&b'<') {
            return Ok(false);
        }
        let inside = skip_blank(self.source, at + 1)?;
        Ok(matches!(self.source.get(inside), Some(b'\'' | b'>')))
    }

    /// The end of a word in a head, with the arguments of a macro if it calls one.
    fn head_word(&self, at: usize) -> Result<usize, Unsure> {
        let end = word_end(self.source, at);
        match self.source.get(end) {
            Some(b'"' | b'#') => Ok(match raw_string_end(self.source, at, end)? {
                Some(end) => end,
                None => ident_end(self.source, at).unwrap_or(end),
            }),
            Some(b'!') => Ok(self.call(end + 1)?.map_or(end, |(_, end)| end)),
            _ => Ok(end),
        }
    }

    /// Report a definition whose name is in a range.
    fn define(
        &mut self,
        kind: SymbolKind,
        name: (usize, usize),
        start: usize,
        until: Option<usize>,
    ) -> Option<Open> {
        let name = &self.source[name.0..name.1];
        self.collector.define(&Start { kind, name, at: start, signature: start, until })
    }

    /// Go into the body that begins at the current byte, as a scope of that name.
    fn body(&mut self, definition: Option<Open>, name: &[u8], place: Place) -> Result<(), Unsure> {
        if self.collector.scope_of(name, place) {
            let frame = Frame::Bracket { close: closing(b'{'), scope: true, definition };
            self.push(frame)?;
            self.opened(b'{');
        } else {
            self.at = group_end(self.source, self.at)?;
            self.end(definition);
        }
        Ok(())
    }

    /// A definition ends at the current byte.
    fn end(&mut self, definition: Option<Open>) {
        if let Some(definition) = definition {
            self.collector.end(definition, self.at);
        }
        self.anew();
    }

    fn function(&mut self, start: usize) -> Result<(), Unsure> {
        let Some(name) = self.name(self.at)? else {
            self.stale(Before::Other); // a type, `fn()`
            return Ok(());
        };
        let head = self.head(name.1, false)?;
        self.at = head.end;
        let body = (head.open == b'{').then_some(head.end);
        let definition = self.define(Function, name, start, body);
        if body.is_some() {
            return self.body(definition, &self.source[name.0..name.1], Place::Function);
        }
        self.at += 1;
        self.end(definition);
        Ok(())
    }

    /// Structures, enumerations, unions: what is inside is not looked at.
    fn fields(&mut self, start: usize, kind: SymbolKind) -> Result<(), Unsure> {
        let Some(name) = self.name(self.at)? else {
            self.stale(Before::Word(start, self.at)); // a variable called `union`
            return Ok(());
        };
        if kind == Union && !self.is_union(name.1)? {
            self.stale(Before::Word(start, self.at));
            return Ok(());
        }
        let head = self.head(name.1, kind == Struct)?;
        let until = (head.open != b';').then_some(head.end);
        let definition = self.define(kind, name, start, until);
        self.at = match head.open {
            b'{' => group_end(self.source, head.end)?,
            b'(' => {
                let rest = self.head(group_end(self.source, head.end)?, false)?;
                rest.end + usize::from(rest.open == b';')
            }
            _ => head.end + 1,
        };
        self.end(definition);
        Ok(())
    }

    /// Whether what follows the word `union` and a name makes it an item.
    fn is_union(&self, at: usize) -> Result<bool, Unsure> {
        let at = skip_blank(self.source, at)?;
        let rest = &self.source[at..];
        Ok(matches!(rest.first(), Some(b'{' | b'<')) || rest.starts_with(b"where"))
    }

    /// Traits and modules.
    fn block(&mut self, start: usize, kind: SymbolKind) -> Result<(), Unsure> {
        let Some(name) = self.name(self.at)? else {
            self.stale(Before::Other);
            return Ok(());
        };
        let head = self.head(name.1, false)?;
        self.at = head.end;
        if head.open == b'{' {
            let definition = self.define(kind, name, start, Some(head.end));
            let place = if kind == Trait { Place::Type } else { Place::Open };
            return self.body(definition, &self.source[name.0..name.1], place);
        }
        // `mod a;` only says that there is a file.
        self.at += 1;
        if kind == Trait {
            return Err(Unsure("a trait without a body"));
        }
        self.anew();
        Ok(())
    }

    /// `type A = B;`
    fn alias(&mut self, start: usize) -> Result<(), Unsure> {
        let Some(name) = self.name(self.at)? else {
            self.stale(Before::Other);
            return Ok(());
        };
        let head = self.head(name.1, false)?;
        if head.open != b';' {
            return Err(Unsure("a type with a body"));
        }
        self.at = head.end + 1;
        let inside = self.collector.place() == Place::Type;
        let definition = if inside { None } else { self.define(Type, name, start, None) };
        self.end(definition);
        Ok(())
    }

    /// `const A: T = ...;` and `static`; false if it is something else that begins so.
    fn value(&mut self, start: usize, kind: SymbolKind) -> Result<bool, Unsure> {
        let after = self.at;
        self.stale(Before::Word(start, after));
        let mut name = self.name(after)?;
        while let Some((from, to)) = name
            && kind == Variable
            && matches!(&self.source[from..to], b"mut" | b"ref")
        {
            name = self.name(to)?;
        }
        let Some(name) = name else { return Ok(false) };
        let colon = skip_blank(self.source, name.1)?;
        if self.source.get(colon) != Some(&b':') {
            return Ok(false);
        }
        self.at = colon + 1;
        self.stale(Before::Other);
        if &self.source[name.0..name.1] == b"_" {
            return Ok(true);
        }
        if let Some(definition) = self.define(kind, name, start, None) {
            self.push(Frame::Value(definition))?;
            self.values += 1;
        }
        Ok(true)
    }

    fn macro_rules(&mut self, start: usize) -> Result<(), Unsure> {
        let at = skip_blank(self.source, self.at)?;
        let bang = self.source.get(at) == Some(&b'!');
        let Some(name) = self.name(at + 1)?.filter(|_| bang) else {
            self.stale(Before::Word(start, self.at));
            return Ok(());
        };
        let open = skip_blank(self.source, name.1)?;
        if !matches!(self.source.get(open), Some(b'(' | b'[' | b'{')) {
            return Err(Unsure("a macro without rules"));
        }
        self.at = group_end(self.source, open)?;
        let definition = self.define(Macro, name, start, Some(name.1));
        if self.source[open] != b'{' {
            let at = skip_blank(self.source, self.at)?;
            if self.source.get(at) == Some(&b';') {
                self.at = at + 1;
            }
        }
        self.end(definition);
        Ok(())
    }

    /// `impl`: a scope that is called as the type is.
    fn implementation(&mut self) -> Result<(), Unsure> {
        let mut at = skip_blank(self.source, self.at)?;
        if self.source.get(at) == Some(&b'<') {
            at = self.angle_end(at)?;
        }
        let at = skip_blank(self.source, at)?;
        let head = self.head(at, false)?;
        let from = head.subject.unwrap_or(at);
        let subject = text::name(self.source.get(from..head.last).unwrap_or_default());
        self.at = head.end;
        if head.open == b';' {
            self.at += 1;
            self.anew();
            return Ok(());
        }
        let name = type_name(&subject);
        if self.collector.enter((!name.is_empty()).then_some(name), Place::Type) {
            self.push(Frame::Bracket { close: b'}', scope: true, definition: None })?;
            self.opened(b'{');
        } else {
            self.at = group_end(self.source, self.at)?;
            self.anew();
        }
        Ok(())
    }

    /// From `<` to after the `>` that closes it.
    fn angle_end(&self, mut at: usize) -> Result<usize, Unsure> {
        let mut angle = 0usize;
        loop {
            match self.source.get(at) {
                None | Some(b';' | b'}' | b')' | b']') => {
                    return Err(Unsure("parameters of types without an end"));
                }
                Some(b'{' | b'(' | b'[') => {
                    at = group_end(self.source, at)?;
                    continue;
                }
                Some(b'\'') => {
                    at = quote_end(self.source, at);
                    continue;
                }
                Some(b'/') => {
                    if let Some(end) = comment_end(self.source, at)? {
                        at = end;
                        continue;
                    }
                }
                Some(b'<') => angle += 1,
                Some(b'>') if !matches!(self.source[at - 1], b'-' | b'=') => {
                    angle -= 1;
                    if angle == 0 {
                        return Ok(at + 1);
                    }
                }
                Some(_) => {}
            }
            at += 1;
        }
    }
}

/// What members of a type are shown to belong to: its name without path, arguments and references.
fn type_name(whole: &str) -> &str {
    let bare = whole.trim_start_matches(['&', '*', ' ']);
    let life = bare.strip_prefix('\'').and_then(|rest| rest.split_once(' '));
    let bare = life.map_or(bare, |(_, rest)| rest);
    let bare = bare.trim_start_matches("mut ").trim_start_matches("dyn ");
    if bare.starts_with(['[', '(']) {
        return bare;
    }
    let bare = bare.split(['<', ' ']).next().unwrap_or_default();
    bare.rsplit("::").next().unwrap_or_default()
}
