//! What an answer is made of, asked without sockets.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::wire::{Name, u16_at};
use crate::zone::build::build;
use crate::zone::reader::read_zone_bytes;
use crate::zone::zones::Zones;

const HEAD: &str = "$TTL 60\n@ SOA ns. host. 1 2 3 4 5\n@ NS ns.\n";

/// (response code, records in the answer section) to a query for A of `name` in a zone `ex.` of these records.
fn ask(records: &str, name: &str) -> (u8, u16) {
    ask_type(records, name, number::A)
}

fn ask_type(records: &str, name: &str, qtype: u16) -> (u8, u16) {
    let origin = Name::from_text(b"ex.", None).unwrap();
    let text = read_zone_bytes("z", format!("{HEAD}{records}").as_bytes(), &origin);
    let zone = build(&origin, text.compilable().unwrap(), &[]).unwrap();
    let mut zones = Zones::default();
    zones.insert(Arc::new(zone));
    let state = Published {
        generation: 1,
        zones: Arc::new(zones),
        steering: Arc::default(),
        standing: Arc::default(),
        demand: Arc::default(),
        flattened: Arc::default(),
        identity: Arc::default(),
    };
    let mut packet = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend_from_slice(Name::from_text(name.as_bytes(), None).unwrap().as_wire());
    packet.extend_from_slice(&qtype.to_be_bytes());
    packet.extend_from_slice(&[0, 1]);
    let length = packet.len();
    packet.resize(MAX_STREAM, 0);
    let client = IpAddr::from([192, 0, 2, 1]);
    let mut responder = Responder::new(1, Arc::default(), 0);
    responder.answer(&state, &mut packet, length, client, Transport::Tcp, &mut NoTrace).unwrap();
    (packet[3] & 0x0f, u16_at(&packet, 6).unwrap())
}

#[test]
fn a_loop_of_cnames_stands_in_the_answer_once() {
    assert_eq!(ask("a CNAME a\n", "a.ex."), (0, 1));
    assert_eq!(ask("a CNAME b\nb CNAME a\n", "a.ex."), (0, 2));
    assert_eq!(ask("a CNAME b\nb CNAME c\nc CNAME B\n", "a.ex."), (0, 3));
}

/// RFC 6672 section 3.2: the DNAME once, and a CNAME for each name that it makes.
#[test]
fn a_dname_that_is_used_again_is_not_repeated() {
    assert_eq!(ask("d DNAME d\n", "x.d.ex."), (0, 2));
    assert_eq!(ask("d DNAME e.d\n", "x.d.ex."), (0, 1 + MAX_CHAIN as u16));
}

/// The CNAME that a DNAME makes answers a query for CNAME; one further down the chain is not what was asked for.
#[test]
fn a_cname_made_from_a_dname_can_be_asked_for() {
    let records = "d DNAME e\nx.e CNAME y\ny CNAME z\n";
    assert_eq!(ask_type(records, "x.d.ex.", number::CNAME), (0, 2));
    assert_eq!(ask_type(records, "none.d.ex.", number::CNAME), (0, 2));
    assert_eq!(ask(records, "none.d.ex."), (3, 2));
}

#[test]
fn a_chain_without_a_loop_is_followed() {
    assert_eq!(ask("a CNAME b\nb CNAME x.d\nd DNAME e\nx.e A 192.0.2.1\n", "a.ex."), (0, 5));
}
