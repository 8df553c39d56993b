//! Classes and objects: their members.

use super::Parser;
use super::expression::Stop;
use super::lex::place;
use super::skeleton::{Form, Kind, Node, Value, Wrap};

impl Parser<'_> {
    /// A class that is a statement, at the word `class` or `abstract`; decorators stand before it.
    pub(super) fn class_declaration(&mut self, wrap: Option<Wrap>, start: usize) {
        let head = place(self.at);
        let around = wrap.unwrap_or(Wrap { row: place(start), head });
        let (row, head) = (around.row, around.head);
        let node = Node { row, head, ..Node::new(Kind::Class, place(start)) };
        let node = self.open(node);
        if self.word() == b"abstract" {
            self.take(8);
        }
        let (name, until) = self.class_rest();
        self.close(node);
        if let Some(node) = self.nodes.get_mut(node) {
            (node.name, node.value.until) = (name, until);
        }
    }

    pub(super) fn class_expression(&mut self) -> Value {
        let node = self.open(Node::new(Kind::ClassExpression, place(self.at)));
        let (own, until) = self.class_rest();
        self.close(node);
        Value { form: Form::Class, until, own }
    }

    /// From the word `class` on: its name and where its body begins.
    fn class_rest(&mut self) -> ((u32, u32), u32) {
        self.take(5);
        let named = Self::starts_word(self.byte())
            && self.word() != b"extends"
            && !(self.typed()
                && self.word() == b"implements"
                && self.byte_after(self.at + 10) != b'{');
        let name = if named { self.take_word() } else { (0, 0) };
        if self.byte() == b'<' && self.typed() {
            let from = self.nodes.len();
            self.angle();
            self.forget(from);
        }
        if self.word() == b"extends" {
            self.take(7);
            self.expression_until(Stop { comma: true, heritage: true, ..Stop::default() });
        }
        if self.typed() && self.word() == b"implements" {
            self.take(10);
            self.type_();
            while self.byte() == b',' {
                self.take(1);
                self.type_();
            }
        }
        let until = place(self.at);
        self.expect(b'{');
        loop {
            match self.byte() {
                b'}' => {
                    self.take(1);
                    break;
                }
                b';' | b',' => self.take(1),
                _ if self.done() => {
                    self.fail();
                    break;
                }
                _ => self.class_member(),
            }
        }
        (name, until)
    }

    fn class_member(&mut self) {
        let start = self.at;
        let from = self.nodes.len();
        self.decorators();
        let inside: Vec<Node> = self.nodes.drain(from..).collect();
        self.taken = self.taken.min(from);
        let head = self.at;
        let mut node = Node { head: place(head), ..Node::new(Kind::Field, place(start)) };
        let mut is_abstract = false;
        loop {
            let word = self.word();
            let (next, newline) = self.after(self.at + word.len());
            let modifier = match word {
                b"static" if self.source.get(next) == Some(&b'{') => {
                    self.take(6);
                    self.nodes.extend(inside);
                    return self.block();
                }
                b"static" | b"get" | b"set" => true,
                b"async" | b"accessor" => !newline,
                b"public" | b"private" | b"protected" | b"readonly" | b"abstract" | b"override"
                | b"declare" => self.typed() && !newline,
                _ => false,
            };
            if !modifier || !self.starts_name(next) {
                break;
            }
            node.accessor |= matches!(word, b"get" | b"set");
            is_abstract |= word == b"abstract";
            self.take(word.len());
        }
        if self.byte() == b'*' {
            self.take(1);
        }
        let index = self.open(node);
        let name = place(self.at);
        self.member_name();
        node.name = (name, place(self.end));
        if self.typed() && matches!(self.byte(), b'?' | b'!') {
            self.take(1);
        }
        if matches!(self.byte(), b'(' | b'<') {
            self.signature();
            if self.byte() == b'{' {
                node.kind = Kind::Method;
                node.value.until = place(self.at);
                if self.typed() {
                    // Decorators are no part of the method there.
                    node.start = node.head;
                    node.row = node.head;
                }
                self.body();
            } else {
                node.kind = if is_abstract { Kind::Abstract } else { Kind::Signature };
                if !self.typed() {
                    self.fail();
                }
            }
            self.place_node(index, node);
            let before = self.typed() && node.kind == Kind::Method;
            self.nest(index, if before { index } else { index + 1 }, inside);
            if node.kind != Kind::Method {
                self.semicolon_of_member();
            }
            return;
        }
        let from = self.nodes.len();
        if self.typed() && self.byte() == b':' {
            self.take(1);
            self.type_();
        }
        self.forget(from);
        if self.byte() == b'=' {
            self.take(1);
            node.value = self.expression(false);
            if node.value.form == Form::Absent {
                self.fail();
            }
        }
        self.place_node(index, node);
        self.nest(index, index + 1, inside);
        if node.value.form == Form::Absent
            && let Some(node) = self.nodes.get_mut(index)
        {
            node.kind = Kind::Nothing;
        }
        self.semicolon_of_member();
    }

    /// Put decorators at a place in or before a node that has just been closed.
    fn nest(&mut self, index: usize, at: usize, inside: Vec<Node>) {
        if inside.is_empty() || at > self.nodes.len() {
            return;
        }
        let more = place(inside.len());
        // Whatever lies behind moves, with all that is said about where it ends.
        for node in &mut self.nodes[index..] {
            node.next += more;
        }
        self.taken += inside.len();
        self.nodes.splice(at..at, inside);
    }

    /// Write a node that has been read into its place.
    fn place_node(&mut self, index: usize, node: Node) {
        if let Some(found) = self.nodes.get_mut(index) {
            *found = node;
        }
        self.close(index);
    }

    fn semicolon_of_member(&mut self) {
        if self.byte() == b',' { self.take(1) } else { self.semicolon() }
    }

    /// The name of a member: a word, a string, a number, `#a`, `[a]`.
    fn member_name(&mut self) {
        match self.byte() {
            b'[' => {
                self.take(1);
                self.group(b']');
            }
            b'"' | b'\'' => self.string(),
            b'0'..=b'9' | b'.' => self.number(),
            b'#' => {
                self.take(1);
                self.take_word();
            }
            _ => drop(self.take_word()),
        }
    }

    /// An object, or a pattern that looks like one.
    pub(super) fn object(&mut self) {
        self.take(1);
        loop {
            match self.byte() {
                b'}' => return self.take(1),
                b',' => self.take(1),
                b'.' if self.peek(1) == b'.' => {
                    self.expression(false);
                    self.comma();
                }
                _ if self.done() => return self.fail(),
                _ => {
                    self.property();
                    self.comma();
                }
            }
            if self.unsure {
                return;
            }
        }
    }

    fn comma(&mut self) {
        if !matches!(self.byte(), b',' | b'}') {
            self.fail();
        }
    }

    fn property(&mut self) {
        let start = self.at;
        let mut accessor = false;
        loop {
            let word = self.word();
            if !matches!(word, b"get" | b"set" | b"async" | b"static") {
                break;
            }
            let (next, _) = self.after(self.at + word.len());
            if !self.starts_name(next) {
                break;
            }
            accessor |= matches!(word, b"get" | b"set");
            self.take(word.len());
        }
        if self.byte() == b'*' {
            self.take(1);
        }
        let index = self.open(Node { accessor, ..Node::new(Kind::Pair, place(start)) });
        let name = place(self.at);
        self.member_name();
        let name = (name, place(self.end));
        let mut value = Value::of(Form::Absent);
        let mut kind = Kind::Nothing;
        match self.byte() {
            b':' => {
                self.take(1);
                value = self.expression(false);
                if matches!(value.form, Form::Function | Form::Class) {
                    kind = Kind::Pair;
                }
                // `{ a: b = c }` is a pattern: the expression has taken the value with it.
            }
            b'(' | b'<' => {
                kind = Kind::Method;
                self.signature();
                value.until = place(self.at);
                if self.byte() == b'{' { self.body() } else { self.fail() }
            }
            b'=' => {
                self.take(1);
                self.expression(false);
            }
            _ => {}
        }
        if kind == Kind::Nothing {
            return self.cancel(index);
        }
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            (node.kind, node.name, node.value) = (kind, name, value);
        }
    }
}
