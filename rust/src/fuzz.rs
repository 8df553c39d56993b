//! The entry points of the fuzzers: one function for each reader of bytes that somebody else wrote.
//!
//! A function takes any bytes, runs the reader and panics when the result is not what it must be, so that a
//! finding is more than a crash. `rust/fuzz/` calls them under cargo-fuzz, `tests/fuzz.rs` with the recorded
//! inputs and with mutations of them in every run of the tests. Nothing else uses them.

use crate::outline::{self, Means, Outline, OutlineError};
use crate::rules;

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// The targets by name, as cargo-fuzz and the folders of recorded inputs call them.
pub const TARGETS: &[(&str, Target)] = &[
    ("outline", outline),
    ("rules", rules),
    ("glob", glob),
    ("gitconfig", gitconfig),
    #[cfg(target_os = "linux")]
    ("inotify", inotify),
];

/// The first byte chooses a language, the rest is the source; see [`outline_of`].
pub fn outline(data: &[u8]) {
    let Some((&which, source)) = data.split_first() else { return };
    let languages = outline::languages();
    outline_of(languages[usize::from(which) % languages.len()].0, source);
}

/// # Panics
/// When the outline of the source is not one, or differs the second time.
pub fn outline_of(language: &str, source: &[u8]) {
    match (outline::outline(language, source), outline::outline(language, source)) {
        (Ok(found), Ok(again)) => {
            check(language, source, &found);
            // What used up its time may do so at another place the next time.
            let cut = found.partial.is_some() || again.partial.is_some();
            assert!(cut || found == again, "{language}: not repeatable");
        }
        (found, _) => panic!("{language}: {found:?}"),
    }
    // What each of two ways to read it gives alone must be an outline, too.
    if outline::scanned_languages().contains(&language) {
        for means in [Means::Scan, Means::Parse] {
            match outline::outline_by(means, language, source) {
                Ok(found) => check(language, source, &found),
                Err(OutlineError::Unsure(_)) => {}
                Err(error) => panic!("{language}: {error}"),
            }
        }
    }
}

/// What holds for every outline of every source.
///
/// # Panics
/// When it does not.
pub fn check(language: &str, source: &[u8], outline: &Outline) {
    let ends = source.iter().filter(|byte| **byte == b'\n').count();
    let lines = ends + usize::from(!source.ends_with(b"\n"));
    for symbol in &outline.symbols {
        assert!(symbol.start >= 1 && symbol.start <= symbol.end, "{language}: {symbol:?}");
        assert!(symbol.end as usize <= lines.max(1), "{language}: {symbol:?} of {lines} lines");
        assert!(!symbol.name.is_empty() && symbol.name.len() <= 255, "{language}: {symbol:?}");
        assert!(symbol.signature.chars().count() <= 240, "{language}: {symbol:?}");
        assert!(!symbol.signature.contains('\n'), "{language}: {symbol:?}");
        assert!(symbol.doc.chars().count() <= 4000, "{language}: {symbol:?}");
        let parent = symbol.parent.as_ref().map_or(0, String::len);
        assert!(parent <= 1300, "{language}: a parent of {parent} bytes");
    }
    let json = outline::to_json(outline);
    assert!(std::str::from_utf8(&json).is_ok(), "{language}: JSON that is not UTF-8");
    assert!(!json.iter().any(|byte| *byte < 0x20), "{language}: a control character in JSON");
}

/// Up to the first NUL a path, the rest a rule file.
///
/// # Panics
/// When the two ways to compare many rules with a path disagree.
pub fn rules(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    rules::fuzz_rules(data.get(at + 1..).unwrap_or_default(), &data[..at]);
}

/// Up to the first NUL a pattern, the rest what it is compared with.
///
/// # Panics
/// When the matcher disagrees with a slower and plainer one.
pub fn glob(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == 0).unwrap_or(data.len());
    rules::fuzz_glob(&data[..at], data.get(at + 1..).unwrap_or_default());
}

/// A git configuration file.
///
/// # Panics
/// When a value is longer than the file.
pub fn gitconfig(data: &[u8]) {
    rules::fuzz_gitconfig(data);
}

/// A buffer as the kernel would fill it.
///
/// # Panics
/// When a name has a NUL, or events are made up.
#[cfg(target_os = "linux")]
pub fn inotify(data: &[u8]) {
    let (mut events, mut bytes) = (0, 0);
    crate::source::inotify::decode(data, |_, _, _, name| {
        assert!(!name.contains(&0));
        events += 1;
        bytes += name.len();
    });
    assert!(16 * events + bytes <= data.len(), "{events} events, {bytes} bytes of names");
}
