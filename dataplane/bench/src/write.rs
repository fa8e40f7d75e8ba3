//! Writing records behind a question.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use gslb_core::wire::HEADER;
use gslb_core::wire::fold::FoldedName;
use gslb_core::wire::rtype::number;
use gslb_core::wire::writer::{Image, Owner, Section, Writer};
use gslb_core::zone::table::Zone;

use crate::cases::{BATCH, Case, Work};
use crate::queries::{Edns, name, query};
use crate::zones::SMALL;

const LIMIT: usize = 1232;

/// Writes what `records` says, and completes the header.
struct Write<F> {
    packets: Vec<[u8; 2048]>,
    question: FoldedName,
    end: usize,
    records: F,
}

impl<F: Fn(&mut Writer<'_>)> Write<F> {
    fn new(asked: &str, expected: [u16; 3], records: F) -> Write<F> {
        let octets = query(asked, number::A, Edns::None);
        let mut question = FoldedName::default();
        question.set(&octets[HEADER..]).expect("a valid name");
        let mut packet = [0; 2048];
        packet[..octets.len()].copy_from_slice(&octets);
        let mut work = Write { packets: vec![packet; BATCH], question, end: octets.len(), records };
        work.run();
        let counts = work.packets[0][6..12].as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
        assert_eq!(counts.collect::<Vec<_>>(), expected);
        work
    }
}

impl<F: Fn(&mut Writer<'_>)> Work for Write<F> {
    fn run(&mut self) {
        for packet in &mut self.packets {
            let mut writer = Writer::new(packet, self.end, LIMIT, &self.question);
            (self.records)(&mut writer);
            writer.finish(0, true, false, true);
        }
    }
}

fn set<'z>(zone: &'z Zone, owner: &str, rtype: u16) -> Image<'z> {
    zone.node(name(owner).as_wire()).and_then(|node| node.set(rtype)).expect("the RRset")
}

/// Writes an RRset of the zone as the answer.
fn rrset(asked: &'static str, rtype: u16, count: u16) -> impl Work {
    let zone: Arc<Zone> = SMALL.clone();
    let octets = set(&zone, asked, rtype).octets.to_vec();
    Write::new(asked, [count, 0, 0], move |writer| {
        let image = Image { rtype, count, octets: &octets };
        writer.rrset(Section::Answer, Owner::Question, image, None).expect("room");
    })
}

/// Writes a steered answer of one address.
fn address() -> impl Work {
    Write::new("geo.bench.test.", [1, 0, 0], |writer| {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        writer.address(Section::Answer, Owner::Question, address, 20).expect("room");
    })
}

/// Writes the SOA of a negative answer as the zone has it ready.
fn negative() -> impl Work {
    let zone: Arc<Zone> = SMALL.clone();
    Write::new("no1.bench.test.", [0, 1, 0], move |writer| {
        let soa = zone.soa().negative.as_ref().expect("a whole zone");
        writer.prepared_soa(soa, None).expect("nothing before it").expect("room");
    })
}

/// Writes the SOA of a negative answer where a chain led to it, its names compressed.
fn negative_after_chain() -> impl Work {
    let octets = set(&SMALL, "bench.test.", number::SOA).octets.to_vec();
    Write::new("no1.bench.test.", [0, 1, 0], move |writer| {
        let image = Image { rtype: number::SOA, count: 1, octets: &octets };
        let owner = name_of(b"\x05bench\x04test\0");
        writer.rrset(Section::Authority, owner, image, Some(300)).expect("room");
    })
}

/// Writes the name servers of a cut and their addresses.
fn additional() -> impl Work {
    let servers = set(&SMALL, "cut1.bench.test.", number::NS).octets.to_vec();
    let glue = [number::A, number::AAAA].map(|rtype| {
        (
            rtype,
            ["ns1", "ns2"]
                .map(|server| set(&SMALL, &format!("{server}.cut1.bench.test."), rtype).octets.to_vec()),
        )
    });
    Write::new("www.cut1.bench.test.", [0, 2, 4], move |writer| {
        let image = Image { rtype: number::NS, count: 2, octets: &servers };
        let start = writer.length();
        writer.rrset(Section::Authority, name_of(b"\x04cut1\x05bench\x04test\0"), image, None).expect("room");
        let places = {
            let mut places = writer.names_from(start);
            [places.next(), places.next()].map(|place| place.flatten().expect("a name in reach"))
        };
        for (rtype, sets) in &glue {
            for (place, octets) in places.into_iter().zip(sets) {
                let image = Image { rtype: *rtype, count: 1, octets };
                writer.rrset_at(Section::Additional, place, image).expect("room");
            }
        }
    })
}

fn name_of(wire: &[u8]) -> Owner<'_> {
    Owner::Name(wire)
}

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("write/a", || rrset("host00001.bench.test.", number::A, 1)),
        Case::new("write/a-40", || rrset("many.bench.test.", number::A, 40)),
        Case::new("write/address", address),
        Case::new("write/negative", negative),
        Case::new("write/soa", negative_after_chain),
        Case::new("write/additional", additional),
    ]
}
