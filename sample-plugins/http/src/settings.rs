//! What the administrator set.
//!
//! Invariant: a request is made by rules that were read whole; a setting that cannot be used makes every request an
//! error that names it.
//!
//! | setting | meaning |
//! |---|---|
//! | `http.allow_hosts` | the hosts that may be called: names, `*.name`, addresses, networks, `*`; all if missing |
//! | `http.deny_hosts` | hosts that may not be called, whatever else says so |
//! | `http.deny_private` | `false` lets private addresses be called; they may not be if missing |
//! | `http.connect_to` | `name:port=address:port, ...`: where connections to a host go instead |
//! | `http.ca` | more root certificates: their PEM, or the path of a file of it |
//! | `http.proxy` | the URL of a proxy; what a name leads to behind it is the proxy's to judge |
//! | `http.base_url` | what a URL without a host is below |

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use plugin_api::error::code;
use plugin_api::prelude::*;
use reqwest::Url;

use crate::location;
use crate::rules::{Refused, Rules, Texts, broken};

/// The largest file of certificates.
const LARGEST_CA: u64 = 4 << 20;

/// What tells one way of making requests from another: those that have it in common may share connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    tenant: String,
    allow: Option<String>,
    deny: Option<String>,
    deny_private: Option<String>,
    connect_to: Option<String>,
    /// PEM.
    pub(crate) ca: Option<String>,
    /// A URL.
    pub(crate) proxy: Option<String>,
}

/// The settings of a tenant, read.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) key: Arc<Key>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) base: Option<Url>,
}

impl Settings {
    /// Reads them; a file of certificates is read beside the calling thread.
    ///
    /// # Errors
    /// `NOT_ALLOWED` when one of them cannot be used.
    pub(crate) async fn read(ctx: Ctx<'_>) -> NodeResult<Self> {
        let filled = |name| Ok::<_, NodeError>(ctx.setting(name)?.filter(|text| !text.trim().is_empty()));
        let mut key = Key {
            tenant: ctx.tenant().to_owned(),
            // An empty list of what is allowed allows nothing, and is no missing one.
            allow: ctx.setting("http.allow_hosts")?,
            deny: filled("http.deny_hosts")?,
            deny_private: filled("http.deny_private")?,
            connect_to: filled("http.connect_to")?,
            ca: filled("http.ca")?,
            proxy: filled("http.proxy")?,
        };
        let rules = Rules::read(Texts {
            allow: key.allow.as_deref(),
            deny: key.deny.as_deref(),
            deny_private: key.deny_private.as_deref(),
            connect_to: key.connect_to.as_deref(),
        })
        .map_err(refusal)?;
        let base = filled("http.base_url")?.map(|text| base(&text)).transpose()?;
        if let Some(path) = key.ca.take_if(|ca| !ca.trim_start().starts_with("-----")) {
            key.ca = Some(plugin_io::run_blocking(ctx, move |_| pem(path.trim()).map_err(refusal)).await?);
        }
        Ok(Self {
            key: Arc::new(key),
            rules: Arc::new(rules),
            base,
        })
    }
}

fn base(text: &str) -> NodeResult<Url> {
    let wrong = || {
        refusal(broken(
            "http.base_url",
            "it is a URL such as `https://example.org/api`",
        ))
    };
    let url = location::read(text.trim(), None, "http.base_url").map_err(|_| wrong())?;
    let fits = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    fits.then_some(url).ok_or_else(wrong)
}

fn pem(path: &str) -> Result<String, Refused> {
    let unread =
        |error: &dyn std::fmt::Display| broken("http.ca", &format!("its file cannot be read: {error}"));
    let file = File::open(path).map_err(|error| unread(&error))?;
    let is_file = file.metadata().is_ok_and(|found| found.is_file());
    if !is_file {
        return Err(unread(&"it is no regular file"));
    }
    let mut text = String::new();
    let read = file.take(LARGEST_CA + 1).read_to_string(&mut text);
    read.map_err(|error| unread(&error))?;
    if text.len() as u64 > LARGEST_CA {
        return Err(unread(&"it has more than 4 MiB"));
    }
    Ok(text)
}

/// A refusal as a node tells it. Trying again does not help.
pub(crate) fn refusal(refused: Refused) -> NodeError {
    NodeError::with_code(code::NOT_ALLOWED, refused.0).retryable(false)
}
