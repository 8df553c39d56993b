//! Directories: watch, then list, then compare with the tree. There is no second way in which the tree
//! learns of a path: start-up, new directories, lost events, rule edits and the poll tier all end here.

use super::core::{Core, Platform};
use crate::clock::Now;
use crate::rules::DirRules;
use crate::scan::ListJob;
use crate::source::WatchError;
use crate::tree::{NodeId, ROOT};

/// What the engine knows of a directory besides its node.
pub(super) struct DirInfo {
    pub wd: Option<i32>,
    /// The rules for its children; those of its parent until it was listed once.
    pub rules: DirRules,
    /// It was listed at least once.
    pub listed: bool,
    /// In the queue for listing.
    pub queued: bool,
    /// Handed to the scan threads; the flag says whether its directories follow.
    pub running: Option<bool>,
    /// To be listed (again); the flag says whether its directories follow.
    pub wanted: Option<bool>,
}

impl Core {
    pub(super) fn new_dir_info(&mut self, node: NodeId) {
        let rules = self
            .parent_of(node)
            .and_then(|parent| self.dirs.get(&parent))
            .map_or_else(|| self.outside.clone(), |info| info.rules.clone());
        let info =
            DirInfo { wd: None, rules, listed: false, queued: false, running: None, wanted: None };
        self.dirs.insert(node, info);
    }

    /// Have a directory watched and listed; with `recursive`, everything below it too.
    pub(super) fn request_listing(&mut self, dir: NodeId, recursive: bool) {
        if !self.settings.recursive && dir != ROOT {
            return;
        }
        let Some(info) = self.dirs.get_mut(&dir) else { return };
        info.wanted = Some(info.wanted.unwrap_or(false) || recursive);
        if !info.queued && info.running.is_none() {
            info.queued = true;
            self.to_list.push_back(dir);
        }
    }

    /// Scan one path of the tree, or the root for the empty path.
    pub fn rescan(&mut self, path: &[u8], now: Now, platform: &mut impl Platform) {
        if path.is_empty() {
            self.request_root_scan(now);
            return;
        }
        match self.tree.find(path) {
            Some(node) if self.tree.is_dir(node) => self.request_listing(node, true),
            _ => self.look(path, true, now, platform),
        }
    }

    pub(super) fn pump_listings(&mut self, now: Now, platform: &mut impl Platform) {
        while let Some(&dir) = self.to_list.front() {
            let Some(path) = self.tree.path(dir).filter(|_| self.dirs.contains_key(&dir)) else {
                self.to_list.pop_front();
                if let Some(info) = self.dirs.get_mut(&dir) {
                    // Renamed away: whoever brings it back asks again.
                    info.queued = false;
                    info.wanted = None;
                }
                continue;
            };
            let parent = match self.parent_of(dir) {
                None => self.outside.clone(),
                Some(parent) => match self.dirs.get(&parent) {
                    Some(info) => info.rules.clone(),
                    None => self.outside.clone(),
                },
            };
            // The order matters more than anything else here: a name made between the two calls is
            // reported by the watch, one made before them is seen by the listing.
            if !self.arm(dir, &path, now, platform) {
                continue;
            }
            crate::failpoint::pass("fp_add_watch_then_list");
            let job = ListJob {
                ticket: (dir, self.tree.generation(dir)),
                dir: platform.absolute(&path),
                name: self.tree.name(dir).to_vec(),
                parent,
                state_dir: self.settings.state_dir,
                every_kind: self.settings.witness,
            };
            if platform.list(job).is_err() {
                return;
            }
            self.to_list.pop_front();
            self.listing += 1;
            if let Some(info) = self.dirs.get_mut(&dir) {
                info.queued = false;
                info.running = Some(info.wanted.take().unwrap_or(false));
            }
        }
    }

    /// Set the watch. False when the directory turned out to be another one of the tree, moved.
    fn arm(&mut self, dir: NodeId, path: &[u8], now: Now, platform: &mut impl Platform) -> bool {
        if !self.settings.live || self.settings.poll_root {
            return true;
        }
        if platform.is_remote(path) {
            self.remote.insert(dir);
        } else {
            self.remote.remove(&dir);
        }
        if !self.settings.per_directory {
            return true;
        }
        let has_watch = self.dirs.get(&dir).is_some_and(|info| info.wd.is_some());
        if !has_watch && self.wds.len() >= self.settings.max_watches {
            self.unwatched.insert(dir);
            return true;
        }
        let mut watched = platform.watch(path);
        if watched == Err(WatchError::Limit) && self.release_outside(platform) {
            self.look_outside_soon();
            watched = platform.watch(path);
        }
        match watched {
            Ok(wd) => {
                // The descriptor is the identity of what is there now: it settles who is where.
                if let Some(&other) = self.wds.get(&wd)
                    && other != dir
                    && self.dirs.get(&other).is_some_and(|info| info.wd == Some(wd))
                {
                    return self.same_directory(dir, other, path, now, platform);
                }
                self.bind(dir, wd, platform);
            }
            Err(WatchError::Gone) => {}
            Err(WatchError::Denied) => {
                self.denied.insert(dir);
            }
            Err(WatchError::Limit | WatchError::TooLong) => {
                self.lose_watch(dir, platform);
            }
            Err(WatchError::Other(reason)) => {
                self.lose_watch(dir, platform);
                self.problems.insert(path.to_vec(), format!("cannot be watched: {reason}"));
            }
        }
        true
    }

    /// What is at the directory's path cannot be watched. A watch that it has is on what was there before: it
    /// would be taken for a sign of where this directory has gone.
    pub(super) fn lose_watch(&mut self, dir: NodeId, platform: &mut impl Platform) {
        self.unwatched.insert(dir);
        let Some(wd) = self.dirs.get_mut(&dir).and_then(|info| info.wd.take()) else { return };
        if self.wds.get(&wd) == Some(&dir) {
            self.wds.remove(&wd);
            platform.unwatch(wd);
        }
    }

    pub(super) fn bind(&mut self, dir: NodeId, wd: i32, platform: &mut impl Platform) {
        let Some(info) = self.dirs.get_mut(&dir) else { return };
        if let Some(old) = info.wd.replace(wd)
            && old != wd
        {
            // Another inode has this name now; the old one is watched no more.
            if self.wds.get(&old) == Some(&dir) {
                self.wds.remove(&old);
                platform.unwatch(old);
            }
        }
        self.wds.insert(wd, dir);
        self.unwatched.remove(&dir);
        self.denied.remove(&dir);
    }
}
