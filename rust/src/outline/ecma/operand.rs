//! Operands: names, literals, functions and what stands in brackets; and what stands behind one and makes it
//! longer: members, calls, subscripts.

use super::Parser;
use super::expression::{Operand, Segment, Stop};
use super::lex::place;
use super::skeleton::{Form, Kind, Node, Value};

impl Parser<'_> {
    /// Read an operand with the signs before it; false if none comes. `operand.start` is `usize::MAX`
    /// after an arrow function, behind which an expression cannot go on.
    pub(super) fn operand(
        &mut self,
        segment: &mut Segment,
        operand: &mut Operand,
        stop: Stop,
    ) -> bool {
        loop {
            let form = match self.byte() {
                b'"' | b'\'' => {
                    self.string();
                    Form::Other
                }
                b'`' => {
                    self.template();
                    Form::Other
                }
                b'0'..=b'9' => {
                    self.number();
                    Form::Other
                }
                b'.' if self.peek(1).is_ascii_digit() => {
                    self.number();
                    Form::Other
                }
                b'.' if self.peek(1) == b'.' && self.peek(2) == b'.' => {
                    self.take(3);
                    segment.prefix = true;
                    continue;
                }
                b'(' => {
                    let (start, from) = (self.at, self.nodes.len());
                    self.take(1);
                    let sure = self.group(b')');
                    if self.arrow_after_parameters(start, from, sure, segment, stop) {
                        operand.start = usize::MAX;
                        return true;
                    }
                    Form::Other
                }
                b'[' => {
                    let start = place(self.at);
                    let node = self.open(Node::new(Kind::Array, start));
                    self.take(1);
                    self.group(b']');
                    self.close(node);
                    self.cancel_empty(node);
                    Form::Other
                }
                b'{' => {
                    let until = place(self.at);
                    self.object();
                    segment.operand = Value { until, ..Value::of(Form::Object) };
                    return true;
                }
                b'/' => {
                    self.regex();
                    Form::Other
                }
                b'<' => {
                    if self.elements() {
                        self.jsx();
                        Form::Other
                    } else {
                        // `<T>(a: T) => a` or `<T>a`
                        let (start, from) = (self.at, self.nodes.len());
                        self.angle();
                        self.forget(from);
                        if self.byte() == b'(' {
                            self.take(1);
                            self.group(b')');
                            if self.arrow_after_parameters(start, from, true, segment, stop) {
                                operand.start = usize::MAX;
                                return true;
                            }
                            Form::Other
                        } else {
                            segment.prefix = true;
                            continue;
                        }
                    }
                }
                b'+' | b'-' if self.peek(1) == self.byte() => {
                    self.take(2);
                    segment.prefix = true;
                    continue;
                }
                b'+' | b'-' | b'!' | b'~' => {
                    self.take(1);
                    segment.sign = true;
                    continue;
                }
                b'@' => {
                    let from = self.nodes.len();
                    self.decorators();
                    self.forget(from);
                    continue;
                }
                b'#' => {
                    self.take(1);
                    self.take_word();
                    Form::Other
                }
                byte if Self::starts_word(byte) => {
                    match self.word_operand(segment, operand, stop) {
                        Some(Some(form)) => form,
                        Some(None) => return !self.unsure,
                        None => continue,
                    }
                }
                _ => return false,
            };
            segment.operand = Value::of(form);
            return !self.unsure;
        }
    }

    /// An operand that begins with a word: its form; nothing inside if it is set already; nothing if the word
    /// only stands before the operand.
    pub(super) fn word_operand(
        &mut self,
        segment: &mut Segment,
        operand: &mut Operand,
        stop: Stop,
    ) -> Option<Option<Form>> {
        let start = self.at;
        let word = self.word();
        let end = start + word.len();
        match word {
            b"function" => {
                segment.operand = self.function_expression(start);
                return Some(None);
            }
            b"class" => {
                segment.operand = self.class_expression();
                return Some(None);
            }
            b"new" => {
                self.take_to(end);
                if self.byte() == b'.' {
                    self.take(1);
                    self.take_word();
                    return Some(Some(Form::Other));
                }
                operand.new = true;
                return None;
            }
            b"typeof" | b"void" | b"delete" => {
                self.take_to(end);
                segment.sign = true;
                return None;
            }
            b"await" => {
                self.take_to(end);
                if self.is_operator_next() {
                    return Some(Some(Form::Again));
                }
                segment.prefix = true;
                return None;
            }
            b"yield" => {
                self.take_to(end);
                segment.prefix = true;
                if self.newline {
                    return Some(Some(Form::Other));
                }
                if self.byte() == b'*' {
                    self.take(1);
                    return None;
                }
                if self.is_operator_next() || matches!(self.byte(), b'?' | b'=' | b':') {
                    return Some(Some(Form::Other));
                }
                return None;
            }
            b"this" | b"super" | b"true" | b"false" | b"null" => {
                self.take_to(end);
                return Some(Some(Form::Other));
            }
            b"undefined" => {
                self.take_to(end);
                return Some(Some(Form::Undefined));
            }
            b"async" => {
                let (next, newline) = self.after(end);
                let following = self.word_at(next);
                if !newline && following == b"function" {
                    self.take_to(end);
                    segment.operand = self.function_expression(start);
                    return Some(None);
                }
                let simple = !newline
                    && !following.is_empty()
                    && self.is_arrow(self.after(next + following.len()).0);
                if simple {
                    self.take_to(end);
                    self.take_word();
                } else {
                    self.take_to(end);
                    let from = self.nodes.len();
                    if self.byte() == b'<' && self.typed() && !newline {
                        let budget = self.type_arguments_end(false);
                        if let Some(end) = budget.filter(|end| self.byte_after(*end) == b'(') {
                            self.note_comments(self.at, end);
                            self.take_to(end);
                        }
                    }
                    if self.byte() == b'(' && !newline {
                        self.take(1);
                        let sure = self.group(b')');
                        if self.arrow_after_parameters(start, from, sure, segment, stop) {
                            operand.start = usize::MAX;
                            return Some(None);
                        }
                        return Some(Some(Form::Again)); // a call
                    }
                }
            }
            b"if" | b"else" | b"for" | b"while" | b"do" | b"return" | b"var" | b"const"
            | b"case" | b"switch" | b"break" | b"continue" | b"throw" | b"try" | b"catch"
            | b"finally" | b"default" | b"with" | b"in" | b"instanceof" | b"extends" | b"enum"
            | b"debugger" => {
                self.fail();
                return Some(None);
            }
            b"" => {
                self.fail();
                return Some(None);
            }
            _ => self.take_to(end),
        }
        if self.is_arrow(self.at) && !self.newline {
            let from = self.nodes.len();
            segment.operand = self.arrow(start, from, stop);
            operand.start = usize::MAX;
            return Some(None);
        }
        Some(Some(Form::Again))
    }

    /// Whether the next token cannot begin an operand: what stands before it was one itself.
    pub(super) fn is_operator_next(&self) -> bool {
        matches!(
            self.byte(),
            b'.' | b',' | b';' | b')' | b']' | b'}' | b'=' | b'?' | b':' | b'&' | b'|' | b'>' | 0
        ) && !(self.byte() == b'.' && self.peek(1) == b'.')
    }

    pub(super) fn is_arrow(&self, at: usize) -> bool {
        self.source.get(at) == Some(&b'=') && self.source.get(at + 1) == Some(&b'>')
    }

    /// After `( ... )`: an arrow function, if an arrow comes, perhaps after a type.
    pub(super) fn arrow_after_parameters(
        &mut self,
        start: usize,
        from: usize,
        sure: bool,
        segment: &mut Segment,
        stop: Stop,
    ) -> bool {
        if self.byte() == b':' && (sure || !stop.case) && self.typed() {
            self.take(1);
            self.type_();
            if !self.is_arrow(self.at) {
                self.fail();
                return false;
            }
        }
        if !self.is_arrow(self.at) {
            return false;
        }
        segment.operand = self.arrow(start, from, stop);
        true
    }

    /// An arrow function from its arrow on. What was read since `from` are its parameters.
    pub(super) fn arrow(&mut self, start: usize, from: usize, stop: Stop) -> Value {
        self.forget(from);
        let node = self.open(Node::new(Kind::Local, place(start)));
        self.take(2);
        let until = place(self.at);
        self.local += 1;
        if self.byte() == b'{' {
            self.block();
        } else {
            self.expression_until(Stop { comma: false, heritage: false, ..stop });
        }
        self.local -= 1;
        self.close(node);
        Value { until, ..Value::of(Form::Function) }
    }

    /// Take away an array with nothing inside.
    pub(super) fn cancel_empty(&mut self, node: usize) {
        if node + 1 == self.nodes.len() {
            self.nodes.pop();
        }
    }

    /// Members, calls, subscripts, templates and the rest of what makes an operand longer.
    pub(super) fn postfix(&mut self, segment: &mut Segment, operand: &mut Operand, stop: Stop) {
        loop {
            match self.byte() {
                b'.' => {
                    let object = place(self.end);
                    self.take(1);
                    self.member(operand, object, segment);
                }
                b'?' if self.peek(1) == b'.' && !self.peek(2).is_ascii_digit() => {
                    let object = place(self.end);
                    self.take(2);
                    match self.byte() {
                        b'(' | b'[' | b'`' | b'<' => {}
                        _ => self.member(operand, object, segment),
                    }
                }
                b'(' => {
                    self.take(1);
                    self.group(b')');
                    operand.member = None;
                    let form = if operand.new { Form::Other } else { Form::Again };
                    operand.new = false;
                    segment.operand = Value::of(form);
                }
                b'[' => {
                    self.take(1);
                    self.group(b']');
                    operand.member = None;
                    segment.operand = Value::of(Form::Other);
                }
                b'`' => {
                    self.template();
                    operand.member = None;
                    segment.operand = Value::of(Form::Again);
                }
                b'+' | b'-' if self.peek(1) == self.byte() && !self.newline => {
                    self.take(2);
                    operand.member = None;
                    segment.operand = Value::of(Form::Other);
                }
                b'!' if self.peek(1) != b'=' && self.typed() && !self.newline => {
                    self.take(1);
                    operand.member = None;
                    segment.operand = Value::of(Form::Other);
                }
                b'<' if self.typed() && self.peek(1) != b'=' => {
                    match self.arguments_of_type(stop) {
                        Some(_) if stop.heritage => self.heritage_arguments(),
                        Some(end) => {
                            self.note_comments(self.at, end);
                            self.take_to(end);
                            if !matches!(self.byte(), b'(' | b'`' | b'{') {
                                operand.member = None;
                                segment.operand = Value::of(Form::Other);
                            }
                        }
                        None => break,
                    }
                }
                b'a' | b's' if self.typed() && !self.newline => {
                    let word = self.word();
                    if !matches!(word, b"as" | b"satisfies") {
                        break;
                    }
                    self.take(word.len());
                    if self.word() == b"const" {
                        self.take(5)
                    } else {
                        self.type_()
                    }
                    operand.member = None;
                    segment.alone = false;
                }
                _ => break,
            }
            if self.unsure {
                return;
            }
        }
        if operand.new {
            segment.operand = Value::of(Form::Other);
            operand.member = None;
        }
    }

    pub(super) fn member(&mut self, operand: &mut Operand, object: u32, segment: &mut Segment) {
        let start = place(self.at);
        if self.byte() == b'#' {
            self.take(1);
        }
        let (_, end) = self.take_word();
        operand.member = Some(((start, end), object));
        segment.operand = Value::of(Form::Again);
    }

    /// Where type arguments end that come next; none if a comparison does.
    pub(super) fn arguments_of_type(&mut self, stop: Stop) -> Option<usize> {
        let start = self.at;
        let end = self.type_arguments_end(stop.heritage)?;
        let (next, newline) = self.after(end);
        let byte = self.source.get(next).copied().unwrap_or(0);
        let fits = match byte {
            b'(' | b'`' | b')' | b']' | b',' | b';' | b':' | b'}' | b'.' | b'?' | b'|' | b'&'
            | 0 => true,
            b'{' => stop.heritage || newline,
            b'=' => self.source.get(next + 1) != Some(&b'>') && next > end,
            b'>' | b'<' | b'+' | b'-' | b'/' | b'"' | b'\'' | b'[' | b'!' | b'~' => newline,
            _ => newline || matches!(self.word_at(next), b"implements" | b"as" | b"satisfies"),
        };
        if !fits {
            self.budget = self.budget.saturating_sub(end - start);
            if self.budget == 0 {
                self.fail();
            }
        }
        fits.then_some(end)
    }
}
