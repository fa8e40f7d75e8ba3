//! The laws that every answer keeps, whatever is asked of whatever zone.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use gslb_core::publish::Published;
use gslb_core::respond::{MAX_STREAM, NoTrace, Responder, Step, Transport};
use gslb_core::wire::query::{Parsed, Query};
use gslb_core::wire::rtype::number;

use crate::message::{Message, Record};

/// The buffer that a datagram is received into and answered in.
const UDP_BUFFER: usize = 2048;
const SEED: u64 = 7;
const CLASS_CHAOS: u16 = 3;

/// A query unlike any other, which leaves a responder's buffers full of what the next answer must not show.
const OTHER_QUERY: &[u8] = b"\xff\xff\x01\x20\0\x01\0\0\0\0\0\x01\x3fzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\
    \x02ex\0\0\x1c\0\x01\0\0\x29\xff\xff\0\0\x80\0\0\x0b\0\x08\0\x07\0\x01\x18\0\xc0\0\x02";

/// Asks over UDP and TCP, and checks all that can be said of the answers without knowing the zones. `steered` says
/// whether any name is, so that answers may be random.
pub fn check_answers(state: &Published, packet: &[u8], client: IpAddr, steered: bool) {
    let udp = packet.len() <= UDP_BUFFER;
    let over_udp = udp.then(|| check_answer(state, packet, client, Transport::Udp, steered)).flatten();
    let over_tcp = check_answer(state, packet, client, Transport::Tcp, steered);
    // What fits a datagram is what a stream carries. Glue that a referral can do without may be left out.
    if let (Some(over_udp), Some(over_tcp)) = (over_udp, over_tcp)
        && !steered
        && !over_udp.truncated()
        // A transfer is never given over UDP, whatever a stream would say of it (RFC 5936 section 4.2).
        && over_udp.rcode() != 4
    {
        assert_eq!(over_udp.sections[..2], over_tcp.sections[..2], "UDP and TCP answer differently");
        assert_eq!((over_udp.flags, over_udp.question), (over_tcp.flags, over_tcp.question));
        // The OPT records differ: keepalive has no meaning in datagrams (RFC 7828 section 3.2.1).
        let extra = &over_tcp.sections[2];
        let mut glue = over_udp.sections[2].iter().filter(|record| record.rtype != number::OPT);
        assert!(glue.all(|record| extra.contains(record)), "UDP has glue that TCP has not");
    }
}

fn check_answer(
    state: &Published,
    packet: &[u8],
    client: IpAddr,
    transport: Transport,
    steered: bool,
) -> Option<Message> {
    let room = if transport == Transport::Udp { UDP_BUFFER } else { MAX_STREAM };
    let ask = |responder: &mut Responder, fill: u8| {
        let mut buffer = vec![fill; room];
        buffer[..packet.len()].copy_from_slice(packet);
        let length = responder.answer(state, &mut buffer, packet.len(), client, transport, &mut NoTrace)?;
        buffer.truncate(length);
        Some(buffer)
    };
    let fresh = || Responder::new(SEED, Arc::default(), 0);
    let response = ask(&mut fresh(), 0);
    // Only what is no query goes unanswered.
    assert_eq!(response.is_none(), packet.len() < 12 || packet[2] & 0x80 != 0, "silence");

    // What a responder answered before does not show, nor does what the buffer held.
    let mut used = fresh();
    let mut other = OTHER_QUERY.to_vec();
    let length = other.len();
    other.resize(UDP_BUFFER, 0);
    used.answer(state, &mut other, length, client, Transport::Udp, &mut NoTrace);
    let again = ask(&mut used, 0xff);
    // Steering may choose at random, of whatever type.
    if !steered {
        assert_eq!(response, again, "the same query twice, two answers");
    }
    // Nor does it show that queries were read together and looked ahead for.
    let mut responder = fresh();
    responder.read(0, OTHER_QUERY, client);
    responder.read(1, packet, client);
    let [_, ahead, ..] = responder.look_ahead(state, 2);
    let mut buffer = vec![0; room];
    buffer[..packet.len()].copy_from_slice(packet);
    let length = responder.respond(1, &ahead, state, &mut buffer, transport, &mut NoTrace);
    assert_eq!(
        length.map(|length| &buffer[..length]),
        response.as_deref(),
        "looking ahead changes the answer"
    );

    // An explained answer is the answer.
    let mut steps: Vec<Step> = Vec::new();
    let mut buffer = vec![0; room];
    buffer[..packet.len()].copy_from_slice(packet);
    let length = fresh().answer(state, &mut buffer, packet.len(), client, transport, &mut steps);
    assert_eq!(length.map(|length| &buffer[..length]), response.as_deref(), "explaining changes the answer");

    let response = response?;
    let message = Message::read(&response).unwrap_or_else(|error| panic!("{error} in {response:x?}"));
    check_message(packet, &response, &message, transport);
    Some(message)
}

fn check_message(packet: &[u8], response: &[u8], message: &Message, transport: Transport) {
    let mut query = Query::default();
    let parsed = query.parse(packet);
    let limit = match (transport, query.edns) {
        (Transport::Tcp, _) => 65_535,
        (Transport::Udp, None) => 512,
        (Transport::Udp, Some(edns)) => usize::from(edns.payload).clamp(512, 1232),
    };
    assert!(response.len() <= limit, "{} octets where {limit} are allowed", response.len());
    // Header and question: QR, the query's id, opcode and RD; no RA, Z, AD, and CD in BADVERS (16) only.
    assert_eq!(message.id, u16::from_be_bytes([packet[0], packet[1]]));
    assert_eq!(message.flags[0] & 0xf9, 0x80 | packet[2] & 0x79, "header");
    let rcode = message.rcode();
    let checking_disabled = if rcode == 16 && query.checking_disabled { 0x10 } else { 0 };
    assert_eq!(message.flags[1] & 0xf0, checking_disabled, "header");
    if message.question.is_empty() {
        assert!(matches!(rcode, 1 | 4), "no question, rcode {rcode}");
    } else {
        assert_eq!(packet.get(12..12 + message.question.len()), Some(&message.question[..]), "question");
    }
    match parsed {
        Parsed::Reject(wanted) => assert_eq!(rcode, wanted as u16),
        // NOTIMP and NOTAUTH refuse transfers.
        _ => assert!(matches!(rcode, 0 | 2 | 3 | 4 | 5 | 6 | 9), "rcode {rcode}"),
    }
    // An OPT record answers an OPT record (RFC 6891 section 6.1.1).
    let opt = message.opt().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(opt.is_some(), query.edns.is_some(), "OPT");
    let [answer, authority, additional] = &message.sections;
    if !matches!(rcode, 0 | 3 | 6) {
        assert!(answer.is_empty() && authority.is_empty(), "data in an answer that has none");
        assert_eq!(additional.len(), usize::from(opt.is_some()));
    }
    let class = if query.qclass == CLASS_CHAOS { CLASS_CHAOS } else { 1 };
    for section in [answer, authority, additional] {
        check_section(section, class);
    }
    if !message.truncated() && parsed == Parsed::Query {
        check_chain(query.name.as_wire(), query.qtype, answer);
    }
    // A SOA would be one of a class; for any class (255) there is none.
    if rcode == 3 && !message.truncated() && query.qclass != 255 {
        assert!(
            authority.iter().any(|record| record.rtype == number::SOA),
            "NXDOMAIN without SOA (RFC 2308)"
        );
    }
}

/// RFC 2181 section 5: RRsets have one TTL and no record twice.
fn check_section(section: &[Record], class: u16) {
    let mut seen = BTreeSet::new();
    for record in section.iter().filter(|record| record.rtype != number::OPT) {
        assert_eq!(record.class, class, "class");
        assert!(record.ttl <= 0x7fff_ffff, "TTL");
        assert!(seen.insert((&record.owner, record.rtype, &record.rdata)), "twice: {record:?}");
    }
    for pair in section.windows(2) {
        let [first, second] = pair else { continue };
        if (&first.owner, first.rtype) == (&second.owner, second.rtype) {
            assert_eq!(first.ttl, second.ttl, "TTLs of one RRset");
        }
    }
}

/// The answer section begins at the question's name and follows its CNAMEs and DNAMEs, in that order.
fn check_chain(name: &[u8], qtype: u16, answer: &[Record]) {
    let mut name = name.to_ascii_lowercase();
    let mut records = answer.iter().peekable();
    while let Some(record) = records.next() {
        if record.rtype == number::DNAME && record.owner != name {
            assert!(name.ends_with(&record.owner), "a DNAME that is not above {name:x?}");
            // Its CNAME follows, unless the new name is too long.
            // Compression may have given its target the case of the question (RFC 4343 section 4.1).
            let new = [&name[..name.len() - record.owner.len()], &record.rdata].concat();
            match records.peek() {
                Some(cname) => {
                    assert_eq!((&cname.owner, cname.rtype), (&name, number::CNAME));
                    assert!(cname.rdata.eq_ignore_ascii_case(&new), "{:x?} is not {new:x?}", cname.rdata);
                }
                None => assert!(new.len() > 255, "a DNAME without its CNAME"),
            }
            continue;
        }
        assert_eq!(record.owner, name, "a record off the chain");
        // ANY is answered with the CNAME of a zone, but follows one that a DNAME makes.
        let below = |dname: &Record| {
            dname.rtype == number::DNAME && dname.owner != name && name.ends_with(&dname.owner)
        };
        let follows = record.rtype == number::CNAME
            && match qtype {
                number::CNAME => false,
                number::ANY => answer.iter().any(below),
                _ => true,
            };
        if follows {
            name = record.rdata.to_ascii_lowercase();
        } else if qtype != number::ANY {
            assert_eq!(record.rtype, qtype, "a type that was not asked for");
        }
    }
}
