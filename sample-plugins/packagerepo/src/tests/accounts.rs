use super::*;

const ADA: &str = r#"{"username": "ada", "password": "secret", "scopes": ["read", "write"]}"#;

fn verify(harness: &Harness, username: &str, password: &str) -> String {
    let input = format!(r#"{{"username": "{username}", "password": "{password}", "out": "user"}}"#);
    let output = harness.call::<verify_password>(&input).unwrap();
    output.as_ref().get("result").unwrap().to_json()
}

#[test]
fn a_name_and_its_password_give_the_account() {
    let harness = crypto();
    harness.call::<user_put>(ADA).unwrap();
    let kept = harness.key_value("packagerepo/users/ada").unwrap();
    assert_eq!(
        kept.as_ref().get("passwordHash").unwrap().as_str(),
        Some("terces")
    );
    assert!(!kept.to_json().contains("secret"));
    assert_eq!(
        verify(&harness, "ada", "secret"),
        r#"{"username":"ada","scopes":["read","write"]}"#
    );
    assert!(
        harness
            .variable_value("user")
            .is_some_and(|user| !user.as_ref().is_null())
    );
    assert_eq!(verify(&harness, "ada", "wrong"), "null");
    assert_eq!(verify(&harness, "eve", "secret"), "null");
    assert_eq!(harness.variable_value("user"), Some(Value::null()));
}

#[test]
fn an_account_that_is_disabled_or_has_no_hash_is_nobodys() {
    let harness = crypto();
    harness
        .call::<user_put>(&ADA.replace("]}", r#"], "disabled": true}"#))
        .unwrap();
    assert_eq!(verify(&harness, "ada", "secret"), "null");
    let empty = seeded(
        "packagerepo/users/bob",
        json(r#"{"username": "bob", "passwordHash": null}"#).as_ref(),
    );
    assert_eq!(verify(&empty, "bob", ""), "null");
}

#[test]
fn an_unknown_name_costs_a_comparison_like_a_known_one() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = std::sync::Arc::clone(&asked);
    let harness = crypto().node("crypto.bcryptCompare", move |input| {
        let hash = input.get("hash").unwrap().as_str().unwrap();
        told.lock().unwrap().push(hash.to_owned());
        // Even a hash that fits lets nobody in who has no account.
        Ok(json(r#"{"result": true}"#))
    });
    assert_eq!(verify(&harness, "eve", "x"), "null");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with("$2b$12$") && asked[0].len() == 60,
        "{asked:?}"
    );
}

#[test]
fn an_account_that_cannot_be_meant_is_refused() {
    check_errors::<user_put>(
        &crypto(),
        &[
            (r#"{"password": "x"}"#, INVALID, "`username`"),
            (r#"{"username": "a"}"#, INVALID, "`password`"),
            (r#"{"username": "a", "password": ""}"#, INVALID, "`password`"),
            (r#"{"username": "a", "password": 5}"#, INVALID, "`password`"),
            (
                r#"{"username": "a", "password": "x", "scopes": 5}"#,
                INVALID,
                "`scopes`",
            ),
            (
                r#"{"username": "a", "password": "x", "scopes": [5]}"#,
                INVALID,
                "`scopes`",
            ),
            (
                r#"{"username": "a", "password": "x", "scopes": ["a b"]}"#,
                INVALID,
                "`scopes`",
            ),
            (
                r#"{"username": "a", "password": "x", "rounds": 3}"#,
                INVALID,
                "`rounds`",
            ),
            (
                r#"{"username": "a", "password": "x", "disabled": 1}"#,
                INVALID,
                "disabled",
            ),
        ],
    );
    let long = format!(r#"{{"username": "a", "password": "{}"}}"#, "p".repeat(1_025));
    check_errors::<verify_password>(
        &crypto(),
        &[
            (r#"{"password": "x"}"#, INVALID, "`username`"),
            (r#"{"username": "a"}"#, INVALID, "`password`"),
            (r#"{"username": "a", "password": {}}"#, INVALID, "`password`"),
            (&long, INVALID, "`password`"),
        ],
    );
    let without = Harness::new();
    check_errors::<user_put>(&without, &[(ADA, "UNKNOWN_NODE_TYPE", "`crypto.bcryptHash`")]);
}

#[test]
fn a_token_says_whom_it_is_about_and_what_it_allows() {
    let harness = crypto().node("crypto.jwtSign", |input| {
        Ok(Value::from_pairs([(
            "result",
            Value::from(input.to_json().as_str()).as_ref(),
        )])?)
    });
    for (input, expected) in [
        (
            r#"{"subject": "ada", "scopes": "read, write", "expires_in": 60}"#,
            r#"{"payload":{"sub":"ada","scopes":["read","write"]},"expiresIn":60,"secretName":"SIGNING_KEY_PACKAGEREPO"}"#,
        ),
        (
            r#"{"subject": "ada", "secret": "k", "secretName": "IGNORED"}"#,
            r#"{"payload":{"sub":"ada","scopes":[]},"expiresIn":86400,"secret":"k"}"#,
        ),
        (
            r#"{"subject": "ada", "secret_name": "SIGNING_KEY"}"#,
            r#"{"payload":{"sub":"ada","scopes":[]},"expiresIn":86400,"secretName":"SIGNING_KEY"}"#,
        ),
    ] {
        let output = harness.call::<generate_jwt>(input).unwrap();
        assert_eq!(
            output.as_ref().get("result").unwrap().as_str(),
            Some(expected),
            "{input}"
        );
    }
    check_errors::<generate_jwt>(
        &harness,
        &[
            ("{}", INVALID, "`subject`"),
            (r#"{"subject": []}"#, INVALID, "`subject`"),
            (r#"{"subject": "a", "scopes": {}}"#, INVALID, "`scopes`"),
            (r#"{"subject": "a", "expires_in": 0}"#, INVALID, "`expiresIn`"),
            (
                r#"{"subject": "a", "expires_in": 99999999}"#,
                INVALID,
                "`expiresIn`",
            ),
            (r#"{"subject": "a", "expires_in": "soon"}"#, INVALID, "expires"),
        ],
    );
}

#[test]
fn a_token_that_is_not_good_is_unauthorized() {
    let harness = crypto();
    for input in [
        r#"{"token": "bearer  signed"}"#,
        r#"{"token": "signed", "secret": "k"}"#,
    ] {
        harness.call::<verify_jwt>(input).unwrap();
    }
    for input in [
        "{}",
        r#"{"token": null}"#,
        r#"{"token": "$request.headers.Authorization"}"#,
        r#"{"token": "forged"}"#,
    ] {
        let error = harness.call::<verify_jwt>(input).unwrap_err();
        assert_eq!(
            (&*error.code, error.status_code),
            ("TOKEN_INVALID", Some(401)),
            "{input}: {error}"
        );
    }
    check_errors::<verify_jwt>(
        &harness,
        &[(r#"{"token": 5.5, "out": "1"}"#, "TOKEN_INVALID", "")],
    );
    let empty = crypto().node("crypto.jwtVerify", |_| Ok(json(r#"{"result": null}"#)));
    check_errors::<verify_jwt>(
        &empty,
        &[(r#"{"token": "signed"}"#, "TOKEN_INVALID", "no claims")],
    );
}

#[test]
fn all_scopes_that_are_needed_have_to_be_there() {
    let harness = crypto();
    for input in [
        r#"{"principal": {"scopes": ["*"]}, "required_scopes": ["write", "admin"]}"#,
        r#"{"principal": {"scopes": []}, "required_scopes": []}"#,
        r#"{"principal": {}, "required_scopes": ""}"#,
    ] {
        harness.call::<check_scopes>(input).unwrap();
    }
    let error = harness
        .call::<check_scopes>(
            r#"{"principal": {"scopes": ["read"]}, "required_scopes": ["read", "write", "admin"]}"#,
        )
        .unwrap_err();
    assert_eq!(
        (&*error.code, error.status_code),
        ("NOT_ALLOWED", Some(403)),
        "{error}"
    );
    assert_eq!(
        error.details.unwrap().to_json(),
        r#"{"missing":["write","admin"]}"#
    );
    let nobody = harness.call::<check_scopes>(r#"{"principal": "$principal", "required_scopes": ["read"]}"#);
    assert_eq!(nobody.unwrap_err().status_code, Some(401));
    check_errors::<check_scopes>(
        &harness,
        &[
            (r#"{"principal": "ada"}"#, INVALID, "`principal`"),
            (
                r#"{"principal": {"scopes": ["read"]}}"#,
                INVALID,
                "`requiredScopes`: is missing",
            ),
            (
                r#"{"principal": {"scopes": ["read"]}, "required_scopes": null}"#,
                INVALID,
                "`requiredScopes`: is missing",
            ),
            (
                r#"{"principal": {"scopes": ["read"]}, "required_scopes": "$nothing"}"#,
                INVALID,
                "`requiredScopes`: `$nothing` is not there, or null",
            ),
            (r#"{"principal": {"scopes": 5}}"#, INVALID, "`principal`"),
            (
                r#"{"principal": {}, "required_scopes": 5}"#,
                INVALID,
                "`requiredScopes`",
            ),
        ],
    );
}
