//! RR types: numbers, mnemonics (IANA "Resource Record (RR) TYPEs") and what their RDATA holds.

use std::borrow::Cow;

use super::name;

/// Type numbers that the code names.
pub mod number {
    #![allow(missing_docs)]
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const MD: u16 = 3;
    pub const MF: u16 = 4;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const MB: u16 = 7;
    pub const MG: u16 = 8;
    pub const MR: u16 = 9;
    pub const NULL: u16 = 10;
    pub const PTR: u16 = 12;
    pub const HINFO: u16 = 13;
    pub const MINFO: u16 = 14;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const RP: u16 = 17;
    pub const AFSDB: u16 = 18;
    pub const RT: u16 = 21;
    pub const NSAP_PTR: u16 = 23;
    pub const SIG: u16 = 24;
    pub const KEY: u16 = 25;
    pub const PX: u16 = 26;
    pub const AAAA: u16 = 28;
    pub const NXT: u16 = 30;
    pub const SRV: u16 = 33;
    pub const NAPTR: u16 = 35;
    pub const KX: u16 = 36;
    pub const DNAME: u16 = 39;
    pub const OPT: u16 = 41;
    pub const DS: u16 = 43;
    pub const SSHFP: u16 = 44;
    pub const RRSIG: u16 = 46;
    pub const NSEC: u16 = 47;
    pub const DNSKEY: u16 = 48;
    pub const NSEC3: u16 = 50;
    pub const NSEC3PARAM: u16 = 51;
    pub const TLSA: u16 = 52;
    pub const SMIMEA: u16 = 53;
    pub const NINFO: u16 = 56;
    pub const CDS: u16 = 59;
    pub const CDNSKEY: u16 = 60;
    pub const OPENPGPKEY: u16 = 61;
    pub const SVCB: u16 = 64;
    pub const HTTPS: u16 = 65;
    pub const DSYNC: u16 = 66;
    pub const SPF: u16 = 99;
    pub const LP: u16 = 107;
    pub const EUI48: u16 = 108;
    pub const EUI64: u16 = 109;
    pub const IXFR: u16 = 251;
    pub const AXFR: u16 = 252;
    pub const ANY: u16 = 255;
    pub const URI: u16 = 256;
    pub const CAA: u16 = 257;
    pub const AVC: u16 = 258;
    pub const RESINFO: u16 = 261;
    pub const WALLET: u16 = 262;
    /// Private use (RFC 6895 section 3.1): the addresses of another name, flattened when answered.
    pub const ALIAS: u16 = 65_401;
}

use number as n;

/// Every type with a mnemonic, by number. The list is dnspython's, so that both halves of the
/// server speak of the same types.
static BY_NUMBER: [(u16, &str); MNEMONICS] = [
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP-PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (33, "SRV"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (56, "NINFO"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (66, "DSYNC"),
    (67, "HHIT"),
    (68, "BRID"),
    (99, "SPF"),
    (103, "UNSPEC"),
    (104, "NID"),
    (105, "L32"),
    (106, "L64"),
    (107, "LP"),
    (108, "EUI48"),
    (109, "EUI64"),
    (128, "NXNAME"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
    (258, "AVC"),
    (260, "AMTRELAY"),
    (261, "RESINFO"),
    (262, "WALLET"),
    (32768, "TA"),
    (32769, "DLV"),
    (65401, "ALIAS"),
];

const MNEMONICS: usize = 86;
/// Length of the longest mnemonic, `NSEC3PARAM` or `OPENPGPKEY`.
const LONGEST: usize = 10;

/// The same list by mnemonic, which [`from_text`] searches.
static BY_MNEMONIC: std::sync::LazyLock<[(&str, u16); MNEMONICS]> = std::sync::LazyLock::new(|| {
    let mut table = BY_NUMBER.map(|(number, mnemonic)| (mnemonic, number));
    table.sort_unstable();
    table
});

/// The number of a type written as a mnemonic or as `TYPEnnn` (RFC 3597 section 5), in any case.
pub fn from_text(text: &[u8]) -> Option<u16> {
    let mut buffer = [0; LONGEST];
    let upper = buffer.get_mut(..text.len())?;
    upper.copy_from_slice(text);
    upper.make_ascii_uppercase();
    let upper: &[u8] = upper;
    match upper {
        // The two types that nearly every line of a large zone has.
        b"A" => return Some(n::A),
        b"AAAA" => return Some(n::AAAA),
        _ => {}
    }
    if let Ok(at) = BY_MNEMONIC.binary_search_by(|(mnemonic, _)| mnemonic.as_bytes().cmp(upper)) {
        return BY_MNEMONIC.get(at).map(|&(_, number)| number);
    }
    let digits = upper.strip_prefix(b"TYPE")?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The mnemonic of a type if it has one, or `None`.
pub fn mnemonic(rtype: u16) -> Option<&'static str> {
    let at = BY_NUMBER.binary_search_by_key(&rtype, |&(number, _)| number).ok()?;
    BY_NUMBER.get(at).map(|&(_, mnemonic)| mnemonic)
}

/// The mnemonic of a type, or `TYPEnnn` (RFC 3597 section 5).
pub fn to_text(rtype: u16) -> Cow<'static, str> {
    match mnemonic(rtype) {
        Some(mnemonic) => Cow::Borrowed(mnemonic),
        None => Cow::Owned(format!("TYPE{rtype}")),
    }
}

/// Whether records of this type may stand in a zone: not type 0, OPT, or one of the QTYPEs and
/// meta-types 128 to 255 (RFC 6895 section 3.1).
pub fn may_stand_in_zone(rtype: u16) -> bool {
    !matches!(rtype, 0 | n::OPT | 128..=255)
}

/// Whether names in the RDATA may be compressed in responses: the types of RFC 1035 alone
/// (RFC 3597 section 4).
pub fn is_compressible(rtype: u16) -> bool {
    matches!(
        rtype,
        n::NS | n::MD | n::MF | n::CNAME | n::SOA | n::MB | n::MG | n::MR | n::PTR | n::MINFO | n::MX
    )
}

/// A part of an RDATA layout.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// This many octets.
    Octets(usize),
    /// An uncompressed domain name.
    Name,
    /// One character-string (RFC 1035 section 3.3).
    String,
    /// One or more character-strings to the end.
    Strings,
    /// Anything to the end.
    Rest,
}

/// How the RDATA of a type is laid out, `None` where this module does not look into it.
fn layout(rtype: u16) -> Option<&'static [Part]> {
    use Part::{Name, Octets, Rest, String, Strings};
    Some(match rtype {
        n::A => &[Octets(4)],
        n::AAAA => &[Octets(16)],
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
        | n::ALIAS => &[Name],
        n::SOA => &[Name, Name, Octets(20)],
        n::MINFO | n::RP => &[Name, Name],
        n::MX | n::AFSDB | n::RT | n::KX | n::LP => &[Octets(2), Name],
        n::HINFO => &[String, String],
        n::TXT | n::SPF | n::NINFO | n::AVC | n::RESINFO | n::WALLET => &[Strings],
        n::PX => &[Octets(2), Name, Name],
        n::SRV => &[Octets(6), Name],
        n::NAPTR => &[Octets(4), String, String, String, Name],
        n::DS | n::CDS | n::DNSKEY | n::CDNSKEY => &[Octets(4), Rest],
        n::SSHFP => &[Octets(2), Rest],
        n::TLSA | n::SMIMEA => &[Octets(3), Rest],
        n::SIG | n::RRSIG => &[Octets(18), Name, Rest],
        n::NXT | n::NSEC => &[Name, Rest],
        n::NSEC3 => &[Octets(4), String, String, Rest],
        n::NSEC3PARAM => &[Octets(4), String],
        n::SVCB | n::HTTPS => &[Octets(2), Name, Rest],
        n::DSYNC => &[Octets(5), Name],
        n::EUI48 => &[Octets(6)],
        n::EUI64 => &[Octets(8)],
        n::URI => &[Octets(4), Rest],
        n::CAA => &[Octets(1), String, Rest],
        _ => return None,
    })
}

/// Length of `part` at the start of `rdata`, or `None` where it does not fit.
fn part_length(part: Part, rdata: &[u8]) -> Option<usize> {
    let length = match part {
        Part::Octets(count) => count,
        Part::Name => name::wire_length(rdata).ok()?,
        Part::String => 1 + usize::from(*rdata.first()?),
        Part::Strings => {
            let mut at = 1 + usize::from(*rdata.first()?);
            while let Some(&length) = rdata.get(at) {
                at += 1 + usize::from(length);
            }
            at
        }
        Part::Rest => rdata.len(),
    };
    (length <= rdata.len()).then_some(length)
}

/// Where the domain names stand in RDATA in wire format: (offset, length) of each, in order, both in
/// octets, the root label included. Empty for types without names, and for HIP, IPSECKEY and
/// AMTRELAY, whose names nothing follows or compresses. Stops where the RDATA breaks its layout.
pub fn rdata_names(rtype: u16, rdata: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut parts = layout(rtype).unwrap_or_default().iter();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let part = *parts.next()?;
            let start = at;
            let length = part_length(part, rdata.get(start..)?)?;
            at += length;
            if matches!(part, Part::Name) {
                return Some((start, length));
            }
        }
    })
}

/// Whether records of the type are addresses: A and AAAA.
#[inline]
pub fn is_address(rtype: u16) -> bool {
    matches!(rtype, number::A | number::AAAA)
}

/// RDATA with the names in it in lower case: two records are the same when this is (RFC 4034 section 6.2).
pub fn canonical(rtype: u16, rdata: &[u8]) -> Cow<'_, [u8]> {
    let mut lower = Cow::Borrowed(rdata);
    for (start, length) in rdata_names(rtype, rdata) {
        let is_upper = |name: &[u8]| name.iter().any(u8::is_ascii_uppercase);
        if rdata.get(start..start + length).is_some_and(is_upper)
            && let Some(name) = lower.to_mut().get_mut(start..start + length)
        {
            name.make_ascii_lowercase();
        }
    }
    lower
}

/// Whether RDATA in wire format has the parts that its type asks for, names uncompressed, and
/// nothing after them. True for types whose layout is not known here.
pub fn is_well_formed(rtype: u16, rdata: &[u8]) -> bool {
    let Some(parts) = layout(rtype) else { return true };
    let mut rest = rdata;
    for &part in parts {
        let Some(after) = part_length(part, rest).and_then(|length| rest.get(length..)) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn records_that_differ_in_the_case_of_a_name_are_the_same() {
        let mx = b"\0\x41\x04MaIl\0";
        assert_eq!(canonical(n::MX, mx).as_ref(), b"\0\x41\x04mail\0");
        assert!(matches!(canonical(n::MX, b"\0\x41\x04mail\0"), Cow::Borrowed(_)));
        assert_eq!(canonical(n::TXT, b"\x01A").as_ref(), b"\x01A");
    }

    #[test]
    fn mnemonics_and_numbers_are_inverse() {
        for (number, mnemonic) in BY_NUMBER {
            assert_eq!(from_text(mnemonic.as_bytes()), Some(number));
            assert_eq!(from_text(mnemonic.to_ascii_lowercase().as_bytes()), Some(number));
            assert_eq!(to_text(number), mnemonic);
        }
        assert!(BY_NUMBER.is_sorted());
        assert_eq!(BY_NUMBER.iter().map(|(_, mnemonic)| mnemonic.len()).max(), Some(LONGEST));
    }

    #[test]
    fn every_number_survives_its_text() {
        for number in 0..=u16::MAX {
            assert_eq!(from_text(to_text(number).as_bytes()), Some(number));
            assert_eq!(from_text(format!("type{number}").as_bytes()), Some(number));
        }
    }

    #[test]
    fn what_is_no_type_has_no_number() {
        for text in ["", "TYPE", "TYPE65536", "TYPE+1", "TYPE-1", "AA", "NSEC3PARAMS", "TYPE1x", "\u{e9}"] {
            assert_eq!(from_text(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn names_in_rdata_are_found_where_they_stand() {
        let names = |rtype, rdata: &[u8]| rdata_names(rtype, rdata).collect::<Vec<_>>();
        assert_eq!(names(n::NS, b"\x01a\x00"), [(0, 3)]);
        assert_eq!(names(n::MX, b"\x00\x0a\x01a\x01b\x00"), [(2, 5)]);
        let soa = [b"\x01a\x00\x01b\x01c\x00".as_slice(), &[0; 20]].concat();
        assert_eq!(names(n::SOA, &soa), [(0, 3), (3, 5)]);
        assert_eq!(names(n::NAPTR, b"\0\x01\0\x02\x01s\x00\x02ab\x01a\x00"), [(10, 3)]);
        assert_eq!(names(n::SRV, b"\0\0\0\0\0\x35\x00"), [(6, 1)]);
        assert_eq!(names(n::A, b"\x01\x02\x03\x04"), []);
        assert_eq!(names(n::TXT, b"\x01a"), []);
        assert_eq!(names(65280, b"\x01a\x00"), []);
    }

    #[test]
    fn broken_rdata_has_no_names_and_is_not_well_formed() {
        for (rtype, rdata) in [
            (n::NS, b"\x05abc".as_slice()),
            (n::NS, b"\xc0\x0c"),
            (n::NS, b""),
            (n::NS, b"\x00\x00"),
            (n::MX, b"\x00"),
            (n::A, b"\x01\x02\x03"),
            (n::TXT, b""),
            (n::TXT, b"\x03ab"),
            (n::HINFO, b"\x01a"),
            (n::CAA, b"\x00\x05issue".get(..4).unwrap()),
        ] {
            assert!(!is_well_formed(rtype, rdata), "{rtype} {rdata:?}");
            assert!(rdata_names(rtype, rdata).count() <= 1);
        }
        assert!(is_well_formed(n::TXT, b"\x01a\x00"));
        assert!(is_well_formed(65280, b"anything"));
    }

    #[test]
    fn meta_types_may_not_stand_in_zones() {
        for rtype in [0, n::OPT, 128, n::AXFR, n::ANY] {
            assert!(!may_stand_in_zone(rtype));
        }
        for rtype in [n::A, n::SPF, n::URI, 127, 65280] {
            assert!(may_stand_in_zone(rtype));
        }
    }
}
