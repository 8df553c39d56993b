//! The bounded hand-over between threads: the engine to the workers, and back.
//!
//! Values go through a lock-free queue. The locks here are only for sleeping: a thread takes one when
//! it found nothing to do, and the other side takes one only to wake a thread that sleeps.
//!
//! Why no wake-up is lost (`tests/ring_model.rs` walks through every interleaving of this drawing, and
//! `tests/loom.rs` through those of this file, stale reads included):
//!
//! ```text
//! sleeper                                 waker
//! S1 lock                                 W1 change the queue
//! S2 sleepers += 1                        W2 fence
//! S3 fence                                W3 sleepers == 0? done
//! S4 try again; on success go to S6       W4 lock, unlock
//! S5 wait (unlocks, sleeps, locks)        W5 notify
//! S6 sleepers -= 1, unlock
//! ```
//!
//! By the two fences, S4 sees what W1 did or W3 sees what S2 did. In the second case the sleeper holds
//! the lock from S2 until it sleeps, so W4 waits until W5 can reach it.

use std::sync::PoisonError;
use std::time::Duration;

use crossbeam_utils::CachePadded;

use crate::clock::Clock;
use crate::sync::{
    ArrayQueue, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, fence,
};

/// A bounded queue for many producers and many consumers. When full it gives the value back: it never
/// drops one, and only the calls with a timeout wait.
///
/// Values of one producer come out in the order in which they went in.
#[derive(Debug)]
pub struct Ring<T> {
    queue: ArrayQueue<T>,
    closed: AtomicBool,
    not_empty: CachePadded<Gate>,
    not_full: CachePadded<Gate>,
}

impl<T> Ring<T> {
    /// A ring for `capacity` values, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            queue: ArrayQueue::new(capacity.max(1)),
            closed: AtomicBool::new(false),
            not_empty: CachePadded::new(Gate::default()),
            not_full: CachePadded::new(Gate::default()),
        }
    }

    /// Put a value in, without waiting.
    ///
    /// # Errors
    /// Gives the value back when the ring is full or closed.
    pub fn try_push(&self, value: T) -> Result<(), T> {
        if self.is_closed() {
            return Err(value);
        }
        self.queue.push(value)?;
        self.not_empty.wake_one();
        Ok(())
    }

    /// Put a value in, waiting for room up to `timeout`.
    ///
    /// # Errors
    /// Gives the value back when there was no room in time, or when the ring is or becomes closed.
    pub fn push_wait(&self, value: T, timeout: Duration) -> Result<(), T> {
        let mut value = match self.try_push(value) {
            Ok(()) => return Ok(()),
            Err(value) => Some(value),
        };
        self.not_full.wait(timeout, || {
            if self.is_closed() {
                return true;
            }
            value = value.take().and_then(|value| self.queue.push(value).err());
            value.is_none()
        });
        match value {
            Some(value) => Err(value),
            None => {
                self.not_empty.wake_one();
                Ok(())
            }
        }
    }

    /// Take the oldest value, without waiting. A closed ring still gives out what is in it.
    pub fn pop(&self) -> Option<T> {
        let value = self.queue.pop()?;
        self.not_full.wake_one();
        Some(value)
    }

    /// Take the oldest value, waiting for one up to `timeout`. `None` at the timeout, and at once when
    /// the ring is or becomes closed and empty.
    pub fn pop_timeout(&self, timeout: Duration) -> Option<T> {
        if let Some(value) = self.pop() {
            return Some(value);
        }
        let mut value = None;
        self.not_empty.wait(timeout, || {
            // In this order: what was pushed before the ring was closed must be found.
            let closed = self.is_closed();
            value = self.queue.pop();
            value.is_some() || closed
        });
        if value.is_some() {
            self.not_full.wake_one();
        }
        value
    }

    /// Wait up to `timeout` until there is something to take or the ring is closed; true when there is
    /// something, which another consumer may take first.
    pub fn wait(&self, timeout: Duration) -> bool {
        if self.queue.is_empty() {
            self.not_empty.wait(timeout, || self.is_closed() || !self.queue.is_empty());
        }
        if self.queue.is_empty() {
            return false;
        }
        // The wake-up may have come to us alone, and we take nothing: pass it on.
        self.not_empty.wake_one();
        true
    }

    /// Refuse every later push and wake everyone. A push that is under way at this moment may still
    /// succeed: who needs every value drains the ring after its producers have ended.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.not_empty.wake_all();
        self.not_full.wake_all();
    }

    /// Whether the ring was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// How many values are in it, at some moment during the call.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether it was empty, at some moment during the call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many values it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.queue.capacity()
    }
}

/// Where threads sleep until something changes. The header tells why this loses no wake-up.
#[derive(Debug, Default)]
struct Gate {
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    wakeup: Condvar,
}

impl Gate {
    /// Sleep until `done` says true or the time is over; `done` is asked once more at the end. It is
    /// called under this gate's lock, so it must not wake anyone: two gates, two orders, a deadlock.
    fn wait(&self, timeout: Duration, mut done: impl FnMut() -> bool) {
        if timeout.is_zero() {
            done();
            return;
        }
        let clock = Clock::start();
        let mut guard = self.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        while !done() {
            let Some(left) = timeout.checked_sub(clock.now()).filter(|left| !left.is_zero()) else {
                break;
            };
            guard = match self.wakeup.wait_timeout(guard, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        drop(guard);
    }

    /// Wake one sleeper, if there is any, after the change it sleeps for.
    fn wake_one(&self) {
        if self.has_sleepers() {
            drop(self.lock());
            self.wakeup.notify_one();
        }
    }

    /// Wake every sleeper, after the change they sleep for.
    fn wake_all(&self) {
        if self.has_sleepers() {
            drop(self.lock());
            self.wakeup.notify_all();
        }
    }

    fn has_sleepers(&self) -> bool {
        fence(Ordering::SeqCst);
        self.sleepers.load(Ordering::SeqCst) > 0
    }

    /// The lock guards no data, so that a panic of another thread leaves nothing broken behind.
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
