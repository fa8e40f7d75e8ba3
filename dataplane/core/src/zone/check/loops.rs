//! CNAMEs that lead back to where they started, so that no query for them ever ends (RFC 1034 section 3.6.2).

use super::targets::lower_target;
use super::{Check, Facts, Reports};
use crate::wire::name;
use crate::wire::rtype::number as n;

impl Check<'_> {
    /// Reports each loop once, at its first record. Followed are names that records of this zone stand at; a
    /// delegation or a DNAME above a name ends the chain, and what a wildcard stands for is not followed.
    pub(super) fn loops(&self, reports: &mut Reports<'_>) {
        if !self.any.has(Facts::CNAME) {
            return;
        }
        // In which walk each owner was first met, from 1.
        let mut met = vec![0usize; self.all.len()];
        for start in 0..self.all.len() {
            let mut at = Some(start).filter(|&start| self.alias_of(start).is_some());
            while let Some(here) = at {
                match met.get_mut(here) {
                    Some(walk) if *walk == 0 => *walk = start + 1,
                    Some(walk) if *walk == start + 1 => {
                        self.report_loop(here, reports);
                        break;
                    }
                    _ => break,
                }
                at = self.alias_of(here);
            }
        }
    }

    /// The owner that the CNAME at the owner `at` names, if it is one of this zone.
    fn alias_of(&self, at: usize) -> Option<usize> {
        let cname = self.records.get(self.cname_at(at)?)?;
        let mut buffer = [0; name::MAX_NAME];
        let target = lower_target(cname, &mut buffer)?;
        let found = self.position(target)?;
        let is_hidden = self.delegation_of(target).is_some() || self.dname_above(target).is_some();
        if is_hidden { None } else { Some(found) }
    }

    /// Index of the first CNAME of an owner in the zone.
    fn cname_at(&self, at: usize) -> Option<usize> {
        let node = self.node_at(at).filter(|node| node.facts.has(Facts::CNAME))?;
        self.first_of(&node, |rtype| rtype == n::CNAME)
    }

    fn report_loop(&self, start: usize, reports: &mut Reports<'_>) {
        let around = std::iter::successors(Some(start), |&at| self.alias_of(at).filter(|&at| at != start));
        let cnames = around.filter_map(|at| self.cname_at(at));
        let (first, length) = cnames.fold((usize::MAX, 0), |(first, length), at| (first.min(at), length + 1));
        reports.cname_loop(first, length);
    }
}
