//! What is dirty, what is handed out, what comes back.
//!
//! A node is clean, pending (in the debouncer) or in flight (handed out, its ticket not yet back). What
//! changes while in flight is remembered and queued again. Whole subtrees move or vanish by [`Op`]s: they
//! wait until nothing is in flight and nothing follows before they are committed, so that no row of an
//! old path can be written after the path has moved.

use std::cmp::Ordering;

use super::change::{Cause, Change, ChangeKind};
use super::core::{Core, Platform, VCS_HOLD, VCS_LOOK};
use crate::clock::Now;
use crate::model::{Kind, Stat};
use crate::rules::{Decision, is_rule_file};
use crate::tree::NodeId;

/// For what could not be looked at: equal to no file.
pub(super) const UNSEEN: Stat =
    Stat { kind: Kind::Other, size: 0, mtime_ns: 0, ctime_ns: -1, ino: 0, dev: 0 };

/// A dirty node.
#[derive(Debug)]
pub(super) struct Dirty {
    /// The ticket, when in flight.
    pub ticket: Option<u64>,
    /// The epoch in which it became dirty: a sync waits for its own and all earlier ones.
    pub epoch: u64,
    /// It became dirty again while in flight, in this epoch.
    pub again: Option<(u64, Cause)>,
    pub cause: Cause,
}

/// A path whose failure is committed.
#[derive(Debug)]
pub(super) struct Failed {
    pub attempts: u32,
}

/// When a failed path is due again. Ordered so that the earliest is the greatest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Retry {
    pub due: Now,
    pub node: NodeId,
    pub generation: u16,
}

impl Ord for Retry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.node, other.generation).cmp(&(self.due, self.node, self.generation))
    }
}

impl PartialOrd for Retry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A ticket that is out.
#[derive(Debug)]
pub(super) struct Flight {
    pub epoch: u64,
    pub kind: FlightKind,
}

#[derive(Debug)]
pub(super) enum FlightKind {
    /// A file; `old` is the node that it was renamed from.
    File {
        node: (NodeId, u16),
        old: Option<(NodeId, u16)>,
        deleted: bool,
        /// As it was when it was handed out.
        seen: Stat,
    },
    /// A whole subtree; nothing else is in flight but others of its kind.
    Op(Op),
}

/// A change to a whole subtree.
#[derive(Debug)]
pub(super) struct Op {
    pub epoch: u64,
    pub path: Vec<u8>,
    /// Where the subtree was; without it, the subtree is gone.
    pub old_path: Option<Vec<u8>>,
    pub cause: Cause,
    /// See [`Change::below`].
    pub below: Vec<Vec<u8>>,
}

impl Core {
    pub(super) fn count(&mut self, epoch: u64) {
        *self.epochs.entry(epoch).or_insert(0) += 1;
    }

    pub(super) fn uncount(&mut self, epoch: u64) {
        if let Some(count) = self.epochs.get_mut(&epoch) {
            *count -= 1;
            if *count == 0 {
                self.epochs.remove(&epoch);
            }
        }
    }

    /// A file may have changed: bring it up to date after its quiet period, or at once if `due`.
    pub(super) fn mark(&mut self, node: NodeId, now: Now, cause: Cause, due: bool) {
        self.mark_in_epoch(node, now, cause, due, self.epoch);
    }

    pub(super) fn mark_in_epoch(
        &mut self,
        node: NodeId,
        now: Now,
        cause: Cause,
        due: bool,
        epoch: u64,
    ) {
        if let Some(dirty) = self.dirty.get_mut(&node) {
            if dirty.ticket.is_some() {
                if dirty.again.is_none() {
                    dirty.again = Some((epoch, cause));
                    self.count(epoch);
                }
            } else if due {
                self.debouncer.push_due(node, now);
            } else {
                self.debouncer.push(node, now);
            }
            return;
        }
        let may_coarsen = matches!(cause, Cause::Event | Cause::Scan) && !self.tree.is_dir(node);
        if may_coarsen && self.dirty.len() >= self.settings.max_pending {
            self.coarsen(node);
            return;
        }
        self.dirty.insert(node, Dirty { ticket: None, epoch, again: None, cause });
        self.count(epoch);
        if due {
            self.debouncer.push_due(node, now);
        } else {
            self.debouncer.push(node, now);
        }
    }

    /// Too much is pending: remember the directory instead. Its listing will find the path again.
    fn coarsen(&mut self, node: NodeId) {
        let Some(parent) = self.parent_of(node) else { return };
        self.counters.coarsened += 1;
        self.dirty_dirs.insert(parent);
        if self.tree.is_known(node) {
            // A stat that equals the committed one would hide a change that kept size and times.
            let stat = self.tree.stat(node);
            self.tree.set_stat(node, stat.size, stat.mtime_ns, -1, stat.ino);
        } else {
            self.tree.remove(node);
        }
    }

    pub(super) fn requeue(&mut self, node: NodeId, epoch: u64, cause: Cause, now: Now) {
        self.dirty.insert(node, Dirty { ticket: None, epoch, again: None, cause });
        self.count(epoch);
        self.debouncer.push(node, now);
    }

    /// Queue what became dirty while it was in flight. A sync made everything due when it began to wait
    /// for that epoch, and this too, although it could not be handed out then.
    pub(super) fn requeue_again(&mut self, node: NodeId, epoch: u64, cause: Cause, now: Now) {
        self.requeue(node, epoch, cause, now);
        if self.is_awaited(epoch) {
            self.debouncer.push_due(node, now);
        }
    }

    /// Forget that a node is dirty, because it is about to be freed. A ticket that is out stays out.
    pub(super) fn forget(&mut self, node: NodeId) {
        if let Some(dirty) = self.dirty.remove(&node) {
            if dirty.ticket.is_none() {
                self.debouncer.remove(node);
                self.uncount(dirty.epoch);
            }
            if let Some((epoch, _)) = dirty.again {
                self.uncount(epoch);
            }
        }
        self.failed.remove(&node);
    }

    /// What was due while its directory was in limbo is due again, wherever it is by now.
    pub(super) fn recall_homeless(&mut self, now: Now) {
        for node in std::mem::take(&mut self.homeless) {
            if self.dirty.get(&node).is_some_and(|dirty| dirty.ticket.is_none()) {
                self.debouncer.push_due(node, now);
            }
        }
    }

    /// Queue a change of a whole subtree, behind everything that is in flight.
    pub(super) fn push_op(&mut self, path: Vec<u8>, old_path: Option<Vec<u8>>, cause: Cause) {
        self.push_op_with(path, old_path, Vec::new(), cause);
    }

    /// As `push_op`, saying what was known `below`, relative to the subtree.
    pub(super) fn push_op_with(
        &mut self,
        path: Vec<u8>,
        old_path: Option<Vec<u8>>,
        mut below: Vec<Vec<u8>>,
        cause: Cause,
    ) {
        self.add_names_in_limbo(old_path.as_deref().unwrap_or(&path), &mut below);
        self.follow_op(&path, old_path.as_deref());
        let epoch = self.epoch;
        self.count(epoch);
        self.ops.push_back(Op { epoch, path, old_path, cause, below });
    }

    /// Hand out what is due. Returns true if anything was handed out or dropped.
    pub(super) fn fire(&mut self, now: Now, platform: &mut impl Platform) -> bool {
        let queue = platform.places();
        self.queue_full = queue == 0;
        if self.queue_full || self.ops_in_flight > 0 || self.awaiting_rows {
            return false;
        }
        if !self.ops.is_empty() {
            return self.fire_ops(platform);
        }
        let room = self.settings.max_in_flight.saturating_sub(self.flights.len()).min(queue);
        if room == 0 || self.debouncer.is_empty() {
            return false;
        }
        if self.debouncer.deadline().is_none_or(|at| at > now) || self.waits_for_vcs(now, platform)
        {
            return false;
        }
        let mut ready = self.take_ready(now, room);
        if ready.is_empty() {
            self.put_ready(ready);
            return false;
        }
        // Rule files first, then oldest first as they came.
        ready.sort_by_key(|ready| !is_rule_file(self.tree.name(ready.key)));
        let mut absent = Vec::new();
        for item in &ready {
            if self.waits_for_op(item.key, now) {
                continue;
            }
            self.fire_present(item.key, now, platform, &mut absent);
        }
        platform.end_near();
        // What is gone comes last: a rename has taken its old name along by now.
        for node in absent {
            if !self.waits_for_op(node, now) {
                self.fire_absent(node, now, platform);
            }
        }
        self.put_ready(ready);
        true
    }

    /// Git may have ended while nothing was due: what it does next is held back for its own time.
    pub(super) fn note_vcs_end(&mut self, platform: &mut impl Platform) {
        if self.vcs_since.is_some() && !platform.vcs_busy() {
            self.vcs_since = None;
        }
    }

    /// While git works on the tree, what it leaves half done is not read: held back up to a limit, unless
    /// somebody waits for it.
    fn waits_for_vcs(&mut self, now: Now, platform: &mut impl Platform) -> bool {
        let awaited = !self.syncs.is_empty() || !self.path_syncs.is_empty();
        // Who keeps no index reads nothing, and gets what he asked for when he asked for it.
        let awaited = awaited || self.settings.witness;
        if !self.settings.live || !self.first_scan_done || awaited {
            self.note_vcs_end(platform);
            return false;
        }
        if self.vcs_since.is_some() && now < self.vcs_look {
            return true;
        }
        if !platform.vcs_busy() {
            self.vcs_since = None;
            return false;
        }
        let since = *self.vcs_since.get_or_insert(now);
        let holds = now.saturating_sub(since) < VCS_HOLD;
        if holds {
            self.vcs_look = now + VCS_LOOK;
        }
        holds
    }

    /// A file that was due turned out to be a directory, so the rows below its name are about to be removed:
    /// what was due with it may lie there by now, and is handed out after that.
    fn waits_for_op(&mut self, node: NodeId, now: Now) -> bool {
        let waits = !self.ops.is_empty();
        if waits && self.dirty.get(&node).is_some_and(|dirty| dirty.ticket.is_none()) {
            self.debouncer.push_due(node, now);
        }
        waits
    }

    /// Hand out the first change of a subtree, or all the removals at the front: those neither depend on
    /// one another nor on their order.
    fn fire_ops(&mut self, platform: &mut impl Platform) -> bool {
        if !self.flights.is_empty() {
            return false;
        }
        while let Some(op) = self.ops.front() {
            let moves = op.old_path.is_some();
            if self.ops_in_flight > 0
                && (moves
                    || self.flights.len() >= self.settings.max_in_flight
                    || platform.places() == 0)
            {
                break;
            }
            let Some(op) = self.ops.pop_front() else { break };
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            self.counters.emitted += 1;
            self.ops_in_flight += 1;
            platform.emit(Change {
                ticket,
                kind: if moves { ChangeKind::Renamed } else { ChangeKind::Deleted },
                path: op.path.clone(),
                old_path: op.old_path.clone(),
                is_dir: true,
                attempts: 0,
                cause: op.cause,
                below: op.below.clone(),
            });
            self.flights.insert(ticket, Flight { epoch: op.epoch, kind: FlightKind::Op(op) });
            if moves {
                break;
            }
        }
        true
    }

    fn fire_present(
        &mut self,
        node: NodeId,
        now: Now,
        platform: &mut impl Platform,
        absent: &mut Vec<NodeId>,
    ) {
        if self.dirty.get(&node).is_none_or(|dirty| dirty.ticket.is_some()) {
            return;
        }
        let Some(path) = self.tree.path(node) else {
            // Its directory was renamed away and may come back under another name. Not back to the
            // debouncer: without a quiet period it would be due again in this very turn, for ever.
            self.homeless.push(node);
            return;
        };
        if self.tree.is_dir(node) {
            self.fire_dir(node, path, now, platform);
            return;
        }
        if !self.is_kept(node) {
            absent.push(node);
            return;
        }
        match platform.lstat_near(&path) {
            Ok(stat) if self.is_file(stat.kind) => {
                let old = if self.tree.is_known(node) {
                    None
                } else {
                    self.renamed_from(node, &stat, platform)
                };
                let kind = match (&old, self.tree.is_known(node)) {
                    (Some(_), _) => ChangeKind::Renamed,
                    (None, true) => ChangeKind::Modified,
                    (None, false) => ChangeKind::Created,
                };
                self.launch(node, kind, path, old, stat, platform);
            }
            Ok(stat) if stat.kind == Kind::Dir => self.file_became_dir(node, now, platform),
            // Unreadable by us, perhaps for now: the worker's own error is the one to record.
            Err(crate::scan::ListError::Denied | crate::scan::ListError::Other(_)) => {
                let known = self.tree.is_known(node);
                let kind = if known { ChangeKind::Modified } else { ChangeKind::Created };
                self.launch(node, kind, path, None, UNSEEN, platform);
            }
            Ok(_) | Err(_) => absent.push(node),
        }
    }

    fn fire_absent(&mut self, node: NodeId, _now: Now, platform: &mut impl Platform) {
        if self.dirty.get(&node).is_none_or(|dirty| dirty.ticket.is_some()) {
            return;
        }
        if self.tree.is_known(node) {
            let Some(path) = self.tree.path(node) else { return };
            self.launch(node, ChangeKind::Deleted, path, None, UNSEEN, platform);
            return;
        }
        // A file made without a name (O_TMPFILE) goes on reporting as "#inode" after it got one.
        let nameless = self.tree.name(node).first() == Some(&b'#');
        let parent = self.parent_of(node);
        self.forget(node);
        self.tree.remove(node);
        if let Some(parent) = parent
            && nameless
        {
            self.rescans += 1;
            self.request_listing(parent, false);
        }
    }

    /// The rules are asked when a path is due, not when it became dirty: they may have changed since.
    fn is_kept(&self, node: NodeId) -> bool {
        self.parent_of(node).is_some_and(|parent| {
            self.dirs.get(&parent).is_some_and(|info| {
                info.rules.decide(self.tree.name(node), false) == Decision::Keep
            })
        })
    }

    /// The known file that this new name is, if its old name is gone: same inode, size and mtime.
    fn renamed_from(
        &mut self,
        node: NodeId,
        stat: &Stat,
        platform: &mut impl Platform,
    ) -> Option<NodeId> {
        let candidates: Vec<NodeId> = self
            .tree
            .by_ino(stat.ino)
            .filter(|&other| {
                let was = self.tree.stat(other);
                other != node
                    && !self.tree.is_dir(other)
                    && self.tree.is_known(other)
                    && was.size == stat.size
                    && was.mtime_ns == stat.mtime_ns
                    && self.dirty.get(&other).is_none_or(|dirty| dirty.ticket.is_none())
            })
            .collect();
        candidates.into_iter().find(|&other| {
            // Another file under the old name would mean that the old row is still wanted.
            self.tree
                .path(other)
                .is_some_and(|path| platform.lstat(&path) == Err(crate::scan::ListError::Gone))
        })
    }

    pub(super) fn launch(
        &mut self,
        node: NodeId,
        kind: ChangeKind,
        path: Vec<u8>,
        old: Option<NodeId>,
        seen: Stat,
        platform: &mut impl Platform,
    ) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let Some(dirty) = self.dirty.get_mut(&node) else { return };
        dirty.ticket = Some(ticket);
        let (mut epoch, cause) = (dirty.epoch, dirty.cause);
        let old_path = old.and_then(|old| self.tree.path(old));
        let old = old.map(|old| {
            // The old name is part of this change: whatever happens to it meanwhile is queued after.
            if let Some(was) = self.dirty.get_mut(&old) {
                self.debouncer.remove(old);
                was.ticket = Some(ticket);
                let was_epoch = was.epoch;
                self.uncount(was_epoch);
                self.uncount(epoch);
                epoch = epoch.min(was_epoch);
                self.count(epoch);
            } else {
                let fresh = Dirty { ticket: Some(ticket), epoch, again: None, cause };
                self.dirty.insert(old, fresh);
            }
            (old, self.tree.generation(old))
        });
        let node = (node, self.tree.generation(node));
        let deleted = kind == ChangeKind::Deleted;
        let kind_of_flight = FlightKind::File { node, old, deleted, seen };
        self.flights.insert(ticket, Flight { epoch, kind: kind_of_flight });
        self.counters.emitted += 1;
        let attempts = self.failed.get(&node.0).map_or(0, |failed| failed.attempts);
        let below = Vec::new();
        platform.emit(Change {
            ticket,
            kind,
            path,
            old_path,
            is_dir: false,
            attempts,
            cause,
            below,
        });
    }

    /// Forget everything that waits; the next scan of the root finds it again. Returns how many.
    pub fn clear(&mut self) -> usize {
        let waiting: Vec<NodeId> = self
            .dirty
            .iter()
            .filter(|(_, dirty)| dirty.ticket.is_none())
            .map(|(&node, _)| node)
            .collect();
        for &node in &waiting {
            if let Some(dirty) = self.dirty.remove(&node) {
                self.uncount(dirty.epoch);
            }
            if self.tree.is_known(node) {
                let stat = self.tree.stat(node);
                self.tree.set_stat(node, stat.size, stat.mtime_ns, -1, stat.ino);
            }
        }
        self.debouncer.clear();
        self.cleared |= !waiting.is_empty();
        waiting.len()
    }

    /// Make everything that waits due now.
    pub fn flush(&mut self, now: Now) {
        self.debouncer.fire_all(now);
    }
}
