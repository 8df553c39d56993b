//! What a walk knows while it passes a node: the scopes it is in, the comment it has just seen.
//!
//! Languages use [`Visit::define`] to report a definition and [`Flow`] to say how to go on.

use std::ops::Range;

use tree_sitter::Node;

use super::preamble::Preamble;
use super::scope::{Path, Place, line};
use super::tree::Rule;
use super::{Symbol, SymbolKind, text};

/// Nodes looked at for comments inside one signature.
const SIGNATURE_NODES: usize = 2_000;

/// What may stand before a definition, inside its node, and is no part of its signature.
const DECORATIONS: [&str; 7] = [
    "annotation",
    "marker_annotation",
    "attribute_list",
    "attribute",
    "decorator",
    "attribute_item",
    "preproc_if_in_attribute_list",
];

/// How a walk goes on after a node.
pub(super) enum Flow {
    /// Not inside.
    Skip,
    /// Inside, in the same scope.
    Enter,
    /// Inside, in a scope without a name.
    Nameless(Place),
    /// Inside, in a scope of that name.
    Scope(String, Place),
    /// After this node, until the scope around it ends or the next such node comes, in a scope of
    /// that name: `namespace a;`.
    Rest(String),
}

/// A definition about to be reported.
pub(super) struct Definition {
    /// What it is. A function in a type is reported as a method.
    pub kind: SymbolKind,
    /// Its name.
    pub name: String,
    /// The byte at which its signature ends and its body begins; none if it has no body.
    pub until: Option<usize>,
    /// The type it belongs to, when it is not written inside.
    pub owner: Option<String>,
    /// Its documentation, when that is not the comment above it.
    pub doc: Option<String>,
}

impl Definition {
    pub(super) fn new(kind: SymbolKind, name: String) -> Self {
        Self { kind, name, until: None, owner: None, doc: None }
    }
}

/// Where an open scope ends.
struct End {
    /// Depth of its node: it ends at the next node that is not deeper.
    depth: usize,
    /// Opened by [`Flow::Rest`].
    rest: bool,
}

/// A node that stands around another and counts as part of it: decorators, `export`.
struct Wrapper {
    /// The node inside.
    inner: usize,
    /// First line of the node around.
    row: usize,
    /// First byte of the signature.
    byte: usize,
    /// What the node inside is because of what stands around it.
    kind: Option<SymbolKind>,
}

/// The state of one walk.
pub(super) struct Visit<'s> {
    source: &'s [u8],
    table: &'s [Rule],
    out: &'s mut Vec<Symbol>,
    path: Path<End>,
    preamble: Preamble,
    wrapper: Option<Wrapper>,
    /// What stands before the first of several names, and where the last of them ends.
    shared: Option<(Range<usize>, usize)>,
}

impl<'s> Visit<'s> {
    pub(super) fn new(source: &'s [u8], table: &'s [Rule], out: &'s mut Vec<Symbol>) -> Self {
        let (path, preamble) = (Path::default(), Preamble::default());
        Self { source, table, out, path, preamble, wrapper: None, shared: None }
    }

    /// How many definitions there are so far.
    pub(super) fn count(&self) -> usize {
        self.out.len()
    }

    /// Pass a node at a depth; true to look inside.
    pub(super) fn node(&mut self, node: Node<'_>, depth: usize) -> bool {
        let ends = |end: &End| end.depth > depth || end.depth == depth && !end.rest;
        while self.path.mark().is_some_and(ends) {
            self.path.leave();
        }
        let flow = match self.rule(node) {
            Rule::Enter => Flow::Enter,
            Rule::Skip => Flow::Skip,
            Rule::Local => Flow::Nameless(Place::Function),
            Rule::Comment => {
                self.comment(node);
                Flow::Skip
            }
            Rule::Attribute => {
                self.attribute(node);
                Flow::Skip
            }
            Rule::Define(kind) => self.plain(node, kind),
            Rule::By(handler) => handler(self, node),
        };
        let (name, place) = match flow {
            Flow::Skip => return false,
            Flow::Enter => return true,
            Flow::Nameless(place) => (None, place),
            Flow::Scope(name, place) => (Some(name), place),
            Flow::Rest(name) => {
                if self.path.mark().is_some_and(|end| end.rest && end.depth == depth) {
                    self.path.leave();
                }
                self.path.enter_marked(Some(&name), Place::Open, End { depth, rest: true });
                return false;
            }
        };
        self.path.enter_marked(name.as_deref(), place, End { depth, rest: false })
    }

    fn rule(&self, node: Node<'_>) -> Rule {
        self.table.get(usize::from(node.kind_id())).copied().unwrap_or(Rule::Enter)
    }

    /// Where the walk is.
    pub(super) fn place(&self) -> Place {
        self.path.here()
    }

    /// The source of a node.
    pub(super) fn text(&self, node: Node<'_>) -> &'s [u8] {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    /// The source of a node as a name.
    pub(super) fn name(&self, node: Node<'_>) -> String {
        text::name(self.text(node))
    }

    /// The name in a field of a node; empty if it has no such field.
    pub(super) fn field(&self, node: Node<'_>, field: &str) -> String {
        node.child_by_field_name(field).map(|name| self.name(name)).unwrap_or_default()
    }

    /// Let `inner`, a node inside `outer`, begin where `outer` does; its signature too, if
    /// `signature` says so (`export`), otherwise not (decorators).
    pub(super) fn wrap(&mut self, outer: Node<'_>, inner: Node<'_>, signature: bool) {
        let around = self.wrapper.take().filter(|wrapper| wrapper.inner == outer.id());
        let row = around.as_ref().map_or(outer.start_position().row, |wrapper| wrapper.row);
        let byte = match around {
            _ if !signature => inner.start_byte(),
            Some(wrapper) => wrapper.byte,
            None => undecorated(outer),
        };
        self.wrapper = Some(Wrapper { inner: inner.id(), row, byte, kind: None });
    }

    /// Let the member inside the wrapper just made be of another kind (`@property`).
    pub(super) fn recast(&mut self, kind: SymbolKind) {
        if let Some(wrapper) = self.wrapper.as_mut().filter(|_| self.path.here() == Place::Type) {
            wrapper.kind = Some(kind);
        }
    }

    /// Let the names up to the end of `list` share what stands before `first`, the one that was just wrapped.
    /// Only for a list that is in no function: none of those is inside another.
    pub(super) fn share(&mut self, list: Node<'_>, first: Node<'_>) {
        if let Some(wrapper) = self.wrapper.as_ref().filter(|_| self.path.here() == Place::Open) {
            self.shared = Some((wrapper.byte..first.start_byte(), list.end_byte()));
        }
    }

    /// What stands before the first of the names that a node is among; empty if it is among none.
    pub(super) fn lead(&self, node: Node<'_>) -> &'s [u8] {
        let shared = self.shared.as_ref();
        let among = shared.filter(|(lead, end)| (lead.end..*end).contains(&node.start_byte()));
        among.and_then(|(lead, _)| self.source.get(lead.clone())).unwrap_or_default()
    }

    /// A plain definition: fields `name` and `body`.
    pub(super) fn plain(&mut self, node: Node<'_>, kind: SymbolKind) -> Flow {
        let name = self.field(node, "name");
        let until = start_of(node, "body");
        self.define(node, Definition { until, ..Definition::new(kind, name) })
    }

    /// Report a definition; the result opens its scope if it is one.
    ///
    /// Not reported, but entered: what has no name (a broken parse), constants and variables in a
    /// function, variables in a type.
    pub(super) fn define(&mut self, node: Node<'_>, definition: Definition) -> Flow {
        let Definition { mut kind, name, until, owner, doc } = definition;
        let (place, value) = (self.place(), Place::within(kind).is_none());
        let hidden = place.hides(kind);
        if kind == SymbolKind::Function && (place == Place::Type || owner.is_some()) {
            kind = SymbolKind::Method;
        }
        let around = self.wrapper.as_ref().filter(|wrapper| wrapper.inner == node.id());
        kind = around.and_then(|wrapper| wrapper.kind).unwrap_or(kind);
        if !hidden && !name.is_empty() {
            let row = around.map_or(node.start_position().row, |wrapper| wrapper.row);
            let byte = around.map_or_else(|| undecorated(node), |wrapper| wrapper.byte);
            if kind == SymbolKind::Namespace && self.path.mark().is_some_and(|end| end.rest) {
                self.path.leave(); // `namespace b;` ends `namespace a;`
            }
            let (start, above) = self.preamble.claim(self.source, row);
            self.preamble.pass(until.unwrap_or(0));
            self.out.push(Symbol {
                name: name.clone(),
                kind,
                parent: self.path.parent(owner.as_deref()),
                start: line(start),
                end: line(last_row(node).max(start)),
                signature: self.signature(node, byte, until),
                doc: doc.filter(|text| !text.is_empty()).unwrap_or(above),
            });
        }
        let inside = Place::within(kind).filter(|_| !value && !name.is_empty());
        let Some(place) = inside else { return Flow::Enter };
        let name = owner.map_or_else(|| name.clone(), |owner| format!("{owner}.{name}"));
        Flow::Scope(name, place)
    }

    fn signature(&self, node: Node<'_>, from: usize, until: Option<usize>) -> String {
        // A value may be as long as the file, and several names may share it.
        let to = until.unwrap_or(node.end_byte()).clamp(from, from + text::RAW_LIMIT);
        let to = to.min(self.source.len());
        let raw = self.source.get(from..to).unwrap_or_default();
        let mut gaps = Vec::new();
        if raw.iter().any(|byte| matches!(byte, b'/' | b'#')) {
            self.comments_within(node, from, to, &mut gaps);
        }
        text::signature(raw, &gaps)
    }

    /// Ranges of the comments between two bytes of a node, relative to the first.
    fn comments_within(
        &self,
        node: Node<'_>,
        from: usize,
        to: usize,
        gaps: &mut Vec<(usize, usize)>,
    ) {
        let mut cursor = node.walk();
        for _ in 0..SIGNATURE_NODES {
            let here = cursor.node();
            if here.start_byte() >= to {
                return;
            }
            if matches!(self.rule(here), Rule::Comment) && here.start_byte() >= from {
                gaps.push((here.start_byte() - from, here.end_byte() - from));
            } else if here.end_byte() > from && cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
            }
        }
    }

    /// A comment, which may turn out to document what comes next.
    pub(super) fn comment(&mut self, node: Node<'_>) {
        if self.preamble.takes(self.source, node.start_byte()) {
            self.preamble.comment((node.start_byte(), node.end_byte()), rows(node));
        }
    }

    fn attribute(&mut self, node: Node<'_>) {
        if self.preamble.is_open(node.start_byte()) {
            self.preamble.attribute(rows(node));
        }
    }
}

/// Where what is in a field of a node begins.
pub(super) fn start_of(node: Node<'_>, field: &str) -> Option<usize> {
    node.child_by_field_name(field).map(|child| child.start_byte())
}

/// The first child of a kind; for tokens the kind is their text.
pub(super) fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor).find(|child| child.kind() == kind)
}

/// The first byte of a node after decorators and annotations.
fn undecorated(node: Node<'_>) -> usize {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return node.start_byte();
    }
    let mut inside = false; // the modifiers, where some grammars keep annotations
    loop {
        let child = cursor.node();
        let kind = child.kind();
        if kind == "modifiers" && !inside && cursor.goto_first_child() {
            inside = true;
            continue;
        }
        if !(DECORATIONS.contains(&kind) || child.is_extra()) {
            return child.start_byte();
        }
        if !cursor.goto_next_sibling() {
            let more = inside && cursor.goto_parent() && cursor.goto_next_sibling();
            inside = false;
            if !more {
                return node.start_byte();
            }
        }
    }
}

/// The last line of a node, from 0. Some nodes end behind their line break.
fn last_row(node: Node<'_>) -> usize {
    let (start, end) = (node.start_position(), node.end_position());
    if end.column == 0 && end.row > start.row { end.row - 1 } else { end.row }
}

/// The first and the last line of a node, from 0.
fn rows(node: Node<'_>) -> (usize, usize) {
    (node.start_position().row, last_row(node))
}
