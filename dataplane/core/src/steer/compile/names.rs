//! The steered names of a document.

use std::collections::HashMap;
use std::sync::Arc;

use crate::steer::document::{Document, NameEntry};
use crate::steer::error::SteerError;
use crate::steer::model::{NO_POOL, Place, Pool, SteeredName};
use crate::wire::name::Name;

/// Most steered names.
const MAX_NAMES: usize = 1_000_000;
/// Longest TTL in seconds (RFC 2181 section 8).
const MAX_TTL: u32 = (1 << 31) - 1;

pub(super) fn names(
    document: &Document<'_>,
    pools: &[Pool],
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
            let (name, policy) = check(entry, pools, policy_count).map_err(|message| {
                SteerError::declared(&place, format!("steered name {}: {message}", entry.name))
            })?;
            Ok(SteeredName {
                name,
                ttl: entry.ttl,
                min_ttl: entry.min_ttl.unwrap_or(entry.ttl),
                client_subnet: entry.client_subnet,
                reflect: entry.reflect,
                pool: entry.pool.unwrap_or(NO_POOL),
                policy,
                owner: shared(&entry.owner),
                place,
            })
        })
        .collect()
}

/// The name, and its policy.
fn check(entry: &NameEntry<'_>, pools: &[Pool], policy_count: usize) -> Result<(Name, u32), String> {
    let policy = match (entry.pool, entry.reflect) {
        (Some(pool), None) => policy(entry, pool, pools, policy_count)?,
        (None, Some(_)) if entry.policy.is_none() => NO_POOL,
        (None, None) => return Err("it has neither a pool nor anything to reflect".to_owned()),
        _ => return Err("a name that reflects has no pool and no policy".to_owned()),
    };
    if entry.ttl > MAX_TTL {
        return Err(format!("TTL {} is out of range: write 0 to {MAX_TTL} seconds", entry.ttl));
    }
    if let Some(least) = entry.min_ttl.filter(|least| *least > entry.ttl) {
        return Err(format!("its least TTL {least} is more than its greatest, {}", entry.ttl));
    }
    let name = Name::from_text(entry.name.as_bytes(), None).map_err(|error| error.to_string())?;
    Ok((name.to_lowercase(), policy))
}

/// The policy of a name, or that of its pool.
fn policy(entry: &NameEntry<'_>, pool: u32, pools: &[Pool], policy_count: usize) -> Result<u32, String> {
    let pool = pools.get(pool as usize).ok_or_else(|| format!("there is no pool {pool}"))?;
    let policy = entry
        .policy
        .or(pool.policy)
        .ok_or_else(|| format!("neither it nor its pool {} has a policy: give it one", pool.name))?;
    if policy as usize >= policy_count {
        return Err(format!("there is no policy {policy}"));
    }
    Ok(policy)
}
