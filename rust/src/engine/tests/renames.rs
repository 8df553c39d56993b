//! Renames of directories.

use super::world::World;

#[test]
fn unwatched_directories_are_exchanged() {
    let mut world = World::with(&["keep"]);
    world.disk().watch_limit = 1;
    world.disk().mkdir("c");
    world.disk().mkdir("b");
    world.sync();
    eprintln!("{:?}", world.tree_dirs());
    world.disk().exchange("b", "c");
    while world.event() {
        eprintln!("{:?} limbo {:?}", world.tree_dirs(), world.core.limbo);
    }
    world.turn();
    eprintln!("turn {:?} limbo {:?}", world.tree_dirs(), world.core.limbo);
    world.disk().watch_limit = 10;
    world.listings();
    eprintln!("list {:?} limbo {:?}", world.tree_dirs(), world.core.limbo);
    world.sync();
    eprintln!("sync {:?} limbo {:?}", world.tree_dirs(), world.core.limbo);
    world.settle();
    world.check();
}
