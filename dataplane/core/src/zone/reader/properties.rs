//! Laws of the reader: it takes any octets, and gives back what it was given.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::wire::name;

const ZONE: &str = "$TTL 1h\n@ IN SOA ns1 host ( 1 2 ; x\n 3 4 5 )\n NS ns1\nns1 A 192.0.2.1\n\
    t TXT \"a \\\" \\200\" b\n$ORIGIN sub\n@ 60 MX 10 @\n$GENERATE 1-5/2 h${1,3,x} A 10.0.0.$\n\
    k DS 1 8 9 (aa\n bb)\nn NSEC o A RRSIG\nu TYPE65280 \\# 2 abcd\nw HTTPS 1 . alpn=\"h2\"\n$INCLUDE x y\n";

fn origin() -> Name {
    Name::from_text(b"example.com.", None).unwrap()
}

/// Reads, then does all that can be done with what was read.
fn exercise(text: &[u8]) {
    let mut zone = read_zone_bytes("z", text, &origin());
    let indices: Vec<usize> = zone.pending().map(|pending| pending.index).collect();
    for index in indices {
        if zone.fill(index, text).is_err() {
            zone.reject(index, "no").unwrap();
        }
    }
    let findings = zone.check();
    assert_eq!(
        zone.compilable().is_err(),
        findings.iter().any(|finding| finding.severity == Severity::Error)
    );
    for record in zone.records().iter() {
        assert_eq!(name::wire_length(record.owner), Ok(record.owner.len()));
        assert!(record.ttl <= 0x7fff_ffff);
    }
}

/// Any label, and its text with every octet escaped that needs it.
fn label() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![b'a'..=b'z', Just(b'-'), any::<u8>()], 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_read(text in prop::collection::vec(any::<u8>(), 0..400)) {
        exercise(&text);
    }

    #[test]
    fn any_master_file_letters_are_read(
        text in prop::collection::vec(prop::sample::select(b"\n\n  ()\";\\\\$@.0123a\"INATXSO\t\r#-".to_vec()), 0..400)
    ) {
        exercise(&text);
    }

    #[test]
    fn a_mutated_zone_is_read(
        edits in prop::collection::vec((0..ZONE.len(), any::<u8>(), 0..3_u8), 1..12)
    ) {
        let mut text = ZONE.as_bytes().to_vec();
        for (at, octet, kind) in edits {
            let at = at.min(text.len() - 1);
            match kind {
                0 => text.insert(at, octet),
                1 => { text.remove(at); }
                _ => text.truncate(text.len().max(at + 1)),
            }
            if let Some(place) = text.get_mut(at).filter(|_| kind == 2) {
                *place = octet;
            }
        }
        exercise(&text);
    }

    #[test]
    fn what_is_written_is_read_back(
        owner in prop::collection::vec(label(), 0..4),
        target in prop::collection::vec(label(), 0..4),
        strings in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..256), 1..4),
        ttl in 0..=0x7fff_ffff_u32,
        preference in any::<u16>(),
        address in any::<[u8; 16]>(),
        rtype in 256..=u16::MAX,
        opaque in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let wire = |labels: &[Vec<u8>]| {
            let mut wire = Vec::new();
            for label in labels {
                wire.push(label.len() as u8);
                wire.extend_from_slice(label);
            }
            wire.push(0);
            wire
        };
        let (owner, target) = (wire(&owner), wire(&target));
        prop_assume!(rtype::mnemonic(rtype).is_none());
        let quoted: Vec<String> = strings
            .iter()
            .map(|octets| format!("\"{}\"", octets.iter().map(|octet| format!("\\{octet:03}")).collect::<String>()))
            .collect();
        let hex: String = opaque.iter().map(|octet| format!("{octet:02X}")).collect();
        let head = format!("{} {ttl}", name::to_text(&owner));
        let text = format!(
            "{head} IN MX {preference} {}\n{head} TXT ( {}\n )\n IN {ttl} AAAA {}\n{head} TYPE{rtype} \\# {} {hex}\n",
            name::to_text(&target),
            quoted.join("\n"),
            std::net::Ipv6Addr::from(address),
            opaque.len(),
        );
        let zone = read_zone_bytes("z", text.as_bytes(), &origin());
        prop_assert!(zone.findings.is_empty(), "{:?}", zone.findings);
        let mx = [preference.to_be_bytes().as_slice(), &target].concat();
        let txt: Vec<u8> =
            strings.iter().flat_map(|octets| [&[octets.len() as u8], octets.as_slice()].concat()).collect();
        let wanted = [(15, mx), (16, txt), (28, address.to_vec()), (rtype, opaque)];
        prop_assert_eq!(zone.records().len(), wanted.len());
        for (record, (rtype, rdata)) in zone.records().iter().zip(wanted) {
            prop_assert_eq!(record.owner, owner.to_ascii_lowercase());
            prop_assert_eq!((record.rtype, record.ttl, record.rdata), (rtype, ttl, rdata.as_slice()));
        }
    }
}
