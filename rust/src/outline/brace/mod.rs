//! Scanners of Go and Java: the definitions of a source from one pass over its bytes, without a tree.
//!
//! What they give is what the walk over the grammar's tree gives (`visit`): the same names, lines,
//! signatures and documentation. Both languages can be read so because their keywords are reserved and their
//! brackets match: a body is passed over bracket by bracket, and only the words that may open a definition
//! are looked at. Where brackets do not match, a literal has no end or a declaration has a shape that the
//! language does not have, the scanner says that it is not sure (`Draft::doubt`), and the parser decides.
//!
//! - `lex`: where a comment, a literal or a word ends
//! - `draft`: the place in the source, the open scopes, the comments not yet claimed; makes the definitions
//! - `go` and `java`: the languages
//!
//! # Bounds
//! Every byte is read a bounded number of times: what looks ahead or back stops at the next word. Scopes
//! nest to a fixed depth (`DEPTH_LIMIT`), and so does the recursion that follows them; brackets
//! that open no scope are kept in a list and may nest as they like.

mod draft;
pub mod go;
pub mod java;
mod lex;
