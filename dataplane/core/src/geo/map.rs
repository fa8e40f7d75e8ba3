//! The overlay of all geo databases: the location of every address.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::cover::Cover;
use super::location::{Code, Location, Locations};
use super::prefix::{Address, Subnet};

/// The location of every IPv4 and IPv6 address. Addresses that no database knows have the default
/// location, which says nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct GeoMap {
    locations: Box<[Location]>,
    ipv4: Cover<u32>,
    ipv6: Cover<u128>,
}

/// Of what kinds the locations of a map are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The countries and the continents that they are in, as often as these differ; either may be missing.
    pub places: HashSet<(Option<Code>, Option<Code>)>,
    /// Whether some have coordinates.
    pub coordinates: bool,
    /// Whether some have an AS number.
    pub asn: bool,
}

/// A map that knows nothing.
impl Default for GeoMap {
    fn default() -> GeoMap {
        GeoMap { locations: [Location::default()].into(), ipv4: Cover::whole(0), ipv6: Cover::whole(0) }
    }
}

impl GeoMap {
    /// A map from covers whose values are indexes into `locations`.
    pub(super) fn new(locations: Box<[Location]>, ipv4: Cover<u32>, ipv6: Cover<u128>) -> GeoMap {
        GeoMap { locations, ipv4, ipv6 }
    }

    /// A map from networks, which may nest: the longest decides.
    pub fn from_networks(networks: &[(Subnet, Location)]) -> GeoMap {
        let mut locations = Locations::default();
        locations.number(Location::default());
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for &(subnet, location) in networks {
            let number = locations.number(location);
            match subnet {
                Subnet::V4(prefix) => ipv4.push((prefix, number)),
                Subnet::V6(prefix) => ipv6.push((prefix, number)),
            }
        }
        GeoMap::new(locations.into_all(), Cover::from_nested(ipv4, 0), Cover::from_nested(ipv6, 0))
    }

    /// This map, completed by another (see [`Location::completed_by`]).
    pub fn overlay(&self, other: &GeoMap) -> GeoMap {
        let mut locations = Locations::default();
        let mut known = HashMap::new();
        let mut combine = |left: u32, right: u32| {
            *known
                .entry((left, right))
                .or_insert_with(|| locations.number(self.location(left).completed_by(other.location(right))))
        };
        let ipv4 = self.ipv4.overlay(&other.ipv4, &mut combine);
        let ipv6 = self.ipv6.overlay(&other.ipv6, &mut combine);
        GeoMap::new(locations.into_all(), ipv4, ipv6)
    }

    /// The distinct locations; the covers' values are indexes into them.
    pub fn locations(&self) -> &[Location] {
        &self.locations
    }

    /// Of what kinds the locations are.
    pub fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        for location in &self.locations {
            if location.country.or(location.continent).is_some() {
                contents.places.insert((location.country, location.continent));
            }
            contents.coordinates |= location.coordinates.is_some();
            contents.asn |= location.asn.is_some();
        }
        contents
    }

    /// The cover of the IPv4 address space.
    pub fn ipv4(&self) -> &Cover<u32> {
        &self.ipv4
    }

    /// The cover of the IPv6 address space.
    pub fn ipv6(&self) -> &Cover<u128> {
        &self.ipv6
    }

    /// The number of the location of an address; IPv4-mapped IPv6 is IPv4.
    pub fn locate(&self, address: IpAddr) -> u32 {
        fn value<A: Address>(cover: &Cover<A>, address: A) -> u32 {
            cover.find(address).1
        }
        match address.to_canonical() {
            IpAddr::V4(address) => value(&self.ipv4, u32::from(address)),
            IpAddr::V6(address) => value(&self.ipv6, u128::from(address)),
        }
    }

    /// The location of a number.
    pub fn location(&self, number: u32) -> &Location {
        const NOWHERE: Location =
            Location { continent: None, country: None, subdivision: None, asn: None, coordinates: None };
        self.locations.get(number as usize).unwrap_or(&NOWHERE)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geo::location::Coordinates;

    #[test]
    fn databases_complete_each_other() {
        let country = |code| Location { country: Code::two_letters(code), ..Location::default() };
        let asn = |asn| Location { asn: Some(asn), ..Location::default() };
        let city = GeoMap::from_networks(&[
            ("192.0.2.0/24".parse().unwrap(), country("DE")),
            ("2001:db8::/32".parse().unwrap(), country("FR")),
        ]);
        let networks = GeoMap::from_networks(&[
            ("192.0.2.128/25".parse().unwrap(), asn(64_500)),
            ("198.51.100.0/24".parse().unwrap(), asn(64_501)),
        ]);
        let both = city.overlay(&networks);
        let at = |address: &str| {
            let location = both.location(both.locate(address.parse().unwrap()));
            (location.country.map(|code| code.to_string()), location.asn)
        };
        assert_eq!(at("192.0.2.1"), (Some("DE".into()), None));
        assert_eq!(at("192.0.2.200"), (Some("DE".into()), Some(64_500)));
        assert_eq!(at("::ffff:192.0.2.200"), (Some("DE".into()), Some(64_500)));
        assert_eq!(at("198.51.100.1"), (None, Some(64_501)));
        assert_eq!(at("2001:db8::1"), (Some("FR".into()), None));
        assert_eq!(at("203.0.113.1"), (None, None));
    }

    #[test]
    fn contents_are_of_the_kinds_that_locations_have() {
        let of = |location| GeoMap::from_networks(&[("192.0.2.0/24".parse().unwrap(), location)]).contents();
        let (country, continent) = (Code::two_letters("DE"), Code::two_letters("EU"));
        let asn = of(Location { asn: Some(64_500), ..Location::default() });
        assert_eq!(asn, Contents { asn: true, ..Contents::default() });
        let place = of(Location { country, continent, ..Location::default() });
        assert_eq!(place, Contents { places: [(country, continent)].into(), ..Contents::default() });
        let point = of(Location { coordinates: Coordinates::new(1.0, 2.0), ..Location::default() });
        assert_eq!(point, Contents { coordinates: true, ..Contents::default() });
        assert_eq!(GeoMap::default().contents(), Contents::default());
    }
}
