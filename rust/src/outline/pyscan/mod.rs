//! Python by one pass over the bytes: the same definitions that `python` finds in a syntax tree.
//!
//! The unit is the logical line. What it begins with says what it is; its indentation says which blocks have
//! ended, by Python's own rules. Of the rest only strings, brackets and comments count, so that what looks like
//! code in them is not taken for it. At the top of a module, where values are definitions too, the signs of a
//! statement outside of its brackets are kept and looked at when it has ended.
//!
//! Indentation that fits no block, a bracket or a string without an end, and characters that Python does not
//! know make the scanner unsure: the grammar is good at broken files, and slow.
//!
//! This file owns blocks, lines and comments; `lex` the characters, `define` what is reported.

mod define;
mod lex;

use memchr::memchr;

use super::preamble::Preamble;
use super::scanner::{Scanner, Unsure};
use super::scope::{Path, Place, line};
use super::{SYMBOL_LIMIT, Symbol};
use lex::{Sign, Stop, is_word};

/// Most blocks inside one another; Python itself allows 100.
const BLOCKS_LIMIT: usize = 1000;

pub(super) const PYTHON: Scanner = Scanner { name: "python", version: "scan.1", scan };

fn scan(source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    let mut scan = Scan::new(source, out);
    let result = scan.run();
    // What is still open ends where the scanner stands.
    scan.close(0);
    result
}

/// Lines of one indentation.
struct Block {
    column: usize,
    /// The definition that it is the body of, by its place in the output.
    owner: Option<usize>,
}

/// Decorators, the definition of which comes next.
struct Decorators {
    row: usize,
    property: bool,
}

struct Scan<'s, 'o> {
    source: &'s [u8],
    out: &'o mut Vec<Symbol>,
    at: usize,
    /// Line of `at`, from 0.
    row: usize,
    /// Behind the last byte of the last statement, and the line of that.
    end: usize,
    end_row: usize,
    /// The blocks that are open, outermost first. The module itself is none of them.
    blocks: Vec<Block>,
    /// A block comes next: the last line ended with a colon.
    expects: bool,
    /// What it is the block of, by its place in the output.
    owner: Option<usize>,
    path: Path,
    /// In a scope too deep to be looked at.
    hidden: bool,
    decorators: Option<Decorators>,
    preamble: Preamble,
    /// Indentation and line of the comments since the last statement, for the block that they may be the end of.
    tail: Vec<(usize, usize)>,
    // Of the statement at hand:
    brackets: Vec<u8>,
    signs: Vec<(usize, Sign)>,
    gaps: Vec<(usize, usize)>,
}

impl<'s, 'o> Scan<'s, 'o> {
    fn new(source: &'s [u8], out: &'o mut Vec<Symbol>) -> Self {
        Self {
            source,
            out,
            at: 0,
            row: 0,
            end: 0,
            end_row: 0,
            blocks: Vec::new(),
            expects: false,
            owner: None,
            path: Path::default(),
            hidden: false,
            decorators: None,
            preamble: Preamble::default(),
            tail: Vec::new(),
            brackets: Vec::new(),
            signs: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), Unsure> {
        while self.out.len() <= SYMBOL_LIMIT {
            let column = self.column();
            match self.source.get(self.at) {
                None if self.expects => return Err(Unsure("a block is missing")),
                None if self.decorators.is_some() => return Err(Unsure("decorators of nothing")),
                None => return Ok(()),
                Some(b'\n') => self.newline(),
                Some(b'\r') if self.peek(1) == b'\n' => self.at += 1,
                Some(b'#') => self.comment(column),
                Some(_) => {
                    let begins = self.indent(column)?;
                    self.line(begins)?;
                }
            }
        }
        Ok(())
    }

    /// Past the white space at the start of a line; how far it reaches.
    fn column(&mut self) -> usize {
        let mut column = 0;
        loop {
            match self.peek(0) {
                b' ' => column += 1,
                b'\t' => column = (column / 8 + 1) * 8,
                b'\x0c' => column = 0,
                _ => return column,
            }
            self.at += 1;
        }
    }

    fn comment(&mut self, column: usize) {
        let end = memchr(b'\n', &self.source[self.at..]);
        let end = end.map_or(self.source.len(), |length| self.at + length);
        self.tail.push((column, self.row));
        // Between a head and its block it is about neither what comes next nor what came before.
        if self.owner.is_none() && !self.hidden {
            self.preamble.comment((self.at, end), (self.row, self.row));
        }
        self.at = end;
        self.newline();
    }

    /// Open or close blocks for a line of this indentation. Where it is the first line of a definition: which.
    fn indent(&mut self, column: usize) -> Result<Option<usize>, Unsure> {
        let around = self.blocks.last().map_or(0, |block| block.column);
        if self.expects {
            if column <= around {
                return Err(Unsure("a block is missing"));
            }
            if self.blocks.len() >= BLOCKS_LIMIT {
                return Err(Unsure("blocks are nested too deeply"));
            }
            self.expects = false;
            let owner = self.owner.take();
            if let Some(index) = owner {
                self.enter(index);
            }
            self.blocks.push(Block { column, owner });
            self.tail.clear();
            return Ok(owner);
        }
        if column > around {
            return Err(Unsure("a line is indented that opens no block"));
        }
        self.close(column);
        self.tail.clear();
        let fits = self.blocks.last().map_or(0, |block| block.column) == column;
        if fits { Ok(None) } else { Err(Unsure("a line is indented like none before")) }
    }

    /// Close the blocks that are indented more than that. Comments that follow a block at its indentation are
    /// its end.
    fn close(&mut self, column: usize) {
        let mut row = self.end_row;
        let mut tail = 0;
        while let Some(block) = self.blocks.pop_if(|block| block.column > column) {
            while let Some(&(_, last)) = self.tail.get(tail).filter(|one| one.0 >= block.column) {
                row = last;
                tail += 1;
            }
            if let Some(index) = block.owner {
                self.leave(index, row);
            }
        }
    }

    /// One logical line, the first of the block of the definition `begins`, if it is one.
    fn line(&mut self, begins: Option<usize>) -> Result<(), Unsure> {
        if let Some(index) = begins {
            self.docstring(index)?;
        }
        let start = self.at;
        let first = self.peek(0);
        if first == b'@' {
            return self.decorator();
        }
        let length =
            if first == b'_' || first.is_ascii_alphabetic() { self.word().len() } else { 0 };
        let word = &self.source[start..start + length];
        let head = match word {
            b"def" | b"class" => return self.head(start),
            b"async" => {
                self.at += length;
                self.blanks();
                let next = self.word();
                match next {
                    b"def" => return self.head(start),
                    b"for" | b"with" => true,
                    _ => false,
                }
            }
            b"if" | b"elif" | b"else" | b"while" | b"for" | b"with" | b"try" | b"except"
            | b"finally" => true,
            _ => false,
        };
        if self.decorators.is_some() {
            return Err(Unsure("decorators of nothing"));
        }
        if length == 0 && !starts(first) {
            return Err(Unsure("a line that begins like no statement"));
        }
        self.at = start;
        if self.hidden || self.path.here() != Place::Open {
            self.plain()?;
            self.expects = self.ends_with_colon(start);
            return Ok(());
        }
        if head || self.is_soft_head(word)? {
            match self.part(true)? {
                Stop::Colon => {}
                _ => return Err(Unsure("a head without a colon")),
            }
            if self.is_line_end() {
                self.skip_line()?;
                self.expects = true;
                return Ok(());
            }
        }
        self.statements()
    }

    /// A line on which only aliases count.
    pub(super) fn plain(&mut self) -> Result<(), Unsure> {
        loop {
            let alias = if self.peek(0) == b't' { self.alias(self.at)? } else { None };
            let stop = match alias {
                Some(stop) => stop,
                None => self.skip_part()?,
            };
            if stop == Stop::Line {
                return Ok(());
            }
            self.blanks();
        }
    }

    /// Whether the statement that began at `start` ends with a colon: a block comes next.
    fn ends_with_colon(&self, start: usize) -> bool {
        self.end > start && self.source[self.end - 1] == b':'
    }

    /// Whether nothing but a comment follows on this line.
    fn is_line_end(&mut self) -> bool {
        self.blanks();
        let rest = self.source.get(self.at..).unwrap_or_default();
        matches!(rest, [] | [b'\n' | b'#', ..] | [b'\r', b'\n', ..])
    }

    /// `match` and `case` are words like others unless an expression and a colon follow.
    fn is_soft_head(&mut self, word: &[u8]) -> Result<bool, Unsure> {
        if word != b"match" && word != b"case" {
            return Ok(false);
        }
        let (at, row) = (self.at, self.row);
        self.at += word.len();
        self.blanks();
        let next = self.peek(0);
        let begins =
            is_word(next) || matches!(next, b'"' | b'\'' | b'(' | b'[' | b'{' | b'-' | b'*' | b'~');
        let found = begins && self.part(true)? == Stop::Colon;
        (self.at, self.row) = (at, row);
        Ok(found)
    }

    /// The simple statements of a line at the top of a module.
    fn statements(&mut self) -> Result<(), Unsure> {
        loop {
            self.blanks();
            let (start, row) = (self.at, self.row);
            if self.is_line_end() {
                return self.skip_rest();
            }
            let alias = self.alias(start)?;
            let stop = match alias {
                Some(stop) => stop,
                None => {
                    let stop = self.part(false)?;
                    self.assigned(start, row);
                    stop
                }
            };
            if stop != Stop::Semicolon {
                self.expects = self.ends_with_colon(start);
                return Ok(());
            }
        }
    }

    /// The rest of a line on which no statement is left: it ends where the last one did.
    fn skip_rest(&mut self) -> Result<(), Unsure> {
        let (end, row) = (self.end, self.end_row);
        self.skip_line()?;
        (self.end, self.end_row) = (end, row);
        Ok(())
    }
}

/// Whether a statement may begin with this sign.
const fn starts(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'(' | b'[' | b'{' | b'-' | b'+' | b'~' | b'*' | b'.' | b'_')
        || byte.is_ascii_alphanumeric()
        || byte >= 0x80
}
