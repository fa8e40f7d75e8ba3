//! The pools of a document and their endpoints.

use std::net::IpAddr;

use crate::steer::document::{Document, EndpointEntry, PoolEntry, RecordsEntry};
use crate::steer::error::SteerError;
use crate::steer::model::{Endpoint, Need, Place, Pool, SetData};
use crate::steer::policy::Policy;
use crate::steer::selection::{MAX_DEPTH, MAX_MEMBERS};
use crate::wire::name::Name;
use crate::wire::rtype::{self, number};

/// Most endpoints of a pool.
const MAX_ENDPOINTS: usize = 65_535;
/// Most pools below a pool, each counted as often as it is a member of something.
const MAX_TREE: usize = 1024;
/// Most types and records of a type that an endpoint declares.
const MAX_TYPES: usize = 16;
const MAX_RECORDS: usize = 64;

/// Pools and the endpoints of all of them, in the document's order.
pub(super) fn pools(
    document: &Document<'_>,
    policies: &[Policy],
) -> Result<(Vec<Pool>, Vec<Endpoint>), SteerError> {
    let mut pools = Vec::with_capacity(document.pools.len());
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for (number, entry) in (0..).zip(&document.pools) {
        let place = Place::new(&entry.file, entry.line);
        let fail =
            |message: &str| Err(SteerError::declared(&place, format!("pool {}: {message}", entry.name)));
        SteerError::check_limit(&place, "endpoints in one pool", entry.endpoints.len(), MAX_ENDPOINTS)?;
        SteerError::check_limit(&place, "members of one pool", entry.members.len(), MAX_MEMBERS)?;
        if !entry.endpoints.is_empty() && !entry.members.is_empty() {
            return fail("it has both endpoints and member pools: move the endpoints to a pool of their own");
        }
        let start = endpoints.len() as u32;
        for endpoint in &entry.endpoints {
            endpoints.push(self::endpoint(endpoint, number, entry, document.pops.len(), &place)?);
        }
        let aliases =
            endpoints.iter().skip(start as usize).filter(|endpoint| endpoint.target.is_some()).count();
        if aliases != 0 && aliases != entry.endpoints.len() {
            return fail("some of its endpoints have a cname and some have not: make them two pools");
        }
        let end = u32::try_from(endpoints.len()).map_err(|_| SteerError::Limit {
            place: place.prefix(),
            what: "endpoints",
            count: endpoints.len(),
            limit: u32::MAX as usize,
        })?;
        let min_healthy = [entry.min_healthy.ipv4, entry.min_healthy.ipv6, entry.min_healthy.other];
        let good = |need: &Need| match need {
            Need::Count(_) => true,
            Need::Fraction(fraction) => (0.0..=1.0).contains(fraction),
        };
        if !min_healthy.iter().all(good) {
            return fail("min_healthy is out of range: a share is 0 to 1");
        }
        if let Some(policy) = entry.policy
            && policy as usize >= policies.len()
        {
            return fail(&format!("there is no policy {policy}"));
        }
        pools.push(Pool {
            name: (*entry.name).into(),
            when_all_down: entry.when_all_down,
            policy: entry.policy,
            min_healthy,
            endpoints: start..end,
            members: entry.members.iter().map(|member| (member.pool, member.weight)).collect(),
            place,
        });
    }
    check_nesting(&pools)?;
    check_same_pop(&pools, policies)?;
    Ok((pools, endpoints))
}

fn endpoint(
    entry: &EndpointEntry<'_>,
    pool: u32,
    pool_entry: &PoolEntry<'_>,
    pop_count: usize,
    pool_place: &Place,
) -> Result<Endpoint, SteerError> {
    let fail = |message: String| {
        let own = Place::new(&entry.file, entry.line);
        let place = if own.line > 0 { &own } else { pool_place };
        SteerError::declared(place, format!("pool {}: {message}", pool_entry.name))
    };
    let address: Option<IpAddr> = entry
        .address
        .as_deref()
        .map(|text| text.parse().map_err(|_| fail(format!("{text:?} is not an IPv4 or IPv6 address"))))
        .transpose()?;
    let target = entry
        .cname
        .as_deref()
        .map(|text| match Name::from_text(text.as_bytes(), None) {
            Ok(name) => Ok(name.to_lowercase()),
            Err(error) => Err(fail(format!("cname {text:?}: {error}"))),
        })
        .transpose()?;
    if target.is_some() && (address.is_some() || !entry.records.is_empty()) {
        return Err(fail("an endpoint with a cname has nothing else".to_owned()));
    }
    if entry.pop as usize >= pop_count {
        let what = entry.address.as_deref().or(entry.cname.as_deref()).unwrap_or("an endpoint");
        return Err(fail(format!("{what}: there is no POP {}", entry.pop)));
    }
    if entry.records.len() > MAX_TYPES {
        return Err(fail(format!("an endpoint declares at most {MAX_TYPES} types")));
    }
    let mut records = Vec::with_capacity(entry.records.len());
    for set in &entry.records {
        let (rtype, rdata) = self::records(set).map_err(fail)?;
        if records.iter().any(|(other, _)| *other == rtype) {
            return Err(fail(format!("{} is declared twice by one endpoint", rtype::to_text(rtype))));
        }
        records.push((rtype, rdata));
    }
    if address.is_none() && target.is_none() && records.is_empty() {
        return Err(fail("an endpoint has neither an address, nor a cname, nor records".to_owned()));
    }
    Ok(Endpoint { address, target, records: records.into(), pop: entry.pop, weight: entry.weight, pool })
}

/// Types that no endpoint declares: addresses and aliases have their own keys, and the others are about the zone, or
/// about the message.
fn is_declarable(rtype: u16) -> bool {
    const NOT: [u16; 15] = [
        0,
        number::A,
        number::NS,
        number::CNAME,
        number::SOA,
        number::AAAA,
        number::DNAME,
        number::OPT,
        number::DS,
        number::RRSIG,
        number::NSEC,
        50, // NSEC3
        51, // NSEC3PARAM
        number::ALIAS,
        48, // DNSKEY
    ];
    !NOT.contains(&rtype) && !(128..=255).contains(&rtype)
}

fn records(set: &RecordsEntry<'_>) -> Result<(u16, SetData), String> {
    let rtype = set.rtype;
    let word = rtype::to_text(rtype);
    if !is_declarable(rtype) {
        return Err(format!("an endpoint cannot declare {word} records"));
    }
    if set.rdata.is_empty() || set.rdata.len() > MAX_RECORDS {
        return Err(format!("{word}: 1 to {MAX_RECORDS} records are possible, not {}", set.rdata.len()));
    }
    let rdata = set.rdata.iter().map(|text| {
        octets(text).ok_or_else(|| {
            format!("{word}: {text:?} is not record data in hexadecimal, of at most 65,535 octets")
        })
    });
    let rdata = rdata.collect::<Result<SetData, _>>()?;
    if let Some(bad) = rdata.iter().position(|rdata| !rtype::is_well_formed(rtype, rdata)) {
        return Err(format!("{word}: record {} is malformed", bad + 1));
    }
    Ok((rtype, rdata))
}

/// The octets of hexadecimal text.
fn octets(text: &str) -> Option<Box<[u8]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > usize::from(u16::MAX) {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// Members exist, no pool is within itself, and none nests too deep or has too much below.
fn check_nesting(pools: &[Pool]) -> Result<(), SteerError> {
    // Depth and number of pools at and below each.
    let mut known: Vec<Option<(usize, usize)>> = vec![None; pools.len()];
    for number in 0..pools.len() {
        let mut path = Vec::with_capacity(MAX_DEPTH);
        measure(number, pools, &mut path, &mut known)?;
    }
    Ok(())
}

/// Recurses no deeper than pools may nest.
fn measure(
    number: usize,
    pools: &[Pool],
    path: &mut Vec<usize>,
    known: &mut Vec<Option<(usize, usize)>>,
) -> Result<(usize, usize), SteerError> {
    if let Some(Some(measured)) = known.get(number) {
        return Ok(*measured);
    }
    let Some(pool) = pools.get(number) else { return Ok((0, 0)) };
    let fail =
        |message: String| Err(SteerError::declared(&pool.place, format!("pool {}: {message}", pool.name)));
    if path.contains(&number) {
        return fail("it is a member of itself".to_owned());
    }
    let too_deep = || fail(format!("pools nest more than {MAX_DEPTH} deep"));
    if path.len() >= MAX_DEPTH {
        return too_deep();
    }
    path.push(number);
    let (mut depth, mut size) = (1, 1usize);
    for &(member, _) in &pool.members {
        if member as usize >= pools.len() {
            return fail(format!("there is no pool {member}"));
        }
        let (below, count) = measure(member as usize, pools, path, known)?;
        depth = depth.max(below + 1);
        size = size.saturating_add(count);
    }
    path.pop();
    if depth > MAX_DEPTH {
        return too_deep();
    }
    let mut members: Vec<u32> = pool.members.iter().map(|(member, _)| *member).collect();
    members.sort_unstable();
    members.dedup();
    if members.len() < pool.members.len() {
        return fail("a pool is its member twice: add up the weights".to_owned());
    }
    SteerError::check_limit(&pool.place, "pools in and below one pool", size, MAX_TREE)?;
    if let Some(slot) = known.get_mut(number) {
        *slot = Some((depth, size));
    }
    Ok((depth, size))
}

fn check_same_pop(pools: &[Pool], policies: &[Policy]) -> Result<(), SteerError> {
    let own = |pool: &Pool| policies.get(pool.policy? as usize);
    match pools.iter().find(|pool| !pool.members.is_empty() && own(pool).is_some_and(Policy::is_same_pop)) {
        Some(pool) => Err(same_pop_of_pools(&pool.place, &pool.name)),
        None => Ok(()),
    }
}

/// A policy with `same_pop` over a pool of pools.
pub(super) fn same_pop_of_pools(place: &Place, pool: &str) -> SteerError {
    SteerError::declared(
        place,
        format!("pool {pool}: same_pop is for pools of endpoints, and this one has members"),
    )
}
