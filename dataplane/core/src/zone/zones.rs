//! The zones served: from a name to the closest zone above it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::table::Zone;
use crate::wire::fold::{FoldedName, hash};

/// The keys are hashes already.
#[derive(Default, Clone)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(octet);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// All zones by origin. Cheap to clone: the zones are shared.
#[derive(Clone, Default)]
pub struct Zones {
    by_origin: HashMap<u64, Vec<Arc<Zone>>, BuildHasherDefault<Identity>>,
    /// Bit `n` of the 128: a zone whose origin has `n` labels is served, so other depths need no probe.
    depths: u128,
    count: usize,
}

impl Zones {
    /// Adds a zone, or replaces the one of the same origin.
    pub fn insert(&mut self, zone: Arc<Zone>) {
        self.depths |= 1 << zone.origin_labels().min(127);
        let same_hash = self.by_origin.entry(hash(zone.origin().as_wire())).or_default();
        match same_hash.iter_mut().find(|old| old.origin() == zone.origin()) {
            Some(old) => *old = zone,
            None => {
                same_hash.push(zone);
                self.count += 1;
            }
        }
    }

    /// Number of zones.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All zones.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.by_origin.values().flatten()
    }

    /// The zone of exactly this lower-case origin.
    #[inline]
    pub fn get(&self, origin: &[u8]) -> Option<&Arc<Zone>> {
        self.by_origin.get(&hash(origin))?.iter().find(|zone| zone.origin().as_wire() == origin)
    }

    /// The zone with the longest origin of at most `labels` labels that `name` is in.
    #[inline]
    pub fn find(&self, name: &FoldedName, labels: usize) -> Option<&Arc<Zone>> {
        // Depths that have zones, up to `labels`, deepest first.
        let mut depths = self.depths & (u128::MAX >> (127 - labels.min(127)));
        while depths != 0 {
            let depth = 127 - depths.leading_zeros() as usize;
            if let Some(zone) = self.get(name.suffix(depth)) {
                return Some(zone);
            }
            depths &= !(1 << depth);
        }
        None
    }
}
