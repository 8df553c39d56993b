//! What one definition is: plain values, shared by all languages.

/// One definition in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its own name, without those of the definitions around it. At most 255 bytes.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The names of the definitions around it, outermost first, joined with `.`; `None` at the top
    /// of the file. Where a member is written outside its type (a Go method, a Rust `impl`, a
    /// Swift or Kotlin extension), the name of the type, which may be defined in another file.
    pub parent: Option<String>,
    /// First line, from 1. Decorators, attributes and annotations belong to the definition; the
    /// comment above it does not.
    pub start: u32,
    /// Last line, inclusive.
    pub end: u32,
    /// The declaration in one line: white space collapsed, comments, decorators and the body left
    /// out, at most 240 characters.
    pub signature: String,
    /// The text of its documentation comment or docstring without comment markers, at most 4,000
    /// characters; empty if there is none.
    pub doc: String,
}

/// What a definition is: few words that mean the same in every language.
///
/// Not reported at all: local variables, parameters, fields, enum members, imports, and blocks
/// that only add to a type defined elsewhere (Rust `impl`, Swift `extension`), which are scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
    /// A function that is no member of a type.
    Function,
    /// A function that is a member of a type; destructors and operators too.
    Method,
    /// What makes instances, where the language has a form of its own for it.
    Constructor,
    /// A class, record class or singleton object.
    Class,
    /// A structure or record struct.
    Struct,
    /// A union.
    Union,
    /// An enumeration.
    Enum,
    /// An interface, protocol or annotation type.
    Interface,
    /// A trait.
    Trait,
    /// An alias, a typedef or a delegate.
    Type,
    /// A module that is written as a block.
    Module,
    /// A namespace.
    Namespace,
    /// A named value that is not meant to change, of a file, module or type.
    Constant,
    /// A named value of a file or module.
    Variable,
    /// A member that reads like a value but runs code: getter, setter, indexer.
    Property,
    /// A macro.
    Macro,
    /// A heading of a document; its range is the section.
    Heading,
}

impl SymbolKind {
    /// Every kind, in the order of the enum.
    pub const ALL: [Self; 17] = [
        Self::Function,
        Self::Method,
        Self::Constructor,
        Self::Class,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Interface,
        Self::Trait,
        Self::Type,
        Self::Module,
        Self::Namespace,
        Self::Constant,
        Self::Variable,
        Self::Property,
        Self::Macro,
        Self::Heading,
    ];

    /// The lower-case word for it, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Constructor => "constructor",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::Interface => "interface",
            Self::Trait => "trait",
            Self::Type => "type",
            Self::Module => "module",
            Self::Namespace => "namespace",
            Self::Constant => "constant",
            Self::Variable => "variable",
            Self::Property => "property",
            Self::Macro => "macro",
            Self::Heading => "heading",
        }
    }
}
