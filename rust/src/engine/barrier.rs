//! When a sync is complete: everything written before the call is acknowledged, so committed.
//!
//! The source is drained to a barrier, then the scans that this caused are finished, then everything
//! pending is made due and stamped with an epoch; the sync ends when no path of its epoch, or of an
//! earlier one, is left. Paths that become dirty later belong to later epochs: another process that writes
//! without pause cannot hold a sync up. Lost events on the way begin the wait for scans again.

use std::sync::mpsc::SyncSender;

use super::core::{Core, Platform};
use crate::clock::Now;

/// Paths named to a caller whose sync was not complete in time.
const MOST_NAMED: usize = 20;

/// One sync under way.
pub(super) struct SyncState {
    id: u64,
    stage: Stage,
    /// The count of forced rescans when its epoch was stamped.
    rescans: u64,
    done: SyncSender<()>,
}

enum Stage {
    /// Until the source answers this token.
    Source(u64),
    /// Until no directory is being listed.
    Scans,
    /// Until no path of this epoch or an earlier one is dirty.
    Epoch(u64),
}

impl Core {
    /// Begin a sync; `done` gets a message when it is complete.
    pub fn begin_sync(
        &mut self,
        id: u64,
        done: SyncSender<()>,
        now: Now,
        platform: &mut impl Platform,
    ) {
        if self.settings.live {
            self.check_root(platform);
            self.check_externals(now, platform);
            self.check_mounts(now, platform);
            self.list_polled();
        }
        if self.cleared || self.settings.poll_root {
            self.request_root_scan(now);
        }
        let stage = if self.settings.live {
            let token = self.next_barrier;
            self.next_barrier += 1;
            platform.barrier(token);
            Stage::Source(token)
        } else {
            Stage::Scans
        };
        self.syncs.push(SyncState { id, stage, rescans: self.rescans, done });
    }

    /// The source is another one now: it was never asked for the barriers that are still awaited.
    pub(super) fn ask_barriers_again(&self, platform: &mut impl Platform) {
        for sync in &self.syncs {
            if let Stage::Source(token) = sync.stage {
                platform.barrier(token);
            }
        }
    }

    /// Wait for the scans that are under way or asked for, and for everything pending; not for the source.
    pub(super) fn begin_scan_sync(&mut self, id: u64, done: SyncSender<()>) {
        let rescans = self.rescans;
        self.syncs.push(SyncState { id, stage: Stage::Scans, rescans, done });
    }

    /// The caller waits no longer: some of the paths that it waited for.
    pub fn cancel_sync(&mut self, id: u64) -> Vec<Vec<u8>> {
        self.syncs.retain(|sync| sync.id != id);
        self.cancel_path_sync(id).unwrap_or_else(|| self.outstanding(MOST_NAMED))
    }

    /// True when a sync that made everything due waits for this epoch.
    pub(super) fn is_awaited(&self, epoch: u64) -> bool {
        !self.path_syncs.is_empty()
            || self
                .syncs
                .iter()
                .any(|sync| matches!(sync.stage, Stage::Epoch(last) if epoch <= last))
    }

    /// Tell those whose sync is complete: after the status was published, so that it agrees with them.
    pub fn release_syncs(&mut self) {
        for done in self.finished.drain(..) {
            // The caller may be gone; then there is nobody to tell.
            let _ = done.try_send(());
        }
    }

    /// Returns true if a sync made something due, so that the turn goes round once more.
    pub(super) fn advance_syncs(&mut self, now: Now, platform: &mut impl Platform) -> bool {
        let mut again = self.advance_path_syncs(now);
        let mut syncs = std::mem::take(&mut self.syncs);
        syncs.retain_mut(|sync| !self.advance(sync, now, &mut again, platform));
        self.syncs = syncs;
        again
    }

    /// True when the sync is complete.
    fn advance(
        &mut self,
        sync: &mut SyncState,
        now: Now,
        again: &mut bool,
        platform: &mut impl Platform,
    ) -> bool {
        loop {
            match sync.stage {
                Stage::Source(token) => {
                    if self.last_barrier < token {
                        return false;
                    }
                    // Both halves of a rename are queued inside the call that renames: a directory
                    // that was renamed away before the sync began has its other half by now, or none.
                    // By the order of the events: by the clock they may be read after it began.
                    self.expire_limbo(|limbo| limbo.after_barrier < token, platform);
                    sync.stage = Stage::Scans;
                }
                Stage::Scans => {
                    if self.scanning() || !self.first_scan_done || self.awaiting_rows {
                        return false;
                    }
                    if !self.dirty_dirs.is_empty() {
                        // They are listed when there is room for what they hold: make it.
                        if self.debouncer.deadline().is_some_and(|at| at > now) {
                            self.debouncer.fire_all(now);
                            *again = true;
                        }
                        return false;
                    }
                    crate::failpoint::pass("fp_sync_drained_then_fired");
                    if !self.debouncer.is_empty() {
                        self.debouncer.fire_all(now);
                        *again = true;
                    }
                    sync.rescans = self.rescans;
                    sync.stage = Stage::Epoch(self.epoch);
                    self.epoch += 1;
                }
                Stage::Epoch(epoch) => {
                    if sync.rescans != self.rescans {
                        sync.stage = Stage::Scans;
                        continue;
                    }
                    if self.epochs.first_key_value().is_some_and(|(&oldest, _)| oldest <= epoch) {
                        return false;
                    }
                    self.finished.push(sync.done.clone());
                    return true;
                }
            }
        }
    }
}
