//! A query as it came: what it asks, and what to say when it cannot be read.

use super::edns::Edns;
use super::fold::FoldedName;
use super::name::wire_length;
use super::rtype::number::OPT;
use super::{HEADER, Rcode, u16_at};

/// A query carries at most an OPT and a signature; more additional records than this are malformed.
const MAX_ADDITIONAL: u16 = 8;

/// Opcodes (RFC 1035 section 4.1.1, RFC 1996 section 3.2) that are looked into.
const QUERY: u8 = 0;
const NOTIFY: u8 = 4;

/// What to do with a packet that was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// A query to answer.
    Query,
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
    /// The OPT record, if any.
    pub edns: Option<Edns>,
}

impl Query {
    /// Reads one packet.
    #[inline]
    pub fn parse(&mut self, packet: &[u8]) -> Parsed {
        self.question_end = HEADER;
        self.edns = None;
        let Some(&[_, _, flags, _, q1, q2, an1, an2, ns1, ns2, ar1, ar2]) = packet.first_chunk::<HEADER>()
        else {
            return Parsed::Drop;
        };
        if flags & 0x80 != 0 {
            return Parsed::Drop;
        }
        let opcode = (flags >> 3) & 0x0f;
        if !matches!(opcode, QUERY | NOTIFY) {
            self.find_opt(packet, u16::from_be_bytes([q1, q2]), u16::from_be_bytes([ar1, ar2]));
            return Parsed::Reject(Rcode::NotImp);
        }
        let questions = u16::from_be_bytes([q1, q2]);
        let additional = u16::from_be_bytes([ar1, ar2]);
        if questions == 0 && [an1, an2, ns1, ns2] == [0, 0, 0, 0] {
            // Nothing is asked, but the OPT record is answered all the same.
            if self.additional(packet, additional).is_none() {
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
        if opcode == QUERY && [an1, an2, ns1, ns2] != [0, 0, 0, 0] {
            return Parsed::Reject(Rcode::FormErr);
        }
        if opcode == NOTIFY {
            // We transfer no zone in, so nobody's news are ours (RFC 1996 section 3.10).
            return Parsed::Reject(Rcode::NotAuth);
        }
        if additional > 0 && self.additional(packet, additional).is_none() {
            self.edns = None;
            return Parsed::Reject(Rcode::FormErr);
        }
        match self.edns {
            Some(edns) if edns.version != 0 => Parsed::Reject(Rcode::BadVers),
            _ => Parsed::Query,
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
        // The question itself is not echoed.
        self.question_end = end;
        if self.additional(packet, additional).is_none() {
            self.edns = None;
        }
        self.question_end = HEADER;
    }

    /// Walks the additional section for the OPT record; `None` when it is malformed or there are two
    /// (RFC 6891 section 6.1.1).
    #[inline]
    fn additional(&mut self, packet: &[u8], count: u16) -> Option<()> {
        if count > MAX_ADDITIONAL {
            return None;
        }
        let mut at = self.question_end;
        for _ in 0..count {
            let name = wire_length(packet.get(at..)?).ok()?;
            let rtype = u16_at(packet, at + name)?;
            at += name + 2;
            if rtype == OPT {
                if name != 1 || self.edns.is_some() {
                    return None;
                }
                let (edns, used) = Edns::parse(packet.get(at..)?).ok()?;
                self.edns = Some(edns);
                at += used;
            } else {
                at += 8 + usize::from(u16_at(packet, at + 6)?);
                packet.get(..at)?;
            }
        }
        Some(())
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
        assert_eq!(parse(&packet(0x28, [1, 0, 0, 0], QUESTION)).0, Parsed::Reject(Rcode::NotImp));
    }

    #[test]
    fn malformed_queries_are_formerr() {
        let two_opts = [QUESTION, PLAIN_OPT, PLAIN_OPT].concat();
        for (counts, rest) in [
            ([0, 0, 0, 0], &b""[..]),
            ([2, 0, 0, 0], QUESTION),
            ([1, 1, 0, 0], QUESTION),
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
