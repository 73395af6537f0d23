use plugin_api::export::Export;
use plugin_api::testing::Instance;
use plugin_api::value::Writer;
use proptest::prelude::*;

use super::*;
use crate::tests::harness;

/// What is handed to a node, by name.
enum Arg<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Whole(i64),
}

fn call(instance: &Instance, arguments: &[(&str, Arg<'_>)]) -> Value {
    let mut input = Vec::new();
    let written = Writer::new(&mut input).map(|map| {
        for (name, argument) in arguments {
            map.entry(name, |entry| match argument {
                Arg::Text(text) => entry.str(text),
                Arg::Bytes(bytes) => entry.bytes(bytes),
                Arg::Whole(number) => entry.i64(*number),
            })?;
        }
        Ok(())
    });
    written.unwrap();
    let output = instance.call_value(ValueRef::parse(&input).unwrap()).unwrap();
    output.as_ref().get("result").unwrap().to_value()
}

fn node<N: Export>() -> Instance {
    harness().instance::<N>("null").unwrap()
}

fn text(value: &Value) -> &str {
    value.as_ref().as_str().unwrap()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = at % (bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_code_is_right_and_any_other_is_not(
        message in prop::collection::vec(any::<u8>(), 1..200),
        key in prop::collection::vec(any::<u8>(), 1..200),
        algorithm in prop::sample::select(vec!["sha256", "sha384", "sha512"]),
        at: usize,
    ) {
        let (sign, verify) = (node::<hmac>(), node::<hmac_verify>());
        let code = call(&sign, &[
            ("value", Arg::Bytes(&message)),
            ("secret", Arg::Bytes(&key)),
            ("algorithm", Arg::Text(algorithm)),
            ("encoding", Arg::Text("bytes")),
        ]);
        let code = code.as_ref().as_bytes().unwrap();
        let verified = |message: &[u8], key: &[u8], code: &[u8]| {
            let verified = call(&verify, &[
                ("value", Arg::Bytes(message)),
                ("secret", Arg::Bytes(key)),
                ("algorithm", Arg::Text(algorithm)),
                ("signature", Arg::Bytes(code)),
            ]);
            verified.as_ref().as_bool().unwrap()
        };
        prop_assert!(verified(&message, &key, code));
        prop_assert!(!verified(&flipped(&message, at), &key, code));
        prop_assert!(!verified(&message, &flipped(&key, at), code));
        prop_assert!(!verified(&message, &key, &flipped(code, at)));
        prop_assert!(!verified(&message, &key, &code[1..]));
    }

    #[test]
    fn a_digest_is_the_same_however_its_message_came(message in prop::collection::vec(any::<u8>(), 0..100)) {
        let node = node::<hash>();
        let plain = call(&node, &[("value", Arg::Bytes(&message))]);
        for (name, encoding) in [
            ("hex", material::Encoding::Hex),
            ("base64", material::Encoding::Base64),
            ("base64url", material::Encoding::Base64url),
        ] {
            let encoded = encoding.encode(&message);
            prop_assert_eq!(encoding.decode(encoded.as_bytes()), Some(message.clone()));
            let value = call(&node, &[("value", Arg::Text(&encoded)), ("inputEncoding", Arg::Text(name))]);
            prop_assert_eq!(&value, &plain);
        }
    }

    #[test]
    fn comparing_in_constant_time_is_comparing(a in "[ab]{0,3}", b in "[ab]{0,3}") {
        let same = call(&node::<constant_time_equals>(), &[("a", Arg::Text(&a)), ("b", Arg::Text(&b))]);
        prop_assert_eq!(same.as_ref().as_bool(), Some(a == b));
    }

    #[test]
    fn what_was_signed_is_what_is_verified(
        name in "\\PC{0,20}",
        number: i64,
        key in "[a-z]{64,80}",
        algorithm in prop::sample::select(vec!["HS256", "HS384", "HS512"]),
        at: usize,
    ) {
        let payload = Value::from_pairs([
            ("name", Value::from(name.as_str()).as_ref()),
            ("number", Value::from(number).as_ref()),
            ("iat", Value::from(1_i64).as_ref()),
        ]).unwrap();
        let input = Value::from_pairs([
            ("payload", payload.as_ref()),
            ("secret", Value::from(key.as_str()).as_ref()),
            ("algorithm", Value::from(algorithm).as_ref()),
        ]).unwrap();
        let token = node::<jwt_sign>().call_value(input.as_ref()).unwrap();
        let token = token.as_ref().get("result").unwrap().to_value();
        let verify = node::<jwt_verify>();
        let claims = call(&verify, &[
            ("token", Arg::Text(text(&token))),
            ("secret", Arg::Text(&key)),
            ("algorithm", Arg::Text(algorithm)),
        ]);
        prop_assert_eq!(claims, payload);
        let other = flipped(text(&token).as_bytes(), at);
        let mut input = Vec::new();
        Writer::new(&mut input).map(|map| {
            map.entry("token", |entry| entry.bytes(&other))?;
            map.entry("secret", |entry| entry.str(&key))?;
            map.entry("algorithm", |entry| entry.str(algorithm))
        }).unwrap();
        let error = verify.call_value(ValueRef::parse(&input).unwrap()).unwrap_err();
        prop_assert_eq!(error.code, "TOKEN_INVALID");
    }

    #[test]
    fn random_texts_have_their_length_and_their_characters(length in 0_i64..100, alphabet in "[a-e]{1}[f-k]{0,1}[l-z]{0,1}") {
        let drawn = call(&node::<random_string>(), &[("length", Arg::Whole(length)), ("characters", Arg::Text(&alphabet))]);
        prop_assert_eq!(text(&drawn).chars().count() as i64, length);
        prop_assert!(text(&drawn).chars().all(|c| alphabet.contains(c)));
        let bytes = call(&node::<random_bytes>(), &[("length", Arg::Whole(length))]);
        prop_assert_eq!(text(&bytes).len() as i64, 2 * length);
    }

    #[test]
    fn a_password_has_one_of_each_kind(length in 8_i64..40) {
        let drawn = call(&node::<random_password>(), &[("length", Arg::Whole(length)), ("avoidAmbiguous", Arg::Text("true"))]);
        let drawn = text(&drawn);
        prop_assert_eq!(drawn.chars().count() as i64, length);
        prop_assert!(drawn.contains(|c: char| c.is_ascii_lowercase()));
        prop_assert!(drawn.contains(|c: char| c.is_ascii_uppercase()));
        prop_assert!(drawn.contains(|c: char| c.is_ascii_digit()));
        prop_assert!(drawn.contains(|c: char| "!#$%&*+-=?@_".contains(c)));
        prop_assert!(!drawn.contains(|c: char| "Il1|O0o".contains(c)));
    }

    #[test]
    fn identifiers_of_one_clock_differ_and_begin_with_its_time(nanos in 0_u64..u64::MAX / 2) {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(nanos);
        let node = harness().wall_clock(at).instance::<uuid>("null").unwrap();
        let made = || text(&call(&node, &[("version", Arg::Whole(7))])).to_owned();
        let (one, other) = (made(), made());
        prop_assert_ne!(&one, &other);
        prop_assert_eq!(&one[..18], &other[..18]);
        let millis = format!("{:012x}", nanos / 1_000_000);
        prop_assert_eq!(one[..13].replace('-', ""), millis);
    }

    #[test]
    fn later_identifiers_sort_behind_earlier_ones(nanos in 0_u64..u64::MAX / 2, later in 1_000_u64..1_000_000_000) {
        let made = |nanos: u64| {
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(nanos);
            let node = harness().wall_clock(at).instance::<uuid>("null").unwrap();
            text(&call(&node, &[("version", Arg::Whole(7))])).to_owned()
        };
        prop_assert!(made(nanos) < made(nanos + later));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_password_is_known_again_and_another_is_not(password in "[a-zé]{0,30}", other in "[a-zé]{0,30}") {
        prop_assume!(password != other);
        let hash = node::<bcrypt_hash>();
        let kept = call(&hash, &[("input", Arg::Text(&password)), ("rounds", Arg::Whole(4))]);
        let again = call(&hash, &[("input", Arg::Text(&password)), ("rounds", Arg::Whole(4))]);
        prop_assert_ne!(&kept, &again);
        let compare = node::<bcrypt_compare>();
        let fits = |password: &str| {
            let fits = call(&compare, &[("input", Arg::Text(password)), ("hash", Arg::Text(text(&kept)))]);
            fits.as_ref().as_bool().unwrap()
        };
        prop_assert!(fits(&password));
        prop_assert!(!fits(&other));
    }
}
