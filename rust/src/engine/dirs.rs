//! Directories: watch, then list, then compare with the tree. There is no second way in which the tree
//! learns of a path: start-up, new directories, lost events, rule edits and the poll tier all end here.

use super::change::Cause;
use super::core::{Core, External, Platform};
use super::limbo::rebase;
use crate::clock::Now;
use crate::model::{Kind, Stat};
use crate::rules::{Decision, DirRules};
use crate::scan::{Entries, ListError, ListJob, Listing};
use crate::source::WatchError;
use crate::tree::{NodeId, ROOT};

/// Names remembered for each directory that is being listed; beyond it, it is listed once more.
const MOST_IGNORED: usize = 256;

/// What the engine knows of a directory besides its node.
pub(super) struct DirInfo {
    pub wd: Option<i32>,
    /// The rules for its children; those of its parent until it was listed once.
    pub rules: DirRules,
    /// It was listed at least once.
    pub listed: bool,
    /// In the queue for listing.
    queued: bool,
    /// Handed to the scan threads; the flag says whether its directories follow.
    running: Option<bool>,
    /// To be listed (again); the flag says whether its directories follow.
    wanted: Option<bool>,
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
            let job = ListJob {
                ticket: (dir, self.tree.generation(dir)),
                dir: platform.absolute(&path),
                name: self.tree.name(dir).to_vec(),
                parent,
                state_dir: self.settings.state_dir,
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
        if !self.settings.live || !self.settings.per_directory {
            return true;
        }
        let has_watch = self.dirs.get(&dir).is_some_and(|info| info.wd.is_some());
        if !has_watch && self.wds.len() >= self.settings.max_watches {
            self.unwatched.insert(dir);
            return true;
        }
        match platform.watch(path) {
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
                self.unwatched.insert(dir);
            }
            Err(WatchError::Other(reason)) => {
                self.unwatched.insert(dir);
                self.problems.insert(path.to_vec(), format!("cannot be watched: {reason}"));
            }
        }
        true
    }

    fn bind(&mut self, dir: NodeId, wd: i32, platform: &mut impl Platform) {
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

    /// The kernel says that `dir` is the inode of `other`: it moved here, or both names are its own.
    fn same_directory(
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
            if let Ok(wd) = platform.watch(path) {
                self.bind(dir, wd, platform);
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
        let vacated = self.vacate(parent, name, now);
        if !self.tree.attach(moved, parent, name) {
            return;
        }
        // It comes from below the directory that had its place (`mv a b && mv b/c a`): its rows go with that
        // one's, and there is nothing left to rename.
        if let (Some(old), Some(place)) = (&old_path, &vacated)
            && rebase(old, place, place).is_some()
        {
            self.lose_rows(moved, now);
        }
        if let (Some(old_path), Some(path)) = (old_path, self.row_path(moved))
            && old_path != path
            && self.has_rows(moved)
        {
            self.counters.moved_dirs += 1;
            self.push_op(path, Some(old_path), Cause::Event);
        }
        // Rules depend on the path, so what they say below may be different now.
        self.request_listing(moved, true);
    }

    /// True when the index has, or is about to have, rows below this directory.
    pub(super) fn has_rows(&self, dir: NodeId) -> bool {
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

    fn may_have_row(&self, file: NodeId) -> bool {
        self.tree.is_known(file)
            || self.dirty.get(&file).is_some_and(|dirty| dirty.ticket.is_some())
    }

    /// Free a subtree of the tree or of limbo, with its watches.
    pub(super) fn remove_subtree(&mut self, top: NodeId, platform: &mut impl Platform) {
        let path = self.row_path(top);
        self.limbo.retain(|_, limbo| limbo.node != top);
        let mut order = vec![top];
        let mut at = 0;
        let mut rows = false;
        while let Some(&node) = order.get(at) {
            order.extend(self.tree.children(node));
            rows |= !self.tree.is_dir(node) && self.may_have_row(node);
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
                self.ignored.remove(&node);
                self.dirty_dirs.remove(&node);
            }
            self.tree.remove(node);
        }
        if let Some(path) = path
            && rows
        {
            self.push_op(path, None, Cause::Event);
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
                    && stat.kind == Kind::File
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
            Ok(stat) if stat.kind == Kind::File => {
                self.touch_child(parent, name, now, Cause::Event)
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
                if recursive || replaced {
                    self.request_listing(child, true);
                }
                return;
            }
            self.drop_file(child, platform);
        }
        if let Some(moved) = self.moved_here(parent, stat, platform) {
            let old_path = self.take_out(moved);
            self.put_moved(moved, parent, name, old_path, now);
            return;
        }
        let Some(node) = self.add_node(parent, name, true, now) else { return };
        self.tree.set_ino(node, stat.ino);
        self.new_dir_info(node);
        self.request_listing(node, true);
    }

    /// The directory of the tree that is this inode and is no longer where the tree has it.
    fn moved_here(
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
                info.rules = listing.rules;
                info.listed = true;
                self.denied.remove(&dir);
                self.problems.remove(&path);
                for error in &listing.rule_errors {
                    self.problems.insert(path.clone(), error.to_string());
                }
                if dir == ROOT {
                    self.root_missing = false;
                } else {
                    self.set_externals(dir, external, platform);
                }
                if listing.identity.1 != 0 {
                    self.tree.set_ino(dir, listing.identity.1);
                }
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
        if self.awaiting_rows && !self.tree.is_known(node) {
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

    /// Is the root still the directory that it was?
    pub(super) fn check_root(&mut self, platform: &mut impl Platform) {
        match platform.lstat(b"") {
            Ok(stat) if stat.kind == Kind::Dir => {
                let identity = (stat.dev, stat.ino);
                let replaced = self.root_identity.is_some_and(|known| known != identity);
                if replaced || self.root_missing {
                    self.root_missing = false;
                    self.rescans += 1;
                    self.request_listing(ROOT, true);
                }
                self.root_identity = Some(identity);
            }
            _ => self.root_missing = true,
        }
    }

    pub(super) fn set_root_externals(
        &mut self,
        files: Vec<std::path::PathBuf>,
        platform: &mut impl Platform,
    ) {
        self.set_externals(ROOT, files, platform);
    }

    fn set_externals(
        &mut self,
        dir: NodeId,
        files: Vec<std::path::PathBuf>,
        platform: &mut impl Platform,
    ) {
        if files.is_empty() && !self.externals.iter().any(|external| external.dir == dir) {
            return;
        }
        self.externals.retain(|external| external.dir != dir);
        let generation = self.tree.generation(dir);
        for path in files {
            let signature = platform.signature(&path);
            self.externals.push(External { path, signature, dir, generation });
        }
    }

    /// Rule files outside the tree are not watched but looked at: there are only a few.
    pub(super) fn check_externals(&mut self, now: Now, platform: &mut impl Platform) {
        let mut changed = Vec::new();
        let tree = &self.tree;
        self.externals.retain(|external| {
            tree.is_live(external.dir) && tree.generation(external.dir) == external.generation
        });
        for external in &mut self.externals {
            let signature = platform.signature(&external.path);
            if signature != external.signature {
                external.signature = signature;
                changed.push(external.dir);
            }
        }
        for dir in changed {
            if dir == ROOT {
                self.reload_rules(now, platform);
            } else {
                self.request_listing(dir, true);
            }
        }
    }

    /// Load the rules from outside the root again, and let a scan find what they hide and reveal.
    pub(super) fn reload_rules(&mut self, now: Now, platform: &mut impl Platform) {
        let (outside, files, problems) = platform.load_rules();
        self.outside = outside;
        self.note_rule_problems(&problems);
        self.set_root_externals(files, platform);
        self.request_root_scan(now);
    }

    pub(super) fn note_rule_problems(&mut self, problems: &[String]) {
        self.problems.retain(|path, _| !path.starts_with(b"(rules) "));
        for problem in problems {
            let key = [b"(rules) ", problem.as_bytes()].concat();
            self.problems.insert(key, problem.clone());
        }
    }
}
