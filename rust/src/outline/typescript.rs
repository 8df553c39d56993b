//! TypeScript and TSX: JavaScript, and interfaces, aliases, enumerations, namespaces, signatures.

use tree_sitter::Node;

use super::SymbolKind::{Class, Enum, Function, Interface, Method, Namespace, Type};
use super::javascript as js;
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, start_of};

pub(super) static TYPESCRIPT: Grammar = Grammar::new(
    "typescript",
    version!("2", "tree-sitter-typescript-0.23.2"),
    tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    RULES,
);

pub(super) static TSX: Grammar = Grammar::new(
    "tsx",
    version!("2", "tree-sitter-typescript-0.23.2"),
    tree_sitter_typescript::LANGUAGE_TSX,
    RULES,
);

const RULES: &[(&str, Rule)] = &[
    ("comment", Rule::Comment),
    ("decorator", Rule::Attribute),
    ("function_declaration", Rule::Define(Function)),
    ("generator_function_declaration", Rule::Define(Function)),
    ("function_signature", Rule::Define(Function)),
    ("class_declaration", Rule::Define(Class)),
    ("abstract_class_declaration", Rule::Define(Class)),
    ("class", Rule::By(js::class_expression)),
    ("interface_declaration", Rule::Define(Interface)),
    ("type_alias_declaration", Rule::By(alias)),
    ("enum_declaration", Rule::Define(Enum)),
    ("internal_module", Rule::By(module)),
    ("module", Rule::By(module)),
    ("ambient_declaration", Rule::By(ambient)),
    ("method_definition", Rule::By(js::method)),
    ("method_signature", Rule::By(signature)),
    ("abstract_method_signature", Rule::Define(Method)),
    ("public_field_definition", Rule::By(js::field)),
    ("export_statement", Rule::By(js::export)),
    ("lexical_declaration", Rule::By(js::declaration)),
    ("variable_declaration", Rule::By(js::declaration)),
    ("variable_declarator", Rule::By(js::declarator)),
    ("assignment_expression", Rule::By(js::assignment)),
    ("pair", Rule::By(js::pair)),
    ("function_expression", Rule::Local),
    ("generator_function", Rule::Local),
    ("arrow_function", Rule::Local),
    ("import_statement", Rule::Skip),
    ("formal_parameters", Rule::Skip),
    ("type_annotation", Rule::Skip),
    ("enum_body", Rule::Skip),
    ("string", Rule::Skip),
    ("array", Rule::By(js::array)),
];

/// The type itself is the signature; what is in it has no names of its own.
fn alias(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    visit.define(node, Definition::new(Type, name));
    Flow::Skip
}

/// `namespace A.B {}`, `declare module "a" {}`.
fn module(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name").trim_matches(['"', '\'']).to_owned();
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Namespace, name) })
}

/// `declare ...`
fn ambient(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if let Some(inner) = node.named_child(0) {
        visit.wrap(node, inner, true);
    }
    Flow::Enter
}

/// A method without a body: of an interface, or an overload in a class.
fn signature(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if visit.place() == Place::Type { js::method(visit, node) } else { Flow::Skip }
}
