//! The walk over the skeleton: what is a definition, in which scope, with which documentation.
//!
//! The rules are those of `javascript`, `typescript` and `visit`, which walk a syntax tree; a test holds them
//! beside each other.

use super::skeleton::{Form, Kind, NOWHERE, Node};
use crate::outline::{SYMBOL_LIMIT, Symbol, SymbolKind, text};

/// Longest dotted name of a scope, in bytes. What is nested deeper than that is not looked at.
const PATH_LIMIT: usize = 1000;

/// Where a scope is, which decides what a function in it is called and whether a variable counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Open,
    Type,
    Function,
}

/// How the walk goes on after a node.
enum Flow {
    Skip,
    Enter,
    Nameless(Place),
    Scope(String, Place),
}

struct Scope {
    /// The first node that is not inside.
    next: u32,
    /// Length of the path without it.
    outside: usize,
    place: Place,
}

/// Comments and decorators that stand one below the other, not yet claimed by a definition.
#[derive(Default)]
struct Preamble {
    comments: Vec<(u32, u32)>,
    attribute: Option<usize>,
    first: usize,
    last: usize,
}

struct Walk<'s, 'o> {
    source: &'s [u8],
    comments: &'s [(u32, u32)],
    /// Where the lines end.
    breaks: Vec<u32>,
    out: &'o mut Vec<Symbol>,
    scopes: Vec<Scope>,
    path: String,
    preamble: Preamble,
    /// Where the head of the last definition ends: comments before that are inside it.
    head: u32,
}

/// Append the definitions among the nodes of a source.
pub(super) fn report(
    source: &[u8],
    nodes: &[Node],
    comments: &[(u32, u32)],
    out: &mut Vec<Symbol>,
) {
    if nodes.is_empty() {
        return;
    }
    let breaks = memchr::memchr_iter(b'\n', source).map(super::lex::place).collect();
    let (scopes, path, preamble) = (Vec::new(), String::new(), Preamble::default());
    let mut walk = Walk { source, comments, breaks, out, scopes, path, preamble, head: 0 };
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        while walk.scopes.last().is_some_and(|scope| scope.next as usize <= at) {
            walk.leave();
        }
        let inside = walk.node(node);
        if walk.out.len() > SYMBOL_LIMIT {
            return;
        }
        at = if inside { at + 1 } else { (node.next as usize).max(at + 1) };
    }
}

/// Whether a text is names joined with dots.
fn is_path(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte) || byte >= 0x80;
    !text.is_empty() && text.len() < 100 && text.bytes().all(word)
}

fn is_loud(name: &str) -> bool {
    name.len() > 1
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn line(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

/// What an expression makes of the name it is given to.
fn kind_of(form: Form) -> Option<SymbolKind> {
    match form {
        Form::Function => Some(SymbolKind::Function),
        Form::Class => Some(SymbolKind::Class),
        Form::Object => Some(SymbolKind::Constant),
        _ => None,
    }
}

impl Walk<'_, '_> {
    /// Pass a node; true to look inside.
    fn node(&mut self, node: &Node) -> bool {
        let flow = match node.kind {
            Kind::Nothing => return true,
            Kind::Comment => {
                self.comment(node);
                return false;
            }
            Kind::Attribute => {
                self.attribute(node);
                return false;
            }
            Kind::Function => self.plain(node, SymbolKind::Function),
            Kind::Class => self.plain(node, SymbolKind::Class),
            Kind::Interface => self.plain(node, SymbolKind::Interface),
            Kind::Enum => self.plain(node, SymbolKind::Enum),
            Kind::Abstract => self.plain(node, SymbolKind::Method),
            Kind::Alias => {
                self.plain(node, SymbolKind::Type);
                Flow::Skip
            }
            Kind::Namespace => {
                let name = self.key(node.name);
                self.define(node, SymbolKind::Namespace, name, node.value.until, None)
            }
            Kind::ClassExpression => Flow::Nameless(Place::Type),
            Kind::Local | Kind::Array => Flow::Nameless(Place::Function),
            Kind::Method => self.method(node),
            Kind::Signature if self.place() == Place::Type => self.method(node),
            Kind::Signature => Flow::Skip,
            Kind::Field => self.field(node),
            Kind::Export => self.export(node),
            Kind::Declarator => self.declarator(node),
            Kind::Assignment => self.assignment(node),
            Kind::Pair => self.pair(node),
        };
        let (name, place) = match flow {
            Flow::Skip => return false,
            Flow::Enter => return true,
            Flow::Nameless(place) => (None, place),
            Flow::Scope(name, place) => (Some(name), place),
        };
        let outside = self.path.len();
        if let Some(name) = name {
            if outside + 1 + name.len() > PATH_LIMIT {
                return false;
            }
            if outside > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
        }
        self.scopes.push(Scope { next: node.next, outside, place });
        true
    }

    fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.path.truncate(scope.outside);
        }
    }

    fn place(&self) -> Place {
        self.scopes.last().map_or(Place::Open, |scope| scope.place)
    }

    fn text(&self, (from, to): (u32, u32)) -> String {
        text::name(self.source.get(from as usize..to as usize).unwrap_or_default())
    }

    /// A key of an object or class without its quotes.
    fn key(&self, range: (u32, u32)) -> String {
        let text = self.text(range);
        let bare = text.trim_matches(['"', '\'']);
        if bare.len() == text.len() { text } else { bare.to_owned() }
    }

    /// The line of a place, from 0.
    fn row(&self, at: u32) -> usize {
        self.breaks.partition_point(|one| *one < at)
    }

    /// The line of the last byte of a node, from 0.
    fn last_row(&self, node: &Node) -> usize {
        self.row(node.end.saturating_sub(1).max(node.start))
    }

    fn plain(&mut self, node: &Node, kind: SymbolKind) -> Flow {
        let name = self.text(node.name);
        self.define(node, kind, name, node.value.until, None)
    }

    fn method(&mut self, node: &Node) -> Flow {
        if self.place() != Place::Type {
            return Flow::Nameless(Place::Function);
        }
        let name = self.key(node.name);
        let kind = match name.as_str() {
            "constructor" => SymbolKind::Constructor,
            _ if node.accessor => SymbolKind::Property,
            _ => SymbolKind::Method,
        };
        self.define(node, kind, name, node.value.until, None)
    }

    /// Report a name that is given to a function, class or object; what is inside belongs to it.
    fn named(
        &mut self,
        node: &Node,
        kind: SymbolKind,
        name: String,
        owner: Option<String>,
    ) -> Flow {
        let object = (node.value.form == Form::Object).then(|| name.clone());
        let flow = self.define(node, kind, name, node.value.until, owner);
        match object {
            Some(name) => Flow::Scope(name, Place::Type),
            None => flow,
        }
    }

    fn field(&mut self, node: &Node) -> Flow {
        let name = self.key(node.name);
        match kind_of(node.value.form) {
            Some(kind @ (SymbolKind::Function | SymbolKind::Class)) => {
                self.named(node, kind, name, None)
            }
            _ if is_loud(&name) => self.define(node, SymbolKind::Constant, name, NOWHERE, None),
            _ => Flow::Nameless(Place::Function),
        }
    }

    fn export(&mut self, node: &Node) -> Flow {
        let Some(kind) = kind_of(node.value.form) else { return Flow::Enter };
        let own = self.text(node.value.own);
        let name = if own.is_empty() { "default".to_owned() } else { own };
        self.named(node, kind, name, None)
    }

    fn declarator(&mut self, node: &Node) -> Flow {
        if self.place() != Place::Open {
            return Flow::Enter;
        }
        let from = if node.wrapped { node.head } else { node.start };
        let lead = self.source.get(from as usize..node.start as usize).unwrap_or_default();
        let exported = lead.starts_with(b"export") || lead.starts_with(b"declare");
        let fixed = lead.windows(6).any(|word| word == b"const ");
        let plain = if fixed { SymbolKind::Constant } else { SymbolKind::Variable };
        let name = self.text(node.name);
        match kind_of(node.value.form) {
            Some(SymbolKind::Constant) => self.named(node, plain, name, None),
            Some(kind) => self.named(node, kind, name, None),
            None if exported || fixed && is_loud(&name) => {
                self.define(node, plain, name, NOWHERE, None)
            }
            None => Flow::Enter,
        }
    }

    fn assignment(&mut self, node: &Node) -> Flow {
        let object = self.text((node.start, node.object));
        let name = self.text(node.name);
        let form = node.value.form;
        let kind = kind_of(form);
        let open = self.place() == Place::Open;
        // `module.exports = ...`
        if object == "module" && name == "exports" {
            let Some(kind) = kind.filter(|_| open) else { return Flow::Enter };
            let own = self.text(node.value.own);
            let name = if own.is_empty() { name } else { own };
            return self.named(node, kind, name, None);
        }
        // `exports.a = ...`
        if object == "exports" || object == "module.exports" {
            let again = form == Form::Again; // `exports.a = void 0` says that `a` comes later
            let constant = || (is_loud(&name) || !again).then_some(SymbolKind::Constant);
            let Some(kind) = kind.or_else(constant).filter(|_| open) else { return Flow::Enter };
            if matches!(form, Form::Assignment | Form::Undefined) {
                return Flow::Enter; // `exports.a = exports.b = ...`: the innermost says what it is
            }
            return self.named(node, kind, name, None);
        }
        // `A.prototype = { ... }`
        if name == "prototype" && form == Form::Object && is_path(&object) {
            return Flow::Scope(object, Place::Type);
        }
        let Some(kind @ (SymbolKind::Function | SymbolKind::Class)) = kind else {
            return Flow::Enter;
        };
        if let Some(owner) = object.strip_suffix(".prototype").filter(|owner| is_path(owner)) {
            let owner = Some(owner.to_owned());
            return self.named(node, kind, name, owner);
        }
        if object == "this" && !open {
            return self.named(node, SymbolKind::Method, name, None);
        }
        if open && is_path(&object) {
            return self.named(node, kind, name, Some(object));
        }
        Flow::Enter
    }

    /// `a: function () {}` in an object that has a name.
    fn pair(&mut self, node: &Node) -> Flow {
        match kind_of(node.value.form) {
            Some(kind) if self.place() == Place::Type => {
                let name = self.key(node.name);
                self.named(node, kind, name, None)
            }
            _ => Flow::Enter,
        }
    }

    /// Report a definition; the result opens its scope if it is one.
    fn define(
        &mut self,
        node: &Node,
        mut kind: SymbolKind,
        name: String,
        until: u32,
        owner: Option<String>,
    ) -> Flow {
        use SymbolKind::{Constant, Constructor, Function, Method, Namespace, Property, Variable};
        let place = self.place();
        let value = matches!(kind, Constant | Variable);
        let hidden = value && place == Place::Function || kind == Variable && place == Place::Type;
        if kind == Function && (place == Place::Type || owner.is_some()) {
            kind = Method;
        }
        if !hidden && !name.is_empty() {
            let (start, doc) = self.claim(self.row(node.row));
            let until = Some(until).filter(|until| *until != NOWHERE);
            self.head = self.head.max(until.unwrap_or(0));
            let parent = match &owner {
                Some(owner) if self.path.is_empty() => Some(owner.clone()),
                Some(owner) => Some(format!("{}.{owner}", self.path)),
                None if self.path.is_empty() => None,
                None => Some(self.path.clone()),
            };
            let end = self.last_row(node).max(start);
            let signature = self.signature(node.head, until.unwrap_or(node.end));
            self.out.push(Symbol {
                name: name.clone(),
                kind,
                parent,
                start: line(start),
                end: line(end),
                signature,
                doc,
            });
        }
        let place = match kind {
            _ if value || name.is_empty() => return Flow::Enter,
            Function | Method | Constructor | Property => Place::Function,
            Namespace => Place::Open,
            _ => Place::Type,
        };
        let name = owner.map_or_else(|| name.clone(), |owner| format!("{owner}.{name}"));
        Flow::Scope(name, place)
    }

    fn signature(&self, from: u32, to: u32) -> String {
        let limit = from as usize + text::RAW_LIMIT;
        let to = (to as usize).clamp(from as usize, limit).min(self.source.len());
        let raw = self.source.get(from as usize..to).unwrap_or_default();
        let mut gaps = Vec::new();
        if raw.contains(&b'/') {
            let first = self.comments.partition_point(|one| one.0 < from);
            let inside = self.comments[first..].iter().take_while(|one| (one.0 as usize) < to);
            gaps.extend(inside.map(|one| ((one.0 - from) as usize, (one.1 - from) as usize)));
        }
        text::signature(raw, &gaps)
    }

    /// A comment, which may turn out to document what comes next.
    fn comment(&mut self, node: &Node) {
        let start = node.start as usize;
        let before = &self.source[..start];
        let mut blank = before.iter().rev().take_while(|byte| **byte != b'\n');
        let about_around = matches!(self.source.get(start..start + 3), Some(b"//!" | b"/*!"));
        if about_around || node.start < self.head || !blank.all(u8::is_ascii_whitespace) {
            return;
        }
        self.extend(node);
        self.preamble.comments.push((node.start, node.end));
    }

    fn attribute(&mut self, node: &Node) {
        if node.start < self.head {
            return;
        }
        self.extend(node);
        let row = self.row(node.start);
        self.preamble.attribute.get_or_insert(row);
    }

    /// Make a node the next of the preamble, or the first of a new one if lines lie between.
    fn extend(&mut self, node: &Node) {
        let (row, last) = (self.row(node.start), self.last_row(node));
        let preamble = &mut self.preamble;
        let empty = preamble.comments.is_empty() && preamble.attribute.is_none();
        if empty || row > preamble.last + 1 {
            preamble.comments.clear();
            preamble.attribute = None;
            preamble.first = row;
        }
        preamble.last = last;
    }

    /// The preamble of a definition that begins on a line: its first line with decorators, its
    /// documentation. Whether it is one or not, it is used up.
    fn claim(&mut self, row: usize) -> (usize, String) {
        let near = self.preamble.last + 1 == row
            || self.preamble.last == row && self.preamble.attribute.is_some();
        let doc = if near && !self.preamble.comments.is_empty() {
            let texts = self.preamble.comments.iter();
            let pieces: Vec<&[u8]> =
                texts.map(|one| &self.source[one.0 as usize..one.1 as usize]).collect();
            text::above(&pieces, self.preamble.first == 0)
        } else {
            String::new()
        };
        let attribute = self.preamble.attribute.filter(|_| near);
        self.preamble.comments.clear();
        (self.preamble.attribute, self.preamble.first, self.preamble.last) = (None, 0, 0);
        (attribute.unwrap_or(row).min(row), doc)
    }
}
