//! Expressions: a flat loop of operands and operators. Precedence does not matter here, only whether an operand
//! or an operator comes next, where an expression ends, and whether all of it is one function, class or object.

use super::Parser;
use super::lex::place;
use super::skeleton::{Form, Kind, Node, Value};

/// What has been read since the last assignment sign.
#[derive(Clone, Copy)]
pub(super) struct Segment {
    pub operand: Value,
    /// No operator so far but, perhaps, one before the operand.
    pub alone: bool,
    /// A sign before the operand: `-a`, `typeof a`.
    pub sign: bool,
    /// `await`, `++`, `...` or the like before it.
    pub prefix: bool,
}

impl Segment {
    const NEW: Self =
        Self { operand: Value::of(Form::Absent), alone: true, sign: false, prefix: false };

    pub(super) fn value(&self) -> Value {
        match self {
            Self { alone: false, .. } | Self { prefix: true, .. } => Value::of(Form::Other),
            Self { sign: true, .. } => Value::of(Form::Again),
            _ => self.operand,
        }
    }
}

/// An assignment whose value is not complete.
pub(super) struct Pending {
    node: usize,
    /// How many `?` had no `:` at that point.
    ternaries: u32,
    /// Its value is an assignment.
    again: bool,
}

/// The last operand, as far as what stands behind it makes it something else.
pub(super) struct Operand {
    pub start: usize,
    /// The member's name and where the object before it ends, if it is a member.
    pub member: Option<((u32, u32), u32)>,
    /// `new` is waiting for its arguments.
    pub new: bool,
}

/// How an expression may end.
#[derive(Clone, Copy, Default)]
pub(super) struct Stop {
    /// A comma goes on.
    pub comma: bool,
    /// `in` does not belong to it: the head of a `for`.
    pub no_in: bool,
    /// `:` ends it, never a type: the head of a `case`.
    pub case: bool,
    /// The class that is extended.
    pub heritage: bool,
}

impl Parser<'_> {
    pub(super) fn expression(&mut self, comma: bool) -> Value {
        self.expression_until(Stop { comma, ..Stop::default() })
    }

    /// Read an expression up to the token that cannot belong to it.
    pub(super) fn expression_until(&mut self, stop: Stop) -> Value {
        if !self.enter() {
            self.leave();
            return Value::of(Form::Other);
        }
        let mut segment = Segment::NEW;
        let mut pending: Vec<Pending> = Vec::new();
        let mut assigned = false;
        let mut ternaries = 0;
        loop {
            let mut operand = Operand { start: self.at, member: None, new: false };
            // `(b) :` of a condition is no parameter list with a type behind it.
            let inner = Stop { case: stop.case || ternaries > 0, ..stop };
            if !self.operand(&mut segment, &mut operand, inner) {
                break;
            }
            // What follows an operand: until an operator comes, it is still the same one.
            let arrow = operand.start == usize::MAX;
            if !arrow {
                self.postfix(&mut segment, &mut operand, stop);
            }
            if self.unsure {
                break;
            }
            match self.byte() {
                b'=' if self.peek(1) != b'=' && self.peek(1) != b'>' => {
                    if let Some(last) = pending.last_mut() {
                        last.again |= last.ternaries == ternaries;
                    }
                    if let Some((name, object)) = operand.member {
                        let start = place(operand.start);
                        let node = Node { name, object, ..Node::new(Kind::Assignment, start) };
                        let node = self.open(node);
                        pending.push(Pending { node, ternaries, again: false });
                    }
                    self.take(1);
                    assigned = true;
                    segment = Segment::NEW;
                }
                b'?' if self.peek(1) != b'?' && !self.optional() => {
                    ternaries += 1;
                    segment.alone = false;
                    self.take(1);
                }
                b':' if ternaries > 0 => {
                    ternaries -= 1;
                    while let Some(one) = pending.pop_if(|one| one.ternaries > ternaries) {
                        self.settle(&one, &segment);
                    }
                    segment = Segment { alone: false, ..Segment::NEW };
                    self.take(1);
                }
                b',' if stop.comma => {
                    while let Some(one) = pending.pop() {
                        self.settle(&one, &segment);
                    }
                    (ternaries, assigned) = (0, false);
                    segment = Segment { alone: false, ..Segment::NEW };
                    self.take(1);
                }
                _ if !arrow && self.operator(stop) => segment.alone = false,
                _ => break,
            }
        }
        while let Some(one) = pending.pop() {
            self.settle(&one, &segment);
        }
        self.leave();
        if ternaries > 0 && !self.unsure {
            self.fail();
        }
        if assigned { Value::of(Form::Assignment) } else { segment.value() }
    }

    /// The value of an assignment has been read.
    pub(super) fn settle(&mut self, one: &Pending, segment: &Segment) {
        let value = if one.again { Value::of(Form::Assignment) } else { segment.value() };
        let needed = match value.form {
            Form::Function | Form::Class | Form::Object => true,
            _ => self.local == 0,
        };
        self.close(one.node);
        if let Some(node) = self.nodes.get_mut(one.node) {
            node.value = value;
        }
        if !needed {
            self.cancel(one.node);
        }
    }

    /// `a?: T`, `(a?) =>`: not the sign of a condition.
    pub(super) fn optional(&self) -> bool {
        self.typed() && {
            let (at, _) = self.after(self.at + 1);
            match self.source.get(at) {
                Some(b':' | b')' | b',') => true,
                Some(b'=') => !matches!(self.source.get(at + 1), Some(b'=' | b'>')),
                _ => false,
            }
        }
    }

    /// Take an operator; false if none comes and the expression has ended.
    pub(super) fn operator(&mut self, stop: Stop) -> bool {
        let byte = self.byte();
        let length = match byte {
            b'+' | b'-' => {
                if self.peek(1) == byte {
                    return false; // on a line of its own: a new statement
                }
                1 + usize::from(self.peek(1) == b'=')
            }
            b'*' | b'%' | b'^' | b'&' | b'|' | b'<' | b'>' | b'/' | b'?' => {
                if byte == b'?' && self.peek(1) != b'?' {
                    return false;
                }
                let doubled = byte != b'/' && self.peek(1) == byte;
                let mut length = 1 + usize::from(doubled);
                if byte == b'>' && doubled && self.peek(2) == b'>' {
                    length = 3;
                }
                length + usize::from(self.peek(length) == b'=')
            }
            b'!' if self.peek(1) == b'=' => 2 + usize::from(self.peek(2) == b'='),
            b'=' if self.peek(1) == b'=' => 2 + usize::from(self.peek(2) == b'='),
            b'i' => match self.word() {
                b"in" if !stop.no_in => 2,
                b"instanceof" => 10,
                _ => return false,
            },
            _ => return false,
        };
        self.take(length);
        true
    }
}
