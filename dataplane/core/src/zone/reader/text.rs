//! The small notations of a master file: numbers, TTLs, addresses, times, hex, base32hex, base64.
//!
//! Each function reads the whole of its text or gives `None`; none allocates.

/// Seconds per unit of the BIND TTL notation (`1h30m`).
const UNITS: [(u8, u64); 5] = [(b'w', 604_800), (b'd', 86_400), (b'h', 3_600), (b'm', 60), (b's', 1)];

/// An unsigned decimal number of at most `max`.
pub fn integer(text: &[u8], max: u32) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut value = 0_u64;
    for &octet in text {
        if !octet.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(octet - b'0');
        if value > u64::from(max) {
            return None;
        }
    }
    u32::try_from(value).ok()
}

/// A time span of at most `max` seconds: a number, or numbers each with a unit w, d, h, m or s.
pub fn seconds(text: &[u8], max: u32) -> Option<u32> {
    if text.iter().all(u8::is_ascii_digit) {
        return integer(text, max);
    }
    let mut total = 0_u64;
    let mut current = None;
    for &octet in text {
        if octet.is_ascii_digit() {
            let value = current.unwrap_or(0_u64) * 10 + u64::from(octet - b'0');
            if value > u64::from(u32::MAX) {
                return None;
            }
            current = Some(value);
        } else {
            let (_, unit) = UNITS.iter().find(|(letter, _)| *letter == octet.to_ascii_lowercase())?;
            total += current.take()? * unit;
            if total > u64::from(max) {
                return None;
            }
        }
    }
    if current.is_some() { None } else { u32::try_from(total).ok() }
}

/// An IPv4 address in dotted-decimal notation, without leading zeros.
pub fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut address = [0; 4];
    let mut octets = text.iter();
    for (index, place) in address.iter_mut().enumerate() {
        let mut value = None;
        loop {
            match octets.next() {
                Some(digit @ b'0'..=b'9') => {
                    let before = value.unwrap_or(0_u8);
                    if value == Some(0) {
                        return None;
                    }
                    value = Some(before.checked_mul(10)?.checked_add(digit - b'0')?);
                }
                Some(b'.') if index < 3 => break,
                None if index == 3 => break,
                _ => return None,
            }
        }
        *place = value?;
    }
    Some(address)
}

/// An IPv6 address (RFC 4291 section 2.2), without a zone.
pub fn ipv6(text: &[u8]) -> Option<[u8; 16]> {
    let address: std::net::Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address.octets())
}

/// A signature time (RFC 4034 section 3.2): seconds since 1970, or `YYYYMMDDHHMMSS` in UTC.
pub fn signature_time(text: &[u8]) -> Option<u32> {
    if text.len() <= 10 {
        return integer(text, u32::MAX);
    }
    if text.len() != 14 {
        return None;
    }
    let field = |range: std::ops::Range<usize>| integer(text.get(range)?, 9_999).map(i64::from);
    let (year, month, day) = (field(0..4)?, field(4..6)?, field(6..8)?);
    let (hour, minute, second) = (field(8..10)?, field(10..12)?, field(12..14)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) || hour > 23 || minute > 59 || second > 59 || year < 1970 {
        return None;
    }
    // Days before the month, counting years from March, so that the leap day is a year's last.
    let (march_year, march_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * march_year + march_year / 4 - march_year / 100
        + march_year / 400
        + (153 * march_month + 2) / 5
        + day
        - 1
        - 719_468;
    u32::try_from(((days * 24 + hour) * 60 + minute) * 60 + second).ok()
}

/// The value of one hex digit.
fn hex_digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Appends the octets that an even number of hex digits stand for.
pub fn push_hex(digits: impl IntoIterator<Item = u8>, out: &mut Vec<u8>) -> Option<()> {
    let mut digits = digits.into_iter();
    while let Some(high) = digits.next() {
        let low = digits.next()?;
        out.push(hex_digit(high)? << 4 | hex_digit(low)?);
    }
    Some(())
}

/// Appends the octets of a base64 text with its padding (RFC 4648 section 4).
pub fn push_base64(letters: impl IntoIterator<Item = u8>, out: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0_u32;
    let mut count = 0_u8;
    let mut padding = 0_u8;
    for octet in letters {
        if octet == b'=' {
            padding += 1;
            if padding > 2 {
                return None;
            }
            continue;
        }
        if padding > 0 {
            return None;
        }
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            let [_, first, second, third] = bits.to_be_bytes();
            out.extend_from_slice(&[first, second, third]);
            (bits, count) = (0, 0);
        }
    }
    match (count, padding) {
        (0, 0) => {}
        (2, 2) => out.push((bits >> 4) as u8),
        (3, 1) => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => return None,
    }
    Some(())
}

/// Appends the octets of an unpadded base32hex text in any case, unused bits zero (RFC 4648 section 7).
pub fn push_base32hex(letters: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut bits = 0_u16;
    let mut count = 0_u8;
    for &octet in letters {
        let value = match octet.to_ascii_uppercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            letter @ b'A'..=b'V' => letter - b'A' + 10,
            _ => return None,
        };
        bits = bits << 5 | u16::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // What is left must be the zero bits that fill the last letter, and no whole letter.
    (count < 5 && bits == 0).then_some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_bounded() {
        assert_eq!(integer(b"65535", 65_535), Some(65_535));
        assert_eq!(integer(b"4294967295", u32::MAX), Some(u32::MAX));
        for text in ["", "65536", "-1", "+1", "1 ", "99999999999999999999999"] {
            assert_eq!(integer(text.as_bytes(), 65_535), None, "{text}");
        }
    }

    #[test]
    fn time_spans_have_units() {
        let max = 0x7fff_ffff;
        assert_eq!(seconds(b"3600", max), Some(3_600));
        assert_eq!(seconds(b"1h30m", max), Some(5_400));
        assert_eq!(seconds(b"1W6d4H3m10s", max), Some(1_137_790));
        assert_eq!(seconds(b"2147483647", max), Some(max));
        for text in ["", "2147483648", "1h30", "h", "1x", "1hh", "99999999999w", "9999w"] {
            assert_eq!(seconds(text.as_bytes(), max), None, "{text}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(ipv4(b"192.0.2.255"), Some([192, 0, 2, 255]));
        for text in ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1..2.3", "a.b.c.d"] {
            assert_eq!(ipv4(text.as_bytes()), None, "{text}");
        }
        assert_eq!(ipv6(b"::1").unwrap()[15], 1);
        assert_eq!(ipv6(b"::ffff:1.2.3.4").unwrap()[12..], [1, 2, 3, 4]);
        assert_eq!(ipv6(b"1:2:3:4:5:6:7::").unwrap()[14..], [0, 0]);
        for text in ["", ":::", "1::2::3", "fe80::1%eth0", "12345::", "1:2:3:4:5:6:7:8:9"] {
            assert_eq!(ipv6(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn signature_times() {
        assert_eq!(signature_time(b"19700101000000"), Some(0));
        assert_eq!(signature_time(b"20000229123456"), Some(951_827_696));
        assert_eq!(signature_time(b"20240301000000"), Some(1_709_251_200));
        assert_eq!(signature_time(b"21060207062815"), Some(u32::MAX));
        assert_eq!(signature_time(b"1709251200"), Some(1_709_251_200));
        for text in
            ["21060207062816", "20230229000000", "20241301000000", "20240101240000", "202401010000", "x", ""]
        {
            assert_eq!(signature_time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn binary_notations() {
        let hex = |text: &str| {
            let mut out = Vec::new();
            push_hex(text.bytes(), &mut out).map(|()| out)
        };
        let base64 = |text: &str| {
            let mut out = Vec::new();
            push_base64(text.bytes(), &mut out).map(|()| out)
        };
        let base32 = |text: &str| {
            let mut out = Vec::new();
            push_base32hex(text.as_bytes(), &mut out).map(|()| out)
        };
        assert_eq!(hex("00fFa9"), Some(vec![0, 255, 0xa9]));
        assert_eq!((hex("0"), hex("0g")), (None, None));
        assert_eq!(base64("Zm9vYg=="), Some(b"foob".to_vec()));
        assert_eq!(base64("Zm9vYmE="), Some(b"fooba".to_vec()));
        assert_eq!(base64("Zm9vYmFy"), Some(b"foobar".to_vec()));
        for text in ["Zg", "Zg=", "Zg===", "Z", "Zg==Zg==", "Z*==", "====", "="] {
            assert_eq!(base64(text), None, "{text}");
        }
        assert_eq!(base32("CPNMUOJ1E8"), Some(b"fooba\x72".to_vec()));
        assert_eq!(base32("cpnmu"), Some(b"foo".to_vec()));
        for text in ["C", "CPNMUO", "CPNMV", "W0", "CO======"] {
            assert_eq!(base32(text), None, "{text}");
        }
    }
}
