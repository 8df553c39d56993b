//! How a record is stored: JSON under zlib, in pieces, and the texts that each piece is found by.
//!
//! The schema is `currant.store.records`, which reads what is written here; a test holds the two together.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

use super::intent::Header;
use super::links::Reference;
use crate::outline::json::{array, string};
use crate::outline::{Symbol, SymbolKind};

/// The third is a quarter smaller than the first, for a sixth more of the time that a record takes.
const LEVEL: Compression = Compression::new(3);
/// A longer one is data: hashes, keys, tables.
const LONGEST_WORD: usize = 40;

/// How many definitions go into one piece, and how many pieces there may be; the last one takes the rest.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Definitions.
    pub symbols: usize,
    /// Pieces.
    pub pieces: usize,
}

/// One piece of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// JSON under zlib.
    pub stored: Vec<u8>,
    /// What the name index gets; `None` when a name is not ASCII, which only Python folds as it is asked for.
    pub names: Option<String>,
    /// Each word of the documentation once; `None` when it is not ASCII.
    pub words: Option<String>,
}

/// What is packed.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// Its language.
    pub language: &'a str,
    /// All definitions.
    pub symbols: &'a [Symbol],
    /// What a reader must know.
    pub notes: &'a [String],
    /// What its header says.
    pub header: Option<&'a Header>,
    /// What it names.
    pub references: &'a [Reference],
}

/// The pieces of a record; at least one.
///
/// # Errors
/// None in practice: it writes to memory.
pub fn pack(content: Content<'_>, limits: Limits) -> io::Result<Vec<Piece>> {
    let per_piece = limits.symbols.max(1);
    let count = content.symbols.len().div_ceil(per_piece).clamp(1, limits.pieces.max(1));
    (0..count)
        .map(|index| {
            let start = index * per_piece;
            let end = if index + 1 == count { content.symbols.len() } else { start + per_piece };
            let symbols = &content.symbols[start..end];
            // Everything but the definitions is in the first piece alone.
            let piece = if index == 0 {
                Content { symbols, ..content }
            } else {
                Content { symbols, notes: &[], header: None, references: &[], ..content }
            };
            Ok(Piece {
                stored: compressed(&json(piece))?,
                names: names(piece.language, symbols),
                words: words(symbols, piece.header),
            })
        })
        .collect()
}

thread_local! {
    /// Kept for the next piece: its tables are a quarter of a megabyte, which to make anew for each of many
    /// small pieces takes longer than the pieces.
    static ENCODER: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, true));
}

fn compressed(text: &[u8]) -> io::Result<Vec<u8>> {
    ENCODER.with_borrow_mut(|encoder| {
        encoder.reset();
        let mut out = Vec::with_capacity(text.len() / 4 + 128);
        loop {
            let from = usize::try_from(encoder.total_in()).unwrap_or(text.len()).min(text.len());
            let status = encoder.compress_vec(&text[from..], &mut out, FlushCompress::Finish)?;
            if status == Status::StreamEnd {
                return Ok(out);
            }
            out.reserve(text.len() / 4 + 128);
        }
    })
}

fn json(piece: Content<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + piece.symbols.len() * 200);
    out.extend_from_slice(b"{\"language\":");
    string(piece.language, &mut out);
    out.extend_from_slice(b",\"symbols\":");
    array(piece.symbols, &mut out);
    out.extend_from_slice(b",\"notes\":[");
    separated(piece.notes, &mut out, |note, out| string(note, out));
    out.extend_from_slice(b"],\"facts\":{},\"header\":");
    match piece.header {
        None => out.extend_from_slice(b"null"),
        Some(header) => {
            out.extend_from_slice(b"{\"form\":");
            string(header.form, &mut out);
            let lines = format!(",\"start\":{},\"end\":{},\"intent\":", header.start, header.end);
            out.extend_from_slice(lines.as_bytes());
            string(&header.intent, &mut out);
            out.push(b'}');
        }
    }
    out.extend_from_slice(b",\"references\":[");
    separated(piece.references, &mut out, |reference, out| {
        out.extend_from_slice(b"{\"kind\":");
        string(reference.kind, out);
        out.extend_from_slice(b",\"target\":");
        string(&reference.target, out);
        out.extend_from_slice(format!(",\"line\":{}", reference.line).as_bytes());
        out.extend_from_slice(if reference.quiet { b",\"quiet\":true}" } else { b"}" });
    });
    out.extend_from_slice(b"]}");
    out
}

fn separated<T>(items: &[T], out: &mut Vec<u8>, each: impl Fn(&T, &mut Vec<u8>)) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        each(item, out);
    }
}

/// Each name, folded, then each kind and the language after their marks, one item a line.
fn names(language: &str, symbols: &[Symbol]) -> Option<String> {
    let plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii() && !matches!(byte, 0 | 2 | 3 | b'\n'));
    if symbols.is_empty() {
        return Some(String::new());
    }
    if !plain(language) || !symbols.iter().all(|symbol| plain(&symbol.name)) {
        return None;
    }
    let mut out = String::with_capacity(symbols.len() * 24);
    let mut seen: HashSet<&str> = HashSet::with_capacity(symbols.len());
    let mut kinds: Vec<SymbolKind> = Vec::new();
    for symbol in symbols {
        if !kinds.contains(&symbol.kind) {
            kinds.push(symbol.kind);
        }
        if seen.insert(&symbol.name) {
            out.push('\n');
            out.push_str(&symbol.name);
        }
    }
    out.make_ascii_lowercase();
    for kind in kinds {
        out.push_str("\n\x02");
        out.push_str(kind.as_str());
    }
    out.push_str("\n\x03");
    out.push_str(&language.to_ascii_lowercase());
    out.push('\n');
    Some(out)
}

/// The words of the documentation and of the header, letter case aside, in the order in which they come.
fn words(symbols: &[Symbol], header: Option<&Header>) -> Option<String> {
    let texts = symbols.iter().map(|symbol| symbol.doc.as_str());
    let texts: Vec<&str> = texts
        .chain(header.map(|header| header.intent.as_str()))
        .filter(|text| !text.is_empty())
        .collect();
    if !texts.iter().all(|text| text.is_ascii()) {
        return None;
    }
    let lower = texts.join("\n").to_ascii_lowercase();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut out = String::with_capacity(lower.len());
    for word in lower.split(|one: char| !one.is_ascii_alphanumeric()) {
        if word.is_empty() || word.len() > LONGEST_WORD || !seen.insert(word) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Some(out)
}
