//! What a steering document declares, checked: POPs, endpoints, pools and names.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::latency::Latency;
use crate::wire::name::Name;

/// A place in a site's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file; empty when unknown.
    #[serde(serialize_with = "serialize_text")]
    pub file: Arc<str>,
    /// The line, from 1; 0 when unknown.
    pub line: u32,
}

fn serialize_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

impl Place {
    pub(super) fn new(file: &str, line: u32) -> Place {
        Place { file: file.into(), line }
    }

    /// `FILE:LINE: ` to put before a message, or nothing when unknown.
    pub(super) fn prefix(&self) -> String {
        match (&*self.file, self.line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}: "),
        }
    }
}

/// What a pool answers when no endpoint is serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenAllDown {
    /// The endpoints that are down, as if they served.
    ServeAll,
    /// The records of the zone file.
    Fallback,
    /// No records.
    #[serde(rename = "nodata")]
    NoData,
    /// A failure.
    #[serde(rename = "servfail")]
    ServFail,
}

/// A site that serves users.
#[derive(Debug)]
pub(super) struct Pop {
    pub name: Box<str>,
}

/// One address of a POP for one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Index of its POP in the document.
    pub pop: u32,
    /// Its share among equals; 0: only when no other is left.
    pub weight: u32,
    /// Index of its pool in the document.
    pub pool: u32,
}

/// The endpoints that may answer a name.
#[derive(Debug)]
pub(super) struct Pool {
    pub name: Box<str>,
    pub when_all_down: WhenAllDown,
    /// Their numbers.
    pub endpoints: Range<u32>,
    pub place: Place,
}

/// A name that a pool and a policy answer.
#[derive(Debug, Clone)]
pub struct SteeredName {
    /// The owner name, in lower case.
    pub name: Name,
    /// TTL of its answers in seconds.
    pub ttl: u32,
    /// Index of its pool in the document.
    pub pool: u32,
    /// Index of its policy in the document.
    pub policy: u32,
    /// The team that owns it; may be empty.
    pub owner: Arc<str>,
    /// Where it is declared.
    pub place: Place,
}

/// What all policies look at beside the client's location.
#[derive(Debug, Default)]
pub(super) struct World {
    pub pops: Box<[Pop]>,
    /// Each POP's point on the unit sphere, if its coordinates are declared.
    pub vectors: Box<[Option<[f64; 3]>]>,
    pub latency: Latency,
}
