//! A source that says what a test tells it to, and nothing else: watches are given out in order, barriers
//! answer at once. With it the engine's thread can be shown every order of notifications, losses and
//! failures that no kernel produces on demand.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Item, Source, WatchError};
use crate::signal::Signal;

/// What the test and the source share.
#[derive(Debug, Default)]
pub struct Script {
    /// What the next [`Source::drain`] hands over.
    pub items: Vec<Item>,
    /// The watches now set, by descriptor.
    pub watches: HashMap<i32, PathBuf>,
    /// What watching these directories answers instead.
    pub refuse: HashMap<PathBuf, WatchError>,
    next_wd: i32,
    wake: Option<Arc<Signal>>,
}

/// The scripted source. Clones share one script.
#[derive(Debug, Default, Clone)]
pub struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    /// The script, to be read and written between the engine's calls.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hand an item over, and wake the engine.
    pub fn say(&self, item: Item) {
        let mut script = self.script();
        script.items.push(item);
        if let Some(wake) = &script.wake {
            wake.raise();
        }
    }

    /// The descriptor under which a directory is watched now.
    #[must_use]
    pub fn wd_of(&self, dir: &Path) -> Option<i32> {
        let script = self.script();
        script.watches.iter().find(|(_, path)| path.as_path() == dir).map(|(&wd, _)| wd)
    }
}

impl Source for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn per_directory(&self) -> bool {
        true
    }

    fn start(&mut self, _root: &Path, wake: Arc<Signal>) -> Result<(), WatchError> {
        self.script().wake = Some(wake);
        Ok(())
    }

    fn watch(&mut self, dir: &Path) -> Result<i32, WatchError> {
        if let Some(wd) = self.wd_of(dir) {
            return Ok(wd);
        }
        let mut script = self.script();
        if let Some(error) = script.refuse.get(dir) {
            return Err(error.clone());
        }
        script.next_wd += 1;
        let wd = script.next_wd;
        script.watches.insert(wd, dir.to_owned());
        Ok(wd)
    }

    fn unwatch(&mut self, wd: i32) {
        self.script().watches.remove(&wd);
    }

    fn barrier(&mut self, token: u64) {
        self.say(Item::Barrier(token));
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        out.append(&mut self.script().items);
    }

    fn stop(&mut self) {}
}
