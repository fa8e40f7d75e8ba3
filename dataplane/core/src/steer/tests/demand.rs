//! Cells of clients, and the shares of their answers.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use super::steps::{CALIFORNIA, GERMANY, NOWHERE, document, networks, rule};
use super::{Question, compile};
use crate::geo::map::GeoMap;
use crate::steer::cells::Locators;
use crate::steer::classes::Signatures;
use crate::steer::compile::compile_over;
use crate::steer::standing::Standing;
use crate::steer::verdict::{Loads, Verdicts};
use crate::steer::{Random, Selection, Steering};
use crate::wire::rtype::number;

fn steering(steps: Value) -> Steering {
    compile(&document(steps).to_string(), &networks()).unwrap()
}

fn standing(steering: &Steering, octets: [u8; 6]) -> Standing {
    Standing::new(steering, Verdicts::from_octets(&octets).unwrap(), Loads::default())
}

/// The country of the cell that a client falls into, and the scope of its answer.
fn located(steering: &Steering, client: &str) -> (String, u8) {
    let (mut random, mut selection) = (Random::new(1), Selection::new());
    let standing = standing(steering, [0; 6]);
    let client: IpAddr = client.parse().unwrap();
    let decision = steering.decide(0, number::A, client, &standing, &mut random, &mut selection);
    let asked = selection.asked().unwrap();
    assert_eq!(asked.rtype, number::A);
    let cell = steering.cell(0, asked).unwrap();
    // Another client of the cell is in the same cell.
    steering.decide(0, number::A, cell.example, &standing, &mut random, &mut selection);
    assert_eq!(selection.asked(), Some(asked));
    (cell.country.map_or(String::new(), |code| code.to_string()), decision.scope)
}

#[test]
fn countries_are_told_apart_and_the_scope_is_that_of_the_class() {
    let blind = steering(json!([{"step": "weighted"}]));
    assert_eq!(located(&blind, GERMANY), ("DE".to_owned(), 0));
    assert_eq!(located(&blind, CALIFORNIA), ("US".to_owned(), 0));
    assert_eq!(located(&blind, NOWHERE), (String::new(), 0));
    let rules =
        json!([rule("country", "DE", &[0], 1), rule("country", "US", &[0], 2), rule("default", "", &[1], 3)]);
    let steps = json!([{"step": "geo", "mode": "prefer", "rules": rules}]);
    let by_country = steering(steps);
    assert_eq!(located(&by_country, GERMANY).0, "DE");
    assert_eq!(located(&by_country, CALIFORNIA).0, "US");
    let tree = by_country.tree(0, number::A).unwrap();
    let find = |client: &str| tree.classes.find(client.parse().unwrap());
    assert_eq!(find(GERMANY).class, find(CALIFORNIA).class);
    assert_ne!(find(GERMANY).cell, find(CALIFORNIA).cell);
}

#[test]
fn what_is_not_offered_is_asked_of_no_cell() {
    let steering = steering(json!([]));
    let (mut random, mut selection) = (Random::new(1), Selection::new());
    let standing = standing(&steering, [0; 6]);
    let client = GERMANY.parse().unwrap();
    steering.decide(0, number::A, client, &standing, &mut random, &mut selection);
    assert!(selection.asked().is_some());
    steering.decide(0, number::MX, client, &standing, &mut random, &mut selection);
    assert_eq!(selection.asked(), None);
    steering.decide(9, number::A, client, &standing, &mut random, &mut selection);
    assert_eq!(selection.asked(), None);
}

#[test]
fn trees_with_the_same_classes_share_a_locator() {
    let steering = steering(json!([{"step": "weighted"}]));
    let locators: Vec<_> = steering.trees.iter().map(|tree| Arc::as_ptr(tree.classes.locator())).collect();
    assert!(locators.len() > 1 && locators.iter().all(|&one| one == locators[0]));
    let cells = steering.trees[0].classes.cells().len();
    assert_eq!(steering.cell_count(), locators.len() * cells);
}

#[test]
fn more_cells_than_there_is_room_for_are_an_error() {
    let map = GeoMap::from_networks(&networks());
    let steering = compile_over(
        &serde_json::from_str(&document(json!([{"step": "weighted"}])).to_string()).unwrap(),
        Arc::new(GeoMap::from_networks(&networks())),
    )
    .unwrap();
    let signatures = Signatures::new(&[], &steering.world, &map);
    let most = steering.trees[0].classes.cells().len();
    assert!(Locators::new(&map, most).locator(&signatures, vec![0]).is_ok());
    assert_eq!(Locators::new(&map, most - 1).locator(&signatures, vec![0]).unwrap_err(), most - 1);
}

fn shares(steering: &Steering, octets: [u8; 6], client: &str) -> Vec<(u32, f64)> {
    let standing = standing(steering, octets);
    steering.shares(0, number::A, client.parse().unwrap(), &standing, 4_000, &mut Random::new(5))
}

#[test]
fn each_endpoint_of_an_answer_has_an_equal_share() {
    let all = steering(json!([]));
    assert_eq!(shares(&all, [0; 6], GERMANY), [0, 1, 2, 3, 4].map(|endpoint| (endpoint, 0.2)));
    assert_eq!(shares(&all, [0, 1, 2, 0, 1, 0], GERMANY), [(0, 0.5), (3, 0.5)]);
    let standing = standing(&all, [0; 6]);
    let client = GERMANY.parse().unwrap();
    assert!(all.shares(0, number::MX, client, &standing, 9, &mut Random::new(1)).is_empty());
    assert!(all.shares(9, number::A, client, &standing, 9, &mut Random::new(1)).is_empty());
}

#[test]
fn shares_of_drawn_and_sticky_answers_follow_the_weights() {
    let weights = [0u32, 1, 2, 3, 4].map(|endpoint| {
        let steering = steering(json!([]));
        f64::from(steering.endpoint(endpoint).unwrap().weight)
    });
    let sum: f64 = weights.iter().sum();
    for step in [json!({"step": "weighted"}), json!({"step": "sticky", "ipv4": 24, "ipv6": 56})] {
        let found = shares(&steering(json!([step])), [0; 6], GERMANY);
        let whole: f64 = found.iter().map(|(_, share)| share).sum();
        assert!((whole - 1.0).abs() < 1e-9);
        for (endpoint, weight) in weights.iter().enumerate() {
            let share =
                found.iter().find(|(of, _)| *of as usize == endpoint).map_or(0.0, |(_, share)| *share);
            assert!((share - weight / sum).abs() < 0.03, "{step}: {found:?} for {weights:?}");
        }
    }
}

#[test]
fn an_answer_that_is_no_endpoint_has_no_share() {
    let mut document = document(json!([]));
    document["pools"][0]["when_all_down"] = "nodata".into();
    let steering = compile(&document.to_string(), &networks()).unwrap();
    assert!(shares(&steering, [1; 6], GERMANY).is_empty());
    let question = Question {
        rtype: number::A,
        client: GERMANY.parse().unwrap(),
        verdicts: Verdicts::from_octets(&[1; 6]).unwrap(),
        random: Random::new(1),
    };
    assert!(question.decide(&steering).1.is_empty());
}
