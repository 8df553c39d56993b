//! Types: where they end. Nothing in them is reported but the methods of an interface.

use super::Parser;
use super::lex::place;
use super::skeleton::{Kind, Node};

impl Parser<'_> {
    /// Take a type.
    pub(super) fn type_(&mut self) {
        let from = self.nodes.len();
        self.type_with(false);
        self.forget(from);
    }

    /// The type arguments of what a class extends: methods of an object type there are methods of the class.
    pub(super) fn heritage_arguments(&mut self) {
        self.take(1);
        self.type_with(true);
        while self.byte() == b',' {
            self.take(1);
            self.type_with(true);
        }
        self.expect(b'>');
    }

    /// Take a type, and what is in its object types with its members or without.
    fn type_with(&mut self, members: bool) {
        let mut conditions = 0_u32;
        let mut extended = 0_u32;
        loop {
            let Some(mut function) = self.type_operand(members) else { return self.fail() };
            // What stands behind it: nothing, more of it, or a sign and the next one.
            loop {
                let before = self.at;
                match self.byte() {
                    b'.' => {
                        self.take(1);
                        if self.byte() == b'#' {
                            self.take(1);
                        }
                        self.take_word();
                    }
                    b'[' if !self.newline => self.balanced(),
                    b'<' if !self.newline => self.angle(),
                    _ => break,
                }
                function &= self.at == before;
                if self.unsure {
                    return;
                }
            }
            match self.byte() {
                b'|' | b'&' if self.peek(1) != self.byte() => self.take(1),
                b'=' if function && self.is_arrow(self.at) => self.take(2),
                b'?' if extended > 0 && !matches!(self.peek(1), b'.' | b'?') => {
                    conditions += 1;
                    extended -= 1;
                    self.take(1);
                }
                b':' if conditions > 0 => {
                    conditions -= 1;
                    self.take(1);
                }
                b'e' if self.word() == b"extends" => {
                    extended += 1;
                    self.take(7);
                }
                b'i' if !self.newline && self.word() == b"is" => self.take(2),
                _ => break,
            }
        }
    }

    /// Whether a type may begin at a place.
    fn starts_type(&self, at: usize) -> bool {
        self.source.get(at).is_some_and(|byte| {
            Self::starts_word(*byte)
                || byte.is_ascii_digit()
                || matches!(byte, b'(' | b'[' | b'{' | b'<' | b'"' | b'\'' | b'`' | b'-')
        })
    }

    /// Whether the brackets that come next can be parameters: `(a: B) => C` is a type, and in `(): (A | B) => c`
    /// the type ends before the arrow.
    fn parameters_follow(&self) -> bool {
        let (mut at, _) = self.after(self.at + 1);
        match self.byte_at(at) {
            b')' | b'.' => return true,
            b'{' | b'[' => match self.balanced_end(at, self.source.len()) {
                Some(end) => at = end,
                None => return false,
            },
            _ => {
                let word = self.word_at(at);
                if word.is_empty() {
                    return false;
                }
                at += word.len();
            }
        }
        matches!(self.byte_after(at), b':' | b',' | b'?' | b'=' | b')')
    }

    /// One type with the words and signs before it: whether it is in brackets that may be parameters; nothing
    /// if there is none.
    fn type_operand(&mut self, members: bool) -> Option<bool> {
        let complete = |parser: &Self, function| Some(function).filter(|_| !parser.unsure);
        loop {
            match self.byte() {
                b'|' | b'&' => self.take(1),
                b'(' => {
                    let function = self.parameters_follow();
                    self.balanced();
                    return complete(self, function);
                }
                b'{' if members => {
                    self.interface_body();
                    return complete(self, false);
                }
                b'[' | b'{' | b'`' => {
                    self.balanced();
                    return complete(self, false);
                }
                b'<' => {
                    self.angle(); // of a function type
                    if self.byte() != b'(' {
                        return None;
                    }
                    self.balanced();
                    return complete(self, true);
                }
                b'"' | b'\'' => {
                    self.string();
                    return complete(self, false);
                }
                b'-' => self.take(1),
                b'0'..=b'9' => {
                    self.number();
                    return complete(self, false);
                }
                b'.' if self.peek(1) == b'.' && self.peek(2) == b'.' => self.take(3),
                byte if Self::starts_word(byte) => {
                    let word = self.word();
                    let end = self.at + word.len();
                    let (next, newline) = self.after(end);
                    let prefix = match word {
                        b"keyof" | b"typeof" | b"readonly" | b"unique" | b"infer" | b"new"
                        | b"abstract" => self.starts_type(next),
                        // `asserts a is B`; but `asserts` may be the name of a type, too.
                        b"asserts" => !newline && Self::starts_word(self.byte_at(next)),
                        b"import" => false,
                        _ if word.is_empty() => return None,
                        _ => false,
                    };
                    self.take_to(end);
                    if word == b"import" && self.byte() == b'(' {
                        self.balanced();
                    }
                    if !prefix {
                        return complete(self, false);
                    }
                }
                _ => return None,
            }
            if self.unsure {
                return None;
            }
        }
    }

    fn byte_at(&self, at: usize) -> u8 {
        self.source.get(at).copied().unwrap_or(0)
    }

    /// The body of an interface.
    pub(super) fn interface_body(&mut self) {
        self.expect(b'{');
        loop {
            match self.byte() {
                b'}' => return self.take(1),
                b';' | b',' => self.take(1),
                _ if self.done() => return self.fail(),
                _ => self.interface_member(),
            }
            if self.unsure {
                return;
            }
        }
    }

    fn interface_member(&mut self) {
        let start = self.at;
        let mut accessor = false;
        if matches!(self.byte(), b'+' | b'-') {
            self.take(1); // `-readonly [K in T]?: V`
        }
        loop {
            let word = self.word();
            let modifier = matches!(
                word,
                b"get"
                    | b"set"
                    | b"readonly"
                    | b"async"
                    | b"static"
                    | b"public"
                    | b"private"
                    | b"protected"
            );
            let (next, _) = self.after(self.at + word.len());
            if !modifier || !self.starts_name(next) {
                break;
            }
            accessor |= matches!(word, b"get" | b"set");
            self.take(word.len());
        }
        if matches!(self.byte(), b'(' | b'<') {
            return self.signature();
        }
        if self.word() == b"abstract" && self.word_at(self.after(self.at + 8).0) == b"new" {
            self.take(8);
        }
        if self.word() == b"new" && matches!(self.byte_after(self.at + 3), b'(' | b'<') {
            self.take(3);
            return self.signature();
        }
        let node = self.open(Node { accessor, ..Node::new(Kind::Signature, place(start)) });
        let from = place(self.at);
        match self.byte() {
            b'[' => self.balanced(),
            b'"' | b'\'' => self.string(),
            b'0'..=b'9' => self.number(),
            _ => drop(self.take_word()),
        }
        if let Some(node) = self.nodes.get_mut(node) {
            node.name = (from, place(self.end));
        }
        if matches!(self.byte(), b'+' | b'-') && self.peek(1) == b'?' {
            self.take(1);
        }
        if self.byte() == b'?' {
            self.take(1);
        }
        if matches!(self.byte(), b'(' | b'<') {
            self.signature();
            self.close(node);
            return self.separated();
        }
        if self.byte() == b':' {
            self.take(1);
            self.type_();
        }
        // A property: nothing is reported.
        if let Some(node) = self.nodes.get_mut(node) {
            node.kind = Kind::Nothing;
        }
        self.separated();
    }

    /// After a member of an interface.
    fn separated(&mut self) {
        match self.byte() {
            b';' | b',' => self.take(1),
            b'}' => {}
            _ if self.newline => {}
            _ => self.fail(),
        }
    }

    /// Whether the name of a member may begin at a place.
    pub(super) fn starts_name(&self, at: usize) -> bool {
        self.source.get(at).is_some_and(|byte| {
            Self::starts_word(*byte)
                || byte.is_ascii_digit()
                || matches!(byte, b'[' | b'"' | b'\'' | b'#' | b'*')
        })
    }
}
