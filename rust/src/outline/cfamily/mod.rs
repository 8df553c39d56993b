//! The outline of C and C++, read from the tokens, without a grammar.
//!
//! Real C is not a context-free language: a file is full of macros whose definitions stand
//! elsewhere and of `#if` branches that each hold half of a function. A parser reports errors there; this
//! scanner collects the tokens of one statement at a time, decides from their shape what the
//! statement defines, and skips every body by its braces. What each part owns:
//!
//! - `lex`: where a comment, a literal or a word ends
//! - `preprocess`: directives: macros, and which branch of an `#if` counts
//! - `block`: skipping a body, and recovering when its braces do not balance
//! - `statement`: collecting tokens up to `;`, `{` or `}`, and the stack of open scopes
//! - `items`: a statement's tokens as a flat list of words and groups
//! - `declare`: what the statement defines; `function` and `variable` have the details
//! - `words`: keywords and well-known macros
//! - `text`: signature and documentation
//!
//! # What is reported
//! Functions with a body; in C++ also methods (in the class and out of it), constructors,
//! destructors, operators and `= default` / `= delete`; structs, unions, enums, classes with a
//! body; namespaces; typedefs, `using X =` and concepts; macros; variables of file and namespace
//! scope that are defined there (not `extern`). Not reported: prototypes, forward declarations,
//! fields, enumerators, anything inside a function, and what `#if 0` hides.
//!
//! # Names made by macros
//! `SYSCALL_DEFINE3(read, …) {` defines `read`: a body after an upper-case call whose first
//! argument is a single word takes that word. `TEST_F(Suite, name) {` defines `Suite.name`.
//! `DEFINE_MUTEX(x);` and its like define the variable `x`. `EXPORT_SYMBOL(x);` and
//! `module_init(x);` define nothing.
//!
//! # Bounds
//! Every byte is read a constant number of times, the token list of a statement and the stacks
//! of scopes and conditions have fixed ceilings, and nothing recurses.

mod block;
mod declare;
mod function;
mod items;
mod lex;
mod preprocess;
mod statement;
mod text;
mod variable;
mod words;

use super::{Symbol, SymbolKind};
use block::BlockState;
use items::Item;
use preprocess::Conditions;
use statement::{Frame, Statement};

/// Changes whenever the outline of some file may change.
pub const VERSION: &str = "2";

/// Which of the two languages a source is written in: C++ keywords are ordinary names in C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// C, of any standard, K&R included.
    C,
    /// C++.
    Cpp,
}

/// Appends the definitions of `source` to `out`, ordered by their first line.
///
/// Any bytes are accepted: unreadable parts are skipped, and only the first 4 GiB are read.
pub fn outline(dialect: Dialect, source: &[u8], out: &mut Vec<Symbol>) {
    outline_counted(dialect, source, out);
}

/// As [`outline`]; returns the number of elementary steps (bytes and tokens looked at), so that a
/// test can show that work grows with the input and not faster.
pub fn outline_counted(dialect: Dialect, source: &[u8], out: &mut Vec<Symbol>) -> u64 {
    let source = &source[..source.len().min(u32::MAX as usize - 1)];
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let first = out.len();
    let mut scanner = Scanner::new(dialect, source, out);
    scanner.run();
    let steps = scanner.steps + scanner.pos as u64;
    // Only typedefs of unnamed types come late: their name stands after the body.
    let found = &mut out[first..];
    if !found.is_sorted_by_key(|symbol| symbol.start) {
        found.sort_by_key(|symbol| symbol.start);
    }
    steps
}

/// The state of one pass over one source.
struct Scanner<'s, 'o> {
    source: &'s [u8],
    pos: usize,
    dialect: Dialect,
    out: &'o mut Vec<Symbol>,
    /// The statement being collected.
    statement: Statement,
    /// The open scopes, outermost first.
    frames: Vec<Frame>,
    conditions: Conditions,
    /// The block being skipped, if any.
    block: BlockState,
    /// The last comment at the level of statements: a byte range, empty at first.
    comment: (usize, usize),
    /// Reused by `items`.
    items: Vec<Item>,
    /// A position and its line: lines are counted between the positions that are asked for.
    line_cache: (usize, u32),
    steps: u64,
}

impl<'s, 'o> Scanner<'s, 'o> {
    fn new(dialect: Dialect, source: &'s [u8], out: &'o mut Vec<Symbol>) -> Self {
        Self {
            source,
            pos: 0,
            dialect,
            out,
            statement: Statement::default(),
            frames: Vec::new(),
            conditions: Conditions::default(),
            block: BlockState::default(),
            comment: (0, 0),
            items: Vec::new(),
            line_cache: (0, 1),
            steps: 0,
        }
    }

    fn is_cpp(&self) -> bool {
        self.dialect == Dialect::Cpp
    }

    /// The 1-based line of a byte.
    fn line_at(&mut self, pos: usize) -> u32 {
        let (known, line) = self.line_cache;
        let count = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u32;
        let pos = pos.min(self.source.len());
        let line = if pos >= known {
            line + count(&self.source[known..pos])
        } else {
            line - count(&self.source[pos..known])
        };
        self.line_cache = (pos, line);
        line
    }

    /// The dotted names of the open scopes, followed by `qualifier` (the `A::B` of `A::B::f`).
    fn parent(&self, qualifier: &str) -> Option<String> {
        let mut parent = String::new();
        let names = self.frames.iter().map(|frame| frame.name.as_str());
        for name in names.chain(std::iter::once(qualifier)).filter(|name| !name.is_empty()) {
            if !parent.is_empty() {
                parent.push('.');
            }
            parent.push_str(name);
        }
        (!parent.is_empty()).then_some(parent)
    }

    /// The documentation of a declaration that starts at `start`: the last comment, if it stands
    /// directly above and alone on its lines.
    fn doc_for(&self, start: usize) -> Option<(usize, usize)> {
        let (from, to) = self.comment;
        if from == to || to > start {
            return None;
        }
        let between = &self.source[to..start];
        let mut line_ends = 0;
        for &byte in between {
            match byte {
                b'\n' => line_ends += 1,
                b' ' | b'\t' | b'\r' | 0x0c => {}
                _ => return None,
            }
            if line_ends > 1 {
                return None;
            }
        }
        lex::is_first_on_line(self.source, from).then_some((from, to))
    }

    fn doc_text(&mut self, doc: Option<(usize, usize)>) -> String {
        let Some((from, to)) = doc else { return String::new() };
        let comment = &self.source[from..to];
        // A comment documents one declaration: the next one needs its own.
        self.comment = (0, 0);
        // Only the head of a file is a place for a license.
        let is_head = self.source[..from].iter().all(|&byte| lex::is_blank(byte) || byte >= 0x80);
        if is_head && text::is_license(comment) {
            return String::new();
        }
        text::clean_comment(comment)
    }

    /// Reports a definition; returns its index, for the line of its end to be set later.
    fn emit(&mut self, definition: Definition, start: usize, end: usize) -> usize {
        let start = self.line_at(start);
        let end = self.line_at(end).max(start);
        let Definition { name, kind, parent, signature, doc } = definition;
        self.out.push(Symbol { name, kind, parent, start, end, signature, doc });
        self.out.len() - 1
    }
}

/// A symbol without its lines.
struct Definition {
    name: String,
    kind: SymbolKind,
    parent: Option<String>,
    signature: String,
    doc: String,
}
