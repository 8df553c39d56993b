//! The timing wheel: 32 slots, each a doubly linked list through the slab.
//!
//! A slot stands for every tick with the same remainder modulo 32. What lies in it is only *looked at*
//! when that tick passes; whether it is due is decided then. So an entry may lie in a slot that
//! passes too early (it is put back) but never in one that passes too late.

use super::slab::{NIL, Slab};

pub(super) const SLOTS: u32 = 32;
/// `prev` of the first entry of slot `s` is `HEAD + s`: unlinking needs no search for the slot.
const HEAD: u32 = NIL - SLOTS;

#[derive(Debug)]
pub(super) struct Wheel {
    heads: [u32; SLOTS as usize],
    /// Bit `s`: slot `s` holds something.
    occupied: u32,
    /// Nanoseconds per tick.
    tick: u64,
    /// Every slot has been looked at up to this tick.
    passed: u64,
}

impl Wheel {
    pub(super) fn new(tick: u64) -> Self {
        Self { heads: [NIL; SLOTS as usize], occupied: 0, tick, passed: 0 }
    }

    /// Put an entry where it is looked at not before `due` and less than one tick after.
    pub(super) fn insert(&mut self, slab: &mut Slab, at: u32, due: u64) {
        let slot = (due.div_ceil(self.tick) % u64::from(SLOTS)) as u32;
        let old = std::mem::replace(&mut self.heads[slot as usize], at);
        slab[at].next = old;
        slab[at].prev = HEAD + slot;
        if old != NIL {
            slab[old].prev = at;
        }
        self.occupied |= 1 << slot;
    }

    /// Take an entry out.
    pub(super) fn unlink(&mut self, slab: &mut Slab, at: u32) {
        let (next, prev) = (slab[at].next, slab[at].prev);
        if next != NIL {
            slab[next].prev = prev;
        }
        if prev < HEAD {
            slab[prev].next = next;
        } else {
            let slot = prev - HEAD;
            self.heads[slot as usize] = next;
            if next == NIL {
                self.occupied &= !(1 << slot);
            }
        }
    }

    /// When the next occupied slot passes, in nanoseconds.
    pub(super) fn next_pass(&self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        let start = self.passed + 1;
        let ahead = self.occupied.rotate_right((start % u64::from(SLOTS)) as u32).trailing_zeros();
        Some((start + u64::from(ahead)).saturating_mul(self.tick))
    }

    /// Detach the lists of all slots that pass up to `now`: one bit per slot for [`Self::detach`].
    pub(super) fn pass(&mut self, now: u64) -> u32 {
        let upto = now / self.tick;
        let turned = upto.saturating_sub(self.passed);
        let slots = match turned {
            0 => 0,
            1..32 => {
                let run = (1u32 << turned) - 1;
                run.rotate_left(((self.passed + 1) % u64::from(SLOTS)) as u32)
            }
            _ => u32::MAX,
        };
        self.passed = self.passed.max(upto);
        slots & self.occupied
    }

    /// Every occupied slot, whether its time has come or not.
    pub(super) fn occupied(&self) -> u32 {
        self.occupied
    }

    /// Empty one slot; returns its first entry, the others hang on it by `next`.
    pub(super) fn detach(&mut self, slot: u32) -> u32 {
        self.occupied &= !(1 << slot);
        std::mem::replace(&mut self.heads[slot as usize], NIL)
    }

    /// Forget everything. Time goes on.
    pub(super) fn reset(&mut self) {
        self.heads = [NIL; SLOTS as usize];
        self.occupied = 0;
    }
}
