//! Tests of the engine's decisions: a disk in memory, a clock that is a number, no thread.

mod disk;
mod machine;
mod random;
mod renames;
mod world;
