//! The native core of Currant, in the order in which a change travels through it:
//!
//! ```text
//! kernel -> source -> engine { tree, rules, debounce } -> ring == GIL ==> Python workers
//!              ^          |  ^
//!   watches ---+          |  +-- scan(subtree) <- overflow, new directory, rule edit, start, audit
//! ```
//!
//! Everything here builds and tests without Python; only `python.rs` knows PyO3.

pub mod clock;
#[cfg(target_os = "linux")]
pub mod content;
pub mod debounce;
pub mod engine;
pub mod failpoint;
pub mod fuzz;
pub mod model;
pub mod mounts;
pub mod names;
pub mod outline;
#[cfg(feature = "python")]
mod python;
pub mod record;
pub mod ring;
pub mod rules;
pub mod scan;
pub mod signal;
pub mod source;
mod sync;
pub mod tree;
