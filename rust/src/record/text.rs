//! Small things about text that the parts of a record share.

/// A pattern that is compiled when it is first used. It is one of ours, so it is right; a test uses each.
macro_rules! pattern {
    ($text:expr) => {
        std::sync::LazyLock::new(|| {
            #[allow(clippy::expect_used, reason = "a constant, and a test compiles each of them")]
            regex::Regex::new($text).expect("a pattern of ours")
        })
    };
}
pub(super) use pattern;

/// The same over bytes.
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
