//! Zones: read from master files, compiled to an immutable table, searched by queries.

pub mod build;
pub mod find;
pub mod records;
pub mod table;
pub mod update;
pub mod zones;
