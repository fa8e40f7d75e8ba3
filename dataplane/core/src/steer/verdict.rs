//! The verdict table: one octet per endpoint, published apart from the snapshot.

/// Whether an endpoint may be handed out. The control plane merges observed health and operator
/// intent into this (`gslb/steering/verdict.py`); the data plane only reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// May be handed out.
    Serving = 0,
    /// Observed down: handed out only by `when_all_down: serve_all`.
    Down = 1,
    /// Drained by an operator: handed out by `serve_all` only when every endpoint is drained.
    Drained = 2,
}

impl Verdict {
    /// The verdict that an octet of the boundary means, if any.
    pub fn from_octet(octet: u8) -> Option<Verdict> {
        match octet {
            0 => Some(Verdict::Serving),
            1 => Some(Verdict::Down),
            2 => Some(Verdict::Drained),
            _ => None,
        }
    }
}

/// The verdict of every endpoint, indexed by endpoint number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts(Box<[Verdict]>);

impl Verdicts {
    /// All `count` endpoints serving.
    pub fn all_serving(count: usize) -> Verdicts {
        Verdicts(vec![Verdict::Serving; count].into())
    }

    /// From one octet per endpoint.
    ///
    /// # Errors
    /// The index of the first octet that is no verdict.
    pub fn from_octets(octets: &[u8]) -> Result<Verdicts, usize> {
        octets
            .iter()
            .enumerate()
            .map(|(index, &octet)| Verdict::from_octet(octet).ok_or(index))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| Verdicts(all.into()))
    }

    /// Number of endpoints.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no endpoints.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The verdict of one endpoint; an endpoint unknown to the table is down.
    #[inline]
    pub fn get(&self, endpoint: u32) -> Verdict {
        self.0.get(endpoint as usize).copied().unwrap_or(Verdict::Down)
    }
}
