//! Zones, steering and verdicts made of arbitrary octets.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use arbitrary::{Arbitrary, Result, Unstructured};
use gslb_core::publish::{Identity, Published};
use gslb_core::steer::Steering;
use gslb_core::steer::standing::Standing;
use gslb_core::steer::verdict::{Loads, Verdicts};
use gslb_core::wire::Name;
use gslb_core::wire::edns::MAX_IDENTITY;
use gslb_core::wire::name::is_within;
use gslb_core::wire::rtype::number;
use gslb_core::zone::build::build;
use gslb_core::zone::records::{Record, RecordSet};
use gslb_core::zone::zones::Zones;

use crate::menu::{NAMES, ORIGINS, choose_data, name, soa};

/// RRsets of one input.
const MAX_SETS: usize = 24;
/// TTLs, from the smallest to the largest (RFC 2181 section 8).
const TTLS: [u32; 3] = [0, 300, 0x7fff_ffff];

/// The steered names, by index in the document.
const STEERED: [&str; 8] =
    ["s.ex.", "*.s.ex.", "ex.", "c2.ex.", "ns.sub.ex.", "d.other.", "c3.ex.", "*.b.ex."];

/// Pools of endpoints and of pools, of addresses, CNAMEs and declared records, every step, and every way of being down.
const DOCUMENT: &str = r#"{
    "pops": [{"name": "p0", "latitude": 50.0, "longitude": 8.0}, {"name": "p1", "latitude": -37.0, "longitude": 145.0},
             {"name": "p2"}],
    "overrides": [{"network": "192.0.2.0/24", "country": "DE", "latitude": 51.0, "longitude": 9.0}],
    "pools": [
        {"name": "all", "when_all_down": "serve_all", "policy": 5, "endpoints": [
            {"pop": 0, "address": "192.0.2.1", "weight": 1}, {"pop": 1, "address": "2001:db8::1", "weight": 1}]},
        {"name": "fallback", "when_all_down": "fallback", "policy": 1, "min_healthy": {"ipv4": {"fraction": 0.6}},
         "endpoints": [
            {"pop": 0, "address": "192.0.2.2", "weight": 100}, {"pop": 1, "address": "192.0.2.3", "weight": 0}]},
        {"name": "nodata", "when_all_down": "nodata", "endpoints": [
            {"pop": 2, "address": "192.0.2.4", "weight": 1,
             "records": [{"type": 16, "rdata": ["0161", "0162"]}, {"type": 65, "rdata": ["000100"]}]},
            {"pop": 0, "weight": 3, "records": [{"type": 16, "rdata": ["0162"]}]}]},
        {"name": "cdn", "when_all_down": "servfail", "endpoints": [
            {"pop": 1, "cname": "s.ex.", "weight": 1}, {"pop": 2, "cname": "elsewhere.example.", "weight": 9}]},
        {"name": "whole", "when_all_down": "last_good", "endpoints": [
            {"pop": 0, "address": "192.0.2.5", "weight": 1}, {"pop": 0, "address": "2001:db8::5", "weight": 1},
            {"pop": 1, "address": "192.0.2.6", "weight": 2}]},
        {"name": "world", "when_all_down": "last_good", "members": [
            {"pool": 0, "weight": 2}, {"pool": 1, "weight": 1}, {"pool": 6, "weight": 1}]},
        {"name": "inner", "when_all_down": "nodata", "policy": 4, "members": [
            {"pool": 1, "weight": 1}, {"pool": 4, "weight": 1}]}],
    "policies": [
        {"name": "weighted", "steps": [{"step": "weighted"}, {"step": "take", "count": 2}, {"step": "shuffle"}]},
        {"name": "geo", "steps": [
            {"step": "weighted"}, {"step": "take", "count": 1},
            {"step": "geo", "mode": "fence", "rules": [
                {"kind": "subnet", "value": "192.0.2.0/24", "units": [0]},
                {"kind": "subnet", "value": "2001:db8::/33", "units": [1]},
                {"kind": "default", "units": [0, 1, 2]}]},
            {"step": "distance", "bias": [[0, -500.0]]}]},
        {"name": "reserve", "steps": [{"step": "failover", "mode": "prefer", "tiers": [[0, 1], [2]]}]},
        {"name": "same", "steps": [{"step": "same_pop"}, {"step": "sticky", "ipv4": 24, "ipv6": 56}]},
        {"name": "load", "steps": [{"step": "shed", "low": 0.5, "high": 0.9}, {"step": "sticky", "ipv4": 20, "ipv6": 40}]},
        {"name": "near", "steps": [{"step": "latency", "tolerance": {"percent": 10.0}}]}],
    "names": [
        {"name": "s.ex.", "pool": 5, "policy": 0, "ttl": 30, "min_ttl": 5},
        {"name": "*.s.ex.", "pool": 1, "policy": 1, "ttl": 0},
        {"name": "ex.", "pool": 2, "policy": 2, "ttl": 60},
        {"name": "c2.ex.", "pool": 3, "policy": 0, "ttl": 2147483647},
        {"name": "ns.sub.ex.", "pool": 4, "policy": 3, "ttl": 1, "client_subnet": false},
        {"name": "d.other.", "pool": 6, "policy": null, "ttl": 5},
        {"name": "c3.ex.", "reflect": "both", "ttl": 7},
        {"name": "*.b.ex.", "reflect": "edns", "ttl": 9, "client_subnet": false}],
    "latency": [{"kind": "default", "pop": 0, "milliseconds": 10.0}, {"kind": "country", "value": "DE", "pop": 1,
        "milliseconds": 10.5}]
}"#;

static STEERING: LazyLock<Arc<Steering>> =
    LazyLock::new(|| Arc::new(Steering::compile(DOCUMENT).expect("the document of the fuzz targets")));

/// So many zones that they are looked ahead for in steps. Nothing asks for their names.
static MANY_ZONES: LazyLock<Zones> = LazyLock::new(|| {
    let mut zones = Zones::default();
    let mut number = 0;
    while !zones.is_large() {
        let part = Part::new(name(&format!("z{number}.many.")));
        zones.insert(Arc::new(build(&part.origin, &part.records, &[]).expect("a zone of a SOA record")));
        number += 1;
    }
    zones
});

/// What is served.
pub struct Site {
    pub state: Published,
    /// Whether any name is steered.
    pub steered: bool,
    /// Who asks.
    pub client: IpAddr,
}

impl<'a> Arbitrary<'a> for Site {
    /// Octets: zones (bit mask of [`ORIGINS`]), steered names (bit mask), verdicts (base 3), client, number of RRsets,
    /// whose highest bit adds zones nobody asks for, then for each RRset its owner, kind and value (see [`choose_data`]).
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Site> {
        let [zones, steered, verdicts_octet, client, sets]: [u8; 5] = u.arbitrary()?;
        let mut parts: Vec<Part> = ORIGINS
            .iter()
            .enumerate()
            .filter(|(at, _)| zones >> at & 1 != 0)
            .map(|(_, origin)| Part::new(name(origin)))
            .collect();
        for _ in 0..usize::from(sets) % (MAX_SETS + 1) {
            let [owner, kind, value]: [u8; 3] = u.arbitrary()?;
            let wire = NAMES[usize::from(owner) % NAMES.len()].as_wire();
            // The high bits choose among the zones that may hold the name: a parent may hold what is below a cut.
            let mut holders: Vec<&mut Part> =
                parts.iter_mut().filter(|part| is_within(wire, part.origin.as_wire())).collect();
            let count = holders.len().max(1);
            if let Some(part) = holders.get_mut(usize::from(owner >> 5) % count) {
                part.push(wire, kind, value);
            }
        }
        let mut all = if sets & 0x80 == 0 { Zones::default() } else { MANY_ZONES.clone() };
        for part in parts {
            let steered: Vec<(Name, u32)> = STEERED
                .iter()
                .enumerate()
                .filter(|(at, _)| steered >> at & 1 != 0)
                .map(|(at, text)| (name(text), at as u32))
                .filter(|(name, _)| is_within(name.as_wire(), part.origin.as_wire()))
                .collect();
            // An RRset may be too large for any message: such a zone is refused, as it should be.
            let zone = build(&part.origin, &part.records, &steered);
            all.insert(Arc::new(zone.map_err(|_| arbitrary::Error::IncorrectFormat)?));
        }
        let mut rest = verdicts_octet;
        let octets: Vec<u8> = (0..STEERING.endpoint_count())
            .map(|_| {
                let octet = rest % 3;
                rest = rest / 3 + (rest % 3) * 64;
                // Some have served last.
                octet | (rest & 4)
            })
            .collect();
        let verdicts = Verdicts::from_octets(&octets).expect("octets below 3, and the bit of value 4");
        let load = |pop: usize| (u16::from(verdicts_octet) * 37 * pop as u16).to_be_bytes();
        let loads: Vec<u8> = (0..STEERING.pop_count()).flat_map(load).collect();
        let loads = Loads::from_octets(&loads).expect("two octets for each POP");
        let standing = Arc::new(Standing::new(&STEERING, verdicts, loads));
        // The longest identity there may be, a short one, or none.
        let name =
            [None, Some(vec![b'n'; MAX_IDENTITY]), Some(b"a".to_vec())][usize::from(client) % 3].clone();
        let name = name.map(Vec::into_boxed_slice);
        let identity = Arc::new(Identity { version: name.clone(), name: name.clone(), nsid: name });
        // Generation 0 is a server that has nothing yet.
        let generation = u64::from(!all.is_empty());
        let state = Published {
            generation,
            zones: Arc::new(all),
            steering: STEERING.clone(),
            standing,
            demand: Arc::default(),
            flattened: Arc::default(),
            identity,
        };
        Ok(Site { state, steered: steered != 0, client: choose_client(client) })
    }
}

/// One zone under construction.
struct Part {
    origin: Name,
    records: RecordSet,
}

impl Part {
    /// A zone with its SOA, which a compiled zone always has.
    fn new(origin: Name) -> Part {
        let mut part = Part { origin: origin.clone(), records: RecordSet::new() };
        part.record(origin.as_wire(), number::SOA, 300, &soa(1));
        part
    }

    fn push(&mut self, owner: &[u8], kind: u8, value: u8) {
        let data = choose_data(kind, value);
        // A second record of these is an error of the zone's text, and nothing compiles it.
        let single = matches!(data.rtype, number::CNAME | number::DNAME);
        let stands = |record: Record<'_>| (record.owner, record.rtype) == (owner, data.rtype);
        if data.rtype == number::SOA || single && self.records.iter().any(stands) {
            return;
        }
        for rdata in &data.rdata {
            self.record(owner, data.rtype, TTLS[usize::from(value) % TTLS.len()], rdata);
        }
    }

    fn record(&mut self, owner: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) {
        self.records
            .push(Record { owner, rtype, ttl, rdata, file: 0, line: 1 })
            .expect("record data of at most 65,535 octets");
    }
}

fn choose_client(octet: u8) -> IpAddr {
    match octet % 5 {
        0 => IpAddr::from([192, 0, 2, octet]),
        1 => IpAddr::from([198, 51, 100, octet]),
        2 => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(octet)]),
        3 => IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201]),
        _ => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(octet)]),
    }
}
