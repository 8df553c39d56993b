//! The part of the binding that speaks of contents: outlines, records, what a head tells. It converts and
//! forwards; it decides nothing.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyList};

use super::UnsureError;
use crate::record::links::Reference;
use crate::record::{ExamineError, Limits, Parts, Piece};

/// What is said of an outline that cannot be made.
fn outline_error(error: &crate::outline::OutlineError) -> PyErr {
    match error {
        crate::outline::OutlineError::Unsure(_) => UnsureError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

fn means_named(name: &str) -> PyResult<crate::outline::Means> {
    crate::outline::Means::named(name)
        .ok_or_else(|| PyValueError::new_err(format!("no means of this name: {name:?}")))
}

/// Definitions of a source text, as JSON; see `to_json`.
#[pyfunction]
#[pyo3(signature = (language, source, means="either"))]
pub(super) fn outline<'py>(
    py: Python<'py>,
    language: &str,
    source: &[u8],
    means: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let means = means_named(means)?;
    let json = py
        .detach(|| {
            crate::outline::outline_by(means, language, source)
                .map(|outline| crate::outline::to_json(&outline))
        })
        .map_err(|error| outline_error(&error))?;
    Ok(PyBytes::new(py, &json))
}

/// One piece of a record: the stored form, the terms of its names, those of its documentation.
type PieceTuple<'py> = (Bound<'py, PyBytes>, Option<String>, Option<String>);
/// The pieces, the number of definitions, the references.
type RecordTuple<'py> = (Vec<PieceTuple<'py>>, usize, Vec<ReferenceTuple>);
/// (kind, target, line, quiet).
type ReferenceTuple = (&'static str, String, usize, bool);

/// The whole record of an ordinary source in its stored form, with the number of its definitions and what it
/// names; None when it has to be made in Python. `header` and `links` are parts that are wanted.
#[pyfunction]
#[pyo3(signature = (language, source, header, links, piece_symbols, pieces, means="either"))]
#[allow(clippy::too_many_arguments, reason = "each is a plain value of the caller's")]
pub(super) fn examine<'py>(
    py: Python<'py>,
    language: &str,
    source: &[u8],
    header: bool,
    links: bool,
    piece_symbols: usize,
    pieces: usize,
    means: &str,
) -> PyResult<Option<RecordTuple<'py>>> {
    let limits = Limits { symbols: piece_symbols, pieces };
    let means = means_named(means)?;
    let made = py.detach(|| {
        let parts = Parts { header, links };
        let examined = crate::record::examine_by(means, language, source, parts)?;
        let pieces = examined.pack(language, limits);
        Ok((examined, pieces))
    });
    let (examined, pieces) = match made {
        Ok(made) => made,
        Err(ExamineError::NotOrdinary) => return Ok(None),
        Err(ExamineError::Outline(error)) => return Err(outline_error(&error)),
        Err(error) => return Err(PyValueError::new_err(error.to_string())),
    };
    let pieces = pieces.map_err(|error| PyOSError::new_err(error.to_string()))?;
    let symbols = examined.symbols();
    Ok(Some(record(py, pieces, symbols, examined.into_references())))
}

fn record(
    py: Python<'_>,
    pieces: Vec<Piece>,
    symbols: usize,
    references: Vec<Reference>,
) -> RecordTuple<'_> {
    let pieces = pieces
        .into_iter()
        .map(|piece| (PyBytes::new(py, &piece.stored), piece.names, piece.words))
        .collect();
    (pieces, symbols, references.into_iter().map(told).collect())
}

/// The same for many, each (language, source, header, links), by scanners alone; False for one that is to be
/// asked for alone, because a scanner is not sure or because something failed.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "PyO3 gives vectors away")]
pub(super) fn examine_many(
    py: Python<'_>,
    asked: Vec<(PyBackedStr, PyBackedBytes, bool, bool)>,
    piece_symbols: usize,
    pieces: usize,
) -> PyResult<Bound<'_, PyList>> {
    use crate::record::many::{Asked, Made, examine_many};
    let limits = Limits { symbols: piece_symbols, pieces };
    let made = py.detach(|| {
        let asked: Vec<Asked<'_>> = asked
            .iter()
            .map(|(language, source, header, links)| Asked {
                language,
                source,
                parts: Parts { header: *header, links: *links },
            })
            .collect();
        examine_many(&asked, limits)
    });
    let told = PyList::empty(py);
    for one in made {
        match one {
            Made::Whole(made) => {
                told.append(record(py, made.pieces, made.symbols, made.references))?;
            }
            Made::NotOrdinary => told.append(py.None())?,
            Made::Alone => told.append(false)?,
        }
    }
    Ok(told)
}

/// Give back what this thread keeps for the next file.
#[pyfunction]
pub(super) fn rest_thread() {
    #[cfg(target_os = "linux")]
    crate::content::rest();
    crate::record::stored::rest();
}

/// Whether a line of a source that begins so may tell an editor the language.
#[pyfunction]
pub(super) fn has_mode_words(head: &[u8]) -> bool {
    crate::record::heads::has_mode_words(head)
}

/// In which language a header is written that begins so: ``c``, ``cpp`` or ``objective-c``.
#[pyfunction]
pub(super) fn header_language(head: &[u8]) -> &'static str {
    crate::record::heads::header_language(head)
}

/// Whether a source that begins so holds what only Objective-C has.
#[pyfunction]
pub(super) fn is_objective_c(head: &[u8]) -> bool {
    crate::record::heads::is_objective_c(head)
}

/// The stored form of the JSON of a piece.
#[pyfunction]
pub(super) fn pack_piece<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let stored = py.detach(|| crate::record::stored::pack(text))?;
    Ok(PyBytes::new(py, &stored))
}

/// The JSON of a stored piece, of whatever version.
#[pyfunction]
pub(super) fn open_piece<'py>(py: Python<'py>, stored: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    match crate::record::stored::open(stored, |_| false, |text| PyBytes::new(py, text)) {
        Ok(opened) => opened.ok_or_else(|| PyValueError::new_err("it cannot be opened")),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// The definitions of a stored piece that can be meant, as the JSON of a piece without the others; None without
/// any. See `crate::record::select`.
#[pyfunction]
#[pyo3(signature = (stored, lines, kind=None, language=None))]
#[allow(clippy::needless_pass_by_value, reason = "PyO3 gives vectors away")]
pub(super) fn select<'py>(
    py: Python<'py>,
    stored: &[u8],
    lines: Vec<String>,
    kind: Option<&str>,
    language: Option<&str>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    use crate::record::select::{Wanted, select};
    let wanted = Wanted { lines: &lines, kind, language };
    match py.detach(|| select(stored, wanted)) {
        Ok(found) => Ok(found.map(|found| PyBytes::new(py, &found))),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

fn told(reference: Reference) -> ReferenceTuple {
    (reference.kind, reference.target, reference.line, reference.quiet)
}

/// The comments that a source begins with: (text, first line, last line, marker), a docstring last.
#[pyfunction]
pub(super) fn leading_comments(
    language: &str,
    source: &[u8],
) -> Vec<(String, usize, usize, &'static str)> {
    use crate::record::comments;
    comments::leading(language, &comments::head_text(source))
        .into_iter()
        .map(|one| (one.text, one.start, one.end, one.marker))
        .collect()
}

/// What these comments say about the file: (form, first line, last line, intent). `first` is the line of the
/// first definition, 0 without any.
#[pyfunction]
pub(super) fn comment_header(
    language: &str,
    source: &[u8],
    first: usize,
) -> Option<(&'static str, usize, usize, String)> {
    use crate::record::{comments, intent};
    let found = comments::leading(language, &comments::head_text(source));
    let header = intent::header(language, &found, first)?;
    Some((header.form, header.start, header.end, header.intent))
}

/// What a source names; `docs` is (text, first line, last line) of each definition that has a documentation.
#[pyfunction]
#[allow(clippy::needless_pass_by_value, reason = "PyO3 gives vectors away")]
pub(super) fn code_references(
    language: &str,
    source: &[u8],
    docs: Vec<(String, usize, usize)>,
) -> Vec<ReferenceTuple> {
    use crate::record::links::{Doc, references};
    let docs: Vec<Doc<'_>> =
        docs.iter().map(|(text, start, end)| Doc { text, start: *start, end: *end }).collect();
    references(language, source, &docs).into_iter().map(told).collect()
}

/// The kind and the target of a text in backticks, if it is a path or an identifier.
#[pyfunction]
pub(super) fn backticked(text: &str) -> Option<(&'static str, &str)> {
    crate::record::links::backticked(text)
}

/// Whether the last component of a path ends like the name of a file.
#[pyfunction]
pub(super) fn has_ending(path: &str) -> bool {
    crate::record::links::has_ending(path)
}

/// The languages that have comments.
#[pyfunction]
pub(super) fn comment_languages() -> Vec<&'static str> {
    crate::record::comments::languages().collect()
}

/// (language, version of its outliner); those in `exact` are parsed and not scanned.
#[pyfunction]
#[pyo3(signature = (exact=None))]
pub(super) fn languages(exact: Option<Vec<String>>) -> Vec<(&'static str, String)> {
    use crate::outline::Means;
    let exact = exact.unwrap_or_default();
    crate::outline::languages_by(|language| {
        if exact.iter().any(|one| one == language) { Means::Parse } else { Means::Either }
    })
}

/// The languages that a grammar parses, at least where a scanner is not sure.
#[pyfunction]
pub(super) fn parsed_languages() -> Vec<&'static str> {
    crate::outline::parsed_languages()
}

/// The languages that a scanner reads in place of a grammar.
#[pyfunction]
pub(super) fn scanned_languages() -> Vec<&'static str> {
    crate::outline::scanned_languages()
}
