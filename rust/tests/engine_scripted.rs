//! The engine's thread over a scripted source: notifications that never come, losses, and a source that
//! fails.
#![allow(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use currant::engine::{Ack, Change, ChangeKind, Engine, Options, Outcome, SourceKind};
use currant::source::scripted::Scripted;
use currant::source::{Item, Mask, WatchError};

/// A bound on failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    root: PathBuf,
    source: Scripted,
    engine: Engine,
    _dir: tempfile::TempDir,
}

impl Scene {
    fn with(files: &[&str], prepare: impl FnOnce(&Scripted, &PathBuf)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_owned();
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), b"x").unwrap();
        }
        let source = Scripted::default();
        prepare(&source, &root);
        let options = Options {
            root: root.clone(),
            state_dir: root.join(".currant"),
            quiet: Duration::from_millis(1),
            max_delay: Duration::from_millis(10),
            ignore_patterns: Vec::new(),
            nested_repositories: true,
            source: SourceKind::Poll,
            poll_interval: Duration::from_secs(3600),
            max_queue: 64,
            in_hand: 200,
            max_watches: usize::MAX,
            live: true,
            poll_file_systems: Vec::new(),
            witness: false,
            recursive: true,
            rules: true,
            bell: None,
        };
        let engine = Engine::with_source(options, Box::new(source.clone())).unwrap();
        engine.start(false).unwrap();
        Self { root, source, engine, _dir: dir }
    }

    fn new(files: &[&str]) -> Self {
        let scene = Self::with(files, |_, _| {});
        for _ in files {
            scene.commit_next();
        }
        scene
    }

    /// Take one change and say that it is committed as the disk has it now.
    fn commit_next(&self) -> Change {
        self.commit_within(PATIENCE).unwrap()
    }

    fn commit_within(&self, timeout: Duration) -> Option<Change> {
        let change = self.engine.next_batch(1, timeout).unwrap()?.pop()?;
        let path = self.root.join(String::from_utf8(change.path.clone()).unwrap());
        let (outcome, size, mtime_ns, ctime_ns, ino) = match currant::scan::lstat(&path) {
            Ok(stat) => (Outcome::Done, stat.size, stat.mtime_ns, stat.ctime_ns, stat.ino),
            Err(_) => (Outcome::Gone, 0, 0, 0, 0),
        };
        let ack = Ack { ticket: change.ticket, outcome, size, mtime_ns, ctime_ns, ino };
        self.engine.ack(vec![ack]).unwrap();
        Some(change)
    }

    /// Sync while a worker commits whatever comes; returns the paths that came.
    fn sync(&self) -> Vec<Vec<u8>> {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut paths = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    paths.extend(self.commit_within(Duration::from_millis(20)).map(|one| one.path));
                }
                paths
            });
            let outstanding = self.engine.sync(None, PATIENCE);
            done.store(true, Ordering::SeqCst);
            assert_eq!(outstanding.unwrap(), None);
            worker.join().unwrap()
        })
    }
}

#[test]
fn what_no_notification_says_is_not_seen_and_lost_events_bring_it_back() {
    let scene = Scene::new(&["a.py"]);
    fs::write(scene.root.join("b.py"), b"x").unwrap();
    assert_eq!(scene.sync(), [b""; 0], "nothing was said of b.py");
    scene.source.say(Item::Overflow);
    assert_eq!(scene.commit_next().path, b"b.py");
    scene.sync();
    assert_eq!(scene.engine.status().counters.overflows, 1);
}

#[test]
fn a_notification_only_says_where_to_look() {
    let scene = Scene::new(&["a.py"]);
    let wd = scene.source.wd_of(&scene.root).unwrap();
    fs::remove_file(scene.root.join("a.py")).unwrap();
    // It says "made"; the disk says "gone".
    let name = b"a.py".to_vec();
    scene.source.say(Item::Entry { wd, mask: Mask(Mask::CREATE), cookie: 0, name });
    let change = scene.commit_next();
    assert_eq!((change.kind, change.path), (ChangeKind::Deleted, b"a.py".to_vec()));
    scene.sync();
}

#[test]
fn a_failed_source_is_replaced_and_nothing_is_missed() {
    let scene = Scene::new(&["d/a.py"]);
    assert_eq!(scene.engine.status().source, "scripted");
    fs::write(scene.root.join("d/b.py"), b"x").unwrap();
    scene.source.say(Item::Failed("as a test wants it".into()));
    assert_eq!(scene.commit_next().path, b"d/b.py");
    scene.sync();
    let status = scene.engine.status();
    assert_eq!((status.source, status.unwatched, status.watches), ("poll", 0, 0));
    // The new source reports nothing by itself, so a sync looks everywhere.
    fs::write(scene.root.join("d/c.py"), b"x").unwrap();
    assert_eq!(scene.sync(), [b"d/c.py"]);
}

#[test]
fn a_directory_that_cannot_be_watched_is_said_and_still_indexed() {
    let scene = Scene::with(&["d/a.py"], |source, root| {
        source.script().refuse.insert(root.join("d"), WatchError::Limit);
    });
    assert_eq!(scene.commit_next().path, b"d/a.py");
    scene.sync();
    assert_eq!(scene.engine.status().unwatched_paths, [b"d".to_vec()]);
    assert_eq!(scene.engine.status().watches, 1);
    scene.source.script().refuse.clear();
    // Each sync looks at what is not watched, and tries again.
    scene.sync();
    assert_eq!(scene.engine.status().unwatched, 0);
}

#[test]
fn a_stopped_engine_says_so() {
    let scene = Scene::new(&["a.py"]);
    scene.engine.stop();
    assert!(scene.engine.next_batch(1, PATIENCE).unwrap().is_none());
    assert!(scene.engine.sync(None, PATIENCE).is_err());
}

#[test]
fn more_is_handed_out_as_it_is_taken_before_anything_comes_back() {
    let names: Vec<String> = (0..250).map(|number| format!("{number}")).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).collect();
    let scene = Scene::with(&files, |_, _| {});
    let mut taken = std::collections::BTreeSet::new();
    // The queue has room for 64; nothing is acknowledged.
    while taken.len() < 250 {
        let batch = scene.engine.next_batch(10, PATIENCE).unwrap().unwrap();
        assert!(!batch.is_empty());
        taken.extend(batch.into_iter().map(|change| change.path));
    }
}
