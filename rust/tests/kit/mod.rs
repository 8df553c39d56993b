//! What the tests of outlines share: both readers of a source side by side, and chance that repeats itself.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use std::path::{Path, PathBuf};

use currant::outline::{Means, OutlineError, Symbol, outline_by};

/// A folder of the recorded sources.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outline").join(name)
}

/// Sources that scanner and grammar are to agree on: (file name, content), in the order of the names.
pub fn recorded(language: &str) -> Vec<(String, String)> {
    let mut all: Vec<_> = std::fs::read_dir(folder("scanned").join(language))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    if language == "python" {
        // The fixture has an error on purpose, at its end.
        let whole = std::fs::read_to_string(folder("fixtures").join("sample.py")).unwrap();
        assert!(whole.contains("def broken(:"));
        all.push(("sample.py".to_owned(), whole.replace("def broken(:", "def mended():")));
    }
    all.sort();
    all
}

/// What the scanner finds; `Err` has why it is not sure.
pub fn scanned(language: &str, source: impl AsRef<[u8]>) -> Result<Vec<Symbol>, String> {
    match outline_by(Means::Scan, language, source.as_ref()) {
        Ok(found) => Ok(found.symbols),
        Err(OutlineError::Unsure(reason)) => Err(reason.to_string()),
        Err(error) => panic!("{language}: {error}"),
    }
}

/// What the grammar finds.
pub fn parsed(language: &str, source: impl AsRef<[u8]>) -> Vec<Symbol> {
    outline_by(Means::Parse, language, source.as_ref()).unwrap().symbols
}

/// The first definition that the two disagree on.
pub fn first_difference(ours: &[Symbol], theirs: &[Symbol]) -> Option<String> {
    let at = ours.iter().zip(theirs).position(|(one, other)| one != other);
    let at = at.or((ours.len() != theirs.len()).then(|| ours.len().min(theirs.len())))?;
    Some(format!("scanner: {:#?}\nparser: {:#?}", ours.get(at), theirs.get(at)))
}

/// The name of a definition with that of its parent before it.
pub fn full_name(symbol: &Symbol) -> String {
    let parent = symbol.parent.as_ref().map(|parent| format!("{parent}.")).unwrap_or_default();
    parent + &symbol.name
}

/// How many times as much is tried as in an ordinary run.
pub fn rounds() -> usize {
    std::env::var("CURRANT_FUZZ_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// xorshift64*: small, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    /// A number below a limit; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
