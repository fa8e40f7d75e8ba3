//! The answer of a steered name: what its pool gives this client, or what stands in for that.

use std::net::IpAddr;

use super::lookup::{Chooser, Lookup, Next};
use super::{Answer, Trace};
use crate::observe::counters::Counter;
use crate::observe::demand::Key;
use crate::respond::Step;
use crate::steer::{Decision, Outcome, Reasoned, Selection, Steering};
use crate::wire::Rcode;
use crate::wire::fold::hash;
use crate::wire::query::Query;
use crate::wire::rtype::{self, number};
use crate::wire::writer::{Full, Owner, Section, Writer};
use crate::zone::node::{Flags, Node};
use crate::zone::table::Zone;

/// What steering makes of a question.
pub(super) enum Steered<'z> {
    /// All there is to do.
    Next(Next<'z>),
    /// The zone's own records answer, but for clients of this scope only, and at most so many seconds.
    Zone { scope: u8, longest: Option<u32> },
}

/// The zone's own records, as if nothing were steered.
const AS_IT_IS: Steered<'_> = Steered::Zone { scope: 0, longest: None };

impl<'a> Lookup<'a> {
    /// The answer of a steered node.
    #[inline]
    pub(super) fn steer<T: Trace>(
        &self,
        (node, steered): (Node<'a>, u32),
        zone: &Zone,
        owner: Owner<'_>,
        chooser: &mut Chooser,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Steered<'a> {
        let steering: &'a Steering = &self.state.steering;
        let qtype = self.query.qtype;
        if !rtype::is_address(qtype) {
            // What stands beside a CNAME is no matter of it, nor is what the parent says of a cut.
            let beside = matches!(qtype, number::NSEC | number::RRSIG) || node.flags.any(Flags::DELEGATION);
            let is_alias = steering.is_alias(steered);
            if is_alias && beside {
                return AS_IT_IS;
            }
            if !steering.offers(steered, qtype) {
                return match self.hinted(node, steered, owner, chooser, writer, trace) {
                    Some(answer) => Steered::Next(Next::Done(answer)),
                    None => AS_IT_IS,
                };
            }
        }
        let decision = self.decide_and_count(steered, qtype, chooser, trace);
        let Decision { outcome, ttl, scope } = decision;
        let answer = match outcome {
            Outcome::Answer => {
                if steering.is_alias(steered) {
                    return Steered::Next(self.alias(&chooser.selection, decision, owner, writer));
                }
                chosen(steering, &chooser.selection, qtype, decision, owner, writer)
            }
            Outcome::NotOffered if steering.reflects(steered) => {
                self.reflect(steered, u32::MAX, zone, owner, writer, trace)
            }
            Outcome::NotOffered => return Steered::Zone { scope, longest: None },
            Outcome::LastResort => return Steered::Zone { scope, longest: Some(ttl) },
            Outcome::NoData => {
                Answer { scope, ..self.negative_for(zone, Rcode::NoError, ttl, owner, writer) }
            }
            Outcome::ServFail => Answer { scope, ..Answer::code(Rcode::ServFail) },
        };
        Steered::Next(Next::Done(answer))
    }

    /// The CNAME of the best endpoint: a name has but one (RFC 2181 section 10.1).
    fn alias(
        &self,
        selection: &Selection,
        decision: Decision,
        owner: Owner<'_>,
        writer: &mut Writer<'_>,
    ) -> Next<'a> {
        let Decision { ttl, scope, .. } = decision;
        let steering: &'a Steering = &self.state.steering;
        let best = selection.as_slice().first().and_then(|&endpoint| steering.endpoint(endpoint));
        let Some(target) = best.and_then(|endpoint| endpoint.target.as_ref()) else {
            return Next::Done(Answer { scope, ..Answer::code(Rcode::ServFail) });
        };
        let written = writer.record(Section::Answer, owner, number::CNAME, ttl, &[target.as_wire()]);
        if matches!(self.query.qtype, number::CNAME | number::ANY) {
            return Next::Done(match written {
                Ok(()) => Answer { scope, ..Answer::authoritative(Rcode::NoError) },
                Err(full) => Answer { scope, ..full.into() },
            });
        }
        // Without room the answer is truncated, but its code is that of the chain's end all the same.
        if written.is_err() {
            writer.close();
        }
        Next::Follow { target: target.as_wire(), scope }
    }

    /// Decides, and counts how that went, and the query for the steered name unless it is only explained.
    #[inline]
    pub(super) fn decide_and_count<T: Trace>(
        &self,
        steered: u32,
        rtype: u16,
        chooser: &mut Chooser,
        trace: &mut T,
    ) -> Decision {
        let decision = self.decide(steered, rtype, chooser, trace);
        match decision.outcome {
            Outcome::Answer => self.counters.add(Counter::Steered),
            Outcome::LastResort | Outcome::NoData | Outcome::ServFail => self.counters.add(Counter::AllDown),
            Outcome::NotOffered => {}
        }
        if !T::ENABLED
            && let Some(asked) = chooser.selection.asked()
            && !self.state.demand.add(self.worker, Key::new(steered, asked.rtype, asked.cell))
        {
            self.counters.add(Counter::DemandUnplaced);
        }
        decision
    }

    #[inline]
    pub(super) fn decide<T: Trace>(
        &self,
        steered: u32,
        rtype: u16,
        chooser: &mut Chooser,
        trace: &mut T,
    ) -> Decision {
        let Chooser { selection, random } = chooser;
        let steering: &Steering = &self.state.steering;
        let standing = &*self.state.standing;
        let client = client_of(steering, steered, self.query, self.client);
        if !T::ENABLED {
            let found = self.ahead.found(steered, rtype);
            let decision = steering.decide_for(steered, rtype, client, found, standing, random, selection);
            return Decision { scope: self.scope_of(steered, rtype, decision.scope), ..decision };
        }
        let (decision, mut explanation) =
            steering.explain(steered, rtype, client, standing, random, selection);
        let scope = self.scope_of(steered, rtype, decision.scope);
        // A name that reflects has nothing to decide on, and tells its own step.
        if !steering.reflects(steered) {
            explanation.scope = Reasoned { value: scope, reason: self.scope_reason(explanation.scope) };
            trace.note(|| Step::Steer { explanation: Box::new(explanation) });
        }
        Decision { scope, ..decision }
    }

    /// The scope of a decision within `prefix` bits of the client, in bits of the family of the client subnet that was
    /// sent, if one was.
    #[inline]
    fn scope_of(&self, steered: u32, rtype: u16, prefix: u8) -> u8 {
        let Some(subnet) = self.query.edns.and_then(|edns| edns.subnet) else { return 0 };
        // All of IPv4 lies in one prefix of IPv6, whose other clients may get other answers.
        if prefix == 0 && !self.state.steering.tells_clients_apart(steered, rtype) {
            return 0;
        }
        subnet.scope(prefix)
    }

    fn scope_reason(&self, decided: Reasoned<u8>) -> String {
        match self.query.edns.and_then(|edns| edns.subnet) {
            _ if decided.value == 0 => decided.reason,
            None => "no client subnet was sent: the address that the query came from decided".to_owned(),
            Some(subnet) if subnet.location().is_none() => {
                "a client subnet of /0 asks not to be located by it: the address that the query came from decided"
                    .to_owned()
            }
            Some(_) => decided.reason,
        }
    }
}

/// Who is asked for: the client whose subnet the query tells, unless the name leaves that out of account.
#[inline]
pub(super) fn client_of(steering: &Steering, steered: u32, query: &Query, client: IpAddr) -> IpAddr {
    let subnet = query.edns.and_then(|edns| edns.subnet?.location());
    subnet.filter(|_| steering.uses_client_subnet(steered)).unwrap_or(client)
}

/// What the chosen endpoints answer: their addresses, or the records that they declare.
#[inline]
pub(super) fn chosen(
    steering: &Steering,
    selection: &Selection,
    qtype: u16,
    decision: Decision,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
) -> Answer {
    let Decision { ttl, scope, .. } = decision;
    if !rtype::is_address(qtype) {
        return Answer { scope, ..declared(steering, selection, qtype, ttl, owner, writer) };
    }
    for &endpoint in selection.as_slice() {
        let Some(address) = steering.endpoint(endpoint).and_then(|endpoint| endpoint.address) else {
            continue;
        };
        if writer.address(Section::Answer, owner, address, ttl).is_err() {
            return Answer { scope, ..Full.into() };
        }
    }
    Answer { scope, ..Answer::authoritative(Rcode::NoError) }
}

/// The records that the chosen endpoints declare, each once.
fn declared(
    steering: &Steering,
    selection: &Selection,
    rtype: u16,
    ttl: u32,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
) -> Answer {
    let mark = writer.mark();
    let all = || {
        let endpoints = selection.as_slice().iter().filter_map(|&endpoint| steering.endpoint(endpoint));
        endpoints.flat_map(|endpoint| endpoint.declared(rtype))
    };
    let mut seen = Seen::default();
    for (index, rdata) in all().enumerate() {
        if seen.perhaps(rdata) && all().take(index).any(|earlier| earlier == rdata) {
            continue;
        }
        if writer.record(Section::Answer, owner, rtype, ttl, &[rdata]).is_err() {
            // An RRset is whole or not there.
            writer.rollback(mark);
            return Full.into();
        }
    }
    Answer::authoritative(Rcode::NoError)
}

/// Which data were seen, but for a few that only may have been: comparing each of thousands of records with all before
/// it would take milliseconds.
struct Seen([u64; SEEN_WORDS]);

const SEEN_WORDS: usize = 512;

impl Default for Seen {
    fn default() -> Seen {
        Seen([0; SEEN_WORDS])
    }
}

impl Seen {
    /// Whether these octets may have been seen; from now on they were.
    fn perhaps(&mut self, octets: &[u8]) -> bool {
        let hash = hash(octets);
        let bit = 1 << (hash & 63);
        let Some(word) = self.0.get_mut((hash >> 6) as usize % SEEN_WORDS) else { return true };
        let seen = *word & bit != 0;
        *word |= bit;
        seen
    }
}
