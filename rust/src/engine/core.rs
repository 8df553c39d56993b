//! The state of the engine and one turn of it. It decides; it never waits, starts no thread, and asks
//! the machine for nothing except through [`Platform`], so that a test can play the machine.
//!
//! The parts: `events` (what a notification marks), `dirs` (watch, then list, then compare), `flight`
//! (what is dirty, handed out, given back), `barrier` (when a sync is complete). All of them are methods
//! of [`Core`], because they share one owner: this thread.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use hashbrown::{HashMap, HashSet};

use super::barrier::SyncState;
use super::change::{Ack, Cause, Change};
use super::dirs::DirInfo;
use super::flight::{Dirty, Failed, Flight, FlightKind, Op, Retry};
use super::paths::PathSync;
use super::status::Status;
use crate::clock::Now;
use crate::debounce::Debouncer;
use crate::model::Stat;
use crate::rules::DirRules;
use crate::scan::{ListError, ListJob, Listing};
use crate::source::{Heard, WatchError};
use crate::tree::{NONE, NodeId, ROOT, Tree};

/// How often the root's identity and the rule files outside the root are looked at while nobody tells of them.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// And while they are watched: what the kernel does not tell of, on the file systems of others.
pub(super) const FAR: Duration = Duration::from_secs(60);
/// How long a directory that was renamed away is kept for its other half.
pub(super) const LIMBO: Duration = Duration::from_millis(150);

/// How long a git operation may hold paths back beyond their delay, and how often its end is looked for.
pub(super) const VCS_HOLD: Duration = Duration::from_secs(5);
pub(super) const VCS_LOOK: Duration = Duration::from_millis(20);
/// How often a source is tried that could not be had at the start.
const SOURCE_RETRY: Duration = Duration::from_secs(10);

/// The machine, as the engine sees it.
pub trait Platform {
    /// Watch a directory of the tree.
    fn watch(&mut self, dir: &[u8]) -> Result<i32, WatchError>;
    /// Watch a directory outside the tree.
    fn watch_outside(&mut self, _dir: &std::path::Path, _heard: Heard) -> Result<i32, WatchError> {
        Err(WatchError::Other("not with this source".into()))
    }
    /// Stop watching.
    fn unwatch(&mut self, wd: i32);
    /// The stat of a path of the tree, links not followed.
    fn lstat(&mut self, path: &[u8]) -> Result<Stat, ListError>;
    /// As `lstat`, for one of many paths that come directory by directory: until [`Platform::end_near`] the way
    /// to a directory may be gone once for all that is asked of it.
    fn lstat_near(&mut self, path: &[u8]) -> Result<Stat, ListError> {
        self.lstat(path)
    }
    /// No more of them for now.
    fn end_near(&mut self) {}
    /// (mtime, size, inode) of a file outside the tree, or that there is none.
    fn signature(&mut self, path: &std::path::Path) -> Option<(i64, u64, u64)>;
    /// The absolute path of a path of the tree.
    fn absolute(&self, path: &[u8]) -> PathBuf;
    /// Start listing a directory; gives the job back when there is no room now.
    fn list(&mut self, job: ListJob) -> Result<(), ListJob>;
    /// Hand a change over, of which there are never more than [`Settings::max_in_flight`].
    fn emit(&mut self, change: Change);
    /// How many more can be handed over before some of them are taken. After an answer of 0 the engine is woken
    /// when there is room again.
    fn places(&self) -> usize {
        usize::MAX
    }
    /// Ask the source for a barrier.
    fn barrier(&mut self, token: u64);
    /// Load the rules that hold outside the root's own directory, and the files they came from.
    fn load_rules(&mut self) -> (DirRules, Vec<PathBuf>, Vec<String>);
    /// Open the source anew; no watch is set on the new one.
    fn restart_source(&mut self) -> Result<Reach, String>;
    /// A better source than the one that had to be taken, if there is one by now; no watch is set on it.
    fn better_source(&mut self) -> Option<Reach>;
    /// Something was mounted or unmounted below the root since the last call.
    fn mounts_changed(&mut self) -> bool;
    /// What changes in a directory of the tree may not be told of by the kernel.
    fn is_remote(&mut self, dir: &[u8]) -> bool;
    /// Git is at work on the tree.
    fn vcs_busy(&mut self) -> bool;
}

/// Fixed for the life of an engine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Quiet period of a path.
    pub quiet: Duration,
    /// Cap on the delay of a path.
    pub max_delay: Duration,
    /// Changes handed out and not yet given back.
    pub max_in_flight: usize,
    /// Dirty paths held one by one; beyond it, their directories are dirty instead.
    pub max_pending: usize,
    /// Most watches to set, of those that the kernel allows.
    pub max_watches: usize,
    /// How often what cannot be watched is listed again.
    pub poll_interval: Duration,
    /// The source needs a watch on each directory.
    pub per_directory: bool,
    /// The source tells nothing by itself: list the whole root at each interval.
    pub poll_root: bool,
    /// Watch at all, or only scan once.
    pub live: bool,
    /// (device, inode) of the state directory.
    pub state_dir: Option<(u64, u64)>,
    /// For a caller who watches and keeps no index: see `witness`.
    pub witness: bool,
    /// Directories below the root are looked into.
    pub recursive: bool,
    /// Rule files decide what is kept.
    pub rules: bool,
}

/// What a source reports by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The directories that are watched, one by one.
    Directories,
    /// The whole root.
    Root,
    /// Nothing: the root has to be scanned.
    Nothing,
}

/// Numbers that only grow.
#[derive(Debug, Default, Clone)]
pub struct Counters {
    /// Notifications seen.
    pub events: u64,
    /// Times that notifications were lost.
    pub overflows: u64,
    /// Directories listed.
    pub listings: u64,
    /// Scans of the whole root.
    pub root_scans: u64,
    /// Changes handed out.
    pub emitted: u64,
    /// Changes given back as committed.
    pub committed: u64,
    /// Times that dirty paths were replaced by their directory.
    pub coarsened: u64,
    /// Directories whose rename moved their rows.
    pub moved_dirs: u64,
}

/// A rule file outside the tree, and the directory whose rules it belongs to.
#[derive(Debug)]
pub(super) struct External {
    pub path: PathBuf,
    pub signature: Option<(i64, u64, u64)>,
    pub dir: NodeId,
    pub generation: u16,
}

/// A directory that was renamed away, until its other half is seen.
#[derive(Debug)]
pub(super) struct Limbo {
    pub node: NodeId,
    pub generation: u16,
    pub old_path: Vec<u8>,
    pub since: Now,
    /// The last barrier of the source that came before this event.
    pub after_barrier: u64,
}

/// All the engine's state, owned by one thread.
pub struct Core {
    pub(super) settings: Settings,
    pub(super) tree: Tree,
    pub(super) dirs: HashMap<NodeId, DirInfo>,
    pub(super) wds: HashMap<i32, NodeId>,
    pub(super) limbo: HashMap<u32, Limbo>,
    pub(super) outside: DirRules,
    pub(super) externals: Vec<External>,
    pub(super) to_list: VecDeque<NodeId>,
    pub(super) listing: usize,
    /// Names that were ignored while their directory was being listed: its rules may change by it.
    pub(super) ignored: HashMap<NodeId, Vec<Vec<u8>>>,
    pub(super) unwatched: HashSet<NodeId>,
    pub(super) denied: HashSet<NodeId>,
    /// Directories that may change without a notification; listed at the poll interval, watched or not.
    pub(super) remote: HashSet<NodeId>,
    /// A directory can be read by now that one recursive watch passed over.
    pub(super) unlocked: bool,
    pub(super) problems: BTreeMap<Vec<u8>, String>,
    pub(super) dirty: HashMap<NodeId, Dirty>,
    pub(super) dirty_dirs: HashSet<NodeId>,
    /// Dirty, due, and without a path at present; in the debouncer again with the next turn.
    pub(super) homeless: Vec<NodeId>,
    pub(super) debouncer: Debouncer,
    pub(super) failed: HashMap<NodeId, Failed>,
    pub(super) retries: BinaryHeap<Retry>,
    pub(super) flights: HashMap<u64, Flight>,
    pub(super) ops: VecDeque<Op>,
    pub(super) ops_in_flight: usize,
    /// As the last turn found it: until somebody takes a change, none is handed out.
    pub(super) queue_full: bool,
    pub(super) next_ticket: u64,
    pub(super) epoch: u64,
    pub(super) epochs: BTreeMap<u64, usize>,
    pub(super) syncs: Vec<SyncState>,
    pub(super) path_syncs: Vec<PathSync>,
    pub(super) finished: Vec<SyncSender<()>>,
    /// Those who wait for the end of the first scan.
    pub(super) arming: Vec<SyncSender<()>>,
    pub(super) last_barrier: u64,
    pub(super) next_barrier: u64,
    pub(super) rescans: u64,
    pub(super) first_scan_done: bool,
    /// The rows of the index are still to come: nothing that a scan finds can be told new from known.
    pub(super) awaiting_rows: bool,
    pub(super) cleared: bool,
    pub(super) root_identity: Option<(u64, u64)>,
    pub(super) root_missing: bool,
    pub(super) next_heartbeat: Now,
    pub(super) last_heartbeat: Now,
    /// Watches on directories outside the tree.
    pub(super) outside_wds: HashSet<i32>,
    pub(super) next_poll: Now,
    next_source: Now,
    /// Since when paths are held back for git, and when it is looked at again.
    pub(super) vcs_since: Option<Now>,
    pub(super) vcs_look: Now,
    pub(super) scan_began: Option<Now>,
    pub(super) scan_took: Duration,
    pub(super) counters: Counters,
    /// Changes committed when patterns were let go last.
    pub(super) rested: u64,
    /// The `now` of the latest turn.
    pub(super) latest: Now,
    pub(super) ready: Vec<crate::debounce::Ready>,
}

impl Core {
    /// A core that has seen nothing yet; [`Core::begin`] starts it.
    pub fn new(settings: Settings, platform: &mut impl Platform) -> Result<Self, String> {
        let debouncer = Debouncer::new(settings.quiet, settings.max_delay)
            .map_err(|error| error.to_string())?;
        let (outside, files, problems) = platform.load_rules();
        let mut core = Self {
            settings,
            tree: Tree::new(),
            dirs: HashMap::new(),
            wds: HashMap::new(),
            limbo: HashMap::new(),
            outside,
            externals: Vec::new(),
            to_list: VecDeque::new(),
            listing: 0,
            ignored: HashMap::new(),
            unwatched: HashSet::new(),
            denied: HashSet::new(),
            remote: HashSet::new(),
            unlocked: false,
            problems: BTreeMap::new(),
            dirty: HashMap::new(),
            dirty_dirs: HashSet::new(),
            homeless: Vec::new(),
            debouncer,
            failed: HashMap::new(),
            retries: BinaryHeap::new(),
            flights: HashMap::new(),
            ops: VecDeque::new(),
            ops_in_flight: 0,
            queue_full: false,
            next_ticket: 1,
            epoch: 1,
            epochs: BTreeMap::new(),
            syncs: Vec::new(),
            path_syncs: Vec::new(),
            finished: Vec::new(),
            arming: Vec::new(),
            last_barrier: 0,
            next_barrier: 1,
            rescans: 0,
            first_scan_done: false,
            awaiting_rows: false,
            cleared: false,
            root_identity: None,
            root_missing: false,
            next_heartbeat: Now::ZERO,
            last_heartbeat: Now::ZERO,
            outside_wds: HashSet::new(),
            next_poll: Now::ZERO,
            next_source: Now::ZERO,
            vcs_since: None,
            vcs_look: Now::ZERO,
            scan_began: None,
            scan_took: Duration::ZERO,
            counters: Counters::default(),
            rested: 0,
            latest: Now::ZERO,
            ready: Vec::new(),
        };
        core.new_dir_info(ROOT);
        core.tree.set_known(ROOT, core.settings.witness);
        core.note_rule_problems(&problems);
        if core.set_externals(ROOT, files, platform) {
            core.load_outside(platform);
        }
        Ok(core)
    }

    /// Start: everything is found by the same scan that repairs everything else later.
    pub fn begin(&mut self, now: Now, platform: &mut impl Platform) {
        self.scan_began = Some(now);
        self.check_root(platform);
        self.request_root_scan(now);
    }

    /// Scan the whole root; requests made while one is under way join it or follow it once.
    pub(super) fn request_root_scan(&mut self, now: Now) {
        self.counters.root_scans += 1;
        self.scan_began.get_or_insert(now);
        self.cleared = false;
        self.request_listing(ROOT, true);
    }

    /// The source failed: open it anew, watch everything again, and scan for what was missed.
    pub fn restart_source(&mut self, reason: &str, now: Now, platform: &mut impl Platform) {
        self.renew_source(reason, platform);
        self.overflow(now);
    }

    /// A source with one recursive watch does not find directories again that changed without a word.
    pub(super) fn renew_recursive_watch(&mut self, platform: &mut impl Platform) {
        if self.has_recursive_watch() {
            self.renew_source("other directories are there now", platform);
        }
    }

    /// The source found by itself what there is to watch.
    pub(super) fn has_recursive_watch(&self) -> bool {
        self.settings.live && !self.settings.per_directory && !self.settings.poll_root
    }

    /// Open the source anew. What was missed meanwhile is for the caller to scan for.
    fn renew_source(&mut self, reason: &str, platform: &mut impl Platform) {
        let key = b"(source)".to_vec();
        match platform.restart_source() {
            Ok(reach) => {
                self.problems.remove(&key);
                self.take_source(reach, platform);
            }
            Err(again) => {
                // Without a source everything is polled.
                self.forget_watches();
                self.problems.insert(key, format!("{reason}; not restarted: {again}"));
                self.settings.per_directory = false;
                self.settings.poll_root = true;
                self.last_barrier = u64::MAX;
            }
        }
    }

    fn forget_watches(&mut self) {
        self.wds.clear();
        self.outside_wds.clear();
        self.next_heartbeat = Now::ZERO;
        for info in self.dirs.values_mut() {
            info.wd = None;
        }
    }

    /// The source is another one now, which watches nothing yet.
    fn take_source(&mut self, reach: Reach, platform: &mut impl Platform) {
        self.forget_watches();
        self.last_barrier = 0;
        self.settings.per_directory = reach == Reach::Directories;
        self.settings.poll_root = reach == Reach::Nothing;
        self.ask_barriers_again(platform);
    }

    /// While everything is polled because there was no source to be had: is there one now?
    fn try_better_source(&mut self, now: Now, platform: &mut impl Platform) {
        self.next_source = now + SOURCE_RETRY;
        if let Some(reach) = platform.better_source() {
            self.problems.remove(&b"(source)"[..]);
            self.take_source(reach, platform);
            self.rescans += 1;
            self.request_root_scan(now);
        }
    }

    /// Notifications were lost.
    pub fn overflow(&mut self, now: Now) {
        self.counters.overflows += 1;
        self.rescans += 1;
        crate::failpoint::pass("fp_overflow_seen_then_rescan");
        self.request_root_scan(now);
    }

    /// Everything else of one turn, after events, listings, acks and requests were taken in. Returns
    /// when the next turn is due, if nothing happens before.
    pub fn turn(&mut self, now: Now, platform: &mut impl Platform) -> Option<Now> {
        self.latest = now;
        self.run_timers(now, platform);
        loop {
            self.pump_listings(now, platform);
            self.note_scan_end(now);
            let fired = self.fire(now, platform);
            let advanced = self.advance_syncs(now, platform);
            if !fired && !advanced {
                break;
            }
        }
        if self.is_waiting_outside() {
            self.look_outside_soon();
        }
        self.give_back();
        self.next_wake(now)
    }

    fn run_timers(&mut self, now: Now, platform: &mut impl Platform) {
        while self.retries.peek().is_some_and(|retry| retry.due <= now) {
            let Some(retry) = self.retries.pop() else { break };
            let current = self.tree.is_live(retry.node)
                && self.tree.generation(retry.node) == retry.generation
                && self.failed.contains_key(&retry.node);
            if current {
                self.mark(retry.node, now, Cause::Retry, true);
            }
        }
        if std::mem::take(&mut self.unlocked) {
            self.renew_recursive_watch(platform);
            self.rescans += 1;
            self.request_root_scan(now);
        }
        if now >= self.next_heartbeat && self.settings.live {
            self.beat(now, platform);
            self.check_root(platform);
            self.check_externals(now, platform);
            self.check_mounts(now, platform);
            self.note_vcs_end(platform);
            if self.settings.poll_root && now >= self.next_source {
                self.try_better_source(now, platform);
            }
        }
        let scanning = self.scanning();
        if now >= self.next_poll && !scanning && self.settings.live {
            // A scan may take at most a twentieth of the time.
            let pause = self.settings.poll_interval.max(self.scan_took * 20);
            self.next_poll = now + pause;
            if self.settings.poll_root && self.first_scan_done {
                self.request_root_scan(now);
            } else {
                self.list_polled();
            }
        }
        let before = now.saturating_sub(LIMBO);
        self.expire_limbo(|limbo| limbo.since <= before, platform);
        self.recall_homeless(now);
        if self.dirty.len() <= self.settings.max_pending / 2 && !self.dirty_dirs.is_empty() {
            for dir in std::mem::take(&mut self.dirty_dirs) {
                if self.tree.is_live(dir) && self.dirs.contains_key(&dir) {
                    self.request_listing(dir, false);
                }
            }
        }
    }

    /// List what no watch tells about: what could not be watched, and what could not be read, because
    /// the directory that would tell of its new permissions may be one of the former.
    pub(super) fn list_polled(&mut self) {
        for polled in [&self.unwatched, &self.denied, &self.remote].map(Clone::clone) {
            for dir in polled {
                self.request_listing(dir, false);
            }
        }
    }

    /// True while any directory is queued for listing or being listed.
    pub(super) fn scanning(&self) -> bool {
        self.listing > 0 || !self.to_list.is_empty()
    }

    fn note_scan_end(&mut self, now: Now) {
        if self.scanning() {
            self.scan_began.get_or_insert(now);
        } else if let Some(began) = self.scan_began.take() {
            self.scan_took = now.saturating_sub(began);
            self.first_scan_done = true;
            self.finished.append(&mut self.arming);
        }
    }

    /// What is due may be handed out.
    fn has_room(&self) -> bool {
        !self.awaiting_rows
            && !self.queue_full
            && self.ops.is_empty()
            && self.ops_in_flight == 0
            && self.flights.len() < self.settings.max_in_flight
    }

    /// A turn comes soon in which more is handed out, even if nothing comes back.
    pub(super) fn has_more_soon(&self) -> bool {
        self.has_room() && self.vcs_since.is_none() && !self.debouncer.is_empty()
    }

    fn next_wake(&self, now: Now) -> Option<Now> {
        let room = self.has_room();
        let held = if self.vcs_since.is_some() { self.vcs_look } else { Now::ZERO };
        let due = self.debouncer.deadline().map(|at| at.max(held));
        let mut wake = if room { due } else { None };
        let mut earlier = |at: Option<Now>| {
            if let Some(at) = at {
                wake = Some(wake.map_or(at, |wake: Now| wake.min(at)));
            }
        };
        earlier(self.retries.peek().map(|retry| retry.due));
        earlier(self.limbo.values().map(|limbo| limbo.since + LIMBO).min());
        if self.settings.live {
            earlier(Some(self.next_heartbeat));
            let polls =
                !self.unwatched.is_empty() || !self.denied.is_empty() || !self.remote.is_empty();
            if self.settings.poll_root || polls {
                earlier(Some(self.next_poll.max(now)));
            }
        }
        wake
    }

    /// Take the buffer for ready keys; it is reused so that a turn allocates nothing.
    pub(super) fn take_ready(&mut self, now: Now, max: usize) -> Vec<crate::debounce::Ready> {
        let mut ready = std::mem::take(&mut self.ready);
        ready.clear();
        self.debouncer.take_ready(now, max, &mut ready);
        ready
    }

    pub(super) fn put_ready(&mut self, ready: Vec<crate::debounce::Ready>) {
        self.ready = ready;
    }

    /// True when, as far as the engine was told, the index shows the disk.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.first_scan_done
            && !self.awaiting_rows
            && !self.scanning()
            && self.dirty.is_empty()
            && self.dirty_dirs.is_empty()
            && self.flights.is_empty()
            && self.ops.is_empty()
            && self.limbo.is_empty()
            && !self.cleared
            && !self.root_missing
    }

    /// Changes not yet given back, of paths and of subtrees.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.dirty.len() + self.dirty_dirs.len() + self.ops.len() + self.ops_in_flight
    }

    /// Up to `max` of the paths that are not yet done.
    #[must_use]
    pub fn outstanding(&self, max: usize) -> Vec<Vec<u8>> {
        let mut paths: Vec<Vec<u8>> = self
            .dirty
            .keys()
            .chain(self.dirty_dirs.iter())
            .chain(self.to_list.iter())
            .filter_map(|&node| self.tree.path(node))
            .chain(self.ops.iter().map(|op| op.path.clone()))
            .chain(self.flights.values().filter_map(|flight| match &flight.kind {
                FlightKind::Op(op) => Some(op.path.clone()),
                FlightKind::File { .. } => None,
            }))
            .take(max)
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// A snapshot for people.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(self)
    }

    /// The tree, for tests and the audit.
    #[must_use]
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Give tickets back.
    pub fn acknowledge(&mut self, acks: &[Ack], now: Now) {
        for ack in acks {
            self.acknowledge_one(ack, now);
        }
    }

    /// Take one directory's listing in.
    pub fn listed(&mut self, listing: Listing, now: Now, platform: &mut impl Platform) {
        self.listing -= 1;
        self.counters.listings += 1;
        if self.first_scan_done {
            crate::failpoint::pass("fp_rescan_mid");
        }
        self.apply_listing(listing, now, platform);
    }

    pub(super) fn parent_of(&self, node: NodeId) -> Option<NodeId> {
        match self.tree.parent(node) {
            NONE => None,
            parent => Some(parent),
        }
    }
}
