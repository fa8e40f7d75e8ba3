//! Referrals to the servers of a delegated zone (RFC 1034 section 4.3.2 step 3b).

use super::{Answer, Family};
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;
use crate::wire::query::Query;
use crate::wire::rtype::number;
use crate::wire::writer::{Image, Owner, Section, Writer, leading_name};
use crate::zone::find::{Found, find_node};
use crate::zone::table::{Node, Zone};

/// A server's addresses of both families, IPv4 first.
const ADDRESSES: [u16; 2] = [number::A, number::AAAA];

/// A referral: the cut's NS, and the addresses of those of its servers that lie in this zone. Where addresses of
/// servers below the cut are left out for want of room, [`deciding_glue`] decides on TC.
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
    let asked = if chased { None } else { Some(query) };
    let truncated = match deciding_glue(zone, cut, servers, asked) {
        Some((server, set)) => {
            writer.rollback(before);
            let fits = writer.rrset(Section::Additional, Owner::Name(server), set, None).is_ok();
            writer.rollback(before);
            add(zone, servers, writer, |_, _| ());
            !fits
        }
        None => !some_fit,
    };
    Answer { truncated, ..answer }
}

/// The one RRset of a server below the cut for which a crowded referral is truncated: the addresses that were asked for,
/// or else those of the last server in canonical order (RFC 4034 section 6.3). None where wildcards alone
/// give them.
///
/// RFC 9471 section 3.1 asks for TC when any address is missing, and Knot does that; NSD sets it when all are,
/// BIND by this RRset. The one in the middle is the majority.
fn deciding_glue<'z>(
    zone: &'z Zone,
    cut: Node<'_>,
    servers: Image<'z>,
    asked: Option<&Query>,
) -> Option<(&'z [u8], Image<'z>)> {
    let mut last: Option<(&'z [u8], Image<'z>)> = None;
    let (mut server, mut last_server) = (FoldedName::default(), FoldedName::default());
    for target in servers.rdata().filter_map(leading_name) {
        if server.set(target).is_err() || !is_within(server.as_wire(), cut.name) {
            continue;
        }
        let Some(node) = zone.node(server.as_wire()) else { continue };
        if let Some(query) = asked
            && query.name.as_wire() == server.as_wire()
            && Family::of(query.qtype).is_some()
            && let Some(set) = node.set(query.qtype)
        {
            return Some((target, set));
        }
        if (last.is_none() || server.as_wire() > last_server.as_wire())
            && let Some(set) = ADDRESSES.into_iter().find_map(|rtype| node.set(rtype))
        {
            last = Some((target, set));
            std::mem::swap(&mut last_server, &mut server);
        }
    }
    last
}

/// The addresses of the servers in an NS RRset that lie in this zone, as far as there is room.
pub(super) fn add_addresses(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>) {
    add(zone, servers, writer, |_, _| ());
}

/// Adds them, and tells of each RRset which server (lower case) it is of and whether it was written. A wildcard
/// gives a server its addresses as it would for any other name, below a cut too.
fn add(zone: &Zone, servers: Image<'_>, writer: &mut Writer<'_>, mut tell: impl FnMut(&[u8], bool)) {
    let mut server = FoldedName::default();
    // IPv4 of all servers first: where room is short, one address each is worth more than two of some.
    for rtype in ADDRESSES {
        for target in servers.rdata().filter_map(leading_name) {
            if server.set(target).is_err() {
                continue;
            }
            let (Found::Exact(node) | Found::Wildcard(node)) = find_node(zone, &server) else { continue };
            let Some(set) = node.set(rtype) else { continue };
            let written = writer.rrset(Section::Additional, Owner::Name(target), set, None);
            tell(server.as_wire(), written.is_ok());
        }
    }
}
