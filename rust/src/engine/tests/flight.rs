//! What is due, handed out and given back.

use std::time::Duration;

use super::world::{MS, World, settings};
use crate::engine::change::Outcome;
use crate::engine::core::Settings;

#[test]
fn a_path_written_without_pause_is_handed_out_at_the_cap() {
    let mut world = World::with(&["f"]);
    let began = world.now;
    for _ in 0..50 {
        world.disk().write("f");
        world.events();
        if !world.tasks.is_empty() {
            break;
        }
        world.now += MS * 50;
    }
    let took = world.now.checked_sub(began).unwrap();
    assert!(took >= MS * 1900 && took <= MS * 2200, "{took:?}");
}

#[test]
fn a_quiet_path_is_handed_out_after_its_quiet_period() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    world.events();
    world.now += MS * 90;
    world.turn();
    assert!(world.tasks.is_empty());
    world.now += MS * 20;
    world.turn();
    assert_eq!(world.said, ["modified f"]);
}

#[test]
fn a_change_in_flight_is_queued_again_and_handed_out_once_at_a_time() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    world.events();
    world.core.flush(world.now);
    world.turn();
    world.read(0);
    world.disk().write("f");
    world.events();
    world.core.flush(world.now);
    world.now += MS * 5000;
    world.turn();
    assert_eq!(world.said.len(), 1);
    world.commit(0);
    world.settle();
    assert_eq!(world.said, ["modified f", "modified f"]);
    world.check();
}

#[test]
fn a_torn_file_is_handed_out_again() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    world.settle_until_handed_out();
    world.give_back(0);
    world.settle();
    assert_eq!(world.said, ["modified f", "modified f"]);
    world.check();
}

#[test]
fn a_file_gone_before_it_was_read_has_no_row() {
    let mut world = World::with(&["f"]);
    world.disk().write("g");
    world.settle_until_handed_out();
    world.disk().remove("g");
    world.commit(0);
    world.settle();
    world.check();
}

#[test]
fn a_name_that_outlives_the_word_of_its_removal_has_no_row() {
    for gone in ["f", "d"] {
        let mut world = World::with(&["f", "d/g", "k"]);
        // Some kernels tell of a removal before the name is gone.
        let stat = world.disk().lstat(gone).unwrap();
        world.disk().remove("d/g");
        world.disk().remove(gone);
        world.machine.lingering = Some((gone.into(), stat));
        world.sync();
        assert!(world.machine.lingering.is_none(), "it was looked at");
        world.check();
    }
}

#[test]
fn failures_come_back_after_their_time_and_count() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    world.settle_until_handed_out();
    for attempt in 1..=3u32 {
        let task = world.tasks.remove(0);
        assert_eq!(task.change.attempts, attempt - 1);
        let stat = world.disk().lstat("f").ok();
        world.ack(task.change.ticket, Outcome::Failed(Some(MS * 1000 * attempt)), stat);
        world.turn();
        world.now += MS * (1000 * attempt - 1);
        world.turn();
        assert!(world.tasks.is_empty(), "not before its time");
        world.now += MS;
        world.turn();
        assert_eq!(world.tasks.len(), 1);
    }
    world.settle();
    assert_eq!(world.core.status().failed, 0);
    world.check();
}

#[test]
fn a_failure_that_is_final_is_tried_when_the_file_changes() {
    let mut world = World::with(&["f"]);
    world.disk().write("f");
    world.settle_until_handed_out();
    let task = world.tasks.remove(0);
    let stat = world.disk().lstat("f").ok();
    world.ack(task.change.ticket, Outcome::Failed(None), stat);
    world.pass(Duration::from_secs(3600));
    assert_eq!(world.said.len(), 1);
    assert_eq!(world.core.status().failed, 1);
    world.disk().write("f");
    world.settle();
    assert_eq!(world.core.status().failed, 0);
    world.check();
}

#[test]
fn removals_wait_for_what_is_in_flight_and_come_together() {
    let mut world = World::with(&["a/f", "b/g", "c/h", "k"]);
    world.disk().write("k");
    world.settle_until_handed_out();
    for dir in ["a", "b", "c"] {
        world.disk().remove(dir);
    }
    world.events();
    world.listings();
    assert_eq!(world.said, ["modified k"]);
    world.commit(0);
    world.turn();
    assert_eq!(world.said[1..], ["deleted a/", "deleted b/", "deleted c/"]);
    world.disk().write("k");
    world.events();
    world.now += MS * 5000;
    world.turn();
    assert_eq!(world.said.len(), 4, "nothing beside them");
    world.settle();
    world.check();
}

#[test]
fn a_removal_that_was_not_committed_is_handed_out_again() {
    let mut world = World::with(&["a/f"]);
    world.disk().remove("a");
    world.events();
    let ticket = world.tasks.remove(0).change.ticket;
    world.ack(ticket, Outcome::Failed(None), None);
    world.settle();
    assert_eq!(world.said, ["deleted a/", "deleted a/"]);
    world.check();
}

#[test]
fn what_was_cleared_is_found_by_the_next_sync() {
    let mut world = World::with(&["a/f", "g"]);
    world.disk().write("a/f");
    world.disk().write("new");
    world.disk().remove("g");
    world.events();
    assert_eq!(world.core.clear(), 3);
    world.now += MS * 5000;
    world.turn();
    assert!(world.said.is_empty() && !world.core.is_fresh());
    world.sync();
    world.check();
}

#[test]
fn coarsening_drops_nothing_and_bounds_what_is_held() {
    let small = Settings { max_pending: 10, max_in_flight: 5, ..settings() };
    let mut world = World::with_settings(&["k"], small);
    for dir in 0..20 {
        world.disk().mkdir(&format!("{dir}"));
        for file in 0..20 {
            world.disk().write(&format!("{dir}/{file}"));
        }
    }
    world.sync();
    world.check();
    for dir in 0..20 {
        for file in 0..20 {
            world.disk().write(&format!("{dir}/{file}"));
            world.event();
            assert!(world.core.dirty.len() <= 10);
        }
    }
    assert!(world.core.counters.coarsened > 0);
    world.sync();
    world.check();
    for dir in 0..20 {
        for file in 0..20 {
            world.disk().write_quietly(&format!("{dir}/{file}"));
        }
    }
    // Without a sync, too.
    world.settle();
    world.check();
}

#[test]
fn no_more_is_handed_out_than_may_be() {
    let small = Settings { max_in_flight: 3, ..settings() };
    let mut world = World::with_settings(&[], small);
    for file in 0..10 {
        world.disk().write(&format!("{file}"));
    }
    world.events();
    world.core.flush(world.now);
    world.turn();
    assert_eq!(world.tasks.len(), 3);
    world.commit(1);
    world.turn();
    assert_eq!(world.tasks.len(), 3);
    world.settle();
    world.check();
}

#[test]
fn what_there_is_no_room_for_waits_until_there_is() {
    let mut world = World::with(&[]);
    for file in 0..10 {
        world.disk().write(&format!("{file}"));
    }
    world.events();
    world.core.flush(world.now);
    world.machine.places = 2;
    world.turn();
    assert_eq!(world.tasks.len(), 2);
    // Nobody is woken for what cannot be handed out, however long it is due.
    assert!(!world.core.has_more_soon());
    world.commit(1);
    world.turn();
    assert_eq!(world.tasks.len(), 1);
    world.machine.places = usize::MAX;
    world.settle();
    world.check();
}

#[test]
fn a_touched_path_is_read_again_at_once() {
    let mut world = World::with(&["d/f"]);
    let now = world.now;
    assert!(world.core.touch(b"d/f", now));
    assert!(!world.core.touch(b"d", now));
    assert!(!world.core.touch(b"none/f", now));
    world.turn();
    assert_eq!(world.said, ["modified d/f"]);
    world.settle();
    world.check();
}

#[test]
fn a_write_through_one_name_is_seen_under_the_other() {
    let mut world = World::with(&["a/f", "b/"]);
    world.disk().link("a/f", "b/g");
    world.sync();
    world.disk().write("b/g");
    world.sync();
    world.check();
}

#[test]
fn names_of_one_file_that_were_read_in_the_moment_of_a_change_are_read_again() {
    let mut world = World::with(&["a"]);
    world.disk().link("a", "b");
    world.settle_until_handed_out();
    world.read(0);
    assert_eq!(world.said.last().map(String::as_str), Some("created b"));
    // Through the other name, while this one is being read, and so that only the change time tells.
    world.disk().write_quietly("a");
    world.events();
    world.now += MS * 200;
    world.turn();
    world.racy = true;
    let at = world.tasks.iter().position(|task| task.change.path == b"a").unwrap();
    world.commit(at);
    world.turn();
    for _ in 0..4 {
        if !world.tasks.is_empty() {
            world.commit(0);
        }
        world.turn();
    }
    world.racy = false;
    world.settle();
    world.check_index();
}
