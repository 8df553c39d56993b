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
