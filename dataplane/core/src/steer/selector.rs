//! Location selectors: what a geo rule or a latency row is about.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::geo::cover::Cover;
use crate::geo::location::{Code, Location};
use crate::geo::prefix::{Address, Prefix, Subnet};

/// What a selector looks at, most specific first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Subnet,
    Asn,
    Subdivision,
    Country,
    Continent,
    Default,
}

impl Kind {
    /// Its word in the site's files.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Subnet => "subnet",
            Kind::Asn => "asn",
            Kind::Subdivision => "subdivision",
            Kind::Country => "country",
            Kind::Continent => "continent",
            Kind::Default => "default",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Selector {
    Subnet(Subnet),
    Asn(u32),
    Subdivision(Code),
    Country(Code),
    Continent(Code),
    Default,
}

const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

impl Selector {
    /// Reads a selector; the error says what is wrong with `value` and what to write.
    pub fn parse(kind: Kind, value: &str) -> Result<Selector, String> {
        let bad = |hint: &str| format!("{value:?} {hint}");
        match kind {
            Kind::Subnet => value.parse().map(Selector::Subnet).map_err(|error| bad(&error.to_string())),
            Kind::Asn => {
                let digits = value.strip_prefix("AS").unwrap_or(value);
                let plain = digits.bytes().all(|octet| octet.is_ascii_digit());
                digits
                    .parse()
                    .ok()
                    .filter(|_| plain)
                    .map(Selector::Asn)
                    .ok_or_else(|| bad("is not an AS number: write 0 to 4294967295, such as 64500"))
            }
            Kind::Subdivision => value
                .split_once('-')
                .and_then(|(country, part)| Code::subdivision(Code::two_letters(country)?, part))
                .map(Selector::Subdivision)
                .ok_or_else(|| bad("is not a subdivision: write its ISO 3166-2 code, such as US-CA")),
            Kind::Country => Code::two_letters(value)
                .map(Selector::Country)
                .ok_or_else(|| bad("is not a country: write its ISO 3166-1 code of two letters, such as DE")),
            Kind::Continent => Code::two_letters(value)
                .filter(|code| CONTINENTS.contains(&code.as_str()))
                .map(Selector::Continent)
                .ok_or_else(|| bad(&format!("is not a continent: write one of {}", CONTINENTS.join(", ")))),
            Kind::Default if value.is_empty() => Ok(Selector::Default),
            Kind::Default => Err(bad("is given, but the default takes no value: leave it out")),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Selector::Subnet(_) => Kind::Subnet,
            Selector::Asn(_) => Kind::Asn,
            Selector::Subdivision(_) => Kind::Subdivision,
            Selector::Country(_) => Kind::Country,
            Selector::Continent(_) => Kind::Continent,
            Selector::Default => Kind::Default,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Subnet(subnet) => subnet.fmt(f),
            Selector::Asn(asn) => asn.fmt(f),
            Selector::Subdivision(code) | Selector::Country(code) | Selector::Continent(code) => code.fmt(f),
            Selector::Default => f.write_str("default"),
        }
    }
}

/// The subnets that a policy's selectors name, and the longest of them for every address.
#[derive(Debug)]
pub(super) struct Subnets {
    /// Each subnet with the number of the next shorter one around it. Numbers count from 1.
    all: Box<[(Subnet, u32)]>,
    pub ipv4: Cover<u32>,
    pub ipv6: Cover<u128>,
}

/// The number that stands for no subnet.
pub(super) const NO_SUBNET: u32 = 0;

impl Subnets {
    pub fn new(mut subnets: Vec<Subnet>) -> Subnets {
        subnets.sort();
        subnets.dedup();
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for (number, subnet) in (1..).zip(&subnets) {
            match *subnet {
                Subnet::V4(prefix) => ipv4.push((prefix, number)),
                Subnet::V6(prefix) => ipv6.push((prefix, number)),
            }
        }
        let parents = parents(&ipv4).into_iter().chain(parents(&ipv6));
        Subnets {
            // Sorted, IPv4 comes before IPv6, as in the chained parents.
            all: subnets.iter().copied().zip(parents).collect(),
            ipv4: Cover::from_nested(ipv4, NO_SUBNET),
            ipv6: Cover::from_nested(ipv6, NO_SUBNET),
        }
    }

    /// The subnet of this number and those around it, longest first.
    fn chain(&self, number: u32) -> impl Iterator<Item = Subnet> + '_ {
        let get = |number: u32| self.all.get((number as usize).checked_sub(1)?);
        std::iter::successors(get(number), move |(_, parent)| get(*parent)).map(|(subnet, _)| *subnet)
    }
}

fn parents<A: Address>(sorted: &[(Prefix<A>, u32)]) -> Vec<u32> {
    let mut open: Vec<(Prefix<A>, u32)> = Vec::new();
    let mut parents = Vec::with_capacity(sorted.len());
    for &(prefix, number) in sorted {
        while open.last().is_some_and(|(outer, _)| !outer.contains(prefix.start)) {
            open.pop();
        }
        parents.push(open.last().map_or(NO_SUBNET, |&(_, outer)| outer));
        open.push((prefix, number));
    }
    parents
}

/// What selectors can see of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site<'a> {
    pub location: &'a Location,
    /// Number of the longest of the policy's subnets that holds the client.
    pub subnet: u32,
    pub subnets: &'a Subnets,
}

impl Site<'_> {
    /// Every selector that matches the client, most specific first.
    fn selectors(&self) -> impl Iterator<Item = Selector> + '_ {
        let location = self.location;
        self.subnets
            .chain(self.subnet)
            .map(Selector::Subnet)
            .chain(location.asn.map(Selector::Asn))
            .chain(location.subdivision.map(Selector::Subdivision))
            .chain(location.country.map(Selector::Country))
            .chain(location.continent.map(Selector::Continent))
            .chain([Selector::Default])
    }
}

/// A number for each of some selectors.
#[derive(Debug, Default)]
pub(super) struct Selectors(HashMap<Selector, u32>);

impl Selectors {
    /// The number of a selector, if it is known.
    pub fn get(&self, selector: &Selector) -> Option<u32> {
        self.0.get(selector).copied()
    }

    pub fn insert(&mut self, selector: Selector, number: u32) {
        self.0.insert(selector, number);
    }

    /// Numbers of the selectors that match the client, most specific first.
    pub fn matches(&self, site: &Site<'_>) -> impl Iterator<Item = u32> {
        site.selectors().filter_map(|selector| self.get(&selector))
    }

    pub fn subnets(&self) -> impl Iterator<Item = Subnet> + '_ {
        self.0.keys().filter_map(|selector| match selector {
            Selector::Subnet(subnet) => Some(*subnet),
            _ => None,
        })
    }

    /// Whether clients at different places can match differently.
    pub fn look_at_location(&self) -> bool {
        self.0.keys().any(|selector| *selector != Selector::Default)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn selector(kind: Kind, value: &str) -> Selector {
        Selector::parse(kind, value).unwrap()
    }

    #[test]
    fn selectors_read_and_print() {
        assert_eq!(selector(Kind::Asn, "AS64500"), Selector::Asn(64_500));
        assert_eq!(selector(Kind::Subdivision, "us-ca").to_string(), "US-CA");
        assert_eq!(selector(Kind::Country, "de").to_string(), "DE");
        assert_eq!(selector(Kind::Subnet, "192.0.2.0/24").kind(), Kind::Subnet);
        for (kind, value) in [
            (Kind::Asn, ""),
            (Kind::Asn, "+1"),
            (Kind::Asn, "4294967296"),
            (Kind::Subdivision, "USCA"),
            (Kind::Country, "DEU"),
            (Kind::Continent, "XX"),
            (Kind::Default, "x"),
            (Kind::Subnet, "192.0.2.1/24"),
        ] {
            let error = Selector::parse(kind, value).unwrap_err();
            assert!(error.starts_with(&format!("{value:?} ")), "{error}");
        }
    }

    #[test]
    fn the_most_specific_comes_first() {
        let nets = ["192.0.2.0/24", "192.0.0.0/16", "2001:db8::/32", "192.0.2.128/25", "10.0.0.0/8"];
        let subnets = Subnets::new(nets.iter().map(|net| net.parse().unwrap()).collect());
        let us = Code::two_letters("US").unwrap();
        let location = Location {
            continent: Code::two_letters("NA"),
            country: Some(us),
            subdivision: Code::subdivision(us, "CA"),
            asn: Some(64_500),
            coordinates: None,
        };
        let seen = |address: u32| {
            let site = Site { location: &location, subnet: subnets.ipv4.find(address).1, subnets: &subnets };
            site.selectors().map(|selector| selector.to_string()).collect::<Vec<_>>().join(" ")
        };
        let place = "64500 US-CA US NA default";
        assert_eq!(seen(0xc000_0281), format!("192.0.2.128/25 192.0.2.0/24 192.0.0.0/16 {place}"));
        assert_eq!(seen(0xc000_0301), format!("192.0.0.0/16 {place}"));
        assert_eq!(seen(0x0b00_0001), place);
        let site =
            Site { location: &location, subnet: subnets.ipv6.find(0x2001_0db8 << 96).1, subnets: &subnets };
        assert!(site.selectors().next() == Some(selector(Kind::Subnet, "2001:db8::/32")));
    }
}
