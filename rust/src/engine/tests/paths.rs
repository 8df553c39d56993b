//! A sync of single paths: it looks at them by itself, and waits for nothing else.

use super::world::World;

#[test]
fn a_written_path_is_waited_for_without_its_notification() {
    let mut world = World::with(&["d/f", "g"]);
    world.disk().write("d/f");
    let done = world.begin_path_sync(&["d/f"]);
    world.turn();
    assert_eq!(world.tasks.len(), 1, "the quiet period is not waited for");
    assert!(done.try_recv().is_err());
    world.commit(0);
    world.turn();
    assert!(done.try_recv().is_ok());
}

#[test]
fn a_path_as_committed_is_settled_at_once() {
    let mut world = World::with(&["d/f"]);
    let done = world.begin_path_sync(&["d/f"]);
    world.turn();
    assert!(done.try_recv().is_ok());
    assert!(world.said.is_empty());
}

#[test]
fn what_else_is_pending_is_not_waited_for() {
    let mut world = World::with(&["a", "b"]);
    world.disk().write("a");
    world.events();
    let stuck = world.begin_sync();
    world.events();
    assert_eq!(world.said, ["modified a"]);
    world.disk().write("b");
    let done = world.begin_path_sync(&["b"]);
    world.turn();
    world.commit(1);
    world.turn();
    assert!(done.try_recv().is_ok());
    assert!(stuck.try_recv().is_err());
}

#[test]
fn a_path_below_a_directory_that_nobody_told_of_is_found() {
    let mut world = World::with(&["f"]);
    world.disk().mkdirs("a/b");
    world.disk().write("a/b/g");
    let done = world.begin_path_sync(&["a/b/g"]);
    world.listings();
    world.listings();
    assert!(done.try_recv().is_err());
    assert_eq!(world.said, ["created a/b/g"], "without its quiet period");
    world.work();
    assert!(done.try_recv().is_ok());
    assert!(world.index.contains_key("a/b/g"));
}

#[test]
fn a_removed_path_is_settled_when_its_row_is_gone() {
    let mut world = World::with(&["d/f"]);
    world.disk().remove("d/f");
    let done = world.begin_path_sync(&["d/f"]);
    world.turn();
    assert!(done.try_recv().is_err());
    world.work();
    assert!(done.try_recv().is_ok());
    assert!(world.index.is_empty());
}

#[test]
fn the_old_and_the_new_name_of_a_renamed_directory_are_settled_together() {
    let mut world = World::with(&["a/f"]);
    world.disk().rename("a", "b");
    let done = world.begin_path_sync(&["a/f", "b/f"]);
    world.listings();
    world.work();
    world.listings();
    world.work();
    world.turn();
    assert!(done.try_recv().is_ok());
    assert_eq!(world.index.keys().collect::<Vec<_>>(), ["b/f"]);
}

#[test]
fn a_path_that_is_not_there_and_never_was_is_settled() {
    let mut world = World::with(&["d/f"]);
    let done = world.begin_path_sync(&["nowhere/at/all", "d/none"]);
    world.turn();
    assert!(done.try_recv().is_ok());
}

#[test]
fn writing_without_pause_does_not_hold_it_up() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    let done = world.begin_path_sync(&["f"]);
    world.turn();
    world.read(0);
    world.disk().write("f");
    world.events();
    world.commit(0);
    world.turn();
    assert!(done.try_recv().is_ok(), "what was written later belongs to a later sync");
    assert!(!world.core.is_fresh());
    world.settle();
    world.check();
}

#[test]
fn a_directory_or_a_rule_file_stands_for_all_that_follows_from_it() {
    let mut world = World::with(&["d/f", "d/s/g", "k"]);
    world.disk().write("d/s/g");
    world.disk().write_text(".gitignore", b"k\n");
    let done = world.begin_path_sync(&["d", ".gitignore"]);
    world.listings();
    assert!(done.try_recv().is_err());
    world.work();
    world.listings();
    world.work();
    assert!(done.try_recv().is_ok());
    world.check_index();
}

#[test]
fn at_its_timeout_it_says_which_of_its_paths_are_outstanding() {
    let mut world = World::with(&["a", "b"]);
    world.disk().write("a");
    world.disk().write("b");
    let done = world.begin_path_sync(&["a", "b"]);
    world.turn();
    world.commit(1);
    world.turn();
    assert!(done.try_recv().is_err());
    assert_eq!(world.cancel_sync(), [b"a".to_vec()]);
}

#[test]
fn a_path_below_a_directory_that_left_is_settled_when_its_row_is_gone() {
    let mut world = World::with(&["a/f"]);
    world.disk().rename("a", "/elsewhere");
    world.events();
    assert_eq!(world.core.status().limbo, 1);
    let done = world.begin_path_sync(&["a/f"]);
    world.turn();
    assert!(done.try_recv().is_err(), "its row is still there");
    world.now += std::time::Duration::from_millis(200);
    world.turn();
    world.work();
    assert!(done.try_recv().is_ok());
    assert!(world.index.is_empty());
}
