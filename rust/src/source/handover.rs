//! How a reading thread hands what it read to the engine: a bounded queue, a flag for what was lost, and
//! barriers. Knows neither inotify nor descriptors, so that `tests/loom.rs` can run both sides of it.
//!
//! Two things hold, whatever the order of steps:
//!
//! - Bytes that were added come out of [`Handover::drain`], or [`Item::Overflow`] does.
//! - A barrier comes out after everything that was added before it was answered, or together with the
//!   overflow that stands for it: the engine acts on all that one drain gave before it looks whether a
//!   sync may go on.

use crate::signal::Signal;
use crate::sync::{ArrayQueue, AtomicBool, AtomicU64, Ordering};

use super::Item;

/// What both sides share.
#[derive(Debug)]
pub struct Handover {
    ring: ArrayQueue<Item>,
    overflowed: AtomicBool,
    outside: AtomicBool,
    asked: AtomicU64,
}

impl Handover {
    /// Room for this many items, at least one.
    #[must_use]
    pub fn new(items: usize) -> Self {
        Self {
            ring: ArrayQueue::new(items.max(1)),
            overflowed: AtomicBool::new(false),
            outside: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        }
    }

    /// The engine: ask for a barrier after everything that has happened up to now. Tokens ascend, and a
    /// later one also stands for those before it.
    pub fn ask(&self, token: u64) {
        self.asked.store(token, Ordering::SeqCst);
    }

    /// The engine: move what has arrived into `out`. What was lost is told after what was not.
    pub fn drain(&self, out: &mut Vec<Item>) {
        while let Some(item) = self.ring.pop() {
            out.push(item);
        }
        if self.overflowed.swap(false, Ordering::SeqCst) {
            out.push(Item::Overflow);
        }
        if self.outside.swap(false, Ordering::SeqCst) {
            out.push(Item::Outside);
        }
    }

    /// The reader: the barrier last asked for, 0 at first. To be loaded before the kernel's queue is read:
    /// what happened before the barrier was asked for is then read before it is answered.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// The reader: something outside the tree may have changed. A flag, for which there is always room.
    pub fn look_outside(&self, wake: &Signal) {
        self.outside.swap(true, Ordering::SeqCst);
        wake.raise();
    }

    /// The reader: it cannot go on. Displaces the oldest item if there is no room, which does no harm: a
    /// source that failed is replaced, and everything is listed again.
    pub fn fail(&self, reason: String, wake: &Signal) {
        let _ = self.ring.force_push(Item::Failed(reason));
        wake.raise();
    }
}

/// The reader's own side: what it read and could not hand over yet.
#[derive(Debug)]
pub struct Outbox {
    held: Vec<u8>,
    limit: usize,
    answered: u64,
}

impl Outbox {
    /// Holds up to `limit` bytes while there is no room; beyond that they are lost, and said to be.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { held: Vec::new(), limit, answered: 0 }
    }

    /// Whether there is something to hand over or to answer, so that the reader must come back soon.
    #[must_use]
    pub fn is_waiting(&self, to: &Handover) -> bool {
        !self.held.is_empty() || to.asked() != self.answered
    }

    /// Keep whole events as they were read; returns how many bytes are held now.
    pub fn add(&mut self, events: &[u8]) -> usize {
        self.held.extend_from_slice(events);
        self.held.len()
    }

    /// Give the engine what was read. Without room it stays held, and grows, up to the limit: beyond it,
    /// lost events are said to be lost, and the recovery is the same as for the kernel's own queue.
    pub fn give(&mut self, to: &Handover, wake: &Signal) {
        if self.held.is_empty() {
            return;
        }
        if let Err(Item::Buffer(back)) = to.ring.push(Item::Buffer(std::mem::take(&mut self.held)))
        {
            self.held = back;
            if self.held.len() > self.limit {
                self.held.clear();
                // Exchanged, as by the engine, so that the two have one order; loom does not give one to
                // a plain store and an exchange.
                to.overflowed.swap(true, Ordering::SeqCst);
            }
        }
        wake.raise();
    }

    /// Answer the barrier `asked`, loaded before the kernel's queue was read, unless something is held that
    /// must go first or there is no room; it is then tried again.
    pub fn answer(&mut self, asked: u64, to: &Handover, wake: &Signal) {
        if self.held.is_empty()
            && asked != self.answered
            && to.ring.push(Item::Barrier(asked)).is_ok()
        {
            self.answered = asked;
            wake.raise();
        }
    }
}
