//! Rules that the records of a zone keep among themselves.
//!
//! | rule | severity | |
//! |---|---|---|
//! | `zone-soa` | error | one SOA, at the apex (RFC 1035 section 5.2) |
//! | `zone-no-ns` | error | NS records at the apex (RFC 1034 section 4.2.1) |
//! | `zone-out-of-zone` | error | every owner is at or below the apex |
//! | `zone-cname-and-other-data` | error | one CNAME, beside DNSSEC records only (RFC 2181 section 10.1) |
//! | `zone-dname` | error | one DNAME at an owner (RFC 6672 section 2.4) |
//! | `zone-ttl-differs` | warning | one TTL in an RRset (RFC 2181 section 5.2); the lowest is served |
//! | `zone-duplicate-record` | warning | each record once (RFC 2181 section 5); one is served |
//! | `zone-missing-glue` | warning | name servers in the zone have addresses (RFC 1034 section 4.2.1) |
//! | `zone-ds-without-ns` | warning | DS only at a delegation (RFC 4035 section 2.4) |
//! | `zone-ns-cname`, `zone-mx-cname` | warning | NS and MX name no aliases (RFC 2181 section 10.3) |
//! | `zone-srv-cname` | warning | SRV names no alias (RFC 2782) |
//! | `zone-mx-null` | warning | a null MX stands alone with preference 0 (RFC 7505 section 3) |
//! | `zone-dangling-target` | warning | CNAME, MX, SRV, SVCB and HTTPS name what exists |
//! | `zone-cname-loop` | warning | no CNAME leads back to itself (RFC 1034 section 3.6.2) |
//! | `zone-occluded` | warning | nothing but glue below a delegation, nothing below a DNAME |
//!
//! Cost: one hash of each owner that differs from the one before it, a sort within each owner, and
//! for NS, MX and names below delegations one look-up per label. Targets that no record stands at
//! cost one more pass over the owners. No record is copied.

mod existence;
mod loops;
mod reports;
pub mod select;
mod targets;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::reports::{Reports, Row};
use super::finding::Finding;
use super::records::RecordSet;
use crate::wire::rtype::number as n;
use crate::wire::{Name, name};

pub use self::existence::{Existence, Presence};

/// Leads of one zone; further ones are not followed.
pub const MAX_LEADS: usize = 100_000;

/// What is served beside the records of a zone. Names are in wire format, lower case.
#[derive(Debug, Default, Clone)]
pub struct Surroundings {
    /// Origins of all zones served; one set for all their checks.
    pub origins: Arc<HashSet<Box<[u8]>>>,
    /// The owner names of this zone that steering answers; a wildcard stands for every name below.
    pub steered: HashSet<Box<[u8]>>,
}

/// A target that another zone served here has to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Index of the record that names it.
    pub index: usize,
    /// The name, lower case.
    pub target: Name,
    /// Origin of the nearest zone above it.
    pub origin: Name,
}

/// Checks the records of the zone `origin` (lower case). With `complete` false, some records are
/// known to be absent because they could not be read, and nothing is said of what is missing.
/// Findings come in no particular order, at most a hundred of each rule; leads in reading order, at
/// most [`MAX_LEADS`].
pub fn check(
    origin: &Name,
    records: &RecordSet,
    complete: bool,
    around: &Surroundings,
) -> (Vec<Finding>, Vec<Lead>) {
    let mut reports = Reports::new(records);
    let mut check = Check::new(origin.as_wire(), records, around, &mut reports);
    if complete {
        check.apex(&mut reports);
    }
    check.owners(&mut reports);
    let leads = check.targets(complete, &mut reports);
    check.loops(&mut reports);
    check.occluded(&mut reports);
    (reports.finish(), leads)
}

/// Index of the node of a record outside the zone.
const NO_NODE: u32 = u32::MAX;

/// What stands at one owner.
#[derive(Debug, Default)]
struct Node<'a> {
    owner: &'a [u8],
    /// Its records are `order[start..end]`.
    start: u32,
    end: u32,
    has_soa: bool,
    has_cname: bool,
    has_dname: bool,
    has_ns: bool,
    has_ds: bool,
    has_address: bool,
    /// An NS record below the apex names it, so that its addresses are glue.
    is_delegated_to: bool,
}

struct Check<'a> {
    origin: &'a [u8],
    records: &'a RecordSet,
    around: &'a Surroundings,
    nodes: Vec<Node<'a>>,
    by_owner: HashMap<&'a [u8], u32>,
    /// Indices of the records of the zone, node by node, in reading order within a node.
    order: Vec<u32>,
    has_dnames: bool,
    /// There are NS records below the apex.
    has_delegations: bool,
}

impl<'a> Check<'a> {
    /// Sorts the records into nodes; those outside the zone are reported and go no further.
    fn new(
        origin: &'a [u8],
        records: &'a RecordSet,
        around: &'a Surroundings,
        reports: &mut Reports<'_>,
    ) -> Check<'a> {
        let mut runs = 0;
        let mut last: &[u8] = &[];
        for record in records.iter() {
            runs += usize::from(record.owner != last);
            last = record.owner;
        }
        let mut check = Check {
            origin,
            records,
            around,
            nodes: Vec::with_capacity(runs),
            by_owner: HashMap::with_capacity(runs),
            order: Vec::new(),
            has_dnames: false,
            has_delegations: false,
        };
        let node_of = check.collect(reports);
        check.sort(&node_of);
        check
    }

    /// Makes the nodes, each with the number of its records as `end`; the node of every record.
    fn collect(&mut self, reports: &mut Reports<'_>) -> Vec<u32> {
        let mut node_of = Vec::with_capacity(self.records.len());
        let mut last: (&[u8], u32) = (&[], NO_NODE);
        for (index, record) in self.records.iter().enumerate() {
            if record.owner != last.0 {
                last = (record.owner, self.node_for(record.owner));
            }
            let (_, at) = last;
            node_of.push(at);
            match self.nodes.get_mut(at as usize) {
                Some(node) => {
                    let at_apex = record.owner == self.origin;
                    node.end += 1;
                    node.has_soa |= record.rtype == n::SOA;
                    node.has_cname |= record.rtype == n::CNAME;
                    node.has_dname |= record.rtype == n::DNAME;
                    node.has_ns |= record.rtype == n::NS;
                    node.has_ds |= record.rtype == n::DS;
                    node.has_address |= matches!(record.rtype, n::A | n::AAAA);
                    self.has_dnames |= record.rtype == n::DNAME;
                    self.has_delegations |= record.rtype == n::NS && !at_apex;
                }
                None => reports.out_of_zone(index, self.origin),
            }
        }
        node_of
    }

    /// The node of an owner, or [`NO_NODE`] outside the zone.
    fn node_for(&mut self, owner: &'a [u8]) -> u32 {
        if !name::is_within(owner, self.origin) {
            return NO_NODE;
        }
        let next = self.nodes.len() as u32;
        let at = *self.by_owner.entry(owner).or_insert(next);
        if at == next {
            self.nodes.push(Node { owner, ..Node::default() });
        }
        at
    }

    /// A counting sort of the records by node.
    fn sort(&mut self, node_of: &[u32]) {
        let mut start = 0;
        for node in &mut self.nodes {
            let length = node.end;
            (node.start, node.end) = (start, start);
            start += length;
        }
        self.order = vec![0; start as usize];
        for (index, &at) in node_of.iter().enumerate() {
            if let Some(node) = self.nodes.get_mut(at as usize) {
                if let Some(place) = self.order.get_mut(node.end as usize) {
                    *place = index as u32;
                }
                node.end += 1;
            }
        }
    }

    fn node(&self, owner: &[u8]) -> Option<&Node<'a>> {
        self.by_owner.get(owner).and_then(|&at| self.nodes.get(at as usize))
    }

    /// Indices of the records of a node, in reading order.
    fn indices(&self, node: &Node<'_>) -> impl Iterator<Item = usize> {
        let order = self.order.get(node.start as usize..node.end as usize).unwrap_or_default();
        order.iter().map(|&index| index as usize)
    }

    /// Index of the first record of `node` whose type `wanted` accepts.
    fn first_of(&self, node: &Node<'_>, wanted: impl Fn(u16) -> bool) -> Option<usize> {
        self.indices(node).find(|&index| self.records.get(index).is_some_and(|record| wanted(record.rtype)))
    }

    /// What the apex must have.
    fn apex(&self, reports: &mut Reports<'_>) {
        let origin = name::to_text(self.origin);
        let (has_soa, has_ns) =
            self.node(self.origin).map_or((false, false), |node| (node.has_soa, node.has_ns));
        if !has_soa {
            let message = format!(
                "the zone {origin} has no SOA record at its apex: add one, or name the file after the SOA's owner"
            );
            reports.add_whole("zone-soa", message);
        }
        if !has_ns {
            reports.add_whole(
                "zone-no-ns",
                format!("the zone {origin} has no NS records at its apex: add them"),
            );
        }
    }

    /// What may not stand together at one owner.
    fn owners(&self, reports: &mut Reports<'_>) {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for node in &self.nodes {
            if node.has_soa && node.owner != self.origin {
                let soa = self.first_of(node, |rtype| rtype == n::SOA).unwrap_or_default();
                reports.misplaced_soa(soa, self.origin);
            }
            if node.has_ds && (!node.has_ns || node.owner == self.origin) {
                let ds = self.first_of(node, |rtype| rtype == n::DS).unwrap_or_default();
                reports.ds_without_ns(ds);
            }
            if node.end - node.start < 2 {
                continue;
            }
            rows.clear();
            rows.extend(self.indices(node).filter_map(|index| {
                let record = self.records.get(index)?;
                Some(Row { rtype: record.rtype, rdata: record.rdata, index })
            }));
            rows.sort_unstable();
            if node.has_cname {
                reports.beside_cname(&rows);
            }
            for rrset in rows.chunk_by(|one, other| one.rtype == other.rtype) {
                reports.rrset(rrset);
            }
        }
    }

    /// The highest delegation at or above `owner`, below the apex.
    fn delegation_of(&self, owner: &[u8]) -> Option<&Node<'a>> {
        if self.has_delegations { self.highest(owner, |node| node.has_ns) } else { None }
    }

    /// The highest DNAME above `owner`.
    fn dname_above(&self, owner: &[u8]) -> Option<&Node<'a>> {
        if !self.has_dnames || owner == self.origin {
            return None;
        }
        let apex = self.node(self.origin).filter(|apex| apex.has_dname);
        apex.or_else(|| self.highest(name::parent(owner)?, |node| node.has_dname))
    }

    /// The highest node at or above `owner`, below the apex, that `wanted` accepts.
    fn highest(&self, owner: &[u8], wanted: impl Fn(&Node<'a>) -> bool) -> Option<&Node<'a>> {
        let mut found = None;
        let mut at = Some(owner);
        while let Some(here) = at.filter(|here| here.len() > self.origin.len()) {
            if let Some(node) = self.node(here).filter(|node| wanted(node)) {
                found = Some(node);
            }
            at = name::parent(here);
        }
        found
    }

    /// Records that no query can reach (RFC 1034 section 4.2.1, RFC 6672 section 2.4).
    fn occluded(&self, reports: &mut Reports<'_>) {
        if !self.has_delegations && !self.has_dnames {
            return;
        }
        for node in &self.nodes {
            if let Some(cut) = self.dname_above(node.owner) {
                // Hashed owners are no data: NSEC3 records stand below the apex whatever is there.
                let record = self.first_of(node, |rtype| !matches!(rtype, n::NSEC3 | n::RRSIG));
                let dname = self.first_of(cut, |rtype| rtype == n::DNAME);
                reports.occluded(record, dname, "DNAME");
            } else if let Some(cut) = self.delegation_of(node.owner) {
                let at_cut = cut.owner == node.owner;
                let record =
                    self.first_of(node, |rtype| !(is_glue(node, rtype) || at_cut && is_for_cut(rtype)));
                let ns = self.first_of(cut, |rtype| rtype == n::NS);
                reports.occluded(record, ns, "delegation");
            }
        }
    }
}

fn is_glue(node: &Node<'_>, rtype: u16) -> bool {
    node.is_delegated_to && matches!(rtype, n::A | n::AAAA)
}

/// Whether the parent's side of a delegation may hold this type (RFC 4035 section 2.6).
fn is_for_cut(rtype: u16) -> bool {
    matches!(rtype, n::NS | n::DS | n::NSEC | n::RRSIG | n::KEY | n::SIG | n::NXT)
}
