//! What the fuzzers ask of the readers of this module; see `crate::fuzz`.

use super::gitconfig::Config;
use super::glob::{Bytes, Glob, Target};
use super::line;
use super::set::{Asked, RuleSet};

/// A rule file, asked about a path as it is and without its directories.
pub(crate) fn fuzz_rules(text: &[u8], path: &[u8]) {
    let (rules, bad) = line::parse(text);
    let lines = text.split(|byte| *byte == b'\n').count();
    assert!(rules.len() + bad.len() <= lines, "more rules than lines");
    let bulk = RuleSet::with_bulk(rules.clone(), 2);
    let single = RuleSet::with_bulk(rules, usize::MAX);
    assert_eq!(bulk.reach(), single.reach());
    // Paths as a walk makes them: no empty component, none that a file cannot have.
    let parts = path
        .split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b"." && *part != b"..");
    let path = parts.collect::<Vec<_>>().join(&b'/');
    if path.is_empty() {
        return;
    }
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(&path);
    for is_dir in [false, true] {
        let asked = Asked { path: &path, name, path_bytes: Bytes::of(&path), is_dir };
        assert_eq!(bulk.verdict(&asked), single.verdict(&asked), "is_dir {is_dir}");
    }
}

/// A pattern and a text, in both readings.
pub(crate) fn fuzz_glob(pattern: &[u8], text: &[u8]) {
    for target in [Target::Name, Target::Path] {
        // Patterns and names have no slash; see `line`.
        let slash = |bytes: &[u8]| bytes.contains(&b'/');
        if target == Target::Name && (slash(pattern) || slash(text)) {
            continue;
        }
        let Ok(glob) = Glob::compile(pattern, target) else { continue };
        let matches = glob.matches(text);
        assert_eq!(matches, glob.matches_plainly(text), "{target:?}: {glob:?}");
        assert!(!matches || Bytes::of(text).may_have(glob.needs()), "{target:?}: needs");
        let depth = text.iter().filter(|byte| **byte == b'/').count() + 1;
        let within = glob.reach().is_none_or(|reach| depth <= reach as usize);
        assert!(!matches || within, "{target:?}: reach of {glob:?}");
    }
}

/// A configuration file.
pub(crate) fn fuzz_gitconfig(text: &[u8]) {
    let config = Config::parse(text);
    assert!(config.excludes_file.is_none_or(|value| value.len() <= text.len()));
}
