//! Reading a geo database of GeoIP2 shape (City, Country, ASN; any vendor) in the MaxMind DB format 2.0.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use maxminddb::{MaxMindDbError, Reader};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::cover::{CoverBuilder, OutOfOrder};
use super::location::{Code, Coordinates, Location, Locations};
use super::map::GeoMap;
use super::prefix::{Address, Prefix};
use super::tree::{Target, Tree, TreeError};

/// Largest file, in octets.
const MAX_FILE: u64 = 2 << 30;
/// Longest that decoding may take: a million records of a real database take a second, but records that overlap or
/// share what they point to can say far more than a file is long.
const MAX_TIME: Duration = Duration::from_secs(120);
/// The time is looked at after so many records.
const RECORDS_AT_ONCE: usize = 1024;

/// Why a file is not a usable geo database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is a directory or a device, or far too large.
    #[error("is not a regular file of at most {} GiB", MAX_FILE >> 30)]
    NotAFile,
    /// Somebody wrote to it meanwhile.
    #[error("was changed while it was read: write a new file beside it and rename that over it")]
    Changing,
    /// It is not a MaxMind DB, or damaged.
    #[error("is no MaxMind DB, or damaged: {0}")]
    Broken(#[from] MaxMindDbError),
    /// A record cannot be read as GeoIP2 data.
    #[error("has a record at {address} that is not of GeoIP2 shape: {reason}")]
    Record {
        /// The first address that the record is of.
        address: IpAddr,
        /// What is wrong with it.
        reason: MaxMindDbError,
    },
    /// Its records say too much.
    #[error("is damaged: its records take longer than {} seconds to decode", MAX_TIME.as_secs())]
    Slow,
    /// It says nothing that steering looks at.
    #[error(
        "is of the type {0:?} and says nothing of where any network is: a City, Country or ASN database is needed"
    )]
    SaysNothing(String),
    /// Its networks overlap.
    #[error("is damaged: {0}")]
    Disorder(#[from] OutOfOrder),
    /// Its search tree is not one.
    #[error("is damaged: {0}")]
    Tree(#[from] TreeError),
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
    read(&contents(path)?)
}

/// What the file holds. It is not mapped: a mapped file that somebody cuts short ends the process.
fn contents(path: &Path) -> Result<Vec<u8>, DatabaseError> {
    let usable = |metadata: Metadata| {
        let good = metadata.is_file() && metadata.len() <= MAX_FILE;
        good.then_some(metadata).ok_or(DatabaseError::NotAFile)
    };
    // Looked at before it is opened, since opening a pipe waits for its other end.
    usable(std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    let before = usable(file.metadata()?)?;
    let mut octets = Vec::new();
    octets.try_reserve_exact(before.len() as usize).map_err(std::io::Error::other)?;
    (&file).take(before.len() + 1).read_to_end(&mut octets)?;
    let after = file.metadata()?;
    let same = after.len() == before.len() && after.modified()? == before.modified()?;
    if !same || octets.len() as u64 != before.len() {
        return Err(DatabaseError::Changing);
    }
    Ok(octets)
}

/// Reads a database from its octets. The search tree is walked once, each data record is decoded once.
/// Aliases of the IPv4 tree within IPv6 (IPv4-mapped, 6to4, Teredo) say nothing.
///
/// # Errors
/// [`DatabaseError`].
pub fn read(octets: &[u8]) -> Result<GeoMap, DatabaseError> {
    read_within(octets, MAX_TIME)
}

fn read_within(octets: &[u8], most: Duration) -> Result<GeoMap, DatabaseError> {
    let reader = Reader::from_source(octets)?;
    let metadata = reader.metadata();
    let tree = Tree::new(octets, metadata.node_count, metadata.record_size)?;
    let mut records = Records {
        reader: &reader,
        locations: Locations::default(),
        numbers: HashMap::new(),
        started: Instant::now(),
        most,
    };
    records.locations.number(Location::default());
    let ipv4_root;
    let mut ipv6 = CoverBuilder::<u128>::new();
    if metadata.ip_version == 4 {
        ipv4_root = tree.root();
    } else {
        // IPv4 is at ::/96. Where the tree ends before that, the one record there is for all of IPv4.
        ipv4_root = tree.after_zeros(96)?;
        let skipped = Some(ipv4_root).filter(|root| matches!(root, Target::Node(_)));
        tree.walk(tree.root(), skipped, |prefix: Prefix<u128>, target| {
            let number = records.number(prefix.start.to_ip(), target)?;
            Ok::<(), DatabaseError>(ipv6.place(prefix, number, 0)?)
        })?;
    }
    let mut ipv4 = CoverBuilder::<u32>::new();
    tree.walk(ipv4_root, None, |prefix: Prefix<u32>, target| {
        let number = records.number(prefix.start.to_ip(), target)?;
        Ok::<(), DatabaseError>(ipv4.place(prefix, number, 0)?)
    })?;
    let locations = records.locations.into_all();
    if locations.len() == 1 {
        return Err(DatabaseError::SaysNothing(metadata.database_type.chars().take(100).collect()));
    }
    Ok(GeoMap::new(locations, ipv4.finish(0), ipv6.finish(0)))
}

/// The data records, each decoded when it is first met.
struct Records<'a> {
    reader: &'a Reader<&'a [u8]>,
    locations: Locations,
    /// Record of the search tree -> location number.
    numbers: HashMap<u32, u32>,
    started: Instant,
    /// Longest that decoding may take.
    most: Duration,
}

impl Records<'_> {
    /// The number of the location at `address`, which the tree leads to `target`.
    fn number(&mut self, address: IpAddr, target: Target) -> Result<u32, DatabaseError> {
        let Target::Data(data) = target else { return Ok(0) };
        if let Some(&number) = self.numbers.get(&data) {
            return Ok(number);
        }
        if self.numbers.len().is_multiple_of(RECORDS_AT_ONCE) && self.started.elapsed() > self.most {
            return Err(DatabaseError::Slow);
        }
        let record: Option<Record<'_>> = self
            .reader
            .lookup(address)?
            .decode()
            .map_err(|reason| DatabaseError::Record { address, reason })?;
        let number = self.locations.number(record.map_or_else(Location::default, |record| record.location()));
        self.numbers.insert(data, number);
        Ok(number)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geo::encoder::{Value, write};
    use std::collections::BTreeMap;

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
        let map = read(&octets).unwrap();
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
        let map = read(&write(6, &[("192.0.2.0/24", city("EU", "DE", "BE", (1.0, 2.0)))], alias)).unwrap();
        assert!(seen(&map, "2002:c000:0201::").is_empty());
        assert_eq!(map.ipv6().len(), 1);
        assert_eq!(seen(&map, "::ffff:192.0.2.1")["country"], "DE");
    }

    #[test]
    fn an_ipv4_database_says_nothing_about_ipv6() {
        let map = read(&write(4, &[("128.0.0.0/1", city("EU", "DE", "BE", (1.0, 2.0)))], None)).unwrap();
        assert_eq!(map.ipv4().len(), 2);
        assert_eq!(map.ipv6().len(), 1);
        assert_eq!(seen(&map, "192.0.2.1")["country"], "DE");
        assert!(seen(&map, "1.0.0.1").is_empty());
    }

    #[test]
    fn without_an_ipv4_subtree_one_record_covers_ipv4() {
        let map = read(&write(6, &[("::/8", city("EU", "DE", "BE", (1.0, 2.0)))], None)).unwrap();
        assert_eq!(seen(&map, "192.0.2.1")["country"], "DE");
        assert_eq!(seen(&map, "::1")["country"], "DE");
        assert!(seen(&map, "2001:db8::").is_empty());
    }

    #[test]
    fn impossible_codes_and_coordinates_are_left_out() {
        let good = city("EU", "DE", "BE", (1.0, 2.0));
        let bad = city("Europe", "DEU", "BE", (91.0, 0.0));
        let map = read(&write(4, &[("0.0.0.0/1", bad), ("128.0.0.0/1", good)], None)).unwrap();
        assert!(seen(&map, "1.1.1.1").is_empty());
        assert_eq!(seen(&map, "192.0.2.1")["subdivision"], "DE-BE");
    }

    #[test]
    fn a_file_that_changes_and_one_that_takes_long_are_refused() {
        // It says that it is empty, and is not: as if it had grown meanwhile.
        let growing = read_file(Path::new("/proc/self/status")).unwrap_err();
        assert!(matches!(growing, DatabaseError::Changing), "{growing}");
        let good = write(4, &[("0.0.0.0/1", city("EU", "DE", "BE", (1.0, 2.0)))], None);
        let late = read_within(&good, Duration::ZERO).unwrap_err();
        assert!(matches!(late, DatabaseError::Slow), "{late}");
    }

    #[test]
    fn broken_databases_say_why() {
        assert!(matches!(read(&[]), Err(DatabaseError::Broken(_))));
        let good = write(4, &[("0.0.0.0/1", city("EU", "DE", "BE", (1.0, 2.0)))], None);
        for cut in 0..good.len() {
            // Whatever is cut off, nothing panics.
            let _ = read(&good[..cut]);
        }
        let shape = Value::Map(vec![("country", Value::Text("DE"))]);
        let error = read(&write(4, &[("0.0.0.0/1", shape)], None)).unwrap_err();
        assert!(error.to_string().contains("at 0.0.0.0 "), "{error}");
        let other = Value::Map(vec![("domain", Value::Text("example.com"))]);
        let error = read(&write(4, &[("0.0.0.0/1", other)], None)).unwrap_err();
        assert!(error.to_string().contains("\"Test-City\" and says nothing"), "{error}");
        assert!(matches!(read(&write(4, &[], None)), Err(DatabaseError::SaysNothing(_))));
        let missing = read_file(Path::new("/nonexistent/city.mmdb")).unwrap_err();
        assert!(matches!(missing, DatabaseError::Unreadable(_)));
        assert!(matches!(read_file(Path::new("/")), Err(DatabaseError::NotAFile)));
    }
}
