//! What a steering document declares, checked: POPs, endpoints, pools and names.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::latency::Latency;
use crate::wire::name::Name;
use crate::wire::rtype::number;

/// A place in a site's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file; empty when unknown.
    #[serde(serialize_with = "serialize_text")]
    pub file: Arc<str>,
    /// The line, from 1; 0 when unknown.
    pub line: u32,
}

fn serialize_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl Place {
    pub(super) fn new(file: &str, line: u32) -> Place {
        Place { file: file.into(), line }
    }

    /// `FILE:LINE: ` to put before a message, or nothing when unknown.
    pub(super) fn prefix(&self) -> String {
        match (&*self.file, self.line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}: "),
        }
    }
}

/// What a name's pool answers when too little of it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAllDown {
    /// The endpoints that are down, as if they served.
    ServeAll,
    /// The endpoints that served when the pool was last available.
    LastGood,
    /// The records of the zone file.
    Fallback,
    /// No records.
    #[serde(rename = "nodata")]
    NoData,
    /// A failure.
    #[serde(rename = "servfail")]
    ServFail,
}

/// How many endpoints (or member pools) must serve for a pool to be available.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// So many, at least one.
    Count(u32),
    /// This share of those that are not drained, rounded up, at least one.
    Fraction(f64),
}

impl Default for Need {
    fn default() -> Need {
        Need::Count(1)
    }
}

impl Need {
    /// The number needed when `present` are not drained.
    pub fn of(self, present: u32) -> u32 {
        match self {
            Need::Count(count) => count.max(1),
            // A little less, since 0.07 x 100 is more than 7 in binary.
            Need::Fraction(fraction) => ((fraction * f64::from(present) - 1e-9).ceil() as u32).max(1),
        }
    }
}

/// A site that serves users.
#[derive(Debug)]
pub(super) struct Pop {
    pub name: Box<str>,
}

/// The RDATA of each record of an RRset, in wire format.
pub type SetData = Box<[Box<[u8]>]>;

/// What one POP answers with for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address, for A or AAAA.
    pub address: Option<IpAddr>,
    /// The name that it is an alias of.
    pub target: Option<Name>,
    /// The RRsets that it declares: type, and the RDATA of each record.
    pub records: Box<[(u16, SetData)]>,
    /// Index of its POP in the document.
    pub pop: u32,
    /// Its share among equals; 0: only when no other is left.
    pub weight: u32,
    /// Index of its pool in the document.
    pub pool: u32,
}

impl Endpoint {
    /// The RDATA that it declares of a type.
    pub fn declared(&self, rtype: u16) -> &[Box<[u8]>] {
        self.records.iter().find(|(of, _)| *of == rtype).map_or(&[], |(_, rdata)| rdata)
    }

    /// The types that it answers.
    pub(super) fn types(&self) -> impl Iterator<Item = u16> + '_ {
        let address = self.address.map(|address| if address.is_ipv4() { number::A } else { number::AAAA });
        let alias = self.target.as_ref().map(|_| number::CNAME);
        address.into_iter().chain(alias).chain(self.records.iter().map(|(rtype, _)| *rtype))
    }

    /// What tells it from the POP's others: its address or target in presentation format.
    pub fn label(&self) -> String {
        match (&self.address, &self.target) {
            (Some(address), _) => address.to_string(),
            (None, Some(target)) => target.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// The endpoints, or the member pools, that may answer a name.
#[derive(Debug)]
pub(super) struct Pool {
    pub name: Box<str>,
    pub when_all_down: WhenAllDown,
    /// Its own policy.
    pub policy: Option<u32>,
    /// For IPv4, IPv6 and other types.
    pub min_healthy: [Need; 3],
    /// Their numbers.
    pub endpoints: Range<u32>,
    /// (pool, weight)
    pub members: Box<[(u32, u32)]>,
    pub place: Place,
}

impl Pool {
    /// How much must serve of a type.
    pub fn need(&self, rtype: u16) -> Need {
        let [ipv4, ipv6, other] = self.min_healthy;
        match rtype {
            number::A => ipv4,
            number::AAAA => ipv6,
            _ => other,
        }
    }
}

/// Which addresses of whoever asks a name answers with. What is not of the family asked for is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reflect {
    /// The resolver's: that which the query came from.
    Dns,
    /// The client subnet's; 0.0.0.0 when none was sent.
    Edns,
    /// The client subnet's if one was sent, else the resolver's.
    Best,
    /// The client subnet's if one was sent, and the resolver's.
    Both,
}

/// In place of the pool and the policy of a name that has none.
pub(super) const NO_POOL: u32 = u32::MAX;

/// A name that a pool and a policy answer, or that reflects who asks.
#[derive(Debug, Clone)]
pub struct SteeredName {
    /// The owner name, in lower case.
    pub name: Name,
    /// TTL of its answers in seconds while all is well.
    pub ttl: u32,
    /// TTL that it comes down to, the more of its endpoints are down.
    pub min_ttl: u32,
    /// Whether a client subnet decides, rather than the resolver's address.
    pub client_subnet: bool,
    /// What it reflects; it then has no pool and no policy.
    pub reflect: Option<Reflect>,
    /// Index of its pool in the document.
    pub pool: u32,
    /// Index of its policy in the document.
    pub policy: u32,
    /// The team that owns it; may be empty.
    pub owner: Arc<str>,
    /// Where it is declared.
    pub place: Place,
}

/// What all policies look at beside the client's location.
#[derive(Debug, Default)]
pub(super) struct World {
    pub pops: Box<[Pop]>,
    /// Number of pools: units from the number of POPs on.
    pub pool_count: usize,
    /// Each POP's point on the unit sphere, if its coordinates are declared.
    pub vectors: Box<[Option<[f64; 3]>]>,
    pub latency: Latency,
}

impl World {
    /// Number of units: POPs and pools.
    pub fn unit_count(&self) -> usize {
        self.pops.len() + self.pool_count
    }
}
