//! What a notification marks. A notification never decides what happened; it only says where to look.
//! The table that this file follows is in the documentation: `docs/watching.md`.

use super::change::Cause;
use super::core::{Core, Platform};
use crate::clock::Now;
use crate::model::Kind;
use crate::rules::{Decision, is_rule_file};
use crate::source::{Item, Mask};
use crate::tree::{NodeId, ROOT};

impl Core {
    /// Take one item of the source in. A failed source is the shell's to replace.
    pub fn item(&mut self, item: Item, now: Now, platform: &mut impl Platform) {
        match item {
            Item::Buffer(bytes) => {
                #[cfg(target_os = "linux")]
                crate::source::inotify::decode_joined(&bytes, |wd, mask, cookie, name, count| {
                    self.counters.events += count;
                    self.entry(wd, mask, cookie, name, now, platform);
                });
                #[cfg(not(target_os = "linux"))]
                drop(bytes);
            }
            Item::Entry { wd, mask, cookie, name } => {
                self.counters.events += 1;
                self.entry(wd, mask, cookie, &name, now, platform);
            }
            Item::Path { path, subtree } => {
                self.counters.events += 1;
                if path.is_empty() {
                    if subtree {
                        self.request_root_scan(now);
                    }
                } else {
                    self.look(&path, subtree, now, platform);
                }
            }
            Item::Overflow => {
                // What tells of a new directory may be among what was lost.
                self.renew_recursive_watch(platform);
                self.overflow(now);
            }
            Item::Outside => self.look_outside_soon(),
            Item::Barrier(token) => self.last_barrier = self.last_barrier.max(token),
            Item::Failed(_) => {}
        }
    }

    fn entry(
        &mut self,
        wd: i32,
        mask: Mask,
        cookie: u32,
        name: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) {
        if mask.has(Mask::OVERFLOW) {
            self.overflow(now);
            return;
        }
        let Some(&dir) = self.wds.get(&wd) else {
            // Or an event for a watch that was removed, still queued from before: what it says is known.
            if self.outside_wds.contains(&wd) {
                self.look_outside_soon();
            }
            return;
        };
        if mask.has(Mask::IGNORED) {
            self.wds.remove(&wd);
            if let Some(info) = self.dirs.get_mut(&dir) {
                info.wd = None;
                // Usually the directory is gone, and its parent says so; if not, watch it again.
                self.confirm_dir(dir, now, platform);
            }
            return;
        }
        if mask.has(Mask::DELETE_SELF | Mask::MOVE_SELF) {
            if dir == ROOT {
                self.check_root(platform);
            }
            return;
        }
        if name.is_empty() {
            return;
        }
        if self.settings.rules && (name == b".git" || is_rule_file(name)) {
            self.rules_touched(dir, name, mask, now, platform);
        }
        if mask.has(Mask::ISDIR) {
            self.dir_entry(dir, mask, cookie, name, now, platform);
        } else {
            self.file_entry(dir, mask, name, now, platform);
        }
    }

    /// A rule file came, went or was edited, or a repository began or ended here.
    fn rules_touched(
        &mut self,
        dir: NodeId,
        name: &[u8],
        mask: Mask,
        now: Now,
        platform: &mut impl Platform,
    ) {
        if name == b".git" {
            let moved = Mask::CREATE | Mask::DELETE | Mask::MOVED_FROM | Mask::MOVED_TO;
            if !mask.has(moved | Mask::CLOSE_WRITE) {
                return;
            }
            if dir == ROOT {
                self.reload_rules(now, platform);
                return;
            }
        }
        self.request_listing(dir, true);
    }

    fn file_entry(
        &mut self,
        dir: NodeId,
        mask: Mask,
        name: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) {
        match self.tree.child(dir, name) {
            Some(child) if self.tree.is_dir(child) => self.confirm_dir(child, now, platform),
            Some(child) => {
                if self.only_closed(child, mask, platform) {
                    return;
                }
                self.mark(child, now, Cause::Event, false);
                if mask.has(Mask::MODIFY | Mask::CLOSE_WRITE) {
                    self.mark_other_names(child, now);
                }
            }
            None if mask.has(Mask::DELETE | Mask::MOVED_FROM) => self.gone_unlisted(dir),
            None => self.new_file(dir, name, now),
        }
    }

    /// A name went that the tree does not have. A listing that is on its way may have it from before, and a row
    /// of the index that comes later would be equal to what it says.
    fn gone_unlisted(&mut self, dir: NodeId) {
        if self.dirs.get(&dir).is_some_and(|info| info.running.is_some()) {
            self.request_listing(dir, false);
        }
    }

    /// A write through one name changes the file's other names too, and only the name used is reported. Known
    /// now, not when the name is looked at: by then it may be gone.
    fn mark_other_names(&mut self, file: NodeId, now: Now) {
        let others: Vec<NodeId> = self
            .tree
            .by_ino(self.tree.ino(file))
            .filter(|&other| other != file && !self.tree.is_dir(other))
            .collect();
        for other in others {
            self.mark(other, now, Cause::Event, false);
        }
    }

    fn new_file(&mut self, dir: NodeId, name: &[u8], now: Now) {
        if !self.dirs.get(&dir).is_some_and(|info| info.listed) {
            // Its rules are not loaded yet, and its listing may have been taken before the file came.
            self.request_listing(dir, false);
            return;
        }
        self.touch_child(dir, name, now, Cause::Event);
    }

    fn dir_entry(
        &mut self,
        parent: NodeId,
        mask: Mask,
        cookie: u32,
        name: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) {
        let child = self.tree.child(parent, name).filter(|&child| self.tree.is_dir(child));
        if mask.has(Mask::MOVED_FROM) {
            if let Some(child) = child {
                self.moved_away(parent, name, child, cookie, now, platform);
            }
        } else if mask.has(Mask::MOVED_TO) {
            self.arrived(parent, name, cookie, now, platform);
        } else if mask.has(Mask::CREATE) {
            self.appear_dir(parent, name, now, platform);
        } else if let Some(child) = child {
            // Deleted, or its permissions changed.
            if mask.has(Mask::ATTRIB) {
                self.tell_dir(child, now);
            }
            self.confirm_dir(child, now, platform);
        } else if mask.has(Mask::ATTRIB) {
            self.appear_dir(parent, name, now, platform);
        }
    }

    /// What is at a name of the tree now, if it is a directory.
    fn dir_at(
        &self,
        parent: NodeId,
        name: &[u8],
        platform: &mut impl Platform,
    ) -> Option<crate::model::Stat> {
        let path = crate::names::join(&self.tree.path(parent)?, name);
        platform.lstat(&path).ok().filter(|stat| stat.kind == Kind::Dir)
    }

    fn moved_away(
        &mut self,
        parent: NodeId,
        name: &[u8],
        node: NodeId,
        cookie: u32,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let there = self.dir_at(parent, name, platform);
        if there.is_some_and(|stat| stat.ino == self.tree.ino(node)) {
            // It came back since, or the event is about another directory that had this name.
            self.request_listing(node, true);
            return;
        }
        self.send_to_limbo(node, cookie, now);
        if there.is_some() {
            // Exchanged: the name was taken over in the same call.
            self.appear_dir(parent, name, now, platform);
        }
    }

    fn arrived(
        &mut self,
        parent: NodeId,
        name: &[u8],
        cookie: u32,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let moved = self.limbo.get(&cookie).map(|limbo| (limbo.node, limbo.generation));
        let arrived = moved.filter(|&(node, generation)| {
            let there = self.dir_at(parent, name, platform);
            self.is_same_node(node, generation)
                && self.tree.ino(node) != 0
                && there.is_some_and(|stat| stat.ino == self.tree.ino(node))
                && !self.tree.is_below(parent, node)
        });
        let Some((node, _)) = arrived else {
            // Renamed again since, or not one of ours: look at what is there now.
            self.appear_dir(parent, name, now, platform);
            return;
        };
        if self.decide(parent, name, true) == Decision::Ignore {
            self.note_ignored(parent, name);
            self.remove_subtree(node, platform);
            return;
        }
        if let Some(victim) = self.tree.child(parent, name) {
            self.remove_subtree(victim, platform);
        }
        let old_path = self.take_out(node);
        self.put_moved(node, parent, name, old_path, now);
    }

    fn is_same_node(&self, node: NodeId, generation: u16) -> bool {
        self.tree.is_live(node) && self.tree.generation(node) == generation
    }

    /// Look at one path of the tree, as a source that knows only paths asks for; and as `touch` does.
    pub(super) fn look(
        &mut self,
        path: &[u8],
        subtree: bool,
        now: Now,
        platform: &mut impl Platform,
    ) {
        let mut parent = ROOT;
        let mut parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).peekable();
        while let Some(name) = parts.next() {
            if self.settings.rules && (name == b".git" || is_rule_file(name)) {
                self.rules_touched(parent, name, Mask(Mask::CREATE), now, platform);
            }
            let child = self.tree.child(parent, name);
            if parts.peek().is_some() {
                match child {
                    Some(child) if self.tree.is_dir(child) => parent = child,
                    // Not known yet: its listing will find what is below.
                    _ => {
                        self.appear_dir(parent, name, now, platform);
                        return;
                    }
                }
                continue;
            }
            match child {
                Some(child) if self.tree.is_dir(child) => {
                    if subtree {
                        self.request_listing(child, true);
                    } else {
                        self.confirm_path(child, now, platform);
                    }
                }
                Some(child) => self.mark(child, now, Cause::Event, false),
                None => self.appear(parent, name, now, platform),
            }
        }
    }

    pub(super) fn appear(
        &mut self,
        parent: NodeId,
        name: &[u8],
        now: Now,
        platform: &mut impl Platform,
    ) {
        let path = self.tree.path(parent).map(|path| crate::names::join(&path, name));
        let stat = path.and_then(|path| platform.lstat(&path).ok());
        match stat.map(|stat| stat.kind) {
            Some(Kind::Dir) => self.appear_dir(parent, name, now, platform),
            Some(kind) if self.is_file(kind) => self.new_file(parent, name, now),
            // A file that was made without a name (O_TMPFILE) goes on reporting as "#inode".
            None if name.first() == Some(&b'#') => self.request_listing(parent, false),
            _ => {}
        }
    }

    /// A path-only source names a directory whenever a name in it changes: list it, not its subtree.
    fn confirm_path(&mut self, dir: NodeId, now: Now, platform: &mut impl Platform) {
        let there = self.tree.path(dir).map(|path| platform.lstat(&path));
        match there {
            Some(Ok(stat)) if stat.kind == Kind::Dir && stat.ino == self.tree.ino(dir) => {
                self.request_listing(dir, false);
            }
            _ => self.confirm_dir(dir, now, platform),
        }
    }

    /// Queue one path, due at once. False when it is not one that the index keeps.
    pub fn touch(&mut self, path: &[u8], now: Now) -> bool {
        let cut = memchr::memrchr(b'/', path);
        let (dir, name) = match cut {
            Some(cut) => (&path[..cut], &path[cut + 1..]),
            None => (&path[..0], path),
        };
        let Some(parent) = self.tree.find(dir).filter(|&node| self.tree.is_dir(node)) else {
            return false;
        };
        let is_dir = self.tree.child(parent, name).is_some_and(|child| self.tree.is_dir(child));
        if name.is_empty() || is_dir || self.decide(parent, name, false) == Decision::Ignore {
            return false;
        }
        self.touch_child(parent, name, now, Cause::Request);
        true
    }
}
