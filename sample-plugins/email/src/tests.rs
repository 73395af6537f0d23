mod broken;
mod cleaning;
mod delivery;
mod drafting;
mod hostile;
mod notices;
mod parsing;
mod post_office;
mod refusals;
mod roundtrip;
mod script;
mod secure;

use plugin_api::conformance::PluginUnderTest;
use plugin_api::error::code;
use plugin_api::export::Export;
use plugin_api::nodes_under_test;
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

/// A tenant with a server of its own.
fn tenant_with_a_server() -> Harness {
    let harness = at(post_office::PostOffice::open(post_office::Rules::default()).port)
        .secret("SLACK_WEBHOOK_URL", "https://hooks.slack.test/1")
        .secret("SLACK_WEBHOOK_URL_BUILDS", "https://hooks.slack.test/2")
        .secret("DISCORD_WEBHOOK_URL", "https://discord.test/1")
        .secret("DISCORD_WEBHOOK_URL_BUILDS", "https://discord.test/2");
    notices::rooms(harness, 200, 204).0
}

const PLUGIN: PluginUnderTest = PluginUnderTest {
    harness: tenant_with_a_server,
    nodes: nodes_under_test![email_parser, email_send, notify_all, notify_discord, notify_slack],
};

#[test]
fn every_node_keeps_what_it_says_of_itself() {
    PLUGIN.check(include_str!("lib.rs"));
}
