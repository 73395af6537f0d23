//! One request and its answer, with the redirects between them.
//!
//! Invariant: every hop is judged by the rules like a first request; what is meant for one origin (credentials, cookies)
//! is not sent to another; and never more of a body is held than the request allows.

use std::error::Error;
use std::io;

use plugin_api::error::code;
use plugin_api::prelude::*;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap,
    LOCATION,
};
use reqwest::{Method, Request, Response, StatusCode, Url};

use crate::client::{client, place};
use crate::order::{Order, Redirects};
use crate::rules::Refused;
use crate::settings::{Settings, refusal};

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) redirects: u32,
    /// Requests that were made until it came, redirects not counted.
    pub(crate) attempts: u32,
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: NodeError,
    /// Whether another attempt may go better.
    pub(crate) passing: bool,
}

impl Fault {
    pub(crate) fn lasting(error: NodeError) -> Self {
        Self {
            error,
            passing: false,
        }
    }

    pub(crate) fn passing(message: String) -> Self {
        Self {
            error: NodeError::with_code(code::TEMPORARY_FAILURE, message),
            passing: true,
        }
    }
}

/// Makes the request, follows redirects, and reads the answer.
///
/// # Errors
/// When there is no whole answer, or a rule or a limit is in the way.
pub(crate) async fn exchange(order: &Order, settings: &Settings) -> Result<Reply, Fault> {
    let lost = || Fault::lasting(NodeError::new("the request cannot be repeated"));
    let mut next = order.request.try_clone().ok_or_else(lost)?;
    let mut redirects = 0;
    loop {
        // What is sent may differ in its port from what was asked for, so the original stays.
        let mut sent = next.try_clone().ok_or_else(lost)?;
        let client = client(settings, &mut sent).map_err(Fault::lasting)?;
        let response = client.execute(sent).await;
        let response = response.map_err(|error| fault(&error, next.url()))?;
        let Redirects::Followed { most } = order.redirects else {
            return read(response, order, next, redirects).await;
        };
        let Some(target) = target(&response, next.url()).map_err(Fault::lasting)? else {
            return read(response, order, next, redirects).await;
        };
        if redirects >= most {
            let message = format!(
                "{} redirects, and was the last of {most} that are followed",
                place(next.url())
            );
            return Err(Fault::lasting(NodeError::new(message).retryable(false)));
        }
        redirects += 1;
        redirected(&mut next, response.status(), target, order);
    }
}

/// Where a response leads, if it leads anywhere.
fn target(response: &Response, from: &Url) -> NodeResult<Option<Url>> {
    let status = response.status();
    let leads = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers().get(LOCATION).filter(|_| leads) else {
        return Ok(None);
    };
    let wrong = || NodeError::new(format!("{} redirects to what is no URL", place(from))).retryable(false);
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| wrong())?;
    let mut target = from.join(location).map_err(|_| wrong())?;
    // A server may not give credentials to a workflow's request. A URL that can have none is refused later on.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    Ok(Some(target))
}

/// Turns a request into the one that a redirect asks for.
fn redirected(request: &mut Request, status: StatusCode, target: Url, order: &Order) {
    let post_becomes_get = matches!(status.as_u16(), 301 | 302) && request.method() == Method::POST;
    let becomes_get = status == StatusCode::SEE_OTHER && request.method() != Method::HEAD;
    if post_becomes_get || becomes_get {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            request.headers_mut().remove(name);
        }
    }
    if target.origin() != request.url().origin() {
        let headers = request.headers_mut();
        headers.remove(AUTHORIZATION);
        headers.remove(COOKIE);
        if let Some(name) = &order.secret_header {
            headers.remove(name);
        }
    }
    *request.url_mut() = target;
}

async fn read(
    mut response: Response,
    order: &Order,
    request: Request,
    redirects: u32,
) -> Result<Reply, Fault> {
    let most = order.most_bytes;
    let too_large = || {
        let message = format!(
            "the answer of {} has more than {most} bytes; `maxResponseBytes` says how many are read",
            place(request.url())
        );
        Fault::lasting(NodeError::with_code(code::LIMIT_EXCEEDED, message).retryable(false))
    };
    let told = response.content_length().unwrap_or_default();
    if told > most as u64 {
        return Err(too_large());
    }
    // What a server says of its size costs nothing before it is there.
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| fault(&error, request.url()))? else {
            break;
        };
        if body.len() + chunk.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body,
        url: request.url().clone(),
        method: request.method().clone(),
        redirects,
        attempts: 1,
    })
}

/// What a failure of the client means to a workflow.
fn fault(error: &reqwest::Error, url: &Url) -> Fault {
    let place = place(url);
    let mut why = String::new();
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // What an I/O error carries is not among its sources.
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Fault::lasting(refusal(refused.clone()));
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            let message = format!("{place} cannot be called with TLS: {tls}");
            return Fault::lasting(NodeError::new(message).retryable(false));
        }
        // The client's own text has the URL in it.
        if !error.is::<reqwest::Error>() {
            why = error.to_string();
        }
        cause = match carried {
            Some(carried) => Some(carried),
            None => error.source(),
        };
    }
    let what = match error {
        error if error.is_connect() && error.is_timeout() => "cannot be reached in time",
        error if error.is_connect() => "cannot be reached",
        error if error.is_decode() || error.is_body() => "did not send the whole answer",
        _ => "gave no answer",
    };
    let why: String = why
        .chars()
        .filter(|letter| !letter.is_control())
        .take(300)
        .collect();
    let colon = if why.is_empty() { "" } else { ": " };
    Fault::passing(format!("{place} {what}{colon}{why}"))
}
