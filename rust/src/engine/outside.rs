//! What lies outside the tree and still decides: the root's own identity, what is mounted below it, and rule
//! files above the root or in `.git`. It is looked at when `hearing` says that something happened there, at the
//! beginning of each sync, and by the clock: once a second where nobody tells.

use super::core::{Core, External, Platform};
use crate::clock::Now;
use crate::model::Kind;
use crate::tree::{NodeId, ROOT};

/// A rule file may name another one, that one the next; then they are read as they are.
const MOST_LOADS: usize = 4;

impl Core {
    /// Is the root still the directory that it was?
    pub(super) fn check_root(&mut self, platform: &mut impl Platform) {
        match platform.lstat(b"") {
            Ok(stat) if stat.kind == Kind::Dir => {
                let identity = (stat.dev, stat.ino);
                let replaced = self.root_identity.is_some_and(|known| known != identity);
                if replaced || self.root_missing {
                    self.root_missing = false;
                    self.renew_recursive_watch(platform);
                    self.rescans += 1;
                    self.request_listing(ROOT, true);
                    self.tell_root_back();
                }
                self.root_identity = Some(identity);
            }
            _ if self.root_missing => {}
            _ => {
                self.root_missing = true;
                self.tell_root_gone(platform);
            }
        }
    }

    /// A file system that is mounted over a directory, or taken away, says nothing: look everywhere.
    pub(super) fn check_mounts(&mut self, now: Now, platform: &mut impl Platform) {
        if platform.mounts_changed() {
            self.renew_recursive_watch(platform);
            self.rescans += 1;
            self.request_root_scan(now);
        }
    }

    /// Have these files looked at from now on for `dir`, and no others. True when there are some among them
    /// that were not looked at before: they may have changed after they were read and before this call, so
    /// they are to be read once more. The signatures of the others were taken before they were read.
    pub(super) fn set_externals(
        &mut self,
        dir: NodeId,
        files: Vec<std::path::PathBuf>,
        platform: &mut impl Platform,
    ) -> bool {
        let generation = self.tree.generation(dir);
        let known = |external: &External| external.dir == dir && external.generation == generation;
        if files.is_empty() && !self.externals.iter().any(known) {
            return false;
        }
        self.externals.retain(|external| {
            external.dir != dir || known(external) && files.contains(&external.path)
        });
        let mut unseen = false;
        for path in files {
            if !self.externals.iter().any(|external| known(external) && external.path == path) {
                unseen = true;
                self.look_outside_soon();
                let signature = platform.signature(&path);
                self.externals.push(External { path, signature, dir, generation });
            }
        }
        unseen
    }

    /// Whatever is told of rule files outside the tree, they are looked at: there are only a few.
    pub(super) fn check_externals(&mut self, now: Now, platform: &mut impl Platform) {
        let mut changed = Vec::new();
        let tree = &self.tree;
        self.externals.retain(|external| {
            tree.is_live(external.dir) && tree.generation(external.dir) == external.generation
        });
        for external in &mut self.externals {
            let signature = platform.signature(&external.path);
            if signature != external.signature {
                external.signature = signature;
                changed.push(external.dir);
            }
        }
        for dir in changed {
            if dir == ROOT {
                self.reload_rules(now, platform);
            } else {
                self.request_listing(dir, true);
            }
        }
    }

    /// Load the rules from outside the root again, and let a scan find what they hide and reveal.
    pub(super) fn reload_rules(&mut self, now: Now, platform: &mut impl Platform) {
        self.load_outside(platform);
        // What is to be watched for them may be there by now.
        self.look_outside_soon();
        self.request_root_scan(now);
    }

    /// Read the rules from outside the root, until nothing was read that was not looked at before.
    pub(super) fn load_outside(&mut self, platform: &mut impl Platform) {
        for _ in 0..MOST_LOADS {
            let (outside, files, problems) = platform.load_rules();
            self.outside = outside;
            self.note_rule_problems(&problems);
            if !self.set_externals(ROOT, files, platform) {
                break;
            }
        }
    }

    pub(super) fn note_rule_problems(&mut self, problems: &[String]) {
        self.problems.retain(|path, _| !path.starts_with(b"(rules) "));
        for problem in problems {
            let key = [b"(rules) ", problem.as_bytes()].concat();
            self.problems.insert(key, problem.clone());
        }
    }
}
