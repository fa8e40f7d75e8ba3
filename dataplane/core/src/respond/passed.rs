//! The names that one answer has passed, so that no RRset stands in it twice (RFC 2181 section 5).

use super::lookup::MAX_CHAIN;
use crate::wire::fold::hash;

/// Names by their hash: should two ever agree, a chain of aliases ends one step early and the resolver asks on.
#[derive(Default)]
pub(super) struct Passed {
    hashes: [u64; MAX_CHAIN],
    count: usize,
}

impl Passed {
    /// Forgets them all.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Whether this lower-case wire name was passed before.
    pub fn has(&self, name: &[u8]) -> bool {
        self.has_hash(hash(name))
    }

    fn has_hash(&self, hash: u64) -> bool {
        self.hashes.iter().take(self.count).any(|passed| *passed == hash)
    }

    /// Whether this lower-case wire name was passed before; from now on it was.
    pub fn again(&mut self, name: &[u8]) -> bool {
        let hash = hash(name);
        if self.has_hash(hash) {
            return true;
        }
        // A chain has no more names than this has room for.
        if let Some(place) = self.hashes.get_mut(self.count) {
            *place = hash;
            self.count += 1;
        }
        false
    }
}
