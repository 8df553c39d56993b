//! Java: types, methods, constructors and constants (`static final`, or of an interface).
//!
//! The body of a type is a row of members, each of which is read word by word up to the sign that says what
//! it is: `(` a method, `=`, `,` or `;` a field, the word `class` a type. In the body of a method only local
//! types count; what `new X(...) {...}` holds does not. Members of anonymous classes are not reported.

mod code;
mod field;
mod pieces;

use super::draft::Draft;
use super::lex::{self, WORD};
use crate::outline::Symbol;
use crate::outline::SymbolKind::{self, Class, Constructor, Enum, Interface, Method, Module};
use crate::outline::scanner::{Scanner, Unsure};

pub(in crate::outline) const JAVA: Scanner = Scanner { name: "java", version: "scan.1", scan };

/// Append the definitions of `source`, all that are found.
///
/// # Errors
/// [`Unsure`].
pub fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    scan_counted(source, out).1
}

/// As [`scan`]; with the number of bytes looked at, so that a test can show that work grows with the input
/// and not faster.
pub fn scan_counted(source: &[u8], out: &mut Vec<Symbol>) -> (u64, Result<(), Unsure>) {
    let mut pass = Pass { draft: Draft::new(source, lex::java_literal_end, out) };
    pass.members(Body::File);
    pass.draft.end()
}

/// What holds members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    /// The file, where since Java 25 methods may stand, too.
    File,
    /// A class, a record, the part of an enumeration after its constants.
    Class,
    /// An interface or annotation type: its fields are constants.
    Interface,
}

/// The first words of a member.
struct Head<'s> {
    /// Where it begins, annotations included.
    start: usize,
    /// How many comments stand before it.
    above: usize,
    /// Where its signature begins: after the first annotations.
    signature: Option<usize>,
    /// Names and types that stand side by side; `a.b` is one.
    words: usize,
    /// The last of them.
    name: &'s [u8],
    /// Whether a dot has just been passed.
    dotted: bool,
    is_static: bool,
    is_final: bool,
}

struct Pass<'s, 'o> {
    draft: Draft<'s, 'o>,
}

impl<'s> Pass<'s, '_> {
    /// Members up to the brace that closes their type, which is passed, or to the end of the file.
    fn members(&mut self, body: Body) {
        loop {
            self.draft.gap();
            match self.draft.peek() {
                None => {
                    if body != Body::File {
                        self.draft.doubt("a type without an end");
                    }
                    return;
                }
                Some(b'}') => {
                    self.draft.pop(b'}');
                    if body != Body::File {
                        return;
                    }
                }
                Some(b';') => self.draft.pos += 1,
                Some(b'{') if body == Body::Class => {
                    self.draft.push(b'{');
                    self.code();
                }
                Some(_) => self.member(body),
            }
        }
    }

    fn member(&mut self, body: Body) {
        let mut head = Head {
            start: self.draft.pos,
            above: self.draft.comments.len(),
            signature: None,
            words: 0,
            name: b"",
            dotted: false,
            is_static: false,
            is_final: false,
        };
        loop {
            self.draft.gap();
            let at = self.draft.pos;
            let byte = self.draft.peek().unwrap_or_default();
            if byte == b'@' {
                if self.annotation() {
                    head.signature.get_or_insert(at);
                    self.declare(Interface, Body::Interface, &head);
                    return;
                }
                continue;
            }
            head.signature.get_or_insert(at);
            match byte {
                b'(' if head.words > 0 => return self.method(&head),
                b'=' | b',' | b';' if head.words > 1 => return self.field(body, &head),
                b'{' if body == Body::Class && head.words == 1 => {
                    let index = self.draft.begin_above(
                        Constructor,
                        head.name,
                        None,
                        head.start,
                        head.above,
                    );
                    return self.body(index, &head);
                }
                b'{' if body == Body::Class && head.words == 0 && head.is_static => {
                    self.draft.push(b'{');
                    return self.code();
                }
                b'<' => self.angles(),
                b'[' => self.draft.group(),
                b'.' => {
                    head.dotted = true;
                    self.draft.pos += 1;
                }
                b'-' if head.name == b"non" => self.draft.pos += 1,
                _ if lex::is(byte, WORD) => {
                    let word = self.draft.word();
                    if self.first_word(body, &mut head, word) {
                        return;
                    }
                }
                _ => return self.strange("a sign that is no part of a member"),
            }
        }
    }

    /// Take a word of a head; true if it has turned out to be something that is now passed.
    fn first_word(&mut self, body: Body, head: &mut Head<'s>, word: &'s [u8]) -> bool {
        let file = body == Body::File;
        if is_modifier(word) {
            if head.dotted || head.words > 0 && !matches!(head.name, b"sealed" | b"open") {
                self.draft.doubt("a modifier behind a type");
            }
            head.is_static |= word == b"static";
            head.is_final |= word == b"final";
            return false;
        }
        match word {
            b"class" => {
                self.declare(Class, Body::Class, head);
                return true;
            }
            b"interface" => {
                self.declare(Interface, Body::Interface, head);
                return true;
            }
            b"enum" => {
                self.declare(Enum, Body::Class, head);
                return true;
            }
            b"record" if head.words == 0 && self.is_record() => {
                {
                    self.declare(Class, Body::Class, head);
                    return true;
                };
            }
            b"package" | b"import" if file && head.words == 0 => {
                self.draft.comments.truncate(head.above);
                self.semicolon();
                return true;
            }
            b"module" if file && (head.words == 0 || head.name == b"open") => {
                self.module(head);
                return true;
            }
            _ if is_reserved(word) || word[0].is_ascii_digit() => {
                self.strange("a word that is no part of a member");
                return true;
            }
            _ => {
                head.words += usize::from(!head.dotted);
                head.dotted = false;
                head.name = word;
            }
        }
        false
    }

    /// Pass something that should not be here.
    fn strange(&mut self, why: &'static str) {
        self.draft.doubt(why);
        match self.draft.peek() {
            Some(b'(' | b'[' | b'{') => self.draft.group(),
            Some(b'"' | b'\'' | b'`') => self.draft.literal(),
            // What encloses this may need it.
            Some(b'}') | None => {}
            Some(_) => self.draft.pos += 1,
        }
    }

    /// After the word that says what kind of type it is.
    fn declare(&mut self, kind: SymbolKind, body: Body, head: &Head<'_>) {
        self.draft.space();
        let name = self.draft.word();
        if name.is_empty() || is_reserved(name) {
            return self.strange("a type without a name");
        }
        loop {
            self.draft.space();
            match self.draft.peek() {
                Some(b'{') => break,
                Some(b'(' | b'[') => self.draft.group(),
                Some(b',' | b'.' | b'<' | b'>' | b'&' | b'?' | b'@') => self.draft.pos += 1,
                Some(byte) if lex::is(byte, WORD) => drop(self.draft.word()),
                _ => return self.strange("a type without a body"),
            }
        }
        let index = self.draft.begin_above(kind, name, None, head.start, head.above);
        let until = self.draft.pos;
        self.draft.comments.clear();
        if self.draft.is_deep() {
            self.draft.group();
        } else {
            let outside = self.draft.enter(None, name);
            self.draft.push(b'{');
            if kind != Enum || self.constants() {
                self.members(body);
            }
            self.draft.leave(outside);
        }
        let from = head.signature.unwrap_or(head.start);
        self.draft.finish(index, self.draft.pos, (from, until));
    }

    /// The constants of an enumeration; true if members follow.
    fn constants(&mut self) -> bool {
        loop {
            self.draft.gap();
            match self.draft.peek() {
                Some(b',') => self.draft.pos += 1,
                Some(b';') => {
                    self.draft.pos += 1;
                    return true;
                }
                Some(b'}') => {
                    self.draft.pop(b'}');
                    return false;
                }
                Some(b'@') => {
                    let doubtful = self.annotation();
                    if doubtful {
                        self.draft.doubt("an annotation type among constants");
                    }
                    self.draft.space();
                }
                Some(byte) if lex::is(byte, WORD) => {
                    self.draft.word();
                    for bracket in [b'(', b'{'] {
                        let end = self.draft.pos;
                        self.draft.space();
                        if self.draft.peek() == Some(bracket) {
                            self.draft.group();
                        } else {
                            self.back(end);
                        }
                    }
                }
                None => {
                    self.draft.doubt("an enumeration without an end");
                    return false;
                }
                Some(_) => self.strange("a sign that is no part of a constant"),
            }
        }
    }

    /// After `module`: a name and directives.
    fn module(&mut self, head: &Head<'_>) {
        self.draft.space();
        let from = self.draft.pos;
        let mut to = from;
        while self.draft.peek().is_some_and(|byte| byte == b'.' || lex::is(byte, WORD)) {
            self.draft.pos += usize::from(self.draft.peek() == Some(b'.'));
            self.draft.word();
            to = self.draft.pos;
            self.draft.space();
        }
        if self.draft.peek() != Some(b'{') || from == to {
            return self.strange("a module without a name or a body");
        }
        let name = &self.draft.source[from..to];
        let index = self.draft.begin_above(Module, name, None, head.start, head.above);
        let until = self.draft.pos;
        self.draft.comments.clear();
        self.draft.group();
        let from = head.signature.unwrap_or(head.start);
        self.draft.finish(index, self.draft.pos, (from, until));
    }

    /// From the parameters of a method or constructor on.
    fn method(&mut self, head: &Head<'_>) {
        let kind = if head.words == 1 { Constructor } else { Method };
        let index = self.draft.begin_above(kind, head.name, None, head.start, head.above);
        self.draft.group();
        loop {
            self.draft.gap();
            match self.draft.peek() {
                Some(b'{') => return self.body(index, head),
                Some(b';') => {
                    self.draft.pos += 1;
                    let from = head.signature.unwrap_or(head.start);
                    return self.draft.finish(index, self.draft.pos, (from, self.draft.pos));
                }
                Some(b'[') => self.draft.group(),
                Some(b'<') => self.angles(),
                Some(b',' | b'.') => self.draft.pos += 1,
                Some(b'@') => {
                    self.annotation();
                }
                Some(byte) if lex::is(byte, WORD) => {
                    if self.draft.word() == b"default" {
                        self.semicolon();
                        self.draft.pos -= usize::from(self.draft.pos > head.start);
                        if self.draft.peek() != Some(b';') {
                            return self.strange("a default value without an end");
                        }
                    }
                }
                _ => {
                    let from = head.signature.unwrap_or(head.start);
                    self.draft.finish(index, self.draft.pos, (from, self.draft.pos));
                    return self.strange("a sign that is no part of a method");
                }
            }
        }
    }

    /// The body of what was begun, from its brace on.
    fn body(&mut self, index: Option<usize>, head: &Head<'_>) {
        let until = self.draft.pos;
        self.draft.comments.clear();
        let outside = self.draft.enter(None, head.name);
        self.draft.push(b'{');
        self.code();
        self.draft.leave(outside);
        let from = head.signature.unwrap_or(head.start);
        self.draft.finish(index, self.draft.pos, (from, until));
    }
}

/// The modifiers that are reserved words.
fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"abstract"
            | b"default"
            | b"final"
            | b"native"
            | b"private"
            | b"protected"
            | b"public"
            | b"static"
            | b"strictfp"
            | b"synchronized"
            | b"transient"
            | b"volatile"
    )
}

/// Words that are neither a name nor a type nor a modifier.
fn is_reserved(word: &[u8]) -> bool {
    matches!(
        word,
        b"assert"
            | b"break"
            | b"case"
            | b"catch"
            | b"class"
            | b"const"
            | b"continue"
            | b"do"
            | b"else"
            | b"enum"
            | b"extends"
            | b"finally"
            | b"for"
            | b"goto"
            | b"if"
            | b"implements"
            | b"import"
            | b"instanceof"
            | b"interface"
            | b"new"
            | b"package"
            | b"return"
            | b"super"
            | b"switch"
            | b"this"
            | b"throw"
            | b"throws"
            | b"try"
            | b"while"
    )
}
