//! Watch, then list: what happens in the gaps between the two, and when notifications are lost.

use super::machine::Call;
use super::world::{MS, World, settings};
use crate::source::{Item, Mask};

#[test]
fn a_directory_is_watched_before_it_is_listed() {
    let mut world = World::with(&["a/b/f", "c/"]);
    world.kill(false);
    world.settle();
    for dir in ["", "a", "a/b", "c"] {
        let calls = &world.machine.calls;
        let watched = calls.iter().position(|call| *call == Call::Watch(dir.into()));
        let listed = calls.iter().position(|call| *call == Call::List(dir.into()));
        assert!(watched.is_some() && watched < listed, "{dir}: {calls:?}");
    }
}

#[test]
fn a_new_deep_tree_is_found_although_only_its_top_is_told() {
    let mut world = World::with(&["f"]);
    world.disk().mkdirs("a/b/c/d");
    world.disk().write("a/b/c/d/g");
    world.disk().write("a/h");
    assert_eq!(world.disk().queue.len(), 1, "only the top was watched when it came");
    world.sync();
    world.check();
    world.disk().write("a/b/c/d/g");
    world.sync();
    world.check();
}

#[test]
fn a_file_made_between_the_watch_and_the_listing_is_found() {
    let mut world = World::with(&[]);
    world.disk().mkdir("d");
    world.event();
    world.turn();
    world.disk().write("d/f");
    world.sync();
    world.check();
}

#[test]
fn a_file_made_while_its_directory_is_listed_is_found() {
    let mut world = World::with(&[]);
    world.disk().mkdir("d");
    world.event();
    world.turn();
    world.machine.open(0);
    world.disk().write("d/after-the-names");
    world.machine.read(0);
    world.disk().write("d/after-the-stats");
    world.event();
    world.list(0);
    world.sync();
    world.check();
}

#[test]
fn a_file_removed_while_its_directory_is_listed_has_no_row() {
    let mut world = World::with(&["d/f"]);
    world.core.rescan(b"d", world.now, &mut world.machine);
    world.turn();
    world.machine.open(0);
    world.machine.read(0);
    world.disk().remove("d/f");
    world.events();
    world.list(0);
    world.sync();
    world.check();
}

#[test]
fn a_directory_that_vanishes_on_the_way_leaves_its_siblings_alone() {
    let mut world = World::with(&[]);
    world.disk().mkdirs("t/a");
    world.disk().mkdirs("t/b");
    world.disk().mkdirs("t/c");
    world.disk().write("t/c/f");
    world.event();
    world.turn();
    world.list(0);
    world.turn();
    world.disk().remove("t/b");
    world.sync();
    world.check();
}

#[test]
fn an_overflow_scans_once_and_sets_every_watch_again() {
    let mut world = World::with(&["a/f", "b/g"]);
    let scans = world.core.counters.root_scans;
    world.disk().queue_limit = 2;
    for number in 0..10 {
        world.disk().write(&format!("a/{number}"));
    }
    world.disk().mkdir("late");
    world.disk().write("late/f");
    world.disk().queue_limit = usize::MAX;
    world.sync();
    assert_eq!(world.core.counters.overflows, 1);
    assert_eq!(world.core.counters.root_scans, scans + 1);
    for dir in ["", "a", "b", "late"] {
        assert!(world.machine.calls.contains(&Call::Watch(dir.into())), "{dir}");
    }
    world.check();
}

#[test]
fn overflows_during_a_scan_are_followed_by_one_more_scan() {
    let mut world = World::with(&["a/f"]);
    for _ in 0..5 {
        world.core.overflow(world.now);
        world.turn();
    }
    world.listings();
    let lists = world.machine.calls.iter().filter(|call| **call == Call::List("a".into())).count();
    assert!(lists <= 2, "{:?}", world.machine.calls);
    world.settle();
    world.check();
}

#[test]
fn an_event_for_a_watch_that_was_removed_is_nothing() {
    let mut world = World::with(&["d/f"]);
    world.disk().write("d/f");
    world.disk().remove("d");
    // The directory's own end is told first, then what happened in it before.
    let late: Vec<Item> = world.disk().queue.drain(..2).collect();
    world.disk().queue.extend(late);
    world.sync();
    world.check();
}

#[test]
fn a_descriptor_used_again_means_the_new_directory() {
    let mut world = World::with(&["one/f", "two/g"]);
    let wd = world.disk().watches.keys().copied().max().unwrap();
    // A new instance counts from the beginning, so every descriptor comes again.
    world.disk().queue.push_back(Item::Failed("gone".into()));
    world.disk().remove("one");
    world.disk().mkdir("three");
    world.disk().write("three/h");
    world.settle();
    world.check();
    assert!(world.disk().watches.contains_key(&(wd - 1)));
    world.disk().write("three/h");
    world.sync();
    world.check();
}

#[test]
fn a_source_that_cannot_be_opened_anew_is_replaced_by_scans() {
    let mut world = World::with(&["d/f"]);
    world.machine.broken = true;
    world.disk().queue.push_back(Item::Failed("gone".into()));
    world.settle();
    assert!(world.core.status().problems.iter().any(|(_, reason)| reason.contains("still broken")));
    world.disk().write("d/f");
    world.disk().mkdirs("e/e");
    world.disk().write("e/e/g");
    world.sync();
    world.check();
    world.disk().write("d/f");
    world.pass(MS * 30_000);
    world.check();
}

#[test]
fn a_watch_that_ends_by_itself_is_set_again() {
    let mut world = World::with(&["d/f"]);
    let ino = world.disk().ino("d").unwrap();
    let wd = *world.disk().watches.iter().find(|(_, watched)| **watched == ino).unwrap().0;
    world.disk().watches.remove(&wd);
    let entry = Item::Entry { wd, mask: Mask(Mask::IGNORED), cookie: 0, name: Vec::new() };
    world.disk().queue.push_back(entry);
    world.disk().write("d/f");
    world.sync();
    world.check();
}

#[test]
fn listings_wait_when_there_is_no_room_for_them() {
    let mut world = World::with(&[]);
    world.machine.room = 1;
    for number in 0..20 {
        world.disk().mkdirs(&format!("{number}/x"));
        world.disk().write(&format!("{number}/x/f"));
    }
    world.events();
    assert_eq!(world.machine.jobs.len(), 1);
    world.sync();
    world.check();
}

#[test]
fn links_and_their_targets_are_left_alone() {
    let mut world = World::start(super::disk::Disk::new(), settings());
    world.disk().symlink("link");
    world.disk().write("file");
    world.sync();
    world.disk().remove("file");
    world.disk().symlink("file");
    world.sync();
    assert!(world.index.is_empty());
    world.check();
}

/// A file made without a name (`O_TMPFILE`) reports under its inode even after it got one.
#[test]
fn a_write_told_under_the_inode_reaches_the_name_that_it_got() {
    for by_path in [false, true] {
        let mut world = World::with(&["d/f"]);
        world.disk().write("d/f");
        world.disk().queue.clear();
        let item = if by_path {
            Item::Path { path: b"d/#12".to_vec(), subtree: false }
        } else {
            let ino = world.disk().ino("d").unwrap();
            let wd = *world.disk().watches.iter().find(|(_, dir)| **dir == ino).unwrap().0;
            Item::Entry { wd, mask: Mask(Mask::MODIFY), cookie: 0, name: b"#12".to_vec() }
        };
        world.disk().queue.push_back(item);
        world.sync();
        world.check();
    }
}
