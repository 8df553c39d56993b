//! Where a value or a type of Kotlin ends: at the end of its line, unless what stands before or behind that end goes
//! on. The rules for the line are those of the grammar's own scanner.

use super::strings::literal_end;
use crate::outline::linewise::lex::{
    self, angle_end, ident_end, skip, skip_lines, word_at, word_end,
};
use crate::outline::scanner::Unsure;

/// Longest list of arguments of a type that is looked for behind `is` and `as`, in bytes.
const ANGLE_LIMIT: usize = 4096;
/// Most modifiers and annotations before what may be an accessor.
const MODIFIERS_LIMIT: usize = 8;

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], at: usize) -> Result<usize, Unsure> {
    lex::group_end(source, at, literal_end)
}

/// What an expression is in need of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// An operand; a line may end before it.
    Operand,
    /// Nothing; what comes next is an operator, or no part of it.
    Nothing,
    /// Nothing, but an operand may follow: `return`.
    Maybe,
}

/// After the expression that begins behind `at`: its last byte that is no comment or white space.
pub(super) fn value_end(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    let mut need = Need::Operand;
    loop {
        let (next, line) = skip_lines(source, at)?;
        let Some(&byte) = source.get(next) else { break };
        if line && need != Need::Operand && is_over(source, next) {
            break;
        }
        let second = source.get(next + 1).copied().unwrap_or_default();
        at = match byte {
            b';' | b')' | b']' | b'}' => break,
            b'(' | b'[' | b'{' => {
                need = Need::Nothing;
                group_end(source, next)?
            }
            b'"' | b'\'' => {
                need = Need::Nothing;
                literal_end(source, next)?.unwrap_or(next + 1)
            }
            b'@' => annotation_end(source, next)?,
            b'+' | b'-' if second == byte => next + 2, // before or behind its operand
            b'!' if second == b'!' && need != Need::Operand => next + 2,
            b'!' if second == b'=' => {
                need = Need::Operand;
                next + 2
            }
            b'!' => next + 1, // before an operand, or before `in` and `is`
            b':' if second == b':' => {
                let name = skip(source, next + 2)?;
                if word_at(source, name) == b"class" {
                    need = Need::Nothing;
                    name + b"class".len()
                } else {
                    need = Need::Operand;
                    next + 2
                }
            }
            b':' => {
                need = Need::Nothing;
                type_end(source, next + 1)?
            }
            b'?' if second != b'.' && second != b':' => next + 1,
            b'?' => {
                need = Need::Operand;
                next + 2
            }
            b'.' | b',' | b'=' | b'<' | b'>' | b'*' | b'/' | b'%' | b'&' | b'|' | b'+' | b'-' => {
                need = Need::Operand;
                next + 1
            }
            _ => {
                let Some(end) = ident_end(source, next)
                    .or_else(|| byte.is_ascii_digit().then(|| word_end(source, next)))
                else {
                    return Err(Unsure("a sign that is no part of a value"));
                };
                if need != Need::Operand && accessor_head(source, next)?.is_some() {
                    break;
                }
                word(source, next, end, &mut need)?
            }
        };
    }
    Ok(at)
}

/// After a word of an expression and what belongs to it.
fn word(source: &[u8], from: usize, end: usize, need: &mut Need) -> Result<usize, Unsure> {
    let text = &source[from..end];
    if source.get(end) == Some(&b'@') && starts_label(text) {
        // `this@A`, `return@a`, and `a@` before a loop or a lambda
        let after = word_end(source, end + 1);
        if after > end + 1 {
            *need = if text == b"return" { Need::Maybe } else { Need::Nothing };
        }
        return Ok(after);
    }
    let have = *need != Need::Operand;
    Ok(match text {
        b"if" | b"while" | b"for" if !have => {
            *need = Need::Operand;
            round(source, end)?
        }
        b"when" if !have => {
            *need = Need::Nothing;
            let at = skip(source, end)?;
            let at = if source.get(at) == Some(&b'(') { group_end(source, at)? } else { at };
            block(source, at)?
        }
        b"try" if !have => {
            *need = Need::Nothing;
            block(source, end)?
        }
        b"object" if !have => {
            *need = Need::Nothing;
            object_end(source, end)?
        }
        b"fun" if !have => {
            *need = Need::Nothing;
            unnamed(source, end)?
        }
        b"return" | b"break" | b"continue" => {
            *need = Need::Maybe;
            end
        }
        b"throw" if !have => end,
        b"is" | b"as" if have => {
            let question = text == b"as" && source.get(end) == Some(&b'?');
            *need = Need::Nothing;
            type_end(source, end + usize::from(question))?
        }
        b"in" | b"else" if have => {
            *need = Need::Operand;
            end
        }
        b"catch" if have => {
            let at = round(source, end)?;
            *need = Need::Nothing;
            block(source, at)?
        }
        b"finally" if have => block(source, end)?,
        b"class" | b"fun" | b"val" | b"var" | b"interface" | b"typealias" | b"package" => {
            return Err(Unsure("a declaration in a value"));
        }
        _ => {
            // Between two operands a name is an operator: `a to b`.
            *need = match *need {
                Need::Nothing => Need::Operand,
                _ => Need::Nothing,
            };
            end
        }
    })
}

fn starts_label(word: &[u8]) -> bool {
    !word[0].is_ascii_digit() && word[0] != b'`'
}

/// After the `(...)` that follows.
fn round(source: &[u8], at: usize) -> Result<usize, Unsure> {
    let at = skip(source, at)?;
    match source.get(at) {
        Some(b'(') => group_end(source, at),
        _ => Err(Unsure("a condition without brackets")),
    }
}

/// After the `{...}` that follows.
fn block(source: &[u8], at: usize) -> Result<usize, Unsure> {
    let at = skip(source, at)?;
    match source.get(at) {
        Some(b'{') => group_end(source, at),
        _ => Err(Unsure("a block is missing")),
    }
}

/// From after `object` to after the body of an object without a name.
pub(super) fn object_end(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    loop {
        at = skip(source, at)?;
        at = match source.get(at) {
            Some(b'{') => return group_end(source, at),
            Some(b'(') => group_end(source, at)?,
            Some(b'@') => annotation_end(source, at)?,
            Some(b'<') => types_end(source, at)?,
            Some(b':' | b',' | b'.' | b'?' | b'&' | b'-' | b'>') => at + 1,
            Some(_) => ident_end(source, at).ok_or(Unsure("an object without a body"))?,
            None => return Err(Unsure("an object without a body")),
        };
    }
}

/// From after the `fun` of a function without a name to after its parameters.
pub(super) fn unnamed(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    loop {
        at = skip(source, at)?;
        at = match source.get(at) {
            Some(b'(') => {
                let end = group_end(source, at)?;
                if source.get(skip(source, end)?) != Some(&b'.') {
                    return Ok(end);
                }
                end
            }
            Some(b'@') => annotation_end(source, at)?,
            Some(b'<') => types_end(source, at)?,
            Some(b'.' | b'?') => at + 1,
            _ => ident_end(source, at).ok_or(Unsure("a function without parameters"))?,
        };
    }
}

/// After arguments or parameters of a type.
pub(super) fn types_end(source: &[u8], at: usize) -> Result<usize, Unsure> {
    angle_end(source, at, literal_end)?.ok_or(Unsure("arguments of a type without an end"))
}

/// After the annotation whose `@` is here.
pub(super) fn annotation_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let unknown = Unsure("an annotation without a name");
    let mut at = start + 1;
    let word = ident_end(source, at);
    if let Some(end) = word.filter(|end| source.get(*end) == Some(&b':')) {
        at = end + 1;
    }
    if source.get(at) == Some(&b'[') {
        return group_end(source, at);
    }
    loop {
        at = ident_end(source, at).ok_or(unknown)?;
        if source.get(at) == Some(&b'<') {
            at = types_end(source, at)?;
        }
        match source.get(at) {
            Some(b'.') => at += 1,
            Some(b'(') => return group_end(source, at),
            _ => return Ok(at),
        }
    }
}

/// After the type that begins behind `at`.
pub(super) fn type_end(source: &[u8], at: usize) -> Result<usize, Unsure> {
    let mut at = skip(source, at)?;
    loop {
        let mut end = match source.get(at) {
            Some(b'@') => {
                at = skip(source, annotation_end(source, at)?)?;
                continue;
            }
            Some(b'(') => group_end(source, at)?,
            Some(b'*') => return Ok(at + 1),
            _ => {
                let end = ident_end(source, at).ok_or(Unsure("a type of an unknown shape"))?;
                let next = skip(source, end)?;
                let goes_on = matches!(source.get(next), Some(b'(' | b'@'))
                    || ident_end(source, next).is_some();
                if &source[at..end] == b"suspend" && goes_on {
                    at = next;
                    continue;
                }
                end
            }
        };
        let next = skip(source, end)?;
        if source.get(next) == Some(&b'<') {
            let limit = source.len().min(next + ANGLE_LIMIT);
            if let Some(after) = angle_end(&source[..limit], next, literal_end).unwrap_or(None) {
                end = after;
            }
        }
        loop {
            let next = skip_lines(source, end)?;
            let more = source.get(next.0 + 1);
            if next.1 || source.get(next.0) != Some(&b'?') || matches!(more, Some(b'.' | b':')) {
                break;
            }
            end = next.0 + 1;
        }
        let next = skip(source, end)?;
        at = match (source.get(next), source.get(next + 1)) {
            (Some(b'?'), Some(b'.')) if source.get(next + 2) == Some(&b'(') => next + 2,
            (Some(b'-'), Some(b'>')) => next + 2,
            (Some(b'.'), Some(b'.')) => return Ok(end),
            (Some(b'.'), _) => next + 1,
            (Some(b'&'), Some(b'&')) => return Ok(end),
            (Some(b'&'), _) => next + 1,
            _ => return Ok(end),
        };
        at = skip(source, at)?;
    }
}

/// Whether an expression that needs no operand is over because its line is and this comes next.
fn is_over(source: &[u8], mut at: usize) -> bool {
    let second = source.get(at + 1).copied().unwrap_or_default();
    match source[at] {
        b',' | b'.' | b':' | b'*' | b'%' | b'>' | b'<' | b'=' | b'{' | b'[' | b'|' | b'&'
        | b'/' => false,
        byte @ (b'+' | b'-') => second == byte || second.is_ascii_digit(),
        b'!' => second != b'=',
        b'?' => !matches!(second, b'.' | b':'),
        _ => {
            for _ in 0..MODIFIERS_LIMIT {
                if is_modifier_of_accessor(word_at(source, at)) {
                    at = word_end(source, at);
                    at += source[at..].iter().take_while(|byte| lex::is_blank(**byte)).count();
                }
            }
            match word_at(source, at) {
                b"else" => {
                    let after = source[word_end(source, at)..].trim_ascii_start();
                    after.starts_with(b"->")
                }
                b"in" | b"instanceof" | b"by" | b"as" | b"where" | b"catch" | b"finally" => false,
                _ => true,
            }
        }
    }
}

/// The modifiers behind which the grammar looks for an accessor.
fn is_modifier_of_accessor(word: &[u8]) -> bool {
    matches!(
        word,
        b"public"
            | b"private"
            | b"protected"
            | b"internal"
            | b"abstract"
            | b"final"
            | b"open"
            | b"override"
            | b"lateinit"
            | b"vararg"
            | b"noinline"
            | b"crossinline"
            | b"external"
            | b"suspend"
            | b"inline"
    )
}

/// The accessor of a property.
pub(super) struct Accessor {
    pub getter: bool,
    /// Where it begins, modifiers included.
    pub start: usize,
    pub end: usize,
}

/// The accessor that begins here, if one does.
pub(super) fn accessor(source: &[u8], start: usize) -> Result<Option<Accessor>, Unsure> {
    let Some((getter, at)) = accessor_head(source, start)? else { return Ok(None) };
    let end = match source.get(at) {
        Some(b'{') => group_end(source, at)?,
        Some(b'=') => value_end(source, at + 1)?,
        _ => at,
    };
    Ok(Some(Accessor { getter, start, end }))
}

/// Whether an accessor begins here, and if so, whether it reads and where its body begins. What has none ends
/// there, and `{` and `=` do not follow directly.
fn accessor_head(source: &[u8], start: usize) -> Result<Option<(bool, usize)>, Unsure> {
    let mut at = start;
    let mut found = false;
    for _ in 0..MODIFIERS_LIMIT {
        let word = word_at(source, at);
        at = match word {
            _ if source.get(at) == Some(&b'@') => annotation_end(source, at)?,
            b"get" | b"set" => {
                found = true;
                break;
            }
            _ if is_modifier_of_accessor(word) => at + word.len(),
            _ => return Ok(None),
        };
        at = skip(source, at)?;
    }
    if !found {
        return Ok(None);
    }
    let getter = source[at] == b'g';
    let modified = at > start;
    at += 3;
    let (next, line) = skip_lines(source, at)?;
    if line || source.get(next) != Some(&b'(') {
        let alone =
            line || !matches!(source.get(next), Some(b'=' | b'.' | b'[' | b'<' | b'?' | b'{'));
        let known = matches!(source.get(next), None | Some(b'}' | b';'))
            || matches!(word_at(source, next), b"get" | b"set" | b"private" | b"internal");
        return Ok((alone && (modified || line || known)).then_some((getter, at)));
    }
    let end = group_end(source, next)?;
    if getter && skip(source, next + 1)? + 1 != end {
        return Ok(None);
    }
    let mut next = skip(source, end)?;
    if source.get(next) == Some(&b':') {
        next = skip(source, type_end(source, next + 1)?)?;
    }
    let body = match source.get(next) {
        Some(b'{') => true,
        Some(b'=') => source.get(next + 1) != Some(&b'='),
        _ => false,
    };
    Ok(body.then_some((getter, next)))
}
