//! An engine that is told of what lies outside its tree sleeps; one that is not looks every second.

use std::time::Duration;

use super::machine::OUTSIDE;
use super::world::World;
use crate::engine::core::{FAR, HEARTBEAT};
use crate::source::{Item, Mask};

/// At rest, and past the look by the clock that follows the first scan.
fn at_rest(hears: bool) -> World {
    let mut world = World::with(&["a/f"]);
    world.machine.heard = hears.then(Vec::new);
    next_turn(&mut world, HEARTBEAT);
    world
}

/// A turn so much later; after how long the next one is due.
fn next_turn(world: &mut World, later: Duration) -> Duration {
    world.now += later;
    world.core.turn(world.now, &mut world.machine).unwrap() - world.now
}

fn event(wd: i32, mask: u32) -> Item {
    Item::Entry { wd, mask: Mask(mask), cookie: 0, name: b"exclude".to_vec() }
}

#[test]
fn an_idle_engine_that_is_told_sleeps_for_a_minute() {
    let mut world = at_rest(true);
    assert_eq!(next_turn(&mut world, HEARTBEAT), FAR - HEARTBEAT);
    assert!(!world.machine.heard.as_ref().unwrap().is_empty());
}

#[test]
fn one_that_is_told_nothing_looks_every_second() {
    let mut world = at_rest(false);
    assert_eq!(next_turn(&mut world, HEARTBEAT), HEARTBEAT);
}

#[test]
fn what_happens_outside_is_looked_at_at_once_and_no_more_than_once_a_second() {
    let mut world = at_rest(true);
    world.machine.mounted = true;
    next_turn(&mut world, HEARTBEAT);
    assert!(!world.core.scanning(), "nobody has told");
    for (later, told) in [(HEARTBEAT, Item::Outside), (HEARTBEAT * 2, event(OUTSIDE, Mask::ATTRIB))]
    {
        world.machine.mounted = true;
        world.now += later;
        world.core.item(told, world.now, &mut world.machine);
        next_turn(&mut world, Duration::ZERO);
        assert!(world.core.scanning(), "told, and looked at");
        world.settle();
    }
    let last = world.core.last_heartbeat;
    world.core.item(event(OUTSIDE, Mask::CREATE), world.now, &mut world.machine);
    next_turn(&mut world, Duration::ZERO);
    assert!(world.core.last_heartbeat - last >= HEARTBEAT || world.core.last_heartbeat == last);
    assert!(world.core.next_heartbeat <= world.core.last_heartbeat + HEARTBEAT);
}

#[test]
fn an_event_of_no_watch_is_nothing_that_happened_outside() {
    let mut world = at_rest(true);
    next_turn(&mut world, HEARTBEAT);
    let due = world.core.next_heartbeat;
    world.core.item(event(OUTSIDE - 1, Mask::CREATE), world.now, &mut world.machine);
    assert_eq!(world.core.next_heartbeat, due);
}

#[test]
fn what_only_the_clock_can_tell_the_end_of_is_looked_at_every_second() {
    let mut world = at_rest(true);
    world.machine.vcs = true;
    world.disk().write("a/f");
    let now = world.now;
    world.events();
    world.core.turn(now, &mut world.machine);
    next_turn(&mut world, Duration::from_millis(150));
    assert!(world.core.vcs_since.is_some(), "held back");
    assert!(world.core.next_heartbeat <= world.core.last_heartbeat + HEARTBEAT);
}

#[test]
fn the_tree_takes_these_watches_when_it_has_none_left() {
    let mut world = at_rest(true);
    next_turn(&mut world, HEARTBEAT);
    assert!(!world.core.outside_wds.is_empty());
    world.disk().watch_limit = 2;
    world.disk().mkdir("b");
    world.sync();
    assert!(world.core.outside_wds.is_empty());
    assert_eq!(next_turn(&mut world, HEARTBEAT), HEARTBEAT);
}
