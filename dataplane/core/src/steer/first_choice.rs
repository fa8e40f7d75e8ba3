//! The POPs that the clients of a class are answered with while everything serves and no load is known.
//!
//! What chance or a client's prefix draws from is told as the set of what can be drawn: two classes with the same set
//! send their clients to the same POPs. It reads the orders that queries walk, but follows every draw at once.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::classes::FENCED;
use super::items::Items;
use super::model::WhenAllDown;
use super::run::split_group;
use super::selection::Candidate;
use super::stages::{Order, Stage};
use super::standing::{Counting, Standing};
use super::steering::Steering;
use super::tree::{Node, ROOT, Tree};
use super::verdict::{Loads, Verdicts};

/// Finds first choices.
pub(super) struct FirstChoices<'a> {
    steering: &'a Steering,
    /// All that serves.
    standing: Standing,
}

/// What a stage keeps.
struct Kept {
    candidates: Vec<Candidate>,
    /// Whether it is just these, rather than some of them.
    is_exact: bool,
}

/// One tree and class. Pools below are looked at once, however many pools they are in.
struct Walk<'a> {
    choices: &'a FirstChoices<'a>,
    tree: &'a Tree,
    class: u32,
    counting: Counting,
    members: Vec<Option<Rc<BTreeSet<u32>>>>,
}

impl<'a> FirstChoices<'a> {
    pub fn new(steering: &'a Steering) -> FirstChoices<'a> {
        let verdicts = Verdicts::all_serving(steering.endpoint_count());
        FirstChoices { steering, standing: Standing::new(steering, verdicts, Loads::default()) }
    }

    /// The POPs of a class, ascending; none where the zone's own records or nothing is answered.
    pub fn of(&self, tree: &Tree, class: u32) -> BTreeSet<u32> {
        let mask = self.standing.strength(tree.root.roster.number).mask;
        let counting = match tree.when_all_down {
            _ if Counting::Serving.is_in(mask) => Counting::Serving,
            // It needs more than it has.
            WhenAllDown::ServeAll | WhenAllDown::LastGood => Counting::NotDrained,
            _ => return BTreeSet::new(),
        };
        let mut walk = Walk { choices: self, tree, class, counting, members: vec![None; tree.members.len()] };
        walk.pops(&tree.root)
    }
}

impl Walk<'_> {
    /// The POPs of what a pool's own policy keeps.
    fn pops(&mut self, node: &Node) -> BTreeSet<u32> {
        let mut pops = BTreeSet::new();
        for candidate in self.kept(node).candidates {
            match node.children.get(usize::from(candidate.position)) {
                Some(&child) => pops.extend(self.member(child).iter()),
                None => pops.extend(self.pop_of(candidate)),
            }
        }
        pops
    }

    fn pop_of(&self, candidate: Candidate) -> Option<u32> {
        let steering = self.choices.steering;
        Some(steering.endpoint(steering.items.endpoint(candidate.item)?)?.pop)
    }

    fn member(&mut self, child: u16) -> Rc<BTreeSet<u32>> {
        if let Some(Some(known)) = self.members.get(usize::from(child)) {
            return known.clone();
        }
        let tree = self.tree;
        let found = Rc::new(match tree.node(child) {
            Some(member) if child != ROOT => self.pops(member),
            _ => BTreeSet::new(),
        });
        if let Some(slot) = self.members.get_mut(usize::from(child)) {
            *slot = Some(found.clone());
        }
        found
    }

    fn kept(&mut self, node: &Node) -> Kept {
        let items = &self.choices.steering.items;
        let mut kept = Kept { candidates: Vec::new(), is_exact: true };
        for (number, stage) in node.stages.iter().enumerate() {
            let tree = self.tree;
            let sequence = tree.classes.sequence(self.class, node.column + number);
            if number == 0 {
                let mut rest = sequence;
                let groups = std::iter::from_fn(|| {
                    let (group, after) = split_group(rest)?;
                    rest = after;
                    Some(self.members_of(node, group))
                });
                kept = take(items, stage, groups);
            } else {
                kept = self.sorted(stage, sequence, kept);
            }
        }
        kept
    }

    /// The candidates of a group of units that count.
    fn members_of(&mut self, node: &Node, group: &[u16]) -> Vec<Candidate> {
        let mut found = Vec::new();
        for &position in group {
            for &item in node.roster.at(position) {
                if !self.counting.is_in(self.choices.standing.mask(item)) {
                    continue;
                }
                let child = node.children.get(usize::from(position)).filter(|_| node.asks_members);
                let refuses = child.is_some_and(|&child| {
                    self.tree.node(child).is_some_and(|member| member.may_refuse)
                        && self.member(child).is_empty()
                });
                if !refuses {
                    found.push(Candidate { item, position });
                }
            }
        }
        found
    }

    /// What a stage after the first keeps of `kept`.
    fn sorted(&self, stage: &Stage, ranks: &[u16], kept: Kept) -> Kept {
        let rank =
            |candidate: &Candidate| ranks.get(usize::from(candidate.position)).copied().unwrap_or(FENCED);
        let mut candidates = kept.candidates;
        candidates.retain(|candidate| rank(candidate) != FENCED);
        if !kept.is_exact {
            // Which of them are there to be sorted is a matter of chance: each can come first.
            return Kept { candidates, is_exact: false };
        }
        candidates.sort_by_key(rank);
        let groups = candidates.chunk_by(|one, other| rank(one) == rank(other)).map(<[Candidate]>::to_vec);
        take(&self.choices.steering.items, stage, groups)
    }
}

/// What a stage keeps of groups of equals.
fn take(items: &Items, stage: &Stage, groups: impl Iterator<Item = Vec<Candidate>>) -> Kept {
    let mut kept = Kept { candidates: Vec::new(), is_exact: true };
    let mut spares = Vec::new();
    for mut group in groups {
        if stage.weighs() {
            // Those of weight 0 are drawn when no others are left.
            let is_heavy = |candidate: &Candidate| items.weight(candidate.item) > 0;
            let (heavy, light): (Vec<Candidate>, Vec<Candidate>) = group.into_iter().partition(is_heavy);
            spares.push(light);
            group = heavy;
        }
        if kept.add(stage, group) {
            return kept;
        }
    }
    for group in spares {
        if kept.add(stage, group) {
            break;
        }
    }
    kept
}

impl Kept {
    /// Adds a group of equals; returns whether the stage is done.
    fn add(&mut self, stage: &Stage, mut group: Vec<Candidate>) -> bool {
        if group.is_empty() {
            return false;
        }
        let room = match stage.take {
            Some(most) => usize::from(most).saturating_sub(self.candidates.len()),
            None if stage.weighs() => 1,
            None => group.len(),
        };
        if group.len() > room {
            match stage.order {
                Order::Declared => group.truncate(room),
                _ => self.is_exact = false,
            }
        }
        self.candidates.append(&mut group);
        stage.take.is_none_or(|most| self.candidates.len() >= usize::from(most))
    }
}
