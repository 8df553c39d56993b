//! The engine: one thread that owns the tree, the watches, the rules in force and the debouncer.
//!
//! [`Core`] decides and is all that has logic; this file is the thin shell that obeys it. Fixed rings
//! join the thread to its neighbours: the source's items come in, listings come back from the scan
//! threads, changes go out to the workers, requests (acks, syncs) come in from them.

mod acks;
mod barrier;
pub mod change;
mod compare;
mod core;
mod dirs;
mod events;
mod flight;
mod hearing;
mod limbo;
mod outside;
mod paths;
mod platform;
mod room;
mod rows;
mod shell;
mod status;
mod subtree;
mod witness;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use self::core::{Core, Counters, Platform, Settings};
pub use change::{Ack, Cause, Change, ChangeKind, Outcome};
pub use rows::{Row, Rows};
pub use status::Status;

use crate::clock::Clock;
use crate::ring::Ring;
use crate::rules::{GitEnvironment, RuleOptions, StateDir};
use crate::signal::Signal;
use crate::source::Source;
use platform::Machine;
use shell::{panic_text, run};

/// Which source of notifications to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// The best one for this platform.
    Auto,
    /// Our own, on Linux.
    Inotify,
    /// The `notify` crate.
    Notify,
    /// Scans at an interval.
    Poll,
}

/// How to build an [`Engine`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Absolute path of the root.
    pub root: PathBuf,
    /// Absolute path of the state directory; never watched, listed or opened.
    pub state_dir: PathBuf,
    /// Quiet period of a path.
    pub quiet: Duration,
    /// Cap on the delay of a path.
    pub max_delay: Duration,
    /// Lines as in a `.gitignore` of the root.
    pub ignore_patterns: Vec<String>,
    /// Whether repositories inside the root are entered.
    pub nested_repositories: bool,
    /// Where notifications come from.
    pub source: SourceKind,
    /// Interval of what has to be polled.
    pub poll_interval: Duration,
    /// Changes handed out that nobody has taken yet.
    pub max_queue: usize,
    /// Changes that were taken and not given back yet, besides.
    pub in_hand: usize,
    /// Most watches to set.
    pub max_watches: usize,
    /// Watch, or only scan once.
    pub live: bool,
    /// Types of file systems whose changes the kernel does not tell of in full (`nfs4`, `fuse.*`): what lies on
    /// one is polled, besides being watched.
    pub poll_file_systems: Vec<String>,
    /// Watch without an index: directories, links and devices are told of, what is there at the start is
    /// known, and nothing is held back for git.
    pub witness: bool,
    /// Look into the directories below the root.
    pub recursive: bool,
    /// Obey `.gitignore` and its like. Without, `ignore_patterns` count for nothing either.
    pub rules: bool,
    /// Raised when changes were handed out and when the last of them came back, for who waits for several
    /// engines.
    pub bell: Option<Arc<Signal>>,
}

/// What went wrong with the engine as a whole.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The caller asked for something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The root is not a directory that can be read.
    #[error("{}: {reason}", path.display())]
    Root {
        /// The root.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The engine's thread ended, or could not begin.
    #[error("{0}")]
    Stopped(String),
}

enum Request {
    Rows(Rows, SyncSender<usize>),
    Acks(Vec<Ack>),
    Sync(u64, Option<Vec<Vec<u8>>>, SyncSender<()>),
    CancelSync(u64, SyncSender<Vec<Vec<u8>>>),
    Touch(Vec<u8>, SyncSender<bool>),
    Rescan(Vec<u8>),
    Clear(SyncSender<usize>),
    Flush,
    Armed(SyncSender<()>),
}

struct Shared {
    wake: Arc<Signal>,
    requests: Ring<Request>,
    changes: Ring<Change>,
    /// The engine found no room in `changes` and waits for it.
    starved: AtomicBool,
    /// Replaced as a whole at the end of a turn; held for no longer than a pointer takes to copy.
    status: Mutex<Arc<Status>>,
    failure: Mutex<Option<String>>,
    stop: AtomicBool,
}

impl Shared {
    /// Have the engine hand out more when it waits for room, once there is enough of it to be worth a turn.
    fn feed(&self) {
        if self.starved.load(Ordering::SeqCst)
            && self.changes.len() <= self.changes.capacity() / 2
            && self.starved.swap(false, Ordering::SeqCst)
        {
            self.wake.raise();
        }
    }

    fn fail(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
        self.changes.close();
        self.requests.close();
    }
}

/// A running (or not yet started) engine. All methods may be called from any thread.
pub struct Engine {
    shared: Arc<Shared>,
    waiting: Mutex<Option<Waiting>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    next_sync: AtomicU64,
    rows_expected: AtomicBool,
    pid: u32,
}

/// What [`Engine::start`] needs.
struct Waiting {
    core: Core,
    machine: Machine,
    clock: Clock,
}

impl Engine {
    /// Load the rules and open the source; nothing is watched or listed yet.
    pub fn new(options: Options) -> Result<Self, EngineError> {
        Self::build(options, None)
    }

    /// As [`Engine::new`], with a source of the caller's. Should it fail, the one that the options name
    /// takes its place.
    pub fn with_source(options: Options, source: Box<dyn Source>) -> Result<Self, EngineError> {
        Self::build(options, Some(source))
    }

    fn build(options: Options, source: Option<Box<dyn Source>>) -> Result<Self, EngineError> {
        let clock = Clock::start();
        let wake = Arc::new(Signal::default());
        let root = options.root.clone();
        let found = crate::scan::lstat(&root).map_err(|error| EngineError::Root {
            path: root.clone(),
            reason: format!("{error:?}"),
        })?;
        if found.kind != crate::model::Kind::Dir {
            let reason = "is not a directory".to_owned();
            return Err(EngineError::Root { path: root, reason });
        }
        let state = crate::scan::lstat(&options.state_dir).ok();
        let identity = state.map(|stat| (stat.dev, stat.ino));
        let rules = RuleOptions {
            ignore_patterns: options.ignore_patterns.clone(),
            nested_repositories: options.nested_repositories,
            state_dir: identity
                .map(|identity| StateDir { path: options.state_dir.clone(), identity }),
            environment: GitEnvironment::from_env(),
            off: !options.rules,
        };
        let max_queue = options.max_queue.max(1);
        let max_in_flight = max_queue.saturating_add(options.in_hand);
        let shared = Arc::new(Shared {
            wake: Arc::clone(&wake),
            requests: Ring::new(1024),
            changes: Ring::new(max_queue),
            starved: AtomicBool::new(false),
            status: Mutex::new(Arc::new(Status { starting: true, ..Status::default() })),
            failure: Mutex::new(None),
            stop: AtomicBool::new(false),
        });
        let mut machine = Machine::open(&options, rules, &shared, source)?;
        let settings = Settings {
            quiet: options.quiet,
            max_delay: options.max_delay,
            max_in_flight,
            max_pending: 262_144.max(max_in_flight * 4),
            max_watches: options.max_watches,
            poll_interval: options.poll_interval,
            per_directory: machine.per_directory(),
            poll_root: machine.polls() && options.live,
            live: options.live,
            state_dir: identity,
            witness: options.witness,
            recursive: options.recursive,
            rules: options.rules,
        };
        let core = Core::new(settings, &mut machine).map_err(EngineError::Usage)?;
        Ok(Self {
            shared,
            waiting: Mutex::new(Some(Waiting { core, machine, clock })),
            thread: Mutex::new(None),
            next_sync: AtomicU64::new(1),
            rows_expected: AtomicBool::new(false),
            pid: std::process::id(),
        })
    }

    /// Put the rows of the index into the tree: before the start, or once after [`Engine::start`] was told
    /// that they come later.
    pub fn load(&self, rows: Rows) -> Result<usize, EngineError> {
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(waiting) = waiting.as_mut() {
                return Ok(waiting.core.load(&rows, waiting.clock.now()));
            }
        }
        if !self.rows_expected.swap(false, Ordering::SeqCst) {
            return Err(EngineError::Usage(
                "rows are loaded once, before the start or after it".into(),
            ));
        }
        let (sender, receiver) = sync_channel(1);
        self.send(Request::Rows(rows, sender))?;
        self.answer(&receiver)
    }

    /// Start the threads. With `rows_later` nothing is handed out until [`Engine::load`] was called: the
    /// disk is read while the caller reads the index.
    pub fn start(&self, rows_later: bool) -> Result<(), EngineError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut parts) = waiting.take() else {
            return Err(EngineError::Usage("the engine was started before".into()));
        };
        if rows_later {
            parts.core.await_rows();
            self.rows_expected.store(true, Ordering::SeqCst);
        }
        let shared = Arc::clone(&self.shared);
        let handle = std::thread::Builder::new()
            .name("currant-engine".into())
            .spawn(move || {
                let outer = Arc::clone(&shared);
                let run = std::panic::AssertUnwindSafe(move || run(parts, &shared));
                match std::panic::catch_unwind(run) {
                    Ok(Ok(())) => {
                        outer.changes.close();
                        outer.requests.close();
                    }
                    Ok(Err(reason)) => outer.fail(reason),
                    Err(panic) => {
                        outer.fail(format!("the engine panicked: {}", panic_text(&panic)))
                    }
                }
            })
            .map_err(|error| EngineError::Stopped(format!("no thread: {error}")))?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
        Ok(())
    }

    /// Stop and wait for the threads. Idempotent.
    pub fn stop(&self) {
        if self.is_forked() {
            return;
        }
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.wake.raise();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shared.changes.close();
        self.shared.requests.close();
    }

    /// True in a child that was forked: there are no threads here, so nothing would ever happen.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        self.pid != std::process::id()
    }

    /// The next changes; empty at the timeout, `None` when the engine has stopped.
    pub fn next_batch(
        &self,
        max: usize,
        timeout: Duration,
    ) -> Result<Option<Vec<Change>>, EngineError> {
        let changes = &self.shared.changes;
        let Some(first) = changes.pop_timeout(timeout) else {
            if !changes.is_closed() {
                return Ok(Some(Vec::new()));
            }
            return self.check().map(|()| None);
        };
        let mut batch = Vec::with_capacity(max.clamp(1, 256));
        batch.push(first);
        while batch.len() < max {
            let Some(next) = changes.pop() else { break };
            batch.push(next);
        }
        self.shared.feed();
        Ok(Some(batch))
    }

    /// True as soon as a change waits in the ring.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        self.shared.changes.wait(timeout)
    }

    /// Changes that wait in the ring.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.changes.len()
    }

    fn check(&self) -> Result<(), EngineError> {
        let failure = self.shared.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(reason) => Err(EngineError::Stopped(reason.clone())),
            None => Ok(()),
        }
    }

    fn send(&self, mut request: Request) -> Result<(), EngineError> {
        if self.is_forked() {
            return Err(EngineError::Stopped(
                "this process was forked from the one that runs the engine: open the index anew"
                    .into(),
            ));
        }
        loop {
            match self.shared.requests.push_wait(request, Duration::from_secs(1)) {
                Ok(()) => {
                    self.shared.wake.raise();
                    return Ok(());
                }
                Err(back) => {
                    self.check()?;
                    if self.shared.requests.is_closed() {
                        return Err(EngineError::Stopped("the engine has stopped".into()));
                    }
                    request = back;
                }
            }
        }
    }

    fn answer<T>(&self, receiver: &Receiver<T>) -> Result<T, EngineError> {
        loop {
            match receiver.recv_timeout(Duration::from_millis(500)) {
                Ok(answer) => return Ok(answer),
                Err(_) => {
                    self.check()?;
                    if self.shared.requests.is_closed() {
                        return Err(EngineError::Stopped("the engine has stopped".into()));
                    }
                }
            }
        }
    }

    /// Give tickets back.
    pub fn ack(&self, acks: Vec<Ack>) -> Result<(), EngineError> {
        self.send(Request::Acks(acks))
    }

    /// Wait until everything written before this call is acknowledged: `None`. At the timeout, some of
    /// the paths that are not. With `paths`, look at those alone, and wait for nothing else.
    pub fn sync(
        &self,
        paths: Option<Vec<Vec<u8>>>,
        timeout: Duration,
    ) -> Result<Option<Vec<Vec<u8>>>, EngineError> {
        let id = self.next_sync.fetch_add(1, Ordering::Relaxed);
        let (done, receiver) = sync_channel(1);
        self.send(Request::Sync(id, paths, done))?;
        let clock = Clock::start();
        loop {
            // In slices, so that a failed engine is noticed.
            let left = timeout.saturating_sub(clock.now()).min(Duration::from_millis(500));
            match receiver.recv_timeout(left) {
                Ok(()) => return Ok(None),
                Err(_) if clock.now() < timeout => {
                    self.check()?;
                    if self.shared.requests.is_closed() {
                        return Err(EngineError::Stopped("the engine has stopped".into()));
                    }
                }
                Err(_) => break,
            }
        }
        let (sender, outstanding) = sync_channel(1);
        self.send(Request::CancelSync(id, sender))?;
        let paths = self.answer(&outstanding)?;
        // It may have been completed in the last moment.
        Ok(if receiver.try_recv().is_ok() { None } else { Some(paths) })
    }

    /// Queue one path, due at once; false when it is not one that the index keeps.
    pub fn touch(&self, path: &[u8]) -> Result<bool, EngineError> {
        let (sender, receiver) = sync_channel(1);
        self.send(Request::Touch(path.to_vec(), sender))?;
        self.answer(&receiver)
    }

    /// Scan a subtree; the root for the empty path.
    pub fn rescan(&self, path: &[u8]) -> Result<(), EngineError> {
        self.send(Request::Rescan(path.to_vec()))
    }

    /// Forget what waits. Returns how many paths.
    pub fn clear(&self) -> Result<usize, EngineError> {
        let (sender, receiver) = sync_channel(1);
        self.send(Request::Clear(sender))?;
        self.answer(&receiver)
    }

    /// Make everything that waits due now.
    pub fn flush(&self) -> Result<(), EngineError> {
        self.send(Request::Flush)
    }

    /// Wait for the end of the first scan: what happens from now on is told. False at the timeout.
    pub fn armed(&self, timeout: Duration) -> Result<bool, EngineError> {
        let (done, receiver) = sync_channel(1);
        self.send(Request::Armed(done))?;
        let armed = receiver.recv_timeout(timeout).is_ok();
        if !armed {
            self.check()?;
        }
        Ok(armed)
    }

    /// As [`Engine::next_batch`], and give the tickets back as seen.
    pub fn take(&self, max: usize, timeout: Duration) -> Result<Option<Vec<Change>>, EngineError> {
        let Some(changes) = self.next_batch(max, timeout)? else { return Ok(None) };
        let seen = |change: &Change| Ack {
            ticket: change.ticket,
            outcome: Outcome::Seen,
            size: 0,
            mtime_ns: 0,
            ctime_ns: 0,
            ino: 0,
        };
        if !changes.is_empty() {
            self.ack(changes.iter().map(seen).collect())?;
        }
        Ok(Some(changes))
    }

    /// The latest snapshot.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.shared.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
        if self.is_forked() {
            // Its thread is not in this process, but a new one may have got its number: that one would be
            // detached in its place, and whoever joins it would fail.
            let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(thread.take());
        }
    }
}

#[cfg(test)]
mod tests;
