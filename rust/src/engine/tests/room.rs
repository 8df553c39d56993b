//! What is held when nothing is under way.

use super::world::World;
use crate::engine::room::{KEPT, MANY};

#[test]
fn a_first_scan_leaves_no_large_table_behind() {
    let names: Vec<String> = (0..MANY).map(|number| format!("{}/{number}", number % 7)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::with(&names);
    assert!(world.core.room_held() <= KEPT, "{}", world.core.room_held());
    // The patterns of records were let go, when all was committed.
    assert_eq!(world.core.rested, MANY);
    // And is not missed by the next change.
    world.disk().write("3/3");
    world.settle();
    assert_eq!(world.said, ["modified 3/3"]);
    world.check();
}
