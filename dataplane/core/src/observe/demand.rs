//! Exact demand: how many queries there were for each steered name and type from each cell of clients.
//!
//! Each worker counts in a table of its own, which only it writes, so that a query shares no cache line and waits for
//! nobody. A table has a fixed size: it is made when the steering is published that it counts for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::memory::prefetch;

/// Slots that are looked at for a key, from where its hash points.
const PROBES: usize = 16;
/// Fewest and most slots of a table, powers of two.
const MIN_SLOTS: usize = 1 << 10;
const MAX_SLOTS: usize = 1 << 18;

/// A steered name (its index, below 2^24 - 1), a type, and a cell of its clients (below 2^24), in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u64);

impl Key {
    /// The key of a name, type and cell.
    #[inline]
    pub fn new(name: u32, rtype: u16, cell: u32) -> Key {
        Key(u64::from(name) << 40 | u64::from(rtype) << 24 | u64::from(cell & 0xff_ffff))
    }

    /// Name, type and cell.
    pub fn parts(self) -> (u32, u16, u32) {
        ((self.0 >> 40) as u32, (self.0 >> 24) as u16, self.0 as u32 & 0xff_ffff)
    }
}

/// A key plus one, or 0 for none, and how often it was counted: beside each other, in one cache line.
#[derive(Debug, Default)]
#[repr(align(16))]
struct Slot {
    key: AtomicU64,
    count: AtomicU64,
}

/// One worker's counts.
#[derive(Debug)]
struct Tally {
    slots: Box<[Slot]>,
    /// Bits that a hash is shifted by to give a slot.
    shift: u32,
    /// The counts when they were last read; as many as slots once they were.
    read: Mutex<Vec<u64>>,
}

impl Tally {
    fn new(cells: usize) -> Tally {
        let slots = cells.saturating_mul(2).clamp(MIN_SLOTS, MAX_SLOTS).next_power_of_two();
        Tally {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            shift: 64 - slots.ilog2(),
            read: Mutex::default(),
        }
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// Asks for the slot that [`Tally::add`] looks at first.
    #[inline]
    fn prefetch(&self, key: Key) {
        if let Some(slot) = self.slots.get(self.home(key.0 + 1)) {
            prefetch(slot);
        }
    }

    /// Adds one; false when there is no room. Only the worker that owns the table may call this.
    #[inline]
    fn add(&self, key: Key) -> bool {
        let key = key.0 + 1;
        let start = self.home(key);
        for probe in 0..PROBES {
            let Some(slot) = self.slots.get((start + probe) & (self.slots.len() - 1)) else { return false };
            let held = slot.key.load(Ordering::Relaxed);
            if held == key {
                // Nobody else writes: no atomic addition is needed.
                let count = slot.count.load(Ordering::Relaxed);
                slot.count.store(count.wrapping_add(1), Ordering::Relaxed);
                return true;
            }
            if held == 0 {
                slot.count.store(1, Ordering::Relaxed);
                slot.key.store(key, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    /// Gives each key's count since the last call.
    fn take(&self, mut each: impl FnMut(Key, u64)) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.resize(self.slots.len(), 0);
        for (slot, read) in self.slots.iter().zip(read.iter_mut()) {
            let Some(key) = slot.key.load(Ordering::Relaxed).checked_sub(1) else { continue };
            let count = slot.count.load(Ordering::Relaxed);
            let since = count.wrapping_sub(*read);
            *read = count;
            if since > 0 {
                each(Key(key), since);
            }
        }
    }
}

/// The counts of all workers while one steering is published. The default has room for no worker.
#[derive(Debug, Default)]
pub struct Board {
    tallies: Box<[Tally]>,
}

impl Board {
    /// A table for each of `workers`, with room for `cells` keys or as many as a table may hold.
    pub fn new(workers: usize, cells: usize) -> Board {
        Board { tallies: (0..workers).map(|_| Tally::new(cells)).collect() }
    }

    /// Counts one query; false when there is no room for it. Only the worker of that number may call this. Allocates
    /// nothing.
    #[inline]
    pub fn add(&self, worker: usize, key: Key) -> bool {
        self.tallies.get(worker).is_some_and(|tally| tally.add(key))
    }

    /// Asks for where [`Board::add`] will count.
    #[inline]
    pub fn prefetch(&self, worker: usize, key: Key) {
        if let Some(tally) = self.tallies.get(worker) {
            tally.prefetch(key);
        }
    }

    /// Gives what each worker counted since the last call; a key comes once for each worker that counted it.
    pub fn take(&self, mut each: impl FnMut(Key, u64)) {
        for tally in &self.tallies {
            tally.take(&mut each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn taken(board: &Board) -> HashMap<(u32, u16, u32), u64> {
        let mut all = HashMap::new();
        board.take(|key, count| *all.entry(key.parts()).or_default() += count);
        all
    }

    #[test]
    fn counts_are_those_since_the_last_reading() {
        let board = Board::new(2, 10);
        let (one, other) = (Key::new(0, 1, 0), Key::new(999_999, u16::MAX, 0xff_ffff));
        for worker in [0, 0, 1] {
            assert!(board.add(worker, one));
        }
        assert!(board.add(1, other));
        assert!(!board.add(2, one), "there is no such worker");
        assert_eq!(taken(&board), HashMap::from([((0, 1, 0), 3), ((999_999, u16::MAX, 0xff_ffff), 1)]));
        assert!(taken(&board).is_empty());
        assert!(board.add(0, one));
        assert_eq!(taken(&board), HashMap::from([((0, 1, 0), 1)]));
    }

    #[test]
    fn as_many_keys_as_were_asked_for_have_room() {
        for cells in [1, 512, 513, 20_000] {
            let board = Board::new(1, cells);
            let placed = (0..cells).filter(|&cell| board.add(0, Key::new(3, 28, cell as u32))).count();
            assert_eq!(placed, cells);
            assert_eq!(taken(&board).len(), cells);
        }
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let board = Board::new(1, 1);
        let placed = (0..10_000).filter(|&cell| board.add(0, Key::new(0, 1, cell))).count();
        assert!((MIN_SLOTS / 2..=MIN_SLOTS).contains(&placed), "{placed}");
        assert_eq!(taken(&board).values().sum::<u64>() as usize, placed);
    }

    #[test]
    fn tables_have_bounds() {
        let slots = |cells| Tally::new(cells).slots.len();
        assert_eq!([slots(0), slots(512), slots(513), slots(usize::MAX)], [1024, 1024, 2048, 262_144]);
    }
}
