//! The `notify` crate as a source: macOS, Windows and, selectable, Linux. One recursive watch on the
//! root; every event becomes "look at this path". Lost events arrive as its rescan flag, with or without
//! a path. It cannot acknowledge, so the barrier is a cookie file in the state directory.
//!
//! On Linux it sets the watch of a new directory only after it told of it, and tells nothing of what is in
//! there by then. So each path that may be a new directory is named again at the next two barriers: when
//! the second cookie arrives, whatever was told before the first one is watched.
//!
//! Only the Linux build of this file has been run; macOS and Windows are compiled for, not tested.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_queue::ArrayQueue;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Config, Event, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Item, Source, WatchError};
use crate::names;
use crate::signal::Signal;

const RING_ITEMS: usize = 16 * 1024;
const COOKIE: &str = "cookie-";
/// New paths remembered between two barriers; beyond it, everything is looked at.
const MOST_NEW: usize = 4096;

/// Paths that may be new directories.
#[derive(Default)]
struct New {
    /// Since the last barrier.
    latest: HashSet<Vec<u8>>,
    /// Between the last barrier and the one before it.
    older: HashSet<Vec<u8>>,
}

struct Shared {
    ring: ArrayQueue<Item>,
    overflowed: AtomicBool,
    /// The greatest token whose cookie was seen.
    barrier: AtomicU64,
    /// Locked by the watcher's thread for one insertion, by the engine's for one swap.
    new: Mutex<New>,
    /// The root as given and as the system may spell it in its events.
    roots: [PathBuf; 2],
    state_dirs: [PathBuf; 2],
    wake: Arc<Signal>,
}

/// A recursive watch through the `notify` crate.
pub struct NotifySource {
    state_dir: PathBuf,
    watcher: Option<RecommendedWatcher>,
    shared: Option<Arc<Shared>>,
    /// The last barrier that was handed over.
    answered: u64,
}

impl NotifySource {
    /// `state_dir` (absolute) is where barriers write their cookie files.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        Self { state_dir, watcher: None, shared: None, answered: 0 }
    }
}

fn watch_error(error: &notify::Error) -> WatchError {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchError::Limit,
        notify::ErrorKind::PathNotFound => WatchError::Gone,
        notify::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::PermissionDenied => {
            WatchError::Denied
        }
        _ => WatchError::Other(error.to_string()),
    }
}

/// The path below one of the directories, as bytes with `/` between components.
fn relative(roots: &[PathBuf; 2], path: &Path) -> Option<Vec<u8>> {
    let inner = roots.iter().find_map(|root| path.strip_prefix(root).ok())?;
    let mut out = Vec::new();
    for part in inner.components() {
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(&names::to_bytes(part.as_os_str()));
    }
    Some(out)
}

fn both_spellings(path: &Path) -> [PathBuf; 2] {
    let canonical = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    [path.to_owned(), canonical]
}

/// Whether the name may be a directory that was not there before.
fn may_be_new_dir(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(kind) => kind != CreateKind::File,
        EventKind::Modify(ModifyKind::Name(_)) | EventKind::Any | EventKind::Other => true,
        _ => false,
    }
}

impl Shared {
    fn push(&self, item: Item) {
        if self.ring.push(item).is_err() {
            self.overflowed.store(true, Ordering::SeqCst);
        }
    }

    fn lose(&self) {
        self.overflowed.store(true, Ordering::SeqCst);
        self.wake.raise();
    }

    fn handle(&self, event: notify::Result<Event>) {
        match event {
            Err(error) => {
                // What it failed to tell us can only be found by looking.
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) || error.paths.is_empty()
                {
                    self.lose();
                }
                for path in &error.paths {
                    self.tell(path, true, true);
                }
            }
            Ok(event) => {
                let rescan = event.need_rescan();
                if rescan && event.paths.is_empty() {
                    self.lose();
                }
                let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
                if event.kind.is_access() && event.kind != closed && !rescan {
                    return;
                }
                // It watches a directory that moved anew as well, and this is all it says of that.
                let fresh = may_be_new_dir(event.kind);
                for path in &event.paths {
                    self.tell(path, rescan, fresh);
                }
            }
        }
    }

    /// One path. What happens in the state directory is no change, and wakes nobody but for a cookie.
    fn tell(&self, path: &Path, subtree: bool, fresh: bool) {
        if let Some(inside) = relative(&self.state_dirs, path) {
            let name = std::str::from_utf8(&inside).unwrap_or("");
            let token = name.strip_prefix(COOKIE).and_then(|text| text.parse().ok());
            if let Some(token) = token {
                self.barrier.fetch_max(token, Ordering::SeqCst);
                self.wake.raise();
            }
            return;
        }
        let Some(path) = relative(&self.roots, path) else { return };
        if fresh {
            let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
            if new.latest.len() < MOST_NEW {
                new.latest.insert(path.clone());
            }
        }
        self.push(Item::Path { path, subtree });
        self.wake.raise();
    }

    /// What is to be looked at again before a barrier is answered.
    fn take_new(&self, out: &mut Vec<Item>) {
        let (latest, older) = {
            let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
            let latest = std::mem::take(&mut new.latest);
            let older = std::mem::replace(&mut new.older, latest.clone());
            (latest, older)
        };
        if latest.len() >= MOST_NEW || older.len() >= MOST_NEW {
            out.push(Item::Path { path: Vec::new(), subtree: true });
        } else {
            let paths = latest.union(&older).cloned();
            out.extend(paths.map(|path| Item::Path { path, subtree: true }));
        }
    }
}

impl Source for NotifySource {
    fn name(&self) -> &'static str {
        "notify"
    }

    fn per_directory(&self) -> bool {
        false
    }

    fn start(&mut self, root: &Path, wake: Arc<Signal>) -> Result<(), WatchError> {
        // The cookies need a place; that the caller has not made it yet is no reason to fail.
        std::fs::create_dir_all(&self.state_dir)
            .map_err(|error| WatchError::Other(format!("{}: {error}", self.state_dir.display())))?;
        let shared = Arc::new(Shared {
            ring: ArrayQueue::new(RING_ITEMS),
            overflowed: AtomicBool::new(false),
            barrier: AtomicU64::new(0),
            new: Mutex::default(),
            roots: both_spellings(root),
            state_dirs: both_spellings(&self.state_dir),
            wake,
        });
        self.shared = Some(Arc::clone(&shared));
        let inside = relative(&shared.roots, &shared.state_dirs[1]).is_some();
        let config = Config::default()
            .with_follow_symlinks(false)
            .with_event_kinds(EventKindMask::CORE | EventKindMask::ACCESS_CLOSE);
        let mut watcher = RecommendedWatcher::new(move |event| shared.handle(event), config)
            .map_err(|error| watch_error(&error))?;
        watcher.watch(root, RecursiveMode::Recursive).map_err(|error| watch_error(&error))?;
        if !inside {
            watcher
                .watch(&self.state_dir, RecursiveMode::NonRecursive)
                .map_err(|error| watch_error(&error))?;
        }
        self.watcher = Some(watcher);
        Ok(())
    }

    fn watch(&mut self, _dir: &Path) -> Result<i32, WatchError> {
        Err(WatchError::Other("one recursive watch covers the root".into()))
    }

    fn unwatch(&mut self, _wd: i32) {}

    fn barrier(&mut self, token: u64) {
        let cookie = self.state_dir.join(format!("{COOKIE}{token}"));
        if std::fs::write(&cookie, b"").is_err() {
            // No cookie, no order: fall back to looking at everything.
            if let Some(shared) = &self.shared {
                shared.overflowed.store(true, Ordering::SeqCst);
                shared.barrier.fetch_max(token, Ordering::SeqCst);
                shared.wake.raise();
            }
        }
        let _ = std::fs::remove_file(&cookie);
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        let Some(shared) = &self.shared else { return };
        // Loaded before the ring is emptied: what was told before the cookie is then handed over first.
        let barrier = shared.barrier.load(Ordering::SeqCst);
        while let Some(item) = shared.ring.pop() {
            out.push(item);
        }
        if shared.overflowed.swap(false, Ordering::SeqCst) {
            out.push(Item::Overflow);
        }
        if barrier > self.answered {
            self.answered = barrier;
            shared.take_new(out);
            out.push(Item::Barrier(barrier));
        }
    }

    fn stop(&mut self) {
        self.watcher = None;
    }
}
