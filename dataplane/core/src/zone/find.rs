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
    let above = (zone.origin_labels()..name.label_count()).rev();
    let encloser =
        above.into_iter().find_map(|labels| zone.node(name.suffix(labels)).map(|node| (labels, node)));
    match encloser {
        Some((labels, node)) if node.flags.any(Flags::WILDCARD_CHILD) => wildcard(zone, name, labels),
        _ => Found::NameError,
    }
}

/// The wildcard below the closest encloser, which has `labels` labels.
fn wildcard<'z>(zone: &'z Zone, name: &FoldedName, labels: usize) -> Found<'z> {
    let mut buffer = FoldedName::buffer();
    match zone.node(name.wildcard(labels, &mut buffer)) {
        Some(node) => Found::Wildcard(node),
        None => Found::NameError,
    }
}

/// The name itself gives no answer: the closest encloser decides (RFC 4592 section 3.3.1).
fn find_above<'z>(zone: &'z Zone, name: &FoldedName) -> Found<'z> {
    let mut labels = name.label_count();
    // The closest encloser; occluded names exist too, but the cut above them decides.
    let encloser = loop {
        if labels <= zone.origin_labels() {
            break zone.apex();
        }
        labels -= 1;
        match zone.node(name.suffix(labels)) {
            Some(node) if !node.flags.any(Flags::OCCLUDED) => break Some(node),
            _ => {}
        }
    };
    let Some(encloser) = encloser else { return Found::NameError };
    if encloser.flags.any(Flags::DELEGATION) {
        return Found::Delegation(encloser);
    }
    if encloser.flags.any(Flags::DNAME) {
        return Found::Dname(encloser);
    }
    if encloser.flags.any(Flags::WILDCARD_CHILD) {
        return wildcard(zone, name, labels);
    }
    Found::NameError
}
