//! Addresses of clients at a location, for tests that say "a client in DE".

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::selector::{Kind, Selector};
use super::steering::Steering;
use crate::geo::location::Location;

impl Steering {
    /// For each selector an address of each distinct location that it names, as the geo databases have it: no step can
    /// tell its clients apart but by subnet. IPv4 first, at most `limit`; none when the databases know no such location.
    /// Selectors are kinds and values as in a geo rule; `subnet` and `default` name no location. All of them share one
    /// walk over the networks, which ends when nothing is missing.
    ///
    /// # Errors
    /// Says what is wrong with the first bad kind or value.
    pub fn examples(&self, selectors: &[(String, String)], limit: usize) -> Result<Vec<Vec<IpAddr>>, String> {
        let mut asking: HashMap<Selector, Vec<usize>> = HashMap::new();
        for (index, (kind, value)) in selectors.iter().enumerate() {
            asking.entry(parse(kind, value)?).or_default().push(index);
        }
        // Who wants an example of each location.
        let mut wanted: Vec<Vec<usize>> =
            self.map.locations().iter().map(|location| askers(&asking, location)).collect();
        let mut counts = vec![0; selectors.len()];
        for &asker in wanted.iter().flatten() {
            if let Some(count) = counts.get_mut(asker) {
                *count = limit.min(*count + 1);
            }
        }
        let mut search =
            Search { found: vec![Vec::new(); selectors.len()], limit, missing: counts.iter().sum() };
        // The middle of a network: its first address may be a network of its own in other eyes.
        let ipv4 = self.map.ipv4().leaves().map(|(prefix, location)| {
            let middle = prefix.start + (prefix.last() - prefix.start) / 2;
            (location, IpAddr::V4(Ipv4Addr::from_bits(middle)))
        });
        let ipv6 = self.map.ipv6().leaves().map(|(prefix, location)| {
            let middle = prefix.start + (prefix.last() - prefix.start) / 2;
            (location, IpAddr::V6(Ipv6Addr::from_bits(middle)))
        });
        for (location, address) in ipv4.chain(ipv6) {
            if search.missing == 0 {
                break;
            }
            if let Some(askers) = wanted.get_mut(location as usize) {
                search.give(std::mem::take(askers), address);
            }
        }
        Ok(search.found)
    }
}

/// The examples so far, and how many there still will be.
struct Search {
    found: Vec<Vec<IpAddr>>,
    limit: usize,
    missing: usize,
}

impl Search {
    /// The address is the example of a location, which these ask for; nobody does twice.
    fn give(&mut self, askers: Vec<usize>, address: IpAddr) {
        for asker in askers {
            if let Some(found) = self.found.get_mut(asker)
                && found.len() < self.limit
            {
                found.push(address);
                self.missing -= 1;
            }
        }
    }
}

fn parse(kind: &str, value: &str) -> Result<Selector, String> {
    let kind = match kind {
        "asn" => Kind::Asn,
        "subdivision" => Kind::Subdivision,
        "country" => Kind::Country,
        "continent" => Kind::Continent,
        _ => {
            return Err(format!("{kind:?} is no kind of location: asn, subdivision, country or continent"));
        }
    };
    Selector::parse(kind, value)
}

/// Those who ask for what a location lies in.
fn askers(asking: &HashMap<Selector, Vec<usize>>, location: &Location) -> Vec<usize> {
    let selectors = [
        location.asn.map(Selector::Asn),
        location.subdivision.map(Selector::Subdivision),
        location.country.map(Selector::Country),
        location.continent.map(Selector::Continent),
    ];
    selectors.iter().flatten().filter_map(|selector| asking.get(selector)).flatten().copied().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
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
        let examples = |selectors: &[(&str, &str)], limit| {
            let owned: Vec<_> =
                selectors.iter().map(|(kind, value)| (kind.to_string(), value.to_string())).collect();
            steering.examples(&owned, limit)
        };
        let all =
            [("country", "DE"), ("asn", "64500"), ("continent", "EU"), ("country", "DE"), ("country", "FR")];
        let found = examples(&all, 9).unwrap();
        let texts = |index: usize| -> Vec<String> { found[index].iter().map(IpAddr::to_string).collect() };
        assert_eq!(texts(0), ["192.0.2.63", "192.0.2.191", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"]);
        assert_eq!(found[1], [found[0][1]]);
        assert!(found[2].is_empty());
        assert_eq!(found[3], found[0]);
        assert_eq!(texts(4), ["2001:db9:7fff:ffff:ffff:ffff:ffff:ffff"]);
        for (index, one) in all.into_iter().enumerate() {
            assert_eq!(examples(&[one], 9).unwrap(), [found[index].clone()]);
        }
        assert_eq!(examples(&all, 2).unwrap()[0], found[0][..2]);
        assert!(examples(&[("country", "DE"), ("country", "DEU")], 9).unwrap_err().contains("two letters"));
        assert!(examples(&[("city", "Bonn")], 9).is_err());
        assert!(examples(&[], 9).unwrap().is_empty());
    }
}
