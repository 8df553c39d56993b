//! Which keys have been quiet for long enough: the debouncer. No clock, no threads, no I/O.
//!
//! A key is due at `min(last + quiet, first + max_delay)`: when nothing was pushed for `quiet`, or at
//! the latest `max_delay` after the first push, so that a file that is written without pause is not
//! put off for ever.
//!
//! ```text
//! push ─▶ wheel: 32 slots of one tick ──slot passes, due?──▶ ready heap, oldest first ─▶ take_ready
//!            ▲            │ not yet: something was pushed since
//!            └────────────┘
//! ```
//!
//! Pushing a key that is pending already stores one number and moves nothing; its slot passes at the
//! old time and only then is it put where it belongs. That costs each key at most
//! `max_delay / quiet + 1` moves, however often it is pushed.
//!
//! Memory: 28 bytes per pending key and between 5.7 and 11.5 for the map from keys to entries.
//! What one burst took is given back when the debouncer becomes empty.

mod ready;
mod slab;
mod wheel;

use std::time::Duration;

use hashbrown::{HashTable, hash_table};

use crate::clock::Now;
use ready::ReadyHeap;
use slab::{Entry, Slab};
use wheel::Wheel;

/// A tick is this part of the quiet period...
const TICKS_PER_QUIET: u64 = 16;
/// ...but never shorter than this.
const MIN_TICK: u64 = 1_000_000;
/// The longest `max_delay`.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// A map of at most this many keys is kept when the debouncer becomes empty.
const KEPT_CAPACITY: usize = 4096;

/// Delays that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DelayError {
    /// A change cannot become due before its quiet period is over.
    #[error("the maximal delay ({max_delay:?}) is shorter than the quiet period ({quiet:?})")]
    MaxDelayTooShort {
        /// What was asked for.
        quiet: Duration,
        /// What was asked for.
        max_delay: Duration,
    },
    /// Offsets from the first push are kept in 32 bits.
    #[error("the maximal delay ({0:?}) is longer than a day")]
    MaxDelayTooLong(Duration),
}

/// A key that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// What was pushed.
    pub key: u32,
    /// When it was pushed first.
    pub first: Now,
    /// When it was pushed last: exact for a `max_delay` up to 2.1 s, otherwise rounded up by less than
    /// a 2^31st of it. No later than two `max_delay` after `first` is told apart.
    pub last: Now,
}

/// Keys that were pushed and are waiting to be quiet.
///
/// Time never goes back: a `now` before the latest one seen counts as that one.
#[derive(Debug)]
pub struct Debouncer {
    quiet: u64,
    max_delay: u64,
    /// Nanoseconds per unit of `Entry::last`.
    unit: u64,
    tick: u64,
    now: u64,
    serial: u32,
    slab: Slab,
    by_key: HashTable<u32>,
    wheel: Wheel,
    ready: ReadyHeap,
}

impl Debouncer {
    /// An empty debouncer. A `quiet` of zero makes every key due at once.
    ///
    /// # Errors
    /// When `max_delay` is shorter than `quiet`, or longer than a day.
    pub fn new(quiet: Now, max_delay: Now) -> Result<Self, DelayError> {
        if max_delay < quiet {
            return Err(DelayError::MaxDelayTooShort { quiet, max_delay });
        }
        if max_delay > LONGEST {
            return Err(DelayError::MaxDelayTooLong(max_delay));
        }
        let (quiet, max_delay) = (nanos(quiet), nanos(max_delay));
        // Two `max_delay` fit into 32 bits, so that what is past the cap cannot wrap to before it.
        let unit = max_delay.div_ceil(1 << 31).max(1);
        let tick = (quiet / TICKS_PER_QUIET).max(MIN_TICK);
        Ok(Self {
            quiet,
            max_delay,
            unit,
            tick,
            now: 0,
            serial: 0,
            slab: Slab::new(),
            by_key: HashTable::new(),
            // Rounding `last` up delays by less than one unit: a tick shorter by that much keeps the
            // promise of one tick.
            wheel: Wheel::new(tick - (unit - 1)),
            ready: ReadyHeap::new(),
        })
    }

    /// How late a key may come out of a [`Self::take_ready`] that is called often enough.
    #[must_use]
    pub fn tick(&self) -> Now {
        Duration::from_nanos(self.tick)
    }

    /// Note that something happened to `key`; true when it was not pending.
    pub fn push(&mut self, key: u32, now: Now) -> bool {
        let (at, new) = self.note(key, now);
        if new {
            self.place(at);
        }
        new
    }

    /// Like [`Self::push`], and the key is due at once; true when it was not pending.
    pub fn push_due(&mut self, key: u32, now: Now) -> bool {
        let (at, new) = self.note(key, now);
        if new {
            self.ready.push(&mut self.slab, at);
        } else if !self.slab[at].in_ready() {
            self.wheel.unlink(&mut self.slab, at);
            self.ready.push(&mut self.slab, at);
        }
        new
    }

    /// Make everything pending due.
    pub fn fire_all(&mut self, now: Now) {
        self.advance(now);
        self.wheel.pass(self.now);
        let slots = self.wheel.occupied();
        self.look_at(slots, |_| true);
    }

    /// Forget `key`; true when it was pending.
    pub fn remove(&mut self, key: u32) -> bool {
        let slab = &self.slab;
        let Ok(found) = self.by_key.find_entry(hash(key), |&at| slab[at].key == key) else {
            return false;
        };
        let (at, _) = found.remove();
        if self.slab[at].in_ready() {
            self.ready.remove(&mut self.slab, at);
        } else {
            self.wheel.unlink(&mut self.slab, at);
            self.slab.free(at);
        }
        self.settle();
        true
    }

    /// Whether `key` is pending.
    #[must_use]
    pub fn contains(&self, key: u32) -> bool {
        self.find(key).is_some()
    }

    /// How many keys are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Forget everything; returns how many keys were pending.
    pub fn clear(&mut self) -> usize {
        let count = self.len();
        self.by_key.clear();
        self.settle();
        count
    }

    /// When [`Self::take_ready`] should be called next: it may find nothing then, but whatever is due
    /// has been due for less than a tick. `None` when nothing is pending.
    #[must_use]
    pub fn deadline(&self) -> Option<Now> {
        let at = if self.ready.is_empty() { self.wheel.next_pass()? } else { self.now };
        Some(Duration::from_nanos(at))
    }

    /// Append up to `max` keys that are due to `out`, oldest first push first, and forget them. What
    /// is over `max` keeps its place in that order.
    pub fn take_ready(&mut self, now: Now, max: usize, out: &mut Vec<Ready>) {
        self.advance(now);
        let slots = self.wheel.pass(self.now);
        let now = self.now;
        self.look_at(slots, |due| due <= now);
        for _ in 0..max {
            let Some(at) = self.ready.pop(&mut self.slab) else { break };
            let Entry { key, first, last, .. } = self.slab[at];
            if let Ok(found) = self.by_key.find_entry(hash(key), |&other| other == at) {
                found.remove();
            }
            self.slab.free(at);
            let last = first.saturating_add(u64::from(last) * self.unit);
            let (first, last) = (Duration::from_nanos(first), Duration::from_nanos(last));
            out.push(Ready { key, first, last });
        }
        self.settle();
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.slab.bytes() + self.by_key.allocation_size()
    }

    fn advance(&mut self, now: Now) {
        self.now = self.now.max(nanos(now));
    }

    fn find(&self, key: u32) -> Option<u32> {
        self.by_key.find(hash(key), |&at| self.slab[at].key == key).copied()
    }

    /// The entry of `key`, pushed last at `now`, and whether it is new: then it is linked from nowhere.
    fn note(&mut self, key: u32, now: Now) -> (u32, bool) {
        self.advance(now);
        let slab = &self.slab;
        let same = |&at: &u32| slab[at].key == key;
        match self.by_key.entry(hash(key), same, |&at| hash(slab[at].key)) {
            hash_table::Entry::Occupied(found) => {
                let at = *found.get();
                let entry = &mut self.slab[at];
                let offset = (self.now - entry.first).div_ceil(self.unit);
                entry.last = u32::try_from(offset).unwrap_or(u32::MAX);
                (at, false)
            }
            hash_table::Entry::Vacant(place) => {
                let at = self.slab.insert(Entry::new(key, self.now, self.serial));
                self.serial = self.serial.wrapping_add(1);
                place.insert(at);
                (at, true)
            }
        }
    }

    fn due(&self, at: u32) -> u64 {
        let Entry { first, last, .. } = self.slab[at];
        let quiet_at = first.saturating_add(u64::from(last) * self.unit).saturating_add(self.quiet);
        quiet_at.min(first.saturating_add(self.max_delay))
    }

    fn place(&mut self, at: u32) {
        let due = self.due(at);
        if due <= self.now {
            self.ready.push(&mut self.slab, at);
            return;
        }
        if self.wheel.occupied() == 0 {
            // Catch up with an idle time, or the next deadline would lie in it.
            self.wheel.pass(self.now);
        }
        self.wheel.insert(&mut self.slab, at, due);
    }

    /// Move what `is_due` from these slots to the ready heap, and the rest to where it belongs.
    fn look_at(&mut self, mut slots: u32, is_due: impl Fn(u64) -> bool) {
        // Detached before anything is put back: what goes back may go into one of these slots.
        let mut lists = [slab::NIL; wheel::SLOTS as usize];
        let mut count = 0;
        while slots != 0 {
            lists[count] = self.wheel.detach(slots.trailing_zeros());
            count += 1;
            slots &= slots - 1;
        }
        for mut at in lists.into_iter().take(count) {
            while at != slab::NIL {
                let next = self.slab[at].next;
                let due = self.due(at);
                if is_due(due) {
                    self.ready.push(&mut self.slab, at);
                } else {
                    self.wheel.insert(&mut self.slab, at, due);
                }
                at = next;
            }
        }
    }

    /// When nothing is pending, give the memory of the last burst back.
    fn settle(&mut self) {
        if !self.by_key.is_empty() {
            return;
        }
        self.slab.reset();
        self.wheel.reset();
        self.ready.reset();
        if self.by_key.capacity() > KEPT_CAPACITY {
            self.by_key = HashTable::new();
        }
    }
}

/// Saturates after 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Keys are small and dense and nobody's enemy chooses them: one multiplication spreads them.
fn hash(key: u32) -> u64 {
    let product = u64::from(key).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 32)
}
