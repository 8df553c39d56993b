//! How a record is stored: JSON, packed, in pieces, and the texts that each piece is found by.
//!
//! The schema is `currant.store.records`, which reads what is written here; a test holds the two together.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;

use flate2::Crc;

use super::intent::Header;
use super::links::Reference;
use super::stored;
use crate::outline::json::{array, string};
use crate::outline::{Symbol, SymbolKind};

/// A longer one is data: hashes, keys, tables.
const LONGEST_WORD: usize = 40;
// What stands before a term of the index and between two, as `currant.store.records` has it.
const BETWEEN: u8 = b'\n';
const NAME_END: u8 = b'\t';
const KIND_MARK: u8 = 2;
const LANGUAGE_MARK: u8 = 3;
const NAME_MARK: u8 = 4;
const WORD_MARK: u8 = 5;

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
    /// JSON, packed (`stored`).
    pub stored: Vec<u8>,
    /// The terms of its names; `None` when one is not ASCII, which only Python folds as it is asked for.
    pub names: Option<String>,
    /// The terms of its documentation; `None` when it is not ASCII.
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
                stored: stored::pack(&json(piece))?,
                names: names(piece.language, symbols),
                words: words(symbols, piece.header),
            })
        })
        .collect()
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

/// Which three letters, each of seven bits, are there already.
struct Seen {
    bits: Vec<u64>,
    set: Vec<u32>,
}

impl Seen {
    /// Whether they are new.
    fn insert(&mut self, letters: [u8; 3]) -> bool {
        let number = letters.iter().fold(0, |sum, &letter| sum << 7 | u32::from(letter & 0x7f));
        let Some(word) = self.bits.get_mut(number as usize / 64) else { return true };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        if new {
            self.set.push(number);
        }
        new
    }

    fn clear(&mut self) {
        for number in self.set.drain(..) {
            if let Some(word) = self.bits.get_mut(number as usize / 64) {
                *word = 0;
            }
        }
    }
}

thread_local! {
    /// A quarter of a megabyte, kept for the next piece: one bit for each three letters of ASCII. There are
    /// some thousand in a piece, and to sort or hash them would take as long as to find them.
    static SEEN: RefCell<Seen> =
        RefCell::new(Seen { bits: vec![0; (1 << 21) / 64], set: Vec::new() });
}

/// The terms of the names: every three letters of each between its ends, its checksum, each kind, the language.
fn names(language: &str, symbols: &[Symbol]) -> Option<String> {
    let plain = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if symbols.is_empty() {
        return Some(String::new());
    }
    if !plain(language) || !symbols.iter().all(|symbol| plain(&symbol.name)) {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(symbols.len() * 64);
    let mut known: HashSet<&str> = HashSet::with_capacity(symbols.len());
    let mut kinds: Vec<SymbolKind> = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    SEEN.with_borrow_mut(|seen| {
        for symbol in symbols {
            if !kinds.contains(&symbol.kind) {
                kinds.push(symbol.kind);
            }
            if !known.insert(&symbol.name) {
                continue;
            }
            line.clear();
            line.push(NAME_END);
            line.extend(symbol.name.bytes().map(|byte| byte.to_ascii_lowercase()));
            push_checksum(&line[1..], &mut out);
            line.push(NAME_END);
            for letters in line.windows(3) {
                if let &[first, second, third] = letters
                    && seen.insert([first, second, third])
                {
                    out.extend_from_slice(&[first, second, third, BETWEEN]);
                }
            }
        }
        seen.clear();
    });
    for kind in kinds {
        out.push(KIND_MARK);
        out.extend_from_slice(kind.as_str().as_bytes());
        out.push(BETWEEN);
    }
    out.push(LANGUAGE_MARK);
    out.extend(language.bytes().map(|byte| byte.to_ascii_lowercase()));
    String::from_utf8(out).ok()
}

/// Twelve bits, as two characters that no letter case touches.
fn push_checksum(name: &[u8], out: &mut Vec<u8>) {
    let mut checksum = Crc::new();
    checksum.update(name);
    let sum = checksum.sum();
    out.push(NAME_MARK);
    for shift in [0, 6] {
        let six = (sum >> shift & 63) as u8;
        out.push(if six < 32 { b'!' + six } else { b'[' - 32 + six });
    }
    out.push(BETWEEN);
}

/// The terms of the documentation and of the header: their words, letter case aside, as they come.
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
    let mut out = String::with_capacity(lower.len() * 5 / 4);
    for word in lower.split(|one: char| !one.is_ascii_alphanumeric()) {
        if word.is_empty() || word.len() > LONGEST_WORD || !seen.insert(word) {
            continue;
        }
        if !out.is_empty() {
            out.push(char::from(BETWEEN));
        }
        out.push(char::from(WORD_MARK));
        out.push_str(word);
    }
    Some(out)
}
