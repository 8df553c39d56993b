//! What a statement defines, decided from the shape of its items.

use super::items::Shape;
use super::lex;
use super::statement::{Aggregate, Frame};
use super::words::{is_control, is_known_attribute};
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

    pub(super) fn in_aggregate(&self) -> bool {
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

    pub(super) fn is_aggregate_word(&self, index: usize) -> bool {
        match self.word_at(index) {
            b"struct" | b"union" | b"enum" => true,
            b"class" => self.is_cpp(),
            _ => false,
        }
    }
}
