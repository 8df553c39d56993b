//! Which directories are git repositories, where their shared part lies, and which of those that
//! stand inside the root are left out. Works for `.git` as a directory and as a file.

use std::fs;
use std::path::{Path, PathBuf};

use super::gitconfig::Config;
use super::reading;
use crate::names;

/// The git directory behind one working tree, found through its `.git` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// Of this working tree alone: holds `HEAD`, `index` and the lock on it.
    pub(super) git_dir: PathBuf,
    /// Holds `config`, `info/` and the objects; one for all linked worktrees. Canonical path.
    pub(super) common_dir: PathBuf,
    /// This working tree was made by `git worktree add`.
    pub(super) linked: bool,
}

impl Repository {
    /// The repository whose working tree is `dir`. `None` when the `.git` entry is missing or leads
    /// to nothing that git would accept, in which case git treats `dir` as a plain directory.
    pub(super) fn open(dir: &Path) -> Option<Repository> {
        let entry = dir.join(".git");
        let git_dir = match fs::metadata(&entry).ok()? {
            meta if meta.is_dir() => entry,
            meta if meta.is_file() => {
                let text = small_file(&entry)?;
                let target = text.strip_prefix(b"gitdir: ")?;
                dir.join(names::as_os(without_line_ends(target)))
            }
            _ => return None,
        };
        fs::symlink_metadata(git_dir.join("HEAD")).ok()?;
        let common = small_file(&git_dir.join("commondir"));
        let linked = common.is_some();
        let common_dir = match common {
            Some(text) => git_dir.join(names::as_os(without_line_ends(&text))),
            None => git_dir.clone(),
        };
        let is_dir = |name| common_dir.join(name).is_dir();
        if !is_dir("objects") || !is_dir("refs") {
            return None;
        }
        Some(Repository { git_dir, common_dir: fs::canonicalize(common_dir).ok()?, linked })
    }

    /// What a `.git` directory needs before [`Repository::open`] takes it for a repository.
    pub(super) fn parts(dir: &Path) -> impl Iterator<Item = PathBuf> {
        let git_dir = dir.join(".git");
        ["HEAD", "objects", "refs"].into_iter().map(move |name| git_dir.join(name))
    }

    pub(super) fn info_exclude(&self) -> PathBuf {
        self.common_dir.join("info/exclude")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.common_dir.join("config")
    }

    /// Whether this is a second checkout of a repository that has its main checkout inside `root`,
    /// or that `root` itself belongs to. A bare repository has no main checkout: its worktrees are
    /// the only place where its files are, so they stay.
    pub(super) fn duplicates(&self, root: &Path, root_repository: Option<&Repository>) -> bool {
        let same = root_repository.is_some_and(|root| root.common_dir == self.common_dir);
        let inside = self.common_dir.starts_with(root);
        self.linked && (same || inside && !Config::read(&self.config()).bare)
    }
}

/// Reads one of git's one-line files; anything large is no such file.
fn small_file(path: &Path) -> Option<Vec<u8>> {
    const LIMIT: u64 = 1 << 16;
    reading::read(path, true, LIMIT).ok()
}

fn without_line_ends(text: &[u8]) -> &[u8] {
    let ends = text.iter().rev().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    &text[..text.len() - ends]
}
