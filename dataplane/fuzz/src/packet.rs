//! Packets made of arbitrary octets: most are queries that get an answer, all may be anything.

use arbitrary::{Arbitrary, Result, Unstructured};
use gslb_core::wire::rtype::number;

use crate::menu::choose_name;

const TYPES: [u16; 24] = [
    number::A,
    number::AAAA,
    number::NS,
    number::CNAME,
    number::DNAME,
    number::SOA,
    number::MX,
    number::TXT,
    number::SRV,
    number::PTR,
    number::DS,
    number::RRSIG,
    number::HTTPS,
    number::NAPTR,
    number::MINFO,
    number::ANY,
    number::AXFR,
    number::IXFR,
    number::OPT,
    number::NSEC,
    number::DNSKEY,
    65_280,
    250,
    0,
];

/// UDP payload sizes around every bound.
const PAYLOADS: [u16; 8] = [1232, 0, 511, 512, 513, 1231, 4096, 65_535];

/// The octets of one packet.
#[derive(Debug)]
pub struct Packet(pub Vec<u8>);

impl<'a> Arbitrary<'a> for Packet {
    /// First octet: 0 for a query from the fields that follow, anything else for the octets that follow as they are.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Packet> {
        if u.arbitrary::<u8>()? != 0 {
            return Ok(Packet(u.bytes(u.len())?.to_vec()));
        }
        query(u).map(Packet)
    }
}

/// Octets: flags (2), name, prefix, case, type, class, EDNS, then what EDNS asks for; the rest is appended.
fn query(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let [flags, codes, name, prefix, case, rtype, class, edns]: [u8; 8] = u.arbitrary()?;
    let mut packet = vec![0x12, 0x34, flags & 0x7f, codes, 0, 1, 0, 0, 0, 0, 0, 0];
    match prefix {
        // What the server says of itself (RFC 4892).
        0xff => packet
            .extend_from_slice([&b"\x07version\x04bind\0"[..], b"\x02id\x06server\0"][usize::from(name) % 2]),
        _ => {
            push_prefix(prefix, &mut packet);
            packet.extend_from_slice(choose_name(name).as_wire());
        }
    }
    for (at, octet) in packet.iter_mut().skip(12).enumerate() {
        if case >> (at % 8) & 1 != 0 {
            *octet = octet.to_ascii_uppercase();
        }
    }
    let rtype = match rtype {
        0xff => u.arbitrary()?,
        _ => TYPES[usize::from(rtype) % TYPES.len()],
    };
    packet.extend_from_slice(&rtype.to_be_bytes());
    packet.extend_from_slice(&[0, [1, 1, 1, 255, 3, 254, 4, 0][usize::from(class) % 8]]);
    let options = match edns % 8 {
        0 | 1 => None,
        2 => Some(Vec::new()),
        3..=6 => Some(subnet(u)?),
        _ => {
            let length = usize::from(u.arbitrary::<u8>()?).min(u.len());
            Some(u.bytes(length)?.to_vec())
        }
    };
    if let Some(options) = options {
        let [payload, version, flags]: [u8; 3] = u.arbitrary()?;
        packet[11] = 1;
        packet.extend_from_slice(&[0, 0, 41]);
        packet.extend_from_slice(&PAYLOADS[usize::from(payload) % PAYLOADS.len()].to_be_bytes());
        packet.extend_from_slice(&[0, if version < 0xf0 { 0 } else { version & 0x0f }, flags, 0]);
        packet.extend_from_slice(&(options.len() as u16).to_be_bytes());
        packet.extend_from_slice(&options);
    }
    // More records, or junk behind the last one.
    packet[11] = packet[11].wrapping_add(edns >> 5);
    packet.extend_from_slice(u.bytes(u.len())?);
    Ok(packet)
}

/// Labels before the name: none, one of many lengths, a wildcard, or many short ones.
fn push_prefix(choice: u8, packet: &mut Vec<u8>) {
    match choice {
        0 => {}
        1 => packet.extend_from_slice(b"\x01*"),
        2..=64 => {
            packet.push(choice - 1);
            packet.resize(packet.len() + usize::from(choice - 1), b'q');
        }
        65..=191 => packet.extend_from_slice(&b"\x01q".repeat(usize::from(choice - 64))),
        _ => packet.extend_from_slice(&[&[1, choice][..], b"\x03q\0."].concat()),
    }
}

/// A client subnet option (RFC 7871 section 6), well formed but for what three octets change.
fn subnet(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let [family, source, change]: [u8; 3] = u.arbitrary()?;
    let (family, longest) = if family % 2 == 0 { (1u16, 32) } else { (2, 128) };
    let source = source % (longest + 1);
    let address: [u8; 16] = match (family, change % 4) {
        (1, 0) => [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        (1, _) => [change; 16],
        (_, 0) => [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        (_, 1) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7],
        _ => [change; 16],
    };
    let mut octets = address[..usize::from(source).div_ceil(8)].to_vec();
    if let Some(last) = octets.last_mut()
        && source % 8 != 0
        && change < 0xf0
    {
        *last &= !(0xff >> (source % 8));
    }
    let mut option = vec![0, 8, 0, 4 + octets.len() as u8, 0, family as u8, source, u8::from(change == 0xef)];
    option.extend_from_slice(&octets);
    Ok(option)
}
