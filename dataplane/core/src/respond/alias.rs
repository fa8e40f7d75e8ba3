//! ALIAS: the addresses of another name, answered as the owner's own, so that an apex can follow a name.

use super::lookup::{Chooser, Lookup, MAX_CHAIN, records};
use super::opt::ExtendedError;
use super::steered::chosen;
use super::{Answer, NoTrace, Step, Trace};
use crate::steer::{Decision, Outcome, Steering};
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::name::to_text;
use crate::wire::rtype::{self, number};
use crate::wire::writer::{Image, Owner, Writer, leading_name};
use crate::zone::find::{Found, find};
use crate::zone::node::Node;
use crate::zone::table::Zone;

/// What became of an ALIAS.
pub(super) enum Flattening {
    /// An answer.
    Done(Answer),
    /// Nothing is known of the target: the owner's own records, if any, are the last resort, for clients of this scope
    /// and at most so many seconds.
    Unknown { scope: u8, longest: Option<u32> },
}

/// What following an ALIAS through the zones served here came to.
enum Followed<'z> {
    /// The target's RRset.
    Set(Image<'z>),
    /// What steering chose for the target.
    Chosen(Decision),
    /// The target answers with the address of whoever asks.
    Reflects(u32),
    /// The target has no such records.
    Nothing,
    /// A steered name on the way fails.
    Failure,
    /// The target is not served here; its RRset as last resolved, and whether that is stale, or `None` when nothing is
    /// known of it.
    Outside(Option<(Image<'z>, bool)>),
}

/// What was met on the way from an ALIAS to addresses.
struct Way {
    /// The lowest TTL, that of the ALIAS included.
    ttl: u32,
    /// The lowest TTL of what steering decided: what stands in for a steered answer is held no longer than one.
    longest: Option<u32>,
    /// The longest client-subnet scope of what steering decided.
    scope: u8,
}

impl Way {
    fn decided(&mut self, decision: Decision) {
        self.scope = decision.scope.max(self.scope);
        // Of what its pool does not have, a name's TTL says nothing.
        if decision.outcome != Outcome::NotOffered {
            self.ttl = decision.ttl.min(self.ttl);
            self.longest = Some(self.longest.map_or(decision.ttl, |longest| longest.min(decision.ttl)));
        }
    }
}

impl<'a> Lookup<'a> {
    /// The answer of a node with an ALIAS to a query for addresses, which `scope` and `longest` hold for already
    /// where it stands in for a steered one.
    pub(super) fn flatten<T: Trace>(
        &self,
        (node, scope, longest): (Node<'a>, u8, Option<u32>),
        zone: &Zone,
        owner: Owner<'_>,
        chooser: &mut Chooser,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Flattening {
        let alias = node.set(number::ALIAS);
        let target = alias.and_then(|alias| Some((alias.ttl(), leading_name(alias.rdata().next()?)?)));
        let Some((ttl, target)) = target else { return Flattening::Unknown { scope, longest } };
        let mut way = Way { ttl: longest.map_or(ttl, |longest| longest.min(ttl)), longest, scope };
        let mut answer = match self.follow(target, &mut way, chooser, trace) {
            Followed::Set(set) => write(set, &way, owner, writer, trace),
            Followed::Nothing => self.no_data((way.scope, way.longest), zone, owner, writer),
            Followed::Failure => Answer::code(Rcode::ServFail),
            Followed::Outside(None) => {
                return Flattening::Unknown { scope: way.scope, longest: way.longest };
            }
            Followed::Outside(Some((set, stale))) => {
                let answer = match set.count {
                    0 => self.no_data((way.scope, way.longest), zone, owner, writer),
                    _ => write(set, &way, owner, writer, &mut NoTrace),
                };
                Answer { error: stale.then_some(ExtendedError::StaleAnswer), ..answer }
            }
            Followed::Chosen(decision) => {
                let decision = Decision { ttl: way.ttl, ..decision };
                let steering = &self.state.steering;
                chosen(steering, &chooser.selection, self.query.qtype, decision, owner, writer)
            }
            Followed::Reflects(steered) => self.reflect(steered, way.ttl, zone, owner, writer, trace),
        };
        answer.scope = answer.scope.max(way.scope);
        Flattening::Done(answer)
    }

    /// Follows aliases through the zones served here, and notes in `way` what is met.
    fn follow<T: Trace>(
        &self,
        target: &'a [u8],
        way: &mut Way,
        chooser: &mut Chooser,
        trace: &mut T,
    ) -> Followed<'a> {
        let steering: &'a Steering = &self.state.steering;
        let qtype = self.query.qtype;
        let mut name = FoldedName::default();
        let mut target = target;
        let mut last_resort = None;
        for _ in 0..MAX_CHAIN {
            if name.set(target).is_err() {
                return Followed::Nothing;
            }
            trace.note(|| Step::Follow { target: to_text(name.as_wire()) });
            let Some(zone) = self.state.zones.find(&name, name.label_count()) else {
                return self.outside(&name, last_resort, trace);
            };
            let node = match find(zone, &name) {
                Found::Exact(node) | Found::Wildcard(node) => node,
                Found::NameError => return Followed::Nothing,
                Found::Delegation(_) | Found::Dname(_) => return self.outside(&name, last_resort, trace),
            };
            if let Some(steered) = node.steered() {
                let decision = self.decide_and_count(steered, qtype, chooser, trace);
                way.decided(decision);
                match decision.outcome {
                    Outcome::Answer if steering.is_alias(steered) => {
                        let best = chooser.selection.as_slice().first();
                        let best = best.and_then(|&endpoint| steering.endpoint(endpoint));
                        let Some(alias) = best.and_then(|endpoint| endpoint.target.as_ref()) else {
                            return Followed::Nothing;
                        };
                        target = alias.as_wire();
                        continue;
                    }
                    Outcome::Answer => return Followed::Chosen(decision),
                    Outcome::NoData => return Followed::Nothing,
                    Outcome::ServFail => return Followed::Failure,
                    Outcome::NotOffered if steering.reflects(steered) => return Followed::Reflects(steered),
                    // The zone's own records.
                    Outcome::LastResort | Outcome::NotOffered => {}
                }
            }
            // Beside an ALIAS, addresses of its own answer only while nothing is known of its target.
            let alias = node.set(number::ALIAS);
            match (node.set(qtype), alias.or_else(|| node.set(number::CNAME))) {
                (Some(set), _) if alias.is_none() => return Followed::Set(set),
                (set, Some(next)) => {
                    last_resort = set.or(last_resort);
                    way.ttl = next.ttl().min(way.ttl);
                    let Some(further) = next.rdata().next().and_then(leading_name) else {
                        return Followed::Nothing;
                    };
                    target = further;
                }
                _ => return Followed::Nothing,
            }
        }
        Followed::Nothing
    }

    /// What is known of a name that no zone here answers for, or else the last resort of who leads there.
    fn outside<T: Trace>(
        &self,
        name: &FoldedName,
        last_resort: Option<Image<'a>>,
        trace: &mut T,
    ) -> Followed<'a> {
        let known = self.state.flattened.get(name.as_wire(), self.query.qtype);
        trace.note(|| Step::Resolved {
            name: to_text(name.as_wire()),
            rtype: rtype::to_text(self.query.qtype).to_string(),
            count: known.map(|(set, _)| set.count),
            stale: known.is_some_and(|(_, stale)| stale),
        });
        match (known, last_resort) {
            (None, Some(set)) => Followed::Set(set),
            _ => Followed::Outside(known),
        }
    }
}

fn write<T: Trace>(
    set: Image<'_>,
    way: &Way,
    owner: Owner<'_>,
    writer: &mut Writer<'_>,
    trace: &mut T,
) -> Answer {
    match records(set, Some(way.ttl), owner, writer, trace) {
        Ok(()) => Answer::authoritative(Rcode::NoError),
        Err(full) => full.into(),
    }
}
