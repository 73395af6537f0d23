//! A request as it is going to be made.
//!
//! Invariant: an [`Order`] was checked whole: making it fails for reasons of the network and the rules alone.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use plugin_api::prelude::*;
use plugin_api::reading::{Any, Flag, Given, Text, Whole};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use crate::attempts::{Repeatable, Retries};
use crate::headers::{header, headers};
use crate::location::{self, LONGEST};
use crate::pairs::{Pairs, pairs};
use crate::settings::Settings;

/// Bytes of an answer that are read, if the workflow does not say.
const USUAL_BYTES: i64 = 10 << 20;
/// The most bytes of an answer that are read: 64 MiB.
const MOST_BYTES: i64 = 64 << 20;
const USUAL_TIMEOUT: i64 = 30_000;
/// The longest timeout: an hour.
const LONGEST_TIMEOUT: i64 = 3_600_000;
/// Statuses that may be gone at the next attempt.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// What becomes of redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// They are answers like others.
    Returned,
    /// So many are followed.
    Followed {
        /// The number.
        most: u32,
    },
}

/// A request, and the limits it is made with.
pub(crate) struct Order {
    pub(crate) request: Request,
    /// A header of this name has a secret in it, and is not for another origin.
    pub(crate) secret_header: Option<HeaderName>,
    pub(crate) redirects: Redirects,
    pub(crate) retries: Retries,
    pub(crate) timeout: Duration,
    pub(crate) most_bytes: usize,
}

/// What all nodes that make requests have in common, borrowed from their parameters.
#[derive(Default)]
pub(crate) struct Wish<'a> {
    pub(crate) url: Option<&'a str>,
    pub(crate) query: Any<'a>,
    pub(crate) headers: Any<'a>,
    pub(crate) body: Given<'a>,
    pub(crate) body_type: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) auth: Option<&'a Auth<'a>>,
    pub(crate) timeout: Option<Whole>,
    pub(crate) follow_redirects: Option<Flag>,
    pub(crate) max_redirects: Option<Whole>,
    pub(crate) retries: Option<Whole>,
    pub(crate) retry_delay: Option<Whole>,
    pub(crate) retry_status_codes: Option<&'a [Whole]>,
    pub(crate) retry_any_method: Option<Flag>,
    pub(crate) max_response_bytes: Option<Whole>,
}

/// How a request says who makes it. The secret is named, never written: the host keeps it.
#[parameters]
pub(crate) struct Auth<'a> {
    /// `bearer`, `basic` or `header`.
    #[serde(rename = "type", alias = "kind")]
    #[schemars(length(max = 20))]
    kind: &'a str,
    /// The name of the secret: `HTTP_TOKEN`, `HTTP_PASSWORD`, or one that begins with either and `_`.
    #[serde(default)]
    #[schemars(length(max = 128))]
    secret: Option<&'a str>,
    /// Who has the password, for `basic`.
    #[serde(default, alias = "username")]
    #[schemars(length(max = 1_024))]
    user: Text<'a>,
    /// The header that takes the secret, for `header`.
    #[serde(default, alias = "name")]
    #[schemars(length(max = 100))]
    header: Option<&'a str>,
}

impl Order {
    /// Checks what is wished for.
    ///
    /// # Errors
    /// When a parameter is wrong, or the secret is not there.
    pub(crate) fn of(wish: &Wish<'_>, method: Method, settings: &Settings, ctx: Ctx<'_>) -> NodeResult<Self> {
        let url = url(wish, settings)?;
        let mut found = headers(&pairs(wish.headers.0, "headers")?, "headers")?;
        let mut secret_header = None;
        if let Some(auth) = wish.auth {
            let (name, value) = credentials(auth, ctx)?;
            secret_header = Some(name.clone());
            found.insert(name, value);
        }
        let body = crate::body::body(wish.body.0, wish.body_type, wish.content_type)?;
        let mut request = Request::new(method, url);
        if let Some(body) = body {
            if !found.contains_key(CONTENT_TYPE) {
                let (name, value) = header(CONTENT_TYPE.as_str(), &body.content_type, "contentType")?;
                found.insert(name, value);
            }
            *request.body_mut() = Some(body.bytes.into());
        }
        *request.headers_mut() = found;
        Ok(Self {
            request,
            secret_header,
            redirects: redirects(wish)?,
            retries: retries(wish)?,
            timeout: millis(wish.timeout, "timeout", 1..=LONGEST_TIMEOUT, USUAL_TIMEOUT)?,
            most_bytes: bytes(wish)?,
        })
    }
}

/// Reads a method.
///
/// # Errors
/// When it is none of those that are sent.
pub(crate) fn method(name: &str) -> NodeResult<Method> {
    let name = name.trim().to_ascii_uppercase();
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let wrong = || {
        NodeError::invalid(
            "method",
            "must be `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`",
        )
    };
    known
        .into_iter()
        .find(|known| known.as_str() == name)
        .ok_or_else(wrong)
}

fn url(wish: &Wish<'_>, settings: &Settings) -> NodeResult<Url> {
    let missing = || NodeError::invalid("url", "is missing");
    let text = wish.url.ok_or_else(missing)?.trim();
    if text.is_empty() {
        return Err(NodeError::invalid("url", "is empty"));
    }
    let mut url = if is_absolute(text) {
        location::read(text, None, "url")?
    } else {
        below(text, settings)?
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(NodeError::invalid(
            "url",
            "must begin with `http://` or `https://` and a host",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let why = "has a user or a password in it, which results and records would show: use `auth`, which names a secret";
        return Err(NodeError::invalid("url", why));
    }
    url.set_fragment(None);
    let query: Pairs = match wish.query.0.as_str() {
        Some(text) => location::decode(text),
        None => pairs(wish.query.0, "query")?,
    };
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(&query);
    }
    if url.as_str().len() > LONGEST {
        let why = format_args!("must not be longer than {LONGEST} bytes with its query");
        return Err(NodeError::invalid("url", why));
    }
    Ok(url)
}

/// Whether a text begins with a scheme.
fn is_absolute(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// The URL that a path is below the base. Whatever the path says, it stays there.
fn below(path: &str, settings: &Settings) -> NodeResult<Url> {
    let Some(base) = &settings.base else {
        let why =
            "has no host, and the administrator has made no setting `http.base_url` that would give one";
        return Err(NodeError::invalid("url", why));
    };
    let prefix = base.as_str().trim_end_matches('/');
    let text = format!("{prefix}/{}", path.trim_start_matches(['/', '\\']));
    let url = location::read(&text, None, "url")?;
    let stays = url
        .as_str()
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('/'));
    if !stays {
        return Err(NodeError::invalid(
            "url",
            "leads out of the setting `http.base_url`",
        ));
    }
    Ok(url)
}

fn basic(user: &str, password: &str) -> NodeResult<HeaderValue> {
    let text = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    secret_value(&text, "auth")
}

fn credentials(auth: &Auth<'_>, ctx: Ctx<'_>) -> NodeResult<(HeaderName, HeaderValue)> {
    let secret = |usual: &str| {
        let name = auth.secret.unwrap_or(usual);
        let known = ["HTTP_TOKEN", "HTTP_PASSWORD"].iter().any(|known| {
            let rest = name.strip_prefix(known);
            rest.is_some_and(|rest| rest.is_empty() || rest.len() > 1 && rest.starts_with('_'))
        });
        if !known {
            let why = "`secret` must be `HTTP_TOKEN`, `HTTP_PASSWORD`, or begin with `HTTP_TOKEN_` or `HTTP_PASSWORD_`";
            return Err(NodeError::invalid("auth", why));
        }
        ctx.secret(name)
    };
    match auth.kind {
        "bearer" => {
            let value = format!("Bearer {}", secret("HTTP_TOKEN")?.trim());
            Ok((AUTHORIZATION, secret_value(&value, "auth")?))
        }
        "basic" => {
            let user = auth.user.as_str();
            if user.contains(':') || user.is_empty() {
                return Err(NodeError::invalid(
                    "auth",
                    "`user` must be a name without a colon",
                ));
            }
            let password = secret("HTTP_PASSWORD")?;
            Ok((
                AUTHORIZATION,
                basic(user, password.trim_end_matches(['\r', '\n']))?,
            ))
        }
        "header" => {
            let missing = || NodeError::invalid("auth", "`header` is missing");
            let name = auth.header.ok_or_else(missing)?;
            let (name, _) = header(name, "", "auth")?;
            Ok((name, secret_value(secret("HTTP_TOKEN")?.trim(), "auth")?))
        }
        _ => Err(NodeError::invalid(
            "auth",
            "`type` must be `bearer`, `basic` or `header`",
        )),
    }
}

/// A value that is marked, so that no debug output shows it.
fn secret_value(text: &str, parameter: &str) -> NodeResult<HeaderValue> {
    let wrong = |_| {
        NodeError::invalid(
            parameter,
            "the secret cannot be sent in a header: it has control characters",
        )
    };
    let mut value = HeaderValue::from_str(text).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

fn redirects(wish: &Wish<'_>) -> NodeResult<Redirects> {
    let most = wish
        .max_redirects
        .unwrap_or(Whole(10))
        .within("maxRedirects", 0..=50)?;
    Ok(match wish.follow_redirects {
        Some(Flag(false)) => Redirects::Returned,
        _ => Redirects::Followed {
            most: u32::try_from(most).unwrap_or_default(),
        },
    })
}

fn retries(wish: &Wish<'_>) -> NodeResult<Retries> {
    let most = wish.retries.unwrap_or(Whole(0)).within("retries", 0..=20)?;
    let statuses = match wish.retry_status_codes {
        None => PASSING.to_vec(),
        Some(codes) => {
            let code = |code: &Whole| {
                let code = code.within("retryStatusCodes", 100..=599)?;
                Ok(u16::try_from(code).unwrap_or_default())
            };
            codes.iter().take(500).map(code).collect::<NodeResult<_>>()?
        }
    };
    Ok(Retries {
        most: u32::try_from(most).unwrap_or_default(),
        wait: millis(wish.retry_delay, "retryDelay", 0..=60_000, 500)?,
        statuses,
        methods: match wish.retry_any_method {
            Some(Flag(true)) => Repeatable::Every,
            _ => Repeatable::Idempotent,
        },
    })
}

fn millis(
    given: Option<Whole>,
    parameter: &str,
    range: std::ops::RangeInclusive<i64>,
    usual: i64,
) -> NodeResult<Duration> {
    let millis = given.unwrap_or(Whole(usual)).within(parameter, range)?;
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

fn bytes(wish: &Wish<'_>) -> NodeResult<usize> {
    let most = wish.max_response_bytes.unwrap_or(Whole(USUAL_BYTES));
    let most = most.within("maxResponseBytes", 0..=MOST_BYTES)?;
    Ok(usize::try_from(most).unwrap_or_default())
}

#[cfg(test)]
mod tests;
