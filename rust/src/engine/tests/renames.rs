//! Renames: by identity, without a gap in the watches, and without reading anything again.

use std::time::Duration;

use super::machine::Call;
use super::world::{MS, World, settings};
use crate::engine::core::Settings;

#[test]
fn a_directory_renamed_is_one_change_and_no_watch() {
    let mut world = World::with(&["a/f", "a/s/g", "a/s/t/h"]);
    world.disk().rename("a", "b");
    world.sync();
    assert_eq!(world.said, ["renamed a/ -> b/"]);
    assert!(!world.machine.calls.contains(&Call::Unwatch));
    assert_eq!(world.core.counters.moved_dirs, 1);
    world.check();
    world.disk().write("b/s/t/h");
    world.sync();
    assert_eq!(world.said, ["renamed a/ -> b/", "modified b/s/t/h"]);
    world.check();
}

#[test]
fn a_file_written_just_after_its_directory_was_renamed_is_found_there() {
    let mut world = World::with(&["a/s/f"]);
    world.disk().rename("a", "b");
    world.disk().write("b/s/f");
    world.disk().write("b/s/n");
    world.sync();
    assert_eq!(world.said[0], "renamed a/ -> b/");
    world.check();
}

#[test]
fn a_file_renamed_is_one_change() {
    let mut world = World::with(&["d/f", "e/"]);
    world.disk().rename("d/f", "e/g");
    world.sync();
    assert_eq!(world.said, ["renamed d/f -> e/g"]);
    world.check();
}

#[test]
fn a_file_replaced_by_a_rename_is_one_modification() {
    let mut world = World::with(&["f"]);
    world.disk().write("f.tmp");
    world.disk().rename("f.tmp", "f");
    world.sync();
    assert_eq!(world.said, ["modified f"]);
    world.check();
}

#[test]
fn a_directory_renamed_away_is_forgotten_with_its_watches() {
    let mut world = World::with(&["a/f", "a/s/g", "k"]);
    world.disk().mkdir("/out");
    world.disk().rename("a", "/out/a");
    world.sync();
    assert_eq!(world.said, ["deleted a/"]);
    world.check();
    world.disk().write("/out/a/f");
    world.disk().rename("/out/a", "a");
    world.sync();
    world.check();
}

#[test]
fn a_directory_renamed_away_goes_without_a_sync_too() {
    let mut world = World::with(&["a/f"]);
    world.disk().mkdir("/out");
    world.disk().rename("a", "/out/a");
    world.settle();
    world.check();
}

#[test]
fn a_changed_file_of_a_directory_renamed_away_waits_for_it_without_a_quiet_period() {
    let at_once = Settings { quiet: Duration::ZERO, ..settings() };
    let mut world = World::with_settings(&["a/f"], at_once);
    world.disk().mkdir("/out");
    world.disk().write("a/f");
    world.disk().rename("a", "/out/a");
    while world.event() {}
    assert_eq!(world.core.limbo.len(), 1);
    world.turn(); // went round for ever: the file was due again at once
    assert_eq!(world.core.pending(), 1);
    world.disk().rename("/out/a", "b");
    world.sync();
    world.check();
}

#[test]
fn a_directory_renamed_into_the_root_is_found_with_its_contents() {
    let mut world = World::with(&["k"]);
    world.disk().mkdirs("/out/p/q");
    world.disk().write("/out/p/q/f");
    world.disk().rename("/out/p", "p");
    world.sync();
    world.check();
}

#[test]
fn a_directory_renamed_over_an_empty_one_takes_its_place() {
    let mut world = World::with(&["a/f", "b/"]);
    world.disk().rename("a", "b");
    world.sync();
    assert_eq!(world.said, ["renamed a/ -> b/"]);
    world.check();
}

#[test]
fn exchanged_directories_keep_their_own_contents() {
    let mut world = World::with(&["a/f", "b/g", "b/s/h"]);
    world.disk().exchange("a", "b");
    world.sync();
    world.check();
    world.disk().write("a/s/h");
    world.sync();
    world.check();
}

#[test]
fn a_file_and_a_directory_are_exchanged() {
    let mut world = World::with(&["a/f", "b"]);
    world.disk().exchange("a", "b");
    world.sync();
    world.check();
}

#[test]
fn unwatched_directories_are_exchanged() {
    let mut world = World::with(&[]);
    world.disk().watch_limit = 1;
    world.disk().mkdir("c");
    world.disk().mkdir("b");
    world.sync();
    world.disk().exchange("b", "c");
    world.disk().watch_limit = usize::MAX;
    world.sync();
    world.check();
}

#[test]
fn the_halves_of_a_rename_may_come_apart() {
    let mut world = World::with(&["a/f", "b/g"]);
    world.disk().rename("a", "c");
    world.disk().rename("b", "d");
    let second = world.disk().queue.remove(1).unwrap();
    world.event();
    world.turn();
    assert_eq!(world.core.limbo.len(), 1);
    world.now += MS * 50;
    world.turn();
    world.disk().queue.insert(2, second);
    world.event();
    world.event();
    world.event();
    world.sync();
    let mut said = world.said.clone();
    said.sort();
    assert_eq!(said, ["renamed a/ -> c/", "renamed b/ -> d/"]);
    world.check();
}

#[test]
fn a_chain_of_renames_ends_where_the_disk_says() {
    let mut world = World::with(&["a/f"]);
    world.disk().rename("a", "b");
    world.disk().rename("b", "c");
    world.disk().mkdir("a");
    world.disk().write("a/f");
    world.sync();
    world.check();
}

#[test]
fn a_directory_deleted_and_made_again_has_its_new_contents() {
    let mut world = World::with(&["d/f", "d/s/g"]);
    world.disk().remove("d");
    world.disk().mkdir("d");
    world.disk().write("d/f");
    world.sync();
    world.check();
}

#[test]
fn a_file_becomes_a_directory_and_back() {
    let mut world = World::with(&["x"]);
    world.disk().remove("x");
    world.disk().mkdir("x");
    world.disk().write("x/f");
    world.sync();
    world.check();
    world.disk().remove("x");
    world.disk().write("x");
    world.sync();
    world.check();
}

#[test]
fn a_directory_renamed_during_an_overflow_keeps_its_rows() {
    let mut world = World::with(&["a/f", "a/s/g"]);
    world.disk().queue_limit = 0;
    world.disk().rename("a", "b");
    world.disk().queue_limit = usize::MAX;
    world.sync();
    assert_eq!(world.said, ["renamed a/ -> b/"]);
    world.check();
}

#[test]
fn a_rename_waits_for_what_is_in_flight_below_it() {
    let mut world = World::with(&["a/f"]);
    world.disk().write("a/f");
    world.events();
    world.core.flush(world.now);
    world.turn();
    assert_eq!(world.tasks.len(), 1);
    world.disk().rename("a", "b");
    world.events();
    world.listings();
    assert_eq!(world.tasks.len(), 1, "the worker still knows it as a/f");
    world.sync();
    world.check();
}

/// The half that is left is read after the sync began, and so a moment later by the clock.
#[test]
fn a_sync_does_not_end_while_a_directory_that_left_is_waited_for() {
    let mut world = World::with(&["a/s/f", "stays"]);
    world.disk().rename("a", "/out");
    let done = world.begin_sync();
    world.now += MS;
    world.settle_sync(&done);
    world.check();
}

#[test]
fn what_is_due_below_a_file_that_became_a_directory_waits_for_the_removal_of_its_row() {
    let mut world = World::with(&["a/b/a", "a/b/b", "b/a/c", "b/c"]);
    world.disk().exchange("b", "a/b/a");
    world.event();
    // The rows of the directory that is on its way are removed, and its files are to be read anew.
    world.path_sync("b");
    world.commit(0);
    world.sync();
    world.check_index();
}

#[test]
fn exchanged_directories_are_told_apart_without_a_watch_to_spare() {
    let mut world = World::with(&["c/a/a", "b/a/c", "b/c", "k"]);
    world.disk().watch_limit = 1;
    world.disk().exchange("c/a", "b");
    world.path_sync("b");
    world.sync();
    world.check_index();
}

#[test]
fn a_file_in_the_place_of_a_directory_that_was_found_elsewhere_is_found_too() {
    let mut world = World::with(&["a/a", "a/b/a", "a/b/b", "b/a/c", "b/c", "c/a/a", "c/b"]);
    world.kill(false);
    world.list(0);
    world.turn();
    world.machine.open(0);
    world.disk().exchange("c/b", "a");
    world.path_sync("a");
    assert!(world.index.contains_key("a"), "{:?}", world.index.keys());
    world.settle();
    world.check();
}

#[test]
fn a_place_is_taken_while_rows_below_it_wait_for_a_directory_that_left() {
    let mut world = World::with(&["a/k/x", "p/b/k/y", "e/n"]);
    world.disk().rename("a/k", "/out");
    world.event();
    // Nothing else is in `a`, so nothing follows it when it is found in its new place.
    world.disk().exchange("p/b", "a");
    for _ in 0..9 {
        world.events();
        world.listings();
        world.core.flush(world.now);
        world.work();
    }
    assert!(world.index.contains_key("a/k/y"), "{:?}", world.index.keys());
    // Only now is it known that the directory does not come back.
    world.settle();
    world.check();
}
