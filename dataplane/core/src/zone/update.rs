//! Changes a few RRsets of a compiled zone and shares the rest: only the shards that a change touches are copied.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::build::{MAX_SET, NAMES_PER_SHARD, with_soa};
use super::node::{Draft, Flags, NodeChange, Set};
use super::table::{Shard, Zone, shard_index};
use crate::wire::Name;
use crate::wire::fold::hash;
use crate::wire::name::{is_within, parent};
use crate::wire::rtype::{self, number};
use crate::wire::writer::push_image;

/// One RRset as it shall be; no RDATA removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Owner, lower case.
    pub name: Name,
    /// RR type.
    pub rtype: u16,
    /// TTL in seconds, at most 2^31 - 1.
    pub ttl: u32,
    /// RDATA of each record, wire format, uncompressed.
    pub rdata: Vec<Vec<u8>>,
}

/// Why a change is refused; the zone stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The owner is outside the zone.
    #[error("{0} is outside the zone {1}")]
    OutOfZone(Name, Name),
    /// RFC 1034 section 3.6.2.
    #[error("{0} would have a CNAME beside other data: remove the other records or the CNAME")]
    CnameAndOtherData(Name),
    /// RFC 2181 section 10.1.
    #[error("{0} would have more than one {1} record")]
    NotSingle(Name, &'static str),
    /// A CNAME at a name that steering answers.
    #[error("{0} is steered: it cannot have a CNAME")]
    SteeredCname(Name),
    /// The apex would lose its SOA or NS.
    #[error("the zone {0} would have no {1} record at its apex")]
    ApexWithout(Name, &'static str),
    /// An SOA below the apex.
    #[error("{0} is not the apex of the zone: it cannot have an SOA")]
    SoaBelowApex(Name),
    /// An RRset that no message can hold.
    #[error("the {1} records of {0} would take {2} octets; an answer holds at most {MAX_SET}: remove some")]
    TooLarge(Name, String, usize),
}

/// The nodes that a change touches, over the zone as it was.
struct Edit<'z> {
    zone: &'z Zone,
    touched: HashMap<Vec<u8>, Option<Draft>>,
    names: isize,
    records: isize,
}

impl Zone {
    /// A new zone with `changes` made, all or none.
    ///
    /// # Errors
    /// [`ChangeError`] for the first change that breaks a rule.
    pub fn with_rrsets(&self, changes: &[Change]) -> Result<Zone, ChangeError> {
        let mut edit = Edit { zone: self, touched: HashMap::new(), names: 0, records: 0 };
        for change in changes {
            edit.apply(change)?;
        }
        edit.validate(changes)?;
        edit.finish().ok_or_else(|| ChangeError::ApexWithout(self.origin().clone(), "valid SOA"))
    }
}

impl Edit<'_> {
    fn node(&self, name: &[u8]) -> Option<Draft> {
        match self.touched.get(name) {
            Some(touched) => touched.clone(),
            None => self.zone.node(name).map(|node| node.draft()),
        }
    }

    fn put(&mut self, draft: Draft) {
        self.touched.insert(draft.name.clone(), Some(draft));
    }

    fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        let name = change.name.as_wire();
        if !is_within(name, self.zone.origin().as_wire()) {
            return Err(ChangeError::OutOfZone(change.name.clone(), self.zone.origin().clone()));
        }
        let mut image = Vec::new();
        let mut seen: HashSet<Cow<'_, [u8]>> = HashSet::new();
        for rdata in &change.rdata {
            if seen.insert(rtype::canonical(change.rtype, rdata)) {
                push_image(&mut image, change.rtype, change.ttl, rdata);
            }
        }
        // So many octets are fewer than 65,536 records.
        let count = u16::try_from(seen.len()).ok().filter(|_| image.len() <= MAX_SET).ok_or_else(|| {
            let rtype = rtype::to_text(change.rtype).to_string();
            ChangeError::TooLarge(change.name.clone(), rtype, image.len())
        })?;
        let Some(mut draft) = self.node(name).or_else(|| (count > 0).then(|| self.insert(name))) else {
            return Ok(());
        };
        let before = draft.set(change.rtype).map_or(0, |set| set.count);
        self.records += isize::try_from(count).unwrap_or(0) - isize::try_from(before).unwrap_or(0);
        draft.sets.retain(|set| set.rtype != change.rtype);
        if count > 0 {
            draft.sets.push(Set { rtype: change.rtype, count, image });
            draft.sets.sort_by_key(|set| set.rtype);
        }
        const CUT: Flags = Flags::DELEGATION.or(Flags::DNAME);
        let was_cut = draft.flags.any(CUT);
        let apex = name == self.zone.origin().as_wire();
        draft.flags.set(Flags::DELEGATION, !apex && draft.set(number::NS).is_some());
        draft.flags.set(Flags::DNAME, draft.set(number::DNAME).is_some());
        draft.flags.set(Flags::CNAME, draft.set(number::CNAME).is_some());
        draft.flags.set(Flags::ALIAS, draft.set(number::ALIAS).is_some());
        let is_cut = draft.flags.any(CUT);
        self.put(draft);
        if was_cut != is_cut {
            self.mark_occluded(name);
        }
        self.remove_if_empty(name);
        Ok(())
    }

    /// A new node, counted at its parent; empty non-terminals are made on the way up.
    fn insert(&mut self, name: &[u8]) -> Draft {
        self.names += 1;
        let mut draft = Draft { name: name.to_vec(), ..Draft::default() };
        if let Some(above) = parent(name) {
            let mut parent = self.node(above).unwrap_or_else(|| self.insert(above));
            parent.children += 1;
            if name.starts_with(b"\x01*") {
                parent.flags.set(Flags::WILDCARD_CHILD, true);
            }
            let occludes = Flags::OCCLUDED.or(Flags::DELEGATION).or(Flags::DNAME);
            draft.flags.set(Flags::OCCLUDED, parent.flags.any(occludes));
            self.put(parent);
        }
        self.put(draft.clone());
        draft
    }

    /// Removes a name with neither data nor names below, and empty non-terminals above it in turn.
    fn remove_if_empty(&mut self, name: &[u8]) {
        let mut name = name.to_vec();
        while name != self.zone.origin().as_wire() {
            let Some(draft) = self.node(&name) else { return };
            if !draft.sets.is_empty() || draft.children > 0 || draft.steered.is_some() {
                return;
            }
            self.touched.insert(name.clone(), None);
            self.names -= 1;
            let Some(above) = parent(&name).map(<[u8]>::to_vec) else { return };
            let Some(mut parent) = self.node(&above) else { return };
            parent.children = parent.children.saturating_sub(1);
            if name.starts_with(b"\x01*") {
                parent.flags.set(Flags::WILDCARD_CHILD, false);
            }
            self.put(parent);
            name = above;
        }
    }

    /// A cut came or went: every name below it is judged anew. This reads the whole zone, which only a change
    /// of a delegation or a DNAME costs.
    fn mark_occluded(&mut self, cut: &[u8]) {
        let touched = self.touched.keys().cloned();
        let names: Vec<Vec<u8>> = self
            .zone
            .nodes()
            .map(|node| node.name.to_vec())
            .chain(touched)
            .filter(|name| name.len() > cut.len() && is_within(name, cut))
            .collect();
        for name in names {
            let occluded = std::iter::successors(parent(&name), |name| parent(name))
                .filter_map(|above| self.node(above))
                .any(|above| above.flags.any(Flags::DELEGATION.or(Flags::DNAME)));
            if let Some(mut draft) = self.node(&name)
                && draft.flags.any(Flags::OCCLUDED) != occluded
            {
                draft.flags.set(Flags::OCCLUDED, occluded);
                self.put(draft);
            }
        }
    }

    fn validate(&self, changes: &[Change]) -> Result<(), ChangeError> {
        let apex = self.zone.origin().as_wire();
        for change in changes {
            let name = || change.name.clone();
            let Some(node) = self.node(change.name.as_wire()) else { continue };
            if let Some(cname) = node.set(number::CNAME) {
                let others = |set: &&Set| !matches!(set.rtype, number::CNAME | number::RRSIG | number::NSEC);
                if node.sets.iter().any(|set| others(&set)) {
                    return Err(ChangeError::CnameAndOtherData(name()));
                }
                if node.steered.is_some() {
                    return Err(ChangeError::SteeredCname(name()));
                }
                if cname.count > 1 {
                    return Err(ChangeError::NotSingle(name(), "CNAME"));
                }
            }
            for (rtype, text) in [(number::DNAME, "DNAME"), (number::ALIAS, "ALIAS"), (number::SOA, "SOA")] {
                if node.set(rtype).is_some_and(|set| set.count > 1) {
                    return Err(ChangeError::NotSingle(name(), text));
                }
            }
            if node.set(number::SOA).is_some() && change.name.as_wire() != apex {
                return Err(ChangeError::SoaBelowApex(name()));
            }
        }
        let apex_node = self.node(apex).unwrap_or_default();
        for (rtype, text) in [(number::SOA, "SOA"), (number::NS, "NS")] {
            if apex_node.set(rtype).is_none() {
                return Err(ChangeError::ApexWithout(self.zone.origin().clone(), text));
            }
        }
        Ok(())
    }

    fn finish(self) -> Option<Zone> {
        let mut zone = self.zone.clone();
        zone.names = zone.names.saturating_add_signed(self.names);
        zone.records = zone.records.saturating_add_signed(self.records);
        let shards = zone.shards.len();
        let mut by_shard: BTreeMap<usize, Vec<NodeChange<'_>>> = BTreeMap::new();
        for (name, draft) in &self.touched {
            by_shard.entry(shard_index(hash(name), shards)).or_default().push((name, draft.as_ref()));
        }
        for (index, mut changes) in by_shard {
            // The order of the map must not decide the order of the nodes.
            changes.sort_unstable_by_key(|(name, _)| *name);
            if let Some(shard) = zone.shards.get_mut(index) {
                *shard = Arc::new(shard.with(&changes));
            }
        }
        if zone.names > zone.shards.len() * NAMES_PER_SHARD * 4 {
            zone.shards = reshard(&zone);
        }
        with_soa(zone)
    }
}

/// The same nodes over more shards, when changes have made the shards large.
fn reshard(zone: &Zone) -> Box<[Arc<Shard>]> {
    let shards = (zone.names / NAMES_PER_SHARD + 1).next_power_of_two();
    let mut blobs = vec![Vec::new(); shards];
    for node in zone.nodes() {
        if let Some(blob) = blobs.get_mut(shard_index(hash(node.name), shards)) {
            node.draft().encode(blob);
        }
    }
    blobs.into_iter().map(|blob| Arc::new(Shard::from_blob(blob))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::zone::build::build;
    use crate::zone::records::{Record, RecordSet};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn name(text: &str) -> Name {
        Name::from_text(text.as_bytes(), None).unwrap()
    }

    /// RDATA is not looked into by the zone table, except the SOA's numbers and names that are followed.
    fn rdata(rtype: u16, value: u8) -> Vec<u8> {
        match rtype {
            number::SOA => [b"\0\0".to_vec(), vec![0, 0, 0, value], vec![0; 16]].concat(),
            number::A => vec![192, 0, 2, value],
            _ => vec![1, b'a' + value, 0],
        }
    }

    type Sets = BTreeMap<(&'static str, u16), Vec<u8>>;

    fn records(sets: &Sets) -> RecordSet {
        let mut records = RecordSet::new();
        for ((owner, rtype), values) in sets {
            for value in values {
                let (owner, rdata) = (name(owner), rdata(*rtype, *value));
                let owner = owner.as_wire();
                records
                    .push(Record { owner, rtype: *rtype, ttl: 300, rdata: &rdata, file: 0, line: 1 })
                    .unwrap();
            }
        }
        records
    }

    /// Every node with all that queries read of it, by name.
    fn dump(zone: &Zone) -> BTreeMap<Vec<u8>, Draft> {
        zone.nodes().map(|node| (node.name.to_vec(), node.draft())).collect()
    }

    fn base() -> Sets {
        BTreeMap::from([(("ex.", number::SOA), vec![1]), (("ex.", number::NS), vec![0])])
    }

    const NAMES: [&str; 9] =
        ["ex.", "a.ex.", "b.a.ex.", "*.a.ex.", "c.b.a.ex.", "d.c.b.a.ex.", "*.ex.", "x.y.z.ex.", "z.ex."];
    const TYPES: [u16; 5] = [number::A, number::NS, number::CNAME, number::DNAME, number::ALIAS];

    fn change(index: usize, rtype: usize, values: &[u8]) -> Change {
        let rtype = TYPES[rtype % TYPES.len()];
        Change {
            name: name(NAMES[index % NAMES.len()]),
            rtype,
            ttl: 300,
            rdata: values.iter().map(|value| rdata(rtype, *value)).collect(),
        }
    }

    proptest! {
        /// A zone changed step by step is the zone built from the records that result.
        #[test]
        fn changing_is_building_anew(
            steps in proptest::collection::vec(
                (0usize..9, 0usize..5, proptest::collection::btree_set(0u8..4, 0..3)), 1..20),
        ) {
            let mut sets = base();
            let steered = [(name("s.t.ex."), 7)];
            let mut zone = build(&name("ex."), &records(&sets), &steered).unwrap();
            for (index, rtype, values) in steps {
                let values: Vec<u8> = values.into_iter().collect();
                let wanted = change(index, rtype, &values);
                let Ok(changed) = zone.with_rrsets(std::slice::from_ref(&wanted)) else { continue };
                zone = changed;
                let key = (NAMES[index % NAMES.len()], wanted.rtype);
                if values.is_empty() {
                    sets.remove(&key);
                } else {
                    sets.insert(key, values);
                }
                let built = build(&name("ex."), &records(&sets), &steered).unwrap();
                prop_assert_eq!(dump(&zone), dump(&built));
                prop_assert_eq!(zone.name_count(), built.name_count());
                prop_assert_eq!(zone.record_count(), built.record_count());
                for node in zone.nodes() {
                    prop_assert!(zone.node(node.name).is_some());
                }
            }
        }
    }

    #[test]
    fn changes_that_break_the_zone_are_refused() {
        let mut sets = base();
        sets.insert(("a.ex.", number::A), vec![1]);
        let zone = build(&name("ex."), &records(&sets), &[(name("s.ex."), 0)]).unwrap();
        let set = |owner: &str, rtype, values: &[u8]| Change {
            name: name(owner),
            rtype,
            ttl: 60,
            rdata: values.iter().map(|value| rdata(rtype, *value)).collect(),
        };
        for (change, part) in [
            (set("a.other.", number::A, &[1]), "outside the zone"),
            (set("a.ex.", number::CNAME, &[1]), "CNAME beside other data"),
            (set("c.ex.", number::CNAME, &[1, 2]), "more than one CNAME"),
            (set("s.ex.", number::CNAME, &[1]), "steered"),
            (set("ex.", number::SOA, &[]), "no SOA"),
            (set("ex.", number::NS, &[]), "no NS"),
            (set("a.ex.", number::SOA, &[1]), "not the apex"),
        ] {
            let error = zone.with_rrsets(&[change]).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        // All or nothing: a good change beside a bad one changes nothing, and the order of two does not matter.
        let moved = [set("a.ex.", number::CNAME, &[1]), set("a.ex.", number::A, &[])];
        assert!(zone.with_rrsets(&moved).is_ok());
    }

    /// Duplicates are dropped in time that does not grow with the square of the RRset.
    #[test]
    fn the_largest_rrset_is_changed() {
        let zone = build(&name("ex."), &records(&base()), &[]).unwrap();
        let change = |count: u32| Change {
            name: name("a.ex."),
            rtype: number::A,
            ttl: 60,
            rdata: (0..count).chain(0..count).map(|host| host.to_be_bytes().to_vec()).collect(),
        };
        let most = (MAX_SET / 16) as u32;
        let changed = zone.with_rrsets(&[change(most)]).unwrap();
        assert_eq!(changed.record_count(), zone.record_count() + most as usize);
        let error = zone.with_rrsets(&[change(most + 1)]).unwrap_err();
        assert!(matches!(error, ChangeError::TooLarge(..)));
    }

    #[test]
    fn a_zone_that_grows_is_spread_over_more_shards() {
        let mut zone = build(&name("ex."), &records(&base()), &[]).unwrap();
        let shards = zone.shards.len();
        let changes: Vec<Change> = (0..NAMES_PER_SHARD * 5)
            .map(|host| Change {
                name: name(&format!("h{host}.ex.")),
                rtype: number::A,
                ttl: 60,
                rdata: vec![rdata(number::A, 1)],
            })
            .collect();
        zone = zone.with_rrsets(&changes).unwrap();
        assert!(zone.shards.len() > shards);
        assert_eq!(zone.name_count(), 1 + changes.len());
        assert!(changes.iter().all(|change| zone.node(change.name.as_wire()).is_some()));
    }
}
