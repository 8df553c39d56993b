//! For a caller who watches and keeps no index (`currant.watch`): what the engine tells him besides files.
//!
//! The tree then stands for what he was told, not for rows: what the first scan finds is known from the
//! start, every change is known from when it was handed out, and directories, links and devices are told of
//! like files. He has no tree of his own, so a change of a whole subtree says what was known below.

use std::sync::mpsc::SyncSender;

use super::change::{Cause, ChangeKind};
use super::core::{Core, Platform};
use super::flight::{FlightKind, UNSEEN};
use super::limbo::rebase;
use crate::clock::Now;
use crate::model::{Kind, Stat};
use crate::names;
use crate::rules::Decision;
use crate::scan::ListError;
use crate::source::Mask;
use crate::tree::{NodeId, ROOT};

impl Core {
    /// Told of like a file.
    pub(super) fn is_file(&self, kind: Kind) -> bool {
        kind == Kind::File || (self.settings.witness && kind != Kind::Dir)
    }

    /// What is found is what was there before anything was to be told.
    pub(super) fn is_adopting(&self) -> bool {
        self.settings.witness && !self.first_scan_done
    }

    pub(super) fn adopt(&mut self, node: NodeId, stat: &Stat) {
        self.tree.set_known(node, true);
        self.tree.set_stat(node, stat.size, stat.mtime_ns, stat.ctime_ns, stat.ino);
    }

    /// Tell `done` when the first scan has ended.
    pub fn when_armed(&mut self, done: SyncSender<()>) {
        if self.first_scan_done {
            self.finished.push(done);
        } else {
            self.arming.push(done);
        }
    }

    /// A directory has come.
    pub(super) fn tell_new_dir(&mut self, dir: NodeId, stat: &Stat, now: Now) {
        if self.is_adopting() {
            self.adopt(dir, stat);
        } else {
            self.tell_dir(dir, now);
        }
    }

    /// A directory has come, or its attributes have changed.
    pub(super) fn tell_dir(&mut self, dir: NodeId, now: Now) {
        if self.settings.witness {
            self.mark(dir, now, Cause::Event, false);
        }
    }

    /// True for a file that was opened for writing and closed again as it was. After a write it is dirty; a
    /// store through a map is told by the closing alone, and shows in the times.
    pub(super) fn only_closed(
        &mut self,
        file: NodeId,
        mask: Mask,
        platform: &mut impl Platform,
    ) -> bool {
        let else_said = Mask::MODIFY | Mask::ATTRIB | Mask::CREATE | Mask::DELETE;
        if !self.settings.witness
            || !mask.has(Mask::CLOSE_WRITE)
            || mask.has(else_said | Mask::MOVED_FROM | Mask::MOVED_TO)
            || self.dirty.contains_key(&file)
        {
            return false;
        }
        let stat = self.tree.path(file).map(|path| platform.lstat(&path));
        matches!(stat, Some(Ok(stat)) if self.tree.same_as_committed(file, &stat))
    }

    /// Hand out a directory that is due.
    pub(super) fn fire_dir(
        &mut self,
        dir: NodeId,
        path: Vec<u8>,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let parent = self.parent_of(dir);
        let ignored =
            parent.is_some_and(|at| self.decide(at, self.tree.name(dir), true) == Decision::Ignore);
        let kind = if self.tree.is_known(dir) { ChangeKind::Modified } else { ChangeKind::Created };
        match platform.lstat(&path) {
            _ if ignored => self.remove_subtree(dir, platform),
            Ok(stat) if stat.kind == Kind::Dir => {
                self.launch(dir, kind, path, None, stat, platform);
            }
            Ok(_) | Err(ListError::Gone) if dir != ROOT => self.confirm_dir(dir, now, platform),
            Ok(_) | Err(ListError::Gone) => self.forget(dir),
            Err(_) => self.launch(dir, kind, path, None, UNSEEN, platform),
        }
    }

    /// The caller knows that it is there, or is about to learn it; and not that it is gone.
    fn is_told(&self, node: NodeId) -> bool {
        let ticket = self.dirty.get(&node).and_then(|dirty| dirty.ticket);
        match ticket.and_then(|ticket| self.flights.get(&ticket)).map(|flight| &flight.kind) {
            Some(FlightKind::File { deleted, old, .. }) => {
                !deleted && old.is_none_or(|(old, _)| old != node)
            }
            _ => self.tree.is_known(node),
        }
    }

    /// What the caller was told of below a directory, relative to it; nothing for one who keeps an index.
    pub(super) fn names_below(&self, top: NodeId) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        if !self.settings.witness {
            return found;
        }
        let mut todo = vec![(top, Vec::new())];
        while let Some((dir, prefix)) = todo.pop() {
            for child in self.tree.children(dir) {
                let path = names::join(&prefix, self.tree.name(child));
                if self.is_told(child) {
                    found.push(path.clone());
                }
                if self.tree.is_dir(child) {
                    todo.push((child, path));
                }
            }
        }
        found
    }

    /// What the caller was told of a subtree, itself included, under the path that it had.
    pub(super) fn told_under(&self, top: NodeId, path: &[u8]) -> Vec<Vec<u8>> {
        let mut told: Vec<Vec<u8>> =
            self.names_below(top).iter().map(|name| names::join(path, name)).collect();
        if self.settings.witness && self.is_told(top) {
            told.push(path.to_vec());
        }
        told
    }

    /// What was renamed away from below `top` and is not there again yet goes with it.
    pub(super) fn add_names_in_limbo(&self, top: &[u8], below: &mut Vec<Vec<u8>>) {
        if !self.settings.witness {
            return;
        }
        for limbo in self.limbo.values() {
            let Some(rest) = rebase(&limbo.old_path, top, b"").filter(|rest| !rest.is_empty())
            else {
                continue;
            };
            below.extend(self.told_under(limbo.node, &rest[1..]));
        }
    }

    /// The root itself is gone, and everything in it.
    pub(super) fn tell_root_gone(&mut self, platform: &mut impl Platform) {
        if !self.settings.witness {
            return;
        }
        let children: Vec<NodeId> = self.tree.children(ROOT).collect();
        for child in children {
            self.remove_subtree(child, platform);
        }
        self.forget(ROOT);
        if self.tree.is_known(ROOT) {
            self.tree.set_known(ROOT, false);
            self.push_op(Vec::new(), None, Cause::Event);
        }
    }

    /// The root is there (again).
    pub(super) fn tell_root_back(&mut self) {
        if self.settings.witness && !self.tree.is_known(ROOT) {
            self.mark(ROOT, self.latest, Cause::Event, false);
        }
    }
}
