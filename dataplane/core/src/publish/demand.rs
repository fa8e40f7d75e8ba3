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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::Publisher;
    use crate::observe::demand::Key;
    use crate::steer::Steering;
    use crate::steer::verdict::{Loads, Verdicts};
    use crate::wire::rtype::number;
    use crate::zone::zones::Zones;
    use std::sync::Arc;

    const DOCUMENT: &str = r#"{"databases": [], "latency": [], "pops": [{"name": "fra"}],
        "pools": [{"name": "web", "when_all_down": "nodata", "endpoints": [{"pop": 0, "address": "192.0.2.1", "weight": 1}]}],
        "policies": [{"name": "all", "steps": []}],
        "names": [{"name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 30}]}"#;

    fn publish(publisher: &Publisher) {
        let steering = Arc::new(Steering::compile(DOCUMENT).unwrap());
        publisher.publish(Zones::default(), steering, Verdicts::all_serving(1), Loads::default()).unwrap();
    }

    fn counted(publisher: &Publisher) -> u64 {
        let rows = publisher.demand();
        assert!(rows.iter().all(|row| row.name == "www.example.com." && row.rtype == number::A));
        rows.iter().map(|row| row.count).sum()
    }

    const KEY: (u32, u16, u32) = (0, number::A, 0);

    fn key() -> Key {
        Key::new(KEY.0, KEY.1, KEY.2)
    }

    #[test]
    fn counts_of_a_replaced_board_are_read_until_nobody_holds_it() {
        let publisher = Publisher::default();
        publish(&publisher);
        let state = publisher.current().load_full();
        assert!(state.demand.add(0, key()));
        publish(&publisher);
        assert_eq!(counted(&publisher), 1);
        assert!(state.demand.add(0, key()), "a query that is still under way");
        assert_eq!(counted(&publisher), 1);
        assert!(state.demand.add(0, key()));
        drop(state);
        assert_eq!(counted(&publisher), 1);
        assert_eq!(counted(&publisher), 0);
        assert_eq!(publisher.ledger.lock().unwrap().boards.len(), 1);
    }

    #[test]
    fn boards_that_nobody_reads_do_not_pile_up() {
        let publisher = Publisher::default();
        for _ in 0..100 {
            publish(&publisher);
            assert!(publisher.current().load().demand.add(0, key()));
        }
        assert!(publisher.ledger.lock().unwrap().boards.len() <= super::MAX_REPLACED + 2);
        assert_eq!(counted(&publisher), 100);
    }

    #[test]
    fn verdicts_keep_the_board_and_workers_get_a_new_one() {
        let publisher = Publisher::default();
        publish(&publisher);
        let before = publisher.current().load_full();
        publisher.publish_verdicts(Verdicts::all_serving(1), Loads::default()).unwrap();
        assert!(Arc::ptr_eq(&before.demand, &publisher.current().load().demand));
        assert!(!before.demand.add(1, key()));
        publisher.count_for(3);
        let after = publisher.current().load_full();
        assert_eq!(after.generation, 2);
        assert!(after.demand.add(2, key()) && !after.demand.add(3, key()));
        assert_eq!(counted(&publisher), 1);
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let publisher = Publisher::default();
        publisher.count_for(2);
        publish(&publisher);
        let done = AtomicBool::new(false);
        let (mut added, mut read) = (0u64, 0u64);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut added = 0;
                while !done.load(Ordering::Relaxed) {
                    added += u64::from(publisher.current().load().demand.add(1, key()));
                }
                added
            });
            for _ in 0..200 {
                publish(&publisher);
                read += counted(&publisher);
            }
            done.store(true, Ordering::Relaxed);
            added = worker.join().unwrap();
        });
        assert_eq!(read + counted(&publisher), added);
    }
}
