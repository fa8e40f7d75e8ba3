//! Records that a check looks into: chosen by type, owner, TTL, or by what they may not point to.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher};
use std::net::IpAddr;
use std::ops::Range;

use super::targets::lower_target;
use crate::wire::name::{self, MAX_NAME};
use crate::wire::rtype::number as n;
use crate::zone::records::{Record, RecordSet};

/// Octets of the numbers of an SOA, the serial first (RFC 1035 section 3.3.13).
const SOA_NUMBERS: usize = 20;

/// Which records.
#[derive(Debug, Default, Clone)]
pub struct Selection {
    /// Their types; every type when empty.
    pub types: Vec<u16>,
    /// Types that they are not of.
    pub except_types: Vec<u16>,
    /// Their owners, lower case; every owner when absent.
    pub owners: Option<HashSet<Box<[u8]>>>,
    /// Only those with a TTL less than this or more than the next, when either is given.
    pub ttl_below: Option<u32>,
    /// See [`Selection::ttl_below`].
    pub ttl_above: Option<u32>,
}

impl Selection {
    fn holds(&self, record: Record<'_>) -> bool {
        let is_timed = self.ttl_below.is_none() && self.ttl_above.is_none()
            || self.ttl_below.is_some_and(|least| record.ttl < least)
            || self.ttl_above.is_some_and(|most| record.ttl > most);
        is_timed
            && (self.types.is_empty() || self.types.contains(&record.rtype))
            && !self.except_types.contains(&record.rtype)
            && self.owners.as_ref().is_none_or(|owners| owners.contains(record.owner))
    }

    /// The records, in reading order.
    pub fn of<'a>(&'a self, records: &'a RecordSet) -> impl Iterator<Item = Record<'a>> {
        let (all, some) = self.candidates(records);
        let indices = all.chain(some);
        indices.filter_map(|index| records.get(index)).filter(|record| self.holds(*record))
    }

    /// Indices of the records to look at, in order: all, or those of the owners, or none where no type is there.
    fn candidates(&self, records: &RecordSet) -> (Range<usize>, Vec<usize>) {
        if !self.types.is_empty() && !self.types.iter().any(|rtype| records.has_type(*rtype)) {
            return (0..0, Vec::new());
        }
        let Some(names) = &self.owners else { return (0..records.len(), Vec::new()) };
        let owners = records.owners();
        let found = names.iter().filter_map(|name| owners.get(owners.find(records, name)?));
        let mut indices: Vec<usize> = found.flat_map(|owner| owners.indices(owner)).collect();
        indices.sort_unstable();
        (0..0, indices)
    }
}

/// What names or addresses are allowed or forbidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// A name in lower case, without its final dot, in which `*` stands for any octets.
    Glob(Vec<u8>),
    /// Addresses of a network: the first of them, and how many leading bits count.
    Network(IpAddr, u8),
}

/// The text is neither a name with `*` nor a network without host bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a name pattern nor a network")]
pub struct PatternError(String);

impl std::str::FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Pattern, PatternError> {
        let error = || PatternError(text.to_owned());
        let Some((address, length)) = text.split_once('/') else {
            return Ok(Pattern::Glob(text.as_bytes().to_vec()));
        };
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let length: u8 = length.parse().map_err(|_| error())?;
        if length > if address.is_ipv4() { 32 } else { 128 } {
            return Err(error());
        }
        Ok(Pattern::Network(address, length))
    }
}

/// What of a record the patterns are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Its owner name.
    Owner,
    /// The address or the first name in its RDATA; records that have neither are let through.
    Target,
}

/// Patterns that records must match, and must not.
#[derive(Debug, Clone)]
pub struct Fence {
    /// What they are about.
    pub subject: Subject,
    /// A name must match one of the names here, an address one of the networks, if there are any.
    pub allow: Vec<Pattern>,
    /// Nothing may match any of these.
    pub forbid: Vec<Pattern>,
}

enum Value<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl Fence {
    /// Whether `record` breaks it.
    pub fn is_broken_by(&self, record: Record<'_>) -> bool {
        let mut buffer = [0; MAX_NAME];
        let text;
        let value = match (self.subject, record.rtype) {
            (Subject::Target, n::A) => {
                let Ok(octets) = <[u8; 4]>::try_from(record.rdata) else { return false };
                Value::Address(IpAddr::from(octets))
            }
            (Subject::Target, n::AAAA) => {
                let Ok(octets) = <[u8; 16]>::try_from(record.rdata) else { return false };
                Value::Address(IpAddr::from(octets))
            }
            (subject, _) => {
                let name = match subject {
                    Subject::Owner => record.owner,
                    Subject::Target => match lower_target(record, &mut buffer) {
                        Some(target) => target,
                        None => return false,
                    },
                };
                text = name::to_text(name);
                Value::Name(text.strip_suffix('.').unwrap_or(&text))
            }
        };
        let is_about = |pattern: &Pattern| match value {
            Value::Name(_) => matches!(pattern, Pattern::Glob(_)),
            Value::Address(_) => matches!(pattern, Pattern::Network(..)),
        };
        let matches = |pattern: &Pattern| match (&value, pattern) {
            (Value::Name(text), Pattern::Glob(glob)) => glob_matches(glob, text.as_bytes()),
            (Value::Address(address), Pattern::Network(first, length)) => is_in(*address, *first, *length),
            _ => false,
        };
        self.forbid.iter().any(matches) || self.allow.iter().any(is_about) && !self.allow.iter().any(matches)
    }
}

/// Whether `text` is `glob` with each `*` replaced by any octets. Takes at most the product of the
/// lengths in time.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // Where to go on when what follows the last star does not match: after it, one octet further.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(&octet) = text.get(read) {
        match glob.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, read));
                at += 1;
            }
            Some(&wanted) if wanted == octet => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after_star, from)) = retry else { return false };
                (at, read) = (after_star, from + 1);
                retry = Some((after_star, from + 1));
            }
        }
    }
    glob.get(at..).is_some_and(|rest| rest.iter().all(|&octet| octet == b'*'))
}

fn is_in(address: IpAddr, first: IpAddr, length: u8) -> bool {
    let leading = |bits: u128, width: u8| bits.checked_shr(u32::from(width - length.min(width))).unwrap_or(0);
    match (address, first) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            leading(u128::from(one.to_bits()), 32) == leading(u128::from(other.to_bits()), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => leading(one.to_bits(), 128) == leading(other.to_bits(), 128),
        _ => false,
    }
}

/// A digest of what records say, whatever their order and the serial of the SOA. It tells edits
/// apart, not forgeries.
pub fn digest(records: &RecordSet) -> u128 {
    let mut sum = 0u128;
    for record in records.iter() {
        let mut halves = [0u64; 2];
        for (seed, half) in (0u8..).zip(&mut halves) {
            let mut hasher = DefaultHasher::new();
            hasher.write_u8(seed);
            hasher.write(record.owner);
            hasher.write_u16(record.rtype);
            hasher.write_u32(record.ttl);
            match record.rdata.len().checked_sub(SOA_NUMBERS) {
                Some(serial) if record.rtype == n::SOA => {
                    hasher.write(record.rdata.get(..serial).unwrap_or_default());
                    hasher.write(record.rdata.get(serial + 4..).unwrap_or_default());
                }
                _ => hasher.write(record.rdata),
            }
            *half = hasher.finish();
        }
        let [low, high] = halves;
        sum = sum.wrapping_add(u128::from(high) << 64 | u128::from(low));
    }
    sum
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::Name;
    use crate::zone::reader::read_zone_bytes;

    fn records(text: &str) -> RecordSet {
        let origin = Name::from_text(b"example.com.", None).unwrap();
        read_zone_bytes("z", text.as_bytes(), &origin).records().clone()
    }

    #[test]
    fn globs() {
        let cases =
            [("*", "", true), ("*", "a.b", true), ("a", "a", true), ("a", "ab", false), ("", "", true)];
        let stars =
            [("*.b", "a.b", true), ("*.b", "b", false), ("a*c*e", "abcde", true), ("a*c", "abcd", false)];
        let more = [("*ab", "aab", true), ("**", "x", true), ("a", "", false), ("a*", "a", true)];
        for (glob, text, expected) in cases.into_iter().chain(stars).chain(more) {
            assert_eq!(glob_matches(glob.as_bytes(), text.as_bytes()), expected, "{glob} {text}");
        }
    }

    #[test]
    fn networks() {
        let within = |address: &str, network: &str| match network.parse().unwrap() {
            Pattern::Network(first, length) => is_in(address.parse().unwrap(), first, length),
            Pattern::Glob(_) => false,
        };
        assert!(within("192.0.2.255", "192.0.2.0/24") && !within("192.0.3.0", "192.0.2.0/24"));
        assert!(within("1.2.3.4", "0.0.0.0/0") && within("::1", "::/0") && !within("::1", "0.0.0.0/0"));
        assert!(within("2001:db8::1", "2001:db8::1/128") && !within("2001:db8::2", "2001:db8::1/128"));
        for bad in ["1.2.3.4/33", "::/129", "a/1", "/", "1.2.3.4/-1"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fences() {
        let set = records("a 60 A 192.0.2.1\nb 60 CNAME x.cdn.example.net.\nc 60 TXT x\nd 60 AAAA ::1\n");
        let broken = |subject, allow: &[&str], forbid: &[&str]| {
            let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
            let fence = Fence { subject, allow: parse(allow), forbid: parse(forbid) };
            let broken = set.iter().filter(|record| fence.is_broken_by(*record));
            broken.map(|record| record.line).collect::<Vec<_>>()
        };
        assert!(broken(Subject::Target, &[], &[]).is_empty());
        assert_eq!(broken(Subject::Target, &["192.0.2.0/24"], &[]), [4]);
        assert_eq!(broken(Subject::Target, &["*.example.net"], &["::/0"]), [4]);
        assert_eq!(broken(Subject::Target, &["cdn.example.net"], &[]), [2]);
        assert_eq!(broken(Subject::Owner, &["a.example.com", "d.*"], &[]), [2, 3]);
        assert_eq!(broken(Subject::Owner, &[], &["c*"]), [3]);
    }

    #[test]
    fn selections() {
        let set = records("a 5 A 192.0.2.1\na 60 TXT x\nb 90 TXT x\n");
        let lines = |selection: Selection| selection.of(&set).map(|record| record.line).collect::<Vec<_>>();
        assert_eq!(lines(Selection::default()), [1, 2, 3]);
        assert_eq!(lines(Selection { types: vec![n::TXT], ..Selection::default() }), [2, 3]);
        let timed = Selection { ttl_below: Some(60), ttl_above: Some(60), ..Selection::default() };
        assert_eq!(lines(timed), [1, 3]);
        assert_eq!(lines(Selection { except_types: vec![n::TXT], ..Selection::default() }), [1]);
        let owners = HashSet::from([Box::from(&b"\x01b\x07example\x03com\x00"[..])]);
        assert_eq!(lines(Selection { owners: Some(owners), ..Selection::default() }), [3]);
    }

    #[test]
    fn the_digest_knows_neither_order_nor_serial() {
        let one = digest(&records("@ 60 SOA a b 1 2 3 4 5\na 60 A 192.0.2.1\nb 60 A 192.0.2.1\n"));
        assert_eq!(one, digest(&records("b 60 A 192.0.2.1\na 60 A 192.0.2.1\n@ 60 SOA a b 9 2 3 4 5\n")));
        for other in ["@ 60 SOA a b 1 2 3 4 6\na 60 A 192.0.2.1\nb 60 A 192.0.2.1\n", "a 60 A 192.0.2.1\n"] {
            assert_ne!(one, digest(&records(other)));
        }
    }
}
