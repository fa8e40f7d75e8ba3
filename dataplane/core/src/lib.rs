//! The gslb data plane without Python: packets, zones, steering and sockets.
//!
//! Modules import in one direction only: `wire <- zone, geo <- steer <- respond <- serve`
//! (`tests/unit/test_imports.py` keeps it so). The whole path of a query is
//! [`respond::Responder::answer`], on one screen.

pub mod explain;
pub mod geo;
pub mod memory;
pub mod observe;
pub mod publish;
pub mod respond;
pub mod serve;
pub mod steer;
pub mod wire;
pub mod zone;
