//! Symbols as JSON text, written by hand: the shape is fixed and nothing is ever read back here.

use super::{Outline, Symbol};

/// `{"partial":...,"symbols":[{"name","kind","parent","start","end","signature","doc"}, ...]}` in UTF-8
/// without spaces; `partial` and `parent` are strings or null, `start` and `end` are numbers, the rest
/// are strings.
#[must_use]
pub fn to_json(outline: &Outline) -> Vec<u8> {
    let Outline { symbols, partial } = outline;
    let mut out = Vec::with_capacity(40 + symbols.len() * 160);
    out.extend_from_slice(b"{\"partial\":");
    match partial {
        Some(partial) => string(&partial.to_string(), &mut out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"symbols\":");
    array(symbols, &mut out);
    out.push(b'}');
    out
}

pub(crate) fn array(symbols: &[Symbol], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, symbol) in symbols.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"name\":");
        string(&symbol.name, out);
        out.extend_from_slice(b",\"kind\":");
        string(symbol.kind.as_str(), out);
        out.extend_from_slice(b",\"parent\":");
        match &symbol.parent {
            Some(parent) => string(parent, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"start\":");
        number(symbol.start, out);
        out.extend_from_slice(b",\"end\":");
        number(symbol.end, out);
        out.extend_from_slice(b",\"signature\":");
        string(&symbol.signature, out);
        out.extend_from_slice(b",\"doc\":");
        string(&symbol.doc, out);
        out.push(b'}');
    }
    out.push(b']');
}

/// A JSON string. Rust strings are valid UTF-8 without lone surrogates, so only quotes,
/// backslashes and control characters need an escape. What needs none is copied in runs.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    loop {
        let plain = plain(rest);
        out.extend_from_slice(&rest[..plain]);
        let Some((&byte, after)) = rest[plain..].split_first() else { break };
        escape(byte, out);
        rest = after;
    }
    out.push(b'"');
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f)
}

/// How many bytes at the beginning need no escape; many at once, which the compiler makes vectors of.
fn plain(text: &[u8]) -> usize {
    const MANY: usize = 16;
    let mut known = 0;
    for many in text.chunks_exact(MANY) {
        if many.iter().fold(false, |special, &byte| special | is_special(byte)) {
            break;
        }
        known += MANY;
    }
    let rest = &text[known..];
    known + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

/// A number in decimal digits.
fn number(mut value: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
