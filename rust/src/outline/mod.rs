//! Outlines: the definitions of one source file, from its bytes alone.
//!
//! This file owns the registry of languages and the one entry point. What a definition looks like
//! is in `symbol`; how a syntax tree is walked is in `tree`; each language has a small file of its
//! own. To add a language: one file, one line in `GRAMMARS` or `ALONE`, one fixture. A scanner that is to
//! read a language in place of its grammar gets a line in `SCANNERS`; see `scanner`.
//!
//! The result depends on the language and the bytes only (never on a path, a configuration or
//! another file), because results are stored under the hash of the content. It is bounded in time and
//! size for any bytes; where a bound cuts something off, it says so ([`Outline::partial`]).

pub mod brace;
mod brackets;
pub mod cfamily;
mod collect;
mod csharpscan;
mod ecma;
pub(crate) mod json;
mod linewise;
mod markdown;
mod phpscan;
mod preamble;
mod pyscan;
mod python_names;
mod rubyscan;
mod rustscan;
mod scanner;
mod scope;
mod shell;
mod symbol;
mod text;
#[cfg(feature = "outline")]
mod tree;
#[cfg(feature = "outline")]
mod visit;

#[cfg(feature = "outline")]
mod csharp;
#[cfg(feature = "outline")]
mod golang;
#[cfg(feature = "outline")]
mod java;
#[cfg(feature = "outline")]
mod javascript;
#[cfg(feature = "outline")]
mod kotlin;
#[cfg(feature = "outline")]
mod php;
#[cfg(feature = "outline")]
mod python;
#[cfg(feature = "outline")]
mod ruby;
#[cfg(feature = "outline")]
mod rustlang;
#[cfg(feature = "outline")]
mod swift;
#[cfg(feature = "outline")]
mod typescript;

pub use json::to_json;
pub use scanner::{Means, Unsure};
pub use symbol::{Symbol, SymbolKind};

use cfamily::Dialect;
use scanner::Scanner;

/// Why a file has no outline. The caller records it as a failure of that file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// Nobody registered this name; see [`languages`].
    #[error("no outline for language {0:?}")]
    UnknownLanguage(String),
    /// The grammar cannot be loaded into the parser: a build that mixes versions.
    #[error("grammar of {language} cannot be used: {reason}")]
    Grammar {
        /// The language.
        language: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// Only a scanner was to read it ([`Means::Scan`]), and that is not sure.
    #[error("not scanned: {0}")]
    Unsure(Unsure),
}

/// Why an outline holds only some of the definitions. The text is for people and goes into the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Partial {
    /// Only the head of a large source was parsed.
    #[error("only the first {limit} of {size} bytes are outlined")]
    Head {
        /// Bytes of the source.
        size: usize,
        /// Bytes that were looked at.
        limit: usize,
    },
    /// The parser was cut off: it used up the steps or the computing time that a source of this size is
    /// given. Only text that is hardly in the language at all needs so much, and it would again.
    #[error("the parser was cut off after {steps} steps at byte {offset}")]
    Cut {
        /// Steps taken.
        steps: u64,
        /// How far the parser had got, in bytes.
        offset: usize,
    },
    /// Already the head of a large source took far longer than code does, so the rest was not tried.
    #[error("not parsed: its first {offset} bytes took too long")]
    Slow {
        /// Bytes of the head.
        offset: usize,
    },
    /// More definitions, or longer ones, than a record may hold.
    #[error("only the first {kept} definitions are kept")]
    Many {
        /// How many those are.
        kept: usize,
    },
}

/// The definitions of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// In the order in which they start.
    pub symbols: Vec<Symbol>,
    /// Why there may be more of them.
    pub partial: Option<Partial>,
}

/// Most definitions of one source. The densest real ones, headers of hardware registers, have one for
/// 60 to 100 bytes, so at the usual limit of 8 MiB for a file about as many as this.
const SYMBOL_LIMIT: usize = 100_000;
/// Most bytes of text in them, of which a parent's name or a declaration shared by many could make more than
/// the source has.
const TEXT_LIMIT: usize = 32 << 20;

/// One language: how its definitions are found.
pub trait Language: Sync {
    /// The name under which it is asked for: lower case, such as `python` or `csharp`.
    fn name(&self) -> &'static str;

    /// Changes whenever the outline of some file may change. Part of the key of stored results.
    fn version(&self) -> &'static str;

    /// Append the definitions of `source`, in the order in which they start; says why if those are not
    /// all. May stop, without saying so, once there are more than `SYMBOL_LIMIT`.
    ///
    /// Never panics, whatever the bytes; takes time and memory linear in their number, or stops.
    ///
    /// # Errors
    /// [`OutlineError::Grammar`].
    fn outline(
        &self,
        source: &[u8],
        out: &mut Vec<Symbol>,
    ) -> Result<Option<Partial>, OutlineError>;
}

/// The languages that are parsed, when the grammars are part of the build.
#[cfg(feature = "outline")]
static GRAMMARS: &[&tree::Grammar] = &[
    &csharp::CSHARP,
    &golang::GO,
    &java::JAVA,
    &javascript::JAVASCRIPT,
    &kotlin::KOTLIN,
    &php::PHP,
    &python::PYTHON,
    &ruby::RUBY,
    &rustlang::RUST,
    &swift::SWIFT,
    &typescript::TSX,
    &typescript::TYPESCRIPT,
];

/// The languages that are scanned and have no grammar; in every build.
static ALONE: &[&dyn Language] = &[
    &Lexical { dialect: Dialect::C },
    &Lexical { dialect: Dialect::Cpp },
    &markdown::Markdown,
    &shell::Shell,
];

/// Those that are scanned in place of a grammar; in every build.
static SCANNERS: &[Scanner] = &[
    brace::go::GO,
    brace::java::JAVA,
    csharpscan::SCANNER,
    ecma::JAVASCRIPT,
    ecma::TSX,
    ecma::TYPESCRIPT,
    linewise::kotlin::KOTLIN,
    linewise::swift::SWIFT,
    phpscan::SCANNER,
    pyscan::PYTHON,
    rubyscan::SCANNER,
    rustscan::SCANNER,
];

/// What reads each language of this build without a scanner before it.
fn registry() -> impl Iterator<Item = &'static dyn Language> {
    #[cfg(feature = "outline")]
    let parsed = GRAMMARS.iter().map(|grammar| *grammar as &dyn Language);
    #[cfg(not(feature = "outline"))]
    let parsed = std::iter::empty::<&dyn Language>();
    ALONE.iter().copied().chain(parsed)
}

/// The definitions in `source`, in the order in which they start.
///
/// # Errors
/// [`OutlineError::UnknownLanguage`] when `language` is none of [`languages`]; otherwise what
/// [`Language::outline`] says.
pub fn outline(language: &str, source: &[u8]) -> Result<Outline, OutlineError> {
    outline_by(Means::Either, language, source)
}

/// The same, by certain means.
///
/// # Errors
/// As for [`outline`], and [`OutlineError::Unsure`].
pub fn outline_by(means: Means, language: &str, source: &[u8]) -> Result<Outline, OutlineError> {
    let scanner = SCANNERS.iter().find(|known| known.name == language);
    let known = registry().find(|known| known.name() == language);
    if scanner.is_none() && known.is_none() {
        return Err(OutlineError::UnknownLanguage(language.to_owned()));
    }
    // A byte order mark is no part of the first line.
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let mut symbols = Vec::new();
    let partial = match known.filter(|known| is_alone(known.name())) {
        Some(alone) => alone.outline(source, &mut symbols)?,
        None => scanner::read(means, scanner, known, source, &mut symbols)?,
    };
    let mut outline = Outline { symbols, partial };
    outline.bound(SYMBOL_LIMIT, TEXT_LIMIT);
    Ok(outline)
}

fn is_alone(language: &str) -> bool {
    ALONE.iter().any(|known| known.name() == language)
}

impl Outline {
    /// Cut to so many definitions and bytes of text.
    fn bound(&mut self, symbols: usize, text: usize) {
        let mut bytes = 0;
        let mut fits = |symbol: &Symbol| {
            let parent = symbol.parent.as_ref().map_or(0, String::len);
            bytes += symbol.name.len() + parent + symbol.signature.len() + symbol.doc.len();
            bytes <= text
        };
        let kept = self.symbols.iter().take(symbols).take_while(|symbol| fits(symbol)).count();
        if kept < self.symbols.len() {
            self.symbols.truncate(kept);
            self.partial = Some(Partial::Many { kept });
        }
    }
}

/// The languages that are parsed by a grammar, at least where a scanner is not sure. One operation of the parser
/// cannot be interrupted.
#[must_use]
pub fn parsed_languages() -> Vec<&'static str> {
    registry().map(Language::name).filter(|name| !is_alone(name)).collect()
}

/// The languages that a scanner reads in place of a grammar.
#[must_use]
pub fn scanned_languages() -> Vec<&'static str> {
    SCANNERS.iter().map(|known| known.name).collect()
}

/// (name, version) of every language known to this build, sorted by name.
#[must_use]
pub fn languages() -> Vec<(&'static str, String)> {
    languages_by(|_| Means::Either)
}

/// The same for outlines that are made by these means, for each language its own.
pub fn languages_by(means: impl Fn(&str) -> Means) -> Vec<(&'static str, String)> {
    let version = |name: &str, known: Option<&dyn Language>| {
        let skipped = known.is_some() && means(name) == Means::Parse;
        let scanner = SCANNERS.iter().find(|one| one.name == name).filter(|_| !skipped);
        scanner::version(scanner, known)
    };
    let known = registry().map(|known| (known.name(), version(known.name(), Some(known))));
    let lean = SCANNERS.iter().filter(|one| registry().all(|known| known.name() != one.name));
    let mut all: Vec<_> =
        known.chain(lean.map(|one| (one.name, version(one.name, None)))).collect();
    all.sort_unstable();
    all
}

/// C and C++: scanned, not parsed, because macros leave no syntax tree to speak of.
struct Lexical {
    dialect: Dialect,
}

impl Language for Lexical {
    fn name(&self) -> &'static str {
        match self.dialect {
            Dialect::C => "c",
            Dialect::Cpp => "cpp",
        }
    }

    fn version(&self) -> &'static str {
        cfamily::VERSION
    }

    fn outline(
        &self,
        source: &[u8],
        out: &mut Vec<Symbol>,
    ) -> Result<Option<Partial>, OutlineError> {
        cfamily::outline(self.dialect, source, out);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(count: usize) -> Vec<Symbol> {
        let source = "A=1\n".repeat(count);
        outline("shell", source.replace('A', "AB").as_bytes()).unwrap().symbols
    }

    #[test]
    fn what_is_cut_is_said_to_be_cut() {
        let mut outline = Outline { symbols: symbols(10), partial: None };
        outline.bound(10, 1000);
        assert_eq!((outline.symbols.len(), &outline.partial), (10, &None));
        outline.bound(7, 1000);
        assert_eq!(outline.partial, Some(Partial::Many { kept: 7 }));
        outline.bound(7, 3 * "AB".len() + 2 * "AB=1".len() + 3);
        assert_eq!(outline.partial, Some(Partial::Many { kept: 2 }));
        assert_eq!(outline.symbols.len(), 2);
    }
}
