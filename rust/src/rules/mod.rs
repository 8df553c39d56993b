//! Which files and directories exist for Currant: one matcher for the walk, the watcher and the
//! index, with git's semantics.
//!
//! A caller asks [`RootRules`] once per root and then goes down with the directories it lists:
//! `enter` each kept directory with the rule files that its listing showed, `decide` on each name.
//! Decisions are made top down, so that nothing inside an ignored directory is ever asked about, as
//! in git. Nothing here is cached across edits and nothing is mutable: an edit of a rule file makes
//! new rules for its directory, and the caller enters the directories below it again.
//!
//! What decides, strongest first; within one line the deeper file beats the shallower one and the
//! later line beats the earlier one:
//!
//! 1. `.git` and Currant's state directory are always ignored
//! 2. `.currantignore`, which can also bring back what the rest ignores
//! 3. `monitor.ignore_patterns`, which only ever ignores
//! 4. `.ignore`
//! 5. `.gitignore`, then the repository's `info/exclude`, then the user's `core.excludesFile`
//!
//! A repository inside the root starts afresh with 4 and 5; 2 and 3 go on. Trees without any
//! repository obey the same files.
//!
//! Matching is git's own, checked against git in the tests. Long runs of plain patterns go to the
//! `ignore` crate; the rest is matched by `glob.rs`, because the crate differs from git here:
//!
//! | pattern or name | git | crate |
//! |---|---|---|
//! | `{a,b}` | literal braces | alternatives |
//! | `[[:alpha:]]` | POSIX class | a set of the bytes written |
//! | `[` never closed | matches nothing | a literal `[` |
//! | `*`, `?`, `[!a]` against bytes that are not UTF-8 | match | do not match |
//! | `?` against `é` | one of its two bytes | the whole character |
//! | a rule file that is not UTF-8 | bytes | the rest of the file is lost |
//! | tab at the end of a line | belongs to the pattern | is cut |
//! | `foo**/bar` | as if `**` were at the start | as `foo*/bar` |
//! | `foo\/` | matches nothing | as `foo/` |
//!
//! Known differences from git that remain: tracked files that a rule ignores are ignored here too
//! (no index is read); names are always compared with their case (`core.ignoreCase` is not read);
//! a rule file of more than 4 MiB is refused and a pattern of more than 65,536 parts matches nothing;
//! configuration includes and `extensions.worktreeConfig` are not followed.

mod chain;
mod file;
mod fuzz;
mod gitconfig;
mod glob;
mod line;
mod reading;
mod repository;
mod root;
mod set;

pub use chain::DirRules;
pub use file::{RuleError, RuleFiles, is_rule_file};
pub(crate) use fuzz::{fuzz_gitconfig, fuzz_glob, fuzz_rules};
pub use gitconfig::GitEnvironment;
pub use root::{RootRules, RuleOptions, StateDir};

/// The state directory's usual name in the root, ignored there even when the state is elsewhere.
const STATE_DIR: &[u8] = b".currant";

/// What the rules say about one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It exists for Currant: list it, watch it, index it.
    Keep,
    /// It is invisible: not listed, not watched, not opened.
    Ignore,
}
