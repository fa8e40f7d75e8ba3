//! Steering: which endpoints answer a name for a client.
//!
//! `document` is what the control plane sends. `compile` turns it into what a query needs, for each name's pool and
//! policy and each type that the pool has, a `tree`:
//!
//! - a [`geo::table`](crate::geo::table) that maps a client's address to its *class*, the clients that
//!   the policies of the tree cannot tell apart, and the length of the shortest prefix that lies within the class.
//!   It tells a class's clients apart by country (`cells`), for counts of demand;
//! - for each class and each pool of the tree the *order* of its units, in groups of equals (`classes`). A unit is a
//!   POP, or a member pool in a pool of pools;
//! - per pool and type the candidates of each unit (`roster`).
//!
//! A policy's steps are normalised to *stages* (`stages`): each is an order known when compiled, then
//! possibly an order of equals found when a query comes, then possibly a limit. What counts at the moment is worked
//! out when verdicts and loads are published (`standing`). `choose` goes from the name's pool down to endpoints; in
//! each pool `run` runs the stages: it walks the order until enough candidates are found that count. `explain` runs
//! the same code, and `retell` tells it step by step.

mod cells;
mod choose;
mod classes;
mod compile;
mod distance;
mod document;
mod draw;
mod error;
mod examples;
mod explain;
mod first_choice;
mod grouping;
mod items;
mod latency;
mod model;
mod moves;
mod policy;
mod random;
mod reports;
mod retell;
mod roster;
mod rules;
mod run;
mod selection;
mod selector;
mod sequences;
mod shares;
mod shed;
mod stages;
pub mod standing;
mod steering;
mod sticky;
#[cfg(test)]
mod tests;
mod tree;
pub mod verdict;

pub use cells::{Cell, Found};
pub use error::SteerError;
pub use explain::Explanation;
pub use model::{Endpoint, Need, Place, Reflect, SetData, SteeredName, WhenAllDown};
pub use moves::{Amount, Move, Moves, TreeMoves};
pub use random::Random;
pub use reports::{CandidateReport, Health, MatchedRule, Origin, PoolReport, Reasoned, Removed, StepReport};
pub use selection::{Asked, Selection};
pub use steering::{Decision, Outcome, Size, Steering};
