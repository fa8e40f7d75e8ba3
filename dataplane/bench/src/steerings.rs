//! Steerings: policies of one step, and those of the `steer` workloads of `bench/steer_site.py`.

use std::net::Ipv4Addr;
use std::sync::Arc;

use gslb_core::steer::standing::Standing;
use gslb_core::steer::verdict::{Loads, Verdicts};
use gslb_core::steer::{Random, Steering};
use serde_json::{Map, Value, json};

use crate::random::{between, choose, generator};
use crate::zones::STEERED;

/// Clients are within 16.0.0.0/4.
const CLIENTS: u32 = 0x1000_0000;
const CLIENTS_BITS: u32 = 28;
const COUNTRIES: usize = 200;
/// Each with the latitudes and longitudes that it lies within, about.
const CONTINENTS: [(&str, [f64; 4]); 6] = [
    ("EU", [37.0, 60.0, -9.0, 30.0]),
    ("NA", [28.0, 50.0, -122.0, -70.0]),
    ("SA", [-38.0, 5.0, -75.0, -35.0]),
    ("AS", [-5.0, 45.0, 60.0, 142.0]),
    ("OC", [-40.0, -15.0, 115.0, 178.0]),
    ("AF", [-33.0, 33.0, -15.0, 45.0]),
];
/// Where the policy of one step says something about a client's AS number.
const ASN: u32 = 64_500;
/// Every so many endpoints one is down.
const DOWN_EVERY: usize = 10;

/// A steering and what counts at the moment: one endpoint of ten is down, and some POPs are loaded.
pub struct Site {
    pub steering: Arc<Steering>,
    pub verdicts: Verdicts,
    pub loads: Loads,
}

impl Site {
    fn new(document: &Value) -> Site {
        let steering = Arc::new(Steering::compile(&document.to_string()).expect("a sound document"));
        let octets: Vec<u8> =
            (0..steering.endpoint_count()).map(|at| u8::from(at % DOWN_EVERY == DOWN_EVERY - 1)).collect();
        let verdicts = Verdicts::from_octets(&octets).expect("octets below 3");
        let load = |pop: usize| (pop as u16 * 37 % 1000).to_be_bytes();
        let loads: Vec<u8> = (0..steering.pop_count()).flat_map(load).collect();
        Site { steering, verdicts, loads: Loads::from_octets(&loads).expect("two octets for each POP") }
    }

    pub fn standing(&self) -> Standing {
        Standing::new(&self.steering, self.verdicts.clone(), self.loads.clone())
    }
}

/// The first address of a random /24 that may be a client's.
pub fn client(random: &mut Random) -> Ipv4Addr {
    Ipv4Addr::from(CLIENTS | (random.below(1 << CLIENTS_BITS) as u32 & !0xff))
}

struct Place {
    continent: usize,
    latitude: f64,
    longitude: f64,
}

impl Place {
    fn of(continent: usize, random: &mut Random) -> Place {
        let (_, [south, north, west, east]) = CONTINENTS[continent];
        Place { continent, latitude: between(random, south, north), longitude: between(random, west, east) }
    }

    fn continent(&self) -> &'static str {
        CONTINENTS[self.continent].0
    }
}

/// POPs on all continents in turn.
fn pops(count: usize) -> Vec<Place> {
    let mut random = generator(count as u64);
    (0..count).map(|number| Place::of(number % CONTINENTS.len(), &mut random)).collect()
}

fn countries() -> Vec<Place> {
    let mut random = generator(2);
    (0..COUNTRIES).map(|number| Place::of(number % CONTINENTS.len(), &mut random)).collect()
}

fn code(country: usize) -> String {
    [country / 26, country % 26].iter().map(|&letter| char::from(b'A' + letter as u8)).collect()
}

fn pops_entry(pops: &[Place]) -> Value {
    let entry = |(number, pop): (usize, &Place)| json!({"name": format!("p{number}"), "latitude": pop.latitude, "longitude": pop.longitude});
    pops.iter().enumerate().map(entry).collect()
}

/// Networks of mixed sizes over all clients, as databases have them: about 13,000.
fn networks() -> Value {
    let (mut random, countries) = (generator(3), countries());
    let lengths = [13, 14, 14, 16, 16, 16, 18, 18, 20, 20, 22];
    let mut all = Vec::new();
    let mut start = 0u32;
    while start < 1 << CLIENTS_BITS {
        let length = (32 - start.trailing_zeros().min(31)).max(*choose(&mut random, &lengths));
        let number = random.below(COUNTRIES as u64) as usize;
        let country = &countries[number];
        all.push(json!({
            "network": format!("{}/{length}", Ipv4Addr::from(CLIENTS | start)), "continent": country.continent(),
            "country": code(number), "latitude": country.latitude, "longitude": country.longitude,
        }));
        start += 1 << (32 - length);
    }
    all.into()
}

/// A few networks, for steerings whose policy does not depend on how many there are.
fn few_networks() -> Value {
    let (mut random, countries) = (generator(4), countries());
    let entry = |part: u32| {
        let number = random.below(COUNTRIES as u64) as usize;
        let country = &countries[number];
        json!({
            "network": format!("{}/12", Ipv4Addr::from(CLIENTS | part << 20)), "continent": country.continent(),
            "country": code(number), "asn": ASN + part % 2,
            "latitude": country.latitude, "longitude": country.longitude,
        })
    };
    (0..256).map(entry).collect()
}

/// Measured by country, to three of the POPs each.
fn latency(pop_count: usize) -> Value {
    let row = |number: usize| {
        json!({"kind": "country", "value": code(number / 3), "pop": number * 7 % pop_count,
               "milliseconds": 5 + number * 13 % 90})
    };
    (0..3 * COUNTRIES).map(row).collect()
}

/// One pool, one policy, one name.
fn document(networks: Value, pops: &[Place], endpoints: Vec<Value>, steps: Value) -> Value {
    json!({
        "overrides": networks,
        "pops": pops_entry(pops),
        "pools": [{"name": "bench", "when_all_down": "serve_all", "endpoints": endpoints}],
        "policies": [{"name": "bench", "steps": steps}],
        "names": [{"name": STEERED, "pool": 0, "policy": 0, "ttl": 20}],
        "latency": latency(pops.len()),
    })
}

fn endpoint(pop: usize, twin: usize) -> Value {
    json!({"pop": pop, "address": format!("10.{twin}.{}.{}", pop / 250, pop % 250), "weight": 100 + 50 * twin})
}

/// Policies of a step each, and of a few together: a label, and the steps for so many POPs.
pub fn steps(pops: usize) -> Vec<(&'static str, Value)> {
    let rule =
        |kind: &str, value: &str, unit: usize| json!({"kind": kind, "value": value, "units": [unit % pops]});
    let places = |kind: &str, values: &[String]| -> Vec<Value> {
        values.iter().enumerate().map(|(at, value)| rule(kind, value, at)).collect()
    };
    let countries: Vec<String> = (0..COUNTRIES).map(code).collect();
    let tiers: Vec<Value> = (0..pops).map(|pop| json!([pop])).collect();
    let sticky = json!({"step": "sticky", "ipv4": 24, "ipv6": 56});
    let shed = json!({"step": "shed", "low": 0.7, "high": 0.95});
    let take = |count: usize| json!({"step": "take", "count": count});
    let step = |name: &str| json!({"step": name});
    vec![
        ("geo", json!([{"step": "geo", "mode": "prefer", "rules": places("country", &countries)}])),
        ("asn", json!([{"step": "asn", "mode": "prefer", "rules": places("asn", &[ASN.to_string()])}])),
        (
            "subnet",
            json!([{"step": "subnet", "mode": "prefer", "rules": places("subnet", &["16.0.0.0/6".to_owned()])}]),
        ),
        ("failover", json!([{"step": "failover", "mode": "prefer", "tiers": tiers}])),
        ("latency", json!([step("latency")])),
        ("distance", json!([step("distance")])),
        ("take", json!([step("latency"), take(2)])),
        ("weighted", json!([step("weighted")])),
        ("shuffle", json!([take(4), step("shuffle")])),
        ("sticky", json!([sticky])),
        ("shed", json!([step("latency"), shed])),
        ("same-pop", json!([step("same_pop"), step("latency"), sticky])),
        ("latency-weighted", json!([step("latency"), step("weighted"), take(1)])),
        ("latency-sticky", json!([step("latency"), sticky])),
    ]
}

/// A policy of these steps over so many POPs of two endpoints.
pub fn of_steps(pop_count: usize, steps: &Value) -> Site {
    let endpoints = (0..pop_count).flat_map(|pop| [endpoint(pop, 0), endpoint(pop, 1)]).collect();
    Site::new(&document(few_networks(), &pops(pop_count), endpoints, steps.clone()))
}

/// The nearest of 20 POPs: the workload `geo`.
pub fn nearest() -> Site {
    let endpoints = (0..20).map(|pop| endpoint(pop, 0)).collect();
    Site::new(&document(networks(), &pops(20), endpoints, json!([{"step": "distance"}])))
}

/// The workload `steer`: rules for every country and continent, distance, weights and health over 50 POPs of two
/// endpoints.
pub fn usual() -> Site {
    let pops = pops(50);
    let local = |continent: usize| -> Vec<usize> {
        (0..pops.len()).filter(|&pop| pops[pop].continent == continent).collect()
    };
    let by_country = countries()
        .iter()
        .enumerate()
        .map(|(number, country)| {
            let units = local(country.continent).into_iter().take(3).collect::<Vec<_>>();
            json!({"kind": "country", "value": code(number), "units": units})
        })
        .collect::<Vec<_>>();
    let by_continent = (0..CONTINENTS.len())
        .map(|number| json!({"kind": "continent", "value": CONTINENTS[number].0, "units": local(number)}));
    let default = json!({"kind": "default", "units": [0, 1, 2]});
    let rules: Vec<Value> = by_country.into_iter().chain(by_continent).chain([default]).collect();
    let steps = json!([
        {"step": "geo", "mode": "prefer", "rules": rules},
        {"step": "distance"}, {"step": "weighted"}, {"step": "take", "count": 1},
    ]);
    let endpoints = (0..pops.len()).flat_map(|pop| [endpoint(pop, 0), endpoint(pop, 1)]).collect();
    Site::new(&document(networks(), &pops, endpoints, steps))
}

/// The workload `steer-every`: a pool of pools, one for each continent, and between both nearly every step there is.
pub fn every() -> Site {
    let pops = pops(50);
    let (pool_count, first) = (CONTINENTS.len(), pops.len());
    let local = |continent: usize| (0..pops.len()).filter(move |pop| pop % CONTINENTS.len() == continent);
    let mut pools: Vec<Value> = (0..pool_count)
        .map(|number| {
            let endpoints = local(number).map(|pop| endpoint(pop, 0)).collect::<Vec<_>>();
            json!({"name": format!("in{number}"), "policy": 0, "min_healthy": {"ipv4": {"count": 1}},
                   "when_all_down": "last_good", "endpoints": endpoints})
        })
        .collect();
    let members: Vec<Value> = (0..pool_count).map(|pool| json!({"pool": pool, "weight": 1})).collect();
    pools.push(json!({"name": "bench", "when_all_down": "serve_all", "policy": 1, "members": members}));
    let mut rules: Vec<Value> = (0..pool_count)
        .map(|pool| json!({"kind": "continent", "value": CONTINENTS[pool].0, "units": [first + pool]}))
        .collect();
    rules.push(json!({"kind": "default", "units": [first]}));
    let tiers: Vec<Value> = (0..pool_count).map(|pool| json!([first + pool])).collect();
    let within = json!([
        {"step": "asn", "mode": "prefer", "rules": [{"kind": "asn", "value": ASN.to_string(), "units": [0]}]},
        {"step": "latency", "tolerance": {"percent": 10.0}}, {"step": "distance", "bias": [[1, -200.0]]},
        {"step": "shed", "low": 0.7, "high": 0.9}, {"step": "sticky", "ipv4": 24, "ipv6": 56},
        {"step": "take", "count": 2}, {"step": "shuffle"},
    ]);
    let between = json!([
        {"step": "subnet", "mode": "prefer",
         "rules": [{"kind": "subnet", "value": "198.51.100.0/24", "units": [first]}]},
        {"step": "geo", "mode": "prefer", "rules": rules}, {"step": "distance"},
        {"step": "failover", "mode": "prefer", "tiers": tiers}, {"step": "weighted"}, {"step": "take", "count": 1},
    ]);
    let mut document = Map::new();
    for (key, value) in [
        ("overrides", networks()),
        ("pops", pops_entry(&pops)),
        ("pools", pools.into()),
        ("policies", json!([{"name": "within", "steps": within}, {"name": "between", "steps": between}])),
        ("names", json!([{"name": STEERED, "pool": pool_count, "policy": 1, "ttl": 20, "min_ttl": 5}])),
        ("latency", latency(pops.len())),
    ] {
        document.insert(key.to_owned(), value);
    }
    Site::new(&document.into())
}
