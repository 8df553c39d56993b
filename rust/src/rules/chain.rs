//! The rules that hold in one directory: an immutable list of rule sets, strongest first, shared
//! between all directories in which the same rules hold.
//!
//! A directory differs from its parent when it has rule files of its own, when it is a repository
//! of its own, or when a rule of an ancestor looks at paths and can still match this deep. In all
//! other cases both hold the same pointer, which is the usual case in a large tree.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::file::{self, Links, RuleError, RuleFiles};
use super::glob::Bytes;
use super::repository::Repository;
use super::root::Shared;
use super::set::{Asked, RuleSet, Verdict};
use super::{Decision, STATE_DIR};
use crate::names;

/// Where a set of rules comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Currantignore,
    /// `monitor.ignore_patterns`: these only ever ignore.
    Config,
    Ignore,
    Gitignore,
    InfoExclude,
    UserExcludes,
}

/// One set of rules as seen from one directory.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    source: Source,
    /// How many directories lie between the one the rules belong to and this one.
    depth: u32,
    /// Where paths for this set begin in the node's `prefix`; `None` when all its rules are on names.
    start: Option<u32>,
    set: Arc<RuleSet>,
}

impl Layer {
    /// The layer in the directory that its rules belong to. `prefix`: length of that node's.
    fn here(source: Source, set: Arc<RuleSet>, prefix: usize) -> Option<Layer> {
        let start = (set.reach() > 0).then_some(u32::try_from(prefix).unwrap_or(u32::MAX));
        (!set.is_empty()).then_some(Layer { source, depth: 0, start, set })
    }

    /// The layer one directory further down.
    fn below(&self) -> Option<Layer> {
        let mut layer = self.clone();
        layer.depth = self.depth.saturating_add(1);
        if layer.start.is_some() && layer.set.reach() <= layer.depth {
            layer.set = layer.set.beyond_reach()?;
            layer.start = None;
        }
        Some(layer)
    }
}

/// The rules for the children of one directory. Cheap to clone, safe to share between threads, and
/// never changed: an edit makes a new one through [`DirRules::enter`] or [`DirRules::reload`].
#[derive(Debug, Clone)]
pub struct DirRules(Arc<Node>);

#[derive(Debug)]
struct Node {
    shared: Arc<Shared>,
    /// Sorted by source; within one source the deepest directory comes first.
    layers: Box<[Layer]>,
    /// The path to this directory, each component followed by `/`, from the shallowest directory
    /// that a layer's `start` asks for. Empty when no layer looks at paths.
    prefix: Box<[u8]>,
    prefix_bytes: Bytes,
    /// Only in a directory that has something of its own.
    own: Option<Box<Own>>,
    /// The rules of every child directory, made on first use, when the child's name makes no
    /// difference.
    below: OnceLock<DirRules>,
}

/// What belongs to exactly one directory.
#[derive(Debug)]
struct Own {
    dir: PathBuf,
    /// The rules of this directory if it had nothing of its own.
    inherited: DirRules,
    /// Names that Currant keeps for itself here.
    private: Vec<Box<[u8]>>,
    external: Vec<PathBuf>,
    /// A nested repository that is left out.
    skipped: bool,
}

thread_local! {
    /// The path under decision. Kept between calls so that a decision does not allocate.
    static PATH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl DirRules {
    /// The rules above everything.
    pub(super) fn nothing(shared: Arc<Shared>) -> DirRules {
        Self::node(shared, Vec::new(), Vec::new(), None)
    }

    fn node(
        shared: Arc<Shared>,
        layers: Vec<Layer>,
        prefix: Vec<u8>,
        own: Option<Box<Own>>,
    ) -> DirRules {
        DirRules(Arc::new(Node {
            shared,
            layers: layers.into(),
            prefix_bytes: Bytes::of(&prefix),
            prefix: prefix.into(),
            own,
            below: OnceLock::new(),
        }))
    }

    /// Decides on one child of this directory by its name. Never touches the disk. `is_dir` as
    /// `lstat` says: a link to a directory is not one.
    pub fn decide(&self, name: &[u8], is_dir: bool) -> Decision {
        let node = &*self.0;
        if node.shared.options.off {
            return Decision::Keep;
        }
        if name == b".git" {
            return Decision::Ignore;
        }
        if let Some(own) = &node.own
            && (own.skipped || own.private.iter().any(|private| **private == *name))
        {
            return Decision::Ignore;
        }
        if node.prefix.is_empty() {
            return node.verdict(name, name, is_dir);
        }
        PATH.with_borrow_mut(|path| {
            path.clear();
            path.extend_from_slice(&node.prefix);
            path.extend_from_slice(name);
            node.verdict(path, name, is_dir)
        })
    }

    /// The rules inside the child directory `name`, whose absolute path is `dir`. Reads those rule
    /// files that `found` says are there. For the root itself `name` is not looked at.
    ///
    /// Call it again when the directory was moved: rules on paths may see it differently.
    pub fn enter(&self, dir: &Path, name: &[u8], found: RuleFiles) -> (DirRules, Vec<RuleError>) {
        if dir == self.0.shared.root {
            self.with_own(dir, found)
        } else {
            self.child(name).with_own(dir, found)
        }
    }

    /// The rules of the same directory after one of its rule files changed: what the parent says is
    /// kept, its own files are read again. `dir` and `found` as in [`DirRules::enter`].
    pub fn reload(&self, dir: &Path, found: RuleFiles) -> (DirRules, Vec<RuleError>) {
        match &self.0.own {
            Some(own) if own.dir == dir => own.inherited.with_own(dir, found),
            _ => self.with_own(dir, found),
        }
    }

    /// Whether both say the same about every child of this directory, and of those below it that have
    /// no rules of their own.
    pub fn same_rules(&self, other: &DirRules) -> bool {
        let own = |rules: &DirRules| {
            rules.0.own.as_ref().map(|own| (own.private.clone(), own.skipped)).unwrap_or_default()
        };
        let same_layer = |one: &Layer, two: &Layer| {
            (one.source, one.depth, one.start) == (two.source, two.depth, two.start)
                && (Arc::ptr_eq(&one.set, &two.set) || one.set.same(&two.set))
        };
        let (one, two) = (&*self.0, &*other.0);
        Arc::ptr_eq(&self.0, &other.0)
            || (one.layers.len() == two.layers.len()
                && one.prefix == two.prefix
                && own(self) == own(other)
                && one.layers.iter().zip(&two.layers).all(|(one, two)| same_layer(one, two)))
    }

    /// Files that lie outside the tree or in `.git` and decide here: when one of them appears,
    /// changes or goes, [`DirRules::reload`] this directory. Only of this directory, not of its
    /// parents; only repositories inside the root have any.
    pub fn external_files(&self) -> Vec<PathBuf> {
        self.0.own.as_ref().map(|own| own.external.clone()).unwrap_or_default()
    }

    /// Whether `dir` turned out to be a repository that is left out: nothing in it is kept.
    pub fn is_skipped_repository(&self) -> bool {
        self.0.own.as_ref().is_some_and(|own| own.skipped)
    }

    /// Whether both are the same object, so that all decisions are the same.
    pub fn ptr_eq(&self, other: &DirRules) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What the child directory `name` inherits.
    pub(super) fn child(&self, name: &[u8]) -> DirRules {
        let node = &*self.0;
        if node.own.is_none() && node.prefix.is_empty() {
            return self.clone();
        }
        if self.is_skipped_repository() {
            return self.clone();
        }
        if let Some(below) = node.below.get() {
            return below.clone();
        }
        let mut layers: Vec<Layer> = node.layers.iter().filter_map(Layer::below).collect();
        let Some(first) = layers.iter().filter_map(|layer| layer.start).min() else {
            let make = || Self::node(Arc::clone(&node.shared), layers, Vec::new(), None);
            return node.below.get_or_init(make).clone();
        };
        for start in layers.iter_mut().filter_map(|layer| layer.start.as_mut()) {
            *start -= first;
        }
        let kept = &node.prefix[first as usize..];
        let prefix = [kept, name, b"/"].concat();
        Self::node(Arc::clone(&node.shared), layers, prefix, None)
    }

    /// `self` is what `dir` inherits; adds what `dir` has of its own.
    pub(super) fn with_own(&self, dir: &Path, found: RuleFiles) -> (DirRules, Vec<RuleError>) {
        let (node, shared) = (&*self.0, &self.0.shared);
        let mut errors = Vec::new();
        if self.is_skipped_repository() || shared.options.off {
            return (self.clone(), errors);
        }
        let at = node.prefix.len();
        let mut layers = node.layers.to_vec();
        let mut external = Vec::new();
        if found.contains(RuleFiles::GIT) {
            match Repository::open(dir) {
                Some(repository) if shared.skips(dir, &repository) => {
                    external.push(dir.join(".git"));
                    return (self.owning(dir, Vec::new(), Vec::new(), external, true), errors);
                }
                Some(repository) => {
                    layers.retain(|l| matches!(l.source, Source::Currantignore | Source::Config));
                    let (sets, files) = shared.repository_sets(dir, &repository, &mut errors);
                    external = files;
                    for (source, set) in sets {
                        add(&mut layers, Layer::here(source, set, at));
                    }
                }
                // Perhaps `git init` is still at work: it makes these one after the other.
                None => external.extend(Repository::parts(dir)),
            }
        }
        for (flag, source, name) in [
            (RuleFiles::CURRANTIGNORE, Source::Currantignore, ".currantignore"),
            (RuleFiles::IGNORE, Source::Ignore, ".ignore"),
            (RuleFiles::GITIGNORE, Source::Gitignore, ".gitignore"),
        ] {
            if found.contains(flag) {
                let set = file::read(&dir.join(name), Links::Refuse, &mut errors);
                add(&mut layers, Layer::here(source, Arc::new(set), at));
            }
        }
        let private = shared.private_names(dir);
        let same = layers.len() == node.layers.len();
        if same && external.is_empty() && private.is_empty() {
            return (self.clone(), errors);
        }
        (self.owning(dir, layers, private, external, false), errors)
    }

    /// Adds a set that belongs to the directory of `self`, which must be the shallowest of its kind.
    pub(super) fn plus(&self, source: Source, set: Arc<RuleSet>) -> DirRules {
        let mut layers = self.0.layers.to_vec();
        add(&mut layers, Layer::here(source, set, self.0.prefix.len()));
        Self::node(Arc::clone(&self.0.shared), layers, self.0.prefix.to_vec(), None)
    }

    fn owning(
        &self,
        dir: &Path,
        layers: Vec<Layer>,
        private: Vec<Box<[u8]>>,
        external: Vec<PathBuf>,
        skipped: bool,
    ) -> DirRules {
        let inherited = self.clone();
        let own = Own { dir: dir.to_path_buf(), inherited, private, external, skipped };
        // Layers that left at a repository's border may leave a longer prefix than needed; paths
        // are cut at each layer's own start, so that it does no harm, and `child` trims it.
        let prefix = self.0.prefix.to_vec();
        Self::node(Arc::clone(&self.0.shared), layers, prefix, Some(Box::new(own)))
    }
}

/// Puts the layer of the deepest directory where it belongs: before the others of its source.
fn add(layers: &mut Vec<Layer>, layer: Option<Layer>) {
    if let Some(layer) = layer {
        let place = layers.partition_point(|other| other.source < layer.source);
        layers.insert(place, layer);
    }
}

impl Node {
    fn verdict(&self, path: &[u8], name: &[u8], is_dir: bool) -> Decision {
        let name_bytes = Bytes::of(name);
        let path_bytes = name_bytes.with(self.prefix_bytes);
        for layer in &self.layers {
            let asked = match layer.start {
                Some(start) => Asked { path: &path[start as usize..], name, path_bytes, is_dir },
                None => Asked { path: name, name, path_bytes: name_bytes, is_dir },
            };
            match (layer.set.verdict(&asked), layer.source) {
                (Verdict::Silent, _) | (Verdict::Keep, Source::Config) => {}
                (Verdict::Ignore, _) => return Decision::Ignore,
                (Verdict::Keep, _) => return Decision::Keep,
            }
        }
        Decision::Keep
    }
}

impl Shared {
    /// The names in `dir` that Currant keeps for itself.
    fn private_names(&self, dir: &Path) -> Vec<Box<[u8]>> {
        let mut private: Vec<Box<[u8]>> = Vec::new();
        if dir == self.root {
            private.push(STATE_DIR.into());
        }
        if let Some(state) = &self.options.state_dir
            && state.path.parent() == Some(dir)
        {
            private.extend(state.path.file_name().map(names::to_bytes).map(Into::into));
        }
        private
    }
}
