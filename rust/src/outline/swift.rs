//! Swift: types, protocols, functions, initialisers, computed properties, subscripts, constants
//! (`static let`, or `let` of a file), the variables of a file, aliases and macros. The parent of
//! what is in an extension is the type it extends. Stored properties are fields. The scanner (`linewise::swift`) stands
//! before this grammar.

use tree_sitter::Node;

use super::SymbolKind::{
    Class, Constant, Constructor, Enum, Function, Interface, Macro, Method, Property, Struct, Type,
    Variable,
};
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child, start_of};

pub(super) static SWIFT: Grammar = Grammar::new(
    "swift",
    version!("1", "tree-sitter-swift-0.7.4"),
    tree_sitter_swift::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("multiline_comment", Rule::Comment),
        ("class_declaration", Rule::By(class)),
        ("protocol_declaration", Rule::Define(Interface)),
        ("function_declaration", Rule::Define(Function)),
        ("protocol_function_declaration", Rule::Define(Method)),
        ("protocol_property_declaration", Rule::By(requirement)),
        ("init_declaration", Rule::By(initialiser)),
        ("deinit_declaration", Rule::By(deinitialiser)),
        ("subscript_declaration", Rule::By(subscript)),
        ("property_declaration", Rule::By(property)),
        ("typealias_declaration", Rule::Define(Type)),
        ("macro_declaration", Rule::By(macro_declaration)),
        ("lambda_literal", Rule::Local),
        ("enum_entry", Rule::Skip),
        ("import_declaration", Rule::Skip),
        ("parameter", Rule::Skip),
    ],
);

fn class(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let kind = match visit.field(node, "declaration_kind").as_str() {
        "struct" => Struct,
        "enum" => Enum,
        "extension" => {
            let name = visit.field(node, "name");
            let bare = name.split('<').next().unwrap_or_default();
            return Flow::Scope(bare.to_owned(), Place::Type);
        }
        _ => Class, // actors too
    };
    visit.plain(node, kind)
}

fn initialiser(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Constructor, "init".to_owned()) })
}

fn deinitialiser(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let until = start_of(node, "body");
    visit.define(node, Definition { until, ..Definition::new(Method, "deinit".to_owned()) })
}

fn subscript(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let body = child(node, "computed_property").or_else(|| child(node, "{"));
    let until = body.map(|body| body.start_byte());
    visit.define(node, Definition { until, ..Definition::new(Property, "subscript".to_owned()) })
}

/// `var size: Int { get }` in a protocol.
fn requirement(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let name = name.rsplit(' ').next().unwrap_or_default().to_owned();
    visit.define(node, Definition::new(Property, name));
    Flow::Skip
}

fn property(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_`".contains(&byte) || byte >= 0x80);
    if visit.place() == Place::Function || !plain {
        return Flow::Enter;
    }
    if let Some(computed) = node.child_by_field_name("computed_value") {
        let until = Some(computed.start_byte());
        return visit.define(node, Definition { until, ..Definition::new(Property, name) });
    }
    let binding = child(node, "value_binding_pattern").map(|binding| visit.text(binding));
    let modifiers = child(node, "modifiers").map(|modifiers| visit.text(modifiers));
    let shared = modifiers.is_some_and(|text| text.windows(6).any(|word| word == b"static"));
    let fixed = binding.is_some_and(|text| text.starts_with(b"let"));
    let kind = if fixed && (shared || visit.place() == Place::Open) { Constant } else { Variable };
    let brace = visit.text(node).iter().position(|byte| *byte == b'{');
    let until = brace.map(|at| node.start_byte() + at);
    visit.define(node, Definition { until, ..Definition::new(kind, name) });
    Flow::Nameless(Place::Function) // closures in the value
}

fn macro_declaration(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = child(node, "simple_identifier").map(|name| visit.name(name)).unwrap_or_default();
    let until = start_of(node, "definition");
    visit.define(node, Definition { until, ..Definition::new(Macro, name) })
}
