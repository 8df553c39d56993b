//! The scopes around a place in a source: their names joined with dots, and what the innermost one is.
//!
//! Every language that has scopes keeps them here, whether a scanner reads it or a walk over a syntax tree, so that
//! one rule says what a scope is called, how long its name may be and what in it is local.

use super::SymbolKind;

/// Longest dotted name of a scope, in bytes. What is nested deeper than that is not looked at, which keeps the
/// output linear in the source.
pub(super) const PATH_LIMIT: usize = 1000;

/// Where a scope is, which decides what a function in it is called and whether a variable counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// File, module, namespace.
    Open,
    /// Class, interface and the like.
    Type,
    /// A function: variables in it are local.
    Function,
}

impl Place {
    /// Whether a definition of this kind is local here, so that nobody is told of it: constants and variables in
    /// a function, variables in a type.
    pub(super) fn hides(self, kind: SymbolKind) -> bool {
        match kind {
            SymbolKind::Constant => self == Self::Function,
            SymbolKind::Variable => self != Self::Open,
            _ => false,
        }
    }

    /// What is inside a definition of this kind; nothing is inside a value.
    pub(super) fn within(kind: SymbolKind) -> Option<Self> {
        use SymbolKind::{
            Constant, Constructor, Function, Macro, Method, Module, Namespace, Property, Variable,
        };
        match kind {
            Constant | Variable => None,
            Function | Method | Constructor | Property | Macro => Some(Self::Function),
            Module | Namespace => Some(Self::Open),
            _ => Some(Self::Type),
        }
    }
}

struct Scope<T> {
    /// Length of the path without it.
    outside: usize,
    place: Place,
    mark: T,
}

/// The scopes that are open, outermost first. With each stands a mark of its owner's, such as where it ends.
pub(super) struct Path<T = ()> {
    scopes: Vec<Scope<T>>,
    /// Their names, joined with dots.
    text: String,
}

impl<T> Default for Path<T> {
    fn default() -> Self {
        Self { scopes: Vec::new(), text: String::new() }
    }
}

impl Path {
    /// Open a scope, with a name or without; false if that would be too deep: then nothing is opened, and
    /// nothing inside is to be looked at.
    pub(super) fn enter(&mut self, name: Option<&str>, place: Place) -> bool {
        self.enter_marked(name, place, ())
    }
}

impl<T> Path<T> {
    /// The same with a mark.
    pub(super) fn enter_marked(&mut self, name: Option<&str>, place: Place, mark: T) -> bool {
        let outside = self.text.len();
        if let Some(name) = name {
            if outside + 1 + name.len() > PATH_LIMIT {
                return false;
            }
            if outside > 0 {
                self.text.push('.');
            }
            self.text.push_str(name);
        }
        self.scopes.push(Scope { outside, place, mark });
        true
    }

    /// Close the innermost scope.
    pub(super) fn leave(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.text.truncate(scope.outside);
        }
    }

    /// What the innermost scope is.
    pub(super) fn here(&self) -> Place {
        self.scopes.last().map_or(Place::Open, |scope| scope.place)
    }

    /// The mark of the innermost scope.
    pub(super) fn mark(&self) -> Option<&T> {
        self.scopes.last().map(|scope| &scope.mark)
    }

    /// Whether no scope that is open has a name.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The parent of what is defined here, or of what is defined here for `owner`: the dotted name; none in a
    /// scope without one.
    pub(super) fn parent(&self, owner: Option<&str>) -> Option<String> {
        match owner {
            Some(owner) if self.text.is_empty() => Some(owner.to_owned()),
            Some(owner) => Some(format!("{}.{owner}", self.text)),
            None => (!self.text.is_empty()).then(|| self.text.clone()),
        }
    }
}

/// The number of a line that is counted from 0.
pub(super) fn line(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_names_of_the_open_scopes() {
        let mut path = Path::default();
        assert_eq!((path.here(), path.parent(None)), (Place::Open, None));
        assert_eq!(path.parent(Some("A")).as_deref(), Some("A"));
        assert!(path.enter(Some("a"), Place::Open) && path.enter(None, Place::Function));
        assert!(path.enter(Some("B"), Place::Type));
        assert_eq!((path.here(), path.parent(None).as_deref()), (Place::Type, Some("a.B")));
        assert_eq!(path.parent(Some("c.D")).as_deref(), Some("a.B.c.D"));
        path.leave();
        assert_eq!((path.here(), path.parent(None).as_deref()), (Place::Function, Some("a")));
        path.leave();
        path.leave();
        path.leave();
        assert_eq!((path.here(), path.parent(None)), (Place::Open, None));
    }

    #[test]
    fn a_path_is_no_longer_than_its_limit() {
        let mut path = Path::default();
        assert!(!path.enter(Some(&"a".repeat(PATH_LIMIT)), Place::Type));
        assert!(path.enter(Some(&"a".repeat(PATH_LIMIT - 3)), Place::Type));
        assert!(!path.enter(Some("bcd"), Place::Type) && path.enter(None, Place::Function));
        assert!(path.enter(Some("bc"), Place::Type));
        assert_eq!(path.parent(None).map(|path| path.len()), Some(PATH_LIMIT));
    }
}
