//! Prefixes of either address family, and the integers that stand for addresses.

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address as an unsigned integer: `u32` for IPv4, `u128` for IPv6.
pub trait Address: Copy + Ord + Hash + Default + fmt::Debug {
    /// Number of bits of an address.
    const BITS: u8;

    /// The bits after the first `length`; `length` is at most [`Address::BITS`].
    fn host_mask(length: u8) -> Self;
    /// Bitwise or.
    fn with(self, bits: Self) -> Self;
    /// The address with only the bit after the first `index` set; `index` is less than [`Address::BITS`].
    fn bit(index: u8) -> Self;
    /// Whether any of `bits` is set.
    fn has_any(self, bits: Self) -> bool;
    /// The next address, or `None` after the last.
    fn successor(self) -> Option<Self>;
    /// Number of trailing zero bits, [`Address::BITS`] for zero.
    fn zeros(self) -> u8;
    /// `next - self` rounded down to a power of two, as an exponent. `next` is exclusive and
    /// `None` after the last address; it must be greater than `self`.
    fn exponent_to(self, next: Option<Self>) -> u8;
    /// The `count` (at most 16) bits that follow the first `skip`; `skip + count` is at most
    /// [`Address::BITS`].
    fn bits(self, skip: u8, count: u8) -> usize;
    /// The address whose first `length` bits (at most 32) are `bits` and whose others are zero.
    fn from_top(bits: usize, length: u8) -> Self;
    /// As an address of its family.
    fn to_ip(self) -> IpAddr;
}

macro_rules! address {
    ($integer:ty, $ip:ty) => {
        impl Address for $integer {
            const BITS: u8 = <$integer>::BITS as u8;

            #[inline]
            fn host_mask(length: u8) -> Self {
                <$integer>::MAX.checked_shr(u32::from(length)).unwrap_or(0)
            }
            #[inline]
            fn with(self, bits: Self) -> Self {
                self | bits
            }
            #[inline]
            fn bit(index: u8) -> Self {
                (1 as $integer).checked_shl(u32::from(<Self as Address>::BITS - 1 - index)).unwrap_or(0)
            }
            #[inline]
            fn has_any(self, bits: Self) -> bool {
                self & bits != 0
            }
            #[inline]
            fn successor(self) -> Option<Self> {
                self.checked_add(1)
            }
            #[inline]
            fn zeros(self) -> u8 {
                self.trailing_zeros() as u8
            }
            #[inline]
            fn exponent_to(self, next: Option<Self>) -> u8 {
                // The end of the address space wraps to zero, so the whole space has size zero here.
                let size = next.unwrap_or(0).wrapping_sub(self);
                if size == 0 { <Self as Address>::BITS } else { size.ilog2() as u8 }
            }
            #[inline]
            fn bits(self, skip: u8, count: u8) -> usize {
                let rest = self.checked_shl(u32::from(skip)).unwrap_or(0);
                rest.checked_shr(u32::from(<Self as Address>::BITS - count)).unwrap_or(0) as usize
            }
            #[inline]
            fn from_top(bits: usize, length: u8) -> Self {
                (bits as $integer).checked_shl(u32::from(<Self as Address>::BITS - length)).unwrap_or(0)
            }
            fn to_ip(self) -> IpAddr {
                <$ip>::from(self).into()
            }
        }
    };
}

address!(u32, Ipv4Addr);
address!(u128, Ipv6Addr);

/// A prefix of one family. The bits after `length` are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix<A> {
    /// Its first address.
    pub start: A,
    /// Number of leading bits that are fixed, 0 to [`Address::BITS`].
    pub length: u8,
}

impl<A: Address> Prefix<A> {
    /// The prefix, or `None` when `length` is too long or bits after it are set.
    pub fn new(start: A, length: u8) -> Option<Prefix<A>> {
        (length <= A::BITS && !start.has_any(A::host_mask(length))).then_some(Prefix { start, length })
    }

    /// Its last address.
    #[inline]
    pub fn last(&self) -> A {
        self.start.with(A::host_mask(self.length))
    }

    /// Whether `address` is in it.
    pub fn contains(&self, address: A) -> bool {
        self.start <= address && address <= self.last()
    }
}

impl<A: Address> fmt::Display for Prefix<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.start.to_ip(), self.length)
    }
}

/// A prefix of either family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subnet {
    /// IPv4.
    V4(Prefix<u32>),
    /// IPv6.
    V6(Prefix<u128>),
}

/// Why text is not a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// Not `ADDRESS/LENGTH`.
    #[error("is not a subnet: write ADDRESS/LENGTH, such as 192.0.2.0/24 or 2001:db8::/32")]
    Syntax,
    /// The length is more than the family has bits.
    #[error("has too long a prefix: at most 32 for IPv4 and 128 for IPv6")]
    Length,
    /// Bits after the prefix are set.
    #[error("has address bits set after its prefix: clear them or lengthen the prefix")]
    HostBits,
}

impl Subnet {
    /// The subnet of `length` at `address`. IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) becomes IPv4,
    /// since such clients are treated as IPv4.
    ///
    /// # Errors
    /// [`SubnetError::Length`] or [`SubnetError::HostBits`].
    pub fn new(address: IpAddr, length: u8) -> Result<Subnet, SubnetError> {
        match address {
            IpAddr::V4(_) if length > 32 => Err(SubnetError::Length),
            IpAddr::V4(address) => {
                Prefix::new(u32::from(address), length).map(Subnet::V4).ok_or(SubnetError::HostBits)
            }
            IpAddr::V6(_) if length > 128 => Err(SubnetError::Length),
            IpAddr::V6(address) => match address.to_ipv4_mapped() {
                Some(mapped) if length >= 96 => Subnet::new(mapped.into(), length - 96),
                _ => Prefix::new(u128::from(address), length).map(Subnet::V6).ok_or(SubnetError::HostBits),
            },
        }
    }

    /// Number of leading bits that are fixed.
    pub fn length(&self) -> u8 {
        match self {
            Subnet::V4(prefix) => prefix.length,
            Subnet::V6(prefix) => prefix.length,
        }
    }
}

impl FromStr for Subnet {
    type Err = SubnetError;

    fn from_str(text: &str) -> Result<Subnet, SubnetError> {
        let (address, length) = text.split_once('/').ok_or(SubnetError::Syntax)?;
        let address = address.parse().map_err(|_| SubnetError::Syntax)?;
        if length.is_empty() || !length.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(SubnetError::Syntax);
        }
        Subnet::new(address, length.parse().map_err(|_| SubnetError::Length)?)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subnet::V4(prefix) => prefix.fmt(f),
            Subnet::V6(prefix) => prefix.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn subnets_read_and_print() {
        for text in ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"] {
            assert_eq!(text.parse::<Subnet>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mapped_subnets_are_ipv4() {
        assert_eq!("::ffff:192.0.2.0/120".parse::<Subnet>().unwrap().to_string(), "192.0.2.0/24");
        assert_eq!("::ffff:0:0/96".parse::<Subnet>().unwrap().to_string(), "0.0.0.0/0");
    }

    #[test]
    fn bad_subnets_say_why() {
        let error = |text: &str| text.parse::<Subnet>().unwrap_err();
        for text in ["", "192.0.2.0", "192.0.2/24", "192.0.2.0/", "192.0.2.0/+8", "x/8", "::/ 8"] {
            assert_eq!(error(text), SubnetError::Syntax, "{text}");
        }
        for text in ["192.0.2.0/33", "::/129", "::/999999"] {
            assert_eq!(error(text), SubnetError::Length, "{text}");
        }
        assert_eq!(error("192.0.2.1/24"), SubnetError::HostBits);
        assert_eq!(error("::1/64"), SubnetError::HostBits);
    }

    #[test]
    fn bit_arithmetic_holds_at_the_edges() {
        assert_eq!(u32::host_mask(0), u32::MAX);
        assert_eq!(u32::host_mask(32), 0);
        assert_eq!(u128::host_mask(128), 0);
        assert_eq!(0u32.exponent_to(None), 32);
        assert_eq!(0x8000_0000u32.exponent_to(None), 31);
        assert_eq!(4u128.exponent_to(Some(11)), 2);
        assert_eq!(0xabcd_1234u32.bits(0, 16), 0xabcd);
        assert_eq!(0xabcd_1234u32.bits(16, 8), 0x12);
        assert_eq!(0xabcd_1234u32.bits(0, 0), 0);
        assert_eq!(u32::from_top(0xabcd, 16), 0xabcd_0000);
        assert_eq!(u128::from_top(0, 0), 0);
    }
}
