//! Normalising a policy's steps to stages.
//!
//! Until the next `take`, steps do three things only, whatever their order:
//! - static steps before the first `weighted` sort and split the groups;
//! - `weighted` makes every endpoint a group of its own, in random order;
//! - static steps after it find groups of one, so they can only drop endpoints. A random order by
//!   weight of fewer endpoints is the same as that order with the others taken out, so they may as
//!   well be dropped first.
//!
//! So a stage is an order known when compiled, a random order or none, and a limit or none.

use super::policy::Step;

/// What a stage does when a query comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    /// Whether each group is put in random order by weight.
    pub weighted: bool,
    /// How many endpoints are kept, from then on as equals; `None`: the first group (last stage only).
    pub take: Option<u8>,
}

/// A stage and the numbers of the steps that it is made of.
#[derive(Debug, PartialEq, Eq)]
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
        stage: Stage { weighted: false, take: None },
        sorting: Vec::new(),
        fencing: Vec::new(),
        steps: start..start,
    };
    let mut all = Vec::new();
    let mut current = empty(0);
    for (number, step) in steps.iter().enumerate() {
        current.steps.end = number + 1;
        match step {
            Step::Weighted => current.stage.weighted = true,
            Step::Take(count) => {
                current.stage.take = Some(*count);
                all.push(std::mem::replace(&mut current, empty(number + 1)));
            }
            _ if current.stage.weighted => current.fencing.push(number),
            _ => current.sorting.push(number),
        }
    }
    if !current.steps.is_empty() || all.is_empty() {
        all.push(current);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fall_into_stages_at_each_take() {
        let steps =
            [Step::Distance, Step::Weighted, Step::Latency, Step::Take(3), Step::Latency, Step::Take(1)];
        let found = stages(&steps);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].stage, Stage { weighted: true, take: Some(3) });
        assert_eq!((&found[0].sorting[..], &found[0].fencing[..]), (&[0][..], &[2][..]));
        assert_eq!(found[0].steps, 0..4);
        assert_eq!(found[1].stage, Stage { weighted: false, take: Some(1) });
        assert_eq!(found[1].steps, 4..6);
    }

    #[test]
    fn no_steps_are_one_stage() {
        assert_eq!(stages(&[]).len(), 1);
        assert_eq!(stages(&[Step::Take(2), Step::Weighted]).len(), 2);
    }
}
