//! A compiled zone: an immutable hash table from owner name to node, in shards that a change copies one by one.
//!
//! A shard is one blob of encoded nodes ([`super::node`]) and an open-addressed table of (tag, offset) slots of six
//! octets.

use std::sync::Arc;

use super::node::{Flags, Node, NodeChange, little_u32};
use super::soa::Soa;
use crate::memory::{prefetch, prefetch_lines};
use crate::wire::fold::{FoldedName, hash};
use crate::wire::writer::Image;
use crate::wire::{Name, rtype::number};

/// Six octets, so that more of them share a cache line: a tag and the halves of an offset.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Bits of the hash, never 0 for a used slot.
    tag: u16,
    low: u16,
    high: u16,
}

impl Slot {
    #[inline]
    fn new(hash: u64, offset: u32) -> Slot {
        Slot { tag: tag_of(hash), low: offset as u16, high: (offset >> 16) as u16 }
    }

    #[inline]
    fn offset(self) -> usize {
        usize::from(self.low) | usize::from(self.high) << 16
    }
}

/// Slots that are looked at for a node to ask for; nearly all names are found in fewer.
const PROBES_AHEAD: usize = 8;

/// A part of a zone's names.
#[derive(Debug, Default)]
pub struct Shard {
    slots: Box<[Slot]>,
    blob: Box<[u8]>,
    rrsets: u32,
    /// Of all nodes.
    flags: Flags,
}

/// Of other bits than those that choose shard and slot.
#[inline]
fn tag_of(hash: u64) -> u16 {
    (hash >> 32) as u16 | 1
}

/// Where among `slots` a hash belongs: its low half, scaled.
#[inline]
fn home_of(hash: u64, slots: usize) -> usize {
    (((hash & 0xffff_ffff) * slots as u64) >> 32) as usize
}

impl Shard {
    /// Indexes the nodes encoded in `blob`.
    pub fn from_blob(blob: Vec<u8>) -> Shard {
        let blob: Box<[u8]> = blob.into();
        let mut shard = Shard { slots: Box::default(), blob, rrsets: 0, flags: Flags::default() };
        let nodes = shard.nodes().count();
        let (mut flags, mut rrsets) = (Flags::default(), 0);
        // At most two thirds full, so a probe for an absent name ends soon.
        let mut slots = vec![Slot::default(); nodes + nodes / 2 + 1];
        let count = slots.len();
        for (offset, node) in shard.offsets() {
            flags = flags.or(node.flags);
            rrsets += node.sets().count();
            let hash = hash(node.name);
            let mut at = home_of(hash, count);
            while slots.get(at).is_some_and(|slot| slot.tag != 0) {
                at = if at + 1 < count { at + 1 } else { 0 };
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = Slot::new(hash, offset as u32);
            }
        }
        shard.slots = slots.into();
        shard.rrsets = rrsets as u32;
        shard.flags = flags;
        shard
    }

    #[inline]
    fn find(&self, hash: u64, name: &[u8]) -> Option<Node<'_>> {
        let count = self.slots.len();
        let tag = tag_of(hash);
        let mut at = home_of(hash, count);
        // An empty slot always exists; the bound only guards against a damaged table.
        for _ in 0..count {
            let slot = self.slots.get(at)?;
            if slot.tag == 0 {
                return None;
            }
            if slot.tag == tag {
                let (node, _) = Node::decode(&self.blob, slot.offset())?;
                if node.name == name {
                    return Some(node);
                }
            }
            at = if at + 1 < count { at + 1 } else { 0 };
        }
        None
    }

    /// Asks for the slot that [`Shard::find`] looks at first.
    #[inline]
    fn prefetch_slot(&self, hash: u64) {
        if let Some(slot) = self.slots.get(home_of(hash, self.slots.len())) {
            prefetch(slot);
        }
    }

    /// Asks for the node that [`Shard::find`] finds if the name is there. Its slot is best asked for before.
    #[inline]
    fn prefetch_node(&self, hash: u64) {
        let tag = tag_of(hash);
        let home = home_of(hash, self.slots.len());
        let slots = self.slots.get(home..).unwrap_or_default().iter().take_while(|slot| slot.tag != 0);
        if let Some(slot) = slots.take(PROBES_AHEAD).find(|slot| slot.tag == tag) {
            prefetch_lines(self.blob.get(slot.offset()..).unwrap_or_default());
        }
    }

    /// How many RRsets its nodes have.
    pub fn rrset_count(&self) -> usize {
        self.rrsets as usize
    }

    /// All nodes in the order they were encoded.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.offsets().map(|(_, node)| node)
    }

    fn offsets(&self) -> impl Iterator<Item = (usize, Node<'_>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (node, length) = Node::decode(&self.blob, at)?;
            let here = at;
            at += length;
            Some((here, node))
        })
    }

    /// A copy with some nodes replaced, removed or added.
    pub fn with(&self, changes: &[NodeChange<'_>]) -> Shard {
        let mut blob = Vec::with_capacity(self.blob.len() + 256);
        for (offset, node) in self.offsets() {
            if !changes.iter().any(|(name, _)| *name == node.name) {
                let length = little_u32(&self.blob, offset).unwrap_or(0) as usize;
                blob.extend_from_slice(self.blob.get(offset..offset + length).unwrap_or_default());
            }
        }
        for draft in changes.iter().filter_map(|(_, draft)| *draft) {
            draft.encode(&mut blob);
        }
        Shard::from_blob(blob)
    }
}

/// A compiled zone. Cheap to clone: the shards are shared.
#[derive(Debug, Clone)]
pub struct Zone {
    origin: Name,
    origin_labels: usize,
    pub(super) shards: Box<[Arc<Shard>]>,
    pub(super) soa: Soa,
    pub(super) names: usize,
    pub(super) records: usize,
}

impl Zone {
    /// A zone of these shards, a power of two of them. `origin` is lower case.
    pub(super) fn new(origin: Name, shards: Box<[Arc<Shard>]>) -> Zone {
        let origin_labels = crate::wire::name::label_count(origin.as_wire());
        Zone { origin, origin_labels, shards, soa: Soa::default(), names: 0, records: 0 }
    }

    /// The apex name, lower case.
    pub fn origin(&self) -> &Name {
        &self.origin
    }

    /// Number of labels of the apex.
    #[inline]
    pub fn origin_labels(&self) -> usize {
        self.origin_labels
    }

    /// What the SOA says.
    #[inline]
    pub fn soa(&self) -> &Soa {
        &self.soa
    }

    /// Number of names, empty non-terminals included.
    pub fn name_count(&self) -> usize {
        self.names
    }

    /// Number of records.
    pub fn record_count(&self) -> usize {
        self.records
    }

    /// The node of a lower-case wire name.
    #[inline]
    pub fn node(&self, name: &[u8]) -> Option<Node<'_>> {
        self.node_hashed(hash(name), name)
    }

    /// The same, where the name's hash is known.
    #[inline]
    pub fn node_hashed(&self, hash: u64, name: &[u8]) -> Option<Node<'_>> {
        self.shard(hash)?.find(hash, name)
    }

    #[inline]
    fn shard(&self, hash: u64) -> Option<&Shard> {
        self.shards.get(shard_index(hash, self.shards.len())).map(|shard| &**shard)
    }

    /// Whether `name` is the apex or below it.
    #[inline]
    pub fn is_above(&self, name: &FoldedName) -> bool {
        name.suffix(self.origin_labels) == self.origin.as_wire()
    }

    /// Asks for the zone itself, which leads to all else.
    #[inline]
    pub fn prefetch(&self) {
        prefetch(self);
        prefetch(&self.shards);
        prefetch(&self.soa);
    }

    /// Asks for what [`Zone::is_above`] looks at, and for what leads to a name of this hash. The zone itself should be
    /// there.
    #[inline]
    pub fn prefetch_origin(&self, hash: u64) {
        prefetch(self.origin.as_wire());
        if let Some(shard) = self.shards.get(shard_index(hash, self.shards.len())) {
            prefetch(shard);
        }
    }

    /// Asks for the shard of a name of this hash. What [`Zone::prefetch_origin`] asks for should be there.
    #[inline]
    pub fn prefetch_shard(&self, hash: u64) {
        if let Some(shard) = self.shard(hash) {
            prefetch(shard);
        }
    }

    /// Asks for what looking up a name of this hash looks at first.
    #[inline]
    pub fn prefetch_slot(&self, hash: u64) {
        if let Some(shard) = self.shard(hash) {
            shard.prefetch_slot(hash);
        }
    }

    /// Asks for the node of a name of this hash. What [`Zone::prefetch_slot`] asks for should be there.
    #[inline]
    pub fn prefetch_node(&self, hash: u64) {
        if let Some(shard) = self.shard(hash) {
            shard.prefetch_node(hash);
        }
    }

    /// The apex.
    pub fn apex(&self) -> Option<Node<'_>> {
        self.node(self.origin.as_wire())
    }

    /// The SOA RRset.
    #[inline]
    pub fn soa_image(&self) -> Option<Image<'_>> {
        self.apex()?.set(number::SOA)
    }

    /// All nodes, in a stable order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.shards.iter().flat_map(|shard| shard.nodes())
    }

    /// The nodes with any of `flags`; shards without such nodes cost nothing.
    pub fn nodes_with(&self, flags: Flags) -> impl Iterator<Item = Node<'_>> {
        let shards = self.shards.iter().filter(move |shard| shard.flags.any(flags));
        shards.flat_map(|shard| shard.nodes()).filter(move |node| node.flags.any(flags))
    }
}

/// The shard of a hash among `shards`, a power of two: by its highest bits, so that hashes in order fill one shard
/// after the other.
#[inline]
pub(super) fn shard_index(hash: u64, shards: usize) -> usize {
    hash.checked_shr(u64::BITS - shards.trailing_zeros()).unwrap_or(0) as usize
}
