//! What the data plane counts.

pub mod counters;
pub mod demand;
