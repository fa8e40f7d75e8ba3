//! What the data plane counts.

pub mod counters;
