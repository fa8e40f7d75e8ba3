//! Tests of the whole engine, beside a slow, obvious evaluator (`reference`).

mod chosen_steps;
mod demand;
mod errors;
mod laws;
mod moves;
mod random_trees;
mod reference;
mod shares;
mod steps;
mod trees;

use std::net::IpAddr;
use std::sync::Arc;

use super::compile::compile_over;
use super::{Decision, Explanation, Outcome, Random, Selection, SteerError, Steering};
use crate::geo::location::Location;
use crate::geo::map::GeoMap;
use crate::geo::prefix::Subnet;
use crate::steer::standing::Standing;
use crate::steer::verdict::{Loads, Verdicts};

/// Compiles a document over networks instead of databases.
fn compile(document: &str, networks: &[(Subnet, Location)]) -> Result<Steering, SteerError> {
    compile_over(&serde_json::from_str(document)?, Arc::new(GeoMap::from_networks(networks)))
}

/// A question and the state it is asked in.
#[derive(Clone)]
struct Question {
    rtype: u16,
    client: IpAddr,
    verdicts: Verdicts,
    random: Random,
}

impl Question {
    fn standing(&self, steering: &Steering) -> Standing {
        Standing::new(steering, self.verdicts.clone(), Loads::default())
    }

    fn decide(&self, steering: &Steering) -> (Decision, Vec<u32>, Random) {
        let mut random = self.random.clone();
        let mut selection = Selection::new();
        let standing = self.standing(steering);
        let decision = steering.decide(0, self.rtype, self.client, &standing, &mut random, &mut selection);
        assert_eq!(decision.outcome == Outcome::Answer, !selection.as_slice().is_empty());
        (decision, selection.as_slice().to_vec(), random)
    }

    fn explain(&self, steering: &Steering) -> (Decision, Vec<u32>, Random, Explanation) {
        let mut random = self.random.clone();
        let mut selection = Selection::new();
        let standing = self.standing(steering);
        let (decision, explanation) =
            steering.explain(0, self.rtype, self.client, &standing, &mut random, &mut selection);
        (decision, selection.as_slice().to_vec(), random, explanation)
    }
}
