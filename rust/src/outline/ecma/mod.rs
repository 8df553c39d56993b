//! JavaScript, TypeScript and TSX without a grammar: what is defined, in one pass over the bytes.
//!
//! Two steps. A parser that builds no tree follows the text as precisely as it must to know where statements,
//! operands and types begin (only then is `/` a division or a regular expression, `<` a comparison or an
//! element) and leaves a [`skeleton`]: the few nodes that may be definitions or scopes. The [`walk`] over
//! those then decides what is reported, by the rules that the tree version has in `javascript` and
//! `typescript`; what a definition is called and what its signature says is decided there too.
//!
//! Many forms are recognised when they have been read (`(a, b) =>` is only known to be parameters at the
//! arrow), so decisions are written into nodes afterwards and nothing is read twice. The exception, `f<T>(x)`,
//! looks ahead on a budget. Where the text does not fit, the parser stops and says that it is not sure.

mod balance;
mod build;
mod class;
mod declare;
mod expression;
mod function;
mod jsx;
mod lex;
mod module;
mod operand;
mod skeleton;
mod statement;
mod types;
mod walk;

use super::Symbol;
use super::scanner::{Scanner, Unsure};
use skeleton::Node;

/// What all three share.
const VERSION: &str = "scan.2";

pub(super) const JAVASCRIPT: Scanner = Scanner {
    name: "javascript",
    version: VERSION,
    scan: |source, out| outline(Dialect::JavaScript, source, out),
};

pub(super) const TYPESCRIPT: Scanner = Scanner {
    name: "typescript",
    version: VERSION,
    scan: |source, out| outline(Dialect::TypeScript, source, out),
};

pub(super) const TSX: Scanner = Scanner {
    name: "tsx",
    version: VERSION,
    scan: |source, out| outline(Dialect::Tsx, source, out),
};

/// What a source is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// With JSX.
    JavaScript,
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

/// Calls that may be open at once. Each is a few hundred bytes of stack; code has fewer than a hundred.
const DEPTH_LIMIT: u32 = 300;

/// Append the definitions of a source, those before what is not understood at least.
fn outline(dialect: Dialect, source: &[u8], out: &mut Vec<Symbol>) -> Result<(), Unsure> {
    if u32::try_from(source.len()).is_err() {
        return Err(Unsure("larger than 4 GiB"));
    }
    let mut parser = Parser::new(dialect, source);
    parser.program();
    walk::report(source, &parser.nodes, &parser.comments, out);
    if parser.unsure {
        return Err(Unsure("brackets or statements do not fit"));
    }
    Ok(())
}

/// Where the parser is.
struct Parser<'s> {
    source: &'s [u8],
    dialect: Dialect,
    /// The first byte of the next token.
    at: usize,
    /// Where the token before it ends.
    end: usize,
    /// A line break lies between the two.
    newline: bool,
    /// Open calls.
    depth: u32,
    /// Function bodies around here: what is assigned there to variables is never reported.
    local: u32,
    /// Bytes that may yet be looked at in vain.
    budget: usize,
    unsure: bool,
    nodes: Vec<Node>,
    /// How many nodes there were when the last token was taken.
    taken: usize,
    /// The ranges of all comments.
    comments: Vec<(u32, u32)>,
}

impl<'s> Parser<'s> {
    fn new(dialect: Dialect, source: &'s [u8]) -> Self {
        Self {
            source,
            dialect,
            at: 0,
            end: 0,
            newline: true,
            depth: 0,
            local: 0,
            budget: 4 * source.len() + 10_000,
            unsure: false,
            nodes: Vec::new(),
            taken: 0,
            comments: Vec::new(),
        }
    }

    /// Whether types are part of the language.
    fn typed(&self) -> bool {
        self.dialect != Dialect::JavaScript
    }

    /// The text is not what it should be: go to the end of it, where every loop stops.
    fn fail(&mut self) {
        self.unsure = true;
        self.at = self.source.len();
    }
}
