//! Python: functions, classes, properties, and the constants and annotated variables of a module.
//!
//! A decorated definition starts at its first decorator. Its documentation is the docstring, or
//! else the comment above.

use tree_sitter::Node;

use super::SymbolKind::{Class, Constant, Constructor, Function, Property, Type, Variable};
use super::text;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Place, Visit};

pub(super) static PYTHON: Grammar = Grammar::new(
    "python",
    version!("1", "tree-sitter-python-0.25.0"),
    tree_sitter_python::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("decorated_definition", Rule::By(decorated)),
        ("function_definition", Rule::By(function)),
        ("class_definition", Rule::By(class)),
        ("type_alias_statement", Rule::By(alias)),
        ("expression_statement", Rule::By(statement)),
        ("lambda", Rule::Skip),
        ("import_statement", Rule::Skip),
        ("import_from_statement", Rule::Skip),
        ("return_statement", Rule::Skip),
        ("string", Rule::Skip),
        ("call", Rule::Skip),
    ],
);

fn decorated(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let Some(inner) = node.child_by_field_name("definition") else { return Flow::Enter };
    visit.wrap(node, inner, false);
    let mut cursor = node.walk();
    for decorator in node.named_children(&mut cursor) {
        let text = visit.text(decorator);
        let last = text.rsplit(|byte| matches!(byte, b'.' | b'@')).next().unwrap_or_default();
        if [&b"property"[..], b"cached_property", b"setter", b"deleter"]
            .contains(&last.trim_ascii())
        {
            visit.recast(Property);
        }
    }
    Flow::Enter
}

fn function(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let maker = visit.place() == Place::Type && name == "__init__";
    documented(visit, node, Definition::new(if maker { Constructor } else { Function }, name))
}

fn class(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    documented(visit, node, Definition::new(Class, name))
}

/// A definition with a body whose first statement may be a docstring.
fn documented(visit: &mut Visit<'_>, node: Node<'_>, mut definition: Definition) -> Flow {
    let body = node.child_by_field_name("body");
    definition.until = body.map(|body| body.start_byte());
    definition.doc = body.and_then(|body| docstring(visit, body));
    visit.define(node, definition)
}

fn docstring(visit: &Visit<'_>, body: Node<'_>) -> Option<String> {
    let mut cursor = body.walk();
    let first = body.named_children(&mut cursor).find(|child| !child.is_extra())?;
    let string = first.named_child(0).filter(|child| child.kind() == "string")?;
    let literal = visit.text(string);
    let quotes = literal.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let inside = &literal[quotes..];
    let quote = if inside.starts_with(b"\"\"\"") || inside.starts_with(b"\'\'\'") { 3 } else { 1 };
    Some(text::docstring(inside.get(quote..inside.len().saturating_sub(quote))?))
}

fn alias(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let whole = visit.field(node, "left");
    let name = whole.split('[').next().unwrap_or_default().trim_end().to_owned();
    visit.define(node, Definition::new(Type, name));
    Flow::Skip
}

/// At the top of a module: `LIMIT = 3`, `name: int = 3`, `twice = lambda x: 2 * x`,
/// `Point = namedtuple(...)`. Expressions contain no other definitions, so nothing is entered.
fn statement(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let Some(assignment) = node.named_child(0).filter(|child| child.kind() == "assignment") else {
        return Flow::Skip;
    };
    let Some(left) = assignment.child_by_field_name("left") else { return Flow::Skip };
    if visit.place() != Place::Open || left.kind() != "identifier" {
        return Flow::Skip;
    }
    let name = visit.name(left);
    let right = assignment.child_by_field_name("right");
    let kind = match right.map(|right| (right.kind(), right)) {
        Some(("lambda", _)) => Some(Function),
        Some(("call", call)) => made_by(&visit.field(call, "function")),
        _ => None,
    };
    let shouted = name.bytes().any(|byte| byte.is_ascii_uppercase()) && name.len() > 1;
    let kind = match kind {
        Some(kind) => kind,
        None if shouted && !name.bytes().any(|byte| byte.is_ascii_lowercase()) => Constant,
        None if assignment.child_by_field_name("type").is_some() => Variable,
        None => return Flow::Skip,
    };
    visit.define(node, Definition::new(kind, name));
    Flow::Skip
}

/// What a call to a well-known maker of types makes.
fn made_by(function: &str) -> Option<super::SymbolKind> {
    match function.rsplit('.').next()? {
        "namedtuple" | "NamedTuple" | "TypedDict" | "make_dataclass" => Some(Class),
        "NewType" | "TypeVar" | "ParamSpec" | "TypeVarTuple" => Some(Type),
        _ => None,
    }
}
