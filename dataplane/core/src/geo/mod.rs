//! Where clients are: geo databases compiled to prefix tables.
//!
//! The way of the data: an MMDB is walked once into *covers* (`mmdb`, `tree`), one for IPv4 and one for
//! IPv6. A cover (`cover`) is a list of disjoint prefixes that together hold every address, each
//! with a number; covers are overlaid and collapsed, always streaming. A [`map::GeoMap`] is the
//! overlay of all databases, its numbers are locations. Steering maps locations to classes and
//! turns the collapsed cover into a [`table::Table`], which is what a query looks up.

pub mod cover;
#[cfg(test)]
mod encoder;
#[cfg(test)]
mod hostile;
pub mod location;
pub mod map;
pub mod mmdb;
pub mod prefix;
pub mod table;
pub mod tree;
