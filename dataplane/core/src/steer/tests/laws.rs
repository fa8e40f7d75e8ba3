//! Laws that hold for every policy: the engine agrees with the reference, the scope is truthful, an
//! explanation is of the very decision.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;

use super::reference::{self, Case};
use super::{Question, compile};
use crate::geo::cover::tests::fixed;
use crate::steer::verdict::{Said, Verdict, Verdicts};
use crate::steer::{Outcome, Random, Steering};
use crate::wire::rtype::number;

fn question(case: &Case, octets: &[u8], ipv6: bool, client: IpAddr, seed: u64) -> (Question, Vec<Verdict>) {
    let octets = &octets[..case.endpoints.len()];
    let rtype = if ipv6 { number::AAAA } else { number::A };
    let verdicts = Verdicts::from_octets(octets).unwrap();
    let list = octets.iter().map(|&octet| Said::from_octet(octet).unwrap().verdict).collect();
    (Question { rtype, client, verdicts, random: Random::new(seed) }, list)
}

fn steering(case: &Case) -> Steering {
    compile(&case.document(), &case.networks).unwrap()
}

/// Addresses of the prefix of `length` bits around `client`: its ends, and one at random.
fn inside(client: IpAddr, length: u8, salt: u128) -> [IpAddr; 3] {
    match client.to_canonical() {
        IpAddr::V4(address) => {
            let host = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            let first = u32::from(address) & !host;
            [first, first | host, first | (salt as u32 & host)].map(|all| IpAddr::V4(all.into()))
        }
        IpAddr::V6(address) => {
            let host = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            let first = u128::from(address) & !host;
            [first, first | host, first | (salt & host)].map(|all| IpAddr::V6(all.into()))
        }
    }
}

fn same_tree(a: &reference::Possible, b: &reference::Possible) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.1 == y.1)
}

/// The same 1,000 cases on every run; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for others.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = default.cases.max(1_000);
    ProptestConfig { cases, ..fixed(default) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decisions_without_chance_equal_the_reference(
        case in reference::case(false),
        octets in reference::verdicts(),
        clients in prop::collection::vec(reference::client(), 4),
        ipv6: bool,
    ) {
        let steering = steering(&case);
        for client in clients {
            let (question, verdicts) = question(&case, &octets, ipv6, client, 1);
            let (decision, answer, random) = question.decide(&steering);
            let expected = case.answers(ipv6, client, &verdicts);
            prop_assert_eq!(expected, vec![(1.0, (decision.outcome, answer))]);
            prop_assert_eq!(decision.ttl, 30);
            prop_assert_eq!(random, question.random, "no chance is taken");
        }
    }

    #[test]
    fn random_decisions_are_possible(
        case in reference::case(true),
        octets in reference::verdicts(),
        client in reference::client(),
        ipv6: bool,
        seed: u64,
    ) {
        let (mut question, verdicts) = question(&case, &octets, ipv6, client, seed);
        let steering = steering(&case);
        let possible = case.answers(ipv6, client, &verdicts);
        prop_assert!((possible.iter().map(|(p, _)| p).sum::<f64>() - 1.0).abs() < 1e-9);
        for _ in 0..8 {
            let (decision, answer, random) = question.decide(&steering);
            let given = (decision.outcome, answer);
            prop_assert!(possible.iter().any(|(_, one)| *one == given), "{:?} of {:?}", given, possible);
            question.random = random;
        }
    }

    #[test]
    fn every_client_in_the_scope_has_the_same_decision_tree(
        case in reference::case(true),
        verdict_lists in prop::collection::vec(reference::verdicts(), 4),
        client in reference::client(),
        ipv6: bool,
        salt: u128,
    ) {
        let steering = steering(&case);
        let (question, _) = question(&case, &verdict_lists[0], ipv6, client, 1);
        let scope = question.decide(&steering).0.scope;
        for other in inside(client, scope, salt) {
            let mut beside = question.clone();
            beside.client = other;
            prop_assert_eq!(beside.decide(&steering).0.scope, scope);
            for octets in &verdict_lists {
                let (mut here, verdicts) = self::question(&case, octets, ipv6, client, 5);
                let mine = here.decide(&steering);
                here.client = other;
                prop_assert_eq!(here.decide(&steering), mine);
                prop_assert!(same_tree(
                    &case.answers(ipv6, client, &verdicts),
                    &case.answers(ipv6, other, &verdicts)
                ));
            }
        }
        // And it is the shortest: twice as large a prefix holds a client of another class.
        if let (Some(wider), Some(plan)) = (scope.checked_sub(1), steering.tree(0, question.rtype)) {
            let class = plan.classes.find(client).class;
            let mut at = inside(client, wider, 0)[0];
            let last = inside(client, wider, 0)[1];
            let mut other = false;
            for _ in 0..10_000 {
                let found = plan.classes.find(at);
                other |= found.class != class;
                let end = inside(at, found.length, 0)[1];
                if other || end >= last {
                    break;
                }
                at = inside(successor(end), 128, 0)[0];
            }
            prop_assert!(other, "{}/{} is all one class", client, wider);
        }
    }

    #[test]
    fn explanations_are_of_the_decision(
        case in reference::case(true),
        octets in reference::verdicts(),
        client in reference::client(),
        ipv6: bool,
        seed: u64,
    ) {
        let steering = steering(&case);
        let (question, _) = question(&case, &octets, ipv6, client, seed);
        let decided = question.decide(&steering);
        let (decision, answer, random, explanation) = question.explain(&steering);
        prop_assert_eq!(&decided, &(decision, answer.clone(), random));
        prop_assert_eq!(explanation.outcome, decision.outcome);
        let told: Vec<u32> = explanation.answer.iter().filter_map(|candidate| candidate.endpoint).collect();
        prop_assert_eq!(&told, &answer);
        if let Some(report) = explanation.steps.last() {
            // The steps, told again from the policy, end in what the compiled orders led to.
            let first: Vec<u32> = report.groups.iter().flatten().filter_map(|candidate| candidate.endpoint).collect();
            prop_assert_eq!(&first, &answer);
        }
        for pair in explanation.steps.windows(2) {
            let kept: usize = pair[0].groups.iter().map(Vec::len).sum();
            prop_assert_eq!(kept, pair[1].candidates);
            let after: usize = pair[1].groups.iter().map(Vec::len).sum();
            prop_assert_eq!(after + pair[1].removed.len(), pair[1].candidates);
        }
        prop_assert_eq!(explanation.when_all_down.is_some(), steering.tree(0, question.rtype).is_some()
            && (decision.outcome != Outcome::Answer || !any_serving(&case, &octets, ipv6)));
        serde_json::to_string(&explanation).unwrap();
    }
}

fn any_serving(case: &Case, octets: &[u8], ipv6: bool) -> bool {
    case.endpoints.iter().zip(octets).any(|(endpoint, octet)| endpoint.1.is_ipv6() == ipv6 && *octet == 0)
}

fn successor(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(u32::from(address).wrapping_add(1).into()),
        IpAddr::V6(address) => IpAddr::V6(u128::from(address).wrapping_add(1).into()),
    }
}
