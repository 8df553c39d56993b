//! Small things about text that the parts of a record share.

use std::borrow::Cow;
use std::ops::{Deref, Range};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use regex::{Regex, bytes};

/// A pattern that is compiled when it is first used, once for ASCII and once for any text.
///
/// In ASCII both find the same, and the form for it is compiled in a tenth of the time: what Unicode takes for a
/// letter or for any character at all is hundreds of ranges, for each repetition anew.
///
/// A compiled pattern keeps what each thread that used it worked out, megabytes of it, for as long as it lives:
/// so [`rest`] lets go of both forms.
pub struct Pattern {
    ascii: Form<bytes::Regex>,
    full: Form<Regex>,
}

/// Those that are compiled now.
static COMPILED: Mutex<Vec<&'static Pattern>> = Mutex::new(Vec::new());

/// Let go of all compiled patterns that nobody uses at this moment; each is compiled anew by its next use.
/// Waits for nobody.
pub fn rest() {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled.retain(|pattern| !(pattern.ascii.forget() & pattern.full.forget()));
    if compiled.is_empty() {
        *compiled = Vec::new();
    }
}

/// One compiled form of a pattern, while there is one.
struct Form<T> {
    compiled: RwLock<Option<T>>,
    compile: fn() -> T,
}

/// Keeps a form from being let go while it is used.
struct InUse<'a, T>(RwLockReadGuard<'a, Option<T>>);

impl<T> Deref for InUse<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        #[allow(
            clippy::expect_used,
            reason = "only `Form::get` makes one, of a form that is there"
        )]
        self.0.as_ref().expect("a compiled form")
    }
}

impl<T> Form<T> {
    const fn new(compile: fn() -> T) -> Self {
        Self { compiled: RwLock::new(None), compile }
    }

    fn get(&self, pattern: &'static Pattern) -> InUse<'_, T> {
        loop {
            let there = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
            if there.is_some() {
                return InUse(there);
            }
            drop(there);
            let mut made = self.compiled.write().unwrap_or_else(PoisonError::into_inner);
            if made.is_none() {
                *made = Some((self.compile)());
                drop(made);
                note(pattern);
            }
        }
    }

    /// Whether it is not compiled any more.
    fn forget(&self) -> bool {
        match self.compiled.try_write() {
            Ok(mut made) => *made = None,
            Err(std::sync::TryLockError::Poisoned(made)) => *made.into_inner() = None,
            Err(std::sync::TryLockError::WouldBlock) => return false,
        }
        true
    }
}

fn note(pattern: &'static Pattern) {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if !compiled.iter().any(|one| std::ptr::eq(*one, pattern)) {
        compiled.push(pattern);
    }
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
        Self { ascii: Form::new(ascii), full: Form::new(full) }
    }

    pub fn is_match(&'static self, text: &str) -> bool {
        if text.is_ascii() {
            self.ascii.get(self).is_match(text.as_bytes())
        } else {
            self.full.get(self).is_match(text)
        }
    }

    /// Where it matches first.
    pub fn find(&'static self, text: &str) -> Option<Range<usize>> {
        if text.is_ascii() {
            return self.ascii.get(self).find(text.as_bytes()).map(|found| found.range());
        }
        self.full.get(self).find(text).map(|found| found.range())
    }

    /// The same of the whole and of a group.
    pub fn group(
        &'static self,
        text: &str,
        group: usize,
    ) -> Option<(Range<usize>, Option<Range<usize>>)> {
        if text.is_ascii() {
            let found = self.ascii.get(self).captures(text.as_bytes())?;
            return Some((found.get(0)?.range(), found.get(group).map(|one| one.range())));
        }
        let found = self.full.get(self).captures(text)?;
        Some((found.get(0)?.range(), found.get(group).map(|one| one.range())))
    }

    /// The text without what matches.
    pub fn without<'t>(&'static self, text: &'t str) -> Cow<'t, str> {
        if !text.is_ascii() {
            return self.full.get(self).replace_all(text, "");
        }
        let mut out = String::new();
        let mut kept = 0;
        for found in self.ascii.get(self).find_iter(text.as_bytes()) {
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
pub fn check(patterns: &[&'static Pattern], pieces: &[&'static str]) {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    let texts = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    for pattern in patterns {
        let forms = |text: &str| {
            let ascii: Vec<_> = pattern
                .ascii
                .get(pattern)
                .find_iter(text.as_bytes())
                .map(|one| one.range())
                .collect();
            let full: Vec<_> =
                pattern.full.get(pattern).find_iter(text).map(|one| one.range()).collect();
            (ascii, full)
        };
        let mut runner =
            TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
        let held = runner.run(&texts, |pieces| {
            let text = pieces.concat();
            let (ascii, full) = forms(&text);
            prop_assert_eq!(&ascii, &full);
            prop_assert_eq!(pattern.find(&text), full.first().cloned());
            prop_assert_eq!(
                pattern.without(&text),
                pattern.full.get(pattern).replace_all(&text, "")
            );
            Ok(())
        });
        assert!(held.is_ok(), "{held:?}");
        assert_eq!(pattern.is_match("\u{e9}"), pattern.full.get(pattern).is_match("\u{e9}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_at_rest_is_not_kept_and_works_as_before() {
        static WORD: Pattern = Pattern::new(
            || bytes::Regex::new(r"(?-u)\bword\b").unwrap(),
            || Regex::new(r"\bword\b").unwrap(),
        );
        let kept = || {
            usize::from(WORD.ascii.compiled.read().unwrap().is_some())
                + usize::from(WORD.full.compiled.read().unwrap().is_some())
        };
        assert_eq!(kept(), 0);
        for _ in 0..2 {
            assert!(WORD.is_match("a word"));
            assert!(WORD.is_match("\u{e9} word"));
            assert_eq!(kept(), 2);
            {
                let _used = WORD.ascii.get(&WORD);
                rest(); // one that is in use stays, and nobody waits
                assert_eq!(kept(), 1);
            }
            rest();
            assert_eq!(kept(), 0);
        }
    }
}
