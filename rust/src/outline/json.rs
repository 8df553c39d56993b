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
        out.extend_from_slice(symbol.start.to_string().as_bytes());
        out.extend_from_slice(b",\"end\":");
        out.extend_from_slice(symbol.end.to_string().as_bytes());
        out.extend_from_slice(b",\"signature\":");
        string(&symbol.signature, out);
        out.extend_from_slice(b",\"doc\":");
        string(&symbol.doc, out);
        out.push(b'}');
    }
    out.push(b']');
}

/// A JSON string. Rust strings are valid UTF-8 without lone surrogates, so only quotes,
/// backslashes and control characters need an escape.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
