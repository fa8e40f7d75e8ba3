//! Steering: which endpoints answer a name for a client.
//!
//! `document` is what the control plane sends. `compile` turns it into what a query needs:
//!
//! - a [`geo::table`](crate::geo::table) that maps a client's address to its *class*, the clients that
//!   a policy cannot tell apart, and the length of the shortest prefix that lies within the class;
//! - for each class the *order* of the pool's POPs, in groups of equals (`classes`);
//! - per pool and address family the endpoints of each POP (`roster`).
//!
//! A policy's steps are normalised to *stages* (`stages`): each is an order known when compiled, then
//! possibly a random one by weight, then possibly a limit. `choose` runs the stages for a query: it
//! walks the order until enough endpoints are found whose verdict allows them. `explain` runs the
//! same code and retells it step by step.

mod choose;
mod classes;
mod compile;
mod document;
mod error;
mod examples;
mod explain;
mod latency;
mod model;
mod policy;
mod random;
mod retell;
mod roster;
mod selection;
mod selector;
mod sequences;
mod stages;
mod steering;
#[cfg(test)]
mod tests;
pub mod verdict;

pub use error::SteerError;
pub use explain::{CandidateReport, Explanation, MatchedRule, Origin, Reasoned, Removed, StepReport};
pub use model::{Endpoint, Place, SteeredName, WhenAllDown};
pub use random::Random;
pub use selection::Selection;
pub use steering::{Decision, Family, Outcome, Size, Steering};
