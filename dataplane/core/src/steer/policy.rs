//! Policies: the steps, and how the static ones rank POPs for a client.

use super::document::{Mode, PolicyEntry, RuleEntry, StepEntry};
use super::error::SteerError;
use super::model::{Place, World};
use super::selection::CAPACITY;
use super::selector::{Selector, Selectors, Site, Subnets};
use crate::geo::location::Coordinates;

/// Most steps of a policy.
const MAX_STEPS: usize = 64;
/// Mean radius of the Earth in kilometres (IUGG).
const EARTH_RADIUS: f64 = 6371.0088;

/// A rank that a static step gives a POP: lower is better, equal ranks are equals.
pub(super) type Rank = u64;
/// The rank of POPs that a step knows nothing of.
pub(super) const LAST: Rank = u64::MAX - 1;
/// The rank of POPs that drop out.
pub(super) const OUT: Rank = u64::MAX;

/// The ordered steps that choose among a pool for a client.
#[derive(Debug)]
pub(super) struct Policy {
    pub name: Box<str>,
    pub steps: Box<[Step]>,
    /// The subnets that its steps' selectors name.
    pub subnets: Subnets,
    pub place: Place,
}

#[derive(Debug)]
pub(super) enum Step {
    /// The most specific matching rule ranks the POPs.
    Geo(Geo),
    /// By measured milliseconds.
    Latency,
    /// By great-circle distance.
    Distance,
    /// By declared tiers: (POP, tier) by POP.
    Failover { mode: Mode, tiers: Ranking },
    /// Each group of equals in random order by weight.
    Weighted,
    /// The first so many, from then on equals.
    Take(u8),
}

#[derive(Debug)]
pub(super) struct Geo {
    pub mode: Mode,
    pub rules: Box<[Rule]>,
    selectors: Selectors,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub selector: Selector,
    pub place: Place,
    ranking: Ranking,
}

/// Ranks of some POPs: (POP, rank), sorted by POP, each POP once.
#[derive(Debug)]
pub(super) struct Ranking(Box<[(u32, u32)]>);

impl Ranking {
    /// Of a POP that is listed several times the best rank counts.
    fn new(mut ranks: Vec<(u32, u32)>) -> Ranking {
        ranks.sort_unstable();
        ranks.dedup_by_key(|(pop, _)| *pop);
        Ranking(ranks.into())
    }

    fn get(&self, pop: u32) -> Option<u32> {
        let index = self.0.binary_search_by_key(&pop, |(pop, _)| *pop).ok()?;
        self.0.get(index).map(|(_, rank)| *rank)
    }
}

impl Policy {
    pub fn new(entry: &PolicyEntry, world: &World) -> Result<Policy, SteerError> {
        let place = Place::new(&entry.file, entry.line);
        SteerError::check_limit(&place, "steps in one policy", entry.steps.len(), MAX_STEPS)?;
        let steps = entry
            .steps
            .iter()
            .map(|step| Step::new(step, &entry.name, &place, world.pops.len()))
            .collect::<Result<Box<[_]>, _>>()?;
        let mut subnets = Vec::new();
        for step in &steps {
            match step {
                Step::Geo(geo) => subnets.extend(geo.selectors.subnets()),
                Step::Latency => subnets.extend(world.latency.selectors.subnets()),
                _ => {}
            }
        }
        Ok(Policy { name: (*entry.name).into(), steps, subnets: Subnets::new(subnets), place })
    }

    /// Whether clients at different places can be answered differently.
    pub fn looks_at_location(&self, world: &World) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Geo(geo) => geo.selectors.look_at_location(),
            Step::Latency => world.latency.selectors.look_at_location(),
            Step::Distance => true,
            Step::Failover { .. } | Step::Weighted | Step::Take(_) => false,
        })
    }
}

impl Step {
    fn new(entry: &StepEntry, policy: &str, place: &Place, pop_count: usize) -> Result<Step, SteerError> {
        let check = |pops: &[u32], place: &Place| match pops.iter().find(|&&pop| pop as usize >= pop_count) {
            Some(pop) => Err(SteerError::declared(place, format!("policy {policy}: there is no POP {pop}"))),
            None => Ok(()),
        };
        Ok(match entry {
            StepEntry::Geo { mode, rules } => {
                for rule in rules {
                    check(&rule.pops, &Place::new(&rule.file, rule.line))?;
                }
                Step::Geo(Geo::new(*mode, rules, policy)?)
            }
            StepEntry::Latency {} => Step::Latency,
            StepEntry::Distance {} => Step::Distance,
            StepEntry::Failover { mode, tiers } => {
                tiers.iter().try_for_each(|tier| check(tier, place))?;
                let tiers =
                    (0..).zip(tiers).flat_map(|(tier, pops)| pops.iter().map(move |&pop| (pop, tier)));
                Step::Failover { mode: *mode, tiers: Ranking::new(tiers.collect()) }
            }
            StepEntry::Weighted {} => Step::Weighted,
            StepEntry::Take { count } if (1..=CAPACITY).contains(count) => Step::Take(*count as u8),
            StepEntry::Take { count } => {
                return Err(SteerError::declared(
                    place,
                    format!("policy {policy}: take {count} is out of range: write 1 to {CAPACITY}"),
                ));
            }
        })
    }

    /// The step's word in the site's files.
    pub fn word(&self) -> &'static str {
        match self {
            Step::Geo(_) => "geo",
            Step::Latency => "latency",
            Step::Distance => "distance",
            Step::Failover { .. } => "failover",
            Step::Weighted => "weighted",
            Step::Take(_) => "take",
        }
    }

    /// Appends what the step sees of a client: it ranks all POPs alike for clients of whom it sees the same.
    pub fn signature(&self, world: &World, site: &Site<'_>, out: &mut Vec<u64>) {
        match self {
            Step::Geo(geo) => out.push(geo.selectors.matches(site).next().map_or(u64::MAX, u64::from)),
            Step::Latency => {
                out.extend(world.latency.selectors.matches(site).map(u64::from));
                out.push(u64::MAX);
            }
            Step::Distance => match site.location.coordinates {
                Some(coordinates) => out.extend(<[u64; 2]>::from(coordinates.to_bits())),
                // No coordinates have these bits: they are a NaN.
                None => out.extend([u64::MAX, u64::MAX]),
            },
            Step::Failover { .. } | Step::Weighted | Step::Take(_) => {}
        }
    }

    /// Writes the rank that a static step gives each of `pops` to `out`; the others rank all alike.
    pub fn ranks(&self, world: &World, site: &Site<'_>, pops: &[u32], out: &mut Vec<Rank>) {
        out.clear();
        match self {
            Step::Geo(geo) => match geo.matching(site) {
                Some(rule) => out.extend(pops.iter().map(|&pop| rank(rule.ranking.get(pop), geo.mode))),
                None => out.extend(pops.iter().map(|_| rank(None, geo.mode))),
            },
            Step::Latency => out.extend(
                // Numbers that are not negative order as their bits do.
                world.latency.milliseconds(site, pops).map(|found| found.map_or(LAST, f64::to_bits)),
            ),
            Step::Distance => match site.location.coordinates {
                None => out.extend(pops.iter().map(|_| LAST)),
                Some(from) => {
                    let from = unit_vector(from);
                    out.extend(pops.iter().map(|&pop| match world.vectors.get(pop as usize) {
                        Some(Some(to)) => chord(from, *to).to_bits(),
                        _ => LAST,
                    }));
                }
            },
            Step::Failover { mode, tiers } => out.extend(pops.iter().map(|&pop| rank(tiers.get(pop), *mode))),
            Step::Weighted | Step::Take(_) => out.extend(pops.iter().map(|_| 0)),
        }
    }

    /// What a rank means: the place in a rule's list or the tier, from 1; milliseconds; kilometres.
    pub fn meaning(&self, rank: Rank) -> Option<f64> {
        if rank >= LAST {
            return None;
        }
        match self {
            Step::Geo(_) | Step::Failover { .. } => Some(rank as f64 + 1.0),
            Step::Latency => Some(f64::from_bits(rank)),
            Step::Distance => Some(kilometres(f64::from_bits(rank))),
            Step::Weighted | Step::Take(_) => None,
        }
    }

    /// The unit of [`Step::meaning`].
    pub fn unit(&self) -> Option<&'static str> {
        match self {
            Step::Geo(_) => Some("rank"),
            Step::Latency => Some("milliseconds"),
            Step::Distance => Some("kilometres"),
            Step::Failover { .. } => Some("tier"),
            Step::Weighted => Some("weight"),
            Step::Take(_) => None,
        }
    }
}

fn rank(listed: Option<u32>, mode: Mode) -> Rank {
    match (listed, mode) {
        (Some(rank), _) => Rank::from(rank),
        (None, Mode::Prefer) => LAST,
        (None, Mode::Fence) => OUT,
    }
}

impl Geo {
    fn new(mode: Mode, entries: &[RuleEntry], policy: &str) -> Result<Geo, SteerError> {
        let mut selectors = Selectors::default();
        let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
        for entry in entries {
            let place = Place::new(&entry.file, entry.line);
            let fail = |message: String| SteerError::declared(&place, format!("policy {policy}: {message}"));
            let selector = Selector::parse(entry.kind, &entry.value).map_err(fail)?;
            if let Some(first) = selectors.get(&selector).and_then(|index| rules.get(index as usize)) {
                let first = first.place.prefix();
                let elsewhere =
                    first.strip_suffix(": ").map(|at| format!(" (also at {at})")).unwrap_or_default();
                return Err(fail(format!("two rules of one step are for {selector}{elsewhere}: remove one")));
            }
            selectors.insert(selector, rules.len() as u32);
            let ranking = Ranking::new(entry.pops.iter().copied().zip(0..).collect());
            rules.push(Rule { selector, place, ranking });
        }
        Ok(Geo { mode, rules: rules.into(), selectors })
    }

    /// The rule that decides for the client.
    pub fn matching(&self, site: &Site<'_>) -> Option<&Rule> {
        self.rules.get(self.selectors.matches(site).next()? as usize)
    }
}

/// The point on the unit sphere.
pub(super) fn unit_vector(at: Coordinates) -> [f64; 3] {
    let (latitude, longitude) = (at.latitude.to_radians(), at.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

/// The squared length of the chord between two points of the unit sphere. It grows with the
/// great-circle distance and is four times the haversine of the central angle, so it ranks POPs
/// without any trigonometry.
fn chord(from: [f64; 3], to: [f64; 3]) -> f64 {
    from.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The great-circle distance of a squared chord.
fn kilometres(chord: f64) -> f64 {
    let haversine = (chord / 4.0).clamp(0.0, 1.0);
    2.0 * EARTH_RADIUS * haversine.sqrt().asin()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
        let vector = |(latitude, longitude)| unit_vector(Coordinates::new(latitude, longitude).unwrap());
        kilometres(chord(vector(from), vector(to)))
    }

    #[test]
    fn distances_are_great_circles() {
        assert!((distance((50.11, 8.68), (52.37, 4.90)) - 364.0).abs() < 2.0, "Frankfurt to Amsterdam");
        assert!((distance((37.62, -122.38), (35.55, 139.78)) - 8_280.0).abs() < 20.0, "across 180 degrees");
        assert!((distance((0.0, 0.0), (0.0, 180.0)) - 20_015.1).abs() < 0.1);
        assert_eq!(distance((50.0, 8.0), (50.0, 8.0)), 0.0);
        assert!((distance((50.0, 8.0), (50.00001, 8.0)) - 0.00111).abs() < 0.00001);
    }

    #[test]
    fn a_ranking_keeps_the_best_rank() {
        let ranking = Ranking::new(vec![(7, 0), (3, 1), (7, 2)]);
        assert_eq!((ranking.get(7), ranking.get(3), ranking.get(1)), (Some(0), Some(1), None));
    }
}
