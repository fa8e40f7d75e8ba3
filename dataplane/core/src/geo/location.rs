//! What a geo database says about a network.

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// A continent, country (ISO 3166-1 alpha-2) or subdivision (ISO 3166-2, such as `US-CA`) code in
/// upper case, at most [`Code::MAX`] octets.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    octets: [u8; Code::MAX],
    length: u8,
}

impl Code {
    /// Longest code: two letters, a hyphen, three letters or digits.
    pub const MAX: usize = 6;

    /// A continent or country code: two letters.
    pub fn two_letters(text: &str) -> Option<Code> {
        (text.len() == 2 && text.bytes().all(|octet| octet.is_ascii_alphabetic()))
            .then(|| Code::upper(text.as_bytes()))
    }

    /// A subdivision of `country`, whose own part is one to three letters or digits.
    pub fn subdivision(country: Code, part: &str) -> Option<Code> {
        let good = (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_alphanumeric());
        good.then(|| Code::upper(format!("{country}-{part}").as_bytes()))
    }

    /// The country of a subdivision.
    pub fn country(self) -> Option<Code> {
        self.as_str().split_once('-').and_then(|(country, _)| Code::two_letters(country))
    }

    fn upper(text: &[u8]) -> Code {
        let mut octets = [0; Code::MAX];
        for (octet, source) in octets.iter_mut().zip(text) {
            *octet = source.to_ascii_uppercase();
        }
        Code { octets, length: text.len().min(Code::MAX) as u8 }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        self.octets
            .get(..usize::from(self.length))
            .and_then(|octets| std::str::from_utf8(octets).ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Coordinates in degrees: latitude -90 to 90 (north positive), longitude -180 to 180 (east positive).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Coordinates {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl Coordinates {
    /// The coordinates, or `None` when they are out of range or not finite.
    pub fn new(latitude: f64, longitude: f64) -> Option<Coordinates> {
        // Adding zero turns -0.0 to 0.0, so that equal coordinates have equal bits.
        let good = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        good.then_some(Coordinates { latitude: latitude + 0.0, longitude: longitude + 0.0 })
    }

    /// The coordinates as bits, equal when the coordinates are.
    pub fn to_bits(self) -> (u64, u64) {
        (self.latitude.to_bits(), self.longitude.to_bits())
    }
}

impl PartialEq for Coordinates {
    fn eq(&self, other: &Coordinates) -> bool {
        self.to_bits() == other.to_bits()
    }
}

impl Eq for Coordinates {}

impl std::hash::Hash for Coordinates {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.to_bits().hash(state);
    }
}

/// Where a network is, as far as the databases say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Location {
    /// Continent code, such as `EU`.
    pub continent: Option<Code>,
    /// Country code, such as `DE`.
    pub country: Option<Code>,
    /// Largest subdivision, with its country: `US-CA`.
    pub subdivision: Option<Code>,
    /// Number of the autonomous system that announces the network.
    pub asn: Option<u32>,
    /// Its coordinates.
    #[serde(flatten)]
    pub coordinates: Option<Coordinates>,
}

impl Location {
    /// This location, with what it does not say taken from `other`: but for the ASN nothing when the two name different
    /// continents or countries, and no coordinates when they name different subdivisions. Half of one place and half of
    /// another is neither.
    pub fn completed_by(&self, other: &Location) -> Location {
        fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
            one.is_some() && other.is_some() && one != other
        }
        let mut all = *self;
        all.asn = all.asn.or(other.asn);
        if differ(self.continent, other.continent) || differ(self.country, other.country) {
            return all;
        }
        if !differ(self.subdivision, other.subdivision) {
            all.coordinates = all.coordinates.or(other.coordinates);
        }
        all.continent = all.continent.or(other.continent);
        all.country = all.country.or(other.country);
        all.subdivision = all.subdivision.or(other.subdivision);
        all
    }
}

/// Distinct locations, numbered from 0 in the order of their first mention.
#[derive(Debug, Default)]
pub struct Locations {
    all: Vec<Location>,
    numbers: HashMap<Location, u32>,
}

impl Locations {
    /// The number of a location.
    pub fn number(&mut self, location: Location) -> u32 {
        *self.numbers.entry(location).or_insert_with(|| {
            self.all.push(location);
            self.all.len() as u32 - 1
        })
    }

    /// The locations by number.
    pub fn into_all(self) -> Box<[Location]> {
        self.all.into()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn country(code: &str) -> Location {
        Location { country: Code::two_letters(code), ..Location::default() }
    }

    #[test]
    fn codes_are_checked_and_in_upper_case() {
        let us = Code::two_letters("us").unwrap();
        assert_eq!(us.as_str(), "US");
        assert_eq!(Code::subdivision(us, "ca").unwrap().as_str(), "US-CA");
        assert_eq!(Code::subdivision(us, "ENG").unwrap().as_str(), "US-ENG");
        for bad in ["", "U", "USA", "U1", "ü"] {
            assert_eq!(Code::two_letters(bad), None, "{bad}");
        }
        for bad in ["", "LONG", "ö", "a-b"] {
            assert_eq!(Code::subdivision(us, bad), None, "{bad}");
        }
    }

    #[test]
    fn coordinates_out_of_range_are_none() {
        assert!(Coordinates::new(90.0, -180.0).is_some());
        assert!(Coordinates::new(90.1, 0.0).is_none());
        assert!(Coordinates::new(0.0, f64::NAN).is_none());
        assert_eq!(Coordinates::new(-0.0, 0.0), Coordinates::new(0.0, -0.0));
    }

    #[test]
    fn completing_fills_gaps_but_never_mixes_countries() {
        let asn = Location { asn: Some(64_500), ..Location::default() };
        let both = country("DE").completed_by(&asn);
        assert_eq!((both.country, both.asn), (Code::two_letters("DE"), Some(64_500)));
        let mut other = country("US");
        other.subdivision = Code::subdivision(Code::two_letters("US").unwrap(), "CA");
        other.asn = Some(1);
        let mixed = country("DE").completed_by(&other);
        assert_eq!((mixed.subdivision, mixed.asn), (None, Some(1)));
        assert_eq!(country("US").completed_by(&other).subdivision, other.subdivision);
    }

    #[test]
    fn a_location_is_serialized_flat() {
        let mut location = country("DE");
        location.coordinates = Coordinates::new(50.0, 8.5);
        let json = serde_json::to_value(location).unwrap();
        assert_eq!(json["country"], "DE");
        assert_eq!(json["latitude"], 50.0);
        assert!(json["asn"].is_null());
    }
}
