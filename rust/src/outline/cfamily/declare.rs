//! What a statement defines, decided from the shape of its items.

use super::items::{Item, Shape, group_end, is_punct};
use super::lex::{self, Kind};
use super::statement::{Aggregate, Frame};
use super::{Definition, Dialect, Scanner, SymbolKind, text};

/// What a `{` opens.
pub(super) enum Opened {
    /// A scope whose content is read as statements.
    Scope(Frame),
    /// Enumerators: skipped, and the declaration goes on.
    List(Frame),
    /// Skipped; the end of the symbol, if there is one, is that of the block.
    Body(Option<usize>),
}

/// The name of a function: items `first..group`, where `group` holds the parameters.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// The item that holds the first parameters.
    group: usize,
    /// The token with the name, if it is inside a group: `int (*name(int))(int)`.
    inner: Option<usize>,
}

impl Scanner<'_, '_> {
    /// The statement is followed by the `{` at `brace`: reports what it defines.
    pub(super) fn declare_block(&mut self, brace: usize) -> Opened {
        self.collect_items();
        if self.items.is_empty() {
            // `struct { … } x {`, a stray block, or only attributes.
            return Opened::Body(None);
        }
        if is_control(self.word_at(0)) {
            return Opened::Body(None);
        }
        if let Some(frame) = self.namespace(brace) {
            return Opened::Scope(frame);
        }
        if let Some(opened) = self.aggregate(brace) {
            return opened;
        }
        if let Some(head) = self.function_head() {
            if self.dialect == Dialect::C && lex::is_column_zero(self.source, self.statement.start)
            {
                self.leave_aggregates();
            }
            return Opened::Body(self.declare_function(head, brace));
        }
        if self.is_cpp() && !self.in_aggregate() {
            // `Type name{value};`
            let symbol = self.declare_variables(brace, true);
            return Opened::Body(symbol);
        }
        Opened::Body(None)
    }

    /// The statement ended with `;`: reports what it defines. True if it is the head of a K&R
    /// function, which goes on.
    pub(super) fn declare_statement(&mut self) -> bool {
        self.collect_items();
        let first = self.word_at(0);
        if self.items.is_empty() || is_control(first) {
            return false;
        }
        let typedef = self.statement.aggregate.is_some_and(|aggregate| aggregate.typedef);
        if typedef || first == b"typedef" || self.word_at(1) == b"typedef" {
            self.declare_typedefs();
            return false;
        }
        if self.is_cpp() && self.declare_cpp_statement() {
            return false;
        }
        if self.declare_from_macros() || self.in_aggregate() {
            return false;
        }
        if self.dialect == Dialect::C && self.is_old_style_head() {
            return true;
        }
        self.declare_variables(self.pos, false);
        false
    }

    fn in_aggregate(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.aggregate.is_some())
    }

    // ---- scopes ------------------------------------------------------------------------------

    /// `namespace a::b {` and `extern "C" {`.
    fn namespace(&mut self, brace: usize) -> Option<Frame> {
        if self.word_at(0) == b"extern"
            && self.items.len() == 2
            && self.items[1].shape == Shape::Literal
        {
            return Some(Frame::default());
        }
        if !self.is_cpp() {
            return None;
        }
        let at = (0..self.items.len().min(8)).find(|&at| self.word_at(at) == b"namespace")?;
        let mut names: Vec<String> = Vec::new();
        let mut index = at + 1;
        while let Some(item) = self.items.get(index) {
            match item.shape {
                Shape::Word if self.word_at(index) == b"inline" => {}
                Shape::Word if names.is_empty() || self.items[index - 1].shape == Shape::Scope => {
                    names.push(text::name(self.item_text(item)));
                }
                Shape::Word if self.word_at(index - 1) == b"inline" => {
                    names.push(text::name(self.item_text(item)));
                }
                Shape::Scope => {}
                _ => break,
            }
            index += 1;
        }
        let name = names.join(".");
        let Some(last) = names.pop() else { return Some(Frame::default()) };
        let definition = Definition {
            name: last,
            kind: SymbolKind::Namespace,
            parent: self.parent(&names.join(".")),
            signature: text::collapse(&self.source[self.statement.start..brace]),
            doc: self.doc_text(self.statement.doc),
        };
        let symbol = self.emit(definition, self.statement.start, brace);
        Some(Frame { name, symbol: Some(symbol), aggregate: None })
    }

    /// A struct, union, enum or class with a body.
    fn aggregate(&mut self, brace: usize) -> Option<Opened> {
        let keyword = (0..self.items.len()).find(|&at| self.is_aggregate_word(at))?;
        // A call before it is a macro with its own line or an attribute; a `*` or `=` is neither.
        let before = &self.items[..keyword];
        if before.iter().any(|item| matches!(item.shape, Shape::Punct(_) | Shape::Operator)) {
            return None;
        }
        let kind = match self.word_at(keyword) {
            b"struct" => SymbolKind::Struct,
            b"union" => SymbolKind::Union,
            b"enum" => SymbolKind::Enum,
            _ => SymbolKind::Class,
        };
        let mut first = keyword + 1;
        if self.is_aggregate_word(first) {
            first += 1; // enum class
        }
        let mut name = None;
        let mut words = 0;
        let mut seen_group = false;
        for index in first..self.items.len() {
            match self.items[index].shape {
                Shape::Word => {
                    let word = self.word_at(index);
                    if word == b"final" || (words > 0 && is_known_attribute(word)) {
                        continue;
                    }
                    if seen_group && words >= 2 {
                        return None; // struct x f(int) ATTRIBUTE {
                    }
                    words += 1;
                    name = Some(index);
                }
                Shape::Group if words >= 2 => return None, // struct x f(int) {
                Shape::Group => seen_group = true,
                Shape::Scope => words = 0, // what follows is the name
                Shape::Angle | Shape::Literal | Shape::Square => {}
                Shape::Punct(_) | Shape::Operator => return None,
            }
        }
        let typedef = before.iter().any(|item| self.item_text(item) == b"typedef");
        let start = self.own_start(keyword);
        let aggregate = Aggregate { typedef, start, brace, doc: self.statement.doc };
        let mut frame = Frame { aggregate: Some(aggregate), ..Frame::default() };
        if let Some(index) = name {
            let (qualifier, _) = self.qualifier_before(index);
            let name = text::name(self.item_text(&self.items[index]));
            let parent = self.parent(&qualifier);
            let definition = Definition {
                name: name.clone(),
                kind,
                parent,
                signature: text::collapse(&self.source[start..brace]),
                doc: self.doc_text(self.statement.doc),
            };
            frame.symbol = Some(self.emit(definition, start, brace));
            frame.name = if qualifier.is_empty() { name } else { format!("{qualifier}.{name}") };
        }
        Some(if kind == SymbolKind::Enum { Opened::List(frame) } else { Opened::Scope(frame) })
    }

    fn is_aggregate_word(&self, index: usize) -> bool {
        match self.word_at(index) {
            b"struct" | b"union" | b"enum" => true,
            b"class" => self.is_cpp(),
            _ => false,
        }
    }

    // ---- functions ---------------------------------------------------------------------------

    /// Finds the name and the parameters of a function in the items.
    fn function_head(&self) -> Option<Head> {
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
    fn inner_name(&self, group: &Item) -> Option<usize> {
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
    fn qualifier_before(&self, index: usize) -> (String, usize) {
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
    fn own_start(&self, index: usize) -> usize {
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

    fn declare_function(&mut self, head: Head, brace: usize) -> Option<usize> {
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
        if has_part(word, b"TEST") && is_punct(tokens.get(open + 2), b',') {
            if let Some(second) = single(open + 3) {
                return Some(format!("{first}.{second}"));
            }
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
    fn is_old_style_head(&self) -> bool {
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

    // ---- declarations that end with a semicolon ------------------------------------------------

    /// `using X = …`, `concept X = …`, `f() = default`. True if the statement is dealt with.
    fn declare_cpp_statement(&mut self) -> bool {
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
    fn declare_from_macros(&mut self) -> bool {
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

    fn declare_typedefs(&mut self) {
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
    fn declare_variables(&mut self, end: usize, braced: bool) -> Option<usize> {
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
            self.items[at].shape == Shape::Group
                && !is_known_attribute(self.word_at(at - 1))
                && !is_type_call(self.word_at(at - 1))
                && !self.is_pointer_group(at)
                && !(self.items[at - 1].shape == Shape::Group && self.is_pointer_group(at - 1))
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
                Shape::Scope => {
                    if at > from && words.last() == Some(&(at - 1)) {
                        words.pop();
                    }
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

fn is_attribute_word_with_group(word: &[u8]) -> bool {
    word.starts_with(b"__attribute") || word == b"__declspec"
}

/// Statements of a body, in case one is read at the level of declarations.
fn is_control(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"else"
            | b"for"
            | b"while"
            | b"do"
            | b"switch"
            | b"case"
            | b"return"
            | b"goto"
            | b"break"
            | b"continue"
            | b"default"
            | b"catch"
            | b"sizeof"
    )
}

/// Words of the language that are types: never the name of a function.
fn is_type_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"void"
            | b"int"
            | b"char"
            | b"short"
            | b"long"
            | b"unsigned"
            | b"signed"
            | b"float"
            | b"double"
            | b"bool"
            | b"_Bool"
            | b"auto"
            | b"wchar_t"
            | b"char8_t"
            | b"char16_t"
            | b"char32_t"
            | b"__signed__"
            | b"__int128"
    )
}

/// Words that take an expression and stand for a type.
fn is_type_call(word: &[u8]) -> bool {
    matches!(
        word,
        b"typeof" | b"__typeof__" | b"__typeof" | b"decltype" | b"_Atomic" | b"__typeof_unqual__"
    )
}

/// Storage classes, qualifiers and function specifiers.
fn is_qualifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"static"
            | b"extern"
            | b"inline"
            | b"const"
            | b"volatile"
            | b"register"
            | b"typedef"
            | b"restrict"
            | b"constexpr"
            | b"consteval"
            | b"constinit"
            | b"virtual"
            | b"explicit"
            | b"friend"
            | b"mutable"
            | b"thread_local"
            | b"typename"
            | b"export"
            | b"override"
            | b"final"
            | b"try"
            | b"noexcept"
            | b"asmlinkage"
            | b"noinline"
            | b"notrace"
            | b"_Noreturn"
            | b"_Thread_local"
    )
}

/// A word in the manner of attribute macros: `__init`, `API_EXPORT`.
fn looks_like_attribute(word: &[u8]) -> bool {
    word.starts_with(b"__") || is_upper(word)
}

/// Attributes that stand after a name, where a plain word would be the name.
fn is_known_attribute(word: &[u8]) -> bool {
    word.starts_with(b"____cacheline")
        || word.starts_with(b"__cacheline")
        || word.starts_with(b"__init")
        || word.starts_with(b"__exit")
        || word.starts_with(b"__meminit")
        || matches!(
            word,
            b"__packed"
                | b"__attribute__"
                | b"__aligned"
                | b"__bitwise"
                | b"__user"
                | b"__iomem"
                | b"__kernel"
                | b"__force"
                | b"__rcu"
                | b"__percpu"
                | b"__randomize_layout"
                | b"__no_randomize_layout"
                | b"__designated_init"
                | b"__ro_after_init"
                | b"__read_mostly"
                | b"__maybe_unused"
                | b"__unused"
                | b"__used"
                | b"__weak"
                | b"__visible"
                | b"__latent_entropy"
                | b"__section"
                | b"__deprecated"
                | b"__refdata"
                | b"__ref"
                | b"__extension__"
                | b"__restrict"
                | b"__volatile__"
                | b"__const"
                | b"__inline"
                | b"__inline__"
                | b"__always_inline"
                | b"__hot"
                | b"__cold"
        )
}

/// Statements that begin so define no variable.
fn is_type_only(word: &[u8]) -> bool {
    matches!(word, b"using" | b"namespace" | b"friend" | b"template" | b"asm" | b"__asm__")
}

/// All letters upper case, and at least two characters.
pub(super) fn is_upper(word: &[u8]) -> bool {
    word.len() > 1
        && word.iter().any(u8::is_ascii_uppercase)
        && !word.iter().any(|&byte| byte.is_ascii_lowercase() || byte >= 0x80)
}

/// Is `part` one of the words of an upper-case name, which underscores and digits separate?
pub(super) fn has_part(word: &[u8], part: &[u8]) -> bool {
    word.windows(part.len()).any(|window| window == part)
}

/// Macros that define a variable named by an argument.
fn defines_variable(word: &[u8]) -> bool {
    if word.starts_with(b"DEFINE_") {
        // These define functions.
        return !(word.starts_with(b"DEFINE_EVENT")
            || word.ends_with(b"SHOW_ATTRIBUTE")
            || word.ends_with(b"STORE_ATTRIBUTE")
            || word.ends_with(b"SEQ_ATTRIBUTE")
            || word.ends_with(b"_FUNC"));
    }
    matches!(
        word,
        b"LIST_HEAD"
            | b"HLIST_HEAD"
            | b"LLIST_HEAD"
            | b"DECLARE_WORK"
            | b"DECLARE_DELAYED_WORK"
            | b"DECLARE_COMPLETION"
            | b"DECLARE_WAIT_QUEUE_HEAD"
            | b"DECLARE_RWSEM"
            | b"DECLARE_TASKLET"
            | b"DECLARE_BITMAP"
            | b"DECLARE_HASHTABLE"
            | b"DECLARE_KFIFO"
            | b"RADIX_TREE"
            | b"BLOCKING_NOTIFIER_HEAD"
            | b"ATOMIC_NOTIFIER_HEAD"
            | b"RAW_NOTIFIER_HEAD"
            | b"PyDoc_STRVAR"
    )
}
