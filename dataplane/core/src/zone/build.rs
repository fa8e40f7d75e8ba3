//! Compiles records into a [`Zone`]: adds empty non-terminals, sets flags, encodes each name into its shard.
//!
//! Names are taken in the order of the file, in which an owner, its records and those of the next lie side by side in
//! memory; the shards grow all at once. The other way round, shard by shard, each name would be a cache miss or two.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::node::{Flags, begin_node, begin_set, end_node, end_set};
use super::owners::{Index, Owner, Owners};
use super::records::{Record, RecordSet};
use super::soa::Soa;
use super::table::{Shard, Zone, shard_index};
use crate::memory::prefetch;
use crate::wire::Name;
use crate::wire::fold::hash;
use crate::wire::name::{is_within, parent};
use crate::wire::rtype::{self, number};
use crate::wire::writer::push_image;

/// Names per shard that a change of one name copies; small enough that it takes microseconds.
pub(super) const NAMES_PER_SHARD: usize = 512;

/// Octets of an RRset's image that fit into a message of 65,535 beside header, question and OPT.
pub(super) const MAX_SET: usize = 65_535 - (12 + 255 + 4) - 256;

/// So many names before it is written, the place of a node is asked for: names in the order of the file go to shards in
/// no order, whose ends are in no near cache.
const AHEAD: usize = 8;

/// Octets before a node's name, before an RRset's image and before a record's RDATA in it (`node.rs`).
const NODE_HEAD: usize = 7;
const SET_HEAD: usize = 4;
const RECORD_HEAD: usize = 12;

/// Why records do not make a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The apex has no SOA, or a broken one.
    #[error("the zone {0} has no valid SOA record at its apex")]
    NoSoa(Name),
    /// A record's owner is not in the zone.
    #[error("{0} is outside the zone {1}")]
    OutOfZone(Name, Name),
    /// An RRset that no message can hold.
    #[error("the {1} records of {0} take {2} octets; an answer holds at most {MAX_SET}: remove some")]
    TooLarge(Name, String, usize),
}

/// A name that stands directly above others.
struct Parent<'r> {
    hash: u64,
    name: &'r [u8],
    children: u32,
    wildcard: bool,
}

/// Compiles `records` of the zone `origin` (lower case). `steered` are (lower-case name, steering index) pairs;
/// their names exist even without records. Duplicate records are dropped and an RRset's TTL is its lowest
/// (RFC 2181 sections 5 and 5.2).
///
/// # Errors
/// [`BuildError`] names the record at fault.
pub fn build(origin: &Name, records: &RecordSet, steered: &[(Name, u32)]) -> Result<Zone, BuildError> {
    let apex = origin.as_wire();
    let owners = records.owners();
    let steered = SteeredNames::new(steered);
    let mut parents = Parents { apex, index: Index::default(), list: Vec::new(), last: 0 };
    let mut add = |name| match is_within(name, apex) {
        true => {
            parents.add_child(name);
            Ok(())
        }
        false => Err(BuildError::OutOfZone(as_name(name), origin.clone())),
    };
    for position in 0..owners.len() {
        add(owners.name(records, position).unwrap_or_default())?;
    }
    let has_records = |hash, name: &[u8]| owners.find_hashed(records, hash, name).is_some();
    let only_steered = || steered.list.iter().filter(|(hash, name, _)| !has_records(*hash, name));
    for (_, name, _) in &steered.list {
        if !is_within(name, apex) {
            return Err(BuildError::OutOfZone(as_name(name), origin.clone()));
        }
    }
    only_steered().try_for_each(|(_, name, _)| add(name))?;
    let empty = parents.close(|hash, name| has_records(hash, name) || steered.index_of(hash, name).is_some());
    let mut builder = Builder::new(records, owners, apex, &parents, &steered);
    for (position, owner) in owners.iter().enumerate() {
        if let Some(later) = owners.get(position + AHEAD) {
            builder.prefetch(later.hash);
        }
        builder.node(owner.hash, owners.name(records, position).unwrap_or_default(), Some(owner))?;
    }
    for (hash, name, _) in only_steered() {
        builder.node(*hash, name, None)?;
    }
    for (hash, name) in empty {
        builder.node(hash, name, None)?;
    }
    let zone = builder.finish(origin.clone());
    with_soa(zone).ok_or_else(|| BuildError::NoSoa(origin.clone()))
}

/// The steered names of a zone, each once, with their hashes and steering indices.
struct SteeredNames<'s> {
    list: Vec<(u64, &'s [u8], u32)>,
    index: Index,
}

impl<'s> SteeredNames<'s> {
    fn new(pairs: &'s [(Name, u32)]) -> SteeredNames<'s> {
        let mut names =
            SteeredNames { list: Vec::with_capacity(pairs.len()), index: Index::with_capacity(pairs.len()) };
        for (name, index) in pairs {
            let (name, list) = (name.as_wire(), &names.list);
            let (hash, next) = (hash(name), list.len() as u32);
            let same = |at: u32| list.get(at as usize).is_some_and(|(_, other, _)| *other == name);
            if names.index.find_or_insert(hash, next, same).is_none() {
                names.list.push((hash, name, *index));
            }
        }
        names
    }

    fn index_of(&self, hash: u64, name: &[u8]) -> Option<u32> {
        let same = |at: u32| self.list.get(at as usize).is_some_and(|(_, other, _)| *other == name);
        let at = self.index.find(hash, same)?;
        self.list.get(at as usize).map(|(_, _, index)| *index)
    }
}

/// Fills in what the SOA at the apex says; `None` without a valid one.
pub(super) fn with_soa(mut zone: Zone) -> Option<Zone> {
    zone.soa = Soa::new(zone.origin().as_wire(), zone.soa_image()?)?;
    Some(zone)
}

fn as_name(wire: &[u8]) -> Name {
    Name::from_wire(wire).unwrap_or_else(|_| Name::root())
}

/// The names that stand directly above others, each once.
struct Parents<'r> {
    apex: &'r [u8],
    index: Index,
    list: Vec<Parent<'r>>,
    /// Position of the parent of the name before, which most names share: the index is asked once per change.
    last: usize,
}

impl<'r> Parents<'r> {
    fn add_child(&mut self, name: &'r [u8]) {
        let Some(above) = parent(name).filter(|_| name != self.apex) else { return };
        if self.list.get(self.last).is_none_or(|parent| parent.name != above) {
            let (list, hash, next) = (&self.list, hash(above), self.list.len());
            let same = |at: u32| list.get(at as usize).is_some_and(|parent| parent.name == above);
            self.last = match self.index.find_or_insert(hash, next as u32, same) {
                Some(at) => at as usize,
                None => {
                    self.list.push(Parent { hash, name: above, children: 0, wildcard: false });
                    next
                }
            };
        }
        if let Some(parent) = self.list.get_mut(self.last) {
            parent.children += 1;
            parent.wildcard |= name.starts_with(b"\x01*");
        }
    }

    /// Adds what stands above parents that are no names themselves, up to the apex, and returns those: the empty
    /// non-terminals (RFC 4592 section 2.2.2).
    fn close(&mut self, is_name: impl Fn(u64, &[u8]) -> bool) -> Vec<(u64, &'r [u8])> {
        let mut empty = Vec::new();
        let mut at = 0;
        while let Some((hash, name)) = self.list.get(at).map(|parent| (parent.hash, parent.name)) {
            if !is_name(hash, name) {
                empty.push((hash, name));
                self.add_child(name);
            }
            at += 1;
        }
        empty
    }

    fn find(&self, hash: u64, name: &[u8]) -> Option<&Parent<'r>> {
        let same = |at: u32| self.list.get(at as usize).is_some_and(|parent| parent.name == name);
        self.list.get(self.index.find(hash, same)? as usize)
    }
}

/// Names below which nothing is authoritative: delegations and DNAMEs.
fn cuts_of<'r>(apex: &[u8], records: &'r RecordSet) -> HashSet<&'r [u8]> {
    records
        .iter()
        .filter(|record| record.rtype == number::DNAME || record.rtype == number::NS && record.owner != apex)
        .map(|record| record.owner)
        .collect()
}

/// Whether `name` is below one of `cuts`.
fn is_occluded(cuts: &HashSet<&[u8]>, name: &[u8]) -> bool {
    !cuts.is_empty()
        && std::iter::successors(parent(name), |name| parent(name)).any(|above| cuts.contains(above))
}

struct Builder<'b, 'r> {
    records: &'r RecordSet,
    owners: &'r Owners,
    apex: &'b [u8],
    parents: &'b Parents<'b>,
    steered: &'b SteeredNames<'b>,
    cuts: HashSet<&'r [u8]>,
    blobs: Vec<Vec<u8>>,
    names: usize,
    count: usize,
    /// The records of the name at hand, by type.
    of_name: Vec<Record<'r>>,
}

impl<'b, 'r> Builder<'b, 'r> {
    fn new(
        records: &'r RecordSet,
        owners: &'r Owners,
        apex: &'b [u8],
        parents: &'b Parents<'b>,
        steered: &'b SteeredNames<'b>,
    ) -> Builder<'b, 'r> {
        let cuts = cuts_of(apex, records);
        let blobs = room_for(records, owners).into_iter().map(Vec::with_capacity).collect();
        let of_name = Vec::new();
        Builder { records, owners, apex, parents, steered, cuts, blobs, names: 0, count: 0, of_name }
    }

    /// Asks for the place where the node of a name of this hash will be written.
    #[inline]
    fn prefetch(&mut self, hash: u64) {
        let shard = shard_index(hash, self.blobs.len());
        let place = self.blobs.get_mut(shard).map_or(&mut [][..], |blob| blob.spare_capacity_mut());
        for line in [0, 64] {
            if let Some(octet) = place.get(line) {
                prefetch(octet);
            }
        }
    }

    fn node(&mut self, hash: u64, name: &[u8], owner: Option<&Owner>) -> Result<(), BuildError> {
        let shard = shard_index(hash, self.blobs.len());
        let Some(blob) = self.blobs.get_mut(shard) else { return Ok(()) };
        let above = self.parents.find(hash, name);
        let steered = self.steered.index_of(hash, name);
        let children = above.map_or(0, |parent| parent.children);
        let mut flags = Flags::default();
        flags.set(Flags::PARENT, children > 0);
        flags.set(Flags::WILDCARD_CHILD, above.is_some_and(|parent| parent.wildcard));
        flags.set(Flags::STEERED, steered.is_some());
        flags.set(Flags::OCCLUDED, is_occluded(&self.cuts, name));
        let records = self.records;
        let mut indices = owner.into_iter().flat_map(|owner| self.owners.indices(owner));
        // One record, as at most names, stays in registers: what was put into memory a moment ago could be read back
        // only when everything written before, to lines of the shard that are not in the cache, has arrived.
        if owner.is_some_and(|owner| owner.count() == 1)
            && let Some(record) = indices.next().and_then(|index| records.get(index))
        {
            note_type(&mut flags, record.rtype, name == self.apex);
            let start = begin_node(blob, flags, name, children, steered);
            let head = begin_set(blob);
            push_image(blob, record.rtype, record.ttl, record.rdata);
            self.count += close_set(blob, head, name, record.rtype, 1)?;
            end_node(blob, start);
            self.names += 1;
            return Ok(());
        }
        self.of_name.clear();
        self.of_name.extend(indices.filter_map(|index| records.get(index)));
        self.of_name.sort_by_key(|record| record.rtype);
        for record in &self.of_name {
            note_type(&mut flags, record.rtype, name == self.apex);
        }
        let start = begin_node(blob, flags, name, children, steered);
        for set in self.of_name.chunk_by(|one, other| one.rtype == other.rtype) {
            self.count += push_set(blob, name, set)?;
        }
        end_node(blob, start);
        self.names += 1;
        Ok(())
    }

    fn finish(self, origin: Name) -> Zone {
        let shards = self.blobs.into_iter().map(|blob| Arc::new(Shard::from_blob(blob))).collect();
        let mut zone = Zone::new(origin, shards);
        zone.names = self.names;
        zone.records = self.count;
        zone
    }
}

/// Octets that each shard's nodes take, about; the length is the number of shards.
fn room_for(records: &RecordSet, owners: &Owners) -> Vec<usize> {
    let shards = (records.len() / NAMES_PER_SHARD + 1).next_power_of_two();
    let mut room = vec![0; shards];
    for owner in owners.iter() {
        let Some(room) = room.get_mut(shard_index(owner.hash, shards)) else { continue };
        for (at, record) in owners.indices(owner).filter_map(|index| records.get(index)).enumerate() {
            let node = if at == 0 { NODE_HEAD + record.owner.len() } else { 0 };
            *room += node + SET_HEAD + RECORD_HEAD + record.rdata.len();
        }
    }
    room
}

/// Sets the flag that a record of this type stands for.
fn note_type(flags: &mut Flags, rtype: u16, at_apex: bool) {
    match rtype {
        number::NS if !at_apex => flags.set(Flags::DELEGATION, true),
        number::DNAME => flags.set(Flags::DNAME, true),
        number::CNAME => flags.set(Flags::CNAME, true),
        number::ALIAS => flags.set(Flags::ALIAS, true),
        _ => {}
    }
}

/// Appends the RRset of `set`, records of one type, without duplicates; returns how many it has.
fn push_set(blob: &mut Vec<u8>, name: &[u8], set: &[Record<'_>]) -> Result<usize, BuildError> {
    let ttl = set.iter().map(|record| record.ttl).min().unwrap_or(0);
    let head = begin_set(blob);
    let mut count = 0;
    let mut seen: HashSet<Cow<'_, [u8]>> = HashSet::with_capacity(set.len());
    for record in set {
        if set.len() == 1 || seen.insert(rtype::canonical(record.rtype, record.rdata)) {
            push_image(blob, record.rtype, ttl, record.rdata);
            count += 1;
        }
    }
    close_set(blob, head, name, set.first().map_or(0, |record| record.rtype), count)
}

/// Completes the RRset of `count` records whose head is at `head`; returns the count.
fn close_set(
    blob: &mut [u8],
    head: usize,
    name: &[u8],
    rtype: u16,
    count: usize,
) -> Result<usize, BuildError> {
    let octets = blob.len() - head - SET_HEAD;
    // So many octets are fewer than 65,536 records.
    let count16 = u16::try_from(count)
        .ok()
        .filter(|_| octets <= MAX_SET)
        .ok_or_else(|| BuildError::TooLarge(as_name(name), rtype::to_text(rtype).to_string(), octets))?;
    end_set(blob, head, count16);
    Ok(count)
}
