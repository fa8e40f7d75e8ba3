//! RDATA of the types that hold keys, digests, signatures and denials.

use super::fields::{Fields, MAX_STRING};
use super::lexer::Fault;
use super::rdata::push_u16;
use super::text;
use crate::wire::rtype::number as n;

/// DNSSEC algorithm mnemonics (IANA "DNS Security Algorithm Numbers").
const ALGORITHMS: [(&[u8], u8); 18] = [
    (b"RSAMD5", 1),
    (b"DH", 2),
    (b"DSA", 3),
    (b"ECC", 4),
    (b"RSASHA1", 5),
    (b"DSANSEC3SHA1", 6),
    (b"RSASHA1NSEC3SHA1", 7),
    (b"RSASHA256", 8),
    (b"RSASHA512", 10),
    (b"ECCGOST", 12),
    (b"ECDSAP256SHA256", 13),
    (b"ECDSAP384SHA384", 14),
    (b"ED25519", 15),
    (b"ED448", 16),
    (b"MLDSA44", 18),
    (b"INDIRECT", 252),
    (b"PRIVATEDNS", 253),
    (b"PRIVATEOID", 254),
];

/// Encodes the types known here; `false` and nothing taken for the others.
pub fn encode(rtype: u16, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<bool, Fault> {
    match rtype {
        n::DS | n::CDS => {
            push_u16(fields, "key tag", out)?;
            out.push(algorithm(fields)?);
            out.push(fields.u8("digest type")?);
            fields.hex("digest", false, out)?;
        }
        n::DNSKEY | n::CDNSKEY => {
            push_u16(fields, "flags", out)?;
            out.push(fields.u8("protocol")?);
            out.push(algorithm(fields)?);
            fields.base64("key", out)?;
        }
        n::RRSIG => rrsig(fields, out)?,
        n::NSEC => {
            fields.name("next name", out)?;
            type_bitmap(fields, out)?;
        }
        n::NSEC3 => {
            nsec3_parameters(fields, out)?;
            let word = fields.word("next hashed name")?;
            let at = out.len();
            out.push(0);
            let length = text::push_base32hex(word, out).map(|()| out.len() - at - 1);
            match (length, out.get_mut(at)) {
                (Some(length @ 1..=MAX_STRING), Some(place)) => *place = length as u8,
                _ => return Err(fields.bad("next hashed name", "base32hex without padding (RFC 5155)")),
            }
            type_bitmap(fields, out)?;
        }
        n::NSEC3PARAM => nsec3_parameters(fields, out)?,
        n::SSHFP => {
            out.push(fields.u8("algorithm")?);
            out.push(fields.u8("fingerprint type")?);
            fields.hex("fingerprint", false, out)?;
        }
        n::TLSA | n::SMIMEA => {
            for what in ["certificate usage", "selector", "matching type"] {
                out.push(fields.u8(what)?);
            }
            fields.hex("certificate association data", false, out)?;
        }
        n::OPENPGPKEY => fields.base64("key", out)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// A DNSSEC algorithm as its number or mnemonic.
fn algorithm(fields: &mut Fields<'_>) -> Result<u8, Fault> {
    let word = fields.word("algorithm")?;
    if let Some(value) = text::integer(word, 255) {
        return Ok(value as u8);
    }
    ALGORITHMS
        .iter()
        .find(|(mnemonic, _)| mnemonic.eq_ignore_ascii_case(word))
        .map(|&(_, value)| value)
        .ok_or_else(|| {
            fields.bad("algorithm", "a number from 0 to 255 or a mnemonic such as ECDSAP256SHA256")
        })
}

/// RFC 4034 section 3.
fn rrsig(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.extend_from_slice(&fields.rtype("type covered")?.to_be_bytes());
    out.push(algorithm(fields)?);
    out.push(fields.u8("label count")?);
    out.extend_from_slice(&fields.seconds("original TTL", u32::MAX)?.to_be_bytes());
    for what in ["expiration time", "inception time"] {
        let word = fields.word(what)?;
        let time = text::signature_time(word)
            .ok_or_else(|| fields.bad(what, "a time as YYYYMMDDHHMMSS or in seconds since 1970"))?;
        out.extend_from_slice(&time.to_be_bytes());
    }
    push_u16(fields, "key tag", out)?;
    fields.name("signer name", out)?;
    fields.base64("signature", out)
}

/// The fields that NSEC3 and NSEC3PARAM share (RFC 5155 sections 3.2 and 4.2).
fn nsec3_parameters(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.push(fields.u8("hash algorithm")?);
    out.push(fields.u8("flags")?);
    push_u16(fields, "iterations", out)?;
    let word = fields.word("salt")?;
    let at = out.len();
    out.push(0);
    if word != b"-" {
        let length = text::push_hex(word.iter().copied(), out).map(|()| out.len() - at - 1);
        match (length, out.get_mut(at)) {
            (Some(length @ 1..=MAX_STRING), Some(place)) => *place = length as u8,
            _ => return Err(fields.bad("salt", "'-' or 1 to 255 pairs of hex digits")),
        }
    }
    Ok(())
}

/// The types to the end of the entry as a bitmap (RFC 4034 section 4.1.2).
fn type_bitmap(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut types = Vec::new();
    while fields.peek().is_some() {
        match fields.rtype("type")? {
            0 => return Err(fields.bad("type", "allowed in a bitmap: remove it")),
            rtype => types.push(rtype),
        }
    }
    types.sort_unstable();
    for window in types.chunk_by(|one, other| one >> 8 == other >> 8) {
        let mut bitmap = [0_u8; 32];
        let mut used = 0;
        for &rtype in window {
            let [_, low] = rtype.to_be_bytes();
            let octet = usize::from(low / 8);
            if let Some(place) = bitmap.get_mut(octet) {
                *place |= 0x80 >> (low % 8);
            }
            used = octet + 1;
        }
        let number = window.first().map_or(0, |rtype| rtype >> 8);
        out.extend_from_slice(&[number as u8, used as u8]);
        out.extend_from_slice(bitmap.get(..used).unwrap_or_default());
    }
    Ok(())
}
