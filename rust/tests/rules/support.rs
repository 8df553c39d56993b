//! Trees on disk, a lister that uses only the public interface of `rules`, and git as the oracle.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use currant::rules::{
    Decision, DirRules, GitEnvironment, RootRules, RuleError, RuleFiles, RuleOptions,
};
use tempfile::TempDir;

/// Paths relative to a root, as bytes.
pub type Paths = BTreeSet<Vec<u8>>;

/// A temporary directory with a home of its own, so that nobody's git configuration is read.
pub struct Tree {
    dir: TempDir,
    pub options: RuleOptions,
}

impl Tree {
    /// A directory without a repository.
    pub fn plain() -> Tree {
        let dir = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(dir.path()).unwrap().join("home");
        fs::create_dir_all(home.join(".config/git")).unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        let environment = GitEnvironment { home: Some(home), ..GitEnvironment::default() };
        let options =
            RuleOptions { environment, nested_repositories: true, ..RuleOptions::default() };
        Tree { dir, options }
    }

    /// A directory with an empty repository.
    pub fn repository() -> Tree {
        let tree = Tree::plain();
        tree.git(&["init", "-q"]);
        tree
    }

    pub fn home(&self) -> PathBuf {
        self.options.environment.home.clone().unwrap()
    }

    pub fn root(&self) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join("root")
    }

    pub fn path(&self, below: &[u8]) -> PathBuf {
        self.root().join(OsStr::from_bytes(below))
    }

    /// Writes a file, making the directories that it needs.
    pub fn write(&self, below: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> &Tree {
        let path = self.path(below.as_ref());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub fn files(&self, paths: &[&str]) -> &Tree {
        for path in paths {
            self.write(path, "");
        }
        self
    }

    pub fn git(&self, args: &[&str]) -> Vec<u8> {
        self.git_in(&self.root(), args)
    }

    pub fn git_in(&self, dir: &Path, args: &[&str]) -> Vec<u8> {
        let output = self.git_command(dir).args(args).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "git {args:?} in {}", dir.display());
        output.stdout
    }

    pub fn git_command(&self, dir: &Path) -> Command {
        let mut git = Command::new("git");
        git.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.home());
        git.env("GIT_CONFIG_NOSYSTEM", "1").arg("-C").arg(dir);
        git.args(["-c", "user.name=x", "-c", "user.email=x", "-c", "protocol.file.allow=always"]);
        git
    }

    /// What git lists in the repository at the root, without nested repositories.
    pub fn git_files(&self) -> Paths {
        self.git_files_in(&self.root())
    }

    pub fn git_files_in(&self, dir: &Path) -> Paths {
        let listed = self.git_in(dir, &["ls-files", "-coz", "--exclude-standard"]);
        let names = listed.split(|b| *b == 0).filter(|p| !p.is_empty() && !p.ends_with(b"/"));
        // Submodules and files that are gone are listed too.
        names
            .filter(|p| {
                fs::symlink_metadata(dir.join(OsStr::from_bytes(p))).is_ok_and(|m| !m.is_dir())
            })
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// What the rules keep below the root.
    pub fn kept(&self) -> Paths {
        list(&self.root(), &self.options).0
    }

    pub fn errors(&self) -> Vec<RuleError> {
        list(&self.root(), &self.options).1
    }

    #[track_caller]
    pub fn agrees_with_git(&self) {
        let (ours, theirs) = (self.kept(), self.git_files());
        assert!(ours == theirs, "{}", difference(&ours, &theirs));
    }

    #[track_caller]
    pub fn keeps(&self, expected: &[&str]) {
        let kept = self.kept();
        let expected: Paths = expected.iter().map(|p| p.as_bytes().to_vec()).collect();
        assert!(kept == expected, "{}", difference(&kept, &expected));
    }
}

pub fn difference(ours: &Paths, theirs: &Paths) -> String {
    let show = |paths: Vec<&Vec<u8>>| -> String {
        paths.iter().take(20).map(|p| format!("\n  {}", p.escape_ascii())).collect()
    };
    format!(
        "kept, but expected ignored:{}\nignored, but expected kept:{}",
        show(ours.difference(theirs).collect()),
        show(theirs.difference(ours).collect())
    )
}

/// Everything that is not a directory and that the rules keep, with all errors on the way.
pub fn list(root: &Path, options: &RuleOptions) -> (Paths, Vec<RuleError>) {
    let (rules, mut errors) = RootRules::load(root, options);
    let mut paths = Paths::new();
    walk(
        &rules.root_dir(),
        root,
        b"",
        &mut Vec::new(),
        &mut |path, _| {
            paths.insert(path.to_vec());
        },
        &mut errors,
    );
    (paths, errors)
}

/// Calls `file` for each kept non-directory with its path and the rules that decided.
pub fn walk(
    above: &DirRules,
    dir: &Path,
    name: &[u8],
    prefix: &mut Vec<u8>,
    file: &mut dyn FnMut(&[u8], &DirRules),
    errors: &mut Vec<RuleError>,
) {
    let mut found = RuleFiles::NONE;
    let mut entries: Vec<(Vec<u8>, bool)> = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let is_dir = entry.file_type().unwrap().is_dir();
        let name = entry.file_name().into_vec();
        found.note(&name);
        entries.push((name, is_dir));
    }
    let (rules, problems) = above.enter(dir, name, found);
    errors.extend(problems);
    for (name, is_dir) in entries {
        if rules.decide(&name, is_dir) == Decision::Ignore {
            continue;
        }
        let length = prefix.len();
        prefix.extend_from_slice(&name);
        if is_dir {
            prefix.push(b'/');
            walk(&rules, &dir.join(OsStr::from_bytes(&name)), &name, prefix, file, errors);
        } else {
            file(prefix, &rules);
        }
        prefix.truncate(length);
    }
}
