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

#[test]
fn renames_do_not_grow_the_names() {
    let mut tree = Tree::new();
    let moved = tree.insert(ROOT, b"moved", true).unwrap();
    let inside = tree.insert(moved, b"inside", false).unwrap();
    for round in 0..600_000u32 {
        tree.detach(moved);
        assert!(tree.attach(moved, ROOT, format!("temporary-name-{round}").as_bytes()));
    }
    assert_eq!(tree.path(inside).unwrap(), b"temporary-name-599999/inside");
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

/// A step of a tree's life; numbers choose among what is there.
#[derive(Debug, Clone)]
enum Life {
    File(u8, u8),
    Dir(u8, u8),
    /// A node with everything below it, deepest first, as the engine drops a subtree.
    Drop(u8),
    Detach(u8),
    /// Put the subtree that was detached last below a directory.
    Attach(u8, u8),
    Commit(u8, u8),
    Forget(u8),
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let byte = any::<u8>;
    let life = prop_oneof![
        6 => (byte(), byte()).prop_map(|(at, name)| Life::File(at, name)),
        4 => (byte(), byte()).prop_map(|(at, name)| Life::Dir(at, name)),
        2 => byte().prop_map(Life::Drop),
        2 => byte().prop_map(Life::Detach),
        2 => (byte(), byte()).prop_map(|(to, name)| Life::Attach(to, name)),
        4 => (byte(), byte()).prop_map(|(at, ino)| Life::Commit(at, ino)),
        1 => byte().prop_map(Life::Forget),
    ];
    proptest::collection::vec(life, 1..150)
}

/// What the model knows of a node: who holds it is a map from id, so that reuse of slots shows.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    parent: Option<NodeId>,
    name: Vec<u8>,
    dir: bool,
    ino: u64,
    size: u64,
    committed: bool,
    generation: u16,
}

/// The tree beside a map from id to node.
struct Pair {
    tree: Tree,
    model: BTreeMap<NodeId, Known>,
    detached: Vec<NodeId>,
    /// The generation under which a slot was last freed.
    freed: BTreeMap<NodeId, u16>,
}

impl Pair {
    fn pick(&self, n: u8, wanted: impl Fn(&NodeId, &Known) -> bool) -> Option<NodeId> {
        let all: Vec<NodeId> =
            self.model.iter().filter(|(id, known)| wanted(id, known)).map(|(id, _)| *id).collect();
        (!all.is_empty()).then(|| all[usize::from(n) % all.len()])
    }

    fn below(&self, id: NodeId) -> Vec<NodeId> {
        let mut all = vec![id];
        let mut at = 0;
        while let Some(&dir) = all.get(at) {
            all.extend(self.model.iter().filter(|(_, n)| n.parent == Some(dir)).map(|(id, _)| id));
            at += 1;
        }
        all
    }

    fn taken(&self, parent: NodeId, name: &[u8]) -> bool {
        self.model.values().any(|known| known.parent == Some(parent) && known.name == name)
    }

    /// The path by the parents in the model; `None` below a detached directory.
    fn path(&self, id: NodeId) -> Option<Vec<u8>> {
        let mut parts = Vec::new();
        let mut at = id;
        while at != ROOT {
            let known = &self.model[&at];
            parts.push(known.name.clone());
            at = known.parent?;
        }
        parts.reverse();
        Some(parts.join(&b'/'))
    }

    fn step(&mut self, life: &Life) -> Result<(), TestCaseError> {
        let name = |n: u8| if n.is_multiple_of(7) { vec![0xff, n] } else { vec![b'a' + n % 6] };
        match *life {
            Life::File(at, n) | Life::Dir(at, n) => {
                let dir = matches!(life, Life::Dir(..));
                let Some(parent) = self.pick(at, |_, known| known.dir) else { return Ok(()) };
                if self.taken(parent, &name(n)) {
                    return Ok(());
                }
                let id = self.tree.insert(parent, &name(n), dir).unwrap();
                let generation = self.tree.generation(id);
                prop_assert_ne!(
                    self.freed.get(&id),
                    Some(&generation),
                    "the same generation again"
                );
                let known = Known {
                    parent: Some(parent),
                    name: name(n),
                    dir,
                    ino: 0,
                    size: 0,
                    committed: false,
                    generation,
                };
                prop_assert_eq!(self.model.insert(id, known), None, "a slot in use");
            }
            Life::Drop(at) => {
                let Some(id) = self.pick(at, |id, _| *id != ROOT) else { return Ok(()) };
                for id in self.below(id).into_iter().rev() {
                    self.freed.insert(id, self.tree.generation(id));
                    self.tree.remove(id);
                    self.model.remove(&id);
                    self.detached.retain(|other| *other != id);
                }
            }
            Life::Detach(at) => {
                let attached = |id: &NodeId, known: &Known| *id != ROOT && known.parent.is_some();
                if let Some(id) = self.pick(at, attached) {
                    self.tree.detach(id);
                    self.model.get_mut(&id).unwrap().parent = None;
                    self.detached.push(id);
                }
            }
            Life::Attach(to, n) => {
                let Some(&id) = self.detached.last() else { return Ok(()) };
                let inside = self.below(id);
                let fits = |other: &NodeId, known: &Known| known.dir && !inside.contains(other);
                let Some(parent) = self.pick(to, fits) else { return Ok(()) };
                if !self.taken(parent, &name(n)) {
                    prop_assert!(self.tree.attach(id, parent, &name(n)));
                    let known = self.model.get_mut(&id).unwrap();
                    (known.parent, known.name) = (Some(parent), name(n));
                    self.detached.pop();
                }
            }
            Life::Commit(at, ino) => {
                let Some(id) = self.pick(at, |_, known| !known.dir) else { return Ok(()) };
                let (ino, size) = (u64::from(ino % 5), u64::from(ino));
                self.tree.set_stat(id, size, 1, 2, ino);
                self.tree.set_known(id, true);
                let known = self.model.get_mut(&id).unwrap();
                (known.ino, known.size, known.committed) = (ino, size, true);
            }
            Life::Forget(at) => {
                let Some(id) = self.pick(at, |_, known| !known.dir) else { return Ok(()) };
                self.tree.set_known(id, false);
                self.model.get_mut(&id).unwrap().committed = false;
            }
        }
        Ok(())
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let Self { tree, model, .. } = self;
        let files: Vec<NodeId> =
            model.iter().filter(|(_, known)| !known.dir).map(|(id, _)| *id).collect();
        prop_assert_eq!((tree.files(), tree.dirs()), (files.len(), model.len() - files.len()));
        prop_assert_eq!(tree.all_files(), files);
        for (&id, known) in model {
            prop_assert!(tree.is_live(id) && tree.is_dir(id) == known.dir);
            prop_assert_eq!(tree.name(id), &known.name[..]);
            prop_assert_eq!(tree.generation(id), known.generation);
            prop_assert_eq!(tree.is_known(id), known.committed);
            prop_assert_eq!((tree.ino(id), tree.stat(id).size), (known.ino, known.size));
            prop_assert_eq!(tree.parent(id), known.parent.unwrap_or(NONE));
            let path = self.path(id);
            prop_assert_eq!(tree.path(id), path.clone());
            if let Some(path) = path {
                prop_assert_eq!(tree.find(&path), Some(id));
            }
            let mut children: Vec<NodeId> = tree.children(id).collect();
            children.sort_unstable();
            let expected: Vec<NodeId> =
                model.iter().filter(|(_, n)| n.parent == Some(id)).map(|(id, _)| *id).collect();
            prop_assert_eq!(children, expected);
        }
        for ino in 1..5 {
            let mut found: Vec<NodeId> = tree.by_ino(ino).collect();
            found.sort_unstable();
            let expected: Vec<NodeId> =
                model.iter().filter(|(_, known)| known.ino == ino).map(|(id, _)| *id).collect();
            prop_assert_eq!(found, expected, "inode {}", ino);
        }
        for id in self.freed.keys().filter(|id| !model.contains_key(id)) {
            prop_assert!(!tree.is_live(*id));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Files and directories, dropped, detached, moved and committed, in slots that are used again.
    #[test]
    fn behaves_like_a_map_of_nodes(lives in lives()) {
        let root = Known {
            parent: None,
            name: Vec::new(),
            dir: true,
            ino: 0,
            size: 0,
            committed: false,
            generation: 0,
        };
        let (detached, freed) = (Vec::new(), BTreeMap::new());
        let model = BTreeMap::from([(ROOT, root)]);
        let mut pair = Pair { tree: Tree::new(), model, detached, freed };
        for life in &lives {
            pair.step(life)?;
            pair.compare()?;
        }
    }
}
