//! HTTPS and SVCB of a steered name (RFC 9460): the address hints of the zone's records become the addresses that the
//! client would get if it asked for them, so that hints and answers lead to the same place.

use std::net::IpAddr;

use super::lookup::{Chooser, Lookup};
use super::{Answer, Step, Trace};
use crate::steer::{Outcome, Selection, Steering};
use crate::wire::Rcode;
use crate::wire::rtype::{self, number};
use crate::wire::u16_at;
use crate::wire::writer::{Image, Owner, Section, Writer, leading_name};
use crate::zone::node::Node;

/// SvcParamKeys (RFC 9460 section 14.3.2).
const MANDATORY: u16 = 0;
const IPV4HINT: u16 = 4;
const IPV6HINT: u16 = 6;
/// Most addresses of an answer.
const MAX_ADDRESSES: usize = 64;
/// Most keys of a `mandatory` that are looked through.
const MAX_KEYS: usize = 32;

/// The addresses chosen of one family, ready to be written: a parameter with its key and length.
struct Hint {
    octets: [u8; 4 + 16 * MAX_ADDRESSES],
    length: usize,
}

impl Hint {
    /// No address: the parameter is left out.
    const NONE: Hint = Hint { octets: [0; 4 + 16 * MAX_ADDRESSES], length: 0 };

    fn new(key: u16, steering: &Steering, selection: &Selection) -> Hint {
        let mut hint = Hint { length: 4, ..Hint::NONE };
        let endpoints = selection.as_slice().iter().filter_map(|&endpoint| steering.endpoint(endpoint));
        for address in endpoints.filter_map(|endpoint| endpoint.address) {
            match address {
                IpAddr::V4(address) => hint.push(&address.octets()),
                IpAddr::V6(address) => hint.push(&address.octets()),
            }
        }
        let [a, b] = key.to_be_bytes();
        let [c, d] = ((hint.length - 4) as u16).to_be_bytes();
        if let Some(head) = hint.octets.first_chunk_mut::<4>() {
            *head = [a, b, c, d];
        }
        hint
    }

    fn push(&mut self, octets: &[u8]) {
        if let Some(place) = self.octets.get_mut(self.length..self.length + octets.len()) {
            place.copy_from_slice(octets);
            self.length += octets.len();
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl<'a> Lookup<'a> {
    /// The node's own HTTPS or SVCB RRset with hints for this client; `None` where there is nothing to rewrite.
    pub(super) fn hinted<T: Trace>(
        &self,
        node: Node<'a>,
        steered: u32,
        owner: Owner<'_>,
        chooser: &mut Chooser,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Option<Answer> {
        let rtype = self.query.qtype;
        let steering: &Steering = &self.state.steering;
        let is_hinted = matches!(rtype, number::HTTPS | number::SVCB)
            && [number::A, number::AAAA].iter().any(|&family| steering.offers(steered, family));
        if !is_hinted {
            return None;
        }
        let set = node.set(rtype)?;
        let name = match owner {
            Owner::Question => self.query.name.as_wire(),
            Owner::Name(name) => name,
        };
        let has = |key| {
            set.rdata()
                .filter_map(|rdata| own_parameters(rdata, name))
                .any(|(_, own)| parameters(own).any(|parameter| parameter.key == key))
        };
        let (mut scope, mut ttl) = (0, set.ttl());
        let mut hint = |family, key| {
            if !has(key) {
                return Hint::NONE;
            }
            let decision = self.decide(steered, family, chooser, trace);
            scope = decision.scope.max(scope);
            ttl = decision.ttl.min(ttl);
            match decision.outcome {
                Outcome::Answer => Hint::new(key, steering, &chooser.selection),
                _ => Hint::NONE,
            }
        };
        let hints = [hint(number::A, IPV4HINT), hint(number::AAAA, IPV6HINT)];
        trace.note(|| Step::Records { rtype: rtype::to_text(rtype).to_string(), count: set.count });
        let mark = writer.mark();
        Some(match write(set, name, &hints, ttl, owner, writer) {
            Ok(()) => Answer { scope, ..Answer::authoritative(Rcode::NoError) },
            Err(full) => {
                writer.rollback(mark);
                Answer { scope, ..full.into() }
            }
        })
    }
}

fn write(
    set: Image<'_>,
    name: &[u8],
    hints: &[Hint; 2],
    ttl: u32,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
) -> Result<(), crate::wire::writer::Full> {
    let [ipv4, ipv6] = hints;
    for rdata in set.rdata() {
        let Some((head, own)) = own_parameters(rdata, name) else {
            writer.record(Section::Answer, owner, set.rtype, ttl, &[rdata])?;
            continue;
        };
        let mut mandatory = [0; 4 + 2 * MAX_KEYS];
        let mut kept = mandatory_without(own, hints, &mut mandatory).map(|length| mandatory.get(..length));
        // What lies between the hints, and a `mandatory` that is rewritten, stays as it is.
        let mut pieces: [&[u8]; 8] = [head, &[], &[], &[], &[], &[], &[], &[]];
        let mut places = pieces.iter_mut().skip(1);
        let mut put = |piece| {
            if let Some(place) = places.next() {
                *place = piece;
            }
        };
        let mut rest = own;
        let mut done = 0;
        for parameter in parameters(own) {
            let other = match parameter.key {
                MANDATORY => kept.take().flatten(),
                IPV4HINT => Some(ipv4.as_slice()),
                IPV6HINT => Some(ipv6.as_slice()),
                _ => None,
            };
            if let Some(other) = other {
                put(own.get(done..parameter.start).unwrap_or_default());
                put(other);
                done = parameter.end;
                rest = own.get(done..).unwrap_or_default();
            }
        }
        put(rest);
        writer.record(Section::Answer, owner, set.rtype, ttl, &pieces)?;
    }
    Ok(())
}

/// A `mandatory` without the hints that are left out, since it must not name what is not there (RFC 9460 section 8);
/// written to `out`, whose used length is returned: 0 for none. `None` when it can stay.
fn mandatory_without(own: &[u8], hints: &[Hint; 2], out: &mut [u8; 4 + 2 * MAX_KEYS]) -> Option<usize> {
    let parameter = parameters(own).find(|parameter| parameter.key == MANDATORY)?;
    let (keys, _) = parameter.value.as_chunks::<2>();
    let gone = |key: u16| {
        let [ipv4, ipv6] = hints;
        key == IPV4HINT && ipv4.length == 0 || key == IPV6HINT && ipv6.length == 0
    };
    if keys.len() > MAX_KEYS || !keys.iter().any(|key| gone(u16::from_be_bytes(*key))) {
        return None;
    }
    let mut length = 4;
    for key in keys.iter().filter(|key| !gone(u16::from_be_bytes(**key))) {
        if let Some(place) = out.get_mut(length..length + 2) {
            place.copy_from_slice(key);
            length += 2;
        }
    }
    let [a, b] = ((length - 4) as u16).to_be_bytes();
    if let Some(head) = out.first_chunk_mut::<4>() {
        *head = [0, 0, a, b];
    }
    Some(if length == 4 { 0 } else { length })
}

/// Priority with target, and the parameters, of a record in ServiceMode that leads to the owner itself.
fn own_parameters<'r>(rdata: &'r [u8], name: &[u8]) -> Option<(&'r [u8], &'r [u8])> {
    let target = leading_name(rdata.get(2..)?)?;
    let leads_here = target == [0] || target.eq_ignore_ascii_case(name);
    if u16_at(rdata, 0)? == 0 || !leads_here {
        return None;
    }
    rdata.split_at_checked(2 + target.len())
}

/// A SvcParam, from `start` to before `end` of the parameters.
struct Parameter<'r> {
    key: u16,
    value: &'r [u8],
    start: usize,
    end: usize,
}

/// The parameters, as far as they are whole.
fn parameters(octets: &[u8]) -> impl Iterator<Item = Parameter<'_>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let key = u16_at(octets, start)?;
        let end = start + 4 + usize::from(u16_at(octets, start + 2)?);
        let value = octets.get(start + 4..end)?;
        let parameter = Parameter { key, value, start, end };
        start = end;
        Some(parameter)
    })
}
