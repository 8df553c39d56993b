//! The fuzzers' targets without a fuzzer: every recorded input, every seed, and mutations of them from a
//! generator that gives the same ones in every run. `CURRANT_FUZZ_ROUNDS=100` makes a hundred times as many.
//!
//! What a fuzzer finds goes to `tests/fuzz/<target>/`, as small as it can be made, with a name that says what
//! was wrong; an input of `outline` is named `<language>-...` and holds the source alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod kit;

use std::path::{Path, PathBuf};

use currant::fuzz;
use currant::outline::languages;
use kit::{Random, rounds};

/// Mutations of each seed in one round.
const MUTATIONS: usize = 40;
/// Longest mutated input, in bytes.
const LIMIT: usize = 3000;

/// A seed, cut to the limit, with one to six changes.
fn mutate(random: &mut Random, seeds: &[Vec<u8>], seed: &[u8], pieces: &[&[u8]]) -> Vec<u8> {
    let from = random.below(seed.len().saturating_sub(LIMIT) + 1);
    let mut data = seed[from..seed.len().min(from + LIMIT)].to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(data.len() + 1);
        let to = (at + random.below(40)).min(data.len());
        match random.below(7) {
            0 if at < data.len() => data[at] ^= 1 << random.below(8),
            1 if at < data.len() => data[at] = random.below(256) as u8,
            2 => drop(data.drain(at..to)),
            3 => {
                let piece = random.pick(pieces).repeat(1 + random.below(30));
                drop(data.splice(at..at, piece));
            }
            4 => {
                let twice = data[at..to].to_vec();
                drop(data.splice(at..at, twice));
            }
            5 => {
                let other = random.pick(seeds);
                let start = random.below(other.len() + 1);
                let part = &other[start..(start + random.below(200)).min(other.len())];
                drop(data.splice(at..to, part.iter().copied()));
            }
            _ => data.truncate(at.max(1)),
        }
        data.truncate(LIMIT);
    }
    data
}

/// The recorded inputs of a target: (file name, content).
fn recorded(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Seeds, recorded inputs, mutations of both.
fn run(target: &str, seeds: &[&[u8]], pieces: &[&[u8]]) {
    let (_, check) = fuzz::TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let mut all: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    all.extend(recorded(target).into_iter().map(|(_, data)| data));
    all.iter().for_each(|data| check(data));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds() * MUTATIONS * 20 {
        let seed = random.pick(&all).clone();
        check(&mutate(&mut random, &all, &seed, pieces));
    }
}

#[test]
fn outlines_hold_for_recorded_and_mutated_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outline/fixtures");
    let mut fixtures: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let scanned = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outline/scanned");
    for folder in std::fs::read_dir(scanned).unwrap() {
        let files = std::fs::read_dir(folder.unwrap().path()).unwrap();
        fixtures.extend(files.map(|entry| entry.unwrap().path()));
    }
    fixtures.sort();
    let all: Vec<Vec<u8>> = fixtures.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let recorded = recorded("outline");
    let pieces: Vec<&[u8]> = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<",
        ">",
        "\"",
        "'",
        "`",
        "/*",
        "*/",
        "//",
        "#",
        "\\",
        "\n",
        "\t",
        "\0",
        "$(",
        "${",
        "<<E\n",
        "\"\"\"",
        "#if 0\n",
        "#endif\n",
        "class A ",
        "def f",
        "fn f",
        "func ",
        "namespace ",
        "\u{feff}",
        "\u{e9}",
        "=begin\n",
        "```",
        "---\n",
        "@",
        ": ",
        " f'{",
        "type A = ",
        "<?php ",
        "?>",
        "<<<A\n",
        "\"{$a[",
        "<<~A, ",
        "\"#{",
        "%w[",
        " end\n",
    ]
    .map(str::as_bytes)
    .into();
    let mut random = Random(42);
    for (language, _) in languages() {
        for (name, source) in &recorded {
            if name.starts_with(&format!("{language}-")) {
                fuzz::outline_of(language, source);
            }
        }
        for _ in 0..rounds() * MUTATIONS {
            // Of any language: what does not parse is the point.
            let seed = random.pick(&all).clone();
            fuzz::outline_of(language, &mutate(&mut random, &all, &seed, &pieces));
        }
    }
}

#[test]
fn two_ways_to_compare_a_rule_file_agree_on_mutated_files() {
    run(
        "rules",
        &[
            b"src/a.o\0*.o\n!keep.o\n/build/\n# note\n\\#x\na/**/b\n**/gen/*.ts\n",
            b"a b/c\0a\\ b/\n[a-c]*\n[!x]\n[[:alpha:]]/c\nfoo**/bar\n!c\r\n",
            b"x/y/z\0a*\nb?\nc\n*.x1\n*.x2\n!x\n/x/y\nx/*/z\n",
        ],
        &[
            b"*",
            b"**",
            b"/",
            b"\n",
            b"!",
            b"[",
            b"]",
            b"[a-",
            b"[[:alpha:]]",
            b"\\",
            b" ",
            b"?",
            b"#",
            b"\xff",
            b"\r",
        ],
    );
}

#[test]
fn the_glob_matcher_agrees_with_a_table_on_mutated_patterns() {
    run(
        "glob",
        &[
            b"a*b\0aXb",
            b"**/a/*/c\0x/a/y/c",
            b"a/**\0a/b/c",
            b"foo**/bar\0foo/x/bar",
            b"[!a-c]?\\*\0xy*",
            b"a*a*a*a*b\0aaaaaaaaaaaaaaaaaaaac",
        ],
        &[
            b"*", b"**", b"**/", b"/**", b"/", b"?", b"a", b"b", b"[ab]", b"[!a]", b"[", b"]",
            b"\\", b"\0",
        ],
    );
}

#[test]
fn any_git_configuration_is_read_to_its_end() {
    run(
        "gitconfig",
        &[
            b"[core]\n\texcludesFile = ~/a b # note\n\tbare = true\n[user]\n\tname = x\n",
            b"[core \"sub\"]\nexcludesfile=\"a\\tb\\\n c\"\n[CORE]bare\n",
        ],
        &[
            b"[core]",
            b"\"",
            b"\\",
            b"\n",
            b"=",
            b"#",
            b";",
            b"excludesFile",
            b"]",
            b"[",
            b"\r\n",
            b" ",
        ],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn any_buffer_of_events_is_taken_apart() {
    let event = |name: &[u8], length: u32| {
        let mut bytes = [1u32, 0x100, 7, length].map(u32::to_ne_bytes).concat();
        bytes.extend_from_slice(name);
        bytes
    };
    let two = [event(b"name\0\0\0\0", 8), event(b"", 0)].concat();
    run(
        "inotify",
        &[&two, &event(b"x", u32::MAX), b""],
        &[b"\0\0\0\0", b"\xff\xff\xff\xff", b"a\0"],
    );
}
