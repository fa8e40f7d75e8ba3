//! Compiling a steering document.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use super::choose::Plan;
use super::classes::{Classes, MAX_POPS, Signatures};
use super::document::{Document, NameEntry};
use super::error::SteerError;
use super::latency::Latency;
use super::model::{Endpoint, Place, Pool, Pop, SteeredName, World};
use super::policy::{Policy, unit_vector};
use super::roster::Roster;
use super::stages::{Stage, stages};
use super::steering::{NO_PLAN, Steering, Target};
use crate::geo::location::Coordinates;
use crate::geo::map::GeoMap;
use crate::geo::mmdb;
use crate::wire::name::Name;

/// Most endpoints of a pool.
const MAX_ENDPOINTS: usize = 65_535;
/// Most steered names.
const MAX_NAMES: usize = 1_000_000;
/// Longest TTL in seconds (RFC 2181 section 8).
const MAX_TTL: u32 = (1 << 31) - 1;

/// Compiles a document and reads the databases that it names.
pub(super) fn compile(text: &str) -> Result<Steering, SteerError> {
    let document: Document<'_> = serde_json::from_str(text)?;
    let mut map: Option<GeoMap> = None;
    for path in &document.databases {
        let next = mmdb::read_file(Path::new(path))
            .map_err(|reason| SteerError::Database { path: path.clone(), reason })?;
        map = Some(match map {
            None => next,
            Some(map) => map.overlay(&next),
        });
    }
    compile_over(&document, Arc::new(map.unwrap_or_default()))
}

/// Compiles a document over geo data that is at hand.
pub(super) fn compile_over(document: &Document<'_>, map: Arc<GeoMap>) -> Result<Steering, SteerError> {
    let world = world(document)?;
    let policies =
        document.policies.iter().map(|entry| Policy::new(entry, &world)).collect::<Result<Box<[_]>, _>>()?;
    let (pools, endpoints) = pools(document, world.pops.len())?;
    let names = names(document, pools.len(), policies.len())?;
    let (plans, by_pair) = plans(&names, &policies, &pools, &endpoints, &world, &map)?;
    let targets = names
        .iter()
        .map(|name| Target {
            plans: by_pair.get(&(name.policy, name.pool)).copied().unwrap_or([NO_PLAN; 2]),
            ttl: name.ttl,
        })
        .collect();
    Ok(Steering {
        targets,
        plans: plans.into(),
        weights: endpoints.iter().map(|endpoint| endpoint.weight).collect(),
        endpoints: endpoints.into(),
        names: names.into(),
        pools: pools.into(),
        policies,
        world,
        map,
    })
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
        vectors: vectors.into(),
        latency: Latency::new(&document.latency, document.pops.len())?,
    })
}

fn pools(document: &Document<'_>, pop_count: usize) -> Result<(Vec<Pool>, Vec<Endpoint>), SteerError> {
    let mut pools = Vec::with_capacity(document.pools.len());
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (number, entry) in (0..).zip(&document.pools) {
        let place = Place::new(&entry.file, entry.line);
        SteerError::check_limit(&place, "endpoints in one pool", entry.endpoints.len(), MAX_ENDPOINTS)?;
        let start = endpoints.len() as u32;
        for endpoint in &entry.endpoints {
            let fail = |message: String| {
                let own = Place::new(&endpoint.file, endpoint.line);
                let place = if own.line > 0 { &own } else { &place };
                SteerError::declared(place, format!("pool {}: {message}", entry.name))
            };
            let address: IpAddr = endpoint
                .address
                .parse()
                .map_err(|_| fail(format!("{:?} is not an IPv4 or IPv6 address", endpoint.address)))?;
            if endpoint.pop as usize >= pop_count {
                return Err(fail(format!("{address}: there is no POP {}", endpoint.pop)));
            }
            endpoints.push(Endpoint { address, pop: endpoint.pop, weight: endpoint.weight, pool: number });
        }
        let end = u32::try_from(endpoints.len()).map_err(|_| SteerError::Limit {
            place: place.prefix(),
            what: "endpoints",
            count: endpoints.len(),
            limit: u32::MAX as usize,
        })?;
        pools.push(Pool {
            name: (*entry.name).into(),
            when_all_down: entry.when_all_down,
            endpoints: start..end,
            place,
        });
    }
    Ok((pools, endpoints))
}

fn names(
    document: &Document<'_>,
    pool_count: usize,
    policy_count: usize,
) -> Result<Vec<SteeredName>, SteerError> {
    SteerError::check_limit(&Place::default(), "steered names", document.names.len(), MAX_NAMES)?;
    // Many names share an owner and a file.
    let mut texts: HashMap<&str, Arc<str>> = HashMap::new();
    let mut shared = |text| texts.entry(text).or_insert_with(|| Arc::from(text)).clone();
    document
        .names
        .iter()
        .map(|entry| {
            let place = Place { file: shared(&entry.file), line: entry.line };
            let name = check_name(entry, pool_count, policy_count).map_err(|message| {
                SteerError::declared(&place, format!("steered name {}: {message}", entry.name))
            })?;
            Ok(SteeredName {
                name,
                ttl: entry.ttl,
                pool: entry.pool,
                policy: entry.policy,
                owner: shared(&entry.owner),
                place,
            })
        })
        .collect()
}

fn check_name(entry: &NameEntry<'_>, pool_count: usize, policy_count: usize) -> Result<Name, String> {
    if entry.pool as usize >= pool_count {
        return Err(format!("there is no pool {}", entry.pool));
    }
    if entry.policy as usize >= policy_count {
        return Err(format!("there is no policy {}", entry.policy));
    }
    if entry.ttl > MAX_TTL {
        return Err(format!("TTL {} is out of range: write 0 to {MAX_TTL} seconds", entry.ttl));
    }
    let name = Name::from_text(entry.name.as_bytes(), None).map_err(|error| error.to_string())?;
    Ok(name.to_lowercase())
}

/// The plans in use, and for each pair of policy and pool the numbers of its plans.
type Plans = (Vec<Plan>, HashMap<(u32, u32), [u32; 2]>);

/// Compiles a plan for each pair of policy and pool in use and each family that the pool has.
fn plans(
    names: &[SteeredName],
    policies: &[Policy],
    pools: &[Pool],
    endpoints: &[Endpoint],
    world: &World,
    map: &GeoMap,
) -> Result<Plans, SteerError> {
    let mut pools_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for name in names {
        pools_of.entry(name.policy).or_default().push(name.pool);
    }
    let mut plans = Vec::new();
    let mut by_pair = HashMap::new();
    let mut rosters: HashMap<u32, [Arc<Roster>; 2]> = HashMap::new();
    for (policy_number, mut pool_numbers) in pools_of {
        let Some(policy) = policies.get(policy_number as usize) else { continue };
        pool_numbers.sort_unstable();
        pool_numbers.dedup();
        let signatures = Signatures::new(policy, world, map);
        let steps = stages(&policy.steps);
        let stages: Arc<[Stage]> = steps.iter().map(|stage| stage.stage).collect();
        // Pools with the same POPs share their classes.
        let mut classes_of: HashMap<Box<[u32]>, Arc<Classes>> = HashMap::new();
        for pool_number in pool_numbers {
            let Some(pool) = pools.get(pool_number as usize) else { continue };
            let rosters = rosters.entry(pool_number).or_insert_with(|| pool_rosters(pool, endpoints));
            let mut numbers = [NO_PLAN; 2];
            for (number, roster) in numbers.iter_mut().zip(&*rosters) {
                if roster.members().is_empty() {
                    continue;
                }
                let classes = match classes_of.get(roster.pops()) {
                    Some(classes) => classes.clone(),
                    None => {
                        let classes =
                            Arc::new(Classes::new(policy, &steps, world, map, &signatures, roster.pops())?);
                        classes_of.insert(roster.pops().into(), classes.clone());
                        classes
                    }
                };
                *number = plans.len() as u32;
                plans.push(Plan {
                    when_all_down: pool.when_all_down,
                    stages: stages.clone(),
                    classes,
                    roster: roster.clone(),
                });
            }
            by_pair.insert((policy_number, pool_number), numbers);
        }
    }
    Ok((plans, by_pair))
}

/// A pool's IPv4 and IPv6 endpoints.
fn pool_rosters(pool: &Pool, endpoints: &[Endpoint]) -> [Arc<Roster>; 2] {
    let all = pool.endpoints.clone().filter_map(|number| Some((number, *endpoints.get(number as usize)?)));
    let (ipv4, ipv6): (Vec<_>, Vec<_>) = all.partition(|(_, endpoint)| endpoint.address.is_ipv4());
    [ipv4, ipv6].map(|endpoints| Arc::new(Roster::new(endpoints.into_iter())))
}
