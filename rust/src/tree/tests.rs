//! The tree against a plain map of paths.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn stat(ino: u64) -> (u64, i64, i64, u64) {
    (ino * 3, 5, 7, ino)
}

#[test]
fn a_million_files_fit_in_150_megabytes() {
    let mut tree = Tree::new();
    for dir in 0..10_000u64 {
        let parent = tree.insert(ROOT, format!("directory-{dir}").as_bytes(), true).unwrap();
        for file in 0..100u64 {
            let id = tree.insert(parent, format!("module_{file:04}.py").as_bytes(), false).unwrap();
            let (size, mtime, ctime, ino) = stat(dir * 100 + file + 1);
            tree.set_stat(id, size, mtime, ctime, ino);
        }
    }
    assert_eq!(tree.files(), 1_000_000);
    assert!(tree.bytes_held() < 150_000_000, "{} bytes", tree.bytes_held());
}

#[test]
fn a_directory_rename_moves_the_paths_below_it() {
    let mut tree = Tree::new();
    let a = tree.insert(ROOT, b"a", true).unwrap();
    let s = tree.insert(a, b"s", true).unwrap();
    let f = tree.insert(s, b"f", false).unwrap();
    tree.detach(a);
    assert_eq!(tree.path(f), None);
    assert!(tree.attach(a, ROOT, b"b"));
    assert_eq!(tree.path(f).unwrap(), b"b/s/f");
    assert_eq!(tree.find(b"a"), None);
    assert_eq!(tree.find(b"b/s/f"), Some(f));
}

#[test]
fn a_reused_slot_has_another_generation() {
    let mut tree = Tree::new();
    let first = tree.insert(ROOT, b"x", false).unwrap();
    let generation = tree.generation(first);
    tree.remove(first);
    let second = tree.insert(ROOT, b"y", false).unwrap();
    assert_eq!(first, second);
    assert_ne!(generation, tree.generation(second));
}

#[test]
fn hard_links_are_found_together() {
    let mut tree = Tree::new();
    let a = tree.insert(ROOT, b"a", false).unwrap();
    let b = tree.insert(ROOT, b"b", false).unwrap();
    tree.set_stat(a, 1, 1, 1, 42);
    tree.set_stat(b, 1, 1, 1, 42);
    let mut found: Vec<_> = tree.by_ino(42).collect();
    found.sort_unstable();
    assert_eq!(found, [a, b]);
    tree.remove(a);
    assert_eq!(tree.by_ino(42).collect::<Vec<_>>(), [b]);
}

#[test]
fn churn_does_not_grow_the_names() {
    let mut tree = Tree::new();
    let keep = tree.insert(ROOT, b"keep", false).unwrap();
    for round in 0..200_000u32 {
        let id = tree.insert(ROOT, format!("temporary-name-{round}").as_bytes(), false).unwrap();
        tree.remove(id);
    }
    assert_eq!(tree.path(keep).unwrap(), b"keep");
    assert!(tree.bytes_held() < 8_000_000, "{} bytes", tree.bytes_held());
}

#[derive(Debug, Clone)]
enum Op {
    Insert(u8, u8),
    Remove(u8),
    Move(u8, u8, u8),
    Ino(u8, u8),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Op::Insert(a, b)),
        any::<u8>().prop_map(Op::Remove),
        (any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(a, b, c)| Op::Move(a, b, c)),
        (any::<u8>(), any::<u8>()).prop_map(|(a, b)| Op::Ino(a, b)),
    ];
    proptest::collection::vec(op, 1..120)
}

proptest! {
    /// Directories only (so that each may be a parent), against a map from path to inode.
    #[test]
    fn behaves_like_a_map_of_paths(ops in ops()) {
        let mut tree = Tree::new();
        let mut model: BTreeMap<Vec<u8>, u64> = BTreeMap::from([(Vec::new(), 0)]);
        let pick = |model: &BTreeMap<Vec<u8>, u64>, n: u8| {
            model.keys().nth(usize::from(n) % model.len()).unwrap().clone()
        };
        let join = |parent: &[u8], name: &[u8]| {
            if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() }
        };
        for op in ops {
            match op {
                Op::Insert(at, name) => {
                    let parent = pick(&model, at);
                    let name = [b'a' + name % 5];
                    let path = join(&parent, &name);
                    model.entry(path).or_insert_with(|| {
                        let id = tree.find(&parent).unwrap();
                        tree.insert(id, &name, true).unwrap();
                        0
                    });
                }
                Op::Remove(at) => {
                    let path = pick(&model, at);
                    let prefix = join(&path, b"");
                    let leaf = !model.keys().any(|key| key.starts_with(&prefix) && *key != path);
                    if !path.is_empty() && leaf {
                        tree.remove(tree.find(&path).unwrap());
                        model.remove(&path);
                    }
                }
                Op::Move(at, to, name) => {
                    let (from, parent) = (pick(&model, at), pick(&model, to));
                    let name = [b'a' + name % 5];
                    let target = join(&parent, &name);
                    let id = tree.find(&from).unwrap();
                    let below = tree.is_below(tree.find(&parent).unwrap(), id);
                    if !from.is_empty() && !below && !model.contains_key(&target) {
                        tree.detach(id);
                        tree.attach(id, tree.find(&parent).unwrap(), &name);
                        let prefix = join(&from, b"");
                        let moved: Vec<_> = model
                            .keys()
                            .filter(|key| **key == from || key.starts_with(&prefix))
                            .cloned()
                            .collect();
                        for old in moved {
                            let ino = model.remove(&old).unwrap();
                            model.insert([&target[..], &old[from.len()..]].concat(), ino);
                        }
                    }
                }
                Op::Ino(at, ino) => {
                    let path = pick(&model, at);
                    tree.set_ino(tree.find(&path).unwrap(), u64::from(ino % 7));
                    model.insert(path, u64::from(ino % 7));
                }
            }
            prop_assert_eq!(tree.dirs(), model.len());
            for (path, ino) in &model {
                let id = tree.find(path);
                prop_assert!(id.is_some(), "{:?} is lost", path);
                let id = id.unwrap();
                prop_assert_eq!(tree.ino(id), *ino);
                prop_assert_eq!(tree.path(id).unwrap(), path.clone());
                prop_assert!(*ino == 0 || tree.by_ino(*ino).any(|other| other == id));
            }
        }
    }
}
