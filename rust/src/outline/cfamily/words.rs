//! Which words mean what: keywords, and the macros that everybody uses as if they were.

pub(super) fn is_attribute_word_with_group(word: &[u8]) -> bool {
    word.starts_with(b"__attribute") || word == b"__declspec"
}

/// Statements of a body, in case one is read at the level of declarations.
pub(super) fn is_control(word: &[u8]) -> bool {
    matches!(
        word,
        b"if"
            | b"else"
            | b"for"
            | b"while"
            | b"do"
            | b"switch"
            | b"case"
            | b"return"
            | b"goto"
            | b"break"
            | b"continue"
            | b"default"
            | b"catch"
            | b"sizeof"
    )
}

/// Words of the language that are types: never the name of a function.
pub(super) fn is_type_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"void"
            | b"int"
            | b"char"
            | b"short"
            | b"long"
            | b"unsigned"
            | b"signed"
            | b"float"
            | b"double"
            | b"bool"
            | b"_Bool"
            | b"auto"
            | b"wchar_t"
            | b"char8_t"
            | b"char16_t"
            | b"char32_t"
            | b"__signed__"
            | b"__int128"
    )
}

/// Words that take an expression and stand for a type.
pub(super) fn is_type_call(word: &[u8]) -> bool {
    matches!(
        word,
        b"typeof" | b"__typeof__" | b"__typeof" | b"decltype" | b"_Atomic" | b"__typeof_unqual__"
    )
}

/// Storage classes, qualifiers and function specifiers.
pub(super) fn is_qualifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"static"
            | b"extern"
            | b"inline"
            | b"const"
            | b"volatile"
            | b"register"
            | b"typedef"
            | b"restrict"
            | b"constexpr"
            | b"consteval"
            | b"constinit"
            | b"virtual"
            | b"explicit"
            | b"friend"
            | b"mutable"
            | b"thread_local"
            | b"typename"
            | b"export"
            | b"override"
            | b"final"
            | b"try"
            | b"noexcept"
            | b"asmlinkage"
            | b"noinline"
            | b"notrace"
            | b"_Noreturn"
            | b"_Thread_local"
    )
}

/// A word in the manner of attribute macros: `__init`, `API_EXPORT`.
pub(super) fn looks_like_attribute(word: &[u8]) -> bool {
    word.starts_with(b"__") || is_upper(word)
}

/// Attributes that stand after a name, where a plain word would be the name.
pub(super) fn is_known_attribute(word: &[u8]) -> bool {
    word.starts_with(b"____cacheline")
        || word.starts_with(b"__cacheline")
        || word.starts_with(b"__init")
        || word.starts_with(b"__exit")
        || word.starts_with(b"__meminit")
        || matches!(
            word,
            b"__packed"
                | b"__attribute__"
                | b"__aligned"
                | b"__bitwise"
                | b"__user"
                | b"__iomem"
                | b"__kernel"
                | b"__force"
                | b"__rcu"
                | b"__percpu"
                | b"__randomize_layout"
                | b"__no_randomize_layout"
                | b"__designated_init"
                | b"__ro_after_init"
                | b"__read_mostly"
                | b"__maybe_unused"
                | b"__unused"
                | b"__used"
                | b"__weak"
                | b"__visible"
                | b"__latent_entropy"
                | b"__section"
                | b"__deprecated"
                | b"__refdata"
                | b"__ref"
                | b"__extension__"
                | b"__restrict"
                | b"__volatile__"
                | b"__const"
                | b"__inline"
                | b"__inline__"
                | b"__always_inline"
                | b"__hot"
                | b"__cold"
        )
}

/// Statements that begin so define no variable.
pub(super) fn is_type_only(word: &[u8]) -> bool {
    matches!(word, b"using" | b"namespace" | b"friend" | b"template" | b"asm" | b"__asm__")
}

/// All letters upper case, and at least two characters.
pub(super) fn is_upper(word: &[u8]) -> bool {
    word.len() > 1
        && word.iter().any(u8::is_ascii_uppercase)
        && !word.iter().any(|&byte| byte.is_ascii_lowercase() || byte >= 0x80)
}

/// Is `part` one of the words of an upper-case name, which underscores and digits separate?
pub(super) fn has_part(word: &[u8], part: &[u8]) -> bool {
    word.windows(part.len()).any(|window| window == part)
}

/// Macros that define a variable named by an argument.
pub(super) fn defines_variable(word: &[u8]) -> bool {
    if word.starts_with(b"DEFINE_") {
        // These define functions.
        return !(word.starts_with(b"DEFINE_EVENT")
            || word.ends_with(b"SHOW_ATTRIBUTE")
            || word.ends_with(b"STORE_ATTRIBUTE")
            || word.ends_with(b"SEQ_ATTRIBUTE")
            || word.ends_with(b"_FUNC"));
    }
    matches!(
        word,
        b"LIST_HEAD"
            | b"HLIST_HEAD"
            | b"LLIST_HEAD"
            | b"DECLARE_WORK"
            | b"DECLARE_DELAYED_WORK"
            | b"DECLARE_COMPLETION"
            | b"DECLARE_WAIT_QUEUE_HEAD"
            | b"DECLARE_RWSEM"
            | b"DECLARE_TASKLET"
            | b"DECLARE_BITMAP"
            | b"DECLARE_HASHTABLE"
            | b"DECLARE_KFIFO"
            | b"RADIX_TREE"
            | b"BLOCKING_NOTIFIER_HEAD"
            | b"ATOMIC_NOTIFIER_HEAD"
            | b"RAW_NOTIFIER_HEAD"
            | b"PyDoc_STRVAR"
    )
}
