//! Which definitions of a stored piece can have a name that is looked for, without decoding the others.
//!
//! The counterpart of `pack`: it opens what is stored there, or was by Python. It never decides that a definition
//! matches, only that one cannot; what it does not understand it lets through.

use std::io;

use memchr::{memchr, memmem};

use super::stored::open;

/// What is looked for. All texts are folded as `currant.store.records.fold` does it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Parts of names, one of which must be there, with a newline for where a name begins or ends.
    pub lines: &'a [String],
    /// The kind.
    pub kind: Option<&'a str>,
    /// The language.
    pub language: Option<&'a str>,
}

/// The piece as JSON with those definitions alone that can be meant, and without anything else of the file;
/// `None` when there are none.
///
/// # Errors
/// The stored form is damaged.
pub fn select(stored: &[u8], wanted: Wanted<'_>) -> io::Result<Option<Vec<u8>>> {
    let foreign =
        |head: &[u8]| wanted.language.is_some_and(|language| is_other_language(head, language));
    Ok(open(stored, foreign, |text| chosen(text, wanted))?.flatten())
}

/// The language of a piece as it is written, and what follows; `None` when this is not such a text.
fn language_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"{\"language\":")?;
    if let Some(rest) = text.strip_prefix(b"null") {
        return Some((b"", rest));
    }
    let text = text.strip_prefix(b"\"")?;
    let end = memchr(b'"', text)?;
    Some((&text[..end], &text[end + 1..]))
}

fn is_other_language(head: &[u8], wanted: &str) -> bool {
    language_of(head).is_some_and(|(language, _)| differs(language, wanted))
}

/// Whether a JSON string cannot be this one, letter case aside.
fn differs(written: &[u8], wanted: &str) -> bool {
    is_plain(written) && !written.eq_ignore_ascii_case(wanted.as_bytes())
}

/// Whether a JSON string means what it says, and folds to what ASCII does.
fn is_plain(written: &[u8]) -> bool {
    written.is_ascii() && !written.contains(&b'\\')
}

fn chosen(text: &[u8], wanted: Wanted<'_>) -> Option<Vec<u8>> {
    let Some((head, symbols)) = symbols_of(text) else {
        return Some(text.to_vec()); // whoever decodes it says what is wrong
    };
    // A quote within a string is escaped, so none of this can be part of one.
    let begin = memmem::Finder::new(b"{\"name\":\"");
    let starts: Vec<usize> = begin.find_iter(symbols).collect();
    let mut out: Option<Vec<u8>> = None;
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(symbols.len(), |next| next - 1);
        let symbol = &symbols[start..end];
        if !may_be_meant(&symbol[begin.needle().len()..], wanted) {
            continue;
        }
        let out = out.get_or_insert_with(|| head.to_vec());
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        out.extend_from_slice(symbol);
    }
    if let Some(out) = &mut out {
        out.extend_from_slice(b"],\"notes\":[]}");
    }
    out
}

/// What comes before the first definition, and the definitions.
fn symbols_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = language_of(text)?;
    let rest = rest.strip_prefix(b",\"symbols\":[")?;
    let end = memmem::find(rest, b"],\"notes\":[")?;
    Some((&text[..text.len() - rest.len()], &rest[..end]))
}

/// `rest` is what follows the quote before the name.
fn may_be_meant(rest: &[u8], wanted: Wanted<'_>) -> bool {
    let Some(end) = memchr(b'"', rest) else { return true };
    let name = &rest[..end];
    if !is_plain(name) {
        return true;
    }
    if !wanted.lines.iter().any(|line| has(name, line)) {
        return false;
    }
    let Some(wanted) = wanted.kind else { return true };
    let Some(kind) = rest[end..].strip_prefix(b"\",\"kind\":\"") else { return true };
    let Some(end) = memchr(b'"', kind) else { return true };
    !differs(&kind[..end], wanted)
}

fn has(name: &[u8], line: &str) -> bool {
    let line = line.as_bytes();
    let (begins, line) = line.strip_prefix(b"\n").map_or((false, line), |line| (true, line));
    let (ends, line) = line.strip_suffix(b"\n").map_or((false, line), |line| (true, line));
    let Some(spare) = name.len().checked_sub(line.len()) else { return false };
    match (begins, ends) {
        (true, true) => name.eq_ignore_ascii_case(line),
        (true, false) => name[..line.len()].eq_ignore_ascii_case(line),
        (false, true) => name[spare..].eq_ignore_ascii_case(line),
        (false, false) => {
            (0..=spare).any(|at| name[at..at + line.len()].eq_ignore_ascii_case(line))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, select};
    use crate::record::stored::pack;

    type Failure = Box<dyn std::error::Error>;

    fn names(
        text: &str,
        lines: &[&str],
        kind: Option<&str>,
        language: Option<&str>,
    ) -> Result<String, Failure> {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let found = select(&pack(text.as_bytes())?, Wanted { lines: &lines, kind, language })?;
        Ok(found.map_or_else(String::new, |found| String::from_utf8_lossy(&found).into_owned()))
    }

    const FIRST: &str = r#"{"name":"probe","kind":"function","doc":"{\"name\":\"x\"}"}"#;
    const SECOND: &str = r#"{"name":"Xprobe","kind":"macro"}"#;

    fn of(symbols: &str) -> String {
        format!(r#"{{"language":"C","symbols":[{symbols}],"notes":[]}}"#)
    }

    #[test]
    fn what_cannot_be_meant_is_left_out() -> Result<(), Failure> {
        let both = of(&format!("{FIRST},{SECOND}"));
        let piece = both.replace("[]}", r#"["n"],"facts":{"f":[{"name":"probe"}]}}"#);
        assert_eq!(names(&piece, &["probe"], None, Some("c"))?, both);
        assert_eq!(names(&piece, &["\nprobe"], None, None)?, of(FIRST));
        assert_eq!(names(&piece, &["\nzz", "be\n"], Some("macro"), None)?, of(SECOND));
        assert_eq!(names(&piece, &["\nxprobe\n"], None, None)?, of(SECOND));
        assert_eq!(names(&piece, &["\n"], None, None)?, both);
        for (line, kind, language) in [
            ("x\n", None, None),
            ("probe", Some("struct"), None),
            ("probe", None, Some("cc")),
            ("\nprob\n", None, None),
            ("a name that is longer than any here", None, None),
        ] {
            assert_eq!(names(&piece, &[line], kind, language)?, "");
        }
        Ok(())
    }

    #[test]
    fn what_is_not_understood_is_let_through() -> Result<(), Failure> {
        let piece = "{\"language\":null,\"symbols\":[{\"name\":\"a\\nb\",\"kind\":\"k\"},{\"name\":\"é\"}],\"notes\":[]}";
        assert_eq!(names(piece, &["zz"], None, None)?, piece);
        assert_eq!(names("[1, 2]", &["zz"], None, Some("c"))?, "[1, 2]");
        assert_eq!(names("{}", &["zz"], None, None)?, "{}");
        Ok(())
    }

    #[test]
    fn damage_is_an_error_and_the_next_piece_is_read() -> Result<(), Failure> {
        let lines = ["name".to_owned()];
        let wanted = Wanted { lines: &lines, kind: None, language: None };
        let long = format!(
            r#"{{"language":"c","symbols":[{{"name":"name","doc":"{}"}}],"notes":[]}}"#,
            "0123456789".repeat(300_000)
        );
        let whole = pack(long.as_bytes())?;
        assert!(select(&whole[..whole.len() - 9], wanted).is_err());
        assert!(select(b"nothing like it", wanted).is_err());
        assert!(select(b"", wanted).is_err());
        assert_eq!(select(&whole, wanted)?.map(|found| found.len()), Some(long.len()));
        Ok(())
    }
}
