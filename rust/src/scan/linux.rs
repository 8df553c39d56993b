//! `openat`, `getdents` and `fstatat`: no path is walked twice.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, fstat, open, openat, statat};
use rustix::io::Errno;

use super::{Hint, Kind, Stat};

pub struct Dir {
    fd: OwnedFd,
    /// Kind and name of each entry; names end with a zero byte.
    names: Vec<u8>,
    pub identity: (u64, u64),
}

fn hint(kind: FileType) -> Hint {
    match kind {
        FileType::RegularFile => Hint::File,
        FileType::Directory => Hint::Dir,
        FileType::Unknown => Hint::Unknown,
        _ => Hint::Neither,
    }
}

#[allow(clippy::cast_possible_wrap, clippy::unnecessary_cast, clippy::useless_conversion)]
pub fn convert(stat: &rustix::fs::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Other,
    };
    Stat {
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: (stat.st_mtime as i64) * 1_000_000_000 + stat.st_mtime_nsec as i64,
        ctime_ns: (stat.st_ctime as i64) * 1_000_000_000 + stat.st_ctime_nsec as i64,
        ino: stat.st_ino as u64,
        dev: stat.st_dev as u64,
    }
}

pub fn read_names(path: &Path) -> std::io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = open(path, flags, Mode::empty())?;
    let own = convert(&fstat(&fd)?);
    let mut names = Vec::new();
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut iter = RawDir::new(&fd, buffer.spare_capacity_mut());
    while let Some(entry) = iter.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(hint(entry.file_type()) as u8);
            names.extend_from_slice(entry.file_name().to_bytes_with_nul());
        }
    }
    Ok(Dir { fd, names, identity: (own.dev, own.ino) })
}

impl Dir {
    pub fn each_name(&self, mut each: impl FnMut(&[u8], Hint)) {
        let mut rest = &self.names[..];
        while let [kind, tail @ ..] = rest {
            let end = memchr::memchr(0, tail).unwrap_or(tail.len());
            let hint = match kind {
                0 => Hint::File,
                1 => Hint::Dir,
                2 => Hint::Neither,
                _ => Hint::Unknown,
            };
            each(&tail[..end], hint);
            rest = tail.get(end + 1..).unwrap_or(&[]);
        }
    }

    pub fn stat(&self, name: &[u8]) -> Option<Stat> {
        let mut buffer = [0u8; 256];
        buffer.get_mut(..name.len())?.copy_from_slice(name);
        let name = CStr::from_bytes_with_nul(buffer.get(..=name.len())?).ok()?;
        statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).ok().map(|stat| convert(&stat))
    }
}

/// A directory that is open for nothing but what lies in it.
#[derive(Debug)]
pub struct Way(OwnedFd);

impl Way {
    /// None for one that cannot be opened, for whatever reason: the path itself says which.
    pub fn open(dir: &Path) -> Option<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        open(dir, flags, Mode::empty()).ok().map(Self)
    }

    pub fn lstat(&self, name: &[u8]) -> std::io::Result<Stat> {
        Ok(convert(&statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }
}

pub fn lstat(path: &Path) -> std::io::Result<Stat> {
    match rustix::fs::lstat(path) {
        Ok(stat) => Ok(convert(&stat)),
        Err(Errno::NAMETOOLONG) => lstat_in_steps(path),
        Err(error) => Err(error.into()),
    }
}

/// For an absolute path longer than the kernel takes at once: what is there is not gone for that, and must
/// not be taken for it. A single name that is too long stays an error.
fn lstat_in_steps(path: &Path) -> std::io::Result<Stat> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut here = open("/", flags, Mode::empty())?;
    let mut names = path.strip_prefix("/").unwrap_or(path).iter().peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return Ok(convert(&statat(&here, name, AtFlags::SYMLINK_NOFOLLOW)?));
        }
        here = openat(&here, name, flags, Mode::empty())?;
    }
    Ok(convert(&fstat(&here)?))
}
