//! The owners of a record set, each once, with the records that stand there: made once, for checks and compiler.

use super::records::RecordSet;
use crate::wire::fold::hash;

/// Finds numbers by hash; what a number stands for, its user knows. Open-addressed and at most two thirds full.
///
/// A slot holds the high half of the hash, which also says where it belongs, and the number plus one; 0 is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    slots: Vec<u64>,
    used: usize,
}

const LOW: u64 = 0xffff_ffff;

/// Names hashed before the first of them is looked for, so that the slots of all come from memory at once.
const BATCH: usize = 64;

impl Index {
    /// Room for `count` numbers without growing.
    pub fn with_capacity(count: usize) -> Index {
        Index { slots: vec![0; count + count / 2 + 1], used: 0 }
    }

    /// The number under `hash` that `is_it` accepts.
    #[inline]
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.probe(hash, is_it).ok()
    }

    /// The number under `hash` that `is_it` accepts; else `next` is put there. `next` is below 2^32 - 1.
    #[inline]
    pub fn find_or_insert(&mut self, hash: u64, next: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if (self.used + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        match self.probe(hash, is_it) {
            Ok(number) => Some(number),
            Err(at) => {
                self.put(at, (hash & !LOW) | (u64::from(next) + 1));
                None
            }
        }
    }

    /// The number, or the empty slot where it would stand.
    #[inline]
    fn probe(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mut at = self.home(hash);
        while let Some(&slot) = self.slots.get(at).filter(|slot| **slot != 0) {
            let number = (slot & LOW) as u32 - 1;
            if slot >> 32 == hash >> 32 && is_it(number) {
                return Ok(number);
            }
            at = if at + 1 < self.slots.len() { at + 1 } else { 0 };
        }
        Err(at)
    }

    /// Brings the slots of these hashes into the cache: loads that wait for nothing, unlike those of a probe, each of
    /// which waits for the branch before it. For a million names this halves the time.
    fn touch(&self, hashes: impl Iterator<Item = u64>) {
        let slots = hashes.filter_map(|hash| self.slots.get(self.home(hash)));
        std::hint::black_box(slots.fold(0, |all, slot| all ^ slot));
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash >> 32) * self.slots.len() as u128) >> 32) as usize
    }

    #[inline]
    fn put(&mut self, at: usize, slot: u64) {
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
            self.used += 1;
        }
    }

    fn grow(&mut self) {
        let larger = Index::with_capacity(self.used * 2 + 16);
        let smaller = std::mem::replace(self, larger);
        for slot in smaller.slots.into_iter().filter(|slot| *slot != 0) {
            if let Err(at) = self.probe(slot, |_| false) {
                self.put(at, slot);
            }
        }
    }
}

/// One owner: its hash, and where its records stand in reading order (see [`Owners::indices`]).
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// [`hash`] of the name.
    pub hash: u64,
    start: u32,
    count: u32,
}

impl Owner {
    /// Number of its records, at least one.
    pub fn count(&self) -> usize {
        self.count as usize
    }
}

/// All owners of a [`RecordSet`], in the order in which they were first read.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    list: Vec<Owner>,
    /// Indices of records, owner by owner; empty when the records stand that way already.
    order: Vec<u32>,
    index: Index,
}

impl Owners {
    /// The owners of `records`, which have fewer than 2^32 - 1.
    pub(super) fn of(records: &RecordSet) -> Owners {
        let runs = records.runs();
        let mut owners =
            Owners { list: Vec::with_capacity(runs), order: Vec::new(), index: Index::with_capacity(runs) };
        let mut in_one_run = true;
        let mut total = 0;
        let mut batch = Vec::with_capacity(BATCH);
        let mut insert = |batch: &mut Vec<(&[u8], Owner)>| {
            owners.index.touch(batch.iter().map(|(_, owner)| owner.hash));
            for (name, run) in batch.drain(..) {
                let (list, next) = (&owners.list, owners.list.len() as u32);
                let same = |at: u32| list.get(at as usize).is_some_and(|one| one.name(records) == name);
                let Some(known) = owners.index.find_or_insert(run.hash, next, same) else {
                    owners.list.push(run);
                    continue;
                };
                in_one_run = false;
                if let Some(owner) = owners.list.get_mut(known as usize) {
                    owner.count += run.count;
                }
            }
        };
        records.for_each_run(|name, start, count| {
            batch.push((name, Owner { hash: hash(name), start, count }));
            total += count;
            if batch.len() == BATCH {
                insert(&mut batch);
            }
        });
        insert(&mut batch);
        if !in_one_run {
            owners.gather(records, total as usize);
        }
        owners
    }

    /// Sorts the indices of records by owner: a counting sort, which keeps the reading order.
    fn gather(&mut self, records: &RecordSet, total: usize) {
        let mut order = vec![0; total];
        let mut numbers = Vec::with_capacity(records.runs());
        records.for_each_run(|owner, start, count| {
            numbers.push((self.find(records, owner).unwrap_or_default(), start, count));
        });
        let mut next = 0;
        for owner in &mut self.list {
            owner.start = next;
            next += owner.count;
        }
        let mut filled = vec![0_u32; self.list.len()];
        for (number, start, count) in numbers {
            let (Some(owner), Some(filled)) = (self.list.get(number), filled.get_mut(number)) else {
                continue;
            };
            let from = (owner.start + *filled) as usize;
            *filled += count;
            for (place, index) in order.iter_mut().skip(from).zip(start..start + count) {
                *place = index;
            }
        }
        self.order = order;
    }

    /// Number of owners.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, in the order in which they were first read.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Owner> {
        self.list.iter()
    }

    /// The owner at a position in that order.
    pub fn get(&self, position: usize) -> Option<&Owner> {
        self.list.get(position)
    }

    /// The position of the owner `name` (lower case) of `records`, whose owners these are.
    pub fn find(&self, records: &RecordSet, name: &[u8]) -> Option<usize> {
        self.find_hashed(records, hash(name), name)
    }

    /// The same with the hash at hand.
    pub fn find_hashed(&self, records: &RecordSet, hash: u64, name: &[u8]) -> Option<usize> {
        let is_it = |number: u32| self.name(records, number as usize) == Some(name);
        self.index.find(hash, is_it).map(|number| number as usize)
    }

    /// The name at a position.
    pub fn name<'r>(&self, records: &'r RecordSet, position: usize) -> Option<&'r [u8]> {
        let owner = self.list.get(position)?;
        self.indices(owner).next().and_then(|index| records.get(index)).map(|record| record.owner)
    }

    /// Indices of the records of `owner`, in reading order.
    #[inline]
    pub fn indices(&self, owner: &Owner) -> impl Iterator<Item = usize> + use<'_> {
        let is_sorted = self.order.is_empty();
        let places = owner.start as usize..(owner.start + owner.count) as usize;
        places
            .map(move |at| if is_sorted { at } else { self.order.get(at).map_or(0, |&index| index as usize) })
    }
}

impl Owner {
    /// The name, as long as `start` is still the first record's index.
    fn name<'r>(&self, records: &'r RecordSet) -> &'r [u8] {
        records.get(self.start as usize).map_or(&[], |record| record.owner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::zone::records::Record;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn set(owners: &[u8]) -> RecordSet {
        let mut records = RecordSet::new();
        for (line, octet) in owners.iter().enumerate() {
            let owner = [1, *octet, 0];
            let record =
                Record { owner: &owner, rtype: 1, ttl: 0, rdata: &[0; 4], file: 0, line: line as u32 };
            records.push(record).unwrap();
        }
        records
    }

    proptest! {
        #[test]
        fn every_record_stands_at_its_owner(names in proptest::collection::vec(0u8..6, 0..30)) {
            let records = set(&names);
            let owners = records.owners();
            let mut expected: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
            for (index, name) in names.iter().enumerate() {
                expected.entry(vec![1, *name, 0]).or_default().push(index);
            }
            prop_assert_eq!(owners.len(), expected.len());
            for (name, indices) in &expected {
                let position = owners.find(&records, name).unwrap();
                prop_assert_eq!(owners.name(&records, position), Some(&name[..]));
                let owner = owners.get(position).unwrap();
                prop_assert_eq!(owner.count(), indices.len());
                prop_assert_eq!(&owners.indices(owner).collect::<Vec<_>>(), indices);
            }
            prop_assert_eq!(owners.find(&records, b"\x01z\0"), None);
            let firsts: Vec<usize> = owners.iter().filter_map(|one| owners.indices(one).next()).collect();
            prop_assert!(firsts.is_sorted());
        }

        #[test]
        fn an_index_that_grows_forgets_nothing(numbers in proptest::collection::vec(0u32..200, 0..300)) {
            let mut index = Index::default();
            // A poor hash, so that many share a slot.
            let hash = |number: u32| u64::from(number / 8) << 32;
            let mut known = std::collections::BTreeSet::new();
            for number in numbers {
                let found = index.find_or_insert(hash(number), number, |other| other == number);
                prop_assert_eq!(found.is_none(), known.insert(number));
            }
            for number in 0..200 {
                let found = index.find(hash(number), |other| other == number);
                prop_assert_eq!(found.is_some(), known.contains(&number));
            }
        }
    }
}
