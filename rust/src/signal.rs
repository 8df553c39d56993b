//! A wake-up: how a thread sleeps until there is something to do or a time has come.
//!
//! A lock is taken only to sleep and to wake a sleeper, never on the path of the data.

use std::sync::PoisonError;
use std::time::Duration;

use crate::clock::Clock;
use crate::sync::{AtomicBool, Condvar, Mutex, Ordering};

/// A sticky flag that one thread waits for and any thread sets.
#[derive(Debug, Default)]
pub struct Signal {
    raised: AtomicBool,
    sleeper: Mutex<()>,
    wake: Condvar,
}

impl Signal {
    /// Wake the waiter now, or make its next wait return at once.
    pub fn raise(&self) {
        if !self.raised.swap(true, Ordering::SeqCst) {
            // Taking the lock orders this against a waiter between its check and its sleep.
            drop(self.sleeper.lock().unwrap_or_else(PoisonError::into_inner));
            self.wake.notify_all();
        }
    }

    /// Sleep until raised or until the timeout; true (and lowered again) if it was raised.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        if self.raised.swap(false, Ordering::SeqCst) {
            return true;
        }
        if timeout == Some(Duration::ZERO) {
            return false;
        }
        let clock = Clock::start();
        let mut guard = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.raised.load(Ordering::SeqCst) {
            let left = timeout.map(|timeout| timeout.saturating_sub(clock.now()));
            guard = match left {
                Some(Duration::ZERO) => break,
                Some(left) => match self.wake.wait_timeout(guard, left) {
                    Ok((guard, _)) => guard,
                    Err(poisoned) => poisoned.into_inner().0,
                },
                None => self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner),
            };
        }
        drop(guard);
        self.raised.swap(false, Ordering::SeqCst)
    }
}
