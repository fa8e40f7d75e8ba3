//! The shares of weighted answers.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::reference::{Case, Step, Where};
use super::steps::{CALIFORNIA, NOWHERE, document, networks};
use super::{Question, compile};
use crate::steer::Random;
use crate::steer::verdict::{Verdict, Verdicts};
use crate::wire::rtype::number;

#[test]
fn answers_follow_the_weights() {
    // Distance leaves the two San Jose endpoints, 300 : 100, and then the rest.
    let case = |steps| Case {
        pops: vec![Some((50.1, 8.7)), Some((37.4, -121.9))],
        endpoints: [(1, 300), (1, 100), (0, 7), (1, 0), (0, 21)]
            .iter()
            .zip(1..)
            .map(|(&(pop, weight), last)| (pop, [192, 0, 2, last].into(), weight))
            .collect(),
        when_all_down: "serve_all",
        steps,
        networks: networks(),
        latency: vec![],
    };
    let fence = Step::Geo { fence: true, rules: vec![(Where::Default, vec![1])] };
    for steps in [
        vec![Step::Distance, Step::Weighted],
        vec![Step::Distance, Step::Weighted, Step::Take(2)],
        vec![Step::Distance, Step::Weighted, Step::Take(4), Step::Weighted],
        vec![Step::Weighted, Step::Take(2), Step::Distance],
        vec![Step::Weighted, fence, Step::Weighted],
    ] {
        let case = case(steps);
        let steering = compile(&case.document(), &case.networks).unwrap();
        let verdicts = Verdicts::all_serving(5);
        let mut question = Question {
            rtype: number::A,
            client: CALIFORNIA.parse().unwrap(),
            verdicts,
            random: Random::new(11),
        };
        let possible = case.answers(false, question.client, &[Verdict::Serving; 5]);
        let mut counts = vec![0u32; possible.len()];
        const ROUNDS: u32 = 50_000;
        for _ in 0..ROUNDS {
            let (decision, answer, random) = question.decide(&steering);
            let given = (decision.outcome, answer);
            counts[possible.iter().position(|(_, one)| *one == given).unwrap()] += 1;
            question.random = random;
        }
        let chi: f64 = possible
            .iter()
            .zip(&counts)
            .map(|((share, _), &count)| {
                let expected = share * f64::from(ROUNDS);
                (f64::from(count) - expected).powi(2) / expected
            })
            .sum();
        let limit = chi_limit((possible.len() - 1).max(1) as f64);
        assert!(chi < limit, "{:?}: {chi} of {limit}: {counts:?} {possible:?}", case.steps);
    }
}

#[test]
fn draws_from_many_pops_follow_the_weights() {
    // Twelve POPs, two endpoints each, of which some are down and one is 40 times as heavy; most draws
    // succeed by trial. With few serving and the heavy one down, nearly all must look at the whole group.
    let weights: Vec<u32> = (0..24).map(|number| if number == 5 { 400 } else { number % 4 * 5 }).collect();
    let mut document = document(json!([{"step": "weighted"}, {"step": "take", "count": 2}]));
    document["pops"] = (0..12).map(|number| json!({"name": format!("p{number}")})).collect();
    document["latency"] = json!([]);
    let endpoint = |(number, weight): (usize, &u32)| json!({"pop": number / 2, "address": format!("192.0.2.{number}"), "weight": weight});
    document["pools"][0]["endpoints"] = weights.iter().enumerate().map(endpoint).collect();
    let steering = compile(&document.to_string(), &[]).unwrap();
    for serving in [vec![1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 17], vec![2, 7, 9, 14]] {
        let octets: Vec<u8> = (0..24).map(|number| u8::from(!serving.contains(&number))).collect();
        let mut question = Question {
            rtype: number::A,
            client: NOWHERE.parse().unwrap(),
            verdicts: Verdicts::from_octets(&octets).unwrap(),
            random: Random::new(23),
        };
        let weight = |endpoint: u32| f64::from(weights[endpoint as usize]);
        let total: f64 = serving.iter().map(|&endpoint| weight(endpoint)).sum();
        const ROUNDS: u32 = 50_000;
        let mut counts = std::collections::HashMap::new();
        for _ in 0..ROUNDS {
            let (_, answer, random) = question.decide(&steering);
            *counts.entry((answer[0], answer[1])).or_insert(0u32) += 1;
            question.random = random;
        }
        let (mut chi, mut cells, mut rest) = (0.0, 0.0, (0.0, 0.0));
        for &one in &serving {
            for &other in serving.iter().filter(|&&other| other != one) {
                let share = weight(one) / total * weight(other) / (total - weight(one));
                let expected = share * f64::from(ROUNDS);
                let seen = f64::from(counts.remove(&(one, other)).unwrap_or(0));
                if expected < 5.0 {
                    // Too few for chi squared on their own.
                    rest = (rest.0 + expected, rest.1 + seen);
                } else {
                    chi += (seen - expected).powi(2) / expected;
                    cells += 1.0;
                }
            }
        }
        if rest.0 >= 5.0 {
            chi += (rest.1 - rest.0).powi(2) / rest.0;
        }
        assert!(counts.is_empty(), "not serving: {counts:?}");
        assert!(chi < chi_limit(cells), "{chi} of {}", chi_limit(cells));
    }
}

/// The 1 % point of chi squared (Wilson and Hilferty 1931).
fn chi_limit(freedom: f64) -> f64 {
    freedom * (1.0 - 2.0 / (9.0 * freedom) + 2.326 * (2.0 / (9.0 * freedom)).sqrt()).powi(3)
}
