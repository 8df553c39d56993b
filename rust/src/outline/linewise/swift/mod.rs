//! Swift by one pass over its bytes: what `swift` finds in a syntax tree, many times as fast.
//!
//! In a type each member is read word by word (`declare`, `property`). In code, only the words that may open a definition
//! are looked at. Both branches of an `#if` are read; where they leave different brackets open, the brackets do not
//! match and the file is not for this scanner.
//!
//! This file owns the loop over the bytes and the modifiers before a definition.

mod declare;
mod property;
mod strings;
mod value;

use super::lex::{
    comment_end, comments_in, ident_end, is_blank, skip, starts_word, word_at, word_end,
};
use super::pass::Pass;
use crate::outline::collect::Collector;
use crate::outline::scanner::{Scanner, Unsure};
use crate::outline::scope::Place;
use crate::outline::{SYMBOL_LIMIT, Symbol};

use strings::{line_end, literal_end};
use value::{annotation_end, group_end, value_end};

pub(in crate::outline) const SWIFT: Scanner = Scanner { name: "swift", version: "scan.1", scan };

/// Finds the definitions of a source.
fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    let collector = Collector::new(source, |raw, gaps| comments_in(raw, literal_end, gaps), out);
    Scan { pass: Pass::new(source, collector), run: None, block: None }.scan()
}

/// Attributes and modifiers before a declaration.
#[derive(Clone, Copy, Default)]
struct Run {
    start: usize,
    /// Where the first modifier that is no attribute begins.
    signature: Option<usize>,
    /// Where the last of them ends.
    end: usize,
}

struct Scan<'s> {
    pass: Pass<'s>,
    /// The modifiers passed last.
    run: Option<Run>,
    /// A statement has begun whose next `{`, where so many brackets are open, is a block and no closure.
    block: Option<usize>,
}

impl Scan<'_> {
    fn scan(mut self) -> Result<(), Unsure> {
        if self.pass.source.starts_with(b"#!") {
            self.pass.at = line_end(self.pass.source, 0);
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
            b'"' | b'`' => self.pass.at = literal_end(source, at)?.unwrap_or(at + 1),
            b'#' => {
                if !self.directive(at) {
                    self.pass.at = literal_end(source, at)?.unwrap_or(at + 1);
                    if source[self.pass.at - 1] == b'#' {
                        self.pass.at = word_end(source, self.pass.at);
                    }
                }
            }
            b'{' => {
                let open = self.pass.collector.place() == Place::Open;
                let closure = open && self.block != Some(self.pass.depth());
                self.block = None;
                if closure {
                    self.pass.collector.enter(None, Place::Function);
                }
                self.pass.bracket(byte, closure, false)?;
            }
            b'(' | b'[' => self.pass.bracket(byte, false, false)?,
            b'}' | b')' | b']' => drop(self.pass.close(byte)?),
            b'@' => self.attribute(at)?,
            _ if starts_word(byte) => self.word()?,
            _ if byte.is_ascii_digit() => self.pass.at = word_end(source, at),
            b'$' => self.pass.at = word_end(source, at + 1),
            _ => self.pass.at += 1,
        }
        Ok(())
    }

    /// Pass a directive with its line, if one begins here.
    fn directive(&mut self, at: usize) -> bool {
        let source = self.pass.source;
        let word = word_at(source, at + 1);
        let known = matches!(
            word,
            b"if" | b"elseif" | b"else" | b"endif" | b"error" | b"warning" | b"sourceLocation"
        );
        if known {
            let line = &source[at..line_end(source, at)];
            let comment = memchr::memmem::find(line, b"//").or(memchr::memmem::find(line, b"/*"));
            self.pass.at = at + comment.unwrap_or(line.len());
        }
        known
    }

    /// A word of code.
    fn word(&mut self) -> Result<(), Unsure> {
        let (source, at) = (self.pass.source, self.pass.at);
        let end = word_end(source, at);
        self.pass.at = end;
        let word = &source[at..end];
        if !may_matter(word) || at > 0 && source[at - 1] == b'.' {
            return Ok(());
        }
        match word {
            b"import" if self.pass.is_done() && self.starts(at)? => self.line(end),
            b"if" | b"for" | b"while" | b"guard" | b"switch" | b"do" | b"catch" | b"else"
            | b"defer" | b"repeat" => self.block = Some(self.pass.depth()),
            b"let" | b"var"
                if self.pass.collector.place() == Place::Open
                    && self.pass.in_block()
                    && self.block != Some(self.pass.depth())
                    && self.starts(at)? =>
            {
                let run = self.taken(at)?;
                self.property(run, at, end)?;
            }
            b"precedencegroup" | b"operator" if self.starts(at)? => self.operator(end)?,
            b"class" if self.is_modifier_of_member(end)? => self.modifier(at, end)?,
            b"func" if source.get(skip(source, end)?) == Some(&b':') => {} // a label
            b"class" | b"struct" | b"enum" | b"extension" | b"protocol" | b"actor"
            | b"typealias" | b"macro"
                if !self.is_declared(end)? => {}
            b"func" | b"class" | b"struct" | b"enum" | b"extension" | b"protocol" | b"actor"
            | b"typealias" | b"macro" => {
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
        let unknown = Unsure("a member of an unknown kind");
        match byte {
            b'}' => return self.pass.close(byte).map(|_| ()),
            b';' => {
                self.pass.at += 1;
                return Ok(());
            }
            b'@' => return self.attribute(at),
            b'#' if self.directive(at) => return Ok(()),
            _ => {}
        }
        let end = ident_end(source, at).ok_or(unknown)?;
        self.pass.at = end;
        match &source[at..end] {
            b"let" | b"var" => {
                let run = self.taken(at)?;
                self.property(run, at, end)
            }
            b"class" if self.is_modifier_of_member(end)? => self.modifier(at, end),
            b"func" | b"class" | b"struct" | b"enum" | b"extension" | b"protocol" | b"actor"
            | b"typealias" => {
                let run = self.taken(at)?;
                self.declaration(run, at, end)
            }
            b"init" => {
                let run = self.taken(at)?;
                self.initialiser(run, end)
            }
            b"deinit" => {
                let run = self.taken(at)?;
                self.deinitialiser(run, end)
            }
            b"subscript" => {
                let run = self.taken(at)?;
                self.subscript(run, end)
            }
            b"case" | b"associatedtype" => {
                self.pass.at = value_end(source, end)?;
                Ok(())
            }
            b"import" => {
                self.line(end);
                Ok(())
            }
            b"precedencegroup" | b"operator" => self.operator(end),
            word if is_modifier(word) => self.modifier(at, end),
            _ => Err(unknown),
        }
    }

    fn line(&mut self, at: usize) {
        let rest = &self.pass.source[at..];
        self.pass.at = at + memchr::memchr2(b'\n', b';', rest).unwrap_or(rest.len());
    }

    /// An operator or the group of one, which define nothing that is reported.
    fn operator(&mut self, at: usize) -> Result<(), Unsure> {
        let source = self.pass.source;
        self.line(at);
        if let Some(brace) = memchr::memchr(b'{', &source[at..self.pass.at]) {
            self.pass.at = group_end(source, at + brace)?;
        }
        Ok(())
    }

    /// Pass an attribute, which may be one of a declaration.
    fn attribute(&mut self, at: usize) -> Result<(), Unsure> {
        self.pass.at = annotation_end(self.pass.source, at)?;
        let mut run = self.joined(at)?.unwrap_or(Run { start: at, ..Run::default() });
        run.end = self.pass.at;
        self.run = Some(run);
        Ok(())
    }

    /// A word that is a modifier if a declaration follows.
    fn modifier(&mut self, at: usize, end: usize) -> Result<(), Unsure> {
        if !self.starts(at)? {
            return Ok(());
        }
        let source = self.pass.source;
        let mut run = self.joined(at)?.unwrap_or(Run { start: at, ..Run::default() });
        run.signature.get_or_insert(at);
        run.end = end;
        if source.get(end) == Some(&b'(') && self.pass.in_members() {
            run.end = group_end(source, end)?; // `private(set)`
        } else if matches!(word_at(source, end + 1), b"set" | b"safe" | b"unsafe")
            && source.get(end) == Some(&b'(')
        {
            run.end = group_end(source, end)?;
        }
        self.pass.at = run.end;
        self.run = Some(run);
        Ok(())
    }

    /// Whether a declaration may begin here: first on its line, or behind modifiers.
    fn starts(&self, at: usize) -> Result<bool, Unsure> {
        Ok(is_first(self.pass.source, at) || self.joined(at)?.is_some())
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

    /// Whether a name or a type follows.
    fn is_declared(&self, end: usize) -> Result<bool, Unsure> {
        let at = skip(self.pass.source, end)?;
        let name = ident_end(self.pass.source, at).is_some();
        Ok(at > end && (name || self.pass.source.get(at) == Some(&b'[')))
    }

    /// Whether `class` stands for `static` here.
    fn is_modifier_of_member(&self, end: usize) -> Result<bool, Unsure> {
        let word = word_at(self.pass.source, skip(self.pass.source, end)?);
        Ok(matches!(word, b"func" | b"var" | b"let" | b"subscript") || is_modifier(word))
    }
}

/// Whether a word of code may be a keyword that matters, by its first letter and its length.
fn may_matter(word: &[u8]) -> bool {
    (2..=15).contains(&word.len())
        && matches!(
            word[0],
            b'a' | b'b'
                | b'c'
                | b'd'
                | b'e'
                | b'f'
                | b'g'
                | b'i'
                | b'l'
                | b'm'
                | b'n'
                | b'o'
                | b'p'
                | b'r'
                | b's'
                | b't'
                | b'u'
                | b'v'
                | b'w'
        )
}

/// Whether a statement may begin here, by what stands before on the line.
fn is_first(source: &[u8], at: usize) -> bool {
    let mut before = source[..at].iter().rev().skip_while(|byte| matches!(byte, b' ' | b'\t'));
    match before.next() {
        None | Some(b'\n' | b'{' | b';' | b'}' | b'/') => true,
        Some(b'n') => source[..at].trim_ascii_end().ends_with(b" in"), // of a closure
        _ => false,
    }
}

fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"borrowing"
            | b"consuming"
            | b"convenience"
            | b"distributed"
            | b"dynamic"
            | b"fileprivate"
            | b"final"
            | b"indirect"
            | b"infix"
            | b"internal"
            | b"isolated"
            | b"lazy"
            | b"mutating"
            | b"nonisolated"
            | b"nonmutating"
            | b"open"
            | b"optional"
            | b"override"
            | b"package"
            | b"postfix"
            | b"prefix"
            | b"private"
            | b"public"
            | b"required"
            | b"static"
            | b"unowned"
            | b"weak"
    )
}
