//! The walk over the skeleton: what is a definition, in which scope, with which documentation.
//!
//! The rules are those of `javascript`, `typescript` and `visit`, which walk a syntax tree; a test holds them
//! beside each other.

use super::skeleton::{Form, Kind, NOWHERE, Node};
use crate::outline::preamble::Preamble;
use crate::outline::scope::{Path, Place, line};
use crate::outline::{SYMBOL_LIMIT, Symbol, SymbolKind, text};

/// How the walk goes on after a node.
enum Flow {
    Skip,
    Enter,
    Nameless(Place),
    Scope(String, Place),
}

struct Walk<'s, 'o> {
    source: &'s [u8],
    comments: &'s [(u32, u32)],
    /// Where the lines end.
    breaks: Vec<u32>,
    out: &'o mut Vec<Symbol>,
    /// With the first node that is not inside.
    path: Path<u32>,
    preamble: Preamble,
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
    let (path, preamble) = (Path::default(), Preamble::default());
    let mut walk = Walk { source, comments, breaks, out, path, preamble };
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        while walk.path.mark().is_some_and(|next| *next as usize <= at) {
            walk.path.leave();
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
        self.path.enter_marked(name.as_deref(), place, node.next)
    }

    fn place(&self) -> Place {
        self.path.here()
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
        let lead = node.lead.0 as usize..node.lead.1 as usize;
        let lead = self.source.get(lead).unwrap_or_default();
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
        let place = self.place();
        let hidden = place.hides(kind);
        if kind == SymbolKind::Function && (place == Place::Type || owner.is_some()) {
            kind = SymbolKind::Method;
        }
        if !hidden && !name.is_empty() {
            let (start, doc) = self.preamble.claim(self.source, self.row(node.row));
            let until = Some(until).filter(|until| *until != NOWHERE);
            self.preamble.pass(until.unwrap_or(0) as usize);
            let end = self.last_row(node).max(start);
            let signature = self.signature(node.head, until.unwrap_or(node.end));
            self.out.push(Symbol {
                name: name.clone(),
                kind,
                parent: self.path.parent(owner.as_deref()),
                start: line(start),
                end: line(end),
                signature,
                doc,
            });
        }
        let inside = Place::within(kind).filter(|_| !name.is_empty());
        let Some(place) = inside else { return Flow::Enter };
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
        if self.preamble.takes(self.source, node.start as usize) {
            let bytes = (node.start as usize, node.end as usize);
            self.preamble.comment(bytes, self.rows(node));
        }
    }

    fn attribute(&mut self, node: &Node) {
        if self.preamble.is_open(node.start as usize) {
            self.preamble.attribute(self.rows(node));
        }
    }

    /// The first and the last line of a node, from 0.
    fn rows(&self, node: &Node) -> (usize, usize) {
        (self.row(node.start), self.last_row(node))
    }
}
