//! What the control plane says of endpoints and POPs at the moment, published apart from the snapshot.
//!
//! | bits of an endpoint's octet | meaning |
//! |---|---|
//! | 0-1 | [`Verdict`] |
//! | 2 | it served when its pool was last available (`when_all_down: last_good`) |

use super::shed::UNKNOWN_LOAD;

/// Whether an endpoint may be handed out. The control plane merges observed health and operator
/// intent into this (`gslb/steering/verdict.py`); the data plane only reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// May be handed out.
    Serving = 0,
    /// Observed down: handed out only when too little serves, as the pool declares.
    Down = 1,
    /// Drained by an operator: handed out by `serve_all` only when every endpoint is drained.
    Drained = 2,
}

const LAST_GOOD: u8 = 4;

/// What is published of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Whether it may be handed out.
    pub verdict: Verdict,
    /// Whether it served when its pool was last available.
    pub last_good: bool,
}

impl Said {
    /// What an octet of the boundary means, if anything.
    pub fn from_octet(octet: u8) -> Option<Said> {
        let verdict = match octet & !LAST_GOOD {
            0 => Verdict::Serving,
            1 => Verdict::Down,
            2 => Verdict::Drained,
            _ => return None,
        };
        Some(Said { verdict, last_good: octet & LAST_GOOD != 0 })
    }
}

/// What is said of every endpoint, indexed by endpoint number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts(Box<[Said]>);

impl Verdicts {
    /// All `count` endpoints serving.
    pub fn all_serving(count: usize) -> Verdicts {
        Verdicts(vec![Said { verdict: Verdict::Serving, last_good: false }; count].into())
    }

    /// From one octet per endpoint.
    ///
    /// # Errors
    /// The index of the first octet that has no meaning.
    pub fn from_octets(octets: &[u8]) -> Result<Verdicts, usize> {
        octets
            .iter()
            .enumerate()
            .map(|(index, &octet)| Said::from_octet(octet).ok_or(index))
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

    /// What is said of every endpoint.
    pub(super) fn iter(&self) -> impl Iterator<Item = Said> + '_ {
        self.0.iter().copied()
    }

    /// What is said of one endpoint; an endpoint unknown to the table is down.
    pub fn get(&self, endpoint: u32) -> Said {
        const UNKNOWN: Said = Said { verdict: Verdict::Down, last_good: false };
        self.0.get(endpoint as usize).copied().unwrap_or(UNKNOWN)
    }
}

/// The load of every POP in thousandths of its capacity, indexed by POP number. The default knows of none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads(Box<[u16]>);

impl Loads {
    /// From two octets per POP, big-endian, 65,535 for unknown; no octets at all know of none.
    ///
    /// # Errors
    /// The number of octets, when that is odd.
    pub fn from_octets(octets: &[u8]) -> Result<Loads, usize> {
        let (pairs, rest) = octets.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(octets.len());
        }
        Ok(Loads(pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect()))
    }

    /// Number of POPs; 0 knows of none.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is known of any POP.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The load of a POP; [`UNKNOWN_LOAD`] when nothing is known.
    #[inline]
    pub fn get(&self, pop: u32) -> u16 {
        self.0.get(pop as usize).copied().unwrap_or(UNKNOWN_LOAD)
    }
}
