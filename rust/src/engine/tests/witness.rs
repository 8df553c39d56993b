//! For a caller without an index: what he is told, taken together, is always what is on the disk.

use std::collections::BTreeSet;

use super::disk::Disk;
use super::world::{MS, World, settings};
use crate::engine::change::{Change, ChangeKind, Outcome};
use crate::engine::core::Settings;
use crate::model::Kind;

/// What a caller believes is there who applies every change that he is told.
struct Caller {
    world: World,
    known: BTreeSet<String>,
    /// Each change as told, a subtree with what was below it.
    told: Vec<String>,
}

fn witness() -> Settings {
    Settings { witness: true, rules: false, ..settings() }
}

fn paths(disk: &Disk, dir: &str, recursive: bool, found: &mut BTreeSet<String>) {
    for (name, kind) in disk.names(dir) {
        let name = String::from_utf8(name).unwrap();
        let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
        if kind == Kind::Dir && recursive {
            paths(disk, &path, recursive, found);
        }
        found.insert(path);
    }
}

impl Caller {
    fn new(files: &[&str], settings: Settings) -> Self {
        let recursive = settings.recursive;
        let mut disk = Disk::new();
        for file in files {
            if let Some(cut) = file.rfind('/') {
                disk.mkdirs(&file[..cut]);
            }
            disk.write(file);
        }
        let mut known = BTreeSet::new();
        paths(&disk, "", recursive, &mut known);
        let mut caller = Self { world: World::start(disk, settings), known, told: Vec::new() };
        caller.rest();
        assert_eq!(caller.told, [""; 0], "what was there is not told");
        caller
    }

    fn disk(&mut self) -> &mut Disk {
        self.world.disk()
    }

    /// Take what is handed out.
    fn take(&mut self) {
        for task in std::mem::take(&mut self.world.tasks) {
            self.note(&task.change);
            self.world.ack(task.change.ticket, Outcome::Seen, None);
        }
    }

    fn note(&mut self, change: &Change) {
        let text = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
        let path = text(&change.path);
        let below: Vec<String> =
            change.below.iter().map(|name| format!("/{}", text(name))).collect();
        let all = || std::iter::once("").chain(below.iter().map(String::as_str));
        match (change.kind, change.old_path.as_deref().map(text)) {
            (ChangeKind::Created, _) => assert!(self.known.insert(path.clone()), "{path} is known"),
            (ChangeKind::Modified, _) => assert!(self.known.contains(&path), "{path} is not known"),
            (ChangeKind::Deleted, _) => {
                for name in all() {
                    // After enough renames one inside the other it may be told twice, of what is gone.
                    self.known.remove(&format!("{path}{name}"));
                }
            }
            (ChangeKind::Renamed, old) => {
                let old = old.unwrap();
                for name in all() {
                    assert!(self.known.remove(&format!("{old}{name}")), "{old}{name} is not known");
                    assert!(self.known.insert(format!("{path}{name}")), "{path}{name} is known");
                }
            }
        }
        let old =
            change.old_path.as_deref().map(|old| format!("{} -> ", text(old))).unwrap_or_default();
        let mut below = below;
        below.sort();
        self.told.push(format!("{} {old}{path}{}", change.kind.as_str(), below.concat()));
    }

    /// Until nothing is left to be told.
    fn rest(&mut self) {
        for _ in 0..8 {
            while !self.world.machine.disk.queue.is_empty() || !self.world.machine.jobs.is_empty() {
                self.world.events();
                self.world.listings();
            }
            self.world.now += MS * 200;
            self.world.turn();
            while !self.world.tasks.is_empty() {
                self.take();
                self.world.turn();
            }
        }
    }

    /// What was told since, in the order of the text.
    fn said(&mut self) -> Vec<String> {
        self.rest();
        let mut told = std::mem::take(&mut self.told);
        told.sort();
        self.check();
        told
    }

    fn check(&mut self) {
        let mut there = BTreeSet::new();
        paths(&self.world.machine.disk, "", self.world.core.settings.recursive, &mut there);
        assert_eq!(self.known, there);
    }
}

#[test]
fn directories_and_links_are_told_like_files() {
    let mut caller = Caller::new(&["a/f"], witness());
    caller.disk().mkdirs("b/c");
    caller.disk().write("b/c/g");
    caller.disk().symlink("a/link");
    let expected = ["created a/link", "created b", "created b/c", "created b/c/g"];
    assert_eq!(caller.said(), expected);
    caller.disk().write("a/f");
    assert_eq!(caller.said(), ["modified a/f"]);
}

#[test]
fn a_subtree_says_what_was_below_it() {
    let mut caller = Caller::new(&["a/b/f", "a/g", "h"], witness());
    caller.disk().rename("a", "moved");
    assert_eq!(caller.said(), ["renamed a -> moved/b/b/f/g"]);
    caller.disk().rename("moved/b", "out");
    for path in ["moved/g", "moved", "out/f", "out"] {
        caller.disk().remove(path);
    }
    caller.said();
    assert_eq!(caller.known, BTreeSet::from(["h".to_owned()]));
}

#[test]
fn nothing_below_the_roots_own_directories_when_not_recursive() {
    let mut caller = Caller::new(&["a/f", "g"], Settings { recursive: false, ..witness() });
    caller.disk().write("a/f");
    caller.disk().mkdir("b");
    caller.disk().write("b/f");
    caller.disk().write("g");
    assert_eq!(caller.said(), ["created b", "modified g"]);
    caller.disk().rename("b", "c");
    caller.said();
}

#[test]
fn a_file_that_is_only_closed_again_did_not_change() {
    let mut caller = Caller::new(&["f"], witness());
    let wd = caller.disk().watch("").unwrap();
    let mask = crate::source::Mask(crate::source::Mask::CLOSE_WRITE);
    let closed = || crate::source::Item::Entry { wd, mask, cookie: 0, name: b"f".to_vec() };
    caller.disk().queue.push_back(closed());
    assert_eq!(caller.said(), [""; 0]);
    // A store through a map: the file's times say it.
    caller.disk().write_quietly("f");
    caller.disk().queue.push_back(closed());
    assert_eq!(caller.said(), ["modified f"]);
}

/// A small generator of numbers, so that a failure names its seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn whatever_happens_the_caller_knows_what_is_there() {
    let names = ["a", "b", "c"];
    for seed in 0..600 {
        let mut numbers = Numbers(seed);
        let mut caller = Caller::new(&["a/b/c", "a/a", "b/a/a", "c"], witness());
        for _ in 0..60 {
            let mut path = || {
                let depth = 1 + numbers.below(3);
                (0..depth).map(|_| names[numbers.below(3)]).collect::<Vec<_>>().join("/")
            };
            let (one, two) = (path(), path());
            let what = numbers.below(12);
            match what {
                0..=2 => drop(caller.disk().write(&one)),
                3 => drop(caller.disk().mkdir(&one)),
                4 => drop(caller.disk().remove(&one)),
                5..=6 => drop(caller.disk().rename(&one, &two)),
                7 => drop(caller.disk().symlink(&one)),
                8 => drop(caller.world.event()),
                9 => caller.world.listings(),
                10 => {
                    caller.world.now += MS * 70;
                    caller.world.turn();
                }
                _ => caller.take(),
            }
        }
        caller.rest();
        let known = caller.known.clone();
        let mut there = BTreeSet::new();
        paths(&caller.world.machine.disk, "", true, &mut there);
        assert_eq!(known, there, "seed {seed}");
    }
}
