//! The names that NS, MX, SRV, CNAME, ALIAS, SVCB and HTTPS records point to: aliases, servers without
//! addresses, and what does not exist.

use super::{Check, Existence, Facts, Lead, MAX_LEADS, Presence, Reports};
use crate::wire::rtype::number as n;
use crate::wire::{Name, name, rtype};
use crate::zone::finding::Severity;
use crate::zone::records::Record;

impl<'a> Check<'a> {
    /// Checks every target; returns those that another zone has to hold.
    pub(super) fn targets(&mut self, complete: bool, reports: &mut Reports<'_>) -> Vec<Lead> {
        let mut leads = Vec::new();
        // Records whose target no record of this zone stands at.
        let mut unresolved: Vec<usize> = Vec::new();
        let has_zones_below = self.around.origins.has_below(self.origin);
        let mut buffer = [0; name::MAX_NAME];
        for (index, record) in self.records.iter().enumerate() {
            if !has_target(record.rtype) || !name::is_within(record.owner, self.origin) {
                continue;
            }
            if record.rtype == n::MX {
                reports.null_mx_preference(index, record);
            }
            let Some(target) = lower_target(record, &mut buffer) else { continue };
            // "No service" of MX (RFC 7505) and SRV (RFC 2782), "the owner" of SVCB (RFC 9460).
            if target == [0] {
                continue;
            }
            let is_inside = name::is_within(target, self.origin);
            if complete
                && leads.len() < MAX_LEADS
                && (!is_inside || has_zones_below)
                && let Some(origin) = self.other_zone_of(target)
            {
                leads.extend(Name::from_wire(target).map(|target| Lead { index, target, origin }));
            }
            if !is_inside {
                continue;
            }
            // A CNAME may lead to anything that exists, an ALIAS stands for addresses.
            if !matches!(record.rtype, n::NS | n::MX | n::SRV) {
                let is_there = match record.rtype {
                    n::ALIAS => self.node(target).is_some_and(|node| node.facts.has(Facts::ADDRESS)),
                    _ => self.position(target).is_some(),
                };
                if !is_there {
                    unresolved.push(index);
                }
                continue;
            }
            let is_ns = record.rtype == n::NS;
            if let Some(at) = self.position(target) {
                if let Some(facts) = self.facts.get_mut(at).filter(|_| is_ns && record.owner != self.origin) {
                    facts.add(Facts::DELEGATED_TO);
                }
                let Some(node) = self.node_at(at) else { continue };
                let (has_cname, has_address) = (node.facts.has(Facts::CNAME), node.facts.has(Facts::ADDRESS));
                if has_cname {
                    let cname = self.first_of(&node, |rtype| rtype == n::CNAME);
                    reports.alias(index, record, target, cname.unwrap_or_default());
                }
                if has_cname || has_address || !is_ns {
                    continue;
                }
            } else if !is_ns {
                unresolved.push(index);
            }
            if is_ns && complete && self.needs_address(record.owner, target) {
                reports.add("zone-missing-glue", Severity::Warning, index, || {
                    let target = name::to_text(target);
                    format!("the name server {target} is in this zone but has no address: add its A or AAAA record")
                });
            }
        }
        if complete && !unresolved.is_empty() {
            self.report_absent(&unresolved, reports);
        }
        leads
    }

    /// Reports those of the records whose target does not exist in this zone, or has nothing for an ALIAS.
    fn report_absent(&self, unresolved: &[usize], reports: &mut Reports<'_>) {
        let target_of = |index: usize| {
            let mut buffer = [0; name::MAX_NAME];
            let target = lower_target(self.records.get(index)?, &mut buffer)?;
            Some(Box::<[u8]>::from(target))
        };
        let targets: Vec<(usize, Box<[u8]>)> =
            unresolved.iter().filter_map(|&index| Some((index, target_of(index)?))).collect();
        let steered = self.around.steered.iter().map(|name| &**name);
        let wanted = targets.iter().map(|(_, target)| &**target);
        let existence = Existence::of(self.origin, self.records, steered, wanted);
        for (index, target) in &targets {
            let presence = existence.presence(target);
            let is_alias = self.records.get(*index).is_some_and(|record| record.rtype == n::ALIAS);
            let is_enough = presence == Presence::Reachable || presence == Presence::Present && !is_alias;
            if !is_enough && self.other_zone_of(target).is_none() {
                reports.dangling(*index, target, presence == Presence::Present);
            }
        }
    }

    /// The origin of the zone nearest above `target`, where that is another than this.
    fn other_zone_of(&self, target: &[u8]) -> Option<Name> {
        if self.around.origins.is_empty() {
            return None;
        }
        let mut at = Some(target);
        while let Some(here) = at {
            if here == self.origin {
                return None;
            }
            if self.around.origins.contains(here) {
                return Name::from_wire(here).ok();
            }
            at = name::parent(here);
        }
        None
    }

    /// Whether the server `target` of an NS record at `owner` must have its address in this zone:
    /// not where another delegation holds it, nor where steering or a wildcard may answer for it.
    fn needs_address(&self, owner: &[u8], target: &[u8]) -> bool {
        if let Some(cut) = self.delegation_of(target) {
            return owner == self.origin || cut.name == owner;
        }
        if self.around.steered.contains(target) {
            return false;
        }
        let mut wildcard = Vec::with_capacity(name::MAX_NAME + 2);
        let mut ancestor = name::parent(target);
        while let Some(above) = ancestor.filter(|above| name::is_within(above, self.origin)) {
            wildcard.clear();
            wildcard.extend_from_slice(b"\x01*");
            wildcard.extend_from_slice(above);
            if self.position(&wildcard).is_some() || self.around.steered.contains(wildcard.as_slice()) {
                return false;
            }
            ancestor = name::parent(above);
        }
        true
    }
}

/// Types whose RDATA names one host that should exist.
fn has_target(rtype: u16) -> bool {
    matches!(rtype, n::NS | n::CNAME | n::ALIAS | n::MX | n::SRV | n::SVCB | n::HTTPS)
}

/// The first name in the RDATA of `record`, lower case.
pub(super) fn lower_target<'b>(record: Record<'_>, buffer: &'b mut [u8; name::MAX_NAME]) -> Option<&'b [u8]> {
    let (offset, length) = rtype::rdata_names(record.rtype, record.rdata).next()?;
    let target = buffer.get_mut(..length)?;
    target.copy_from_slice(record.rdata.get(offset..offset + length)?);
    target.make_ascii_lowercase();
    Some(target)
}
