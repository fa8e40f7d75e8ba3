//! Finds what a zone says of a name: RFC 1034 section 4.3.2 step 3, wildcards by RFC 4592, DNAME by RFC 6672.

use super::node::{Flags, Node};
use super::table::Zone;
use crate::wire::fold::FoldedName;
use crate::wire::name::is_within;

/// What a zone says of a name.
#[derive(Debug, Clone, Copy)]
pub enum Found<'z> {
    /// The name exists, perhaps as an empty non-terminal.
    Exact(Node<'z>),
    /// A wildcard stands for it (RFC 4592 section 3.3.1).
    Wildcard(Node<'z>),
    /// It is at or below this zone cut.
    Delegation(Node<'z>),
    /// It is below this DNAME.
    Dname(Node<'z>),
    /// It does not exist.
    NameError,
}

/// Looks `name`, which must be in the zone, up.
#[inline]
pub fn find<'z>(zone: &'z Zone, name: &FoldedName) -> Found<'z> {
    const NOT_HERE: Flags = Flags::DELEGATION.or(Flags::OCCLUDED);
    match zone.node_hashed(name.hash(), name.as_wire()) {
        Some(node) if !node.flags.any(NOT_HERE) => Found::Exact(node),
        Some(node) if node.flags.any(Flags::DELEGATION) && !node.flags.any(Flags::OCCLUDED) => {
            Found::Delegation(node)
        }
        _ => find_above(zone, name),
    }
}

/// The node that has the records of `name`, cuts and DNAMEs disregarded: its own, or that of the wildcard which
/// stands for it. So the addresses of name servers are found. Any name may be asked for.
pub fn find_node<'z>(zone: &'z Zone, name: &FoldedName) -> Found<'z> {
    if let Some(node) = zone.node_hashed(name.hash(), name.as_wire()) {
        return Found::Exact(node);
    }
    if !is_within(name.as_wire(), zone.origin().as_wire()) {
        return Found::NameError;
    }
    let (encloser, labels) = closest_encloser(zone, name, Flags::default(), Flags::default());
    match encloser {
        Some(node) if node.flags.any(Flags::WILDCARD_CHILD) => wildcard(zone, name, labels),
        _ => Found::NameError,
    }
}

/// The closest encloser of a name that has no node of its own, but none below a node with any of the flags `ends`; and
/// its labels. `below` is the flag of nodes there.
///
/// It mostly is the parent. Names that exist have nodes all the way up to the apex, so that from there the way down
/// ends at the first that is missing: a name of a hundred unknown labels costs little more than one.
#[inline]
fn closest_encloser<'z>(
    zone: &'z Zone,
    name: &FoldedName,
    ends: Flags,
    below: Flags,
) -> (Option<Node<'z>>, usize) {
    let mut labels = zone.origin_labels();
    let parent = name.label_count().saturating_sub(1);
    if parent > labels
        && let Some(node) = zone.node(name.suffix(parent)).filter(|node| !node.flags.any(below))
    {
        return (Some(node), parent);
    }
    let mut encloser = zone.apex();
    while encloser.is_some_and(|node| !node.flags.any(ends)) && labels + 1 < parent {
        let Some(node) = zone.node(name.suffix(labels + 1)) else { break };
        encloser = Some(node);
        labels += 1;
    }
    (encloser, labels)
}

/// The wildcard below the closest encloser, which has `labels` labels.
fn wildcard<'z>(zone: &'z Zone, name: &FoldedName, labels: usize) -> Found<'z> {
    let mut buffer = FoldedName::buffer();
    match zone.node(name.wildcard(labels, &mut buffer)) {
        Some(node) => Found::Wildcard(node),
        None => Found::NameError,
    }
}

/// The name itself gives no answer: the closest encloser decides (RFC 4592 section 3.3.1), or the cut or DNAME above it.
fn find_above<'z>(zone: &'z Zone, name: &FoldedName) -> Found<'z> {
    let (encloser, labels) =
        closest_encloser(zone, name, Flags::DELEGATION.or(Flags::DNAME), Flags::OCCLUDED);
    match encloser {
        Some(node) if node.flags.any(Flags::DELEGATION) => Found::Delegation(node),
        Some(node) if node.flags.any(Flags::DNAME) => Found::Dname(node),
        Some(node) if node.flags.any(Flags::WILDCARD_CHILD) => wildcard(zone, name, labels),
        _ => Found::NameError,
    }
}
