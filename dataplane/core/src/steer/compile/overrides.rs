//! The operator's own location data.

use std::collections::HashMap;

use crate::geo::location::{Code, Coordinates, Location};
use crate::geo::map::GeoMap;
use crate::geo::prefix::Subnet;
use crate::steer::document::{OverrideEntry, Text};
use crate::steer::error::SteerError;
use crate::steer::model::Place;
use crate::steer::selector::{Kind, Selector};

/// The map of the overrides, if there are any. Where one names a country only, its continent is what `databases` say
/// of that country elsewhere.
pub(super) fn overrides(
    entries: &[OverrideEntry<'_>],
    databases: &GeoMap,
) -> Result<Option<GeoMap>, SteerError> {
    if entries.is_empty() {
        return Ok(None);
    }
    let pairs = databases.locations().iter().filter_map(|location| location.country.zip(location.continent));
    // Of several the first in the databases.
    let mut continents = HashMap::new();
    pairs.for_each(|(country, continent)| {
        continents.entry(country).or_insert(continent);
    });
    let mut networks: Vec<(Subnet, Location)> = entries
        .iter()
        .map(|entry| {
            network(entry).map_err(|message| {
                let place = Place::new(&entry.file, entry.line);
                SteerError::declared(&place, format!("override of {}: {message}", entry.network))
            })
        })
        .collect::<Result<_, _>>()?;
    for (_, location) in &mut networks {
        let country = location.country.and_then(|country| continents.get(&country).copied());
        location.continent = location.continent.or(country);
    }
    Ok(Some(GeoMap::from_networks(&networks)))
}

fn network(entry: &OverrideEntry<'_>) -> Result<(Subnet, Location), String> {
    let subnet = entry.network.parse().map_err(|error| format!("{:?} {error}", entry.network))?;
    let code = |kind, text: &Option<Text<'_>>| match text.as_deref() {
        None | Some("") => Ok(None),
        Some(text) => Selector::parse(kind, text).map(|selector| match selector {
            Selector::Continent(code) | Selector::Country(code) | Selector::Subdivision(code) => Some(code),
            _ => None,
        }),
    };
    let subdivision: Option<Code> = code(Kind::Subdivision, &entry.subdivision)?;
    let country = code(Kind::Country, &entry.country)?.or(subdivision.and_then(Code::country));
    let coordinates = match (entry.latitude, entry.longitude) {
        (None, None) => None,
        (Some(latitude), Some(longitude)) => Some(
            Coordinates::new(latitude, longitude)
                .ok_or("latitude must be -90 to 90 and longitude -180 to 180")?,
        ),
        _ => return Err("latitude and longitude must be given together".to_owned()),
    };
    let location = Location {
        continent: code(Kind::Continent, &entry.continent)?,
        country,
        subdivision,
        asn: entry.asn,
        coordinates,
    };
    Ok((subnet, location))
}
