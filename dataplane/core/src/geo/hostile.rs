//! Tests of damaged and hostile databases: whatever a file holds, reading it ends soon, in bounded memory, without a
//! panic.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use super::encoder::{Value, write};
use super::map::GeoMap;
use super::mmdb::{DatabaseError, read};

/// No database here is so large that it may take longer, even on a busy machine.
const SOON: Duration = Duration::from_secs(20);

fn city(country: &'static str, part: &'static str, at: (f64, f64)) -> Value {
    Value::Map(vec![
        ("continent", Value::Map(vec![("code", Value::Text("EU"))])),
        ("country", Value::Map(vec![("iso_code", Value::Text(country))])),
        ("subdivisions", Value::List(vec![Value::Map(vec![("iso_code", Value::Text(part))])])),
        ("location", Value::Map(vec![("latitude", Value::Double(at.0)), ("longitude", Value::Double(at.1))])),
    ])
}

fn fixture(version: u16) -> Vec<u8> {
    let mut networks = vec![
        ("192.0.2.0/24", city("DE", "BE", (52.5, 13.4))),
        ("198.51.100.0/24", city("FR", "IDF", (48.9, 2.4))),
        ("203.0.113.0/25", Value::Pointer(0)),
        ("203.0.113.128/25", Value::Map(vec![("autonomous_system_number", Value::Number(64_500))])),
    ];
    if version == 6 {
        networks.push(("2001:db8::/32", city("NL", "NH", (52.4, 4.9))));
        networks.push(("2001:db9::/48", Value::Map(vec![("country", Value::Pointer(28))])));
    }
    write(version, &networks, (version == 6).then_some((0x2002_u128 << 112, 16)))
}

/// xorshift64*: the same octets on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// A few of the ways in which files go bad.
fn damage(octets: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(octets.len());
        match dice.below(8) {
            0..=2 => octets[at] ^= 1 << dice.below(8),
            3 => octets[at] = [0, 1, 0x1f, 0x20, 0x3f, 0xe0, 0xfd, 0xff][dice.below(8)],
            4 => octets.truncate(at.max(1)),
            5 => {
                let end = (at + dice.below(40)).min(octets.len());
                octets.drain(at..end);
            }
            6 => {
                let part: Vec<u8> =
                    octets.iter().skip(dice.below(octets.len())).take(dice.below(40)).copied().collect();
                octets.splice(at..at, part);
            }
            _ => {
                let end = (at + 1 + dice.below(16)).min(octets.len());
                octets[at..end].fill(0xff);
            }
        }
        if octets.is_empty() {
            octets.push(0);
        }
    }
}

fn is_small(map: &GeoMap, octets: usize) -> bool {
    map.ipv4().len() + map.ipv6().len() + map.locations().len() < 400 * (octets + 100)
}

#[test]
fn thousands_of_damaged_files_are_read_or_refused() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut read_anyway, mut refused) = (0, 0);
    let started = Instant::now();
    for version in [4, 6] {
        let good = fixture(version);
        let whole = read(&good).unwrap();
        assert!(whole.locations().len() > 3);
        for _ in 0..10_000 {
            let mut octets = good.clone();
            damage(&mut octets, &mut dice);
            match read(&octets) {
                Ok(map) => {
                    assert!(is_small(&map, octets.len()));
                    read_anyway += 1;
                }
                Err(error) => {
                    assert!(error.to_string().len() < 500, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(started.elapsed() < 10 * SOON);
    assert!(read_anyway > 500 && refused > 5_000, "{read_anyway} read, {refused} refused");
}

#[test]
fn pointers_that_lead_to_each_other_are_refused() {
    let loops = [
        Value::Pointer(0),
        Value::Map(vec![("country", Value::Pointer(0))]),
        Value::Map(vec![
            ("names", Value::Pointer(0)),
            ("country", Value::Map(vec![("iso_code", Value::Pointer(0))])),
        ]),
        Value::Map(vec![("subdivisions", Value::List(vec![Value::Pointer(0), Value::Pointer(0)]))]),
        // Far outside of the file.
        Value::Raw(vec![0x3f, 0xff, 0xff, 0xff, 0xff]),
    ];
    for (number, value) in loops.into_iter().enumerate() {
        let started = Instant::now();
        assert!(read(&write(4, &[("0.0.0.0/1", value)], None)).is_err(), "{number}");
        assert!(started.elapsed() < SOON);
    }
}

#[test]
fn maps_within_maps_and_huge_sizes_are_refused() {
    // {"a": {"a": {"a": …}}}, where nothing looks and where something does.
    let deep = |key: &'static str| {
        let mut octets = vec![0xe1, 0x40 | key.len() as u8];
        octets.extend(key.bytes());
        let one = [0xe1, 0x41, b'a'];
        octets.extend(one.iter().cycle().take(3 * 100_000));
        octets
    };
    // A list that says to have 16 million items, and a map and a text alike.
    let sizes = [&[0x1f, 4, 0xff, 0xff, 0xff][..], &[0xff, 0xff, 0xff, 0xff], &[0x5f, 0xff, 0xff, 0xff]];
    let huge = sizes.map(|size| {
        let mut octets = vec![0xe1, 0x4c];
        octets.extend(b"subdivisions");
        octets.extend(size);
        octets.extend([0xe0; 70_000]);
        octets
    });
    for octets in [deep("names"), deep("country"), deep("location")].into_iter().chain(huge) {
        let started = Instant::now();
        let error = read(&write(4, &[("0.0.0.0/1", Value::Raw(octets))], None)).unwrap_err();
        assert!(matches!(error, DatabaseError::Record { .. }), "{error}");
        assert!(started.elapsed() < SOON);
    }
}
