//! ALIAS: the addresses of another name, answered as the owner's own, so that an apex can follow a name.

use super::opt::ExtendedError;
use super::steered::chosen;
use super::{Answer, Chooser, Lookup, MAX_CHAIN, Trace};
use crate::steer::{Decision, Outcome, Steering};
use crate::wire::Rcode;
use crate::wire::fold::FoldedName;
use crate::wire::rtype::number;
use crate::wire::writer::{Image, Owner, Section, Writer, leading_name};
use crate::zone::find::{Found, find};
use crate::zone::node::Node;
use crate::zone::table::Zone;

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
    /// The target is not served here.
    Outside,
}

impl<'a> Lookup<'a> {
    /// The answer of a node with an ALIAS to a query for addresses. `None` when nothing is known of the target: then
    /// the node's own records, if any, are its last resort.
    pub(super) fn flatten<T: Trace>(
        &self,
        node: Node<'a>,
        zone: &Zone,
        owner: Owner<'_>,
        chooser: &mut Chooser,
        writer: &mut Writer<'_>,
        trace: &mut T,
    ) -> Option<Answer> {
        let alias = node.set(number::ALIAS)?;
        let mut ttl = alias.ttl();
        let target = alias.rdata().next().and_then(leading_name)?;
        let mut scope = 0;
        let answer = match self.follow(target, &mut ttl, &mut scope, chooser, trace) {
            Followed::Set(set) => write(set, ttl.min(set.ttl()), owner, writer),
            Followed::Nothing => self.negative(zone, Rcode::NoError, owner, writer),
            Followed::Failure => Answer::code(Rcode::ServFail),
            Followed::Outside => {
                let (set, stale) = self.state.flattened.get(node.name, self.query.qtype)?;
                let error = stale.then_some(ExtendedError::StaleAnswer);
                let answer = match set.count {
                    0 => self.negative(zone, Rcode::NoError, owner, writer),
                    _ => write(set, set.ttl(), owner, writer),
                };
                Answer { error, ..answer }
            }
            Followed::Steered(steered, last_resort) => {
                let qtype = self.query.qtype;
                let decision = self.decide_and_count(steered, qtype, chooser, trace);
                scope = scope.max(decision.scope);
                match decision.outcome {
                    Outcome::Answer => {
                        let decision = Decision { ttl: ttl.min(decision.ttl), ..decision };
                        chosen(&self.state.steering, &chooser.selection, qtype, decision, owner, writer)
                    }
                    Outcome::ServFail => Answer::code(Rcode::ServFail),
                    Outcome::NotOffered if self.state.steering.reflects(steered) => {
                        self.reflect(steered, ttl, zone, owner, writer, trace)
                    }
                    Outcome::LastResort | Outcome::NotOffered => match last_resort {
                        Some(set) => write(set, ttl.min(set.ttl()), owner, writer),
                        None => self.negative(zone, Rcode::NoError, owner, writer),
                    },
                    Outcome::NoData => self.negative(zone, Rcode::NoError, owner, writer),
                }
            }
        };
        Some(Answer { scope: scope.max(answer.scope), ..answer })
    }

    /// Follows aliases through the zones served here; `ttl` ends as the lowest on the way, `scope` as the longest of
    /// the steered CNAMEs.
    fn follow<T: Trace>(
        &self,
        target: &'a [u8],
        ttl: &mut u32,
        scope: &mut u8,
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
            let Some(zone) = self.state.zones.find(&name, name.label_count()) else {
                return Followed::Outside;
            };
            let node = match find(zone, &name) {
                Found::Exact(node) | Found::Wildcard(node) => node,
                Found::NameError => return Followed::Nothing,
                Found::Delegation(_) | Found::Dname(_) => return Followed::Outside,
            };
            if let Some(steered) = node.steered() {
                if !steering.is_alias(steered) {
                    return Followed::Steered(steered, node.set(self.query.qtype));
                }
                let decision = self.decide(steered, number::CNAME, chooser, trace);
                *scope = decision.scope.max(*scope);
                *ttl = decision.ttl.min(*ttl);
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
            *ttl = next.ttl().min(*ttl);
            let Some(further) = next.rdata().next().and_then(leading_name) else { return Followed::Nothing };
            target = further;
        }
        Followed::Nothing
    }
}

fn write(set: Image<'_>, ttl: u32, owner: Owner<'_>, writer: &mut Writer<'_>) -> Answer {
    match writer.rrset(Section::Answer, owner, set, Some(ttl)) {
        Ok(()) => Answer::authoritative(Rcode::NoError),
        Err(full) => full.into(),
    }
}
