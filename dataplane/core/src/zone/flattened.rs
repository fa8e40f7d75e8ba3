//! What ALIAS targets outside the zones served here resolve to, as the control plane last found out.

use std::collections::HashMap;

use crate::wire::writer::{Image, push_image};
use crate::wire::{Name, rtype::number};

/// The addresses of one target, of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlattenedSet {
    /// The name that no zone here answers for, lower case. Any number of ALIAS records may lead to it.
    pub target: Name,
    /// A or AAAA.
    pub rtype: u16,
    /// TTL in seconds, within the floor and ceiling that the control plane keeps.
    pub ttl: u32,
    /// RDATA of each address; none where it has no such addresses.
    pub rdata: Vec<Vec<u8>>,
    /// Whether the resolver has not confirmed it in time (RFC 8767).
    pub stale: bool,
}

/// One RRset as it is answered.
struct Held {
    rtype: u16,
    count: u16,
    image: Vec<u8>,
    stale: bool,
}

/// All of them, by target.
#[derive(Default)]
pub struct Flattened(HashMap<Box<[u8]>, Vec<Held>>);

impl Flattened {
    /// From the control plane's list; of several for one target and type the last counts. Other types than addresses
    /// are left out.
    pub fn new(sets: &[FlattenedSet]) -> Flattened {
        let mut all: HashMap<Box<[u8]>, Vec<Held>> = HashMap::new();
        for set in sets.iter().filter(|set| matches!(set.rtype, number::A | number::AAAA)) {
            let mut image = Vec::new();
            for rdata in set.rdata.iter().take(usize::from(u16::MAX)) {
                push_image(&mut image, set.rtype, set.ttl, rdata);
            }
            let count = u16::try_from(set.rdata.len()).unwrap_or(u16::MAX);
            let of_target = all.entry(set.target.as_wire().into()).or_default();
            of_target.retain(|held| held.rtype != set.rtype);
            of_target.push(Held { rtype: set.rtype, count, image, stale: set.stale });
        }
        Flattened(all)
    }

    /// The RRset of `target`, a lower-case wire name, empty where it has none, and whether it is stale. `None` when
    /// nothing is known yet.
    pub fn get(&self, target: &[u8], rtype: u16) -> Option<(Image<'_>, bool)> {
        let held = self.0.get(target)?.iter().find(|held| held.rtype == rtype)?;
        Some((Image { rtype, count: held.count, octets: &held.image }, held.stale))
    }
}
