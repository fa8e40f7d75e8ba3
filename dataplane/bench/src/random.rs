//! Numbers that are the same in every run.

use gslb_core::steer::Random;

/// A generator for one purpose.
pub fn generator(purpose: u64) -> Random {
    Random::new(purpose)
}

/// One of a list.
pub fn choose<'l, T>(random: &mut Random, list: &'l [T]) -> &'l T {
    let index = random.below(list.len() as u64) as usize;
    list.get(index).expect("the list is not empty")
}

/// A number between both.
pub fn between(random: &mut Random, low: f64, high: f64) -> f64 {
    low + (high - low) * random.unit()
}
