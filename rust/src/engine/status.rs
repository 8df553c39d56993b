//! A snapshot of the engine for people and programs: numbers, and what is degraded with its reason.

use super::core::{Core, Counters};

/// Only so many paths of each kind are named; the counts are exact.
const NAMED: usize = 20;

/// What the engine says of itself.
#[derive(Debug, Default, Clone)]
pub struct Status {
    /// The index shows the disk, as far as the engine was told.
    pub fresh: bool,
    /// The first scan is not finished, or what it found is not compared with the index yet.
    pub starting: bool,
    /// Directories are being listed.
    pub scanning: bool,
    /// Kept files in the tree.
    pub files: usize,
    /// Kept directories in the tree.
    pub dirs: usize,
    /// Directory watches set.
    pub watches: usize,
    /// Paths and subtrees not yet given back.
    pub pending: usize,
    /// Tickets that are out.
    pub in_flight: usize,
    /// Directories that wait to be listed or are being listed.
    pub listing: usize,
    /// Directories that stand for their pending paths, because there were too many.
    pub dirty_dirs: usize,
    /// Paths whose failure is committed.
    pub failed: usize,
    /// Directories that could not be watched and are polled instead.
    pub unwatched: usize,
    /// Some of them.
    pub unwatched_paths: Vec<Vec<u8>>,
    /// Directories that we may not read.
    pub denied: usize,
    /// Some of them.
    pub denied_paths: Vec<Vec<u8>>,
    /// Directories whose changes the kernel may not tell of; polled besides.
    pub remote: usize,
    /// Some of them.
    pub remote_paths: Vec<Vec<u8>>,
    /// Directories that were renamed away and whose new name is awaited.
    pub limbo: usize,
    /// Paths are held back because git is at work on the tree.
    pub vcs_busy: bool,
    /// Why the source is not the one that was asked for; empty when it is.
    pub source_problem: String,
    /// Other trouble: path and reason.
    pub problems: Vec<(Vec<u8>, String)>,
    /// The root is not there.
    pub root_missing: bool,
    /// Numbers that only grow.
    pub counters: Counters,
    /// Bytes that the tree holds.
    pub tree_bytes: usize,
    /// Milliseconds that the last scan took.
    pub scan_ms: u64,
    /// The source in use.
    pub source: &'static str,
}

impl Status {
    pub(super) fn of(core: &Core) -> Self {
        let paths = |nodes: &hashbrown::HashSet<u32>| {
            nodes.iter().filter_map(|&node| core.tree.path(node)).take(NAMED).collect()
        };
        Self {
            fresh: core.is_fresh(),
            starting: !core.first_scan_done || core.awaiting_rows,
            scanning: core.scanning(),
            files: core.tree.files(),
            dirs: core.tree.dirs(),
            watches: core.wds.len(),
            pending: core.pending(),
            in_flight: core.flights.len(),
            listing: core.listing + core.to_list.len(),
            dirty_dirs: core.dirty_dirs.len(),
            failed: core.failed.len(),
            unwatched: core.unwatched.len(),
            unwatched_paths: paths(&core.unwatched),
            denied: core.denied.len(),
            denied_paths: paths(&core.denied),
            remote: core.remote.len(),
            remote_paths: paths(&core.remote),
            limbo: core.limbo.len(),
            vcs_busy: core.vcs_since.is_some(),
            source_problem: String::new(),
            problems: core
                .problems
                .iter()
                .take(NAMED)
                .map(|(path, reason)| (path.clone(), reason.clone()))
                .collect(),
            root_missing: core.root_missing,
            counters: core.counters.clone(),
            tree_bytes: core.tree.bytes_held(),
            scan_ms: u64::try_from(core.scan_took.as_millis()).unwrap_or(u64::MAX),
            source: "",
        }
    }
}
