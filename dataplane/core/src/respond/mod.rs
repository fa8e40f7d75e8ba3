//! The path of a query: parse, find, steer, write. This file reads a query and finishes its response, `lookup` finds
//! the records; what few queries need stands beside them.

mod ahead;
mod alias;
mod any;
mod chaos;
mod dname;
mod hints;
mod lookup;
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
use self::lookup::{Lookup, Steerer};
use self::opt::{ExtendedError, ResponseOpt};
pub use self::trace::{NoTrace, Step, Trace};

use crate::observe::counters::{Counter, Counters};
use crate::publish::Published;
use crate::wire::edns::Edns;
use crate::wire::fold::FoldedName;
use crate::wire::query::{CHECKING_DISABLED, Parsed, Query};
use crate::wire::writer::{Full, Writer};
use crate::wire::{HEADER, Rcode};

/// Largest UDP response, and the payload size we advertise (DNS flag day 2020: no fragments).
pub const MAX_UDP: usize = 1232;
/// Largest UDP response to a query without EDNS (RFC 1035 section 4.2.1).
const MAX_PLAIN_UDP: usize = 512;
/// Largest message over a stream (RFC 1035 section 4.2.2).
pub const MAX_STREAM: usize = 65_535;
/// A stream that completes no message for so long is closed (RFC 7766 section 6.2.3).
pub const STREAM_IDLE: Duration = Duration::from_secs(10);
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
            steerer: Steerer::new(seed),
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
        let failed = answer.rcode == Rcode::ServFail;
        if failed {
            writer.rollback(sections);
        }
        let truncated = !failed && (answer.truncated || writer.is_closed());
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
