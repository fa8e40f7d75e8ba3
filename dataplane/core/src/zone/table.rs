//! A compiled zone: an immutable hash table from owner name to node, in shards that a change copies one by one.
//!
//! A shard is one blob of encoded nodes and an open-addressed table of (tag, offset) slots of six octets. A node is
//!
//! ```text
//! length u32 | flags u16 | name length u8 | name | [children u32] | [steered u32] | rrset*
//! rrset:  count u16 | octets u16 | image, which says the type
//! ```
//!
//! `children` stands there when [`Flags::PARENT`] is set, `steered` when [`Flags::STEERED`] is. Numbers are
//! little-endian; the image is wire format ([`crate::wire::writer::Image`]).
//!
//! The flags say at build time what a query would otherwise have to find out:
//!
//! | bit | name | meaning |
//! |---|---|---|
//! | 0 | `DELEGATION` | NS below the apex: a zone cut (RFC 1034 section 4.2.1) |
//! | 1 | `OCCLUDED` | below a cut or a DNAME: never an authoritative answer |
//! | 2 | `WILDCARD_CHILD` | `*.` this name exists (RFC 4592 section 2.1.1) |
//! | 3 | `STEERED` | address queries are answered by steering |
//! | 4 | `DNAME` | has a DNAME (RFC 6672) |
//! | 5 | `PARENT` | has names directly below it |
//! | 6 | `CNAME` | has a CNAME |
//! | 7 | `ALIAS` | has an ALIAS |

use std::sync::Arc;

use crate::memory::{prefetch, prefetch_lines};
use crate::wire::fold::hash;
use crate::wire::writer::Image;
use crate::wire::{Name, rtype::number, u16_at};

/// Bits of a node's flags (see the module documentation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

#[allow(missing_docs)]
impl Flags {
    pub const DELEGATION: Flags = Flags(1);
    pub const OCCLUDED: Flags = Flags(1 << 1);
    pub const WILDCARD_CHILD: Flags = Flags(1 << 2);
    pub const STEERED: Flags = Flags(1 << 3);
    pub const DNAME: Flags = Flags(1 << 4);
    pub const PARENT: Flags = Flags(1 << 5);
    pub const CNAME: Flags = Flags(1 << 6);
    pub const ALIAS: Flags = Flags(1 << 7);

    /// Whether any bit of `other` is set here.
    #[inline]
    pub fn any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// Sets or clears the bits of `other`.
    pub fn set(&mut self, other: Flags, on: bool) {
        if on {
            self.0 |= other.0;
        } else {
            self.0 &= !other.0;
        }
    }

    /// Both.
    pub const fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One RRset of a node under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// RR type.
    pub rtype: u16,
    /// Number of records.
    pub count: u16,
    /// The image.
    pub image: Vec<u8>,
}

/// A node under construction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Owner, lower case wire format.
    pub name: Vec<u8>,
    /// Flags; `PARENT` and `STEERED` are set from the fields below when encoded.
    pub flags: Flags,
    /// Number of names directly below.
    pub children: u32,
    /// Index into the steering names.
    pub steered: Option<u32>,
    /// RRsets, by type.
    pub sets: Vec<Set>,
}

impl Draft {
    /// The RRset of one type.
    pub fn set(&self, rtype: u16) -> Option<&Set> {
        self.sets.iter().find(|set| set.rtype == rtype)
    }

    /// Appends the node to `blob`.
    pub fn encode(&self, blob: &mut Vec<u8>) {
        let mut flags = self.flags;
        flags.set(Flags::PARENT, self.children > 0);
        flags.set(Flags::STEERED, self.steered.is_some());
        let start = begin_node(blob, flags, &self.name, self.children, self.steered);
        for set in &self.sets {
            let at = begin_set(blob);
            blob.extend_from_slice(&set.image);
            end_set(blob, at, set.count);
        }
        end_node(blob, start);
    }
}

/// Appends a node up to its RRsets and says where it starts. `flags` must agree with `children` and `steered`.
pub fn begin_node(
    blob: &mut Vec<u8>,
    flags: Flags,
    name: &[u8],
    children: u32,
    steered: Option<u32>,
) -> usize {
    let start = blob.len();
    blob.extend_from_slice(&[0; 4]);
    blob.extend_from_slice(&flags.0.to_le_bytes());
    blob.push(name.len() as u8);
    blob.extend_from_slice(name);
    if flags.any(Flags::PARENT) {
        blob.extend_from_slice(&children.to_le_bytes());
    }
    if let Some(steered) = steered {
        blob.extend_from_slice(&steered.to_le_bytes());
    }
    start
}

/// Appends the head of an RRset, whose image of 1 to 65,535 octets follows, and says where it stands.
pub fn begin_set(blob: &mut Vec<u8>) -> usize {
    blob.extend_from_slice(&[0; 4]);
    blob.len() - 4
}

/// Completes the RRset whose head is at `at`.
pub fn end_set(blob: &mut [u8], at: usize, count: u16) {
    let octets = (blob.len() - at - 4) as u16;
    if let Some([count_low, count_high, octets_low, octets_high]) = blob.get_mut(at..at + 4) {
        [*count_low, *count_high] = count.to_le_bytes();
        [*octets_low, *octets_high] = octets.to_le_bytes();
    }
}

/// Completes the node that starts at `start`.
pub fn end_node(blob: &mut [u8], start: usize) {
    let length = (blob.len() - start) as u32;
    if let Some(place) = blob.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// What becomes of a name: another node, or none.
pub type NodeChange<'d> = (&'d [u8], Option<&'d Draft>);

/// A node as a query sees it.
#[derive(Debug, Clone, Copy)]
pub struct Node<'z> {
    /// See [`Flags`].
    pub flags: Flags,
    /// Owner, lower case wire format.
    pub name: &'z [u8],
    /// Names directly below.
    pub children: u32,
    steered: u32,
    sets: &'z [u8],
}

impl<'z> Node<'z> {
    #[inline]
    fn decode(blob: &'z [u8], at: usize) -> Option<(Node<'z>, usize)> {
        let length = little_u32(blob, at)? as usize;
        let octets = blob.get(at..at + length)?;
        let flags = Flags(little_u16(octets, 4)?);
        let name_end = 7 + usize::from(*octets.get(6)?);
        let name = octets.get(7..name_end)?;
        let mut next = name_end;
        let (mut children, mut steered) = (0, 0);
        if flags.any(Flags::PARENT.or(Flags::STEERED)) {
            if flags.any(Flags::PARENT) {
                children = little_u32(octets, next)?;
                next += 4;
            }
            if flags.any(Flags::STEERED) {
                steered = little_u32(octets, next)?;
                next += 4;
            }
        }
        Some((Node { flags, name, children, steered, sets: octets.get(next..)? }, length))
    }

    /// Index into the steering names, for a steered name.
    #[inline]
    pub fn steered(&self) -> Option<u32> {
        self.flags.any(Flags::STEERED).then_some(self.steered)
    }

    /// All RRsets, by type.
    #[inline]
    pub fn sets(&self) -> impl Iterator<Item = Image<'z>> + use<'z> {
        let mut rest = self.sets;
        std::iter::from_fn(move || {
            let count = little_u16(rest, 0)?;
            let length = usize::from(little_u16(rest, 2)?);
            let octets = rest.get(4..4 + length)?;
            // Behind the first record's owner, a pointer to the question.
            let rtype = u16_at(octets, 2)?;
            rest = rest.get(4 + length..)?;
            Some(Image { rtype, count, octets })
        })
    }

    /// The RRset of one type.
    #[inline]
    pub fn set(&self, rtype: u16) -> Option<Image<'z>> {
        self.sets().find(|set| set.rtype == rtype)
    }

    /// A copy to change.
    pub fn draft(&self) -> Draft {
        Draft {
            name: self.name.to_vec(),
            flags: self.flags,
            children: self.children,
            steered: self.steered(),
            sets: self
                .sets()
                .map(|set| Set { rtype: set.rtype, count: set.count, image: set.octets.to_vec() })
                .collect(),
        }
    }
}

#[inline]
fn little_u32(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

#[inline]
fn little_u16(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

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

/// What the zone's SOA says (RFC 1035 section 3.3.13), at hand for negative answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Soa {
    /// SERIAL.
    pub serial: u32,
    /// TTL of negative answers: the smaller of the SOA's own TTL and MINIMUM (RFC 2308 section 5).
    pub negative_ttl: u32,
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

    /// The SOA's numbers.
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
