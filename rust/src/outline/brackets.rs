//! Brackets that the scanners of several languages pass over: what closes one, and where a group ends.

use super::scanner::Unsure;

/// Deepest nesting of brackets that is followed.
pub(super) const DEPTH_LIMIT: usize = 1000;

/// What closes a bracket.
pub(super) const fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// From the opening bracket at `start` to after the one that closes it. `matters` says of a byte whether it is a
/// bracket or begins something that may hold one (a comment, a literal), and `pass` where that ends.
pub(super) fn group_end(
    source: &[u8],
    start: usize,
    matters: impl Fn(u8) -> bool,
    pass: impl Fn(usize, u8) -> Result<usize, Unsure>,
) -> Result<usize, Unsure> {
    let mut open: Vec<u8> = Vec::new();
    let mut at = start;
    loop {
        while at < source.len() && !matters(source[at]) {
            at += 1;
        }
        let Some(&byte) = source.get(at) else {
            return Err(Unsure("a bracket that is not closed"));
        };
        match byte {
            b'(' | b'[' | b'{' => {
                if open.len() >= DEPTH_LIMIT {
                    return Err(Unsure("brackets nested too deep"));
                }
                open.push(closing(byte));
                at += 1;
            }
            b')' | b']' | b'}' => {
                if open.pop() != Some(byte) {
                    return Err(Unsure("a bracket that closes another one"));
                }
                at += 1;
                if open.is_empty() {
                    return Ok(at);
                }
            }
            _ => at = pass(at, byte)?,
        }
    }
}
