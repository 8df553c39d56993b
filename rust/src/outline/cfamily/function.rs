//! Functions: which of a statement's calls is the head of one, and what it is called.

use super::items::{Item, Shape, is_punct};
use super::lex::Kind;
use super::words::{
    has_part, is_control, is_qualifier, is_type_call, is_type_word, is_upper, looks_like_attribute,
};
use super::{Definition, Dialect, Scanner, SymbolKind, text};

/// The name of a function: items `first..group`, where `group` holds the parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// The item that holds the first parameters.
    group: usize,
    /// The token with the name, if it is inside a group: `int (*name(int))(int)`.
    inner: Option<usize>,
}

impl Scanner<'_, '_> {
    /// Finds the name and the parameters of a function in the items.
    pub(super) fn function_head(&self) -> Option<Head> {
        let mut head = self.next_head(1)?;
        if self.statement.old_style || head.inner.is_some() {
            return Some(head);
        }
        // `MACRO(x) type name(…)` against `type name(…) MACRO(x)`.
        while let Some(next) = self.next_head(head.group + 1) {
            if self.is_parameter_list(head, next) {
                break;
            }
            head = next;
        }
        Some(head)
    }

    /// Is the group of `head` the parameters, though another call follows it?
    fn is_parameter_list(&self, head: Head, next: Head) -> bool {
        let name = self.name_start(next);
        let between = head.group + 1..name.max(head.group + 1);
        let mut has_word = false;
        let mut has_type = false;
        for index in between.clone() {
            match self.items[index].shape {
                Shape::Word => {
                    let word = self.word_at(index);
                    has_word = true;
                    has_type |= !is_qualifier(word) && !looks_like_attribute(word);
                }
                Shape::Punct(b'*' | b'>' | b'~') | Shape::Scope | Shape::Angle => has_type = true,
                _ => {}
            }
        }
        if has_type {
            return false;
        }
        if self.has_type_before(head) {
            return true;
        }
        if has_word {
            return false;
        }
        // Two calls and nothing else: a macro on its own line, then the function.
        let is_qualified = name + 1 < next.group;
        let own_line = self.is_macro_line(head.group);
        !(is_qualified || (own_line && is_upper(self.word_at(head.group - 1))))
    }

    /// The next word that is followed by a group, at `from` or later.
    fn next_head(&self, from: usize) -> Option<Head> {
        let tokens = &self.statement.tokens;
        for group in from.max(1)..self.items.len() {
            if self.items[group].shape != Shape::Group {
                continue;
            }
            let before = &self.items[group - 1];
            // int (*name(int))(int), int (name)(int), NAME(name)(int)
            if self.items.get(group + 1).is_some_and(|item| item.shape == Shape::Group)
                && before.shape != Shape::Operator
                && let Some(inner) = self.inner_name(&self.items[group])
            {
                return Some(Head { group, inner: Some(inner) });
            }
            let callable = match before.shape {
                Shape::Operator => true,
                Shape::Word => {
                    let word = self.item_text(before);
                    !is_type_word(word) && !is_control(word) && !is_type_call(word)
                }
                // A specialisation: name<int>(…); and so is the type std::function<int>(…).
                Shape::Angle => group > 1 && self.items[group - 2].shape == Shape::Word,
                _ => false,
            };
            if callable && tokens[self.items[group].first as usize].jump > 0 {
                return Some(Head { group, inner: None });
            }
        }
        None
    }

    /// The name inside the first of two adjacent groups: `(*name(…))`, `(name)`, `(x, name)` not.
    pub(super) fn inner_name(&self, group: &Item) -> Option<usize> {
        let tokens = &self.statement.tokens;
        let mut at = group.first as usize + 1;
        let mut pointer = false;
        while tokens.get(at).is_some_and(|token| {
            matches!(token.kind, Kind::Punct(b'*' | b'&' | b'^'))
                || is_qualifier(self.text_of(token))
        }) {
            pointer |= tokens[at].kind != Kind::Word;
            at += 1;
        }
        let name = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
        if is_type_word(self.text_of(name)) {
            return None;
        }
        let next = tokens.get(at + 1);
        (if pointer { is_punct(next, b'(') } else { is_punct(next, b')') }).then_some(at)
    }

    /// The first item of the (qualified) name of a function.
    fn name_start(&self, head: Head) -> usize {
        let mut at = head.group - 1;
        if self.items[at].shape == Shape::Angle && at > 0 {
            at -= 1;
        }
        let (_, start) = self.qualifier_before(at);
        start
    }

    /// The `A::B` before the name at `index`, dotted, and the index of its first item.
    pub(super) fn qualifier_before(&self, index: usize) -> (String, usize) {
        let mut at = index;
        if at > 0 && self.items[at - 1].shape == Shape::Punct(b'~') {
            at -= 1;
        }
        let mut words: Vec<&[u8]> = Vec::new();
        while at > 0 && self.items[at - 1].shape == Shape::Scope {
            at -= 1;
            let mut word = at;
            if word > 1 && self.items[word - 1].shape == Shape::Angle {
                word -= 1;
            }
            if word == 0 || self.items[word - 1].shape != Shape::Word {
                break;
            }
            at = word - 1;
            words.push(self.word_at(at));
        }
        words.reverse();
        let names: Vec<_> = words.into_iter().map(String::from_utf8_lossy).collect();
        (names.join("."), at)
    }

    /// Does a type stand before the name, and not only storage classes and attributes?
    fn has_type_before(&self, head: Head) -> bool {
        (0..self.name_start(head)).any(|index| match self.items[index].shape {
            Shape::Word => {
                let word = self.word_at(index);
                is_type_word(word) || !(is_qualifier(word) || looks_like_attribute(word))
            }
            Shape::Punct(b'*' | b'&') | Shape::Angle => true,
            _ => false,
        })
    }

    /// Is the group at `group` the end of a call that opens the statement, alone on its line?
    fn is_macro_line(&self, group: usize) -> bool {
        let tokens = &self.statement.tokens;
        let after = self.items[group].after as usize;
        group == 1
            && tokens.get(after).is_some_and(|next| {
                let end = tokens[after - 1].end as usize;
                memchr::memchr(b'\n', &self.source[end..next.start as usize]).is_some()
            })
    }

    /// Where the declaration starts whose name or keyword is item `index`: after the macro calls on
    /// lines of their own, `EXPORT(x)` and `NAMESPACE_BEGIN`, that ended without a semicolon.
    pub(super) fn own_start(&self, index: usize) -> usize {
        let tokens = &self.statement.tokens;
        let starts_line = |token: usize| {
            let (from, to) = (tokens[token - 1].end as usize, tokens[token].start as usize);
            memchr::memchr(b'\n', &self.source[from..to]).is_some()
        };
        let mut at = 0;
        while at < index {
            let word = self.word_at(at);
            let call = self.items.get(at + 1).is_some_and(|item| item.shape == Shape::Group);
            let next = at + 1 + usize::from(call);
            let is_line = next <= index
                && is_upper(word)
                && starts_line(self.items[next].first as usize)
                && (call || has_part(word, b"BEGIN") || has_part(word, b"END"));
            if !is_line {
                break;
            }
            at = next;
        }
        match self.items.get(at) {
            Some(item) if at > 0 => tokens[item.first as usize].start as usize,
            _ => self.statement.start,
        }
    }

    pub(super) fn declare_function(&mut self, head: Head, brace: usize) -> Option<usize> {
        let (name, qualifier) = self.function_name(head)?;
        let kind = self.function_kind(&name, &qualifier, head);
        let start = match head.inner {
            Some(_) => self.statement.start,
            None => self.own_start(self.name_start(head)),
        };
        // Initialisers and constraints are not part of the signature.
        let end = match self.items.last() {
            Some(last) if !self.statement.old_style => {
                self.statement.tokens.get(last.after as usize - 1).map_or(brace, |token| {
                    let next = self.statement.tokens.get(last.after as usize);
                    if is_punct(next, b':') { token.end as usize } else { brace }
                })
            }
            _ => brace,
        };
        let doc =
            if start == self.statement.start { self.statement.doc } else { self.doc_for(start) };
        let definition = Definition {
            name,
            kind,
            parent: self.parent(&qualifier),
            signature: text::collapse(&self.source[start..end]),
            doc: self.doc_text(doc),
        };
        Some(self.emit(definition, start, brace))
    }

    /// The name of a function and its qualifier.
    fn function_name(&self, head: Head) -> Option<(String, String)> {
        let tokens = &self.statement.tokens;
        if let Some(inner) = head.inner {
            return Some((text::name(self.text_of(&tokens[inner])), String::new()));
        }
        let mut at = head.group - 1;
        if self.items[at].shape == Shape::Angle {
            at = at.checked_sub(1)?;
        }
        let item = self.items[at];
        let (qualifier, first) = self.qualifier_before(at);
        if item.shape == Shape::Operator {
            return Some((self.operator_name(&item), qualifier));
        }
        let word = self.item_text(&item);
        if at > 0 && self.items[at - 1].shape == Shape::Punct(b'~') {
            return Some((format!("~{}", String::from_utf8_lossy(word)), qualifier));
        }
        if first == at && is_upper(word) && !self.statement.old_style {
            let is_macro = self.dialect == Dialect::C || !self.has_type_before(head);
            if is_macro && let Some(name) = self.name_from_arguments(word, head.group) {
                return Some((name, qualifier));
            }
        }
        Some((text::name(word), qualifier))
    }

    /// `SYSCALL_DEFINE1(name, …)`: the name is the first argument; `TEST(Suite, name)`: both.
    fn name_from_arguments(&self, word: &[u8], group: usize) -> Option<String> {
        let tokens = &self.statement.tokens;
        let open = self.items[group].first as usize;
        let single = |at: usize| {
            let token = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
            let text = self.text_of(token);
            let ends = matches!(tokens.get(at + 1)?.kind, Kind::Punct(b',' | b')'));
            (ends && !is_type_word(text)).then(|| text::name(text))
        };
        let first = single(open + 1)?;
        if has_part(word, b"TEST")
            && is_punct(tokens.get(open + 2), b',')
            && let Some(second) = single(open + 3)
        {
            return Some(format!("{first}.{second}"));
        }
        Some(first)
    }

    /// `operator==`, `operator bool`, `operator()`.
    fn operator_name(&self, item: &Item) -> String {
        let mut name = Vec::new();
        let mut after_word = false;
        for token in &self.statement.tokens[item.first as usize..item.after as usize] {
            if token.kind == Kind::Word && after_word {
                name.push(b' ');
            }
            after_word = token.kind == Kind::Word;
            name.extend_from_slice(self.text_of(token));
        }
        text::finish(name, text::SIGNATURE_LIMIT)
    }

    fn function_kind(&self, name: &str, qualifier: &str, head: Head) -> SymbolKind {
        let owner = match qualifier.rsplit('.').next() {
            Some(last) if !last.is_empty() => last,
            _ if self.in_aggregate() => {
                let frame = self.frames.last().map_or("", |frame| frame.name.as_str());
                frame.rsplit('.').next().unwrap_or("")
            }
            _ => return SymbolKind::Function,
        };
        if !self.is_cpp() {
            return SymbolKind::Function;
        }
        // A function of the same name with a type before it is not a constructor.
        if name == owner && head.inner.is_none() && !self.has_type_before(head) {
            SymbolKind::Constructor
        } else {
            SymbolKind::Method
        }
    }

    /// `int f(a, b) int a;`: a group of plain names, then a declaration.
    pub(super) fn is_old_style_head(&self) -> bool {
        if self.statement.old_style {
            // A second head means that the first was something else.
            return self.items.iter().filter(|item| item.shape == Shape::Group).count() <= 4
                && !self.items.iter().any(|item| item.shape == Shape::Punct(b'='));
        }
        let Some(head) = self.next_head(1) else { return false };
        let tokens = &self.statement.tokens;
        let group = self.items[head.group];
        let inside = &tokens[group.first as usize + 1..(group.after as usize).max(2) - 1];
        let plain_names = inside.iter().enumerate().all(|(index, token)| match token.kind {
            Kind::Word => index % 2 == 0 && !is_type_word(self.text_of(token)),
            Kind::Punct(b',') => index % 2 == 1,
            _ => false,
        });
        let after = &self.items[head.group + 1..];
        let declares = after.len() >= 2
            && after.iter().all(|item| {
                matches!(item.shape, Shape::Word | Shape::Punct(b'*' | b',') | Shape::Square)
            })
            && !looks_like_attribute(self.item_text(&after[0]));
        plain_names && !inside.is_empty() && declares && head.inner.is_none()
    }
}
