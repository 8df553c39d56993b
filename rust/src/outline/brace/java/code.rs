//! The bodies of methods: local types, and what is passed over to find them.

use super::{Body, Head, Pass, is_modifier};
use crate::outline::SymbolKind::{Class, Enum, Interface};
use crate::outline::brace::lex::{self, BLANK, SIGN, WORD};

/// Modifiers and annotations before what may be a local type.
struct Run {
    start: usize,
    signature: Option<usize>,
    end: usize,
    above: usize,
}

impl Pass<'_, '_> {
    /// Statements up to the brace that closes them, which is passed; the local types in them.
    pub(super) fn code(&mut self) {
        let base = self.draft.open.len() - 1;
        let mut run = Run { start: 0, signature: None, end: 0, above: 0 };
        loop {
            self.draft.pos = lex::find(self.draft.source, self.draft.pos, WORD | SIGN | lex::AT);
            let start = self.draft.pos;
            let Some(byte) = self.draft.peek() else {
                self.draft.doubt("brackets without an end");
                return self.draft.open.truncate(base);
            };
            match byte {
                b'(' | b'[' | b'{' => self.draft.push(byte),
                b')' | b']' | b'}' => {
                    self.draft.pop(byte);
                    if self.draft.open.len() <= base {
                        return;
                    }
                }
                b'/' => {
                    let joined = self.is_joined(&run, start);
                    if self.draft.comment().is_none() {
                        self.draft.pos += 1;
                        continue;
                    }
                    self.draft.note(start);
                    if joined {
                        run.end = self.draft.pos;
                    }
                }
                b'"' | b'\'' | b'`' => self.draft.literal(),
                b'\\' => {
                    self.draft.doubt("a backslash");
                    self.draft.pos += 1;
                }
                b'@' => {
                    let above = self.draft.comments.len();
                    let joined = self.is_joined(&run, start);
                    if self.annotation() {
                        self.draft.doubt("an annotation type in a body");
                    }
                    if !joined {
                        run = Run { start, signature: None, end: 0, above };
                    }
                    run.end = self.draft.pos;
                }
                _ => self.local(&mut run, start),
            }
        }
    }

    /// Whether nothing but blanks lies between the modifiers and what comes next.
    fn is_joined(&mut self, run: &Run, at: usize) -> bool {
        if run.end == 0 {
            return false;
        }
        let between = self.draft.source.get(run.end..at).unwrap_or_default();
        let blanks = between.iter().position(|&byte| !lex::is(byte, BLANK));
        self.draft.again += blanks.unwrap_or(between.len()) as u64;
        blanks.is_none()
    }

    /// Pass a word of a body, and the local type that it opens if it opens one.
    fn local(&mut self, run: &mut Run, start: usize) {
        let word = self.draft.word();
        let (kind, body) = match word {
            _ if is_modifier(word) || matches!(word, b"sealed" | b"non") => {
                if !self.is_joined(run, start) {
                    let above = self.draft.comments.len();
                    *run = Run { start, signature: None, end: 0, above };
                }
                run.signature.get_or_insert(start);
                if word == b"non" && self.draft.source[self.draft.pos..].starts_with(b"-sealed") {
                    self.draft.pos += "-sealed".len();
                }
                run.end = self.draft.pos;
                return;
            }
            b"new" => {
                return self.creation(start);
            }
            b"class" => (Class, Body::Class),
            b"interface" => (Interface, Body::Interface),
            b"enum" => (Enum, Body::Class),
            b"record" if self.is_record() => (Class, Body::Class),
            _ => return,
        };
        let before = self.draft.source[..start].iter().rev();
        let mut before = before.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        if before.next() == Some(&b'.') {
            return; // `A.class`
        }
        let alone = !self.is_joined(run, start);
        let above = if alone { self.draft.comments.len() } else { run.above };
        let head = Head {
            start: if alone { start } else { run.start },
            above,
            signature: if alone { None } else { Some(run.signature.unwrap_or(start)) },
            words: 0,
            name: b"",
            dotted: false,
            is_static: false,
            is_final: false,
        };
        self.declare(kind, body, &head);
        run.end = 0;
    }

    /// After `new`: the type, and if it is no array its arguments and body, in which nothing counts.
    pub(super) fn creation(&mut self, new: usize) {
        if self.draft.source[..new].trim_ascii_end().ends_with(b"::") {
            return; // `A::new`
        }
        loop {
            self.draft.space();
            match self.draft.peek() {
                Some(b'@') => drop(self.annotation()),
                Some(b'<') => self.angles(),
                Some(b'.') => self.draft.pos += 1,
                Some(b'(') => {
                    self.draft.group();
                    let end = self.draft.pos;
                    self.draft.space();
                    if self.draft.peek() == Some(b'{') {
                        self.draft.group();
                    } else {
                        self.back(end);
                    }
                    return;
                }
                Some(b'[') => return,
                Some(byte) if lex::is(byte, WORD) => drop(self.draft.word()),
                _ => return self.draft.doubt("an object without arguments"),
            }
        }
    }
}
