//! Nanoseconds of CPU per decision, and what counting it adds, for 5, 50 and 500 POPs:
//! `cargo bench -p gslb-core --bench decide`.

#![allow(clippy::expect_used)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use gslb_core::observe::demand::{Board, Key};
use gslb_core::steer::standing::Standing;
use gslb_core::steer::verdict::{Loads, Verdicts};
use gslb_core::steer::{Random, Selection, Steering};
use gslb_core::wire::rtype::number;
use serde_json::{Value, json};

/// Rounds of one measurement, short enough that some are not interrupted; the best of many counts.
const ROUNDS: u32 = 20_000;
const MEASUREMENTS: usize = 400;

fn document(pops: usize, countries: usize, steps: Value) -> String {
    let code = |country: usize| -> String {
        [country / 26, country % 26].iter().map(|&letter| char::from(b'A' + letter as u8)).collect()
    };
    let overrides: Vec<Value> = (0..1000usize)
        .map(|net| json!({"network": format!("10.{}.{}.0/24", net / 250, net % 250), "country": code(net * 7 % countries)}))
        .collect();
    let rows: Vec<Value> = (0..1000usize)
        .flat_map(|net| {
            (0..5).map(move |near| {
                let value = format!("10.{}.{}.0/24", net / 250, net % 250);
                json!({"kind": "subnet", "value": value, "pop": (net * 7 + near * 31) % pops, "milliseconds": near * 3})
            })
        })
        .collect();
    let endpoint = |pop: usize| json!({"pop": pop, "address": format!("192.0.{}.{}", pop / 250, pop % 250), "weight": 100});
    json!({
        "databases": [],
        "overrides": overrides,
        "pops": (0..pops).map(|pop| json!({"name": format!("p{pop}")})).collect::<Vec<_>>(),
        "pools": [{"name": "web", "when_all_down": "serve_all", "endpoints": (0..pops).map(endpoint).collect::<Vec<_>>()}],
        "policies": [{"name": "near", "steps": steps}],
        "names": [{"name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 30}],
        "latency": rows,
    })
    .to_string()
}

/// Nanoseconds per decision, and with a board per decision that is counted, by clients of 1,000 networks.
fn measure(steering: &Steering, pops: usize, board: Option<&Board>) -> f64 {
    let standing = Standing::new(steering, Verdicts::all_serving(pops), Loads::default());
    let (mut random, mut selection) = (Random::new(1), Selection::new());
    let mut clients = Random::new(9);
    let list: Vec<IpAddr> =
        (0..4096).map(|_| Ipv4Addr::from(0x0a00_0000 | clients.below(0x0004_0000) as u32).into()).collect();
    let mut sum = 0u64;
    let mut best = f64::MAX;
    for _ in 0..MEASUREMENTS {
        let start = Instant::now();
        for round in 0..ROUNDS {
            let client = list[round as usize % list.len()];
            let decision = steering.decide(0, number::A, client, &standing, &mut random, &mut selection);
            sum += u64::from(decision.ttl) + selection.as_slice().len() as u64;
            if let (Some(board), Some(asked)) = (board, selection.asked()) {
                sum += u64::from(board.add(0, Key::new(0, asked.rtype, asked.cell)));
            }
        }
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    assert!(sum > 0);
    best
}

fn main() {
    // Of arguments, a label and a number of POPs measure these alone.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let is_wanted = |text: &str, at: usize| wanted.get(at).is_none_or(|wanted| wanted == text);
    for (label, steps) in [
        ("latency", json!([{"step": "latency"}])),
        ("latency, take 2", json!([{"step": "latency"}, {"step": "take", "count": 2}])),
        (
            "latency, weighted, take 1",
            json!([{"step": "latency"}, {"step": "weighted"}, {"step": "take", "count": 1}]),
        ),
        ("weighted", json!([{"step": "weighted"}])),
        ("latency, sticky", json!([{"step": "latency"}, {"step": "sticky", "ipv4": 24, "ipv6": 56}])),
        ("sticky", json!([{"step": "sticky", "ipv4": 24, "ipv6": 56}])),
        ("latency, shed", json!([{"step": "latency"}, {"step": "shed", "low": 0.7, "high": 0.95}])),
    ] {
        if !is_wanted(label, 0) {
            continue;
        }
        for countries in [1, 200] {
            print!("{label:26} {countries:3} countries");
            for pops in [5, 50, 500].into_iter().filter(|pops| is_wanted(&pops.to_string(), 1)) {
                let document = document(pops, countries, steps.clone());
                let steering = Steering::compile(&document).expect("the document");
                let board = Board::new(1, steering.cell_count());
                let (decided, counted) =
                    (measure(&steering, pops, None), measure(&steering, pops, Some(&board)));
                print!("{pops:6} POPs {decided:6.1} ns, counted {counted:6.1}");
            }
            println!();
        }
    }
}
