//! The whole engine on a real disk, with each of its sources: whatever is done before a sync is in the
//! model index after it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use currant::engine::{Ack, ChangeKind, Engine, Options, Outcome, SourceKind};

/// Long enough for any machine; nothing here waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

type Rows = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// An engine with one worker that keeps each file's contents.
struct Running {
    root: PathBuf,
    engine: Arc<Engine>,
    rows: Rows,
    worker: Option<JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

fn text(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap()
}

fn work(engine: &Engine, rows: &Rows, root: &Path) {
    while let Ok(Some(batch)) = engine.next_batch(100, PATIENCE) {
        let mut acks = Vec::new();
        for change in batch {
            let mut rows = rows.lock().unwrap();
            let path = text(&change.path);
            let old = change.old_path.as_deref().map(text);
            let inside = |row: &str, top: &str| {
                row.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let mut ack = Ack {
                ticket: change.ticket,
                outcome: Outcome::Gone,
                size: 0,
                mtime_ns: 0,
                ctime_ns: -1,
                ino: 0,
            };
            if change.is_dir {
                rows.retain(|row, _| !inside(row, &path));
                if let Some(old) = old {
                    let moved: Vec<String> =
                        rows.keys().filter(|row| inside(row, &old)).cloned().collect();
                    for row in moved {
                        let content = rows.remove(&row).unwrap();
                        rows.insert(format!("{path}{}", &row[old.len()..]), content);
                    }
                }
                ack.outcome = Outcome::Done;
            } else {
                old.map(|old| rows.remove(&old));
                rows.remove(&path);
                let real = root.join(&path);
                if change.kind != ChangeKind::Deleted
                    && let (Ok(stat), Ok(content)) = (currant::scan::lstat(&real), fs::read(&real))
                {
                    rows.insert(path, content);
                    ack.outcome = Outcome::Done;
                    (ack.size, ack.mtime_ns, ack.ino) = (stat.size, stat.mtime_ns, stat.ino);
                    ack.ctime_ns = stat.ctime_ns;
                }
            }
            acks.push(ack);
        }
        if engine.ack(acks).is_err() {
            return;
        }
    }
}

impl Running {
    fn start(source: SourceKind, state_inside: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir(&root).unwrap();
        let place = if state_inside { &root } else { dir.path() };
        // Not made yet: a source that needs it makes it.
        let state_dir = place.join(".currant");
        let engine = Arc::new(
            Engine::new(Options {
                root: root.clone(),
                state_dir,
                quiet: Duration::from_millis(50),
                max_delay: Duration::from_secs(1),
                ignore_patterns: Vec::new(),
                nested_repositories: true,
                source,
                poll_interval: Duration::from_secs(3600),
                max_queue: 256,
                in_hand: 0,
                max_watches: usize::MAX,
                live: true,
                poll_file_systems: Vec::new(),
                witness: false,
                recursive: true,
                rules: true,
                bell: None,
            })
            .unwrap(),
        );
        engine.start(false).unwrap();
        let rows = Rows::default();
        let (worker_engine, worker_rows) = (Arc::clone(&engine), Arc::clone(&rows));
        let at = root.clone();
        let worker = std::thread::spawn(move || work(&worker_engine, &worker_rows, &at));
        Self { root, engine, rows, worker: Some(worker), _dir: dir }
    }

    fn sync(&self) {
        let left = self.engine.sync(None, PATIENCE).unwrap();
        assert_eq!(left, None, "{:?}", self.engine.status());
        let mut files = BTreeMap::new();
        let mut todo = vec![self.root.clone()];
        while let Some(dir) = todo.pop() {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if entry.file_type().unwrap().is_file() {
                    let name = path.strip_prefix(&self.root).unwrap().to_str().unwrap().to_owned();
                    files.insert(name, fs::read(path).unwrap());
                } else if entry.file_name() != ".currant" {
                    todo.push(path);
                }
            }
        }
        assert_eq!(*self.rows.lock().unwrap(), files);
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.root.join(from), self.root.join(to)).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.engine.stop();
        self.worker.take().unwrap().join().unwrap();
    }
}

fn sees_everything(source: SourceKind, state_inside: bool) {
    let here = Running::start(source, state_inside);
    here.sync();
    here.write("f", "1");
    here.write("a/b/c/g", "2");
    here.sync();
    here.write("f", "more");
    here.write("a/b/h", "3");
    here.sync();
    here.rename("a", "z");
    here.write("z/b/c/g", "changed");
    here.sync();
    here.rename("f", "z/f");
    here.write("a/again", "4");
    here.sync();
    fs::remove_dir_all(here.root.join("z/b")).unwrap();
    fs::remove_file(here.root.join("z/f")).unwrap();
    here.sync();
    for round in 0..40 {
        // New directories, and more in them as soon as they are known: the gap between list and watch.
        here.write(&format!("new/{round}/x/y/1"), "a");
        here.sync();
        here.write(&format!("new/{round}/x/y/2"), "b");
        here.write(&format!("new/{round}/x/y/1"), "c and more");
        here.write(&format!("new/{round}/x/z/{round}/3"), "d");
        here.sync();
        if round % 3 == 0 {
            here.rename(&format!("new/{round}"), &format!("new/moved-{round}"));
            here.write(&format!("new/moved-{round}/x/z/{round}/4"), "e");
            here.sync();
        }
    }
    fs::remove_dir_all(here.root.join("new")).unwrap();
    here.sync();
}

#[cfg(target_os = "linux")]
#[test]
fn inotify_sees_everything() {
    sees_everything(SourceKind::Inotify, true);
}

#[test]
fn polling_sees_everything() {
    sees_everything(SourceKind::Poll, true);
}

#[cfg(feature = "notify-source")]
#[test]
fn notify_sees_everything() {
    sees_everything(SourceKind::Notify, true);
}

#[cfg(feature = "notify-source")]
#[test]
fn notify_sees_everything_with_the_state_elsewhere() {
    sees_everything(SourceKind::Notify, false);
}
