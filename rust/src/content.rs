//! Reads files below a directory, each in one go: opened without following a link, looked at before and after.
//!
//! Owns what is a state of a file that may be taken for its content. The hash, the limits of memory and what a
//! failure leads to are Python's (`currant.reading`), which has the same steps for the platforms and the tests
//! that need them one by one. Here they cost one release of the interpreter's lock in place of six, or one for
//! many files: threads that take turns at that lock for each file spend more time on the turns than on the files.

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::{Errno, read};

use crate::clock::{Clock, Now};

/// A name that is renamed all the time makes the confinement undecidable; so often it is tried again.
const TRIES: usize = 8;

/// What identifies one version of a file on disk; times in nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// Last change of the content.
    pub mtime_ns: i64,
    /// Last change of the inode.
    pub ctime_ns: i64,
    /// Number of the inode.
    pub ino: u64,
}

/// One attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This version, whose content is in the buffer.
    Read(Version),
    /// It is larger than what is kept.
    Large(Version),
    /// It changed during the attempt.
    Torn,
    /// No regular file.
    Special,
}

/// One of several files that were read together.
#[derive(Debug)]
pub struct Part {
    /// What came of it, or what the kernel says of any step.
    pub outcome: Result<Outcome, Errno>,
    /// Where its content is among those of all.
    pub place: Range<usize>,
    /// When it had been read, since the first was begun.
    pub after: Now,
}

/// A directory below which files are read.
#[derive(Debug)]
pub struct Directory {
    descriptor: OwnedFd,
}

thread_local! {
    /// Where content is read to: kept, because most files are smaller than what the allocator gives back.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
/// Give back what this thread keeps.
pub fn rest() {
    BUFFER.with_borrow_mut(|buffer| *buffer = Vec::new());
}

/// A buffer that grew beyond this is given back.
const KEPT: usize = 1 << 20;

impl Directory {
    /// Open it.
    ///
    /// # Errors
    /// What the kernel says; `ENOSYS` or `EPERM` where it, or a sandbox, does not know the call.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = Self { descriptor: open(path, flags, Mode::empty())? };
        directory.open_file(b".", OFlags::RDONLY | OFlags::DIRECTORY)?; // whether the call is there
        Ok(directory)
    }

    fn open_file(&self, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let mut error = Errno::AGAIN;
        for _ in 0..TRIES {
            match openat2(&self.descriptor, path, flags, Mode::empty(), resolve) {
                Ok(file) => return Ok(file),
                // AGAIN: a rename somewhere made the confinement undecidable this time.
                Err(again @ (Errno::AGAIN | Errno::INTR)) => error = again,
                Err(other) => return Err(other),
            }
        }
        Err(error)
    }

    /// Read `path` if it has at most `limit` bytes; `found` gets the outcome and the content, which is empty
    /// unless it was read.
    ///
    /// # Errors
    /// What the kernel says of any step.
    pub fn read<T>(
        &self,
        path: &[u8],
        limit: u64,
        found: impl FnOnce(Outcome, &[u8]) -> T,
    ) -> io::Result<T> {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            let outcome = self.attempt(path, limit, buffer)?;
            let content = if matches!(outcome, Outcome::Read(_)) { &buffer[..] } else { &[] };
            let told = found(outcome, content);
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
            Ok(told)
        })
    }

    /// Read one path after the other until their contents have `room` bytes or more; `found` gets what came
    /// of each that was looked at, in order, and all contents in one piece. Those with more than `room` bytes
    /// are `Large`, so that twice as much is never held.
    pub fn read_some<T>(
        &self,
        paths: &[impl AsRef<[u8]>],
        room: usize,
        found: impl FnOnce(&[Part], &[u8]) -> T,
    ) -> T {
        let clock = Clock::start();
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            let mut parts = Vec::with_capacity(paths.len());
            for path in paths {
                if buffer.len() >= room && !parts.is_empty() {
                    break;
                }
                let start = buffer.len();
                let outcome = self.attempt(path.as_ref(), room as u64, buffer);
                if !matches!(outcome, Ok(Outcome::Read(_))) {
                    buffer.truncate(start);
                }
                parts.push(Part { outcome, place: start..buffer.len(), after: clock.now() });
            }
            let told = found(&parts, buffer);
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
            told
        })
    }

    /// The content goes behind what is in the buffer already; it is all there if the outcome is `Read`.
    fn attempt(&self, path: &[u8], limit: u64, buffer: &mut Vec<u8>) -> Result<Outcome, Errno> {
        let file = self.open_file(path, OFlags::RDONLY)?;
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(Outcome::Special);
        }
        let before = version(&stat);
        if before.size > limit {
            return Ok(Outcome::Large(before));
        }
        let size = usize::try_from(before.size).unwrap_or(usize::MAX);
        let start = buffer.len();
        // One byte more, to see that it has grown.
        buffer.resize(start.saturating_add(size).saturating_add(1), 0);
        let mut length = 0;
        while length <= size {
            match read(&file, &mut buffer[start + length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        buffer.truncate(start + length);
        let unchanged = length == size && version(&fstat(&file)?) == before;
        Ok(if unchanged { Outcome::Read(before) } else { Outcome::Torn })
    }
}

/// `st_mtime` and the like have other types on other architectures, hence the conversions.
#[allow(clippy::unnecessary_cast, clippy::cast_possible_wrap, clippy::cast_lossless)]
fn version(stat: &rustix::fs::Stat) -> Version {
    let ns =
        |seconds: i64, part: u64| seconds.saturating_mul(1_000_000_000).saturating_add(part as i64);
    Version {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: ns(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
        ctime_ns: ns(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        ino: stat.st_ino as u64,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn outcome(directory: &Directory, path: &str, limit: u64) -> Result<(Outcome, Vec<u8>), Errno> {
        directory
            .read(path.as_bytes(), limit, |found, content| (found, content.to_vec()))
            .map_err(|error| Errno::from_io_error(&error).unwrap())
    }

    #[test]
    fn a_file_and_what_is_none() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/b"), "text").unwrap();
        fs::write(root.join("empty"), "").unwrap();
        fs::write(place.path().join("secret"), "no").unwrap();
        symlink("b", root.join("a/link")).unwrap();
        symlink("a", root.join("way")).unwrap();
        symlink("..", root.join("up")).unwrap();
        let directory = Directory::open(&root).unwrap();
        let (found, content) = outcome(&directory, "a/b", 10).unwrap();
        assert_eq!(content, b"text");
        assert!(matches!(found, Outcome::Read(Version { size: 4, .. })));
        assert!(matches!(outcome(&directory, "empty", 0).unwrap().0, Outcome::Read(_)));
        assert!(matches!(outcome(&directory, "a/b", 3).unwrap().0, Outcome::Large(_)));
        assert_eq!(outcome(&directory, "a", 9), Ok((Outcome::Special, Vec::new())));
        assert_eq!(outcome(&directory, "a/link", 9), Err(Errno::LOOP));
        assert_eq!(outcome(&directory, "way/b", 9), Err(Errno::LOOP));
        assert_eq!(outcome(&directory, "up/secret", 9), Err(Errno::LOOP));
        assert_eq!(outcome(&directory, "../secret", 9), Err(Errno::XDEV));
        assert_eq!(outcome(&directory, "/etc/passwd", 9), Err(Errno::XDEV));
        assert_eq!(outcome(&directory, "none", 9), Err(Errno::NOENT));
        assert_eq!(outcome(&directory, "a/b/c", 9), Err(Errno::NOTDIR));
    }

    /// What came of each, with the content of what was read.
    fn some(directory: &Directory, paths: &[&str], room: usize) -> Vec<(String, Vec<u8>)> {
        directory.read_some(paths, room, |parts, all| {
            assert!(parts.is_sorted_by_key(|part| part.after));
            let told = parts.iter().map(|part| {
                let outcome = match &part.outcome {
                    Ok(Outcome::Read(version)) => {
                        assert_eq!(version.size, part.place.len() as u64);
                        "read".to_owned()
                    }
                    Ok(Outcome::Large(_)) => "large".to_owned(),
                    other => format!("{other:?}"),
                };
                (outcome, all[part.place.clone()].to_vec())
            });
            told.collect()
        })
    }

    #[test]
    fn several_at_once_are_as_one_by_one() {
        let place = tempfile::tempdir().unwrap();
        for (name, content) in [("a", "one"), ("empty", ""), ("large", "0123456789"), ("b", "two")]
        {
            fs::write(place.path().join(name), content).unwrap();
        }
        symlink("a", place.path().join("link")).unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let paths = ["a", "none", "empty", "link", "large", ".", "b", "a"];
        let told = some(&directory, &paths, 9);
        let expected = ["read", "Err(Os", "read", "Err(Os", "large", "Ok(Special)", "read", "read"];
        assert_eq!(told.len(), expected.len());
        for ((outcome, _), expected) in told.iter().zip(expected) {
            assert!(outcome.starts_with(expected), "{outcome} {expected}");
        }
        let contents: Vec<&[u8]> = told.iter().map(|(_, content)| &content[..]).collect();
        assert_eq!(contents, [&b"one"[..], b"", b"", b"", b"", b"", b"two", b"one"]);
        // It ends when there is no room, and what does not fit at all is left to be read alone.
        assert_eq!(some(&directory, &["a", "b", "a"], 4).len(), 2);
        assert_eq!(some(&directory, &["large", "a"], 4)[0].0, "large");
        assert!(some(&directory, &[], 4).is_empty());
    }

    #[test]
    fn a_large_one_is_not_kept() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("large"), vec![7; KEPT + 1]).unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let (_, content) = outcome(&directory, "large", u64::MAX).unwrap();
        assert_eq!(content.len(), KEPT + 1);
        assert_eq!(BUFFER.with_borrow(Vec::capacity), 0);
    }

    #[test]
    fn what_is_kept_for_the_next_file_is_given_back_when_asked() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("file"), "text").unwrap();
        let directory = Directory::open(place.path()).unwrap();
        for _ in 0..2 {
            assert_eq!(outcome(&directory, "file", 9).unwrap().1, b"text");
            assert_ne!(BUFFER.with_borrow(Vec::capacity), 0);
            rest();
            assert_eq!(BUFFER.with_borrow(Vec::capacity), 0);
        }
    }
}
