//! Choosing within one pool: walks the orders that were computed when compiled.

use super::choose::{Query, Trace};
use super::classes::{FENCED, GROUP_HEADER};
use super::draw::{Members, Undrawn, draw, draw_sticky};
use super::random::Random;
use super::selection::{CAPACITY, Candidate, List, Positions};
use super::stages::{Order, Stage};
use super::standing::Mask;
use super::tree::Node;

/// A weighted group of more units than this is drawn from by trial.
const FEW_UNITS: usize = 8;
/// Trials for each draw.
const TRIALS: u32 = 32;

/// Where candidates are kept on the way.
pub(super) struct Scratch<'a> {
    pub chosen: &'a mut List,
    pub before: &'a mut List,
    pub urn: &'a mut List,
    /// Members that do not count though they could.
    pub refusing: Option<&'a Positions>,
}

/// What a stage looks at.
struct Walk<'a> {
    query: &'a Query<'a>,
    node: &'a Node,
    stage: &'a Stage,
    /// By item.
    masks: &'a [Mask],
    /// The bit of those that count.
    bit: Mask,
    refusing: Option<&'a Positions>,
    /// What the stage sheds units by.
    nonce: u64,
    /// The hash of the client's prefix, where the stage's order is sticky.
    client: u64,
}

/// Runs every stage; returns whether anything is left in `chosen`. It and what it calls are always inlined: that is a
/// quarter of the cost of a decision.
#[inline(always)]
pub(super) fn run_stages<T: Trace>(
    query: &Query<'_>,
    node: &Node,
    scratch: &mut Scratch<'_>,
    random: &mut Random,
    trace: &mut T,
) -> bool {
    for (number, stage) in node.stages.iter().enumerate() {
        let sequence = query.tree.classes.sequence(query.class, node.column + number);
        let client = match stage.order {
            Order::Sticky(lengths) => lengths.client(*query.client),
            _ => 0,
        };
        let (masks, bit) = (query.standing.masks(), query.counting as Mask);
        let mut nonce = 0;
        if !stage.sheds.is_empty() {
            nonce = random.next_u64();
            trace.shed(nonce);
        }
        let walk = Walk { query, node, stage, masks, bit, refusing: scratch.refusing, nonce, client };
        if number == 0 {
            walk.first(sequence, scratch, random);
        } else {
            walk.later(sequence, scratch, random);
        }
        trace.stage(scratch.chosen.as_slice());
        if scratch.chosen.is_empty() {
            return false;
        }
    }
    true
}

/// Splits the first group of equals off an order.
#[inline]
pub(super) fn split_group(order: &[u16]) -> Option<(&[u16], &[u16])> {
    let (&first, rest) = order.split_first()?;
    if first & GROUP_HEADER == 0 {
        order.split_at_checked(1)
    } else {
        rest.split_at_checked(usize::from(first & !GROUP_HEADER))
    }
}

/// The candidates of a group of units that count, and have their turn in this pass.
#[derive(Clone, Copy)]
struct Group<'a> {
    walk: &'a Walk<'a>,
    group: &'a [u16],
    pass: u32,
}

impl Members for Group<'_> {
    #[inline(always)]
    fn each(self, mut more: impl FnMut(Candidate) -> bool) {
        let Group { walk, group, pass } = self;
        for &position in group {
            for &item in walk.node.roster.at(position) {
                let candidate = Candidate { item, position };
                if walk.counts(candidate, pass) && !more(candidate) {
                    return;
                }
            }
        }
    }
}

impl Walk<'_> {
    /// Walks a class's order of units until enough candidates are found: once for each pass.
    #[inline(always)]
    fn first(&self, order: &[u16], scratch: &mut Scratch<'_>, random: &mut Random) {
        scratch.chosen.clear();
        for pass in 0..self.stage.passes {
            let mut rest = order;
            while let Some((group, after)) = split_group(rest) {
                rest = after;
                let done = if self.stage.order == Order::Weighted && group.len() > FEW_UNITS {
                    self.draw_by_trial(group, pass, scratch, random)
                } else {
                    self.add_group(Group { walk: self, group, pass }, scratch.urn, scratch.chosen, random)
                };
                if done {
                    return;
                }
            }
        }
    }

    /// Whether a candidate counts, and has its turn in this pass.
    #[inline(always)]
    fn counts(&self, candidate: Candidate, pass: u32) -> bool {
        self.masks.get(candidate.item as usize).is_some_and(|mask| mask & self.bit != 0)
            && self.refusing.is_none_or(|refusing| !refusing.has(usize::from(candidate.position)))
            && (self.stage.passes == 1 || self.pass(candidate) == pass)
    }

    /// The pass in which a candidate has its turn: a bit for each shed step by which its unit is shed for this query,
    /// and above them one for weight 0, which weighs more than all sheds.
    #[cold]
    fn pass(&self, Candidate { item, position }: Candidate) -> u32 {
        let Stage { sheds, spares_last, .. } = self.stage;
        let load = self.query.standing.load(&self.node.roster, position);
        let shed = (0..).zip(sheds).fold(0, |bits, (number, watermarks)| {
            // Each step draws for itself.
            let nonce = self.nonce.wrapping_add(number);
            bits | u32::from(watermarks.sheds(load, nonce, position)) << number
        });
        if *spares_last && self.query.items.weight(item) == 0 { shed | 1 << sheds.len() } else { shed }
    }

    /// Draws from a large group without looking at all of it: tries candidates at random, each as likely as
    /// its weight, until one counts and is not drawn yet. Where that takes too long (most are down, or
    /// their weights are very uneven) it goes on from what is drawn by looking at all.
    #[inline]
    fn draw_by_trial(
        &self,
        group: &[u16],
        pass: u32,
        scratch: &mut Scratch<'_>,
        random: &mut Random,
    ) -> bool {
        let Scratch { chosen, urn, .. } = scratch;
        let roster = &self.node.roster;
        let start = chosen.len();
        let wanted = start + self.wanted(chosen);
        let (widest, heaviest) = (roster.widest().max(1), roster.heaviest());
        // At most 4,096 units x 65,535 items x 2^32: no overflow.
        let tickets = group.len() as u64 * widest * heaviest;
        let mut trials = TRIALS;
        while chosen.len() < wanted && trials > 0 && heaviest > 0 {
            trials -= 1;
            let ticket = random.below(tickets);
            let (slot, height) = (ticket / heaviest, ticket % heaviest);
            let Some(&position) = group.get((slot / widest) as usize) else { continue };
            let Some(&item) = roster.at(position).get((slot % widest) as usize) else { continue };
            let candidate = Candidate { item, position };
            let drawn = chosen.as_slice().get(start..).unwrap_or_default();
            if height < u64::from(self.query.items.weight(item))
                && self.counts(candidate, pass)
                && !drawn.contains(&candidate)
            {
                chosen.push(candidate);
                trials = TRIALS;
            }
        }
        if chosen.len() < wanted {
            let before = chosen.clone();
            let drawn = before.as_slice().get(start..).unwrap_or_default();
            let others = Undrawn { members: Group { walk: self, group, pass }, drawn };
            let weight = |candidate: Candidate| u64::from(self.query.items.weight(candidate.item));
            draw(others, weight, wanted - chosen.len(), random, urn, chosen);
        }
        self.is_done(chosen)
    }

    /// Sorts what the stage before has kept by pass and by the class's ranks, and goes on from there.
    #[inline(never)]
    fn later(&self, ranks: &[u16], scratch: &mut Scratch<'_>, random: &mut Random) {
        let rank =
            |candidate: &Candidate| ranks.get(usize::from(candidate.position)).copied().unwrap_or(FENCED);
        let key = |candidate: &Candidate| {
            let pass = if self.stage.passes == 1 { 0 } else { self.pass(*candidate) };
            pass << 16 | u32::from(rank(candidate))
        };
        let Scratch { chosen, before, urn, .. } = scratch;
        before.clear();
        for &candidate in chosen.as_slice() {
            if rank(&candidate) != FENCED {
                before.push(candidate);
            }
        }
        before.sort_by_key(key);
        chosen.clear();
        for group in before.as_slice().chunk_by(|one, other| key(one) == key(other)) {
            if self.add_group(group, urn, chosen, random) {
                return;
            }
        }
    }

    /// Adds a group of equals as far as the stage wants it; returns whether the stage is done.
    #[inline(always)]
    fn add_group(
        &self,
        members: impl Members,
        urn: &mut List,
        chosen: &mut List,
        random: &mut Random,
    ) -> bool {
        let items = self.query.items;
        let wanted = self.wanted(chosen);
        match self.stage.order {
            Order::Declared => {
                let full = chosen.len() + wanted;
                if wanted > 0 {
                    members.each(|member| chosen.push(member) && chosen.len() < full);
                }
            }
            Order::Shuffled => self.shuffle(members, wanted, urn, chosen, random),
            Order::Weighted => {
                let weight = |candidate: Candidate| u64::from(items.weight(candidate.item));
                draw(members, weight, wanted, random, urn, chosen);
            }
            Order::Sticky(_) => self.add_sticky(members, wanted, urn, chosen),
        }
        self.is_done(chosen)
    }

    /// Adds equals in random order.
    #[inline(never)]
    fn shuffle(
        &self,
        members: impl Members,
        wanted: usize,
        urn: &mut List,
        chosen: &mut List,
        random: &mut Random,
    ) {
        draw(members, |_| 1, wanted, random, urn, chosen);
    }

    /// Adds equals in the order of their sticky scores.
    #[inline(never)]
    fn add_sticky(&self, members: impl Members, wanted: usize, urn: &mut List, chosen: &mut List) {
        let whole = self.node.whole_pops && self.stage.take.is_none();
        let items = self.query.items;
        let of = |candidate: Candidate| (items.identity(candidate.item), items.weight(candidate.item));
        draw_sticky(members, of, self.client, wanted, whole, urn, chosen);
    }

    /// How many candidates the stage still wants.
    #[inline]
    fn wanted(&self, chosen: &List) -> usize {
        match (self.stage.take, self.stage.order) {
            (Some(most), _) => usize::from(most).saturating_sub(chosen.len()),
            // Without a limit the first group is the answer, and once weighed each candidate is a group.
            (None, Order::Weighted | Order::Sticky(_)) => 1,
            (None, Order::Declared | Order::Shuffled) => CAPACITY,
        }
    }

    /// Whether the stage needs no further group.
    #[inline]
    fn is_done(&self, chosen: &List) -> bool {
        match self.stage.take {
            Some(most) => chosen.len() >= usize::from(most),
            None => !chosen.is_empty(),
        }
    }
}
