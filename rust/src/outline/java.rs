//! Java: types, methods, constructors and constants (`static final`, or of an interface).
//! Members of anonymous classes are not reported.

use tree_sitter::Node;

use super::SymbolKind::{Class, Constant, Constructor, Enum, Interface, Method, Module};
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child};

pub(super) static JAVA: Grammar = Grammar::new(
    "java",
    version!("1", "tree-sitter-java-0.23.5"),
    tree_sitter_java::LANGUAGE,
    &[
        ("line_comment", Rule::Comment),
        ("block_comment", Rule::Comment),
        ("class_declaration", Rule::Define(Class)),
        ("record_declaration", Rule::Define(Class)),
        ("interface_declaration", Rule::Define(Interface)),
        ("annotation_type_declaration", Rule::Define(Interface)),
        ("enum_declaration", Rule::Define(Enum)),
        ("module_declaration", Rule::Define(Module)),
        ("method_declaration", Rule::Define(Method)),
        ("annotation_type_element_declaration", Rule::Define(Method)),
        ("constructor_declaration", Rule::Define(Constructor)),
        ("compact_constructor_declaration", Rule::Define(Constructor)),
        ("field_declaration", Rule::By(field)),
        ("constant_declaration", Rule::By(constants)),
        ("lambda_expression", Rule::Local),
        ("object_creation_expression", Rule::Skip),
        ("enum_constant", Rule::Skip),
        ("formal_parameters", Rule::Skip),
        ("import_declaration", Rule::Skip),
    ],
);

fn field(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let modifiers = child(node, "modifiers");
    let has = |word| modifiers.is_some_and(|modifiers| child(modifiers, word).is_some());
    if has("static") && has("final") { constants(visit, node) } else { Flow::Skip }
}

fn constants(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let mut cursor = node.walk();
    for declarator in node.children_by_field_name("declarator", &mut cursor) {
        let name = visit.field(declarator, "name");
        visit.define(node, Definition::new(Constant, name));
    }
    Flow::Skip
}
