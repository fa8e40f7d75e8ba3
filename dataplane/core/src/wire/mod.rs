//! DNS wire format: names, types, queries in, responses out. No I/O and no `unsafe`.

pub mod edns;
pub mod fold;
pub mod name;
pub mod query;
pub mod rtype;
pub mod writer;

pub use name::{Name, NameError};

/// Length of a message header (RFC 1035 section 4.1.1).
pub const HEADER: usize = 12;

/// Response codes (RFC 1035 section 4.1.1, RFC 6895 section 2.3, RFC 6891 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Rcode {
    /// No error condition.
    NoError = 0,
    /// The query could not be interpreted.
    FormErr = 1,
    /// The server could not process the query.
    ServFail = 2,
    /// The name does not exist.
    NxDomain = 3,
    /// The kind of query is not implemented.
    NotImp = 4,
    /// The server refuses: the name is in no zone served here.
    Refused = 5,
    /// A synthesised name would be too long (RFC 6672 section 2.2).
    YxDomain = 6,
    /// Not authoritative for what is asked (RFC 2136 section 2.2, RFC 1995).
    NotAuth = 9,
    /// The EDNS version is not supported (RFC 6891 section 6.1.3); needs an OPT record.
    BadVers = 16,
}

/// The 16-bit big-endian number at `at`.
#[inline]
pub fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

/// The 32-bit big-endian number at `at`.
#[inline]
pub fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}
