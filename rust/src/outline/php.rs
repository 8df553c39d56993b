//! PHP: namespaces, types, functions, methods and constants (`const`, `define()`).

use tree_sitter::Node;

use super::SymbolKind::{
    Class, Constant, Constructor, Enum, Function, Interface, Namespace, Trait,
};
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child, start_of};

pub(super) static PHP: Grammar = Grammar::new(
    "php",
    version!("2", "tree-sitter-php-0.25.1"),
    tree_sitter_php::LANGUAGE_PHP,
    &[
        ("comment", Rule::Comment),
        ("namespace_definition", Rule::By(namespace)),
        ("class_declaration", Rule::Define(Class)),
        ("interface_declaration", Rule::Define(Interface)),
        ("trait_declaration", Rule::Define(Trait)),
        ("enum_declaration", Rule::Define(Enum)),
        ("function_definition", Rule::Define(Function)),
        ("method_declaration", Rule::By(method)),
        ("const_declaration", Rule::By(constants)),
        ("function_call_expression", Rule::By(call)),
        ("anonymous_function", Rule::Local),
        ("arrow_function", Rule::Local),
        ("anonymous_class", Rule::Skip),
        ("property_declaration", Rule::Skip),
        ("formal_parameters", Rule::Skip),
        ("namespace_use_declaration", Rule::Skip),
    ],
);

fn namespace(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let flow = visit.plain(node, Namespace);
    match flow {
        Flow::Scope(name, _) if node.child_by_field_name("body").is_none() => Flow::Rest(name),
        other => other,
    }
}

fn method(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let kind = if name == "__construct" { Constructor } else { Function };
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(kind, name) })
}

fn constants(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let mut cursor = node.walk();
    for element in node.named_children(&mut cursor) {
        if let Some(name) = child(element, "name").filter(|_| element.kind() == "const_element") {
            let name = visit.name(name);
            visit.define(node, Definition::new(Constant, name));
        }
    }
    Flow::Skip
}

/// `define('NAME', value)`.
fn call(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if visit.field(node, "function") == "define" {
        let arguments = node.child_by_field_name("arguments");
        let first = arguments.and_then(|arguments| arguments.named_child(0));
        // A name that is put together from several is not known.
        let text = first.and_then(|first| {
            first.named_child(0).filter(|text| matches!(text.kind(), "string" | "encapsed_string"))
        });
        let name = text.map(|text| visit.name(text)).unwrap_or_default();
        let inner = name.trim_matches(['"', '\'']);
        if inner.len() + 2 == name.len() {
            visit.define(node, Definition::new(Constant, inner.to_owned()));
        }
    }
    Flow::Enter
}
