//! Orders: who sends one, and under which name, as the headers say.
//!
//! Invariant: what goes from a header into the history or the audit is short, and fit to be printed anywhere.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use patchbay_control::{Force, Order, Selector};
use utoipa::IntoParams;

use crate::error::{HttpError, Refusal};

const ACTOR: &str = "x-patchbay-actor";
const KEY: &str = "idempotency-key";
const LONGEST: usize = 64;

/// The headers of an order, for the description.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "described here, read by `Sender`")]
pub(crate) struct OrderHeaders {
    /// Who orders it; `api` when left out
    #[param(rename = "x-patchbay-actor")]
    actor: Option<String>,
    /// A name for the order, 1 to 64 printable ASCII characters: an order that comes again under the same name is answered
    /// as the first was, and not done twice
    #[param(rename = "idempotency-key")]
    key: Option<String>,
}

/// Who orders a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sender {
    actor: String,
    key: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self::of(&parts.headers)?)
    }
}

impl Sender {
    fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        let actor = match headers.get(ACTOR) {
            None => "api".to_owned(),
            Some(name) => printable(name).ok_or(HttpError::BadActor)?,
        };
        let mut keys = headers.get_all(KEY).iter();
        let key = match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) => Some(printable(key).ok_or(HttpError::BadKey)?),
            // Which of the two would it be?
            (Some(_), Some(_)) => return Err(HttpError::BadKey),
        };
        Ok(Self { actor, key })
    }

    /// The order of this sender.
    pub(crate) fn order(self, reason: Option<String>, force: Force) -> Order {
        Order {
            actor: self.actor,
            reason: reason.unwrap_or_default(),
            force,
            key: self.key,
        }
    }
}

fn printable(header: &HeaderValue) -> Option<String> {
    let text = header.to_str().ok()?.trim();
    ((1..=LONGEST).contains(&text.len()) && !text.contains('\t')).then(|| text.to_owned())
}

/// What a body's `to` names.
pub(crate) fn target(to: &str) -> Result<Selector, HttpError> {
    to.parse::<Selector>().map_err(|error| HttpError::BadTarget {
        why: error.to_string().chars().take(400).collect(),
    })
}

/// What a body's `force` asks for.
pub(crate) const fn force(yes: bool) -> Force {
    if yes { Force::Yes } else { Force::No }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(headers: &[(&'static str, &[u8])]) -> Result<Sender, &'static str> {
        use patchbay_vocab::Explain;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        Sender::of(&map).map_err(|error| error.code().0)
    }

    #[test]
    fn an_actor_is_short_and_printable_or_refused() {
        let named = |name: &[u8]| sender(&[(ACTOR, name)]).map(|sender| sender.actor);
        assert_eq!(sender(&[]).unwrap().actor, "api");
        assert_eq!(named(b" cli:ann "), Ok("cli:ann".to_owned()));
        for bad in [&b""[..], b"  ", b"a\tb", b"\xff", &[b'a'; 65]] {
            assert_eq!(named(bad), Err("PB-HTTP-012"), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_short_and_printable_and_there_is_one() {
        let keyed = |key: &[u8]| sender(&[(KEY, key)]).map(|sender| sender.key);
        assert_eq!(sender(&[]).unwrap().key, None);
        assert_eq!(keyed(b"deploy 17"), Ok(Some("deploy 17".to_owned())));
        assert_eq!(keyed(&[b'a'; 64]).unwrap().unwrap().len(), 64);
        for bad in [&b""[..], b"  ", b"a\tb", b"\xff", &[b'a'; 65]] {
            assert_eq!(keyed(bad), Err("PB-HTTP-019"), "{bad:?}");
        }
        assert_eq!(sender(&[(KEY, b"a"), (KEY, b"a")]), Err("PB-HTTP-019"));
    }
}
