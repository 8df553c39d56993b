//! The rules of one file, in order, ready to be asked about one path.
//!
//! Small sets are compared rule by rule. Long runs of plain patterns go to the `ignore` crate, whose
//! hash tables and regex sets do not slow down with the number of patterns; `Rule::plain` says which
//! patterns it reads as git does, and names outside ASCII never go to it.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::glob::Target;
use super::line::Rule;

/// From this many plain rules in a row on, the crate's set is faster than comparing one by one
/// (measured with the names of the Linux kernel's sources) and worth its memory.
const BULK: usize = 64;

/// What one file's rules say about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No rule matches.
    Silent,
    /// The last matching rule ignores.
    Ignore,
    /// The last matching rule begins with `!`.
    Keep,
}

/// One rule file's rules.
#[derive(Debug)]
pub(super) struct RuleSet {
    rules: Box<[Rule]>,
    runs: Box<[Run]>,
    /// Most components that a path matched by a rule on paths can have: 0 when no rule is on paths,
    /// `u32::MAX` when `**` lifts the bound.
    reach: u32,
    /// Only the rules on names, for directories beyond `reach`. Empty here when `reach` is 0.
    names: Option<Arc<RuleSet>>,
}

/// Consecutive rules that are asked in one way.
#[derive(Debug)]
struct Run {
    range: Range<usize>,
    bulk: Option<Gitignore>,
}

impl RuleSet {
    pub(super) fn new(rules: Vec<Rule>) -> RuleSet {
        Self::with_bulk(rules, BULK)
    }

    /// `bulk`: the least number of plain rules in a row that are handed to the crate.
    fn with_bulk(rules: Vec<Rule>, bulk: usize) -> RuleSet {
        let on_paths = || rules.iter().filter(|rule| rule.target == Target::Path);
        let reach = on_paths().map(|rule| rule.glob.reach().unwrap_or(u32::MAX)).max();
        let names: Vec<Rule> = match reach {
            Some(_) => rules.iter().filter(|r| r.target == Target::Name).cloned().collect(),
            None => Vec::new(),
        };
        let names = (!names.is_empty()).then(|| Arc::new(Self::with_bulk(names, bulk)));
        let runs = runs(&rules, bulk);
        RuleSet { rules: rules.into(), runs, reach: reach.unwrap_or(0), names }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// See the field.
    pub(super) fn reach(&self) -> u32 {
        self.reach
    }

    /// What remains of this set where paths have more components than `reach`; `None`: nothing.
    pub(super) fn beyond_reach(self: &Arc<RuleSet>) -> Option<Arc<RuleSet>> {
        if self.reach == 0 { Some(Arc::clone(self)) } else { self.names.clone() }
    }

    /// Asks about `path`, relative to the rule file's directory, whose last component is `name`.
    /// `path` may be just `name` where every rule is on names.
    pub(super) fn verdict(&self, path: &[u8], name: &[u8], is_dir: bool) -> Verdict {
        for run in self.runs.iter().rev() {
            let verdict = match &run.bulk {
                Some(bulk) if path.is_ascii() => {
                    let found = bulk.matched(Path::new(OsStr::from_bytes(path)), is_dir);
                    match found {
                        ignore::Match::None => Verdict::Silent,
                        ignore::Match::Ignore(_) => Verdict::Ignore,
                        ignore::Match::Whitelist(_) => Verdict::Keep,
                    }
                }
                _ => one_by_one(&self.rules[run.range.clone()], path, name, is_dir),
            };
            if verdict != Verdict::Silent {
                return verdict;
            }
        }
        Verdict::Silent
    }
}

fn one_by_one(rules: &[Rule], path: &[u8], name: &[u8], is_dir: bool) -> Verdict {
    for rule in rules.iter().rev() {
        if rule.dir_only && !is_dir {
            continue;
        }
        let text = if rule.target == Target::Name { name } else { path };
        if rule.glob.matches(text) {
            return if rule.keeps { Verdict::Keep } else { Verdict::Ignore };
        }
    }
    Verdict::Silent
}

fn runs(rules: &[Rule], bulk: usize) -> Box<[Run]> {
    let mut runs: Vec<Run> = Vec::new();
    for chunk in rules.chunk_by(|a, b| a.plain.is_some() == b.plain.is_some()) {
        let start = runs.last().map_or(0, |run| run.range.end);
        let range = start..start + chunk.len();
        let crate_set = if chunk.len() >= bulk.max(1) { compile(chunk) } else { None };
        match runs.last_mut() {
            // Neighbours that are both asked one by one need no border.
            Some(last) if last.bulk.is_none() && crate_set.is_none() => last.range.end = range.end,
            _ => runs.push(Run { range, bulk: crate_set }),
        }
    }
    runs.into()
}

/// `None` when a rule is not plain or the crate refuses (its regexes have a size limit): the rules
/// are then compared one by one, which is slower and never wrong.
fn compile(rules: &[Rule]) -> Option<Gitignore> {
    let mut builder = GitignoreBuilder::new("");
    for rule in rules {
        builder.add_line(None, rule.plain.as_deref()?).ok()?;
    }
    builder.build().ok()
}
