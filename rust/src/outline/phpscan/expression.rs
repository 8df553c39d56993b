//! The few words that matter inside of statements: functions without a name, in which nothing is a constant of the
//! file, classes without a name, in which nothing is reported, and `define`.

use super::declare::Begin;
use super::lex::{group_end, ident_end, is, skip_attributes, skip_space, token_end, word_end};
use super::{Frame, Place, Scan, Unsure};
use crate::outline::SymbolKind::Constant;

impl Scan<'_> {
    /// A word inside of a statement, or the first of one that declares nothing.
    pub(super) fn word(&mut self) -> Result<(), Unsure> {
        let (source, start) = (self.source, self.at);
        let end = word_end(source, start);
        self.at = end;
        self.fresh = false;
        let word = &source[start..end];
        match word[0].to_ascii_lowercase() {
            b'n' if is(word, "new") => self.made()?,
            b'f' | b'd' if self.collector.place() == Place::Function => {}
            b'f' if is(word, "fn") => self.arrow()?,
            b'f' if is(word, "function") => self.closure()?,
            b'd' if word == b"define" => self.define_call(start)?,
            _ => {}
        }
        Ok(())
    }

    /// After `new`: what a class without a name holds is not looked at.
    fn made(&mut self) -> Result<(), Unsure> {
        let source = self.source;
        let mut at = skip_attributes(source, self.at)?;
        while let Some(end) = ident_end(source, at) {
            let word = &source[at..end];
            if is(word, "class") {
                let brace = self.head_end(end)?;
                if source[brace] == b'{' {
                    self.at = group_end(source, brace)?;
                }
                return Ok(());
            }
            if !is(word, "readonly") && !is(word, "final") {
                return Ok(());
            }
            at = skip_space(source, end)?;
        }
        Ok(())
    }

    /// After `fn`, where it is not known to be in a function.
    fn arrow(&mut self) -> Result<(), Unsure> {
        let Some(mut at) = self.parameters(self.at)? else { return Ok(()) };
        at = self.return_type(at)?;
        if self.source[at..].starts_with(b"=>") {
            self.at = at + 2;
            self.collector.enter(None, Place::Function);
            self.push(Frame::Arrow)?;
        }
        Ok(())
    }

    /// The same after `function`.
    fn closure(&mut self) -> Result<(), Unsure> {
        let source = self.source;
        let Some(mut at) = self.parameters(self.at)? else { return Ok(()) };
        if let Some(end) = ident_end(source, at).filter(|end| is(&source[at..*end], "use")) {
            at = skip_space(source, end)?;
            if source.get(at) != Some(&b'(') {
                return Ok(());
            }
            at = skip_space(source, group_end(source, at)?)?;
        }
        at = self.return_type(at)?;
        if source.get(at) == Some(&b'{') {
            self.at = at;
            self.nameless()?;
        }
        Ok(())
    }

    /// `define('NAME', value)`, from the word on.
    fn define_call(&mut self, start: usize) -> Result<(), Unsure> {
        let source = self.source;
        let open = skip_space(source, self.at)?;
        if source.get(open) != Some(&b'(') {
            return Ok(());
        }
        let from = skip_space(source, open + 1)?;
        if !matches!(source.get(from), Some(b'\'' | b'"')) {
            return Ok(());
        }
        let to = token_end(source, from, 0)?;
        let next = skip_space(source, to)?;
        if !matches!(source.get(next), Some(b',' | b')')) {
            return Ok(()); // put together from several
        }
        let name = source[from + 1..to - 1].trim_ascii();
        let begin = Begin { at: start, signature: start };
        let definition = self.define(Constant, name, begin, None);
        self.at = open;
        self.bracket(b'(', definition)
    }
}
