//! The parser of queries: any octets.
#![no_main]

use gslb_core::wire::edns::{Edns, OptionCode, Options};
use gslb_core::wire::fold::{FoldedName, hash};
use gslb_core::wire::name::{label_count, parent, to_text, wire_length};
use gslb_core::wire::query::{Parsed, Query};
use gslb_core::wire::{HEADER, Name};
use libfuzzer_sys::fuzz_target;

/// A query with every field set, so that what a parse leaves behind is seen.
const OTHER_QUERY: &[u8] = b"\xff\xff\x01\0\0\x01\0\0\0\0\0\x01\x03old\x04name\0\0\xfc\0\xff\
    \0\0\x29\x10\0\0\0\x80\0\0\x0b\0\x08\0\x07\0\x01\x18\0\xc0\0\x02";

fuzz_target!(|octets: &[u8]| {
    check_query(octets);
    check_name(octets);
    check_edns(octets);
});

fn check_query(packet: &[u8]) {
    let mut fresh = Query::default();
    let mut used = Query::default();
    assert_eq!(used.parse(OTHER_QUERY), Parsed::Query);
    let parsed = fresh.parse(packet);
    assert_eq!(used.parse(packet), parsed);
    assert_eq!((used.question_end, used.edns), (fresh.question_end, fresh.edns));
    assert!((HEADER..=packet.len().max(HEADER)).contains(&fresh.question_end));
    if fresh.question_end > HEADER {
        assert_eq!((used.qtype, used.qclass), (fresh.qtype, fresh.qclass));
        assert_eq!(used.name.as_wire(), fresh.name.as_wire());
        let name = &packet[HEADER..fresh.question_end - 4];
        assert_eq!(fresh.name.as_wire(), name.to_ascii_lowercase());
    }
    if parsed == Parsed::Query {
        assert!(fresh.question_end > HEADER);
        assert!(fresh.edns.is_none_or(|edns| edns.version == 0));
    }
}

/// Three readers of names agree, and a folded name is cut where its labels are.
fn check_name(octets: &[u8]) {
    let mut folded = FoldedName::default();
    let set = folded.set(octets);
    assert_eq!(set.ok(), wire_length(octets).ok());
    let Ok(length) = set else { return };
    let lower = octets[..length].to_ascii_lowercase();
    assert_eq!(folded.as_wire(), lower);
    assert_eq!(hash(folded.as_wire()), hash(&lower));
    assert_eq!(folded.label_count(), label_count(&lower));
    let mut suffix = Some(lower.as_slice());
    for labels in (0..=folded.label_count()).rev() {
        let wanted = suffix.expect("as many suffixes as labels");
        assert_eq!(folded.suffix(labels), wanted);
        let start = folded.suffix_start(labels);
        assert_eq!(&lower[start..], wanted);
        assert!(folded.is_from(start, &octets[start..length]));
        let mut buffer = FoldedName::buffer();
        assert_eq!(folded.wildcard(labels, &mut buffer), [b"\x01*", wanted].concat());
        suffix = parent(wanted);
    }
    let name = Name::from_wire(&octets[..length]).expect("a name of this length");
    let text = to_text(name.as_wire());
    assert_eq!(Name::from_text(text.as_bytes(), None), Ok(name));
}

/// A client subnet that was read is written as it was sent, with a scope of its family.
fn check_edns(octets: &[u8]) {
    let mut edns = Edns::default();
    let Ok(used) = edns.read(octets) else { return };
    assert!(used <= octets.len());
    assert_eq!(used, 8 + usize::from(u16::from_be_bytes([octets[6], octets[7]])));
    let Some(subnet) = edns.subnet else { return };
    let longest = if subnet.family == 2 { 128 } else { 32 };
    for prefix in 0..=longest {
        assert!(subnet.scope(prefix) <= longest);
    }
    let (data, length) = subnet.data(0);
    let mut options = Options::default();
    options.push(OptionCode::ClientSubnet, &data[..length]);
    let mut again = vec![0, 0, 0, 0, 0, 0, 0, options.as_octets().len() as u8];
    again.extend_from_slice(options.as_octets());
    assert_eq!(edns.read(&again), Ok(again.len()));
    assert_eq!(edns.subnet, Some(subnet));
}
