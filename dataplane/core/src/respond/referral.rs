//! Referrals to the servers of a delegated zone (RFC 1034 section 4.3.2 step 3b).

use super::Answer;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;
use crate::wire::query::Query;
use crate::wire::rtype::{is_address, number};
use crate::wire::writer::{Image, Owner, Section, Writer, leading_name};
use crate::zone::find::{Found, find_node};
use crate::zone::node::Node;
use crate::zone::table::Zone;

/// A server's addresses of both families, IPv4 first.
const ADDRESSES: [u16; 2] = [number::A, number::AAAA];

/// A referral: the cut's NS, and the addresses of those of its servers that lie in this zone. It is truncated when no
/// address of the servers below the cut fits, or when not even the one that was asked for would: nobody could follow
/// the delegation, or it hides the very answer. RFC 9471 section 3.1 asks for TC when any such address is missing, and
/// Knot does that; NSD sets it in the first case, BIND in the second.
pub(super) fn refer(
    zone: &Zone,
    cut: Node<'_>,
    chased: bool,
    query: &Query,
    writer: &mut Writer<'_>,
) -> Answer {
    let Some(servers) = cut.set(number::NS) else { return Answer::code(Rcode::ServFail) };
    let answer = Answer { authoritative: chased, ..Answer::code(Rcode::NoError) };
    if writer.rrset(Section::Authority, Owner::Name(cut.name), servers, None).is_err() {
        return Answer { truncated: true, ..answer };
    }
    let before = writer.mark();
    let (mut some_fit, mut some_missing) = (false, false);
    add(zone, servers, writer, |server, written| {
        let below = is_within(server, cut.name);
        some_fit |= below && written;
        some_missing |= below && !written;
    });
    if !some_missing {
        return answer;
    }
    let asked = asked_glue(zone, servers, query).filter(|_| !chased);
    let asked_fits = asked.is_none_or(|(server, set)| {
        writer.rollback(before);
        let written = writer.rrset(Section::Additional, Owner::Name(server), set, None);
        writer.rollback(before);
        add(zone, servers, writer, |_, _| ());
        written.is_ok()
    });
    Answer { truncated: !some_fit || !asked_fits, ..answer }
}

/// The server of a referral whose addresses are what was asked for, and these.
fn asked_glue<'z>(zone: &'z Zone, servers: Image<'z>, query: &Query) -> Option<(&'z [u8], Image<'z>)> {
    if !is_address(query.qtype) {
        return None;
    }
    let set = zone.node(query.name.as_wire())?.set(query.qtype)?;
    let mut targets = servers.rdata().filter_map(leading_name);
    Some((targets.find(|target| target.eq_ignore_ascii_case(query.name.as_wire()))?, set))
}

/// The addresses of the servers in an NS RRset that lie in this zone, as far as there is room.
pub(super) fn add_addresses(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>) {
    add(zone, servers, writer, |_, _| ());
}

/// Adds them, and tells of each RRset which server (lower case) it is of and whether it was written. A wildcard
/// gives a server its addresses as it would for any other name, below a cut too.
fn add(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>, mut tell: impl FnMut(&[u8], bool)) {
    let mut server = FoldedName::default();
    let mut all_fit = true;
    // IPv4 of all servers first: where room is short, one address each is worth more than two of some. So once one
    // did not fit, IPv6 is left out (as NSD).
    for rtype in ADDRESSES {
        let has_room = all_fit;
        for target in servers.rdata().filter_map(leading_name) {
            if server.set(target).is_err() {
                continue;
            }
            let (Found::Exact(node) | Found::Wildcard(node)) = find_node(zone, &server) else { continue };
            let Some(set) = node.set(rtype) else { continue };
            let written =
                has_room && writer.rrset(Section::Additional, Owner::Name(target), set, None).is_ok();
            all_fit &= written;
            tell(server.as_wire(), written);
        }
    }
}
