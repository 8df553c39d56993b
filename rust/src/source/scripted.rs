//! A source that says what a test tells it to: descriptors are given out in order, items are pushed by
//! the test, barriers answer at once. It makes every order of events reproducible.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Item, Source, WatchError};
use crate::signal::Signal;

/// The scripted source.
#[derive(Default)]
pub struct Scripted {
    /// What the next [`Source::drain`] hands over.
    pub items: Vec<Item>,
    /// The watches now set, by descriptor.
    pub watches: HashMap<i32, PathBuf>,
    /// What the next calls to watch these directories answer instead.
    pub refuse: HashMap<PathBuf, WatchError>,
    next_wd: i32,
}

impl Scripted {
    /// The descriptor under which a directory is watched now.
    #[must_use]
    pub fn wd_of(&self, dir: &Path) -> Option<i32> {
        self.watches.iter().find(|(_, path)| path.as_path() == dir).map(|(&wd, _)| wd)
    }
}

impl Source for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn per_directory(&self) -> bool {
        true
    }

    fn start(&mut self, _root: &Path, _wake: Arc<Signal>) -> Result<(), WatchError> {
        Ok(())
    }

    fn watch(&mut self, dir: &Path) -> Result<i32, WatchError> {
        if let Some(error) = self.refuse.get(dir) {
            return Err(error.clone());
        }
        if let Some(wd) = self.wd_of(dir) {
            return Ok(wd);
        }
        self.next_wd += 1;
        self.watches.insert(self.next_wd, dir.to_owned());
        Ok(self.next_wd)
    }

    fn unwatch(&mut self, wd: i32) {
        self.watches.remove(&wd);
    }

    fn barrier(&mut self, token: u64) {
        self.items.push(Item::Barrier(token));
    }

    fn drain(&mut self, out: &mut Vec<Item>) {
        out.append(&mut self.items);
    }

    fn stop(&mut self) {}
}
