//! Rules that the records of a zone keep among themselves.
//!
//! | rule | severity | |
//! |---|---|---|
//! | `zone-soa` | error | one SOA, at the apex (RFC 1035 section 5.2) |
//! | `zone-no-ns` | error | NS records at the apex (RFC 1034 section 4.2.1) |
//! | `zone-out-of-zone` | error | every owner is at or below the apex |
//! | `zone-cname-and-other-data` | error | one CNAME, beside DNSSEC records only (RFC 2181 section 10.1) |
//! | `zone-alias` | error | one ALIAS at an owner |
//! | `zone-dname` | error | one DNAME at an owner (RFC 6672 section 2.4) |
//! | `zone-ttl-differs` | warning | one TTL in an RRset (RFC 2181 section 5.2); the lowest is served |
//! | `zone-duplicate-record` | warning | each record once (RFC 2181 section 5); one is served |
//! | `zone-missing-glue` | warning | name servers in the zone have addresses (RFC 1034 section 4.2.1) |
//! | `zone-ds-without-ns` | warning | DS only at a delegation (RFC 4035 section 2.4) |
//! | `zone-ns-cname`, `zone-mx-cname` | warning | NS and MX name no aliases (RFC 2181 section 10.3) |
//! | `zone-srv-cname` | warning | SRV names no alias (RFC 2782) |
//! | `zone-mx-null` | warning | a null MX stands alone with preference 0 (RFC 7505 section 3) |
//! | `zone-dangling-target` | warning | CNAME, MX, SRV, SVCB and HTTPS name what exists, ALIAS what has addresses |
//! | `zone-cname-loop` | warning | no CNAME leads back to itself (RFC 1034 section 3.6.2) |
//! | `zone-occluded` | warning | nothing but glue below a delegation, nothing below a DNAME |
//!
//! Cost: the record set's table of owners, an octet for each of them, a sort within each that has several
//! records, and for NS, MX and names below delegations one look-up per label. Targets that no record stands at
//! cost one more pass over the owners. No record is copied.

mod existence;
mod loops;
mod origins;
mod reports;
pub mod select;
mod targets;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use self::reports::{Reports, Row};
use super::finding::Finding;
use super::owners::{Owner, Owners};
use super::records::RecordSet;
use crate::wire::rtype::number as n;
use crate::wire::{Name, name};

pub use self::existence::{Existence, Presence};
pub use self::origins::Origins;

/// Leads of one zone; further ones are not followed.
pub const MAX_LEADS: usize = 100_000;

/// What is served beside the records of a zone. Names are in wire format, lower case.
#[derive(Debug, Default, Clone)]
pub struct Surroundings {
    /// Origins of all zones served; one value for all their checks.
    pub origins: Arc<Origins>,
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
    let mut check = Check::new(origin.as_wire(), records, around);
    check.out_of_zone(&mut reports);
    if complete {
        check.apex(&mut reports);
    }
    check.owners(&mut reports);
    let leads = check.targets(complete, &mut reports);
    check.loops(&mut reports);
    check.occluded(&mut reports);
    (reports.finish(), leads)
}

/// What stands at one owner, a bit each.
#[derive(Debug, Default, Clone, Copy)]
struct Facts(u8);

impl Facts {
    const SOA: Facts = Facts(1);
    const CNAME: Facts = Facts(1 << 1);
    const DNAME: Facts = Facts(1 << 2);
    const NS: Facts = Facts(1 << 3);
    const DS: Facts = Facts(1 << 4);
    const ADDRESS: Facts = Facts(1 << 5);
    /// An NS record below the apex names it, so that its addresses are glue.
    const DELEGATED_TO: Facts = Facts(1 << 6);
    /// It is outside the zone: reported, and of no further interest.
    const OUTSIDE: Facts = Facts(1 << 7);

    fn of(rtype: u16) -> Facts {
        match rtype {
            n::SOA => Facts::SOA,
            n::CNAME => Facts::CNAME,
            n::DNAME => Facts::DNAME,
            n::NS => Facts::NS,
            n::DS => Facts::DS,
            n::A | n::AAAA => Facts::ADDRESS,
            _ => Facts(0),
        }
    }

    fn has(self, other: Facts) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Facts) {
        self.0 |= other.0;
    }
}

/// One owner in the zone.
#[derive(Clone, Copy)]
struct Node<'a> {
    name: &'a [u8],
    owner: &'a Owner,
    facts: Facts,
}

struct Check<'a> {
    origin: &'a [u8],
    records: &'a RecordSet,
    around: &'a Surroundings,
    all: &'a Owners,
    /// Of each owner.
    facts: Vec<Facts>,
    /// Of all owners in the zone; NS only below the apex.
    any: Facts,
}

impl<'a> Check<'a> {
    fn new(origin: &'a [u8], records: &'a RecordSet, around: &'a Surroundings) -> Check<'a> {
        let all = records.owners();
        let mut facts = Vec::with_capacity(all.len());
        let mut any = Facts::default();
        for owner in all.iter() {
            let mut here = Facts::default();
            let mut name: &[u8] = &[];
            for record in all.indices(owner).filter_map(|index| records.get(index)) {
                here.add(Facts::of(record.rtype));
                name = record.owner;
            }
            if !name::is_within(name, origin) {
                here = Facts::OUTSIDE;
            }
            facts.push(here);
            any.add(if name == origin { Facts(here.0 & !Facts::NS.0) } else { here });
        }
        Check { origin, records, around, all, facts, any }
    }

    /// Reports every record outside the zone, in reading order.
    fn out_of_zone(&self, reports: &mut Reports<'_>) {
        if self.any.has(Facts::OUTSIDE) {
            for (index, record) in self.records.iter().enumerate() {
                if !name::is_within(record.owner, self.origin) {
                    reports.out_of_zone(index, self.origin);
                }
            }
        }
    }

    /// The owners in the zone, in the order in which they were first read.
    fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        (0..self.all.len()).filter_map(|at| self.node_at(at)).filter(|node| !node.facts.has(Facts::OUTSIDE))
    }

    fn node_at(&self, at: usize) -> Option<Node<'a>> {
        let (owner, &facts) = (self.all.get(at)?, self.facts.get(at)?);
        Some(Node { name: self.all.name(self.records, at)?, owner, facts })
    }

    /// Where in the list the owner of this name stands.
    fn position(&self, name: &[u8]) -> Option<usize> {
        self.all.find(self.records, name)
    }

    fn node(&self, name: &[u8]) -> Option<Node<'a>> {
        self.node_at(self.position(name)?)
    }

    /// Indices of the records of a node, in reading order.
    fn indices(&self, node: &Node<'a>) -> impl Iterator<Item = usize> + use<'a> {
        self.all.indices(node.owner)
    }

    /// Index of the first record of `node` whose type `wanted` accepts.
    fn first_of(&self, node: &Node<'a>, wanted: impl Fn(u16) -> bool) -> Option<usize> {
        self.indices(node).find(|&index| self.records.get(index).is_some_and(|record| wanted(record.rtype)))
    }

    /// What the apex must have.
    fn apex(&self, reports: &mut Reports<'_>) {
        let origin = name::to_text(self.origin);
        let (has_soa, has_ns) = self
            .node(self.origin)
            .map_or((false, false), |node| (node.facts.has(Facts::SOA), node.facts.has(Facts::NS)));
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
        for node in self.nodes() {
            if node.facts.has(Facts::SOA) && node.name != self.origin {
                let soa = self.first_of(&node, |rtype| rtype == n::SOA).unwrap_or_default();
                reports.misplaced_soa(soa, self.origin);
            }
            if node.facts.has(Facts::DS) && (!node.facts.has(Facts::NS) || node.name == self.origin) {
                let ds = self.first_of(&node, |rtype| rtype == n::DS).unwrap_or_default();
                reports.ds_without_ns(ds);
            }
            if node.owner.count() < 2 {
                continue;
            }
            rows.clear();
            rows.extend(self.indices(&node).filter_map(|index| {
                let record = self.records.get(index)?;
                Some(Row { rtype: record.rtype, rdata: record.rdata, index })
            }));
            rows.sort_unstable();
            if node.facts.has(Facts::CNAME) {
                reports.beside_cname(&rows);
            }
            for rrset in rows.chunk_by(|one, other| one.rtype == other.rtype) {
                reports.rrset(rrset);
            }
        }
    }

    /// The highest delegation at or above `owner`, below the apex.
    fn delegation_of(&self, owner: &[u8]) -> Option<Node<'a>> {
        if self.any.has(Facts::NS) { self.highest(owner, |node| node.facts.has(Facts::NS)) } else { None }
    }

    /// The highest DNAME above `owner`.
    fn dname_above(&self, owner: &[u8]) -> Option<Node<'a>> {
        if !self.any.has(Facts::DNAME) || owner == self.origin {
            return None;
        }
        let apex = self.node(self.origin).filter(|apex| apex.facts.has(Facts::DNAME));
        apex.or_else(|| self.highest(name::parent(owner)?, |node| node.facts.has(Facts::DNAME)))
    }

    /// The highest node at or above `owner`, below the apex, that `wanted` accepts.
    fn highest(&self, owner: &[u8], wanted: impl Fn(&Node<'a>) -> bool) -> Option<Node<'a>> {
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
        if !self.any.has(Facts::NS) && !self.any.has(Facts::DNAME) {
            return;
        }
        for node in self.nodes() {
            if let Some(cut) = self.dname_above(node.name) {
                // Hashed owners are no data: NSEC3 records stand below the apex whatever is there.
                let record = self.first_of(&node, |rtype| !matches!(rtype, n::NSEC3 | n::RRSIG));
                let dname = self.first_of(&cut, |rtype| rtype == n::DNAME);
                reports.occluded(record, dname, "DNAME");
            } else if let Some(cut) = self.delegation_of(node.name) {
                let at_cut = cut.name == node.name;
                let record =
                    self.first_of(&node, |rtype| !(is_glue(&node, rtype) || at_cut && is_for_cut(rtype)));
                let ns = self.first_of(&cut, |rtype| rtype == n::NS);
                reports.occluded(record, ns, "delegation");
            }
        }
    }
}

fn is_glue(node: &Node<'_>, rtype: u16) -> bool {
    node.facts.has(Facts::DELEGATED_TO) && matches!(rtype, n::A | n::AAAA)
}

/// Whether the parent's side of a delegation may hold this type (RFC 4035 section 2.6).
fn is_for_cut(rtype: u16) -> bool {
    matches!(rtype, n::NS | n::DS | n::NSEC | n::RRSIG | n::KEY | n::SIG | n::NXT)
}
