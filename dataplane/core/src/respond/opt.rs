//! The OPT record of a response: what the query's options ask for, and why an answer is no answer.

use super::{MAX_UDP, STREAM_IDLE, Transport};
use crate::publish::Identity;
use crate::wire::Rcode;
use crate::wire::edns::{Edns, OptionCode, Options};
use crate::wire::writer::{Full, Writer};

/// How long an idle TCP connection is kept, in units of 100 ms (RFC 7828 section 3.1).
const KEEPALIVE: u16 = (STREAM_IDLE.as_millis() / 100) as u16;
/// Owner, type, class, TTL and length of an OPT record.
const HEAD: usize = 11;

/// Why an answer is none (RFC 8914 section 4), where the response code does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum ExtendedError {
    /// The answer was not confirmed in time.
    StaleAnswer = 3,
    /// Nothing has been published yet.
    NotReady = 14,
    /// The name is in no zone served here.
    NotAuthoritative = 20,
    /// The kind of query is not allowed to this client.
    Prohibited = 18,
}

/// The OPT record being made for a response. Its room is known before the sections are written.
pub(super) struct ResponseOpt<'q> {
    edns: &'q Edns,
    transport: Transport,
}

impl<'q> ResponseOpt<'q> {
    #[inline]
    pub fn new(edns: &'q Edns, transport: Transport) -> ResponseOpt<'q> {
        ResponseOpt { edns, transport }
    }

    /// Octets that it takes, an extended error not counted: that one is left out where there is no room.
    #[inline]
    pub fn length(&self, identity: &Identity) -> usize {
        let mut length = HEAD;
        if self.edns.has_options {
            length += self.edns.subnet.map_or(0, |subnet| 8 + subnet.address_octets());
            length += self.nsid(identity).map_or(0, |name| 4 + name.len());
            length += if self.keeps_alive() { 6 } else { 0 };
        }
        length
    }

    /// The server's name, where it has one and is asked for it (RFC 5001).
    fn nsid<'i>(&self, identity: &'i Identity) -> Option<&'i [u8]> {
        identity.nsid.as_deref().filter(|_| self.edns.nsid)
    }

    /// The option has no meaning in datagrams (RFC 7828 section 3.2.1).
    fn keeps_alive(&self) -> bool {
        self.edns.keepalive && self.transport == Transport::Tcp
    }

    /// Writes it. `scope` is that of a client subnet, in bits of its family.
    #[inline]
    pub fn write(
        &self,
        writer: &mut Writer<'_>,
        rcode: Rcode,
        scope: u8,
        error: Option<ExtendedError>,
        identity: &Identity,
    ) -> Result<(), Full> {
        let extended = rcode as u8 >> 4;
        if !self.edns.has_options && error.is_none() {
            return writer.opt(MAX_UDP as u16, extended, self.edns.dnssec_ok, &[]);
        }
        let mut options = Options::default();
        if let Some(subnet) = self.edns.subnet {
            let (data, length) = subnet.data(scope);
            options.push(OptionCode::ClientSubnet, data.get(..length).unwrap_or_default());
        }
        if let Some(name) = self.nsid(identity) {
            options.push(OptionCode::Nsid, name);
        }
        if self.keeps_alive() {
            options.push(OptionCode::Keepalive, &KEEPALIVE.to_be_bytes());
        }
        if let Some(error) = error {
            let without = options.clone();
            options.push(OptionCode::ExtendedError, &(error as u16).to_be_bytes());
            let written = writer.opt(MAX_UDP as u16, extended, self.edns.dnssec_ok, options.as_octets());
            if written.is_ok() {
                return Ok(());
            }
            options = without;
        }
        writer.opt(MAX_UDP as u16, extended, self.edns.dnssec_ok, options.as_octets())
    }
}
