//! Directives: macros are definitions, and conditions decide which text counts.
//!
//! Both branches of an `#if` are read, because both define things, but braces and brackets must
//! not count twice. Inside a block each branch starts at the depth of the `#if`, and the text after
//! `#endif` continues at the depth that the first branch reached. Between declarations each
//! branch starts with the statement as it was at the `#if`, so that of two heads of one function the
//! last one stays. When the first branch opened or closed a scope, its alternatives are skipped
//! except for their macros. `#if 0` and what only an assembler reads are skipped too.

use super::block::BlockState;
use super::statement::Snapshot;
use super::{Definition, Scanner, SymbolKind, lex, text};
use memchr::{memchr, memchr3};

/// Conditions deeper than this are counted, not remembered.
const MAX_CONDITIONS: usize = 128;

/// The open `#if`s of a source.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    stack: Vec<Condition>,
    /// Open conditions beyond the ceiling.
    uncounted: u32,
    /// Blocks skipped so far: the source of `BlockState::id`.
    pub blocks: u32,
    /// Directives seen so far.
    seen: u64,
    /// `#ifndef NAME` as the first directive of the file: the name of the include guard.
    guard: Option<(usize, usize)>,
}

/// What to return to at `#else` and at `#endif`.
#[derive(Debug)]
struct Condition {
    block: BlockState,
    frames: usize,
    statement: Snapshot,
    /// The depth at the end of the first branch.
    first_depth: Option<u32>,
    /// The other branch is for an assembler.
    skip_else: bool,
}

/// Where the skipping of dead text stops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Else,
    Endif,
}

impl<'s> Scanner<'s, '_> {
    /// Reads the directive whose `#` is at the current position; stops at its line end.
    pub(super) fn directive(&mut self) {
        let source = self.source;
        let (name, after) = self.directive_name(self.pos + 1);
        let hash = self.pos;
        self.conditions.seen += 1;
        let guard = self.conditions.guard.take();
        match name {
            b"define" => {
                self.define(hash, after, guard);
                return;
            }
            b"if" | b"ifdef" | b"ifndef" => {
                self.pos = lex::directive_end(source, after);
                self.open_condition(name, &source[after..self.pos], after);
                return;
            }
            b"else" | b"elif" | b"elifdef" | b"elifndef" => {
                self.pos = lex::directive_end(source, after);
                self.next_branch();
                return;
            }
            b"endif" => self.close_condition(),
            _ => {}
        }
        self.pos = lex::directive_end(source, after);
    }

    /// The word after a `#`, and the position after it.
    fn directive_name(&self, mut at: usize) -> (&'s [u8], usize) {
        while self.source.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            at += 1;
        }
        let end = lex::word_end(self.source, at);
        (&self.source[at..end], end)
    }

    fn define(&mut self, hash: usize, after: usize, guard: Option<(usize, usize)>) {
        let source = self.source;
        let blanks = source[after..]
            .iter()
            .take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'\\' | b'\n' | b'\r'))
            .count();
        let start = after + blanks;
        let end = lex::word_end(source, start);
        self.pos = lex::directive_end(source, end);
        if start == end || blanks == 0 || source[start].is_ascii_digit() {
            return;
        }
        let name = &source[start..end];
        let is_call = source.get(end) == Some(&b'(');
        if !is_call
            && guard.is_some_and(|(from, to)| &source[from..to] == name)
            && text::collapse(&source[end..self.pos]).is_empty()
        {
            return; // the include guard
        }
        let signature_end = if is_call {
            let stop = memchr(b')', &source[end..self.pos]).map_or(self.pos, |at| end + at + 1);
            stop.min(self.pos)
        } else {
            self.pos
        };
        let doc = if self.block.id == 0 { self.doc_for(hash) } else { None };
        let doc = self.doc_text(doc);
        let definition = Definition {
            name: text::name(name),
            kind: SymbolKind::Macro,
            parent: None,
            signature: text::collapse(&source[hash..signature_end]),
            doc,
        };
        self.emit(definition, hash, self.pos);
    }

    fn open_condition(&mut self, name: &[u8], argument: &[u8], argument_start: usize) {
        let (word, negated) = tested_name(name, argument);
        if negated && self.conditions.seen == 1 && self.statement.is_empty() && !word.is_empty() {
            let offset = argument_start + (word.as_ptr() as usize - argument.as_ptr() as usize);
            self.conditions.guard = Some((offset, offset + word.len()));
        }
        let for_assembler = matches!(word, b"__ASSEMBLY__" | b"__ASSEMBLER__");
        if self.conditions.stack.len() >= MAX_CONDITIONS {
            self.conditions.uncounted += 1;
        } else {
            self.conditions.stack.push(Condition {
                block: self.block,
                frames: self.frames.len(),
                statement: self.statement.snapshot(),
                first_depth: None,
                skip_else: for_assembler && negated,
            });
        }
        let is_false = name == b"if" && is_zero(argument);
        if is_false || (for_assembler && !negated) {
            self.skip_dead(Until::Else, !is_false);
        }
    }

    fn next_branch(&mut self) {
        if self.conditions.uncounted > 0 {
            return;
        }
        let Some(condition) = self.conditions.stack.last_mut() else { return };
        let same_block = condition.block.id == self.block.id;
        if !same_block || condition.frames != self.frames.len() || condition.skip_else {
            self.skip_dead(Until::Endif, true);
        } else if self.block.id != 0 {
            condition.first_depth.get_or_insert(self.block.depth);
            self.block.depth = condition.block.depth;
        } else {
            self.statement.restore(&condition.statement);
        }
    }

    fn close_condition(&mut self) {
        if self.conditions.uncounted > 0 {
            self.conditions.uncounted -= 1;
            return;
        }
        let Some(condition) = self.conditions.stack.pop() else { return };
        if let Some(depth) = condition.first_depth
            && condition.block.id == self.block.id
            && self.block.id != 0
        {
            self.block.depth = depth;
        }
    }

    /// Skips text that does not count, up to the `#else` or `#endif` of the innermost condition.
    /// With `macros`, definitions of macros are still reported.
    fn skip_dead(&mut self, until: Until, macros: bool) {
        let source = self.source;
        let mut depth = 0u32;
        let mut line_start = false;
        while self.pos < source.len() {
            if line_start {
                while source.get(self.pos).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                    self.pos += 1;
                }
                line_start = false;
                if source.get(self.pos) == Some(&b'#') {
                    let hash = self.pos;
                    let (name, after) = self.directive_name(hash + 1);
                    match name {
                        b"if" | b"ifdef" | b"ifndef" => depth += 1,
                        b"endif" if depth == 0 => {
                            self.close_condition();
                            self.pos = lex::directive_end(source, after);
                            return;
                        }
                        b"endif" => depth -= 1,
                        b"else" | b"elif" | b"elifdef" | b"elifndef"
                            if depth == 0 && until == Until::Else =>
                        {
                            self.pos = lex::directive_end(source, after);
                            return;
                        }
                        b"define" if macros => {
                            self.define(hash, after, None);
                            continue;
                        }
                        _ => {}
                    }
                    self.pos = lex::directive_end(source, after);
                    continue;
                }
            }
            let Some(offset) = memchr3(b'\n', b'/', b'"', &source[self.pos..]) else {
                self.pos = source.len();
                return;
            };
            let found = self.pos + offset;
            self.pos = match source[found] {
                b'\n' => {
                    line_start = true;
                    found + 1
                }
                b'"' => lex::quoted_end(source, found),
                _ => lex::comment_end(source, found).unwrap_or(found + 1),
            };
        }
    }
}

/// Is the argument of an `#if` the constant 0?
fn is_zero(argument: &[u8]) -> bool {
    let argument = argument.trim_ascii();
    let Some(rest) = argument.strip_prefix(b"0") else { return argument == b"(0)" };
    !rest.first().is_some_and(|&byte| lex::continues_word(byte))
        && rest.trim_ascii_start().first().is_none_or(|&byte| byte == b'/')
}

/// The one name that a condition tests, and whether it must be undefined; empty if there are more.
fn tested_name<'a>(directive: &[u8], argument: &'a [u8]) -> (&'a [u8], bool) {
    let word = |bytes: &'a [u8]| &bytes[..lex::word_end(bytes, 0)];
    let argument = argument.trim_ascii();
    if directive != b"if" {
        return (word(argument), directive == b"ifndef");
    }
    let (rest, negated) = match argument.strip_prefix(b"!") {
        Some(rest) => (rest.trim_ascii_start(), true),
        None => (argument, false),
    };
    let Some(rest) = rest.strip_prefix(b"defined") else { return (b"", negated) };
    let rest = rest.trim_ascii_start();
    let name = word(rest.strip_prefix(b"(").unwrap_or(rest).trim_ascii_start());
    if memchr(b'&', argument).is_some() || memchr(b'|', argument).is_some() {
        return (b"", negated);
    }
    (name, negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_constant_zero_is_false() {
        assert!(is_zero(b" 0"));
        assert!(is_zero(b" 0 /* off */"));
        assert!(!is_zero(b" 0x1"));
        assert!(!is_zero(b" 0 || X"));
        assert!(!is_zero(b" 1"));
    }

    #[test]
    fn conditions_on_one_name_are_recognised() {
        assert_eq!((&b"A"[..], true), tested_name(b"ifndef", b" A /* x */"));
        assert_eq!((&b"A"[..], true), tested_name(b"if", b" !defined( A )"));
        assert_eq!((&b"A"[..], false), tested_name(b"if", b" defined A"));
        assert_eq!((&b""[..], false), tested_name(b"if", b" defined A && defined B"));
    }
}
