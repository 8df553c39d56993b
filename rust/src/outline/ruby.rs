//! Ruby: modules, classes, methods and constants. A reopened class is reported at each place;
//! what `attr_accessor` and its like would make is not.

use tree_sitter::Node;

use super::SymbolKind::{Class, Constant, Constructor, Function, Method, Module};
use super::scope::Place;
use super::tree::{Grammar, Rule, version};
use super::visit::{Definition, Flow, Visit};

pub(super) static RUBY: Grammar = Grammar::new(
    "ruby",
    version!("2", "tree-sitter-ruby-0.23.1"),
    tree_sitter_ruby::LANGUAGE,
    &[
        ("comment", Rule::Comment),
        ("module", Rule::By(module)),
        ("class", Rule::By(class)),
        ("method", Rule::By(method)),
        ("singleton_method", Rule::By(singleton)),
        ("assignment", Rule::By(assignment)),
        ("string", Rule::Skip),
    ],
);

fn module(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = node.child_by_field_name("name");
    let until = name.map(|name| name.end_byte());
    let name = visit.field(node, "name");
    // A function in a module is a member: `Math.sqrt`.
    match visit.define(node, Definition { until, ..Definition::new(Module, name) }) {
        Flow::Scope(name, _) => Flow::Scope(name, Place::Type),
        other => other,
    }
}

fn class(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let head = node.child_by_field_name("superclass").or_else(|| node.child_by_field_name("name"));
    let until = head.map(|head| head.end_byte());
    let name = visit.field(node, "name");
    visit.define(node, Definition { until, ..Definition::new(Class, name) })
}

fn method(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let name = visit.field(node, "name");
    let maker = name == "initialize" && visit.place() == Place::Type;
    let kind = if maker { Constructor } else { Function };
    visit.define(node, Definition { until: head_end(node), ..Definition::new(kind, name) })
}

/// `def self.name`, `def Other.name`.
fn singleton(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let object = visit.field(node, "object");
    let owner = Some(object).filter(|object| object != "self" && !object.is_empty());
    let kind = if owner.is_some() || visit.place() == Place::Type { Method } else { Function };
    let name = visit.field(node, "name");
    let until = head_end(node);
    visit.define(node, Definition { until, owner, ..Definition::new(kind, name) })
}

fn head_end(node: Node<'_>) -> Option<usize> {
    let head = node.child_by_field_name("parameters").or_else(|| node.child_by_field_name("name"));
    head.map(|head| head.end_byte())
}

/// `LIMIT = 3`; `Point = Struct.new(:x) do ... end` makes a class.
fn assignment(visit: &mut Visit<'_>, node: Node<'_>) -> Flow {
    let Some(left) = node.child_by_field_name("left").filter(|left| left.kind() == "constant")
    else {
        return Flow::Enter;
    };
    let name = visit.name(left);
    let right = node.child_by_field_name("right");
    let call = right.filter(|right| right.kind() == "call");
    let maker = call.map(|call| (visit.field(call, "receiver"), visit.field(call, "method")));
    let is_class = maker.is_some_and(|(receiver, method)| {
        matches!(
            (receiver.as_str(), method.as_str()),
            ("Struct" | "Class", "new") | ("Data", "define")
        )
    });
    if !is_class {
        return visit.define(node, Definition::new(Constant, name));
    }
    let block = call.and_then(|call| call.child_by_field_name("block"));
    let until = block.map(|block| block.start_byte());
    visit.define(node, Definition { until, ..Definition::new(Class, name) })
}
