//! What a token says: adding what it should say, and demanding it.

use plugin_api::prelude::*;
use plugin_api::reading::{Text, kind_name};

use super::refused;
use super::span::Span;

/// What is to be said beside the payload.
pub(crate) struct Wish<'a> {
    pub(crate) expires_in: Option<Span>,
    pub(crate) not_before: Option<Span>,
    pub(crate) issuer: Option<Text<'a>>,
    pub(crate) subject: Option<Text<'a>>,
    pub(crate) audience: Option<ValueRef<'a>>,
}

/// The payload with what was wished for behind it.
pub(crate) fn filled(
    payload: ValueRef<'_>,
    wish: &Wish<'_>,
    now: impl FnOnce() -> NodeResult<i64>,
) -> NodeResult<Value> {
    let Some(given) = payload.as_map() else {
        let why = format_args!("expected a map, found {}", kind_name(payload));
        return Err(NodeError::invalid("payload", why));
    };
    for claim in ["iat", "exp", "nbf"] {
        if given.get(claim).is_some_and(|time| time.as_f64().is_none()) {
            let why = format_args!("the claim `{claim}` is a number of seconds since 1970");
            return Err(NodeError::invalid("payload", why));
        }
    }
    let mut claims = Claims {
        given: payload,
        more: Vec::new(),
    };
    let issued = match given.get("iat").and_then(|time| time.as_f64()) {
        // A fraction of a second is cut off: what is reckoned from it is in seconds.
        Some(time) => time as i64,
        None => {
            let now = now()?;
            claims.add("payload", "iat", now.into())?;
            now
        }
    };
    let after = |span: Span| Value::from(issued.saturating_add(span.0));
    if let Some(span) = wish.not_before {
        claims.add("notBefore", "nbf", after(span))?;
    }
    if let Some(span) = wish.expires_in {
        claims.add("expiresIn", "exp", after(span))?;
    }
    if let Some(issuer) = &wish.issuer {
        claims.add("issuer", "iss", issuer.as_str().into())?;
    }
    if let Some(subject) = &wish.subject {
        claims.add("subject", "sub", subject.as_str().into())?;
    }
    if let Some(audience) = wish.audience.filter(|audience| !audience.is_null()) {
        let texts = |value: ValueRef<'_>| match value.as_list() {
            Some(list) => list.iter().all(|item| item.as_str().is_some()),
            None => value.as_str().is_some(),
        };
        if !texts(audience) {
            return Err(NodeError::invalid(
                "audience",
                "expected a text or a list of texts",
            ));
        }
        claims.add("audience", "aud", audience.to_value())?;
    }
    let more = claims.more.iter().map(|(name, value)| (*name, value.as_ref()));
    Ok(Value::from_pairs(given.iter().chain(more))?)
}

struct Claims<'a> {
    given: ValueRef<'a>,
    more: Vec<(&'static str, Value)>,
}

impl Claims<'_> {
    /// Adds a claim that a parameter makes.
    fn add(&mut self, parameter: &str, claim: &'static str, value: Value) -> NodeResult<()> {
        if self.given.get(claim).is_some() {
            let why = format_args!("the payload has the claim `{claim}` already: give one of the two");
            return Err(NodeError::invalid(parameter, why));
        }
        self.more.push((claim, value));
        Ok(())
    }
}

/// What a token has to say.
pub(crate) struct Demands<'a> {
    pub(crate) issuer: Option<Text<'a>>,
    pub(crate) subject: Option<Text<'a>>,
    pub(crate) audience: Option<Text<'a>>,
    /// In seconds.
    pub(crate) leeway: i64,
    /// Whether it has to expire.
    pub(crate) expiry: bool,
}

impl Demands<'_> {
    /// `now` is in seconds since 1970.
    pub(crate) fn check(&self, claims: ValueRef<'_>, now: i64) -> NodeResult<()> {
        let (now, leeway) = (now as f64, self.leeway as f64);
        match time(claims, "exp")? {
            Some(expiry) if now >= expiry + leeway => {
                return Err(refused("TOKEN_EXPIRED", "the token has expired"));
            }
            None if self.expiry => {
                return Err(refused(
                    "TOKEN_CLAIM_REFUSED",
                    "the token has no claim `exp`, so it would never expire",
                ));
            }
            _ => {}
        }
        if time(claims, "nbf")?.is_some_and(|start| now < start - leeway) {
            return Err(refused("TOKEN_NOT_YET_VALID", "the token is not good yet"));
        }
        let text = |claim: &str| claims.get(claim).and_then(|value| value.as_str());
        for (claim, wanted) in [("iss", &self.issuer), ("sub", &self.subject)] {
            if wanted
                .as_ref()
                .is_some_and(|wanted| text(claim) != Some(wanted.as_str()))
            {
                return Err(other(claim));
            }
        }
        if let Some(wanted) = &self.audience {
            let wanted = Some(wanted.as_str());
            let list = claims.get("aud").and_then(|value| value.as_list());
            let among = list.is_some_and(|list| list.iter().any(|item| item.as_str() == wanted));
            if !among && text("aud") != wanted {
                return Err(other("aud"));
            }
        }
        Ok(())
    }
}

/// A claim that is a time.
fn time(claims: ValueRef<'_>, claim: &str) -> NodeResult<Option<f64>> {
    let Some(value) = claims.get(claim) else {
        return Ok(None);
    };
    let wrong = || {
        refused(
            "TOKEN_INVALID",
            format!("the token's claim `{claim}` is no number"),
        )
    };
    value.as_f64().map(Some).ok_or_else(wrong)
}

fn other(claim: &str) -> NodeError {
    let message = format!("the token's claim `{claim}` is not what was asked for");
    refused("TOKEN_CLAIM_REFUSED", message)
}
