//! The whole record of an ordinary source file, made in one go: its outline, its header, what it names, and
//! how all of that is stored.
//!
//! One call replaces what would be a dozen steps in Python with the interpreter's lock held; for an index of
//! a hundred thousand files those steps were nine tenths of the time. What is not ordinary (a header template,
//! documents, manifests, plug-ins) is left to Python: [`examine`] says so.
//!
//! `comments` finds the comments that a file begins with, `intent` what they say, `links` what the file names,
//! `pack` writes the stored form, `select` finds names in it.

pub mod comments;
pub mod heads;
pub mod intent;
pub mod links;
pub mod many;
pub mod pack;
pub mod select;
pub mod stored;
mod text;

use crate::outline::{self, Means, Outline, OutlineError, SymbolKind};
use comments::Comment;
use intent::Header;
use links::{Doc, Reference};
pub use pack::{Content, Limits, Piece};
pub use text::rest;

/// Most references of one content.
const MAX_REFERENCES: usize = 5_000;

/// Which parts of a record are wanted besides the outline.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The header.
    pub header: bool,
    /// What it names.
    pub links: bool,
}

/// What is known about one content.
#[derive(Debug)]
pub struct Examined {
    outline: Outline,
    header: Option<Header>,
    references: Vec<Reference>,
    notes: Vec<String>,
}

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    /// There is something in it that is for Python to read: the record is to be made there.
    #[error("not ordinary")]
    NotOrdinary,
    /// As for an outline.
    #[error(transparent)]
    Outline(#[from] OutlineError),
    /// A definition lies outside of the source: a fault of ours.
    #[error("{kind} {name:?} at lines {start}-{end} of {lines}")]
    Misplaced {
        /// Of the definition.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Its first line.
        start: u32,
        /// Its last line.
        end: u32,
        /// How many there are.
        lines: usize,
    },
}

/// The line of the first definition that is no heading, 0 without any.
#[must_use]
pub fn first_definition(outline: &Outline) -> usize {
    let starts = outline.symbols.iter().filter(|one| one.kind != SymbolKind::Heading);
    starts.map(|one| one.start as usize).min().unwrap_or(0)
}

/// Everything about `source`. A language without an outline has no definitions.
///
/// # Errors
/// [`ExamineError`].
pub fn examine(language: &str, source: &[u8], parts: Parts) -> Result<Examined, ExamineError> {
    examine_by(Means::Either, language, source, parts)
}

/// The same, with an outline by certain means.
///
/// # Errors
/// [`ExamineError`].
pub fn examine_by(
    means: Means,
    language: &str,
    source: &[u8],
    parts: Parts,
) -> Result<Examined, ExamineError> {
    let outline = match outline::outline_by(means, language, source) {
        Err(OutlineError::UnknownLanguage(_)) => Outline::default(),
        other => other?,
    };
    check(&outline, source)?;
    let mut header = None;
    if parts.header {
        let comments: Vec<Comment> = comments::leading(language, &comments::head_text(source));
        if intent::has_title(&comments) {
            return Err(ExamineError::NotOrdinary);
        }
        header = intent::header(language, &comments, first_definition(&outline));
    }
    let mut notes: Vec<String> = Vec::new();
    notes.extend(outline.partial.as_ref().map(|partial| format!("partial: {partial}")));
    let mut references = Vec::new();
    if parts.links {
        let docs: Vec<Doc<'_>> = outline
            .symbols
            .iter()
            .map(|one| Doc { text: &one.doc, start: one.start as usize, end: one.end as usize })
            .collect();
        references = links::references(language, source, &docs);
        let is_link = |one: &&Reference| matches!(one.kind, "link" | "url");
        if references.iter().filter(is_link).any(|one| one.target.contains('&')) {
            return Err(ExamineError::NotOrdinary); // entities of HTML
        }
        if references.len() > MAX_REFERENCES {
            notes.push(format!(
                "partial: the first {MAX_REFERENCES} of {} references",
                references.len()
            ));
            references.truncate(MAX_REFERENCES);
        }
    }
    Ok(Examined { outline, header, references, notes })
}

fn check(outline: &Outline, source: &[u8]) -> Result<(), ExamineError> {
    let lines = memchr::memchr_iter(b'\n', source).count() + 1;
    let misplaced = outline
        .symbols
        .iter()
        .find(|one| !(1 <= one.start && one.start <= one.end && one.end as usize <= lines));
    match misplaced {
        None => Ok(()),
        Some(one) => Err(ExamineError::Misplaced {
            kind: one.kind.as_str(),
            name: one.name.clone(),
            start: one.start,
            end: one.end,
            lines,
        }),
    }
}

impl Examined {
    /// The stored form.
    ///
    /// # Errors
    /// As for [`pack::pack`].
    pub fn pack(&self, language: &str, limits: Limits) -> std::io::Result<Vec<Piece>> {
        let content = Content {
            language,
            symbols: &self.outline.symbols,
            notes: &self.notes,
            header: self.header.as_ref(),
            references: &self.references,
        };
        pack::pack(content, limits)
    }

    /// How many definitions there are.
    #[must_use]
    pub const fn symbols(&self) -> usize {
        self.outline.symbols.len()
    }

    /// What it names, and nothing else of it.
    #[must_use]
    pub fn into_references(self) -> Vec<Reference> {
        self.references
    }

    /// What it names.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}
