//! Reading rule files from the disk: which names they have, what may go wrong, and the set of rules
//! that remains.

use std::fs;
use std::path::{Path, PathBuf};

use super::line;
use super::reading::{self, NotRead};
use super::set::RuleSet;

/// Part of a rule file that does not apply, and why. The rest of the file applies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct RuleError {
    /// The file; empty for patterns that come from the configuration.
    pub path: PathBuf,
    /// Counted from 1; `None` when the file as a whole cannot be read.
    pub line: Option<u32>,
    /// One sentence.
    pub reason: String,
}

/// The names in one directory that matter to its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RuleFiles(u8);

impl RuleFiles {
    /// None of them.
    pub const NONE: RuleFiles = RuleFiles(0);
    /// `.gitignore`
    pub const GITIGNORE: RuleFiles = RuleFiles(1);
    /// `.ignore`
    pub const IGNORE: RuleFiles = RuleFiles(2);
    /// `.currantignore`
    pub const CURRANTIGNORE: RuleFiles = RuleFiles(4);
    /// `.git`, file or directory
    pub const GIT: RuleFiles = RuleFiles(8);

    /// A lister calls this for each name it reads.
    pub fn note(&mut self, name: &[u8]) {
        if name.first() == Some(&b'.') {
            self.0 |= match name {
                b".gitignore" => Self::GITIGNORE.0,
                b".ignore" => Self::IGNORE.0,
                b".currantignore" => Self::CURRANTIGNORE.0,
                b".git" => Self::GIT.0,
                _ => 0,
            };
        }
    }

    /// Looks for the names in `dir`, for callers that have not listed it.
    pub fn probe(dir: &Path) -> RuleFiles {
        let mut found = RuleFiles::NONE;
        for name in [".gitignore", ".ignore", ".currantignore", ".git"] {
            if fs::symlink_metadata(dir.join(name)).is_ok() {
                found.note(name.as_bytes());
            }
        }
        found
    }

    /// Whether all of `other` are here.
    pub const fn contains(self, other: RuleFiles) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing was noted.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Whether an edit of a file with this name changes the rules of its directory. `.git` does too,
/// but as a directory entry (see [`RuleFiles`]), not as a file with rules.
pub fn is_rule_file(name: &[u8]) -> bool {
    matches!(name, b".gitignore" | b".ignore" | b".currantignore")
}

/// Whether a rule file may be reached through a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Links {
    /// Files in the tree: git refuses links there, and the watcher would not see the target change.
    Refuse,
    /// `info/exclude` and the user's excludes file.
    Follow,
}

/// Larger files are refused and reported; git reads up to 100 MiB. A rule takes up to a hundred times as much
/// memory as a line of two bytes, and a tree may hold many rule files.
const MAX_BYTES: u64 = 4 << 20;

/// Reads one rule file. A file that is not there, or is a directory, has no rules and no error.
pub(super) fn read(path: &Path, links: Links, errors: &mut Vec<RuleError>) -> RuleSet {
    match read_bytes(path, links) {
        Ok(text) => compile(path, &text, errors),
        Err(reason) => {
            errors.extend(reason.map(|reason| RuleError {
                path: path.to_path_buf(),
                line: None,
                reason,
            }));
            RuleSet::new(Vec::new())
        }
    }
}

/// Compiles rules from memory; `path` is only named in errors.
pub(super) fn compile(path: &Path, text: &[u8], errors: &mut Vec<RuleError>) -> RuleSet {
    let (rules, bad) = line::parse(text);
    errors.extend(bad.into_iter().map(|bad| RuleError {
        path: path.to_path_buf(),
        line: Some(bad.line),
        reason: format!("this pattern never matches: {}", bad.reason),
    }));
    RuleSet::new(rules)
}

/// `Err(None)`: nothing to read and nothing to say.
fn read_bytes(path: &Path, links: Links) -> Result<Vec<u8>, Option<String>> {
    reading::read(path, links == Links::Follow, MAX_BYTES).map_err(|why| match why {
        NotRead::Nothing => None,
        NotRead::Link => Some("rule files are not read through symbolic links".to_owned()),
        NotRead::TooLarge => Some("too large for a rule file (more than 4 MiB)".to_owned()),
        NotRead::Failed(error) => Some(error.to_string()),
    })
}
