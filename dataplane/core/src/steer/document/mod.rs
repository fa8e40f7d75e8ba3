//! The steering document: the JSON that the control plane makes of a site's YAML
//! (`gslb/steering/document.py`). References are indexes into the document's own lists. A *unit* is
//! what policies speak of: the number of a POP, or the number of a pool plus the number of POPs.

mod steps;

use std::borrow::Cow;

use serde::Deserialize;

use super::model::{Need, Reflect, WhenAllDown};
use super::selector::Kind;
pub(super) use steps::{Mode, PolicyEntry, RuleEntry, StepEntry, ToleranceEntry};

/// Text that is borrowed from the document where it has no escapes.
pub(super) type Text<'a> = Cow<'a, str>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    /// Paths of the geo databases; earlier ones win where they disagree.
    #[serde(default)]
    pub databases: Vec<String>,
    /// What the operator says of networks, before all databases.
    #[serde(borrow, default)]
    pub overrides: Vec<OverrideEntry<'a>>,
    #[serde(borrow)]
    pub pops: Vec<PopEntry<'a>>,
    #[serde(borrow)]
    pub pools: Vec<PoolEntry<'a>>,
    pub policies: Vec<PolicyEntry>,
    #[serde(borrow)]
    pub names: Vec<NameEntry<'a>>,
    #[serde(borrow, default)]
    pub latency: Vec<LatencyEntry<'a>>,
}

/// A row of the operator's own location data; what is empty or absent is left to the databases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OverrideEntry<'a> {
    #[serde(borrow)]
    pub network: Text<'a>,
    #[serde(borrow, default)]
    pub continent: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub country: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub subdivision: Option<Text<'a>>,
    #[serde(default)]
    pub asn: Option<u32>,
    #[serde(default)]
    pub latitude: Option<f64>,
    #[serde(default)]
    pub longitude: Option<f64>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PopEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(default)]
    pub latitude: Option<f64>,
    #[serde(default)]
    pub longitude: Option<f64>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

/// A pool of endpoints, or of member pools.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    pub when_all_down: WhenAllDown,
    /// Its own policy, for when it is a member, and for names that give none.
    #[serde(default)]
    pub policy: Option<u32>,
    #[serde(default)]
    pub min_healthy: MinHealthyEntry,
    #[serde(borrow, default)]
    pub endpoints: Vec<EndpointEntry<'a>>,
    #[serde(default)]
    pub members: Vec<MemberEntry>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

/// How much of a pool must serve, by what is asked for; absent: one.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MinHealthyEntry {
    #[serde(default)]
    pub ipv4: Need,
    #[serde(default)]
    pub ipv6: Need,
    /// Of CNAME and declared types.
    #[serde(default)]
    pub other: Need,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointEntry<'a> {
    pub pop: u32,
    pub weight: u32,
    #[serde(borrow, default)]
    pub address: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub cname: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub records: Vec<RecordsEntry<'a>>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

/// An RRset that an endpoint declares: RDATA in wire format as hexadecimal text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordsEntry<'a> {
    #[serde(rename = "type")]
    pub rtype: u16,
    #[serde(borrow)]
    pub rdata: Vec<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberEntry {
    pub pool: u32,
    pub weight: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Absent for a name that reflects.
    #[serde(default)]
    pub pool: Option<u32>,
    #[serde(default)]
    pub reflect: Option<Reflect>,
    /// Its policy; absent: that of its pool.
    #[serde(default)]
    pub policy: Option<u32>,
    pub ttl: u32,
    /// TTL that a degraded pool comes down to; absent: `ttl`.
    #[serde(default)]
    pub min_ttl: Option<u32>,
    #[serde(default = "yes")]
    pub client_subnet: bool,
    #[serde(borrow, default)]
    pub owner: Text<'a>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencyEntry<'a> {
    pub kind: Kind,
    #[serde(borrow, default)]
    pub value: Text<'a>,
    pub pop: u32,
    pub milliseconds: f64,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}
