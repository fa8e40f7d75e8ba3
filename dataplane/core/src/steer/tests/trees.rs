//! Pools of pools, and what counts in them.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::compile;
use super::steps::{CALIFORNIA, NOWHERE, networks, rule};
use crate::steer::standing::Standing;
use crate::steer::verdict::{Loads, Verdicts};
use crate::steer::{Explanation, Outcome, Random, Selection, Steering};
use crate::wire::rtype::number;

/// POPs 0 fra, 1 ams, 2 sjc; pools 0 eu (fra, ams), 1 us (sjc, sjc), 2 world of both. Units: eu is 3, us is 4.
/// Endpoints 0 fra, 1 ams, 2 fra IPv6, 3 and 4 sjc, 5 sjc IPv6.
pub(super) fn world(root: Value, eu: Value, us: Value) -> Value {
    json!({
        "pops": [
            {"name": "fra", "latitude": 50.1, "longitude": 8.7},
            {"name": "ams", "latitude": 52.4, "longitude": 4.9},
            {"name": "sjc", "latitude": 37.4, "longitude": -121.9}
        ],
        "pools": [
            {"name": "eu", "when_all_down": "serve_all", "policy": 1, "endpoints": [
                {"pop": 0, "address": "192.0.2.10", "weight": 100},
                {"pop": 1, "address": "192.0.2.11", "weight": 100},
                {"pop": 0, "address": "2001:db8::10", "weight": 100}]},
            {"name": "us", "when_all_down": "nodata", "policy": 2, "endpoints": [
                {"pop": 2, "address": "192.0.2.13", "weight": 300},
                {"pop": 2, "address": "192.0.2.14", "weight": 100},
                {"pop": 2, "address": "2001:db8::13", "weight": 100}]},
            {"name": "world", "when_all_down": "serve_all", "policy": 0, "file": "s.yaml", "line": 5,
             "members": [{"pool": 0, "weight": 100}, {"pool": 1, "weight": 50}]}
        ],
        "policies": [
            {"name": "root", "file": "s.yaml", "line": 9, "steps": root},
            {"name": "eu", "steps": eu},
            {"name": "us", "steps": us}
        ],
        "names": [{"name": "www.example.com.", "pool": 2, "policy": null, "ttl": 60, "min_ttl": 10}]
    })
}

pub(super) fn built(document: &Value) -> Steering {
    compile(&document.to_string(), &networks()).unwrap()
}

pub(super) struct Told {
    pub outcome: Outcome,
    pub answer: Vec<u32>,
    pub ttl: u32,
    pub scope: u8,
    pub explanation: Explanation,
}

pub(super) fn ask_with(
    steering: &Steering,
    rtype: u16,
    client: &str,
    octets: &[u8],
    loads: &[u8],
    seed: u64,
) -> Told {
    let verdicts = Verdicts::from_octets(octets).unwrap();
    let standing = Standing::new(steering, verdicts, Loads::from_octets(loads).unwrap());
    let client = client.parse().unwrap();
    let mut selection = Selection::new();
    let decision = steering.decide(0, rtype, client, &standing, &mut Random::new(seed), &mut selection);
    let answer = selection.as_slice().to_vec();
    let (explained, explanation) =
        steering.explain(0, rtype, client, &standing, &mut Random::new(seed), &mut selection);
    assert_eq!((decision, &answer[..]), (explained, selection.as_slice()), "explaining changes nothing");
    Told { outcome: decision.outcome, answer, ttl: decision.ttl, scope: decision.scope, explanation }
}

pub(super) fn ask(steering: &Steering, client: &str, octets: &[u8]) -> Told {
    ask_with(steering, number::A, client, octets, &[], 1)
}

const UP: [u8; 6] = [0; 6];

fn failover() -> Value {
    json!([{"step": "failover", "mode": "prefer", "tiers": [[3], [4]]}])
}

#[test]
fn a_member_that_is_down_fails_over_to_the_next() {
    let steering = built(&world(failover(), json!([{"step": "distance"}]), json!([])));
    assert_eq!(ask(&steering, CALIFORNIA, &UP).answer, [1], "within eu by its own policy");
    assert_eq!(ask(&steering, CALIFORNIA, &[0, 1, 0, 0, 0, 0]).answer, [0]);
    let told = ask(&steering, CALIFORNIA, &[1, 2, 0, 0, 0, 0]);
    assert_eq!(told.answer, [3, 4]);
    assert_eq!(told.ttl, 10 + 50 * 2 / 3, "two of the three that are not drained serve");
    let report = serde_json::to_value(&told.explanation).unwrap();
    assert_eq!(report["steps"][0]["removed"][0]["pool"], "eu");
    assert_eq!(report["steps"][0]["removed"][0]["why"], "not available: 0 healthy, 1 needed");
    assert_eq!(report["entered"][0]["pool"]["name"], "us");
    assert_eq!(report["entered"][0]["steps"][1]["groups"][0][1]["address"], "192.0.2.14");
    assert_eq!(report["ttl"]["reason"], "between 10 and 60: 2 of 3 endpoints that are not drained serve");
    let all = built(&world(json!([]), json!([]), json!([{"step": "take", "count": 1}])));
    assert_eq!(ask(&all, NOWHERE, &UP).answer, [0, 1, 3], "every member, expanded in place");
    assert_eq!(ask_with(&all, number::AAAA, NOWHERE, &UP, &[], 1).answer, [2, 5]);
}

#[test]
fn a_member_is_as_near_as_its_nearest_pop() {
    let steering = built(&world(json!([{"step": "distance"}]), json!([]), json!([])));
    assert_eq!(ask(&steering, CALIFORNIA, &UP).answer, [3, 4]);
    assert_eq!(ask(&steering, "192.0.2.1", &UP).answer, [0, 1]);
    let biased = json!([{"step": "distance", "bias": [[3, -20000.0]]}]);
    let steering = built(&world(biased, json!([]), json!([])));
    let told = ask(&steering, CALIFORNIA, &UP);
    assert_eq!(told.answer, [0, 1], "drawn in by the bias");
    let report = serde_json::to_value(&told.explanation).unwrap();
    assert_eq!(report["steps"][1]["groups"][0][0]["bias"], -20000.0);
    assert_eq!(report["steps"][1]["groups"][0][0]["value"], 0.0, "never below 0");
}

#[test]
fn min_healthy_is_a_count_or_a_share_for_each_family() {
    let with = |need: Value| {
        let mut document = world(failover(), json!([]), json!([]));
        document["pools"][0]["min_healthy"] = need;
        built(&document)
    };
    let two = with(json!({"ipv4": {"count": 2}}));
    assert_eq!(ask(&two, NOWHERE, &UP).answer, [0, 1]);
    assert_eq!(ask(&two, NOWHERE, &[0, 1, 0, 0, 0, 0]).answer, [3, 4]);
    assert_eq!(ask_with(&two, number::AAAA, NOWHERE, &[0, 1, 0, 0, 0, 0], &[], 1).answer, [2]);
    let half = with(json!({"ipv4": {"fraction": 0.5}}));
    assert_eq!(ask(&half, NOWHERE, &[0, 1, 0, 0, 0, 0]).answer, [0], "1 of 2 is half");
    let most = with(json!({"ipv4": {"fraction": 0.51}}));
    assert_eq!(ask(&most, NOWHERE, &[0, 1, 0, 0, 0, 0]).answer, [3, 4], "rounded up");
    assert_eq!(ask(&most, NOWHERE, &[0, 2, 0, 0, 0, 0]).answer, [0], "drained ones are not counted");
    assert_eq!(ask(&with(json!({"ipv4": {"count": 0}})), NOWHERE, &[1, 1, 0, 0, 0, 0]).answer, [3, 4]);
    // Of a pool of pools, members are counted.
    let mut document = world(failover(), json!([]), json!([]));
    document["pools"][2]["min_healthy"] = json!({"ipv4": {"fraction": 1.0}});
    document["pools"][2]["when_all_down"] = "fallback".into();
    let all = built(&document);
    assert_eq!(ask(&all, NOWHERE, &UP).answer, [0, 1]);
    let told = ask(&all, NOWHERE, &[0, 0, 0, 1, 1, 0]);
    assert_eq!((told.outcome, told.ttl), (Outcome::LastResort, 10));
    let reason = told.explanation.when_all_down.unwrap().reason;
    assert!(reason.starts_with("1 members are available where 2 are needed"), "{reason}");
    assert_eq!(ask(&all, NOWHERE, &[0, 0, 0, 2, 2, 0]).answer, [0, 1], "a drained member is not counted");
}

#[test]
fn only_the_roots_when_all_down_counts() {
    let with = |declared: &str| {
        let mut document = world(failover(), json!([]), json!([]));
        document["pools"][2]["when_all_down"] = declared.into();
        built(&document)
    };
    let down = [1u8; 6];
    let outcome = |declared: &str, octets: &[u8]| {
        let told = ask(&with(declared), NOWHERE, octets);
        (told.outcome, told.answer)
    };
    assert_eq!(outcome("serve_all", &down), (Outcome::Answer, vec![0, 1]));
    assert_eq!(outcome("serve_all", &[2, 2, 2, 1, 2, 2]), (Outcome::Answer, vec![3]), "drained stay out");
    assert_eq!(outcome("serve_all", &[2; 6]), (Outcome::Answer, vec![0, 1]), "unless all are");
    assert_eq!(outcome("last_good", &[1, 1, 1, 1, 5, 1]), (Outcome::Answer, vec![4]));
    assert_eq!(outcome("last_good", &[5, 1, 1, 1, 5, 1]), (Outcome::Answer, vec![0]));
    assert_eq!(outcome("last_good", &[6, 1, 1, 1, 5, 1]), (Outcome::Answer, vec![4]), "drained ones not");
    assert_eq!(
        outcome("last_good", &[1, 1, 5, 1, 1, 5]),
        (Outcome::Answer, vec![0, 1]),
        "none of the family"
    );
    assert_eq!(outcome("fallback", &down), (Outcome::LastResort, vec![]));
    assert_eq!(outcome("nodata", &down), (Outcome::NoData, vec![]));
    assert_eq!(outcome("servfail", &down), (Outcome::ServFail, vec![]));
    let told = ask(&with("last_good"), NOWHERE, &[1, 1, 1, 1, 5, 1]);
    assert_eq!(told.ttl, 10);
    let reason = told.explanation.when_all_down.unwrap().reason;
    assert_eq!(reason, "nothing serves: the endpoints that served last count as serving");
    assert_eq!(told.explanation.ttl.reason, "the least declared: when_all_down is in effect");
}

#[test]
fn a_member_whose_fence_leaves_nothing_does_not_count() {
    let germans = json!([{"step": "geo", "mode": "fence", "rules": [rule("country", "DE", &[0, 1], 11)]}]);
    let steering = built(&world(failover(), germans.clone(), json!([])));
    assert_eq!(ask(&steering, "192.0.2.1", &UP).answer, [0]);
    let told = ask(&steering, CALIFORNIA, &UP);
    assert_eq!(told.answer, [3, 4]);
    let why = &told.explanation.steps[0].removed[0].why;
    assert_eq!(why, "its policy leaves this client none of its candidates");
    assert_eq!(ask(&steering, "192.0.2.1", &[1, 1, 0, 0, 0, 0]).answer, [3, 4]);
    let told = ask(&steering, CALIFORNIA, &[0, 0, 0, 1, 1, 0]);
    assert_eq!((told.outcome, told.answer), (Outcome::LastResort, vec![]), "eu is available, but not for it");
    // A member that draws before its fence gives the same when asked and when chosen.
    let drawn = json!([{"step": "weighted"}, {"step": "take", "count": 1},
                       {"step": "failover", "mode": "fence", "tiers": [[0]]}]);
    let steering = built(&world(failover(), drawn, json!([])));
    let mut seen = std::collections::BTreeMap::new();
    for seed in 0..1000 {
        *seen.entry(ask_with(&steering, number::A, NOWHERE, &UP, &[], seed).answer).or_insert(0u32) += 1;
    }
    assert_eq!(seen.keys().collect::<Vec<_>>(), [&vec![0], &vec![3, 4]]);
    assert!(seen.values().all(|&count| (400..600).contains(&count)), "{seen:?}");
}

#[test]
fn what_a_client_never_comes_to_does_not_lengthen_its_scope() {
    // Germans go to eu and nowhere else; us tells a part of Germany's network apart, and by the client's prefix.
    let fence = json!([{"step": "geo", "mode": "fence", "rules": [
        rule("country", "DE", &[3], 1), rule("country", "US", &[4], 2)]}]);
    let telling = json!([
        {"step": "geo", "mode": "fence", "rules": [
            rule("subnet", "192.0.2.0/25", &[2], 3), rule("continent", "NA", &[2], 4)]},
        {"step": "sticky", "ipv4": 28, "ipv6": 60}]);
    let mut document = world(fence, json!([]), telling);
    let scope = |document: &Value| ask(&built(document), "192.0.2.1", &UP);
    let told = scope(&document);
    assert_eq!((told.scope, told.answer), (24, vec![0, 1]));
    assert_eq!(ask(&built(&document), CALIFORNIA, &UP).scope, 28);
    // A fence tells of what it drops, not what would have happened to it below.
    let dropped = &told.explanation.steps[1].removed;
    assert_eq!(dropped.len(), 1);
    assert!(told.explanation.steps[0].removed.is_empty(), "{:?}", told.explanation.steps[0].removed);
    // Once another way leads there, it counts.
    let us = document["pools"][1].clone();
    document["pools"][0] =
        json!({"name": "eu", "when_all_down": "serve_all", "members": [{"pool": 3, "weight": 1}]});
    document["pools"].as_array_mut().unwrap().push(us);
    document["pools"][3]["name"] = "eu-us".into();
    assert_eq!(scope(&document).scope, 28);
}

#[test]
fn a_member_that_a_later_stage_drops_tells_clients_apart_only_if_it_is_asked() {
    // us is dropped behind the take. It may refuse only where its policy has a fence; eu's always has one.
    let fence = |tier: u32| json!({"step": "failover", "mode": "fence", "tiers": [[tier]]});
    let root = json!([{"step": "take", "count": 2}, fence(3)]);
    let telling = |mode: &str| {
        json!([{"step": "geo", "mode": mode, "rules": [
            rule("subnet", "192.0.2.0/25", &[2], 3), rule("default", "", &[0], 4)]}])
    };
    let told = |us: Value| ask(&built(&world(root.clone(), json!([fence(0)]), us)), "192.0.2.1", &UP);
    assert_eq!((told(telling("prefer")).scope, told(telling("prefer")).answer), (0, vec![0]));
    assert_eq!((told(telling("fence")).scope, told(telling("fence")).answer), (25, vec![0]));
}

#[test]
fn members_are_drawn_by_their_weights_in_the_pool_of_pools() {
    let steering =
        built(&world(json!([{"step": "weighted"}]), json!([]), json!([{"step": "take", "count": 1}])));
    let eu =
        (0..3000).filter(|&seed| ask_with(&steering, number::A, NOWHERE, &UP, &[], seed).answer == [0, 1]);
    let count = eu.count();
    // 2,000 expected, standard deviation 26.
    assert!((1_920..2_080).contains(&count), "{count}");
}

#[test]
fn a_member_of_weight_zero_is_for_when_the_others_are_gone() {
    let steps = json!([{"step": "failover", "mode": "prefer", "tiers": [[3], [4]]},
        {"step": "shed", "low": 0.5, "high": 0.9}, {"step": "weighted"}, {"step": "take", "count": 1}]);
    let mut document = world(steps, json!([]), json!([]));
    document["pools"][2]["members"][0]["weight"] = 0.into();
    let steering = built(&document);
    let loads: Vec<u8> = [0u16, 0, 2000].into_iter().flat_map(u16::to_be_bytes).collect();
    for seed in 0..20 {
        let of = |octets: &[u8]| ask_with(&steering, number::A, NOWHERE, octets, &loads, seed).answer;
        assert_eq!((of(&UP), of(&[0, 0, 0, 1, 1, 0])), (vec![3, 4], vec![0, 1]));
    }
}

#[test]
fn a_pool_reached_twice_answers_once() {
    let mut document = world(json!([]), json!([]), json!([]));
    document["pools"].as_array_mut().unwrap().push(json!({
        "name": "both", "when_all_down": "serve_all", "policy": 0,
        "members": [{"pool": 0, "weight": 1}, {"pool": 2, "weight": 1}]}));
    document["names"][0]["pool"] = 3.into();
    let steering = built(&document);
    assert_eq!(ask(&steering, NOWHERE, &UP).answer, [0, 1, 3, 4]);
    assert_eq!(ask(&steering, NOWHERE, &[0, 1, 0, 0, 0, 0]).ttl, 10 + 50 * 3 / 4, "counted once");
}

#[test]
fn nesting_is_checked() {
    let error = |change: &dyn Fn(&mut Value)| {
        let mut document = world(json!([]), json!([]), json!([]));
        change(&mut document);
        compile(&document.to_string(), &[]).unwrap_err().to_string()
    };
    let members = |members: Value| error(&|d| d["pools"][2]["members"] = members.clone());
    assert_eq!(members(json!([{"pool": 2, "weight": 1}])), "s.yaml:5: pool world: it is a member of itself");
    assert_eq!(members(json!([{"pool": 9, "weight": 1}])), "s.yaml:5: pool world: there is no pool 9");
    let chain = |length: usize| {
        let mut document = world(json!([]), json!([]), json!([]));
        for number in 3..length {
            document["pools"].as_array_mut().unwrap().push(json!({
                "name": format!("p{number}"), "when_all_down": "nodata", "policy": 0,
                "members": [{"pool": number - 1, "weight": 1}]}));
        }
        document["names"][0]["pool"] = (length - 1).into();
        compile(&document.to_string(), &[])
    };
    assert_eq!(ask(&chain(9).unwrap(), NOWHERE, &UP).answer, [0, 1, 3, 4], "eight deep");
    assert!(chain(10).unwrap_err().to_string().contains("nest more than 8 deep"));
    assert!(chain(5000).unwrap_err().to_string().contains("nest more than 8 deep"));
    let both = error(&|d| d["pools"][0]["members"] = json!([{"pool": 1, "weight": 1}]));
    assert!(both.contains("both endpoints and member pools"), "{both}");
    let whole = error(&|d| d["policies"][0]["steps"] = json!([{"step": "same_pop"}]));
    assert!(whole.contains("same_pop is for pools of endpoints"), "{whole}");
    let none = error(&|d| d["pools"][2]["policy"] = Value::Null);
    assert!(none.contains("neither it nor its pool world has a policy"), "{none}");
    let mixed = error(&|d| {
        d["pools"][0]["endpoints"] = json!([{"pop": 0, "cname": "a.example.", "weight": 1}]);
    });
    assert!(mixed.contains("some pools below have cnames"), "{mixed}");
}
