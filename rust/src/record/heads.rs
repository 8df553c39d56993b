//! What the head of a file tells about its language where its name does not.
//!
//! Owns the one question that is asked of every third file of a tree in C: in which of three languages a header
//! is written. Names, mode lines and everything rare are Python's (`currant.extract.languages`).

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

/// A pattern over bytes, of which only those of ASCII are letters.
macro_rules! ascii_pattern {
    ($text:expr) => {
        LazyLock::new(|| {
            #[allow(clippy::expect_used, reason = "a constant, and a test uses each of them")]
            regex::bytes::RegexBuilder::new($text)
                .unicode(false)
                .build()
                .expect("a pattern of ours")
        })
    };
}

/// Of which one is in whatever `OBJC_MARKERS` matches. Looking for words is ten times faster than the pattern,
/// and few files have one.
static OBJC_WORDS: LazyLock<Regex> =
    ascii_pattern!("@interface|@implementation|@protocol|@import|@class|import|NS_");
static OBJC_MARKERS: LazyLock<Regex> = ascii_pattern!(concat!(
    r"(?m)^[ \t]*(?:(?:@interface|@implementation|@protocol|@import|@class|#[ \t]*import",
    r"|NS_ASSUME_NONNULL_BEGIN)\b|typedef[ \t]+NS_(?:ENUM|OPTIONS|CLOSED_ENUM)\b)",
));

/// `extern "C"` inside `#ifdef __cplusplus` is what headers in C write to be usable from C++; the other lines of
/// such a block may hold C++ that says nothing about the rest.
static CPP_GUARD: LazyLock<Regex> = ascii_pattern!(concat!(
    r"(?ms)^[ \t]*#[ \t]*if(?:def[ \t]+|[ \t]+defined[ \t]*\(?[ \t]*)__cplusplus",
    r".*?^[ \t]*#[ \t]*(?:else|endif)",
));
/// What only the library of C++ has.
static CPP_INCLUDE: LazyLock<Regex> = ascii_pattern!(concat!(
    r"include[ \t]*<(?:algorithm|any|array|atomic|bitset|cassert|cctype|cerrno|charconv|chrono|cinttypes",
    r"|climits",
    r"|cmath|compare|concepts|condition_variable|coroutine|cstd\w+|cstring|ctime|deque|exception|filesystem",
    r"|forward_list|fstream|functional|future|initializer_list|iomanip|ios|iosfwd|iostream|istream|iterator",
    r"|limits|list|locale|map|memory|mutex|new|numeric|optional|ostream|queue|random|ranges|ratio|regex|set",
    r"|shared_mutex|span|sstream|stack|stdexcept|streambuf|string|string_view|system_error|thread|tuple",
    r"|type_traits|typeindex|typeinfo|unordered_map|unordered_set|utility|valarray|variant|vector)>",
));
/// Of which one is in whatever `CPP_MARKERS` matches.
static CPP_WORDS: LazyLock<Regex> = ascii_pattern!(concat!(
    "template|namespace|using|class|public|private|protected|constexpr|explicit|virtual|friend|consteval",
    "|concept|static_cast",
));
/// A header is C++ when its text could not be C. Comments and strings are not removed: a header in C that merely
/// speaks of a class in a comment does not begin a line with `class X {`.
static CPP_MARKERS: LazyLock<Regex> = ascii_pattern!(concat!(
    r"(?m)^[ \t]*(?:",
    r"template[ \t]*<",
    r"|(?:inline[ \t]+)?namespace(?:[ \t]+[A-Za-z_][\w:]*)?[ \t]*(?:\{|$)",
    r"|using[ \t]+(?:namespace\b|[A-Za-z_]\w*[ \t]*=|[\w:]+::\w+[ \t]*;)",
    r"|class[ \t]+[A-Za-z_][\w: \t]*(?:\{|;|:|$)",
    r"|(?:public|private|protected)[ \t]*:",
    r"|(?:constexpr|explicit|virtual|friend|consteval|concept)[ \t]+[\w:~<>,*& \t]+[(;={]",
    r"|static_cast<",
    r")",
));

/// Of which one is in every line that tells an editor the language.
static MODE_WORDS: LazyLock<Regex> = ascii_pattern!(r"-\*-|ft=|filetype=|syntax=");

/// Whether a line in it may tell an editor the language.
#[must_use]
pub fn has_mode_words(head: &[u8]) -> bool {
    MODE_WORDS.is_match(head)
}

/// Whether a source holds what only Objective-C has.
#[must_use]
pub fn is_objective_c(head: &[u8]) -> bool {
    OBJC_WORDS.is_match(head) && OBJC_MARKERS.is_match(head)
}

/// The language of a header that begins so: `c`, `cpp` or `objective-c`.
#[must_use]
pub fn header_language(head: &[u8]) -> &'static str {
    if is_objective_c(head) {
        return "objective-c";
    }
    let head = if memmem::find(head, b"__cplusplus").is_some() {
        CPP_GUARD.replace_all(head, b"")
    } else {
        Cow::Borrowed(head)
    };
    if CPP_INCLUDE.is_match(&head) || (CPP_WORDS.is_match(&head) && CPP_MARKERS.is_match(&head)) {
        return "cpp";
    }
    "c"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_languages() {
        for (head, expected) in [
            ("", "c"),
            ("int f(void);\n", "c"),
            ("/* a class { of its own */ int class_of(int private);\n", "c"),
            ("#ifdef __cplusplus\nextern \"C\" {\nclass A;\n#endif\nint f(void);\n", "c"),
            ("#if defined(__cplusplus)\n#else\n#endif\nclass A;\n", "cpp"),
            ("#include <vector>\n", "cpp"),
            ("#include <cstdint>\n", "cpp"),
            ("  template <class T> struct A;\n", "cpp"),
            ("namespace a::b\n{\n", "cpp"),
            ("\tpublic:\n", "cpp"),
            ("class A\n{\n", "cpp"),
            ("@interface A : B\n", "objective-c"),
            ("#import <A/B.h>\n", "objective-c"),
            ("typedef NS_ENUM(int, A) {\n", "objective-c"),
        ] {
            assert_eq!(header_language(head.as_bytes()), expected, "{head}");
        }
        assert!(has_mode_words(b"/* -*- c++ -*- */") && has_mode_words(b"// vim: ft=cpp"));
        assert!(!has_mode_words(b"#define A_SYNTAX\n"));
        // Bytes that are no text are no letters either.
        assert_eq!(header_language(b"class \xff {\n@class\xe9;\n"), "objective-c");
        assert_eq!(header_language(b"class A\xc3\xa9 {\n"), "c");
    }
}
