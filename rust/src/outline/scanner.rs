//! Scanners that stand before a grammar, and which of the two reads a source.
//!
//! A scanner passes over the bytes once and is many times as fast as a parser. It gives what the grammar of its
//! language gives, and it says when it cannot be sure of that: brackets that do not match, a string without an
//! end, a construct that it does not know. The parser then reads the file. So a strange file is slow, and none
//! has definitions missing because it is strange. Where there is no grammar in the build, the scanner's answer
//! stands as it is.
//!
//! This file owns the order of the two and the version of what they give together.

use super::{Language, OutlineError, Partial, Symbol};

/// Why a scanner is not sure of what it found; for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsure(pub &'static str);

/// By which means a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By a scanner alone; [`OutlineError::Unsure`] where that is not sure.
    Scan,
    /// By a scanner, and by the grammar where that is not sure.
    Either,
    /// By the grammar, if this build has one.
    Parse,
}

impl Means {
    /// By its name: `scan`, `either`, `parse`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "scan" => Some(Self::Scan),
            "either" => Some(Self::Either),
            "parse" => Some(Self::Parse),
            _ => None,
        }
    }
}

/// A scanner for a language that has a grammar, too.
pub(super) struct Scanner {
    /// As the grammar is called.
    pub name: &'static str,
    /// Changes whenever the outline of some file may change; begins with `scan.`.
    pub version: &'static str,
    /// Appends the definitions in the order in which they start, all that it finds even when it is not sure.
    /// What [`Language::outline`] says of panics, time and memory holds for it.
    pub scan: fn(&[u8], &mut Vec<Symbol>) -> Result<(), Unsure>,
}

/// What the outlines of a language are made with.
pub(super) fn version(scanner: Option<&Scanner>, grammar: Option<&dyn Language>) -> String {
    match (scanner, grammar) {
        (Some(scanner), Some(grammar)) => format!("{}-{}", scanner.version, grammar.version()),
        (Some(scanner), None) => scanner.version.to_owned(),
        (None, Some(grammar)) => grammar.version().to_owned(),
        (None, None) => String::new(),
    }
}

/// Read a source by these means.
pub(super) fn read(
    means: Means,
    scanner: Option<&Scanner>,
    grammar: Option<&dyn Language>,
    source: &[u8],
    out: &mut Vec<Symbol>,
) -> Result<Option<Partial>, OutlineError> {
    if let Some(scanner) = scanner.filter(|_| means != Means::Parse || grammar.is_none()) {
        match (scanner.scan)(source, out) {
            Err(unsure) if means == Means::Scan => return Err(OutlineError::Unsure(unsure)),
            Err(_) if grammar.is_some() => out.clear(),
            _ => return Ok(None),
        }
    }
    match grammar {
        Some(_) if means == Means::Scan => Err(OutlineError::Unsure(Unsure("no scanner for it"))),
        Some(grammar) => grammar.outline(source, out),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outline::SymbolKind;

    fn symbol(name: &str) -> Symbol {
        let (kind, parent) = (SymbolKind::Function, None);
        let (signature, doc) = (String::new(), String::new());
        Symbol { name: name.to_owned(), kind, parent, start: 1, end: 1, signature, doc }
    }

    static SCANNER: Scanner = Scanner {
        name: "toy",
        version: "scan.7",
        scan: |source, out| {
            out.push(symbol("scanned"));
            if source == b"?" { Err(Unsure("a question")) } else { Ok(()) }
        },
    };

    struct Parser;

    impl Language for Parser {
        fn name(&self) -> &'static str {
            "toy"
        }
        fn version(&self) -> &'static str {
            "3+a"
        }
        fn outline(
            &self,
            _: &[u8],
            out: &mut Vec<Symbol>,
        ) -> Result<Option<Partial>, OutlineError> {
            out.push(symbol("parsed"));
            Ok(None)
        }
    }

    fn names(means: Means, grammar: bool, source: &[u8]) -> Result<Vec<String>, OutlineError> {
        let mut out = Vec::new();
        let grammar = grammar.then_some(&Parser as &dyn Language);
        read(means, Some(&SCANNER), grammar, source, &mut out)?;
        Ok(out.into_iter().map(|one| one.name).collect())
    }

    #[test]
    fn the_parser_reads_what_the_scanner_is_not_sure_of_or_what_it_is_asked_for() {
        assert_eq!(names(Means::Either, true, b"."), Ok(vec!["scanned".to_owned()]));
        assert_eq!(names(Means::Either, true, b"?"), Ok(vec!["parsed".to_owned()]));
        assert_eq!(names(Means::Parse, true, b"."), Ok(vec!["parsed".to_owned()]));
        assert_eq!(names(Means::Scan, true, b"."), Ok(vec!["scanned".to_owned()]));
        let unsure = OutlineError::Unsure(Unsure("a question"));
        assert_eq!(names(Means::Scan, true, b"?"), Err(unsure));
    }

    #[test]
    fn a_language_that_nothing_scans_cannot_be_scanned_alone() {
        let found = read(Means::Scan, None, Some(&Parser), b"", &mut Vec::new());
        assert_eq!(found, Err(OutlineError::Unsure(Unsure("no scanner for it"))));
    }

    #[test]
    fn without_a_grammar_the_scanner_stands() {
        for means in [Means::Either, Means::Parse] {
            assert_eq!(names(means, false, b"?"), Ok(vec!["scanned".to_owned()]));
        }
    }

    #[test]
    fn the_version_names_whatever_may_have_read_a_source() {
        assert_eq!(version(Some(&SCANNER), Some(&Parser)), "scan.7-3+a");
        assert_eq!(version(Some(&SCANNER), None), "scan.7");
        assert_eq!(version(None, Some(&Parser)), "3+a");
    }
}
