//! Small things about text that the parts of a record share.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, bytes};

/// A pattern that is compiled when it is first used, once for ASCII and once for any text.
///
/// In ASCII both find the same, and the form for it is compiled in a tenth of the time: what Unicode takes for a
/// letter or for any character at all is hundreds of ranges, for each repetition anew.
pub struct Pattern {
    ascii: LazyLock<bytes::Regex>,
    full: LazyLock<Regex>,
}

/// A pattern of ours, so it is right; a test compiles each.
macro_rules! pattern {
    ($text:expr) => {
        super::text::Pattern::new(
            || {
                #[allow(
                    clippy::expect_used,
                    reason = "a constant, and a test compiles each of them"
                )]
                let built = regex::bytes::RegexBuilder::new($text)
                    .unicode(false)
                    .build()
                    .expect("a pattern of ours");
                built
            },
            || {
                #[allow(
                    clippy::expect_used,
                    reason = "a constant, and a test compiles each of them"
                )]
                regex::Regex::new($text).expect("a pattern of ours")
            },
        )
    };
}
pub(super) use pattern;

impl Pattern {
    pub const fn new(ascii: fn() -> bytes::Regex, full: fn() -> Regex) -> Self {
        Self { ascii: LazyLock::new(ascii), full: LazyLock::new(full) }
    }

    pub fn is_match(&self, text: &str) -> bool {
        if text.is_ascii() {
            self.ascii.is_match(text.as_bytes())
        } else {
            self.full.is_match(text)
        }
    }

    /// Where it matches first.
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        if text.is_ascii() {
            return self.ascii.find(text.as_bytes()).map(|found| found.range());
        }
        self.full.find(text).map(|found| found.range())
    }

    /// The same of the whole and of a group.
    pub fn group(&self, text: &str, group: usize) -> Option<(Range<usize>, Option<Range<usize>>)> {
        if text.is_ascii() {
            let found = self.ascii.captures(text.as_bytes())?;
            return Some((found.get(0)?.range(), found.get(group).map(|one| one.range())));
        }
        let found = self.full.captures(text)?;
        Some((found.get(0)?.range(), found.get(group).map(|one| one.range())))
    }

    /// The text without what matches.
    pub fn without<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !text.is_ascii() {
            return self.full.replace_all(text, "");
        }
        let mut out = String::new();
        let mut kept = 0;
        for found in self.ascii.find_iter(text.as_bytes()) {
            out.push_str(&text[kept..found.start()]);
            kept = found.end();
        }
        if kept == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[kept..]);
        Cow::Owned(out)
    }
}

/// A pattern over bytes, compiled when it is first used.
macro_rules! bytes_pattern {
    ($text:expr) => {
        std::sync::LazyLock::new(|| {
            #[allow(clippy::expect_used, reason = "a constant, and a test compiles each of them")]
            regex::bytes::Regex::new($text).expect("a pattern of ours")
        })
    };
}
pub(super) use bytes_pattern;

/// White space as Python's `str.strip` knows it: also the separators of ASCII.
pub fn is_space(one: char) -> bool {
    one.is_whitespace() || ('\x1c'..='\x1f').contains(&one)
}

/// Without white space around it.
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Without white space at its end.
pub fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// For the tests beside the patterns: both forms compile and find the same in ASCII, in texts made of these
/// pieces at random.
#[cfg(test)]
pub fn check(patterns: &[&Pattern], pieces: &[&'static str]) {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    let texts = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    for pattern in patterns {
        let forms = |text: &str| {
            let ascii: Vec<_> =
                pattern.ascii.find_iter(text.as_bytes()).map(|one| one.range()).collect();
            let full: Vec<_> = pattern.full.find_iter(text).map(|one| one.range()).collect();
            (ascii, full)
        };
        let mut runner =
            TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
        let held = runner.run(&texts, |pieces| {
            let text = pieces.concat();
            let (ascii, full) = forms(&text);
            prop_assert_eq!(&ascii, &full);
            prop_assert_eq!(pattern.find(&text), full.first().cloned());
            prop_assert_eq!(pattern.without(&text), pattern.full.replace_all(&text, ""));
            Ok(())
        });
        assert!(held.is_ok(), "{held:?}");
        assert_eq!(pattern.is_match("\u{e9}"), pattern.full.is_match("\u{e9}"));
    }
}
