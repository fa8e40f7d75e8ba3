//! What the fuzz targets share: zones and packets made of arbitrary octets, and the laws every answer keeps.
//!
//! Inputs are decoded octet by octet, so that seeds can be written by hand and a mutation of one octet changes one
//! thing. A law that is broken is a panic, which the fuzzer reports as a crash.

pub mod laws;
pub mod menu;
pub mod message;
pub mod packet;
pub mod site;
