//! RDATA from master-file text to wire format, names uncompressed and absolute, case kept.
//!
//! The types that large zones are made of are encoded here. Those this module does not know are left
//! to the control plane as [`Encoded::Pending`].

use super::fields::{Fields, MAX_RDATA};
use super::lexer::Fault;
use super::security;
use super::{text, verify};
use crate::wire::rtype::{self, number as n};

/// What became of the RDATA of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    /// The wire format was written.
    Wire,
    /// The type is not encoded here; nothing was written and no field taken.
    Pending,
}

/// Reads the rest of an entry as RDATA of type `rtype` and appends its wire format to `out`.
///
/// # Errors
/// A [`Fault`] at the first field that is missing, malformed or too many, or for RDATA that its type
/// does not allow or that is longer than 65,535 octets; `out` may then hold part of it.
pub fn encode(rtype: u16, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<Encoded, Fault> {
    let start = out.len();
    if fields.peek_word() == Some(b"\\#") {
        if !is_native(rtype) && rtype::mnemonic(rtype).is_some() {
            // dnspython knows the type and judges the octets.
            return Ok(Encoded::Pending);
        }
        generic(fields, out)?;
    } else if !native(rtype, fields, out)? {
        if rtype::mnemonic(rtype).is_none() || rtype == n::NULL {
            let message = format!(
                "{} has no text format: write its RDATA as \\# LENGTH HEX (RFC 3597 section 5)",
                rtype::to_text(rtype)
            );
            fields.skip();
            return Err(fields.fault(message));
        }
        return Ok(Encoded::Pending);
    }
    fields.end()?;
    let rdata = out.get(start..).unwrap_or_default();
    if rdata.len() > MAX_RDATA {
        return Err(fields.fault(format!("the RDATA has {} octets, more than {MAX_RDATA}", rdata.len())));
    }
    if matches!(rtype, n::A | n::AAAA) && rdata.len() == usize::from(rtype == n::AAAA) * 12 + 4 {
        return Ok(Encoded::Wire);
    }
    verify::verify(rtype, rdata).map_err(|reason| fields.fault(reason))?;
    Ok(Encoded::Wire)
}

/// Whether [`encode`] reads the text of this type itself: given no fields, a type known to
/// [`native`] asks for its first.
fn is_native(rtype: u16) -> bool {
    rtype == n::NULL || !matches!(native(rtype, &mut Fields::new(b"", &[], &[0]), &mut Vec::new()), Ok(false))
}

/// `\# LENGTH HEX` (RFC 3597 section 5).
fn generic(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    fields.skip();
    let length = fields.u16("RDATA length")?;
    let start = out.len();
    fields.hex("RDATA", true, out)?;
    let found = out.len() - start;
    if found != usize::from(length) {
        return Err(fields.fault(format!(
            "the RDATA has {found} octets of hex, but its length says {length}: mend one of them"
        )));
    }
    Ok(())
}

/// Encodes the types known here; `false` and nothing taken for the others.
fn native(rtype: u16, fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<bool, Fault> {
    match rtype {
        n::A => {
            let word = fields.word("IPv4 address")?;
            let address = text::ipv4(word)
                .ok_or_else(|| fields.bad("address", "an IPv4 address such as 192.0.2.1; IPv6 takes AAAA"))?;
            out.extend_from_slice(&address);
        }
        n::AAAA => {
            let word = fields.word("IPv6 address")?;
            let address = text::ipv6(word)
                .ok_or_else(|| fields.bad("address", "an IPv6 address such as 2001:db8::1; IPv4 takes A"))?;
            out.extend_from_slice(&address);
        }
        n::NS
        | n::MD
        | n::MF
        | n::CNAME
        | n::MB
        | n::MG
        | n::MR
        | n::PTR
        | n::NSAP_PTR
        | n::DNAME
        | n::ALIAS => {
            fields.name("target name", out)?;
        }
        n::SOA => soa(fields, out)?,
        n::MX | n::AFSDB | n::RT | n::KX => {
            push_u16(fields, "preference", out)?;
            fields.name("host name", out)?;
        }
        n::TXT | n::SPF | n::NINFO | n::AVC | n::RESINFO | n::WALLET => {
            fields.string("text", out)?;
            while fields.peek().is_some() {
                fields.string("text", out)?;
            }
        }
        n::SRV => {
            for what in ["priority", "weight", "port"] {
                push_u16(fields, what, out)?;
            }
            fields.name("target name", out)?;
        }
        n::HINFO => {
            fields.string("CPU", out)?;
            fields.string("operating system", out)?;
        }
        n::MINFO | n::RP => {
            fields.name("mailbox name", out)?;
            fields.name(if rtype == n::RP { "TXT name" } else { "error mailbox name" }, out)?;
        }
        n::NAPTR => {
            push_u16(fields, "order", out)?;
            push_u16(fields, "preference", out)?;
            for what in ["flags", "service", "regular expression"] {
                fields.string(what, out)?;
            }
            fields.name("replacement name", out)?;
        }
        n::CAA => {
            out.push(fields.u8("flags")?);
            fields.string("tag", out)?;
            fields.octets("value", MAX_RDATA, out)?;
        }
        n::URI => {
            push_u16(fields, "priority", out)?;
            push_u16(fields, "weight", out)?;
            fields.octets("target", MAX_RDATA, out)?;
        }
        n::EUI48 => eui(fields, 6, out)?,
        n::EUI64 => eui(fields, 8, out)?,
        _ => return security::encode(rtype, fields, out),
    }
    Ok(true)
}

/// RFC 1035 section 3.3.13.
fn soa(fields: &mut Fields<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    fields.name("primary server name", out)?;
    fields.name("mailbox name", out)?;
    out.extend_from_slice(&fields.u32("serial")?.to_be_bytes());
    for what in ["refresh time", "retry time", "expire time", "minimum TTL"] {
        out.extend_from_slice(&fields.seconds(what, u32::MAX)?.to_be_bytes());
    }
    Ok(())
}

/// RFC 7043: `length` pairs of hex digits joined by hyphens.
fn eui(fields: &mut Fields<'_>, length: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let word = fields.word("address")?;
    let mut parts = 0;
    for part in word.split(|&octet| octet == b'-') {
        parts += 1;
        if part.len() != 2 || text::push_hex(part.iter().copied(), out).is_none() || parts > length {
            parts = 0;
            break;
        }
    }
    if parts != length {
        return Err(fields.bad("address", &format!("{length} pairs of hex digits joined by '-'")));
    }
    Ok(())
}

pub(super) fn push_u16(fields: &mut Fields<'_>, what: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.extend_from_slice(&fields.u16(what)?.to_be_bytes());
    Ok(())
}
