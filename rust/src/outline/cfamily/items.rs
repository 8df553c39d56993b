//! The tokens of a statement as a flat list of items, so that "a word before a group" can be
//! seen: each bracketed group, template argument list and operator name is one item, and
//! attributes are left out.

use super::lex::{self, Kind, Token};
use super::{Dialect, Scanner};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An identifier or keyword.
    Word,
    /// `( … )`
    Group,
    /// `[ … ]`
    Square,
    /// `< … >` after a name (C++).
    Angle,
    /// `operator` and what it names (C++).
    Operator,
    /// `::`
    Scope,
    /// A number or a string.
    Literal,
    /// Any other byte.
    Punct(u8),
}

/// An item: a shape and a range of tokens, `first..after`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub shape: Shape,
    pub first: u32,
    pub after: u32,
}

/// Template arguments longer than this many tokens are not recognised as such.
const MAX_ANGLE: usize = 256;

impl<'s> Scanner<'s, '_> {
    /// Rebuilds `self.items` from the tokens of the statement, up to the first `:` (base classes,
    /// initialisers, widths), or what follows the parameters of a C++ function.
    pub(super) fn collect_items(&mut self) {
        let mut items = std::mem::take(&mut self.items);
        items.clear();
        let tokens = &self.statement.tokens;
        self.steps += tokens.len() as u64;
        let cpp = self.dialect == Dialect::Cpp;
        let mut angles = cpp;
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            let first = index as u32;
            let mut push = |shape, after: usize| {
                items.push(Item { shape, first, after: after as u32 });
                after
            };
            index = match token.kind {
                Kind::Word => {
                    let text = self.text_of(token);
                    if is_attribute_call(text) && is_punct(tokens.get(index + 1), b'(') {
                        group_end(tokens, index + 1)
                    } else if cpp && text == b"decltype" && is_punct(tokens.get(index + 1), b'(') {
                        // The type itself, unlike the words above.
                        push(Shape::Word, group_end(tokens, index + 1))
                    } else if cpp && text == b"operator" {
                        let after = self.operator_end(index);
                        push(Shape::Operator, after)
                    } else if cpp && text == b"requires" {
                        if items.iter().any(|item| item.shape == Shape::Group) {
                            break;
                        }
                        self.constraint_end(index)
                    } else if cpp && text == b"template" {
                        index + 1
                    } else {
                        push(Shape::Word, index + 1)
                    }
                }
                Kind::Scope => push(Shape::Scope, index + 1),
                Kind::Literal => push(Shape::Literal, index + 1),
                Kind::Arrow if cpp => break,
                Kind::Arrow => push(Shape::Punct(b'-'), index + 1),
                Kind::Punct(b':') => break,
                Kind::Punct(b'(') => push(Shape::Group, group_end(tokens, index)),
                Kind::Punct(b'[') => {
                    let after = group_end(tokens, index);
                    if is_punct(tokens.get(index + 1), b'[') {
                        after // an attribute
                    } else {
                        push(Shape::Square, after)
                    }
                }
                Kind::Punct(b'<')
                    if angles
                        && index > 0
                        && matches!(tokens[index - 1].kind, Kind::Word | Kind::Scope) =>
                {
                    match self.angle_end(tokens, index) {
                        Some(after) => push(Shape::Angle, after),
                        None => {
                            // One failure is enough: no quadratic search.
                            angles = false;
                            push(Shape::Punct(b'<'), index + 1)
                        }
                    }
                }
                Kind::Punct(byte) => push(Shape::Punct(byte), index + 1),
            };
        }
        self.items = items;
    }

    /// The source of an item's first token.
    pub(super) fn item_text(&self, item: &Item) -> &'s [u8] {
        self.text_of(&self.statement.tokens[item.first as usize])
    }

    /// The word that is this item, empty if it is none.
    pub(super) fn word_at(&self, index: usize) -> &'s [u8] {
        match self.items.get(index) {
            Some(item) if item.shape == Shape::Word => self.item_text(item),
            _ => b"",
        }
    }

    /// From the word `operator` to the `(` of its parameters.
    fn operator_end(&self, index: usize) -> usize {
        let tokens = &self.statement.tokens;
        let mut after = index + 1;
        // `operator()` and `operator[]` have brackets in their name.
        if is_punct(tokens.get(after), b'(') && tokens[after].jump as usize == after + 1 {
            return after + 2;
        }
        while let Some(token) = tokens.get(after) {
            match token.kind {
                Kind::Punct(b'(' | b'=')
                    if after > index + 1 && token.kind != Kind::Punct(b'=') =>
                {
                    break;
                }
                Kind::Punct(b'[') => after = group_end(tokens, after),
                Kind::Punct(b'(') => break,
                _ => after += 1,
            }
        }
        after
    }

    /// From the word `requires` of a template head to after its constraint.
    fn constraint_end(&self, index: usize) -> usize {
        let tokens = &self.statement.tokens;
        let mut at = index + 1;
        loop {
            while is_punct(tokens.get(at), b'!') {
                at += 1;
            }
            if is_punct(tokens.get(at), b'(') {
                at = group_end(tokens, at);
            } else {
                while let Some(token) = tokens.get(at) {
                    let is_requires = self.text_of(token) == b"requires";
                    match token.kind {
                        Kind::Word if is_requires => {
                            at += 1;
                            if is_punct(tokens.get(at), b'(') {
                                at = group_end(tokens, at);
                            }
                            at += usize::from(is_punct(tokens.get(at), b'}'));
                            break;
                        }
                        Kind::Word => {
                            at += 1;
                            if is_punct(tokens.get(at), b'<') {
                                at = self.angle_end(tokens, at).unwrap_or(at + 1);
                            }
                            if is_punct(tokens.get(at), b'(') {
                                at = group_end(tokens, at);
                            }
                            if !tokens.get(at).is_some_and(|token| token.kind == Kind::Scope) {
                                break;
                            }
                        }
                        Kind::Scope => at += 1,
                        Kind::Literal => {
                            at += 1;
                            break;
                        }
                        _ => break,
                    }
                }
            }
            let joined = [b'&', b'|']
                .iter()
                .any(|&byte| is_punct(tokens.get(at), byte) && is_punct(tokens.get(at + 1), byte));
            if !joined {
                return at.max(index + 1);
            }
            at += 2;
        }
    }

    /// From a `<` to after its `>`, if it looks like a list of template arguments.
    fn angle_end(&self, tokens: &[Token], open: usize) -> Option<usize> {
        let mut depth = 0u32;
        let mut at = open;
        while at < tokens.len() && at - open < MAX_ANGLE {
            match tokens[at].kind {
                Kind::Punct(b'<') if lex::is_less_than(self.source, tokens[at].start as usize) => {}
                Kind::Punct(b'<') => depth += 1,
                Kind::Punct(b'>') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                Kind::Punct(b'(' | b'[') => {
                    at = group_end(tokens, at);
                    continue;
                }
                Kind::Punct(b'=' | b';' | b'}') => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

pub(super) fn is_punct(token: Option<&Token>, byte: u8) -> bool {
    token.is_some_and(|token| token.kind == Kind::Punct(byte))
}

/// From an opening bracket to after the closing one; an open group goes to the end.
pub(super) fn group_end(tokens: &[Token], open: usize) -> usize {
    let jump = tokens[open].jump as usize;
    if jump > open { jump + 1 } else { tokens.len() }
}

/// Words that take arguments and say nothing of the declaration's name.
fn is_attribute_call(word: &[u8]) -> bool {
    matches!(
        word,
        b"__attribute__"
            | b"__attribute"
            | b"__declspec"
            | b"alignas"
            | b"_Alignas"
            | b"__asm__"
            | b"__asm"
            | b"asm"
            | b"noexcept"
            | b"throw"
            | b"explicit"
            | b"_Pragma"
            | b"__pragma"
            | b"__printf"
            | b"__scanf"
            | b"__releases"
            | b"__acquires"
            | b"__must_hold"
            | b"__section"
            | b"__aligned"
            | b"__alloc_size"
            | b"__nonnull"
    )
}
