//! What cannot be watched, read, or found: a state of that directory, polled, and over as soon as it can.

use std::time::Duration;

use super::world::{World, settings};
use crate::engine::core::Settings;

const POLL: Duration = Duration::from_secs(11);

#[test]
fn a_denied_directory_is_said_and_read_once_it_may_be() {
    let mut world = World::with(&["d/f", "k"]);
    world.disk().deny("d", true);
    world.disk().write("d/g");
    world.disk().write("k");
    world.sync();
    assert_eq!(world.core.status().denied_paths, [b"d".to_vec()]);
    world.disk().deny("d", false);
    world.sync();
    assert_eq!(world.core.status().denied, 0);
    world.check();
}

#[test]
fn a_directory_denied_from_the_start_leaves_its_siblings_alone() {
    let mut disk = super::disk::Disk::new();
    disk.mkdirs("d/s");
    disk.write("d/s/f");
    disk.write("k");
    disk.deny("d", true);
    let mut world = World::start(disk, settings());
    world.settle();
    assert_eq!(world.index.keys().collect::<Vec<_>>(), ["k"]);
    assert_eq!(world.core.status().denied, 1);
    world.disk().deny("d", false);
    world.settle();
    world.check();
}

#[test]
fn a_source_of_the_whole_root_begins_anew_when_a_directory_can_be_read_at_last() {
    let whole = Settings { per_directory: false, ..settings() };
    let mut disk = super::disk::Disk::new();
    disk.mkdirs("d/s");
    disk.write("d/s/f");
    disk.deny("d", true);
    let mut world = World::start(disk, whole);
    world.settle();
    assert_eq!((world.core.status().denied, world.core.status().watches), (1, 0));
    world.disk().deny("d", false);
    world.sync();
    // It is another source now, which passed over nothing: this one wants a watch on each directory.
    assert_eq!((world.core.status().denied, world.core.status().watches), (0, 3));
    world.check();
    world.disk().write("d/s/f");
    world.sync();
    world.check();
}

#[test]
fn beyond_the_watch_limit_directories_are_polled_until_there_is_room() {
    let mut world = World::with(&["k"]);
    world.disk().watch_limit = 1;
    world.disk().mkdirs("d/s");
    world.disk().write("d/s/f");
    world.settle();
    assert_eq!(world.core.status().unwatched, 2);
    world.check();
    world.disk().write("d/s/f");
    world.disk().write("d/g");
    world.pass(POLL);
    world.check();
    world.disk().watch_limit = usize::MAX;
    world.pass(POLL);
    assert_eq!(world.core.status().unwatched, 0);
    world.check();
}

#[test]
fn a_sync_sees_what_was_written_where_no_watch_is() {
    let mut world = World::with(&["k"]);
    world.disk().watch_limit = 1;
    world.disk().mkdirs("d/s");
    world.sync();
    world.disk().write("d/s/f");
    world.sync();
    world.check();
}

#[test]
fn the_configured_limit_counts_too() {
    let limit = Settings { max_watches: 2, ..settings() };
    let mut world = World::with_settings(&["a/f", "b/g", "c/h"], limit);
    assert_eq!(world.disk().watches.len(), 2);
    assert_eq!(world.core.status().unwatched, 2);
    for file in ["a/f", "b/g", "c/h"] {
        world.disk().write(file);
    }
    world.sync();
    world.check();
}

#[test]
fn a_root_that_is_replaced_is_scanned_anew() {
    let mut world = World::with(&["a/f", "g"]);
    world.disk().rename("/root", "/old");
    world.disk().mkdir("/root");
    world.disk().write("h");
    world.sync();
    world.check();
}

#[test]
fn a_missing_root_keeps_its_rows_until_it_is_back() {
    let mut world = World::with(&["a/f", "g"]);
    world.disk().rename("/root", "/old");
    world.events();
    assert!(world.core.status().root_missing && !world.core.status().fresh);
    assert_eq!(world.index.len(), 2);
    world.disk().write("/old/g");
    world.disk().rename("/old", "/root");
    world.pass(Duration::from_secs(2));
    world.check();
}

#[test]
fn a_polled_root_is_scanned_at_its_interval_and_by_a_sync() {
    let polled = Settings { per_directory: false, poll_root: true, ..settings() };
    let mut world = World::with_settings(&["a/f", "g"], polled);
    world.disk().write("a/f");
    world.disk().remove("g");
    world.sync();
    world.check_index();
    world.disk().rename("a", "b");
    world.pass(POLL);
    world.check_index();
}

#[test]
fn what_is_mounted_over_a_directory_is_found_within_a_second_and_by_a_sync() {
    let mut world = World::with(&["m/f", "g"]);
    for pass in [true, false] {
        // A mount changes what is there without a word.
        world.disk().write_unseen("m/f");
        world.disk().write_unseen("m/new");
        world.machine.mounted = true;
        if pass {
            world.pass(Duration::from_secs(2));
        } else {
            world.sync();
        }
        world.check();
    }
}

#[test]
fn a_remote_directory_is_watched_and_polled() {
    let mut world = World::with(&["k"]);
    world.machine.remote = Some("net".into());
    world.disk().mkdirs("net/s");
    world.disk().write("net/s/f");
    world.settle();
    assert_eq!(world.core.status().remote, 2);
    assert_eq!(world.core.status().watches, 3);
    world.disk().write_unseen("net/s/f");
    world.disk().write_unseen("net/g");
    world.pass(POLL);
    world.check();
    world.disk().write_unseen("net/s/f");
    world.sync();
    world.check();
    world.disk().rename("net/s", "s");
    world.disk().remove("net/g");
    world.disk().remove("net/f");
    world.disk().remove("net");
    world.pass(POLL);
    assert_eq!(world.core.status().remote, 0, "{:?}", world.core.status());
    world.check();
}

#[test]
fn a_source_that_was_not_to_be_had_is_taken_when_it_is() {
    let polled = Settings { per_directory: false, poll_root: true, ..settings() };
    let mut world = World::with_settings(&["a/f", "g"], polled);
    assert_eq!(world.core.status().watches, 0);
    world.disk().write("a/f");
    world.machine.better = true;
    world.pass(Duration::from_secs(11));
    assert_eq!(world.core.status().watches, 2);
    world.check();
    world.disk().write("a/f");
    world.sync();
    world.check();
}

#[test]
fn what_git_leaves_half_done_is_not_read_before_git_is_done() {
    let mut world = World::with(&["f"]);
    world.machine.vcs = true;
    for _ in 0..3 {
        world.disk().write("f");
        world.events();
        world.now += Duration::from_millis(1500);
        world.turn();
    }
    assert!(world.said.is_empty() && world.core.status().vcs_busy);
    world.machine.vcs = false;
    world.now += Duration::from_millis(20);
    world.turn();
    assert_eq!(world.said, ["modified f"]);
    world.settle();
    world.check();
}

#[test]
fn a_lock_that_git_left_behind_holds_nothing_up_for_ever() {
    let mut world = World::with(&["f"]);
    world.machine.vcs = true;
    world.disk().write("f");
    world.pass(Duration::from_secs(6));
    world.check();
    world.disk().write("f");
    world.pass(Duration::from_millis(200));
    world.check();
}

#[test]
fn git_is_waited_for_again_after_a_sync_did_not() {
    let mut world = World::with(&["f"]);
    for synced in [true, false] {
        world.machine.vcs = true;
        world.disk().write("f");
        world.events();
        world.now += Duration::from_millis(1500);
        world.turn();
        assert!(world.said.is_empty() && world.core.status().vcs_busy);
        if synced {
            world.sync();
        }
        world.machine.vcs = false;
        world.pass(Duration::from_secs(10));
        assert!(!world.core.status().vcs_busy);
        world.check();
        world.said.clear();
    }
}

#[test]
fn a_sync_does_not_wait_for_git() {
    let mut world = World::with(&["f"]);
    world.machine.vcs = true;
    world.disk().write("f");
    world.sync();
    world.check();
}

#[test]
fn a_problem_goes_where_its_directory_goes_and_ends_with_it() {
    let mut world = World::with(&["d/e/f", "d/f"]);
    world.disk().write_text("d/e/.gitignore", b"a[\n");
    let named = |world: &World| -> Vec<String> {
        let problems = world.core.status().problems;
        problems.iter().map(|(path, _)| String::from_utf8_lossy(path).into_owned()).collect()
    };
    world.sync();
    assert_eq!(named(&world), ["d/e"]);
    world.disk().rename("d", "moved");
    world.sync();
    assert_eq!(named(&world), ["moved/e"]);
    for path in ["moved/e/.gitignore", "moved/e/f", "moved/e"] {
        world.disk().remove(path);
    }
    world.sync();
    assert!(named(&world).is_empty());
    world.check();
}

#[test]
fn one_recursive_watch_is_set_anew_when_directories_changed_without_a_word() {
    for what in ["replaced", "mounted", "lost"] {
        let recursive = Settings { per_directory: false, ..settings() };
        let mut world = World::with_settings(&["a/f"], recursive);
        assert_eq!(world.core.status().watches, 0);
        match what {
            "replaced" => {
                world.disk().rename("/root", "/elsewhere");
                world.disk().mkdir("/root");
                world.disk().mkdirs("a");
            }
            "mounted" => world.machine.mounted = true,
            _ => world.disk().queue.push_back(crate::source::Item::Overflow),
        }
        world.sync();
        // The source of these tests watches directories one by one when it is opened again.
        assert_eq!(world.core.status().watches, 2, "{what}");
        world.disk().write("a/f");
        world.sync();
        world.check();
    }
}
