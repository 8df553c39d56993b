//! Random operations on the disk, random delivery of events, listings and acks; then everything must
//! agree. A sync in the middle must be complete at once, whatever is under way.

use std::time::Duration;

use proptest::prelude::*;

use super::disk::Disk;
use super::world::{MS, World, settings};
use crate::engine::core::Settings;
use crate::source::Item;

#[derive(Debug, Clone)]
enum Step {
    Mkdir(String),
    Write(String),
    WriteQuietly(String),
    Remove(String),
    Rename(String, String),
    Exchange(String, String),
    Link(String, String),
    Symlink(String),
    Deny(String, bool),
    Rules(String, &'static str),
    Limit(usize),
    QueueLimit(usize),
    BreakSource,
    Events(usize),
    Open(usize),
    ReadDir(usize),
    List(usize),
    Read(usize),
    Commit(usize),
    GiveBack(usize),
    Turn,
    Pass(u64),
    Clear,
    Flush,
    Touch(String),
    Rescan(String),
    Sync,
    PathSync(String),
    Vcs(bool),
    Mounted,
    Kill(bool),
    Rows,
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

/// Few names, so that they meet; some outside the root.
fn path() -> impl Strategy<Value = String> {
    let inside = prop::collection::vec(name(), 1..4).prop_map(|names| names.join("/"));
    prop_oneof![9 => inside, 1 => name().prop_map(|name| format!("/{name}"))]
}

fn inside() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..4).prop_map(|names| names.join("/"))
}

fn dir() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 0..3).prop_map(|names| names.join("/"))
}

fn operation() -> impl Strategy<Value = Step> {
    let rule = prop::sample::select(vec!["", "a\n", "b/\n", "*\n!.gitignore\n", "/a/b\n", "!a\n"]);
    prop_oneof![
        6 => path().prop_map(Step::Mkdir),
        8 => path().prop_map(Step::Write),
        1 => path().prop_map(Step::WriteQuietly),
        5 => path().prop_map(Step::Remove),
        8 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (path(), path()).prop_map(|(one, two)| Step::Exchange(one, two)),
        1 => path().prop_map(Step::Symlink),
        1 => (inside(), any::<bool>()).prop_map(|(path, denied)| Step::Deny(path, denied)),
        2 => (dir(), rule).prop_map(|(dir, rule)| Step::Rules(dir, rule)),
    ]
}

/// What changes files and directories, and nothing that changes what is kept.
fn plain() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => path().prop_map(Step::Mkdir),
        8 => path().prop_map(Step::Write),
        1 => inside().prop_map(Step::WriteQuietly),
        5 => path().prop_map(Step::Remove),
        8 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (path(), path()).prop_map(|(one, two)| Step::Exchange(one, two)),
        6 => inside().prop_map(Step::PathSync),
    ]
}

/// Hard links, and nothing that removes a name: inotify tells of a write by the name that was used, so
/// that what was written through a name that is gone since, or is not kept, cannot be known.
fn linking() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => inside().prop_map(Step::Mkdir),
        6 => inside().prop_map(Step::Write),
        4 => (inside(), inside()).prop_map(|(from, to)| Step::Link(from, to)),
    ]
}

fn step(operation: impl Strategy<Value = Step> + 'static) -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => operation,
        1 => prop::sample::select(vec![1usize, 3, usize::MAX]).prop_map(Step::Limit),
        1 => prop::sample::select(vec![2usize, 8, usize::MAX]).prop_map(Step::QueueLimit),
        1 => Just(Step::BreakSource),
        6 => (1usize..6).prop_map(Step::Events),
        3 => any::<usize>().prop_map(Step::Open),
        3 => any::<usize>().prop_map(Step::ReadDir),
        6 => any::<usize>().prop_map(Step::List),
        4 => any::<usize>().prop_map(Step::Read),
        6 => any::<usize>().prop_map(Step::Commit),
        1 => any::<usize>().prop_map(Step::GiveBack),
        4 => Just(Step::Turn),
        4 => prop::sample::select(vec![10u64, 100, 200, 3000]).prop_map(Step::Pass),
        1 => Just(Step::Clear),
        1 => Just(Step::Flush),
        1 => inside().prop_map(Step::Touch),
        1 => dir().prop_map(Step::Rescan),
        2 => Just(Step::Sync),
        2 => inside().prop_map(Step::PathSync),
        1 => any::<bool>().prop_map(Step::Vcs),
        1 => Just(Step::Mounted),
        1 => any::<bool>().prop_map(Step::Kill),
        1 => Just(Step::Rows),
    ]
}

fn pick(number: usize, len: usize) -> Option<usize> {
    (len > 0).then(|| number % len)
}

fn allow_all(world: &mut World) {
    for _ in 0..10 {
        for dir in world.disk().denied() {
            world.disk().deny(&dir, false);
        }
    }
}

fn run_step(world: &mut World, step: &Step) {
    let now = world.now;
    match step {
        Step::Mkdir(path) => drop(world.disk().mkdir(path)),
        Step::Write(path) => drop(world.disk().write(path)),
        Step::WriteQuietly(path) => drop(world.disk().write_quietly(path)),
        Step::Remove(path) => drop(world.disk().remove(path)),
        Step::Rename(from, to) => drop(world.disk().rename(from, to)),
        Step::Exchange(one, two) => drop(world.disk().exchange(one, two)),
        Step::Link(from, to) => drop(world.disk().link(from, to)),
        Step::Symlink(path) => drop(world.disk().symlink(path)),
        Step::Deny(path, denied) => drop(world.disk().deny(path, *denied)),
        Step::Rules(dir, rule) => {
            let path = super::machine::names_join(dir, ".gitignore");
            if rule.is_empty() {
                world.disk().remove(&path);
            } else {
                world.disk().write_text(&path, rule.as_bytes());
            }
        }
        Step::Limit(limit) => world.disk().watch_limit = *limit,
        Step::QueueLimit(limit) => world.disk().queue_limit = *limit,
        Step::BreakSource => world.disk().queue.push_back(Item::Failed("broken".into())),
        Step::Events(count) => {
            for _ in 0..*count {
                world.event();
            }
        }
        Step::Open(number) => {
            if let Some(at) = pick(*number, world.machine.jobs.len()) {
                world.machine.open(at);
            }
        }
        Step::ReadDir(number) => {
            if let Some(at) = pick(*number, world.machine.jobs.len()) {
                world.machine.read(at);
            }
        }
        Step::List(number) => {
            if let Some(at) = pick(*number, world.machine.jobs.len()) {
                world.list(at);
            }
        }
        Step::Read(number) => {
            if let Some(at) = pick(*number, world.tasks.len()) {
                world.read(at);
            }
        }
        Step::Commit(number) => {
            if let Some(at) = pick(*number, world.tasks.len()) {
                world.commit(at);
            }
        }
        Step::GiveBack(number) => {
            if let Some(at) = pick(*number, world.tasks.len()) {
                world.give_back(at);
            }
        }
        Step::Turn => drop(world.turn()),
        Step::Pass(millis) => {
            world.now += MS * u32::try_from(*millis).unwrap();
            world.turn();
        }
        Step::Clear => drop(world.core.clear()),
        Step::Flush => world.core.flush(now),
        Step::Touch(path) => drop(world.core.touch(path.as_bytes(), now)),
        Step::Rescan(path) => world.core.rescan(path.as_bytes(), now, &mut world.machine),
        Step::PathSync(path) => {
            allow_all(world);
            world.path_sync(path);
        }
        Step::Vcs(busy) => world.machine.vcs = *busy,
        Step::Mounted => world.machine.mounted = true,
        Step::Kill(rows_later) => world.kill(*rows_later),
        Step::Rows => world.load(),
        Step::Sync => {
            // A row below a directory that may not be read is neither right nor wrong.
            allow_all(world);
            world.sync();
            world.check_index();
        }
    }
}

/// Every other run begins with a committed tree: among few steps, hardly any file would get a row otherwise.
fn begin(settings: Settings, steps: &[Step]) -> World {
    if steps.len().is_multiple_of(2) {
        return World::start(Disk::new(), settings);
    }
    World::with_settings(&["a/a", "a/b/a", "a/b/b", "b/a/c", "b/c", "c/a/a", "c/b"], settings)
}

fn run(settings: Settings, steps: &[Step]) {
    let mut world = begin(settings, steps);
    for step in steps {
        run_step(&mut world, step);
    }
    finish(world);
}

/// After a sync of a path its row is what is on disk, whatever else is under way and was not told yet.
fn run_exact(steps: &[Step]) {
    let mut world = begin(settings(), steps);
    for step in steps {
        run_step(&mut world, step);
        if let Step::PathSync(path) = step {
            let on_disk = world.machine.kept().1.into_iter().find(|(kept, _)| kept == path);
            let row = world.index.get(path).map(|row| (path.clone(), row.number));
            assert_eq!(row, on_disk, "index (left) and disk (right)");
        }
    }
    finish(world);
}

fn finish(mut world: World) {
    world.disk().watch_limit = usize::MAX;
    world.disk().queue_limit = usize::MAX;
    allow_all(&mut world);
    world.sync();
    world.check_index();
    world.settle();
    world.pass(Duration::from_secs(60));
    world.check();
}

fn cases() -> u32 {
    std::env::var("CURRANT_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_index_shows_the_disk(steps in prop::collection::vec(step(operation()), 1..80)) {
        run(settings(), &steps);
    }

    #[test]
    fn so_it_does_with_hard_links(steps in prop::collection::vec(step(linking()), 1..80)) {
        run(settings(), &steps);
    }

    #[test]
    fn a_synced_path_shows_the_disk_whatever_else_happens(steps in prop::collection::vec(step(plain()), 1..80)) {
        run_exact(&steps);
    }

    #[test]
    fn so_it_does_by_scans_alone(steps in prop::collection::vec(step(operation()), 1..60)) {
        run(Settings { per_directory: false, poll_root: true, ..settings() }, &steps);
    }

    #[test]
    fn so_it_does_with_no_room_to_remember(steps in prop::collection::vec(step(operation()), 1..80)) {
        run(Settings { max_pending: 2, max_in_flight: 2, ..settings() }, &steps);
    }
}
