//! How the skeleton is built: nodes are added when something begins and completed when it ends.

use super::Parser;
use super::lex::place;
use super::skeleton::{Kind, Node};

impl Parser<'_> {
    /// Forget the nodes since an index that begin before the end of the last token: the inside of something
    /// in which nothing is reported. Comments behind it stay.
    pub(super) fn forget(&mut self, from: usize) {
        let to = self.nodes.len() - self.behind(from);
        self.nodes.drain(from..to);
        self.taken = self.taken.min(from);
    }

    /// How many of the nodes since an index lie behind the last token: comments before the next one.
    pub(super) fn behind(&self, from: usize) -> usize {
        self.nodes.len().saturating_sub(self.taken.max(from))
    }

    /// Add a node; its index.
    pub(super) fn open(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The node at an index ends with the last token.
    pub(super) fn close(&mut self, index: usize) {
        let next = self.nodes.len() - self.behind(index + 1);
        let (end, next) = (place(self.end), place(next));
        if let Some(node) = self.nodes.get_mut(index) {
            (node.end, node.next) = (end, next);
        }
    }

    /// The node at an index is none.
    pub(super) fn cancel(&mut self, index: usize) {
        if index + 1 == self.nodes.len() {
            self.nodes.pop();
        } else if let Some(node) = self.nodes.get_mut(index) {
            node.kind = Kind::Nothing;
        }
    }
}
