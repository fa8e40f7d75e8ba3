//! Many short sequences of small numbers in two arrays, equal ones kept once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The sequences, numbered from 0.
#[derive(Debug)]
pub(super) struct Sequences {
    /// Where each starts in `items`, and the end of the last.
    offsets: Box<[u32]>,
    items: Box<[u16]>,
}

impl Sequences {
    /// The sequence of a number; empty when there is none.
    #[inline]
    pub fn get(&self, number: u32) -> &[u16] {
        let number = number as usize;
        match self.offsets.get(number..number + 2) {
            Some(&[start, end]) => self.items.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Octets of memory that they hold.
    pub fn size(&self) -> usize {
        size_of_val(&*self.offsets) + size_of_val(&*self.items)
    }
}

/// Gathers sequences.
#[derive(Debug)]
pub(super) struct SequencesBuilder {
    offsets: Vec<u32>,
    items: Vec<u16>,
    /// Hash -> number. Sequences whose hashes collide take the next free keys.
    numbers: HashMap<u64, u32>,
}

impl SequencesBuilder {
    pub fn new() -> SequencesBuilder {
        SequencesBuilder { offsets: vec![0], items: Vec::new(), numbers: HashMap::new() }
    }

    /// The number of a sequence, or `None` when there is no room for it (4,294,967,295 items).
    pub fn number(&mut self, sequence: &[u16]) -> Option<u32> {
        let mut hasher = DefaultHasher::new();
        sequence.hash(&mut hasher);
        let mut key = hasher.finish();
        while let Some(&number) = self.numbers.get(&key) {
            if self.get(number) == sequence {
                return Some(number);
            }
            key = key.wrapping_add(1);
        }
        let number = u32::try_from(self.offsets.len() - 1).ok()?;
        let end = u32::try_from(self.items.len() + sequence.len()).ok()?;
        self.items.extend_from_slice(sequence);
        self.offsets.push(end);
        self.numbers.insert(key, number);
        Some(number)
    }

    fn get(&self, number: u32) -> &[u16] {
        let number = number as usize;
        match self.offsets.get(number..number + 2) {
            Some(&[start, end]) => self.items.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    pub fn finish(self) -> Sequences {
        Sequences { offsets: self.offsets.into(), items: self.items.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sequences_are_kept_once() {
        let mut builder = SequencesBuilder::new();
        let numbers = [&[1u16, 2][..], &[][..], &[2, 1], &[1, 2], &[]].map(|s| builder.number(s));
        assert_eq!(numbers, [Some(0), Some(1), Some(2), Some(0), Some(1)]);
        let sequences = builder.finish();
        assert_eq!(sequences.get(0), [1, 2]);
        assert!(sequences.get(1).is_empty());
        assert_eq!(sequences.get(2), [2, 1]);
        assert!(sequences.get(3).is_empty());
        assert_eq!(sequences.items.len(), 4);
    }
}
