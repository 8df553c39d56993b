//! The rules of one file, in order, ready to be asked about one path.
//!
//! Small sets are compared rule by rule. Long runs of plain patterns go to the `ignore` crate, whose
//! hash tables and regex sets do not slow down with the number of patterns; `Rule::plain` says which
//! patterns it reads as git does, and names outside ASCII never go to it.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::glob::{Bytes, Target};
use super::line::Rule;
use crate::names;

/// From this many plain rules in a row on, asking the crate's set is faster than comparing one by
/// one (measured with the names of the Linux kernel's sources). Below, its price is not worth it:
/// about 1 KiB and 30 us for each rule.
const BULK: usize = 512;

/// Most rules of one set that are handed to the crate, for the same price: a rule file of a million lines
/// must not take a gigabyte and a minute. The rest is compared one by one.
const BULK_TOTAL: usize = 20_000;

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

/// One question to a set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Relative to the directory of the rules; just `name` where every rule is on names.
    pub(super) path: &'a [u8],
    /// The last component of `path`.
    pub(super) name: &'a [u8],
    /// At least the bytes of `path`.
    pub(super) path_bytes: Bytes,
    pub(super) is_dir: bool,
}

/// One rule file's rules.
#[derive(Debug)]
pub(super) struct RuleSet {
    rules: Box<[Rule]>,
    /// `Glob::needs` of each rule, side by side: most decisions read nothing else.
    needs: Box<[Bytes]>,
    runs: Box<[Run]>,
    /// Most components that a path matched by a rule on paths can have: 0 when no rule is on paths,
    /// `u32::MAX` when `**` lifts the bound.
    reach: u32,
    /// Only the rules on names, for directories beyond `reach`. Empty here when `reach` is 0.
    names: Option<Arc<RuleSet>>,
    /// Two sets with the same rules have the same.
    digest: u64,
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
    pub(super) fn with_bulk(rules: Vec<Rule>, bulk: usize) -> RuleSet {
        let on_paths = || rules.iter().filter(|rule| rule.target == Target::Path);
        let reach = on_paths().map(|rule| rule.glob.reach().unwrap_or(u32::MAX)).max();
        let names: Vec<Rule> = match reach {
            Some(_) => rules.iter().filter(|r| r.target == Target::Name).cloned().collect(),
            None => Vec::new(),
        };
        let names = (!names.is_empty()).then(|| Arc::new(Self::with_bulk(names, bulk)));
        let runs = runs(&rules, bulk);
        let needs = rules.iter().map(|rule| rule.glob.needs()).collect();
        let digest = BuildHasherDefault::<DefaultHasher>::default().hash_one(&rules);
        RuleSet { rules: rules.into(), needs, runs, reach: reach.unwrap_or(0), names, digest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether both say the same.
    pub(super) fn same(&self, other: &RuleSet) -> bool {
        self.digest == other.digest && self.rules.len() == other.rules.len()
    }

    /// See the field.
    pub(super) fn reach(&self) -> u32 {
        self.reach
    }

    /// What remains of this set where paths have more components than `reach`; `None`: nothing.
    pub(super) fn beyond_reach(self: &Arc<RuleSet>) -> Option<Arc<RuleSet>> {
        if self.reach == 0 { Some(Arc::clone(self)) } else { self.names.clone() }
    }

    /// Asks about one path, relative to the rule file's directory.
    pub(super) fn verdict(&self, asked: &Asked<'_>) -> Verdict {
        for run in self.runs.iter().rev() {
            let verdict = match &run.bulk {
                Some(bulk) if asked.path.is_ascii() => {
                    match bulk.matched(Path::new(&*names::as_os(asked.path)), asked.is_dir) {
                        ignore::Match::None => Verdict::Silent,
                        ignore::Match::Ignore(_) => Verdict::Ignore,
                        ignore::Match::Whitelist(_) => Verdict::Keep,
                    }
                }
                _ => self.one_by_one(run.range.clone(), asked),
            };
            if verdict != Verdict::Silent {
                return verdict;
            }
        }
        Verdict::Silent
    }

    fn one_by_one(&self, range: Range<usize>, asked: &Asked<'_>) -> Verdict {
        let needs = &self.needs[range.clone()];
        for (rule, needs) in self.rules[range].iter().zip(needs).rev() {
            if !asked.path_bytes.may_have(*needs) || rule.dir_only && !asked.is_dir {
                continue;
            }
            let text = if rule.target == Target::Name { asked.name } else { asked.path };
            if rule.glob.matches(text) {
                return if rule.keeps { Verdict::Keep } else { Verdict::Ignore };
            }
        }
        Verdict::Silent
    }
}

fn runs(rules: &[Rule], bulk: usize) -> Box<[Run]> {
    let mut runs: Vec<Run> = Vec::new();
    let mut room = BULK_TOTAL;
    for chunk in rules.chunk_by(|a, b| a.plain.is_some() == b.plain.is_some()) {
        let start = runs.last().map_or(0, |run| run.range.end);
        let range = start..start + chunk.len();
        let worthwhile = (bulk.max(1)..=room).contains(&chunk.len());
        let crate_set = if worthwhile { compile(chunk) } else { None };
        room -= if worthwhile { chunk.len() } else { 0 };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::line;
    use proptest::prelude::*;

    fn lines() -> impl Strategy<Value = Vec<String>> {
        let line = "!?/?([ab.*?/+#!]|\\[ab\\]|\\[c1\\]){1,6}/?";
        proptest::collection::vec(line, 1..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// The crate's sets and our own matching are two implementations of the same thing; the
        /// tests against git reach the crate only with very long files.
        #[test]
        fn the_crate_and_one_by_one_agree(
            lines in lines(),
            paths in proptest::collection::vec("([.]?[abc1+#!][abc1.+#!]{0,3}/){0,2}[.]?[abc1+#!][abc1.+#!]{0,3}", 1..30),
        ) {
            let (rules, _) = line::parse(lines.join("\n").as_bytes());
            let bulk = RuleSet::with_bulk(rules.clone(), 1);
            let single = RuleSet::with_bulk(rules, usize::MAX);
            prop_assert!(single.runs.iter().all(|run| run.bulk.is_none()));
            for path in &paths {
                let path = path.as_bytes();
                let name = path.rsplit(|b| *b == b'/').next().unwrap();
                let path_bytes = Bytes::of(path);
                for is_dir in [false, true] {
                    let asked = Asked { path, name, path_bytes, is_dir };
                    prop_assert_eq!(bulk.verdict(&asked), single.verdict(&asked), "{:?}", path);
                }
            }
        }
    }

    #[test]
    fn long_plain_runs_go_to_the_crate_and_odd_lines_do_not() {
        let text: String = (0..BULK).map(|n| format!("*.x{n}\n")).collect();
        let (rules, bad) = line::parse([&text, "{a}\n[a-c]\n!x.x1\n"].concat().as_bytes());
        assert!(bad.is_empty());
        let set = RuleSet::new(rules);
        let bulk: Vec<bool> = set.runs.iter().map(|run| run.bulk.is_some()).collect();
        assert_eq!(bulk, [true, false]);
    }

    #[test]
    fn only_so_many_rules_go_to_the_crate() {
        let many: String = (0..BULK_TOTAL - BULK).map(|n| format!("a{n}\n")).collect();
        let few: String = (0..BULK + 1).map(|n| format!("b{n}\n")).collect();
        let (rules, _) = line::parse([&many, "{a}\n", &few].concat().as_bytes());
        let set = RuleSet::new(rules);
        let bulk: Vec<bool> = set.runs.iter().map(|run| run.bulk.is_some()).collect();
        assert_eq!(bulk, [true, false]);
        let name = b"b7";
        let asked = Asked { path: name, name, path_bytes: Bytes::of(name), is_dir: false };
        assert_eq!(set.verdict(&asked), Verdict::Ignore);
    }

    #[test]
    fn rules_on_names_outlive_rules_on_paths() {
        let (rules, _) = line::parse(b"*.o\n/a\nb/c/d\n");
        let set = Arc::new(RuleSet::new(rules));
        assert_eq!(set.reach(), 3);
        let rest = set.beyond_reach().unwrap();
        assert_eq!((rest.reach(), rest.rules.len()), (0, 1));
        let (rules, _) = line::parse(b"a/**\n");
        let set = Arc::new(RuleSet::new(rules));
        assert_eq!(set.reach(), u32::MAX);
        assert!(set.beyond_reach().is_none());
    }
}
