//! Where hints come from: what a source of change notifications must offer, and its vocabulary.
//!
//! A source only ever says "look there". It never says what happened: the engine asks the disk.

use std::path::Path;
use std::sync::Arc;

use crate::signal::Signal;

pub mod handover;
#[cfg(target_os = "linux")]
pub mod inotify;
#[cfg(any(not(target_os = "linux"), feature = "notify-source"))]
pub mod notify;
pub mod poll;
pub mod scripted;

/// The bits of a notification that the engine acts on; the values are those of inotify(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask(pub u32);

impl Mask {
    /// Contents written.
    pub const MODIFY: u32 = 0x2;
    /// Metadata changed.
    pub const ATTRIB: u32 = 0x4;
    /// A file opened for writing was closed.
    pub const CLOSE_WRITE: u32 = 0x8;
    /// A name went away by a rename.
    pub const MOVED_FROM: u32 = 0x40;
    /// A name came by a rename.
    pub const MOVED_TO: u32 = 0x80;
    /// A name was made.
    pub const CREATE: u32 = 0x100;
    /// A name was removed.
    pub const DELETE: u32 = 0x200;
    /// The watched directory itself was removed.
    pub const DELETE_SELF: u32 = 0x400;
    /// The watched directory itself was renamed.
    pub const MOVE_SELF: u32 = 0x800;
    /// Its file system was unmounted.
    pub const UNMOUNT: u32 = 0x2000;
    /// The kernel's queue was full: events were lost.
    pub const OVERFLOW: u32 = 0x4000;
    /// The watch is gone.
    pub const IGNORED: u32 = 0x8000;
    /// The name is a directory.
    pub const ISDIR: u32 = 0x4000_0000;

    /// True when any of these bits is set.
    #[must_use]
    pub fn has(self, bits: u32) -> bool {
        self.0 & bits != 0
    }
}

/// What a source hands to the engine, in the order in which it happened.
#[derive(Debug)]
pub enum Item {
    /// A raw inotify buffer, as read from the kernel.
    Buffer(Vec<u8>),
    /// One notification about `name` in the directory watched as `wd` (empty: the directory itself).
    Entry {
        /// Watch descriptor.
        wd: i32,
        /// What kind of hint.
        mask: Mask,
        /// Joins the two halves of a rename.
        cookie: u32,
        /// The name inside the directory.
        name: Vec<u8>,
    },
    /// Look at this path, relative to the root; with `subtree`, at everything below it too.
    Path {
        /// Relative to the root, `/` between components.
        path: Vec<u8>,
        /// Everything below may have changed.
        subtree: bool,
    },
    /// Something outside the tree that counts for it may have changed.
    Outside,
    /// Events were lost; only a scan of the whole root can tell what changed.
    Overflow,
    /// Everything that happened before [`Source::barrier`] was called has been handed over.
    Barrier(u64),
    /// The source cannot go on; the text says why.
    Failed(String),
}

/// Why a directory could not be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchError {
    /// It is not there (any more), or is not a directory.
    Gone,
    /// We may not read it.
    Denied,
    /// The kernel allows no more watches.
    Limit,
    /// Its path is too long for the kernel.
    TooLong,
    /// Anything else.
    Other(String),
}

/// What is to be told of a directory outside the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// That it goes, is renamed, or may not be entered any more.
    Itself,
    /// That, and what comes in it.
    Coming,
    /// All of that, and what goes or is written in it.
    Names,
}

/// A source of hints. All calls come from the engine's thread.
pub trait Source: Send {
    /// A short name for `status`.
    fn name(&self) -> &'static str;
    /// True when each directory needs its own watch; false when one covers the whole root.
    fn per_directory(&self) -> bool;
    /// Begin to deliver; `wake` is raised whenever [`Source::drain`] has something.
    fn start(&mut self, root: &Path, wake: Arc<Signal>) -> Result<(), WatchError>;
    /// Watch one directory (absolute path). Watching it again gives the descriptor it has.
    fn watch(&mut self, dir: &Path) -> Result<i32, WatchError>;
    /// Watch a directory outside the tree (absolute path). An error where the source does not tell of all that is
    /// to be `heard`.
    fn watch_outside(&mut self, _dir: &Path, _heard: Heard) -> Result<i32, WatchError> {
        Err(WatchError::Other("not with this source".into()))
    }
    /// Stop watching.
    fn unwatch(&mut self, wd: i32);
    /// Ask for an [`Item::Barrier`] after everything that has happened up to this call.
    fn barrier(&mut self, token: u64);
    /// Move what has arrived into `out`, without waiting.
    fn drain(&mut self, out: &mut Vec<Item>);
    /// Stop the source's threads.
    fn stop(&mut self);
}
