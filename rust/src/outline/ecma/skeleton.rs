//! The nodes that the parser leaves for the walk, in the order in which they begin.

/// What a node is; the names follow the rules of the tree version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Turned out to be nothing; what is inside counts.
    Nothing,
    Comment,
    /// A decorator.
    Attribute,
    Function,
    Class,
    Interface,
    Enum,
    Alias,
    Namespace,
    /// A class without a name of its own.
    ClassExpression,
    /// A function without a name of its own.
    Local,
    Array,
    /// With a body; `get` and `set` too.
    Method,
    /// A method without a body, in a class or an interface.
    Signature,
    Abstract,
    Field,
    /// `export default` and a value.
    Export,
    Declarator,
    Assignment,
    Pair,
}

/// What kind of expression a value is, as far as that matters to the name it is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// There is none.
    Absent,
    Function,
    Class,
    Object,
    /// A name, a member, a call, a sign before an operand.
    Again,
    Undefined,
    Assignment,
    Other,
}

/// No such place.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A value that has been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub form: Form,
    /// Where its body begins, if it has one; of an object its start.
    pub until: u32,
    /// Its own name.
    pub own: (u32, u32),
}

impl Value {
    pub(super) const fn of(form: Form) -> Self {
        Self { form, until: NOWHERE, own: (0, 0) }
    }
}

/// One node. Places are byte offsets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub kind: Kind,
    /// `get` or `set` stands before the name.
    pub accessor: bool,
    /// Of a declarator: what stands before the first name of its list.
    pub lead: (u32, u32),
    pub start: u32,
    pub end: u32,
    /// What decides on which line it begins: what stands around it counts.
    pub row: u32,
    /// Where its signature begins.
    pub head: u32,
    pub name: (u32, u32),
    /// Of an assignment: where the object ends whose member is assigned to.
    pub object: u32,
    pub value: Value,
    /// The index of the first node that is not inside.
    pub next: u32,
}

impl Node {
    pub(super) const fn new(kind: Kind, start: u32) -> Self {
        Self {
            kind,
            accessor: false,
            lead: (0, 0),
            start,
            end: start,
            row: start,
            head: start,
            name: (0, 0),
            object: 0,
            value: Value::of(Form::Absent),
            next: 0,
        }
    }
}

/// What stands around a declaration (`export`, `declare`), from where it begins: line and signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wrap {
    pub row: u32,
    pub head: u32,
}
