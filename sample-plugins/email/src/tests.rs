mod broken;
mod cleaning;
mod delivery;
mod drafting;
mod hostile;
mod parsing;
mod post_office;
mod refusals;
mod roundtrip;
mod script;
mod secure;

use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::testing::Harness;

use super::*;

const INVALID: &str = code::VALIDATION_FAILED;

/// Parameters, and the code and a part of the message.
type Bad<'t> = (&'t str, &'t str, &'t str);

/// Checks that each of these is an error of its code, with that part in its message.
fn refuses<N: Export>(harness: &Harness, cases: &[Bad<'_>]) {
    for (input, code, part) in cases {
        match harness.call::<N>(input) {
            Ok(output) => panic!("{} {input}: gave {output}", N::NODE_TYPE),
            Err(error) => {
                assert_eq!(error.code, *code, "{} {input}: {error}", N::NODE_TYPE);
                assert!(error.message.contains(part), "{} {input}: {error}", N::NODE_TYPE);
            }
        }
    }
}

/// A tenant whose mail goes to a server on this machine, without TLS.
fn at(port: u16) -> Harness {
    Harness::new().secret("SMTP_URL", &format!("smtp://127.0.0.1:{port}?tls=none"))
}

/// The least of a message.
const MAIL: &str = r#"{"from": "a@example.com", "to": "b@example.com", "subject": "Hi", "body": "Text", "messageId": "1@example.com"}"#;

/// A detail of an error.
fn detail(error: &NodeError, name: &str) -> Option<Value> {
    error.details.as_ref()?.as_ref().get(name).map(Value::from)
}

#[test]
fn every_node_says_what_it_does_and_shows_it_twice() {
    for node in [email_parser::meta(), email_send::meta()] {
        assert!(!node.description.trim().is_empty(), "{}", node.node_type);
        assert!(node.examples.len() >= 2, "{}", node.node_type);
        let parameters = node.parameters["properties"].as_object().unwrap();
        for (name, parameter) in parameters {
            let described = parameter["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(described, "{}: {name}", node.node_type);
        }
    }
}
