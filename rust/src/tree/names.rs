//! The bytes of all names, in one growing buffer: a name costs its own length and no allocation.

/// Where a name stands in the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameRef {
    pub offset: u32,
    pub len: u16,
}

/// An append-only buffer that counts what was given back, so that its owner can rebuild it.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    wasted: usize,
}

impl Names {
    /// Store a name. `None` when the name or the arena would be too large to address.
    pub fn store(&mut self, name: &[u8]) -> Option<NameRef> {
        let offset = u32::try_from(self.bytes.len()).ok()?;
        let len = u16::try_from(name.len()).ok()?;
        self.bytes.extend_from_slice(name);
        Some(NameRef { offset, len })
    }

    pub fn get(&self, at: NameRef) -> &[u8] {
        &self.bytes[at.offset as usize..at.offset as usize + usize::from(at.len)]
    }

    pub fn give_back(&mut self, at: NameRef) {
        self.wasted += usize::from(at.len);
    }

    /// True when rebuilding the arena would free at least half of it (and a megabyte).
    pub fn wants_compaction(&self) -> bool {
        self.wasted > 1 << 20 && self.wasted * 2 > self.bytes.len()
    }

    pub fn bytes_held(&self) -> usize {
        self.bytes.capacity()
    }
}
