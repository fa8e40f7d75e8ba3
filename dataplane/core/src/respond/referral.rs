//! Referrals to the servers of a delegated zone (RFC 1034 section 4.3.2 step 3b).

use super::Answer;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;
use crate::wire::rtype::number;
use crate::wire::writer::{Image, Owner, Section, Writer, leading_name};
use crate::zone::table::{Node, Zone};

/// A referral: the cut's NS, and the addresses of those of its servers that lie in this zone. When not even
/// the first address of a server below the cut fits, the answer is truncated: nobody could follow the delegation. That
/// is what two of NSD, Knot and BIND do at any time; RFC 9471 section 3.1 asks for it when any such address is missing.
pub(super) fn refer(zone: &Zone, cut: Node<'_>, chased: bool, writer: &mut Writer<'_>) -> Answer {
    let Some(servers) = cut.set(number::NS) else { return Answer::code(Rcode::ServFail) };
    let answer = Answer { authoritative: chased, ..Answer::code(Rcode::NoError) };
    if writer.rrset(Section::Authority, Owner::Name(cut.name), servers, None).is_err() {
        return Answer { truncated: true, ..answer };
    }
    let mut first_fits = None;
    add(zone, servers, writer, |server, written| {
        if is_within(server, cut.name) {
            first_fits.get_or_insert(written);
        }
    });
    Answer { truncated: first_fits == Some(false), ..answer }
}

/// The addresses of the servers in an NS RRset that lie in this zone, as far as there is room.
pub(super) fn add_addresses(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>) {
    add(zone, servers, writer, |_, _| ());
}

/// Adds them, and tells of each RRset which server (lower case) it is of and whether it was written.
fn add(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>, mut tell: impl FnMut(&[u8], bool)) {
    let mut server = FoldedName::default();
    // IPv4 of all servers first: where room is short, one address each is worth more than two of some.
    for rtype in [number::A, number::AAAA] {
        for target in servers.rdata().filter_map(leading_name) {
            if server.set(target).is_err() {
                continue;
            }
            let Some(set) = zone.node(server.as_wire()).and_then(|node| node.set(rtype)) else { continue };
            let written = writer.rrset(Section::Additional, Owner::Name(target), set, None);
            tell(server.as_wire(), written.is_ok());
        }
    }
}
