//! DNS wire format: names, types, queries in, responses out. No I/O and no `unsafe`.

pub mod name;
pub mod rtype;

pub use name::{Name, NameError};
