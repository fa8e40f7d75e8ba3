//! Each step on its own, on a small world that a reader can hold in mind.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Question, compile};
use crate::geo::location::{Code, Coordinates, Location};
use crate::geo::prefix::Subnet;
use crate::steer::standing::Standing;
use crate::steer::verdict::{Loads, Verdicts};
use crate::steer::{Decision, Outcome, Random, Steering};
use crate::wire::rtype::number;

pub(super) const GERMANY: &str = "192.0.2.1";
pub(super) const CALIFORNIA: &str = "198.51.100.1";
pub(super) const NOWHERE: &str = "203.0.113.1";

pub(super) fn networks() -> Vec<(Subnet, Location)> {
    let place = |continent, country, part, at: (f64, f64)| {
        let country = Code::two_letters(country);
        Location {
            continent: Code::two_letters(continent),
            country,
            subdivision: country.and_then(|country| Code::subdivision(country, part)),
            asn: Some(64_500),
            coordinates: Coordinates::new(at.0, at.1),
        }
    };
    vec![
        ("192.0.2.0/24".parse().unwrap(), place("EU", "DE", "BE", (52.5, 13.4))),
        ("198.51.100.0/24".parse().unwrap(), place("NA", "US", "CA", (37.8, -122.4))),
    ]
}

/// Frankfurt, Amsterdam, San Jose, and a POP without coordinates; 3 and 4 are both in San Jose.
pub(super) fn document(steps: Value) -> Value {
    json!({
        "databases": [],
        "pops": [
            {"name": "fra", "latitude": 50.1, "longitude": 8.7},
            {"name": "ams", "latitude": 52.4, "longitude": 4.9},
            {"name": "sjc", "latitude": 37.4, "longitude": -121.9},
            {"name": "lab", "latitude": null, "longitude": null}
        ],
        "pools": [{"name": "web", "when_all_down": "serve_all", "file": "s.yaml", "line": 3, "endpoints": [
            {"pop": 0, "address": "192.0.2.10", "weight": 100},
            {"pop": 1, "address": "192.0.2.11", "weight": 100},
            {"pop": 3, "address": "192.0.2.12", "weight": 100},
            {"pop": 2, "address": "192.0.2.13", "weight": 300},
            {"pop": 2, "address": "192.0.2.14", "weight": 100},
            {"pop": 0, "address": "2001:db8::10", "weight": 100}
        ]}],
        "policies": [{"name": "near", "file": "s.yaml", "line": 9, "steps": steps}],
        "names": [{"name": "WWW.example.com.", "pool": 0, "policy": 0, "ttl": 30, "owner": "web team",
                   "file": "s.yaml", "line": 20}],
        "latency": [
            {"kind": "continent", "value": "EU", "pop": 0, "milliseconds": 20.0},
            {"kind": "continent", "value": "EU", "pop": 1, "milliseconds": 12.5},
            {"kind": "country", "value": "DE", "pop": 0, "milliseconds": 5.0}
        ]
    })
}

fn steering(steps: Value) -> Steering {
    compile(&document(steps).to_string(), &networks()).unwrap()
}

fn ask(steering: &Steering, client: &str, octets: [u8; 6]) -> (Decision, Vec<u32>) {
    let question = Question {
        rtype: number::A,
        client: client.parse().unwrap(),
        verdicts: Verdicts::from_octets(&octets).unwrap(),
        random: Random::new(1),
    };
    let (decision, answer, _) = question.decide(steering);
    (decision, answer)
}

const UP: [u8; 6] = [0; 6];

fn answer(steering: &Steering, client: &str) -> Vec<u32> {
    ask(steering, client, UP).1
}

pub(super) fn rule(kind: &str, value: &str, pops: &[u32], line: u32) -> Value {
    json!({"kind": kind, "value": value, "units": pops, "file": "s.yaml", "line": line})
}

#[test]
fn no_steps_answer_with_every_endpoint_of_the_family() {
    let steering = steering(json!([]));
    let (decision, all) = ask(&steering, GERMANY, UP);
    assert_eq!(decision, Decision { outcome: Outcome::Answer, ttl: 30, scope: 0 });
    assert_eq!(all, [0, 1, 2, 3, 4]);
    assert_eq!(ask(&steering, GERMANY, [0, 1, 2, 0, 0, 0]).1, [0, 3, 4]);
    assert_eq!(steering.name(0).unwrap().name.to_string(), "www.example.com.");
    assert_eq!((steering.name_count(), steering.endpoint_count()), (1, 6));
    assert_eq!(steering.endpoint(4).unwrap().pop, 2);
}

#[test]
fn geo_prefers_the_most_specific_rule() {
    let rules = json!([
        rule("continent", "NA", &[1], 11),
        rule("subdivision", "US-CA", &[2, 0], 12),
        rule("country", "US", &[1], 13),
        rule("default", "", &[1], 14)
    ]);
    let steering = steering(json!([{"step": "geo", "mode": "prefer", "rules": rules}]));
    let (decision, found) = ask(&steering, CALIFORNIA, UP);
    assert_eq!((decision.scope, found), (24, vec![3, 4]));
    assert_eq!(ask(&steering, CALIFORNIA, [0, 0, 0, 1, 1, 0]).1, [0], "the next listed");
    assert_eq!(ask(&steering, CALIFORNIA, [1, 0, 0, 1, 1, 0]).1, [1, 2], "then all others");
    assert_eq!(answer(&steering, GERMANY), [1]);
    let (decision, _) = ask(&steering, GERMANY, UP);
    assert_eq!(decision.scope, 6, "the shortest prefix without the Californian network");
    assert_eq!(answer(&steering, "::ffff:198.51.100.9"), [3, 4]);
}

#[test]
fn subnets_and_asns_come_before_places() {
    let rules = json!([
        rule("country", "DE", &[0], 11),
        rule("asn", "AS64500", &[1], 12),
        rule("subnet", "192.0.2.128/25", &[2], 13),
        rule("subnet", "192.0.2.192/26", &[3], 14)
    ]);
    let steering = steering(json!([{"step": "geo", "mode": "prefer", "rules": rules}]));
    let at = |client: &str| {
        let (decision, found) = ask(&steering, client, UP);
        (decision.scope, found)
    };
    assert_eq!(at("192.0.2.1"), (25, vec![1]));
    assert_eq!(at("192.0.2.129"), (26, vec![3, 4]));
    assert_eq!(at("192.0.2.193"), (26, vec![2]));
}

#[test]
fn a_fence_keeps_others_out() {
    let rules = json!([rule("country", "DE", &[0], 11)]);
    let steering = steering(json!([{"step": "geo", "mode": "fence", "rules": rules}]));
    assert_eq!(answer(&steering, GERMANY), [0]);
    let (decision, none) = ask(&steering, NOWHERE, UP);
    assert_eq!((decision.outcome, none), (Outcome::LastResort, vec![]), "nothing listed: all fenced");
    let (decision, _) = ask(&steering, GERMANY, [1, 0, 0, 0, 0, 0]);
    assert_eq!(decision.outcome, Outcome::LastResort, "serve_all does not open the fence");
    assert_eq!(ask(&steering, GERMANY, [1; 6]).1, [0], "all down: the fence still holds");
}

#[test]
fn latency_takes_the_most_specific_row_of_each_pop() {
    let steering = steering(json!([{"step": "latency"}]));
    assert_eq!(answer(&steering, GERMANY), [0], "5 ms from DE beats 12.5 ms from EU");
    assert_eq!(ask(&steering, GERMANY, [1, 0, 0, 0, 0, 0]).1, [1]);
    assert_eq!(ask(&steering, GERMANY, [1, 1, 0, 0, 0, 0]).1, [2, 3, 4], "not measured: last, equals");
    assert_eq!(answer(&steering, NOWHERE), [0, 1, 2, 3, 4]);
}

#[test]
fn distance_is_from_the_location_to_the_pop() {
    let steering = steering(json!([{"step": "distance"}]));
    assert_eq!(answer(&steering, CALIFORNIA), [3, 4]);
    assert_eq!(answer(&steering, GERMANY), [0]);
    assert_eq!(ask(&steering, GERMANY, [1, 1, 0, 1, 1, 0]).1, [2], "without coordinates: last");
    assert_eq!(answer(&steering, NOWHERE), [0, 1, 2, 3, 4], "unknown clients: all equal");
}

#[test]
fn failover_goes_by_tiers() {
    let tiers = |mode| steering(json!([{"step": "failover", "mode": mode, "tiers": [[1, 2], [0]]}]));
    assert_eq!(answer(&tiers("prefer"), GERMANY), [1, 3, 4]);
    assert_eq!(ask(&tiers("prefer"), GERMANY, [0, 1, 0, 1, 1, 0]).1, [0]);
    assert_eq!(ask(&tiers("prefer"), GERMANY, [1, 1, 0, 1, 1, 0]).1, [2]);
    assert_eq!(ask(&tiers("fence"), GERMANY, [1, 1, 0, 1, 1, 0]).0.outcome, Outcome::LastResort);
    assert_eq!(ask(&tiers("prefer"), GERMANY, UP).0.scope, 0);
}

#[test]
fn take_crosses_groups_and_makes_equals() {
    let first = steering(json!([{"step": "distance"}, {"step": "take", "count": 2}]));
    assert_eq!(answer(&first, GERMANY), [0, 1]);
    assert_eq!(ask(&first, GERMANY, [0, 1, 0, 0, 0, 0]).1, [0, 3]);
    let again = steering(json!([
        {"step": "distance"},
        {"step": "take", "count": 3},
        {"step": "failover", "mode": "prefer", "tiers": [[2], [1]]}
    ]));
    assert_eq!(answer(&again, GERMANY), [3]);
    assert_eq!(ask(&again, GERMANY, [0, 0, 0, 1, 1, 0]).1, [1]);
}

#[test]
fn an_address_family_that_the_pool_lacks_is_the_last_resort() {
    let mut document = document(json!([{"step": "distance"}]));
    document["pools"][0]["endpoints"].as_array_mut().unwrap().pop();
    let steering = compile(&document.to_string(), &networks()).unwrap();
    let question = Question {
        rtype: number::AAAA,
        client: GERMANY.parse().unwrap(),
        verdicts: Verdicts::all_serving(5),
        random: Random::new(1),
    };
    let (decision, answer, _, explanation) = question.explain(&steering);
    assert_eq!(decision, Decision { outcome: Outcome::NotOffered, ttl: 30, scope: 0 });
    assert!(answer.is_empty());
    assert_eq!(explanation.scope.reason, "the pool has nothing of this type, wherever the client is");
}

#[test]
fn all_down_is_as_declared() {
    let outcome = |declared: &str, octets| {
        let mut document = document(json!([{"step": "distance"}]));
        document["pools"][0]["when_all_down"] = declared.into();
        let steering = compile(&document.to_string(), &networks()).unwrap();
        let (decision, answer) = ask(&steering, GERMANY, octets);
        (decision.outcome, answer)
    };
    assert_eq!(outcome("serve_all", [1; 6]), (Outcome::Answer, vec![0]));
    assert_eq!(outcome("serve_all", [2, 1, 1, 1, 1, 0]), (Outcome::Answer, vec![1]), "drained ones stay out");
    assert_eq!(outcome("serve_all", [2; 6]), (Outcome::Answer, vec![0]), "unless all are");
    assert_eq!(outcome("fallback", [1; 6]), (Outcome::LastResort, vec![]));
    assert_eq!(outcome("nodata", [1; 6]), (Outcome::NoData, vec![]));
    assert_eq!(outcome("servfail", [2; 6]), (Outcome::ServFail, vec![]));
}

#[test]
fn an_explanation_names_rules_values_and_reasons() {
    let rules = json!([rule("country", "DE", &[0, 1], 12)]);
    let steering = steering(json!([
        {"step": "geo", "mode": "fence", "rules": rules},
        {"step": "distance"},
        {"step": "weighted"},
        {"step": "take", "count": 1}
    ]));
    let question = Question {
        rtype: number::A,
        client: GERMANY.parse().unwrap(),
        verdicts: Verdicts::from_octets(&[0, 0, 0, 1, 2, 0]).unwrap(),
        random: Random::new(1),
    };
    let (_, _, _, explanation) = question.explain(&steering);
    let told = serde_json::to_value(&explanation).unwrap();
    assert_eq!(told["name"], json!({"name": "www.example.com.", "file": "s.yaml", "line": 20}));
    assert_eq!(told["location"]["subdivision"], "DE-BE");
    assert_eq!(told["prefix"], "192.0.2.0/24");
    assert_eq!(told["scope"]["value"], 24);
    let words: Vec<_> = explanation.steps.iter().map(|step| step.step).collect();
    assert_eq!(words, ["verdict", "geo", "distance", "weighted", "take", "answer"]);
    assert_eq!(told["steps"][0]["removed"][0]["why"], "down");
    assert_eq!(told["steps"][0]["removed"][1]["why"], "drained");
    let geo = &told["steps"][1];
    assert_eq!(geo["matched"], json!({"kind": "country", "value": "DE", "file": "s.yaml", "line": 12}));
    assert_eq!(geo["removed"][0]["pop"], "lab");
    assert_eq!(geo["removed"][0]["why"], "fenced: not listed");
    let kilometres = told["steps"][2]["groups"][0][0]["value"].as_f64().unwrap();
    assert!((kilometres - 423.0).abs() < 3.0, "Berlin to Frankfurt: {kilometres}");
    assert_eq!(told["steps"][3]["groups"][0][0]["value"], 100.0);
    assert_eq!(told["steps"][4]["removed"][0]["why"], "not among the first 1");
    assert_eq!(told["answer"][0]["address"], "192.0.2.10");
    assert_eq!(told["outcome"], "answer");
    assert!(told["when_all_down"].is_null());
}

#[test]
fn plans_share_classes_and_unknown_names_are_the_last_resort() {
    let mut document = document(json!([{"step": "distance"}]));
    let mut pool = document["pools"][0].clone();
    pool["name"] = "second".into();
    document["pools"].as_array_mut().unwrap().push(pool);
    let mut name = document["names"][0].clone();
    name["name"] = "second.example.com.".into();
    name["pool"] = 1.into();
    document["names"].as_array_mut().unwrap().push(name);
    let steering = compile(&document.to_string(), &networks()).unwrap();
    let size = steering.size();
    assert_eq!(size.plans, 4);
    assert_eq!(size.classes, 3 + 1, "three for the five IPv4 endpoints, one for the only IPv6 endpoint");
    let mut selection = super::Selection::new();
    let standing = Standing::new(&steering, Verdicts::all_serving(12), Loads::default());
    let decision = steering.decide(
        9,
        number::A,
        GERMANY.parse().unwrap(),
        &standing,
        &mut Random::new(1),
        &mut selection,
    );
    assert_eq!(decision, Decision { outcome: Outcome::NotOffered, ttl: 0, scope: 0 });
}
