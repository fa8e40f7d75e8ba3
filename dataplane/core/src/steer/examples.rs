//! Addresses of clients at a location, for tests that say "a client in DE".

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::selector::{Kind, Selector};
use super::steering::Steering;
use crate::geo::location::Location;

impl Steering {
    /// An address of each distinct location that a selector names, as the geo databases have it: no step can tell
    /// its clients apart but by subnet. IPv4 first, at most `limit`; none when the databases know no such location.
    /// `kind` and `value` are as in a geo rule; `subnet` and `default` name no location.
    ///
    /// # Errors
    /// Says what is wrong with the kind or the value.
    pub fn examples(&self, kind: &str, value: &str, limit: usize) -> Result<Vec<IpAddr>, String> {
        let kind = match kind {
            "asn" => Kind::Asn,
            "subdivision" => Kind::Subdivision,
            "country" => Kind::Country,
            "continent" => Kind::Continent,
            _ => {
                return Err(format!(
                    "{kind:?} is no kind of location: asn, subdivision, country or continent"
                ));
            }
        };
        let selector = Selector::parse(kind, value)?;
        let wanted: HashSet<u32> = (0..)
            .zip(self.map.locations())
            .filter(|(_, location)| is_at(&selector, location))
            .map(|(number, _)| number)
            .collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        // The middle of a network: its first address may be a network of its own in other eyes.
        let ipv4 = self.map.ipv4().leaves().map(|(prefix, location)| {
            let middle = prefix.start + (prefix.last() - prefix.start) / 2;
            (location, IpAddr::V4(Ipv4Addr::from_bits(middle)))
        });
        let ipv6 = self.map.ipv6().leaves().map(|(prefix, location)| {
            let middle = prefix.start + (prefix.last() - prefix.start) / 2;
            (location, IpAddr::V6(Ipv6Addr::from_bits(middle)))
        });
        let mut seen = HashSet::new();
        Ok(ipv4
            .chain(ipv6)
            .filter(|(location, _)| wanted.contains(location) && seen.insert(*location))
            .map(|(_, address)| address)
            .take(limit)
            .collect())
    }
}

fn is_at(selector: &Selector, location: &Location) -> bool {
    match selector {
        Selector::Asn(asn) => location.asn == Some(*asn),
        Selector::Subdivision(code) => location.subdivision == Some(*code),
        Selector::Country(code) => location.country == Some(*code),
        Selector::Continent(code) => location.continent == Some(*code),
        Selector::Subnet(_) | Selector::Default => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::geo::location::Code;
    use crate::geo::map::GeoMap;
    use std::sync::Arc;

    #[test]
    fn each_location_has_an_example() {
        let place =
            |country, asn| Location { country: Code::two_letters(country), asn, ..Location::default() };
        let map = GeoMap::from_networks(&[
            ("192.0.2.0/25".parse().unwrap(), place("DE", None)),
            ("192.0.2.128/25".parse().unwrap(), place("DE", Some(64_500))),
            ("198.51.100.0/24".parse().unwrap(), place("DE", None)),
            ("2001:db8::/32".parse().unwrap(), place("DE", Some(64_501))),
            ("2001:db9::/32".parse().unwrap(), place("FR", None)),
        ]);
        let steering = Steering { map: Arc::new(map), ..Steering::default() };
        let found = steering.examples("country", "DE", 9).unwrap();
        let texts: Vec<String> = found.iter().map(IpAddr::to_string).collect();
        assert_eq!(texts, ["192.0.2.63", "192.0.2.191", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"]);
        assert_eq!(steering.examples("asn", "64500", 9).unwrap(), [found[1]]);
        assert_eq!(steering.examples("country", "DE", 2).unwrap(), found[..2]);
        assert!(steering.examples("continent", "EU", 9).unwrap().is_empty());
        assert!(steering.examples("country", "DEU", 9).unwrap_err().contains("two letters"));
        assert!(steering.examples("city", "Bonn", 9).is_err());
    }
}
