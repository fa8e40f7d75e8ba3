//! The reader of zone files: any text. What it lets through compiles, is found, and is answered.
#![no_main]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use gslb_core::publish::Published;
use gslb_core::steer::Steering;
use gslb_core::wire::Name;
use gslb_core::wire::name::wire_length;
use gslb_core::wire::rtype::canonical;
use gslb_core::zone::build::{BuildError, build};
use gslb_core::zone::finding::Severity;
use gslb_core::zone::reader::{ZoneText, read_zone_bytes};
use gslb_core::zone::records::RecordSet;
use gslb_core::zone::zones::Zones;
use gslb_fuzz::laws::check_answers;
use libfuzzer_sys::fuzz_target;

/// Findings of one rule: a hundred and a count each from reading, rejecting and checking, with room to spare.
const MAX_OF_RULE: usize = 310;
/// Octets of a finding's message: two names in full, escaped, and what is said of them.
const MAX_MESSAGE: usize = 4096;
/// Records that are asked for.
const MAX_ASKED: usize = 8;

static ORIGIN: LazyLock<Name> = LazyLock::new(|| Name::from_text(b"example.com.", None).expect("a name"));

fuzz_target!(|text: &[u8]| {
    if makes_many(text) {
        return;
    }
    let mut zone = read_zone_bytes("z", text, &ORIGIN);
    fill(&mut zone, text);
    let findings = zone.check();
    let mut of_rule: HashMap<&str, usize> = HashMap::new();
    for finding in &findings {
        *of_rule.entry(finding.rule).or_default() += 1;
        assert!(finding.message.len() <= MAX_MESSAGE, "a message of {} octets", finding.message.len());
    }
    assert!(of_rule.values().all(|&count| count <= MAX_OF_RULE), "{of_rule:?}");
    for record in zone.records().iter() {
        assert_eq!(wire_length(record.owner), Ok(record.owner.len()));
        assert_eq!(record.owner, record.owner.to_ascii_lowercase());
        assert!(record.ttl <= 0x7fff_ffff);
    }
    let is_error = findings.iter().any(|finding| finding.severity == Severity::Error);
    assert_eq!(zone.compilable().is_err(), is_error);
    if let Ok(records) = zone.compilable() {
        check_compiled(zone.origin(), records);
    }
});

/// Whether the text may make more than a thousand records from one directive: that is as slow as it is meant to be, and
/// the fuzzer would report it as a hang.
fn makes_many(text: &[u8]) -> bool {
    text.windows(9).any(|word| word.eq_ignore_ascii_case(b"$GENERATE"))
        && text.split(|octet| !octet.is_ascii_digit()).any(|digits| digits.len() > 3)
}

/// Gives the records that wait a part of the text as their RDATA, or rejects them.
fn fill(zone: &mut ZoneText, text: &[u8]) {
    let indices: Vec<usize> = zone.pending().map(|pending| pending.index).collect();
    for index in indices {
        if zone.fill(index, text.get(..index).unwrap_or(text)).is_err() {
            zone.reject(index, "no").expect("a record that waits");
        }
    }
}

/// Every record that was read is found where it belongs, and nothing else is there.
fn check_compiled(origin: &Name, records: &RecordSet) {
    let zone = match build(origin, records, &[]) {
        Ok(zone) => zone,
        // No message can hold such an RRset: that shows when it is compiled, and refuses the zone.
        Err(BuildError::TooLarge(..)) => return,
        Err(error) => panic!("a zone without errors compiles: {error}"),
    };
    let mut found = 0;
    for node in zone.nodes() {
        assert!(zone.node(node.name).is_some());
        for set in node.sets() {
            assert_eq!(set.rdata().count(), usize::from(set.count));
            found += usize::from(set.count);
        }
    }
    assert_eq!(zone.record_count(), found);
    assert_eq!(zone.name_count(), zone.nodes().count());
    assert!(found <= records.len());
    for record in records.iter() {
        let node = zone.node(record.owner).expect("a node for every owner");
        let set = node.set(record.rtype).expect("an RRset for every record");
        assert!(set.ttl() <= record.ttl);
        // Of records that differ only in the case of a name the first is kept.
        let kept = canonical(record.rtype, record.rdata);
        assert!(set.rdata().any(|rdata| canonical(record.rtype, rdata) == kept));
    }
    let mut zones = Zones::default();
    zones.insert(Arc::new(zone));
    let state = Published {
        generation: 1,
        zones: Arc::new(zones),
        steering: Arc::<Steering>::default(),
        standing: Arc::default(),
        flattened: Arc::default(),
        identity: Arc::default(),
        demand: Arc::default(),
    };
    for record in records.iter().take(MAX_ASKED) {
        let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend_from_slice(record.owner);
        query.extend_from_slice(&record.rtype.to_be_bytes());
        query.extend_from_slice(&[0, 1]);
        check_answers(&state, &query, IpAddr::V4(Ipv4Addr::LOCALHOST), false);
    }
}
