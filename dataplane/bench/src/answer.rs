//! The whole way: octets in, octets out.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use gslb_core::observe::counters::Counters;
use gslb_core::publish::{Published, Publisher};
use gslb_core::respond::{Ahead, GROUP, NoTrace, Responder, Transport};
use gslb_core::steer::Steering;
use gslb_core::steer::verdict::{Loads, Verdicts};
use gslb_core::wire::rtype::number;
use gslb_core::zone::zones::Zones;

use crate::cases::{BATCH, Case, Work};
use crate::queries::{Edns, query};
use crate::random::generator;
use crate::steerings::{self, Site, client};
use crate::zones::{CHAINS, HOSTS, LARGE, LARGE_HOSTS, MANY, SMALL, STEERED, only};

/// Octets for a datagram, as a UDP worker has them.
const BUFFER: usize = 2048;
/// Different queries of a case, and of one of the large zone: so many that no cache holds what is looked at for them.
const QUERIES: usize = 1 << 12;
const MANY_QUERIES: usize = 1 << 16;
const RESOLVER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1));

/// What every response of a case must look like: response code, and records of answer, authority and additional section
/// (with OPT).
type Expected = (u8, [u16; 3]);

struct Answer {
    state: Arc<Published>,
    responder: Responder,
    queries: Vec<Vec<u8>>,
    next: usize,
    packets: Vec<[u8; BUFFER]>,
    lengths: [usize; BATCH],
}

impl Answer {
    fn new(state: Arc<Published>, queries: Vec<Vec<u8>>, expected: Expected) -> Answer {
        let responder = Responder::new(1, Arc::new(Counters::default()), 0);
        let packets = vec![[0; BUFFER]; BATCH];
        let mut work = Answer { state, responder, queries, next: 0, packets, lengths: [0; BATCH] };
        for _ in 0..work.queries.len() / BATCH {
            work.prepare();
            work.run();
            for packet in &work.packets {
                let counts = [6, 8, 10].map(|at| u16::from_be_bytes([packet[at], packet[at + 1]]));
                assert_eq!((packet[3] & 0x0f, counts), expected);
            }
        }
        work
    }
}

impl Work for Answer {
    fn prepare(&mut self) {
        for (packet, length) in self.packets.iter_mut().zip(&mut self.lengths) {
            let query = &self.queries[self.next];
            packet[..query.len()].copy_from_slice(query);
            *length = query.len();
            self.next = (self.next + 1) % self.queries.len();
        }
    }

    fn run(&mut self) {
        let Answer { state, responder, packets, lengths, .. } = self;
        for (packets, lengths) in packets.chunks_mut(GROUP).zip(lengths.chunks(GROUP)) {
            for (slot, (packet, &length)) in packets.iter().zip(lengths).enumerate() {
                responder.read(slot, &packet[..length], RESOLVER);
            }
            let group = state.is_large().then(|| responder.look_ahead(state, lengths.len()));
            for (slot, packet) in packets.iter_mut().enumerate() {
                let ahead = group.as_ref().map_or(&Ahead::NOTHING, |group| &group[slot]);
                black_box(responder.respond(slot, ahead, state, packet, Transport::Udp, &mut NoTrace));
            }
        }
    }
}

fn publish(zones: Zones, steering: Arc<Steering>, verdicts: Verdicts, loads: Loads) -> Arc<Published> {
    let publisher = Publisher::default();
    publisher.publish(zones, steering, verdicts, loads).expect("verdicts and loads of this steering");
    publisher.current().load_full()
}

fn unsteered(zones: Zones) -> Arc<Published> {
    publish(zones, Arc::default(), Verdicts::all_serving(0), Loads::default())
}

/// A case of the small zone, whose queries are for names made of numbers below `most`.
fn case(name: &str, text: fn(u64) -> String, most: u64, rtype: u16, edns: Edns, expected: Expected) -> Case {
    Case::new(name, move || {
        let mut random = generator(1);
        let queries = (0..QUERIES).map(|_| query(&text(random.below(most)), rtype, edns)).collect();
        // Without a steering what is steered in the zone is answered from the zone.
        Answer::new(unsteered(only(&SMALL)), queries, expected)
    })
}

/// A case of the zone of a million names.
fn large(name: &str, text: fn(u64) -> String, expected: Expected) -> Case {
    Case::timed(name, move || {
        let mut random = generator(1);
        let ask = |_| query(&text(random.below(LARGE_HOSTS)), number::A, Edns::Plain);
        Answer::new(unsteered(only(&LARGE)), (0..MANY_QUERIES).map(ask).collect(), expected)
    })
}

/// A case of the steered name, for client subnets at random.
fn steered(name: &str, site: fn() -> Site, expected: Expected) -> Case {
    Case::new(name, move || {
        let Site { steering, verdicts, loads } = site();
        let mut random = generator(1);
        let ask = |_| {
            let [a, b, c, _] = client(&mut random).octets();
            query(STEERED, number::A, Edns::Subnet([a, b, c]))
        };
        let state = publish(only(&SMALL), steering, verdicts, loads);
        Answer::new(state, (0..QUERIES).map(ask).collect(), expected)
    })
}

pub fn cases() -> Vec<Case> {
    let host: fn(u64) -> String = |n| format!("host{n:05}.bench.test.");
    let (a, plain) = (number::A, Edns::Plain);
    vec![
        case("answer/static", host, HOSTS, a, plain, (0, [1, 0, 1])),
        case("answer/static-no-edns", host, HOSTS, a, Edns::None, (0, [1, 0, 0])),
        case("answer/static-subnet", host, HOSTS, a, Edns::Subnet([192, 0, 2]), (0, [1, 0, 1])),
        case("answer/static-aaaa", host, HOSTS, number::AAAA, plain, (0, [1, 0, 1])),
        case("answer/nodata", host, HOSTS, number::MX, plain, (0, [0, 1, 1])),
        case("answer/nxdomain", |n| format!("no{n}.bench.test."), HOSTS, a, plain, (3, [0, 1, 1])),
        case("answer/wildcard", |n| format!("w{n}.wild.bench.test."), HOSTS, a, plain, (0, [1, 0, 1])),
        case("answer/cname-chain", |n| format!("chain{n}.bench.test."), CHAINS, a, plain, (0, [3, 0, 1])),
        case("answer/referral", |n| format!("www{n}.cut{n}.bench.test."), CHAINS, a, plain, (0, [0, 2, 5])),
        case("answer/name-servers", |_| "bench.test.".to_owned(), 1, number::NS, plain, (0, [2, 0, 3])),
        case("answer/a-40", |_| "many.bench.test.".to_owned(), 1, a, plain, (0, [MANY as u16, 0, 1])),
        case("answer/refused", |n| format!("www.{n}.example."), HOSTS, a, plain, (5, [0, 0, 1])),
        steered("answer/nearest", steerings::nearest, (0, [1, 0, 1])),
        steered("answer/steered", steerings::usual, (0, [1, 0, 1])),
        steered("answer/steered-every", steerings::every, (0, [2, 0, 1])),
        large("answer/static-1m", |n| format!("n{n:07}.big.test."), (0, [1, 0, 1])),
        large("answer/nxdomain-1m", |n| format!("no{n:07}.big.test."), (3, [0, 1, 1])),
    ]
}
