//! Referrals to the servers of a delegated zone (RFC 1034 section 4.3.2 step 3b).

use super::Answer;
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;
use crate::wire::query::Query;
use crate::wire::rtype::{is_address, number};
use crate::wire::writer::{Image, Owner, Place, Section, Writer, leading_name};
use crate::zone::find::{Found, find_node};
use crate::zone::node::{Flags, Node};
use crate::zone::table::Zone;

/// A server's addresses of both families, IPv4 first.
const ADDRESSES: [u16; 2] = [number::A, number::AAAA];
/// Servers that are looked up once; few zones have more, and of those each is looked up for every family.
const REMEMBERED: usize = 13;

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
    let start = writer.length();
    if writer.rrset(Section::Authority, Owner::Name(cut.name), servers, None).is_err() {
        return Answer { truncated: true, ..answer };
    }
    let before = writer.mark();
    let (mut some_fit, mut some_missing) = (false, false);
    let listed = Servers { zone, set: servers, start, cut: Some(cut.name) };
    listed.add(writer, |server, written| {
        some_fit |= server.below && written;
        some_missing |= server.below && !written;
    });
    if !some_missing {
        return answer;
    }
    let asked = asked_glue(zone, servers, query).filter(|_| !chased);
    let asked_fits = asked.is_none_or(|(server, set)| {
        writer.rollback(before);
        let written = writer.rrset(Section::Additional, Owner::Name(server), set, None);
        writer.rollback(before);
        listed.add(writer, |_, _| ());
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

/// The addresses of the servers in an NS RRset that lie in this zone, as far as there is room. The RRset was written
/// from `start` on.
pub(super) fn add_addresses(zone: &Zone, set: Image<'_>, start: usize, writer: &mut Writer<'_>) {
    Servers { zone, set, start, cut: None }.add(writer, |_, _| ());
}

/// The servers of an NS RRset that was written.
struct Servers<'z> {
    zone: &'z Zone,
    set: Image<'z>,
    /// Where in the response it starts.
    start: usize,
    /// Its owner, if that is a zone cut.
    cut: Option<&'z [u8]>,
}

/// What the zone knows of a server.
#[derive(Clone, Copy)]
struct Server<'z> {
    /// Where its name stands in the response.
    place: Option<Place>,
    /// Whether it is below the cut.
    below: bool,
    node: Option<Node<'z>>,
}

impl<'z> Servers<'z> {
    /// Adds their addresses, and tells of each RRset which server it is of and whether it was written.
    fn add(&self, writer: &mut Writer<'_>, mut tell: impl FnMut(&Server<'z>, bool)) {
        let mut folded = FoldedName::default();
        let mut remembered = [const { None }; REMEMBERED];
        let places = writer.names_from(self.start);
        for ((server, name), place) in remembered.iter_mut().zip(self.set.rdata()).zip(places) {
            *server = Some(self.find(name, place, &mut folded));
        }
        let mut all_fit = true;
        // IPv4 of all servers first: where room is short, one address each is worth more than two of some. So once one
        // did not fit, IPv6 is left out (as NSD).
        for rtype in ADDRESSES {
            let has_room = all_fit;
            for (number, name) in self.set.rdata().enumerate() {
                let server = remembered.get(number).and_then(Option::as_ref).copied();
                let server = server.unwrap_or_else(|| self.find(name, None, &mut folded));
                let Some(set) = server.node.and_then(|node| node.set(rtype)) else { continue };
                let written = has_room
                    && match server.place {
                        Some(place) => writer.rrset_at(Section::Additional, place, set),
                        None => writer.rrset(Section::Additional, Owner::Name(name), set, None),
                    }
                    .is_ok();
                all_fit &= written;
                tell(&server, written);
            }
        }
    }

    /// Looks a server up. A wildcard gives it its addresses as it would any other name, below a cut too. What steering
    /// or an ALIAS would answer otherwise is not told but to who asks: only below the cut there is nobody to ask.
    fn find(&self, name: &[u8], place: Option<Place>, folded: &mut FoldedName) -> Server<'z> {
        let found = folded.set(name).map_or(Found::NameError, |_| find_node(self.zone, folded));
        let node = match found {
            Found::Exact(node) | Found::Wildcard(node) => Some(node),
            Found::Delegation(_) | Found::Dname(_) | Found::NameError => None,
        };
        let below = node.is_some() && self.cut.is_some_and(|cut| is_within(folded.as_wire(), cut));
        let node = node.filter(|node| below || !node.flags.any(Flags::STEERED.or(Flags::ALIAS)));
        Server { place, below, node }
    }
}
