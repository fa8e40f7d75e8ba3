//! Zones: read from master files, compiled to an immutable table, searched by queries.

pub mod records;
