//! What holds for every number.

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// Numbers are not written as text on the way: not every reader of JSON gives the same float back.
#[expect(clippy::needless_pass_by_value, reason = "what `json!` gives is used once")]
fn result<N: Export>(input: Json) -> Json {
    let input = Value::from_serialize(&input).unwrap();
    let node = Harness::new().instance::<N>("null").unwrap();
    let output = node.call_value(input.as_ref()).unwrap();
    serde_json::to_value(output.as_ref().get("result").unwrap()).unwrap()
}

fn float<N: Export>(input: Json) -> f64 {
    result::<N>(input).as_f64().unwrap()
}

/// What an operation on integers gives that is exact in 128 bits.
fn exact(number: i128) -> Json {
    i64::try_from(number).map_or_else(|_| json!(number as f64), |number| json!(number))
}

/// Integers of all sizes, small ones more often.
fn integers() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -1_000_i64..1_000]
}

/// Floats that no operation here leads out of range.
fn floats() -> impl Strategy<Value = f64> {
    prop_oneof![
        -1e6_f64..1e6,
        -1e15_f64..1e15,
        (-1_000_000_i64..1_000_000).prop_map(|n| n as f64 / 8.0)
    ]
}

proptest! {
    #[test]
    fn integers_add_and_multiply_as_they_do_in_128_bits(numbers in proptest::collection::vec(integers(), 0..5)) {
        let sum: i128 = numbers.iter().map(|&number| i128::from(number)).sum();
        prop_assert_eq!(result::<add>(json!({"values": numbers})), exact(sum));
        prop_assert_eq!(result::<sum>(json!({"values": numbers})), exact(sum));
        let product = numbers.iter().try_fold(1_i128, |product, &number| product.checked_mul(number.into()));
        if let Some(product) = product {
            prop_assert_eq!(result::<multiply>(json!({"values": numbers})), exact(product));
        }
    }

    #[test]
    fn the_order_of_integers_does_not_matter(
        (one, other) in proptest::collection::vec(integers(), 0..4).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let (one, other) = (json!({"values": one}), json!({"values": other}));
        prop_assert_eq!(result::<add>(one.clone()), result::<add>(other.clone()));
        prop_assert_eq!(result::<average>(one.clone()), result::<average>(other.clone()));
        // The product of four may be beyond 128 bits, from where rounding depends on the order.
        let few = |numbers: &Json| numbers["values"].as_array().unwrap().len() <= 2;
        if few(&one) {
            prop_assert_eq!(result::<multiply>(one), result::<multiply>(other));
        }
    }

    #[test]
    fn two_floats_add_and_multiply_in_either_order(a in floats(), b in floats()) {
        let (there, back) = (json!({"values": [a, b]}), json!({"values": [b, a]}));
        prop_assert_eq!(result::<add>(there.clone()), result::<add>(back.clone()));
        prop_assert_eq!(result::<multiply>(there), result::<multiply>(back));
    }

    #[test]
    fn what_is_subtracted_and_added_is_nothing(a in -1_i64 << 62..1 << 62, b in -1_i64 << 62..1 << 62) {
        let difference = result::<subtract>(json!({"a": a, "b": b}));
        prop_assert_eq!(result::<add>(json!({"values": [difference, b]})), json!(a));
    }

    #[test]
    fn what_is_multiplied_is_divided_again(a in -3_000_000_000_i64..3_000_000_000, b in 1_i64..3_000_000_000) {
        let product = result::<multiply>(json!({"values": [a, -b]}));
        prop_assert_eq!(result::<divide>(json!({"a": product, "b": -b})), json!(a));
    }

    #[test]
    fn a_remainder_is_smaller_than_the_divisor_and_has_the_sign_of_the_number(a: i64, b: i64) {
        prop_assume!(b != 0);
        let remainder = result::<modulo>(json!({"a": a, "b": b})).as_i64().unwrap();
        prop_assert!(remainder.unsigned_abs() < b.unsigned_abs());
        prop_assert!(remainder == 0 || (remainder < 0) == (a < 0));
        prop_assert_eq!((i128::from(a) - i128::from(remainder)) % i128::from(b), 0);
    }

    #[test]
    fn a_remainder_of_floats_is_smaller_than_the_divisor(a in floats(), b in floats()) {
        prop_assume!(b != 0.0);
        let remainder = float::<modulo>(json!({"a": a, "b": b}));
        prop_assert!(remainder.abs() < b.abs());
        prop_assert!(remainder == 0.0 || (remainder < 0.0) == (a < 0.0));
    }

    #[test]
    fn exponents_add_when_powers_multiply(base in -30_i64..30, one in 0_u32..6, other in 0_u32..6) {
        let raised = |exponent: u32| result::<power>(json!({"base": base, "exponent": exponent}));
        let product = result::<multiply>(json!({"values": [raised(one), raised(other)]}));
        prop_assert_eq!(product, raised(one + other));
        prop_assert_eq!(raised(0), json!(1));
        prop_assert_eq!(raised(1), json!(base));
    }

    #[test]
    fn the_root_of_a_square_is_the_number_without_its_sign(number in -3_037_000_499_i64..3_037_000_499) {
        let square = result::<power>(json!({"base": number, "exponent": 2}));
        prop_assert_eq!(result::<sqrt>(json!({"value": square})), json!(number.abs()));
    }

    #[test]
    fn a_number_without_its_sign_has_none(number in floats(), integer: i64) {
        let size = float::<abs>(json!({"value": number}));
        prop_assert!(size >= 0.0 && (size == number || size == -number));
        prop_assert_eq!(float::<abs>(json!({"value": -number})), size);
        prop_assert_eq!(float::<abs>(json!({"value": size})), size);
        prop_assert_eq!(result::<abs>(json!({"value": integer})), exact(i128::from(integer).abs()));
    }

    #[test]
    fn a_number_lies_between_its_floor_and_its_ceiling(number in floats(), integer: i64) {
        let (below, above) = (float::<floor>(json!({"value": number})), float::<ceil>(json!({"value": number})));
        prop_assert!(below <= number && number <= above && above - below <= 1.0);
        prop_assert_eq!(float::<ceil>(json!({"value": -number})), -below);
        for whole in [below, above] {
            prop_assert_eq!(whole.fract(), 0.0);
            prop_assert_eq!(float::<floor>(json!({"value": whole})), whole);
        }
        prop_assert_eq!(result::<floor>(json!({"value": integer})), json!(integer));
        prop_assert_eq!(result::<ceil>(json!({"value": integer})), json!(integer));
    }

    #[test]
    fn the_smallest_and_the_largest_are_of_the_numbers(
        numbers in proptest::collection::vec(prop_oneof![integers().prop_map(|n| json!(n)), floats().prop_map(|n| json!(n))], 1..8)
    ) {
        let input = json!({"values": numbers});
        let (least, most) = (result::<min>(input.clone()), result::<max>(input.clone()));
        let is = |number: &Json, of: &Json| number == of || number.as_f64() == of.as_f64();
        prop_assert!(numbers.iter().any(|number| is(number, &least)));
        prop_assert!(numbers.iter().any(|number| is(number, &most)));
        for number in &numbers {
            let kept = result::<clamp>(json!({"value": number, "min": least, "max": most}));
            prop_assert!(is(number, &kept), "{number} {kept}");
        }
        let mean = float::<average>(input);
        let room = 1e-9 * mean.abs().max(1.0);
        prop_assert!(least.as_f64().unwrap() <= mean + room && mean <= most.as_f64().unwrap() + room);
    }

    #[test]
    fn a_clamped_number_is_within_its_limits(value in floats(), a in floats(), b in floats()) {
        let (low, high) = (a.min(b), a.max(b));
        let clamped = float::<clamp>(json!({"value": value, "min": low, "max": high}));
        prop_assert!(low <= clamped && clamped <= high);
        prop_assert!(clamped == value || value < low || high < value);
        prop_assert_eq!(float::<clamp>(json!({"value": clamped, "min": low, "max": high})), clamped);
    }

    #[test]
    fn a_half_is_rounded_away_from_zero(whole in 0_u32..1_000_000, digits in 0_u32..6, negative: bool) {
        let sign = if negative { "-" } else { "" };
        let zeros = usize::try_from(digits).unwrap();
        let half = format!("{sign}{whole}.{:0>zeros$}5", "");
        let rounded = float::<round>(json!({"value": half, "decimals": digits}));
        let next: f64 = if digits == 0 {
            format!("{sign}{}", whole + 1).parse().unwrap()
        } else {
            format!("{sign}{whole}.{:0>zeros$}", 1).parse().unwrap()
        };
        prop_assert_eq!(rounded, next, "{}", half);
    }

    #[test]
    fn rounding_knows_no_sign(value in floats(), decimals in -3_i32..6) {
        let there = float::<round>(json!({"value": value, "decimals": decimals}));
        prop_assert_eq!(float::<round>(json!({"value": -value, "decimals": decimals})), -there);
    }

    #[test]
    fn rounding_twice_is_rounding_once(value in floats(), decimals in -3_i32..6) {
        let once = result::<round>(json!({"value": value, "decimals": decimals}));
        prop_assert_eq!(&result::<round>(json!({"value": once, "decimals": decimals})), &once);
    }

    #[test]
    fn rounding_moves_a_number_by_half_a_unit_at_most(value in -1e6_f64..1e6, decimals in 0_i32..6) {
        let rounded = float::<round>(json!({"value": value, "decimals": decimals}));
        prop_assert!((rounded - value).abs() <= 0.5 * 10_f64.powi(-decimals) + 1e-9);
    }

    #[test]
    fn a_random_number_is_within_its_range(a in floats(), b in floats(), integer: bool) {
        let (low, high) = (a.min(b).floor(), a.max(b).floor() + 1.0);
        let number = float::<random>(json!({"min": low, "max": high, "integer": integer}));
        prop_assert!(low <= number && number < high);
        prop_assert!(!integer || number.fract() == 0.0);
    }

    #[test]
    fn no_number_makes_an_operation_panic(a: f64, b: f64) {
        let harness = Harness::new();
        // JSON has neither NaN nor infinity: null stands for them.
        for outcome in [
            harness.call::<power>(&json!({"base": a, "exponent": b}).to_string()),
            harness.call::<divide>(&json!({"a": a, "b": b}).to_string()),
            harness.call::<modulo>(&json!({"a": a, "b": b}).to_string()),
            harness.call::<multiply>(&json!({"values": [a, b, a]}).to_string()),
            harness.call::<average>(&json!({"values": [a, b]}).to_string()),
            harness.call::<clamp>(&json!({"value": 0, "min": a, "max": b}).to_string()),
            harness.call::<round>(&json!({"value": a, "decimals": -3}).to_string()),
            harness.call::<random>(&json!({"min": a, "max": b}).to_string()),
        ] {
            if let Err(error) = outcome {
                prop_assert_ne!(error.code, code::PLUGIN_PANICKED);
            }
        }
    }
}
