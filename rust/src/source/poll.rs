//! No notifications at all: the whole root is scanned at an interval. The fallback for file systems and
//! machines where nothing else works; the scan itself is the engine's, so there is nothing else here.

use std::path::Path;
use std::sync::Arc;

use super::{Item, Source, WatchError};
use crate::signal::Signal;

/// A source that asks for a scan instead of telling what changed.
#[derive(Default)]
pub struct Poll {
    asked: Vec<u64>,
    wake: Option<Arc<Signal>>,
}

impl Source for Poll {
    fn name(&self) -> &'static str {
        "poll"
    }

    fn per_directory(&self) -> bool {
        false
    }

    fn start(&mut self, _root: &Path, wake: Arc<Signal>) -> Result<(), WatchError> {
        self.wake = Some(wake);
        Ok(())
    }

    fn watch(&mut self, _dir: &Path) -> Result<i32, WatchError> {
        Err(WatchError::Other("this source sets no watches".into()))
    }

    fn unwatch(&mut self, _wd: i32) {}

    /// A scan of the root, begun after the call, sees everything written before it.
    fn barrier(&mut self, token: u64) {
        self.asked.push(token);
        if let Some(wake) = &self.wake {
            wake.raise();
        }
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        if !self.asked.is_empty() {
            out.push(Item::Path { path: Vec::new(), subtree: true });
            out.extend(self.asked.drain(..).map(Item::Barrier));
        }
    }

    fn stop(&mut self) {}
}
