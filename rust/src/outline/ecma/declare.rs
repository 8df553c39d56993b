//! Declarations: variables, and what only TypeScript has.

use super::Parser;
use super::expression::Stop;
use super::lex::place;
use super::skeleton::{Form, Kind, NOWHERE, Node, Wrap};

impl Parser<'_> {
    /// Whether a name or a pattern comes after a word of that length: `let a`, not `let = 1`.
    pub(super) fn names_follow(&self, length: usize) -> bool {
        let (next, newline) = self.after(self.at + length);
        let word = self.word_at(next);
        match self.source.get(next) {
            Some(b'{' | b'[') => true,
            _ => {
                let after = next + word.len();
                match word {
                    b"" | b"in" | b"instanceof" => false,
                    // A name like any other if it is given a value.
                    b"of" | b"as" | b"satisfies" => {
                        !newline && matches!(self.byte_after(after), b'=' | b':' | b';' | b',')
                    }
                    _ => true,
                }
            }
        }
    }

    /// Whether another word follows a word of that length on its line.
    pub(super) fn word_follows(&self, length: usize) -> bool {
        let (next, newline) = self.after(self.at + length);
        let word = self.word_at(next);
        !newline
            && !word.is_empty()
            && !matches!(word, b"in" | b"instanceof" | b"of" | b"as" | b"satisfies")
    }

    /// What may stand behind `export` and `declare`; false if none of these comes. What stands before it began
    /// at `start`.
    pub(super) fn declaration(&mut self, wrap: Option<Wrap>, start: usize) -> bool {
        let word = self.word();
        match word {
            b"function" => self.function(wrap, start),
            b"async" => {
                let (next, newline) = self.after(self.at + 5);
                if newline || self.word_at(next) != b"function" {
                    return false;
                }
                let start = self.at;
                self.take(5);
                self.function(wrap, start);
            }
            b"class" => self.class_declaration(wrap, start),
            b"const" if self.typed() && self.word_at(self.after(self.at + 5).0) == b"enum" => {
                self.enumeration(wrap);
            }
            b"var" | b"const" => {
                self.variables(wrap, false);
                self.semicolon();
            }
            b"let" if self.names_follow(3) => {
                self.variables(wrap, false);
                self.semicolon();
            }
            b"using" if !self.typed() && self.word_follows(5) => {
                self.variables(None, false);
                self.semicolon();
            }
            b"await" if !self.typed() => {
                let (next, newline) = self.after(self.at + 5);
                let then = self.after(next + 5).0;
                if newline || self.word_at(next) != b"using" || self.word_at(then).is_empty() {
                    return false;
                }
                self.take(5);
                self.variables(None, false);
                self.semicolon();
            }
            _ if self.typed() => return self.typed_declaration(wrap, start, word),
            _ => return false,
        }
        true
    }

    pub(super) fn typed_declaration(
        &mut self,
        wrap: Option<Wrap>,
        start: usize,
        word: &[u8],
    ) -> bool {
        match word {
            b"abstract" if self.word_at(self.after(self.at + 8).0) == b"class" => {
                self.class_declaration(wrap, start);
            }
            b"interface" if self.word_follows(9) => self.interface(wrap),
            b"type" if self.word_follows(4) => self.alias(wrap),
            b"enum" if self.word_follows(4) => self.enumeration(wrap),
            b"namespace" if self.word_follows(9) => self.namespace(wrap, 9),
            b"module"
                if self.word_follows(6) || matches!(self.byte_after(self.at + 6), b'"' | b'\'') =>
            {
                self.namespace(wrap, 6);
            }
            b"global" if self.byte_after(self.at + 6) == b'{' => {
                self.take(6);
                self.block();
            }
            b"declare" if self.word_follows(7) => {
                let head = place(self.at);
                self.take(7);
                let wrap = wrap.unwrap_or(Wrap { row: head, head });
                if self.word() == b"declare" || !self.declaration(Some(wrap), self.at) {
                    self.fail();
                }
            }
            _ => return false,
        }
        true
    }

    /// A node that begins here, or where what stands around it does.
    pub(super) fn begin(&self, kind: Kind, wrap: Option<Wrap>, start: usize) -> Node {
        let node = Node::new(kind, place(start));
        wrap.map_or(node, |Wrap { row, head }| Node { row, head, ..node })
    }

    /// `const a = 1, b = 2` without its end; in the head of a loop also `const a` before `of`.
    pub(super) fn variables(&mut self, wrap: Option<Wrap>, head: bool) {
        let keyword = place(self.at);
        let mut around = Some(wrap.unwrap_or(Wrap { row: keyword, head: keyword }));
        self.take_word();
        let lead = around.map_or((0, 0), |wrap| (wrap.head, place(self.at)));
        loop {
            let node = Node { lead, ..self.begin(Kind::Declarator, around.take(), self.at) };
            let named = Self::starts_word(self.byte());
            let index = self.open(node);
            if named {
                let name = self.take_word();
                if let Some(node) = self.nodes.get_mut(index) {
                    node.name = name;
                }
            } else if matches!(self.byte(), b'{' | b'[') {
                self.pattern();
            } else {
                return self.fail();
            }
            let from = self.nodes.len();
            if self.typed() {
                if self.byte() == b'!' {
                    self.take(1);
                }
                if self.byte() == b':' {
                    self.take(1);
                    self.type_();
                }
            }
            self.forget(from);
            let mut form = Form::Absent;
            if self.byte() == b'=' && self.peek(1) != b'=' {
                self.take(1);
                let value = self.expression_until(Stop { no_in: head, ..Stop::default() });
                form = value.form;
                if let Some(node) = self.nodes.get_mut(index) {
                    node.value = value;
                }
            }
            self.close(index);
            let counts = matches!(form, Form::Function | Form::Class | Form::Object);
            let of = head && matches!(self.word(), b"of" | b"in");
            if !named || of || self.local > 0 && !counts {
                self.cancel(index);
            }
            if self.byte() != b',' || self.unsure {
                return;
            }
            self.take(1);
        }
    }

    /// `{a, b: c}` or `[a, b]` where names are declared.
    pub(super) fn pattern(&mut self) {
        if self.byte() == b'{' {
            self.object();
        } else {
            self.take(1);
            self.group(b']');
        }
    }

    pub(super) fn interface(&mut self, wrap: Option<Wrap>) {
        let node = self.begin(Kind::Interface, wrap, self.at);
        let index = self.open(node);
        self.take(9);
        let name = self.take_word();
        let from = self.nodes.len();
        if self.byte() == b'<' {
            self.angle();
        }
        if self.word() == b"extends" {
            self.take(7);
            self.type_();
            while self.byte() == b',' {
                self.take(1);
                self.type_();
            }
        }
        self.forget(from);
        let until = place(self.at);
        self.interface_body();
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            (node.name, node.value.until) = (name, until);
        }
    }

    pub(super) fn alias(&mut self, wrap: Option<Wrap>) {
        let node = self.begin(Kind::Alias, wrap, self.at);
        let index = self.open(node);
        self.take(4);
        let name = self.take_word();
        if self.byte() == b'<' {
            self.angle();
        }
        self.expect(b'=');
        self.type_();
        self.semicolon();
        self.forget(index + 1);
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.name = name;
        }
    }

    pub(super) fn enumeration(&mut self, wrap: Option<Wrap>) {
        let node = self.begin(Kind::Enum, wrap, self.at);
        let index = self.open(node);
        if self.word() == b"const" {
            self.take(5);
        }
        self.take(4);
        let name = self.take_word();
        let until = place(self.at);
        if self.byte() == b'{' {
            self.balanced()
        } else {
            self.fail()
        }
        self.forget(index + 1);
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            (node.name, node.value.until) = (name, until);
        }
    }

    /// `namespace a.b { ... }`, `module "a";`, from a word of that length on.
    pub(super) fn namespace(&mut self, wrap: Option<Wrap>, length: usize) {
        let node = self.begin(Kind::Namespace, wrap, self.at);
        let index = self.open(node);
        self.take(length);
        let start = place(self.at);
        if matches!(self.byte(), b'"' | b'\'') {
            self.string();
        } else {
            self.take_word();
            while self.byte() == b'.' {
                self.take(1);
                self.take_word();
            }
        }
        let name = (start, place(self.end));
        let mut until = NOWHERE;
        if self.byte() == b'{' {
            until = place(self.at);
            // Variables count in it wherever it stands.
            let local = std::mem::take(&mut self.local);
            self.block();
            self.local = local;
        }
        self.close(index);
        if until == NOWHERE {
            self.semicolon();
        }
        if let Some(node) = self.nodes.get_mut(index) {
            (node.name, node.value.until) = (name, until);
        }
    }
}
