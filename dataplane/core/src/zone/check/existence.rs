//! Which of some names a zone holds, found in one pass over its owners.

use std::collections::HashMap;

use crate::wire::name;
use crate::wire::rtype::number as n;
use crate::zone::records::RecordSet;

/// What a zone says of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The name does not exist: NXDOMAIN.
    Absent,
    /// It exists and has no addresses; it may be an empty non-terminal.
    Present,
    /// It has addresses, or what it leads to may: an alias, a wildcard, a delegation, a DNAME.
    Reachable,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    exists: bool,
    leads_on: bool,
    is_cut: bool,
    has_dname: bool,
}

/// What a zone holds of the names that were asked for, of those above them and of the wildcards
/// beside them; nothing is kept of other names.
pub struct Existence<'a> {
    origin: &'a [u8],
    seen: HashMap<Box<[u8]>, Seen>,
}

impl<'a> Existence<'a> {
    /// Looks for `targets` (lower case; those outside the zone are left out) among the owners and
    /// the `steered` names of the zone `origin`.
    pub fn of<'t>(
        origin: &'a [u8],
        records: &RecordSet,
        steered: impl Iterator<Item = &'t [u8]>,
        targets: impl Iterator<Item = &'t [u8]>,
    ) -> Existence<'a> {
        let mut existence = Existence { origin, seen: HashMap::new() };
        existence.want(origin);
        for target in targets.filter(|target| name::is_within(target, origin)) {
            existence.want(target);
        }
        for owner in steered {
            existence.mark(owner);
            if let Some(seen) = existence.seen.get_mut(owner) {
                seen.leads_on = true;
            }
        }
        let mut last: (&[u8], bool) = (&[], false);
        for record in records.iter() {
            if record.owner != last.0 {
                last = (record.owner, existence.mark(record.owner));
            }
            if let Some(seen) = last.1.then(|| existence.seen.get_mut(record.owner)).flatten() {
                seen.leads_on |= matches!(record.rtype, n::A | n::AAAA | n::CNAME | n::ALIAS);
                seen.has_dname |= record.rtype == n::DNAME;
                seen.is_cut |= record.rtype == n::NS && record.owner != origin;
            }
        }
        existence
    }

    /// What the zone says of `target`, one of the names that were asked for.
    pub fn presence(&self, target: &[u8]) -> Presence {
        let mut encloser_found = false;
        let mut presence = Presence::Absent;
        let mut at = Some(target);
        while let Some(here) = at.filter(|here| here.len() >= self.origin.len()) {
            let seen = self.seen.get(here).copied().unwrap_or_default();
            if seen.is_cut || seen.has_dname && here != target {
                return Presence::Reachable;
            }
            if seen.exists && !encloser_found {
                encloser_found = true;
                let wildcard_exists = || self.seen.get(&*wildcard_at(here)).is_some_and(|seen| seen.exists);
                presence = match here == target {
                    true if seen.leads_on => Presence::Reachable,
                    true => Presence::Present,
                    // RFC 4592 section 3.3.1: only the wildcard at the closest encloser counts.
                    false if wildcard_exists() => Presence::Reachable,
                    false => Presence::Absent,
                };
            }
            at = name::parent(here);
        }
        presence
    }

    /// Keeps watch for `target`, the names above it within the zone, and their wildcards.
    fn want(&mut self, target: &[u8]) {
        let mut at = Some(target);
        while let Some(here) = at.filter(|here| here.len() >= self.origin.len()) {
            let is_new = !self.seen.contains_key(here);
            if is_new {
                self.seen.insert(here.into(), Seen::default());
            }
            // A target may be above another one: the wildcard beside it is not watched for yet.
            let is_beside_new = here != target && !self.seen.contains_key(&*wildcard_at(here));
            if is_beside_new {
                self.seen.insert(wildcard_at(here), Seen::default());
            }
            if !is_new && !is_beside_new {
                return;
            }
            at = name::parent(here);
        }
    }

    /// Notes that `owner`, and with it every name above, exists; whether `owner` is watched for.
    fn mark(&mut self, owner: &[u8]) -> bool {
        let mut at = Some(owner);
        while let Some(here) = at.filter(|here| here.len() >= self.origin.len()) {
            if let Some(seen) = self.seen.get_mut(here) {
                if seen.exists {
                    break;
                }
                seen.exists = true;
            }
            at = name::parent(here);
        }
        self.seen.contains_key(owner)
    }
}

/// `*.above`, also where that is too long for a name.
fn wildcard_at(above: &[u8]) -> Box<[u8]> {
    [b"\x01*", above].concat().into()
}
