//! Compiles records into a [`Zone`]: sorts them by the hash of their owner, adds empty non-terminals, sets flags.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::records::RecordSet;
use super::table::{Flags, Shard, Soa, Zone, begin_node, begin_set, end_node, shard_index};
use crate::wire::fold::hash;
use crate::wire::name::{is_within, parent};
use crate::wire::rtype::{self, number};
use crate::wire::writer::push_image;
use crate::wire::{Name, u32_at};

/// Names per shard that a change of one name copies; small enough that it takes microseconds.
pub(super) const NAMES_PER_SHARD: usize = 512;

/// Octets of an RRset's image that fit into a message of 65,535 beside header, question and OPT.
pub(super) const MAX_SET: usize = 65_535 - (12 + 255 + 4) - 256;

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

/// One record's place: the hash of its owner, type and index in the set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    hash: u64,
    index: u32,
}

/// A name that only stands above others, or a parent's count: the hash, the name, names directly below.
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
    let mut keys = Vec::with_capacity(records.len());
    let mut last: (&[u8], u64) = (&[], 0);
    for (index, record) in records.iter().enumerate() {
        if record.owner != last.0 {
            if !is_within(record.owner, apex) {
                return Err(BuildError::OutOfZone(as_name(record.owner), origin.clone()));
            }
            last = (record.owner, hash(record.owner));
        }
        keys.push(Key { hash: last.1, index: index as u32 });
    }
    let mut steered: Vec<(u64, &[u8], u32)> =
        steered.iter().map(|(name, index)| (hash(name.as_wire()), name.as_wire(), *index)).collect();
    for (_, name, _) in &steered {
        if !is_within(name, apex) {
            return Err(BuildError::OutOfZone(as_name(name), origin.clone()));
        }
    }
    steered.sort_unstable();
    keys.sort_unstable();
    let owner = |key: &Key| records.get(key.index as usize).map(|record| record.owner).unwrap_or_default();
    // Equal hashes of different names are as good as impossible; the sort by name keeps them right all the same.
    for run in keys.chunk_by_mut(|a, b| a.hash == b.hash) {
        if run.len() > 1 && run.iter().any(|key| owner(key) != run.first().map(owner).unwrap_or_default()) {
            run.sort_by(|a, b| owner(a).cmp(owner(b)).then(a.index.cmp(&b.index)));
        }
    }
    // The hash first: in this order owners lie anywhere in memory, and looking at one costs more than all the rest.
    let same_owner = |a: &Key, b: &Key| a.hash == b.hash && owner(a) == owner(b);
    let has_records = |hash: u64, name: &[u8]| {
        let start = keys.partition_point(|key| key.hash < hash);
        keys.iter().skip(start).take_while(|key| key.hash == hash).any(|key| owner(key) == name)
    };
    let is_steered = |hash: u64, name: &[u8]| {
        steered.binary_search_by(|(other, at, _)| (*other, *at).cmp(&(hash, name))).is_ok()
    };
    // Each name once, but in the order of the file, in which neighbours in the zone are neighbours in memory too.
    let mut is_first = vec![false; records.len()];
    for key in keys.chunk_by(same_owner).filter_map(<[Key]>::first) {
        if let Some(first) = is_first.get_mut(key.index as usize) {
            *first = true;
        }
    }
    let owners = records.iter().zip(is_first).filter(|(_, first)| *first).map(|(record, _)| record.owner);
    let only_steered =
        steered.iter().filter(|(hash, name, _)| !has_records(*hash, name)).map(|(_, name, _)| *name);
    let parents = parents_of(apex, owners.chain(only_steered), |hash, name| {
        has_records(hash, name) || is_steered(hash, name)
    });
    let cuts = cuts_of(apex, records);
    let mut builder = Builder::new(records, &cuts, keys.len());
    let mut runs = keys.chunk_by(same_owner).peekable();
    let mut parents = parents.into_iter().peekable();
    let mut steered = steered.into_iter().peekable();
    // Three streams sorted by (hash, name) become one node per name.
    loop {
        let run = runs.peek().and_then(|run| run.first()).map(|key| (key.hash, owner(key)));
        let above = parents.peek().map(|parent| (parent.hash, parent.name));
        let steer = steered.peek().map(|(hash, name, _)| (*hash, *name));
        let Some((hash, name)) = [run, above, steer].into_iter().flatten().min() else { break };
        let keys = if run == Some((hash, name)) { runs.next().unwrap_or_default() } else { &[] };
        let above = parents.next_if(|parent| (parent.hash, parent.name) == (hash, name));
        let steer = steered.next_if(|(other, at, _)| (*other, *at) == (hash, name));
        builder.node(hash, name, keys, above.as_ref(), steer.map(|(_, _, index)| index), apex)?;
    }
    let zone = builder.finish(origin.clone());
    with_soa(zone).ok_or_else(|| BuildError::NoSoa(origin.clone()))
}

/// Fills in the SOA's numbers from the apex; `None` without a valid SOA.
pub(super) fn with_soa(mut zone: Zone) -> Option<Zone> {
    let image = zone.soa_image()?;
    let rdata = image.rdata().next()?;
    let numbers = rdata.len().checked_sub(20)?;
    let soa =
        Soa { serial: u32_at(rdata, numbers)?, negative_ttl: image.ttl().min(u32_at(rdata, numbers + 16)?) };
    zone.soa = soa;
    Some(zone)
}

fn as_name(wire: &[u8]) -> Name {
    Name::from_wire(wire).unwrap_or_else(|_| Name::root())
}

/// The names that stand directly above others, each once.
struct Parents<'r> {
    apex: &'r [u8],
    index: HashMap<&'r [u8], usize>,
    list: Vec<Parent<'r>>,
    /// Most names share their parent with the name before: the map is asked once per change of parent.
    last: Option<(&'r [u8], usize)>,
}

impl<'r> Parents<'r> {
    fn add_child(&mut self, name: &'r [u8]) {
        let Some(above) = parent(name).filter(|_| name != self.apex) else { return };
        let index = match self.last {
            Some((last, index)) if last == above => index,
            _ => *self.index.entry(above).or_insert_with(|| {
                self.list.push(Parent { hash: hash(above), name: above, children: 0, wildcard: false });
                self.list.len() - 1
            }),
        };
        self.last = Some((above, index));
        if let Some(parent) = self.list.get_mut(index) {
            parent.children += 1;
            parent.wildcard |= name.starts_with(b"\x01*");
        }
    }
}

/// Every name directly above one of `names`, and above those in turn up to the apex, sorted by (hash, name).
/// `is_name` says whether a name is one of `names`; the others are empty non-terminals.
fn parents_of<'r>(
    apex: &'r [u8],
    names: impl Iterator<Item = &'r [u8]>,
    is_name: impl Fn(u64, &[u8]) -> bool,
) -> Vec<Parent<'r>> {
    let mut parents = Parents { apex, index: HashMap::new(), list: Vec::new(), last: None };
    names.for_each(|name| parents.add_child(name));
    let mut at = 0;
    while let Some((hash, name)) = parents.list.get(at).map(|parent| (parent.hash, parent.name)) {
        if !is_name(hash, name) {
            parents.add_child(name);
        }
        at += 1;
    }
    let mut list = parents.list;
    list.sort_unstable_by(|a, b| (a.hash, a.name).cmp(&(b.hash, b.name)));
    list
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

struct Builder<'r> {
    records: &'r RecordSet,
    cuts: &'r HashSet<&'r [u8]>,
    shards: usize,
    blobs: Vec<Vec<u8>>,
    names: usize,
    count: usize,
    order: Vec<u32>,
    image: Vec<u8>,
}

impl<'r> Builder<'r> {
    fn new(records: &'r RecordSet, cuts: &'r HashSet<&'r [u8]>, keys: usize) -> Builder<'r> {
        let shards = (keys / NAMES_PER_SHARD + 1).next_power_of_two();
        let blobs = std::iter::repeat_with(Vec::new).take(shards).collect();
        Builder { records, cuts, shards, blobs, names: 0, count: 0, order: Vec::new(), image: Vec::new() }
    }

    fn node(
        &mut self,
        hash: u64,
        name: &[u8],
        keys: &[Key],
        above: Option<&Parent<'_>>,
        steered: Option<u32>,
        apex: &[u8],
    ) -> Result<(), BuildError> {
        let mut flags = Flags::default();
        let children = above.map_or(0, |parent| parent.children);
        flags.set(Flags::PARENT, children > 0);
        flags.set(Flags::WILDCARD_CHILD, above.is_some_and(|parent| parent.wildcard));
        flags.set(Flags::STEERED, steered.is_some());
        flags.set(Flags::OCCLUDED, is_occluded(self.cuts, name));
        self.order.clear();
        self.order.extend(keys.iter().map(|key| key.index));
        let records = self.records;
        let type_of = |index: &u32| records.get(*index as usize).map_or(0, |record| record.rtype);
        if self.order.len() > 1 {
            self.order.sort_by_key(type_of);
        }
        for index in &self.order {
            match type_of(index) {
                number::NS if name != apex => flags.set(Flags::DELEGATION, true),
                number::DNAME => flags.set(Flags::DNAME, true),
                number::CNAME => flags.set(Flags::CNAME, true),
                number::ALIAS => flags.set(Flags::ALIAS, true),
                _ => {}
            }
        }
        let shard = shard_index(hash, self.shards);
        let Some(blob) = self.blobs.get_mut(shard) else { return Ok(()) };
        let start = blob.len();
        begin_node(blob, flags, name, children, steered);
        for set in self.order.chunk_by(|a, b| type_of(a) == type_of(b)) {
            let of_set = || set.iter().filter_map(|index| records.get(*index as usize));
            let ttl = of_set().map(|record| record.ttl).min().unwrap_or(0);
            self.image.clear();
            let mut count = 0usize;
            let mut seen: HashSet<Cow<'_, [u8]>> = HashSet::new();
            for record in of_set() {
                if set.len() > 1 && !seen.insert(rtype::canonical(record.rtype, record.rdata)) {
                    continue;
                }
                push_image(&mut self.image, record.rtype, ttl, record.rdata);
                count += 1;
            }
            let of_type = set.first().map_or(0, type_of);
            let octets = self.image.len();
            // So many octets are fewer than 65,536 records.
            let count16 = u16::try_from(count).ok().filter(|_| octets <= MAX_SET).ok_or_else(|| {
                BuildError::TooLarge(as_name(name), rtype::to_text(of_type).to_string(), octets)
            })?;
            begin_set(blob, of_type, count16, self.image.len());
            blob.extend_from_slice(&self.image);
            self.count += count;
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
