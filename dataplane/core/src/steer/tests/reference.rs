//! The slow, obvious evaluator, and random cases for it. It shares no code with the engine beyond the
//! types of locations and subnets.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::geo::location::{Code, Coordinates, Location};
use crate::geo::prefix::Subnet;
use crate::steer::Outcome;
use crate::steer::verdict::Verdict;

/// What an answer can be: its probability, and the outcome with the endpoints in order.
pub(super) type Possible = Vec<(f64, (Outcome, Vec<u32>))>;

#[derive(Debug, Clone)]
pub(super) enum Where {
    Subnet(Subnet),
    Asn(u32),
    Subdivision(&'static str),
    Country(&'static str),
    Continent(&'static str),
    Default,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Geo { fence: bool, rules: Vec<(Where, Vec<u32>)> },
    Latency,
    Distance,
    Failover { fence: bool, tiers: Vec<Vec<u32>> },
    Weighted,
    Take(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Case {
    pub pops: Vec<Option<(f64, f64)>>,
    /// POP, address, weight.
    pub endpoints: Vec<(u32, IpAddr, u32)>,
    pub when_all_down: &'static str,
    pub steps: Vec<Step>,
    pub networks: Vec<(Subnet, Location)>,
    pub latency: Vec<(Where, u32, f64)>,
}

impl Where {
    fn kind_and_value(&self) -> (&'static str, String) {
        match self {
            Where::Subnet(subnet) => ("subnet", subnet.to_string()),
            Where::Asn(asn) => ("asn", asn.to_string()),
            Where::Subdivision(code) => ("subdivision", (*code).to_owned()),
            Where::Country(code) => ("country", (*code).to_owned()),
            Where::Continent(code) => ("continent", (*code).to_owned()),
            Where::Default => ("default", String::new()),
        }
    }

    /// How specific it is when it matches the client: greater is more specific.
    fn matches(&self, client: IpAddr, location: &Location) -> Option<u32> {
        let is = |have: Option<Code>, want: &str| have.is_some_and(|code| code.as_str() == want);
        match self {
            Where::Subnet(subnet) => holds(subnet, client).then(|| 100 + u32::from(subnet.length())),
            Where::Asn(asn) => (location.asn == Some(*asn)).then_some(5),
            Where::Subdivision(code) => is(location.subdivision, code).then_some(4),
            Where::Country(code) => is(location.country, code).then_some(3),
            Where::Continent(code) => is(location.continent, code).then_some(2),
            Where::Default => Some(1),
        }
    }
}

fn holds(subnet: &Subnet, client: IpAddr) -> bool {
    match (subnet, client) {
        (Subnet::V4(prefix), IpAddr::V4(address)) => prefix.contains(address.into()),
        (Subnet::V6(prefix), IpAddr::V6(address)) => prefix.contains(address.into()),
        _ => false,
    }
}

impl Case {
    /// The steering document, with one name.
    pub fn document(&self) -> String {
        let place = |(kind, value): (&str, String), rest: Value| {
            let mut all = json!({"kind": kind, "value": value, "file": "steering.yaml", "line": 9});
            all.as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(rest.as_object().cloned().unwrap_or_default()));
            all
        };
        let mode = |fence: bool| if fence { "fence" } else { "prefer" };
        let step = |step: &Step| match step {
            Step::Geo { fence, rules } => {
                let rules = rules.iter().map(|(at, pops)| place(at.kind_and_value(), json!({"units": pops})));
                json!({"step": "geo", "mode": mode(*fence), "rules": rules.collect::<Vec<_>>()})
            }
            Step::Latency => json!({"step": "latency"}),
            Step::Distance => json!({"step": "distance"}),
            Step::Failover { fence, tiers } => {
                json!({"step": "failover", "mode": mode(*fence), "tiers": tiers})
            }
            Step::Weighted => json!({"step": "weighted"}),
            Step::Take(count) => json!({"step": "take", "count": count}),
        };
        let pop = |(number, at): (usize, &Option<(f64, f64)>)| json!({"name": format!("p{number}"), "latitude": at.map(|a| a.0), "longitude": at.map(|a| a.1)});
        let endpoint = |(pop, address, weight): &(u32, IpAddr, u32)| json!({"pop": pop, "address": address.to_string(), "weight": weight});
        let row = |(at, pop, milliseconds): &(Where, u32, f64)| {
            place(at.kind_and_value(), json!({"pop": pop, "milliseconds": milliseconds}))
        };
        json!({
            "databases": [],
            "pops": self.pops.iter().enumerate().map(pop).collect::<Vec<_>>(),
            "pools": [{
                "name": "web", "when_all_down": self.when_all_down, "file": "steering.yaml", "line": 3,
                "endpoints": self.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
            }],
            "policies": [{
                "name": "near", "file": "steering.yaml", "line": 7,
                "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            }],
            "names": [{
                "name": "www.example.com.", "pool": 0, "policy": 0, "ttl": 30, "owner": "team",
                "file": "steering.yaml", "line": 20,
            }],
            "latency": self.latency.iter().map(row).collect::<Vec<_>>(),
        })
        .to_string()
    }

    pub fn location(&self, client: IpAddr) -> Location {
        let mut best: Option<&(Subnet, Location)> = None;
        for network in &self.networks {
            if holds(&network.0, client) && best.is_none_or(|best| best.0.length() <= network.0.length()) {
                best = Some(network);
            }
        }
        best.map_or_else(Location::default, |(_, location)| *location)
    }

    /// Everything that may be answered.
    pub fn answers(&self, ipv6: bool, client: IpAddr, verdicts: &[Verdict]) -> Possible {
        let client = client.to_canonical();
        let mine = |endpoint: &usize| self.endpoints[*endpoint].1.is_ipv6() == ipv6;
        let all: Vec<usize> = (0..self.endpoints.len()).filter(mine).collect();
        if all.is_empty() {
            return vec![(1.0, (Outcome::NotOffered, Vec::new()))];
        }
        let count = |verdict| all.iter().filter(|&&endpoint| verdicts[endpoint] == verdict).count();
        let (serving, down) = (count(Verdict::Serving), count(Verdict::Down));
        let mut result = self.run(client, all.iter().copied().filter(|&e| verdicts[e] == Verdict::Serving));
        for (_, (outcome, answer)) in &mut result {
            if answer.is_empty() {
                *outcome = match self.when_all_down {
                    "nodata" => Outcome::NoData,
                    "servfail" => Outcome::ServFail,
                    _ => Outcome::LastResort,
                };
            }
        }
        if self.when_all_down == "serve_all" && serving == 0 {
            let wanted = if down > 0 { Verdict::Down } else { Verdict::Drained };
            return self.run(client, all.iter().copied().filter(|&e| verdicts[e] == wanted));
        }
        result
    }

    fn run(&self, client: IpAddr, candidates: impl Iterator<Item = usize>) -> Possible {
        // Equals are in the order in which the pool first mentions their POPs, and then their own.
        let mut start: Vec<usize> = candidates.collect();
        let mention = |endpoint: usize| {
            let pop = self.endpoints[endpoint].0;
            self.endpoints.iter().position(|other| other.0 == pop)
        };
        start.sort_by_key(|&endpoint| (mention(endpoint), endpoint));
        let mut states = vec![(1.0, vec![start])];
        for step in &self.steps {
            states = states.into_iter().flat_map(|(p, groups)| self.step(step, client, p, groups)).collect();
        }
        let mut answers: Possible = Vec::new();
        for (probability, groups) in states {
            let first = groups.into_iter().find(|group| !group.is_empty()).unwrap_or_default();
            let outcome = if first.is_empty() { Outcome::LastResort } else { Outcome::Answer };
            let answer = (outcome, first.into_iter().map(|endpoint| endpoint as u32).collect());
            match answers.iter_mut().find(|(_, known)| *known == answer) {
                Some((sum, _)) => *sum += probability,
                None => answers.push((probability, answer)),
            }
        }
        answers
    }

    fn step(
        &self,
        step: &Step,
        client: IpAddr,
        probability: f64,
        groups: Vec<Vec<usize>>,
    ) -> Vec<(f64, Vec<Vec<usize>>)> {
        match step {
            Step::Take(count) => {
                let kept: Vec<usize> = groups.into_iter().flatten().take(*count).collect();
                vec![(probability, vec![kept])]
            }
            Step::Weighted => {
                let mut states = vec![(probability, Vec::new())];
                for group in groups {
                    let orders = self.orders(&group);
                    states = states
                        .into_iter()
                        .flat_map(|(p, before): (f64, Vec<Vec<usize>>)| {
                            orders.iter().map(move |(q, order)| {
                                let singles = order.iter().map(|&endpoint| vec![endpoint]);
                                (p * q, before.iter().cloned().chain(singles).collect())
                            })
                        })
                        .collect();
                }
                // Weight 0 comes after all others, not only after its equals.
                for (_, groups) in &mut states {
                    groups.sort_by_key(|group| group.iter().all(|&endpoint| self.endpoints[endpoint].2 == 0));
                }
                states
            }
            _ => {
                let mut after = Vec::new();
                for group in groups {
                    let mut ranked: Vec<(f64, usize)> = Vec::new();
                    for endpoint in group {
                        if let Some(rank) = self.rank(step, client, self.endpoints[endpoint].0) {
                            ranked.push((rank, endpoint));
                        }
                    }
                    while let Some(best) = ranked.iter().map(|(rank, _)| *rank).min_by(f64::total_cmp) {
                        after.push(ranked.iter().filter(|(r, _)| *r == best).map(|(_, e)| *e).collect());
                        ranked.retain(|(rank, _)| *rank != best);
                    }
                }
                vec![(probability, after)]
            }
        }
    }

    /// Every order of a group and its probability.
    fn orders(&self, group: &[usize]) -> Vec<(f64, Vec<usize>)> {
        if group.is_empty() {
            return vec![(1.0, Vec::new())];
        }
        let weight = |endpoint: usize| f64::from(self.endpoints[endpoint].2);
        let total: f64 = group.iter().map(|&endpoint| weight(endpoint)).sum();
        let mut all = Vec::new();
        for &first in group {
            let share = if total > 0.0 { weight(first) / total } else { 1.0 / group.len() as f64 };
            if share > 0.0 {
                let rest: Vec<usize> = group.iter().copied().filter(|&endpoint| endpoint != first).collect();
                for (p, mut order) in self.orders(&rest) {
                    order.insert(0, first);
                    all.push((share * p, order));
                }
            }
        }
        all
    }

    /// The rank of a POP; `None` when it drops out.
    fn rank(&self, step: &Step, client: IpAddr, pop: u32) -> Option<f64> {
        let location = self.location(client);
        let listed = |place: Option<usize>, fence: bool| match place {
            Some(place) => Some(place as f64),
            None if fence => None,
            None => Some(f64::INFINITY),
        };
        match step {
            Step::Geo { fence, rules } => {
                let matching =
                    rules.iter().filter_map(|(at, pops)| Some((at.matches(client, &location)?, pops)));
                let best = matching.max_by_key(|(specific, _)| *specific);
                listed(best.and_then(|(_, pops)| pops.iter().position(|&listed| listed == pop)), *fence)
            }
            Step::Failover { fence, tiers } => {
                listed(tiers.iter().position(|tier| tier.contains(&pop)), *fence)
            }
            Step::Latency => {
                let rows = self.latency.iter().filter(|(_, of, _)| *of == pop);
                let matching = rows.filter_map(|(at, _, ms)| Some((at.matches(client, &location)?, *ms)));
                Some(matching.max_by_key(|(specific, _)| *specific).map_or(f64::INFINITY, |(_, ms)| ms))
            }
            Step::Distance => {
                let Some(from) = location.coordinates else { return Some(0.0) };
                let Some(to) = self.pops[pop as usize] else { return Some(f64::INFINITY) };
                let half = |a: f64, b: f64| ((a - b).to_radians() / 2.0).sin().powi(2);
                let haversine = half(from.latitude, to.0)
                    + from.latitude.to_radians().cos() * to.0.to_radians().cos() * half(from.longitude, to.1);
                Some(2.0 * 6371.0 * haversine.sqrt().asin())
            }
            Step::Weighted | Step::Take(_) => Some(0.0),
        }
    }
}

const POPS: u32 = 5;
/// Places without symmetries, so that no two different ones are equally far from a third.
const PLACES: [(f64, f64); 5] =
    [(50.11, 8.68), (37.62, -122.38), (-33.87, 151.21), (1.35, 103.99), (50.12, 8.7)];

pub(super) fn location() -> impl Strategy<Value = Location> {
    let codes = prop_oneof![
        Just((None, None, None)),
        Just((Some("EU"), None, None)),
        Just((Some("EU"), Some("DE"), None)),
        Just((Some("NA"), Some("US"), None)),
        Just((Some("NA"), Some("US"), Some("CA"))),
    ];
    (codes, prop::option::of(1..3u32), prop::option::of(0..3usize)).prop_map(
        |((continent, country, part), asn, place)| {
            let country = country.and_then(Code::two_letters);
            Location {
                continent: continent.and_then(Code::two_letters),
                country,
                subdivision: country.zip(part).and_then(|(country, part)| Code::subdivision(country, part)),
                asn,
                coordinates: place
                    .and_then(|place| Coordinates::new(PLACES[place].0 + 1.25, PLACES[place].1 + 3.5)),
            }
        },
    )
}

/// Subnets that crowd around a few addresses.
pub(super) fn subnet() -> impl Strategy<Value = Subnet> {
    let base =
        prop::sample::select(vec!["192.0.2.7", "192.0.3.9", "10.0.0.1", "2001:db8::1", "2001:db8:1::9"]);
    (base, 0..=128u8).prop_map(|(base, length)| {
        let base: IpAddr = base.parse().unwrap_or(IpAddr::from([0; 4]));
        truncate(base, if base.is_ipv4() { length % 33 } else { length })
    })
}

fn truncate(address: IpAddr, length: u8) -> Subnet {
    let cut = match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    };
    Subnet::new(cut, length).unwrap()
}

fn selector() -> impl Strategy<Value = Where> {
    prop_oneof![
        subnet().prop_map(Where::Subnet),
        (1..3u32).prop_map(Where::Asn),
        Just(Where::Subdivision("US-CA")),
        prop::sample::select(vec!["DE", "US"]).prop_map(Where::Country),
        prop::sample::select(vec!["EU", "NA"]).prop_map(Where::Continent),
        Just(Where::Default),
    ]
}

fn pop_list(most: usize) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..POPS, 0..=most)
}

fn step(weighted: bool) -> BoxedStrategy<Step> {
    let rules = prop::collection::vec((selector(), pop_list(3)), 0..6).prop_map(|mut rules| {
        let mut seen = std::collections::HashSet::new();
        rules.retain(|(at, _)| seen.insert(at.kind_and_value()));
        rules
    });
    let fixed = prop_oneof![
        3 => (any::<bool>(), rules).prop_map(|(fence, rules)| Step::Geo { fence, rules }),
        2 => Just(Step::Latency),
        2 => Just(Step::Distance),
        2 => (any::<bool>(), prop::collection::vec(pop_list(2), 0..3))
            .prop_map(|(fence, tiers)| Step::Failover { fence, tiers }),
        2 => (1..5usize).prop_map(Step::Take),
    ];
    if weighted { prop_oneof![2 => fixed, 1 => Just(Step::Weighted)].boxed() } else { fixed.boxed() }
}

/// Random cases; with `weighted` steps there may be several possible answers.
pub(super) fn case(weighted: bool) -> impl Strategy<Value = Case> {
    let pops = prop::collection::vec(prop::option::weighted(0.8, prop::sample::select(PLACES.to_vec())), 5);
    let endpoint = (0..POPS, any::<bool>(), prop::sample::select(vec![0u32, 1, 2, 100]));
    let endpoints = prop::collection::vec(endpoint, 1..8).prop_map(|list| {
        let address = |number: usize, ipv6: bool| {
            let number = number as u8;
            if ipv6 {
                IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)])
            } else {
                IpAddr::from([192, 0, 2, number])
            }
        };
        let with_address = |(number, (pop, ipv6, weight))| (pop, address(number, ipv6), weight);
        list.into_iter().enumerate().map(with_address).collect::<Vec<_>>()
    });
    let all_down = prop::sample::select(vec!["serve_all", "serve_all", "fallback", "nodata", "servfail"]);
    let steps = prop::collection::vec(step(weighted), 0..5);
    let networks = prop::collection::vec((subnet(), location()), 0..10);
    let latency =
        prop::collection::vec((selector(), 0..POPS, (0..4u32).prop_map(|ms| f64::from(ms) * 7.5)), 0..10)
            .prop_map(|mut rows| {
                let mut seen = std::collections::HashSet::new();
                rows.retain(|(at, pop, _)| seen.insert((at.kind_and_value(), *pop)));
                rows
            });
    (pops, endpoints, all_down, steps, networks, latency).prop_map(
        |(pops, endpoints, when_all_down, steps, networks, latency)| Case {
            pops,
            endpoints,
            when_all_down,
            steps,
            networks,
            latency,
        },
    )
}

/// Clients on and beside the boundaries that `subnet` makes.
pub(super) fn client() -> impl Strategy<Value = IpAddr> {
    let near = (subnet(), -2..3i128).prop_map(|(subnet, offset)| match subnet {
        Subnet::V4(prefix) => IpAddr::V4(prefix.last().wrapping_add(offset as u32).into()),
        Subnet::V6(prefix) => IpAddr::V6(prefix.last().wrapping_add(offset as u128).into()),
    });
    prop_oneof![
        4 => near,
        1 => Just(IpAddr::from([192, 0, 2, 7])),
        1 => Just(IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0207])),
    ]
}

/// Verdicts for up to eight endpoints, often all alike.
pub(super) fn verdicts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => prop::collection::vec(0..3u8, 8),
        1 => prop::collection::vec(1..3u8, 8),
        1 => Just(vec![0; 8]),
        1 => Just(vec![1; 8]),
        1 => Just(vec![2; 8]),
    ]
}
