//! The only place that asks the machine for the time.
//!
//! Deciding code takes [`Now`]; it is an offset from the start of the engine, so that a test can
//! construct it and a log can print it.

use std::time::Duration;

/// Monotonic time since the start of the engine.
pub type Now = Duration;

/// A monotonic clock that starts at zero.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: std::time::Instant,
}

impl Clock {
    /// A clock that reads zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    #[must_use]
    pub fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    /// The time since [`Clock::start`].
    #[must_use]
    pub fn now(&self) -> Now {
        self.start.elapsed()
    }
}

/// The time that this thread has spent computing, from zero: for budgets that must not depend on what else the
/// machine does. Where the platform does not tell, it is the time that went by.
#[derive(Debug, Clone, Copy)]
pub struct ThreadTime {
    start: Now,
    #[cfg(not(target_os = "linux"))]
    clock: Clock,
}

impl ThreadTime {
    /// A clock that reads zero now.
    #[must_use]
    pub fn start() -> Self {
        let mut time = Self {
            start: Now::ZERO,
            #[cfg(not(target_os = "linux"))]
            clock: Clock::start(),
        };
        time.start = time.now();
        time
    }

    /// What this thread has spent since [`ThreadTime::start`], which the same thread must have called.
    #[must_use]
    pub fn now(&self) -> Now {
        #[cfg(target_os = "linux")]
        {
            use rustix::time::{ClockId, clock_gettime};
            let now = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime));
            now.unwrap_or_default().saturating_sub(self.start)
        }
        #[cfg(not(target_os = "linux"))]
        {
            self.clock.now().saturating_sub(self.start)
        }
    }
}
