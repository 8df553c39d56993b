//! What a burst leaves behind: tables as large as the most that was ever in them.
//!
//! The first scan of a tree has every file in them at once, 100 bytes each, and nothing ever again. So it is
//! with the patterns that contents were searched with: each worker leaves its working states in them.

use std::collections::{BinaryHeap, VecDeque};
use std::hash::Hash;

use hashbrown::{HashMap, HashSet};

use super::core::Core;

/// Entries; a table with room for no more is kept for the next burst.
pub(super) const KEPT: usize = 512;
/// Changes; after so many the patterns of records are let go, as soon as nothing is under way.
pub(super) const MANY: u64 = 4_096;

/// A table that may be made anew when nothing is in it.
trait Table: Default {
    fn is_empty(&self) -> bool;
    fn room(&self) -> usize;
}

macro_rules! tables {
    ($([$($bound:tt)*] $table:ty;)*) => {
        $(impl<$($bound)*> Table for $table {
            fn is_empty(&self) -> bool {
                self.is_empty()
            }
            fn room(&self) -> usize {
                self.capacity()
            }
        })*
    };
}

tables! {
    [K: Eq + Hash, V] HashMap<K, V>;
    [K: Eq + Hash] HashSet<K>;
    [T] Vec<T>;
    [T] VecDeque<T>;
    [T: Ord] BinaryHeap<T>;
}

fn leave<T: Table>(table: &mut T) {
    if table.is_empty() && table.room() > KEPT {
        *table = T::default();
    }
}

impl Core {
    /// After each turn: let go of what is empty and was large. Costs a few comparisons.
    pub(super) fn give_back(&mut self) {
        leave(&mut self.dirty);
        leave(&mut self.dirty_dirs);
        leave(&mut self.flights);
        leave(&mut self.failed);
        leave(&mut self.retries);
        leave(&mut self.to_list);
        leave(&mut self.homeless);
        leave(&mut self.ops);
        leave(&mut self.limbo);
        leave(&mut self.ignored);
        if self.dirty.is_empty() && self.ready.capacity() > KEPT {
            self.ready = Vec::new(); // refilled before it is read
        }
        let calm = self.dirty.is_empty() && self.flights.is_empty() && self.to_list.is_empty();
        if calm && self.counters.committed - self.rested >= MANY {
            self.rested = self.counters.committed;
            crate::record::rest();
        }
    }

    /// Entries that the tables of what is under way have room for.
    #[cfg(test)]
    pub(super) fn room_held(&self) -> usize {
        self.dirty.capacity()
            + self.flights.capacity()
            + self.to_list.capacity()
            + self.ready.capacity()
    }
}
