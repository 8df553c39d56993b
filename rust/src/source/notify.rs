//! The `notify` crate as a source: macOS, Windows and, selectable, Linux. One recursive watch on the
//! root; every event becomes "look at this path". Lost events arrive as its rescan flag, with or without
//! a path. It cannot acknowledge, so the barrier is a cookie file in the state directory.
//!
//! Only the Linux build of this file has been run; macOS and Windows are compiled for, not tested.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;
use notify::{Config, Event, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Item, Source, WatchError};
use crate::signal::Signal;

const RING_ITEMS: usize = 16 * 1024;
const COOKIE: &str = "cookie-";

struct Shared {
    ring: ArrayQueue<Item>,
    overflowed: AtomicBool,
    root: PathBuf,
    state_dir: PathBuf,
    wake: Arc<Signal>,
}

/// A recursive watch through the `notify` crate.
pub struct NotifySource {
    state_dir: PathBuf,
    watcher: Option<RecommendedWatcher>,
    shared: Option<Arc<Shared>>,
}

impl NotifySource {
    /// `state_dir` (absolute, inside the root) is where barriers write their cookie files.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        Self { state_dir, watcher: None, shared: None }
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

/// The path relative to the root, as bytes with `/` between components.
fn relative(root: &Path, path: &Path) -> Option<Vec<u8>> {
    let inner = path.strip_prefix(root).ok()?;
    let mut out = Vec::new();
    for part in inner.components() {
        if !out.is_empty() {
            out.push(b'/');
        }
        out.extend_from_slice(part.as_os_str().as_encoded_bytes());
    }
    Some(out)
}

impl Shared {
    fn push(&self, item: Item) {
        if self.ring.push(item).is_err() {
            self.overflowed.store(true, Ordering::SeqCst);
        }
    }

    fn handle(&self, event: notify::Result<Event>) {
        match event {
            Err(error) => {
                // What it failed to tell us can only be found by looking.
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) || error.paths.is_empty()
                {
                    self.overflowed.store(true, Ordering::SeqCst);
                }
                for path in error.paths.iter().filter_map(|path| relative(&self.root, path)) {
                    self.push(Item::Path { path, subtree: true });
                }
            }
            Ok(event) => {
                let rescan = event.need_rescan();
                if rescan && event.paths.is_empty() {
                    self.overflowed.store(true, Ordering::SeqCst);
                }
                if matches!(event.kind, EventKind::Access(_)) && !rescan {
                    return;
                }
                for path in &event.paths {
                    if let Ok(inside) = path.strip_prefix(&self.state_dir) {
                        let token = inside.to_str().and_then(|name| name.strip_prefix(COOKIE));
                        if let Some(token) = token.and_then(|text| text.parse().ok()) {
                            self.push(Item::Barrier(token));
                        }
                    } else if let Some(path) = relative(&self.root, path) {
                        self.push(Item::Path { path, subtree: rescan });
                    }
                }
            }
        }
        self.wake.raise();
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
        let shared = Arc::new(Shared {
            ring: ArrayQueue::new(RING_ITEMS),
            overflowed: AtomicBool::new(false),
            root: root.to_owned(),
            state_dir: self.state_dir.clone(),
            wake,
        });
        self.shared = Some(Arc::clone(&shared));
        let config = Config::default()
            .with_follow_symlinks(false)
            .with_event_kinds(EventKindMask::CORE | EventKindMask::ACCESS_CLOSE);
        let mut watcher = RecommendedWatcher::new(move |event| shared.handle(event), config)
            .map_err(|error| watch_error(&error))?;
        watcher.watch(root, RecursiveMode::Recursive).map_err(|error| watch_error(&error))?;
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
                shared.push(Item::Overflow);
                shared.push(Item::Barrier(token));
                shared.wake.raise();
            }
        }
        let _ = std::fs::remove_file(&cookie);
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        let Some(shared) = &self.shared else { return };
        while let Some(item) = shared.ring.pop() {
            out.push(item);
        }
        if shared.overflowed.swap(false, Ordering::SeqCst) {
            out.push(Item::Overflow);
        }
    }

    fn stop(&mut self) {
        self.watcher = None;
    }
}
