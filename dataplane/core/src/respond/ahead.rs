//! Looking ahead: while one query waits for memory, that of the others of its group is asked for too.
//!
//! A zone of a million names or a database of millions of networks is in no near cache: each lookup waits for memory a
//! few times, one place telling where the next is. Queries are independent of each other, so each step of all of a
//! group is asked for before any takes the next. What is found on the way is kept for the answer.

use std::net::IpAddr;

use super::lookup::zone_of;
use super::steered::client_of;
use super::{CLASS_IN, GROUP, Pending, Responder};
use crate::geo::table::Level;
use crate::observe::demand::Key;
use crate::publish::Published;
use crate::steer::Found;
use crate::wire::query::Parsed;
use crate::wire::rtype::number;
use crate::zone::table::Zone;
use crate::zone::zones::Zones;

/// What is known of a query's answer before it is worked on: nothing, or what looking would find.
#[derive(Clone, Copy, Default)]
pub struct Ahead<'s> {
    pub(super) zone: Option<&'s Zone>,
    choice: Option<(Choice, Option<Found>)>,
}

/// A steered name and the type asked for, and who asks.
#[derive(Clone, Copy)]
struct Choice {
    name: u32,
    rtype: u16,
    client: IpAddr,
}

impl Ahead<'_> {
    /// Nobody looked.
    pub const NOTHING: Ahead<'static> = Ahead { zone: None, choice: None };

    /// Where the client stands in the tables of a steered name and type.
    #[inline]
    pub(super) fn found(&self, name: u32, rtype: u16) -> Option<Found> {
        let (choice, found) = self.choice?;
        found.filter(|_| (choice.name, choice.rtype) == (name, rtype))
    }
}

fn choice_of(state: &Published, zone: &Zone, pending: &Pending) -> Option<Choice> {
    let Pending { query, client, .. } = pending;
    let name = zone.node_hashed(query.name.hash(), query.name.as_wire())?.steered()?;
    let client = client_of(&state.steering, name, query, *client);
    Some(Choice { name, rtype: query.qtype, client })
}

impl Responder {
    /// Looks ahead for the first `count` queries that were read, which pays if there are several and
    /// [`Published::is_large`]. It changes nothing but time.
    pub fn look_ahead<'s>(&self, state: &'s Published, count: usize) -> [Ahead<'s>; GROUP] {
        let mut group = [Ahead::default(); GROUP];
        let is_looked_for =
            |pending: &Pending| pending.parsed == Parsed::Query && pending.query.qclass == CLASS_IN;
        if state.zones.is_large() {
            self.zones_ahead(&state.zones, count, is_looked_for, &mut group);
        } else {
            for (ahead, pending) in group.iter_mut().zip(self.pending.iter().take(count)) {
                if is_looked_for(pending) {
                    ahead.zone = zone_of(state, &pending.query.name, pending.query.qtype);
                }
            }
        }
        for (ahead, pending) in group.iter().zip(self.pending.iter()) {
            if let Some(zone) = ahead.zone {
                zone.prefetch_slot(pending.query.name.hash());
            }
        }
        for (ahead, pending) in group.iter().zip(self.pending.iter()) {
            if let Some(zone) = ahead.zone {
                zone.prefetch_node(pending.query.name.hash());
            }
        }
        if state.steering.name_count() == 0 {
            return group;
        }
        for (ahead, pending) in group.iter_mut().zip(self.pending.iter()) {
            let choice = ahead.zone.and_then(|zone| choice_of(state, zone, pending));
            ahead.choice = choice.map(|choice| (choice, None));
        }
        for level in [Level::Bucket, Level::Leaves] {
            for (Choice { name, rtype, client }, _) in group.iter().filter_map(|ahead| ahead.choice) {
                state.steering.prefetch(name, rtype, client, level);
            }
        }
        for (choice, found) in group.iter_mut().filter_map(|ahead| ahead.choice.as_mut()) {
            let Choice { name, rtype, client } = *choice;
            if let Some((place, asked)) = state.steering.locate(name, rtype, client) {
                *found = Some(place);
                state.demand.prefetch(self.worker, Key::new(name, asked.rtype, asked.cell));
            }
        }
        group
    }

    /// Finds the zones of a group among many, and asks for what leads from them to the names.
    fn zones_ahead<'s>(
        &self,
        zones: &'s Zones,
        count: usize,
        is_looked_for: impl Fn(&Pending) -> bool,
        group: &mut [Ahead<'s>; GROUP],
    ) {
        let mut origins = [const { None }; GROUP];
        for (origins, pending) in origins.iter_mut().zip(self.pending.iter().take(count)) {
            // For DS it may be the zone above; few ask for it.
            if is_looked_for(pending) && pending.query.qtype != number::DS {
                *origins = Some(zones.prefetch_slots(&pending.query.name));
            }
        }
        for (ahead, origins) in group.iter_mut().zip(&origins) {
            ahead.zone = origins.as_ref().and_then(|origins| zones.candidate(origins));
            if let Some(zone) = ahead.zone {
                zone.prefetch();
            }
        }
        for (ahead, pending) in group.iter().zip(self.pending.iter()) {
            if let Some(zone) = ahead.zone {
                zone.prefetch_origin(pending.query.name.hash());
            }
        }
        for (ahead, pending) in group.iter_mut().zip(self.pending.iter()) {
            // Two origins of one hash are hardly ever met; then the answer looks for itself.
            ahead.zone = ahead.zone.filter(|zone| zone.is_above(&pending.query.name));
            if let Some(zone) = ahead.zone {
                zone.prefetch_shard(pending.query.name.hash());
            }
        }
    }
}
