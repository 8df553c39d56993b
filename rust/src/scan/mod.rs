//! Reading directories: one directory at a time for the engine ([`list`], [`Pool`]), and whole trees for
//! those who only want to look ([`walk()`]).
//!
//! Listing prunes as it goes: what the rules ignore is neither stat-ed nor returned. The pool's threads
//! touch nothing but the disk; what they find is applied by the engine's thread alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::model::{Kind, Stat};
use crate::names;
use crate::ring::Ring;
use crate::rules::{Decision, DirRules, RuleError, RuleFiles};
use crate::signal::Signal;

/// Ask for one directory's contents.
#[derive(Clone)]
pub struct ListJob {
    /// The engine's number for the directory, and its generation: a stale answer is recognised by them.
    pub ticket: (u32, u16),
    /// Absolute path.
    pub dir: PathBuf,
    /// The directory's own name, as the rules of its parent know it; empty for the root.
    pub name: Vec<u8>,
    /// The rules of the parent directory (for the root: the rules outside the root).
    pub parent: DirRules,
    /// The state directory, which is pruned wherever it turns up.
    pub state_dir: Option<(u64, u64)>,
    /// Links, devices, pipes and sockets too.
    pub every_kind: bool,
}

/// The kept entries of one directory, names in one buffer.
#[derive(Debug, Default)]
pub struct Entries {
    names: Vec<u8>,
    entries: Vec<(u32, u16, Stat)>,
}

impl Entries {
    pub(crate) fn push(&mut self, name: &[u8], stat: Stat) {
        let (Ok(offset), Ok(len)) = (u32::try_from(self.names.len()), u16::try_from(name.len()))
        else {
            return;
        };
        self.names.extend_from_slice(name);
        self.entries.push((offset, len, stat));
    }

    /// Each kept entry's name and stat: regular files and directories.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Stat)> {
        self.entries.iter().map(|(offset, len, stat)| {
            let start = *offset as usize;
            (&self.names[start..start + usize::from(*len)], stat)
        })
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Why a directory could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListError {
    /// It is not there (any more), or is not a directory.
    Gone,
    /// We may not read it.
    Denied,
    /// Its path is too long for the system.
    TooLong,
    /// Anything else.
    Other(String),
}

/// The answer to a [`ListJob`].
pub struct Listing {
    /// The job's ticket.
    pub ticket: (u32, u16),
    /// The rules inside the directory.
    pub rules: DirRules,
    /// Rule files or lines that could not be used; the rest of the rules applies.
    pub rule_errors: Vec<RuleError>,
    /// (device, inode) of the directory that was read.
    pub identity: (u64, u64),
    /// Its kept entries, or why there are none.
    pub entries: Result<Entries, ListError>,
}

fn list_error(error: &std::io::Error) -> ListError {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ListError::Gone,
        std::io::ErrorKind::PermissionDenied => ListError::Denied,
        std::io::ErrorKind::InvalidFilename => ListError::TooLong,
        _ if error.raw_os_error() == Some(40) && cfg!(target_os = "linux") => ListError::Gone, // ELOOP
        _ => ListError::Other(error.to_string()),
    }
}

/// Read one directory under its rules.
#[must_use]
pub fn list(job: &ListJob) -> Listing {
    match read_names(&job.dir) {
        Err(error) => Listing {
            ticket: job.ticket,
            rules: job.parent.clone(),
            rule_errors: Vec::new(),
            identity: (0, 0),
            entries: Err(list_error(&error)),
        },
        Ok(dir) => {
            let mut found = RuleFiles::default();
            dir.each_name(|name, _| found.note(name));
            let (rules, rule_errors) = job.parent.enter(&job.dir, &job.name, found);
            if !found.is_empty() {
                crate::failpoint::pass("fp_rules_loaded_then_applied");
            }
            let mut entries = Entries::default();
            if !rules.is_skipped_repository() {
                dir.each_name(|name, hint| keep(job, &dir, &rules, name, hint, &mut entries));
            }
            Listing {
                ticket: job.ticket,
                rules,
                rule_errors,
                identity: dir.identity,
                entries: Ok(entries),
            }
        }
    }
}

/// Decide first, stat second: an ignored name costs no system call.
fn keep(job: &ListJob, dir: &Dir, rules: &DirRules, name: &[u8], hint: Hint, out: &mut Entries) {
    let decided = hint == Hint::File || (job.every_kind && hint == Hint::Neither);
    if (hint == Hint::Neither && !job.every_kind)
        || (decided && rules.decide(name, false) == Decision::Ignore)
        || (hint == Hint::Dir && rules.decide(name, true) == Decision::Ignore)
    {
        return;
    }
    // A name that vanished since is not an error: its own event tells the engine.
    let Some(stat) = dir.stat(name) else { return };
    let kept = match stat.kind {
        Kind::File => decided || rules.decide(name, false) == Decision::Keep,
        Kind::Dir => {
            (hint == Hint::Dir || rules.decide(name, true) == Decision::Keep)
                && job.state_dir != Some((stat.dev, stat.ino))
        }
        Kind::Symlink | Kind::Other => {
            job.every_kind && (decided || rules.decide(name, false) == Decision::Keep)
        }
    };
    if kept {
        out.push(name, stat);
    }
}

/// What reading the directory already says about an entry's kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    File,
    Dir,
    Neither,
    Unknown,
}

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

use system::{Dir, read_names};

/// The stat of a path itself, never of what a link points to.
pub fn lstat(path: &Path) -> Result<Stat, ListError> {
    system::lstat(path).map_err(|error| list_error(&error))
}

/// The stat of many paths that come directory by directory, each directory's way gone once: what a path of seven
/// components costs is mostly the way. A directory is kept open until the next one or [`Near::end`]; one that is
/// renamed meanwhile may be seen as it was before that, as if it had been asked a moment sooner.
#[derive(Debug, Default)]
pub struct Near {
    /// The directory asked for last, relative to the root.
    dir: Vec<u8>,
    /// Asked for twice, so that opening it pays.
    open: Option<system::Way>,
}

impl Near {
    /// As [`lstat`] of `path` below `root`.
    pub fn lstat(&mut self, root: &Path, path: &[u8]) -> Result<Stat, ListError> {
        let cut = memchr::memrchr(b'/', path).unwrap_or(0);
        let name = &path[if cut == 0 { 0 } else { cut + 1 }..];
        if self.dir != path[..cut] {
            self.dir.clear();
            self.dir.extend_from_slice(&path[..cut]);
            self.open = None;
        } else if cut > 0 {
            if self.open.is_none() {
                self.open = system::Way::open(&names::absolute(root, &path[..cut]));
            }
            if let Some(way) = &self.open {
                return way.lstat(name).map_err(|error| list_error(&error));
            }
        }
        lstat(&names::absolute(root, path))
    }

    /// Close it.
    pub fn end(&mut self) {
        self.dir.clear();
        self.open = None;
    }
}

/// How many answers may wait while more jobs are there.
const ANSWERS_AT_ONCE: usize = 32;

/// Threads that list directories. Jobs and answers go through bounded rings.
pub struct Pool {
    jobs: Arc<Ring<ListJob>>,
    answers: Arc<Ring<Listing>>,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Start `threads` threads; `wake` is raised after each answer.
    pub fn start(threads: usize, wake: &Arc<Signal>) -> std::io::Result<Self> {
        let jobs = Arc::new(Ring::new(256));
        // An answer always finds room: there are never more of them than jobs taken.
        let answers = Arc::new(Ring::new(256 + threads + 1));
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let (jobs, answers, wake) = (Arc::clone(&jobs), Arc::clone(&answers), Arc::clone(wake));
            handles.push(
                std::thread::Builder::new().name(format!("currant-scan-{number}")).spawn(
                    move || {
                        while !jobs.is_closed() {
                            let Some(job) = jobs.pop_timeout(Duration::from_secs(3600)) else {
                                continue;
                            };
                            let mut answer = list(&job);
                            while let Err(back) = answers.push_wait(answer, Duration::from_secs(1))
                            {
                                if answers.is_closed() {
                                    return;
                                }
                                answer = back;
                            }
                            // While there are jobs, the engine is woken for a handful of answers at a
                            // time: being woken costs it more than an answer does.
                            if jobs.is_empty() || answers.len() >= ANSWERS_AT_ONCE {
                                wake.raise();
                            }
                        }
                    },
                )?,
            );
        }
        Ok(Self { jobs, answers, threads: handles })
    }

    /// Queue a job, or give it back when the ring is full.
    pub fn submit(&self, job: ListJob) -> Result<(), ListJob> {
        self.jobs.try_push(job)
    }

    /// The next answer, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<Listing> {
        self.answers.pop()
    }

    /// Stop the threads; what is queued is dropped.
    pub fn stop(&mut self) {
        self.jobs.close();
        self.answers.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One kept regular file of a [`walk()`].
pub struct Walked {
    /// Relative to the root.
    pub path: Vec<u8>,
    /// Its stat.
    pub stat: Stat,
}

/// What a [`walk()`] found.
#[derive(Default)]
pub struct Walk {
    /// Kept regular files, in no particular order.
    pub files: Vec<Walked>,
    /// Kept directories, with the root.
    pub dirs: usize,
    /// Directories that could not be read, and rule files that could not be used.
    pub problems: Vec<(Vec<u8>, String)>,
}

/// Walk a whole tree under the rules, on the calling thread: an independent look at the disk.
#[must_use]
pub fn walk(root: &Path, outside: &DirRules, state_dir: Option<(u64, u64)>) -> Walk {
    let mut out = Walk::default();
    let mut todo = vec![(Vec::new(), Vec::new(), outside.clone())];
    while let Some((path, name, parent)) = todo.pop() {
        let dir = names::absolute(root, &path);
        let job = ListJob { ticket: (0, 0), dir, name, parent, state_dir, every_kind: false };
        let listing = list(&job);
        for error in &listing.rule_errors {
            out.problems.push((path.clone(), error.to_string()));
        }
        match listing.entries {
            Ok(entries) => {
                out.dirs += 1;
                for (name, stat) in entries.iter() {
                    let child = names::join(&path, name);
                    if stat.kind == Kind::Dir {
                        todo.push((child, name.to_vec(), listing.rules.clone()));
                    } else {
                        out.files.push(Walked { path: child, stat: *stat });
                    }
                }
            }
            // It went away while we looked.
            Err(ListError::Gone) => {}
            Err(error) => out.problems.push((path, format!("{error:?}"))),
        }
    }
    out
}
