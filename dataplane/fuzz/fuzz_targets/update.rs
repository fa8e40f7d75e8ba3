//! Changes of a compiled zone: after any sequence of them it is the zone built anew from the records that result.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Result, Unstructured};
use gslb_core::wire::Name;
use gslb_core::wire::rtype::number;
use gslb_core::zone::build::build;
use gslb_core::zone::node::Draft;
use gslb_core::zone::records::{Record, RecordSet};
use gslb_core::zone::table::Zone;
use gslb_core::zone::update::Change;
use gslb_fuzz::menu::{choose_data, choose_name, name, soa};
use libfuzzer_sys::fuzz_target;

/// Changes made at once, and how often.
const MAX_CHANGES: usize = 6;
const MAX_STEPS: usize = 24;

/// TTL and RDATA by owner and type.
type Sets = BTreeMap<(Name, u16), (u32, Vec<Vec<u8>>)>;

fuzz_target!(|octets: &[u8]| {
    let mut u = Unstructured::new(octets);
    let Ok(first) = u.arbitrary::<u8>() else { return };
    // The root zone holds every name of the menu; below another origin some changes are refused.
    let origin = name([".", "ex.", "d.ex."][usize::from(first) % 3]);
    let steered = if first & 0x40 == 0 { vec![] } else { vec![(name("s.d.ex."), 0), (name("*.t.d.ex."), 1)] };
    let mut sets: Sets = [(number::SOA, soa(0)), (number::NS, choose_name(1).as_wire().to_vec())]
        .map(|(rtype, rdata)| ((origin.clone(), rtype), (60, vec![rdata])))
        .into();
    let mut zone = build(&origin, &records(&sets), &steered).expect("a zone of SOA and NS");
    for _ in 0..MAX_STEPS {
        let Ok(changes) = changes(&mut u) else { return };
        let Ok(changed) = zone.with_rrsets(&changes) else { continue };
        zone = changed;
        for change in changes {
            let key = (change.name, change.rtype);
            match change.rdata.is_empty() {
                true => sets.remove(&key),
                false => sets.insert(key, (change.ttl, change.rdata)),
            };
        }
        let built =
            build(&origin, &records(&sets), &steered).expect("a change that is accepted leaves a zone");
        assert_eq!(dump(&zone), dump(&built));
        assert_eq!(zone.name_count(), built.name_count());
        assert_eq!(zone.record_count(), built.record_count());
        assert_eq!(zone.soa(), built.soa());
        assert!(zone.nodes().all(|node| zone.node(node.name).is_some()));
    }
});

/// Octets: number of changes, then for each its owner, kind (64 and above: removal) and value.
fn changes(u: &mut Unstructured<'_>) -> Result<Vec<Change>> {
    let count = 1 + usize::from(u8::arbitrary(u)?) % MAX_CHANGES;
    (0..count)
        .map(|_| {
            let [owner, kind, value]: [u8; 3] = u.arbitrary()?;
            let data = choose_data(kind % 64, value);
            let rdata = if kind < 64 { data.rdata } else { Vec::new() };
            Ok(Change { name: choose_name(owner).clone(), rtype: data.rtype, ttl: u32::from(value), rdata })
        })
        .collect()
}

fn records(sets: &Sets) -> RecordSet {
    let mut records = RecordSet::new();
    for ((owner, rtype), (ttl, rdata)) in sets {
        for rdata in rdata {
            let record = Record { owner: owner.as_wire(), rtype: *rtype, ttl: *ttl, rdata, file: 0, line: 1 };
            records.push(record).expect("room for a few records");
        }
    }
    records
}

/// Every node with all that queries read of it, by name.
fn dump(zone: &Zone) -> BTreeMap<Vec<u8>, Draft> {
    zone.nodes().map(|node| (node.name.to_vec(), node.draft())).collect()
}
