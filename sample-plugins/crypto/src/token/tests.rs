use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plugin_api::testing::Harness;

use super::key::{PRIVATE, PUBLIC, ed25519_sign, ed25519_verify};
use super::*;
use crate::tests::harness;

/// RFC 7515, appendix A.1 (and RFC 7519, section 3.1): a token whose header has a line break, and its key.
const RFC_TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RFC_KEY: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

/// RFC 8037, appendix A.1.
const ED25519_PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED25519_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

const KEY: &str = "a key of thirty-two bytes or more";

fn at(seconds: u64) -> Harness {
    harness().wall_clock(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn sign(harness: &Harness, input: &str) -> Result<String, NodeError> {
    let output = harness.call::<jwt_sign>(input)?;
    Ok(output
        .as_ref()
        .get("result")
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned())
}

fn verify(harness: &Harness, token: &str, more: &str) -> Result<String, NodeError> {
    let input = format!(r#"{{"token": "{token}"{more}}}"#);
    let output = harness.call::<jwt_verify>(&input)?;
    Ok(output.as_ref().get("result").unwrap().to_json())
}

/// A token of a header and claims as they are, with an HMAC of SHA-256.
fn forged(header: &str, claims: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let input = format!(r#"{{"value": "{signed}", "secret": "{KEY}", "encoding": "base64url"}}"#);
    let code = harness().call::<crate::mac::hmac>(&input).unwrap();
    format!(
        "{signed}.{}",
        code.as_ref().get("result").unwrap().as_str().unwrap()
    )
}

fn code_of<T: std::fmt::Debug>(result: Result<T, NodeError>) -> String {
    let error = result.unwrap_err();
    if error.code.starts_with("TOKEN") {
        assert_eq!(
            (error.status_code, error.retryable),
            (Some(401), Some(false)),
            "{error}"
        );
    }
    error.code.into_owned()
}

const SAME_KEY: &str = r#", "secret": "a key of thirty-two bytes or more""#;

#[test]
fn the_token_of_rfc_7515_is_right_until_it_expires() {
    let more = format!(r#", "secret": "{RFC_KEY}", "secretEncoding": "base64url""#);
    let claims = verify(&at(1_300_819_379), RFC_TOKEN, &more).unwrap();
    assert_eq!(
        claims,
        r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#
    );
    assert_eq!(
        code_of(verify(&at(1_300_819_380), RFC_TOKEN, &more)),
        "TOKEN_EXPIRED"
    );
    let lenient = format!(r#"{more}, "leeway": 60"#);
    verify(&at(1_300_819_439), RFC_TOKEN, &lenient).unwrap();
    assert_eq!(
        code_of(verify(&at(1_300_819_440), RFC_TOKEN, &lenient)),
        "TOKEN_EXPIRED"
    );
    verify(&at(1_300_819_379), &format!("Bearer {RFC_TOKEN}"), &more).unwrap();
}

#[test]
fn a_signature_is_that_of_rfc_8037_appendix_a4() {
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let made = ed25519_sign(message, &key(ED25519_PRIVATE)).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(&made), signature);
    assert!(ed25519_verify(message, &made, &key(ED25519_PUBLIC)).unwrap());
    assert!(!ed25519_verify(b"another", &made, &key(ED25519_PUBLIC)).unwrap());
    assert!(!ed25519_verify(message, &made[1..], &key(ED25519_PUBLIC)).unwrap());
}

#[test]
fn a_key_of_ed25519_may_come_as_pem() {
    let pem = |label: &str, prefix: &[u8], key: &str| {
        let body = STANDARD.encode([prefix, &URL_SAFE_NO_PAD.decode(key).unwrap()].concat());
        format!("-----BEGIN {label}-----\\n{body}\\n-----END {label}-----\\n")
    };
    let private = pem("PRIVATE KEY", PRIVATE, ED25519_PRIVATE);
    let public = pem("PUBLIC KEY", PUBLIC, ED25519_PUBLIC);
    let input = format!(r#"{{"payload": {{}}, "algorithm": "EdDSA", "privateKey": "{private}"}}"#);
    let token = sign(&harness(), &input).unwrap();
    let more = format!(r#", "algorithm": "EdDSA", "publicKey": "{public}""#);
    verify(&harness(), &token, &more).unwrap();
    // The example of RFC 8410, section 10.1, whose private key is not known here.
    let other = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC KEY-----";
    let more = format!(r#", "algorithm": "EdDSA", "publicKey": "{other}""#);
    assert_eq!(code_of(verify(&harness(), &token, &more)), "TOKEN_INVALID");
    for key in [public.as_str(), KEY] {
        let input = format!(r#"{{"payload": {{}}, "algorithm": "EdDSA", "secret": "{key}"}}"#);
        let error = sign(&harness(), &input).unwrap_err();
        let part = "`secret`: expected an Ed25519 private key, as PEM or as its 32 bytes";
        assert!(error.message.contains(part), "{error}");
    }
    // A public key is known to everybody, and must not pass for the key of an HMAC.
    let forged = forged(r#"{"alg":"HS256"}"#, "{}");
    let error = verify(&harness(), &forged, &format!(r#", "secret": "{public}""#)).unwrap_err();
    assert!(error.message.contains("`secret`: is a key in PEM"), "{error}");
}

#[test]
fn claims_are_added_and_none_is_overwritten() {
    let harness = at(1_000);
    let signed = |payload: &str, more: &str| {
        let token = sign(&harness, &format!(r#"{{"payload": {payload}{SAME_KEY}{more}}}"#))?;
        verify(&at(1_001), &token, SAME_KEY)
    };
    assert_eq!(signed("{}", "").unwrap(), r#"{"iat":1000}"#);
    assert_eq!(
        signed(r#"{"b":1,"a":[{"ü":null}]}"#, "").unwrap(),
        r#"{"b":1,"a":[{"ü":null}],"iat":1000}"#
    );
    assert_eq!(
        signed(r#"{"iat": 900}"#, r#", "expiresIn": "30m", "notBefore": 60"#).unwrap(),
        r#"{"iat":900,"nbf":960,"exp":2700}"#
    );
    assert_eq!(
        signed(
            "{}",
            r#", "expires_in": 3600, "issuer": "i", "subject": "s", "audience": ["a", "b"]"#
        )
        .unwrap(),
        r#"{"iat":1000,"exp":4600,"iss":"i","sub":"s","aud":["a","b"]}"#
    );
    for (payload, more, part) in [
        ("null", "", "`payload`: expected a map, found null"),
        (r#""{}""#, "", "`payload`: expected a map, found a text"),
        ("[]", "", "`payload`: expected a map, found a list"),
        (
            r#"{"exp": "tomorrow"}"#,
            "",
            "`payload`: the claim `exp` is a number of seconds",
        ),
        (
            r#"{"iat": null}"#,
            "",
            "`payload`: the claim `iat` is a number of seconds",
        ),
        (
            r#"{"exp": 5}"#,
            r#", "expiresIn": 5"#,
            "`expiresIn`: the payload has the claim `exp` already",
        ),
        (
            r#"{"iss": "a"}"#,
            r#", "issuer": "a""#,
            "`issuer`: the payload has the claim `iss` already",
        ),
        (
            "{}",
            r#", "audience": 5"#,
            "`audience`: expected a text or a list of texts",
        ),
        (
            "{}",
            r#", "audience": [5]"#,
            "`audience`: expected a text or a list of texts",
        ),
        (
            "{}",
            r#", "expiresIn": "soon""#,
            "such as `30m`, `24h` or `7d`, found \"soon\", at `expiresIn`",
        ),
        (
            "{}",
            r#", "expiresIn": 0"#,
            "must be from one second to a hundred years, at `expiresIn`",
        ),
        (
            "{}",
            r#", "expiresIn": -60"#,
            "must be from one second to a hundred years, at `expiresIn`",
        ),
        ("{}", r#", "notBefore": true"#, "found a boolean, at `notBefore`"),
        ("{}", r#", "algorithm": "none""#, "at `algorithm`"),
        ("{}", r#", "algorithm": "RS256""#, "at `algorithm`"),
        (
            "{}",
            r#", "algorithm": "HS512""#,
            "`secret`: HS512 needs a key of at least 64 bytes",
        ),
    ] {
        let error = signed(payload, more).unwrap_err();
        assert!(error.message.contains(part), "{payload} {more}: {error}");
    }
    let error = sign(&harness, &format!(r#"{{{}}}"#, &SAME_KEY[2..])).unwrap_err();
    assert!(error.message.contains("`payload`: is missing"), "{error}");
    let error = sign(&harness, r#"{"payload": {}, "secret": "short but secret"}"#).unwrap_err();
    assert_eq!(
        error.message,
        "parameter `secret`: HS256 needs a key of at least 32 bytes"
    );
    let error = sign(&harness, r#"{"payload": {}}"#).unwrap_err();
    assert!(error.message.contains("`secret`: is missing"), "{error}");
}

#[test]
fn a_token_is_signed_by_the_name_of_a_secret_and_says_which_key() {
    let token = sign(
        &harness(),
        r#"{"payload": {}, "secretName": "JWT_SECRET", "keyId": "2026-01"}"#,
    )
    .unwrap();
    let input = format!(r#"{{"token": "{token}", "secretName": "JWT_SECRET"}}"#);
    let output = harness().call::<jwt_verify>(&input).unwrap();
    assert_eq!(
        output.as_ref().get("header").unwrap().to_json(),
        r#"{"alg":"HS256","typ":"JWT","kid":"2026-01"}"#
    );
}

#[test]
fn a_token_of_another_key_or_algorithm_is_refused() {
    let token = sign(&harness(), &format!(r#"{{"payload": {{}}{SAME_KEY}}}"#)).unwrap();
    let long = "another key, which has more than sixty-four bytes and so does for all of them";
    for more in [
        r#", "secret": "a key of thirty-two bytes or more!""#.to_owned(),
        format!(r#"{SAME_KEY}, "algorithm": "HS384""#),
        format!(r#", "secret": "{long}", "algorithm": "HS512""#),
        format!(r#", "secret": "{ED25519_PUBLIC}", "secretEncoding": "base64url", "algorithm": "EdDSA""#),
    ] {
        assert_eq!(
            code_of(verify(&harness(), &token, &more)),
            "TOKEN_INVALID",
            "{more}"
        );
    }
    for algorithm in ["HS384", "HS512"] {
        let more = format!(r#", "secret": "{long}", "algorithm": "{algorithm}""#);
        let token = sign(&harness(), &format!(r#"{{"payload": {{}}{more}}}"#)).unwrap();
        verify(&harness(), &token, &more).unwrap();
        assert_eq!(
            code_of(verify(&harness(), &token, &format!(r#", "secret": "{long}""#))),
            "TOKEN_INVALID"
        );
    }
}

#[test]
fn what_a_token_says_of_itself_chooses_nothing() {
    let good = forged(r#"{"alg":"HS256"}"#, r#"{"admin":true}"#);
    assert_eq!(verify(&harness(), &good, SAME_KEY).unwrap(), r#"{"admin":true}"#);
    let bare = |header: &str| format!("{}.e30.", URL_SAFE_NO_PAD.encode(header));
    for token in [
        bare(r#"{"alg":"none"}"#),
        bare(r#"{"alg":"HS256"}"#),
        forged(r#"{"alg":"none"}"#, "{}"),
        forged(r#"{"alg":"hs256"}"#, "{}"),
        forged(r#"{"alg":["HS256"]}"#, "{}"),
        forged(r#"{"typ":"JWT"}"#, "{}"),
        forged(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "{}"),
        forged(r#"["HS256"]"#, "{}"),
        forged("HS256", "{}"),
        forged(r#"{"alg":"HS256"}"#, "[]"),
        forged(r#"{"alg":"HS256"}"#, "not json"),
        forged(r#"{"alg":"HS256"}"#, r#"{"exp":"never"}"#),
        forged(r#"{"alg":"HS256"}"#, r#"{"exp":null}"#),
        forged(r#"{"alg":"HS256"}"#, r#"{"nbf":true}"#),
    ] {
        assert_eq!(
            code_of(verify(&harness(), &token, SAME_KEY)),
            "TOKEN_INVALID",
            "{token}"
        );
    }
    let (start, code) = good.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        "....".to_owned(),
        start.to_owned(),
        format!("{good}."),
        format!("{good}="),
        format!("{start}.{}", &code[1..]),
        format!("{start}. {code}"),
        good.replace('.', ","),
        format!("{start}.{}", "A".repeat(MAX_TOKEN)),
    ] {
        assert_eq!(
            code_of(verify(&harness(), &token, SAME_KEY)),
            "TOKEN_INVALID",
            "{token}"
        );
    }
}

#[test]
fn a_token_is_refused_outside_of_its_time_or_by_what_was_demanded() {
    let token = forged(
        r#"{"alg":"HS256"}"#,
        r#"{"nbf":100,"exp":200.5,"iss":"i","sub":"s","aud":["a","b"]}"#,
    );
    let with = |seconds: u64, more: &str| verify(&at(seconds), &token, &format!("{SAME_KEY}{more}"));
    assert_eq!(code_of(with(99, "")), "TOKEN_NOT_YET_VALID");
    assert_eq!(code_of(with(94, r#", "leeway": 5"#)), "TOKEN_NOT_YET_VALID");
    with(95, r#", "leeway": 5"#).unwrap();
    with(100, "").unwrap();
    with(
        200,
        r#", "issuer": "i", "subject": "s", "audience": "b", "requireExpiry": true"#,
    )
    .unwrap();
    assert_eq!(code_of(with(201, "")), "TOKEN_EXPIRED");
    for more in [
        r#", "issuer": "j""#,
        r#", "subject": "S""#,
        r#", "audience": "c""#,
    ] {
        assert_eq!(code_of(with(150, more)), "TOKEN_CLAIM_REFUSED", "{more}");
    }
    let eternal = forged(r#"{"alg":"HS256"}"#, r#"{"aud":"a","sub":5}"#);
    let with = |more: &str| verify(&harness(), &eternal, &format!("{SAME_KEY}{more}"));
    with(r#", "audience": "a""#).unwrap();
    for more in [
        r#", "requireExpiry": true"#,
        r#", "issuer": """#,
        r#", "subject": "5""#,
        r#", "audience": "aa""#,
    ] {
        assert_eq!(code_of(with(more)), "TOKEN_CLAIM_REFUSED", "{more}");
    }
    for (more, part) in [
        (r#", "leeway": 601"#, "`leeway`: must be from 0 to 600"),
        (r#", "leeway": -1"#, "`leeway`: must be from 0 to 600"),
        (r#", "requireExpiry": 5"#, "at `requireExpiry`"),
        (r#", "issuer": []"#, "`issuer`: expected a text"),
        // An expression that came to nothing demands nothing, which nobody meant.
        (r#", "issuer": null"#, "`issuer`: expected a text, found null"),
        (r#", "subject": null"#, "`subject`: expected a text, found null"),
        (r#", "audience": null"#, "`audience`: expected a text, found null"),
    ] {
        let error = with(more).unwrap_err();
        assert!(error.message.contains(part), "{more}: {error}");
    }
    let error = harness().call::<jwt_verify>(r#"{"secret": "k"}"#).unwrap_err();
    assert!(error.message.contains("`token`: is missing"), "{error}");
}

#[test]
fn every_bit_of_a_token_counts() {
    let token = sign(
        &harness(),
        &format!(r#"{{"payload": {{"sub": "ada"}}{SAME_KEY}}}"#),
    )
    .unwrap();
    let instance = harness().instance::<jwt_verify>("null").unwrap();
    let with = |token: &[u8]| {
        let mut input = Vec::new();
        plugin_api::value::Writer::new(&mut input)
            .map(|map| {
                map.entry("token", |entry| entry.bytes(token))?;
                map.entry("secret", |entry| entry.str(KEY))
            })
            .unwrap();
        instance.call_value(ValueRef::parse(&input).unwrap())
    };
    with(token.as_bytes()).unwrap();
    for at in 0..token.len() * 8 {
        let mut flipped = token.clone().into_bytes();
        flipped[at / 8] ^= 1 << (at % 8);
        assert_eq!(code_of(with(&flipped)), "TOKEN_INVALID", "bit {at}");
    }
}

#[test]
fn a_token_that_would_be_too_long_is_not_made() {
    let payload = "x".repeat(MAX_TOKEN);
    let error = sign(
        &harness(),
        &format!(r#"{{"payload": {{"a": "{payload}"}}{SAME_KEY}}}"#),
    )
    .unwrap_err();
    assert_eq!(error.code, code::LIMIT_EXCEEDED);
}
