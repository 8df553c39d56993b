//! What we believe is on disk: one compact node per kept file and directory.
//!
//! A node carries the stat that was last *committed* to the index, never one that was merely seen:
//! whatever differs from it has still to be brought up to date. Children are found by (parent, name)
//! in one hash table, so a directory's rename touches one node; a second table finds nodes by inode
//! number, for renames by identity and hard links. The tree does no I/O and knows no time.
//!
//! Cost per file: 64 bytes of node, about 10 bytes in the two tables, and the name's own length.

mod names;

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::model::{Kind, Stat};
use names::{NameRef, Names};

/// A node's number; [`ROOT`] is the root directory.
pub type NodeId = u32;
/// The root directory of the tree.
pub const ROOT: NodeId = 0;
/// No node.
pub const NONE: NodeId = u32::MAX;

const CHUNK: usize = 4096;
const FLAG_LIVE: u8 = 1;
const FLAG_DIR: u8 = 2;
const FLAG_KNOWN: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct Node {
    size: u64,
    mtime_ns: i64,
    ctime_ns: i64,
    ino: u64,
    parent: NodeId,
    name_offset: u32,
    /// Siblings form a doubly linked list; a free node's `next` is the free list.
    next: NodeId,
    prev: NodeId,
    /// First child, for a directory.
    child: NodeId,
    /// Counts reuses of this slot, so that a stale ticket is recognised.
    generation: u16,
    name_len: u16,
    flags: u8,
}

const EMPTY: Node = Node {
    size: 0,
    mtime_ns: 0,
    ctime_ns: 0,
    ino: 0,
    parent: NONE,
    name_offset: 0,
    next: NONE,
    prev: NONE,
    child: NONE,
    generation: 0,
    name_len: 0,
    flags: 0,
};

/// Hashes inode numbers; they are already well spread in their low bits, so mixing once is enough.
#[derive(Default)]
struct InoHasher(u64);

impl Hasher for InoHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }
    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// The tree of kept paths.
#[derive(Debug)]
pub struct Tree {
    chunks: Vec<Box<[Node]>>,
    len: u32,
    free: NodeId,
    files: usize,
    dirs: usize,
    names: Names,
    children: HashTable<NodeId>,
    inodes: HashTable<NodeId>,
    hasher: DefaultHashBuilder,
    ino_hasher: BuildHasherDefault<InoHasher>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// A tree that holds only its root directory.
    #[must_use]
    pub fn new() -> Self {
        let mut tree = Self {
            chunks: Vec::new(),
            len: 0,
            free: NONE,
            files: 0,
            dirs: 1,
            names: Names::default(),
            children: HashTable::new(),
            inodes: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            ino_hasher: BuildHasherDefault::default(),
        };
        let root = tree.take_slot();
        tree.node_mut(root).flags = FLAG_LIVE | FLAG_DIR;
        tree
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.chunks[id as usize / CHUNK][id as usize % CHUNK]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.chunks[id as usize / CHUNK][id as usize % CHUNK]
    }

    fn take_slot(&mut self) -> NodeId {
        if self.free != NONE {
            let id = self.free;
            self.free = self.node(id).next;
            return id;
        }
        let id = self.len;
        if id as usize / CHUNK == self.chunks.len() {
            self.chunks.push(vec![EMPTY; CHUNK].into_boxed_slice());
        }
        self.len += 1;
        id
    }

    fn child_hash(&self, parent: NodeId, name: &[u8]) -> u64 {
        self.hasher.hash_one((parent, name))
    }

    fn name_ref(node: &Node) -> NameRef {
        NameRef { offset: node.name_offset, len: node.name_len }
    }

    /// The node's own name; empty for the root.
    #[must_use]
    pub fn name(&self, id: NodeId) -> &[u8] {
        self.names.get(Self::name_ref(self.node(id)))
    }

    /// The child of that name, file or directory.
    #[must_use]
    pub fn child(&self, parent: NodeId, name: &[u8]) -> Option<NodeId> {
        let hash = self.child_hash(parent, name);
        self.children
            .find(hash, |&id| self.node(id).parent == parent && self.name(id) == name)
            .copied()
    }

    /// Add a child; the caller has checked that the name is free. `None` if the name cannot be stored.
    pub fn insert(&mut self, parent: NodeId, name: &[u8], dir: bool) -> Option<NodeId> {
        self.compact_names();
        let name_ref = self.names.store(name)?;
        let id = self.take_slot();
        let generation = self.node(id).generation;
        *self.node_mut(id) = Node {
            generation,
            name_offset: name_ref.offset,
            name_len: name_ref.len,
            flags: FLAG_LIVE | if dir { FLAG_DIR } else { 0 },
            ..EMPTY
        };
        if dir {
            self.dirs += 1;
        } else {
            self.files += 1;
        }
        self.link(id, parent);
        Some(id)
    }

    fn link(&mut self, id: NodeId, parent: NodeId) {
        let first = self.node(parent).child;
        {
            let node = self.node_mut(id);
            node.parent = parent;
            node.next = first;
            node.prev = NONE;
        }
        if first != NONE {
            self.node_mut(first).prev = id;
        }
        self.node_mut(parent).child = id;
        let hash = self.child_hash(parent, self.name(id));
        let (chunks, names, hasher) = (&self.chunks, &self.names, &self.hasher);
        self.children.insert_unique(hash, id, |&other| {
            let node = &chunks[other as usize / CHUNK][other as usize % CHUNK];
            hasher.hash_one((node.parent, names.get(Self::name_ref(node))))
        });
    }

    fn unlink(&mut self, id: NodeId) {
        let node = *self.node(id);
        if node.parent == NONE {
            return;
        }
        let hash = self.child_hash(node.parent, self.name(id));
        if let Ok(entry) = self.children.find_entry(hash, |&other| other == id) {
            entry.remove();
        }
        if node.prev == NONE {
            self.node_mut(node.parent).child = node.next;
        } else {
            self.node_mut(node.prev).next = node.next;
        }
        if node.next != NONE {
            self.node_mut(node.next).prev = node.prev;
        }
        let node = self.node_mut(id);
        node.parent = NONE;
        node.next = NONE;
        node.prev = NONE;
    }

    /// Take a subtree out of the tree without freeing it: its nodes live on, without a path.
    pub fn detach(&mut self, id: NodeId) {
        self.unlink(id);
    }

    /// Put a detached subtree back, elsewhere or under another name. O(1) in the subtree's size.
    pub fn attach(&mut self, id: NodeId, parent: NodeId, name: &[u8]) -> bool {
        self.compact_names();
        let Some(name_ref) = self.names.store(name) else { return false };
        let old = Self::name_ref(self.node(id));
        self.names.give_back(old);
        let node = self.node_mut(id);
        node.name_offset = name_ref.offset;
        node.name_len = name_ref.len;
        self.link(id, parent);
        true
    }

    /// Free a node that has no children.
    pub fn remove(&mut self, id: NodeId) {
        debug_assert!(id != ROOT && self.node(id).child == NONE);
        self.set_ino(id, 0);
        self.unlink(id);
        let name_ref = Self::name_ref(self.node(id));
        self.names.give_back(name_ref);
        if self.is_dir(id) {
            self.dirs -= 1;
        } else {
            self.files -= 1;
        }
        let free = self.free;
        let node = self.node_mut(id);
        *node = Node { generation: node.generation.wrapping_add(1), next: free, ..EMPTY };
        self.free = id;
    }

    /// The parent directory; [`NONE`] for the root and for detached nodes.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.node(id).parent
    }

    /// True for directories.
    #[must_use]
    pub fn is_dir(&self, id: NodeId) -> bool {
        self.node(id).flags & FLAG_DIR != 0
    }

    /// True while the slot holds a node.
    #[must_use]
    pub fn is_live(&self, id: NodeId) -> bool {
        id < self.len && self.node(id).flags & FLAG_LIVE != 0
    }

    /// Counts how often the slot was reused.
    #[must_use]
    pub fn generation(&self, id: NodeId) -> u16 {
        self.node(id).generation
    }

    /// True when the index has a row for this file.
    #[must_use]
    pub fn is_known(&self, id: NodeId) -> bool {
        self.node(id).flags & FLAG_KNOWN != 0
    }

    /// Say whether the index has a row for this file.
    pub fn set_known(&mut self, id: NodeId, known: bool) {
        let node = self.node_mut(id);
        node.flags = if known { node.flags | FLAG_KNOWN } else { node.flags & !FLAG_KNOWN };
    }

    /// The stat last committed for this file.
    #[must_use]
    pub fn stat(&self, id: NodeId) -> Stat {
        let node = self.node(id);
        Stat {
            kind: if self.is_dir(id) { Kind::Dir } else { Kind::File },
            size: node.size,
            mtime_ns: node.mtime_ns,
            ctime_ns: node.ctime_ns,
            ino: node.ino,
            dev: 0,
        }
    }

    /// True when `seen` is what was committed: same size, both times and inode.
    #[must_use]
    pub fn same_as_committed(&self, id: NodeId, seen: &Stat) -> bool {
        let node = self.node(id);
        node.size == seen.size
            && node.mtime_ns == seen.mtime_ns
            && node.ctime_ns == seen.ctime_ns
            && node.ino == seen.ino
    }

    /// Record a committed stat.
    pub fn set_stat(&mut self, id: NodeId, size: u64, mtime_ns: i64, ctime_ns: i64, ino: u64) {
        self.set_ino(id, ino);
        let node = self.node_mut(id);
        node.size = size;
        node.mtime_ns = mtime_ns;
        node.ctime_ns = ctime_ns;
    }

    /// The inode number, 0 when it was never seen.
    #[must_use]
    pub fn ino(&self, id: NodeId) -> u64 {
        self.node(id).ino
    }

    /// Record which inode a node is, and index it by that.
    pub fn set_ino(&mut self, id: NodeId, ino: u64) {
        let old = self.node(id).ino;
        if old == ino {
            return;
        }
        if old != 0 {
            let hash = self.ino_hasher.hash_one(old);
            if let Ok(entry) = self.inodes.find_entry(hash, |&other| other == id) {
                entry.remove();
            }
        }
        self.node_mut(id).ino = ino;
        if ino != 0 {
            let hash = self.ino_hasher.hash_one(ino);
            let (chunks, hasher) = (&self.chunks, &self.ino_hasher);
            self.inodes.insert_unique(hash, id, |&other| {
                hasher.hash_one(chunks[other as usize / CHUNK][other as usize % CHUNK].ino)
            });
        }
    }

    /// Every node that was last seen as this inode.
    pub fn by_ino(&self, ino: u64) -> impl Iterator<Item = NodeId> + '_ {
        let hash = self.ino_hasher.hash_one(ino);
        self.inodes.iter_hash(hash).copied().filter(move |&id| ino != 0 && self.node(id).ino == ino)
    }

    /// The children of a directory, newest first.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut next = self.node(id).child;
        std::iter::from_fn(move || {
            let id = next;
            if id == NONE {
                return None;
            }
            next = self.node(id).next;
            Some(id)
        })
    }

    /// Every file of the tree, in no order that means anything.
    #[must_use]
    pub fn all_files(&self) -> Vec<NodeId> {
        (0..self.len).filter(|&id| self.is_live(id) && !self.is_dir(id)).collect()
    }

    /// Append the path relative to the root to `out` and return true; false for a detached node.
    pub fn path_into(&self, id: NodeId, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let mut at = id;
        while at != ROOT {
            let node = self.node(at);
            if node.parent == NONE {
                out.truncate(start);
                return false;
            }
            out.extend(self.name(at).iter().rev());
            if node.parent != ROOT {
                out.push(b'/');
            }
            at = node.parent;
        }
        out[start..].reverse();
        true
    }

    /// The path relative to the root; `None` for a detached node.
    #[must_use]
    pub fn path(&self, id: NodeId) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(64);
        self.path_into(id, &mut out).then_some(out)
    }

    /// The node at a relative path, with `/` between components; the root for the empty path.
    #[must_use]
    pub fn find(&self, path: &[u8]) -> Option<NodeId> {
        let mut at = ROOT;
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            at = self.child(at, name)?;
        }
        Some(at)
    }

    /// True when `id` is `ancestor` or stands below it.
    #[must_use]
    pub fn is_below(&self, id: NodeId, ancestor: NodeId) -> bool {
        let mut at = id;
        while at != NONE {
            if at == ancestor {
                return true;
            }
            at = self.parent(at);
        }
        false
    }

    /// Files in the tree, whether or not the index has them yet.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// Directories in the tree, with the root.
    #[must_use]
    pub fn dirs(&self) -> usize {
        self.dirs
    }

    /// Bytes that the tree holds in memory.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        let table = |capacity: usize| (capacity * 8 / 7).next_power_of_two() * 5;
        self.chunks.len() * CHUNK * size_of::<Node>()
            + self.names.bytes_held()
            + table(self.children.capacity())
            + table(self.inodes.capacity())
    }

    fn compact_names(&mut self) {
        if !self.names.wants_compaction() {
            return;
        }
        let mut fresh = Names::default();
        for id in 0..self.len {
            if !self.is_live(id) {
                continue;
            }
            // Cannot fail: the new arena is smaller than the old one.
            if let Some(at) = fresh.store(self.name(id)) {
                self.node_mut(id).name_offset = at.offset;
            }
        }
        self.names = fresh;
    }
}

#[cfg(test)]
mod tests;
