//! The pools that may answer a name, from its own down to pools of endpoints, for one type.

use std::net::IpAddr;
use std::sync::Arc;

use super::classes::Classes;
use super::model::WhenAllDown;
use super::roster::Roster;
use super::selector::Subnets;
use super::stages::Stage;

/// How a pool and all below it answer one type.
#[derive(Debug)]
pub(super) struct Tree {
    pub rtype: u16,
    pub when_all_down: WhenAllDown,
    pub root: Node,
    /// All other pools below, each once.
    pub members: Box<[Node]>,
    pub classes: Arc<Classes>,
    /// The subnets that its policies name, to tell about.
    pub subnets: Arc<Subnets>,
    /// Whether any of its steps is sticky.
    pub is_sticky: bool,
    /// Whether a member that may refuse a client draws at random: it must draw the same when asked and when chosen.
    pub draws_twice: bool,
    /// Whether the same answer can be reached twice.
    pub repeats: bool,
}

/// One pool of a tree.
#[derive(Debug)]
pub(super) struct Node {
    /// Index of its policy.
    pub policy: u32,
    pub roster: Arc<Roster>,
    pub stages: Arc<[Stage]>,
    /// The column of its first stage in the classes' rows.
    pub column: usize,
    /// By position the member's index into the tree's members; empty for a pool of endpoints.
    pub children: Box<[u16]>,
    /// Whether the policy can leave a client nothing of what counts.
    pub may_refuse: bool,
    /// Whether a member may.
    pub asks_members: bool,
    /// Whether chance has a part in its own choice.
    pub is_random: bool,
    /// Whether POPs count as a whole.
    pub whole_pops: bool,
}

/// The number of the root where nodes are numbered; members have their index.
pub(super) const ROOT: u16 = u16::MAX;

impl Tree {
    /// The node of a number.
    #[inline]
    pub fn node(&self, number: u16) -> Option<&Node> {
        if number == ROOT { Some(&self.root) } else { self.members.get(usize::from(number)) }
    }

    /// Bits of a client of a class that the sticky steps it can come to look at: no scope is shorter.
    #[inline]
    pub fn sticky_bits(&self, class: u32, client: IpAddr) -> u8 {
        if !self.is_sticky {
            return 0;
        }
        let [ipv4, ipv6] = self.classes.sticky_bits(class);
        if client.to_canonical().is_ipv4() { ipv4 } else { ipv6 }
    }
}
