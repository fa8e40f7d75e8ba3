//! The path of a query: parse, find, steer, write. This file is the path; what few queries need stands beside it.

mod ahead;
mod alias;
mod any;
mod chaos;
mod dname;
mod hints;
mod negative;
mod opt;
mod passed;
mod referral;
mod reflect;
mod steered;
#[cfg(test)]
mod tests;
mod trace;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

pub use self::ahead::Ahead;
use self::alias::Flattening;
use self::chaos::CLASS_CHAOS;
use self::dname::substitute;
use self::opt::{ExtendedError, ResponseOpt};
use self::passed::Passed;
use self::referral::{add_addresses, refer};
use self::steered::Steered;
use self::trace::note_found;
pub use self::trace::{NoTrace, Step, Trace};

use crate::observe::counters::{Counter, Counters};
use crate::publish::Published;
use crate::steer::{Random, Selection};
use crate::wire::edns::Edns;
use crate::wire::fold::FoldedName;
use crate::wire::name::to_text;
use crate::wire::query::{CHECKING_DISABLED, Parsed, Query};
use crate::wire::rtype::{self, number};
use crate::wire::writer::{Full, Image, Owner, Section, Writer, leading_name};
use crate::wire::{HEADER, Rcode};
use crate::zone::find::{Found, find};
use crate::zone::node::{Flags, Node};
use crate::zone::table::Zone;

/// Largest UDP response, and the payload size we advertise (DNS flag day 2020: no fragments).
pub const MAX_UDP: usize = 1232;
/// Largest UDP response to a query without EDNS (RFC 1035 section 4.2.1).
const MAX_PLAIN_UDP: usize = 512;
/// Largest message over a stream (RFC 1035 section 4.2.2).
pub const MAX_STREAM: usize = 65_535;
/// A stream that completes no message for so long is closed (RFC 7766 section 6.2.3).
pub const STREAM_IDLE: Duration = Duration::from_secs(10);
/// CNAMEs and DNAMEs followed in one answer; a longer chain ends there and the resolver asks on.
const MAX_CHAIN: usize = 16;
const CLASS_IN: u16 = 1;
const CLASS_ANY: u16 = 255;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A stream.
    Tcp,
}

/// How the sections turned out.
#[derive(Clone, Copy)]
struct Answer {
    rcode: Rcode,
    authoritative: bool,
    truncated: bool,
    scope: u8,
    error: Option<ExtendedError>,
}

impl Answer {
    const fn code(rcode: Rcode) -> Answer {
        Answer { rcode, authoritative: false, truncated: false, scope: 0, error: None }
    }

    const fn authoritative(rcode: Rcode) -> Answer {
        Answer { authoritative: true, ..Answer::code(rcode) }
    }

    const fn because(rcode: Rcode, error: ExtendedError) -> Answer {
        Answer { error: Some(error), ..Answer::code(rcode) }
    }
}

impl From<Full> for Answer {
    fn from(Full: Full) -> Answer {
        Answer { truncated: true, ..Answer::authoritative(Rcode::NoError) }
    }
}

/// Queries that are read before the first of them is answered.
pub const GROUP: usize = 8;

/// A query that was read.
struct Pending {
    query: Query,
    parsed: Parsed,
    client: IpAddr,
}

/// Answers queries. One per worker: everything a query needs is reused, nothing is allocated.
pub struct Responder {
    pending: Box<[Pending; GROUP]>,
    steerer: Steerer,
    counters: Arc<Counters>,
    worker: usize,
}

/// What following aliases and steering need besides the query.
struct Steerer {
    chased: FoldedName,
    /// Names and DNAMEs that the answer has passed.
    names: Passed,
    dnames: Passed,
    chooser: Chooser,
}

/// What a choice among endpoints is made with.
struct Chooser {
    selection: Selection,
    random: Random,
}

impl Responder {
    /// A responder whose choices follow from `seed` and that counts in `counters`. It counts demand as the worker of
    /// a number that no other has at the same time.
    pub fn new(seed: u64, counters: Arc<Counters>, worker: usize) -> Responder {
        Responder {
            pending: Box::new([(); GROUP].map(|()| Pending {
                query: Query::default(),
                parsed: Parsed::Drop,
                client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            })),
            steerer: Steerer {
                chased: FoldedName::default(),
                names: Passed::default(),
                dnames: Passed::default(),
                chooser: Chooser { selection: Selection::default(), random: Random::new(seed) },
            },
            counters,
            worker,
        }
    }

    /// Answers the query in `packet[..length]` in place and returns the length of the response; `None` is silence.
    /// The response is never longer than `packet`, nor than the transport and the client's EDNS size allow.
    #[inline]
    pub fn answer<T: Trace>(
        &mut self,
        state: &Published,
        packet: &mut [u8],
        length: usize,
        client: IpAddr,
        transport: Transport,
        trace: &mut T,
    ) -> Option<usize> {
        self.read(0, packet.get(..length)?, client);
        self.respond(0, &Ahead::NOTHING, state, packet, transport, trace)
    }

    /// Reads one query of a group, below [`GROUP`].
    #[inline]
    pub fn read(&mut self, slot: usize, packet: &[u8], client: IpAddr) {
        if let Some(pending) = self.pending.get_mut(slot) {
            // What stood there must not be answered should parsing fail.
            pending.parsed = Parsed::Drop;
            pending.parsed = pending.query.parse(packet);
            pending.client = client;
        }
    }

    /// Answers a query that was read from `packet`, as [`Responder::answer`] does. `ahead` is what looking ahead in the
    /// same generation told of it.
    #[inline]
    pub fn respond<'s, T: Trace>(
        &mut self,
        slot: usize,
        ahead: &'s Ahead<'s>,
        state: &'s Published,
        packet: &mut [u8],
        transport: Transport,
        trace: &mut T,
    ) -> Option<usize> {
        self.counters.add(match transport {
            Transport::Udp => Counter::QueriesUdp,
            Transport::Tcp => Counter::QueriesTcp,
        });
        let Pending { query, parsed, client } = self.pending.get(slot)?;
        if *parsed == Parsed::Drop {
            self.counters.add(Counter::DroppedMalformed);
            return None;
        }
        let identity = &*state.identity;
        let opt = query.edns.as_ref().map(|edns| ResponseOpt::new(edns, transport));
        let reserved = opt.as_ref().map_or(0, |opt| opt.length(identity));
        let limit = limit(transport, query.edns.as_ref());
        let mut writer = Writer::new(packet, query.question_end, limit - reserved, &query.name);
        let sections = writer.mark();
        // find, steer, write
        let answer = match *parsed {
            Parsed::Query => {
                let (counters, worker) = (&*self.counters, self.worker);
                let lookup = Lookup { state, ahead, query, client: *client, transport, counters, worker };
                lookup.resolve(&mut self.steerer, &mut writer, trace)
            }
            Parsed::Update => refuse_update(state, &query.name),
            Parsed::Reject(rcode) => Answer::code(rcode),
            Parsed::Drop => return None,
        };
        // A failure has no records, though a chain led there: all would be asked for again (as Knot and BIND).
        if answer.rcode == Rcode::ServFail {
            writer.rollback(sections);
        }
        let truncated = answer.truncated || writer.is_closed();
        if truncated {
            self.counters.add(Counter::Truncated);
        }
        if let Some(opt) = opt {
            writer.release(reserved);
            opt.write(&mut writer, answer.rcode, answer.scope, answer.error, identity).ok()?;
        }
        if query.edns.is_some_and(|edns| edns.subnet.is_some()) {
            self.counters.add(Counter::EcsQueries);
        }
        // An answer for any class is never authoritative (RFC 1034 section 3.7.1).
        let authoritative = answer.authoritative && query.qclass != CLASS_ANY;
        self.counters.add(counter_of(answer.rcode));
        let question = query.question_end > HEADER;
        let mut codes = answer.rcode as u8 & 0x0f;
        if answer.rcode == Rcode::BadVers && query.checking_disabled {
            codes |= CHECKING_DISABLED;
        }
        Some(writer.finish(codes, authoritative, truncated, question))
    }
}

#[inline]
fn limit(transport: Transport, edns: Option<&Edns>) -> usize {
    match (transport, edns) {
        (Transport::Tcp, _) => MAX_STREAM,
        (Transport::Udp, None) => MAX_PLAIN_UDP,
        (Transport::Udp, Some(edns)) => usize::from(edns.payload).clamp(MAX_PLAIN_UDP, MAX_UDP),
    }
}

/// Updates are not taken (RFC 2136 section 3.3); of a zone that is not served here they would be in no case
/// (section 3.1.1).
fn refuse_update(state: &Published, zone: &FoldedName) -> Answer {
    match state.zones.get(zone.as_wire()) {
        Some(_) => Answer::code(Rcode::Refused),
        None => Answer::code(Rcode::NotAuth),
    }
}

#[inline]
fn counter_of(rcode: Rcode) -> Counter {
    match rcode {
        Rcode::NoError => Counter::ResponsesNoError,
        Rcode::FormErr => Counter::ResponsesFormErr,
        Rcode::ServFail => Counter::ResponsesServFail,
        Rcode::NxDomain => Counter::ResponsesNxDomain,
        Rcode::NotImp => Counter::ResponsesNotImp,
        Rcode::Refused => Counter::ResponsesRefused,
        Rcode::YxDomain => Counter::ResponsesYxDomain,
        Rcode::NotAuth => Counter::ResponsesNotAuth,
        Rcode::BadVers => Counter::ResponsesBadVers,
    }
}

/// The closest zone above `name`; for DS at an apex, the parent if it is served here too.
#[inline]
fn zone_of<'s>(state: &'s Published, name: &FoldedName, qtype: u16) -> Option<&'s Zone> {
    let labels = name.label_count();
    if qtype == number::DS
        && let Some(parent) = labels.checked_sub(1).and_then(|above| state.zones.find(name, above))
    {
        return Some(parent);
    }
    state.zones.find(name, labels).map(|zone| &**zone)
}

/// What a node, once found, does to the answer.
enum Next<'z> {
    Done(Answer),
    /// The target of a CNAME, which clients of this scope get.
    Follow {
        target: &'z [u8],
        scope: u8,
    },
}

/// One query against one generation.
struct Lookup<'a> {
    state: &'a Published,
    ahead: &'a Ahead<'a>,
    query: &'a Query,
    client: IpAddr,
    transport: Transport,
    counters: &'a Counters,
    worker: usize,
}

impl<'a> Lookup<'a> {
    /// The answer, whose scope is the longest of all steered names on the way.
    #[inline]
    fn resolve<T: Trace>(&self, steerer: &mut Steerer, writer: &mut Writer<'_>, trace: &mut T) -> Answer {
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
                    if matches!(*qtype, number::DNAME | number::ANY) && dnames.again(node.name) =>
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
            return Next::Done(self.any(node, owner, zone, writer, trace));
        }
        if node.flags.any(Flags::ALIAS) {
            if qtype == number::ALIAS {
                return Next::Done(self.negative(zone, Rcode::NoError, owner, writer));
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
        let answer = self.negative_for(zone, Rcode::NoError, longest.unwrap_or(u32::MAX), owner, writer);
        Next::Done(Answer { scope, ..answer })
    }
}

#[inline]
fn records<T: Trace>(
    set: Image<'_>,
    longest: Option<u32>,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
    trace: &mut T,
) -> Result<(), Full> {
    trace.note(|| Step::Records { rtype: rtype::to_text(set.rtype).to_string(), count: set.count });
    writer.rrset(Section::Answer, owner, set, longest.map(|longest| longest.min(set.ttl())))
}
