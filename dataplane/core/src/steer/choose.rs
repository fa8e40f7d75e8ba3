//! Choosing endpoints for a query: what counts, what to do when too little does, and the way down from a name's pool
//! to endpoints. `run` chooses within one pool.

use std::net::IpAddr;

use super::classes::GROUP_HEADER;
use super::model::WhenAllDown;
use super::random::{Random, mix};
use super::run::{Scratch, run_stages};
use super::selection::{Candidate, Chosen, Level, Positions, Selection};
use super::standing::{Counting, Standing};
use super::steering::{Items, Outcome};
use super::tree::{Node, ROOT, Tree};

/// Sees a choice being made. The trace that sees nothing costs nothing.
pub(super) trait Trace {
    /// The tree is about to be run, over what counts.
    fn run(&mut self, counting: Counting);
    /// A pool is about to be chosen from; these members refuse the client.
    fn enter(&mut self, node: u16, refusing: &Positions);
    /// A stage sheds units by this number.
    fn shed(&mut self, nonce: u64);
    /// A stage has kept these, in this order.
    fn stage(&mut self, kept: &[Candidate]);
}

/// Sees nothing.
pub(super) struct Untraced;

impl Trace for Untraced {
    #[inline]
    fn run(&mut self, _: Counting) {}
    #[inline]
    fn enter(&mut self, _: u16, _: &Positions) {}
    #[inline]
    fn shed(&mut self, _: u64) {}
    #[inline]
    fn stage(&mut self, _: &[Candidate]) {}
}

/// What choosing looks at.
pub(super) struct Query<'a> {
    pub tree: &'a Tree,
    pub class: u32,
    /// By reference: copies of addresses are slow.
    pub client: &'a IpAddr,
    pub items: &'a Items,
    pub standing: &'a Standing,
    pub counting: Counting,
    /// Where members that draw twice draw from.
    pub nonce: u64,
}

/// Chooses endpoints into `selection`, which is left empty unless the outcome is an answer. Also says whether
/// `when_all_down` was in effect.
#[inline]
#[allow(clippy::too_many_arguments)] // The parts of a query.
pub(super) fn choose<T: Trace>(
    tree: &Tree,
    class: u32,
    client: &IpAddr,
    items: &Items,
    standing: &Standing,
    random: &mut Random,
    selection: &mut Selection,
    trace: &mut T,
) -> (Outcome, bool) {
    let nonce = if tree.draws_twice { random.next_u64() } else { 0 };
    let mut query = Query { tree, class, client, items, standing, counting: Counting::Serving, nonce };
    let mask = standing.pool_mask(tree.root.roster.number);
    if Counting::Serving.is_in(mask) {
        if run_tree(&query, random, selection, trace) {
            return (Outcome::Answer, false);
        }
        // Some serve, but the policy fences them off from this client: what is down is none of its business either.
        return (when_none(tree.when_all_down), false);
    }
    query.counting = match tree.when_all_down {
        WhenAllDown::LastGood if Counting::LastGood.is_in(mask) => Counting::LastGood,
        WhenAllDown::LastGood | WhenAllDown::ServeAll if Counting::NotDrained.is_in(mask) => {
            Counting::NotDrained
        }
        WhenAllDown::LastGood | WhenAllDown::ServeAll => Counting::All,
        declared => {
            trace.run(Counting::Serving);
            return (when_none(declared), true);
        }
    };
    let outcome =
        if run_tree(&query, random, selection, trace) { Outcome::Answer } else { Outcome::LastResort };
    (outcome, true)
}

/// What is answered when no endpoint is left.
fn when_none(declared: WhenAllDown) -> Outcome {
    match declared {
        WhenAllDown::ServeAll | WhenAllDown::LastGood | WhenAllDown::Fallback => Outcome::LastResort,
        WhenAllDown::NoData => Outcome::NoData,
        WhenAllDown::ServFail => Outcome::ServFail,
    }
}

/// Chooses from the root down; returns whether any endpoint was chosen.
#[inline]
fn run_tree<T: Trace>(
    query: &Query<'_>,
    random: &mut Random,
    selection: &mut Selection,
    trace: &mut T,
) -> bool {
    trace.run(query.counting);
    let (levels, mut chosen) = selection.split();
    if query.tree.members.is_empty() {
        // One pool of endpoints, as most are.
        let Some(Level { chosen: kept, before, urn, refusing }) = levels.first_mut() else { return false };
        trace.enter(ROOT, refusing);
        let mut scratch = Scratch { chosen: kept, before, urn, refusing: None };
        if !run_stages(query, &query.tree.root, &mut scratch, random, trace) {
            return false;
        }
        for candidate in kept.as_slice() {
            add(query, candidate.item, &mut chosen);
        }
    } else {
        run_members(query, levels, random, &mut chosen, trace);
    }
    !chosen.is_empty()
}

#[inline(never)]
fn run_members<T: Trace>(
    query: &Query<'_>,
    levels: &mut [Level],
    random: &mut Random,
    chosen: &mut Chosen<'_>,
    trace: &mut T,
) {
    let root = &query.tree.root;
    if run_node(query, ROOT, root, levels, random, trace) {
        expand(query, root, levels, random, chosen, trace);
    }
}

/// Chooses within a pool, into the first of `levels`; returns whether anything is left.
fn run_node<T: Trace>(
    query: &Query<'_>,
    number: u16,
    node: &Node,
    levels: &mut [Level],
    random: &mut Random,
    trace: &mut T,
) -> bool {
    // A member that is asked and then chosen draws the same both times.
    let mut own;
    let mut random = random;
    if number != ROOT && node.may_refuse && node.is_random {
        own = Random::new(mix(query.nonce ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        random = &mut own;
    }
    let Some((level, deeper)) = levels.split_first_mut() else { return false };
    if node.asks_members {
        level.refusing = refusing(query, node, deeper, random);
    }
    trace.enter(number, &level.refusing);
    let Level { chosen, before, urn, refusing } = level;
    let mut scratch = Scratch { chosen, before, urn, refusing: node.asks_members.then_some(&*refusing) };
    run_stages(query, node, &mut scratch, random, trace)
}

/// The members of the first stage's order that would count, but whose own policies leave this client nothing.
#[cold]
fn refusing(query: &Query<'_>, node: &Node, deeper: &mut [Level], random: &mut Random) -> Positions {
    let mut refusing = Positions::default();
    let order = query.tree.classes.sequence(query.class, node.column);
    for position in order.iter().copied().filter(|entry| entry & GROUP_HEADER == 0) {
        let (Some(&item), Some(&child)) =
            (node.roster.at(position).first(), node.children.get(usize::from(position)))
        else {
            continue;
        };
        let Some(member) = query.tree.node(child).filter(|member| member.may_refuse) else { continue };
        if query.counting.is_in(query.standing.mask(item))
            && !run_node(query, child, member, deeper, random, &mut Untraced)
        {
            refusing.insert(usize::from(position));
        }
    }
    refusing
}

/// Adds what the first of `levels` has chosen: endpoints as they are, member pools by their own choice. Returns whether
/// there is room for more. Pools are nested at most as deep as there are levels.
fn expand<T: Trace>(
    query: &Query<'_>,
    node: &Node,
    levels: &mut [Level],
    random: &mut Random,
    chosen: &mut Chosen<'_>,
    trace: &mut T,
) -> bool {
    let Some((level, deeper)) = levels.split_first_mut() else { return true };
    for candidate in level.chosen.as_slice() {
        let room = match node.children.get(usize::from(candidate.position)) {
            None => add(query, candidate.item, chosen),
            Some(&child) => expand_member(query, child, deeper, random, chosen, trace),
        };
        if !room {
            return false;
        }
    }
    true
}

fn expand_member<T: Trace>(
    query: &Query<'_>,
    child: u16,
    levels: &mut [Level],
    random: &mut Random,
    chosen: &mut Chosen<'_>,
    trace: &mut T,
) -> bool {
    let Some(member) = query.tree.node(child) else { return true };
    !run_node(query, child, member, levels, random, trace)
        || expand(query, member, levels, random, chosen, trace)
}

/// Adds the endpoint of an item, unless its answer stands there already.
#[inline]
fn add(query: &Query<'_>, item: u32, chosen: &mut Chosen<'_>) -> bool {
    let Some(endpoint) = query.items.endpoint(item) else { return true };
    if query.tree.repeats {
        let twin = query.items.twin(endpoint);
        if chosen.as_slice().iter().any(|&other| query.items.twin(other) == twin) {
            return true;
        }
    }
    chosen.push(endpoint)
}
