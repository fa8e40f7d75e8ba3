//! A query as it came: what it asks, and what to say when it cannot be read.

use super::edns::Edns;
use super::fold::FoldedName;
use super::name::{MAX_LABEL, MAX_NAME, wire_length};
use super::rtype::number::{OPT, SOA};
use super::{HEADER, Rcode, u16_at};

/// Opcodes (RFC 1035 section 4.1.1, RFC 1996 section 3.2, RFC 2136 section 1.3) that are looked into.
const QUERY: u8 = 0;
const NOTIFY: u8 = 4;
const UPDATE: u8 = 5;

/// CD in the fourth octet of a header (RFC 4035 section 3.2.2).
pub const CHECKING_DISABLED: u8 = 0x10;
const CLASS_IN: u16 = 1;
/// Length octets from here on are the first of a pointer (RFC 1035 section 4.1.4).
const POINTER: usize = 0xc0;

/// What to do with a packet that was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A query to answer.
    Query,
    /// An update (RFC 2136); its zone section stands in the place of the question.
    Update,
    /// Answer with this code and no records; the question is echoed where it could be read.
    Reject(Rcode),
    /// No query at all (too short, or a response): stay silent, so that two servers never talk in circles.
    Drop,
}

/// A parsed query. Reused by its worker: [`Query::parse`] overwrites it. The packet itself is not borrowed.
#[derive(Default)]
pub struct Query {
    /// The question's name, lower case. The original stands in the packet at [`HEADER`].
    pub name: FoldedName,
    /// Offset where the question ends; [`HEADER`] when it could not be read.
    pub question_end: usize,
    /// QTYPE.
    pub qtype: u16,
    /// QCLASS.
    pub qclass: u16,
    /// CD of a query; other opcodes do not have it.
    pub checking_disabled: bool,
    /// The OPT record, if any.
    pub edns: Option<Edns>,
}

impl Query {
    /// Reads one packet.
    #[inline]
    pub fn parse(&mut self, packet: &[u8]) -> Parsed {
        self.question_end = HEADER;
        self.edns = None;
        self.checking_disabled = false;
        let Some(&[_, _, flags, codes, q1, q2, an1, an2, ns1, ns2, ar1, ar2]) =
            packet.first_chunk::<HEADER>()
        else {
            return Parsed::Drop;
        };
        if flags & 0x80 != 0 {
            return Parsed::Drop;
        }
        let opcode = (flags >> 3) & 0x0f;
        self.checking_disabled = opcode == QUERY && codes & CHECKING_DISABLED != 0;
        if !matches!(opcode, QUERY | NOTIFY | UPDATE) {
            self.find_opt(packet, u16::from_be_bytes([q1, q2]), u16::from_be_bytes([ar1, ar2]));
            return Parsed::Reject(Rcode::NotImp);
        }
        let questions = u16::from_be_bytes([q1, q2]);
        let additional = u16::from_be_bytes([ar1, ar2]);
        if questions == 0 && [an1, an2, ns1, ns2] == [0, 0, 0, 0] {
            // Nothing is asked, but the OPT record is answered all the same.
            if self.records_from(packet, HEADER, additional).is_none() {
                self.edns = None;
            }
            return Parsed::Reject(Rcode::FormErr);
        }
        if questions != 1 {
            return Parsed::Reject(Rcode::FormErr);
        }
        let Some(length) = packet.get(HEADER..).and_then(|question| self.name.set(question).ok()) else {
            return Parsed::Reject(Rcode::FormErr);
        };
        let end = HEADER + length;
        let (Some(qtype), Some(qclass)) = (u16_at(packet, end), u16_at(packet, end + 2)) else {
            return Parsed::Reject(Rcode::FormErr);
        };
        (self.qtype, self.qclass) = (qtype, qclass);
        self.question_end = end + 4;
        if opcode == NOTIFY {
            // We transfer no zone in, so nobody's news are ours (RFC 1996 section 3.10).
            return Parsed::Reject(Rcode::NotAuth);
        }
        // Records before the additional section mean nothing in a query, except to IXFR (RFC 1995 section 3).
        let before = [u16::from_be_bytes([an1, an2]), u16::from_be_bytes([ns1, ns2])];
        if (before, additional) != ([0, 0], 0) && self.records(packet, before, additional).is_none() {
            self.edns = None;
            return Parsed::Reject(Rcode::FormErr);
        }
        match self.edns {
            Some(edns) if edns.version != 0 => Parsed::Reject(Rcode::BadVers),
            _ if opcode == QUERY => Parsed::Query,
            _ if qtype != SOA => Parsed::Reject(Rcode::FormErr),
            _ if qclass != CLASS_IN => Parsed::Reject(Rcode::NotImp),
            _ => Parsed::Update,
        }
    }

    /// Looks for the OPT record of a message whose opcode is not looked into: it is answered all the same (RFC 6891
    /// section 6.1.1), unless more than one question or record stands before it.
    fn find_opt(&mut self, packet: &[u8], questions: u16, additional: u16) {
        let question = || Some(4 + wire_length(packet.get(HEADER..)?).ok()?);
        let end = match questions {
            0 => Some(HEADER),
            1 => question().map(|length| HEADER + length),
            _ => None,
        };
        let Some(end) = end else { return };
        // The question itself is not echoed: `question_end` stays.
        if self.records_from(packet, end, additional).is_none() {
            self.edns = None;
        }
    }

    /// Walks all records behind the question; `None` when one is malformed or an OPT record is not where it belongs.
    #[inline]
    fn records(&mut self, packet: &[u8], before: [u16; 2], additional: u16) -> Option<()> {
        let start = match before {
            [0, 0] => self.question_end,
            _ => after_records(packet, self.question_end, before.into_iter().map(u32::from).sum())?,
        };
        self.records_from(packet, start, additional)
    }

    /// Walks the additional section, which starts at `at`, for the OPT record; `None` when it is malformed or there are
    /// two (RFC 6891 section 6.1.1). The packet is the bound: a record takes 11 octets.
    #[inline]
    fn records_from(&mut self, packet: &[u8], mut at: usize, count: u16) -> Option<()> {
        for _ in 0..count {
            let (rtype, rest) = record_head(packet, at)?;
            if rtype == OPT {
                if rest - at != ROOT_AND_TYPE || self.edns.is_some() {
                    return None;
                }
                at = rest + self.edns.insert(Edns::default()).read(packet.get(rest..)?).ok()?;
            } else {
                at = record_end(packet, rest)?;
            }
        }
        Some(())
    }
}

/// Where `count` records end that start at `at`; `None` when one is malformed or an OPT record.
fn after_records(packet: &[u8], mut at: usize, count: u32) -> Option<usize> {
    for _ in 0..count {
        let (rtype, rest) = record_head(packet, at)?;
        if rtype == OPT {
            return None;
        }
        at = record_end(packet, rest)?;
    }
    Some(at)
}

/// Octets of the root name and a type.
const ROOT_AND_TYPE: usize = 3;

/// The type of the record at `at`, and where its class stands.
#[inline]
fn record_head(packet: &[u8], at: usize) -> Option<(u16, usize)> {
    let end = owner_end(packet, at)?;
    Some((u16_at(packet, end)?, end + 2))
}

/// Where a record ends whose class stands at `at`.
fn record_end(packet: &[u8], at: usize) -> Option<usize> {
    let end = at + 8 + usize::from(u16_at(packet, at + 6)?);
    packet.get(..end)?;
    Some(end)
}

/// Where the owner that starts at `at` ends. It may end in a pointer to a name before it (RFC 1035 section 4.1.4);
/// where that leads further is of no use here, and not followed.
#[inline]
fn owner_end(packet: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    loop {
        let length = usize::from(*packet.get(end)?);
        match length {
            0 => return Some(end + 1),
            POINTER.. => {
                let target = usize::from(u16_at(packet, end)?) & 0x3fff;
                return (HEADER..at).contains(&target).then_some(end + 2);
            }
            1..=MAX_LABEL if end + length - at < MAX_NAME => end += 1 + length,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(flags: u8, counts: [u8; 4], rest: &[u8]) -> Vec<u8> {
        let [q, an, ns, ar] = counts;
        let mut packet = vec![0x12, 0x34, flags, 0, 0, q, 0, an, 0, ns, 0, ar];
        packet.extend_from_slice(rest);
        packet
    }

    const QUESTION: &[u8] = b"\x03wWw\x02ex\0\0\x01\0\x01";
    const PLAIN_OPT: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];

    /// `. A 0.0.0.0`
    const RECORD: &[u8] = &[0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];

    fn parse(packet: &[u8]) -> (Parsed, Query) {
        let mut query = Query::default();
        (query.parse(packet), query)
    }

    #[test]
    fn a_plain_query_is_read() {
        let (parsed, query) = parse(&packet(1, [1, 0, 0, 0], QUESTION));
        assert_eq!(parsed, Parsed::Query);
        assert_eq!(query.name.as_wire(), b"\x03www\x02ex\0");
        assert_eq!((query.qtype, query.qclass, query.question_end), (1, 1, 12 + QUESTION.len()));
    }

    #[test]
    fn what_is_no_query_is_dropped() {
        assert_eq!(parse(b"short").0, Parsed::Drop);
        assert_eq!(parse(&packet(0x80, [1, 0, 0, 0], QUESTION)).0, Parsed::Drop);
    }

    #[test]
    fn other_opcodes_are_not_implemented() {
        assert_eq!(parse(&packet(0x30, [1, 0, 0, 0], QUESTION)).0, Parsed::Reject(Rcode::NotImp));
    }

    #[test]
    fn records_beside_a_question_are_read_over() {
        let owner = [b"\xc0\x0c", &RECORD[1..]].concat();
        for counts in [[1, 3, 0, 1], [1, 0, 3, 1], [1, 1, 1, 2], [1, 0, 0, 4]] {
            let rest = [QUESTION, RECORD, &owner, RECORD, PLAIN_OPT].concat();
            let (parsed, query) = parse(&packet(0, counts, &rest));
            assert_eq!((parsed, query.edns.is_some()), (Parsed::Query, true), "{counts:?}");
        }
    }

    /// RFC 2136 section 3.1.1.
    #[test]
    fn an_update_names_a_zone_of_class_in() {
        let of = |rtype: u8, class: u8| {
            let rest = [&b"\x02ex\0\0"[..], &[rtype, 0, class], RECORD].concat();
            parse(&packet(0x28, [1, 0, 1, 0], &rest)).0
        };
        assert_eq!(of(6, 1), Parsed::Update);
        assert_eq!(of(1, 1), Parsed::Reject(Rcode::FormErr));
        assert_eq!(of(6, 3), Parsed::Reject(Rcode::NotImp));
        assert_eq!(parse(&packet(0x28, [0, 0, 0, 0], b"")).0, Parsed::Reject(Rcode::FormErr));
    }

    #[test]
    fn malformed_queries_are_formerr() {
        let two_opts = [QUESTION, PLAIN_OPT, PLAIN_OPT].concat();
        for (counts, rest) in [
            ([0, 0, 0, 0], &b""[..]),
            ([2, 0, 0, 0], QUESTION),
            ([1, 1, 0, 0], QUESTION),
            ([1, 1, 0, 0], &[QUESTION, PLAIN_OPT].concat()),
            ([1, 0, 1, 0], &[QUESTION, &RECORD[..RECORD.len() - 1]].concat()),
            ([1, 0, 0, 1], &[QUESTION, b"\xc0\x1a", &RECORD[1..]].concat()),
            ([1, 0, 0, 0], &b"\x03ww"[..]),
            ([1, 0, 0, 0], &b"\xc0\x0c\0\x01\0\x01"[..]),
            ([1, 0, 0, 0], &QUESTION[..QUESTION.len() - 1]),
            ([1, 0, 0, 1], QUESTION),
            ([1, 0, 0, 2], &two_opts[..]),
        ] {
            assert_eq!(parse(&packet(0, counts, rest)).0, Parsed::Reject(Rcode::FormErr), "{rest:?}");
        }
    }

    #[test]
    fn other_edns_versions_are_badvers() {
        let opt = [0, 0, 41, 4, 208, 0, 1, 0, 0, 0, 0];
        let rest = [QUESTION, &opt].concat();
        assert_eq!(parse(&packet(0, [1, 0, 0, 1], &rest)).0, Parsed::Reject(Rcode::BadVers));
    }

    proptest! {
        #[test]
        fn any_octets_are_parsed_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..600)) {
            let (_, query) = parse(&octets);
            prop_assert!(query.question_end <= octets.len().max(HEADER));
        }
    }
}
