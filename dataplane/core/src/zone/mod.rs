//! Zones: read from master files, compiled to an immutable table, searched by queries.

pub mod check;
pub mod finding;
pub mod reader;
pub mod records;
