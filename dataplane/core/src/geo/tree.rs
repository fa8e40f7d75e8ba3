//! Walking the search tree of a MaxMind DB (format 2.0, "Binary Search Tree Section").
//!
//! The walk is our own, so that its length is bounded whatever the file says: a tree that shares its
//! nodes can have 2^128 leaves in a few octets.

use super::prefix::{Address, Prefix};

/// Most nodes and leaves that a walk visits.
const MAX_VISITS: usize = 1 << 26;
/// And for each node that there is: a walk of a tree that shares none visits it and two leaves at most.
const MAX_VISITS_PER_NODE: usize = 16;
/// But always so many.
const ALLOWED_VISITS: usize = 1 << 16;

/// What is wrong with a search tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A node lies outside of the file.
    #[error("a node of its search tree is missing")]
    Cut,
    /// A path is longer than an address has bits.
    #[error("its search tree is deeper than an address is long")]
    Deep,
    /// It has far more networks than any real database.
    #[error("its search tree has more than {MAX_VISITS} nodes and leaves")]
    Large,
    /// Its nodes are reached on far more paths than any real database's.
    #[error("its search tree shares its nodes so much that it has more than {0} leaves")]
    Shared(usize),
    /// Its records have a size that the format does not know.
    #[error("its search tree has records of an unknown size: 24, 28 and 32 bits are known")]
    RecordSize,
}

/// A search tree.
#[derive(Debug, Clone, Copy)]
pub struct Tree<'a> {
    octets: &'a [u8],
    node_count: u32,
    record_size: u16,
}

/// Where a path ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// At a node.
    Node(u32),
    /// At data; equal records have equal data.
    Data(u32),
    /// Nowhere: there is no data.
    Nothing,
}

impl<'a> Tree<'a> {
    /// The tree of `node_count` nodes at the start of `octets`.
    ///
    /// # Errors
    /// [`TreeError::RecordSize`].
    pub fn new(octets: &'a [u8], node_count: u32, record_size: u16) -> Result<Tree<'a>, TreeError> {
        if !matches!(record_size, 24 | 28 | 32) {
            return Err(TreeError::RecordSize);
        }
        Ok(Tree { octets, node_count, record_size })
    }

    /// The tree's root.
    pub fn root(&self) -> Target {
        self.target(0)
    }

    /// Where `count` zero bits lead from the root, at most.
    ///
    /// # Errors
    /// [`TreeError::Cut`].
    pub fn after_zeros(&self, count: u8) -> Result<Target, TreeError> {
        let mut target = self.root();
        for _ in 0..count {
            let Target::Node(node) = target else { break };
            target = self.children(node)?.0;
        }
        Ok(target)
    }

    /// Calls `visit` for each leaf below `root`, in address order. Nothing below `skipped` is visited.
    ///
    /// # Errors
    /// [`TreeError`], or what `visit` returns.
    pub fn walk<A: Address, E: From<TreeError>>(
        &self,
        root: Target,
        skipped: Option<Target>,
        mut visit: impl FnMut(Prefix<A>, Target) -> Result<(), E>,
    ) -> Result<(), E> {
        let shared = (self.node_count as usize + 1).saturating_mul(MAX_VISITS_PER_NODE).max(ALLOWED_VISITS);
        let mut visits = 0;
        let mut open = vec![(Prefix { start: A::default(), length: 0 }, root)];
        while let Some((prefix, target)) = open.pop() {
            visits += 1;
            if visits > MAX_VISITS {
                return Err(TreeError::Large.into());
            }
            if visits > shared {
                return Err(TreeError::Shared(shared / 2).into());
            }
            if Some(target) == skipped {
                continue;
            }
            let Target::Node(node) = target else {
                visit(prefix, target)?;
                continue;
            };
            if prefix.length >= A::BITS {
                return Err(TreeError::Deep.into());
            }
            let (low, high) = self.children(node)?;
            let length = prefix.length + 1;
            open.push((Prefix { start: prefix.start.with(A::bit(prefix.length)), length }, high));
            open.push((Prefix { start: prefix.start, length }, low));
        }
        Ok(())
    }

    fn target(&self, record: u32) -> Target {
        match record.cmp(&self.node_count) {
            std::cmp::Ordering::Less => Target::Node(record),
            std::cmp::Ordering::Equal => Target::Nothing,
            std::cmp::Ordering::Greater => Target::Data(record),
        }
    }

    /// What a node's 0 and 1 bits lead to.
    fn children(&self, node: u32) -> Result<(Target, Target), TreeError> {
        let size = usize::from(self.record_size) / 4;
        let start = (node as usize).checked_mul(size).ok_or(TreeError::Cut)?;
        let (low, high) =
            match *self.octets.get(start..).and_then(|rest| rest.get(..size)).ok_or(TreeError::Cut)? {
                [a, b, c, d, e, f] => (u32::from_be_bytes([0, a, b, c]), u32::from_be_bytes([0, d, e, f])),
                // The middle octet has the highest four bits of both.
                [a, b, c, m, d, e, f] => {
                    (u32::from_be_bytes([m >> 4, a, b, c]), u32::from_be_bytes([m & 15, d, e, f]))
                }
                [a, b, c, d, e, f, g, h] => {
                    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
                }
                _ => return Err(TreeError::RecordSize),
            };
        Ok((self.target(low), self.target(high)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn leaves(tree: &Tree<'_>) -> Result<Vec<(String, Target)>, TreeError> {
        let mut all = Vec::new();
        tree.walk(tree.root(), None, |prefix: Prefix<u32>, target| {
            all.push((prefix.to_string(), target));
            Ok::<(), TreeError>(())
        })?;
        Ok(all)
    }

    #[test]
    fn records_of_every_size_are_read() {
        let expected =
            vec![("0.0.0.0/1".to_owned(), Target::Data(0x1f)), ("128.0.0.0/1".to_owned(), Target::Nothing)];
        for (size, octets) in [
            (24, &[0, 0, 0x1f, 0, 0, 1][..]),
            (28, &[0, 0, 0x1f, 0, 0, 0, 1]),
            (32, &[0, 0, 0, 0x1f, 0, 0, 0, 1]),
        ] {
            assert_eq!(leaves(&Tree::new(octets, 1, size).unwrap()).unwrap(), expected, "{size}");
        }
        let tree = Tree::new(&[0, 0, 2, 0xab, 0, 0, 3], 1, 28).unwrap();
        assert_eq!(
            tree.children(0).unwrap(),
            (Target::Data(0xa00_0002), Target::Data(0xb00_0003)),
            "the middle octet holds the highest bits"
        );
        assert_eq!(Tree::new(&[], 1, 20).unwrap_err(), TreeError::RecordSize);
    }

    #[test]
    fn a_small_tree_has_no_billion_leaves() {
        // Both sides of each node lead to the next: 2^30 paths through 30 nodes.
        let octets: Vec<u8> = (1..=30u32).flat_map(|next| [next.to_be_bytes(); 2]).flatten().collect();
        let error = leaves(&Tree::new(&octets, 30, 32).unwrap()).unwrap_err();
        assert_eq!(error, TreeError::Shared(ALLOWED_VISITS / 2));
    }

    #[test]
    fn hostile_trees_end() {
        // A node that leads to itself.
        let tree = Tree::new(&[0; 8], 1, 32).unwrap();
        assert_eq!(leaves(&tree).unwrap_err(), TreeError::Deep);
        assert_eq!(tree.after_zeros(96).unwrap(), Target::Node(0));
        // Nodes that are not there.
        assert_eq!(leaves(&Tree::new(&[0; 8], 9, 32).unwrap()).unwrap_err(), TreeError::Deep);
        assert_eq!(
            leaves(&Tree::new(&[0, 0, 0, 8, 0, 0, 0, 8], 9, 32).unwrap()).unwrap_err(),
            TreeError::Cut
        );
        // No nodes at all.
        assert_eq!(
            leaves(&Tree::new(&[], 0, 32).unwrap()).unwrap(),
            [("0.0.0.0/0".to_owned(), Target::Nothing)]
        );
    }
}
