//! Core, machine and a model of the workers in one, driven step by step; and what must be true at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::disk::Disk;
use super::machine::{Machine, names_join};
use crate::engine::change::{Ack, Change, ChangeKind, Outcome};
use crate::engine::core::{Core, Settings};
use crate::engine::rows::{Row, Rows};
use crate::scan::ListError;
use crate::source::Item;
use crate::tree::{NodeId, ROOT};

pub const MS: Duration = Duration::from_millis(1);

/// What a worker found when it read a file.
#[derive(Clone)]
enum Reading {
    Nothing,
    Gone,
    Denied,
    File(u64, crate::model::Stat),
}

/// A change in a worker's hands.
pub struct Task {
    pub change: Change,
    reading: Reading,
}

pub struct World {
    pub core: Core,
    pub machine: Machine,
    pub now: Duration,
    pub tasks: Vec<Task>,
    /// The rows of the index: path to contents.
    pub index: BTreeMap<String, Committed>,
    /// Every change handed out, as `kind path` or `kind old -> path`, directories with a slash.
    pub said: Vec<String>,
    syncs: u64,
    /// Rows of the index that the core has not got yet.
    rows: Option<Rows>,
    /// A worker found a file that changed under its eyes: it waits for its quiet period again.
    torn: bool,
    /// Files changed so shortly before they were read that their change time says nothing.
    pub racy: bool,
}

/// A committed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Which write it shows; 0 for a failure.
    pub number: u64,
    stat: Option<crate::model::Stat>,
}

impl Committed {
    /// The row of a file that could not be read.
    pub fn failure() -> Self {
        Self { number: 0, stat: None }
    }
}

pub fn settings() -> Settings {
    Settings {
        quiet: MS * 100,
        max_delay: MS * 2000,
        max_in_flight: 64,
        max_pending: 10_000,
        max_watches: usize::MAX,
        poll_interval: Duration::from_secs(10),
        per_directory: true,
        poll_root: false,
        live: true,
        state_dir: None,
        witness: false,
        recursive: true,
        rules: true,
    }
}

fn text(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap()
}

impl World {
    /// A running engine on this disk that has seen nothing yet.
    pub fn start(disk: Disk, settings: Settings) -> Self {
        let mut world = Self::new(disk, settings);
        world.begin();
        world
    }

    /// An engine that was not started.
    pub fn new(disk: Disk, settings: Settings) -> Self {
        let mut machine = Machine::new(disk);
        let core = Core::new(settings, &mut machine).unwrap();
        Self {
            core,
            machine,
            now: MS,
            tasks: Vec::new(),
            index: BTreeMap::new(),
            said: Vec::new(),
            syncs: 0,
            rows: None,
            torn: false,
            racy: false,
        }
    }

    pub fn begin(&mut self) {
        self.core.begin(self.now, &mut self.machine);
        self.turn();
    }

    /// A running engine at rest, with these files (and their directories) on its disk.
    pub fn with(files: &[&str]) -> Self {
        Self::with_settings(files, settings())
    }

    pub fn with_settings(files: &[&str], settings: Settings) -> Self {
        let mut disk = Disk::new();
        for file in files {
            if let Some(cut) = file.rfind('/') {
                disk.mkdirs(&file[..cut]);
            }
            if !file.ends_with('/') {
                disk.write(file);
            }
        }
        let mut world = Self::start(disk, settings);
        world.settle();
        world.said.clear();
        world.machine.calls.clear();
        world
    }

    /// A second engine on the same disk that starts from the rows that the first one committed.
    pub fn restart(mut self) -> Self {
        self.kill(false);
        self.said.clear();
        self
    }

    /// The process dies where it stands, and another one begins. With `rows_later`, the rows come while
    /// the disk is being read.
    pub fn kill(&mut self, rows_later: bool) {
        self.machine.disk.new_instance();
        self.machine.forget();
        self.tasks.clear();
        self.core = Core::new(self.core.settings.clone(), &mut self.machine).unwrap();
        let mut rows = Rows::default();
        for (path, row) in &self.index {
            rows.push(Row {
                path: path.as_bytes(),
                size: row.stat.map_or(0, |stat| stat.size),
                mtime_ns: row.stat.map_or(0, |stat| stat.mtime_ns),
                ctime_ns: row.stat.map_or(-1, |stat| stat.ctime_ns),
                ino: row.stat.map_or(0, |stat| stat.ino),
                attempts: u32::from(row.stat.is_none()),
            });
        }
        self.rows = Some(rows);
        if rows_later {
            self.core.await_rows();
        } else {
            self.load();
        }
        self.begin();
    }

    /// The rows that were to come later come now.
    pub fn load(&mut self) {
        if let Some(rows) = self.rows.take() {
            self.core.load(&rows, self.now);
        }
    }

    pub fn disk(&mut self) -> &mut Disk {
        &mut self.machine.disk
    }

    /// One turn of the core; new changes go to the workers.
    pub fn turn(&mut self) -> Option<Duration> {
        let wake = self.core.turn(self.now, &mut self.machine);
        self.core.release_syncs();
        for change in std::mem::take(&mut self.machine.emitted) {
            self.take(change);
        }
        wake
    }

    fn take(&mut self, change: Change) {
        let touches = |change: &Change| {
            let mut paths = BTreeSet::from([text(&change.path)]);
            paths.extend(change.old_path.as_ref().map(|old| text(old)));
            paths
        };
        for task in &self.tasks {
            let removal = |change: &Change| change.is_dir && change.old_path.is_none();
            let one_of_many = removal(&change) && removal(&task.change);
            assert!(
                one_of_many || (!change.is_dir && !task.change.is_dir),
                "a subtree is not alone: {change:?} beside {:?}",
                task.change
            );
            assert!(
                change.is_dir || touches(&change).is_disjoint(&touches(&task.change)),
                "twice at once: {change:?} and {:?}",
                task.change
            );
        }
        let slash = if change.is_dir { "/" } else { "" };
        let old = change.old_path.as_ref().map(|old| format!("{}{slash} -> ", text(old)));
        let old = old.unwrap_or_default();
        self.said.push(format!("{} {old}{}{slash}", change.kind.as_str(), text(&change.path)));
        self.tasks.push(Task { change, reading: Reading::Nothing });
    }

    /// Deliver the next item of the source; false when there is none.
    pub fn event(&mut self) -> bool {
        let Some(item) = self.machine.disk.queue.pop_front() else { return false };
        match item {
            Item::Failed(reason) => {
                self.core.restart_source(&reason, self.now, &mut self.machine);
            }
            item => self.core.item(item, self.now, &mut self.machine),
        }
        true
    }

    pub fn events(&mut self) {
        while self.event() {}
        self.turn();
    }

    /// Finish one listing.
    pub fn list(&mut self, at: usize) {
        if let Some(listing) = self.machine.answer(at) {
            self.core.listed(listing, self.now, &mut self.machine);
        }
    }

    /// Finish all listings and those that they lead to.
    pub fn listings(&mut self) {
        self.turn();
        while !self.machine.jobs.is_empty() {
            self.list(0);
            self.turn();
        }
    }

    /// A worker reads its file.
    pub fn read(&mut self, at: usize) {
        let task = &mut self.tasks[at];
        task.reading = match self.machine.disk.read(&text(&task.change.path)) {
            Ok((number, _, stat)) => Reading::File(number, stat),
            Err(ListError::Denied) => Reading::Denied,
            Err(_) => Reading::Gone,
        };
    }

    /// A worker gives up its ticket without having committed anything.
    pub fn give_back(&mut self, at: usize) {
        let ticket = self.tasks.remove(at).change.ticket;
        self.torn = true;
        self.ack(ticket, Outcome::Again, None);
    }

    /// A worker commits what it read (now, if it did not yet) and gives its ticket back.
    pub fn commit(&mut self, at: usize) {
        if matches!(self.tasks[at].reading, Reading::Nothing) {
            self.read(at);
        }
        let Task { change, reading } = self.tasks.remove(at);
        let path = text(&change.path);
        let old = change.old_path.as_deref().map(text);
        if change.is_dir {
            self.commit_subtree(&path, old.as_deref());
            self.ack(change.ticket, Outcome::Done, None);
            return;
        }
        if let Some(old) = old {
            self.index.remove(&old);
        }
        let (outcome, stat) = match reading {
            _ if change.kind == ChangeKind::Deleted => {
                self.index.remove(&path);
                (Outcome::Gone, None)
            }
            Reading::File(number, stat) => {
                self.index.insert(path, Committed { number, stat: Some(stat) });
                (Outcome::Done, Some(stat))
            }
            Reading::Denied => {
                self.index.insert(path, Committed::failure());
                (Outcome::Failed(Some(MS * 500)), None)
            }
            Reading::Gone | Reading::Nothing => {
                self.index.remove(&path);
                (Outcome::Gone, None)
            }
        };
        self.ack(change.ticket, outcome, stat);
    }

    fn commit_subtree(&mut self, path: &str, old: Option<&str>) {
        let inside = |row: &str, top: &str| {
            row == top || row.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
        };
        self.index.retain(|row, _| !inside(row, path));
        let Some(old) = old else { return };
        let rows: Vec<String> = self.index.keys().filter(|row| inside(row, old)).cloned().collect();
        for row in rows {
            let committed = self.index.remove(&row).unwrap();
            self.index.insert(format!("{path}{}", &row[old.len()..]), committed);
        }
    }

    pub fn ack(&mut self, ticket: u64, outcome: Outcome, stat: Option<crate::model::Stat>) {
        let ack = Ack {
            ticket,
            outcome,
            size: stat.map_or(0, |stat| stat.size),
            mtime_ns: stat.map_or(0, |stat| stat.mtime_ns),
            ctime_ns: stat.filter(|_| !self.racy).map_or(-1, |stat| stat.ctime_ns),
            ino: stat.map_or(0, |stat| stat.ino),
        };
        self.core.acknowledge(&[ack], self.now);
    }

    /// The workers finish what they hold.
    pub fn work(&mut self) {
        while !self.tasks.is_empty() {
            self.commit(0);
        }
        self.turn();
    }

    /// Everything that can be done without time passing; false when there was nothing to do.
    fn step(&mut self) -> bool {
        let before = (self.machine.jobs.len(), self.machine.disk.queue.len(), self.tasks.len());
        self.turn();
        self.events();
        self.listings();
        self.work();
        before != (0, 0, 0) || !self.machine.jobs.is_empty() || !self.tasks.is_empty()
    }

    /// Let time pass until the engine says that it is fresh.
    pub fn settle(&mut self) {
        self.load();
        for _ in 0..5000 {
            if self.step() || !self.machine.disk.queue.is_empty() {
                continue;
            }
            if self.core.is_fresh() {
                return;
            }
            let wake = self.turn().unwrap_or(self.now);
            self.now = wake.max(self.now + MS);
        }
        panic!("never at rest: {:?}", self.core.status());
    }

    /// Until the first change is in a worker's hands.
    pub fn settle_until_handed_out(&mut self) {
        self.events();
        self.listings();
        self.now += MS * 200;
        self.turn();
        assert_eq!(self.tasks.len(), 1, "{:?}", self.said);
    }

    /// Let so much time pass, in steps as the core asks for them.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
            let wake = self.turn().unwrap_or(end);
            self.now = wake.clamp(self.now + MS, end.max(self.now + MS));
        }
        self.settle();
    }

    pub fn begin_sync(&mut self) -> Receiver<()> {
        let (done, receiver) = sync_channel(1);
        self.syncs += 1;
        self.core.begin_sync(self.syncs, done, self.now, &mut self.machine);
        receiver
    }

    pub fn begin_path_sync(&mut self, paths: &[&str]) -> Receiver<()> {
        let (done, receiver) = sync_channel(1);
        self.syncs += 1;
        let paths = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        self.core.begin_path_sync(self.syncs, paths, done, self.now, &mut self.machine);
        receiver
    }

    /// A sync of one path; time passes only for what was renamed away to come back, or not.
    pub fn path_sync(&mut self, path: &str) {
        let done = self.begin_path_sync(&[path]);
        self.load();
        for _ in 0..1000 {
            self.turn();
            if done.try_recv().is_ok() {
                return;
            }
            self.listings();
            self.work();
            self.now += MS * 10;
        }
        panic!("no end of the sync of {path}: {:?}", self.core.status());
    }

    /// The latest sync is given up: what it still waited for.
    pub fn cancel_sync(&mut self) -> Vec<Vec<u8>> {
        self.core.cancel_sync(self.syncs)
    }

    /// A sync during which no time passes: it may not depend on any (but for torn files).
    pub fn sync(&mut self) {
        let done = self.begin_sync();
        self.settle_sync(&done);
    }

    /// Go on until a sync has ended.
    pub fn settle_sync(&mut self, done: &Receiver<()>) {
        self.load();
        for _ in 0..1000 {
            self.step();
            if done.try_recv().is_ok() {
                return;
            }
            if self.torn {
                self.now += MS * 10;
            }
        }
        let outstanding = self.core.outstanding(10);
        panic!("no end of the sync: {outstanding:?} {:?}", self.core.status());
    }

    /// The index shows the disk, byte for byte.
    pub fn check_index(&self) {
        let rows: Vec<(String, u64)> =
            self.index.iter().map(|(path, row)| (path.clone(), row.number)).collect();
        assert_eq!(rows, self.machine.kept().1, "index (left) and disk (right)");
    }

    /// Directories of the tree by path.
    pub fn tree_dirs(&self) -> Vec<(String, NodeId)> {
        let tree = self.core.tree();
        let mut dirs = Vec::new();
        let mut todo = vec![(String::new(), ROOT)];
        while let Some((path, node)) = todo.pop() {
            for child in tree.children(node).filter(|&child| tree.is_dir(child)) {
                todo.push((names_join(&path, &text(tree.name(child))), child));
            }
            dirs.push((path, node));
        }
        dirs.sort();
        dirs
    }

    /// At rest: the index shows the disk, what is watched is what is kept, and nothing is left over.
    pub fn check(&self) {
        self.check_index();
        let (core, dirs) = (&self.core, self.tree_dirs());
        let paths: Vec<String> = dirs.iter().map(|(path, _)| path.clone()).collect();
        assert_eq!(paths, self.machine.kept().0, "directories of the tree (left) and disk (right)");
        assert_eq!(core.tree.dirs(), dirs.len(), "every directory has a path");
        assert_eq!(core.tree.files(), self.index.len(), "every file has a row");
        assert_eq!(core.dirs.len(), dirs.len());
        assert!(core.limbo.is_empty(), "limbo: {:?}", core.limbo);
        assert!(core.dirty.is_empty() && core.debouncer.is_empty(), "dirty: {:?}", core.dirty);
        assert!(core.dirty_dirs.is_empty() && core.ops.is_empty() && core.flights.is_empty());
        assert!(core.epochs.is_empty(), "epochs: {:?}", core.epochs);
        assert!(core.syncs.is_empty());
        let watched: BTreeMap<i32, u64> =
            self.machine.disk.watches.iter().map(|(&wd, &ino)| (wd, ino)).collect();
        let ours: BTreeMap<i32, u64> = core
            .wds
            .iter()
            .map(|(&wd, &node)| {
                let path = text(&core.tree.path(node).unwrap());
                (wd, self.machine.disk.ino(&path).unwrap())
            })
            .collect();
        assert_eq!(ours, watched, "watches of the engine (left) and of the kernel (right)");
        if core.settings.per_directory && core.unwatched.is_empty() {
            assert_eq!(watched.len(), dirs.len(), "one watch for each directory");
        }
    }
}
