//! The machine that a test plays: the core's [`Platform`] over the disk in memory. A listing is answered
//! in three steps, in any order the test likes: names are read, then stats and rules, then it arrives.

use std::path::{Path, PathBuf};

use super::disk::{Disk, Ino};
use crate::engine::change::Change;
use crate::engine::core::{Platform, Reach};
use crate::model::{Kind, Stat};
use crate::names;
use crate::rules::{DirRules, GitEnvironment, RootRules, RuleFiles, RuleOptions};
use crate::scan::{Entries, ListError, ListJob, Listing};
use crate::source::{Heard, Item, WatchError};

/// A call of the core that the order of calls is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Watch(String),
    Unwatch,
    List(String),
}

enum Step {
    Asked,
    Opened(Ino, Vec<Vec<u8>>),
    Read(Box<Listing>),
}

/// A listing under way.
pub struct Job {
    pub path: String,
    job: ListJob,
    step: Step,
}

pub struct Machine {
    pub disk: Disk,
    pub jobs: Vec<Job>,
    /// Listings that may be under way at once.
    pub room: usize,
    pub emitted: Vec<Change>,
    /// How many more changes can be handed over.
    pub places: usize,
    pub calls: Vec<Call>,
    /// What the source answers when it has to be opened anew.
    pub broken: bool,
    /// A source that was not to be had at the start is there.
    pub better: bool,
    /// Something was mounted.
    pub mounted: bool,
    /// Directories (and what is below them) that the kernel tells nothing of.
    pub remote: Option<String>,
    /// Git is at work.
    pub vcs: bool,
    /// Directories outside of the tree that are watched, by their descriptors; `None`: they cannot be.
    pub heard: Option<Vec<PathBuf>>,
    /// A name that is seen once more although it is gone.
    pub lingering: Option<(String, Stat)>,
    /// Real files exist here for as long as a rule file is being read: the rules open them themselves.
    shadow: tempfile::TempDir,
    patterns: Vec<String>,
}

fn text(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap()
}

impl Machine {
    pub fn new(disk: Disk) -> Self {
        Self {
            disk,
            jobs: Vec::new(),
            room: usize::MAX,
            emitted: Vec::new(),
            places: usize::MAX,
            calls: Vec::new(),
            broken: false,
            better: false,
            mounted: false,
            remote: None,
            vcs: false,
            heard: None,
            lingering: None,
            shadow: tempfile::tempdir().unwrap(),
            patterns: Vec::new(),
        }
    }

    /// What the configuration ignores, from the next load of the rules on.
    pub fn ignore(&mut self, pattern: &str) {
        self.patterns.push(pattern.to_owned());
    }

    fn inner(&self, path: &Path) -> String {
        path.strip_prefix(self.shadow.path()).unwrap().to_str().unwrap().to_owned()
    }

    /// Put the rule files of one directory, as they are now, where the rules read them.
    fn materialise(&self, dir: &str, found: RuleFiles) {
        if found.is_empty() {
            return;
        }
        let real = self.shadow.path().join(dir);
        std::fs::create_dir_all(&real).unwrap();
        for name in [".gitignore", ".ignore", ".currantignore"] {
            match self.disk.read(&names_join(dir, name)) {
                Ok((_, text, _)) => std::fs::write(real.join(name), text).unwrap(),
                Err(_) => drop(std::fs::remove_file(real.join(name))),
            }
        }
    }

    /// Read the names of the listing with this number.
    pub fn open(&mut self, at: usize) {
        let Job { path, job, step } = &mut self.jobs[at];
        if !matches!(step, Step::Asked) {
            return;
        }
        *step = match self.disk.open_dir(path) {
            Ok((ino, names)) => Step::Opened(ino, names),
            Err(error) => Step::Read(Box::new(Listing {
                ticket: job.ticket,
                rules: job.parent.clone(),
                rule_errors: Vec::new(),
                identity: (0, 0),
                entries: Err(error),
            })),
        };
    }

    /// Read its rules and stats.
    pub fn read(&mut self, at: usize) {
        let Job { path, job, step: Step::Opened(ino, names) } = &self.jobs[at] else { return };
        let (ino, names) = (*ino, names.clone());
        let mut found = RuleFiles::default();
        names.iter().for_each(|name| found.note(name));
        self.materialise(path, found);
        let (rules, rule_errors) = job.parent.enter(&job.dir, &job.name, found);
        let mut entries = Entries::default();
        for name in &names {
            let Some(stat) = self.disk.stat_at(ino, name) else { continue };
            let is_dir = stat.kind == Kind::Dir;
            if (job.every_kind || matches!(stat.kind, Kind::File | Kind::Dir))
                && rules.decide(name, is_dir) == crate::rules::Decision::Keep
            {
                entries.push(name, stat);
            }
        }
        let listing = Listing {
            ticket: job.ticket,
            rules,
            rule_errors,
            identity: (1, ino),
            entries: Ok(entries),
        };
        self.jobs[at].step = Step::Read(Box::new(listing));
        self.disk.close(ino);
    }

    /// The process that asked is gone.
    pub fn forget(&mut self) {
        for job in self.jobs.drain(..) {
            if let Step::Opened(ino, _) = job.step {
                self.disk.close(ino);
            }
        }
        self.emitted.clear();
    }

    /// Take the finished listing away, to be given to the core.
    pub fn answer(&mut self, at: usize) -> Option<Listing> {
        self.open(at);
        self.read(at);
        match self.jobs.remove(at).step {
            Step::Read(listing) => Some(*listing),
            _ => None,
        }
    }

    /// Kept directories and files of the disk, found by an independent walk under the same rules.
    pub fn kept(&self) -> (Vec<String>, Vec<(String, u64)>) {
        let (mut dirs, mut files) = (Vec::new(), Vec::new());
        let mut todo = vec![(String::new(), String::new(), self.rules().0.root_dir())];
        while let Some((dir, name, parent)) = todo.pop() {
            let names = self.disk.names(&dir);
            let mut found = RuleFiles::default();
            names.iter().for_each(|(name, _)| found.note(name));
            self.materialise(&dir, found);
            let path = names::absolute(self.shadow.path(), dir.as_bytes());
            let rules = parent.enter(&path, name.as_bytes(), found).0;
            for (name, kind) in names {
                let child = names_join(&dir, &text(&name));
                if rules.decide(&name, kind == Kind::Dir) == crate::rules::Decision::Ignore {
                    continue;
                }
                match kind {
                    Kind::Dir => todo.push((child, text(&name), rules.clone())),
                    Kind::File => {
                        let number = self.disk.read(&child).map_or(0, |(number, ..)| number);
                        files.push((child, number));
                    }
                    _ => {}
                }
            }
            dirs.push(dir);
        }
        dirs.sort();
        files.sort();
        (dirs, files)
    }

    fn rules(&self) -> (RootRules, Vec<crate::rules::RuleError>) {
        let options = RuleOptions {
            ignore_patterns: self.patterns.clone(),
            nested_repositories: true,
            state_dir: None,
            environment: GitEnvironment::default(),
            off: false,
        };
        RootRules::load(self.shadow.path(), &options)
    }
}

/// `dir/name`, or `name` in the root.
pub fn names_join(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// The first descriptor of what is outside of the tree.
pub const OUTSIDE: i32 = 1 << 20;

impl Platform for Machine {
    fn watch(&mut self, dir: &[u8]) -> Result<i32, WatchError> {
        self.calls.push(Call::Watch(text(dir)));
        self.disk.watch(&text(dir))
    }

    fn watch_outside(&mut self, dir: &Path, _heard: Heard) -> Result<i32, WatchError> {
        let Some(heard) = &mut self.heard else { return Err(WatchError::Limit) };
        if let Ok(inner) = dir.strip_prefix(self.shadow.path()) {
            // Only a directory of the tree is there.
            return self.disk.watch(inner.to_str().unwrap_or_default());
        }
        let at = heard.iter().position(|known| known == dir).unwrap_or_else(|| {
            heard.push(dir.to_path_buf());
            heard.len() - 1
        });
        Ok(OUTSIDE + i32::try_from(at).unwrap_or(0))
    }

    fn unwatch(&mut self, wd: i32) {
        self.calls.push(Call::Unwatch);
        self.disk.unwatch(wd);
    }

    fn lstat(&mut self, path: &[u8]) -> Result<Stat, ListError> {
        let path = text(path);
        match self.lingering.take_if(|(name, _)| *name == path) {
            Some((_, stat)) => Ok(stat),
            None => self.disk.lstat(&path),
        }
    }

    fn signature(&mut self, path: &Path) -> Option<(i64, u64, u64)> {
        let inner = path.strip_prefix(self.shadow.path()).ok()?.to_str()?.to_owned();
        let stat = self.disk.lstat(&inner).ok()?;
        Some((stat.mtime_ns, stat.size, stat.ino))
    }

    fn absolute(&self, path: &[u8]) -> PathBuf {
        names::absolute(self.shadow.path(), path)
    }

    fn list(&mut self, job: ListJob) -> Result<(), ListJob> {
        if self.jobs.len() >= self.room {
            return Err(job);
        }
        let path = self.inner(&job.dir);
        self.calls.push(Call::List(path.clone()));
        self.jobs.push(Job { path, job, step: Step::Asked });
        Ok(())
    }

    fn emit(&mut self, change: Change) {
        self.places = self.places.checked_sub(1).expect("nothing is handed over without room");
        self.emitted.push(change);
    }

    fn places(&self) -> usize {
        self.places
    }

    fn barrier(&mut self, token: u64) {
        self.disk.queue.push_back(Item::Barrier(token));
    }

    fn load_rules(&mut self) -> (DirRules, Vec<PathBuf>, Vec<String>) {
        let (rules, errors) = self.rules();
        let problems = errors.iter().map(ToString::to_string).collect();
        (rules.root_dir(), rules.external_files().to_vec(), problems)
    }

    fn restart_source(&mut self) -> Result<Reach, String> {
        self.disk.new_instance();
        if self.broken { Err("still broken".into()) } else { Ok(Reach::Directories) }
    }

    fn better_source(&mut self) -> Option<Reach> {
        std::mem::take(&mut self.better).then(|| {
            self.disk.new_instance();
            Reach::Directories
        })
    }

    fn mounts_changed(&mut self) -> bool {
        std::mem::take(&mut self.mounted)
    }

    fn is_remote(&mut self, dir: &[u8]) -> bool {
        self.remote.as_ref().is_some_and(|top| text(dir).starts_with(top))
    }

    fn vcs_busy(&mut self) -> bool {
        self.vcs
    }
}
