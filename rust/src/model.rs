//! Vocabulary of the core: plain values, no logic and no I/O. Everything may import it.

/// What `lstat` says a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file: the only kind that is indexed.
    File,
    /// A directory: watched and descended into.
    Dir,
    /// A symbolic link: never followed.
    Symlink,
    /// A socket, pipe or device: never opened.
    Other,
}

/// The identity and version of a name on disk, as `lstat` reports them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Regular file, directory, link or other.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since the Unix epoch. Users can set it at will.
    pub mtime_ns: i64,
    /// Change time, nanoseconds since the Unix epoch. Only the kernel sets it.
    pub ctime_ns: i64,
    /// Inode number.
    pub ino: u64,
    /// Device number.
    pub dev: u64,
}
