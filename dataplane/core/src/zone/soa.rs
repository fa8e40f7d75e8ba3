//! What a zone's SOA says, at hand for negative answers.

use crate::wire::u32_at;
use crate::wire::writer::{Image, PreparedSoa};

/// What the zone's SOA says (RFC 1035 section 3.3.13).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Soa {
    /// SERIAL.
    pub serial: u32,
    /// TTL of negative answers: the smaller of the SOA's own TTL and MINIMUM (RFC 2308 section 5).
    pub negative_ttl: u32,
    /// The record with this TTL, as negative answers have it; none in a zone that is not complete yet.
    pub negative: Option<PreparedSoa>,
}

impl Soa {
    /// What the SOA RRset of the zone `origin` (lower case) says; `None` if it is not valid.
    pub fn new(origin: &[u8], image: Image<'_>) -> Option<Soa> {
        let rdata = image.rdata().next()?;
        let numbers = rdata.len().checked_sub(20)?;
        let negative_ttl = image.ttl().min(u32_at(rdata, numbers + 16)?);
        let negative = Some(PreparedSoa::new(origin, image, negative_ttl)?);
        Some(Soa { serial: u32_at(rdata, numbers)?, negative_ttl, negative })
    }
}
