//! Kotlin by one pass over its bytes: what `kotlin` finds in a syntax tree, many times as fast.
//!
//! In a type each member is read word by word (`declare`, `property`). In code, only the words that may open a definition
//! are looked at: local functions and types, and in a script its variables. What is between is passed over,
//! with an eye on brackets, literals and comments.
//!
//! This file owns the loop over the bytes and the modifiers before a definition.

mod declare;
mod property;
mod strings;
mod value;

use super::lex::{
    comment_end, comments_in, ident_end, is_blank, is_word, skip, starts_word, word_at, word_end,
};
use super::pass::Pass;
use crate::outline::collect::Collector;
use crate::outline::scanner::{Scanner, Unsure};
use crate::outline::scope::Place;
use crate::outline::{SYMBOL_LIMIT, Symbol};

use strings::literal_end;
use value::{annotation_end, group_end, object_end, unnamed};

pub(in crate::outline) const KOTLIN: Scanner = Scanner { name: "kotlin", version: "scan.2", scan };

/// Finds the definitions of a source.
fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    let collector = Collector::new(source, |raw, gaps| comments_in(raw, literal_end, gaps), out);
    Scan { pass: Pass::new(source, collector), run: None, block: 0, control: 0 }.scan()
}

/// Annotations and modifiers before a declaration.
#[derive(Clone, Copy, Default)]
struct Run {
    start: usize,
    /// Where the first modifier that is no annotation begins.
    signature: Option<usize>,
    /// Where the last of them ends.
    end: usize,
    enumeration: bool,
    annotation: bool,
}

struct Scan<'s> {
    pass: Pass<'s>,
    /// The modifiers passed last.
    run: Option<Run>,
    /// A `{` behind this byte opens a block and no lambda.
    block: usize,
    /// A `(` behind this byte is the condition of a statement.
    control: usize,
}

impl Scan<'_> {
    fn scan(mut self) -> Result<(), Unsure> {
        if self.pass.source.starts_with(b"#!") {
            self.pass.at =
                memchr::memchr(b'\n', self.pass.source).unwrap_or(self.pass.source.len());
        }
        loop {
            self.pass.settle();
            let Some(byte) = self.pass.peek() else { break };
            if is_blank(byte) {
                self.pass.at += 1;
                continue;
            }
            if byte == b'/'
                && let Some(end) = comment_end(self.pass.source, self.pass.at)?
            {
                self.comment(end);
                continue;
            }
            if self.pass.in_members() {
                self.member(byte)?
            } else {
                self.code(byte)?
            }
            if self.pass.collector.count() > SYMBOL_LIMIT {
                return Ok(());
            }
        }
        if self.pass.is_done() { Ok(()) } else { Err(Unsure("a bracket that is not closed")) }
    }

    /// Pass a comment, which may document what comes next. Between modifiers it does not.
    fn comment(&mut self, end: usize) {
        let at = self.pass.at;
        self.pass.at = end;
        if let Some(run) = self.run.as_mut()
            && let Some(between) = self.pass.source.get(run.end..at)
            && between.iter().all(u8::is_ascii_whitespace)
        {
            run.end = end;
            return;
        }
        self.run = None;
        self.pass.collector.comment(at, end);
    }

    /// Something of a script, of the body of a function, or of a value.
    fn code(&mut self, byte: u8) -> Result<(), Unsure> {
        let (source, at) = (self.pass.source, self.pass.at);
        match byte {
            b'"' | b'\'' | b'`' => {
                self.pass.at = literal_end(source, at)?.unwrap_or(at + 1);
            }
            b'{' => {
                let open = self.pass.collector.place() == Place::Open;
                let lambda = open && skip(source, self.block)? != at;
                if lambda {
                    self.pass.collector.enter(None, Place::Function);
                }
                self.pass.bracket(byte, lambda, false)?;
            }
            b'(' | b'[' => {
                let open = self.pass.collector.place() == Place::Open;
                let control = open && skip(source, self.control)? == at;
                self.pass.bracket(byte, false, control)?;
            }
            b'}' | b')' | b']' => {
                if self.pass.close(byte)? {
                    self.block = self.pass.at;
                }
            }
            b'@' if at > 0 && is_word(source[at - 1]) => {
                self.pass.at = word_end(source, at + 1); // a label
            }
            b'@' => self.annotation(at)?,
            b'-' if source.get(at + 1) == Some(&b'>') => {
                self.pass.at += 2;
                self.block = self.pass.at;
            }
            _ if starts_word(byte) => self.word()?,
            _ if byte.is_ascii_digit() => self.pass.at = word_end(source, at),
            b'\\' | b'$' | b'#' => return Err(Unsure("a sign that Kotlin does not know")),
            _ => self.pass.at += 1,
        }
        Ok(())
    }

    /// A word of code.
    fn word(&mut self) -> Result<(), Unsure> {
        let (source, at) = (self.pass.source, self.pass.at);
        let end = word_end(source, at);
        self.pass.at = end;
        let word = &source[at..end];
        if !may_matter(word) || is_named(source, at) {
            return Ok(());
        }
        match word {
            b"import" | b"package" if self.pass.is_done() && is_first(source, at) => {
                let rest = &source[end..];
                self.pass.at = end + memchr::memchr2(b'\n', b';', rest).unwrap_or(rest.len());
            }
            b"else" | b"try" | b"do" | b"finally" | b"when" | b"if" | b"for" | b"while"
            | b"catch" => {
                self.block = end;
                self.control = end;
            }
            b"object" if matches!(source.get(skip(source, end)?), Some(b':' | b'{')) => {
                self.pass.at = object_end(source, end)?;
            }
            b"val" | b"var"
                if self.pass.in_block() && self.pass.collector.place() == Place::Open =>
            {
                let run = self.taken(at)?;
                self.property(run, at, end)?;
            }
            b"fun" if self.is_unnamed(end)? => self.pass.at = unnamed(source, end)?,
            b"fun" | b"class" | b"interface" | b"object" | b"typealias" => {
                let run = self.taken(at)?;
                self.declaration(run, at, end)?;
            }
            _ if is_modifier(word) => self.modifier(at, end)?,
            _ => {}
        }
        Ok(())
    }

    /// A member of a type.
    fn member(&mut self, byte: u8) -> Result<(), Unsure> {
        let (source, at) = (self.pass.source, self.pass.at);
        match byte {
            b'}' => return self.pass.close(byte).map(|_| ()),
            b';' => {
                self.pass.at += 1;
                return Ok(());
            }
            b'@' => return self.annotation(at),
            _ => {}
        }
        let unknown = Unsure("a member of an unknown kind");
        let end = ident_end(source, at).ok_or(unknown)?;
        let word = &source[at..end];
        self.pass.at = end;
        match word {
            b"val" | b"var" => {
                let run = self.taken(at)?;
                self.property(run, at, end)
            }
            b"fun" | b"class" | b"interface" | b"object" | b"typealias" => {
                let run = self.taken(at)?;
                self.declaration(run, at, end)
            }
            b"companion" => {
                let run = self.taken(at)?;
                self.companion(run, at, end)
            }
            b"constructor" => {
                let run = self.taken(at)?;
                self.constructor(run, at, end)
            }
            b"init" => {
                self.pass.at = skip(source, end)?;
                if self.pass.peek() != Some(b'{') {
                    return Err(unknown);
                }
                self.pass.collector.enter(None, Place::Function);
                self.pass.bracket(b'{', true, false)
            }
            b"context" => {
                // The receivers of what follows, of which the grammar knows nothing.
                let at = skip(source, end)?;
                if source.get(at) != Some(&b'(') {
                    return Err(unknown);
                }
                self.pass.at = group_end(source, at)?;
                Ok(())
            }
            _ if is_modifier(word) => self.modifier(at, end),
            _ => Err(unknown),
        }
    }

    /// Pass an annotation, which may be one of a declaration.
    fn annotation(&mut self, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        self.pass.at = annotation_end(source, at)?;
        if source[at..].starts_with(b"@file:") {
            return Ok(());
        }
        let mut run = self.joined(at)?.unwrap_or(Run { start: at, ..Run::default() });
        run.end = self.pass.at;
        self.run = Some(run);
        Ok(())
    }

    /// A word that is a modifier if a declaration follows.
    fn modifier(&mut self, at: usize, end: usize) -> Result<(), Unsure> {
        let joined = self.joined(at)?;
        if joined.is_none() && !is_first(self.pass.source, at) {
            return Ok(());
        }
        let mut run = joined.unwrap_or(Run { start: at, ..Run::default() });
        run.signature.get_or_insert(at);
        run.end = end;
        match &self.pass.source[at..end] {
            b"enum" => run.enumeration = true,
            b"annotation" => run.annotation = true,
            _ => {}
        }
        self.run = Some(run);
        Ok(())
    }

    /// The modifiers that end where something begins.
    fn joined(&self, at: usize) -> Result<Option<Run>, Unsure> {
        let Some(run) = self.run else { return Ok(None) };
        Ok((skip(self.pass.source, run.end)? == at).then_some(run))
    }

    /// The same for the keyword of a declaration, which uses them up.
    fn taken(&mut self, at: usize) -> Result<Run, Unsure> {
        let run = self.joined(at)?;
        self.run = None;
        let mut run = run.unwrap_or(Run { start: at, end: at, ..Run::default() });
        run.signature.get_or_insert(at);
        Ok(run)
    }

    /// Whether a function without a name follows its keyword.
    fn is_unnamed(&self, end: usize) -> Result<bool, Unsure> {
        let source = self.pass.source;
        let at = skip(source, end)?;
        if source.get(at) == Some(&b'(') {
            let after = skip(source, group_end(source, at)?)?;
            return Ok(source.get(after) != Some(&b'.'));
        }
        // `fun A.(b: C) {}`
        let mut from = at;
        while let Some(end) = ident_end(source, from) {
            let next = skip(source, end)?;
            if source.get(next) != Some(&b'.') {
                return Ok(false);
            }
            from = skip(source, next + 1)?;
        }
        Ok(from > at && source.get(from) == Some(&b'('))
    }
}

/// Whether a word of code may be a keyword that matters, by its first letter and its length.
fn may_matter(word: &[u8]) -> bool {
    (2..=10).contains(&word.len())
        && matches!(
            word[0],
            b'a' | b'c'
                | b'd'
                | b'e'
                | b'f'
                | b'i'
                | b'l'
                | b'o'
                | b'p'
                | b's'
                | b't'
                | b'v'
                | b'w'
        )
}

/// Whether what begins here is a name in spite of its letters: `A::class`.
fn is_named(source: &[u8], at: usize) -> bool {
    at > 0 && source[at - 1] == b'.' || at > 1 && &source[at - 2..at] == b"::"
}

/// Whether a statement may begin here, by what stands before on the line.
fn is_first(source: &[u8], at: usize) -> bool {
    let mut before = source[..at].iter().rev().skip_while(|byte| matches!(byte, b' ' | b'\t'));
    matches!(before.next(), None | Some(b'\n' | b'{' | b';' | b'}' | b'>' | b'/'))
}

fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"abstract"
            | b"actual"
            | b"annotation"
            | b"const"
            | b"crossinline"
            | b"data"
            | b"enum"
            | b"expect"
            | b"external"
            | b"final"
            | b"infix"
            | b"inline"
            | b"inner"
            | b"internal"
            | b"lateinit"
            | b"noinline"
            | b"open"
            | b"operator"
            | b"override"
            | b"private"
            | b"protected"
            | b"public"
            | b"sealed"
            | b"suspend"
            | b"tailrec"
            | b"value"
            | b"vararg"
    )
}

/// The modifier at a position, if one is there.
fn modifier_at(source: &[u8], at: usize) -> Option<usize> {
    let word = word_at(source, at);
    is_modifier(word).then(|| at + word.len())
}
