//! The endpoints chosen for a query, and the scratch space to choose them.

/// Most endpoints of an answer.
pub(super) const CAPACITY: usize = 64;

/// Most pools from a name's pool down to one of endpoints.
pub(super) const MAX_DEPTH: usize = 8;
/// Most members of a pool.
pub(super) const MAX_MEMBERS: usize = 256;

/// An item and the position of its unit in the roster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    pub item: u32,
    pub position: u16,
}

/// A list of at most [`CAPACITY`] candidates.
#[derive(Debug, Clone)]
pub(super) struct List {
    length: usize,
    items: [Candidate; CAPACITY],
}

impl List {
    pub fn new() -> List {
        List { length: 0, items: [Candidate::default(); CAPACITY] }
    }

    #[inline]
    pub fn as_slice(&self) -> &[Candidate] {
        self.items.get(..self.length).unwrap_or_default()
    }

    #[inline]
    pub fn clear(&mut self) {
        self.length = 0;
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Adds a candidate; returns whether there was room.
    #[inline]
    pub fn push(&mut self, candidate: Candidate) -> bool {
        match self.items.get_mut(self.length) {
            Some(item) => {
                *item = candidate;
                self.length += 1;
                true
            }
            None => false,
        }
    }

    /// Removes and returns the candidate at `index`; the last one takes its place.
    #[inline]
    pub fn swap_remove(&mut self, index: usize) -> Option<Candidate> {
        let last = self.length.checked_sub(1)?;
        let removed = *self.items.get(index)?;
        let moved = *self.items.get(last)?;
        *self.items.get_mut(index)? = moved;
        self.length = last;
        Some(removed)
    }

    /// Sorts by a key, keeping the order of equals.
    pub fn sort_by_key(&mut self, key: impl Fn(&Candidate) -> u32) {
        if let Some(items) = self.items.get_mut(..self.length) {
            // Insertion sort: there are few, and `sort_by_key` of the standard library may allocate.
            for end in 1..items.len() {
                let mut at = end;
                while at > 0 && key(&items[at - 1]) > key(&items[at]) {
                    items.swap(at - 1, at);
                    at -= 1;
                }
            }
        }
    }

    /// Removes the last candidate.
    #[inline]
    pub fn pop(&mut self) {
        self.length = self.length.saturating_sub(1);
    }

    /// Moves the last candidate to `index`, and those from there on one further.
    #[inline]
    pub fn insert_last_at(&mut self, index: usize) {
        if let Some(tail) = self.items.get_mut(index..self.length) {
            tail.rotate_right(1);
        }
    }
}

/// Some of a pool's members, by position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Positions([u64; MAX_MEMBERS / 64]);

impl Positions {
    pub fn insert(&mut self, position: usize) {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word |= 1 << (position % 64);
        }
    }

    #[inline]
    pub fn has(&self, position: usize) -> bool {
        self.0.get(position / 64).is_some_and(|word| word >> (position % 64) & 1 != 0)
    }
}

/// What the choice within one pool needs.
#[derive(Debug, Clone)]
pub(super) struct Level {
    /// The candidates kept so far.
    pub chosen: List,
    /// The candidates that a later stage starts from.
    pub before: List,
    /// The group that is being drawn from.
    pub urn: List,
    /// Members whose own policies leave this client nothing.
    pub refusing: Positions,
}

impl Level {
    fn new() -> Level {
        Level { chosen: List::new(), before: List::new(), urn: List::new(), refusing: Positions::default() }
    }
}

/// The endpoints chosen for a query, best first, at most 64. Made once per worker and used again for
/// every query: choosing allocates nothing.
#[derive(Debug, Clone)]
pub struct Selection {
    /// One for each pool on the way down.
    pub(super) levels: [Level; MAX_DEPTH],
    endpoints: [u32; CAPACITY],
    length: usize,
    asked: Option<Asked>,
}

/// What demand is counted by, beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The type of what the pool answers.
    pub rtype: u16,
    /// The number of the client's cell among those of the tree of pools.
    pub cell: u32,
}

impl Default for Selection {
    fn default() -> Selection {
        Selection::new()
    }
}

impl Selection {
    /// Nothing chosen.
    pub fn new() -> Selection {
        let levels = std::array::from_fn(|_| Level::new());
        Selection { levels, endpoints: [0; CAPACITY], length: 0, asked: None }
    }

    /// The numbers of the endpoints chosen, best first; empty unless the outcome is an answer.
    #[inline]
    pub fn as_slice(&self) -> &[u32] {
        self.endpoints.get(..self.length).unwrap_or_default()
    }

    /// Who asked for what, in the last decision; `None` when the pool had nothing of the type.
    #[inline]
    pub fn asked(&self) -> Option<Asked> {
        self.asked
    }

    #[inline]
    pub(super) fn set_asked(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.length = 0;
        self.asked = None;
    }

    /// The levels, and what is chosen in the end.
    #[inline]
    pub(super) fn split(&mut self) -> (&mut [Level], Chosen<'_>) {
        (&mut self.levels, Chosen { endpoints: &mut self.endpoints, length: &mut self.length })
    }
}

/// The end of a selection, being filled.
pub(super) struct Chosen<'a> {
    endpoints: &'a mut [u32; CAPACITY],
    length: &'a mut usize,
}

impl Chosen<'_> {
    /// Adds an endpoint if there is room, and returns whether there is room for more.
    #[inline]
    pub fn push(&mut self, endpoint: u32) -> bool {
        if let Some(place) = self.endpoints.get_mut(*self.length) {
            *place = endpoint;
            *self.length += 1;
        }
        *self.length < CAPACITY
    }

    pub fn as_slice(&self) -> &[u32] {
        self.endpoints.get(..*self.length).unwrap_or_default()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        *self.length == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_keeps_the_order_of_equals() {
        let mut list = List::new();
        for item in 0..6 {
            list.push(Candidate { item, position: 0 });
        }
        list.sort_by_key(|candidate| candidate.item % 2);
        assert_eq!(list.as_slice().iter().map(|c| c.item).collect::<Vec<_>>(), [0, 2, 4, 1, 3, 5]);
        list.insert_last_at(1);
        assert_eq!(list.as_slice().iter().map(|c| c.item).collect::<Vec<_>>(), [0, 5, 2, 4, 1, 3]);
        list.pop();
        assert_eq!(list.len(), 5);
    }
}
