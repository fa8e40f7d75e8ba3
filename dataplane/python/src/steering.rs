//! `Steering`: compiled policies, pools and geo data.

use std::net::IpAddr;
use std::sync::Arc;

use gslb_core::geo::location::Code;
use gslb_core::geo::map::Contents;
use gslb_core::publish::stand;
use gslb_core::steer::{Random, Selection, Steering};
use pyo3::prelude::*;

use crate::dataplane::{loads, verdicts};
use crate::error::{Error, Result};
use crate::names;

/// Most draws for a share.
const MAX_DRAWS: u32 = 65_536;

/// What a database says: (country, continent) pairs, whether coordinates, whether AS numbers.
type Says = (Vec<(String, String)>, bool, bool);

/// See `gslb/_dataplane.pyi`.
#[pyclass(name = "Steering", module = "gslb._dataplane", frozen)]
pub struct PySteering(pub Arc<Steering>);

#[pymethods]
impl PySteering {
    #[staticmethod]
    fn compile(py: Python<'_>, document: &str) -> Result<PySteering> {
        // Reading databases takes seconds at the largest: other Python threads go on meanwhile.
        let steering = py.detach(|| Steering::compile(document))?;
        Ok(PySteering(Arc::new(steering)))
    }

    #[getter]
    fn endpoint_count(&self) -> usize {
        self.0.endpoint_count()
    }

    #[getter]
    fn name_count(&self) -> usize {
        self.0.name_count()
    }

    fn databases(&self) -> Vec<Says> {
        let text = |code: Option<Code>| code.map_or_else(String::new, |code| code.to_string());
        let row = |contents: &Contents| {
            let mut places: Vec<_> = contents
                .places
                .iter()
                .map(|&(country, continent)| (text(country), text(continent)))
                .collect();
            places.sort_unstable();
            (places, contents.coordinates, contents.asn)
        };
        self.0.databases().iter().map(row).collect()
    }

    fn examples(
        &self,
        py: Python<'_>,
        locations: Vec<(String, String)>,
        limit: usize,
    ) -> Result<Vec<Vec<String>>> {
        let found = py.detach(|| self.0.examples(&locations, limit)).map_err(Error::Value)?;
        Ok(found.iter().map(|addresses| addresses.iter().map(ToString::to_string).collect()).collect())
    }

    #[pyo3(signature = (questions, verdicts, loads=None, draws=256, seed=0), text_signature = "(self, questions, verdicts, loads=b'', draws=256, seed=0)")]
    fn shares(
        &self,
        py: Python<'_>,
        questions: Vec<(u32, u16, String)>,
        verdicts: &[u8],
        loads: Option<&[u8]>,
        draws: u32,
        seed: u64,
    ) -> Result<Vec<Vec<(u32, f64)>>> {
        if !(1..=MAX_DRAWS).contains(&draws) {
            return Err(Error::Value(format!("{draws} draws: use 1 to {MAX_DRAWS}")));
        }
        let questions = questions
            .iter()
            .map(|(name, rtype, client)| Ok((*name, *rtype, names::address(client)?)))
            .collect::<Result<Vec<_>>>()?;
        let standing = stand(&self.0, self::verdicts(verdicts)?, self::loads(loads.unwrap_or_default())?)?;
        // Thousands of clients are asked for: other Python threads go on meanwhile.
        Ok(py.detach(|| {
            // Each question draws for itself, and the same under other verdicts: what differs then is their doing.
            let mut seeds = Random::new(seed);
            let share = |&(name, rtype, client): &(u32, u16, IpAddr)| {
                let mut random = Random::new(seeds.next_u64());
                self.0.shares(name, rtype, client, &standing, draws, &mut random)
            };
            questions.iter().map(share).collect()
        }))
    }

    fn has_map_of(&self, py: Python<'_>, other: &PySteering) -> bool {
        py.detach(|| self.0.has_map_of(&other.0))
    }

    fn moves_from(&self, py: Python<'_>, before: &PySteering, limit: usize) -> Result<String> {
        // A walk of large databases: seconds.
        py.detach(|| self.0.moves_from(&before.0, limit).to_json()).map_err(Error::Value)
    }

    #[pyo3(signature = (name, rtype, client, verdicts, loads=None, seed=0), text_signature = "(self, name, rtype, client, verdicts, loads=b'', seed=0)")]
    fn decide(
        &self,
        name: u32,
        rtype: u16,
        client: &str,
        verdicts: &[u8],
        loads: Option<&[u8]>,
        seed: u64,
    ) -> Result<(&'static str, Vec<u32>, u32, u8)> {
        let client = names::address(client)?;
        let verdicts = self::verdicts(verdicts)?;
        let standing = stand(&self.0, verdicts, self::loads(loads.unwrap_or_default())?)?;
        let mut selection = Selection::new();
        let mut random = Random::new(seed);
        let decision = self.0.decide(name, rtype, client, &standing, &mut random, &mut selection);
        Ok((decision.outcome.word(), selection.as_slice().to_vec(), decision.ttl, decision.scope))
    }
}
