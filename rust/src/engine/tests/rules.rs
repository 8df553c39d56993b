//! Rule files: what an edit hides and reveals.

use super::world::World;
use crate::engine::core::Platform;

#[test]
fn an_edit_hides_and_reveals() {
    let mut world = World::with(&["d/f", "d/s/g", "k"]);
    world.disk().write_text(".gitignore", b"d/\n");
    world.sync();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), [".gitignore", "k"]);
    assert_eq!(world.disk().watches.len(), 1);
    world.check();
    world.disk().write("d/f");
    world.disk().write("d/new");
    world.disk().remove(".gitignore");
    world.sync();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), ["d/f", "d/new", "d/s/g", "k"]);
    world.check();
}

#[test]
fn a_rule_file_comes_in_one_batch_with_the_file_it_hides() {
    let mut world = World::with(&["f.log", "k"]);
    world.disk().write("f.log");
    world.disk().write_text(".gitignore", b"*.log\n");
    world.events();
    world.listings();
    world.core.flush(world.now);
    world.turn();
    assert_eq!(world.said, ["created .gitignore", "deleted f.log"]);
    world.settle();
    world.check();
}

#[test]
fn what_is_ignored_is_neither_watched_nor_listed() {
    let mut world = World::with(&["k"]);
    world.disk().write_text(".gitignore", b"build/\n*.o\n");
    world.sync();
    world.machine.calls.clear();
    world.said.clear();
    world.disk().mkdirs("build/deep/er");
    world.disk().write("build/deep/er/f");
    world.disk().write("x.o");
    world.sync();
    assert_eq!((world.machine.calls.as_slice(), world.said.as_slice()), (&[][..], &[][..]));
    world.check();
}

#[test]
fn a_name_that_comes_while_new_rules_are_read_is_judged_by_the_new_ones() {
    let mut world = World::with(&["k"]);
    world.disk().write_text(".gitignore", b"b\n");
    world.settle();
    world.disk().write_text(".gitignore", b"c\n");
    world.events();
    world.machine.open(0);
    world.disk().mkdir("b");
    world.disk().write("b/f");
    world.events();
    world.sync();
    world.check();
}

#[test]
fn a_file_revealed_while_its_removal_is_under_way_has_its_row() {
    let mut world = World::with(&["f"]);
    world.disk().write_text(".gitignore", b"f\n");
    world.events();
    world.listings();
    world.core.flush(world.now);
    world.turn();
    assert_eq!(world.said, ["created .gitignore", "deleted f"]);
    world.disk().remove(".gitignore");
    world.events();
    world.listings();
    world.sync();
    world.check();
}

#[test]
fn a_directory_renamed_to_an_ignored_name_is_forgotten() {
    let mut world = World::with(&["a/f", "a/s/g"]);
    world.disk().write_text(".gitignore", b"hidden\n");
    world.sync();
    world.disk().rename("a", "hidden");
    world.sync();
    world.check();
    world.disk().rename("hidden", "a");
    world.sync();
    world.check();
}

#[test]
fn rules_move_with_their_directory() {
    let mut world = World::with(&["a/x", "b/"]);
    world.disk().write_text(".gitignore", b"b/a/x\n");
    world.sync();
    world.disk().rename("a", "b/a");
    world.sync();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), [".gitignore"]);
    world.check();
}

#[test]
fn rules_of_the_configuration_hold_from_the_start() {
    let mut disk = super::disk::Disk::new();
    disk.write("a.tmp");
    disk.write("b");
    let mut world = World::new(disk, super::world::settings());
    world.machine.ignore("*.tmp");
    let now = world.now;
    world.core.reload_rules(now, &mut world.machine);
    world.begin();
    world.settle();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), ["b"]);
    world.check();
}

#[test]
fn a_rule_file_outside_the_tree_is_looked_at_before_it_is_read_for_good() {
    let mut world = World::with(&["a/f", "rules"]);
    let dir = world.core.tree.find(b"a").unwrap();
    let file = vec![world.machine.absolute(b"rules")];
    let first = world.core.set_externals(dir, file.clone(), &mut world.machine);
    assert!(first, "what it said before anybody looked at it is not known: read it once more");
    world.disk().write("rules");
    // The directory was listed for another reason: what was seen before still counts.
    assert!(!world.core.set_externals(dir, file, &mut world.machine));
    let now = world.now;
    assert!(!world.core.scanning());
    world.core.check_externals(now, &mut world.machine);
    assert!(world.core.scanning(), "it changed since");
}

#[test]
fn rules_edited_in_a_directory_without_a_watch_reach_what_is_below_it() {
    let mut world = World::with(&["a/b/x", "a/b/y", "a/c/x", "k"]);
    // Everything below `a` stays watched; only `a` itself loses its watch.
    world.disk().watch_limit = 1;
    world.disk().lose_watch("a");
    world.settle();
    assert_eq!(world.core.status().unwatched_paths, [b"a".to_vec()]);
    world.disk().write_text("a/.gitignore", b"x\n");
    world.sync();
    world.check_index();
    world.disk().remove("a/.gitignore");
    world.sync();
    world.check_index();
}
