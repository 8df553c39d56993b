//! A disk in memory with the notifications that inotify(7) gives for it: inodes (whose numbers are used
//! again at once, as ext4 does), names, watches by inode, and one queue that can be full.
//!
//! A path that begins with `/` is counted from the top of the disk, any other from the watched root.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::model::{Kind, Stat};
use crate::scan::ListError;
use crate::source::{Item, Mask, WatchError};

pub type Ino = u64;

/// The top of the disk; the watched root is a name in it.
const TOP: Ino = 1;

#[derive(Debug, Clone)]
pub enum Body {
    Dir(BTreeMap<Vec<u8>, Ino>),
    /// What is in it: a number that no two writes share, and the text of a rule file.
    File(u64, Vec<u8>),
    Link,
}

#[derive(Debug, Clone)]
struct Inode {
    body: Body,
    mtime: i64,
    ctime: i64,
    links: u32,
    denied: bool,
    /// Open file descriptors: the inode outlives its names until they are closed.
    open: u32,
}

#[derive(Debug)]
pub struct Disk {
    inodes: HashMap<Ino, Inode>,
    free: Vec<Ino>,
    next_ino: Ino,
    /// Every change of the disk has a time of its own.
    tick: i64,
    writes: u64,
    cookie: u32,
    next_wd: i32,
    pub watches: HashMap<i32, Ino>,
    pub queue: VecDeque<Item>,
    pub queue_limit: usize,
    pub watch_limit: usize,
}

/// The components of a path, from the top.
fn parts(path: &str) -> Vec<Vec<u8>> {
    let full = match path.strip_prefix('/') {
        Some(outside) => outside.to_owned(),
        None => format!("root/{path}"),
    };
    full.split('/').filter(|part| !part.is_empty()).map(|part| part.as_bytes().to_vec()).collect()
}

impl Disk {
    /// A disk with an empty root.
    pub fn new() -> Self {
        let mut disk = Self {
            inodes: HashMap::new(),
            free: Vec::new(),
            next_ino: TOP,
            tick: 1,
            writes: 0,
            cookie: 0,
            next_wd: 1,
            watches: HashMap::new(),
            queue: VecDeque::new(),
            queue_limit: usize::MAX,
            watch_limit: usize::MAX,
        };
        disk.make(Body::Dir(BTreeMap::new()));
        disk.mkdir("/root");
        disk
    }

    fn make(&mut self, body: Body) -> Ino {
        let ino = self.free.pop().unwrap_or_else(|| {
            self.next_ino += 1;
            self.next_ino - 1
        });
        let (mtime, ctime) = (self.tick, self.tick);
        let inode = Inode { body, mtime, ctime, links: 1, denied: false, open: 0 };
        self.inodes.insert(ino, inode);
        ino
    }

    fn entries(&self, dir: Ino) -> Option<&BTreeMap<Vec<u8>, Ino>> {
        match &self.inodes.get(&dir)?.body {
            Body::Dir(entries) => Some(entries),
            _ => None,
        }
    }

    fn entries_mut(&mut self, dir: Ino) -> Option<&mut BTreeMap<Vec<u8>, Ino>> {
        match &mut self.inodes.get_mut(&dir)?.body {
            Body::Dir(entries) => Some(entries),
            _ => None,
        }
    }

    fn walk(&self, parts: &[Vec<u8>]) -> Option<Ino> {
        parts.iter().try_fold(TOP, |at, name| self.entries(at)?.get(name).copied())
    }

    /// The inode of a path.
    pub fn ino(&self, path: &str) -> Option<Ino> {
        self.walk(&parts(path))
    }

    /// Parent inode, name, and what is there.
    fn place(&self, path: &str) -> Option<(Ino, Vec<u8>, Option<Ino>)> {
        let mut parts = parts(path);
        let name = parts.pop()?;
        let parent = self.walk(&parts)?;
        let there = self.entries(parent)?.get(&name).copied();
        Some((parent, name, there))
    }

    fn is_dir(&self, ino: Ino) -> bool {
        matches!(self.inodes.get(&ino), Some(Inode { body: Body::Dir(_), .. }))
    }

    fn dir_bit(&self, ino: Ino) -> u32 {
        if self.is_dir(ino) { Mask::ISDIR } else { 0 }
    }

    // ---- the kernel's side -------------------------------------------------------------------------

    fn wd_of(&self, ino: Ino) -> Option<i32> {
        self.watches.iter().find(|(_, watched)| **watched == ino).map(|(&wd, _)| wd)
    }

    fn push(&mut self, wd: i32, mask: u32, cookie: u32, name: &[u8]) {
        if let Some(Item::Entry { wd: last, mask: bits, cookie: with, name: of }) =
            self.queue.back()
            && (*last, bits.0, *with, &of[..]) == (wd, mask, cookie, name)
        {
            return;
        }
        let mut entry = Item::Entry { wd, mask: Mask(mask), cookie, name: name.to_vec() };
        if self.queue.len() >= self.queue_limit {
            let full = |item: &Item| matches!(item, Item::Entry { mask: Mask(Mask::OVERFLOW), .. });
            if self.queue.back().is_some_and(full) {
                return;
            }
            entry = Item::Entry { wd: -1, mask: Mask(Mask::OVERFLOW), cookie: 0, name: Vec::new() };
        }
        self.queue.push_back(entry);
    }

    fn tell(&mut self, dir: Ino, mask: u32, cookie: u32, name: &[u8]) {
        if let Some(wd) = self.wd_of(dir) {
            self.push(wd, mask, cookie, name);
        }
    }

    /// inotify_add_watch.
    pub fn watch(&mut self, path: &str) -> Result<i32, WatchError> {
        let ino = match self.reach(path) {
            Ok(ino) if self.is_dir(ino) => ino,
            Err(ListError::Denied) => return Err(WatchError::Denied),
            _ => return Err(WatchError::Gone),
        };
        if self.inodes[&ino].denied {
            return Err(WatchError::Denied);
        }
        if let Some(wd) = self.wd_of(ino) {
            return Ok(wd);
        }
        if self.watches.len() >= self.watch_limit {
            return Err(WatchError::Limit);
        }
        self.next_wd += 1;
        self.watches.insert(self.next_wd, ino);
        Ok(self.next_wd)
    }

    /// inotify_rm_watch.
    pub fn unwatch(&mut self, wd: i32) {
        if self.watches.remove(&wd).is_some() {
            self.push(wd, Mask::IGNORED, 0, b"");
        }
    }

    /// The kernel takes a watch away.
    pub fn lose_watch(&mut self, path: &str) {
        if let Some(wd) = self.ino(path).and_then(|ino| self.wd_of(ino)) {
            self.unwatch(wd);
        }
    }

    /// A new inotify instance: no watches, an empty queue, descriptors from the beginning.
    pub fn new_instance(&mut self) {
        self.watches.clear();
        self.queue.clear();
        self.next_wd = 1;
    }

    /// A path as a process sees it that may not enter what is denied.
    fn reach(&self, path: &str) -> Result<Ino, ListError> {
        let mut at = TOP;
        for name in parts(path) {
            if self.inodes[&at].denied {
                return Err(ListError::Denied);
            }
            let entries = self.entries(at).ok_or(ListError::Gone)?;
            at = *entries.get(&name).ok_or(ListError::Gone)?;
        }
        Ok(at)
    }

    fn stat_of(&self, ino: Ino) -> Stat {
        let inode = &self.inodes[&ino];
        let (kind, size) = match &inode.body {
            Body::Dir(_) => (Kind::Dir, 0),
            Body::File(_, text) => (Kind::File, text.len() as u64),
            Body::Link => (Kind::Symlink, 0),
        };
        Stat { kind, size, mtime_ns: inode.mtime, ctime_ns: inode.ctime, ino, dev: 1 }
    }

    pub fn lstat(&self, path: &str) -> Result<Stat, ListError> {
        Ok(self.stat_of(self.reach(path)?))
    }

    /// The number and the text of a regular file, with its stat.
    pub fn read(&self, path: &str) -> Result<(u64, Vec<u8>, Stat), ListError> {
        let ino = self.reach(path)?;
        match &self.inodes[&ino].body {
            Body::File(number, text) => Ok((*number, text.clone(), self.stat_of(ino))),
            _ => Err(ListError::Gone),
        }
    }

    /// Open a directory and read its names; close it with [`Disk::close`].
    pub fn open_dir(&mut self, path: &str) -> Result<(Ino, Vec<Vec<u8>>), ListError> {
        let ino = self.reach(path)?;
        let names = self.entries(ino).ok_or(ListError::Gone)?.keys().cloned().collect();
        if self.inodes[&ino].denied {
            return Err(ListError::Denied);
        }
        self.inodes.entry(ino).and_modify(|inode| inode.open += 1);
        Ok((ino, names))
    }

    /// fstatat on an open directory.
    pub fn stat_at(&self, dir: Ino, name: &[u8]) -> Option<Stat> {
        Some(self.stat_of(*self.entries(dir)?.get(name)?))
    }

    pub fn close(&mut self, ino: Ino) {
        self.inodes.entry(ino).and_modify(|inode| inode.open -= 1);
        self.drop_if_unused(ino);
    }

    fn drop_if_unused(&mut self, ino: Ino) {
        if self.inodes.get(&ino).is_none_or(|inode| inode.links > 0 || inode.open > 0) {
            return;
        }
        self.inodes.remove(&ino);
        self.free.push(ino);
        if let Some(wd) = self.wd_of(ino) {
            self.push(wd, Mask::DELETE_SELF, 0, b"");
            self.watches.remove(&wd);
            self.push(wd, Mask::IGNORED, 0, b"");
        }
    }

    fn unlinked(&mut self, ino: Ino) {
        let tick = self.tick;
        self.inodes.entry(ino).and_modify(|inode| {
            inode.links -= 1;
            inode.ctime = tick;
        });
        self.drop_if_unused(ino);
    }

    // ---- what programs do; false when the system would refuse ------------------------------------------

    fn add(&mut self, path: &str, body: Body) -> bool {
        self.tick += 1;
        let Some((parent, name, None)) = self.place(path) else { return false };
        if self.inodes[&parent].links == 0 {
            return false;
        }
        let ino = self.make(body);
        self.entries_mut(parent).unwrap().insert(name.clone(), ino);
        self.tell(parent, Mask::CREATE | self.dir_bit(ino), 0, &name);
        true
    }

    pub fn mkdir(&mut self, path: &str) -> bool {
        self.add(path, Body::Dir(BTreeMap::new()))
    }

    /// Every directory of the path.
    pub fn mkdirs(&mut self, path: &str) {
        let (top, inner) = match path.strip_prefix('/') {
            Some(inner) => ("/", inner),
            None => ("", path),
        };
        let ends = inner.match_indices('/').map(|(at, _)| at).chain([inner.len()]);
        for end in ends.collect::<Vec<_>>() {
            self.mkdir(&format!("{top}{}", &inner[..end]));
        }
    }

    pub fn symlink(&mut self, path: &str) -> bool {
        self.add(path, Body::Link)
    }

    /// Make or rewrite a file; its contents are new in any case.
    pub fn write(&mut self, path: &str) -> bool {
        self.write_text(path, b"text")
    }

    pub fn write_text(&mut self, path: &str, text: &[u8]) -> bool {
        self.writes += 1;
        let body = Body::File(self.writes, text.to_vec());
        match self.place(path) {
            Some((_, _, None)) => {
                if !self.add(path, body) {
                    return false;
                }
            }
            Some((_, _, Some(ino))) if matches!(self.inodes[&ino].body, Body::File(..)) => {
                self.tick += 1;
                let tick = self.tick;
                let inode = self.inodes.get_mut(&ino).unwrap();
                (inode.body, inode.mtime, inode.ctime) = (body, tick, tick);
            }
            _ => return false,
        }
        let Some((parent, name, _)) = self.place(path) else { return false };
        self.tell(parent, Mask::MODIFY, 0, &name);
        self.tell(parent, Mask::CLOSE_WRITE, 0, &name);
        true
    }

    /// Rewrite a file and set its modification time back: only the change time tells.
    pub fn write_quietly(&mut self, path: &str) -> bool {
        let Ok((_, text, stat)) = self.read(path) else { return false };
        self.write_text(path, &text);
        let Some((parent, name, Some(ino))) = self.place(path) else { return false };
        self.inodes.entry(ino).and_modify(|inode| inode.mtime = stat.mtime_ns);
        self.tell(parent, Mask::ATTRIB, 0, &name);
        true
    }

    /// Write a file without a word of it: on another machine, or below a mount.
    pub fn write_unseen(&mut self, path: &str) -> bool {
        let told = self.queue.len();
        let written = self.write(path);
        self.queue.truncate(told);
        written
    }

    /// A directory that may not be read or entered any more, or may again.
    pub fn deny(&mut self, path: &str, denied: bool) -> bool {
        self.tick += 1;
        let tick = self.tick;
        let Some((parent, name, Some(ino))) = self.place(path) else { return false };
        if !self.is_dir(ino) {
            return false;
        }
        self.inodes.entry(ino).and_modify(|inode| {
            inode.denied = denied;
            inode.ctime = tick;
        });
        self.tell(parent, Mask::ATTRIB | Mask::ISDIR, 0, &name);
        self.tell(ino, Mask::ATTRIB | Mask::ISDIR, 0, b"");
        true
    }

    pub fn link(&mut self, from: &str, to: &str) -> bool {
        self.tick += 1;
        let tick = self.tick;
        let (Some(ino), Some((parent, name, None))) = (self.ino(from), self.place(to)) else {
            return false;
        };
        if self.is_dir(ino) {
            return false;
        }
        self.inodes.entry(ino).and_modify(|inode| {
            inode.links += 1;
            inode.ctime = tick;
        });
        self.entries_mut(parent).unwrap().insert(name.clone(), ino);
        self.tell(parent, Mask::CREATE, 0, &name);
        true
    }

    /// Remove a file, a link, or a directory with everything in it.
    pub fn remove(&mut self, path: &str) -> bool {
        let Some((parent, name, Some(ino))) = self.place(path) else { return false };
        if let Some(entries) = self.entries(ino) {
            for child in entries.keys().cloned().collect::<Vec<_>>() {
                self.remove(&format!("{path}/{}", String::from_utf8(child).unwrap()));
            }
        }
        self.tick += 1;
        let bit = self.dir_bit(ino);
        self.entries_mut(parent).unwrap().remove(&name);
        self.unlinked(ino);
        self.tell(parent, Mask::DELETE | bit, 0, &name);
        true
    }

    /// rename(2): over a file, or over an empty directory.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let (Some((old_parent, old_name, Some(ino))), Some((new_parent, new_name, victim))) =
            (self.place(from), self.place(to))
        else {
            return false;
        };
        if parts(to).starts_with(&parts(from)) || victim == Some(ino) {
            return false;
        }
        if let Some(victim) = victim {
            let empty = self.entries(victim).is_none_or(BTreeMap::is_empty);
            if self.is_dir(victim) != self.is_dir(ino) || !empty {
                return false;
            }
        }
        self.tick += 1;
        self.entries_mut(old_parent).unwrap().remove(&old_name);
        self.entries_mut(new_parent).unwrap().insert(new_name.clone(), ino);
        self.moved(ino, old_parent, &old_name, new_parent, &new_name);
        if let Some(victim) = victim {
            self.unlinked(victim);
        }
        true
    }

    fn moved(&mut self, ino: Ino, from: Ino, old_name: &[u8], to: Ino, new_name: &[u8]) {
        let tick = self.tick;
        self.inodes.entry(ino).and_modify(|inode| inode.ctime = tick);
        self.cookie += 1;
        let (bit, cookie) = (self.dir_bit(ino), self.cookie);
        self.tell(from, Mask::MOVED_FROM | bit, cookie, old_name);
        self.tell(to, Mask::MOVED_TO | bit, cookie, new_name);
        self.tell(ino, Mask::MOVE_SELF, 0, b"");
    }

    /// renameat2(RENAME_EXCHANGE).
    pub fn exchange(&mut self, one: &str, two: &str) -> bool {
        let (Some((parent1, name1, Some(ino1))), Some((parent2, name2, Some(ino2)))) =
            (self.place(one), self.place(two))
        else {
            return false;
        };
        let (of1, of2) = (parts(one), parts(two));
        if of1.starts_with(&of2) || of2.starts_with(&of1) || ino1 == ino2 {
            return false;
        }
        self.tick += 1;
        self.entries_mut(parent1).unwrap().insert(name1.clone(), ino2);
        self.entries_mut(parent2).unwrap().insert(name2.clone(), ino1);
        self.moved(ino1, parent1, &name1, parent2, &name2);
        self.moved(ino2, parent2, &name2, parent1, &name1);
        true
    }

    /// The names in a directory, as its owner sees them.
    pub fn names(&self, path: &str) -> Vec<(Vec<u8>, Kind)> {
        let Some(entries) = self.ino(path).and_then(|ino| self.entries(ino)) else {
            return Vec::new();
        };
        entries.iter().map(|(name, &ino)| (name.clone(), self.stat_of(ino).kind)).collect()
    }

    /// Paths of the root's denied directories.
    pub fn denied(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut todo = vec![String::new()];
        while let Some(dir) = todo.pop() {
            if self.ino(&dir).is_some_and(|ino| self.inodes[&ino].denied) {
                found.push(dir.clone());
            }
            for (name, kind) in self.names(&dir) {
                if kind == Kind::Dir {
                    let name = String::from_utf8(name).unwrap();
                    todo.push(if dir.is_empty() { name } else { format!("{dir}/{name}") });
                }
            }
        }
        found
    }
}
