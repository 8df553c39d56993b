//! Tests of the engine's decisions: a disk in memory, a clock that is a number, no thread.

mod degraded;
mod disk;
mod flight;
mod hearing;
mod machine;
mod paths;
mod random;
mod renames;
mod restart;
mod room;
mod rules;
mod sync;
mod watching;
mod witness;
mod world;
