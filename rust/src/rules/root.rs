//! What is loaded once for a root: the options, what lies above the root up to the top of the
//! repository around it, and the excludes files of repositories.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::{DirRules, Source};
use super::file::{self, Links, RuleError, RuleFiles};
use super::gitconfig::GitEnvironment;
use super::repository::Repository;
use super::set::RuleSet;
use crate::names;

/// The user's choices.
#[derive(Debug, Clone, Default)]
pub struct RuleOptions {
    /// `monitor.ignore_patterns`: lines as in a `.gitignore` of the root. They can only ignore; a
    /// line with `!` takes back an earlier one of this list. A `.currantignore` beats them.
    pub ignore_patterns: Vec<String>,
    /// Whether repositories inside the root are entered. Second checkouts (`git worktree add`) of a
    /// repository that is already in view never are.
    pub nested_repositories: bool,
    /// The state directory, wherever it is; always ignored.
    pub state_dir: Option<StateDir>,
    /// Where git finds its configuration.
    pub environment: GitEnvironment,
    /// No rules at all: every name is kept, `.git` too, and no rule file is read.
    pub off: bool,
}

/// The state directory by path and by identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    /// Absolute.
    pub path: PathBuf,
    /// Device and inode: what a lister compares, because names can lead there through a bind mount.
    pub identity: (u64, u64),
}

/// The rules that hold before the first directory of the root is read. Immutable; see
/// [`RootRules::reload`].
#[derive(Debug, Clone)]
pub struct RootRules {
    base: DirRules,
    external: Vec<PathBuf>,
    shared: Arc<Shared>,
}

/// What every directory below one root refers to.
#[derive(Debug)]
pub(super) struct Shared {
    /// As given by the caller, who also names directories by it.
    pub(super) root: PathBuf,
    /// Without links, to be compared with git's own paths.
    canonical: PathBuf,
    pub(super) options: RuleOptions,
    /// The repository whose working tree has the root in it.
    around: Option<Repository>,
    /// The user's excludes file and its rules, for repositories that do not name another one.
    user_excludes: Option<(PathBuf, Arc<RuleSet>)>,
}

impl RootRules {
    /// Reads the options and everything above `root`, an absolute path. Whatever is missing or
    /// broken is left out and reported; there are always rules.
    pub fn load(root: &Path, options: &RuleOptions) -> (RootRules, Vec<RuleError>) {
        let mut errors = Vec::new();
        if options.off {
            let shared = Arc::new(Shared {
                root: root.to_path_buf(),
                canonical: root.to_path_buf(),
                options: options.clone(),
                around: None,
                user_excludes: None,
            });
            let base = DirRules::nothing(Arc::clone(&shared));
            return (RootRules { base, external: Vec::new(), shared }, errors);
        }
        let environment = &options.environment;
        let canonical = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let around = canonical.ancestors().find_map(|dir| {
            Repository::open(dir).map(|repository| (dir.to_path_buf(), repository))
        });

        let mut external = environment.config_files();
        let user_excludes = environment.excludes_file(None, root).map(|path| {
            let set = Arc::new(file::read(&path, Links::Follow, &mut errors));
            external.push(path.clone());
            (path, set)
        });
        let user_set = user_excludes.as_ref().map(|(_, set)| Arc::clone(set));
        let (top, around) = around.unzip();
        let shared = Arc::new(Shared {
            root: root.to_path_buf(),
            canonical: canonical.clone(),
            options: options.clone(),
            around: around.clone(),
            user_excludes,
        });

        let mut base = DirRules::nothing(Arc::clone(&shared));
        // Their appearance or end changes what counts as above.
        let below = top.as_deref().unwrap_or(Path::new(""));
        for dir in canonical.ancestors().filter(|dir| dir.starts_with(below) && *dir != below) {
            external.push(dir.join(".git"));
            external.extend(Repository::parts(dir));
        }
        external.push(root.join(".git"));
        if let Some(top) = &top {
            if let Some(repository) = &around {
                external.extend(shared.repository_files(top, repository));
            }
            // The root itself is entered by the caller, like every directory below it.
            let mut dir = top.clone();
            for component in canonical.strip_prefix(top).unwrap_or(Path::new("")) {
                let (rules, problems) = base.with_own(&dir, RuleFiles::probe(&dir));
                let names = [".gitignore", ".ignore", ".currantignore"];
                external.extend(names.iter().map(|name| dir.join(name)));
                errors.extend(problems);
                base = rules.child(&names::to_bytes(component));
                dir.push(component);
            }
        } else if let Some(set) = user_set {
            base = base.plus(Source::UserExcludes, set);
        }
        let lines = options.ignore_patterns.join("\n");
        let config = file::compile(Path::new(""), lines.as_bytes(), &mut errors);
        base = base.plus(Source::Config, Arc::new(config));
        external.sort();
        external.dedup();
        (RootRules { base, external, shared }, errors)
    }

    /// Reads everything again, after one of `external_files` changed. Directories must then be
    /// entered again from the root.
    pub fn reload(&self) -> (RootRules, Vec<RuleError>) {
        Self::load(&self.shared.root, &self.shared.options)
    }

    /// What the root inherits. The root is then entered like any directory:
    /// `rules.root_dir().enter(root, b"", found)`.
    pub fn root_dir(&self) -> DirRules {
        self.base.clone()
    }

    /// Files outside the tree, or in `.git`, that decide: when one of them appears, changes or goes,
    /// [`RootRules::reload`]. They need not exist; nor need the directories that they are in.
    pub fn external_files(&self) -> &[PathBuf] {
        &self.external
    }

    /// The file that git makes for as long as it works on the tree that the root is in.
    pub fn git_lock(&self) -> Option<PathBuf> {
        self.shared.around.as_ref().map(|repository| repository.git_dir.join("index.lock"))
    }
}

impl Shared {
    /// Whether the repository at `dir` is left out.
    pub(super) fn skips(&self, dir: &Path, repository: &Repository) -> bool {
        let inside = dir.starts_with(&self.root) && dir != self.root;
        inside
            && (!self.options.nested_repositories
                || repository.duplicates(&self.canonical, self.around.as_ref()))
    }

    /// The files outside its working tree that decide in the repository at `dir`.
    fn repository_files(&self, dir: &Path, repository: &Repository) -> Vec<PathBuf> {
        let mut files = vec![repository.info_exclude(), repository.config()];
        files.extend(self.options.environment.excludes_file(Some(&repository.config()), dir));
        files
    }

    /// The rules of the repository at `dir` that are not in its tree, and the files they are in.
    pub(super) fn repository_sets(
        &self,
        dir: &Path,
        repository: &Repository,
        errors: &mut Vec<RuleError>,
    ) -> (Vec<(Source, Arc<RuleSet>)>, Vec<PathBuf>) {
        let own = file::read(&repository.info_exclude(), Links::Follow, errors);
        let mut sets = vec![(Source::InfoExclude, Arc::new(own))];
        let config = repository.config();
        let user = self.options.environment.excludes_file(Some(&config), dir);
        match (user, &self.user_excludes) {
            (Some(path), Some((known, set))) if path == *known => {
                sets.push((Source::UserExcludes, Arc::clone(set)));
            }
            (Some(path), _) => {
                let set = file::read(&path, Links::Follow, errors);
                sets.push((Source::UserExcludes, Arc::new(set)));
            }
            (None, _) => {}
        }
        (sets, self.repository_files(dir, repository))
    }
}
