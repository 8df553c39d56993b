//! Go: functions, methods (their parent is the receiver's type), types, constants, variables.
//!
//! A file is a row of declarations, each of which begins with a keyword. Inside of bodies and values only
//! four words matter: `type` declares; `interface` has methods; `func` and `struct` have parameters and
//! fields, in which nothing counts. A line ends a declaration where Go would insert a semicolon.

mod code;
mod types;

use super::draft::Draft;
use super::lex::{self, BLANK, WORD};
use crate::outline::SymbolKind::{self, Constant, Function, Method, Type, Variable};
use crate::outline::scanner::{Scanner, Unsure};
use crate::outline::{Symbol, text};
use code::Until;

pub(in crate::outline) const GO: Scanner = Scanner { name: "go", version: "scan.1", scan };

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
    let draft = Draft::new(source, lex::go_literal_end, out);
    let mut pass = Pass { draft, ended: (0, 0) };
    pass.file();
    pass.draft.end()
}

/// The type that a method belongs to: the last word of `(s *Stack[T])` or `(Stack)`, less the star and what
/// is in brackets.
pub(crate) fn owner_of(receiver: &str) -> Option<String> {
    let receiver = receiver.split('[').next().unwrap_or_default();
    let kind = receiver.rsplit([' ', '*', '(']).find(|word| !word.is_empty());
    let owner = kind.map(|word| word.trim_end_matches([')', ',']).to_owned());
    owner.filter(|word| !word.is_empty())
}

struct Pass<'s, 'o> {
    draft: Draft<'s, 'o>,
    /// Where a comment or the end of a line that ends no statement ended, and the code before it.
    ended: (usize, usize),
}

impl Pass<'_, '_> {
    fn file(&mut self) {
        loop {
            self.draft.gap();
            let start = self.draft.pos;
            if self.draft.is_full() {
                return;
            }
            match self.draft.peek() {
                None => return,
                Some(b';') => self.draft.pos += 1,
                Some(byte) if lex::is(byte, WORD) => match self.draft.word() {
                    b"package" => {
                        self.draft.space();
                        self.draft.word();
                    }
                    b"import" => self.import(),
                    b"func" => self.function(start),
                    b"type" => self.declaration(start, Type),
                    b"const" => self.declaration(start, Constant),
                    b"var" => self.declaration(start, Variable),
                    _ => self.draft.doubt("a statement outside of a function"),
                },
                Some(byte) => {
                    self.draft.doubt("a sign outside of a declaration");
                    self.strange(byte);
                }
            }
        }
    }

    /// Pass something that should not be here.
    fn strange(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' | b'{' => self.draft.group(),
            b'"' | b'\'' | b'`' => self.draft.literal(),
            _ => self.draft.pos += 1,
        }
    }

    fn import(&mut self) {
        self.draft.space();
        if self.draft.peek() == Some(b'(') {
            self.draft.group();
            return;
        }
        if self.draft.peek() == Some(b'.') {
            self.draft.pos += 1;
        }
        self.draft.word();
        self.draft.space();
        match self.draft.peek() {
            Some(b'"' | b'`') => self.draft.literal(),
            _ => self.draft.doubt("an import without a path"),
        }
    }

    /// After `func` at the level of the file.
    fn function(&mut self, start: usize) {
        self.draft.space();
        let mut owner = None;
        let mut kind = Function;
        if self.draft.peek() == Some(b'(') {
            let from = self.draft.pos;
            self.draft.group();
            owner = owner_of(&text::name(&self.draft.source[from..self.draft.pos]));
            kind = Method;
            self.draft.space();
        }
        let name = self.draft.word();
        if name.is_empty() || is_keyword(name) {
            self.draft.doubt("a function without a name");
            return;
        }
        self.draft.space();
        if self.draft.peek() == Some(b'[') {
            self.draft.group();
            self.draft.space();
        }
        if self.draft.peek() != Some(b'(') {
            self.draft.doubt("a function without parameters");
            return;
        }
        let index = self.draft.begin(kind, name, owner.as_deref(), start);
        let outside = self.draft.enter(owner.as_deref(), name);
        let mut end = self.signature();
        let mut until = end;
        if self.draft.peek() == Some(b'{') {
            until = self.draft.pos;
            // Comments in the head are no documentation of what is in the body.
            self.draft.comments.clear();
            self.draft.push(b'{');
            end = self.run(Until::Closed);
        }
        self.draft.leave(outside);
        self.draft.finish(index, end, (start, until));
    }

    /// Parameters and result, up to a body or the end of the statement; the end of the result.
    fn signature(&mut self) -> usize {
        self.draft.group();
        let end = self.draft.pos;
        self.blanks();
        if self.draft.peek() == Some(b'(') {
            self.draft.group();
        } else {
            self.draft.pos = end;
        }
        self.run(Until::Body)
    }

    /// After `type`, `const` or `var`: one specification, or several in brackets.
    fn declaration(&mut self, keyword: usize, kind: SymbolKind) {
        let after = self.draft.pos;
        self.draft.gap();
        if self.draft.peek() != Some(b'(') {
            // The keyword belongs to the one thing that is declared, unless a comment comes between.
            let between = &self.draft.source[after..self.draft.pos];
            let plain = between.iter().all(|&byte| lex::is(byte, BLANK));
            self.specification(if plain { keyword } else { self.draft.pos }, kind);
            return;
        }
        self.draft.push(b'(');
        loop {
            self.draft.gap();
            let start = self.draft.pos;
            match self.draft.peek() {
                None => {
                    self.draft.doubt("a group without an end");
                    return;
                }
                Some(b')') => {
                    self.draft.pop(b')');
                    return;
                }
                Some(b';') => self.draft.pos += 1,
                Some(byte) if lex::is(byte, WORD) => self.specification(start, kind),
                Some(byte) => {
                    self.draft.doubt("a sign instead of a name");
                    self.strange(byte);
                }
            }
            if self.draft.is_full() {
                return;
            }
        }
    }

    fn specification(&mut self, start: usize, kind: SymbolKind) {
        if kind == Type { self.type_specification(start) } else { self.values(start, kind) }
    }

    /// `a, b = 1, 2`: one definition for each name, except `_`.
    fn values(&mut self, start: usize, kind: SymbolKind) {
        let first = self.draft.count();
        loop {
            let name = self.draft.word();
            if name.is_empty() || is_keyword(name) {
                self.draft.doubt("a value without a name");
                break;
            }
            if name != b"_" {
                self.draft.begin(kind, name, None, start);
            }
            let end = self.draft.pos;
            self.blanks();
            if self.draft.peek() != Some(b',') {
                self.draft.pos = end;
                break;
            }
            self.draft.pos += 1;
            self.draft.space();
        }
        let names = first..self.draft.count();
        let after = self.draft.pos;
        let end = self.run(Until::Statement);
        if kind == Variable && end <= after {
            self.draft.doubt("a variable without a type or a value");
        }
        self.draft.finish_all(names, end, start);
    }
}

/// The reserved words, except those after which the end of a line ends a statement.
fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"case"
            | b"chan"
            | b"const"
            | b"default"
            | b"defer"
            | b"else"
            | b"for"
            | b"func"
            | b"go"
            | b"goto"
            | b"if"
            | b"import"
            | b"interface"
            | b"map"
            | b"package"
            | b"range"
            | b"select"
            | b"struct"
            | b"switch"
            | b"type"
            | b"var"
    )
}
