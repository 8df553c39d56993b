//! The small barrier: looks at the named paths and waits for nothing but them.
//!
//! It needs no word of the source: each path is compared with the tree at once, as a notification about it would
//! have it done. It says nothing of rules that were edited and not yet noticed; the whole barrier does.

use std::sync::mpsc::SyncSender;

use super::change::Cause;
use super::core::{Core, Platform};
use super::limbo::rebase;
use crate::clock::Now;
use crate::model::Kind;
use crate::rules::is_rule_file;
use crate::tree::ROOT;

/// A sync of single paths under way.
pub(super) struct PathSync {
    id: u64,
    /// Those that are not settled yet.
    wanted: Vec<Wanted>,
    done: SyncSender<()>,
}

struct Wanted {
    path: Vec<u8>,
    /// What became dirty later than this is not waited for; `None` until it was found dirty.
    epoch: Option<u64>,
}

impl Core {
    /// Begin a sync of these paths; `done` gets a message when it is complete. Of a directory or a rule file,
    /// everything that follows from it is waited for, and with it everything else that is pending.
    pub fn begin_path_sync(
        &mut self,
        id: u64,
        paths: Vec<Vec<u8>>,
        done: SyncSender<()>,
        now: Now,
        platform: &mut impl Platform,
    ) {
        self.check_root(platform);
        let mut whole = false;
        for path in &paths {
            whole |= self.look_now(path, now, platform);
        }
        if whole {
            self.begin_scan_sync(id, done);
            return;
        }
        let wanted = paths.into_iter().map(|path| Wanted { path, epoch: None }).collect();
        self.path_syncs.push(PathSync { id, wanted, done });
    }

    /// Look at one path. True when it stands for more than one file.
    fn look_now(&mut self, path: &[u8], now: Now, platform: &mut impl Platform) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let rules = name == b".git" || is_rule_file(name);
        let node = self.tree.find(path);
        if let Some(node) = node
            && !self.tree.is_dir(node)
            && !rules
        {
            let idle = self.tree.is_known(node) && !self.dirty.contains_key(&node);
            let same = platform.lstat(path).is_ok_and(|stat| {
                stat.kind == Kind::File && self.tree.same_as_committed(node, &stat)
            });
            if !idle || !same {
                self.mark(node, now, Cause::Request, false);
            }
            return false;
        }
        self.rescan(path, now, platform);
        if let Some(parent) = node.and_then(|node| self.parent_of(node)) {
            // The directory may turn out to be elsewhere by now, and something else to be here.
            self.request_listing(parent, false);
        }
        rules || path.is_empty() || self.tree.find(path).is_some_and(|node| self.tree.is_dir(node))
    }

    /// The caller waits no longer: which of its paths are not settled, if it was a sync of paths.
    pub(super) fn cancel_path_sync(&mut self, id: u64) -> Option<Vec<Vec<u8>>> {
        let at = self.path_syncs.iter().position(|sync| sync.id == id)?;
        let sync = self.path_syncs.swap_remove(at);
        Some(sync.wanted.into_iter().map(|wanted| wanted.path).collect())
    }

    /// Returns true if one of them made something due.
    pub(super) fn advance_path_syncs(&mut self, now: Now) -> bool {
        let mut again = false;
        let mut syncs = std::mem::take(&mut self.path_syncs);
        syncs.retain_mut(|sync| {
            sync.wanted.retain_mut(|wanted| !self.is_settled(wanted, now, &mut again));
            if sync.wanted.is_empty() {
                self.finished.push(sync.done.clone());
            }
            !sync.wanted.is_empty()
        });
        self.path_syncs = syncs;
        again
    }

    fn is_settled(&mut self, wanted: &mut Wanted, now: Now, again: &mut bool) -> bool {
        if self.root_missing {
            return true;
        }
        // Rows of what was renamed away may still be under this path.
        if self.awaiting_rows || !self.limbo.is_empty() || self.has_op_on(&wanted.path) {
            return false;
        }
        let mut node = ROOT;
        for name in wanted.path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let unlisted = self
                .dirs
                .get(&node)
                .is_some_and(|info| info.queued || info.running.is_some() || info.wanted.is_some());
            if unlisted || self.dirty_dirs.contains(&node) {
                return false;
            }
            match self.tree.child(node, name) {
                Some(child) => node = child,
                None => return true,
            }
        }
        let Some(dirty) = self.dirty.get(&node) else { return true };
        if let Some(epoch) = wanted.epoch {
            return dirty.epoch > epoch;
        }
        if dirty.ticket.is_none() {
            self.debouncer.push_due(node, now);
            *again = true;
        }
        wanted.epoch = Some(self.epoch);
        self.epoch += 1;
        false
    }

    /// A change of a subtree that holds this path, or held it, is not committed yet.
    fn has_op_on(&self, path: &[u8]) -> bool {
        let flying = self.flights.values().filter_map(|flight| match &flight.kind {
            super::flight::FlightKind::Op(op) => Some(op),
            super::flight::FlightKind::File { .. } => None,
        });
        self.ops.iter().chain(flying).any(|op| {
            let under = |top: &[u8]| rebase(path, top, top).is_some();
            under(&op.path) || op.old_path.as_deref().is_some_and(under)
        })
    }
}
