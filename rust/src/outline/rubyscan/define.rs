//! What is reported: modules, classes, methods and constants, from the word that begins them to their bodies.

use super::lex::Token;
use super::words::{Keyword, is_assignment, method_end, skip_blanks, word_end};
use super::{Frame, Open, Scan, State, Unsure};
use crate::outline::SymbolKind::{self, Class, Constant, Constructor, Function, Method, Module};
use crate::outline::collect::Start;
use crate::outline::scope::Place;

/// How far the arguments of `Struct.new` may reach.
const MAKER_LIMIT: usize = 4096;

impl<'s> Scan<'s> {
    fn define(
        &mut self,
        kind: SymbolKind,
        name: &[u8],
        at: usize,
        until: Option<usize>,
    ) -> Option<Open> {
        self.collector.define(&Start { kind, name, at, signature: at, until })
    }

    fn enter(&mut self, name: &[u8], place: Place) -> Result<(), Unsure> {
        match self.collector.scope_of(name, place) {
            true => Ok(()),
            false => Err(Unsure("names nested too deep")),
        }
    }

    /// The name of a class or module, with what it is in: `A::B`.
    fn path(&self) -> Result<(&'s [u8], usize), Unsure> {
        let source = self.source;
        let from = skip_blanks(source, self.lexer.at);
        let mut at = from;
        loop {
            at += if source[at..].starts_with(b"::") { 2 } else { 0 };
            let end = word_end(source, at);
            if !source.get(at).is_some_and(|byte| byte.is_ascii_uppercase() || *byte >= 0x80) {
                return Err(Unsure("a class or module without a name"));
            }
            at = end;
            if !source[at..].starts_with(b"::") {
                return Ok((&source[from..at], at));
            }
        }
    }

    pub(super) fn module(&mut self) -> Result<(), Unsure> {
        let start = self.lexer.start;
        let (name, end) = self.path()?;
        let definition = self.define(Module, name, start, Some(end));
        // A function in a module is a member: `Math.sqrt`.
        self.enter(name, Place::Type)?;
        (self.lexer.at, self.lexer.state) = (end, State::Begin);
        self.push(Frame::Body { definition, scope: true })
    }

    pub(super) fn class(&mut self) -> Result<(), Unsure> {
        let start = self.lexer.start;
        let next = skip_blanks(self.source, self.lexer.at);
        if self.source[next..].starts_with(b"<<") {
            (self.lexer.at, self.lexer.state) = (next + 2, State::Begin);
            return self.push(Frame::Body { definition: None, scope: false });
        }
        let (name, end) = self.path()?;
        (self.lexer.at, self.lexer.state) = (end, State::Begin);
        let mut until = end;
        let sign = skip_blanks(self.source, end);
        if self.source.get(sign) == Some(&b'<') {
            if self.source.get(sign + 1) == Some(&b'%') {
                return Err(Unsure("a template"));
            }
            self.lexer.at = sign + 1;
            until = self.head_end()?.0;
        }
        let definition = self.define(Class, name, start, Some(until));
        self.enter(name, Place::Type)?;
        self.push(Frame::Body { definition, scope: true })
    }

    /// From here to the end of a head without brackets around it: where its last word ends. Comments are no
    /// part of it. A line that ends with no comma ends the head.
    fn head_end(&mut self) -> Result<(usize, Token), Unsure> {
        let mut depth = 0usize;
        let mut last = self.lexer.at;
        loop {
            let token = self.lexer.token()?;
            match token {
                Token::Newline | Token::Semicolon if depth == 0 => return Ok((last, token)),
                Token::Nothing => return Ok((last, token)),
                Token::Comment => continue,
                Token::Opening(_) => depth += 1,
                Token::Closing(_) if depth == 0 => return Err(Unsure("a bracket in a head")),
                Token::Closing(_) => depth -= 1,
                Token::Keyword(keyword) if keyword != Keyword::Other => {
                    return Err(Unsure("a block in a head"));
                }
                _ => {}
            }
            last = self.lexer.at;
            if depth == 0 && token != Token::Comma {
                let next = skip_blanks(self.source, last);
                if matches!(self.source.get(next), Some(b'\n' | b'#')) {
                    self.lexer.state = State::End;
                }
            }
        }
    }

    pub(super) fn method(&mut self) -> Result<(), Unsure> {
        let source = self.source;
        let start = self.lexer.start;
        let mut from = skip_blanks(source, self.lexer.at);
        let mut object: Option<&'s [u8]> = None;
        let signs = source[from..].iter().take_while(|byte| matches!(byte, b'@' | b'$')).count();
        let word = word_end(source, from + signs);
        let dot = skip_blanks(source, word);
        let dots = match source.get(dot..) {
            Some([b'.', ..]) => 1,
            Some([b':', b':', ..]) => 2,
            _ => 0,
        };
        if word > from + signs && dots > 0 {
            object = Some(&source[from..word]);
            from = skip_blanks(source, dot + dots);
        }
        let Some(end) = method_end(source, from) else {
            return Err(Unsure("a method of an unknown kind"));
        };
        let name = &source[from..end];
        let (until, endless) = self.parameters(end)?;
        let owner = object.filter(|object| *object != b"self");
        let mut full = name.to_vec();
        let definition = if let Some(owner) = owner {
            full = [owner, b".", name].concat();
            if !self.collector.scope_of(owner, self.collector.place()) {
                return Err(Unsure("names nested too deep"));
            }
            let definition = self.define(Method, name, start, Some(until));
            self.collector.leave();
            definition
        } else if object.is_none() && name == b"initialize" && self.collector.place() == Place::Type
        {
            self.define(Constructor, name, start, Some(until))
        } else {
            self.define(Function, name, start, Some(until))
        };
        self.enter(&full, Place::Function)?;
        self.push(match endless {
            true => Frame::Value { definition, scope: true, class: false },
            false => Frame::Body { definition, scope: true },
        })
    }

    /// From behind the name of a method to its body: where its head ends, and whether what follows is one
    /// expression instead of a block.
    fn parameters(&mut self, name: usize) -> Result<(usize, bool), Unsure> {
        let source = self.source;
        let next = skip_blanks(source, name);
        (self.lexer.at, self.lexer.state) = (next, State::Begin);
        let mut until = name;
        if source.get(next) == Some(&b'(') {
            let mut depth = 0usize;
            loop {
                match self.lexer.token()? {
                    Token::Opening(_) => depth += 1,
                    Token::Closing(_) => depth -= 1,
                    Token::Nothing => return Err(Unsure("a bracket that is not closed")),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            until = self.lexer.at;
        }
        let next = skip_blanks(source, until);
        (self.lexer.at, self.lexer.state) = (next, State::Begin);
        if is_assignment(source, next) {
            self.lexer.at = next + 1;
            return Ok((until, true));
        }
        let bare = !matches!(source.get(next), None | Some(b'\n' | b';' | b'#'));
        if bare && until == name {
            return Ok((self.head_end()?.0, false));
        }
        Ok((until, false))
    }

    /// A name that begins with a capital letter: `LIMIT = 3`, `Point = Struct.new(:x) do`.
    pub(super) fn constant(&mut self) -> Result<(), Unsure> {
        let (source, start, end) = (self.source, self.lexer.start, self.lexer.at);
        let sign = skip_blanks(source, end);
        // What follows a comma or a star is one of several names, but for elements of a list.
        let listed = matches!(self.open.last(), Some(Frame::Bracket(b')' | b']')));
        let several = self.comma && !listed || start > 0 && source[start - 1] == b'*';
        if several || !is_assignment(source, sign) || matches!(source[end - 1], b'?' | b'!') {
            return Ok(());
        }
        let name = &source[start..end];
        (self.lexer.at, self.lexer.state) = (sign + 1, State::Begin);
        if let Some(until) = self.maker()? {
            let definition = self.define(Class, name, start, until);
            self.enter(name, Place::Type)?;
            return self.push(Frame::Value { definition, scope: true, class: true });
        }
        match self.define(Constant, name, start, None) {
            Some(definition) => {
                self.push(Frame::Value { definition: Some(definition), scope: false, class: false })
            }
            None => Ok(()),
        }
    }

    /// Whether what is assigned here is a new class; if so, where its block begins, if it has one.
    fn maker(&self) -> Result<Option<Option<usize>>, Unsure> {
        let source = self.source;
        let mut at = self.lexer.at;
        while source.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let rest = &source[at..];
        let makers: [&[u8]; 3] = [b"Struct.new", b"Class.new", b"Data.define"];
        let Some(maker) = makers.iter().find(|one| rest.starts_with(one)) else {
            return Ok(None);
        };
        let end = at + maker.len();
        if word_end(source, end) != end || matches!(source.get(end), Some(b'?' | b'!')) {
            return Ok(None);
        }
        let mut lexer = self.lexer.clone();
        (lexer.at, lexer.state) = (end, State::Argument);
        let mut depth = 0usize;
        // Behind the arguments, if they have brackets.
        let mut closed = source.get(end) != Some(&b'(');
        let command = closed;
        let mut first = true;
        loop {
            if lexer.at > end + MAKER_LIMIT {
                return Err(Unsure("a class with a long head"));
            }
            let token = lexer.token()?;
            let before = lexer.before;
            match token {
                Token::Comment => continue,
                Token::Keyword(Keyword::Do) if depth == 0 => {
                    return Ok(Some(Some(lexer.start)));
                }
                Token::Opening(b'{') if depth == 0 && closed && before != State::Begin => {
                    return Ok(Some(Some(lexer.start)));
                }
                Token::Opening(_) => depth += 1,
                Token::Closing(_) if depth == 0 => return Ok(Some(None)),
                Token::Closing(_) => {
                    depth -= 1;
                    closed |= depth == 0;
                }
                Token::Newline | Token::Semicolon | Token::Nothing if depth == 0 => {
                    return Ok(Some(None));
                }
                Token::Nothing => return Err(Unsure("a bracket that is not closed")),
                Token::Keyword(keyword) if depth == 0 && keyword != Keyword::Other => {
                    return Ok(Some(None));
                }
                Token::Comma if depth == 0 && !command => return Ok(Some(None)),
                // Something is made of the class at once.
                Token::Operator if depth == 0 && closed && (!command || first) => return Ok(None),
                _ => {}
            }
            first = false;
        }
    }
}
