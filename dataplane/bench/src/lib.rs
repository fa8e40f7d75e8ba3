//! What each step of an answer costs: parse, find, steer, write, and the whole.
//!
//! One list of [`cases`](cases::cases) serves two programs. `benches/cases.rs` measures their time by criterion, which
//! depends on the machine and what else it does. `src/main.rs` runs them for valgrind, whose counts of instructions
//! depend on neither, and counts allocations. `bench/README.md` says how to run both.

#![allow(clippy::expect_used, clippy::panic)] // What is measured is made here; where it is wrong, nothing is measured.

mod answer;
pub mod cases;
mod count;
mod find;
mod parse;
mod queries;
mod random;
mod steer;
mod steerings;
mod write;
mod zones;
