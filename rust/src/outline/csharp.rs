//! C#: namespaces, types, methods, constructors, operators, properties, indexers, events with
//! accessors, and constants (`const`, `static readonly`). Fields are not reported.

use tree_sitter::Node;

use super::SymbolKind::{
    Class, Constant, Constructor, Enum, Function, Interface, Method, Namespace, Property, Struct,
    Type,
};
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child, start_of};

pub(super) static CSHARP: Grammar = Grammar::new(
    "csharp",
    version!("2", "tree-sitter-c-sharp-0.23.5"),
    tree_sitter_c_sharp::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("namespace_declaration", Rule::Define(Namespace)),
        ("file_scoped_namespace_declaration", Rule::By(namespace)),
        ("class_declaration", Rule::Define(Class)),
        ("record_declaration", Rule::By(record)),
        ("struct_declaration", Rule::Define(Struct)),
        ("interface_declaration", Rule::Define(Interface)),
        ("enum_declaration", Rule::Define(Enum)),
        ("delegate_declaration", Rule::Define(Type)),
        ("method_declaration", Rule::Define(Method)),
        ("local_function_statement", Rule::Define(Function)),
        ("constructor_declaration", Rule::Define(Constructor)),
        ("destructor_declaration", Rule::By(destructor)),
        ("operator_declaration", Rule::By(operator)),
        ("conversion_operator_declaration", Rule::By(conversion)),
        ("property_declaration", Rule::By(property)),
        ("event_declaration", Rule::By(property)),
        ("indexer_declaration", Rule::By(property)),
        ("field_declaration", Rule::By(field)),
        ("lambda_expression", Rule::Local),
        ("anonymous_method_expression", Rule::Local),
        ("enum_member_declaration_list", Rule::Skip),
        ("parameter_list", Rule::Skip),
        ("using_directive", Rule::Skip),
    ],
);

fn namespace(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    visit.define(node, Definition::new(Namespace, name.clone()));
    if name.is_empty() { Flow::Enter } else { Flow::Rest(name) }
}

fn record(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    visit.plain(node, if child(node, "struct").is_some() { Struct } else { Class })
}

fn destructor(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = format!("~{}", visit.field(node, "name"));
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Method, name) })
}

fn operator(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = format!("operator {}", visit.field(node, "operator"));
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Method, name) })
}

fn conversion(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = format!("operator {}", visit.field(node, "type"));
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Method, name) })
}

fn property(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let indexer = node.kind() == "indexer_declaration";
    let name = if indexer { "this[]".to_owned() } else { visit.field(node, "name") };
    let until = start_of(node, "accessors").or_else(|| start_of(node, "value"));
    visit.define(node, Definition { until, ..Definition::new(Property, name) })
}

fn field(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let mut cursor = node.walk();
    let mut words = node.named_children(&mut cursor).filter(|child| child.kind() == "modifier");
    let (mut constant, mut shared, mut fixed) = (false, false, false);
    for word in &mut words {
        match visit.text(word) {
            b"const" => constant = true,
            b"static" => shared = true,
            b"readonly" => fixed = true,
            _ => {}
        }
    }
    let Some(list) = child(node, "variable_declaration") else { return Flow::Skip };
    if constant || shared && fixed {
        let mut cursor = list.walk();
        for item in list.named_children(&mut cursor) {
            if item.kind() == "variable_declarator" {
                let name = visit.field(item, "name");
                visit.define(node, Definition::new(Constant, name));
            }
        }
    }
    Flow::Skip
}
