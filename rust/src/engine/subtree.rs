//! Whole subtrees: found elsewhere, attached, freed. Their rows follow by one queued change.

use super::change::Cause;
use super::core::{Core, Platform};
use super::limbo::rebase;
use crate::clock::Now;
use crate::model::Stat;
use crate::tree::{NodeId, ROOT};

impl Core {
    /// The kernel says that `dir` is the inode of `other`: it moved here, or both names are its own.
    pub(super) fn same_directory(
        &mut self,
        dir: NodeId,
        other: NodeId,
        path: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) -> bool {
        let here = platform.lstat(path).map(|stat| (stat.dev, stat.ino));
        let there = self
            .tree
            .path(other)
            .and_then(|path| platform.lstat(&path).ok())
            .map(|stat| (stat.dev, stat.ino));
        if here.is_ok() && here.as_ref().ok() == there.as_ref() {
            // Two live names of one inode (a bind mount): one of them is polled.
            self.unwatched.insert(dir);
            return true;
        }
        let empty = self.tree.children(dir).next().is_none();
        if empty && dir != ROOT && other != ROOT && !self.tree.is_below(dir, other) {
            self.take_place(other, dir, now, platform);
            return false;
        }
        // Both have contents (an exchange): take the other one apart; the scan puts it together again.
        let parent = self.parent_of(other);
        if other != ROOT && !self.tree.is_below(dir, other) {
            self.remove_subtree(other, platform);
            match platform.watch(path) {
                Ok(wd) => self.bind(dir, wd, platform),
                Err(_) => self.lose_watch(dir, platform),
            }
            if let Some(parent) = parent {
                self.request_listing(parent, false);
            }
        } else {
            self.unwatched.insert(dir);
        }
        true
    }

    /// `moved` is found where `place` (which holds nothing yet) stands in the tree.
    fn take_place(&mut self, moved: NodeId, place: NodeId, now: Now, platform: &mut impl Platform) {
        let (Some(parent), name) = (self.parent_of(place), self.tree.name(place).to_vec()) else {
            return;
        };
        self.remove_subtree(place, platform);
        if let Some(left) = self.parent_of(moved) {
            // What is there instead may have been told while the tree still had this one there.
            self.request_listing(left, false);
        }
        let old_path = self.take_out(moved);
        self.put_moved(moved, parent, &name, old_path, now);
    }

    /// Attach a detached directory, and let its rows follow.
    pub(super) fn put_moved(
        &mut self,
        moved: NodeId,
        parent: NodeId,
        name: &[u8],
        old_path: Option<Vec<u8>>,
        now: Now,
    ) {
        let carried =
            old_path.as_deref().map(|old| self.told_under(moved, old)).unwrap_or_default();
        let vacated = self.vacate(parent, name, carried, now);
        if !self.tree.attach(moved, parent, name) {
            return;
        }
        // It comes from below a directory that had its place (`mv a b && mv b/c a`): its rows go with that
        // one's, and there is nothing left to rename.
        if let Some(old) = &old_path
            && vacated.iter().any(|place| rebase(old, place, place).is_some())
        {
            self.lose_rows(moved, now);
        }
        if let (Some(old_path), Some(path)) = (old_path, self.row_path(moved))
            && old_path != path
            && self.has_rows(moved)
        {
            self.counters.moved_dirs += 1;
            let below = self.names_below(moved);
            self.push_op_with(path, Some(old_path), below, Cause::Event);
        }
        // Rules depend on the path, so what they say below may be different now.
        self.request_listing(moved, true);
    }

    /// True when the index has, or is about to have, rows below this directory.
    pub(super) fn has_rows(&self, dir: NodeId) -> bool {
        if self.settings.witness && self.may_have_row(dir) {
            return true;
        }
        let mut todo = vec![dir];
        while let Some(node) = todo.pop() {
            for child in self.tree.children(node) {
                if self.tree.is_dir(child) {
                    todo.push(child);
                } else if self.may_have_row(child) {
                    return true;
                }
            }
        }
        false
    }

    pub(super) fn may_have_row(&self, file: NodeId) -> bool {
        self.tree.is_known(file)
            || self.dirty.get(&file).is_some_and(|dirty| dirty.ticket.is_some())
    }

    /// Free a subtree of the tree or of limbo, with its watches.
    pub(super) fn remove_subtree(&mut self, top: NodeId, platform: &mut impl Platform) {
        let path = self.row_path(top);
        let below = self.names_below(top);
        self.limbo.retain(|_, limbo| limbo.node != top);
        let mut order = vec![top];
        let mut at = 0;
        let mut rows = false;
        while let Some(&node) = order.get(at) {
            order.extend(self.tree.children(node));
            let has_row = self.settings.witness || !self.tree.is_dir(node);
            rows |= has_row && self.may_have_row(node);
            at += 1;
        }
        for &node in order.iter().rev() {
            self.forget(node);
            if let Some(info) = self.dirs.remove(&node) {
                if let Some(wd) = info.wd
                    && self.wds.get(&wd) == Some(&node)
                {
                    self.wds.remove(&wd);
                    platform.unwatch(wd);
                }
                self.unwatched.remove(&node);
                self.denied.remove(&node);
                self.remote.remove(&node);
                self.ignored.remove(&node);
                self.dirty_dirs.remove(&node);
            }
            self.tree.remove(node);
        }
        let Some(path) = path else { return };
        self.forget_problems(&path);
        if rows {
            self.push_op_with(path, None, below, Cause::Event);
        }
    }

    /// There is nothing at this path, nor below it, that could be in trouble any more.
    pub(super) fn forget_problems(&mut self, path: &[u8]) {
        if self.problems.is_empty() {
            return;
        }
        self.problems.remove(path);
        let below = [path, b"/"].concat();
        let found: Vec<Vec<u8>> = self
            .problems
            .range(below.clone()..)
            .map(|(path, _)| path.clone())
            .take_while(|path| path.starts_with(&below))
            .collect();
        for path in found {
            self.problems.remove(&path);
        }
    }

    /// The directory of the tree that is this inode and is no longer where the tree has it.
    pub(super) fn moved_here(
        &mut self,
        parent: NodeId,
        stat: &Stat,
        platform: &mut impl Platform,
    ) -> Option<NodeId> {
        let candidates: Vec<NodeId> = self
            .tree
            .by_ino(stat.ino)
            .filter(|&other| other != ROOT && self.tree.is_dir(other))
            .collect();
        candidates.into_iter().find(|&other| {
            // Without a path it is in limbo: renamed away, and nothing was said yet of where to.
            let gone = self
                .tree
                .path(other)
                .is_none_or(|path| !platform.lstat(&path).is_ok_and(|there| there.ino == stat.ino));
            gone && !self.tree.is_below(parent, other)
        })
    }
}
