//! Scanners of Kotlin and Swift: the definitions of a source from one pass over its bytes, without a tree.
//!
//! What they give is what the walk over the grammar's tree gives (`visit`). In both languages a statement ends where
//! its line does, unless the next line goes on with it, so the end of a declaration without a body is found by
//! what an expression may end and begin with. Between declarations, only brackets, literals, comments and
//! the words that may open a definition are looked at.
//!
//! - `lex`: where a comment, a word or a group of brackets ends
//! - `pass`: the place in the source and what is open there
//! - `kotlin` and `swift`: the languages
//!
//! # Bounds
//! Nothing recurses but strings in the holes of strings, to a fixed depth. A value is passed once to find its end and
//! once for the definitions in it; values that nest as definitions in definitions do are followed to a
//! fixed depth (`VALUES_LIMIT`).

pub(super) mod kotlin;
mod lex;
mod pass;
pub(super) mod swift;
