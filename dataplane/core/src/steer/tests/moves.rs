//! What a change of geo data moves, against the slow evaluator's answers before and after.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::net::IpAddr;

use proptest::prelude::*;

use super::compile;
use super::reference::{self, Case};
use crate::geo::cover::tests::fixed;
use crate::geo::location::{Code, Location};
use crate::geo::prefix::Subnet;
use crate::steer::first_choice::FirstChoices;
use crate::steer::verdict::Verdict;
use crate::steer::{Amount, Steering};
use crate::wire::rtype::number;

/// The POPs that any answer to a client can hold while everything serves.
fn possible(case: &Case, ipv6: bool, client: IpAddr) -> BTreeSet<u32> {
    let verdicts = vec![Verdict::Serving; case.endpoints.len()];
    let answers = case.answers(ipv6, client, &verdicts);
    let endpoints = answers.iter().flat_map(|(_, (_, endpoints))| endpoints);
    endpoints.map(|&endpoint| case.endpoints[endpoint as usize].0).collect()
}

/// What the tables say of a client; `None` where the pool has nothing of the type.
fn first_choice(steering: &Steering, ipv6: bool, client: IpAddr) -> Option<BTreeSet<u32>> {
    let tree = steering.tree(0, if ipv6 { number::AAAA } else { number::A })?;
    Some(FirstChoices::new(steering).of(tree, tree.classes.find(client).class))
}

fn named(pops: &BTreeSet<u32>) -> Vec<String> {
    pops.iter().map(|pop| format!("p{pop}")).collect()
}

proptest! {
    #![proptest_config(fixed(ProptestConfig { cases: 500, ..ProptestConfig::default() }))]

    #[test]
    fn first_choices_are_what_can_be_answered(
        case in reference::case(true),
        clients in prop::collection::vec(reference::client(), 4),
        ipv6: bool,
    ) {
        let steering = compile(&case.document(), &case.networks).unwrap();
        let takes = case.steps.iter().filter(|step| matches!(step, reference::Step::Take(_))).count();
        for client in clients {
            let Some(found) = first_choice(&steering, ipv6, client) else { continue };
            let expected = possible(&case, ipv6, client);
            // What several draws in a row can come to is told more widely than it is.
            prop_assert!(found.is_superset(&expected), "{:?} lacks some of {:?}", found, expected);
            if takes == 0 || !case.steps.iter().any(|step| matches!(step, reference::Step::Weighted)) {
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn each_address_that_moves_is_in_one_row_and_no_other_is(
        case in reference::case(false),
        networks in prop::collection::vec((reference::subnet(), reference::location()), 0..10),
        clients in prop::collection::vec(reference::client(), 8),
        ipv6: bool,
    ) {
        let after = Case { networks, ..case.clone() };
        let old = compile(&case.document(), &case.networks).unwrap();
        let new = compile(&after.document(), &after.networks).unwrap();
        let moves = new.moves_from(&old, usize::MAX);
        prop_assert_eq!(moves.omitted, 0);
        let rtype = if ipv6 { number::AAAA } else { number::A };
        let tree = moves.trees.iter().find(|tree| tree.names.contains(&(0, rtype)));
        let mut sum = Amount::default();
        for row in tree.iter().flat_map(|tree| &tree.moves) {
            prop_assert_ne!(&row.from, &row.to);
            sum = Amount {
                networks: sum.networks + row.amount.networks,
                ipv4: sum.ipv4 + row.amount.ipv4,
                ipv6: sum.ipv6 + row.amount.ipv6,
            };
        }
        if let Some(tree) = tree {
            prop_assert_eq!((sum.networks, sum.ipv4), (tree.moved.networks, tree.moved.ipv4));
            prop_assert!((sum.ipv6 - tree.moved.ipv6).abs() <= sum.ipv6 * 1e-9);
        }
        for client in clients {
            let (Some(from), Some(to)) = (first_choice(&old, ipv6, client), first_choice(&new, ipv6, client))
            else {
                continue;
            };
            let rows = tree.iter().flat_map(|tree| &tree.moves);
            let holds = |text: &String| match (text.parse().unwrap(), client.to_canonical()) {
                (Subnet::V4(prefix), IpAddr::V4(address)) => prefix.contains(address.into()),
                (Subnet::V6(prefix), IpAddr::V6(address)) => prefix.contains(address.into()),
                _ => false,
            };
            let found: Vec<_> = rows.filter(|row| row.examples.iter().any(holds)).collect();
            let country = after.location(client.to_canonical()).country;
            let shown = found.iter().map(|row| (row.country.clone(), row.from.to_vec(), row.to.to_vec()));
            let expected = (from != to).then(|| {
                (country.map_or_else(String::new, |code| code.to_string()), named(&from), named(&to))
            });
            let shown: Vec<_> = shown.collect();
            // The smallest networks of a long row are not shown.
            if shown.is_empty() && tree.is_some_and(|tree| tree.moves.iter().any(|row| row.examples.len() == 100)) {
                continue;
            }
            prop_assert_eq!(shown, expected.into_iter().collect::<Vec<_>>());
        }
    }
}

fn country(code: &str) -> Location {
    Location { country: Code::two_letters(code), ..Location::default() }
}

/// Three pools over two POPs: by country, within a region by country, and never by country.
const DOCUMENT: &str = r#"{
    "databases": [], "latency": [],
    "pops": [{"name": "fra", "latitude": null, "longitude": null}, {"name": "iad", "latitude": null, "longitude": null}],
    "pools": [
        {"name": "web", "when_all_down": "serve_all", "file": "", "line": 0, "endpoints": [
            {"pop": 0, "address": "192.0.2.1", "weight": 1}, {"pop": 1, "address": "192.0.2.2", "weight": 1},
            {"pop": 0, "address": "2001:db8::1", "weight": 1}, {"pop": 1, "address": "2001:db8::2", "weight": 1}]},
        {"name": "world", "when_all_down": "serve_all", "file": "", "line": 0, "members": [{"pool": 0, "weight": 1}]}],
    "policies": [
        {"name": "near", "file": "", "line": 0, "steps": [{"step": "geo", "mode": "prefer", "rules": [
            {"kind": "country", "value": "DE", "units": [0], "file": "", "line": 0},
            {"kind": "country", "value": "US", "units": [1], "file": "", "line": 0}]}]},
        {"name": "even", "file": "", "line": 0, "steps": [{"step": "weighted"}]}],
    "names": [
        {"name": "a.example.", "pool": 0, "policy": 0, "ttl": 30, "owner": "", "file": "", "line": 0},
        {"name": "b.example.", "pool": 0, "policy": 0, "ttl": 60, "owner": "", "file": "", "line": 0},
        {"name": "c.example.", "pool": 0, "policy": 1, "ttl": 30, "owner": "", "file": "", "line": 0}]
}"#;

fn networks(list: &[(&str, &str)]) -> Vec<(Subnet, Location)> {
    list.iter().map(|(subnet, code)| (subnet.parse().unwrap(), country(code))).collect()
}

#[test]
fn moves_are_counted_by_country_and_pop() {
    let before = networks(&[
        ("10.0.0.0/8", "DE"),
        ("11.0.0.0/8", "US"),
        ("12.0.0.0/8", "US"),
        ("2001:db8::/32", "DE"),
    ]);
    let after = networks(&[
        ("10.0.0.0/8", "DE"),
        ("10.1.0.0/16", "US"),
        ("10.3.0.0/24", "US"),
        ("11.0.0.0/8", "US"),
        ("2001:db8::/32", "US"),
    ]);
    let old = compile(DOCUMENT, &before).unwrap();
    let new = compile(DOCUMENT, &after).unwrap();
    assert!(!new.has_map_of(&old));
    let moves = new.moves_from(&old, 1);
    // Both types of both names move alike; the clients of c go anywhere, before and after.
    assert_eq!(moves.trees.len(), 1);
    let tree = &moves.trees[0];
    let names: BTreeSet<_> = tree.names.iter().copied().collect();
    assert_eq!(names, BTreeSet::from([(0, 1), (0, 28), (1, 1), (1, 28)]));
    let rows: Vec<_> = tree
        .moves
        .iter()
        .map(|row| (&*row.country, row.from.join(","), row.to.join(","), row.amount, row.examples.join(" ")))
        .collect();
    let text = str::to_owned;
    let amount = |networks, ipv4, ipv6| Amount { networks, ipv4, ipv6 };
    assert_eq!(
        rows,
        [
            ("US", text("fra"), text("iad"), amount(3, 65_536 + 256, 65_536.0), text("10.1.0.0/16")),
            ("", text("iad"), text("fra,iad"), amount(1, 1 << 24, 0.0), text("12.0.0.0/8")),
        ]
    );
    assert_eq!(tree.moved, amount(4, (1 << 24) + 65_536 + 256, 65_536.0));
    // By country as it was before, by which demand was counted.
    assert_eq!(tree.countries["DE"], amount(3, 65_536 + 256, 65_536.0));
    assert_eq!(tree.countries["US"], amount(1, 1 << 24, 0.0));
    assert_eq!((moves.countries["DE"].ipv4, moves.countries["DE"].ipv6), (1 << 24, 65_536.0));
    assert_eq!(moves.countries["US"].ipv4, 2 << 24);
    assert!(!moves.countries.contains_key(""), "what no database knows is not counted");
    assert_eq!(tree.rest, Amount::default());
}

#[test]
fn the_same_geo_data_move_nothing() {
    let list = networks(&[("10.0.0.0/8", "DE")]);
    let (old, new) = (compile(DOCUMENT, &list).unwrap(), compile(DOCUMENT, &list).unwrap());
    assert!(new.has_map_of(&old));
    let moves = new.moves_from(&old, 3);
    assert!(moves.trees.is_empty() && moves.omitted == 0);
}

#[test]
fn names_and_pops_are_known_by_name_where_their_numbers_changed() {
    let list = networks(&[("10.0.0.0/8", "DE")]);
    let old = compile(DOCUMENT, &list).unwrap();
    let renumbered = DOCUMENT
        .replace(r#""name": "fra""#, r#""name": "other""#)
        .replace(r#""name": "iad""#, r#""name": "fra""#)
        .replace("a.example.", "d.example.");
    let new = compile(&renumbered, &list).unwrap();
    let moves = new.moves_from(&old, 3);
    // Germans of b went to fra, now to the POP that is called other; d is new, a is gone; c: fra, iad to fra, other.
    let named = |names: &[(u32, u16)]| names.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
    let of_b = moves.trees.iter().find(|tree| named(&tree.names).contains(&1)).unwrap();
    let german = of_b.moves.iter().find(|row| row.country == "DE").unwrap();
    assert_eq!((german.from.join(","), german.to.join(",")), ("fra".into(), "other".into()));
    assert!(moves.trees.iter().all(|tree| !named(&tree.names).contains(&0)));
    serde_json::to_string(&moves).unwrap();
}
