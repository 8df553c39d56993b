//! Kotlin: types, objects, functions, constructors, constants, the variables of a file, and
//! properties that run code (a getter, a delegate). What is in an unnamed companion object belongs
//! to its class; the parent of an extension is the type it extends. Other properties are fields.
//!
//! The grammar takes `class A { fun f() {} }` in one line for an error; where several such lines
//! come together, the types around them may be lost. The scanner (`linewise::kotlin`) reads them; it stands before
//! this grammar.

use tree_sitter::Node;

use super::SymbolKind::{
    Class, Constant, Constructor, Enum, Function, Interface, Property, Type, Variable,
};
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit, child};

pub(super) static KOTLIN: Grammar = Grammar::new(
    "kotlin",
    version!("2", "tree-sitter-kotlin-ng-1.1.0"),
    tree_sitter_kotlin_ng::LANGUAGE,
    &[
        ("line_comment", Rule::Comment),
        ("block_comment", Rule::Comment),
        ("class_declaration", Rule::By(class)),
        ("object_declaration", Rule::By(object)),
        ("companion_object", Rule::By(companion)),
        ("function_declaration", Rule::By(function)),
        ("secondary_constructor", Rule::By(constructor)),
        ("property_declaration", Rule::By(property)),
        ("type_alias", Rule::By(alias)),
        ("lambda_literal", Rule::Local),
        ("anonymous_function", Rule::Local),
        ("anonymous_initializer", Rule::Local),
        ("object_literal", Rule::Skip),
        ("enum_entry", Rule::Skip),
        ("import", Rule::Skip),
        ("function_value_parameters", Rule::Skip),
        ("primary_constructor", Rule::Skip),
    ],
);

fn body(node: Node<'_>) -> Option<usize> {
    let mut cursor = node.walk();
    let bodies = ["class_body", "enum_class_body", "function_body", "block"];
    let found = node.children(&mut cursor).find(|child| bodies.contains(&child.kind()));
    found.map(|found| found.start_byte())
}

fn class(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let modifiers = child(node, "modifiers").map(|modifiers| visit.text(modifiers));
    let is = |word: &[u8]| {
        modifiers.is_some_and(|text| text.split(u8::is_ascii_whitespace).any(|part| part == word))
    };
    let kind = match () {
        () if child(node, "interface").is_some() => Interface,
        () if child(node, "enum_class_body").is_some() || is(b"enum") => Enum,
        () if is(b"annotation") => Interface,
        () => Class,
    };
    let name = visit.field(node, "name");
    visit.define(node, Definition { until: body(node), ..Definition::new(kind, name) })
}

fn object(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    visit.define(node, Definition { until: body(node), ..Definition::new(Class, name) })
}

fn companion(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let named = node.child_by_field_name("name").is_some();
    if named { object(visit, node) } else { Flow::Nameless(Place::Type) }
}

/// The type that an extension extends: what stands before the dot.
fn receiver(visit: &Visit<'_>, node: Node<'_>) -> Option<String> {
    let mut cursor = node.walk();
    let mut before = None;
    for child in node.children(&mut cursor) {
        match child.kind() {
            "." => {
                let text = visit.name(before?);
                let bare = text.split(['<', '?']).next()?.trim_start_matches('(').trim_end();
                return Some(bare.to_owned()).filter(|name| !name.is_empty());
            }
            "function_value_parameters" | "variable_declaration" => return None,
            _ => before = Some(child),
        }
    }
    None
}

fn function(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let owner = receiver(visit, node);
    visit.define(node, Definition { until: body(node), owner, ..Definition::new(Function, name) })
}

fn constructor(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = "constructor".to_owned();
    visit.define(node, Definition { until: body(node), ..Definition::new(Constructor, name) })
}

fn property(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    if visit.place() == Place::Function {
        return Flow::Enter;
    }
    let declared = child(node, "variable_declaration");
    let Some(identifier) = declared.and_then(|declared| child(declared, "identifier")) else {
        return Flow::Enter; // several names at once
    };
    let name = visit.name(identifier);
    let modifiers = child(node, "modifiers").map(|modifiers| visit.text(modifiers));
    let is_const = modifiers.is_some_and(|text| text.split(|b| *b == b' ').any(|w| w == b"const"));
    let code = child(node, "getter").or_else(|| child(node, "property_delegate"));
    let loud = name.len() > 1 && !name.bytes().any(|byte| byte.is_ascii_lowercase());
    let kind = match () {
        () if is_const || loud && code.is_none() => Constant,
        () if code.is_some() => Property,
        () => Variable,
    };
    let owner = receiver(visit, node);
    let until = child(node, "getter").map(|getter| getter.start_byte());
    match visit.define(node, Definition { until, owner, ..Definition::new(kind, name) }) {
        Flow::Enter => Flow::Nameless(Place::Function), // lambdas in the value
        flow => flow,
    }
}

fn alias(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "type");
    visit.define(node, Definition::new(Type, name));
    Flow::Skip
}
