//! Invariant: every call starts from a fresh seed and shares nothing with other calls, so nothing outlives it.

use std::hash::{BuildHasher, RandomState};

use plugin_api::prelude::*;
use plugin_api::reading::{Flag, Number, Numeric};

use crate::number::{result, undefined};

#[parameters]
pub(crate) struct Random {
    /// The least the number may be.
    #[serde(default)]
    #[schemars(extend("default" = 0))]
    min: Option<Numeric>,
    /// What the number stays below.
    #[serde(default)]
    #[schemars(extend("default" = 1))]
    max: Option<Numeric>,
    /// Whether it is an integer.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    integer: Option<Flag>,
}

/// Gives a random number from `min` up to, but without, `max`. When both are equal it is that number.
/// Not for secrets: the generator is made for speed.
#[node(
    id = "math.random",
    effect = "idempotent",
    tags = ["number", "random"],
    example(
        title = "the only integer from 5 up to 6",
        input = r#"{"min": 5, "max": 6, "integer": true}"#,
        output = r#"{"result": 5}"#
    ),
    example(title = "no choice", input = r#"{"min": 2.5, "max": 2.5}"#, output = r#"{"result": 2.5}"#)
)]
pub(crate) fn random(input: Random) -> NodeResult<Answer<Number>> {
    // The standard library keys its hash maps from the operating system; a hash under a fresh key is a seed.
    let mut generator = SplitMix64(RandomState::new().hash_one(0_u8));
    result(draw(&input, &mut generator)?, "max")
}

fn draw(input: &Random, generator: &mut SplitMix64) -> NodeResult<Number> {
    let min = input.min.map_or(Number::Int(0), |min| min.0);
    let max = input.max.map_or(Number::Int(1), |max| max.0);
    if min.compare(max).is_gt() {
        return Err(NodeError::invalid("min", "must not be larger than `max`"));
    }
    let integer = input.integer == Some(Flag(true));
    if min.compare(max).is_eq() && (!integer || min.whole().is_some()) {
        return Ok(min);
    }
    if integer {
        let (low, high) = (ceil(min, "min")?, ceil(max, "max")?);
        let Some(choices) = u64::try_from(i128::from(high) - i128::from(low))
            .ok()
            .filter(|&choices| choices > 0)
        else {
            return Err(undefined("max", "there is no integer from `min` up to `max`"));
        };
        return Ok(Number::nearest(
            i128::from(low) + i128::from(generator.below(choices)),
        ));
    }
    let (low, high) = (min.as_f64(), max.as_f64());
    let part = generator.unit();
    // Weighing both ends cannot overflow as their distance can; rounding may still reach the upper one.
    let number = low * (1.0 - part) + high * part;
    Ok(Number::Float(number.clamp(low, high.next_down().max(low))))
}

fn ceil(number: Number, parameter: &str) -> NodeResult<i64> {
    let whole = match number {
        Number::Int(integer) => Some(integer),
        Number::Float(float) => Number::Float(float.ceil()).whole(),
    };
    whole.ok_or_else(|| undefined(parameter, "is too large for an integer"))
}

/// The generator of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", OOPSLA 2014), with the
/// constants of Vigna's `splitmix64.c`.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to 1, in steps of 2^-53.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to `bound`, each equally likely (Lemire, "Fast random integer generation in an interval", 2019).
    fn below(&mut self, bound: u64) -> u64 {
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splitmix64_gives_the_published_sequence() {
        let mut generator = SplitMix64(1_234_567);
        let numbers = [generator.next(), generator.next(), generator.next()];
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    fn parameters(min: Number, max: Number, integer: bool) -> Random {
        Random {
            min: Some(Numeric(min)),
            max: Some(Numeric(max)),
            integer: Some(Flag(integer)),
        }
    }

    #[test]
    fn every_integer_of_a_small_range_comes_up() {
        let mut generator = SplitMix64(1);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            let die = draw(&parameters(Number::Int(1), Number::Int(7), true), &mut generator).unwrap();
            seen[usize::try_from(die.whole().unwrap() - 1).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|&times| (800..1_200).contains(&times)),
            "{seen:?}"
        );
    }

    proptest! {
        #[test]
        fn a_number_stays_in_its_range(seed: u64, a in -1e308_f64..1e308, b in -1e308_f64..1e308) {
            let (low, high) = (a.min(b), a.max(b));
            let number = draw(&parameters(Number::Float(low), Number::Float(high), false), &mut SplitMix64(seed));
            let number = number.unwrap().as_f64();
            prop_assert!(low <= number && (number < high || low == high));
        }

        #[test]
        fn an_integer_stays_in_its_range(seed: u64, a: i64, b: i64) {
            let (low, high) = (a.min(b), a.max(b));
            let number = draw(&parameters(Number::Int(low), Number::Int(high), true), &mut SplitMix64(seed));
            let number = number.unwrap().whole().unwrap();
            prop_assert!(low <= number && (number < high || low == high));
        }
    }
}
