//! Outlines: the definitions of one source file, from its bytes alone.
//!
//! This file owns the registry of languages and the one entry point. What a definition looks like
//! is in `symbol`; how a syntax tree is walked is in `tree`; each language has a small file of its
//! own. To add a language: one file, one line in `GRAMMARS` or `SCANNERS`, one fixture.
//!
//! The result depends on the language and the bytes only (never on a path, a configuration or
//! another file), because results are stored under the hash of the content.

pub mod cfamily;
mod json;
mod markdown;
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
pub use symbol::{Symbol, SymbolKind};

use cfamily::Dialect;

/// Why a file has no outline. The caller records it as a failure of that file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlineError {
    /// Nobody registered this name; see [`languages`].
    #[error("no outline for language {0:?}")]
    UnknownLanguage(String),
    /// Larger than the parser of this language may be given.
    #[error("{size} bytes are more than the {limit} that are outlined")]
    TooLarge {
        /// Bytes of the source.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The parser was cut off: it used up the steps or the time that a file of this size is given.
    /// Only text that is hardly in the language at all needs so many, and it will again.
    #[error("cut off after {steps} parser steps at byte {offset}")]
    TooSlow {
        /// Steps taken.
        steps: u64,
        /// How far the parser had got, in bytes.
        offset: usize,
    },
    /// The grammar cannot be loaded into the parser: a build that mixes versions.
    #[error("grammar of {language} cannot be used: {reason}")]
    Grammar {
        /// The language.
        language: &'static str,
        /// What the parser said.
        reason: String,
    },
}

/// One language: how its definitions are found.
pub trait Language: Sync {
    /// The name under which it is asked for: lower case, such as `python` or `csharp`.
    fn name(&self) -> &'static str;

    /// Changes whenever the outline of some file may change. Part of the key of stored results.
    fn version(&self) -> &'static str;

    /// Append the definitions of `source`, in the order in which they start.
    ///
    /// Never panics, whatever the bytes; takes time linear in their number, or fails.
    ///
    /// # Errors
    /// [`OutlineError::TooLarge`], [`OutlineError::TooSlow`] or [`OutlineError::Grammar`].
    fn outline(&self, source: &[u8], out: &mut Vec<Symbol>) -> Result<(), OutlineError>;
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

/// The languages that are scanned by hand; in every build.
static SCANNERS: &[&dyn Language] = &[
    &Lexical { dialect: Dialect::C },
    &Lexical { dialect: Dialect::Cpp },
    &markdown::Markdown,
    &shell::Shell,
];

/// Every language of this build.
fn registry() -> impl Iterator<Item = &'static dyn Language> {
    #[cfg(feature = "outline")]
    let parsed = GRAMMARS.iter().map(|grammar| *grammar as &dyn Language);
    #[cfg(not(feature = "outline"))]
    let parsed = std::iter::empty::<&dyn Language>();
    SCANNERS.iter().copied().chain(parsed)
}

/// The definitions in `source`, in the order in which they start.
///
/// # Errors
/// [`OutlineError::UnknownLanguage`] when `language` is none of [`languages`]; otherwise what
/// [`Language::outline`] says.
pub fn outline(language: &str, source: &[u8]) -> Result<Vec<Symbol>, OutlineError> {
    let Some(found) = registry().find(|known| known.name() == language) else {
        return Err(OutlineError::UnknownLanguage(language.to_owned()));
    };
    // A byte order mark is no part of the first line.
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    let mut out = Vec::new();
    found.outline(source, &mut out)?;
    Ok(out)
}

/// (name, version) of every language known to this build, sorted by name.
#[must_use]
pub fn languages() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = registry().map(|known| (known.name(), known.version())).collect();
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

    fn outline(&self, source: &[u8], out: &mut Vec<Symbol>) -> Result<(), OutlineError> {
        cfamily::outline(self.dialect, source, out);
        Ok(())
    }
}
