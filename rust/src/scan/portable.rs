//! The standard library's view. Not run on this project's machines: see the README on platforms.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::{Hint, Kind, Stat};
use crate::names;

pub struct Dir {
    path: PathBuf,
    names: Vec<(Vec<u8>, Hint)>,
    pub identity: (u64, u64),
}

fn convert(meta: &std::fs::Metadata) -> Stat {
    let kind = if meta.is_file() {
        Kind::File
    } else if meta.is_dir() {
        Kind::Dir
    } else if meta.is_symlink() {
        Kind::Symlink
    } else {
        Kind::Other
    };
    let mtime_ns = meta
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|time| i64::try_from(time.as_nanos()).ok())
        .unwrap_or(0);
    let (ino, dev, ctime_ns) = identity(meta);
    Stat { kind, size: meta.len(), mtime_ns, ctime_ns, ino, dev }
}

/// Inode, device and change time, where there are such things.
#[cfg(unix)]
fn identity(meta: &std::fs::Metadata) -> (u64, u64, i64) {
    use std::os::unix::fs::MetadataExt;
    (meta.ino(), meta.dev(), meta.ctime() * 1_000_000_000 + meta.ctime_nsec())
}

/// Size and modification time are all there is.
#[cfg(not(unix))]
fn identity(_meta: &std::fs::Metadata) -> (u64, u64, i64) {
    (0, 0, 0)
}

/// Directories are not kept open here.
#[derive(Debug)]
pub enum Way {}

impl Way {
    pub fn open(_dir: &Path) -> Option<Self> {
        None
    }

    pub fn lstat(&self, _name: &[u8]) -> std::io::Result<Stat> {
        match *self {}
    }
}

pub fn read_names(path: &Path) -> std::io::Result<Dir> {
    // `read_dir` follows links; nothing here does.
    if !std::fs::symlink_metadata(path)?.is_dir() {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let hint = match entry.file_type() {
            Ok(kind) if kind.is_file() => Hint::File,
            Ok(kind) if kind.is_dir() => Hint::Dir,
            Ok(_) => Hint::Neither,
            Err(_) => Hint::Unknown,
        };
        entries.push((names::to_bytes(&entry.file_name()), hint));
    }
    let own = lstat(path)?;
    Ok(Dir { path: path.to_owned(), names: entries, identity: (own.dev, own.ino) })
}

impl Dir {
    pub fn each_name(&self, mut each: impl FnMut(&[u8], Hint)) {
        for (name, hint) in &self.names {
            each(name, *hint);
        }
    }

    pub fn stat(&self, name: &[u8]) -> Option<Stat> {
        lstat(&self.path.join(names::to_os(name))).ok()
    }
}

pub fn lstat(path: &Path) -> std::io::Result<Stat> {
    Ok(convert(&std::fs::symlink_metadata(path)?))
}
