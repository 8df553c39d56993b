//! Where a value or a type of Swift ends: at the end of its line, unless what stands before or behind that end goes
//! on. An operator is before, between or behind operands by the white space around it.

use super::strings::literal_end;
use crate::outline::linewise::lex::{
    self, angle_end, ident_end, is_blank, skip, skip_lines, word_at, word_end,
};
use crate::outline::scanner::Unsure;

/// Longest list of arguments of a type that is looked for behind `is` and `as`, in bytes.
const ANGLE_LIMIT: usize = 4096;

/// From an opening bracket to after the one that closes it.
pub(super) fn group_end(source: &[u8], at: usize) -> Result<usize, Unsure> {
    lex::group_end(source, at, literal_end)
}

pub(super) fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'/' | b'='
            | b'-'
            | b'+'
            | b'!'
            | b'*'
            | b'%'
            | b'<'
            | b'>'
            | b'&'
            | b'|'
            | b'^'
            | b'~'
            | b'?'
            | b'.'
    )
}

/// After the run of signs that makes an operator.
pub(super) fn operator_end(source: &[u8], at: usize) -> usize {
    let rest = &source[at..];
    at + rest.iter().position(|&byte| !is_operator(byte)).unwrap_or(rest.len())
}

/// After the expression that begins behind `at`, or the list of them: its last byte that is no comment or white
/// space.
pub(super) fn value_end(source: &[u8], mut at: usize) -> Result<usize, Unsure> {
    let mut wanted = true;
    loop {
        let (next, line) = skip_lines(source, at)?;
        let Some(&byte) = source.get(next) else { break };
        if line && !wanted && is_over(source, next) {
            break;
        }
        at = match byte {
            b';' | b')' | b']' | b'}' => break,
            b'(' | b'[' | b'{' => {
                wanted = false;
                group_end(source, next)?
            }
            b'"' => {
                wanted = false;
                literal_end(source, next)?.unwrap_or(next + 1)
            }
            b'#' => {
                let end = literal_end(source, next)?.unwrap_or(next + 1);
                if source[end - 1] == b'#'
                    && matches!(word_at(source, end), b"if" | b"else" | b"elseif" | b"endif")
                {
                    return Err(Unsure("a condition in a value"));
                }
                wanted = false;
                word_end(source, end)
            }
            b'@' => annotation_end(source, next)?,
            b'\\' | b',' | b':' => {
                wanted = true;
                next + 1
            }
            b'$' => {
                wanted = false;
                word_end(source, next + 1)
            }
            _ if is_operator(byte) => {
                let end = operator_end(source, next);
                let after = source.get(end).copied().unwrap_or(b'\n');
                let behind = is_blank(after)
                    || matches!(
                        after,
                        b')' | b']' | b'}' | b',' | b';' | b':' | b'(' | b'[' | b'{'
                    );
                wanted = wanted || next > at || !behind || source[end - 1] == b'.';
                end
            }
            _ => {
                let Some(end) = ident_end(source, next)
                    .or_else(|| byte.is_ascii_digit().then(|| word_end(source, next)))
                else {
                    return Err(Unsure("a sign that is no part of a value"));
                };
                let member = source[..next].last() == Some(&b'.');
                match &source[next..end] {
                    _ if member => {
                        wanted = false;
                        end
                    }
                    b"is" | b"as" if !wanted => {
                        let sign = source.get(end).is_some_and(|byte| matches!(byte, b'?' | b'!'));
                        type_end(source, end + usize::from(sign))?
                    }
                    b"try" | b"await" | b"if" | b"switch" | b"else" | b"in" | b"consume"
                    | b"copy" => {
                        wanted = true;
                        end + usize::from(
                            source.get(end).is_some_and(|byte| matches!(byte, b'?' | b'!')),
                        )
                    }
                    b"where" | b"async" | b"throws" => {
                        wanted = true;
                        end
                    }
                    b"func" | b"class" | b"struct" | b"enum" | b"extension" | b"protocol"
                    | b"let" | b"var" | b"import" | b"typealias" => {
                        return Err(Unsure("a declaration in a value"));
                    }
                    b"any" | b"some" | b"each" | b"repeat" => end,
                    _ if !wanted => return Err(Unsure("two operands side by side")),
                    _ => {
                        wanted = false;
                        end
                    }
                }
            }
        };
    }
    Ok(at)
}

/// Whether an expression that needs no operand is over because its line is and this comes next.
pub(super) fn is_over(source: &[u8], at: usize) -> bool {
    match source[at] {
        b'{' | b':' | b',' => false,
        b'.' => false,
        byte if is_operator(byte) => {
            let end = operator_end(source, at);
            let spaced = source.get(end).is_none_or(|byte| is_blank(*byte));
            match byte {
                b'?' | b'&' | b'|' | b'^' | b'<' | b'>' => false,
                b'!' | b'-' | b'+' => !spaced,
                _ => false,
            }
        }
        _ => !matches!(
            word_at(source, at),
            b"as" | b"is" | b"where" | b"else" | b"catch" | b"throws" | b"async" | b"in"
        ),
    }
}

/// After arguments or parameters of a type.
pub(super) fn types_end(source: &[u8], at: usize) -> Result<usize, Unsure> {
    angle_end(source, at, literal_end)?.ok_or(Unsure("arguments of a type without an end"))
}

/// After the attribute whose `@` is here.
pub(super) fn annotation_end(source: &[u8], start: usize) -> Result<usize, Unsure> {
    let mut at = start + 1;
    loop {
        at = ident_end(source, at).ok_or(Unsure("an attribute without a name"))?;
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
            Some(b'~') => {
                at += 1;
                continue;
            }
            Some(b'(' | b'[') => group_end(source, at)?,
            _ => {
                let end = ident_end(source, at).ok_or(Unsure("a type of an unknown shape"))?;
                let next = skip(source, end)?;
                let goes_on = matches!(source.get(next), Some(b'(' | b'[' | b'@' | b'~'))
                    || ident_end(source, next).is_some();
                if goes_on && is_before_type(&source[at..end]) {
                    at = next;
                    continue;
                }
                end
            }
        };
        if source.get(end) == Some(&b'<') {
            let limit = source.len().min(end + ANGLE_LIMIT);
            match angle_end(&source[..limit], end, literal_end) {
                Ok(Some(after)) => end = after,
                _ => return Ok(end),
            }
        }
        while let Some(b'?' | b'!') = source.get(end) {
            end += 1;
        }
        if source.get(end..end + 3) == Some(b"...") {
            end += 3;
        }
        let mut next = skip(source, end)?;
        while matches!(word_at(source, next), b"async" | b"throws" | b"rethrows") {
            let after = word_end(source, next);
            let after =
                if source.get(after) == Some(&b'(') { group_end(source, after)? } else { after };
            let then = skip(source, after)?;
            if source.get(then..then + 2) != Some(b"->")
                && !matches!(word_at(source, then), b"throws")
            {
                return Ok(end);
            }
            next = then;
        }
        at = match (source.get(next), source.get(next + 1)) {
            (Some(b'-'), Some(b'>')) => next + 2,
            (Some(b'.'), Some(b'.')) => return Ok(end),
            (Some(b'.'), _) => next + 1,
            (Some(b'&'), Some(byte)) if is_operator(*byte) => return Ok(end),
            (Some(b'&'), _) => next + 1,
            _ => return Ok(end),
        };
        at = skip(source, at)?;
    }
}

/// Whether a word may stand before a type and belong to it.
fn is_before_type(word: &[u8]) -> bool {
    matches!(
        word,
        b"any"
            | b"some"
            | b"inout"
            | b"each"
            | b"repeat"
            | b"borrowing"
            | b"consuming"
            | b"sending"
            | b"isolated"
            | b"nonisolated"
    )
}
