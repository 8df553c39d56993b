//! What the engine hands out and takes back: plain values, no logic.

use std::time::Duration;

/// What happened to a path, derived from the disk and the tree, never from an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The index has no row for it yet.
    Created,
    /// The index has a row that may be out of date.
    Modified,
    /// It is not there any more, or is ignored now.
    Deleted,
    /// The same file (or directory) has another path now.
    Renamed,
}

impl ChangeKind {
    /// The name used in the index and by people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Modified => "modified",
            Self::Deleted => "deleted",
            Self::Renamed => "renamed",
        }
    }
}

/// What made a path dirty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A notification.
    Event,
    /// A scan found a difference.
    Scan,
    /// An earlier failure is due again.
    Retry,
    /// Somebody asked.
    Request,
}

impl Cause {
    /// The name used in the index and by people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Scan => "scan",
            Self::Retry => "retry",
            Self::Request => "request",
        }
    }
}

/// One path, or one whole subtree, to bring up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Give it back in the [`Ack`].
    pub ticket: u64,
    /// Created, modified, deleted or renamed.
    pub kind: ChangeKind,
    /// Relative to the root.
    pub path: Vec<u8>,
    /// Where it was, for a rename.
    pub old_path: Option<Vec<u8>>,
    /// The path itself and everything below it.
    pub is_dir: bool,
    /// How many times it failed before.
    pub attempts: u32,
    /// What made it dirty.
    pub cause: Cause,
    /// For a subtree and a caller without an index: what was known below it, relative to it.
    pub below: Vec<Vec<u8>>,
}

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Committed as the stat in the ack.
    Done,
    /// There is no such path; its row is gone.
    Gone,
    /// The failure is committed; try again after this time, or never.
    Failed(Option<Duration>),
    /// It changed while it was read: queue it again.
    Again,
    /// Taken note of, as it was when it was handed out; the ack's own stat is not looked at.
    Seen,
}

/// A ticket given back after the commit.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    /// From [`Change::ticket`].
    pub ticket: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes, as committed.
    pub size: u64,
    /// Modification time as committed, nanoseconds.
    pub mtime_ns: i64,
    /// Change time as committed, nanoseconds.
    pub ctime_ns: i64,
    /// Inode as committed.
    pub ino: u64,
}
