//! Normalising a policy's steps to stages.
//!
//! Until the next `take`, steps do these things only, whatever their order:
//! - static steps before the first `weighted` or `sticky` sort and split the groups;
//! - `weighted` and `sticky` make every candidate a group of its own, in an order found when the query comes;
//!   `shuffle` puts equals in random order, which matters unless one of those does the same;
//! - static steps after `weighted` or `sticky` find groups of one, so they can only drop candidates. Such an order
//!   of fewer candidates is the same as that order with the others taken out, so they may as well be dropped first;
//! - `shed` moves units behind all others and changes no order otherwise, so it may as well come last;
//! - candidates of weight 0 come after all others where one of the steps is `weighted` or `sticky`, also after those
//!   that are shed: that comes last of all.
//!
//! So a stage is an order known when compiled, an order of equals, units to shed, and a limit or none.

use super::policy::Step;
use super::shed::Watermarks;
use super::sticky::PrefixLengths;

/// Most `shed` steps up to a `take`: each doubles the ways through the order.
pub(super) const MAX_SHEDS: usize = 4;

/// The order of equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As declared.
    Declared,
    /// Random; they stay equals.
    Shuffled,
    /// Random by weight, each then a group of its own.
    Weighted,
    /// By weight, following from the client's prefix, each then a group of its own.
    Sticky(PrefixLengths),
}

/// What a stage does when a query comes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stage {
    pub order: Order,
    /// Of each `shed` step; later ones weigh more.
    pub sheds: Box<[Watermarks]>,
    /// How many candidates are kept, from then on as equals; `None`: the first group (last stage only).
    pub take: Option<u8>,
    /// Whether candidates of weight 0 come after all others: where weights have a part, in pools that have such.
    pub spares_last: bool,
    /// In how many passes candidates have their turns: twice as many for each shed step, and for `spares_last`.
    pub passes: u32,
}

impl Stage {
    fn new(order: Order, sheds: Box<[Watermarks]>, take: Option<u8>) -> Stage {
        // More than [`MAX_SHEDS`] are refused before any stage is run.
        let passes = 1u32.checked_shl(sheds.len() as u32).unwrap_or(u32::MAX);
        Stage { order, sheds, take, spares_last: false, passes }
    }

    /// The stage in a pool some of whose candidates, but not all, have weight 0.
    pub fn with_spares(&self) -> Stage {
        let mut stage = self.clone();
        if stage.weighs() {
            stage.spares_last = true;
            stage.passes = stage.passes.saturating_mul(2);
        }
        stage
    }

    /// Whether the client's prefix has a part.
    pub fn is_sticky(&self) -> bool {
        matches!(self.order, Order::Sticky(_))
    }

    /// Whether weights have a part.
    pub fn weighs(&self) -> bool {
        matches!(self.order, Order::Weighted | Order::Sticky(_))
    }

    /// Whether chance has a part.
    pub fn is_random(&self) -> bool {
        matches!(self.order, Order::Shuffled | Order::Weighted) || !self.sheds.is_empty()
    }
}

/// A stage and the numbers of the steps that it is made of.
#[derive(Debug, PartialEq)]
pub(super) struct StageSteps {
    pub stage: Stage,
    /// Static steps that sort and split, in their order.
    pub sorting: Vec<usize>,
    /// Static steps that only drop.
    pub fencing: Vec<usize>,
    /// All of the stage's steps: from the first to before the last.
    pub steps: std::ops::Range<usize>,
}

/// The stages of a policy, at least one.
pub(super) fn stages(steps: &[Step]) -> Vec<StageSteps> {
    let empty = |start| StageSteps {
        stage: Stage::new(Order::Declared, Box::default(), None),
        sorting: Vec::new(),
        fencing: Vec::new(),
        steps: start..start,
    };
    let mut all = Vec::new();
    let mut current = empty(0);
    let mut sheds = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        current.steps.end = number + 1;
        let order = &mut current.stage.order;
        let singled = matches!(order, Order::Weighted | Order::Sticky(_));
        match step {
            Step::Weighted | Step::Sticky(_) | Step::Shuffle if singled => {}
            Step::Weighted => *order = Order::Weighted,
            Step::Sticky(lengths) => *order = Order::Sticky(*lengths),
            Step::Shuffle => *order = Order::Shuffled,
            Step::Shed(watermarks) => sheds.push(*watermarks),
            Step::SamePop => {}
            Step::Take(count) => {
                let sheds = std::mem::take(&mut sheds).into();
                current.stage = Stage::new(*order, sheds, Some(*count));
                all.push(std::mem::replace(&mut current, empty(number + 1)));
            }
            _ if singled => current.fencing.push(number),
            _ => current.sorting.push(number),
        }
    }
    if !current.steps.is_empty() || all.is_empty() {
        current.stage = Stage::new(current.stage.order, sheds.into(), None);
        all.push(current);
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn stage(order: Order, take: Option<u8>) -> Stage {
        Stage::new(order, Box::default(), take)
    }

    #[test]
    fn steps_fall_into_stages_at_each_take() {
        let steps = [
            Step::Distance(Box::default()),
            Step::Shuffle,
            Step::Weighted,
            Step::Latency(None),
            Step::Shuffle,
            Step::Take(3),
            Step::Latency(None),
            Step::Take(1),
        ];
        let found = stages(&steps);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].stage, stage(Order::Weighted, Some(3)));
        assert_eq!((&found[0].sorting[..], &found[0].fencing[..]), (&[0][..], &[3][..]));
        assert_eq!(found[0].steps, 0..6);
        assert_eq!(found[1].stage, stage(Order::Declared, Some(1)));
        assert_eq!(found[1].steps, 6..8);
    }

    #[test]
    fn there_is_a_pass_for_each_way_of_being_put_last() {
        let shed = || Step::Shed(Watermarks::new(0.5, 0.9).unwrap());
        let passes = |steps: &[Step]| {
            let stage = &stages(steps)[0].stage;
            (stage.passes, stage.with_spares().passes)
        };
        assert_eq!(passes(&[]), (1, 1));
        assert_eq!(passes(&[Step::Weighted]), (1, 2));
        assert_eq!(passes(&[shed(), shed(), Step::Shuffle]), (4, 4));
        assert_eq!(passes(&[shed(), Step::Weighted, shed()]), (4, 8));
        // Refused later on.
        let many: Vec<Step> = (0..64).map(|_| shed()).collect();
        assert_eq!(passes(&many), (u32::MAX, u32::MAX));
    }

    #[test]
    fn no_steps_are_one_stage() {
        assert_eq!(stages(&[]).len(), 1);
        assert_eq!(stages(&[Step::Take(2), Step::Weighted]).len(), 2);
    }
}
