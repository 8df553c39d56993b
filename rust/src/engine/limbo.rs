//! Directories that were renamed away and whose new name is not known yet.
//!
//! A node in limbo keeps its children, its watches and its rows; only its path is missing. Two things
//! must hold meanwhile: where its rows are ([`Limbo::old_path`]) follows every queued change of a subtree,
//! and no other node may take that place while the rows are still there.

use super::change::Cause;
use super::core::{Core, Limbo, Platform};
use crate::clock::Now;
use crate::tree::{NodeId, ROOT};

/// `path` with the prefix `old` replaced, if it is `old` or stands below it.
pub(super) fn rebase(path: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest[0] == b'/').then(|| [new, rest].concat())
}

impl Core {
    /// The path under which the index has a node's rows, also while the node is in limbo.
    pub(super) fn row_path(&self, node: NodeId) -> Option<Vec<u8>> {
        let mut names = Vec::new();
        let mut at = node;
        while let Some(parent) = self.parent_of(at) {
            names.push(at);
            at = parent;
        }
        let mut path = match at {
            ROOT => Vec::new(),
            top => self.limbo.values().find(|limbo| limbo.node == top)?.old_path.clone(),
        };
        for &node in names.iter().rev() {
            path = crate::names::join(&path, self.tree.name(node));
        }
        Some(path)
    }

    /// Detach a node from wherever it is, the tree or limbo; returns where its rows are.
    pub(super) fn take_out(&mut self, node: NodeId) -> Option<Vec<u8>> {
        let old_path = self.row_path(node);
        if let Some(old_path) = &old_path {
            // Wherever it turns up it is listed again, and what stands in the way is told anew.
            self.forget_problems(old_path);
        }
        self.limbo.retain(|_, limbo| limbo.node != node);
        self.tree.detach(node);
        old_path
    }

    /// A change of a subtree is being queued: the rows of nodes in limbo go along with it.
    pub(super) fn follow_op(&mut self, path: &[u8], old_path: Option<&[u8]>) {
        let mut removed = Vec::new();
        for limbo in self.limbo.values_mut() {
            match old_path {
                Some(old) => {
                    if let Some(moved) = rebase(&limbo.old_path, old, path) {
                        limbo.old_path = moved;
                    }
                }
                None if rebase(&limbo.old_path, path, path).is_some() => removed.push(limbo.node),
                None => {}
            }
        }
        for node in removed {
            self.lose_rows(node, self.latest);
        }
    }

    /// Before a node takes a place in the tree: rows of nodes in limbo that are still there, or below it, must
    /// go. Their files are read again when the node turns up, and their results are reused by content. Returns
    /// the places of which all rows, and those below, are being removed. `carried` are told paths of the node
    /// that takes it, which is in no subtree now.
    pub(super) fn vacate(
        &mut self,
        parent: NodeId,
        name: &[u8],
        mut carried: Vec<Vec<u8>>,
        now: Now,
    ) -> Vec<Vec<u8>> {
        if self.limbo.is_empty() {
            return Vec::new();
        }
        let Some(place) = self.row_path(parent).map(|path| crate::names::join(&path, name)) else {
            return Vec::new();
        };
        // Below it, too: a directory that left one which had nothing else waits there although that one has a
        // new place, since no change of a subtree took it along.
        let there: Vec<(NodeId, Vec<u8>)> = self
            .limbo
            .values()
            .filter(|limbo| rebase(&limbo.old_path, &place, &place).is_some())
            .filter(|limbo| self.has_rows(limbo.node))
            .map(|limbo| (limbo.node, limbo.old_path.clone()))
            .collect();
        let mut vacated = Vec::new();
        for (node, place) in there {
            let mut below = self.names_below(node);
            let inside;
            (inside, carried) =
                carried.into_iter().partition(|path| rebase(path, &place, b"").is_some());
            let inside: Vec<Vec<u8>> = inside;
            let rest = inside.iter().filter_map(|path| rebase(path, &place, b""));
            below.extend(rest.filter(|rest| !rest.is_empty()).map(|rest| rest[1..].to_vec()));
            self.lose_rows(node, now);
            self.push_op_with(place.clone(), None, below, Cause::Event);
            vacated.push(place);
        }
        vacated
    }

    /// Add a child to the tree.
    pub(super) fn add_node(
        &mut self,
        parent: NodeId,
        name: &[u8],
        dir: bool,
        now: Now,
    ) -> Option<NodeId> {
        self.vacate(parent, name, Vec::new(), now);
        self.tree.insert(parent, name, dir)
    }

    /// The rows of this subtree are being removed, but its files live on: all of them are new now.
    pub(super) fn lose_rows(&mut self, top: NodeId, now: Now) {
        let mut todo = vec![top];
        while let Some(node) = todo.pop() {
            todo.extend(self.tree.children(node));
            if self.settings.witness || !self.tree.is_dir(node) {
                // A ticket that is out commits before the removal does, and so counts for nothing.
                self.forget(node);
                self.tree.set_known(node, false);
                self.mark(node, now, Cause::Scan, false);
            }
        }
    }

    /// Directories that were renamed away, did not come back, and are not waited for any longer, are gone.
    pub(super) fn expire_limbo(
        &mut self,
        expired: impl Fn(&Limbo) -> bool,
        platform: &mut impl Platform,
    ) {
        let expired: Vec<NodeId> =
            self.limbo.values().filter(|limbo| expired(limbo)).map(|limbo| limbo.node).collect();
        for node in expired {
            self.remove_subtree(node, platform);
        }
    }

    pub(super) fn send_to_limbo(&mut self, node: NodeId, cookie: u32, now: Now) {
        if let Some(old_path) = self.take_out(node) {
            let generation = self.tree.generation(node);
            let after_barrier = self.last_barrier;
            let limbo = Limbo { node, generation, old_path, since: now, after_barrier };
            self.limbo.insert(cookie, limbo);
        }
    }
}
