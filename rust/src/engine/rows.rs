//! The rows of the index, put into the tree before the first scan or while it runs: what the scan finds
//! equal to them is never read.

use hashbrown::HashSet;

use super::change::{Cause, Row};
use super::core::Core;
use super::flight::Failed;
use crate::clock::Now;
use crate::tree::{NodeId, ROOT};

impl Core {
    /// The rows of the index will come by [`Core::load`] while the first scan is under way. Until then
    /// nothing is handed out.
    pub fn await_rows(&mut self) {
        self.awaiting_rows = true;
    }

    /// Put the rows of the index into the tree: what a scan finds, or has found, equal to them is never
    /// read.
    pub fn load(&mut self, rows: impl IntoIterator<Item = Row>, now: Now) -> usize {
        let mut count = 0;
        // Directories that were read before a row below them came: the row may be of what is gone.
        let mut read_before: HashSet<NodeId> = HashSet::new();
        // Files where the rows have a directory, and the reverse.
        let mut other_kind: HashSet<NodeId> = HashSet::new();
        // Rows come sorted by path, so the parent is almost always that of the row before.
        let mut last: (Vec<u8>, NodeId) = (Vec::new(), ROOT);
        for row in rows {
            let cut = memchr::memrchr(b'/', &row.path);
            let (parent, name) = match cut {
                Some(cut) => (&row.path[..cut], &row.path[cut + 1..]),
                None => (&row.path[..0], &row.path[..]),
            };
            if last.0 != parent {
                match self.dir_for_row(parent, &mut read_before) {
                    Ok(dir) => last = (parent.to_vec(), dir),
                    Err(file) => {
                        other_kind.extend(file);
                        continue;
                    }
                }
            }
            let found = self.tree.child(last.1, name);
            if let Some(dir) = found.filter(|&found| self.tree.is_dir(found)) {
                other_kind.insert(dir);
                continue;
            }
            count += usize::from(self.load_row(last.1, name, &row, now, &mut read_before));
        }
        for node in other_kind {
            self.remove_rows_at(node, now);
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
        row: &Row,
        now: Now,
        read_before: &mut HashSet<NodeId>,
    ) -> bool {
        let found = self.tree.child(dir, name);
        let node = match found {
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

    /// What a scan found here before the rows came is not of the kind that the rows say. They must go, and
    /// nothing else would see to it: the tree does not have them.
    fn remove_rows_at(&mut self, node: NodeId, now: Now) {
        let Some(path) = self.tree.path(node) else { return };
        self.lose_rows(node, now);
        self.push_op(path, None, Cause::Scan);
    }

    /// After the rows came late: what the scan found and no row has is new.
    fn mark_unknown(&mut self, now: Now) {
        for node in self.tree.all_files() {
            if !self.tree.is_known(node) && !self.dirty.contains_key(&node) {
                self.mark(node, now, Cause::Scan, true);
            }
        }
    }

    fn dir_for_row(
        &mut self,
        path: &[u8],
        read_before: &mut HashSet<NodeId>,
    ) -> Result<NodeId, Option<NodeId>> {
        let mut at = ROOT;
        for name in path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            at = match self.tree.child(at, name) {
                Some(node) if self.tree.is_dir(node) => node,
                Some(file) => return Err(Some(file)),
                None => {
                    if self.dirs.get(&at).is_some_and(|info| info.listed) {
                        read_before.insert(at);
                    }
                    let node = self.tree.insert(at, name, true).ok_or(None)?;
                    self.new_dir_info(node);
                    node
                }
            };
        }
        Ok(at)
    }
}
