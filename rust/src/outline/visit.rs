//! What a walk knows while it passes a node: the scopes it is in, the comment it has just seen.
//!
//! Languages use [`Visit::define`] to report a definition and [`Flow`] to say how to go on.

use tree_sitter::Node;

use super::tree::Rule;
use super::{Symbol, SymbolKind, text};

/// Longest dotted name of a scope, in bytes. What is nested deeper than that is not looked at,
/// which keeps the output linear in the source.
const PATH_LIMIT: usize = 1000;

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

/// Where a scope is, which decides what a function in it is called and whether a variable counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// File, module, namespace.
    Open,
    /// Class, interface and the like.
    Type,
    /// A function: variables in it are local.
    Function,
}

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

/// A scope that is open.
struct Scope {
    /// Depth of its node: it ends at the next node that is not deeper.
    depth: usize,
    /// Length of the path without it.
    outside: usize,
    place: Place,
    /// Opened by [`Flow::Rest`].
    rest: bool,
}

/// Comments and attributes that stand one below the other, not yet claimed by a definition.
#[derive(Default)]
struct Preamble {
    /// Byte ranges of the comments.
    comments: Vec<(usize, usize)>,
    /// Line of the first attribute, if there is one.
    attribute: Option<usize>,
    first: usize,
    last: usize,
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
    scopes: Vec<Scope>,
    /// The names of the open scopes, joined with dots.
    path: String,
    preamble: Preamble,
    wrapper: Option<Wrapper>,
    /// Where the head of the last definition ends: comments before that are inside it.
    head: usize,
}

impl<'s> Visit<'s> {
    pub(super) fn new(source: &'s [u8], table: &'s [Rule], out: &'s mut Vec<Symbol>) -> Self {
        let (scopes, path) = (Vec::new(), String::new());
        let (preamble, wrapper, head) = (Preamble::default(), None, 0);
        Self { source, table, out, scopes, path, preamble, wrapper, head }
    }

    /// How many definitions there are so far.
    pub(super) fn count(&self) -> usize {
        self.out.len()
    }

    /// Pass a node at a depth; true to look inside.
    pub(super) fn node(&mut self, node: Node<'_>, depth: usize) -> bool {
        while self.scopes.last().is_some_and(|scope| scope.depth >= depth && !scope.rest)
            || self.scopes.last().is_some_and(|scope| scope.depth > depth)
        {
            self.leave();
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
                if self.scopes.last().is_some_and(|scope| scope.rest && scope.depth == depth) {
                    self.leave();
                }
                self.enter(Some(&name), Place::Open, depth, true);
                return false;
            }
        };
        self.enter(name.as_deref(), place, depth, false)
    }

    /// Open a scope; false if it would be too deep.
    fn enter(&mut self, name: Option<&str>, place: Place, depth: usize, rest: bool) -> bool {
        let outside = self.path.len();
        if let Some(name) = name {
            if outside + 1 + name.len() > PATH_LIMIT {
                return false;
            }
            if outside > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
        self.scopes.push(Scope { depth, outside, place, rest });
        true
    }

    fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.path.truncate(scope.outside);
        }
    }

    fn rule(&self, node: Node<'_>) -> Rule {
        self.table.get(usize::from(node.kind_id())).copied().unwrap_or(Rule::Enter)
    }

    /// Where the walk is.
    pub(super) fn place(&self) -> Place {
        self.scopes.last().map_or(Place::Open, |scope| scope.place)
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
        if let Some(wrapper) = self
            .wrapper
            .as_mut()
            .filter(|_| self.scopes.last().is_some_and(|scope| scope.place == Place::Type))
        {
            wrapper.kind = Some(kind);
        }
    }

    /// What stands around a node before it and was made part of it by [`Visit::wrap`].
    pub(super) fn lead(&self, node: Node<'_>) -> &'s [u8] {
        let around = self.wrapper.as_ref().filter(|wrapper| wrapper.inner == node.id());
        let from = around.map_or(node.start_byte(), |wrapper| wrapper.byte);
        self.source.get(from..node.start_byte()).unwrap_or_default()
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
        use SymbolKind::{
            Constant, Constructor, Function, Macro, Method, Module, Namespace, Property,
        };
        let Definition { mut kind, name, until, owner, doc } = definition;
        let place = self.place();
        let value = matches!(kind, Constant | SymbolKind::Variable);
        let hidden = value && place == Place::Function
            || kind == SymbolKind::Variable && place == Place::Type;
        if kind == Function && (place == Place::Type || owner.is_some()) {
            kind = Method;
        }
        let around = self.wrapper.as_ref().filter(|wrapper| wrapper.inner == node.id());
        kind = around.and_then(|wrapper| wrapper.kind).unwrap_or(kind);
        if !hidden && !name.is_empty() {
            let row = around.map_or(node.start_position().row, |wrapper| wrapper.row);
            let byte = around.map_or_else(|| undecorated(node), |wrapper| wrapper.byte);
            if kind == Namespace && self.scopes.last().is_some_and(|scope| scope.rest) {
                self.leave(); // `namespace b;` ends `namespace a;`
            }
            let (start, above) = self.claim(row);
            self.head = self.head.max(until.unwrap_or(0));
            let parent = match &owner {
                Some(owner) if self.path.is_empty() => Some(owner.clone()),
                Some(owner) => Some(format!("{}.{owner}", self.path)),
                None if self.path.is_empty() => None,
                None => Some(self.path.clone()),
            };
            self.out.push(Symbol {
                name: name.clone(),
                kind,
                parent,
                start: line(start),
                end: line(last_row(node).max(start)),
                signature: self.signature(node, byte, until),
                doc: doc.filter(|text| !text.is_empty()).unwrap_or(above),
            });
        }
        let place = match kind {
            _ if value || name.is_empty() => return Flow::Enter,
            Function | Method | Constructor | Property | Macro => Place::Function,
            Module | Namespace => Place::Open,
            _ => Place::Type,
        };
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
        let start = node.start_byte();
        let before = &self.source[..start.min(self.source.len())];
        let mut blank = before.iter().rev().take_while(|byte| **byte != b'\n');
        // What follows code on its line is about that code, not about what comes next; what is
        // marked with `!` is about the file or the module.
        let about_around = matches!(self.source.get(start..start + 3), Some(b"//!" | b"/*!"));
        if about_around || start < self.head || !blank.all(u8::is_ascii_whitespace) {
            return;
        }
        self.extend(node);
        self.preamble.comments.push((start, node.end_byte()));
    }

    fn attribute(&mut self, node: Node<'_>) {
        if node.start_byte() < self.head {
            return;
        }
        self.extend(node);
        self.preamble.attribute.get_or_insert(node.start_position().row);
    }

    /// Make a node the next of the preamble, or the first of a new one if lines lie between.
    fn extend(&mut self, node: Node<'_>) {
        let preamble = &mut self.preamble;
        let row = node.start_position().row;
        let empty = preamble.comments.is_empty() && preamble.attribute.is_none();
        if empty || row > preamble.last + 1 {
            preamble.comments.clear();
            preamble.attribute = None;
            preamble.first = row;
        }
        preamble.last = last_row(node);
    }

    /// The preamble of a definition that begins on a line: (its first line with attributes, its
    /// documentation). Whether it is one or not, it is used up.
    fn claim(&mut self, row: usize) -> (usize, String) {
        let preamble = std::mem::take(&mut self.preamble);
        let near = preamble.last + 1 == row || preamble.last == row && preamble.attribute.is_some();
        if !near {
            return (row, String::new());
        }
        let pieces: Vec<&[u8]> =
            preamble.comments.iter().filter_map(|&(from, to)| self.source.get(from..to)).collect();
        let doc = text::above(&pieces, preamble.first == 0);
        (preamble.attribute.unwrap_or(row).min(row), doc)
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

fn line(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}
