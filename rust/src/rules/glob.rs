//! One glob, compiled and matched as git matches it: byte by byte, with git's reading of `**`,
//! classes and escapes.
//!
//! It exists beside the `ignore` crate's globs because those differ from git on names that are not
//! UTF-8, on braces, on POSIX classes and on malformed patterns (the table is in the documentation
//! of `rules`), and because a compiled regex set costs tens of kilobytes, too much for the five
//! lines of a typical nested `.gitignore`. This file knows nothing of files, lines or directories.

/// A compiled pattern without its `!`, its leading `/` and its trailing `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Glob {
    shape: Shape,
}

/// The common shapes of real rule files get a comparison instead of a matcher.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Shape {
    /// `Makefile.in`
    Literal(Box<[u8]>),
    /// `*.o`, only for names, where `*` cannot meet a slash
    Suffix(Box<[u8]>),
    /// `.#*`, only for names
    Prefix(Box<[u8]>),
    /// everything else
    Tokens(Box<[Token]>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Byte(u8),
    /// `?`: any byte but a slash
    One,
    /// `*`: any run of bytes without a slash
    Star,
    /// `**` that is not followed by a plain slash: any run of bytes
    Deep,
    /// `**/`: nothing, or any run of bytes that ends with a slash
    Dirs,
    /// `[...]`, one bit for each byte value; never contains the slash
    Class(Box<[u64; 4]>),
}

/// What a pattern is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// The last component of the path: the pattern has no slash.
    Name,
    /// The whole path below the rule file's directory.
    Path,
}

impl Glob {
    /// Compiles `pattern`. The error says why the pattern can never match anything; git keeps such
    /// patterns without a word.
    pub(super) fn compile(pattern: &[u8], target: Target) -> Result<Glob, &'static str> {
        let tokens = tokenize(pattern, target)?;
        let bytes = |tokens: &[Token]| -> Option<Box<[u8]>> {
            tokens.iter().map(|t| if let Token::Byte(b) = t { Some(*b) } else { None }).collect()
        };
        let shape = match (tokens.as_slice(), target) {
            (all, _) if bytes(all).is_some() => bytes(all).map(Shape::Literal),
            ([Token::Star, rest @ ..], Target::Name) => bytes(rest).map(Shape::Suffix),
            ([rest @ .., Token::Star], Target::Name) => bytes(rest).map(Shape::Prefix),
            _ => None,
        };
        Ok(Glob { shape: shape.unwrap_or_else(|| Shape::Tokens(tokens.into())) })
    }

    /// Whether the whole of `text` matches.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        match &self.shape {
            Shape::Literal(all) => text == &**all,
            Shape::Suffix(end) => text.ends_with(end),
            Shape::Prefix(start) => text.starts_with(start),
            Shape::Tokens(tokens) => run(tokens, text, &mut || {}),
        }
    }

    /// How often [`Glob::matches`] would look at a token, for the tests of its bounds.
    #[cfg(test)]
    fn steps(&self, text: &[u8]) -> usize {
        let mut steps = 0;
        if let Shape::Tokens(tokens) = &self.shape {
            run(tokens, text, &mut || steps += 1);
        }
        steps
    }

    /// What [`Glob::matches`] says, by a table of all positions of pattern and text: slow, and plain
    /// enough to be seen to be right. For the fuzzer and the tests.
    pub(super) fn matches_plainly(&self, text: &[u8]) -> bool {
        let byte = |byte: &u8| Token::Byte(*byte);
        let tokens: Vec<Token> = match &self.shape {
            Shape::Literal(all) => all.iter().map(byte).collect(),
            Shape::Suffix(end) => {
                std::iter::once(Token::Star).chain(end.iter().map(byte)).collect()
            }
            Shape::Prefix(start) => {
                start.iter().map(byte).chain(std::iter::once(Token::Star)).collect()
            }
            Shape::Tokens(tokens) => tokens.to_vec(),
        };
        // `rest[t]`: whether the tokens from here on match the text from `t` on.
        let mut rest = vec![false; text.len() + 1];
        rest[text.len()] = true;
        for token in tokens.iter().rev() {
            let mut now = vec![false; text.len() + 1];
            for at in (0..=text.len()).rev() {
                let next = text.get(at);
                now[at] = match token {
                    Token::Star => {
                        rest[at] || next.is_some_and(|next| *next != b'/') && now[at + 1]
                    }
                    Token::Deep => rest[at] || next.is_some() && now[at + 1],
                    Token::Dirs => {
                        rest[at]
                            || (at..text.len()).any(|slash| text[slash] == b'/' && rest[slash + 1])
                    }
                    one => next.is_some_and(|next| one.takes(*next)) && rest[at + 1],
                };
            }
            rest = now;
        }
        rest[0]
    }

    /// Bytes that every matching text has.
    pub(super) fn needs(&self) -> Bytes {
        match &self.shape {
            Shape::Literal(all) | Shape::Suffix(all) | Shape::Prefix(all) => Bytes::of(all),
            Shape::Tokens(tokens) => {
                let plain = tokens.iter().filter_map(|token| match token {
                    Token::Byte(byte) => Some(*byte),
                    _ => None,
                });
                Bytes::of(&plain.collect::<Vec<u8>>())
            }
        }
    }

    /// How many path components a matching path has at most; `None` when `**` lifts the bound.
    pub(super) fn reach(&self) -> Option<u32> {
        let slashes = match &self.shape {
            Shape::Literal(all) => all.iter().filter(|b| **b == b'/').count(),
            Shape::Suffix(_) | Shape::Prefix(_) => 0,
            Shape::Tokens(tokens) => {
                if tokens.iter().any(|t| matches!(t, Token::Deep | Token::Dirs)) {
                    return None;
                }
                tokens.iter().filter(|t| **t == Token::Byte(b'/')).count()
            }
        };
        Some(u32::try_from(slashes).unwrap_or(u32::MAX).saturating_add(1))
    }
}

/// The bytes of a text, folded into a word: a cheap way to see that a pattern cannot match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bytes(u64);

impl Bytes {
    pub(super) fn of(text: &[u8]) -> Bytes {
        Bytes(text.iter().fold(0, |set, byte| set | 1 << (byte & 63)))
    }

    pub(super) fn with(self, other: Bytes) -> Bytes {
        Bytes(self.0 | other.0)
    }

    /// Whether all of `needed` may be here. May say yes in error, never no.
    pub(super) fn may_have(self, needed: Bytes) -> bool {
        needed.0 & !self.0 == 0
    }
}

/// Most tokens of a pattern. Nearly each takes a byte, and no path that a system call takes has as many; what
/// is longer is not even read, because a token takes 16 bytes, and a class 32 more.
const TOKENS: usize = 1 << 16;

fn tokenize(pattern: &[u8], target: Target) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::with_capacity(pattern.len().min(TOKENS));
    // git compares the part before the first special byte on its own, and its matcher then sees a
    // pattern that begins with that byte; so `foo**/bar` counts as if `**` stood at the start.
    let literal = pattern.iter().position(|b| b"*?[\\".contains(b)).unwrap_or(pattern.len());
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        if tokens.len() == TOKENS {
            return Err("it is longer than any path");
        }
        match byte {
            b'?' => tokens.push(Token::One),
            b'\\' => {
                at += 1;
                let escaped = pattern.get(at).ok_or("a backslash at the end escapes nothing")?;
                tokens.push(Token::Byte(*escaped));
            }
            b'[' => {
                let (class, end) = class(pattern, at)?;
                tokens.push(Token::Class(Box::new(class)));
                at = end;
                continue;
            }
            b'*' => {
                let start = at;
                at += pattern[at..].iter().take_while(|b| **b == b'*').count();
                let opens = start == literal || start == 0 || pattern[start - 1] == b'/';
                let rest = &pattern[at..];
                let closes = rest.is_empty() || rest[0] == b'/' || rest.starts_with(b"\\/");
                if target == Target::Path && at - start > 1 && opens && closes {
                    if rest.first() == Some(&b'/') {
                        tokens.push(Token::Dirs);
                        at += 1;
                    } else {
                        tokens.push(Token::Deep);
                    }
                } else {
                    tokens.push(Token::Star);
                }
                continue;
            }
            other => tokens.push(Token::Byte(other)),
        }
        at += 1;
    }
    Ok(tokens)
}

/// Reads the class that opens at `pattern[open]`: its set of bytes, and the index after its `]`.
fn class(pattern: &[u8], open: usize) -> Result<([u64; 4], usize), &'static str> {
    const UNCLOSED: &str = "`[` opens a class that nothing closes";
    let byte = |at: usize| pattern.get(at).copied();
    let mut set = [0u64; 4];
    let mut add = |b: u8| set[usize::from(b >> 6)] |= 1 << (b & 63);
    let mut at = open + 1;
    let negated = matches!(byte(at), Some(b'!' | b'^'));
    if negated {
        at += 1;
    }
    // The byte that a following `-` would take as the start of its range.
    let mut range_start = None;
    let mut first = true;
    loop {
        let mut current = byte(at).ok_or(UNCLOSED)?;
        if current == b']' && !first {
            break;
        }
        first = false;
        if current == b'-'
            && let (Some(from), Some(next)) = (range_start, byte(at + 1))
            && next != b']'
        {
            at += 1;
            let mut to = next;
            if to == b'\\' {
                at += 1;
                to = byte(at).ok_or(UNCLOSED)?;
            }
            (from..=to).for_each(&mut add);
            range_start = None;
        } else if current == b'[' && byte(at + 1) == Some(b':') {
            let name = at + 2;
            let close = name + pattern[name..].iter().position(|b| *b == b']').ok_or(UNCLOSED)?;
            if close > name && pattern[close - 1] == b':' {
                let test = posix(&pattern[name..close - 1]).ok_or("an unknown [:class:]")?;
                (0..=255).filter(test).for_each(&mut add);
                at = close;
                range_start = None;
            } else {
                add(b'[');
                range_start = Some(b'[');
            }
        } else {
            if current == b'\\' {
                at += 1;
                current = byte(at).ok_or(UNCLOSED)?;
            }
            add(current);
            range_start = Some(current);
        }
        at += 1;
    }
    if negated {
        set.iter_mut().for_each(|word| *word = !*word);
    }
    set[usize::from(b'/' >> 6)] &= !(1 << (b'/' & 63));
    Ok((set, at + 1))
}

/// The test behind `[:name:]`, over bytes in the C locale as git reads them.
fn posix(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |b| matches!(b, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |b| matches!(b, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |b| matches!(b, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Token::Byte(own) => *own == byte,
            Token::One => byte != b'/',
            Token::Class(set) => set[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1,
            Token::Star | Token::Deep | Token::Dirs => false,
        }
    }
}

/// Where the text after a `*` can begin next, when it began at `from` and did not match there.
fn longer(tokens: &[Token], text: &[u8], after: usize, from: usize) -> Option<usize> {
    let rest = text.get(from + 1..)?;
    if text[from] == b'/' {
        return None;
    }
    // Most tries fail at their first byte, so look for that at once.
    let Some(Token::Byte(wanted)) = tokens.get(after) else { return Some(from + 1) };
    let found = memchr::memchr(*wanted, rest)?;
    let crossed = *wanted != b'/' && memchr::memchr(b'/', &rest[..found]).is_some();
    (!crossed).then_some(from + 1 + found)
}

/// Matches by remembering only the last `*` and the last `**`. That is enough: a `*` stays inside
/// one component, whose end is the same whatever it takes, and of two `**` the later one can take
/// everything that the earlier one could have taken more. Time: at most |tokens| x |text| x depth.
fn run(tokens: &[Token], text: &[u8], looked: &mut impl FnMut()) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut deep: Option<(usize, usize, bool)> = None;
    loop {
        looked();
        match tokens.get(p) {
            None if t == text.len() => return true,
            None => {}
            Some(Token::Star) => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            Some(token @ (Token::Deep | Token::Dirs)) => {
                p += 1;
                if p == tokens.len() && *token == Token::Deep {
                    return true;
                }
                deep = Some((p, t, *token == Token::Dirs));
                star = None;
                continue;
            }
            Some(token) if text.get(t).is_some_and(|byte| token.takes(*byte)) => {
                p += 1;
                t += 1;
                continue;
            }
            Some(_) => {}
        }
        if let Some((after, from)) = star
            && let Some(next) = longer(tokens, text, after, from)
        {
            star = Some((after, next));
            (p, t) = (after, next);
            continue;
        }
        let Some((after, from, whole)) = deep else { return false };
        let next = if whole {
            match memchr::memchr(b'/', &text[from..]) {
                Some(slash) => from + slash + 1,
                None => return false,
            }
        } else if from < text.len() {
            from + 1
        } else {
            return false;
        };
        star = None;
        deep = Some((after, next, whole));
        (p, t) = (after, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(pattern: &str) -> Glob {
        Glob::compile(pattern.as_bytes(), Target::Path).unwrap()
    }

    /// Patterns that cost a backtracking matcher time without end, against texts that just do not match.
    #[test]
    fn hostile_patterns_take_no_more_steps_than_pattern_times_text() {
        for n in [10, 80] {
            let (stars, deep, dirs) = ("a*".repeat(n), "**/".repeat(n), "a/**/".repeat(n));
            let (names, path) = ("a".repeat(4 * n), "a/".repeat(4 * n));
            for pattern in [
                format!("{stars}b"),
                format!("*{stars}b"),
                format!("{deep}b"),
                format!("{deep}{stars}b"),
                format!("{dirs}b"),
                format!("**/{stars}b/c"),
                format!("x**/{}b", "?".repeat(n)),
                format!("*[ab]{}c", "[!b]".repeat(n)),
                format!("{}/b", "*/".repeat(n)),
                format!("**{}b", "/*a*".repeat(n)),
            ] {
                for text in [format!("{names}c"), format!("{path}c"), format!("{path}{names}c")] {
                    let steps = glob(&pattern).steps(text.as_bytes());
                    let bound = 4 * (pattern.len() + 1) * (text.len() + 1);
                    assert!(steps <= bound, "{steps} > {bound} for {n} in {pattern} on {text}");
                }
            }
        }
    }

    #[test]
    fn a_pattern_of_any_length_is_compiled_or_refused() {
        let long = |piece: &str| piece.repeat(200_000 / piece.len());
        for (piece, fits) in
            [("a", false), ("?", false), ("*a", false), ("[[:alpha:]]", true), ("*", true)]
        {
            let compiled = Glob::compile(long(piece).as_bytes(), Target::Name);
            assert_eq!(compiled.is_ok(), fits, "{piece}");
        }
        assert!(Glob::compile(long("[").as_bytes(), Target::Name).is_err());
        assert!(Glob::compile(long("\\").as_bytes(), Target::Name).is_err());
    }
}
