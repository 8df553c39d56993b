//! The primitives of which the hand-overs between threads are made: those of `std` and `crossbeam`, or,
//! with the feature `loom`, those of a model checker.
//!
//! `ring`, `signal` and `source::handover` take theirs from here, so that `tests/loom.rs` runs their own
//! code through every order of steps, and through every stale value that the memory model lets a load
//! return. Nothing else may: outside a model loom's primitives only panic.

#[cfg(not(feature = "loom"))]
mod real {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

    pub(crate) use crossbeam_queue::ArrayQueue;
}

#[cfg(not(feature = "loom"))]
pub(crate) use real::*;

#[cfg(feature = "loom")]
pub(crate) use model::*;

#[cfg(feature = "loom")]
mod model {
    use std::sync::PoisonError;

    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};

    const SLOT_BITS: usize = 8;
    const SLOT: usize = (1 << SLOT_BITS) - 1;

    /// A bounded queue with the guarantees of crossbeam's and no others. What is in it is one word that
    /// loom sees: the slots that are taken, oldest in the lowest byte, each plus one. "Full" and "empty"
    /// are found out as crossbeam does, by a relaxed load after a fence, and so may be stale without it.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        order: AtomicUsize,
        /// Exchanged by every operation without ordering anything: loom sees that the order of two
        /// operations matters only when both write, and would leave out interleavings of their loads.
        touched: AtomicUsize,
        capacity: usize,
        /// The values, invisible to loom: not touched before `order` says whose they are.
        slots: std::sync::Mutex<Vec<Option<T>>>,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            assert!(capacity < size_of::<usize>(), "a model has a small queue");
            let slots = std::sync::Mutex::new(Vec::new());
            Self { order: AtomicUsize::new(0), touched: AtomicUsize::new(0), capacity, slots }
        }

        fn slots(&self) -> std::sync::MutexGuard<'_, Vec<Option<T>>> {
            self.slots.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn push(&self, value: T) -> Result<(), T> {
            let slot = {
                let mut slots = self.slots();
                let free = slots.iter().position(Option::is_none).unwrap_or(slots.len());
                if free == slots.len() {
                    slots.push(None);
                }
                slots[free] = Some(value);
                free
            };
            self.touched.fetch_add(1, Ordering::Relaxed);
            let mut seen = self.order.load(Ordering::Relaxed);
            loop {
                if count(seen) == self.capacity {
                    fence(Ordering::SeqCst);
                    seen = self.order.load(Ordering::Relaxed);
                    if count(seen) == self.capacity {
                        return self.slots()[slot].take().map_or(Ok(()), Err);
                    }
                }
                let with = seen | (slot + 1) << (count(seen) * SLOT_BITS);
                match self.order.compare_exchange(seen, with, Ordering::SeqCst, Ordering::Relaxed) {
                    Ok(_) => return Ok(()),
                    Err(now) => seen = now,
                }
            }
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.touched.fetch_add(1, Ordering::Relaxed);
            let mut seen = self.order.load(Ordering::Relaxed);
            loop {
                if seen == 0 {
                    fence(Ordering::SeqCst);
                    seen = self.order.load(Ordering::Relaxed);
                    if seen == 0 {
                        return None;
                    }
                }
                let without = seen >> SLOT_BITS;
                match self.order.compare_exchange(
                    seen,
                    without,
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return self.slots()[(seen & SLOT) - 1].take(),
                    Err(now) => seen = now,
                }
            }
        }

        pub(crate) fn force_push(&self, value: T) -> Option<T> {
            let mut value = value;
            let mut out = None;
            while let Err(back) = self.push(value) {
                value = back;
                out = self.pop();
            }
            out
        }

        pub(crate) fn len(&self) -> usize {
            count(self.order.load(Ordering::SeqCst))
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.len() == 0
        }

        pub(crate) fn capacity(&self) -> usize {
            self.capacity
        }
    }

    fn count(order: usize) -> usize {
        (usize::BITS as usize - order.leading_zeros() as usize).div_ceil(SLOT_BITS)
    }
}
