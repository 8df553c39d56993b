//! Skipping what stands between braces: function bodies, initialisers, enumerators.
//!
//! Only braces, literals, comments and directives are looked at. Three things keep a body from
//! swallowing the rest of the file when its braces do not balance: the branches of an `#if` count
//! once (see `preprocess`), a `}` in the first column ends a block whose declaration began in the first
//! column, and a literal ends with its line.

use super::{Dialect, Scanner, lex};

/// The nesting of the block being skipped; conditions save and restore it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BlockState {
    /// A number of its own for each block, 0 outside of blocks.
    pub id: u32,
    /// Open braces, at least 1 inside a block.
    pub depth: u32,
}

/// What the block is, which decides how a `}` in the first column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// A function body: the next line must look like a new declaration.
    Body,
    /// An initialiser or a list of enumerators: ends with `};`.
    List,
}

impl Scanner<'_, '_> {
    /// Skips from after a `{` to after its `}`; at the end of the source stops there.
    /// `column_zero`: the declaration began in the first column.
    pub(super) fn skip_block(&mut self, kind: BlockKind, column_zero: bool) {
        self.conditions.blocks += 1;
        let outer = self.block;
        self.block = BlockState { id: self.conditions.blocks, depth: 1 };
        let source = self.source;
        while self.pos < source.len() {
            self.pos = lex::next_in_block(source, self.pos);
            let Some(&byte) = source.get(self.pos) else { break };
            match byte {
                b'{' => self.block.depth = self.block.depth.saturating_add(1),
                b'}' => {
                    self.block.depth = self.block.depth.saturating_sub(1);
                    if self.block.depth == 0
                        || (column_zero
                            && lex::is_column_zero(source, self.pos)
                            && self.ends_anyway(kind))
                    {
                        self.pos += 1;
                        break;
                    }
                }
                b'"' => {
                    let raw = self.dialect == Dialect::Cpp && lex::is_raw_string(source, self.pos);
                    self.pos = if raw {
                        lex::raw_string_end(source, self.pos)
                    } else {
                        lex::quoted_end(source, self.pos)
                    };
                    continue;
                }
                b'\'' => {
                    if !(self.dialect == Dialect::Cpp && lex::is_digit_separator(source, self.pos))
                    {
                        self.pos = lex::quoted_end(source, self.pos);
                        continue;
                    }
                }
                b'/' => {
                    if let Some(end) = lex::comment_end(source, self.pos) {
                        self.pos = end;
                        continue;
                    }
                }
                _ => {
                    if lex::is_first_on_line(source, self.pos) {
                        self.directive();
                        continue;
                    }
                }
            }
            self.pos += 1;
        }
        self.block = outer;
    }

    /// Braces are still open at this `}` in the first column; does the block end nevertheless?
    fn ends_anyway(&mut self, kind: BlockKind) -> bool {
        let rest = &self.source[self.pos + 1..];
        let blank = rest.iter().take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        self.steps += blank as u64;
        match (kind, rest.get(blank)) {
            (BlockKind::List, next) => next == Some(&b';'),
            (BlockKind::Body, None) => true,
            (BlockKind::Body, Some(b'\n')) => {
                let rest = &rest[blank + 1..];
                let empty = rest.iter().take_while(|&&byte| matches!(byte, b'\n' | b'\r')).count();
                self.steps += empty as u64;
                // A label is in the first column of a body; so may `else` be.
                let label = lex::word_end(rest, empty);
                self.steps += (label - empty) as u64;
                if label > empty
                    && rest.get(label) == Some(&b':')
                    && rest.get(label + 1) != Some(&b':')
                {
                    return false;
                }
                // An indented line goes on with the body.
                !rest.get(empty).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'}' | b'{'))
                    && !rest[empty..].starts_with(b"else")
                    && !rest[empty..].starts_with(b"#e")
            }
            (BlockKind::Body, Some(_)) => false,
        }
    }
}
