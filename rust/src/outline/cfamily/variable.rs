//! Declarations that end with a semicolon: variables, typedefs, aliases, defaulted functions.

use super::items::{Shape, group_end, is_punct};
use super::lex::{self, Kind};
use super::words::{
    defines_variable, has_part, is_attribute_word_with_group, is_known_attribute, is_qualifier,
    is_type_call, is_type_only, is_type_word, looks_like_attribute,
};
use super::{Definition, Scanner, SymbolKind, text};

impl Scanner<'_, '_> {
    /// `using X = …`, `concept X = …`, `f() = default`. True if the statement is dealt with.
    pub(super) fn declare_cpp_statement(&mut self) -> bool {
        let equals = self.items.iter().position(|item| item.shape == Shape::Punct(b'='));
        let first = self.word_at(0);
        if matches!(first, b"using" | b"concept" | b"friend" | b"static_assert") {
            if let Some(equals) = equals
                && equals >= 2
                && matches!(first, b"using" | b"concept")
            {
                let kind = SymbolKind::Type;
                let name = text::name(self.word_at(1));
                let end = match first {
                    b"using" => self.pos - 1,
                    _ => self.statement.tokens[self.items[equals].first as usize].start as usize,
                };
                self.declare_simple(name, kind, String::new(), end);
            }
            return true;
        }
        let Some(equals) = equals else { return first == b"namespace" };
        let value = match self.items.get(equals + 1) {
            Some(value) => self.item_text(value),
            None => b"",
        };
        if first == b"namespace" {
            return true;
        }
        let is_definition = matches!(value, b"default" | b"delete");
        if !is_definition {
            return self.in_aggregate();
        }
        self.items.truncate(equals);
        if let Some(head) = self.function_head() {
            let end = self.pos.saturating_sub(1);
            self.declare_function(head, end);
        }
        true
    }

    fn declare_simple(&mut self, name: String, kind: SymbolKind, qualifier: String, end: usize) {
        if name.is_empty() {
            return;
        }
        let start = self.statement.start;
        let definition = Definition {
            name,
            kind,
            parent: self.parent(&qualifier),
            signature: text::collapse(&self.source[start..end.max(start)]),
            doc: self.doc_text(self.statement.doc),
        };
        self.emit(definition, start, self.pos.saturating_sub(1));
    }

    /// `DEFINE_MUTEX(x);`, `LIST_HEAD(x);`: a macro that defines a variable.
    pub(super) fn declare_from_macros(&mut self) -> bool {
        let call = (0..self.items.len().saturating_sub(1)).find(|&at| {
            defines_variable(self.word_at(at)) && self.items[at + 1].shape == Shape::Group
        });
        let Some(call) = call else { return false };
        let qualifiers_only = (0..call).all(|at| {
            let word = self.word_at(at);
            is_qualifier(word) || looks_like_attribute(word)
        });
        if !qualifiers_only {
            return false;
        }
        if self.in_aggregate() || self.word_at(0) == b"extern" {
            return true;
        }
        let tokens = &self.statement.tokens;
        let group = self.items[call + 1];
        let mut at = group.first as usize + 1;
        // DEFINE_PER_CPU(type, name): the name is what stands before the end of the second one.
        if has_part(self.word_at(call), b"PER_CPU") {
            while at < group.after as usize && !is_punct(tokens.get(at), b',') {
                at += 1;
            }
            at += 1;
        }
        let name = tokens.get(at).filter(|token| token.kind == Kind::Word);
        let ends = |token: Option<&lex::Token>| {
            token.is_some_and(|token| matches!(token.kind, Kind::Punct(b',' | b')' | b'[')))
        };
        if let Some(name) = name
            && ends(tokens.get(at + 1))
        {
            let name = text::name(self.text_of(name));
            let end = self.pos.saturating_sub(1);
            self.declare_simple(name, SymbolKind::Variable, String::new(), end);
        }
        true
    }

    pub(super) fn declare_typedefs(&mut self) {
        let aggregate = self.statement.aggregate;
        let start = self.declaration_start();
        let end = self.pos.saturating_sub(1);
        let mut signature = Vec::new();
        if let Some(aggregate) = aggregate {
            text::collapse_into(&self.source[start..aggregate.brace], &mut signature);
            signature.extend_from_slice(b" { ... } ");
            let mut rest = Vec::new();
            text::collapse_into(&self.source[self.statement.start..end], &mut rest);
            signature.extend_from_slice(&rest);
        } else {
            text::collapse_into(&self.source[start..end], &mut signature);
        }
        let signature = text::finish(signature, text::SIGNATURE_LIMIT);
        // The comment went to the type if that has a name; an unnamed one has only the typedef.
        let doc = match aggregate {
            Some(aggregate) => aggregate.doc,
            None => self.statement.doc,
        };
        let doc = self.doc_text(doc);
        let parent = self.parent("");
        for (from, to) in self.declarators() {
            let Some((name, _)) = self.declarator_name(from, to, from > 0 || aggregate.is_some())
            else {
                continue;
            };
            let definition = Definition {
                name: text::name(self.text_of(&self.statement.tokens[name])),
                kind: SymbolKind::Type,
                parent: parent.clone(),
                signature: signature.clone(),
                doc: doc.clone(),
            };
            self.emit(definition, start, end);
        }
    }

    /// Variables of file or namespace scope. `braced`: the statement goes on with a `{`, which
    /// only a value in braces explains. Returns the symbol of the last one.
    pub(super) fn declare_variables(&mut self, end: usize, braced: bool) -> Option<usize> {
        let first = self.word_at(0);
        let is_extern = first == b"extern";
        if is_type_only(first) || self.statement.old_style {
            return None;
        }
        let constant = (0..self.items.len().min(4)).any(|at| self.word_at(at) == b"constexpr");
        let kind = if constant { SymbolKind::Constant } else { SymbolKind::Variable };
        let mut last = None;
        let after_type = self.statement.aggregate.is_some();
        for (from, to) in self.declarators() {
            let equals = (from..to).find(|&at| self.items[at].shape == Shape::Punct(b'='));
            let until = equals.unwrap_or(to);
            let valued = equals.is_some() || braced;
            if !valued && (is_extern || self.has_parameters(from, until)) {
                continue;
            }
            let Some((name, item)) = self.declarator_name(from, until, from > 0 || after_type)
            else {
                continue;
            };
            let start = self.statement.start;
            let stop = match equals {
                Some(at) => self.statement.tokens[self.items[at].first as usize].start as usize,
                None => end.saturating_sub(usize::from(!braced)),
            };
            let qualifier = item.map_or(String::new(), |item| self.qualifier_before(item).0);
            let definition = Definition {
                name: text::name(self.text_of(&self.statement.tokens[name])),
                kind,
                parent: self.parent(&qualifier),
                signature: text::collapse(&self.source[start..stop.max(start)]),
                doc: self.doc_text(self.statement.doc),
            };
            last = Some(self.emit(definition, start, self.pos.saturating_sub(1)));
        }
        last
    }

    /// Do the items hold the parameters of a prototype, or a call of a macro?
    fn has_parameters(&self, from: usize, to: usize) -> bool {
        (from + 1..to).any(|at| {
            if self.items[at].shape != Shape::Group {
                return false;
            }
            let before = self.word_at(at - 1);
            let of_pointer = self.is_pointer_group(at)
                || (self.items[at - 1].shape == Shape::Group && self.is_pointer_group(at - 1));
            let of_word = is_known_attribute(before) || is_type_call(before);
            !of_word && !of_pointer
        }) || self.items.get(from).is_some_and(|item| item.shape == Shape::Group)
    }

    /// Does the group hold a pointer's name, but not that of a function that returns one?
    fn is_pointer_group(&self, group: usize) -> bool {
        let name = self.pointer_name(group);
        name.is_some_and(|name| !is_punct(self.statement.tokens.get(name + 1), b'('))
    }

    /// The items of each declarator, `from..to`; the first one holds the type too.
    fn declarators(&self) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        let mut from = 0;
        for (at, item) in self.items.iter().enumerate() {
            if item.shape == Shape::Punct(b',') {
                ranges.push((from, at));
                from = at + 1;
            }
        }
        ranges.push((from, self.items.len()));
        ranges
    }

    /// The token that names a declarator, and its item unless it is inside a group.
    /// `typed`: the type is already known, so that a single word is a name.
    fn declarator_name(
        &self,
        from: usize,
        to: usize,
        typed: bool,
    ) -> Option<(usize, Option<usize>)> {
        let mut typed = typed;
        let mut words: Vec<usize> = Vec::new();
        let mut at = from;
        while at < to {
            let item = self.items[at];
            match item.shape {
                Shape::Group => {
                    if let Some(name) = self.pointer_name(at) {
                        return Some((name, None));
                    }
                    // typedef int (name)(int)
                    if self.items.get(at + 1).is_some_and(|next| next.shape == Shape::Group)
                        && let Some(name) = self.inner_name(&item)
                    {
                        return Some((name, None));
                    }
                    if at > from && is_type_call(self.word_at(at - 1)) {
                        words.pop();
                        typed = true;
                    } else if !(at > from && looks_like_attribute(self.word_at(at - 1))) {
                        break;
                    }
                }
                Shape::Square | Shape::Punct(b'=') => break,
                Shape::Punct(b'*' | b'&') => {
                    words.clear();
                    typed = true;
                }
                Shape::Word => {
                    let word = self.word_at(at);
                    if self.is_aggregate_word(at) {
                        typed = true;
                        at += 1; // its tag
                        while self.items.get(at + 1).is_some_and(|i| i.shape == Shape::Scope) {
                            at += 2;
                        }
                    } else if is_type_word(word) {
                        typed = true;
                    } else if !is_qualifier(word) && !is_known_attribute(word) {
                        words.push(at);
                    }
                }
                Shape::Scope if at > from && words.last() == Some(&(at - 1)) => {
                    words.pop();
                }
                Shape::Angle => typed |= at > from && self.word_at(at - 1) != b"",
                _ => {}
            }
            at += 1;
        }
        // A template's own name is a type: std::vector<int> x.
        words.retain(|&at| self.items.get(at + 1).is_none_or(|item| item.shape != Shape::Angle));
        let names = words.get(usize::from(!typed)..)?;
        let plain = names.iter().rev().find(|&&at| !self.word_at(at).starts_with(b"__"));
        let name = *plain.or(names.last())?;
        Some((self.items[name].first as usize, Some(name)))
    }

    /// `(*name)(…)`, `(*name[3])(…)`, `(CALL *name)(…)`, `(*(*name)(int))(int)`.
    fn pointer_name(&self, group: usize) -> Option<usize> {
        let tokens = &self.statement.tokens;
        let followed = self.items.get(group + 1).is_some_and(|item| item.shape == Shape::Group);
        let group = self.items[group];
        let mut at = group.first as usize + 1;
        let end = (group.after as usize).min(tokens.len());
        // Words before the `*` are calling conventions, if parameters follow the group; else the
        // group holds the parameters.
        if !followed && tokens.get(at).is_some_and(|token| token.kind == Kind::Word) {
            return None;
        }
        let mut pointer = false;
        let mut name = None;
        while at < end {
            match tokens[at].kind {
                Kind::Punct(b'*' | b'&' | b'^') => {
                    pointer = true;
                    name = None;
                }
                Kind::Punct(b'(') if pointer && name.is_none() => {}
                Kind::Word => {
                    let word = self.text_of(&tokens[at]);
                    if is_attribute_word_with_group(word) && is_punct(tokens.get(at + 1), b'(') {
                        at = group_end(tokens, at + 1);
                        continue;
                    }
                    if pointer && !is_qualifier(word) && !is_known_attribute(word) {
                        name = Some(at);
                    }
                }
                Kind::Scope => {}
                _ => break,
            }
            at += 1;
        }
        name.filter(|_| pointer)
    }
}
