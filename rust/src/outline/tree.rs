//! Outlines from a syntax tree: parsing within a budget, and one walk that every language steers.
//!
//! A language is a [`Grammar`]: a parser and a table that says what to do at which kind of node.
//! Most rows are plain ("this kind defines a class whose name is in the field `name`"); the rest
//! name a function that looks closer. The walk itself is iterative, visits each node once and
//! never asks for parents or siblings, which would cost time in the size of the file.
//!
//! The budget is counted in parser steps first: whether a file has an outline should not depend on
//! how fast the machine is. But in text that is not the language at all a step may cost a hundred
//! times as much as in code, so there is a limit in time as well, far beyond what code needs; it is the
//! time that the thread computed, so that other work on the machine changes nothing. What is larger than
//! the parser may be given is parsed as far as that.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::Duration;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};
use tree_sitter_language::LanguageFn;

use super::visit::{Flow, Visit};
use crate::clock::ThreadTime;

use super::{Language, OutlineError, Partial, SYMBOL_LIMIT, Symbol, SymbolKind};

/// Largest source that is parsed, in bytes: a tree takes 10 to 30 times as much memory.
const SIZE_LIMIT: usize = 4 << 20;
/// Most words and signs that are parsed. Each costs the tree some hundred bytes, and in a source of lines with
/// one letter each (300 times its size) that is what bounds the memory, to about a quarter of a gigabyte.
const TOKEN_LIMIT: usize = 400_000;
/// Steps allowed for any source, however small. The parser reports every hundred operations.
const STEPS_FREE: u64 = 500;
/// Bytes of source that buy one more step. Code takes one step for 50 to 300 bytes; the densest of
/// 20,000 files (an array of numbers) one for 35.
const BYTES_PER_STEP: u64 = 20;
/// Computing time allowed for any source, and for each byte more: some ten times what code takes.
const TIME_FREE: Duration = Duration::from_secs(2);
const TIME_PER_BYTE: Duration = Duration::from_micros(2);

/// What is larger is parsed from its head first, and in steps of this factor: a single operation of the
/// parser, which nothing can interrupt, may take time in the square of the source (`template<` repeated to
/// 400 KB, as C#: four minutes). A head that took long foretells it.
const HEAD: usize = 64 << 10;
const HEAD_FACTOR: usize = 4;
const HEAD_TIME_FREE: Duration = Duration::from_millis(100);

/// What to do at a kind of node.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Nothing by itself; look inside. The rule of every kind that a table does not name.
    Enter,
    /// Nothing here, nothing inside.
    Skip,
    /// A comment: may document the definition below it.
    Comment,
    /// An attribute that stands before the definition it belongs to.
    Attribute,
    /// A function without a name: what is inside is local.
    Local,
    /// A definition: name in the field `name`, body, if any, in the field `body`.
    Define(SymbolKind),
    /// Anything else.
    By(for<'t> fn(&mut Visit<'_>, Node<'t>) -> Flow),
}

/// A language that has a grammar.
pub(super) struct Grammar {
    name: &'static str,
    version: &'static str,
    language: LanguageFn,
    rules: &'static [(&'static str, Rule)],
    /// The rules by number of the kind of node; built at first use.
    table: OnceLock<Vec<Rule>>,
}

/// The version of a grammar's outline: that of the shared walk, of the rules and of the two crates
/// whose output it is. A test compares the crate versions with the lock file.
macro_rules! version {
    ($rules:literal, $grammar:literal) => {
        concat!("2.", $rules, "+tree-sitter-0.26.13+", $grammar)
    };
}
pub(super) use version;

impl Grammar {
    pub(super) const fn new(
        name: &'static str,
        version: &'static str,
        language: LanguageFn,
        rules: &'static [(&'static str, Rule)],
    ) -> Self {
        Self { name, version, language, rules, table: OnceLock::new() }
    }

    fn table(&self) -> &[Rule] {
        self.table.get_or_init(|| {
            let language = tree_sitter::Language::new(self.language);
            let kinds = u16::try_from(language.node_kind_count()).unwrap_or(u16::MAX);
            let rule = |id: u16| {
                let kind =
                    language.node_kind_for_id(id).filter(|_| language.node_kind_is_named(id));
                let found = self.rules.iter().find(|(name, _)| Some(*name) == kind);
                found.map_or(Rule::Enter, |(_, rule)| *rule)
            };
            (0..kinds).map(rule).collect()
        })
    }

    /// The kinds that the rules name and the grammar does not know; a test wants none.
    #[cfg(test)]
    fn unknown_kinds(&self) -> Vec<&'static str> {
        let language = tree_sitter::Language::new(self.language);
        let unknown = |kind: &&str| language.id_for_node_kind(kind, true) == 0;
        self.rules.iter().map(|(kind, _)| *kind).filter(unknown).collect()
    }

    /// The source as its parser can stand it. Kotlin's own scanner waits for ever for what follows an annotation
    /// at the very end, and neither steps nor time are counted in there.
    fn ended<'s>(&self, source: &'s [u8]) -> Cow<'s, [u8]> {
        if self.name == "kotlin" && !source.ends_with(b"\n") {
            Cow::Owned([source, b"\n"].concat())
        } else {
            Cow::Borrowed(source)
        }
    }

    fn parse(&self, source: &[u8]) -> Result<Result<Tree, Partial>, OutlineError> {
        thread_local! {
            /// Parsers keep their buffers, so that a thread that parses many files allocates once.
            static PARSER: RefCell<Parser> = RefCell::new(Parser::new());
        }
        PARSER.with_borrow_mut(|parser| {
            let language = tree_sitter::Language::new(self.language);
            parser.set_language(&language).map_err(|error| OutlineError::Grammar {
                language: self.name,
                reason: error.to_string(),
            })?;
            let spent = ThreadTime::start();
            let (mut steps, mut offset) = (0, 0);
            let mut progress = |state: &ParseState| {
                steps += 1;
                offset = state.current_byte_offset();
                match within(source.len(), steps, spent.now()) {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            };
            let options = ParseOptions::new().progress_callback(&mut progress);
            let mut read = |at: usize, _| source.get(at..).unwrap_or_default();
            let tree = parser.parse_with_options(&mut read, None, Some(options));
            parser.reset(); // a parse that was cut would otherwise be resumed by the next file
            Ok(tree.ok_or(Partial::Cut { steps, offset }))
        })
    }
}

/// As many whole lines as fit into a limit; one line that does not is cut.
fn head(source: &[u8], limit: usize) -> &[u8] {
    let Some(head) = source.get(..limit).filter(|head| head.len() < source.len()) else {
        return source;
    };
    memchr::memrchr(b'\n', head).map_or(head, |end| &head[..=end])
}

/// Where the word or sign stands that is one too many; the length of the source if there are no more.
fn token_end(source: &[u8], limit: usize) -> usize {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    let (mut tokens, mut in_word) = (0, false);
    for (at, &byte) in source.iter().enumerate() {
        let word = is_word(byte);
        if !(word && in_word || byte.is_ascii_whitespace()) {
            if tokens == limit {
                return at;
            }
            tokens += 1;
        }
        in_word = word;
    }
    source.len()
}

/// Whether the parse of a head took no longer than that of code.
fn is_quick(size: usize, spent: Duration) -> bool {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    spent <= HEAD_TIME_FREE + TIME_PER_BYTE.saturating_mul(size)
}

/// Whether a parse may go on after so many steps and so much time.
fn within(size: usize, steps: u64, spent: Duration) -> bool {
    let size = u32::try_from(size).unwrap_or(u32::MAX);
    steps <= STEPS_FREE + u64::from(size) / BYTES_PER_STEP
        && spent <= TIME_FREE + TIME_PER_BYTE.saturating_mul(size)
}

impl Language for Grammar {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &'static str {
        self.version
    }

    fn outline(
        &self,
        source: &[u8],
        out: &mut Vec<Symbol>,
    ) -> Result<Option<Partial>, OutlineError> {
        let whole = source.len();
        let source = head(source, SIZE_LIMIT);
        let source = head(source, token_end(source, TOKEN_LIMIT));
        // Swift's own scanner takes time in the square of a run of `#`: 13 seconds for 60 KB of them.
        let mut size = if self.name == "swift" { HEAD / HEAD_FACTOR } else { HEAD };
        while size < source.len() {
            let head = head(source, size);
            let spent = ThreadTime::start();
            if let Err(partial) = self.parse(&self.ended(head))? {
                return Ok(Some(partial));
            }
            if !is_quick(head.len(), spent.now()) {
                return Ok(Some(Partial::Slow { offset: head.len() }));
            }
            size *= HEAD_FACTOR;
        }
        let head = Partial::Head { size: whole, limit: source.len() };
        let partial = (source.len() < whole).then_some(head);
        let source = self.ended(source);
        let tree = match self.parse(&source)? {
            Ok(tree) => tree,
            Err(partial) => return Ok(Some(partial)),
        };
        let table = self.table();
        let mut visit = Visit::new(&source, table, out);
        let mut cursor = tree.walk();
        let mut depth = 0;
        loop {
            let node = cursor.node();
            let enter = visit.node(node, depth);
            if visit.count() > SYMBOL_LIMIT {
                return Ok(partial);
            }
            if enter && cursor.goto_first_child() {
                depth += 1;
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return Ok(partial);
                }
                depth -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use super::{
        BYTES_PER_STEP, Duration, HEAD, HEAD_TIME_FREE, STEPS_FREE, TIME_FREE, TOKEN_LIMIT, head,
        is_quick, token_end, within,
    };
    use crate::outline::GRAMMARS;

    #[test]
    fn a_source_is_cut_before_the_word_that_is_one_too_many() {
        let source = "ab, _c9 +\n\u{e9}t\u{e9} d".as_bytes();
        assert_eq!(token_end(source, 6), source.len());
        assert_eq!(&source[..token_end(source, 5)], "ab, _c9 +\n\u{e9}t\u{e9} ".as_bytes());
        assert_eq!(&source[..token_end(source, 1)], b"ab");
        assert_eq!(token_end(b"", 0), 0);
    }

    #[test]
    fn a_source_of_tiny_lines_is_outlined_as_far_as_its_tree_may_grow() {
        let mut source = b"def first(): pass\n".to_vec();
        source.extend(b"x = 1\n".repeat(TOKEN_LIMIT / 2));
        source.extend(b"def last(): pass\n");
        let outline =
            crate::outline::outline_by(crate::outline::Means::Parse, "python", &source).unwrap();
        let names: Vec<&str> = outline.symbols.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["first"], "{:?}", outline.partial);
        assert!(outline.partial.is_some());
    }

    #[test]
    fn the_budget_grows_with_the_source() {
        let moment = Duration::from_millis(1);
        assert!(within(0, STEPS_FREE, moment));
        assert!(!within(0, STEPS_FREE + 1, moment));
        assert!(within(2000, STEPS_FREE + 2000 / BYTES_PER_STEP, TIME_FREE));
        assert!(!within(0, 1, TIME_FREE + moment));
        assert!(within(1 << 20, 1, TIME_FREE + Duration::from_secs(2)));
    }

    #[test]
    fn a_head_may_take_what_code_takes() {
        assert!(is_quick(HEAD, HEAD_TIME_FREE));
        assert!(!is_quick(HEAD, HEAD_TIME_FREE + Duration::from_millis(200)));
        assert!(is_quick(16 * HEAD, HEAD_TIME_FREE + Duration::from_millis(200)));
    }

    #[test]
    fn a_head_is_whole_lines_where_there_are_any() {
        assert_eq!(head(b"a\nb\nc", 6), b"a\nb\nc");
        assert_eq!(head(b"a\nb\nc", 5), b"a\nb\nc");
        assert_eq!(head(b"a\nb\nc", 4), b"a\nb\n");
        assert_eq!(head(b"a\nb\nc", 3), b"a\n");
        assert_eq!(head(b"abc", 2), b"ab");
    }

    #[test]
    fn rules_name_kinds_that_exist() {
        for grammar in GRAMMARS {
            assert_eq!(grammar.unknown_kinds(), Vec::<&str>::new(), "{}", grammar.name);
        }
    }
}
