//! One host, over HTTP.
//!
//! Invariant: whatever answers, a command ends: connecting and waiting have limits, and so has what is read. Proxies
//! and redirects are not followed: a host is named by its address.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::time::Duration;

use patchbay_wire::ProblemView;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use crate::error::CliError;

const CONNECT: Duration = Duration::from_secs(5);
/// Long enough for any read and for any change; calls of nodes have their own limit.
const ANSWER: Duration = Duration::from_secs(60);
const LARGEST_ANSWER: u64 = 256 << 20;
const LONGEST_EVENT: u64 = 1 << 20;
const EVENTS: &str = "text/event-stream";

/// How something is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    /// As something to do.
    Post,
    /// As what is to be there.
    Put,
}

/// A connection to a host.
pub(crate) struct Client {
    agent: Agent,
    url: String,
}

impl Client {
    /// A client for the host at `url`, which waits `patience` longer than usual for its answers.
    pub(crate) fn new(url: &str, patience: Duration) -> Result<Self, CliError> {
        let url = checked(url)?;
        let limit = ANSWER.saturating_add(patience);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(limit))
            .user_agent(concat!("patchbay/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, url })
    }

    /// Reads.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let answer = self
            .agent
            .get(self.at(path))
            .config()
            .timeout_global(Some(ANSWER))
            .build()
            .call();
        self.decode(answer.map_err(|cause| self.unreached(cause))?)
    }

    /// Reads what takes a while to find out: as long as this client is patient.
    pub(crate) fn get_patiently<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let answer = self.agent.get(self.at(path)).call();
        self.decode(answer.map_err(|cause| self.unreached(cause))?)
    }

    /// Sends.
    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, CliError> {
        self.send(Verb::Post, path, body, &[])
    }

    /// Sends, with headers.
    pub(crate) fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        verb: Verb,
        path: &str,
        body: &B,
        headers: &[(&str, &str)],
    ) -> Result<T, CliError> {
        let body = serde_json::to_vec(body).map_err(CliError::BadJson)?;
        let request = match verb {
            Verb::Post => self.agent.post(self.at(path)),
            Verb::Put => self.agent.put(self.at(path)),
        };
        let mut request = request.content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.decode(request.send(&body[..]).map_err(|cause| self.unreached(cause))?)
    }

    /// Reads lines; `each` is called with one after the other, until it returns false or they end.
    pub(crate) fn read_lines(&self, path: &str, mut each: impl FnMut(&str) -> bool) -> Result<(), CliError> {
        let answer = self.agent.get(self.at(path)).call();
        let mut answer = answer.map_err(|cause| self.unreached(cause))?;
        if answer.status() != 200 {
            return self.body(answer).map(drop);
        }
        let mut stream = BufReader::new(answer.body_mut().with_config().limit(u64::MAX).reader());
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = stream.by_ref().take(LARGEST_ANSWER).read_until(b'\n', &mut line);
            read.map_err(|cause| CliError::Broken {
                url: self.url.clone(),
                cause,
            })?;
            let text = match line.strip_suffix(b"\n") {
                Some(text) => std::str::from_utf8(text),
                None if line.is_empty() => return Ok(()),
                None => return Err(self.stranger("a line of its answer does not end".into())),
            };
            let text = text.map_err(|_| self.stranger("its answer is no text".into()))?;
            if !each(text) {
                return Ok(());
            }
        }
    }

    /// Reads text as it is.
    pub(crate) fn text(&self, path: &str) -> Result<String, CliError> {
        let answer = self
            .agent
            .get(self.at(path))
            .config()
            .timeout_global(Some(ANSWER))
            .build()
            .call();
        let body = self.body(answer.map_err(|cause| self.unreached(cause))?)?;
        String::from_utf8(body).map_err(|_| self.stranger("its answer is no text".into()))
    }

    /// Sends a text that may or may not be JSON, as JSON.
    pub(crate) fn post_text<T: DeserializeOwned>(&self, path: &str, body: &str) -> Result<T, CliError> {
        let request = self.agent.post(self.at(path)).content_type("application/json");
        let answer = request.send(body.as_bytes());
        self.decode(answer.map_err(|cause| self.unreached(cause))?)
    }

    /// Follows a stream of events; `each` is called with the JSON of each, until it returns false or the stream ends.
    pub(crate) fn follow(&self, path: &str, mut each: impl FnMut(&str) -> bool) -> Result<(), CliError> {
        let answer = self.agent.get(self.at(path)).header("accept", EVENTS).call();
        let answer = answer.map_err(|cause| self.unreached(cause))?;
        self.events(answer, LONGEST_EVENT, |_, json| each(json))
    }

    /// Sends, and follows what comes of it; `each` is called with the type and the JSON of each event.
    pub(crate) fn post_and_follow<B: Serialize>(
        &self,
        path: &str,
        body: &B,
        each: impl FnMut(&str, &str) -> bool,
    ) -> Result<(), CliError> {
        let body = serde_json::to_vec(body).map_err(CliError::BadJson)?;
        let request = self.agent.post(self.at(path)).content_type("application/json");
        let answer = request.header("accept", EVENTS).send(&body[..]);
        let answer = answer.map_err(|cause| self.unreached(cause))?;
        self.events(answer, LARGEST_ANSWER, each)
    }

    fn events(
        &self,
        mut answer: Response<Body>,
        longest: u64,
        mut each: impl FnMut(&str, &str) -> bool,
    ) -> Result<(), CliError> {
        if answer.status() != 200 {
            return self.decode::<serde_json::Value>(answer).map(drop);
        }
        let mut stream = BufReader::new(answer.body_mut().with_config().limit(u64::MAX).reader());
        let (mut line, mut kind) = (Vec::new(), String::new());
        loop {
            line.clear();
            let read = stream.by_ref().take(longest).read_until(b'\n', &mut line);
            match read.map_err(|cause| CliError::Broken {
                url: self.url.clone(),
                cause,
            })? {
                0 => return Ok(()),
                _ => {
                    let text = String::from_utf8_lossy(&line);
                    if let Some(name) = text.strip_prefix("event:") {
                        name.trim().clone_into(&mut kind);
                    } else if let Some(json) = text.strip_prefix("data:") {
                        if !each(&kind, json.trim()) {
                            return Ok(());
                        }
                    } else if text.trim().is_empty() {
                        kind.clear();
                    }
                }
            }
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.url)
    }

    fn decode<T: DeserializeOwned>(&self, answer: Response<Body>) -> Result<T, CliError> {
        let body = self.body(answer)?;
        serde_json::from_slice(&body).map_err(|cause| self.stranger(cause.to_string()))
    }

    /// The body of an answer that is a success.
    fn body(&self, mut answer: Response<Body>) -> Result<Vec<u8>, CliError> {
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(LARGEST_ANSWER)
            .read_to_vec();
        let body = body.map_err(|cause| self.broken_off(cause))?;
        if matches!(status, 200 | 202) {
            return Ok(body);
        }
        let problem = serde_json::from_slice::<ProblemView>(&body)
            .map_err(|_| self.stranger(format!("status {status} without a problem in its body")))?;
        Err(CliError::Refused {
            status,
            problem: Box::new(problem),
        })
    }

    fn stranger(&self, what: String) -> CliError {
        CliError::Stranger {
            url: self.url.clone(),
            what,
        }
    }

    /// Why there is no answer at all.
    fn unreached(&self, cause: ureq::Error) -> CliError {
        let url = self.url.clone();
        match cause {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed => CliError::NobodyListens {
                url,
                cause: cause.into(),
            },
            ureq::Error::Io(cause) if !was_connected(cause.kind()) => CliError::NobodyListens {
                url,
                cause: cause.into(),
            },
            cause => self.broken_off(cause),
        }
    }

    /// Why an answer did not come to its end.
    fn broken_off(&self, cause: ureq::Error) -> CliError {
        let url = self.url.clone();
        match cause {
            ureq::Error::Timeout(_) => CliError::Slow { url, cause },
            ureq::Error::Io(cause) => CliError::Broken { url, cause },
            other => self.stranger(other.to_string()),
        }
    }
}

/// Whether an error of this kind comes from a connection that was there. The others are those of finding the
/// host and of connecting to it; a name that cannot be resolved has no kind of its own.
fn was_connected(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::InvalidData
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
            | ErrorKind::WouldBlock
    )
}

/// The address without a trailing slash; only plain HTTP to a host and a port is spoken.
fn checked(url: &str) -> Result<String, CliError> {
    let bad = |why| CliError::BadUrl { url: url.into(), why };
    let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(bad("only http is spoken, on this machine")),
        _ => return Err(bad("it does not start with http://")),
    }
    if uri.query().is_some() || !matches!(uri.path(), "" | "/") {
        return Err(bad("it has a path"));
    }
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(bad("it has a user name"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use patchbay_vocab::Explain;

    use super::*;

    #[test]
    fn only_addresses_of_hosts_are_accepted() {
        assert_eq!(
            checked("http://127.0.0.1:7411/").unwrap(),
            "http://127.0.0.1:7411"
        );
        assert_eq!(checked("http://[::1]:7411").unwrap(), "http://[::1]:7411");
        for bad in [
            "",
            "127.0.0.1:7411",
            "https://localhost",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
            "ftp://a",
        ] {
            let error = checked(bad).unwrap_err();
            assert_eq!(error.code().0, "PB-CLI-002", "{bad}");
        }
    }
}
