//! The measured latency table: location selector × POP -> milliseconds.

use std::collections::HashMap;

use super::document::LatencyEntry;
use super::error::SteerError;
use super::model::Place;
use super::selector::{Selector, Selectors, Site};

/// Longest latency that a row may state, in milliseconds.
const MAX_MILLISECONDS: f64 = 60_000.0;

/// The rows, grouped by selector.
#[derive(Debug, Default)]
pub(super) struct Latency {
    /// Selector -> index into `rows`.
    pub selectors: Selectors,
    /// POP -> milliseconds.
    rows: Vec<HashMap<u32, f64>>,
}

impl Latency {
    /// Checks and groups rows. Of several rows for one selector and POP the last one counts.
    pub fn new(entries: &[LatencyEntry<'_>], pop_count: usize) -> Result<Latency, SteerError> {
        let mut latency = Latency::default();
        for entry in entries {
            let fail = |message: String| SteerError::declared(&Place::new(&entry.file, entry.line), message);
            let selector = Selector::parse(entry.kind, &entry.value)
                .map_err(|message| fail(format!("latency row: {message}")))?;
            if entry.pop as usize >= pop_count {
                return Err(fail(format!("latency row: there is no POP {}", entry.pop)));
            }
            if !(0.0..=MAX_MILLISECONDS).contains(&entry.milliseconds) {
                return Err(fail(format!(
                    "latency row: {} milliseconds is out of range: write 0 to {MAX_MILLISECONDS}",
                    entry.milliseconds
                )));
            }
            let index = latency.selectors.get(&selector).unwrap_or_else(|| {
                latency.rows.push(HashMap::new());
                let index = latency.rows.len() as u32 - 1;
                latency.selectors.insert(selector, index);
                index
            });
            if let Some(row) = latency.rows.get_mut(index as usize) {
                row.insert(entry.pop, entry.milliseconds + 0.0);
            }
        }
        Ok(latency)
    }

    /// The rows that match the client, most specific first.
    pub fn matching<'a>(&'a self, site: &Site<'_>) -> Vec<&'a HashMap<u32, f64>> {
        self.selectors.matches(site).filter_map(|index| self.rows.get(index as usize)).collect()
    }
}

/// Milliseconds to a POP: the most specific selector that has a row for it decides.
pub(super) fn milliseconds(matching: &[&HashMap<u32, f64>], pop: u32) -> Option<f64> {
    matching.iter().find_map(|row| row.get(&pop).copied())
}
