//! Passwords, random values, identifiers.

use std::time::Duration;

use plugin_api::error::code;

use super::*;
use crate::tests::{CANARY, call, check, harness};

#[test]
fn a_password_is_hashed_within_what_bcrypt_can_take() {
    let long = "kanarienvogel-geheim-4711".repeat(3);
    let error = call::<bcrypt_hash>(&format!(r#"{{"input": "{long}", "rounds": 4}}"#)).unwrap_err();
    assert!(
        error.message.contains("`input`: bcrypt looks at 72 bytes alone"),
        "{error}"
    );
    assert!(!error.message.contains(CANARY), "{error}");
    check::<bcrypt_hash>(&[
        (r#"{"rounds": 4}"#, Err("`input`: is missing")),
        (r#"{"input": null}"#, Err("`input`: is missing")),
        (
            r#"{"input": ["kanarienvogel-geheim-4711"]}"#,
            Err("found a list, at `input`"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711\u0000"}"#,
            Err("`input`: bcrypt knows no passwords with a zero byte"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "rounds": 3}"#,
            Err("`rounds`: must be from 4 to 14, but is 3"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "rounds": 15}"#,
            Err("`rounds`: must be from 4 to 14, but is 15"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "cost": 4294967300}"#,
            Err("`rounds`: must be from 4 to 14"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "rounds": "many"}"#,
            Err("at `rounds`"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "rounds": 4, "salt": "short"}"#,
            Err("`salt`: expected the 22 characters"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "rounds": 4, "salt": "$$$$$$$$$$$$$$$$$$$$$$"}"#,
            Err("`salt`"),
        ),
    ]);
}

#[test]
fn a_password_is_compared_with_what_is_a_hash() {
    check::<bcrypt_compare>(&[
        (
            r#"{"password": "", "hash": "$2y$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Ok("true"),
        ),
        (
            r#"{"password": "\u0000", "hash": "$2y$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Ok("false"),
        ),
        (
            r#"{"hash": "$2y$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`input`: is missing"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711"}"#,
            Err("`hash`: is missing"),
        ),
        (
            r#"{"input": "kanarienvogel-geheim-4711", "hash": null}"#,
            Err("`hash`: is missing"),
        ),
        (
            r#"{"input": "a", "hash": "kanarienvogel-geheim-4711"}"#,
            Err("`hash`: is no bcrypt hash"),
        ),
        (
            r#"{"input": "a", "hash": "$2x$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`hash`: is no bcrypt hash"),
        ),
        (
            r#"{"input": "a", "hash": "$2b$6$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`hash`: is no bcrypt hash"),
        ),
        (
            r#"{"input": "a", "hash": "$2b$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s"}"#,
            Err("`hash`: is no bcrypt hash"),
        ),
        (
            r#"{"input": "a", "hash": "$2b$06$éCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`hash`: is no bcrypt hash"),
        ),
        (
            r#"{"input": "a", "hash": "$2b$15$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`hash`: has the cost 15, and from 4 to 14 is computed here"),
        ),
        (
            r#"{"input": "a", "hash": "$2b$00$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."}"#,
            Err("`hash`: has the cost 0"),
        ),
    ]);
}

#[test]
fn a_password_whose_caller_gave_up_is_hashed_no_further() {
    let gone = harness().cancelled();
    let error = gone
        .call::<bcrypt_hash>(r#"{"input": "abc", "rounds": 14}"#)
        .unwrap_err();
    assert_eq!(error.code, code::CANCELLED);
    let late = harness().deadline(Duration::ZERO);
    let compare =
        r#"{"input": "abc", "hash": "$2b$14$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"}"#;
    assert_eq!(
        late.call::<bcrypt_compare>(compare).unwrap_err().code,
        code::TIMEOUT
    );
    assert_eq!(
        late.call::<hash>(r#"{"value": "a"}"#).unwrap_err().code,
        code::TIMEOUT
    );
}

#[test]
fn random_values_have_the_length_and_the_characters_that_were_asked_for() {
    check::<random_bytes>(&[
        (
            r#"{"length": 1048577}"#,
            Err("`length`: must be from 0 to 1048576"),
        ),
        (r#"{"length": -1}"#, Err("`length`")),
        (r#"{"length": 1.5}"#, Err("at `length`")),
        (r#"{"encoding": "text"}"#, Err("at `encoding`")),
    ]);
    check::<random_string>(&[
        (r#"{"length": 2, "alphabet": "é"}"#, Ok(r#""éé""#)),
        (r#"{"length": 65537}"#, Err("`length`: must be from 0 to 65536")),
        (
            r#"{"characters": ""}"#,
            Err("`characters`: must have from 1 to 1024 characters"),
        ),
        (
            r#"{"characters": "aa"}"#,
            Err("`characters`: has a character twice"),
        ),
        (
            r#"{"characters": "ab", "charset": "hex"}"#,
            Err("`characters`: give characters or `charset`, not both"),
        ),
        (r#"{"charset": "klingon"}"#, Err("at `charset`")),
        (r#"{"characters": ["a"]}"#, Err("at `characters`")),
    ]);
    check::<random_password>(&[
        (r#"{"length": 7}"#, Err("`length`: must be from 8 to 1024")),
        (r#"{"length": 1025}"#, Err("`length`: must be from 8 to 1024")),
        (
            r#"{"lower": false, "upper": false, "digits": false, "symbols": ""}"#,
            Err("`symbols`: there is no kind of character"),
        ),
        (
            r#"{"symbols": "|", "avoidAmbiguous": true}"#,
            Err("`symbols`: nothing of it is left"),
        ),
        (r#"{"symbols": "!!"}"#, Err("`symbols`: has a character twice")),
        (r#"{"lower": "x"}"#, Err("at `lower`")),
    ]);
    let long = format!(r#"{{"characters": "{}"}}"#, "é".repeat(1025));
    let error = call::<random_string>(&long).unwrap_err();
    assert!(
        error.message.contains("`characters`: must have from 1 to 1024"),
        "{error}"
    );
}

#[test]
fn identifiers_are_of_a_version_that_is_known() {
    check::<uuid>(&[
        (
            r#"{"version": "max"}"#,
            Ok(r#""ffffffff-ffff-ffff-ffff-ffffffffffff""#),
        ),
        (
            r#"{"version": "v5", "namespace": "6BA7B811-9DAD-11D1-80B4-00C04FD430C8", "name": ""}"#,
            Ok(r#""1b4db7eb-4057-5ddf-91e0-36dec72071f5""#),
        ),
        (
            r#"{"version": 1}"#,
            Err("expected 4, 5, 7, nil or max, found 1, at `version`"),
        ),
        (r#"{"version": {}}"#, Err("at `version`")),
        (
            r#"{"version": 5, "name": "a"}"#,
            Err("`namespace`: is missing, and version 5 needs it"),
        ),
        (
            r#"{"version": 5, "namespace": "dns"}"#,
            Err("`name`: is missing, and version 5 needs it"),
        ),
        (
            r#"{"version": 5, "namespace": "ftp", "name": "a"}"#,
            Err("`namespace`: expected dns, url, oid, x500 or an identifier"),
        ),
    ]);
    for (version, digit) in [("4", '4'), ("\"7\"", '7')] {
        let one = call::<uuid>(&format!(r#"{{"version": {version}}}"#)).unwrap();
        let one = one.as_ref().get("result").unwrap().as_str().unwrap();
        assert_eq!(one.chars().nth(14), Some(digit), "{one}");
        assert!(
            matches!(one.chars().nth(19), Some('8' | '9' | 'a' | 'b')),
            "{one}"
        );
    }
    let old = harness().host_contract(plugin_api::contract::FIRST);
    assert_eq!(
        old.call::<uuid>(r#"{"version": 7}"#).unwrap_err().code,
        code::UNSUPPORTED
    );
}
