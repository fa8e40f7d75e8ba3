//! Compiling a steering document.

mod names;
mod overrides;
mod pools;
mod rosters;
mod trees;

use std::path::Path;
use std::sync::Arc;

use super::distance::unit_vector;
use super::document::Document;
use super::error::SteerError;
use super::latency::Latency;
use super::model::{Place, Pop, World};
use super::policy::Policy;
use super::steering::Steering;
use crate::geo::location::Coordinates;
use crate::geo::map::GeoMap;
use crate::geo::mmdb;

/// Most POPs.
const MAX_POPS: usize = super::classes::MAX_UNITS;

/// Compiles a document and reads the databases that it names.
pub(super) fn compile(text: &str) -> Result<Steering, SteerError> {
    let document: Document<'_> = serde_json::from_str(text)?;
    let mut map: Option<GeoMap> = None;
    let mut databases = Vec::with_capacity(document.databases.len());
    for path in &document.databases {
        let next = mmdb::read_file(Path::new(path))
            .map_err(|reason| SteerError::Database { path: path.clone(), reason })?;
        databases.push(next.contents());
        map = Some(match map {
            None => next,
            Some(map) => map.overlay(&next),
        });
    }
    let steering = compile_over(&document, Arc::new(map.unwrap_or_default()))?;
    Ok(Steering { databases: databases.into(), ..steering })
}

/// Compiles a document over geo data that is at hand.
pub(super) fn compile_over(document: &Document<'_>, map: Arc<GeoMap>) -> Result<Steering, SteerError> {
    let map = match overrides::overrides(&document.overrides, &map)? {
        Some(overrides) => Arc::new(overrides.overlay(&map)),
        None => map,
    };
    let world = world(document)?;
    let mut policies =
        document.policies.iter().map(|entry| Policy::new(entry, &world)).collect::<Result<Vec<_>, _>>()?;
    let (pools, endpoints) = pools::pools(document, &policies)?;
    let names = names::names(document, &pools, policies.len())?;
    // For member pools that have none of their own.
    policies.push(Policy::default());
    let compiled = trees::trees(&names, &policies, &pools, &endpoints, &world, &map)?;
    let mut steering = Steering {
        targets: compiled.targets.into(),
        declared: compiled.declared.into(),
        trees: compiled.trees.into(),
        rosters: compiled.rosters.into(),
        items: compiled.items,
        endpoints: endpoints.into(),
        names: names.into(),
        pools: pools.into(),
        policies: policies.into(),
        world,
        map,
        databases: [].into(),
        octets: 0,
    };
    steering.octets = steering.size().octets;
    Ok(steering)
}

fn world(document: &Document<'_>) -> Result<World, SteerError> {
    SteerError::check_limit(&Place::default(), "POPs", document.pops.len(), MAX_POPS)?;
    let mut vectors = Vec::with_capacity(document.pops.len());
    for pop in &document.pops {
        let fail = |message: &str| {
            let place = Place::new(&pop.file, pop.line);
            Err(SteerError::declared(&place, format!("POP {}: {message}", pop.name)))
        };
        vectors.push(match (pop.latitude, pop.longitude) {
            (None, None) => None,
            (Some(latitude), Some(longitude)) => match Coordinates::new(latitude, longitude) {
                Some(coordinates) => Some(unit_vector(coordinates)),
                None => return fail("latitude must be -90 to 90 and longitude -180 to 180"),
            },
            _ => return fail("latitude and longitude must be given together"),
        });
    }
    Ok(World {
        pops: document.pops.iter().map(|pop| Pop { name: (*pop.name).into() }).collect(),
        pool_count: document.pools.len(),
        vectors: vectors.into(),
        latency: Latency::new(&document.latency, document.pops.len())?,
    })
}
