//! Reads small files that somebody else wrote, and that somebody may be swapping while we read: opening never
//! waits (a pipe), never follows a link that must not be followed, and no more than a limit is ever read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why there is no content.
#[derive(Debug)]
pub(super) enum NotRead {
    /// Not there, or not a regular file.
    Nothing,
    /// A symbolic link, and those are not followed here.
    Link,
    /// More than the limit.
    TooLarge,
    /// What the system says.
    Failed(io::Error),
}

/// The content of a regular file of up to `limit` bytes.
pub(super) fn read(path: &Path, follow: bool, limit: u64) -> Result<Vec<u8>, NotRead> {
    let file = open(path, follow)?;
    // Of the descriptor: what the name leads to may be another file by now.
    let meta = file.metadata().map_err(NotRead::Failed)?;
    if !meta.is_file() {
        return Err(NotRead::Nothing);
    }
    if meta.len() > limit {
        return Err(NotRead::TooLarge);
    }
    let mut text = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut text).map_err(NotRead::Failed)?;
    // It may have grown meanwhile.
    if text.len() as u64 > limit { Err(NotRead::TooLarge) } else { Ok(text) }
}

#[cfg(target_os = "linux")]
fn open(path: &Path, follow: bool) -> Result<File, NotRead> {
    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;

    let links = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY | links;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(File::from(file)),
        // No such file; a socket.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NXIO) => Err(NotRead::Nothing),
        Err(Errno::LOOP) if !follow => Err(NotRead::Link),
        Err(error) => Err(NotRead::Failed(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn open(path: &Path, follow: bool) -> Result<File, NotRead> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => NotRead::Nothing,
        _ => NotRead::Failed(error),
    };
    let meta = if follow { path.metadata() } else { path.symlink_metadata() }.map_err(missing)?;
    if meta.is_symlink() {
        return Err(NotRead::Link);
    }
    // Opening a pipe would wait for its other end.
    if !meta.is_file() {
        return Err(NotRead::Nothing);
    }
    File::open(path).map_err(missing)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_small_regular_files_are_read_and_nothing_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("file"), b"12345").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe"), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        assert_eq!(read(&path("file"), false, 5).unwrap(), b"12345");
        assert_eq!(read(&path("link"), true, 5).unwrap(), b"12345");
        assert!(matches!(read(&path("file"), false, 4), Err(NotRead::TooLarge)));
        assert!(matches!(read(&path("link"), false, 5), Err(NotRead::Link)));
        for name in ["pipe", "socket", "none", "file/none", "."] {
            assert!(matches!(read(&path(name), true, 5), Err(NotRead::Nothing)), "{name}");
        }
        // Endless, and its size is said to be nothing.
        assert!(matches!(read(Path::new("/dev/zero"), true, 5), Err(NotRead::Nothing)));
        assert!(matches!(read(Path::new("/proc/self/maps"), true, 5), Err(NotRead::TooLarge)));
    }
}
