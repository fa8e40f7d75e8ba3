//! Reading a geo database of GeoIP2 shape (City, Country, ASN; any vendor) in the MaxMind DB format 2.0.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::cover::{CoverBuilder, OutOfOrder};
use super::location::{Code, Coordinates, Location, Locations};
use super::map::GeoMap;
use super::prefix::Prefix;

/// Most prefixes of one family; a search tree that shares its nodes could have 2^128.
const MAX_NETWORKS: usize = 1 << 25;
/// Largest file, in octets.
const MAX_FILE: u64 = 4 << 30;

/// Why a file is not a usable geo database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is a directory or a device, or far too large.
    #[error("is not a regular file of at most {} GiB", MAX_FILE >> 30)]
    NotAFile,
    /// It is not a MaxMind DB, or damaged.
    #[error("is no MaxMind DB, or damaged: {0}")]
    Broken(#[from] MaxMindDbError),
    /// A record cannot be read as GeoIP2 data.
    #[error("has a record at {network} that is not of GeoIP2 shape: {reason}")]
    Record {
        /// The network that the record is of.
        network: String,
        /// What is wrong with it.
        reason: MaxMindDbError,
    },
    /// Its networks overlap.
    #[error("is damaged: {0}")]
    Disorder(#[from] OutOfOrder),
    /// It has too many networks.
    #[error("has more than {MAX_NETWORKS} networks of one address family")]
    TooLarge,
}

/// The fields of a GeoIP2 record that steering looks at; the others are skipped.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    continent: Option<Continent<'a>>,
    #[serde(borrow)]
    country: Option<Area<'a>>,
    #[serde(borrow)]
    subdivisions: Option<Vec<Area<'a>>>,
    location: Option<Point>,
    autonomous_system_number: Option<Number>,
}

#[derive(Deserialize)]
struct Continent<'a> {
    code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Area<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Point {
    latitude: Option<Number>,
    longitude: Option<Number>,
}

/// A number of any of the format's types: writers choose the smallest that holds a value.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct AnyNumber;
        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
        }
        deserializer.deserialize_any(AnyNumber)
    }
}

impl Number {
    /// As an AS number (RFC 6793: 32 bits), if it is one.
    fn asn(&self) -> Option<u32> {
        let number = self.0 as u32;
        (f64::from(number) == self.0).then_some(number)
    }
}

impl Record<'_> {
    /// The location; codes and coordinates that cannot be are left out.
    fn location(&self) -> Location {
        let country = self.country.as_ref().and_then(|area| area.iso_code).and_then(Code::two_letters);
        let part = self.subdivisions.as_ref().and_then(|all| all.first()?.iso_code);
        Location {
            continent: self
                .continent
                .as_ref()
                .and_then(|continent| continent.code)
                .and_then(Code::two_letters),
            country,
            subdivision: country.zip(part).and_then(|(country, part)| Code::subdivision(country, part)),
            asn: self.autonomous_system_number.as_ref().and_then(Number::asn),
            coordinates: self
                .location
                .as_ref()
                .and_then(|point| Coordinates::new(point.latitude.as_ref()?.0, point.longitude.as_ref()?.0)),
        }
    }
}

/// Reads the database in the file at `path`.
///
/// # Errors
/// [`DatabaseError`], which does not name the path.
pub fn read_file(path: &Path) -> Result<GeoMap, DatabaseError> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > MAX_FILE {
        return Err(DatabaseError::NotAFile);
    }
    read(std::fs::read(path)?)
}

/// Reads a database from its octets. The search tree is walked once, each data record is decoded once.
///
/// # Errors
/// [`DatabaseError`].
pub fn read(octets: Vec<u8>) -> Result<GeoMap, DatabaseError> {
    let reader = Reader::from_source(octets)?;
    let mut locations = Locations::default();
    locations.number(Location::default());
    let mut by_offset: HashMap<usize, u32> = HashMap::new();
    let mut ipv4 = CoverBuilder::<u32>::new();
    let mut ipv6 = CoverBuilder::<u128>::new();
    // Aliases of the IPv4 tree within IPv6 (RFC 4291 section 2.5.5.2, 6to4, Teredo) are left out by default.
    for result in reader.networks(WithinOptions::default().include_networks_without_data())? {
        let result = result?;
        let network = result.network()?;
        let number = match result.offset() {
            None => 0,
            Some(offset) => match by_offset.get(&offset) {
                Some(&number) => number,
                None => {
                    let record: Option<Record<'_>> = result
                        .decode()
                        .map_err(|reason| DatabaseError::Record { network: network.to_string(), reason })?;
                    let number = locations.number(record.map_or_else(Location::default, |r| r.location()));
                    by_offset.insert(offset, number);
                    number
                }
            },
        };
        match network.network() {
            IpAddr::V4(start) => {
                ipv4.place(Prefix { start: start.into(), length: network.prefix() }, number, 0)?;
            }
            IpAddr::V6(start) => {
                ipv6.place(Prefix { start: start.into(), length: network.prefix() }, number, 0)?;
            }
        }
        if ipv4.len().max(ipv6.len()) > MAX_NETWORKS {
            return Err(DatabaseError::TooLarge);
        }
    }
    let mut everywhere = 0;
    if ipv4.is_empty() {
        // An IPv6 database without an IPv4 subtree: one record covers ::/96 and so all of IPv4.
        let all = reader.lookup(IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
        everywhere = all.offset().and_then(|offset| by_offset.get(&offset).copied()).unwrap_or(0);
    }
    Ok(GeoMap::new(locations.into_all(), ipv4.finish(everywhere), ipv6.finish(0)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geo::prefix::Subnet;
    use std::collections::BTreeMap;

    /// A value of the MaxMind DB data section.
    enum Value {
        Map(Vec<(&'static str, Value)>),
        List(Vec<Value>),
        Text(&'static str),
        Double(f64),
        Number(u32),
        Short(u16),
        Long(u64),
    }

    fn encode(value: &Value, out: &mut Vec<u8>) {
        fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
            assert!(size < 29, "the test encoder writes short values only");
            if kind < 8 {
                out.push(kind << 5 | size as u8);
            } else {
                out.extend([size as u8, kind - 7]);
            }
        }
        match value {
            Value::Text(text) => {
                control(2, text.len(), out);
                out.extend(text.as_bytes());
            }
            Value::Double(number) => {
                control(3, 8, out);
                out.extend(number.to_be_bytes());
            }
            Value::Number(number) => {
                control(6, 4, out);
                out.extend(number.to_be_bytes());
            }
            Value::Short(number) => {
                control(5, 2, out);
                out.extend(number.to_be_bytes());
            }
            Value::Long(number) => {
                control(9, 8, out);
                out.extend(number.to_be_bytes());
            }
            Value::Map(entries) => {
                control(7, entries.len(), out);
                for (key, value) in entries {
                    encode(&Value::Text(key), out);
                    encode(value, out);
                }
            }
            Value::List(items) => {
                control(11, items.len(), out);
                items.iter().for_each(|item| encode(item, out));
            }
        }
    }

    /// Encodes a database with 32-bit records. IPv4 networks of an IPv6 database go to `::/96`.
    fn write(version: u16, networks: &[(&str, Value)], alias: Option<(u128, u8)>) -> Vec<u8> {
        const NO_DATA: usize = usize::MAX;
        let mut data = Vec::new();
        // Children: a node number, or data at usize::MAX / 2 + offset, or NO_DATA.
        let mut nodes: Vec<[usize; 2]> = vec![[NO_DATA; 2]];
        let insert = |nodes: &mut Vec<[usize; 2]>, bits: u128, length: u8, target: usize| {
            let mut node = 0;
            for depth in 0..length {
                let bit = (bits >> (127 - depth) & 1) as usize;
                if depth + 1 == length {
                    nodes[node][bit] = target;
                } else if nodes[node][bit] == NO_DATA {
                    nodes.push([NO_DATA; 2]);
                    let new = nodes.len() - 1;
                    nodes[node][bit] = new;
                    node = new;
                } else {
                    node = nodes[node][bit];
                }
            }
        };
        for (text, value) in networks {
            let target = usize::MAX / 2 + data.len();
            encode(value, &mut data);
            let (bits, length) = match text.parse::<Subnet>().unwrap() {
                Subnet::V4(p) if version == 6 => (u128::from(p.start), 96 + p.length),
                Subnet::V4(p) => (u128::from(p.start) << 96, p.length),
                Subnet::V6(p) => (p.start, p.length),
            };
            insert(&mut nodes, bits, length, target);
        }
        if let Some((bits, length)) = alias {
            let ipv4_root = (0..96).fold(0, |node, _| nodes[node][0]);
            insert(&mut nodes, bits, length, ipv4_root);
        }
        let count = nodes.len();
        let mut out = Vec::new();
        for child in nodes.into_iter().flatten() {
            let record = match child {
                NO_DATA => count,
                data if data >= usize::MAX / 2 => count + 16 + (data - usize::MAX / 2),
                node => node,
            };
            out.extend((record as u32).to_be_bytes());
        }
        out.extend([0; 16]);
        out.extend(data);
        out.extend(b"\xab\xcd\xefMaxMind.com");
        let metadata = Value::Map(vec![
            ("binary_format_major_version", Value::Short(2)),
            ("binary_format_minor_version", Value::Short(0)),
            ("build_epoch", Value::Long(1)),
            ("database_type", Value::Text("Test-City")),
            ("description", Value::Map(vec![])),
            ("ip_version", Value::Short(version)),
            ("languages", Value::List(vec![])),
            ("node_count", Value::Number(count as u32)),
            ("record_size", Value::Short(32)),
        ]);
        encode(&metadata, &mut out);
        out
    }

    fn city(continent: &'static str, country: &'static str, part: &'static str, at: (f64, f64)) -> Value {
        Value::Map(vec![
            ("continent", Value::Map(vec![("code", Value::Text(continent))])),
            ("country", Value::Map(vec![("iso_code", Value::Text(country))])),
            (
                "subdivisions",
                Value::List(vec![
                    Value::Map(vec![("iso_code", Value::Text(part))]),
                    Value::Map(vec![("iso_code", Value::Text("ZZ"))]),
                ]),
            ),
            (
                "location",
                Value::Map(vec![("latitude", Value::Double(at.0)), ("longitude", Value::Double(at.1))]),
            ),
            ("traits", Value::Map(vec![("user_type", Value::Text("school"))])),
        ])
    }

    fn seen(map: &GeoMap, address: &str) -> BTreeMap<String, serde_json::Value> {
        let location = map.location(map.locate(address.parse().unwrap()));
        let json = serde_json::to_value(location).unwrap();
        json.as_object()
            .unwrap()
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    #[test]
    fn every_field_is_read() {
        let octets = write(
            6,
            &[
                ("192.0.2.0/24", city("NA", "US", "CA", (37.5, -122.0))),
                ("2001:db8::/32", city("EU", "DE", "BE", (52.5, 13.4))),
                ("203.0.113.0/24", Value::Map(vec![("autonomous_system_number", Value::Short(64_501))])),
                ("198.51.100.0/25", Value::Map(vec![("autonomous_system_number", Value::Number(64_500))])),
            ],
            None,
        );
        let map = read(octets).unwrap();
        let us = seen(&map, "192.0.2.77");
        assert_eq!(us["continent"], "NA");
        assert_eq!(us["country"], "US");
        assert_eq!(us["subdivision"], "US-CA");
        assert_eq!((&us["latitude"], &us["longitude"]), (&37.5.into(), &(-122.0).into()));
        assert_eq!(seen(&map, "2001:db8:1::")["subdivision"], "DE-BE");
        assert_eq!(seen(&map, "198.51.100.127")["asn"], 64_500);
        assert_eq!(seen(&map, "203.0.113.9")["asn"], 64_501);
        assert!(seen(&map, "198.51.100.128").is_empty());
        assert!(seen(&map, "::192.0.2.77").is_empty(), "::/96 holds IPv4, not IPv6");
        let (prefix, _) = map.ipv4().find(0xc000_024d);
        assert_eq!(prefix.to_string(), "192.0.2.0/24");
    }

    #[test]
    fn aliases_of_ipv4_are_left_out() {
        let alias = Some((0x2002_u128 << 112, 16));
        let map = read(write(6, &[("192.0.2.0/24", city("EU", "DE", "BE", (1.0, 2.0)))], alias)).unwrap();
        assert!(seen(&map, "2002:c000:0201::").is_empty());
        assert_eq!(map.ipv6().len(), 1);
        assert_eq!(seen(&map, "::ffff:192.0.2.1")["country"], "DE");
    }

    #[test]
    fn an_ipv4_database_says_nothing_about_ipv6() {
        let map = read(write(4, &[("128.0.0.0/1", city("EU", "DE", "BE", (1.0, 2.0)))], None)).unwrap();
        assert_eq!(map.ipv4().len(), 2);
        assert_eq!(map.ipv6().len(), 1);
        assert_eq!(seen(&map, "192.0.2.1")["country"], "DE");
        assert!(seen(&map, "1.0.0.1").is_empty());
    }

    #[test]
    fn without_an_ipv4_subtree_one_record_covers_ipv4() {
        let map = read(write(6, &[("::/8", city("EU", "DE", "BE", (1.0, 2.0)))], None)).unwrap();
        assert_eq!(seen(&map, "192.0.2.1")["country"], "DE");
        assert_eq!(seen(&map, "::1")["country"], "DE");
        assert!(seen(&map, "2001:db8::").is_empty());
    }

    #[test]
    fn impossible_codes_and_coordinates_are_left_out() {
        let map = read(write(4, &[("0.0.0.0/1", city("Europe", "DEU", "BE", (91.0, 0.0)))], None)).unwrap();
        assert!(seen(&map, "1.1.1.1").is_empty());
    }

    #[test]
    fn broken_databases_say_why() {
        assert!(matches!(read(Vec::new()), Err(DatabaseError::Broken(_))));
        let good = write(4, &[("0.0.0.0/1", city("EU", "DE", "BE", (1.0, 2.0)))], None);
        for cut in 0..good.len() {
            // Whatever is cut off, nothing panics.
            let _ = read(good[..cut].to_vec());
        }
        let shape = Value::Map(vec![("country", Value::Text("DE"))]);
        let error = read(write(4, &[("0.0.0.0/1", shape)], None)).unwrap_err();
        assert!(error.to_string().contains("0.0.0.0/1"), "{error}");
        let missing = read_file(Path::new("/nonexistent/city.mmdb")).unwrap_err();
        assert!(matches!(missing, DatabaseError::Unreadable(_)));
        assert!(matches!(read_file(Path::new("/")), Err(DatabaseError::NotAFile)));
    }
}
