//! What every request passes, and every answer.
//!
//! Invariant: a request that is not addressed to this machine, or that a page of another site sent, reaches no route.
//! Both are how a web page would otherwise order changes here: through a name that resolves to this machine, or
//! through the browser of somebody who works on it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use patchbay_vocab::{Clock, Explain, SystemClock};
use patchbay_wire::ProblemView;

use crate::error::{HttpError, Refusal};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Marks an answer whose status and body are what they should be, an error's status included.
#[derive(Clone, Copy)]
pub(crate) struct Settled;

/// Names requests, and knows by which names this host may be called.
#[derive(Debug)]
pub(crate) struct Guard {
    bound: Option<IpAddr>,
    start: u64,
    requests: AtomicU64,
}

impl Guard {
    /// A guard for a host that listens on `bound`, or that is not known to listen anywhere.
    pub(crate) fn new(bound: Option<SocketAddr>) -> Self {
        let bound = bound
            .map(|address| address.ip())
            .filter(|ip| !ip.is_unspecified());
        Self {
            bound,
            start: SystemClock::new().wall().0,
            requests: AtomicU64::new(1),
        }
    }

    /// Puts the guard before every route of `router`, its fallbacks included.
    pub(crate) fn protect(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(Arc::new(self), pass))
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), HttpError> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => authority(host).ok_or(HttpError::ForeignHost)?,
            _ => return Err(HttpError::ForeignHost),
        };
        if !self.is_ours(&host) || uri.authority().is_some_and(|authority| *authority != host) {
            return Err(HttpError::ForeignHost);
        }
        let same_origin = |origin: &HeaderValue| {
            let origin = origin.to_str().ok().and_then(|text| text.strip_prefix("http://"));
            origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host.as_str()))
        };
        if headers.get_all(ORIGIN).iter().all(same_origin) {
            Ok(())
        } else {
            Err(HttpError::ForeignOrigin)
        }
    }

    fn is_ours(&self, authority: &Authority) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let host = authority.host();
        let address = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        match address.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || self.bound == Some(ip),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        }
    }
}

fn authority(host: &HeaderValue) -> Option<Authority> {
    host.to_str().ok()?.parse().ok()
}

async fn pass(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let number = guard.requests.fetch_add(1, Ordering::Relaxed);
    let id = format!("{:x}-{number:x}", guard.start);
    let mut response = match guard.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => Refusal::from(error).into_response(),
    };
    let settled = response.extensions_mut().remove::<Settled>().is_some();
    if !settled && (response.status().is_client_error() || response.status().is_server_error()) {
        write_problem(&mut response, &id);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
    response
}

/// Writes the body of an answer that is not a success; the layers below left it empty, or wrote plain text.
fn write_problem(response: &mut Response, id: &str) {
    let problem = Refusal::problem_of(response)
        .unwrap_or_else(|| ProblemView::from(HttpError::of_status(response.status()).explained()));
    let problem = ProblemView {
        request_id: Some(id.to_owned()),
        ..problem
    };
    tracing::debug!(request = id, code = %problem.code, status = response.status().as_u16(), "request refused");
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    response.headers_mut().remove(CONTENT_LENGTH);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = body.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bound: Option<&str>, host: &str, origin: Option<&str>) -> Result<(), &'static str> {
        let guard = Guard::new(bound.map(|address| address.parse().unwrap()));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        guard
            .check(&Uri::from_static("/"), &headers)
            .map_err(|error| error.code().0)
    }

    #[test]
    fn a_host_answers_to_loopback_names_and_to_its_bound_address_only() {
        for host in [
            "localhost",
            "LOCALHOST:7411",
            "127.0.0.1:7411",
            "127.9.9.9",
            "[::1]:7411",
            "[::1]",
        ] {
            assert_eq!(check(None, host, None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "a@localhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "",
            "a b",
        ] {
            assert_eq!(check(None, host, None), Err("PB-HTTP-003"), "{host}");
        }
        assert_eq!(check(Some("10.0.0.1:7411"), "10.0.0.1:7411", None), Ok(()));
        assert_eq!(
            check(Some("0.0.0.0:7411"), "0.0.0.0:7411", None),
            Err("PB-HTTP-003")
        );
    }

    #[test]
    fn a_request_needs_exactly_one_host() {
        let guard = Guard::new(None);
        let mut headers = HeaderMap::new();
        assert!(guard.check(&Uri::from_static("/"), &headers).is_err());
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(guard.check(&Uri::from_static("/"), &headers).is_ok());
        assert!(
            guard
                .check(&Uri::from_static("http://evil.example/"), &headers)
                .is_err()
        );
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert!(guard.check(&Uri::from_static("/"), &headers).is_err());
    }

    #[test]
    fn only_the_hosts_own_page_may_be_an_origin() {
        assert_eq!(
            check(None, "localhost:7411", Some("http://localhost:7411")),
            Ok(())
        );
        for origin in [
            "http://localhost:7412",
            "http://127.0.0.1:7411",
            "https://localhost:7411",
            "http://evil.example",
            "null",
            "",
        ] {
            assert_eq!(
                check(None, "localhost:7411", Some(origin)),
                Err("PB-HTTP-004"),
                "{origin}"
            );
        }
    }
}
