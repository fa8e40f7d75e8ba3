//! The boards that queries are counted on: the present steering's, and those of replaced ones until they are read.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::observe::demand::{Board, Key};
use crate::steer::{Asked, Cell, Steering};

/// Replaced boards that are held before those that no query uses are read.
const MAX_REPLACED: usize = 8;
/// Most counts that wait to be asked for.
const MAX_WAITING: usize = 1_000_000;

/// How often clients of one cell asked for a steered name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The steered name, absolute, in lower case.
    pub name: String,
    /// The type of what its pool answers: CNAME for a pool of CNAMEs, whatever was asked for.
    pub rtype: u16,
    /// Where the clients are and one of them.
    pub cell: Cell,
    /// Queries.
    pub count: u64,
}

impl Demand {
    /// The country's code, empty when no database knows it.
    pub fn country(&self) -> &str {
        self.cell.country.as_ref().map_or("", |code| code.as_str())
    }

    /// One of the clients.
    pub fn client(&self) -> IpAddr {
        self.cell.example
    }
}

/// A board and the steering that its numbers belong to.
struct Posted {
    steering: Arc<Steering>,
    board: Arc<Board>,
}

impl Posted {
    fn read(&self, into: &mut Vec<Demand>) {
        let mut counts: HashMap<Key, u64> = HashMap::new();
        self.board.take(|key, count| *counts.entry(key).or_default() += count);
        let known = counts.into_iter().filter_map(|(key, count)| {
            let (name, rtype, cell) = key.parts();
            let cell = *self.steering.cell(name, Asked { rtype, cell })?;
            Some(Demand { name: self.steering.name(name)?.name.to_string(), rtype, cell, count })
        });
        into.extend(known.take(MAX_WAITING.saturating_sub(into.len())));
    }
}

/// All boards that may hold counts which nobody has read.
pub(super) struct Ledger {
    /// How many count.
    workers: usize,
    /// The present one last.
    boards: Vec<Posted>,
    waiting: Vec<Demand>,
}

/// Only who answers without sockets counts.
impl Default for Ledger {
    fn default() -> Ledger {
        Ledger { workers: 1, boards: Vec::new(), waiting: Vec::new() }
    }
}

impl Ledger {
    /// So many workers count on the boards to come.
    pub fn staff(&mut self, workers: usize) {
        self.workers = workers;
    }

    /// A new board, for a steering that is about to be published.
    pub fn post(&mut self, steering: &Arc<Steering>) -> Arc<Board> {
        if self.boards.len() > MAX_REPLACED {
            self.settle();
        }
        let board = Arc::new(Board::new(self.workers, steering.cell_count()));
        self.boards.push(Posted { steering: steering.clone(), board: board.clone() });
        board
    }

    /// Reads and drops each board that nothing published refers to any more, nor any query.
    fn settle(&mut self) {
        let Ledger { boards, waiting, .. } = self;
        boards.retain_mut(|posted| {
            // Whoever let go of it last has counted on it before.
            let is_held = Arc::get_mut(&mut posted.board).is_none();
            if !is_held {
                posted.read(waiting);
            }
            is_held
        });
    }

    /// What was counted since the last call.
    pub fn take(&mut self) -> Vec<Demand> {
        self.settle();
        let mut all = std::mem::take(&mut self.waiting);
        for posted in &self.boards {
            posted.read(&mut all);
        }
        all
    }
}
