//! A wake-up: how a thread sleeps until there is something to do or a time has come.
//!
//! A lock is taken only to sleep and to wake a sleeper, never on the path of the data.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

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
        let guard = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner);
        let down = |_: &mut ()| !self.raised.load(Ordering::SeqCst);
        match timeout {
            Some(timeout) => {
                drop(self.wake.wait_timeout_while(guard, timeout, down));
            }
            None => drop(self.wake.wait_while(guard, down)),
        }
        self.raised.swap(false, Ordering::SeqCst)
    }
}
