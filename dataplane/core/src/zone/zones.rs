//! The zones served: from a name to the closest zone above it.

use std::sync::Arc;

use super::table::Zone;
use crate::memory::prefetch;
use crate::wire::fold::{FoldedName, hash};

/// Zones of a part that a change of one zone copies, on average at most.
const ZONES_PER_PART: usize = 64;
/// So few zones are compared with a name one after the other, which is faster than to hash parts of it.
const FEW: usize = 4;
/// More zones than a core's own cache holds, what leads to their names included.
const MANY: usize = 1_000;
/// Depths of origins that are looked ahead for, the deepest first.
const DEPTHS_AHEAD: usize = 4;

/// All zones by origin. Cheap to clone: the parts are shared, and a change copies one of them.
#[derive(Clone)]
pub struct Zones {
    /// A power of two of them.
    parts: Box<[Part]>,
    /// All zones if they are few, those with the longest origins first; none otherwise.
    few: Vec<Arc<Zone>>,
    /// Bit `n` of the 128: a zone whose origin has `n` labels is served, so other depths need no probe.
    depths: u128,
    count: usize,
    /// Of all zones.
    names: usize,
}

/// An open-addressed table of zones, at most two thirds full.
#[derive(Debug, Clone)]
struct Part {
    slots: Arc<[Slot]>,
    count: usize,
}

/// Hashes of what may be the origin of a name's zone, the deepest first: what looking ahead keeps between its steps.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origins {
    hashes: [u64; DEPTHS_AHEAD],
    count: usize,
}

/// The hash of an origin beside its zone.
#[derive(Debug, Clone, Default)]
struct Slot {
    hash: u64,
    zone: Option<Arc<Zone>>,
}

impl Default for Part {
    fn default() -> Part {
        Part { slots: [Slot::default()].into(), count: 0 }
    }
}

impl Default for Zones {
    fn default() -> Zones {
        Zones { parts: [Part::default()].into(), few: Vec::new(), depths: 0, count: 0, names: 0 }
    }
}

impl Part {
    /// The slot that a hash belongs to: the highest bits choose the part, the lowest the slot.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (((hash & 0xffff_ffff) * self.slots.len() as u64) >> 32) as usize
    }

    /// Where the zone of an origin stands, or would: an empty slot always exists.
    #[inline]
    fn place(&self, hash: u64, origin: &[u8]) -> Option<usize> {
        let home = self.home(hash);
        let is_place = |slot: &Slot| match &slot.zone {
            Some(zone) => slot.hash == hash && zone.origin().as_wire() == origin,
            None => true,
        };
        let mut order = (home..self.slots.len()).chain(0..home);
        order.find(|&at| self.slots.get(at).is_some_and(is_place))
    }

    /// The first zone of this hash that `is_wanted`.
    #[inline]
    fn get(&self, hash: u64, is_wanted: impl Fn(&Zone) -> bool) -> Option<&Arc<Zone>> {
        let mut at = self.home(hash);
        // An empty slot always exists; the bound only guards against a damaged table.
        for _ in 0..self.slots.len() {
            let slot = self.slots.get(at)?;
            let zone = slot.zone.as_ref()?;
            if slot.hash == hash && is_wanted(zone) {
                return Some(zone);
            }
            at = if at + 1 < self.slots.len() { at + 1 } else { 0 };
        }
        None
    }

    /// Puts a zone in and returns the one that it takes the place of.
    fn insert(&mut self, hash: u64, zone: Arc<Zone>) -> Option<Arc<Zone>> {
        if (self.count + 1) * 3 > self.slots.len() * 2 {
            let larger = vec![Slot::default(); self.slots.len() * 2 + 2].into();
            for slot in std::mem::replace(&mut self.slots, larger).iter() {
                if let Some(zone) = &slot.zone {
                    self.put(slot.hash, zone.clone());
                }
            }
        }
        let replaced = self.put(hash, zone);
        self.count += usize::from(replaced.is_none());
        replaced
    }

    fn put(&mut self, hash: u64, zone: Arc<Zone>) -> Option<Arc<Zone>> {
        let place = self.place(hash, zone.origin().as_wire())?;
        let slots = Arc::make_mut(&mut self.slots);
        std::mem::replace(slots.get_mut(place)?, Slot { hash, zone: Some(zone) }).zone
    }
}

impl Zones {
    /// Adds a zone, or replaces the one of the same origin.
    pub fn insert(&mut self, zone: Arc<Zone>) {
        self.depths |= 1 << zone.origin_labels().min(127);
        self.names += zone.name_count();
        match self.put(zone) {
            Some(replaced) => self.names -= replaced.name_count(),
            None => self.count += 1,
        }
        if self.count > self.parts.len() * ZONES_PER_PART * 2 {
            self.divide();
        }
        self.few.clear();
        if self.count <= FEW {
            let slots = self.parts.iter().flat_map(|part| part.slots.iter());
            self.few.extend(slots.filter_map(|slot| slot.zone.clone()));
            self.few.sort_by_key(|zone| std::cmp::Reverse(zone.origin_labels()));
        }
    }

    fn put(&mut self, zone: Arc<Zone>) -> Option<Arc<Zone>> {
        let hash = hash(zone.origin().as_wire());
        self.parts.get_mut(part_index(hash, self.parts.len()))?.insert(hash, zone)
    }

    /// Spreads the zones over more parts.
    fn divide(&mut self) {
        let parts = (self.count / ZONES_PER_PART + 1).next_power_of_two();
        let new = std::iter::repeat_with(Part::default).take(parts).collect();
        let old = std::mem::replace(&mut self.parts, new);
        for zone in old.iter().flat_map(|part| part.slots.iter().filter_map(|slot| slot.zone.clone())) {
            self.put(zone);
        }
    }

    /// Number of zones.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Number of names of all zones, empty non-terminals included.
    pub fn name_count(&self) -> usize {
        self.names
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The zone of exactly this lower-case origin.
    #[inline]
    pub fn get(&self, origin: &[u8]) -> Option<&Arc<Zone>> {
        let hash = hash(origin);
        self.part(hash)?.get(hash, |zone| zone.origin().as_wire() == origin)
    }

    #[inline]
    fn part(&self, hash: u64) -> Option<&Part> {
        self.parts.get(part_index(hash, self.parts.len()))
    }

    /// The zone with the longest origin of at most `labels` labels that `name` is in.
    #[inline]
    pub fn find(&self, name: &FoldedName, labels: usize) -> Option<&Arc<Zone>> {
        if !self.few.is_empty() {
            let is_above = |zone: &&Arc<Zone>| zone.origin_labels() <= labels && zone.is_above(name);
            return self.few.iter().find(is_above);
        }
        self.depths(labels).find_map(|depth| self.get(name.suffix(depth)))
    }

    /// Depths that have zones, up to `labels`, deepest first.
    #[inline]
    fn depths(&self, labels: usize) -> impl Iterator<Item = usize> + use<> {
        let mut depths = self.depths & (u128::MAX >> (127 - labels.min(127)));
        std::iter::from_fn(move || {
            let depth = 127usize.checked_sub(depths.leading_zeros() as usize)?;
            depths &= !(1 << depth);
            Some(depth)
        })
    }

    /// Whether there are so many that it pays to ask for the steps of [`Zones::find`] ahead.
    #[inline]
    pub fn is_large(&self) -> bool {
        self.count > MANY
    }

    /// Asks for what [`Zones::find`] looks at first, if there are many zones.
    #[inline]
    pub fn prefetch_slots(&self, name: &FoldedName) -> Origins {
        let mut origins = Origins::default();
        for (place, depth) in origins.hashes.iter_mut().zip(self.depths(name.label_count())) {
            *place = hash(name.suffix(depth));
            origins.count += 1;
            if let Some(part) = self.part(*place)
                && let Some(slot) = part.slots.get(part.home(*place))
            {
                prefetch(slot);
            }
        }
        origins
    }

    /// What [`Zones::find`] finds most likely; only the hash of its origin is known to be right. What
    /// [`Zones::prefetch_slots`] asks for should be there.
    #[inline]
    pub fn candidate(&self, origins: &Origins) -> Option<&Zone> {
        let mut hashes = origins.hashes.iter().take(origins.count);
        hashes.find_map(|&hash| self.part(hash)?.get(hash, |_| true)).map(|zone| &**zone)
    }
}

/// The part of a hash among `parts`, a power of two: by its highest bits.
#[inline]
fn part_index(hash: u64, parts: usize) -> usize {
    hash.checked_shr(u64::BITS - parts.trailing_zeros()).unwrap_or(0) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::Name;

    fn zone(origin: &str) -> Arc<Zone> {
        Arc::new(Zone::new(Name::from_text(origin.as_bytes(), None).unwrap(), Box::default()))
    }

    fn found(zones: &Zones, name: &str) -> Option<String> {
        let name = folded(name);
        zones.find(&name, name.label_count()).map(|zone| zone.origin().to_string())
    }

    #[test]
    fn the_closest_zone_is_found_among_many() {
        let mut zones = Zones::default();
        assert_eq!((found(&zones, "a.ex."), zones.is_empty()), (None, true));
        for number in 0..5_000 {
            zones.insert(zone(&format!("z{number}.ex.")));
            zones.insert(zone(&format!("deep.z{number}.ex.")));
        }
        assert_eq!(zones.len(), 10_000);
        assert!(zones.parts.len() > 64, "{}", zones.parts.len());
        for number in [0, 1, 77, 4_999] {
            assert_eq!(found(&zones, &format!("www.Z{number}.ex.")), Some(format!("z{number}.ex.")));
            assert_eq!(found(&zones, &format!("a.deep.z{number}.ex.")), Some(format!("deep.z{number}.ex.")));
            assert!(
                zones
                    .get(Name::from_text(format!("z{number}.ex.").as_bytes(), None).unwrap().as_wire())
                    .is_some()
            );
        }
        assert_eq!(found(&zones, "z5000.ex."), None);
        zones.insert(zone("."));
        assert_eq!(found(&zones, "z5000.ex."), Some(".".into()));
    }

    fn folded(text: &str) -> FoldedName {
        let mut folded = FoldedName::default();
        folded.set(Name::from_text(text.as_bytes(), None).unwrap().as_wire()).unwrap();
        folded
    }

    /// From no zone to more than are few: the closest is found, whatever the order they come in.
    #[test]
    fn few_zones_are_found_as_many_are() {
        let origins = ["b.ex.", ".", "ex.", "a.b.ex.", "c.ex.", "org."];
        for turn in 0..origins.len() {
            let mut zones = Zones::default();
            let mut order = origins;
            order.rotate_left(turn);
            for (count, origin) in order.iter().enumerate() {
                zones.insert(zone(origin));
                zones.insert(zone(origin));
                assert_eq!((zones.len(), zones.few.is_empty()), (count + 1, count >= FEW));
                for asked in
                    ["x.a.b.ex.", "A.B.ex.", "b.ex.", "xb.ex.", "c.ex.", "ex.", "x.org.", "other.", "."]
                {
                    let name = folded(asked);
                    for labels in 0..=name.label_count() {
                        let served = order.iter().take(count + 1).map(|origin| folded(origin));
                        let above = served.filter(|origin| {
                            origin.label_count() <= labels
                                && name.suffix(origin.label_count()) == origin.as_wire()
                        });
                        let closest = above.max_by_key(FoldedName::label_count);
                        let found = zones.find(&name, labels).map(|zone| zone.origin().as_wire().to_vec());
                        assert_eq!(
                            found,
                            closest.map(|origin| origin.as_wire().to_vec()),
                            "{asked} {labels}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_candidate_is_the_closest_zone() {
        let mut zones = Zones::default();
        for number in 0..=MANY {
            zones.insert(zone(&format!("z{number}.ex.")));
            zones.insert(zone(&format!("deep.z{number}.ex.")));
        }
        assert!(zones.is_large());
        for number in 0..2 * MANY {
            for above in ["", "a.", "deep.", "x.deep.", "x.x.deep."] {
                let name = folded(&format!("{above}z{number}.ex."));
                let found = zones.find(&name, name.label_count()).map(Arc::as_ptr);
                let candidate = zones.candidate(&zones.prefetch_slots(&name));
                assert_eq!(candidate.map(std::ptr::from_ref), found);
            }
        }
    }

    #[test]
    fn a_change_copies_one_part_and_leaves_the_old_zones_as_they_were() {
        let mut zones = Zones::default();
        (0..1_000).for_each(|number| zones.insert(zone(&format!("z{number}.ex."))));
        let before = zones.clone();
        let replacement = zone("z7.ex.");
        zones.insert(replacement.clone());
        assert_eq!(zones.len(), 1_000);
        let origin = replacement.origin().as_wire();
        assert!(Arc::ptr_eq(zones.get(origin).unwrap(), &replacement));
        assert!(!Arc::ptr_eq(before.get(origin).unwrap(), &replacement));
        let parts = zones.parts.iter().zip(&before.parts);
        let copied = parts.filter(|(new, old)| !Arc::ptr_eq(&new.slots, &old.slots)).count();
        assert_eq!(copied, 1);
    }
}
