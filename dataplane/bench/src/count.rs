//! Counting the queries for steered names.

use std::hint::black_box;

use gslb_core::observe::demand::{Board, Key};
use gslb_core::wire::rtype::number;

use crate::cases::{BATCH, Case, Work};
use crate::random::generator;

/// Cells of clients.
const CELLS: u64 = 200;

struct Count {
    board: Board,
    keys: Vec<Key>,
}

impl Count {
    fn new() -> Count {
        let mut random = generator(1);
        let board = Board::new(1, CELLS as usize);
        let keys: Vec<Key> = (0..BATCH).map(|_| Key::new(0, number::A, random.below(CELLS) as u32)).collect();
        assert!(keys.iter().all(|&key| board.add(0, key)));
        Count { board, keys }
    }
}

impl Work for Count {
    fn run(&mut self) {
        for &key in &self.keys {
            black_box(self.board.add(0, key));
        }
    }
}

pub fn cases() -> Vec<Case> {
    vec![Case::new("count/demand", Count::new)]
}
