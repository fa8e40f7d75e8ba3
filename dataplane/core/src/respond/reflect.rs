//! Names that answer with the address of whoever asks, to see what resolvers tell of their clients.
//!
//! They stand beside the path of a query: steering finds no pool for such a name, and only then this is looked at.

use std::net::{IpAddr, Ipv4Addr};

use super::lookup::Lookup;
use super::{Answer, Step, Trace};
use crate::observe::counters::Counter;
use crate::steer::{Origin, Reasoned, Reflect};
use crate::wire::Rcode;
use crate::wire::rtype::number;
use crate::wire::writer::{Full, Owner, Section, Writer};
use crate::zone::table::Zone;

/// What the mode edns answers when no client subnet was sent.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Lookup<'_> {
    /// The answer of a name that reflects to a query for addresses, for at most `longest` seconds.
    #[cold]
    pub(super) fn reflect<T: Trace>(
        &self,
        steered: u32,
        longest: u32,
        zone: &Zone,
        owner: Owner<'_>,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Answer {
        let Some((name, mode)) = self.state.steering.reflecting(steered) else {
            return self.negative(zone, Rcode::NoError, owner, writer);
        };
        self.counters.add(Counter::Reflected);
        let sent = self.query.edns.and_then(|edns| edns.subnet).filter(|_| name.client_subnet);
        let subnet = sent.and_then(|subnet| subnet.location());
        let resolver = self.client.to_canonical();
        let all = addresses(mode, resolver, subnet);
        let is_ipv4 = self.query.qtype == number::A;
        let answer = || all.into_iter().flatten().filter(|address| address.is_ipv4() == is_ipv4);
        // The answer tells the whole subnet.
        let scope = sent.filter(|_| mode != Reflect::Dns).map_or(0, |subnet| subnet.source);
        let ttl = name.ttl.min(longest);
        trace.note(|| Step::Reflect {
            name: Origin::new(&name.name.to_string(), &name.place),
            mode,
            resolver,
            subnet: subnet.zip(sent).map(|(address, sent)| format!("{address}/{}", sent.source)),
            answer: answer().collect(),
            ttl,
            scope: Reasoned {
                value: scope,
                reason: scope_reason(mode, name.client_subnet, subnet).to_owned(),
            },
        });
        if answer().next().is_none() {
            return Answer { scope, ..self.negative(zone, Rcode::NoError, owner, writer) };
        }
        let mark = writer.mark();
        for address in answer() {
            if writer.address(Section::Answer, owner, address, ttl).is_err() {
                // An RRset is whole or not there.
                writer.rollback(mark);
                return Answer { scope, ..Full.into() };
            }
        }
        Answer { scope, ..Answer::authoritative(Rcode::NoError) }
    }
}

/// The addresses that are answered, of both families, each once.
fn addresses(mode: Reflect, resolver: IpAddr, subnet: Option<IpAddr>) -> [Option<IpAddr>; 2] {
    match mode {
        Reflect::Dns => [Some(resolver), None],
        Reflect::Edns => [subnet.or(Some(UNKNOWN)), None],
        Reflect::Best => [subnet.or(Some(resolver)), None],
        Reflect::Both => [subnet, Some(resolver).filter(|_| subnet != Some(resolver))],
    }
}

fn scope_reason(mode: Reflect, client_subnet: bool, subnet: Option<IpAddr>) -> &'static str {
    match (mode, client_subnet, subnet) {
        (Reflect::Dns, ..) => "the answer is the resolver's address, whomever it asks for",
        (_, false, _) => "the name leaves the client subnet out of account: it declares client_subnet: false",
        (_, true, None) => "no client subnet was sent",
        (_, true, Some(_)) => "the answer is the client subnet: other subnets get other answers",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_mode_answers_what_gdnsd_does() {
        let (resolver, client) = (ip("192.0.2.1"), ip("2001:db8::"));
        let all = |mode, subnet| addresses(mode, resolver, subnet).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(all(Reflect::Dns, Some(client)), [resolver]);
        assert_eq!(all(Reflect::Edns, Some(client)), [client]);
        assert_eq!(all(Reflect::Edns, None), [ip("0.0.0.0")]);
        assert_eq!(all(Reflect::Best, Some(client)), [client]);
        assert_eq!(all(Reflect::Best, None), [resolver]);
        assert_eq!(all(Reflect::Both, Some(client)), [client, resolver]);
        assert_eq!(all(Reflect::Both, None), [resolver]);
        assert_eq!(all(Reflect::Both, Some(resolver)), [resolver], "a record stands in an RRset once");
    }
}
