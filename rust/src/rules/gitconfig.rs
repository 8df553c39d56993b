//! The two keys of git's configuration that decide what is ignored: `core.excludesFile` and
//! `core.bare`. Knows where the files are and how they are written; includes are not followed.

use std::path::{Path, PathBuf};

use super::reading;
use crate::names;

/// A larger file is taken for no configuration.
const MAX_BYTES: u64 = 4 << 20;

/// What git would read from its environment. Tests pass their own; everyone else `from_env`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    /// `HOME`: for `~/` and for the defaults of the other places.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, where it differs from `~/.config`.
    pub xdg_config_home: Option<PathBuf>,
    /// `GIT_CONFIG_GLOBAL`: read instead of `~/.gitconfig` and the file below `xdg_config_home`.
    pub config_global: Option<PathBuf>,
    /// The machine's file: `GIT_CONFIG_SYSTEM`, by default `/etc/gitconfig`; `None` leaves it out.
    pub config_system: Option<PathBuf>,
}

impl GitEnvironment {
    /// Reads this process's environment variables.
    pub fn from_env() -> GitEnvironment {
        let path = |key: &str| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
        let nosystem = std::env::var_os("GIT_CONFIG_NOSYSTEM")
            .is_some_and(|v| !matches!(v.to_str(), Some("" | "0" | "false" | "no" | "off")));
        let system = path("GIT_CONFIG_SYSTEM").or_else(|| Some(PathBuf::from("/etc/gitconfig")));
        GitEnvironment {
            home: path("HOME"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            // Set but empty means "no such file" to git, hence no filter here.
            config_global: std::env::var_os("GIT_CONFIG_GLOBAL").map(PathBuf::from),
            config_system: if nosystem { None } else { system },
        }
    }

    fn xdg(&self, below: &str) -> Option<PathBuf> {
        let base = self.xdg_config_home.clone();
        base.or_else(|| Some(self.home.as_ref()?.join(".config"))).map(|dir| dir.join(below))
    }

    /// The user's and the machine's configuration files, strongest first; they need not exist.
    pub(super) fn config_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        match &self.config_global {
            Some(path) => files.extend((!path.as_os_str().is_empty()).then(|| path.clone())),
            None => {
                files.extend(self.home.as_ref().map(|home| home.join(".gitconfig")));
                files.extend(self.xdg("git/config"));
            }
        }
        files.extend(self.config_system.clone());
        files
    }

    /// The excludes file of a repository: its own `config` file is the strongest, then
    /// `config_files`, then git's default place. A relative path counts from `top`.
    pub(super) fn excludes_file(&self, config: Option<&Path>, top: &Path) -> Option<PathBuf> {
        let user = self.config_files();
        let configs = config.into_iter().chain(user.iter().map(PathBuf::as_path));
        let named = configs.into_iter().find_map(|file| Config::read(file).excludes_file);
        match named {
            None => self.xdg("git/ignore"),
            // An empty value switches the default off.
            Some(value) if value.is_empty() => None,
            Some(value) => Some(match value.strip_prefix(b"~/") {
                Some(rest) => self.home.as_ref()?.join(names::as_os(rest)),
                None => top.join(names::as_os(&value)),
            }),
        }
    }
}

/// What one configuration file says; a later line beats an earlier one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) excludes_file: Option<Vec<u8>>,
    pub(super) bare: bool,
}

impl Config {
    /// An unreadable file says nothing, as in git for files that need not exist.
    pub(super) fn read(file: &Path) -> Config {
        reading::read(file, true, MAX_BYTES).map(|text| Config::parse(&text)).unwrap_or_default()
    }

    pub(super) fn parse(text: &[u8]) -> Config {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut config = Config::default();
        let mut in_core = false;
        let mut rest = text;
        while let Some(&byte) = rest.first() {
            match byte {
                b'[' => {
                    let end = rest.iter().position(|b| matches!(b, b']' | b'\n'));
                    let end = end.unwrap_or(rest.len());
                    in_core = rest[1..end].eq_ignore_ascii_case(b"core");
                    rest = rest.get(end + 1..).unwrap_or_default();
                }
                b'#' | b';' => rest = after_line(rest),
                b if b.is_ascii_alphabetic() => {
                    let end = rest.iter().position(|b| !(b.is_ascii_alphanumeric() || *b == b'-'));
                    let (key, tail) = rest.split_at(end.unwrap_or(rest.len()));
                    let tail = without_blanks(tail);
                    let value;
                    (value, rest) = match tail.strip_prefix(b"=") {
                        Some(tail) => read_value(tail),
                        None => (None, after_line(tail)),
                    };
                    if in_core && key.eq_ignore_ascii_case(b"excludesfile") {
                        config.excludes_file = value.or(config.excludes_file);
                    } else if in_core && key.eq_ignore_ascii_case(b"bare") {
                        // A key without `=` is true.
                        config.bare = value.is_none_or(|v| {
                            [&b"true"[..], b"yes", b"on", b"1"]
                                .iter()
                                .any(|yes| v.eq_ignore_ascii_case(yes))
                        });
                    }
                }
                _ => rest = &rest[1..],
            }
        }
        config
    }
}

fn after_line(text: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', text).map_or(&[], |end| &text[end + 1..])
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r')).count();
    &text[blanks..]
}

/// Reads a value from after its `=`: the value, or `None` when git would call it broken, and the
/// text after its line.
fn read_value(text: &[u8]) -> (Option<Vec<u8>>, &[u8]) {
    let text = without_blanks(text);
    let mut value = Vec::new();
    // Blanks outside quotes count only when something follows them.
    let mut kept = 0;
    let mut quoted = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\n' => {
                value.truncate(kept);
                return ((!quoted).then_some(value), &text[at..]);
            }
            b'"' => {
                quoted = !quoted;
                kept = value.len();
            }
            b'#' | b';' if !quoted => {
                value.truncate(kept);
                return (Some(value), after_line(&text[at - 1..]));
            }
            b'\\' => {
                let escaped = text.get(at).copied();
                at += 1;
                match escaped {
                    Some(b'\n') => continue,
                    Some(b'\r') if text.get(at) == Some(&b'\n') => {
                        at += 1;
                        continue;
                    }
                    Some(b'n') => value.push(b'\n'),
                    Some(b't') => value.push(b'\t'),
                    Some(b'b') => value.push(8),
                    Some(plain @ (b'"' | b'\\')) => value.push(plain),
                    _ => return (None, after_line(&text[at - 1..])),
                }
                kept = value.len();
            }
            b' ' | b'\t' | b'\r' if !quoted => value.push(byte),
            other => {
                value.push(other);
                kept = value.len();
            }
        }
    }
    value.truncate(kept);
    ((!quoted).then_some(value), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(text: &str) -> Option<String> {
        Config::parse(text.as_bytes()).excludes_file.map(|v| String::from_utf8(v).unwrap())
    }

    #[test]
    fn the_value_is_read_as_git_writes_it() {
        for (text, expected) in [
            ("[core]\n\texcludesFile = /a/b c \n", Some("/a/b c")),
            ("[CORE]excludesfile=~/x ; note\n", Some("~/x")),
            ("[core]\nexcludesFile = \"a # b \" # c", Some("a # b ")),
            ("[core]\nexcludesFile = a\\\nb\n", Some("ab")),
            ("[core]\nexcludesFile = a\\\\b\\\"\n", Some("a\\b\"")),
            ("[core]\nexcludesFile = one\n[user]\nexcludesFile = two\n", Some("one")),
            ("[core \"sub\"]\nexcludesFile = x\n", None),
            ("[core]\nexcludesFile = one\nexcludesFile = two\r\n", Some("two")),
            ("# [core]\n; excludesFile = x\n", None),
            ("[core]\nexcludesFile =\n", Some("")),
            ("[core]\nexcludesFile\n", None),
            ("[core]\n excludesFileX = 1\n", None),
        ] {
            assert_eq!(excludes(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn bare_is_a_boolean() {
        assert!(Config::parse(b"[core]\n\tbare = true\n").bare);
        assert!(Config::parse(b"[core]\n\tbare\n").bare);
        assert!(!Config::parse(b"[core]\n\tbare = false\n").bare);
    }
}
