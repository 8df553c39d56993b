//! What is due and not yet taken, oldest first: a skew heap through the slab's two links.
//!
//! Why a heap at all: a batch is limited, so due entries can wait here while older ones (written
//! without pause until their maximal delay) still arrive. Why a skew heap: it needs two links and no
//! memory of its own. Each operation is O(log n) amortised, and none recurses.

use super::slab::{NIL, Slab};

#[derive(Debug)]
pub(super) struct ReadyHeap {
    root: u32,
    /// Entries that were taken back but still hang in the heap.
    removed: usize,
    /// Entries that did not.
    live: usize,
}

impl ReadyHeap {
    pub(super) fn new() -> Self {
        Self { root: NIL, removed: 0, live: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Add an entry that is linked from nowhere.
    pub(super) fn push(&mut self, slab: &mut Slab, at: u32) {
        let entry = &mut slab[at];
        entry.set_in_ready();
        entry.next = NIL;
        entry.prev = NIL;
        self.root = merge(slab, self.root, at);
        self.live += 1;
    }

    /// The oldest entry, unlinked but not freed.
    pub(super) fn pop(&mut self, slab: &mut Slab) -> Option<u32> {
        while self.root != NIL {
            let at = self.root;
            let (left, right) = (slab[at].prev, slab[at].next);
            self.root = merge(slab, left, right);
            if !slab[at].removed() {
                self.live -= 1;
                return Some(at);
            }
            slab.free(at);
            self.removed -= 1;
        }
        None
    }

    /// Take an entry back. It is freed now or later, in amortised constant time.
    pub(super) fn remove(&mut self, slab: &mut Slab, at: u32) {
        slab[at].set_removed();
        self.live -= 1;
        self.removed += 1;
        // Without this, push-and-remove for ever would grow without bound between two batches.
        if self.removed > self.live {
            self.sweep(slab);
        }
    }

    /// Free what was taken back and build the heap anew from the rest.
    fn sweep(&mut self, slab: &mut Slab) {
        let mut at = std::mem::replace(&mut self.root, NIL);
        self.live = 0;
        self.removed = 0;
        // Walk the tree without a stack: rotate until there is no left child, then go right.
        while at != NIL {
            let left = slab[at].prev;
            if left != NIL {
                slab[at].prev = slab[left].next;
                slab[left].next = at;
                at = left;
                continue;
            }
            let right = slab[at].next;
            if slab[at].removed() {
                slab.free(at);
            } else {
                self.push(slab, at);
            }
            at = right;
        }
    }

    /// Forget everything.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}

/// One heap of two: walk down both right spines, oldest first, and swap children on the way.
fn merge(slab: &mut Slab, mut a: u32, mut b: u32) -> u32 {
    let mut root = NIL;
    let mut parent = NIL;
    while a != NIL && b != NIL {
        if slab[b].is_older_than(&slab[a]) {
            std::mem::swap(&mut a, &mut b);
        }
        // `a` is the older one. Its left child goes right, and what is merged next becomes its left.
        let rest = slab[a].next;
        slab[a].next = slab[a].prev;
        if parent == NIL {
            root = a;
        } else {
            slab[parent].prev = a;
        }
        parent = a;
        a = rest;
    }
    let rest = if a == NIL { b } else { a };
    if parent == NIL {
        return rest;
    }
    slab[parent].prev = rest;
    root
}
