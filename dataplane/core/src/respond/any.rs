//! Queries for ANY.

use super::lookup::{Lookup, records};
use super::{Answer, NoTrace, Trace};
use crate::steer::Steering;
use crate::wire::Rcode;
use crate::wire::rtype::{self, number};
use crate::wire::writer::{Image, Owner, Writer};
use crate::zone::node::{Flags, Node};
use crate::zone::table::Zone;

/// What ANY gets where there is nothing else to tell (RFC 8482 section 4.2): HINFO "RFC8482" "", for an hour.
const RFC8482: Image<'_> =
    Image { rtype: number::HINFO, count: 1, octets: b"\xc0\x0c\0\x0d\0\x01\0\0\x0e\x10\0\x09\x07RFC8482\0" };

impl Lookup<'_> {
    /// ANY gets one RRset (RFC 8482 section 4.1), and never one that steering or an ALIAS would answer otherwise: a
    /// resolver may answer other queries from it. Without any other it gets the HINFO of section 4.2. What stands in
    /// for a steered answer is held for at most `longest` seconds.
    pub(super) fn any<T: Trace>(
        &self,
        node: Node<'_>,
        longest: Option<u32>,
        owner: Owner<'_>,
        zone: &Zone,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Answer {
        let steering: &Steering = &self.state.steering;
        let chosen = node.flags.any(Flags::STEERED.or(Flags::ALIAS));
        let is_steered = |rtype| {
            node.steered().is_some_and(|steered| {
                steering.offers(steered, rtype) || matches!(rtype, number::HTTPS | number::SVCB)
            })
        };
        let is_told = |set: &Image<'_>| {
            set.rtype != number::ALIAS && !(chosen && rtype::is_address(set.rtype)) && !is_steered(set.rtype)
        };
        let written = match node.sets().find(is_told) {
            Some(set) => records(set, longest, owner, writer, trace),
            None if chosen => records(RFC8482, longest, owner, writer, &mut NoTrace),
            None => return self.negative(zone, Rcode::NoError, owner, writer),
        };
        match written {
            Ok(()) => Answer::authoritative(Rcode::NoError),
            Err(full) => full.into(),
        }
    }
}
