//! Shedding: units whose load is above a low watermark step back for some of the queries, above the high one for
//! all.

use super::random::mix;

/// A load that nothing is known of, as it crosses the boundary and as it is kept.
pub const UNKNOWN_LOAD: u16 = u16::MAX;

/// Between which loads a unit is shed for a growing share of queries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Watermarks {
    low: f64,
    high: f64,
}

impl Watermarks {
    /// `None` unless 0 <= low < high <= 10.
    pub fn new(low: f64, high: f64) -> Option<Watermarks> {
        (0.0 <= low && low < high && high <= 10.0).then_some(Watermarks { low, high })
    }

    /// The probability that a unit of this load (in thousandths) is shed.
    #[inline]
    pub fn probability(self, load: u16) -> f64 {
        if load == UNKNOWN_LOAD {
            return 0.0;
        }
        ((f64::from(load) / 1000.0 - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Whether the unit at a position is shed for the query that drew `nonce`.
    #[inline]
    pub fn sheds(self, load: u16, nonce: u64, position: u16) -> bool {
        let probability = self.probability(load);
        probability > 0.0 && drawn(nonce, position) < probability
    }
}

/// A number from 0 to below 1 for a unit and a query: the same however often it is asked for.
#[inline]
fn drawn(nonce: u64, position: u16) -> f64 {
    let bits = mix(nonce ^ u64::from(position).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::steer::random::Random;

    #[test]
    fn the_probability_grows_between_the_watermarks() {
        let marks = Watermarks::new(0.7, 0.9).unwrap();
        for (load, probability) in [(0, 0.0), (700, 0.0), (750, 0.25), (800, 0.5), (900, 1.0), (65_534, 1.0)]
        {
            assert!((marks.probability(load) - probability).abs() < 1e-9, "{load}");
        }
        assert_eq!(marks.probability(UNKNOWN_LOAD), 0.0);
        for (low, high) in [(0.5, 0.5), (-0.1, 1.0), (0.0, 10.1), (f64::NAN, 1.0), (0.1, f64::NAN)] {
            assert_eq!(Watermarks::new(low, high), None);
        }
    }

    #[test]
    fn the_share_is_the_probability_and_units_are_independent() {
        let marks = Watermarks::new(0.0, 1.0).unwrap();
        let mut random = Random::new(4);
        let (mut one, mut both) = (0, 0);
        for _ in 0..100_000 {
            let nonce = random.next_u64();
            let shed = marks.sheds(300, nonce, 3);
            one += u32::from(shed);
            both += u32::from(shed && marks.sheds(300, nonce, 4));
        }
        assert!((29_500..30_500).contains(&one) && (8_700..9_300).contains(&both), "{one} {both}");
    }
}
