//! What the names of Python mean to an outline, whoever has found them: the grammar's tree or the scanner.

use super::SymbolKind::{self, Class, Type};

/// Names that one statement may give to a value: more are no code, and each has the whole statement as its
/// signature.
pub(super) const CHAIN_LIMIT: usize = 100;

/// Whether a name is in capitals, as those of constants are.
pub(super) fn is_loud(name: &str) -> bool {
    name.len() > 1
        && name.bytes().any(|byte| byte.is_ascii_uppercase())
        && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// What a call to a well-known maker of types makes.
pub(super) fn made_by(function: &str) -> Option<SymbolKind> {
    match function.rsplit('.').next()? {
        "namedtuple" | "NamedTuple" | "TypedDict" | "make_dataclass" => Some(Class),
        "NewType" | "TypeVar" | "ParamSpec" | "TypeVarTuple" => Some(Type),
        _ => None,
    }
}

/// Whether a decorator, without its `@`, makes a function read like a value.
pub(super) fn is_property(decorator: &[u8]) -> bool {
    let last = decorator.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let names: [&[u8]; 5] = [b"property", b"cached_property", b"getter", b"setter", b"deleter"];
    names.contains(&last.trim_ascii())
}

/// How many quotes a string literal begins with, and ends.
pub(super) fn quotes(literal: &[u8]) -> usize {
    if literal.starts_with(b"\"\"\"") || literal.starts_with(b"'''") { 3 } else { 1 }
}
