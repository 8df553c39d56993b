//! The one comparison of a directory's listing with the tree, and what follows for each name.

use super::change::Cause;
use super::core::{Core, Platform};
use crate::clock::Now;
use crate::model::{Kind, Stat};
use crate::rules::Decision;
use crate::scan::{Entries, ListError, Listing};
use crate::tree::{NodeId, ROOT};

/// Names remembered for each directory that is being listed; beyond it, it is listed once more.
const MOST_IGNORED: usize = 256;

impl Core {
    pub(super) fn apply_listing(
        &mut self,
        listing: Listing,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let (dir, generation) = listing.ticket;
        if !self.tree.is_live(dir) || self.tree.generation(dir) != generation {
            return;
        }
        let Some(info) = self.dirs.get_mut(&dir) else { return };
        let recursive = info.running.take().unwrap_or(false);
        if info.wanted.is_some() && !info.queued {
            info.queued = true;
            self.to_list.push_back(dir);
        }
        let path = self.tree.path(dir).unwrap_or_default();
        match listing.entries {
            Ok(entries) => {
                if self.read_another(dir, &path, listing.identity, recursive, platform) {
                    return;
                }
                let Some(info) = self.dirs.get_mut(&dir) else { return };
                let external = listing.rules.external_files();
                // Below a directory that no watch tells about, its rules may have changed unnoticed.
                let recursive = recursive || info.listed && !info.rules.same_rules(&listing.rules);
                info.rules = listing.rules;
                info.listed = true;
                self.unlocked |= self.denied.remove(&dir) && self.has_recursive_watch();
                self.problems.remove(&path);
                for error in &listing.rule_errors {
                    self.problems.insert(path.clone(), error.to_string());
                }
                if dir == ROOT {
                    self.root_missing = false;
                } else {
                    let unseen = self.set_externals(dir, external, platform);
                    if unseen && self.settings.live {
                        self.request_listing(dir, false);
                    }
                }
                if listing.identity.1 != 0 {
                    self.tree.set_ino(dir, listing.identity.1);
                }
                crate::failpoint::pass("fp_list_then_descend");
                self.compare(dir, &entries, recursive, now, platform);
                self.look_at_ignored(dir, now, platform);
            }
            Err(ListError::Gone) => self.confirm_dir(dir, now, platform),
            Err(ListError::Denied) => {
                self.denied.insert(dir);
            }
            Err(ListError::TooLong) => {
                self.problems.insert(path, "its path is too long for this system".into());
            }
            Err(ListError::Other(reason)) => {
                self.problems.insert(path, format!("cannot be read: {reason}"));
            }
        }
    }

    /// True when the listing is of another inode than the node: the path changed hands on the way. The
    /// watch may be on the wrong one of the two, so watch and list again.
    fn read_another(
        &mut self,
        dir: NodeId,
        path: &[u8],
        identity: (u64, u64),
        recursive: bool,
        platform: &mut impl Platform,
    ) -> bool {
        let known = self.tree.ino(dir);
        if known == 0 || identity.1 == 0 || known == identity.1 {
            return false;
        }
        if platform.lstat(path).is_ok_and(|stat| stat.ino == identity.1) {
            self.tree.set_ino(dir, identity.1);
        } else {
            self.tree.set_ino(dir, 0);
        }
        self.request_listing(dir, recursive);
        true
    }

    /// The one comparison of disk and tree.
    fn compare(
        &mut self,
        dir: NodeId,
        entries: &Entries,
        recursive: bool,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let mut seen: hashbrown::HashSet<NodeId> = hashbrown::HashSet::with_capacity(entries.len());
        for (name, stat) in entries.iter() {
            if stat.kind == Kind::Dir {
                self.add_dir(dir, name, stat, recursive, now, platform);
                seen.extend(self.tree.child(dir, name));
                continue;
            }
            let node = match self.tree.child(dir, name) {
                Some(node) if self.tree.is_dir(node) => {
                    self.remove_subtree(node, platform);
                    None
                }
                found => found,
            };
            if let Some(node) = node {
                seen.insert(node);
                // In flight, it may be on its way out: as deleted, or as the old name of a rename.
                let handed_out = self.dirty.get(&node).is_some_and(|dirty| dirty.ticket.is_some());
                let same = self.tree.is_known(node) && self.tree.same_as_committed(node, stat);
                if same && !handed_out {
                    continue;
                }
                self.found(node, stat, now);
            } else if let Some(node) = self.add_node(dir, name, false, now) {
                seen.insert(node);
                self.found(node, stat, now);
            }
        }
        let unseen: Vec<NodeId> =
            self.tree.children(dir).filter(|child| !seen.contains(child)).collect();
        for child in unseen {
            let is_dir = self.tree.is_dir(child);
            let ignored = self.decide(dir, self.tree.name(child), is_dir) == Decision::Ignore;
            match (is_dir, ignored) {
                (true, true) => self.remove_subtree(child, platform),
                (true, false) => self.confirm_unseen(child, now, platform),
                // Ignored now, or gone, or made after the directory was read: decided when it is due, which
                // is not before the rule file that hides it, nor before a new name of it is found.
                (false, _) => self.mark(child, now, Cause::Scan, false),
            }
        }
    }

    /// A file that is not as committed, or not known at all.
    fn found(&mut self, node: NodeId, stat: &Stat, now: Now) {
        if self.is_adopting() {
            self.adopt(node, stat);
        } else if self.awaiting_rows && !self.tree.is_known(node) {
            // Its row, if it has one, says whether it is to be read.
            self.tree.set_stat(node, stat.size, stat.mtime_ns, stat.ctime_ns, stat.ino);
        } else {
            self.mark(node, now, Cause::Scan, !self.first_scan_done);
        }
    }

    /// A directory that a listing of its parent did not have.
    fn confirm_unseen(&mut self, dir: NodeId, now: Now, platform: &mut impl Platform) {
        let skipped = self.parent_of(dir).is_some_and(|parent| {
            self.dirs.get(&parent).is_some_and(|info| info.rules.is_skipped_repository())
        });
        if skipped {
            self.remove_subtree(dir, platform);
        } else {
            self.confirm_dir(dir, now, platform);
        }
    }

    /// A directory may be gone or may be another one: look.
    pub(super) fn confirm_dir(&mut self, dir: NodeId, now: Now, platform: &mut impl Platform) {
        if dir == ROOT {
            self.check_root(platform);
            return;
        }
        let Some(path) = self.tree.path(dir) else { return };
        match platform.lstat(&path) {
            Ok(stat) if stat.kind == Kind::Dir => self.request_listing(dir, true),
            Ok(stat) => {
                let (parent, name) = (self.parent_of(dir), self.tree.name(dir).to_vec());
                self.remove_subtree(dir, platform);
                if let Some(parent) = parent
                    && self.is_file(stat.kind)
                {
                    self.touch_child(parent, &name, now, Cause::Event);
                }
            }
            Err(ListError::Gone) => self.remove_subtree(dir, platform),
            Err(_) => {}
        }
    }

    /// A directory of that name is there, says a notification: watch and list it.
    pub(super) fn appear_dir(
        &mut self,
        parent: NodeId,
        name: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) {
        if self.decide(parent, name, true) == Decision::Ignore {
            self.note_ignored(parent, name);
            return;
        }
        let Some(mut path) = self.tree.path(parent) else { return };
        path = crate::names::join(&path, name);
        match platform.lstat(&path) {
            Ok(stat) if stat.kind == Kind::Dir => {
                if self.settings.state_dir != Some((stat.dev, stat.ino)) {
                    self.add_dir(parent, name, &stat, true, now, platform);
                }
            }
            Ok(stat) if self.is_file(stat.kind) => {
                self.touch_child(parent, name, now, Cause::Event);
            }
            _ => {
                if let Some(child) = self.tree.child(parent, name)
                    && self.tree.is_dir(child)
                {
                    self.remove_subtree(child, platform);
                }
            }
        }
    }

    /// Make sure that the directory is in the tree as this inode, and have it listed if it is new.
    fn add_dir(
        &mut self,
        parent: NodeId,
        name: &[u8],
        stat: &Stat,
        recursive: bool,
        now: Now,
        platform: &mut impl Platform,
    ) {
        if let Some(child) = self.tree.child(parent, name) {
            if self.tree.is_dir(child) {
                let known = self.tree.ino(child);
                let replaced = known != 0 && stat.ino != 0 && known != stat.ino;
                self.tree.set_ino(child, stat.ino);
                // It may stand here for a row of the index alone, which nobody has compared with the disk.
                let unseen = self.dirs.get(&child).is_some_and(|info| !info.listed);
                if recursive || replaced || unseen {
                    self.request_listing(child, true);
                }
                return;
            }
            self.drop_file(child, platform);
        }
        if let Some(moved) = self.moved_here(parent, stat, platform) {
            if let Some(left) = self.parent_of(moved) {
                // What is there instead may have been told while the tree still had this one there.
                self.request_listing(left, false);
            }
            let old_path = self.take_out(moved);
            self.put_moved(moved, parent, name, old_path, now);
            return;
        }
        let Some(node) = self.add_node(parent, name, true, now) else { return };
        self.tree.set_ino(node, stat.ino);
        self.new_dir_info(node);
        self.request_listing(node, true);
        self.tell_new_dir(node, stat, now);
    }

    /// A file's node goes, because something else has its name now; its row goes too.
    fn drop_file(&mut self, node: NodeId, platform: &mut impl Platform) {
        self.remove_subtree(node, platform);
    }

    pub(super) fn file_became_dir(&mut self, node: NodeId, now: Now, platform: &mut impl Platform) {
        let (parent, name) = (self.parent_of(node), self.tree.name(node).to_vec());
        self.drop_file(node, platform);
        // A sync under way has to wait for what is found below.
        self.rescans += 1;
        if let Some(parent) = parent {
            self.appear_dir(parent, &name, now, platform);
        }
    }

    /// A file of that name may have changed; a directory of that name must be gone.
    pub(super) fn touch_child(&mut self, parent: NodeId, name: &[u8], now: Now, cause: Cause) {
        let node = match self.tree.child(parent, name) {
            Some(node) if self.tree.is_dir(node) => return,
            Some(node) => Some(node),
            None if self.decide(parent, name, false) == Decision::Ignore => {
                self.note_ignored(parent, name);
                None
            }
            None => self.add_node(parent, name, false, now),
        };
        if let Some(node) = node {
            self.mark(node, now, cause, cause == Cause::Request);
        }
    }

    /// A name is ignored under rules that a listing under way may replace, and that listing may have read
    /// its directory before the name came: remember it until then.
    pub(super) fn note_ignored(&mut self, parent: NodeId, name: &[u8]) {
        if self.dirs.get(&parent).is_none_or(|info| info.running.is_none()) {
            return;
        }
        let names = self.ignored.entry(parent).or_default();
        if names.len() >= MOST_IGNORED {
            self.request_listing(parent, false);
        } else if !names.iter().any(|known| known == name) {
            names.push(name.to_vec());
        }
    }

    /// The rules of a directory are new: look at what the old ones ignored meanwhile.
    fn look_at_ignored(&mut self, dir: NodeId, now: Now, platform: &mut impl Platform) {
        for name in self.ignored.remove(&dir).unwrap_or_default() {
            if self.tree.child(dir, &name).is_none() {
                self.appear(dir, &name, now, platform);
            }
        }
    }

    pub(super) fn decide(&self, parent: NodeId, name: &[u8], dir: bool) -> Decision {
        self.dirs.get(&parent).map_or(Decision::Keep, |info| info.rules.decide(name, dir))
    }
}
