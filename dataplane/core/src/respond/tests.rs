//! What an answer is made of, asked without sockets.
#![allow(clippy::unwrap_used)]

use super::lookup::MAX_CHAIN;
use super::*;
use crate::publish::Publisher;
use crate::steer::Steering;
use crate::steer::verdict::{Loads, Verdicts};
use crate::wire::rtype::number;
use crate::wire::{Name, u16_at, u32_at};
use crate::zone::build::build;
use crate::zone::flattened::{Flattened, FlattenedSet};
use crate::zone::reader::read_zone_bytes;
use crate::zone::table::Zone;
use crate::zone::zones::Zones;

const HEAD: &str = "$TTL 60\n@ SOA ns. host. 1 2 3 4 5\n@ NS ns.\n";

/// (response code, records in the answer section) to a query for A of `name` in a zone `ex.` of these records.
fn ask(records: &str, name: &str) -> (u8, u16) {
    ask_type(records, name, number::A)
}

fn ask_type(records: &str, name: &str, qtype: u16) -> (u8, u16) {
    let mut zones = Zones::default();
    zones.insert(zone("ex.", records, &[]));
    let state = Published {
        generation: 1,
        zones: Arc::new(zones),
        steering: Arc::default(),
        standing: Arc::default(),
        demand: Arc::default(),
        flattened: Arc::default(),
        identity: Arc::default(),
    };
    let mut packet = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend_from_slice(Name::from_text(name.as_bytes(), None).unwrap().as_wire());
    packet.extend_from_slice(&qtype.to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    let length = packet.len();
    packet.resize(MAX_STREAM, 0);
    let client = IpAddr::from([192, 0, 2, 1]);
    let mut responder = Responder::new(1, Arc::default(), 0);
    responder.answer(&state, &mut packet, length, client, Transport::Tcp, &mut NoTrace).unwrap();
    (packet[3] & 0x0f, u16_at(&packet, 6).unwrap())
}

#[test]
fn a_loop_of_cnames_stands_in_the_answer_once() {
    assert_eq!(ask("a CNAME a\n", "a.ex."), (0, 1));
    assert_eq!(ask("a CNAME b\nb CNAME a\n", "a.ex."), (0, 2));
    assert_eq!(ask("a CNAME b\nb CNAME c\nc CNAME B\n", "a.ex."), (0, 3));
}

/// RFC 6672 section 3.2: the DNAME once, and a CNAME for each name that it makes.
#[test]
fn a_dname_that_is_used_again_is_not_repeated() {
    assert_eq!(ask("d DNAME d\n", "x.d.ex."), (0, 2));
    assert_eq!(ask("d DNAME e.d\n", "x.d.ex."), (0, 1 + MAX_CHAIN as u16));
}

/// The CNAME that a DNAME makes answers a query for CNAME; one further down the chain is not what was asked for.
#[test]
fn a_cname_made_from_a_dname_can_be_asked_for() {
    let records = "d DNAME e\nx.e CNAME y\ny CNAME z\n";
    assert_eq!(ask_type(records, "x.d.ex.", number::CNAME), (0, 2));
    assert_eq!(ask_type(records, "none.d.ex.", number::CNAME), (0, 2));
    assert_eq!(ask(records, "none.d.ex."), (3, 2));
}

#[test]
fn a_chain_without_a_loop_is_followed() {
    assert_eq!(ask("a CNAME b\nb CNAME x.d\nd DNAME e\nx.e A 192.0.2.1\n", "a.ex."), (0, 5));
}

fn zone(origin: &str, records: &str, steered: &[(Name, u32)]) -> Arc<Zone> {
    let origin = Name::from_text(origin.as_bytes(), None).unwrap();
    let text = read_zone_bytes("z", format!("{HEAD}{records}").as_bytes(), &origin);
    Arc::new(build(&origin, text.compilable().unwrap(), steered).unwrap())
}

/// Two POPs by weight for one name, an alias of it, a cut, a wildcard, beside so many other zones.
fn steered_state(others: usize) -> (Publisher, Vec<Vec<u8>>) {
    const DOCUMENT: &str = r#"{"databases": [], "latency": [], "pops": [{"name": "fra"}, {"name": "ams"}],
        "pools": [{"name": "web", "when_all_down": "nodata", "endpoints": [
            {"pop": 0, "address": "192.0.2.1", "weight": 1}, {"pop": 1, "address": "192.0.2.2", "weight": 1}]}],
        "policies": [{"name": "all", "steps": [
            {"step": "subnet", "mode": "prefer", "rules": [{"kind": "subnet", "value": "198.51.100.0/24", "units": [1], "line": 1}]},
            {"step": "weighted"}, {"step": "take", "count": 1}]}],
        "names": [{"name": "www.ex.", "pool": 0, "policy": 0, "ttl": 30},
                  {"name": "who.ex.", "reflect": "both", "ttl": 30}]}"#;
    let steering = Arc::new(Steering::compile(DOCUMENT).unwrap());
    let records =
        "a CNAME www\nb CNAME a\nd NS ns.d\nns.d A 192.0.2.3\n*.w TXT x\nplain A 192.0.2.4\nz5 NS ns.d\n";
    let steered =
        [(Name::from_text(b"www.ex.", None).unwrap(), 0), (Name::from_text(b"who.ex.", None).unwrap(), 1)];
    let mut zones = Zones::default();
    zones.insert(zone("ex.", records, &steered));
    for number in 0..others {
        // Some below ex., some below one another, and so at several depths.
        let parent = ["ex.", "example.", "a.example.", "z0.ex."][number % 4];
        zones.insert(zone(&format!("z{number}.{parent}"), "www A 192.0.2.5\nc CNAME a.ex.\n", &[]));
    }
    assert_eq!(zones.is_large(), others > 1_000);
    let publisher = Publisher::default();
    publisher.publish(zones, steering, Verdicts::all_serving(2), Loads::default()).unwrap();
    publisher.count_for(1);
    let mut names =
        ["www.ex.", "a.ex.", "b.ex.", "d.ex.", "x.w.ex.", "plain.ex.", "none.ex.", "other.", "who.ex."]
            .map(str::to_owned)
            .to_vec();
    // Beyond the last and of the wrong parent too.
    for number in (0..others + 8).step_by(others / 40 + 1) {
        for parent in ["ex.", "example.", "a.example.", "z0.ex."] {
            names.extend(["", "www.", "c.", "x.none."].map(|host| format!("{host}Z{number}.{parent}")));
        }
    }
    let types = [number::A, number::AAAA, number::DS, number::TXT, number::ANY];
    let mut queries = vec![b"no query".to_vec(), vec![0; 12]];
    for (name, qtype) in names.iter().flat_map(|name| types.map(|qtype| (name, qtype))) {
        for (class, address) in [(1, [198, 51, 100]), (1, [203, 0, 113]), (255, [203, 0, 113])] {
            let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
            query.extend_from_slice(Name::from_text(name.as_bytes(), None).unwrap().as_wire());
            query.extend_from_slice(&qtype.to_be_bytes());
            query
                .extend_from_slice(&[0, class, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
            query.extend_from_slice(&address);
            queries.push(query);
        }
    }
    (publisher, queries)
}

/// Queries that are read together and looked ahead for get the answers that they get one by one, and count as much:
/// with one zone, with a few and with many.
#[test]
fn looking_ahead_changes_no_answer() {
    for others in [0, 3, 20, 1_500] {
        check_looking_ahead(others);
    }
}

fn check_looking_ahead(others: usize) {
    let client = IpAddr::from([192, 0, 2, 9]);
    let answers = |together: bool| {
        let (publisher, queries) = steered_state(others);
        let state = publisher.current().load();
        let counters = Arc::new(Counters::default());
        let mut responder = Responder::new(7, counters.clone(), 0);
        let mut answers = Vec::new();
        let packet_of = |query: &[u8]| {
            let mut packet = query.to_vec();
            packet.resize(MAX_UDP, 0);
            packet
        };
        for group in queries.chunks(GROUP) {
            let ahead = if together {
                for (slot, query) in group.iter().enumerate() {
                    responder.read(slot, query, client);
                }
                responder.look_ahead(&state, group.len())
            } else {
                Default::default()
            };
            for (slot, query) in group.iter().enumerate() {
                let mut packet = packet_of(query);
                let length = if together {
                    responder.respond(slot, &ahead[slot], &state, &mut packet, Transport::Udp, &mut NoTrace)
                } else {
                    responder.answer(&state, &mut packet, query.len(), client, Transport::Udp, &mut NoTrace)
                };
                answers.push(length.map(|length| packet[..length].to_vec()));
            }
        }
        drop(state);
        let mut demand: Vec<(u16, u64)> =
            publisher.demand().iter().map(|row| (row.rtype, row.count)).collect();
        demand.sort_unstable();
        (answers, Counter::ALL.iter().map(|counter| counters.get(*counter)).collect::<Vec<_>>(), demand)
    };
    let (one_by_one, counted, demand) = answers(false);
    assert_eq!(answers(true), (one_by_one.clone(), counted, demand.clone()));
    assert_eq!(one_by_one.iter().filter(|answer| answer.is_none()).count(), 1);
    // www, and a and b that lead to it, for A alone: 2 of class IN, 1 of any class; and c of other zones, that leads to a.
    let total = demand.iter().map(|(_, count)| count).sum::<u64>();
    assert!(if others == 0 { total == 9 } else { total >= 12 }, "{total}");
}

/// The server of a multi-CDN site: an apex that leads by ALIAS to a steered name with CNAMEs out of the zones here.
fn apex_state() -> Publisher {
    const DOCUMENT: &str = r#"{"databases": [], "latency": [], "pops": [{"name": "fra"}, {"name": "ams"}],
        "pools": [{"name": "cdn", "when_all_down": "nodata", "endpoints": [
            {"pop": 0, "cname": "One.Example.NET.", "weight": 1}, {"pop": 1, "cname": "two.example.org.", "weight": 1}]}],
        "policies": [{"name": "all", "steps": [
            {"step": "geo", "mode": "prefer", "rules": [
                {"kind": "subnet", "value": "198.51.100.0/24", "units": [1], "line": 1},
                {"kind": "default", "value": "", "units": [0], "line": 2}]},
            {"step": "take", "count": 1}]}],
        "names": [{"name": "www.ex.", "pool": 0, "policy": 0, "ttl": 30}]}"#;
    let records = "@ ALIAS c\n@ A 192.0.2.99\nc CNAME WWW\nbare 10 ALIAS www\n";
    let mut zones = Zones::default();
    zones.insert(zone("ex.", records, &[(Name::from_text(b"www.ex.", None).unwrap(), 0)]));
    let publisher = Publisher::default();
    let steering = Arc::new(Steering::compile(DOCUMENT).unwrap());
    publisher.publish(zones, steering, Verdicts::all_serving(2), Loads::default()).unwrap();
    publisher.count_for(1);
    publisher
}

/// What a resolver found: one address with a TTL.
fn resolved(target: &str, ttl: u32, address: [u8; 4], stale: bool) -> FlattenedSet {
    let target = Name::from_text(target.as_bytes(), None).unwrap();
    FlattenedSet { target, rtype: number::A, ttl, rdata: vec![address.to_vec()], stale }
}

#[derive(Debug, PartialEq)]
struct Told {
    rcode: u8,
    /// TTL and RDATA of each record of the answer section.
    answer: Vec<(u32, Vec<u8>)>,
    scope: u8,
    error: Option<u16>,
}

/// What a client of a subnet is told of the addresses of `name`, and the names that the explanation says were resolved.
fn told(publisher: &Publisher, name: &str, client: [u8; 3]) -> (Told, Vec<(String, Option<u16>, bool)>) {
    let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    query.extend_from_slice(Name::from_text(name.as_bytes(), None).unwrap().as_wire());
    query.extend_from_slice(&[0, 1, 0, 1]);
    let mut at = query.len();
    query.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0]);
    query.extend_from_slice(&client);
    let state = publisher.current().load();
    let mut responder = Responder::new(7, Arc::default(), 0);
    let mut packet = query.clone();
    packet.resize(MAX_UDP, 0);
    let from = IpAddr::from([192, 0, 2, 9]);
    let transport = Transport::Udp;
    let length = responder.answer(&state, &mut packet, query.len(), from, transport, &mut NoTrace).unwrap();
    let (mut again, mut steps) = (query.clone(), Vec::new());
    again.resize(MAX_UDP, 0);
    let same = responder.answer(&state, &mut again, query.len(), from, transport, &mut steps).unwrap();
    assert_eq!(packet[..length], again[..same]);
    let mut answer = Vec::new();
    for _ in 0..u16_at(&packet, 6).unwrap() {
        let rdata = at + 12;
        let end = rdata + usize::from(u16_at(&packet, at + 10).unwrap());
        answer.push((u32_at(&packet, at + 6).unwrap(), packet[rdata..end].to_vec()));
        at = end;
    }
    let (mut scope, mut error) = (0, None);
    let mut options = &packet[at + 11..length];
    while !options.is_empty() {
        let (option, rest) = options.split_at(4 + usize::from(u16_at(options, 2).unwrap()));
        match u16_at(option, 0) {
            Some(8) => scope = option[7],
            Some(15) => error = u16_at(option, 4),
            _ => {}
        }
        options = rest;
    }
    let outside = steps.into_iter().filter_map(|step| match step {
        Step::Resolved { name, count, stale, .. } => Some((name, count, stale)),
        _ => None,
    });
    (Told { rcode: packet[3] & 0x0f, answer, scope, error }, outside.collect())
}

/// Clients of the /24 that a rule names, and clients of the shortest prefix that tells them apart from those.
const NAMED: [u8; 3] = [198, 51, 100];
const OTHERS: [u8; 3] = [203, 0, 113];

#[test]
fn an_alias_of_a_steered_cname_has_the_addresses_of_the_one_chosen_for_the_client() {
    let publisher = apex_state();
    let (one, two) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    publisher.publish_flattened(Flattened::new(&[
        resolved("one.example.net.", 20, one, true),
        resolved("two.example.org.", 300, two, false),
    ]));
    // The TTL is the least of the ALIAS's, the CNAME's, the steered name's and the addresses'.
    let of_two = Told { rcode: 0, answer: vec![(30, two.to_vec())], scope: 24, error: None };
    let of_one = Told { rcode: 0, answer: vec![(20, one.to_vec())], scope: 5, error: Some(3) };
    assert_eq!(told(&publisher, "ex.", NAMED), (of_two, vec![("two.example.org.".into(), Some(1), false)]));
    assert_eq!(told(&publisher, "ex.", OTHERS), (of_one, vec![("one.example.net.".into(), Some(1), true)]));
    let of_bare = Told { rcode: 0, answer: vec![(10, two.to_vec())], scope: 24, error: None };
    assert_eq!(told(&publisher, "bare.ex.", NAMED).0, of_bare);
    // Each query counts for the steered name; an explanation does not.
    let demand: Vec<(u16, u64)> = publisher.demand().iter().map(|row| (row.rtype, row.count)).collect();
    assert_eq!(demand.iter().map(|(_, count)| count).sum::<u64>(), 3);
    assert!(demand.iter().all(|(rtype, _)| *rtype == number::CNAME));
}

/// What stands in for a steered answer is for the same clients, and held no longer than one.
#[test]
fn an_alias_of_a_steered_cname_that_is_not_resolved_has_its_last_resort() {
    let publisher = apex_state();
    publisher.publish_flattened(Flattened::new(&[resolved("two.example.org.", 300, [192, 0, 2, 2], false)]));
    let unknown = vec![("one.example.net.".into(), None, false)];
    let kept = Told { rcode: 0, answer: vec![(30, vec![192, 0, 2, 99])], scope: 5, error: None };
    assert_eq!(told(&publisher, "ex.", OTHERS), (kept, unknown.clone()));
    let failure = Told { rcode: 2, answer: vec![], scope: 5, error: Some(14) };
    assert_eq!(told(&publisher, "bare.ex.", OTHERS), (failure, unknown));
    assert_eq!(told(&publisher, "bare.ex.", NAMED).0.answer, [(10, vec![192, 0, 2, 2])]);
}
