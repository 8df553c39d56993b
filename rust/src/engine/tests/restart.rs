//! Starting from the rows of an index.

use super::super::status::Status;
use super::world::{World, settings};

#[test]
fn an_unchanged_disk_says_nothing() {
    let world = World::with(&["a/f", "a/s/g", "h"]);
    let mut world = world.restart();
    world.settle();
    assert!(world.said.is_empty(), "{:?}", world.said);
    world.check();
}

#[test]
fn what_changed_meanwhile_is_said_and_nothing_else() {
    let mut world = World::with(&["a/f", "a/s/g", "b/k", "h", "i"]);
    world.disk().write("a/s/g");
    world.disk().write("n");
    world.disk().remove("h");
    world.disk().remove("b");
    let mut world = world.restart();
    world.settle();
    world.said.sort();
    assert_eq!(world.said, ["created n", "deleted b/", "deleted h", "modified a/s/g"]);
    world.check();
}

#[test]
fn a_file_became_a_directory_meanwhile() {
    let mut world = World::with(&["x", "y/f"]);
    world.disk().remove("x");
    world.disk().mkdir("x");
    world.disk().write("x/f");
    world.disk().remove("y");
    world.disk().write("y");
    let mut world = world.restart();
    world.settle();
    world.check();
}

#[test]
fn what_became_ignored_meanwhile_is_removed() {
    let mut world = World::with(&["d/f", "x.o", "k"]);
    world.disk().write_text(".gitignore", b"d\n*.o\n");
    let mut world = world.restart();
    world.settle();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), [".gitignore", "k"]);
    world.check();
}

#[test]
fn a_file_renamed_meanwhile_is_found_by_its_identity() {
    let mut world = World::with(&["a/f", "b/"]);
    world.disk().rename("a/f", "b/g");
    let mut world = world.restart();
    world.settle();
    assert_eq!(world.said, ["renamed a/f -> b/g"]);
    world.check();
}

#[test]
fn failures_are_tried_again() {
    let mut world = World::with(&["f"]);
    world.index.insert("f".into(), super::world::Committed::failure());
    let mut world = world.restart();
    world.turn();
    assert_eq!(world.tasks[0].change.attempts, 1);
    world.settle();
    world.check();
}

#[test]
fn a_single_scan_sets_no_watch() {
    let once = crate::engine::core::Settings { live: false, ..settings() };
    let mut world = World::with_settings(&["a/f", "g"], once);
    world.check_index();
    assert!(world.disk().watches.is_empty());
    world.disk().write("g");
    let now = world.now;
    world.core.rescan(b"", now, &mut world.machine);
    world.sync();
    world.check_index();
}

#[test]
fn rows_may_come_while_the_disk_is_read() {
    let mut world = World::with(&["a/f", "a/s/g", "b/k", "h"]);
    world.disk().write("a/s/g");
    world.disk().remove("b");
    world.disk().write("n");
    world.said.clear();
    world.kill(true);
    world.listings();
    assert!(world.said.is_empty(), "nothing is known to be new yet");
    let done = world.begin_sync();
    world.events();
    assert!(done.try_recv().is_err());
    world.settle();
    assert!(done.try_recv().is_ok());
    for change in ["created n", "deleted b/", "modified a/s/g"] {
        assert!(world.said.contains(&change.to_owned()), "{change}: {:?}", world.said);
    }
    assert!(!world.said.iter().any(|change| change.contains("a/f") || change.contains('h')));
    world.check();
}

#[test]
fn late_rows_of_what_is_another_kind_by_now_go() {
    let mut world = World::with(&["x", "y/f", "y/g"]);
    world.disk().remove("x");
    world.disk().mkdir("x");
    world.disk().write("x/f");
    world.disk().remove("y");
    world.disk().write("y");
    world.kill(true);
    world.listings();
    world.sync();
    world.check();
}

#[test]
fn a_directory_that_only_a_late_row_told_of_is_listed_when_it_is_found() {
    let mut world = World::with(&["b/a/c", "k"]);
    world.disk().watch_limit = 1;
    world.kill(true);
    world.disk().rename("b", "/elsewhere");
    world.disk().mkdir("b");
    world.events();
    world.listings();
    world.disk().mkdir("b/a");
    world.sync();
    world.check_index();
}

/// Everything is listed, and nothing is known to differ: without the rows that is no news, and who takes it
/// for "all is done" calls a half made index whole.
#[test]
fn until_the_rows_are_there_it_is_starting() {
    let mut world = World::with(&["a", "d/b"]);
    world.disk().write("d/b");
    world.kill(true);
    world.listings();
    let status = Status::of(&world.core);
    assert_eq!((status.scanning, status.pending), (false, 0));
    assert!(status.starting);
    world.load();
    world.turn();
    let status = Status::of(&world.core);
    assert_eq!((status.starting, status.pending), (false, 1));
    world.settle();
    world.check();
}

#[test]
fn a_file_goes_after_its_directory_was_read_and_before_the_rows_are_there() {
    let mut world = World::with(&["a", "b"]);
    world.kill(true);
    world.turn();
    world.machine.open(0);
    world.machine.read(0);
    world.disk().remove("a");
    world.events();
    // The listing still has it, with the very stat that its row has.
    world.settle();
    world.check();
}
