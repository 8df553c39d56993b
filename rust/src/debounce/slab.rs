//! The slab: one 28-byte entry per pending key, in pages that never move.
//!
//! An entry is always in exactly one place: a slot of the wheel, the ready heap, or the free list.
//! All three are made of the two links that the entry carries, so that none of them allocates. Pages
//! instead of one `Vec`: growth copies nothing and leaves no half-empty allocation behind.

/// "No entry."
pub(super) const NIL: u32 = u32::MAX;

const PAGE_BITS: u32 = 10;
const PAGE: usize = 1 << PAGE_BITS;

/// In the ready heap (otherwise: in the wheel).
const IN_READY: u32 = 1;
/// Taken back while in the ready heap; dropped when the heap comes across it.
const REMOVED: u32 = 2;
/// The rest of `tag` counts insertions, modulo 2^30.
const SERIAL_STEP: u32 = 4;

/// What is known of one pending key. Packed: `u64` alignment would cost four bytes per key.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
pub(super) struct Entry {
    /// First push, in nanoseconds.
    pub first: u64,
    /// Last push, as an offset from `first` in the debouncer's units; saturates.
    pub last: u32,
    /// The caller's key.
    pub key: u32,
    /// Insertion number and the two flags.
    tag: u32,
    /// Wheel and free list: the next entry. Heap: the right child.
    pub next: u32,
    /// Wheel: the entry before, or the slot. Heap: the left child.
    pub prev: u32,
}

const _: () = assert!(size_of::<Entry>() == 28, "the memory bound in mod.rs counts on this");

impl Entry {
    /// An entry first pushed at `first` nanoseconds, the `serial`-th of its debouncer.
    pub(super) fn new(key: u32, first: u64, serial: u32) -> Self {
        let tag = serial.wrapping_mul(SERIAL_STEP);
        Self { first, last: 0, key, tag, next: NIL, prev: NIL }
    }

    pub(super) fn in_ready(&self) -> bool {
        self.tag & IN_READY != 0
    }

    pub(super) fn set_in_ready(&mut self) {
        self.tag |= IN_READY;
    }

    pub(super) fn removed(&self) -> bool {
        self.tag & REMOVED != 0
    }

    pub(super) fn set_removed(&mut self) {
        self.tag |= REMOVED;
    }

    /// Whether this was pushed before `other`. The insertion number only breaks ties of time, so its
    /// wrap matters to nobody with fewer than 2^29 keys pushed at one instant.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        let (a, b) = (self.first, other.first);
        if a != b {
            return a < b;
        }
        let distance = (other.tag & !3).wrapping_sub(self.tag & !3);
        distance != 0 && distance < (1 << 31)
    }
}

/// Entries by index, with a free list.
#[derive(Debug)]
pub(super) struct Slab {
    pages: Vec<Box<[Entry]>>,
    /// Entries ever handed out since the last `reset`; those above were never used.
    used: u32,
    free: u32,
}

impl Slab {
    pub(super) fn new() -> Self {
        Self { pages: Vec::new(), used: 0, free: NIL }
    }

    /// Store an entry; returns its index.
    pub(super) fn insert(&mut self, entry: Entry) -> u32 {
        let at = self.free;
        if at != NIL {
            self.free = self[at].next;
            self[at] = entry;
            return at;
        }
        let at = self.used;
        if (at >> PAGE_BITS) as usize == self.pages.len() {
            self.pages.push(vec![entry; PAGE].into_boxed_slice());
        }
        self.used += 1;
        self[at] = entry;
        at
    }

    /// Give the entry back. It must be linked from nowhere.
    pub(super) fn free(&mut self, at: u32) {
        let free = self.free;
        self[at].next = free;
        self.free = at;
    }

    /// Forget everything, and all memory but one page.
    pub(super) fn reset(&mut self) {
        self.pages.truncate(1);
        self.pages.shrink_to_fit();
        self.used = 0;
        self.free = NIL;
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.pages.len() * PAGE * size_of::<Entry>()
            + self.pages.capacity() * size_of::<Box<[Entry]>>()
    }
}

impl std::ops::Index<u32> for Slab {
    type Output = Entry;

    fn index(&self, at: u32) -> &Entry {
        &self.pages[(at >> PAGE_BITS) as usize][at as usize & (PAGE - 1)]
    }
}

impl std::ops::IndexMut<u32> for Slab {
    fn index_mut(&mut self, at: u32) -> &mut Entry {
        &mut self.pages[(at >> PAGE_BITS) as usize][at as usize & (PAGE - 1)]
    }
}
