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
//! | `zone-ns-cname`, `zone-mx-cname` | warning | NS and MX name no aliases (RFC 2181 section 10.3) |
//! | `zone-occluded` | warning | nothing but glue below a delegation, nothing below a DNAME |
//!
//! Cost: one hash of each owner that differs from the one before it, a sort within each owner, and
//! for NS, MX and names below delegations one look-up per label. No record is copied.

mod reports;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::reports::Reports;
use super::finding::{Finding, Severity};
use super::records::{Record, RecordSet};
use crate::wire::rtype::number as n;
use crate::wire::{Name, name, rtype};

/// Checks the records of the zone `origin` (lower case). With `complete` false, some records are
/// known to be absent because they could not be read, and nothing is said of what is missing.
/// Findings come in no particular order, at most a hundred of each rule.
pub fn check(origin: &Name, records: &RecordSet, complete: bool) -> Vec<Finding> {
    let mut check = Check::new(origin.as_wire(), records);
    if complete {
        check.apex();
    }
    check.owners();
    check.targets(complete);
    check.occluded();
    check.reports.finish()
}

/// What stands at one owner.
#[derive(Debug, Default)]
struct Node<'a> {
    owner: &'a [u8],
    /// Its records are `order[start..end]`.
    start: usize,
    end: usize,
    /// Index of its first SOA, CNAME, DNAME and NS record.
    soa: Option<usize>,
    cname: Option<usize>,
    dname: Option<usize>,
    ns: Option<usize>,
    has_address: bool,
    /// An NS record below the apex names it, so that its addresses are glue.
    is_delegated_to: bool,
}

struct Check<'a> {
    origin: &'a [u8],
    records: &'a RecordSet,
    nodes: Vec<Node<'a>>,
    by_owner: HashMap<&'a [u8], usize>,
    /// Indices of the records of the zone, node by node, in reading order within a node.
    order: Vec<u32>,
    /// There is a DNAME, or an NS below the apex.
    has_cuts: bool,
    reports: Reports<'a>,
}

impl<'a> Check<'a> {
    /// Sorts the records into nodes; those outside the zone are reported and go no further.
    fn new(origin: &'a [u8], records: &'a RecordSet) -> Check<'a> {
        let mut check = Check {
            origin,
            records,
            nodes: Vec::new(),
            by_owner: HashMap::new(),
            order: Vec::new(),
            has_cuts: false,
            reports: Reports::new(records),
        };
        let mut node_of = Vec::with_capacity(records.len());
        let mut last: Option<(&[u8], Option<usize>)> = None;
        for (index, record) in records.iter().enumerate() {
            let node = match last {
                Some((owner, node)) if owner == record.owner => node,
                _ => check.node_for(record.owner),
            };
            last = Some((record.owner, node));
            node_of.push(node);
            check.note(node, index, record);
        }
        // A counting sort: the length of each node is in `end`.
        let mut start = 0;
        for node in &mut check.nodes {
            let length = node.end;
            (node.start, node.end) = (start, start);
            start += length;
        }
        check.order = vec![0; start];
        for (index, node) in node_of.into_iter().enumerate() {
            if let Some(node) = node.and_then(|at| check.nodes.get_mut(at)) {
                if let Some(place) = check.order.get_mut(node.end) {
                    *place = index as u32;
                }
                node.end += 1;
            }
        }
        check
    }

    /// The node of an owner, `None` outside the zone.
    fn node_for(&mut self, owner: &'a [u8]) -> Option<usize> {
        if !name::is_within(owner, self.origin) {
            return None;
        }
        let next = self.nodes.len();
        let at = *self.by_owner.entry(owner).or_insert(next);
        if at == next {
            self.nodes.push(Node { owner, ..Node::default() });
        }
        Some(at)
    }

    fn note(&mut self, node: Option<usize>, index: usize, record: Record<'_>) {
        let Some(node) = node.and_then(|at| self.nodes.get_mut(at)) else {
            let origin = self.origin;
            self.reports.add("zone-out-of-zone", Severity::Error, index, || {
                format!(
                    "{} is outside the zone {}: move the record to its own zone, or drop the final dot of a \
                     relative name",
                    name::to_text(record.owner),
                    name::to_text(origin)
                )
            });
            return;
        };
        node.end += 1;
        match record.rtype {
            n::SOA => node.soa = node.soa.or(Some(index)),
            n::CNAME => node.cname = node.cname.or(Some(index)),
            n::DNAME => node.dname = node.dname.or(Some(index)),
            n::NS => node.ns = node.ns.or(Some(index)),
            n::A | n::AAAA => node.has_address = true,
            _ => {}
        }
        self.has_cuts |= record.rtype == n::DNAME || (record.rtype == n::NS && record.owner != self.origin);
    }

    fn node(&self, owner: &[u8]) -> Option<&Node<'a>> {
        self.by_owner.get(owner).and_then(|&at| self.nodes.get(at))
    }

    /// What the apex must have.
    fn apex(&mut self) {
        let origin = name::to_text(self.origin);
        let (has_soa, has_ns) =
            self.node(self.origin).map_or((false, false), |node| (node.soa.is_some(), node.ns.is_some()));
        if !has_soa {
            let message = format!(
                "the zone {origin} has no SOA record at its apex: add one, or name the file after the SOA's owner"
            );
            self.reports.add_whole("zone-soa", message);
        }
        if !has_ns {
            self.reports.add_whole(
                "zone-no-ns",
                format!("the zone {origin} has no NS records at its apex: add them"),
            );
        }
    }

    /// What may not stand together at one owner.
    fn owners(&mut self) {
        let mut rows: Vec<(u16, &[u8], usize)> = Vec::new();
        for node in &self.nodes {
            if let Some(soa) = node.soa.filter(|_| node.owner != self.origin) {
                self.reports.misplaced_soa(soa, self.origin);
            }
            if node.end - node.start < 2 {
                continue;
            }
            rows.clear();
            for &index in self.order.get(node.start..node.end).unwrap_or_default() {
                let index = index as usize;
                if let Some(record) = self.records.get(index) {
                    rows.push((record.rtype, record.rdata, index));
                }
            }
            rows.sort_unstable();
            if let Some(cname) = node.cname {
                self.reports.beside_cname(cname, &rows);
            }
            for rrset in rows.chunk_by(|one, other| one.0 == other.0) {
                self.reports.rrset(rrset);
            }
        }
    }

    /// Names that NS and MX records of the zone point to inside the zone.
    fn targets(&mut self, complete: bool) {
        let mut buffer = [0; name::MAX_NAME];
        for (index, record) in self.records.iter().enumerate() {
            if !matches!(record.rtype, n::NS | n::MX) || !name::is_within(record.owner, self.origin) {
                continue;
            }
            let Some(target) = lower_target(record, &mut buffer) else { continue };
            if !name::is_within(target, self.origin) {
                continue;
            }
            let node = self.by_owner.get(target).copied();
            let is_ns = record.rtype == n::NS;
            if let Some(node) = node.and_then(|at| self.nodes.get_mut(at)) {
                node.is_delegated_to |= is_ns && record.owner != self.origin;
                if let Some(cname) = node.cname {
                    self.reports.alias(index, record, target, cname);
                    continue;
                }
                if node.has_address {
                    continue;
                }
            }
            if is_ns && complete && self.needs_address(record.owner, target) {
                self.reports.add("zone-missing-glue", Severity::Warning, index, || {
                    let target = name::to_text(target);
                    format!("the name server {target} is in this zone but has no address: add its A or AAAA record")
                });
            }
        }
    }

    /// Whether the server `target` of an NS record at `owner` must have its address in this zone:
    /// not where another delegation holds it, nor where a wildcard may answer for it.
    fn needs_address(&self, owner: &[u8], target: &[u8]) -> bool {
        if let Some(cut) = self.delegation_of(target) {
            return owner == self.origin || cut.owner == owner;
        }
        let mut wildcard = Vec::with_capacity(name::MAX_NAME + 2);
        let mut ancestor = name::parent(target);
        while let Some(above) = ancestor.filter(|above| name::is_within(above, self.origin)) {
            wildcard.clear();
            wildcard.extend_from_slice(b"\x01*");
            wildcard.extend_from_slice(above);
            if self.by_owner.contains_key(wildcard.as_slice()) {
                return false;
            }
            ancestor = name::parent(above);
        }
        true
    }

    /// The highest delegation at or above `owner`, below the apex.
    fn delegation_of(&self, owner: &[u8]) -> Option<&Node<'a>> {
        self.highest(owner, |node| node.ns.is_some())
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
    fn occluded(&mut self) {
        if !self.has_cuts {
            return;
        }
        let mut found = Vec::new();
        for node in &self.nodes {
            if node.owner == self.origin {
                continue;
            }
            let by_dname = name::parent(node.owner).and_then(|above| {
                self.highest(above, |node| node.dname.is_some())
                    .or_else(|| self.node(self.origin).filter(|apex| apex.dname.is_some()))
            });
            if let Some(dname) = by_dname {
                // Hashed owners are no data: NSEC3 records stand below the apex whatever is there.
                let record = self.first_of(node, |rtype| !matches!(rtype, n::NSEC3 | n::RRSIG));
                found.push((record, dname.dname, "DNAME"));
            } else if let Some(cut) = self.delegation_of(node.owner) {
                let at_cut = cut.owner == node.owner;
                let record =
                    self.first_of(node, |rtype| !(is_glue(node, rtype) || at_cut && is_for_cut(rtype)));
                found.push((record, cut.ns, "delegation"));
            }
        }
        for (record, cut, kind) in found {
            let (Some(record), Some(cut)) = (record, cut) else { continue };
            self.reports.occluded(record, cut, kind);
        }
    }

    /// Index of the first record of `node` whose type `wanted` accepts.
    fn first_of(&self, node: &Node<'_>, wanted: impl Fn(u16) -> bool) -> Option<usize> {
        let order = self.order.get(node.start..node.end).unwrap_or_default();
        let mut indices = order.iter().map(|&index| index as usize);
        indices.find(|&index| self.records.get(index).is_some_and(|record| wanted(record.rtype)))
    }
}

fn is_glue(node: &Node<'_>, rtype: u16) -> bool {
    node.is_delegated_to && matches!(rtype, n::A | n::AAAA)
}

/// Whether the parent's side of a delegation may hold this type (RFC 4035 section 2.6).
fn is_for_cut(rtype: u16) -> bool {
    matches!(rtype, n::NS | n::DS | n::NSEC | n::RRSIG | n::KEY | n::SIG | n::NXT)
}

/// The first name in the RDATA of `record`, lower case.
fn lower_target<'b>(record: Record<'_>, buffer: &'b mut [u8; name::MAX_NAME]) -> Option<&'b [u8]> {
    let (offset, length) = rtype::rdata_names(record.rtype, record.rdata).next()?;
    let target = buffer.get_mut(..length)?;
    target.copy_from_slice(record.rdata.get(offset..offset + length)?);
    target.make_ascii_lowercase();
    Some(target)
}
