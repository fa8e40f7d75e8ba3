//! How the answers to a kind of client divide among endpoints, for forecasts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::choose::{Untraced, choose};
use super::random::Random;
use super::selection::Selection;
use super::stages::Stage;
use super::standing::Standing;
use super::steering::Steering;
use super::tree::{Node, Tree};
use crate::wire::rtype::number;

impl Steering {
    /// Which share of the answers to a name and type goes to which endpoint, for clients of the same class as
    /// `client`: each endpoint of an answer has one part in all of that answer's. What is lacking of 1 goes to no
    /// endpoint. In the order of the endpoints' numbers, without those that get nothing.
    ///
    /// A policy that draws, or tells clients apart by their addresses, is asked `draws` times, each time for
    /// another client; others once.
    pub fn shares(
        &self,
        name: u32,
        rtype: u16,
        client: IpAddr,
        standing: &Standing,
        draws: u32,
        random: &mut Random,
    ) -> Vec<(u32, f64)> {
        let Some(tree) = self.tree(name, rtype) else { return Vec::new() };
        let class = tree.classes.find(client).class;
        let draws = if tree.is_even() { 1 } else { draws.max(1) };
        // A name has one CNAME (RFC 2181 section 10.1).
        let most = if tree.rtype == number::CNAME { 1 } else { usize::MAX };
        let mut selection = Selection::new();
        let mut drawn: Vec<(u32, f64)> = Vec::new();
        for _ in 0..draws {
            let client = if draws == 1 { client } else { another(client, random) };
            selection.clear();
            choose(tree, class, &client, &self.items, standing, random, &mut selection, &mut Untraced);
            let chosen = selection.as_slice();
            let count = chosen.len().min(most);
            let part = 1.0 / (count as f64 * f64::from(draws));
            drawn.extend(chosen.iter().take(count).map(|&endpoint| (endpoint, part)));
        }
        drawn.sort_unstable_by_key(|&(endpoint, _)| endpoint);
        let of_endpoint = drawn.chunk_by(|(one, _), (other, _)| one == other);
        of_endpoint
            .filter_map(|parts| Some((parts.first()?.0, parts.iter().map(|(_, part)| part).sum())))
            .collect()
    }
}

/// A client of the same family, anywhere: what a sticky step may see of other clients of a class.
fn another(client: IpAddr, random: &mut Random) -> IpAddr {
    let bits = random.next_u64();
    match client.to_canonical() {
        IpAddr::V4(_) => Ipv4Addr::from(bits as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(u128::from(bits) << 64 | 1).into(),
    }
}

impl Tree {
    /// Whether all clients of a class get the same answer at any one time.
    fn is_even(&self) -> bool {
        let draws = |node: &Node| node.stages.iter().any(Stage::is_random);
        !self.is_sticky && !std::iter::once(&self.root).chain(&self.members).any(draws)
    }
}
