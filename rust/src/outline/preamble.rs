//! The comments and attributes that stand one below the other, not yet claimed by a definition.
//!
//! One rule for all languages says which of them document a definition: those directly above it, without a line
//! between, none of which follows code on its line, is inside the head of the definition before, or says by its
//! mark that it is about what is around it.

use super::text;

/// What stands before the next definition. Lines are counted from 0, and come in ascending order.
#[derive(Default)]
pub(super) struct Preamble {
    /// Byte ranges of the comments.
    comments: Vec<(usize, usize)>,
    /// Line of the first attribute, if there is one.
    attribute: Option<usize>,
    first: usize,
    last: usize,
    /// Where the head of the last definition ends: comments before that are inside it.
    head: usize,
}

impl Preamble {
    /// Whether a comment that begins at `start` is to be told to [`Preamble::comment`].
    pub(super) fn takes(&self, source: &[u8], start: usize) -> bool {
        start >= self.head && may_document(source, start)
    }

    /// A comment, by its bytes and by its first and last line.
    pub(super) fn comment(&mut self, bytes: (usize, usize), rows: (usize, usize)) {
        self.extend(rows);
        self.comments.push(bytes);
    }

    /// Whether an attribute that begins at `start` is to be told to [`Preamble::attribute`].
    pub(super) const fn is_open(&self, start: usize) -> bool {
        start >= self.head
    }

    /// An attribute or a decorator, by its first and last line: the definition begins with it.
    pub(super) fn attribute(&mut self, rows: (usize, usize)) {
        self.extend(rows);
        self.attribute.get_or_insert(rows.0);
    }

    /// What comes before this byte is the head of a definition.
    pub(super) fn pass(&mut self, head: usize) {
        self.head = self.head.max(head);
    }

    /// Go on with something in these lines, or begin anew if a line lies between.
    fn extend(&mut self, (row, last): (usize, usize)) {
        let empty = self.comments.is_empty() && self.attribute.is_none();
        if empty || row > self.last + 1 {
            self.comments.clear();
            self.attribute = None;
            self.first = row;
        }
        self.last = last;
    }

    /// For a definition that begins on a line: its first line with attributes, and its documentation. Whether
    /// there is any or not, what was there is used up.
    pub(super) fn claim(&mut self, source: &[u8], row: usize) -> (usize, String) {
        let attribute = self.attribute.take();
        let near = self.last + 1 == row || self.last == row && attribute.is_some();
        let top = std::mem::take(&mut self.first) == 0;
        self.last = 0;
        if !near {
            self.comments.clear();
            return (row, String::new());
        }
        let first = attribute.unwrap_or(row).min(row);
        if self.comments.is_empty() {
            return (first, String::new());
        }
        let pieces: Vec<&[u8]> =
            self.comments.drain(..).filter_map(|(from, to)| source.get(from..to)).collect();
        (first, text::above(&pieces, top))
    }
}

/// Whether a comment that begins at `start` may be about what comes next. What follows code on its line is about
/// that code; what is marked with `!` is about the file or the module.
pub(super) fn may_document(source: &[u8], start: usize) -> bool {
    let rest = source.get(start..).unwrap_or_default();
    if rest.starts_with(b"//!") || rest.starts_with(b"/*!") {
        return false;
    }
    let before = source.get(..start).unwrap_or(source);
    let mut blank = before.iter().rev().take_while(|byte| **byte != b'\n');
    blank.all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &[u8] = b"use a;\n/// One.\n#[b]\n/// Two.\nfn c() {}\n";

    fn claimed(row: usize, told: impl Fn(&mut Preamble)) -> (usize, String) {
        let mut preamble = Preamble::default();
        told(&mut preamble);
        let found = preamble.claim(SOURCE, row);
        assert_eq!(preamble.claim(SOURCE, row), (row, String::new()), "used up");
        found
    }

    #[test]
    fn what_stands_directly_above_is_claimed_with_attributes_between() {
        let all = claimed(4, |preamble| {
            preamble.comment((7, 16), (1, 1));
            preamble.attribute((2, 2));
            preamble.comment((21, 29), (3, 3));
        });
        assert_eq!(all, (2, "One.\nTwo.".to_owned()));
        let far = claimed(5, |preamble| preamble.comment((21, 29), (3, 3)));
        assert_eq!(far, (5, String::new()));
        let apart = claimed(4, |preamble| {
            preamble.comment((7, 16), (1, 1));
            preamble.comment((21, 29), (3, 3));
        });
        assert_eq!(apart, (4, "Two.".to_owned()));
    }

    #[test]
    fn an_attribute_may_stand_on_the_line_of_the_definition_and_a_comment_not() {
        assert_eq!(claimed(2, |preamble| preamble.attribute((2, 2))), (2, String::new()));
        let beside = claimed(2, |preamble| {
            preamble.comment((7, 16), (1, 1));
            preamble.attribute((2, 2));
        });
        assert_eq!(beside, (2, "One.".to_owned()));
        let same = claimed(1, |preamble| preamble.comment((7, 16), (1, 1)));
        assert_eq!(same, (1, String::new()));
    }

    #[test]
    fn comments_behind_code_in_heads_or_about_the_file_document_nothing() {
        assert!(may_document(b"a;\n  // b", 5) && may_document(b"// a", 0));
        assert!(!may_document(b"a; // b", 3) && !may_document(b"//! a", 0));
        assert!(!may_document(b"\n/*! a */", 1));
        let mut preamble = Preamble::default();
        preamble.pass(8);
        assert!(!preamble.takes(SOURCE, 7) && !preamble.is_open(7));
        assert!(preamble.takes(SOURCE, 21) && preamble.is_open(8));
    }
}
