//! Clients: what holds connections open from call to call.
//!
//! Invariant: connections are shared only by calls of one tenant under the same settings, and are kept in thread-locals
//! of the plugin's I/O thread, with which they end. Nothing here runs on a thread of the host.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use plugin_api::prelude::*;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderValue};
use reqwest::{Client, Proxy, Request, Url, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::rules::{Detour, Refused, Rules, broken};
use crate::settings::{Key, Settings, refusal};

const USER_AGENT: &str = concat!("patchbay-http/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MOST_IDLE: usize = 16;
/// Clients that are kept; the one that was not used for the longest time goes.
const MOST_CLIENTS: usize = 64;

thread_local! {
    static CLIENTS: RefCell<VecDeque<Kept>> = const { RefCell::new(VecDeque::new()) };
}

/// A client, and what it is for: all hosts, or one whose connections go elsewhere.
struct Kept {
    key: Arc<Key>,
    detour: Option<Detour>,
    client: Client,
}

/// Gives the client for a request, and makes the request fit for it: where a detour leads elsewhere, the request keeps
/// its `Host`.
///
/// # Errors
/// When the rules refuse its URL, or a setting cannot be used.
pub(crate) fn client(settings: &Settings, request: &mut Request) -> NodeResult<Client> {
    let url = request.url();
    let Some(host) = url
        .host_str()
        .filter(|_| matches!(url.scheme(), "http" | "https"))
    else {
        let shown: String = url.scheme().chars().take(20).collect();
        let message = format!("only URLs with `http` and `https` are called, not with `{shown}`");
        return Err(refusal(Refused(message)));
    };
    let host = host.to_owned();
    let port = url.port_or_known_default().unwrap_or_default();
    let detour = settings.rules.detour(&host, port).cloned();
    judge(settings, &host, detour.is_some()).map_err(refusal)?;
    if let Some(detour) = &detour {
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        let lost = |_| refusal(broken("http.connect_to", "it leads nowhere from this URL"));
        let authority = HeaderValue::try_from(authority).map_err(lost)?;
        request.headers_mut().insert(HOST, authority);
        let to_port = Some(detour.to_port);
        if request.url_mut().set_port(to_port).is_err() {
            return Err(refusal(broken(
                "http.connect_to",
                "it leads nowhere from this URL",
            )));
        }
    } else {
        request.headers_mut().remove(HOST);
    }
    kept(settings, detour)
}

/// What can be judged of a host before it is looked up.
fn judge(settings: &Settings, host: &str, has_detour: bool) -> Result<(), Refused> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => settings.rules.literal(address),
        Err(_) if settings.key.proxy.is_some() && !has_detour => settings.rules.behind_proxy(host),
        Err(_) => settings.rules.name(host).map(drop),
    }
}

fn kept(settings: &Settings, detour: Option<Detour>) -> NodeResult<Client> {
    CLIENTS.with_borrow_mut(|clients| {
        let fits = |kept: &Kept| kept.key == settings.key && kept.detour == detour;
        if let Some(at) = clients.iter().position(fits)
            && let Some(found) = clients.remove(at)
        {
            let client = found.client.clone();
            clients.push_front(found);
            return Ok(client);
        }
        let client = build(settings, detour.as_ref()).map_err(refusal)?;
        clients.push_front(Kept {
            key: Arc::clone(&settings.key),
            detour,
            client: client.clone(),
        });
        clients.truncate(MOST_CLIENTS);
        Ok(client)
    })
}

fn build(settings: &Settings, detour: Option<&Detour>) -> Result<Client, Refused> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls(settings.key.ca.as_deref())?)
        // Redirects are followed where the rules are known: see `exchange`.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(MOST_IDLE);
    builder = match (detour, &settings.key.proxy) {
        (Some(detour), _) => builder.dns_resolver(Led(detour.clone())),
        (None, Some(proxy)) => {
            let usable =
                Proxy::all(proxy.trim()).map_err(|_| broken("http.proxy", "it is no URL of a proxy"));
            // The one name that is looked up is the proxy's, which the administrator chose.
            builder.proxy(usable?)
        }
        (None, None) => builder.dns_resolver(Guarded(Arc::clone(&settings.rules))),
    };
    // Its text may have the proxy's password in it.
    let broken =
        |_| Refused("the administrator's settings `http.proxy` and `http.ca` make no client".to_owned());
    builder.build().map_err(broken)
}

fn tls(ca: Option<&str>) -> Result<ClientConfig, Refused> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(pem) = ca {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| broken("http.ca", "it is no PEM"))?;
            let added = roots.add(certificate);
            added.map_err(|_| broken("http.ca", "a certificate in it cannot be a root"))?;
        }
        if roots.len() == before {
            return Err(broken("http.ca", "it has no certificate"));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Refused(format!("TLS cannot be used: {error}")))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Looks names up, and lets through what the rules allow.
struct Guarded(Arc<Rules>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str();
            let standing = rules.name(name)?;
            let found = tokio::net::lookup_host((name, 0)).await?;
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in found {
                match rules.address(name, standing, address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(why)) => Err(why.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Leads every name to where a detour goes.
struct Led(Detour);

impl Resolve for Led {
    fn resolve(&self, _: Name) -> Resolving {
        let detour = self.0.clone();
        Box::pin(async move {
            if let Some(address) = detour.address() {
                return Ok(Box::new(std::iter::once(address)) as Addrs);
            }
            let found = tokio::net::lookup_host((detour.to.as_str(), detour.to_port)).await?;
            let found: Vec<SocketAddr> = found.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The host and scheme of a URL, for messages: paths and queries have secrets in them.
pub(crate) fn place(url: &Url) -> String {
    let mut place = url.origin().ascii_serialization();
    if let Some((end, _)) = place.char_indices().nth(200) {
        place.truncate(end);
    }
    place
}
