//! Whether RDATA in wire format is what its type allows: the rules that text and `\#` share.

use crate::wire::rtype::{self, number as n};

/// Checks the layout of RDATA and the values that its type restricts, as dnspython does.
///
/// # Errors
/// What is wrong with it.
pub fn verify(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    if !rtype::is_well_formed(rtype, rdata) {
        return Err("the RDATA does not have the fields of its type");
    }
    match rtype {
        n::DS | n::CDS => digest(rtype, rdata),
        n::SSHFP => match (rdata.get(1), rdata.len().saturating_sub(2)) {
            (Some(1), 20) | (Some(2), 32) => Ok(()),
            // RFC 4255 section 3.1.3, RFC 6594 section 3.2.
            (Some(1 | 2), _) => {
                Err("the fingerprint does not have the length of its type: 20 octets for 1, 32 for 2")
            }
            _ => Ok(()),
        },
        n::TLSA | n::SMIMEA => match (rdata.get(2), rdata.len().saturating_sub(3)) {
            (Some(1), 32) | (Some(2), 64) => Ok(()),
            // RFC 6698 section 2.1.3.
            (Some(1 | 2), _) => {
                Err("the data does not have the length of its matching type: 32 octets for 1, 64 for 2")
            }
            _ => Ok(()),
        },
        n::CAA => {
            let tag =
                rdata.get(1).and_then(|&length| rdata.get(2..2 + usize::from(length))).unwrap_or_default();
            if tag.is_empty() || !tag.iter().all(u8::is_ascii_alphanumeric) {
                return Err("the tag is not letters and digits (RFC 8659 section 4.1)");
            }
            Ok(())
        }
        n::URI if rdata.len() <= 4 => Err("the target is empty (RFC 7553 section 4.4)"),
        n::NSEC | n::NSEC3 => denial(rtype, rdata),
        _ => Ok(()),
    }
}

fn digest(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    let length = rdata.len().saturating_sub(4);
    let wanted = match rdata.get(3) {
        // RFC 8078 section 4, erratum 5049: a CDS of one zero octet asks for deletion.
        Some(0) if rtype == n::CDS => 1,
        Some(0) => return Err("digest type 0 is reserved (RFC 3658 section 2.4)"),
        Some(1) => 20,
        Some(2 | 3) => 32,
        Some(4) => 48,
        _ => return Ok(()),
    };
    if length == wanted {
        Ok(())
    } else {
        Err("the digest does not have the length of its type: 20 octets for 1, 32 for 2 and 3, 48 for 4")
    }
}

/// The type bitmaps of NSEC and NSEC3, and the hash length of NSEC3.
fn denial(rtype: u16, rdata: &[u8]) -> Result<(), &'static str> {
    let string_end = |at: usize| rdata.get(at).map_or(rdata.len(), |&length| at + 1 + usize::from(length));
    let mut at = match rtype {
        n::NSEC => {
            rtype::rdata_names(rtype, rdata).next().map_or(rdata.len(), |(offset, length)| offset + length)
        }
        n::NSEC3 => {
            let hash = string_end(4);
            if rdata.get(hash) == Some(&0) {
                return Err("the next hashed name is empty (RFC 5155 section 3.1.6)");
            }
            string_end(hash)
        }
        _ => return Ok(()),
    };
    let mut least_window = 0_u16;
    while let Some(&window) = rdata.get(at) {
        let end = string_end(at + 1);
        let bitmap = rdata.get(at + 2..end).unwrap_or_default();
        // RFC 4034 section 4.1.2.
        if u16::from(window) < least_window
            || bitmap.len() > 32
            || bitmap.last().is_none_or(|&last| last == 0)
        {
            return Err("the type bitmap is malformed (RFC 4034 section 4.1.2)");
        }
        least_window = u16::from(window) + 1;
        at = end;
    }
    Ok(())
}
