//! Steering: which endpoints answer a name for a client.

pub mod verdict;
