//! The text of a definition made presentable: signatures in one line, comments without markers.
//!
//! Both limits are in characters and both cuts say so with an ellipsis.
