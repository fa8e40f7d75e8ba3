//! Great-circle distances.

use crate::geo::location::Coordinates;

/// Mean radius of the Earth in kilometres (IUGG).
const EARTH_RADIUS: f64 = 6371.0088;

/// The point on the unit sphere.
pub(super) fn unit_vector(at: Coordinates) -> [f64; 3] {
    let (latitude, longitude) = (at.latitude.to_radians(), at.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

/// The squared length of the chord between two points of the unit sphere. It grows with the
/// great-circle distance and is four times the haversine of the central angle, so it ranks POPs
/// without any trigonometry.
pub(super) fn chord(from: [f64; 3], to: [f64; 3]) -> f64 {
    from.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The great-circle distance of a squared chord.
pub(super) fn kilometres(chord: f64) -> f64 {
    let haversine = (chord / 4.0).clamp(0.0, 1.0);
    2.0 * EARTH_RADIUS * haversine.sqrt().asin()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
        let vector = |(latitude, longitude)| unit_vector(Coordinates::new(latitude, longitude).unwrap());
        kilometres(chord(vector(from), vector(to)))
    }

    #[test]
    fn distances_are_great_circles() {
        assert!((distance((50.11, 8.68), (52.37, 4.90)) - 364.0).abs() < 2.0, "Frankfurt to Amsterdam");
        assert!((distance((37.62, -122.38), (35.55, 139.78)) - 8_280.0).abs() < 20.0, "across 180 degrees");
        assert!((distance((0.0, 0.0), (0.0, 180.0)) - 20_015.1).abs() < 0.1);
        assert_eq!(distance((50.0, 8.0), (50.0, 8.0)), 0.0);
        assert!((distance((50.0, 8.0), (50.00001, 8.0)) - 0.00111).abs() < 0.00001);
    }
}
