//! Local functions: told from other statements by what stands before their body.
//!
//! Looks ahead no further than the next block or end of a statement, so that nothing is looked at more than
//! twice.

use super::lex::{angle_end, flat_end, ident_end, skip_blank};
use super::{Place, Scan, Unsure};
use crate::outline::SymbolKind::Function;
use crate::outline::collect::Start;

/// Words that begin another statement, or stand where a type would.
fn is_keyword(word: &[u8]) -> bool {
    matches!(
        word,
        b"and"
            | b"as"
            | b"await"
            | b"base"
            | b"break"
            | b"by"
            | b"case"
            | b"catch"
            | b"checked"
            | b"class"
            | b"const"
            | b"continue"
            | b"default"
            | b"delegate"
            | b"do"
            | b"else"
            | b"enum"
            | b"event"
            | b"false"
            | b"finally"
            | b"fixed"
            | b"for"
            | b"foreach"
            | b"from"
            | b"goto"
            | b"if"
            | b"in"
            | b"interface"
            | b"is"
            | b"join"
            | b"let"
            | b"lock"
            | b"namespace"
            | b"new"
            | b"not"
            | b"null"
            | b"operator"
            | b"or"
            | b"orderby"
            | b"out"
            | b"return"
            | b"select"
            | b"sizeof"
            | b"stackalloc"
            | b"struct"
            | b"switch"
            | b"this"
            | b"throw"
            | b"true"
            | b"try"
            | b"typeof"
            | b"unchecked"
            | b"using"
            | b"when"
            | b"where"
            | b"while"
            | b"yield"
    )
}

fn is_modifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"async"
            | b"extern"
            | b"internal"
            | b"private"
            | b"protected"
            | b"public"
            | b"readonly"
            | b"ref"
            | b"scoped"
            | b"static"
            | b"unsafe"
    )
}

impl Scan<'_> {
    /// A local function, if one begins here; then its body is gone into.
    pub(super) fn local(&mut self) -> Result<bool, Unsure> {
        let (source, start) = (self.source, self.at);
        let mut at = start;
        while source.get(at) == Some(&b'[') {
            let Some(end) = flat_end(source, at)? else { return Ok(false) };
            at = skip_blank(source, end)?;
        }
        let signature = at;
        let mut foreign = false;
        let (mut typed, mut name) = (false, None);
        loop {
            match source.get(at) {
                Some(b'(') if name.is_some() => break,
                Some(b'(') if !typed => {
                    let Some(end) = flat_end(source, at)? else { return Ok(false) };
                    (at, typed) = (end, true);
                }
                Some(b'[') if typed && name.is_none() => {
                    let Some(end) = flat_end(source, at)? else { return Ok(false) };
                    at = end;
                }
                Some(b'<') if typed => {
                    let Some(end) = angle_end(source, at)? else { return Ok(false) };
                    at = end;
                }
                Some(b'?' | b'*') if typed && name.is_none() => at += 1,
                Some(b'.') if typed && name.is_none() => {
                    let next = skip_blank(source, at + 1)?;
                    let Some(end) = ident_end(source, next) else { return Ok(false) };
                    at = end;
                }
                Some(b':') if typed && name.is_none() && source.get(at + 1) == Some(&b':') => {
                    let next = skip_blank(source, at + 2)?;
                    let Some(end) = ident_end(source, next) else { return Ok(false) };
                    at = end;
                }
                Some(_) => {
                    let Some(end) = ident_end(source, at) else { return Ok(false) };
                    let word = &source[at..end];
                    if is_keyword(word) || name.is_some() {
                        return Ok(false);
                    }
                    if !typed && is_modifier(word) {
                        foreign |= word == b"extern";
                    } else if typed {
                        name = Some((at, end));
                    } else {
                        typed = true;
                    }
                    at = end;
                }
                None => return Ok(false),
            }
            at = skip_blank(source, at)?;
        }
        let Some(name) = name else { return Ok(false) };
        let Some(end) = flat_end(source, at)? else { return Ok(false) };
        at = skip_blank(source, end)?;
        if source[at..].starts_with(b"where") {
            at = self.head_end(at)?;
        }
        let body = match (source.get(at), source.get(at + 1)) {
            (Some(b'{'), _) | (Some(b'='), Some(b'>')) => true,
            (Some(b';'), _) if foreign => false,
            _ => return Ok(false),
        };
        let name = &source[name.0..name.1];
        let until = body.then_some(at);
        let definition =
            self.collector.define(&Start { kind: Function, name, at: start, signature, until });
        self.at = at;
        self.body(definition, name, Place::Function)?;
        Ok(true)
    }
}
