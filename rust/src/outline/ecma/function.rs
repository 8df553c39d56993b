//! Functions: what is between the word and the end of the body, parameters, bodies.

use super::Parser;
use super::lex::place;
use super::skeleton::{Form, Kind, NOWHERE, Node, Value, Wrap};

impl Parser<'_> {
    /// A function from the word `function` on; what it is an operand of may begin before that, with `async`.
    pub(super) fn function_expression(&mut self, start: usize) -> Value {
        let value = self.function_value(start);
        if value.until == NOWHERE {
            self.fail();
        }
        value
    }

    /// The same, with or without a body.
    pub(super) fn function_value(&mut self, start: usize) -> Value {
        let node = self.open(Node::new(Kind::Local, place(start)));
        let (own, until) = self.function_rest();
        self.close(node);
        Value { form: Form::Function, until, own }
    }

    /// From the word `function` to the end of the body: its name and where the body begins.
    pub(super) fn function_rest(&mut self) -> ((u32, u32), u32) {
        self.take(b"function".len());
        if self.byte() == b'*' {
            self.take(1);
        }
        let own = if Self::starts_word(self.byte()) { self.take_word() } else { (0, 0) };
        self.signature();
        if self.byte() != b'{' {
            return (own, NOWHERE);
        }
        let until = place(self.at);
        self.body();
        (own, until)
    }

    /// Type parameters, parameters and the type of the result.
    pub(super) fn signature(&mut self) {
        let from = self.nodes.len();
        if self.byte() == b'<' && self.typed() {
            self.angle();
        }
        self.expect(b'(');
        self.group(b')');
        if self.byte() == b':' && self.typed() {
            self.take(1);
            self.type_();
        }
        self.forget(from);
    }

    /// The body of a function.
    pub(super) fn body(&mut self) {
        self.local += 1;
        self.block();
        self.local -= 1;
    }

    /// What stands in brackets after the opening one: expressions, or parameters, up to the closing one. True if
    /// they can only be parameters: none, a rest, one with a type.
    pub(super) fn group(&mut self, close: u8) -> bool {
        let mut parameters = self.byte() == close;
        loop {
            match self.byte() {
                byte if byte == close => {
                    self.take(1);
                    return parameters;
                }
                b',' => self.take(1),
                byte => {
                    let before = self.at;
                    parameters |= byte == b'.' && self.peek(1) == b'.';
                    if self.typed() && close == b')' {
                        self.modifiers_of_parameter();
                    }
                    self.expression(false);
                    if self.typed() && matches!(self.byte(), b':' | b'?') {
                        parameters = true;
                        if self.byte() == b'?' {
                            self.take(1);
                        }
                        if self.byte() == b':' {
                            self.take(1);
                            self.type_();
                        }
                        if self.byte() == b'=' {
                            self.take(1);
                            self.expression(false);
                        }
                    }
                    let fits = self.byte() == b',' || self.byte() == close;
                    if self.at == before || !fits {
                        self.fail();
                        return false;
                    }
                }
            }
        }
    }

    /// Decorators and words before a parameter: `@Inject() private readonly a`.
    pub(super) fn modifiers_of_parameter(&mut self) {
        if self.byte() == b'@' {
            self.decorators();
        }
        while matches!(
            self.word(),
            b"public" | b"private" | b"protected" | b"readonly" | b"override"
        ) {
            let (next, _) = self.after(self.at + self.word().len());
            if !self
                .source
                .get(next)
                .is_some_and(|byte| Self::starts_word(*byte) || matches!(byte, b'{' | b'['))
            {
                return;
            }
            let end = self.at + self.word().len();
            self.take_to(end);
        }
    }

    /// A function that is a statement, with or without a body, from the word `function` on.
    pub(super) fn function(&mut self, wrap: Option<Wrap>, start: usize) {
        let node = self.begin(Kind::Function, wrap, start);
        let index = self.open(node);
        let (name, until) = self.function_rest();
        if until == NOWHERE {
            if !self.typed() {
                self.fail();
            }
            self.semicolon();
        }
        if name.0 == name.1 {
            self.fail();
        }
        self.close(index);
        if let Some(node) = self.nodes.get_mut(index) {
            (node.name, node.value.until) = (name, until);
        }
    }
}
