//! The records of several sources, one after the other, in one call.
//!
//! Owns that what goes wrong with one costs the others nothing. A caller in Python waits for the interpreter's
//! lock each time it comes back from here, often behind two other threads; so it comes back once for many.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::outline::Means;
use crate::record::links::Reference;
use crate::record::{ExamineError, Limits, Parts, Piece, examine_by};

/// One source.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its language.
    pub language: &'a str,
    /// The text.
    pub source: &'a [u8],
    /// Parts that are wanted besides the outline.
    pub parts: Parts,
}

/// What is kept of one: an outline is a thousand small pieces of memory, which are given back here, where nobody
/// waits for the caller's lock.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// Its stored form.
    pub pieces: Vec<Piece>,
    /// How many definitions there are.
    pub symbols: usize,
    /// What it names.
    pub references: Vec<Reference>,
}

/// What became of one.
#[derive(Debug)]
pub enum Made {
    /// The record.
    Whole(Record),
    /// It is to be made in Python.
    NotOrdinary,
    /// To be asked for again alone: a scanner is not sure, or something failed. Then it is known whose fault it
    /// is, and a parser may take its time.
    Alone,
}

/// The record of each, by scanners alone: no source takes more than time in proportion to its length.
#[must_use]
pub fn examine_many(asked: &[Asked<'_>], limits: Limits) -> Vec<Made> {
    asked.iter().map(|one| each(*one, limits)).collect()
}

fn each(asked: Asked<'_>, limits: Limits) -> Made {
    let made = catch_unwind(AssertUnwindSafe(|| {
        let examined = examine_by(Means::Scan, asked.language, asked.source, asked.parts)?;
        let pieces = examined.pack(asked.language, limits);
        let symbols = examined.symbols();
        Ok(pieces.map(|pieces| Record { pieces, symbols, references: examined.into_references() }))
    }));
    match made {
        Ok(Ok(Ok(record))) => Made::Whole(record),
        Ok(Err(ExamineError::NotOrdinary)) => Made::NotOrdinary,
        _ => Made::Alone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_as_alone() {
        let parts = Parts { header: true, links: true };
        let limits = Limits { symbols: 3, pieces: 4 };
        let many = b"/* Sums. */\nint f(void) { return 1; }\nint g;\nint h;\nint i;\n";
        let sources: [(&str, &[u8]); 4] = [
            ("c", many),
            ("c", b""),
            ("no language", b"# text"),
            ("java", b"class A { int x = \""),
        ];
        let asked: Vec<Asked<'_>> =
            sources.map(|(language, source)| Asked { language, source, parts }).to_vec();
        let made = examine_many(&asked, limits);
        assert_eq!(made.len(), asked.len());
        for (one, (language, source)) in made.iter().zip(sources) {
            let alone = examine_by(Means::Scan, language, source, parts);
            match one {
                Made::Whole(record) => {
                    let alone = alone.unwrap();
                    assert_eq!(record.symbols, alone.symbols());
                    assert_eq!(record.references, alone.references());
                    assert_eq!(record.pieces, alone.pack(language, limits).unwrap());
                }
                Made::NotOrdinary => assert!(matches!(alone, Err(ExamineError::NotOrdinary))),
                Made::Alone => assert!(alone.is_err()),
            }
        }
        assert!(matches!(&made[0], Made::Whole(record) if record.pieces.len() == 2));
    }
}
