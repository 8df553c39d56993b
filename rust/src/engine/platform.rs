//! The machine as it is: the core's [`Platform`] over a real source, the scan threads and the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::core::{Platform, Reach};
use super::{Change, EngineError, Options, Shared, SourceKind};
use crate::clock::Now;
use crate::model::{Kind, Stat};
use crate::mounts::{self, Mounts};
use crate::names;
use crate::rules::{DirRules, RootRules, RuleOptions};
use crate::scan::{self, ListError, ListJob, Listing, Near, Pool};
use crate::source::poll::Poll;
use crate::source::{Heard, Item, Source, WatchError};

/// Changes for which the bell rings whatever else is to come.
const RUNG_AT_ONCE: usize = 2_048;
/// It rings after this part of the quiet period, at the latest.
const RUNGS_PER_QUIET: u32 = 4;

/// The real machine.
pub(super) struct Machine {
    root: PathBuf,
    rules: RuleOptions,
    options: Options,
    source: Box<dyn Source>,
    pool: Option<Pool>,
    shared: Arc<Shared>,
    scan_threads: usize,
    mounts: Mounts,
    git_lock: Option<PathBuf>,
    /// Why the source is not the one that was asked for.
    source_problem: String,
    near: Near,
    /// Something was handed out in this turn.
    emitted: bool,
    /// Since when something was handed out for which the bell did not ring.
    unrung: Option<Now>,
}

/// The source, and why it is not the one that was asked for (empty when it is).
fn open_source(options: &Options) -> Result<(Box<dyn Source>, String), EngineError> {
    #[cfg(target_os = "linux")]
    if options.live && options.source == SourceKind::Auto {
        return Ok(match crate::source::inotify::Inotify::open(options.quiet) {
            Ok(source) => (Box::new(source), String::new()),
            // Slower, but right.
            Err(error) => (Box::new(Poll::default()), format!("no inotify instance: {error:?}")),
        });
    }
    Ok((open_one(options)?, String::new()))
}

fn open_one(options: &Options) -> Result<Box<dyn Source>, EngineError> {
    if !options.live {
        return Ok(Box::new(Poll::default()));
    }
    match options.source {
        SourceKind::Poll => Ok(Box::new(Poll::default())),
        SourceKind::Notify => open_notify(options),
        #[cfg(target_os = "linux")]
        SourceKind::Auto | SourceKind::Inotify => {
            match crate::source::inotify::Inotify::open(options.quiet) {
                Ok(source) => Ok(Box::new(source)),
                Err(error) => Err(EngineError::Usage(format!(
                    "no inotify instance: {error:?} (raise fs.inotify.max_user_instances)"
                ))),
            }
        }
        #[cfg(not(target_os = "linux"))]
        SourceKind::Auto => open_notify(options),
        #[cfg(not(target_os = "linux"))]
        SourceKind::Inotify => Err(EngineError::Usage("inotify is there on Linux only".into())),
    }
}

#[cfg(any(not(target_os = "linux"), feature = "notify-source"))]
#[expect(clippy::unnecessary_wraps, reason = "the build without it fails")]
fn open_notify(options: &Options) -> Result<Box<dyn Source>, EngineError> {
    Ok(Box::new(crate::source::notify::NotifySource::new(options.state_dir.clone())))
}

#[cfg(not(any(not(target_os = "linux"), feature = "notify-source")))]
fn open_notify(_options: &Options) -> Result<Box<dyn Source>, EngineError> {
    let text = "this build has no `notify` source (cargo feature notify-source)";
    Err(EngineError::Usage(text.into()))
}

impl Machine {
    pub fn open(
        options: &Options,
        rules: RuleOptions,
        shared: &Arc<Shared>,
        source: Option<Box<dyn Source>>,
    ) -> Result<Self, EngineError> {
        let (source, source_problem) = match source {
            Some(source) => (source, String::new()),
            None => open_source(options)?,
        };
        let mounts = Mounts::open(&options.root, &options.poll_file_systems);
        if mounts::VIRTUAL.contains(&mounts.root_kind()) {
            return Err(EngineError::Usage(format!(
                "{} is on a {} file system, which holds no files: index a directory on a disk",
                options.root.display(),
                mounts.root_kind()
            )));
        }
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            root: options.root.clone(),
            rules,
            options: options.clone(),
            source,
            pool: None,
            shared: Arc::clone(shared),
            scan_threads: threads.clamp(1, 4),
            mounts,
            git_lock: None,
            source_problem,
            near: Near::default(),
            emitted: false,
            unrung: None,
        })
    }

    pub fn per_directory(&self) -> bool {
        self.source.per_directory()
    }

    pub fn polls(&self) -> bool {
        self.source.name() == "poll"
    }

    pub fn source_name(&self) -> &'static str {
        if self.options.live { self.source.name() } else { "none" }
    }

    pub fn source_problem(&self) -> &str {
        &self.source_problem
    }

    fn reach(&self) -> Reach {
        match (self.polls(), self.per_directory()) {
            (true, _) => Reach::Nothing,
            (false, true) => Reach::Directories,
            (false, false) => Reach::Root,
        }
    }

    pub fn start(&mut self) -> Result<(), String> {
        let wake = &self.shared.wake;
        let pool = Pool::start(self.scan_threads, wake).map_err(|error| error.to_string())?;
        self.pool = Some(pool);
        self.source
            .start(&self.root, Arc::clone(wake))
            .map_err(|error| format!("the {} source: {error:?}", self.source.name()))
    }

    pub fn stop(&mut self) {
        self.source.stop();
        self.pool = None;
    }

    pub fn drain(&mut self, out: &mut Vec<Item>) {
        self.source.drain(out);
    }

    pub fn answer(&mut self) -> Option<Listing> {
        self.pool.as_ref().and_then(Pool::answer)
    }

    /// Tell who waits for several engines what came of a turn. Being woken costs him more than a change does: with
    /// `more` to be handed out soon it is put off, for a part of the quiet period and for so many changes.
    pub fn ring(&mut self, more: bool, finished: bool, now: Now) {
        let Some(bell) = &self.options.bell else { return };
        if std::mem::take(&mut self.emitted) {
            self.unrung.get_or_insert(now);
        }
        let queued = self.shared.changes.len();
        let due = self.unrung.is_some_and(|since| {
            !more
                || queued >= RUNG_AT_ONCE
                || now.saturating_sub(since) * RUNGS_PER_QUIET >= self.options.quiet
        });
        if queued == 0 || due {
            self.unrung = None;
        }
        if due || finished {
            bell.raise();
        }
    }

    fn reopen(&mut self) -> Result<(), String> {
        self.source.stop();
        let (source, problem) = open_source(&self.options).map_err(|error| error.to_string())?;
        self.source = source;
        self.source_problem = problem;
        self.source
            .start(&self.root, Arc::clone(&self.shared.wake))
            .map_err(|error| format!("{error:?}"))
    }
}

impl Platform for Machine {
    fn watch(&mut self, dir: &[u8]) -> Result<i32, WatchError> {
        self.source.watch(&names::absolute(&self.root, dir))
    }

    fn watch_outside(&mut self, dir: &Path, heard: Heard) -> Result<i32, WatchError> {
        self.source.watch_outside(dir, heard)
    }

    fn unwatch(&mut self, wd: i32) {
        self.source.unwatch(wd);
    }

    fn lstat(&mut self, path: &[u8]) -> Result<Stat, ListError> {
        scan::lstat(&names::absolute(&self.root, path))
    }

    fn lstat_near(&mut self, path: &[u8]) -> Result<Stat, ListError> {
        self.near.lstat(&self.root, path)
    }

    fn end_near(&mut self) {
        self.near.end();
    }

    fn signature(&mut self, path: &Path) -> Option<(i64, u64, u64)> {
        let stat = scan::lstat(path).ok()?;
        // A directory's own times change with every name in it; that it is there is what counts.
        Some(match stat.kind {
            Kind::Dir => (0, 0, stat.ino),
            _ => (stat.mtime_ns, stat.size, stat.ino),
        })
    }

    fn absolute(&self, path: &[u8]) -> PathBuf {
        names::absolute(&self.root, path)
    }

    fn list(&mut self, job: ListJob) -> Result<(), ListJob> {
        match &self.pool {
            Some(pool) => pool.submit(job),
            None => Err(job),
        }
    }

    fn places(&self) -> usize {
        let changes = &self.shared.changes;
        let room = || changes.capacity().saturating_sub(changes.len());
        match room() {
            0 => {
                self.shared.starved.store(true, Ordering::SeqCst);
                room() // what was taken in between woke nobody
            }
            some => some,
        }
    }

    fn emit(&mut self, change: Change) {
        // Nobody else puts anything in, and there was room.
        let refused = self.shared.changes.try_push(change);
        debug_assert!(refused.is_ok() || self.shared.changes.is_closed());
        self.emitted = true;
    }

    fn barrier(&mut self, token: u64) {
        self.source.barrier(token);
    }

    fn load_rules(&mut self) -> (DirRules, Vec<PathBuf>, Vec<String>) {
        let (rules, errors) = RootRules::load(&self.root, &self.rules);
        let problems = errors.iter().map(ToString::to_string).collect();
        self.git_lock = rules.git_lock();
        (rules.root_dir(), rules.external_files().to_vec(), problems)
    }

    fn restart_source(&mut self) -> Result<Reach, String> {
        self.reopen()?;
        Ok(self.reach())
    }

    fn better_source(&mut self) -> Option<Reach> {
        if self.source_problem.is_empty() {
            return None;
        }
        // What reopening can only find again costs more than this look at whether there is another.
        let (mut source, problem) = open_source(&self.options).ok()?;
        if !problem.is_empty() {
            return None;
        }
        source.start(&self.root, Arc::clone(&self.shared.wake)).ok()?;
        self.source.stop();
        self.source = source;
        self.source_problem = problem;
        Some(self.reach())
    }

    fn mounts_changed(&mut self) -> bool {
        // Our own inotify reader is told of each watch that ended with its file system; notify does not say.
        let suspicious = self.reach() == Reach::Root;
        self.mounts.changed(suspicious)
    }

    fn is_remote(&mut self, dir: &[u8]) -> bool {
        self.mounts.is_remote(&names::absolute(&self.root, dir))
    }

    fn vcs_busy(&mut self) -> bool {
        self.git_lock.as_ref().is_some_and(|lock| scan::lstat(lock).is_ok())
    }
}
