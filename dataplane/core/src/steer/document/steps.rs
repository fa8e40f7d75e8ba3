//! Policies and their steps as the document has them.

use serde::Deserialize;

use crate::steer::selector::Kind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::steer) struct PolicyEntry {
    pub name: String,
    pub steps: Vec<StepEntry>,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub line: u32,
}

/// Whether units that a step does not list come last or drop out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::steer) enum Mode {
    Prefer,
    Fence,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::steer) enum StepEntry {
    Geo {
        mode: Mode,
        rules: Vec<RuleEntry>,
    },
    /// A geo step whose rules are all for AS numbers.
    Asn {
        mode: Mode,
        rules: Vec<RuleEntry>,
    },
    /// A geo step whose rules are all for subnets.
    Subnet {
        mode: Mode,
        rules: Vec<RuleEntry>,
    },
    Latency {
        #[serde(default)]
        tolerance: Option<ToleranceEntry>,
    },
    Distance {
        /// (unit, kilometres to add)
        #[serde(default)]
        bias: Vec<(u32, f64)>,
    },
    Failover {
        mode: Mode,
        tiers: Vec<Vec<u32>>,
    },
    Weighted {},
    Sticky {
        ipv4: u8,
        ipv6: u8,
    },
    Shed {
        low: f64,
        high: f64,
    },
    Take {
        count: usize,
    },
    Shuffle {},
    SamePop {},
}

/// How much worse than the best of its band a unit may be.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(in crate::steer) enum ToleranceEntry {
    Milliseconds(f64),
    Percent(f64),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::steer) struct RuleEntry {
    pub kind: Kind,
    #[serde(default)]
    pub value: String,
    pub units: Vec<u32>,
    #[serde(default)]
    pub file: String,
    #[serde(default)]
    pub line: u32,
}
