//! The rules against git itself: every expectation here is what `git` answers on the same tree.

mod nested;
mod random;
mod real;
mod reloading;
mod support;
mod table;
mod trees;
