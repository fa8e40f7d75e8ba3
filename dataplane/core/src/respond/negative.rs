//! Negative answers: the SOA with the negative TTL (RFC 2308 sections 2 and 5).

use super::lookup::Lookup;
use super::{Answer, CLASS_ANY};
use crate::wire::Rcode;
use crate::wire::writer::{Full, Owner, Section, Writer};
use crate::zone::table::Zone;

impl Lookup<'_> {
    /// A negative answer about `owner`, which is in the zone.
    #[inline]
    pub(super) fn negative(
        &self,
        zone: &Zone,
        rcode: Rcode,
        owner: Owner<'_>,
        writer: &mut Writer<'_>,
    ) -> Answer {
        self.negative_for(zone, rcode, u32::MAX, owner, writer)
    }

    /// A negative answer that is held for at most `longest` seconds. For any class it has no SOA: that would be one of
    /// this class (as NSD and BIND).
    #[inline]
    pub(super) fn negative_for(
        &self,
        zone: &Zone,
        rcode: Rcode,
        longest: u32,
        owner: Owner<'_>,
        writer: &mut Writer<'_>,
    ) -> Answer {
        if self.query.qclass == CLASS_ANY {
            return Answer::authoritative(rcode);
        }
        let soa = zone.soa();
        let shorter = Some(longest).filter(|longest| *longest < soa.negative_ttl);
        // Where a chain led here, the question may be for a name of another zone.
        let prepared = soa.negative.as_ref().filter(|_| matches!(owner, Owner::Question));
        let written = prepared.and_then(|prepared| writer.prepared_soa(prepared, shorter));
        match written.unwrap_or_else(|| write(zone, shorter, writer)) {
            Ok(()) => Answer::authoritative(rcode),
            Err(Full) => Answer { rcode, ..Full.into() },
        }
    }
}

/// Writes the SOA wherever it stands in the answer.
fn write(zone: &Zone, shorter: Option<u32>, writer: &mut Writer<'_>) -> Result<(), Full> {
    let Some(image) = zone.soa_image() else { return Ok(()) };
    let ttl = shorter.unwrap_or(zone.soa().negative_ttl);
    writer.rrset(Section::Authority, Owner::Name(zone.origin().as_wire()), image, Some(ttl))
}
