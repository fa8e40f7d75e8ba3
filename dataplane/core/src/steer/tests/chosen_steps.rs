//! The steps that decide when the query comes, and bands, overrides, declared types and opting out.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use serde_json::{Value, json};

use super::compile;
use super::steps::{CALIFORNIA, GERMANY, NOWHERE, document, rule};
use super::trees::{ask, ask_with, built};
use crate::steer::Outcome;
use crate::wire::rtype::number;

const UP: [u8; 6] = [0; 6];

/// The steps over the pool of `steps::document`.
fn over(steps: Value) -> crate::steer::Steering {
    built(&document(steps))
}

/// Loads of the four POPs in thousandths.
fn loads(of: [u16; 4]) -> Vec<u8> {
    of.iter().flat_map(|load| load.to_be_bytes()).collect()
}

#[test]
fn steps_of_one_kind_of_rule() {
    let asn = over(json!([{"step": "asn", "mode": "fence", "rules": [rule("asn", "64500", &[1], 11)]}]));
    let told = ask(&asn, GERMANY, &UP);
    assert_eq!((told.answer, told.explanation.steps[1].step), (vec![1], "asn"));
    assert_eq!(told.explanation.steps[1].note, None);
    assert_eq!(ask(&asn, GERMANY, &[0, 1, 0, 0, 0, 0]).outcome, Outcome::LastResort, "the fence holds");
    let told = ask(&asn, NOWHERE, &UP);
    assert_eq!(told.answer, [0, 1, 2, 3, 4], "without a default, others pass");
    let note = "no rule is for this client: the step does nothing";
    assert_eq!(told.explanation.steps[1].note, Some(note));
    let later = over(json!([{"step": "weighted"}, {"step": "take", "count": 32},
        {"step": "subnet", "mode": "fence", "rules": [rule("subnet", "192.0.2.0/24", &[1], 11)]}]));
    assert_eq!((ask(&later, GERMANY, &UP).answer, ask(&later, NOWHERE, &UP).answer.len()), (vec![1], 5));
    let subnet = over(
        json!([{"step": "subnet", "mode": "prefer", "rules": [rule("subnet", "203.0.113.0/24", &[2], 11)]}]),
    );
    assert_eq!(ask(&subnet, NOWHERE, &UP).answer, [3, 4]);
    let wrong = json!([{"step": "asn", "mode": "prefer", "rules": [rule("country", "DE", &[1], 11)]}]);
    let error = compile(&document(wrong).to_string(), &[]).unwrap_err().to_string();
    assert_eq!(error, "s.yaml:11: policy near: a step `asn` has no rules for a country: use `geo`");
}

#[test]
fn a_tolerance_makes_bands_that_do_not_move() {
    // DE: fra 5 ms, ams 12.5 ms, the others are not measured.
    let steering = over(json!([{"step": "latency", "tolerance": {"milliseconds": 7.5}}]));
    let told = ask(&steering, GERMANY, &UP);
    assert_eq!(told.answer, [0, 1], "inclusive");
    let report = serde_json::to_value(&told.explanation).unwrap();
    assert_eq!(report["steps"][1]["groups"][0][1]["band"], 1);
    let narrow = over(json!([{"step": "latency", "tolerance": {"percent": 149.0}}]));
    assert_eq!(ask(&narrow, GERMANY, &UP).answer, [0]);
    let mut document = document(json!([{"step": "latency", "tolerance": {"milliseconds": 5.0}}]));
    document["latency"] = json!([
        {"kind": "default", "pop": 0, "milliseconds": 10.0}, {"kind": "default", "pop": 1, "milliseconds": 14.0},
        {"kind": "default", "pop": 2, "milliseconds": 16.0}]);
    let steering = built(&document);
    assert_eq!(ask(&steering, NOWHERE, &UP).answer, [0, 1]);
    assert_eq!(ask(&steering, NOWHERE, &[1, 0, 0, 0, 0, 0]).answer, [1], "16 ms stays in the second band");
}

/// The scores were worked out apart from this code, in Python, from the formula.
#[test]
fn sticky_follows_the_formula() {
    let steering = over(json!([{"step": "sticky", "ipv4": 24, "ipv6": 56}, {"step": "take", "count": 5}]));
    let told = ask(&steering, "203.0.113.77", &UP);
    assert_eq!(told.answer, SCORES.map(|(endpoint, _)| endpoint));
    for (report, (_, score)) in told.explanation.steps[1].groups.iter().flatten().zip(SCORES) {
        assert!((report.value.unwrap() - score).abs() < 1e-15, "{report:?} {score}");
    }
    assert_eq!(told.scope, 24);
    assert!(told.explanation.scope.reason.contains("24 bits"));
    assert_eq!(ask(&steering, "203.0.113.200", &UP).answer, told.answer);
    assert_eq!(
        ask_with(&steering, number::AAAA, "2001:db8::1", &UP, &[], 1).scope,
        0,
        "there is one candidate"
    );
}

const SCORES: [(u32, f64); 5] = [
    (3, 0.0013146917100380342),
    (2, 0.002052212075794214),
    (1, 0.00471934618960539),
    (4, 0.007369489707478399),
    (0, 0.03346750199735575),
];

#[test]
fn sticky_shares_follow_weights_and_few_clients_move() {
    let steering = over(json!([{"step": "sticky", "ipv4": 24, "ipv6": 56}]));
    let client = |number: u32| std::net::Ipv4Addr::from(number << 8 | 9).to_string();
    const CLIENTS: u32 = 20_000;
    let before: Vec<u32> = (0..CLIENTS).map(|n| ask(&steering, &client(n), &UP).answer[0]).collect();
    let mut counts: HashMap<u32, f64> = HashMap::new();
    before.iter().for_each(|&endpoint| *counts.entry(endpoint).or_default() += 1.0);
    let chi: f64 = [(0, 100.0), (1, 100.0), (2, 100.0), (3, 300.0), (4, 100.0)]
        .iter()
        .map(|(endpoint, weight)| {
            let expected = weight / 700.0 * f64::from(CLIENTS);
            (counts[endpoint] - expected).powi(2) / expected
        })
        .sum();
    // Four degrees of freedom: 13.3 is the 1 % point.
    assert!(chi < 13.3, "{chi} {counts:?}");
    let mut moved = 0;
    for (number, &had) in (0..).zip(&before) {
        let now = ask(&steering, &client(number), &[0, 1, 0, 0, 0, 0]).answer[0];
        moved += u32::from(now != had);
        assert!(now == had || had == 1, "only the clients of what went have moved");
    }
    assert!(f64::from(moved) <= f64::from(CLIENTS) * (1.0 / 7.0 + 0.01), "{moved}");
}

#[test]
fn shed_units_come_after_all_others() {
    let steering = over(json!([{"step": "failover", "mode": "prefer", "tiers": [[0], [1]]},
                               {"step": "shed", "low": 0.5, "high": 0.9}]));
    let at = |of: [u16; 4], seed| ask_with(&steering, number::A, NOWHERE, &UP, &loads(of), seed);
    assert_eq!(at([500, 0, 0, 0], 1).answer, [0], "not above low");
    assert_eq!(at([900, 0, 0, 0], 1).answer, [1], "shed for all");
    assert_eq!(at([900, 900, 0, 65_535], 1).answer, [2, 3, 4]);
    assert_eq!(at([900, 900, 2000, 1000], 1).answer, [0], "all are shed: in their order");
    let shed = (0..2000).filter(|&seed| at([600, 0, 0, 0], seed).answer == [1]).count();
    // A quarter of 2,000; standard deviation 19.
    assert!((430..570).contains(&shed), "{shed}");
    let told = at([900, 0, 0, 0], 1);
    let report = serde_json::to_value(&told.explanation).unwrap();
    let last = report["steps"][2]["groups"].as_array().unwrap().last().unwrap();
    assert_eq!((&last[0]["shed"], &last[0]["value"]), (&json!(true), &json!(0.9)));
    let later = over(json!([{"step": "take", "count": 3}, {"step": "shed", "low": 0.5, "high": 0.9}]));
    assert_eq!(ask_with(&later, number::A, NOWHERE, &UP, &loads([950, 0, 0, 0]), 1).answer, [1, 2]);
}

#[test]
fn shuffle_keeps_equals() {
    let steering = over(json!([{"step": "distance"}, {"step": "take", "count": 3}, {"step": "shuffle"}]));
    let mut seen: HashMap<Vec<u32>, u32> = HashMap::new();
    for seed in 0..6000 {
        let answer = ask_with(&steering, number::A, GERMANY, &UP, &[], seed).answer;
        *seen.entry(answer).or_default() += 1;
    }
    assert_eq!(seen.len(), 6, "every order of three");
    assert!(seen.values().all(|&count| (860..1140).contains(&count)), "{seen:?}");
}

#[test]
fn same_pop_needs_both_families() {
    let sticky = json!([{"step": "same_pop"}, {"step": "sticky", "ipv4": 24, "ipv6": 56}]);
    let mut document = document(sticky);
    document["pools"][0]["endpoints"] = json!([
        {"pop": 0, "address": "192.0.2.10", "weight": 100}, {"pop": 1, "address": "192.0.2.11", "weight": 100},
        {"pop": 0, "address": "2001:db8::10", "weight": 100}, {"pop": 1, "address": "2001:db8::11", "weight": 100},
        {"pop": 0, "address": "192.0.2.12", "weight": 100}, {"pop": 3, "address": "192.0.2.13", "weight": 0}]);
    let steering = built(&document);
    let mut pops = [0, 0];
    for number in 0..200u32 {
        let client = std::net::Ipv4Addr::from(0xcb00_0000 | number << 8).to_string();
        let of = |rtype| ask_with(&steering, rtype, &client, &UP, &[], 1).answer;
        match (&of(number::A)[..], &of(number::AAAA)[..]) {
            ([0, 4], [2]) => pops[0] += 1,
            ([1], [3]) => pops[1] += 1,
            other => unreachable!("{other:?}"),
        }
    }
    assert!(pops[0] > 100 && pops[1] > 40, "300 to 200: {pops:?}");
    for client in ["192.0.2.1", "198.51.100.1", "203.0.113.1"] {
        assert_eq!(ask(&steering, client, &[0, 0, 1, 0, 0, 0]).answer, [1], "fra lacks IPv6");
        assert_eq!(ask(&steering, client, &[1, 0, 0, 0, 1, 0]).answer, [1], "fra lacks IPv4");
    }
    let told = ask(&steering, NOWHERE, &[0, 0, 1, 0, 0, 0]).explanation.steps;
    assert_eq!((told[1].note, &*told[1].removed[0].why), (None, "its POP does not serve in both families"));
    for (steps, message) in [
        (json!([{"step": "distance"}, {"step": "same_pop"}]), "must be the first step"),
        (json!([{"step": "same_pop"}, {"step": "weighted"}]), "cannot stand with weighted or shed"),
    ] {
        document["policies"][0]["steps"] = steps;
        assert!(compile(&document.to_string(), &[]).unwrap_err().to_string().contains(message));
    }
}

#[test]
fn same_pop_gives_way_where_no_pop_serves_in_both_families() {
    let mut document = document(json!([{"step": "same_pop"},
        {"step": "failover", "mode": "prefer", "tiers": [[0], [1]]}, {"step": "take", "count": 1}]));
    document["pools"][0]["when_all_down"] = "last_good".into();
    document["pools"][0]["endpoints"] = json!([
        {"pop": 0, "address": "192.0.2.10", "weight": 100}, {"pop": 1, "address": "192.0.2.11", "weight": 100},
        {"pop": 0, "address": "2001:db8::10", "weight": 100}, {"pop": 1, "address": "2001:db8::11", "weight": 100},
        {"pop": 3, "address": "192.0.2.13", "weight": 100}]);
    let steering = built(&document);
    let of = |rtype, octets: &[u8]| ask_with(&steering, rtype, NOWHERE, octets, &[], 1);
    for (octets, ipv4, ipv6, gives_way) in [
        ([0, 0, 0, 0, 0], 0, 2, [false, false]),
        ([0, 0, 1, 0, 0], 1, 3, [false, false]),
        ([1, 0, 0, 1, 0], 1, 2, [true, true]),
        ([2, 0, 0, 2, 0], 1, 2, [true, true]),
        ([1, 1, 0, 0, 0], 4, 2, [true, true]),
        ([1, 1, 0, 0, 1], 0, 2, [false, true]),
        ([2, 2, 0, 0, 2], 0, 2, [false, true]),
        ([5, 1, 1, 5, 1], 0, 3, [true, true]),
        ([2, 1, 1, 2, 2], 1, 2, [true, true]),
        ([1, 1, 1, 1, 1], 0, 2, [false, false]),
        ([2, 2, 2, 2, 2], 0, 2, [false, false]),
    ] {
        let told = [of(number::A, &octets), of(number::AAAA, &octets)];
        assert_eq!(told.each_ref().map(|told| &told.answer[..]), [&[ipv4][..], &[ipv6]], "{octets:?}");
        let notes = told.map(|told| told.explanation.steps[1].note);
        let note = "no POP serves in both families: the step gives way";
        assert_eq!(notes, gives_way.map(|gives_way| gives_way.then_some(note)), "{octets:?}");
    }
    // What a pool declares for when nothing serves holds for the family of which nothing does, and not for the other.
    document["pools"][0]["when_all_down"] = "nodata".into();
    let steering = built(&document);
    let of = |rtype| ask_with(&steering, rtype, NOWHERE, &[1, 1, 0, 0, 1], &[], 1);
    assert_eq!((of(number::A).outcome, of(number::AAAA).answer), (Outcome::NoData, vec![2]));
    // A POP without addresses of either family counts by what else it has.
    document["pools"][0]["endpoints"][4] =
        json!({"pop": 3, "weight": 1, "records": [{"type": 16, "rdata": ["0161"]}]});
    document["pools"][0]["endpoints"][0]["records"] = json!([{"type": 16, "rdata": ["0162"]}]);
    let steering = built(&document);
    let text = |octets: &[u8]| ask_with(&steering, number::TXT, NOWHERE, octets, &[], 1).answer;
    assert_eq!((text(&[0, 0, 0, 0, 0]), text(&[0, 0, 1, 0, 1])), (vec![0], vec![0]));
}

#[test]
fn weight_zero_comes_after_all_others_of_its_stage() {
    let failover = json!({"step": "failover", "mode": "prefer", "tiers": [[0], [1]]});
    let shed = json!({"step": "shed", "low": 0.5, "high": 0.9});
    let sticky = json!({"step": "sticky", "ipv4": 24, "ipv6": 56});
    let (weighted, all) = (json!({"step": "weighted"}), json!({"step": "take", "count": 5}));
    let one = json!({"step": "take", "count": 1});
    let with = |steps: &[&Value]| {
        let mut document = document(steps.iter().copied().cloned().collect());
        document["pools"][0]["endpoints"][0]["weight"] = 0.into();
        built(&document)
    };
    // All but fra are overloaded.
    let loads = loads([0, 2000, 2000, 2000]);
    let ask = |steps: &[&Value], octets: &[u8], seed| {
        ask_with(&with(steps), number::A, NOWHERE, octets, &loads, seed)
    };
    for seed in 0..20 {
        for by_weight in [&weighted, &sticky] {
            assert_eq!(ask(&[&failover, by_weight], &UP, seed).answer, [1]);
            assert_eq!(ask(&[&failover, by_weight, &one], &UP, seed).answer, [1]);
            assert_eq!(ask(&[&failover, by_weight, &shed, &one], &UP, seed).answer, [1]);
            for steps in [
                &[&failover, by_weight, &all][..],
                &[&shed, &failover, by_weight, &all],
                &[&failover, by_weight, &shed, &all],
                &[&failover, &shed, by_weight, &shed, &all],
            ] {
                let told = ask(steps, &UP, seed);
                assert_eq!((told.answer.len(), told.answer[0], told.answer[4]), (5, 1, 0));
                let weighing =
                    told.explanation.steps.iter().find(|step| step.unit == by_weight_unit(by_weight));
                assert_eq!(weighing.unwrap().note, Some("weight 0 comes after all others"));
            }
            assert_eq!(ask(&[&failover, by_weight, &one], &[0, 1, 1, 1, 1, 0], seed).answer, [0]);
            assert_eq!(ask(&[&all, &failover, by_weight], &UP, seed).answer, [1], "in a later stage too");
            assert_eq!(ask(&[&failover, &one, by_weight], &UP, seed).answer, [0], "not in an earlier one");
        }
        assert_eq!(ask(&[&failover, &all], &UP, seed).answer[0], 0, "only where weights count");
    }
    let told = ask(&[&failover, &weighted, &one], &UP, 1).explanation.steps;
    let first = &told[2].groups[0][0];
    assert_eq!((first.pop.as_deref(), first.value), (Some("ams"), Some(100.0)));
}

fn by_weight_unit(step: &Value) -> Option<&'static str> {
    Some(if step["step"] == "weighted" { "weight" } else { "score" })
}

#[test]
fn weight_zero_comes_last_of_more_equals_than_are_looked_at_one_by_one() {
    let mut document =
        document(json!([{"step": "failover", "mode": "prefer", "tiers": [[0, 1, 2, 3, 4, 5, 6, 7, 8]]},
        {"step": "weighted"}, {"step": "take", "count": 4}]));
    document["pops"] = (0..20).map(|pop| json!({"name": format!("p{pop}")})).collect();
    let weight = |pop: u32| if pop < 9 && pop != 3 { 0 } else { 1 + pop };
    let endpoint = |pop| json!({"pop": pop, "address": format!("192.0.2.{pop}"), "weight": weight(pop)});
    document["pools"][0]["endpoints"] = (0..20).map(endpoint).collect();
    document["latency"] = json!([]);
    let steering = built(&document);
    for seed in 0..50 {
        let answer = ask_with(&steering, number::A, NOWHERE, &[0; 20], &[], seed).answer;
        assert_eq!((answer.len(), answer[0]), (4, 3));
        assert!(answer[1..].iter().all(|&endpoint| endpoint >= 9), "{answer:?}");
        let mut octets = [1; 20];
        octets[..12].fill(0);
        octets[3] = 2;
        let answer = ask_with(&steering, number::A, NOWHERE, &octets, &[], seed).answer;
        assert!(answer[..3].iter().all(|endpoint| (9..12).contains(endpoint)) && answer[3] < 9, "{answer:?}");
    }
}

#[test]
fn overrides_come_before_the_databases() {
    let mut document = document(json!([{"step": "distance"}]));
    document["overrides"] = json!([
        {"network": "203.0.113.0/25", "continent": "", "country": "US", "subdivision": "US-CA", "asn": 64_511,
         "latitude": 37.0, "longitude": -122.0},
        {"network": "192.0.2.0/24", "asn": 64_512}]);
    let steering = built(&document);
    assert_eq!(ask(&steering, NOWHERE, &UP).answer, [3, 4]);
    assert_eq!(ask(&steering, "203.0.113.200", &UP).answer, [0, 1, 2, 3, 4]);
    let told = ask(&steering, GERMANY, &UP);
    assert_eq!(told.answer, [0], "what is left empty is the database's");
    assert_eq!(told.explanation.location.asn, Some(64_512));
    for elsewhere in [json!({"country": "FR"}), json!({"continent": "NA"}), json!({"subdivision": "FR-IDF"})]
    {
        document["overrides"][1] = elsewhere;
        document["overrides"][1]["network"] = "192.0.2.0/24".into();
        let told = ask(&built(&document), GERMANY, &UP).explanation.location;
        assert_eq!(told.coordinates, None, "those of the database are of another place");
        assert_ne!(told.country.map(|code| code.to_string()), Some("DE".into()));
    }
    document["overrides"][1] = json!({"network": "192.0.2.0/24", "country": "US"});
    let told = ask(&built(&document), GERMANY, &UP).explanation.location;
    assert_eq!(
        told.continent.map(|code| code.to_string()),
        Some("NA".into()),
        "as elsewhere in the databases"
    );
    document["overrides"][0]["latitude"] = 91.into();
    let error = compile(&document.to_string(), &[]).unwrap_err().to_string();
    assert!(error.starts_with("override of 203.0.113.0/25: latitude"), "{error}");
}

#[test]
fn a_name_can_leave_client_subnets_out_of_account() {
    let mut document = document(json!([{"step": "distance"}]));
    document["names"][0]["client_subnet"] = false.into();
    let told = ask(&built(&document), CALIFORNIA, &UP);
    assert_eq!((told.scope, told.answer), (0, vec![3, 4]));
    assert!(told.explanation.scope.reason.contains("client_subnet: false"));
}

#[test]
fn declared_types_and_aliases_are_steered_as_addresses_are() {
    let mut document = document(json!([{"step": "distance"}]));
    document["pools"][0]["endpoints"] = json!([
        {"pop": 0, "weight": 1, "records": [{"type": 16, "rdata": ["0161"]}]},
        {"pop": 2, "weight": 1, "address": "192.0.2.13", "records": [{"type": 16, "rdata": ["0162"]}]}]);
    let steering = built(&document);
    assert_eq!(ask_with(&steering, number::TXT, GERMANY, &[0, 0], &[], 1).answer, [0]);
    assert_eq!(ask_with(&steering, number::TXT, CALIFORNIA, &[0, 0], &[], 1).answer, [1]);
    assert_eq!(ask_with(&steering, number::A, GERMANY, &[0, 0], &[], 1).answer, [1]);
    assert_eq!(ask_with(&steering, number::MX, GERMANY, &[0, 0], &[], 1).outcome, Outcome::NotOffered);
    document["pools"][0]["endpoints"] = json!([
        {"pop": 0, "weight": 1, "cname": "a.cdn.example."}, {"pop": 2, "weight": 1, "cname": "b.cdn.example."}]);
    let steering = built(&document);
    for rtype in [number::A, number::CNAME, number::MX, 65_280] {
        assert_eq!(ask_with(&steering, rtype, CALIFORNIA, &[0, 0], &[], 1).answer, [1]);
    }
    let refused = |endpoint: Value| {
        let mut document = document.clone();
        document["pools"][0]["endpoints"] = json!([endpoint]);
        compile(&document.to_string(), &[]).unwrap_err().to_string()
    };
    assert!(refused(json!({"pop": 0, "weight": 1})).contains("neither an address"));
    assert!(
        refused(json!({"pop": 0, "weight": 1, "cname": "a."  , "address": "192.0.2.1"}))
            .contains("nothing else")
    );
    for (rtype, rdata, message) in [
        (6, "00", "cannot declare SOA"),
        (2, "00", "cannot declare NS"),
        (16, "0", "hexadecimal"),
        (15, "0001", "malformed"),
        (249, "00", "cannot declare"),
    ] {
        let error = refused(json!({"pop": 0, "weight": 1, "records": [{"type": rtype, "rdata": [rdata]}]}));
        assert!(error.contains(message), "{error}");
    }
}
