//! EDNS(0) (RFC 6891) and the client subnet option (RFC 7871) as queries carry them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::u16_at;

/// Option codes (IANA "DNS EDNS0 Option Codes") that the code names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum OptionCode {
    /// Name server identifier (RFC 5001).
    Nsid = 3,
    /// Client subnet (RFC 7871).
    ClientSubnet = 8,
    /// edns-tcp-keepalive (RFC 7828).
    Keepalive = 11,
    /// Extended DNS error (RFC 8914).
    ExtendedError = 15,
}

/// Octets of an OPT record from its CLASS field to its options.
const HEAD: usize = 8;
/// More options than this in one query are a malformed query: a bound on the loop.
const MAX_OPTIONS: usize = 64;
/// Room for all the options that a response may have.
const MAX_OPTION_OCTETS: usize = 24 + (4 + MAX_IDENTITY) + 6 + 6;
/// Longest name or version of the server, in octets.
pub const MAX_IDENTITY: usize = 128;

/// The OPT record is not well formed; the answer is FORMERR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedOpt;

/// What a query's OPT record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edns {
    /// Largest UDP payload the client takes, as sent.
    pub payload: u16,
    /// EDNS version; only 0 exists.
    pub version: u8,
    /// The DO bit (RFC 3225).
    pub dnssec_ok: bool,
    /// Whether any option was sent: without one the rest needs no look.
    pub has_options: bool,
    /// The client subnet, if sent.
    pub subnet: Option<ClientSubnet>,
    /// Whether the server's name is asked for.
    pub nsid: bool,
    /// Whether the client asks how long a connection may stay idle.
    pub keepalive: bool,
}

/// A client subnet option: who the resolver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSubnet {
    /// Family as sent: 1 IPv4, 2 IPv6, 0 allowed only with source 0.
    pub family: u16,
    /// SOURCE PREFIX-LENGTH in bits: 0 to 32, or 0 to 128.
    pub source: u8,
    /// The address octets, padded with zeros.
    pub address: [u8; 16],
}

/// The first IPv4-mapped IPv6 address, and the bits that all of them share (RFC 4291 section 2.5.5.2).
const MAPPED: u128 = 0xffff_0000_0000;
const MAPPED_BITS: u32 = 96;

impl ClientSubnet {
    /// Number of address octets that stand in the option (RFC 7871 section 6).
    pub fn address_octets(&self) -> usize {
        usize::from(self.source).div_ceil(8)
    }

    /// The prefix's first address, or `None` where the client wants no location used (source 0).
    pub fn location(&self) -> Option<IpAddr> {
        if self.source == 0 {
            return None;
        }
        let [a, b, c, d, ..] = self.address;
        match self.family {
            1 => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
            2 => Some(IpAddr::V6(Ipv6Addr::from(self.address))),
            _ => None,
        }
    }

    /// The scope of an answer that holds for `prefix` bits of [`ClientSubnet::location`], but not for all clients: in
    /// bits of the family as sent, and 0 where no location was wanted (RFC 7871 section 7.2.1). IPv4-mapped IPv6
    /// addresses count as IPv4, so that a prefix of IPv6 must neither reach beyond them nor hold them.
    pub fn scope(&self, prefix: u8) -> u8 {
        match self.location() {
            None => 0,
            Some(IpAddr::V4(_)) => prefix,
            Some(IpAddr::V6(address)) => match (u128::from(address) ^ MAPPED).leading_zeros() {
                shared @ 0..MAPPED_BITS => prefix.max(shared as u8 + 1),
                _ => MAPPED_BITS as u8 + prefix.min(32),
            },
        }
    }

    /// Reads the option's data. Octets that are too few, too many, or not zero past the source prefix, a
    /// scope that is not zero and families other than IPv4 and IPv6 are malformed (RFC 7871 sections 6 and 7.1.2).
    fn parse(data: &[u8]) -> Result<ClientSubnet, MalformedOpt> {
        let family = u16_at(data, 0).ok_or(MalformedOpt)?;
        let (&source, &scope) = data.get(2).zip(data.get(3)).ok_or(MalformedOpt)?;
        let octets = data.get(4..).ok_or(MalformedOpt)?;
        let longest = match family {
            0 => 0,
            1 => 32,
            2 => 128,
            _ => return Err(MalformedOpt),
        };
        if scope != 0 || source > longest || octets.len() != usize::from(source).div_ceil(8) {
            return Err(MalformedOpt);
        }
        let mut address = [0; 16];
        address.get_mut(..octets.len()).ok_or(MalformedOpt)?.copy_from_slice(octets);
        if let (Some(last), used @ 1..) = (octets.last(), source % 8)
            && last & (0xff >> used) != 0
        {
            return Err(MalformedOpt);
        }
        Ok(ClientSubnet { family, source, address })
    }

    /// The data of a response's option: as sent, with the scope (RFC 7871 section 7.2.1), and its length.
    pub fn data(&self, scope: u8) -> ([u8; 20], usize) {
        let mut out = [0u8; 20];
        let [family_high, family_low, source, scope_octet, rest @ ..] = &mut out;
        [*family_high, *family_low] = self.family.to_be_bytes();
        *source = self.source;
        *scope_octet = scope;
        rest.copy_from_slice(&self.address);
        (out, 4 + self.address_octets())
    }
}

/// Options of a response, as they will stand in the OPT record.
#[derive(Clone)]
pub struct Options {
    octets: [u8; MAX_OPTION_OCTETS],
    length: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { octets: [0; MAX_OPTION_OCTETS], length: 0 }
    }
}

impl Options {
    /// Appends an option; one that does not fit is left out.
    pub fn push(&mut self, code: OptionCode, data: &[u8]) {
        let [c1, c2] = (code as u16).to_be_bytes();
        let [l1, l2] = (data.len() as u16).to_be_bytes();
        let end = self.length + 4 + data.len();
        if let Some((head, place)) =
            self.octets.get_mut(self.length..end).and_then(|place| place.split_first_chunk_mut::<4>())
        {
            *head = [c1, c2, l1, l2];
            place.copy_from_slice(data);
            self.length = end;
        }
    }

    /// All of them.
    pub fn as_octets(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

impl Edns {
    fn read_option(&mut self, code: u16, data: &[u8]) -> Result<(), MalformedOpt> {
        const NSID: u16 = OptionCode::Nsid as u16;
        const CLIENT_SUBNET: u16 = OptionCode::ClientSubnet as u16;
        const KEEPALIVE: u16 = OptionCode::Keepalive as u16;
        match code {
            NSID => self.nsid = true,
            KEEPALIVE => self.keepalive = true,
            CLIENT_SUBNET if self.subnet.is_some() => return Err(MalformedOpt),
            CLIENT_SUBNET => self.subnet = Some(ClientSubnet::parse(data)?),
            _ => {}
        }
        Ok(())
    }

    /// Reads an OPT record from its CLASS field on in place of what was known; returns the octets used. In place, since
    /// to move so small a structure right after it was written takes longer than to read it.
    ///
    /// # Errors
    /// [`MalformedOpt`] when lengths do not add up or the client subnet is malformed.
    #[inline]
    pub fn read(&mut self, octets: &[u8]) -> Result<usize, MalformedOpt> {
        // Payload, extended response code, version, flags, length.
        let Some((&[p1, p2, _, version, flags, _, l1, l2], rest)) = octets.split_first_chunk::<HEAD>() else {
            return Err(MalformedOpt);
        };
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        self.payload = u16::from_be_bytes([p1, p2]);
        self.version = version;
        self.dnssec_ok = flags & 0x80 != 0;
        self.has_options = length > 0;
        (self.subnet, self.nsid, self.keepalive) = (None, false, false);
        if length > 0 {
            self.read_options(rest.get(..length).ok_or(MalformedOpt)?)?;
        }
        Ok(HEAD + length)
    }

    fn read_options(&mut self, mut options: &[u8]) -> Result<(), MalformedOpt> {
        for _ in 0..MAX_OPTIONS {
            if options.is_empty() {
                return Ok(());
            }
            let code = u16_at(options, 0).ok_or(MalformedOpt)?;
            let size = usize::from(u16_at(options, 2).ok_or(MalformedOpt)?);
            let data = options.get(4..4 + size).ok_or(MalformedOpt)?;
            // Other versions give other meanings to options (RFC 6891 section 6.1.3: answer BADVERS).
            if self.version == 0 {
                self.read_option(code, data)?;
            }
            options = options.get(4 + size..).ok_or(MalformedOpt)?;
        }
        Err(MalformedOpt)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Result<(Edns, usize), MalformedOpt> {
        let mut edns = Edns::default();
        let used = edns.read(octets)?;
        Ok((edns, used))
    }

    fn opt(options: &[u8]) -> Vec<u8> {
        let mut octets = vec![0x04, 0xd0, 0, 0, 0x80, 0];
        octets.extend_from_slice(&(options.len() as u16).to_be_bytes());
        octets.extend_from_slice(options);
        octets
    }

    #[test]
    fn client_subnet_is_read_and_echoed() {
        let (edns, used) = read(&opt(&[0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2])).unwrap();
        assert_eq!(used, 8 + 11);
        assert!(edns.dnssec_ok);
        let subnet = edns.subnet.unwrap();
        assert_eq!(subnet.location(), Some("192.0.2.0".parse().unwrap()));
        let (data, length) = subnet.data(17);
        let mut options = Options::default();
        options.push(OptionCode::ClientSubnet, &data[..length]);
        assert_eq!(options.as_octets(), [0, 8, 0, 7, 0, 1, 24, 17, 192, 0, 2]);
    }

    #[test]
    fn the_scope_is_in_bits_of_the_family_sent() {
        let scope = |family: u16, octets: &[u8], prefix| {
            let mut option = [&[0, 8, 0, 4 + octets.len() as u8][..], &family.to_be_bytes()].concat();
            option.extend_from_slice(&[octets.len() as u8 * 8, 0]);
            option.extend_from_slice(octets);
            read(&opt(&option)).unwrap().0.subnet.unwrap().scope(prefix)
        };
        assert_eq!(scope(1, &[192, 0, 2], 17), 17);
        assert_eq!(scope(2, &[0x20, 1, 0xd, 0xb8], 40), 40);
        assert_eq!(scope(2, &[0x20, 1, 0xd, 0xb8], 0), 3, "::ffff:0:0/96 shares two bits, and is IPv4");
        assert_eq!(scope(2, &[0xfd], 0), 1);
        assert_eq!(scope(2, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe], 0), 96);
        assert_eq!(scope(2, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2], 17), 113);
        assert_eq!(scope(1, &[], 17), 0);
    }

    #[test]
    fn source_zero_asks_for_no_location() {
        for family in [0, 1, 2] {
            let (edns, _) = read(&opt(&[0, 8, 0, 4, 0, family, 0, 0])).unwrap();
            assert_eq!(edns.subnet.unwrap().location(), None);
        }
    }

    /// RFC 7871 section 6: too few or too many octets, or bits beyond the prefix, are FORMERR.
    #[test]
    fn malformed_client_subnets_are_refused() {
        for option in [
            &[0, 8, 0, 6, 0, 1, 24, 0, 192, 0][..],                // too few octets
            &[0, 8, 0, 8, 0, 1, 24, 0, 192, 0, 2, 1][..],          // too many
            &[0, 8, 0, 7, 0, 1, 23, 0, 192, 0, 3][..],             // a bit past the prefix
            &[0, 8, 0, 7, 0, 1, 24, 8, 192, 0, 2][..],             // scope in a query
            &[0, 8, 0, 9, 0, 1, 33, 0, 1, 2, 3, 4, 0][..],         // prefix longer than the family's
            &[0, 8, 0, 4, 0, 3, 0, 0][..],                         // unknown family
            &[0, 8, 0, 3, 0, 1, 0][..],                            // cut short
            &[0, 8, 0, 9, 0, 1][..],                               // length past the end
            &[0, 8, 0, 4, 0, 1, 0, 0, 0, 8, 0, 4, 0, 1, 0, 0][..], // twice
        ] {
            assert_eq!(read(&opt(option)), Err(MalformedOpt), "{option:?}");
        }
    }
}
