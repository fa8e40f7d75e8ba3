//! The steering document: the JSON that the control plane makes of a site's YAML
//! (`gslb/steering/document.py`). References are indexes into the document's own lists.

use std::borrow::Cow;

use serde::Deserialize;

use super::model::WhenAllDown;
use super::selector::Kind;

/// Text that is borrowed from the document where it has no escapes.
pub(super) type Text<'a> = Cow<'a, str>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    /// Paths of the geo databases; earlier ones win where they disagree.
    #[serde(default)]
    pub databases: Vec<String>,
    #[serde(borrow)]
    pub pops: Vec<PopEntry<'a>>,
    #[serde(borrow)]
    pub pools: Vec<PoolEntry<'a>>,
    pub policies: Vec<PolicyEntry>,
    #[serde(borrow)]
    pub names: Vec<NameEntry<'a>>,
    #[serde(borrow, default)]
    pub latency: Vec<LatencyEntry<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PopEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(default)]
    pub latitude: Option<f64>,
    #[serde(default)]
    pub longitude: Option<f64>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    pub when_all_down: WhenAllDown,
    #[serde(borrow)]
    pub endpoints: Vec<EndpointEntry<'a>>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointEntry<'a> {
    pub pop: u32,
    #[serde(borrow)]
    pub address: Text<'a>,
    pub weight: u32,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyEntry {
    pub name: String,
    pub steps: Vec<StepEntry>,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub line: u32,
}

/// Whether POPs that a step does not list come last or drop out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    Prefer,
    Fence,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "step", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum StepEntry {
    Geo { mode: Mode, rules: Vec<RuleEntry> },
    Latency {},
    Distance {},
    Failover { mode: Mode, tiers: Vec<Vec<u32>> },
    Weighted {},
    Take { count: usize },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub kind: Kind,
    #[serde(default)]
    pub value: String,
    pub pops: Vec<u32>,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameEntry<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    pub pool: u32,
    pub policy: u32,
    pub ttl: u32,
    #[serde(borrow, default)]
    pub owner: Text<'a>,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatencyEntry<'a> {
    pub kind: Kind,
    #[serde(borrow, default)]
    pub value: Text<'a>,
    pub pop: u32,
    pub milliseconds: f64,
    #[serde(borrow, default)]
    pub file: Text<'a>,
    #[serde(default)]
    pub line: u32,
}
