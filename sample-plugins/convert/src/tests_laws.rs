//! What holds for every value.

use plugin_api::export::Export;
use plugin_api::testing::Harness;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::tests::{call, with_value};

/// Parameters that JSON can say.
#[expect(clippy::needless_pass_by_value, reason = "what `json!` gives is used once")]
fn with<N: Export>(parameters: Json) -> Value {
    call::<N>(&Value::from_serialize(&parameters).unwrap()).unwrap()
}

/// Values of all kinds, with floats that every reader of JSON reads alike.
fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<i32>().prop_map(|eighths| (f64::from(eighths) / 8.0).into()),
        any::<String>().prop_map(Into::into),
        "[\\[{]?[0-9a-z,.]{0,4}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("[a-c]{0,2}", inner), 0..4)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(text in any::<String>()) {
        let value = with_value(&text.as_str().into());
        let encoded = call::<base64_encode>(&value).unwrap();
        prop_assert_eq!(call::<base64_decode>(&with_value(&encoded)).unwrap(), Value::from(text.as_str()));
        let encoded = call::<url_encode>(&value).unwrap();
        prop_assert_eq!(call::<url_decode>(&with_value(&encoded)).unwrap(), Value::from(text.as_str()));
    }

    #[test]
    fn a_number_survives_being_a_text(float in any::<f64>().prop_filter("finite", |float| float.is_finite()), int: i64) {
        let again = |value: &Value| {
            let text = call::<to_string>(&with_value(value)).unwrap();
            call::<to_number>(&with_value(&text)).unwrap()
        };
        prop_assert_eq!(again(&int.into()), Value::from(int));
        let number = again(&float.try_into().unwrap());
        let number = number.as_ref();
        prop_assert_eq!(number.as_i64().map(|int| int as f64).or(number.as_f64()), Some(float));
    }

    #[test]
    fn a_date_survives_being_a_text(stamp in -62_000_000_000_000_i64..250_000_000_000_000) {
        let read = |text: &Value| call::<parse_date>(&with_value(text)).unwrap();
        let iso = call::<format_date>(&with_value(&stamp.into())).unwrap();
        prop_assert_eq!(read(&iso), iso);
    }

    #[test]
    fn no_text_is_the_end_of_a_number_reader(text in ".{0,12}", radix in 2_u32..37) {
        let _ = crate::numeral::whole_text(&text);
        let _ = crate::numeral::leading_float(&text);
        let _ = crate::numeral::leading_integer(&text, radix);
    }

    #[test]
    fn json_is_read_as_it_was_written(value in values(), indent in -1_i64..12) {
        let value = Value::from_serialize(&value).unwrap();
        for pretty in [json!(null), json!(true), json!(false)] {
            let written = with::<to_json>(json!({"value": value, "pretty": pretty, "indent": indent}));
            let read = call::<parse_json>(&with_value(&written)).unwrap();
            // `3.0` is written `3`, which is the same number of another kind.
            prop_assert!(plugin_api::reading::same(read.as_ref(), value.as_ref()), "{written:?}");
        }
    }

    #[test]
    fn digits_of_any_base_are_read_as_the_integer(integer: i64, radix in 2_u32..37) {
        let mut digits = Vec::new();
        let mut rest = integer.unsigned_abs();
        while rest > 0 || digits.is_empty() {
            digits.push(char::from_digit((rest % u64::from(radix)) as u32, radix).unwrap());
            rest /= u64::from(radix);
        }
        let sign = if integer < 0 { "-" } else { "" };
        let text: String = sign.chars().chain(digits.into_iter().rev()).collect();
        // A letter that is no digit of the base ends the number.
        for text in [format!(" {text}"), format!("{text}!"), text.to_uppercase()] {
            let read = with::<to_integer>(json!({"value": text, "radix": radix}));
            prop_assert_eq!(read, Value::from(integer), "{}", text);
        }
    }

    #[test]
    fn what_is_a_list_a_map_a_number_or_a_boolean_stays_as_it_is(value in values()) {
        let value = Value::from_serialize(&value).unwrap();
        let list = call::<to_array>(&with_value(&value)).unwrap();
        prop_assert!(list.as_ref().as_list().is_some());
        prop_assert_eq!(&call::<to_array>(&with_value(&list)).unwrap(), &list);
        let map = call::<to_object>(&with_value(&list)).unwrap();
        prop_assert!(map.as_ref().as_map().is_some());
        prop_assert_eq!(&call::<to_object>(&with_value(&map)).unwrap(), &map);
        prop_assert_eq!(call::<to_array>(&with_value(&map)).unwrap(), list);
        let truth = call::<to_boolean>(&with_value(&value)).unwrap();
        prop_assert_eq!(&call::<to_boolean>(&with_value(&truth)).unwrap(), &truth);
        if let Ok(number) = call::<to_number>(&with_value(&value)) {
            prop_assert_eq!(&call::<to_number>(&with_value(&number)).unwrap(), &number);
        }
    }

    #[test]
    fn a_joined_list_is_split_again(parts in prop::collection::vec("[a-z0-9]{1,4}", 1..6), separator in "[;,|/]{1,2}") {
        let read = with::<to_array>(json!({"value": parts.join(&separator), "separator": separator}));
        prop_assert_eq!(read, Value::from_serialize(&parts).unwrap());
    }

    #[test]
    fn what_is_encoded_can_stand_in_a_url(text in any::<String>()) {
        for (component, extra) in [(true, "-_.!~*'()%"), (false, "-_.!~*'();/?:@&=+$,#%")] {
            let encoded = with::<url_encode>(json!({"value": text, "component": component}));
            let encoded = encoded.as_ref().as_str().unwrap().to_owned();
            prop_assert!(encoded.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c)), "{encoded}");
        }
        let encoded = with::<base64_encode>(json!({"value": text}));
        let encoded = encoded.as_ref().as_str().unwrap().to_owned();
        prop_assert_eq!(encoded.len(), text.len().div_ceil(3) * 4);
    }

    #[test]
    fn a_date_is_written_as_its_milliseconds(stamp in -62_000_000_000_000_i64..250_000_000_000_000) {
        let written = with::<format_date>(json!({"value": stamp, "format": "timestamp"}));
        prop_assert_eq!(written, Value::from(stamp.to_string().as_str()));
        let unix = with::<format_date>(json!({"value": stamp, "format": "unix"}));
        prop_assert_eq!(unix, Value::from(stamp.div_euclid(1000).to_string().as_str()));
    }

    #[test]
    fn no_value_makes_a_conversion_panic(value in values()) {
        let value = with_value(&Value::from_serialize(&value).unwrap());
        fn outcome<N: Export>(value: &Value) -> Option<NodeError> {
            Harness::new().instance::<N>("null").unwrap().call_value(value.as_ref()).err()
        }
        for error in [
            outcome::<to_string>(&value),
            outcome::<to_number>(&value),
            outcome::<to_float>(&value),
            outcome::<to_integer>(&value),
            outcome::<parse_date>(&value),
            outcome::<format_date>(&value),
            outcome::<base64_encode>(&value),
            outcome::<base64_decode>(&value),
            outcome::<url_encode>(&value),
            outcome::<url_decode>(&value),
        ].into_iter().flatten() {
            prop_assert_eq!(&error.code, plugin_api::error::code::VALIDATION_FAILED, "{}", error);
            prop_assert!(error.message.contains("`value`"), "{}", error);
        }
    }
}
