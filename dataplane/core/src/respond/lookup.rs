//! From a question to the records that answer it: the zone, the node, steering, and the names that CNAMEs lead to.

use std::net::IpAddr;

use super::ahead::Ahead;
use super::alias::Flattening;
use super::chaos::{self, CLASS_CHAOS};
use super::dname::substitute;
use super::opt::ExtendedError;
use super::passed::Passed;
use super::referral::{add_addresses, refer};
use super::steered::Steered;
use super::trace::note_found;
use super::{Answer, CLASS_ANY, CLASS_IN, Step, Trace, Transport};
use crate::observe::counters::Counters;
use crate::publish::Published;
use crate::steer::{Random, Selection};
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::to_text;
use crate::wire::query::Query;
use crate::wire::rtype::{self, number};
use crate::wire::writer::{Full, Image, Owner, Section, Writer, leading_name};
use crate::zone::find::{Found, find};
use crate::zone::node::{Flags, Node};
use crate::zone::table::Zone;

/// CNAMEs and DNAMEs followed in one answer; a longer chain ends there and the resolver asks on.
pub(super) const MAX_CHAIN: usize = 16;

/// What following aliases and steering need besides the query.
pub(super) struct Steerer {
    chased: FoldedName,
    /// Names and DNAMEs that the answer has passed.
    names: Passed,
    dnames: Passed,
    chooser: Chooser,
}

/// What a choice among endpoints is made with.
pub(super) struct Chooser {
    pub selection: Selection,
    pub random: Random,
}

impl Steerer {
    /// One whose choices follow from `seed`.
    pub fn new(seed: u64) -> Steerer {
        Steerer {
            chased: FoldedName::default(),
            names: Passed::default(),
            dnames: Passed::default(),
            chooser: Chooser { selection: Selection::default(), random: Random::new(seed) },
        }
    }
}

/// The closest zone above `name`; for DS at an apex, the parent if it is served here too.
#[inline]
pub(super) fn zone_of<'s>(state: &'s Published, name: &FoldedName, qtype: u16) -> Option<&'s Zone> {
    let labels = name.label_count();
    if qtype == number::DS
        && let Some(parent) = labels.checked_sub(1).and_then(|above| state.zones.find(name, above))
    {
        return Some(parent);
    }
    state.zones.find(name, labels).map(|zone| &**zone)
}

/// What a node, once found, does to the answer.
pub(super) enum Next<'z> {
    Done(Answer),
    /// The target of a CNAME, which clients of this scope get.
    Follow {
        target: &'z [u8],
        scope: u8,
    },
}

/// One query against one generation.
pub(super) struct Lookup<'a> {
    pub state: &'a Published,
    pub ahead: &'a Ahead<'a>,
    pub query: &'a Query,
    pub client: IpAddr,
    pub transport: Transport,
    pub counters: &'a Counters,
    pub worker: usize,
}

impl<'a> Lookup<'a> {
    /// The answer, whose scope is the longest of all steered names on the way.
    #[inline]
    pub fn resolve<T: Trace>(&self, steerer: &mut Steerer, writer: &mut Writer<'_>, trace: &mut T) -> Answer {
        let mut scope = 0;
        let answer = self.walk(steerer, writer, &mut scope, trace);
        Answer { scope: scope.max(answer.scope), ..answer }
    }

    /// RFC 1034 section 4.3.2, with CNAMEs followed inside the zones served here.
    #[inline]
    fn walk<T: Trace>(
        &self,
        steerer: &mut Steerer,
        writer: &mut Writer<'_>,
        longest_scope: &mut u8,
        trace: &mut T,
    ) -> Answer {
        let Query { name, qtype, qclass, .. } = self.query;
        match *qclass {
            CLASS_IN | CLASS_ANY => {}
            CLASS_CHAOS => return chaos::answer(name, *qtype, &self.state.identity, writer),
            _ => return Answer::code(Rcode::Refused),
        }
        if matches!(*qtype, number::AXFR | number::IXFR) {
            return self.refuse_transfer();
        }
        let Some(mut zone) = self.ahead.zone.or_else(|| zone_of(self.state, name, *qtype)) else {
            trace.note(|| Step::NoZone);
            return match self.state.generation {
                0 => Answer::because(Rcode::ServFail, ExtendedError::NotReady),
                _ => Answer::because(Rcode::Refused, ExtendedError::NotAuthoritative),
            };
        };
        trace.note(|| Step::Zone { origin: zone.origin().to_string(), serial: zone.soa().serial });
        let mut chased = false;
        steerer.names.clear();
        steerer.dnames.clear();
        for _ in 0..MAX_CHAIN {
            let Steerer { chased: target, names, dnames, chooser } = &mut *steerer;
            // A loop ends where it closes: what it would add stands in the answer already.
            if chased && (target.as_wire() == name.as_wire() || names.again(target.as_wire())) {
                break;
            }
            let (looked_up, owner) =
                if chased { (&*target, Owner::Name(target.as_wire())) } else { (name, Owner::Question) };
            let found = match find(zone, looked_up) {
                // The parent side of a cut answers for DS (RFC 4035 section 3.1.4.1).
                Found::Delegation(cut) if *qtype == number::DS && cut.name == looked_up.as_wire() => {
                    Found::Exact(cut)
                }
                found => found,
            };
            trace.note(|| note_found(looked_up, &found));
            let followed = match found {
                // The DNAME that led here stands in the answer already (RFC 2181 section 5), and is as good for ANY.
                Found::Exact(node)
                    if matches!(*qtype, number::DNAME | number::ANY) && dnames.has(node.name) =>
                {
                    break;
                }
                Found::Exact(node) | Found::Wildcard(node) => {
                    match self.at_node(node, zone, owner, chooser, writer, trace) {
                        Next::Done(answer) => return answer,
                        Next::Follow { target: alias, scope } => {
                            *longest_scope = scope.max(*longest_scope);
                            target.set(alias)
                        }
                    }
                }
                Found::Delegation(cut) => {
                    return refer(zone, cut, chased, self.query, writer);
                }
                Found::Dname(node) => {
                    match substitute(node, dnames.again(node.name), looked_up, owner, writer) {
                        // The CNAME made is what was asked for (RFC 1034 section 4.3.2 step 3a).
                        Ok(_) if *qtype == number::CNAME => return Answer::authoritative(Rcode::NoError),
                        Ok(alias) => target.set(alias.target()),
                        Err(answer) => return answer,
                    }
                }
                Found::NameError => return self.negative(zone, Rcode::NxDomain, owner, writer),
            };
            if followed.is_err() {
                break;
            }
            trace.note(|| Step::Follow { target: to_text(target.as_wire()) });
            match self.next_zone(zone, target) {
                Some(next) => zone = next,
                None => break,
            }
            chased = true;
        }
        Answer::authoritative(Rcode::NoError)
    }

    /// The zone that goes on with a chain at `target`: the one that would answer if `target` were asked for, but a chain
    /// to the apex of its own zone stays there for DS too (as Knot and BIND).
    fn next_zone(&self, from: &'a Zone, target: &FoldedName) -> Option<&'a Zone> {
        if target.as_wire() == from.origin().as_wire() {
            return Some(from);
        }
        zone_of(self.state, target, self.query.qtype)
    }

    /// Transfers are not served yet. Over UDP there never is one (RFC 5936 section 4.2; RFC 1995 section 2 lets an
    /// IXFR be answered so), and only an apex has one.
    fn refuse_transfer(&self) -> Answer {
        if self.query.qtype == number::AXFR && self.transport == Transport::Udp {
            return Answer::code(Rcode::NotImp);
        }
        match self.state.zones.get(self.query.name.as_wire()) {
            Some(_) => Answer::because(Rcode::Refused, ExtendedError::Prohibited),
            None => Answer::code(Rcode::NotAuth),
        }
    }

    /// The node answers: by steering, with its records, with its CNAME, or with nothing.
    #[inline]
    fn at_node<T: Trace>(
        &self,
        node: Node<'a>,
        zone: &Zone,
        owner: Owner<'_>,
        chooser: &mut Chooser,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Next<'a> {
        let qtype = self.query.qtype;
        let mut scope = 0;
        // What stands in for a steered answer is held no longer than one.
        let mut longest = None;
        if let Some(steered) = node.steered() {
            match self.steer((node, steered), zone, owner, chooser, writer, trace) {
                Steered::Next(next) => return next,
                Steered::Zone { scope: of_zone, longest: at_most } => (scope, longest) = (of_zone, at_most),
            }
        }
        if qtype == number::ANY {
            let answer = self.any(node, longest, owner, zone, writer, trace);
            return Next::Done(Answer { scope, ..answer });
        }
        if node.flags.any(Flags::ALIAS) {
            if qtype == number::ALIAS {
                return Next::Done(self.no_data((scope, longest), zone, owner, writer));
            }
            if rtype::is_address(qtype) {
                match self.flatten((node, scope, longest), zone, owner, chooser, writer, trace) {
                    Flattening::Done(answer) => return Next::Done(answer),
                    Flattening::Unknown { scope: of_way, longest: at_most } => {
                        (scope, longest) = (of_way, at_most)
                    }
                }
                if node.set(qtype).is_none() {
                    let failure = Answer::because(Rcode::ServFail, ExtendedError::NotReady);
                    return Next::Done(Answer { scope, ..failure });
                }
            }
        }
        if let Some(set) = node.set(qtype) {
            let start = writer.length();
            return Next::Done(match records(set, longest, owner, writer, trace) {
                Ok(()) => {
                    if set.rtype == number::NS {
                        add_addresses(zone, set, start, writer);
                    }
                    Answer { scope, ..Answer::authoritative(Rcode::NoError) }
                }
                Err(full) => Answer { scope, ..full.into() },
            });
        }
        // What stands beside a CNAME is not looked for at its target (RFC 4035 section 2.5).
        if node.flags.any(Flags::CNAME)
            && !matches!(qtype, number::NSEC | number::RRSIG)
            && let Some(set) = node.set(number::CNAME)
            && let Some(target) = set.rdata().next().and_then(leading_name)
        {
            // Without room the answer is truncated, but its code is that of the chain's end all the same.
            if records(set, None, owner, writer, trace).is_err() {
                writer.close();
            }
            return Next::Follow { target, scope };
        }
        Next::Done(self.no_data((scope, longest), zone, owner, writer))
    }

    /// The node has nothing of the type, for clients of this scope and at most so many seconds.
    pub fn no_data(
        &self,
        (scope, longest): (u8, Option<u32>),
        zone: &Zone,
        owner: Owner<'_>,
        writer: &mut Writer<'_>,
    ) -> Answer {
        let answer = self.negative_for(zone, Rcode::NoError, longest.unwrap_or(u32::MAX), owner, writer);
        Answer { scope, ..answer }
    }
}

#[inline]
pub(super) fn records<T: Trace>(
    set: Image<'_>,
    longest: Option<u32>,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
    trace: &mut T,
) -> Result<(), Full> {
    trace.note(|| Step::Records { rtype: rtype::to_text(set.rtype).to_string(), count: set.count });
    writer.rrset(Section::Answer, owner, set, longest.map(|longest| longest.min(set.ttl())))
}
