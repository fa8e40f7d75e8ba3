//! Referrals to the servers of a delegated zone (RFC 1034 section 4.3.2 step 3b).

use super::Answer;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;
use crate::wire::rtype::number;
use crate::wire::writer::{Full, Owner, Section, Writer, leading_name};
use crate::zone::table::{Node, Zone};

/// A referral: the cut's NS, and the addresses of those of its servers that lie in this zone. Addresses below the
/// cut itself must not be missing: without room for one of them the answer is truncated (RFC 9471 section 3.1).
pub(super) fn refer(
    zone: &Zone,
    cut: Node<'_>,
    chased: bool,
    writer: &mut Writer<'_>,
) -> Result<Answer, Full> {
    let Some(servers) = cut.set(number::NS) else { return Ok(Answer::code(Rcode::ServFail)) };
    writer.rrset(Section::Authority, Owner::Name(cut.name), servers, None)?;
    let mut server = FoldedName::default();
    for target in servers.rdata().filter_map(leading_name) {
        if server.set(target).is_err() {
            continue;
        }
        let Some(node) = zone.node(server.as_wire()) else { continue };
        for rtype in [number::A, number::AAAA] {
            let Some(set) = node.set(rtype) else { continue };
            let written = writer.rrset(Section::Additional, Owner::Name(target), set, None);
            if written.is_err() && is_within(server.as_wire(), cut.name) {
                return Err(Full);
            }
        }
    }
    Ok(Answer { authoritative: chased, ..Answer::code(Rcode::NoError) })
}
