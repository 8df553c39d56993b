//! The rules against git itself: every expectation here is what `git` answers on the same tree.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its tree has failed")]

mod hostile;
mod nested;
mod random;
mod real;
mod reloading;
mod support;
mod table;
mod trees;
