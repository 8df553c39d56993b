//! The rows of the index, put into the tree before the first scan or while it runs: what the scan finds
//! equal to them is never read.

use hashbrown::HashSet;

use super::change::Cause;
use super::core::Core;
use super::flight::Failed;
use crate::clock::Now;
use crate::tree::{NodeId, ROOT};

/// One row of the index, as it was when the process last stopped.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Relative to the root.
    pub path: &'a [u8],
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds.
    pub mtime_ns: i64,
    /// Change time, nanoseconds; -1 when the row must be read again.
    pub ctime_ns: i64,
    /// Inode.
    pub ino: u64,
    /// Failures so far; above zero the row is a failure, and is tried again.
    pub attempts: u32,
}

/// The rows of an index. Their paths are kept one behind the other: a piece of memory for each would take longer
/// to get and to give back than all the rest of reading a row.
#[derive(Debug, Default)]
pub struct Rows {
    paths: Vec<u8>,
    held: Vec<Held>,
}

/// A row, but for its path: that ends here, and begins where the one before it ends.
#[derive(Debug)]
struct Held {
    path_end: usize,
    size: u64,
    mtime_ns: i64,
    ctime_ns: i64,
    ino: u64,
    attempts: u32,
}

impl Rows {
    /// One more.
    pub fn push(&mut self, row: Row<'_>) {
        self.paths.extend_from_slice(row.path);
        self.held.push(Held {
            path_end: self.paths.len(),
            size: row.size,
            mtime_ns: row.mtime_ns,
            ctime_ns: row.ctime_ns,
            ino: row.ino,
            attempts: row.attempts,
        });
    }

    /// Many more, in one piece: `size mtime_ns ctime_ns ino attempts path`, each with a NUL behind it. An inode
    /// with the top bit may be told as a negative number.
    ///
    /// # Errors
    /// What is not in this shape; those before it are there.
    pub fn unpack(&mut self, mut packed: &[u8]) -> Result<(), String> {
        while let Some(end) = memchr::memchr(0, packed) {
            let (row, rest) = (&packed[..end], packed.get(end + 1..).unwrap_or_default());
            let Some(row) = unpack_one(row) else {
                let text = String::from_utf8_lossy(row);
                return Err(format!("a row of the index reads {text:?}"));
            };
            self.push(row);
            packed = rest;
        }
        if packed.is_empty() { Ok(()) } else { Err("a row of the index is cut short".into()) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let mut start = 0;
        self.held.iter().map(move |held| {
            let path = &self.paths[start..held.path_end];
            start = held.path_end;
            Row {
                path,
                size: held.size,
                mtime_ns: held.mtime_ns,
                ctime_ns: held.ctime_ns,
                ino: held.ino,
                attempts: held.attempts,
            }
        })
    }
}

fn unpack_one(mut row: &[u8]) -> Option<Row<'_>> {
    let mut number = || {
        let end = memchr::memchr(b' ', row)?;
        let (digits, rest) = (&row[..end], row.get(end + 1..)?);
        row = rest;
        decimal(digits)
    };
    let size = u64::try_from(number()?).ok()?;
    let (mtime_ns, ctime_ns) = (number()?, number()?);
    let ino = number()?.cast_unsigned();
    let attempts = u32::try_from(number()?).ok()?;
    (!row.is_empty()).then_some(Row { path: row, size, mtime_ns, ctime_ns, ino, attempts })
}

/// As text of nothing but digits, perhaps with a sign.
fn decimal(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value: u64 = 0; // of nineteen digits, never too large for it
    for digit in digits {
        value = value * 10 + u64::from(digit.checked_sub(b'0').filter(|&digit| digit < 10)?);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

impl Core {
    /// The rows of the index will come by [`Core::load`] while the first scan is under way. Until then
    /// nothing is handed out.
    pub fn await_rows(&mut self) {
        self.awaiting_rows = true;
    }

    /// Put the rows of the index into the tree: what a scan finds, or has found, equal to them is never
    /// read.
    pub fn load(&mut self, rows: &Rows, now: Now) -> usize {
        let mut count = 0;
        // Directories that were read before a row below them came: the row may be of what is gone.
        let mut read_before: HashSet<NodeId> = HashSet::new();
        // Rows come sorted by path, so the parent is almost always that of the row before.
        let mut last: (&[u8], NodeId) = (b"", ROOT);
        for row in rows.iter() {
            let cut = memchr::memrchr(b'/', row.path);
            let (parent, name) = match cut {
                Some(cut) => (&row.path[..cut], &row.path[cut + 1..]),
                None => (&row.path[..0], row.path),
            };
            if last.0 != parent {
                let Some(dir) = self.dir_for_row(parent, &mut read_before) else {
                    // Below what is a file by now, or by another row: it goes, and a scan finds what is.
                    self.push_op(row.path.to_vec(), None, Cause::Scan);
                    continue;
                };
                last = (parent, dir);
            }
            count += usize::from(self.load_row(last.1, name, &row, now, &mut read_before));
        }
        for dir in read_before {
            self.request_listing(dir, false);
        }
        if std::mem::take(&mut self.awaiting_rows) {
            self.mark_unknown(now);
        }
        count
    }

    fn load_row(
        &mut self,
        dir: NodeId,
        name: &[u8],
        row: &Row<'_>,
        now: Now,
        read_before: &mut HashSet<NodeId>,
    ) -> bool {
        let found = self.tree.child(dir, name);
        let node = match found {
            Some(node) if self.tree.is_dir(node) => {
                // What it was a row of is a directory by now, whose files are not handed out yet.
                self.push_op(row.path.to_vec(), None, Cause::Scan);
                return false;
            }
            Some(node) if self.tree.is_known(node) => return false,
            Some(node) => node,
            None => {
                if self.dirs.get(&dir).is_some_and(|info| info.listed) {
                    read_before.insert(dir);
                }
                let inserted =
                    if name.is_empty() { None } else { self.tree.insert(dir, name, false) };
                let Some(node) = inserted else { return false };
                node
            }
        };
        let seen = self.tree.stat(node);
        self.tree.set_known(node, true);
        self.tree.set_stat(node, row.size, row.mtime_ns, row.ctime_ns, row.ino);
        if row.attempts > 0 {
            self.failed.insert(node, Failed { attempts: row.attempts });
            self.mark(node, now, Cause::Retry, true);
        } else if found.is_some() && !self.tree.same_as_committed(node, &seen) {
            self.mark(node, now, Cause::Scan, true);
        }
        true
    }

    /// After the rows came late: what the scan found and no row has is new.
    fn mark_unknown(&mut self, now: Now) {
        for node in self.tree.all_files() {
            if !self.tree.is_known(node) && !self.dirty.contains_key(&node) {
                self.mark(node, now, Cause::Scan, true);
            }
        }
    }

    fn dir_for_row(&mut self, path: &[u8], read_before: &mut HashSet<NodeId>) -> Option<NodeId> {
        let mut at = ROOT;
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            at = match self.tree.child(at, name) {
                Some(node) if self.tree.is_dir(node) => node,
                // A row below another row: one of them is out of date, and the scan says which.
                Some(_) => return None,
                None => {
                    if self.dirs.get(&at).is_some_and(|info| info.listed) {
                        read_before.insert(at);
                    }
                    let node = self.tree.insert(at, name, true)?;
                    self.new_dir_info(node);
                    node
                }
            };
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    type Told = (Vec<u8>, u64, i64, i64, u64, u32);

    fn unpacked(packed: &[u8]) -> Result<Vec<Told>, String> {
        let mut rows = Rows::default();
        rows.unpack(packed)?;
        let told = |row: super::Row<'_>| {
            (row.path.to_vec(), row.size, row.mtime_ns, row.ctime_ns, row.ino, row.attempts)
        };
        Ok(rows.iter().map(told).collect())
    }

    #[test]
    fn numbers_of_every_size_and_paths_of_every_byte() {
        let packed = b"0 -9223372036854775808 -1 -1 0 a b\xff\0\
                       9223372036854775807 9223372036854775807 0 7 4294967295 d/\n\0";
        let found = unpacked(packed).expect("both are rows");
        assert_eq!(found[0], (b"a b\xff".to_vec(), 0, i64::MIN, -1, u64::MAX, 0));
        assert_eq!(found[1], (b"d/\n".to_vec(), (1 << 63) - 1, i64::MAX, 0, 7, u32::MAX));
        assert_eq!(unpacked(b""), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let rows: [&[u8]; 9] = [
            b"1 2 3 4 0 a",                      // no end
            b"1 2 3 4 0\0",                      // no path: SQLite leaves out what is NULL
            b"1 2 3 4 0 \0",                     // an empty one
            b"1.5 2 3 4 0 a\0",                  // not an integer
            b"1 2 3 4 -1 a\0",                   // less often than never
            b"-1 2 3 4 0 a\0",                   // smaller than nothing
            b"1 9223372036854775808 3 4 0 a\0",  // too large
            b"1 2 -9223372036854775809 4 0 a\0", // too small
            b"1 2 3 12345678901234567890 0 a\0", // too long
        ];
        for row in rows {
            assert!(unpacked(row).is_err(), "{:?}", String::from_utf8_lossy(row));
        }
    }
}
