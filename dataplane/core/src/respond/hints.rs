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
    for (index, rdata) in set.rdata().enumerate() {
        let Some((head, own)) = own_parameters(rdata, name) else {
            writer.record(Section::Answer, owner, set.rtype, ttl, &[rdata])?;
            continue;
        };
        let earlier = set.rdata().take(index).filter_map(|rdata| own_parameters(rdata, name));
        if earlier.into_iter().any(|earlier| is_same(earlier, (head, own), hints)) {
            continue;
        }
        let mandatory = Mandatory::without(own, hints);
        // What lies between the hints, and a `mandatory` that is rewritten, stays as it is.
        let mut pieces: [&[u8]; 12] = [&[]; 12];
        let mut places = pieces.iter_mut();
        let mut put = |piece| {
            if let Some(place) = places.next() {
                *place = piece;
            }
        };
        put(head);
        let (mut done, mut last) = (0, None);
        for parameter in parameters(own) {
            // Keys ascend strictly (RFC 9460 section 2.2): one that does not is none of ours.
            if last.replace(parameter.key).is_some_and(|last| last >= parameter.key) {
                break;
            }
            let between = own.get(done..parameter.start).unwrap_or_default();
            match (parameter.key, &mandatory) {
                (MANDATORY, Some(mandatory)) => {
                    put(between);
                    mandatory.pieces().into_iter().for_each(&mut put);
                }
                (IPV4HINT, _) => [between, ipv4.as_slice()].into_iter().for_each(&mut put),
                (IPV6HINT, _) => [between, ipv6.as_slice()].into_iter().for_each(&mut put),
                _ => continue,
            }
            done = parameter.end;
        }
        put(own.get(done..).unwrap_or_default());
        writer.record(Section::Answer, owner, set.rtype, ttl, &pieces)?;
    }
    Ok(())
}
/// Whether a parameter is a hint that is left out: the client would get no address of the family.
fn is_gone(key: u16, hints: &[Hint; 2]) -> bool {
    let [ipv4, ipv6] = hints;
    key == IPV4HINT && ipv4.length == 0 || key == IPV6HINT && ipv6.length == 0
}

/// The keys that a `mandatory` names.
fn keys(value: &[u8]) -> impl Iterator<Item = u16> {
    value.as_chunks::<2>().0.iter().map(|key| u16::from_be_bytes(*key))
}

fn kept_keys(value: &[u8], hints: &[Hint; 2]) -> impl Iterator<Item = u16> {
    keys(value).filter(|&key| !is_gone(key, hints))
}

/// A `mandatory` without the hints that are left out, since it must not name what is not there (RFC 9460 section 8).
struct Mandatory<'r> {
    /// Its key and length; empty where nothing is left of it.
    head: [u8; 4],
    /// The keys before, between and after the two hints.
    kept: [&'r [u8]; 3],
}

impl<'r> Mandatory<'r> {
    /// `None` when it can stay.
    fn without(own: &'r [u8], hints: &[Hint; 2]) -> Option<Mandatory<'r>> {
        let parameter = parameters(own).find(|parameter| parameter.key == MANDATORY)?;
        if !keys(parameter.value).any(|key| is_gone(key, hints)) {
            return None;
        }
        let (chunks, _) = parameter.value.as_chunks::<2>();
        let mut parts = chunks.split(|key| is_gone(u16::from_be_bytes(*key), hints));
        let kept = [(); 3].map(|()| parts.next().unwrap_or_default().as_flattened());
        let [a, b] = (kept.iter().map(|part| part.len()).sum::<usize>() as u16).to_be_bytes();
        Some(Mandatory { head: [0, 0, a, b], kept })
    }

    fn pieces(&self) -> [&[u8]; 4] {
        let [before, between, after] = self.kept;
        let head = if self.head == [0; 4] { &[][..] } else { &self.head };
        [head, before, between, after]
    }
}

/// Whether two records, each as its head and parameters, are the same once both have these hints: an RRset has no
/// record twice (RFC 2181 section 5).
fn is_same((head, own): (&[u8], &[u8]), (other_head, other): (&[u8], &[u8]), hints: &[Hint; 2]) -> bool {
    let told = |parameter: &Parameter<'_>| match parameter.key {
        MANDATORY => kept_keys(parameter.value, hints).next().is_some(),
        key => !is_gone(key, hints),
    };
    let is_equal = |(one, two): (Parameter<'_>, Parameter<'_>)| {
        one.key == two.key
            && match one.key {
                MANDATORY => kept_keys(one.value, hints).eq(kept_keys(two.value, hints)),
                IPV4HINT | IPV6HINT => true,
                _ => one.value == two.value,
            }
    };
    let all = |own| parameters(own).filter(told);
    head == other_head && all(own).count() == all(other).count() && all(own).zip(all(other)).all(is_equal)
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
