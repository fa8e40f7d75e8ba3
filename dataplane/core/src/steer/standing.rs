//! What follows from verdicts and loads for every item and roster, worked out when they are published: a query then
//! reads an octet per candidate, whatever lies below it.

use super::model::{Need, Pool};
use super::roster::{Content, Roster};
use super::shed::UNKNOWN_LOAD;
use super::steering::Steering;
use super::verdict::{Loads, Said, Verdict, Verdicts};

/// Which items count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Counting {
    /// Serving endpoints, and available member pools.
    Serving = 1,
    /// Too little serves: those that served last and are not drained.
    LastGood = 2,
    /// Too little serves: all but drained ones.
    NotDrained = 4,
    /// Everything is drained: all.
    All = 8,
}

/// A bit for each [`Counting`] by which something counts.
pub(super) type Mask = u8;

impl Counting {
    #[inline]
    pub fn is_in(self, mask: Mask) -> bool {
        mask & self as Mask != 0
    }

    fn bit(self, on: bool) -> Mask {
        if on { self as Mask } else { 0 }
    }
}

/// The mask of an endpoint.
fn mask(said: Said) -> Mask {
    let Said { verdict, last_good } = said;
    Counting::Serving.bit(verdict == Verdict::Serving)
        | Counting::LastGood.bit(last_good && verdict != Verdict::Drained)
        | Counting::NotDrained.bit(verdict != Verdict::Drained)
        | Counting::All as Mask
}

/// What a pool has of one type at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strength {
    /// Whether it counts as a member; `Serving` says that it is available.
    pub mask: Mask,
    /// By what `same_pop` gives way: POPs do not count as a whole, since none of both families would.
    pub gives_way: Mask,
    /// The lowest load of the POPs with a serving endpoint, in thousandths.
    pub load: u16,
    /// Serving endpoints, or available members.
    pub healthy: u32,
    /// How many of those are needed.
    pub needed: u32,
    /// Serving endpoints below.
    pub serving: u32,
    /// Endpoints below that are down.
    pub down: u32,
}

/// Verdicts and loads, and what follows from them. The default is that of a steering that steers nothing.
#[derive(Debug, Clone)]
pub struct Standing {
    pub(super) verdicts: Verdicts,
    pub(super) loads: Loads,
    /// By item.
    masks: Box<[Mask]>,
    /// By roster.
    strengths: Box<[Strength]>,
}

impl Default for Standing {
    fn default() -> Standing {
        Standing {
            verdicts: Verdicts::all_serving(0),
            loads: Loads::default(),
            masks: Box::default(),
            strengths: Box::default(),
        }
    }
}

impl Standing {
    /// What `verdicts` and `loads` mean for the pools of `steering`.
    pub fn new(steering: &Steering, verdicts: Verdicts, loads: Loads) -> Standing {
        let mut masks: Vec<Mask> = verdicts.iter().map(mask).collect();
        masks.resize(steering.items.len(), 0);
        let mut strengths: Vec<Strength> = Vec::with_capacity(steering.rosters.len());
        for roster in &steering.rosters {
            let pool = steering.pools.get(roster.pool as usize);
            let strength = match &roster.content {
                Content::Endpoints => of_endpoints(steering, roster, pool, &masks, &loads),
                Content::Pops(pops) => {
                    let gives_way = count_whole_pops(steering, roster, pops, &mut masks);
                    Strength { gives_way, ..of_endpoints(steering, roster, pool, &masks, &loads) }
                }
                Content::Members(members) => {
                    for ((_, item), &member) in roster.positions().zip(&members.rosters) {
                        let member = strengths.get(member as usize).map_or(0, |strength| strength.mask);
                        if let Some(mask) = masks.get_mut(item as usize) {
                            *mask = member;
                        }
                    }
                    let leaves = members.leaves.iter().filter_map(|&leaf| strengths.get(leaf as usize));
                    of_members(roster, pool, &masks, leaves)
                }
            };
            strengths.push(strength);
        }
        Standing { verdicts, loads, masks: masks.into(), strengths: strengths.into() }
    }

    /// What is said of the endpoints.
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// What is said of the POPs.
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// By what an item counts.
    #[inline]
    pub(super) fn mask(&self, item: u32) -> Mask {
        at(&self.masks, item)
    }

    /// By what items count.
    #[inline]
    pub(super) fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// By what a roster's pool counts.
    #[inline]
    pub(super) fn pool_mask(&self, roster: u32) -> Mask {
        self.strengths.get(roster as usize).map_or(0, |strength| strength.mask)
    }

    /// What a roster has.
    #[inline]
    pub(super) fn strength(&self, roster: u32) -> Strength {
        const NONE: Strength = Strength {
            mask: 0,
            gives_way: 0,
            load: UNKNOWN_LOAD,
            healthy: 0,
            needed: 1,
            serving: 0,
            down: 0,
        };
        self.strengths.get(roster as usize).copied().unwrap_or(NONE)
    }

    /// The load of the unit at a position.
    #[inline]
    pub(super) fn load(&self, roster: &Roster, position: u16) -> u16 {
        match &roster.content {
            Content::Members(members) => members
                .rosters
                .get(usize::from(position))
                .map_or(UNKNOWN_LOAD, |&member| self.strength(member).load),
            _ => roster.units().get(usize::from(position)).map_or(UNKNOWN_LOAD, |&pop| self.loads.get(pop)),
        }
    }
}

#[inline]
fn at(masks: &[Mask], item: u32) -> Mask {
    masks.get(item as usize).copied().unwrap_or(0)
}

/// Sets the masks of items that count if their POP does in each family that it has. Where no POP of both families
/// does, or no item would count, availability goes before consistency: they count as their endpoints do. Returns by
/// what that is so.
fn count_whole_pops(
    steering: &Steering,
    roster: &Roster,
    pops: &[[Box<[u32]>; 2]],
    masks: &mut [Mask],
) -> Mask {
    let any = |of: &[u32]| of.iter().fold(0, |any, &endpoint| any | at(masks, endpoint));
    let whole = |families: &[Box<[u32]>; 2]| {
        let some = families.iter().filter(|endpoints| !endpoints.is_empty());
        some.fold(Mask::MAX, |all, endpoints| all & any(endpoints))
    };
    let of_both = pops.iter().filter(|families| families.iter().all(|endpoints| !endpoints.is_empty()));
    let both = of_both.map(whole).reduce(|any, mask| any | mask);
    let whole: Vec<Mask> = pops.iter().map(whole).collect();
    // By item what its endpoint counts by, and what its POP does.
    let counts: Vec<(u32, Mask, Mask)> = roster
        .positions()
        .map(|(position, item)| {
            let own = steering.items.endpoint(item).map_or(0, |endpoint| at(masks, endpoint));
            (item, own, whole.get(usize::from(position)).copied().unwrap_or(0))
        })
        .collect();
    let some = counts.iter().fold(0, |some, (_, own, pop)| some | own & pop);
    let gives_way = !(some & both.unwrap_or(Mask::MAX));
    for (item, own, pop) in counts {
        if let Some(mask) = masks.get_mut(item as usize) {
            *mask = own & (pop | gives_way);
        }
    }
    gives_way
}

/// How much a pool needs when `present` are not drained.
fn needed(pool: Option<&Pool>, roster: &Roster, present: u32) -> u32 {
    pool.map_or(Need::default(), |pool| pool.need(roster.rtype)).of(present)
}

fn of_endpoints(
    steering: &Steering,
    roster: &Roster,
    pool: Option<&Pool>,
    masks: &[Mask],
    loads: &Loads,
) -> Strength {
    let (mut any, mut load, mut serving, mut present) = (0, None, 0, 0);
    for endpoint in roster.items().iter().filter_map(|&item| steering.items.endpoint(item)) {
        // The endpoint's own, also where its POP counts as a whole.
        let mask = at(masks, endpoint);
        any |= mask;
        present += u32::from(Counting::NotDrained.is_in(mask));
        if Counting::Serving.is_in(mask) {
            serving += 1;
            let pop = steering.endpoint(endpoint).map_or(u32::MAX, |endpoint| endpoint.pop);
            load = lowest(load, loads.get(pop));
        }
    }
    let needed = needed(pool, roster, present);
    Strength {
        mask: any & !(Counting::Serving as Mask) | Counting::Serving.bit(serving >= needed),
        gives_way: 0,
        load: load.unwrap_or(UNKNOWN_LOAD),
        healthy: serving,
        needed,
        serving,
        down: present - serving,
    }
}

fn of_members<'a>(
    roster: &Roster,
    pool: Option<&Pool>,
    masks: &[Mask],
    leaves: impl Iterator<Item = &'a Strength>,
) -> Strength {
    let of = |counting: Counting| {
        roster.items().iter().filter(|&&item| counting.is_in(at(masks, item))).count() as u32
    };
    let any = roster.items().iter().fold(0, |any, &item| any | at(masks, item));
    let (healthy, needed) = (of(Counting::Serving), needed(pool, roster, of(Counting::NotDrained)));
    let (mut load, mut serving, mut down) = (None, 0u32, 0u32);
    for leaf in leaves {
        serving = serving.saturating_add(leaf.serving);
        down = down.saturating_add(leaf.down);
        if leaf.serving > 0 {
            load = lowest(load, leaf.load);
        }
    }
    Strength {
        mask: any & !(Counting::Serving as Mask) | Counting::Serving.bit(healthy >= needed),
        gives_way: 0,
        load: load.unwrap_or(UNKNOWN_LOAD),
        healthy,
        needed,
        serving,
        down,
    }
}

/// The lower of two loads; an unknown one is the lowest, since it sheds nothing.
fn lowest(least: Option<u16>, load: u16) -> Option<u16> {
    let rank = |load: u16| if load == UNKNOWN_LOAD { 0 } else { load };
    Some(match least {
        Some(least) if rank(least) <= rank(load) => least,
        _ => load,
    })
}
