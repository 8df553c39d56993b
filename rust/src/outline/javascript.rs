//! JavaScript: functions, classes, methods, exports, and functions that are assigned to names.
//!
//! Reported wherever they stand: declared functions and classes, methods, `this.f = function`,
//! `A.prototype.f = function`. Reported at the top of a file only: `const f = () =>`, `A.f = ...`,
//! `exports.f = ...`, objects with their functions, names in capitals, and what is exported. An
//! unnamed default export is called `default`, the object of `module.exports = {` is `exports`.
//! What TypeScript adds to this is in `typescript`.

use tree_sitter::Node;

use super::SymbolKind::{self, Class, Constant, Constructor, Function, Method, Property, Variable};
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child, start_of};

pub(super) static JAVASCRIPT: Grammar = Grammar::new(
    "javascript",
    version!("2", "tree-sitter-javascript-0.25.0"),
    tree_sitter_javascript::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("decorator", Rule::Attribute),
        ("function_declaration", Rule::Define(Function)),
        ("generator_function_declaration", Rule::Define(Function)),
        ("class_declaration", Rule::Define(Class)),
        ("class", Rule::By(class_expression)),
        ("method_definition", Rule::By(method)),
        ("field_definition", Rule::By(field)),
        ("export_statement", Rule::By(export)),
        ("lexical_declaration", Rule::By(declaration)),
        ("variable_declaration", Rule::By(declaration)),
        ("variable_declarator", Rule::By(declarator)),
        ("assignment_expression", Rule::By(assignment)),
        ("pair", Rule::By(pair)),
        ("function_expression", Rule::Local),
        ("generator_function", Rule::Local),
        ("arrow_function", Rule::Local),
        ("import_statement", Rule::Skip),
        ("formal_parameters", Rule::Skip),
        ("string", Rule::Skip),
        ("array", Rule::By(array)),
    ],
);

/// What an expression makes of the name it is given to.
fn kind_of(value: Node<'_>) -> Option<SymbolKind> {
    match value.kind() {
        "function_expression" | "generator_function" | "arrow_function" => Some(Function),
        "class" => Some(Class),
        "object" => Some(Constant),
        _ => None,
    }
}

/// Where the signature of a name given to a value ends.
fn until(value: Node<'_>) -> Option<usize> {
    if value.kind() == "object" { Some(value.start_byte()) } else { start_of(value, "body") }
}

/// Report a name that is given to a function, class or object; what is inside belongs to it.
fn named(visit: &mut Visit<'_>, node: Node<'_>, value: Node<'_>, definition: Definition) -> Flow {
    let name = definition.name.clone();
    let flow = visit.define(node, Definition { until: until(value), ..definition });
    if value.kind() == "object" { Flow::Scope(name, Place::Type) } else { flow }
}

/// A key of an object or class without its quotes.
fn key(visit: &Visit<'_>, node: Node<'_>, field: &str) -> String {
    visit.field(node, field).trim_matches(['"', '\'']).to_owned()
}

fn is_loud(name: &str) -> bool {
    name.len() > 1
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// A class that has a name only for itself: `const A = class B {}` is about A.
pub(super) fn class_expression(_: &mut Visit<'_>, _: Node<'_>) -> Flow {
    Flow::Nameless(Place::Type)
}

/// A method of a class, or of an object that has a name.
pub(super) fn method(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if visit.place() != Place::Type {
        return Flow::Nameless(Place::Function);
    }
    let name = key(visit, node, "name");
    let kind = match name.as_str() {
        "constructor" => Constructor,
        _ if child(node, "get").is_some() || child(node, "set").is_some() => Property,
        _ => Method,
    };
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(kind, name) })
}

/// A field of a class: a method if it holds a function, a constant if its name is in capitals.
pub(super) fn field(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let of = if node.kind() == "field_definition" { "property" } else { "name" };
    let name = key(visit, node, of);
    match node.child_by_field_name("value").map(|value| (kind_of(value), value)) {
        Some((Some(kind @ (Function | Class)), value)) => {
            named(visit, node, value, Definition::new(kind, name))
        }
        Some(_) if is_loud(&name) => visit.define(node, Definition::new(Constant, name)),
        _ => Flow::Nameless(Place::Function),
    }
}

pub(super) fn export(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if let Some(inner) = node.child_by_field_name("declaration") {
        visit.wrap(node, inner, true);
        return Flow::Enter;
    }
    let Some(value) = node.child_by_field_name("value") else { return Flow::Enter };
    let Some(kind) = kind_of(value) else { return Flow::Enter };
    let own = visit.field(value, "name");
    let name = if own.is_empty() { "default".to_owned() } else { own };
    named(visit, node, value, Definition::new(kind, name))
}

/// `const a = ..., b = ...`: the keyword belongs to the first name, and is about all of them.
pub(super) fn declaration(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if let Some(first) = child(node, "variable_declarator") {
        visit.wrap(node, first, true);
        visit.share(node, first);
    }
    Flow::Enter
}

pub(super) fn declarator(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let Some(left) = node.child_by_field_name("name").filter(|left| left.kind() == "identifier")
    else {
        return Flow::Enter; // a pattern
    };
    if visit.place() != Place::Open {
        return Flow::Enter;
    }
    let lead = visit.lead(node);
    let exported = lead.starts_with(b"export") || lead.starts_with(b"declare");
    let fixed = lead.windows(6).any(|word| word == b"const ");
    let name = visit.name(left);
    let plain = if fixed { Constant } else { Variable };
    match node.child_by_field_name("value").map(|value| (kind_of(value), value)) {
        Some((Some(kind), value)) => {
            let kind = if kind == Constant { plain } else { kind };
            named(visit, node, value, Definition::new(kind, name))
        }
        _ if exported || fixed && is_loud(&name) => {
            visit.define(node, Definition::new(plain, name))
        }
        _ => Flow::Enter,
    }
}

pub(super) fn assignment(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let (Some(left), Some(value)) =
        (node.child_by_field_name("left"), node.child_by_field_name("right"))
    else {
        return Flow::Enter;
    };
    if left.kind() != "member_expression" {
        return Flow::Enter;
    }
    let object = visit.field(left, "object");
    let name = visit.field(left, "property");
    let kind = kind_of(value);
    let open = visit.place() == Place::Open;
    // `module.exports = ...`
    if object == "module" && name == "exports" {
        let Some(kind) = kind.filter(|_| open) else { return Flow::Enter };
        let own = visit.field(value, "name");
        let name = if own.is_empty() { name } else { own };
        return named(visit, node, value, Definition::new(kind, name));
    }
    // `exports.a = ...`
    if object == "exports" || object == "module.exports" {
        let again = ["identifier", "member_expression", "call_expression", "unary_expression"]
            .contains(&value.kind()); // `exports.a = void 0` says that `a` comes later
        let kind = kind.or_else(|| (is_loud(&name) || !again).then_some(Constant));
        let Some(kind) = kind.filter(|_| open) else { return Flow::Enter };
        if value.kind() == "assignment_expression" || value.kind() == "undefined" {
            return Flow::Enter; // `exports.a = exports.b = ...`: the innermost says what it is
        }
        return named(visit, node, value, Definition::new(kind, name));
    }
    // `A.prototype = { ... }`
    if name == "prototype" && value.kind() == "object" && is_path(&object) {
        return Flow::Scope(object, Place::Type);
    }
    let Some(kind @ (Function | Class)) = kind else { return Flow::Enter };
    if let Some(owner) = object.strip_suffix(".prototype").filter(|owner| is_path(owner)) {
        let owner = Some(owner.to_owned());
        return named(visit, node, value, Definition { owner, ..Definition::new(kind, name) });
    }
    if object == "this" && !open {
        return named(visit, node, value, Definition::new(Method, name));
    }
    if open && is_path(&object) {
        let owner = Some(object);
        return named(visit, node, value, Definition { owner, ..Definition::new(kind, name) });
    }
    Flow::Enter
}

/// Whether a text is names joined with dots.
fn is_path(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_$.".contains(&byte) || byte >= 0x80;
    !text.is_empty() && text.len() < 100 && text.bytes().all(word)
}

/// `a: function () {}` in an object that has a name.
pub(super) fn pair(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let Some(value) = node.child_by_field_name("value") else { return Flow::Enter };
    if visit.place() == Place::Type && matches!(kind_of(value), Some(Function | Class)) {
        let name = key(visit, node, "key");
        let kind = kind_of(value).unwrap_or(Function);
        return named(visit, node, value, Definition::new(kind, name));
    }
    Flow::Enter
}

/// What is in a list has no name, even if the list has one.
pub(super) fn array(_: &mut Visit<'_>, _: Node<'_>) -> Flow {
    Flow::Nameless(Place::Function)
}
