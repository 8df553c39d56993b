//! Python: functions, classes, properties, and the constants and annotated variables of a module.
//!
//! A decorated definition starts at its first decorator. Its documentation is the docstring, or
//! else the comment above.

use tree_sitter::Node;

use super::SymbolKind::{Class, Constant, Constructor, Function, Property, Type, Variable};
use super::python_names::{CHAIN_LIMIT, is_loud, is_property, made_by, quotes};
use super::scope::Place;
use super::text;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit};

pub(super) static PYTHON: Grammar = Grammar::new(
    "python",
    version!("3", "tree-sitter-python-0.25.0"),
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
        // A comment may follow on its line, and the definition itself is one of the children.
        let named = (decorator.kind() == "decorator").then(|| decorator.named_child(0)).flatten();
        if named.is_some_and(|named| is_property(visit.text(named))) {
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

/// The string that a body begins with, or several that stand one behind the other, and nothing else.
fn docstring(visit: &Visit<'_>, body: Node<'_>) -> Option<String> {
    let mut cursor = body.walk();
    let first = body.named_children(&mut cursor).find(|child| !child.is_extra())?;
    let mut cursor = first.walk();
    let mut parts = first.named_children(&mut cursor).filter(|child| !child.is_extra());
    let string = parts.next().filter(|_| first.kind() == "expression_statement")?;
    if parts.next().is_some() || first.child(1).is_some_and(|next| !next.is_extra()) {
        return None; // `"a", "b"` and `"a",`
    }
    let mut inside = Vec::new();
    let mut cursor = string.walk();
    match string.kind() {
        "string" => inside.extend_from_slice(unquoted(visit.text(string))),
        "concatenated_string" => {
            for string in string.named_children(&mut cursor).filter(|part| part.kind() == "string")
            {
                inside.extend_from_slice(unquoted(visit.text(string)));
            }
        }
        _ => return None,
    }
    Some(text::docstring(&inside))
}

/// A literal without the letters before it and its quotes.
fn unquoted(literal: &[u8]) -> &[u8] {
    let start = literal.iter().position(|byte| matches!(byte, b'"' | b'\'')).unwrap_or(0);
    let literal = literal.get(start..).unwrap_or_default();
    let quotes = quotes(literal);
    literal.get(quotes..literal.len().saturating_sub(quotes)).unwrap_or_default()
}

fn alias(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let whole = visit.field(node, "left");
    let name = whole.split('[').next().unwrap_or_default().trim_end().to_owned();
    // `type(x).y = 1` is taken for an alias, too.
    if !name.starts_with('(') {
        visit.define(node, Definition::new(Type, name));
    }
    Flow::Skip
}

/// At the top of a module: `LIMIT = 3`, `name: int = 3`, `twice = lambda x: 2 * x`,
/// `Point = namedtuple(...)`; also `A = B = 3` and `A, B = 1, 2`. Expressions contain no other
/// definitions, so nothing is entered.
fn statement(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let mut next = node.named_child(0).filter(|_| visit.place() == Place::Open);
    // `A = B = 3`: the value of the first is the assignment to the second.
    let mut links = 0;
    while let Some(assignment) = next.filter(|child| child.kind() == "assignment") {
        let Some(left) = assignment.child_by_field_name("left") else { break };
        next = assignment.child_by_field_name("right");
        links += 1;
        if links > CHAIN_LIMIT {
            break;
        }
        if matches!(left.kind(), "pattern_list" | "tuple_pattern" | "list_pattern") {
            let mut cursor = left.walk();
            for target in left.named_children(&mut cursor) {
                if target.kind() == "identifier" && is_loud(&visit.name(target)) {
                    visit.define(node, Definition::new(Constant, visit.name(target)));
                }
            }
        } else if left.kind() == "identifier" {
            let name = visit.name(left);
            let typed = assignment.child_by_field_name("type").is_some();
            let made = next.and_then(|right| match right.kind() {
                "lambda" => Some(Function),
                "call" => made_by(&visit.field(right, "function")),
                _ => None,
            });
            let plain = || is_loud(&name).then_some(Constant).or(typed.then_some(Variable));
            if let Some(kind) = made.or_else(plain) {
                visit.define(node, Definition::new(kind, name));
            }
        }
    }
    Flow::Skip
}
