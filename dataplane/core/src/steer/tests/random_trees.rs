//! Laws of random trees: whoever is within the scope is answered alike, explanations are of the very decision, and
//! nothing that does not count is handed out.

#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::steps::rule;
use super::trees::{ask_with, built, world};
use crate::steer::random::Random;
use crate::steer::{Outcome, Steering};
use crate::wire::rtype::number;

/// Some steps over these units.
fn steps(random: &mut Random, units: &[u32]) -> Value {
    let count = random.below(4);
    let one = |random: &mut Random| units[random.below(units.len() as u64) as usize];
    let mode = |random: &mut Random| if random.below(3) == 0 { "fence" } else { "prefer" };
    let all: Vec<Value> = (0..count)
        .map(|_| match random.below(10) {
            0 => {
                let at = ["192.0.2.0/25", "192.0.2.64/27", "198.51.100.128/25", "2001:db8:0:40::/58"];
                let mut rules = vec![rule("default", "", &[one(random)], 1)];
                rules.extend(at.iter().map(|at| rule("subnet", at, &[one(random)], 2)));
                json!({"step": "geo", "mode": mode(random), "rules": rules})
            }
            1 => json!({"step": "geo", "mode": mode(random), "rules": [
                rule("country", "DE", &[one(random), one(random)], 3), rule("continent", "NA", &[one(random)], 4)]}),
            2 => json!({"step": "latency", "tolerance": {"percent": 50.0}}),
            3 => json!({"step": "distance", "bias": [[one(random), -500.0]]}),
            4 => json!({"step": "failover", "mode": mode(random), "tiers": [[one(random)], [one(random)]]}),
            5 => json!({"step": "weighted"}),
            6 => json!({"step": "sticky", "ipv4": 20 + random.below(10), "ipv6": 50 + random.below(10)}),
            7 => json!({"step": "shed", "low": 0.3, "high": 0.9}),
            8 => json!({"step": "take", "count": 1 + random.below(3)}),
            _ => json!({"step": "shuffle"}),
        })
        .collect();
    all.into()
}

fn tree(random: &mut Random) -> Steering {
    let (root, eu, us) = (steps(random, &[3, 4]), steps(random, &[0, 1]), steps(random, &[2, 0]));
    let mut document = world(root, eu, us);
    document["latency"] = json!([
        {"kind": "subnet", "value": "192.0.2.128/26", "pop": 1, "milliseconds": 2.0},
        {"kind": "country", "value": "DE", "pop": 0, "milliseconds": 3.0},
        {"kind": "default", "pop": 2, "milliseconds": 90.0}]);
    let declared = ["serve_all", "last_good", "fallback", "nodata", "servfail"];
    document["pools"][2]["when_all_down"] = declared[random.below(5) as usize].into();
    document["pools"][0]["min_healthy"] = json!({"ipv4": {"fraction": 0.6}});
    document["pools"][random.below(2) as usize]["endpoints"][random.below(2) as usize]["weight"] = 0.into();
    document["pools"][2]["members"][random.below(2) as usize]["weight"] = json!(50 * random.below(2));
    built(&document)
}

/// Another address within the prefix.
fn beside(client: IpAddr, length: u8, random: &mut Random) -> IpAddr {
    match client {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            Ipv4Addr::from(u32::from(address) & !host | random.next_u64() as u32 & host).into()
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
            Ipv6Addr::from(u128::from(address) & !host | bits & host).into()
        }
    }
}

#[test]
fn the_scope_is_truthful_and_answers_count() {
    let mut random = Random::new(77);
    for _ in 0..600 {
        let steering = tree(&mut random);
        let client: IpAddr = match random.below(3) {
            0 => Ipv4Addr::from(0xc000_0200 | random.below(256) as u32).into(),
            1 => Ipv4Addr::from(0xc633_6400 | random.below(256) as u32).into(),
            _ => Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(random.below(256)) << 64).into(),
        };
        let mut scope = None;
        for _ in 0..6 {
            let octets: Vec<u8> =
                (0..6).map(|_| random.below(3) as u8 | (random.below(2) as u8) << 2).collect();
            let loads: Vec<u8> = (0..3).flat_map(|_| (random.below(1000) as u16).to_be_bytes()).collect();
            let rtype = if random.below(4) == 0 { number::AAAA } else { number::A };
            let seed = random.next_u64();
            let told = ask_with(&steering, rtype, &client.to_string(), &octets, &loads, seed);
            if rtype == number::A {
                assert_eq!(*scope.get_or_insert(told.scope), told.scope, "whatever counts");
            }
            let other = beside(client, told.scope, &mut random);
            let same = ask_with(&steering, rtype, &other.to_string(), &octets, &loads, seed);
            assert_eq!(
                (told.outcome, &told.answer, told.ttl, told.scope),
                (same.outcome, &same.answer, same.ttl, same.scope),
                "{client} and {other}"
            );
            let steered = told.explanation.when_all_down.is_none();
            for &endpoint in &told.answer {
                let verdict = octets[endpoint as usize] & 3;
                assert!(verdict == 0 || !steered, "{octets:?} {:?}", told.answer);
            }
            let mut once = told.answer.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), told.answer.len());
            // What each pool gave, told step by step, adds up to the answer.
            if told.outcome == Outcome::Answer {
                let last = |steps: &[crate::steer::StepReport]| {
                    steps
                        .last()
                        .unwrap()
                        .groups
                        .iter()
                        .flatten()
                        .filter_map(|one| one.endpoint)
                        .collect::<Vec<_>>()
                };
                let entered: Vec<u32> =
                    told.explanation.entered.iter().flat_map(|report| last(&report.steps)).collect();
                assert_eq!(entered, told.answer);
            }
        }
    }
}
