//! Symbols as JSON text, written by hand: the shape is fixed and nothing is ever read back here.

use super::Symbol;

/// `[{"name","kind","parent","start","end","signature","doc"}, ...]` in UTF-8 without spaces;
/// `parent` is a string or null, `start` and `end` are numbers, the rest are strings.
#[must_use]
pub fn to_json(symbols: &[Symbol]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + symbols.len() * 160);
    out.push(b'[');
    for (index, symbol) in symbols.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"name\":");
        string(&symbol.name, &mut out);
        out.extend_from_slice(b",\"kind\":");
        string(symbol.kind.as_str(), &mut out);
        out.extend_from_slice(b",\"parent\":");
        match &symbol.parent {
            Some(parent) => string(parent, &mut out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"start\":");
        out.extend_from_slice(symbol.start.to_string().as_bytes());
        out.extend_from_slice(b",\"end\":");
        out.extend_from_slice(symbol.end.to_string().as_bytes());
        out.extend_from_slice(b",\"signature\":");
        string(&symbol.signature, &mut out);
        out.extend_from_slice(b",\"doc\":");
        string(&symbol.doc, &mut out);
        out.push(b'}');
    }
    out.push(b']');
    out
}

/// A JSON string. Rust strings are valid UTF-8 without lone surrogates, so only quotes,
/// backslashes and control characters need an escape.
fn string(text: &str, out: &mut Vec<u8>) {
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
