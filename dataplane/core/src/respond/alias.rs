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
    /// A steered target, and its own records: its last resort.
    Steered(u32, Option<Image<'z>>),
    /// The target has no such records.
    Nothing,
    /// A steered CNAME on the way fails.
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
            Followed::Nothing => self.no_data(zone, &way, owner, writer),
            Followed::Failure => Answer::code(Rcode::ServFail),
            Followed::Outside(None) => {
                return Flattening::Unknown { scope: way.scope, longest: way.longest };
            }
            Followed::Outside(Some((set, stale))) => {
                let answer = match set.count {
                    0 => self.no_data(zone, &way, owner, writer),
                    _ => write(set, &way, owner, writer, &mut NoTrace),
                };
                Answer { error: stale.then_some(ExtendedError::StaleAnswer), ..answer }
            }
            Followed::Steered(steered, last_resort) => {
                let qtype = self.query.qtype;
                let decision = self.decide_and_count(steered, qtype, chooser, trace);
                way.decided(decision);
                match decision.outcome {
                    Outcome::Answer => {
                        let decision = Decision { ttl: way.ttl, ..decision };
                        chosen(&self.state.steering, &chooser.selection, qtype, decision, owner, writer)
                    }
                    Outcome::ServFail => Answer::code(Rcode::ServFail),
                    Outcome::NotOffered if self.state.steering.reflects(steered) => {
                        self.reflect(steered, way.ttl, zone, owner, writer, trace)
                    }
                    Outcome::LastResort | Outcome::NotOffered => match last_resort {
                        Some(set) => write(set, &way, owner, writer, trace),
                        None => self.no_data(zone, &way, owner, writer),
                    },
                    Outcome::NoData => self.no_data(zone, &way, owner, writer),
                }
            }
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
        let mut name = FoldedName::default();
        let mut target = target;
        for _ in 0..MAX_CHAIN {
            if name.set(target).is_err() {
                return Followed::Nothing;
            }
            trace.note(|| Step::Follow { target: to_text(name.as_wire()) });
            let Some(zone) = self.state.zones.find(&name, name.label_count()) else {
                return self.outside(&name, trace);
            };
            let node = match find(zone, &name) {
                Found::Exact(node) | Found::Wildcard(node) => node,
                Found::NameError => return Followed::Nothing,
                Found::Delegation(_) | Found::Dname(_) => return self.outside(&name, trace),
            };
            if let Some(steered) = node.steered() {
                if !steering.is_alias(steered) {
                    return Followed::Steered(steered, node.set(self.query.qtype));
                }
                let decision = self.decide_and_count(steered, self.query.qtype, chooser, trace);
                way.decided(decision);
                match decision.outcome {
                    Outcome::Answer => {
                        let best = chooser.selection.as_slice().first();
                        let best = best.and_then(|&endpoint| steering.endpoint(endpoint));
                        let Some(alias) = best.and_then(|endpoint| endpoint.target.as_ref()) else {
                            return Followed::Nothing;
                        };
                        target = alias.as_wire();
                        continue;
                    }
                    Outcome::NoData => return Followed::Nothing,
                    Outcome::ServFail => return Followed::Failure,
                    // The zone's own records.
                    Outcome::LastResort | Outcome::NotOffered => {}
                }
            }
            if let Some(set) = node.set(self.query.qtype) {
                return Followed::Set(set);
            }
            let Some(next) = [number::CNAME, number::ALIAS].into_iter().find_map(|rtype| node.set(rtype))
            else {
                return Followed::Nothing;
            };
            way.ttl = next.ttl().min(way.ttl);
            let Some(further) = next.rdata().next().and_then(leading_name) else { return Followed::Nothing };
            target = further;
        }
        Followed::Nothing
    }

    /// What is known of a name that no zone here answers for.
    fn outside<T: Trace>(&self, name: &FoldedName, trace: &mut T) -> Followed<'a> {
        let known = self.state.flattened.get(name.as_wire(), self.query.qtype);
        trace.note(|| Step::Resolved {
            name: to_text(name.as_wire()),
            rtype: rtype::to_text(self.query.qtype).to_string(),
            count: known.map(|(set, _)| set.count),
            stale: known.is_some_and(|(_, stale)| stale),
        });
        Followed::Outside(known)
    }

    /// The target has no addresses of the type asked for.
    fn no_data(&self, zone: &Zone, way: &Way, owner: Owner<'_>, writer: &mut Writer<'_>) -> Answer {
        self.negative_for(zone, Rcode::NoError, way.longest.unwrap_or(u32::MAX), owner, writer)
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
