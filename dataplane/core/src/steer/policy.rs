//! Policies: the steps, and how the static ones rank units for a client.

use super::distance::{chord, kilometres, unit_vector};
use super::document::{Mode, PolicyEntry, RuleEntry, StepEntry, ToleranceEntry};
use super::error::SteerError;
use super::latency::milliseconds;
use super::model::{Place, World};
use super::roster::Roster;
use super::rules::{Geo, Ranking, rank};
use super::selection::CAPACITY;
use super::selector::{Kind, Site};
use super::shed::Watermarks;
use super::sticky::PrefixLengths;
use crate::geo::prefix::Subnet;

/// Most steps of a policy.
const MAX_STEPS: usize = 64;
/// Greatest bias in kilometres, about half the way around the Earth.
const MAX_BIAS: f64 = 20_000.0;

/// A rank that a static step gives a unit: lower is better, equal ranks are equals.
pub(super) type Rank = u64;
/// The rank of units that a step knows nothing of.
pub(super) const LAST: Rank = u64::MAX - 1;
/// The rank of units that drop out.
pub(super) const OUT: Rank = u64::MAX;

/// The ordered steps that choose among a pool for a client.
#[derive(Debug, Default)]
pub(super) struct Policy {
    pub name: Box<str>,
    pub steps: Box<[Step]>,
    pub place: Place,
}

#[derive(Debug)]
pub(super) enum Step {
    /// The most specific matching rule ranks the units.
    Geo(Geo),
    /// By measured milliseconds.
    Latency(Option<Tolerance>),
    /// By great-circle distance and a bias: (unit, kilometres), sorted by unit.
    Distance(Box<[(u32, f64)]>),
    /// By declared tiers: (unit, tier) by unit.
    Failover { mode: Mode, tiers: Ranking },
    /// Each group of equals in random order by weight; those of weight 0 after all groups.
    Weighted,
    /// The same in an order that follows from the client's prefix.
    Sticky(PrefixLengths),
    /// Overloaded units after all others.
    Shed(Watermarks),
    /// The first so many, from then on equals.
    Take(u8),
    /// Each group of equals in random order.
    Shuffle,
    /// POPs count as a whole, over both address families, while any does.
    SamePop,
}

/// How much worse than the best of its band a unit may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tolerance {
    Milliseconds(f64),
    Percent(f64),
}

impl Tolerance {
    /// The last value of the band that `best` opens.
    pub fn end(self, best: f64) -> f64 {
        match self {
            Tolerance::Milliseconds(more) => best + more,
            Tolerance::Percent(percent) => best + best * percent / 100.0,
        }
    }
}

impl Policy {
    pub fn new(entry: &PolicyEntry, world: &World) -> Result<Policy, SteerError> {
        let place = Place::new(&entry.file, entry.line);
        SteerError::check_limit(&place, "steps in one policy", entry.steps.len(), MAX_STEPS)?;
        let steps = entry
            .steps
            .iter()
            .map(|step| Step::new(step, &entry.name, &place, world.unit_count()))
            .collect::<Result<Box<[_]>, _>>()?;
        let policy = Policy { name: (*entry.name).into(), steps, place };
        if let Some(message) = policy.misplaced_same_pop() {
            return Err(SteerError::declared(&policy.place, format!("policy {}: {message}", policy.name)));
        }
        Ok(policy)
    }

    fn misplaced_same_pop(&self) -> Option<&'static str> {
        let is = |step: &Step| matches!(step, Step::SamePop);
        if self.steps.iter().skip(1).any(is) {
            return Some("same_pop must be the first step");
        }
        let anew = |step: &Step| matches!(step, Step::Weighted | Step::Shed(_));
        (self.is_same_pop() && self.steps.iter().any(anew)).then_some(
            "same_pop cannot stand with weighted or shed, which draw anew for each query: use sticky",
        )
    }

    /// Whether POPs count as a whole.
    pub fn is_same_pop(&self) -> bool {
        matches!(self.steps.first(), Some(Step::SamePop))
    }

    /// Whether the policy can leave a client none of the candidates that count.
    pub fn may_leave_none(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Geo(geo) => geo.mode == Mode::Fence,
            Step::Failover { mode, .. } => *mode == Mode::Fence,
            _ => false,
        })
    }

    /// The subnets that its steps' selectors name.
    pub fn subnets<'a>(&'a self, world: &'a World) -> impl Iterator<Item = Subnet> + 'a {
        self.steps.iter().filter_map(|step| step.selectors(world)).flat_map(|selectors| selectors.subnets())
    }

    /// Whether clients at different places can be answered differently.
    pub fn looks_at_location(&self, world: &World) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Distance(_) => true,
            _ => step.selectors(world).is_some_and(|selectors| selectors.look_at_location()),
        })
    }
}

impl Step {
    fn new(entry: &StepEntry, policy: &str, place: &Place, unit_count: usize) -> Result<Step, SteerError> {
        let fail = |message: String| SteerError::declared(place, format!("policy {policy}: {message}"));
        let check = |units: &[u32], place: &Place| match units.iter().find(|&&u| u as usize >= unit_count) {
            Some(unit) => Err(SteerError::declared(
                place,
                format!("policy {policy}: there is no POP or pool with the unit number {unit}"),
            )),
            None => Ok(()),
        };
        let geo = |mode, rules: &[RuleEntry], only| -> Result<Step, SteerError> {
            for rule in rules {
                check(&rule.units, &Place::new(&rule.file, rule.line))?;
            }
            Ok(Step::Geo(Geo::new(mode, rules, only, policy)?))
        };
        Ok(match entry {
            StepEntry::Geo { mode, rules } => geo(*mode, rules, None)?,
            StepEntry::Asn { mode, rules } => geo(*mode, rules, Some(Kind::Asn))?,
            StepEntry::Subnet { mode, rules } => geo(*mode, rules, Some(Kind::Subnet))?,
            StepEntry::Latency { tolerance: None } => Step::Latency(None),
            StepEntry::Latency { tolerance: Some(tolerance) } => {
                let (found, value) = match *tolerance {
                    ToleranceEntry::Milliseconds(value) => (Tolerance::Milliseconds(value), value),
                    ToleranceEntry::Percent(value) => (Tolerance::Percent(value), value),
                };
                if !(0.0..=60_000.0).contains(&value) {
                    return Err(fail(format!("a tolerance of {value} is out of range: write 0 to 60000")));
                }
                Step::Latency(Some(found))
            }
            StepEntry::Distance { bias } => {
                for (unit, kilometres) in bias {
                    check(&[*unit], place)?;
                    if !(-MAX_BIAS..=MAX_BIAS).contains(kilometres) {
                        return Err(fail(format!(
                            "a bias of {kilometres} km is out of range: write -{MAX_BIAS} to {MAX_BIAS}"
                        )));
                    }
                }
                let mut bias = bias.clone();
                bias.sort_by_key(|(unit, _)| *unit);
                bias.dedup_by_key(|(unit, _)| *unit);
                Step::Distance(bias.into())
            }
            StepEntry::Failover { mode, tiers } => {
                tiers.iter().try_for_each(|tier| check(tier, place))?;
                let tiers =
                    (0..).zip(tiers).flat_map(|(tier, units)| units.iter().map(move |&unit| (unit, tier)));
                Step::Failover { mode: *mode, tiers: Ranking::new(tiers.collect()) }
            }
            StepEntry::Weighted {} => Step::Weighted,
            StepEntry::Sticky { ipv4, ipv6 } => {
                Step::Sticky(PrefixLengths::new(*ipv4, *ipv6).ok_or_else(|| {
                    fail(format!("sticky /{ipv4} and /{ipv6} are out of range: at most 32 and 128 bits"))
                })?)
            }
            StepEntry::Shed { low, high } => Step::Shed(Watermarks::new(*low, *high).ok_or_else(|| {
                fail(format!("shed from {low} to {high}: low must be less than high, both 0 to 10"))
            })?),
            StepEntry::Take { count } if (1..=CAPACITY).contains(count) => Step::Take(*count as u8),
            StepEntry::Take { count } => {
                return Err(fail(format!("take {count} is out of range: write 1 to {CAPACITY}")));
            }
            StepEntry::Shuffle {} => Step::Shuffle,
            StepEntry::SamePop {} => Step::SamePop,
        })
    }

    /// The step's word in the site's files.
    pub fn word(&self) -> &'static str {
        match self {
            Step::Geo(geo) => geo.word,
            Step::Latency(_) => "latency",
            Step::Distance(_) => "distance",
            Step::Failover { .. } => "failover",
            Step::Weighted => "weighted",
            Step::Sticky(_) => "sticky",
            Step::Shed(_) => "shed",
            Step::Take(_) => "take",
            Step::Shuffle => "shuffle",
            Step::SamePop => "same_pop",
        }
    }

    /// The selectors that it matches clients with.
    fn selectors<'a>(&'a self, world: &'a World) -> Option<&'a super::selector::Selectors> {
        match self {
            Step::Geo(geo) => Some(&geo.selectors),
            Step::Latency(_) => Some(&world.latency.selectors),
            _ => None,
        }
    }

    /// Appends what the step sees of a client: it ranks all units alike for clients of whom it sees the same.
    pub fn signature(&self, world: &World, site: &Site<'_>, out: &mut Vec<u64>) {
        match self {
            Step::Geo(geo) => out.push(geo.selectors.matches(site).next().map_or(u64::MAX, u64::from)),
            Step::Latency(_) => {
                out.extend(world.latency.selectors.matches(site).map(u64::from));
                out.push(u64::MAX);
            }
            Step::Distance(_) => match site.location.coordinates {
                Some(coordinates) => out.extend(<[u64; 2]>::from(coordinates.to_bits())),
                // No coordinates have these bits: they are a NaN.
                None => out.extend([u64::MAX, u64::MAX]),
            },
            _ => {}
        }
    }

    /// Writes the rank that a static step gives each position of `roster` to `out`; the others rank all alike.
    /// A member pool is as near as the nearest of its POPs.
    pub fn ranks(&self, world: &World, site: &Site<'_>, roster: &Roster, out: &mut Vec<Rank>) {
        out.clear();
        let units = roster.units();
        match self {
            Step::Geo(geo) => match geo.matching(site) {
                None if geo.passes_others => out.extend(units.iter().map(|_| LAST)),
                rule => {
                    let place = |unit| rule.and_then(|rule| rule.ranking.get(unit));
                    out.extend(units.iter().map(|&unit| rank(place(unit), geo.mode)));
                }
            },
            Step::Latency(_) => {
                let matching = world.latency.matching(site);
                out.extend((0..units.len()).map(|position| {
                    let found = roster.reach(position).iter().filter_map(|&pop| milliseconds(&matching, pop));
                    // Numbers that are not negative order as their bits do.
                    found.map(f64::to_bits).min().unwrap_or(LAST)
                }));
            }
            Step::Distance(bias) => match site.location.coordinates {
                None => out.extend(units.iter().map(|_| LAST)),
                Some(from) => {
                    let from = unit_vector(from);
                    out.extend(units.iter().enumerate().map(|(position, &unit)| {
                        let vectors =
                            roster.reach(position).iter().map(|&pop| world.vectors.get(pop as usize));
                        let chords = vectors.filter_map(|vector| Some(chord(from, (*vector?)?)));
                        match chords.min_by(f64::total_cmp) {
                            None => LAST,
                            Some(chord) if bias.is_empty() => chord.to_bits(),
                            Some(chord) => {
                                // Never below 0, and 0 is never negative zero.
                                let biased = kilometres(chord) + bias_of(bias, unit).unwrap_or(0.0);
                                if biased > 0.0 { biased.to_bits() } else { 0 }
                            }
                        }
                    }));
                }
            },
            Step::Failover { mode, tiers } => {
                out.extend(units.iter().map(|&unit| rank(tiers.get(unit), *mode)));
            }
            _ => out.extend(units.iter().map(|_| 0)),
        }
    }

    /// What a rank means: the place in a rule's list or the tier, from 1; milliseconds; kilometres with bias.
    pub fn meaning(&self, rank: Rank) -> Option<f64> {
        if rank >= LAST {
            return None;
        }
        match self {
            Step::Geo(_) | Step::Failover { .. } => Some(rank as f64 + 1.0),
            Step::Latency(_) => Some(f64::from_bits(rank)),
            Step::Distance(bias) if bias.is_empty() => Some(kilometres(f64::from_bits(rank))),
            Step::Distance(_) => Some(f64::from_bits(rank)),
            _ => None,
        }
    }

    /// The unit of measurement of [`Step::meaning`], or of what else the step goes by.
    pub fn unit(&self) -> Option<&'static str> {
        match self {
            Step::Geo(_) => Some("rank"),
            Step::Latency(_) => Some("milliseconds"),
            Step::Distance(_) => Some("kilometres"),
            Step::Failover { .. } => Some("tier"),
            Step::Weighted => Some("weight"),
            Step::Sticky(_) => Some("score"),
            Step::Shed(_) => Some("load"),
            Step::Take(_) | Step::Shuffle | Step::SamePop => None,
        }
    }
}

/// The bias of a unit in kilometres.
pub(super) fn bias_of(bias: &[(u32, f64)], unit: u32) -> Option<f64> {
    let index = bias.binary_search_by_key(&unit, |(unit, _)| *unit).ok()?;
    bias.get(index).map(|(_, kilometres)| *kilometres)
}
