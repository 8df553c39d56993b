//! What comes back: a ticket's outcome changes the tree, and queues what changed meanwhile.

use super::change::{Ack, Cause, Outcome};
use super::core::Core;
use super::flight::{Dirty, Failed, FlightKind, Retry};
use crate::clock::Now;
use crate::model::Stat;
use crate::tree::NodeId;

/// What was taken note of is done, as it was when it was handed out.
fn as_seen(ack: &Ack, seen: &Stat) -> Ack {
    if ack.outcome != Outcome::Seen {
        return *ack;
    }
    Ack {
        ticket: ack.ticket,
        outcome: Outcome::Done,
        size: seen.size,
        mtime_ns: seen.mtime_ns,
        ctime_ns: seen.ctime_ns,
        ino: seen.ino,
    }
}

impl Core {
    pub(super) fn acknowledge_one(&mut self, ack: &Ack, now: Now) {
        let Some(flight) = self.flights.remove(&ack.ticket) else { return };
        self.uncount(flight.epoch);
        match flight.kind {
            FlightKind::Op(op) => {
                self.ops_in_flight -= 1;
                if matches!(ack.outcome, Outcome::Done | Outcome::Gone | Outcome::Seen) {
                    self.counters.committed += 1;
                } else {
                    // Not committed: it is first again.
                    self.count(op.epoch);
                    self.ops.push_front(op);
                }
            }
            FlightKind::File { node, old, deleted, seen } => {
                let ack = &as_seen(ack, &seen);
                self.land(node, ack, deleted, flight.epoch, now);
                if let Some(old) = old {
                    self.land_old_name(old, ack, flight.epoch, now);
                }
            }
        }
    }

    /// The node's dirty state after its ticket came back, if the node is still the one that left.
    fn landed(&mut self, (node, generation): (NodeId, u16), ticket: u64) -> Option<Dirty> {
        let same = self.tree.is_live(node)
            && self.tree.generation(node) == generation
            && self.dirty.get(&node).is_some_and(|dirty| dirty.ticket == Some(ticket));
        if same { self.dirty.remove(&node) } else { None }
    }

    fn land(&mut self, at: (NodeId, u16), ack: &Ack, deleted: bool, epoch: u64, now: Now) {
        let Some(dirty) = self.landed(at, ack.ticket) else { return };
        let node = at.0;
        let mut queue = dirty.again;
        match ack.outcome {
            Outcome::Again => {
                if let Some((epoch, _)) = queue {
                    self.uncount(epoch);
                }
                self.requeue(node, epoch, dirty.cause, now);
                return;
            }
            Outcome::Gone | Outcome::Done if deleted || ack.outcome == Outcome::Gone => {
                self.counters.committed += 1;
                self.tree.set_known(node, false);
                self.tree.set_ino(node, 0);
                self.failed.remove(&node);
            }
            Outcome::Done | Outcome::Gone | Outcome::Seen => {
                self.counters.committed += 1;
                self.tree.set_known(node, true);
                self.tree.set_stat(node, ack.size, ack.mtime_ns, ack.ctime_ns, ack.ino);
                self.failed.remove(&node);
                self.mark_hard_links(node, ack, epoch, now);
            }
            Outcome::Failed(retry) => {
                self.counters.committed += 1;
                self.tree.set_known(node, true);
                self.tree.set_stat(node, ack.size, ack.mtime_ns, ack.ctime_ns, ack.ino);
                self.failed.entry(node).or_insert(Failed { attempts: 0 }).attempts += 1;
                if let Some(after) = retry {
                    self.retries.push(Retry { due: now + after, node, generation: at.1 });
                }
            }
        }
        if let Some((epoch, cause)) = queue.take() {
            self.uncount(epoch);
            self.requeue_again(node, epoch, cause, now);
        } else if !self.tree.is_known(node) {
            self.failed.remove(&node);
            self.tree.remove(node);
        }
    }

    fn land_old_name(&mut self, at: (NodeId, u16), ack: &Ack, epoch: u64, now: Now) {
        let Some(dirty) = self.landed(at, ack.ticket) else { return };
        let node = at.0;
        if ack.outcome == Outcome::Done {
            self.tree.set_known(node, false);
            self.tree.set_ino(node, 0);
            self.failed.remove(&node);
            match dirty.again {
                Some((epoch, cause)) => {
                    self.uncount(epoch);
                    self.requeue_again(node, epoch, cause, now);
                }
                None => self.tree.remove(node),
            }
        } else {
            // The rename was not committed: the old name has to be looked at for itself.
            if let Some((epoch, _)) = dirty.again {
                self.uncount(epoch);
            }
            if ack.outcome == Outcome::Again {
                self.requeue(node, epoch, dirty.cause, now);
            } else {
                self.requeue_again(node, epoch, dirty.cause, now);
            }
        }
    }

    /// A write through one name changes the others too, and only the name used is reported. A sync that
    /// waits for that name waits for the others as well.
    fn mark_hard_links(&mut self, node: NodeId, ack: &Ack, epoch: u64, now: Now) {
        let told_apart = !self.settings.witness;
        // Read in the moment of a change: its times say nothing, so it equals no other reading. Both are read
        // again after their quiet period, until one of them was read in a calmer moment.
        let racy = ack.ctime_ns < 0;
        let others: Vec<NodeId> = self
            .tree
            .by_ino(ack.ino)
            .filter(|&other| {
                let stat = self.tree.stat(other);
                other != node
                    && !self.tree.is_dir(other)
                    && self.tree.is_known(other)
                    // The change time too: size and modification time can be put back. A new name alone
                    // changes it as well; then the others are hashed once for nothing.
                    && (racy
                        || (stat.size, stat.mtime_ns) != (ack.size, ack.mtime_ns)
                        || (told_apart && stat.ctime_ns != ack.ctime_ns))
            })
            .collect();
        for other in others {
            self.mark_in_epoch(other, now, Cause::Event, !racy, epoch);
        }
    }
}
