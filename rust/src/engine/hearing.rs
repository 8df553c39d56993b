//! Being told of what lies outside the tree, so that an idle engine need not look every second.
//!
//! What is watched: each directory above the root, whether it goes or is renamed; and the directory of each rule
//! file outside the tree, or the nearest one that is there. The source tells of mounts by itself. A notification
//! only says that it is time to look, as the clock would, and no more often. These watches are the tree's as soon
//! as it has none left, and where they cannot be had the clock decides as before.

use std::path::{Path, PathBuf};

use hashbrown::{HashMap, HashSet};

use super::core::{Core, External, FAR, HEARTBEAT, Platform};
use crate::clock::Now;
use crate::source::{Heard, WatchError};

/// A directory may come while the one above it is being watched in its place.
const MOST_TRIES: usize = 4;

impl Core {
    /// Something happened outside: look at the next opportunity, and not more than once a second.
    pub(super) fn look_outside_soon(&mut self) {
        self.next_heartbeat = self.next_heartbeat.min(self.last_heartbeat + HEARTBEAT);
    }

    /// The look by the clock begins: when is the next one due?
    pub(super) fn beat(&mut self, now: Now, platform: &mut impl Platform) {
        self.last_heartbeat = now;
        let heard = self.hear_outside(platform);
        self.next_heartbeat = now + if heard { FAR } else { HEARTBEAT };
    }

    /// What only the clock can tell the end of.
    pub(super) fn is_waiting_outside(&self) -> bool {
        self.vcs_since.is_some() || self.root_missing || self.settings.poll_root
    }

    /// Watch what lies outside: before it is looked at. True when nothing there can change without a word.
    fn hear_outside(&mut self, platform: &mut impl Platform) -> bool {
        let before = std::mem::take(&mut self.outside_wds);
        let wanted = self.settings.per_directory
            && self.first_scan_done
            && !self.root_missing
            && self.unwatched.is_empty();
        let heard = wanted && self.watch_outside(platform).is_some();
        let mut now = HashSet::new();
        if heard {
            now.clone_from(&self.outside_wds);
        } else {
            self.release_outside(platform);
        }
        for wd in before.difference(&now).filter(|wd| !self.wds.contains_key(*wd)) {
            platform.unwatch(*wd);
        }
        heard
    }

    /// Give these watches up, for the tree. True when there were any.
    pub(super) fn release_outside(&mut self, platform: &mut impl Platform) -> bool {
        let had = std::mem::take(&mut self.outside_wds);
        for wd in had.iter().filter(|wd| !self.wds.contains_key(*wd)) {
            platform.unwatch(*wd);
        }
        !had.is_empty()
    }

    fn watch_outside(&mut self, platform: &mut impl Platform) -> Option<()> {
        let root = platform.absolute(b"");
        for above in root.ancestors().skip(1) {
            let wd = platform.watch_outside(above, Heard::Itself).ok()?;
            self.keep_outside(wd, false)?;
        }
        // Each with whether nothing but its `.git` counts.
        let mut places: HashMap<PathBuf, bool> = HashMap::new();
        for External { path, .. } in &self.externals {
            let Some(place) = path.parent() else { continue };
            *places.entry(place.to_path_buf()).or_insert(true) &= is_git(path);
        }
        for (place, only_git) in places {
            let (wd, missing) = (0..MOST_TRIES).find_map(|_| nearest(&place, platform))?;
            self.keep_outside(wd, missing.map_or(only_git, is_git))?;
        }
        Some(())
    }

    /// None for a directory that is in the tree, too: what is told of it is told as of the tree's. For a `.git`, that
    /// is enough: the tree's events are looked through for this name.
    fn keep_outside(&mut self, wd: i32, only_git: bool) -> Option<()> {
        if self.wds.contains_key(&wd) {
            return (self.settings.rules && only_git).then_some(());
        }
        self.outside_wds.insert(wd);
        Some(())
    }
}

fn is_git(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git")
}

/// Watch this directory, or the nearest one above it that is there, and say what is missing in that. None when
/// that cannot be, or when the missing one has come meanwhile, so that it would not be heard what is made in it.
fn nearest<'a>(place: &'a Path, platform: &mut impl Platform) -> Option<(i32, Option<&'a Path>)> {
    let mut missing: Option<&Path> = None;
    for dir in place.ancestors() {
        let heard = if missing.is_none() { Heard::Names } else { Heard::Coming };
        match platform.watch_outside(dir, heard) {
            Ok(wd) => {
                let came = missing.is_some_and(|below| platform.signature(below).is_some());
                return (!came).then_some((wd, missing));
            }
            Err(WatchError::Gone) => missing = Some(dir),
            Err(_) => return None,
        }
    }
    None
}
