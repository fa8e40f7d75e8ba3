//! A node: what a zone has of one name, encoded.
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

use crate::wire::u16_at;
use crate::wire::writer::Image;

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
    pub(super) fn decode(blob: &'z [u8], at: usize) -> Option<(Node<'z>, usize)> {
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
pub(super) fn little_u32(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

#[inline]
fn little_u16(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}
