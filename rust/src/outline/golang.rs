//! Go: functions, methods (their parent is the receiver's type), types, constants, variables.

use tree_sitter::Node;

use super::SymbolKind::{self, Constant, Function, Interface, Method, Struct, Type, Variable};
use super::brace::go::owner_of;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child, start_of};

pub(super) static GO: Grammar = Grammar::new(
    "go",
    version!("2", "tree-sitter-go-0.25.0"),
    tree_sitter_go::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("function_declaration", Rule::Define(Function)),
        ("method_declaration", Rule::By(method)),
        ("method_elem", Rule::Define(Method)),
        ("type_declaration", Rule::By(single)),
        ("const_declaration", Rule::By(single)),
        ("var_declaration", Rule::By(single)),
        ("type_spec", Rule::By(spec)),
        ("type_alias", Rule::Define(Type)),
        ("const_spec", Rule::By(constants)),
        ("var_spec", Rule::By(variables)),
        ("func_literal", Rule::Local),
        ("import_declaration", Rule::Skip),
        ("parameter_list", Rule::Skip),
        ("type_parameter_list", Rule::Skip),
        ("field_declaration_list", Rule::Skip),
    ],
);

/// `type A ...` without brackets: the keyword belongs to the one thing that is declared.
fn single(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if let Some(inner) = node.named_child(0).filter(|_| child(node, "(").is_none()) {
        visit.wrap(node, inner, true);
    }
    Flow::Enter
}

fn method(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let owner = owner_of(&visit.field(node, "receiver"));
    let until = start_of(node, "body");
    let name = visit.field(node, "name");
    visit.define(node, Definition { until, owner, ..Definition::new(Method, name) })
}

fn spec(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let shape = node.child_by_field_name("type");
    let (kind, body) = match shape.map(|shape| (shape.kind(), shape)) {
        Some(("struct_type", shape)) => (Struct, child(shape, "field_declaration_list")),
        Some(("interface_type", shape)) => (Interface, child(shape, "{")),
        _ => (Type, None),
    };
    let until = body.map(|body| body.start_byte());
    visit.define(node, Definition { until, ..Definition::new(kind, name) })
}

fn constants(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    values(visit, node, Constant)
}

fn variables(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    values(visit, node, Variable)
}

/// `a, b = 1, 2`: one definition for each name, except `_`.
fn values(visit: &mut Visit<'_>, node: Node<'_>, kind: SymbolKind) -> Flow {
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let text = visit.name(name);
        if name.is_named() && text != "_" {
            visit.define(node, Definition::new(kind, text));
        }
    }
    Flow::Enter
}
