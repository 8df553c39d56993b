//! The mounted file systems at and below the root: which of them the kernel does not watch in full, and whether
//! something was mounted or unmounted. A mount over a directory makes no notification of any kind.
//!
//! Linux says all this in `/proc/self/mountinfo`, and marks that file when it changes. Elsewhere nothing is known
//! and nothing is said to have changed.

use std::path::{Path, PathBuf};

use crate::names;

/// Types that hold no files of anybody's, and tell of no change.
pub const VIRTUAL: &[&str] = &[
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "devtmpfs",
    "devpts",
    "securityfs",
    "bpf",
    "configfs",
    "pstore",
    "efivarfs",
    "mqueue",
];

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its device, as `major:minor`: tells it from another one that takes its place.
    pub device: Vec<u8>,
    /// Which of its directories is mounted: `/`, unless it is a bind mount.
    pub top: Vec<u8>,
    /// Where it is mounted, absolute.
    pub point: PathBuf,
    /// Its type, as in `ext4` or `fuse.sshfs`.
    pub kind: String,
}

/// Take a mountinfo text apart (proc(5)); a line that is not one is passed over.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Mount> {
    let line = |line: &[u8]| {
        let mut fields = line.split(|&byte| byte == b' ');
        let device = fields.nth(2)?.to_vec();
        let top = fields.next()?.to_vec();
        let point = fields.next()?;
        let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
        let kind = String::from_utf8_lossy(kind).into_owned();
        Some(Mount { device, top, point: PathBuf::from(names::to_os(&unescape(point))), kind })
    };
    text.split(|&byte| byte == b'\n').filter_map(line).collect()
}

/// Blanks, tabs, newlines and backslashes stand as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let digits = match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] if *first == b'\\' => {
                Some((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'))
            }
            _ => None,
        };
        out.push(digits.unwrap_or(*first));
        rest = &rest[if digits.is_some() { 4 } else { 1 }..];
    }
    out
}

/// True when `kind` is one of the `patterns`: a type, or the beginning of one followed by `*`.
#[must_use]
pub fn matches(patterns: &[String], kind: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => pattern == kind,
    })
}

/// The file systems of one root, as they are now.
#[derive(Debug)]
pub struct Mounts {
    root: PathBuf,
    /// Types whose changes the kernel does not report in full.
    polled: Vec<String>,
    /// The one that holds the root, and those below it.
    here: Vec<Mount>,
    #[cfg(target_os = "linux")]
    file: Option<std::os::fd::OwnedFd>,
}

impl Mounts {
    /// Look at the file systems of `root`.
    #[must_use]
    pub fn open(root: &Path, polled: &[String]) -> Self {
        let mut mounts = Self {
            root: root.to_path_buf(),
            polled: polled.to_vec(),
            here: Vec::new(),
            #[cfg(target_os = "linux")]
            file: {
                use rustix::fs::{Mode, OFlags, open};
                let flags = OFlags::RDONLY | OFlags::CLOEXEC;
                open("/proc/self/mountinfo", flags, Mode::empty()).ok()
            },
        };
        mounts.here = mounts.read();
        mounts
    }

    #[cfg(target_os = "linux")]
    fn read(&self) -> Vec<Mount> {
        let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        of_root(&self.root, parse(&text))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "the same as on Linux")]
    fn read(&self) -> Vec<Mount> {
        Vec::new()
    }

    /// Whether something was mounted or unmounted at or below the root since the last call. One file system may
    /// have taken the place of another that looks the same, even that of itself: with `suspicious`, any change
    /// on this machine counts as one of those below the root.
    pub fn changed(&mut self, suspicious: bool) -> bool {
        if !self.is_marked() {
            return false;
        }
        let now = self.read();
        let changed = now != self.here || (suspicious && now.len() > 1);
        self.here = now;
        changed
    }

    #[cfg(target_os = "linux")]
    fn is_marked(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let Some(file) = &self.file else { return false };
        let mut fds = [PollFd::new(file, PollFlags::PRI)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).is_ok_and(|count| count > 0)
            && fds[0].revents().intersects(PollFlags::PRI | PollFlags::ERR)
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "the same as on Linux")]
    fn is_marked(&self) -> bool {
        false
    }

    /// The type of the file system that holds the root; empty when it is not known.
    #[must_use]
    pub fn root_kind(&self) -> &str {
        self.holding(&self.root).map_or("", |mount| &mount.kind)
    }

    /// True when changes in `dir` (absolute) may be made without this kernel's knowledge.
    #[must_use]
    pub fn is_remote(&self, dir: &Path) -> bool {
        let any = self.here.iter().any(|mount| matches(&self.polled, &mount.kind));
        any && self.holding(dir).is_some_and(|mount| matches(&self.polled, &mount.kind))
    }

    /// The deepest one that `dir` lies in; of two at one place, the one mounted last.
    fn holding(&self, dir: &Path) -> Option<&Mount> {
        let inside = self.here.iter().filter(|mount| dir.starts_with(&mount.point));
        inside.max_by_key(|mount| mount.point.components().count())
    }
}

/// Those below the root, and of those above it the one that holds it.
fn of_root(root: &Path, mounts: Vec<Mount>) -> Vec<Mount> {
    let above = mounts
        .iter()
        .filter(|mount| root.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
        .cloned();
    let below =
        mounts.into_iter().filter(|mount| mount.point.starts_with(root) && mount.point != root);
    above.into_iter().chain(below).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:40 / /home/a\\040b rw - nfs4 server:/x rw\n\
        nonsense\n\
        31 30 0:41 / /home/a\\040b/here/m rw,nosuid shared:7 master:2 - tmpfs none rw\n\
        32 31 0:42 / /home/a\\040b/here/m rw - fuse.sshfs host: rw\n\
        33 22 0:5 / /proc rw - proc proc rw\n";

    fn mounts(root: &str, polled: &[&str]) -> Mounts {
        Mounts {
            root: PathBuf::from(root),
            polled: polled.iter().map(ToString::to_string).collect(),
            here: of_root(Path::new(root), parse(TEXT)),
            #[cfg(target_os = "linux")]
            file: None,
        }
    }

    #[test]
    fn the_deepest_mount_holds_a_directory_and_the_last_one_covers_it() {
        let polled = ["nfs4", "fuse.*"];
        let here = mounts("/home/a b/here", &polled);
        assert_eq!(here.root_kind(), "nfs4");
        assert_eq!(here.here.len(), 3);
        assert!(here.is_remote(Path::new("/home/a b/here/sub")));
        assert!(here.is_remote(Path::new("/home/a b/here/m/sub")));
        let watched = mounts("/home/a b/here", &["fuse.*"]);
        assert!(!watched.is_remote(Path::new("/home/a b/here/sub")));
        assert!(watched.is_remote(Path::new("/home/a b/here/m")));
        assert!(!watched.is_remote(Path::new("/home/a b/here/mine")));
    }

    #[test]
    fn an_ordinary_root_knows_only_what_holds_it() {
        let home = mounts("/srv/tree", &["nfs4"]);
        assert_eq!(home.root_kind(), "ext4");
        assert_eq!(home.here.len(), 1);
        assert!(!home.is_remote(Path::new("/srv/tree/a")));
        assert_eq!(mounts("/proc/1", &[]).root_kind(), "proc");
    }

    #[test]
    fn one_directory_bound_in_place_of_another_is_another_mount() {
        let bound =
            |top: &str| parse(format!("40 22 8:1 {top} /r/m rw - ext4 /dev/sda1 rw").as_bytes());
        assert_eq!(bound("/one"), bound("/one"));
        assert_ne!(bound("/one"), bound("/two"));
    }

    #[test]
    fn fuseblk_is_a_disk_and_no_network() {
        let patterns = ["fuse".to_owned(), "fuse.*".to_owned()];
        assert!(matches(&patterns, "fuse.sshfs") && matches(&patterns, "fuse"));
        assert!(!matches(&patterns, "fuseblk"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(text in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = parse(&text);
        }
    }
}
