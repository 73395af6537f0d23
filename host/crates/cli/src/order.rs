//! Orders: who sends one, and under which name.
//!
//! Invariant: an order that is sent twice carries the same key both times, so that a host does it once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::WhoArgs;
use crate::client::{Client, Verb};
use crate::error::CliError;

/// Who orders a change.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    actor: String,
    /// Nothing when the system has no random numbers: the order is not sent twice then.
    key: Option<String>,
}

impl Sender {
    /// The sender that the arguments name, and the reason beside it.
    pub(crate) fn of(who: WhoArgs) -> (Self, Option<String>) {
        let sender = Self {
            actor: actor(who.actor),
            key: who.key.or_else(random_key),
        };
        (sender, who.reason)
    }

    /// Sends an order, and once more when the connection breaks before the answer is there.
    pub(crate) fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        client: &Client,
        verb: Verb,
        path: &str,
        body: &B,
    ) -> Result<T, CliError> {
        let Some(key) = &self.key else {
            return client.send(verb, path, body, &[("x-patchbay-actor", &self.actor)]);
        };
        let headers = [("x-patchbay-actor", &*self.actor), ("idempotency-key", key)];
        match client.send(verb, path, body, &headers) {
            Err(CliError::Broken { url, cause }) => match client.send(verb, path, body, &headers) {
                Err(CliError::Broken { .. } | CliError::NobodyListens { .. }) => Err(CliError::Lost {
                    url,
                    key: key.clone(),
                    cause,
                }),
                again => again,
            },
            once => once,
        }
    }
}

fn random_key() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The name that stands in a history: the one given, else the user's. It is a header, so printable ASCII and short.
pub(crate) fn actor(given: Option<String>) -> String {
    let named = given.or_else(|| std::env::var("USER").ok().map(|user| format!("cli:{user}")));
    let clean: String = named
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .take(64)
        .collect();
    match clean.trim() {
        "" => "cli".to_owned(),
        actor => actor.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_short_and_printable() {
        assert_eq!(actor(Some("ann".into())), "ann");
        assert_eq!(actor(Some("\r\nx-evil: 1".into())), "x-evil: 1");
        assert_eq!(actor(Some("\u{1b}".into())), "cli");
        assert_eq!(actor(Some("a".repeat(1000))).len(), 64);
    }

    #[test]
    fn no_two_orders_are_called_alike_and_every_name_is_one_that_a_host_takes() {
        let keys: std::collections::BTreeSet<_> = (0..1000).map(|_| random_key().unwrap()).collect();
        assert_eq!(keys.len(), 1000);
        assert!(keys.iter().all(|key| crate::input::key(key).is_ok()));
    }
}
