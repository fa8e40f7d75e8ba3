//! The steps of an answer, for explanations: the serving path leaves notes, or, when nobody asks, none.

use std::net::IpAddr;

use serde::Serialize;

use crate::steer::{Explanation, Origin, Reasoned, Reflect};
use crate::wire::fold::FoldedName;
use crate::wire::name::to_text;
use crate::zone::find::Found;

/// One step of an answer, for explanations.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The closest zone.
    Zone {
        /// Its origin.
        origin: String,
        /// Its serial.
        serial: u32,
    },
    /// No zone here holds the name.
    NoZone,
    /// What the zone says of a name.
    Find {
        /// The name looked up.
        name: String,
        /// `exact`, `wildcard`, `delegation`, `dname` or `name_error`.
        found: &'static str,
        /// The node that decided.
        node: Option<String>,
    },
    /// A CNAME (or one made from a DNAME) or an ALIAS was followed.
    Follow {
        /// Where to.
        target: String,
    },
    /// An ALIAS led to a name that no zone here answers for: what the site's resolver last said of it.
    Resolved {
        /// The name.
        name: String,
        /// The type asked for.
        rtype: String,
        /// How many addresses it has; `None` when nothing is known of it.
        count: Option<u16>,
        /// Whether the resolver has not confirmed them in time.
        stale: bool,
    },
    /// Records of the zone were taken.
    Records {
        /// Their type.
        rtype: String,
        /// How many.
        count: u16,
    },
    /// The name answers with addresses of whoever asks.
    Reflect {
        /// The name, and where it is declared.
        name: Origin,
        /// Which of its addresses.
        mode: Reflect,
        /// Where the query came from.
        resolver: IpAddr,
        /// The client subnet that was sent, unless the name leaves that out of account.
        subnet: Option<String>,
        /// Those of the family asked for.
        answer: Vec<IpAddr>,
        /// The TTL in seconds.
        ttl: u32,
        /// The client-subnet scope in bits.
        scope: Reasoned<u8>,
    },
    /// Steering decided.
    Steer {
        /// All it saw.
        #[serde(flatten)]
        explanation: Box<Explanation>,
    },
}

/// Records the steps of an answer. [`NoTrace`] compiles to nothing.
pub trait Trace {
    /// Whether notes are kept.
    const ENABLED: bool;
    /// Keeps a note.
    fn note(&mut self, step: impl FnOnce() -> Step);
}

/// Keeps nothing: the serving form.
pub struct NoTrace;

impl Trace for NoTrace {
    const ENABLED: bool = false;
    #[inline]
    fn note(&mut self, _: impl FnOnce() -> Step) {}
}

/// Keeps every note.
impl Trace for Vec<Step> {
    const ENABLED: bool = true;
    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.push(step());
    }
}

/// The note of a lookup in a zone.
pub(super) fn note_found(name: &FoldedName, found: &Found<'_>) -> Step {
    let (found, node) = match found {
        Found::Exact(node) => ("exact", Some(node)),
        Found::Wildcard(node) => ("wildcard", Some(node)),
        Found::Delegation(node) => ("delegation", Some(node)),
        Found::Dname(node) => ("dname", Some(node)),
        Found::NameError => ("name_error", None),
    };
    Step::Find { name: to_text(name.as_wire()), found, node: node.map(|node| to_text(node.name)) }
}
