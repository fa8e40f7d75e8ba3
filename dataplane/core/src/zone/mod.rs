//! Zones: read from master files, compiled to an immutable table, searched by queries.

pub mod build;
pub mod check;
pub mod find;
pub mod finding;
pub mod flattened;
pub mod node;
pub mod owners;
pub mod page;
pub mod reader;
pub mod records;
pub mod soa;
pub mod table;
pub mod update;
pub mod zones;
