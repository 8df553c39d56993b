//! A sync ends when everything written before it is acknowledged: not sooner, and not later.

use super::world::World;
use crate::source::Item;

#[test]
fn a_sync_is_complete_only_after_the_ack() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    let done = world.begin_sync();
    world.events();
    assert_eq!(world.tasks.len(), 1, "the quiet period is not waited for");
    assert!(done.try_recv().is_err());
    world.read(0);
    world.turn();
    assert!(done.try_recv().is_err());
    world.commit(0);
    world.turn();
    assert!(done.try_recv().is_ok());
}

#[test]
fn a_sync_with_nothing_to_do_is_complete_with_the_barrier() {
    let mut world = World::with(&["f"]);
    let done = world.begin_sync();
    world.turn();
    assert!(done.try_recv().is_err());
    world.events();
    assert!(done.try_recv().is_ok());
}

#[test]
fn a_sync_waits_for_the_listings_that_it_caused() {
    let mut world = World::with(&["f"]);
    world.disk().mkdirs("a/b");
    world.disk().write("a/b/g");
    let done = world.begin_sync();
    world.events();
    assert!(done.try_recv().is_err());
    world.listings();
    assert!(done.try_recv().is_err());
    world.work();
    assert!(done.try_recv().is_ok());
    world.check();
}

#[test]
fn another_writer_does_not_hold_a_sync_up() {
    let mut world = World::with(&["f", "noise"]);
    world.disk().write("f");
    let done = world.begin_sync();
    world.events();
    for _ in 0..10 {
        world.disk().write("noise");
        world.events();
    }
    world.commit(0);
    world.turn();
    assert!(done.try_recv().is_ok());
    assert!(!world.core.is_fresh());
}

#[test]
fn a_path_written_again_in_flight_belongs_to_the_later_sync() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    let first = world.begin_sync();
    world.events();
    world.read(0);
    world.disk().write("f");
    let second = world.begin_sync();
    world.events();
    world.commit(0);
    world.turn();
    assert!(first.try_recv().is_ok());
    assert!(second.try_recv().is_err());
    world.work();
    assert!(second.try_recv().is_ok(), "without a quiet period");
    world.check();
}

#[test]
fn an_overflow_begins_a_sync_again() {
    let mut world = World::with(&["f", "d/g"]);
    world.disk().write("f");
    let done = world.begin_sync();
    world.events();
    world.disk().write("d/g");
    world.disk().queue.clear();
    world.disk().queue.push_back(Item::Overflow);
    world.events();
    world.commit(0);
    world.turn();
    assert!(done.try_recv().is_err(), "what was lost may have been before it");
    world.listings();
    world.work();
    assert!(done.try_recv().is_ok());
    world.check();
}

#[test]
fn a_sync_before_the_first_scan_waits_for_it() {
    let mut disk = super::disk::Disk::new();
    disk.write("f");
    let mut world = World::start(disk, super::world::settings());
    let done = world.begin_sync();
    world.events();
    assert!(done.try_recv().is_err());
    world.listings();
    world.work();
    assert!(done.try_recv().is_ok());
    world.check();
}

#[test]
fn a_sync_given_up_is_forgotten_and_says_what_is_left() {
    let mut world = World::with(&["f", "d/g"]);
    world.disk().write("f");
    world.disk().write("d/g");
    let done = world.begin_sync();
    world.events();
    assert_eq!(world.core.outstanding(10), [b"d/g".to_vec(), b"f".to_vec()]);
    assert_eq!(world.core.outstanding(1).len(), 1);
    world.core.cancel_sync(1);
    world.settle();
    assert!(done.try_recv().is_err());
    world.check();
}

#[test]
fn what_is_left_of_a_removed_directory_is_said() {
    let mut world = World::with(&["d/g"]);
    world.disk().remove("d");
    let done = world.begin_sync();
    world.events();
    assert!(done.try_recv().is_err());
    assert_eq!(world.core.outstanding(10), [b"d".to_vec()]);
    world.work();
    assert!(done.try_recv().is_ok());
}

#[test]
fn a_sync_survives_the_source() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    let done = world.begin_sync();
    // The barrier dies with the source that was asked for it.
    world.disk().queue.clear();
    world.disk().queue.push_back(Item::Failed("gone".into()));
    world.settle();
    assert!(done.try_recv().is_ok());
    world.check();
}

#[test]
fn a_directory_renamed_away_before_a_sync_is_gone_after_it() {
    let mut world = World::with(&["a/f"]);
    world.disk().mkdir("/out");
    world.disk().rename("a", "/out/a");
    world.event();
    world.turn();
    assert_eq!(world.core.limbo.len(), 1);
    world.sync();
    world.check();
}
