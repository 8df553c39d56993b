//! Rust: functions, types, traits, modules, macros, constants; the parent of what is in an `impl`
//! is the type. Associated types and what macros would expand to are not reported.

use tree_sitter::Node;

use super::SymbolKind::{
    Constant, Enum, Function, Macro, Module, Struct, Trait, Type, Union, Variable,
};
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit};

pub(super) static RUST: Grammar = Grammar::new(
    "rust",
    version!("2", "tree-sitter-rust-0.24.2"),
    tree_sitter_rust::LANGUAGE,
    &[
        ("line_comment", Rule::Comment),
        ("block_comment", Rule::Comment),
        ("attribute_item", Rule::Attribute),
        ("function_item", Rule::Define(Function)),
        ("function_signature_item", Rule::Define(Function)),
        ("struct_item", Rule::Define(Struct)),
        ("enum_item", Rule::Define(Enum)),
        ("union_item", Rule::Define(Union)),
        ("trait_item", Rule::Define(Trait)),
        ("type_item", Rule::By(alias)),
        ("associated_type", Rule::By(alias)), // in an `extern` block: `type Foreign;`
        ("mod_item", Rule::By(module)),
        ("const_item", Rule::By(constant)),
        ("static_item", Rule::Define(Variable)),
        ("macro_definition", Rule::By(macro_rules)),
        ("impl_item", Rule::By(implementation)),
        ("closure_expression", Rule::Local),
        ("token_tree", Rule::Skip),
        ("enum_variant_list", Rule::Skip),
        ("field_declaration_list", Rule::Skip),
        ("ordered_field_declaration_list", Rule::Skip),
        ("parameters", Rule::Skip),
        ("use_declaration", Rule::Skip),
    ],
);

fn alias(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if visit.place() == Place::Type { Flow::Skip } else { visit.plain(node, Type) }
}

/// `mod a;` only says that there is a file.
fn module(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if node.child_by_field_name("body").is_some() { visit.plain(node, Module) } else { Flow::Skip }
}

/// `const _: () = ...` has no name.
fn constant(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    match visit.field(node, "name") {
        name if name == "_" => Flow::Enter,
        name => visit.define(node, Definition::new(Constant, name)),
    }
}

fn macro_rules(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = node.child_by_field_name("name");
    let text = name.map(|name| visit.name(name)).unwrap_or_default();
    let until = name.map(|name| name.end_byte());
    visit.define(node, Definition { until, ..Definition::new(Macro, text) });
    Flow::Skip
}

fn implementation(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let whole = visit.field(node, "type");
    let bare = whole.trim_start_matches(['&', '*', ' ']);
    let life = bare.strip_prefix('\'').and_then(|rest| rest.split_once(' '));
    let bare = life.map_or(bare, |(_, rest)| rest);
    let bare = bare.trim_start_matches("mut ").trim_start_matches("dyn ");
    let name = if bare.starts_with(['[', '(']) {
        bare
    } else {
        let bare = bare.split(['<', ' ']).next().unwrap_or_default();
        bare.rsplit("::").next().unwrap_or_default()
    };
    if name.is_empty() {
        return Flow::Nameless(Place::Type);
    }
    Flow::Scope(name.to_owned(), Place::Type)
}
