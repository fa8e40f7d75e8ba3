//! Geo rules, and lists of units in order.

use super::document::{Mode, RuleEntry};
use super::error::SteerError;
use super::model::Place;
use super::policy::{LAST, OUT, Rank};
use super::selector::{Kind, Selector, Selectors, Site};

/// A step whose most specific matching rule ranks the units.
#[derive(Debug)]
pub(super) struct Geo {
    pub mode: Mode,
    /// The step's word: `geo`, or `asn` or `subnet` where all rules are of that kind.
    pub word: &'static str,
    /// Whether a client that no rule is for passes through, fence or not: rules of one kind have no default.
    pub passes_others: bool,
    pub rules: Box<[Rule]>,
    pub selectors: Selectors,
}

#[derive(Debug)]
pub(super) struct Rule {
    pub selector: Selector,
    pub place: Place,
    pub ranking: Ranking,
}

impl Geo {
    /// Rules that are all of the kind `only`, if that is given.
    pub fn new(
        mode: Mode,
        entries: &[RuleEntry],
        only: Option<Kind>,
        policy: &str,
    ) -> Result<Geo, SteerError> {
        let word = only.map_or("geo", Kind::word);
        let mut selectors = Selectors::default();
        let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
        for entry in entries {
            let place = Place::new(&entry.file, entry.line);
            let fail = |message: String| SteerError::declared(&place, format!("policy {policy}: {message}"));
            if only.is_some_and(|only| only != entry.kind) {
                return Err(fail(format!(
                    "a step `{word}` has no rules for a {}: use `geo`",
                    entry.kind.word()
                )));
            }
            let selector = Selector::parse(entry.kind, &entry.value).map_err(fail)?;
            if let Some(first) = selectors.get(&selector).and_then(|index| rules.get(index as usize)) {
                let first = first.place.prefix();
                let elsewhere =
                    first.strip_suffix(": ").map(|at| format!(" (also at {at})")).unwrap_or_default();
                return Err(fail(format!("two rules of one step are for {selector}{elsewhere}: remove one")));
            }
            selectors.insert(selector, rules.len() as u32);
            let ranking = Ranking::new(entry.units.iter().copied().zip(0..).collect());
            rules.push(Rule { selector, place, ranking });
        }
        Ok(Geo { mode, word, passes_others: only.is_some(), rules: rules.into(), selectors })
    }

    /// The rule that decides for the client.
    pub fn matching(&self, site: &Site<'_>) -> Option<&Rule> {
        self.rules.get(self.selectors.matches(site).next()? as usize)
    }
}

/// Ranks of some units: (unit, rank), sorted by unit, each unit once.
#[derive(Debug)]
pub(super) struct Ranking(Box<[(u32, u32)]>);

impl Ranking {
    /// Of a unit that is listed several times the best rank counts.
    pub fn new(mut ranks: Vec<(u32, u32)>) -> Ranking {
        ranks.sort_unstable();
        ranks.dedup_by_key(|(unit, _)| *unit);
        Ranking(ranks.into())
    }

    pub fn get(&self, unit: u32) -> Option<u32> {
        let index = self.0.binary_search_by_key(&unit, |(unit, _)| *unit).ok()?;
        self.0.get(index).map(|(_, rank)| *rank)
    }
}

/// The rank of a unit that a step lists, or does not.
pub(super) fn rank(listed: Option<u32>, mode: Mode) -> Rank {
    match (listed, mode) {
        (Some(rank), _) => Rank::from(rank),
        (None, Mode::Prefer) => LAST,
        (None, Mode::Fence) => OUT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranking_keeps_the_best_rank() {
        let ranking = Ranking::new(vec![(7, 0), (3, 1), (7, 2)]);
        assert_eq!((ranking.get(7), ranking.get(3), ranking.get(1)), (Some(0), Some(1), None));
    }
}
