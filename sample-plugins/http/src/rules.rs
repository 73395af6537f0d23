//! Where requests may go.
//!
//! Invariant: a name is judged before it is looked up, and every address before it is connected to, so that neither a
//! redirect nor a name server leads where a URL may not.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::address::{Range, Reach, faces, reach};

/// Why a request may not go where it wants; its text names the setting that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// One of the hosts of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `*`
    Every,
    /// `example.org`
    Name(String),
    /// `*.example.org`: all names below, not that one.
    Below(String),
    /// An address or a network.
    Addresses(Range),
}

impl Pattern {
    fn read(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Every);
        }
        if let Some(range) = Range::read(text) {
            return Some(Self::Addresses(range));
        }
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 253 || !name.bytes().all(fits) {
            return None;
        }
        let name = plain(name);
        Some(if below {
            Self::Below(name)
        } else {
            Self::Name(name)
        })
    }

    fn has_name(&self, name: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Name(own) => own == name,
            Self::Below(above) => name
                .strip_suffix(above.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            Self::Addresses(_) => false,
        }
    }

    fn has_address(&self, address: IpAddr) -> bool {
        matches!(self, Self::Addresses(range) if range.holds(address))
    }
}

/// Names are compared in lower case, and without the dot of the root.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// Reads a list of hosts; they are separated by commas or spaces.
fn patterns(setting: &str, text: &str) -> Result<Vec<Pattern>, Refused> {
    let words = text
        .split(|letter: char| letter == ',' || letter.is_whitespace())
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            Pattern::read(word).ok_or_else(|| {
                broken(
                    setting,
                    "a host is a name, `*.` and a name, an address, a network such as `10.0.0.0/8`, or `*`",
                )
            })
        })
        .collect()
}

/// A setting that cannot be used keeps all requests from being made.
pub(crate) fn broken(setting: &str, why: &str) -> Refused {
    Refused(format!("the setting `{setting}` cannot be used: {why}"))
}

/// A host and a port whose connections go elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Detour {
    host: String,
    port: u16,
    /// A name or an address.
    pub(crate) to: String,
    pub(crate) to_port: u16,
}

impl Detour {
    fn read(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('=')?;
        let (host, port) = from.trim().rsplit_once(':')?;
        let (to, to_port) = to.trim().rsplit_once(':')?;
        let bare = to.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let to = bare.unwrap_or(to);
        // The name stands in the URL and in the certificate; an address would be connected to as it is.
        if host.is_empty() || to.is_empty() || Range::read(host).is_some() {
            return None;
        }
        Some(Self {
            host: plain(host),
            port: port.parse().ok()?,
            to: to.to_owned(),
            to_port: to_port.parse().ok()?,
        })
    }

    /// The address it leads to, if it is not a name.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.to.parse().ok()?, self.to_port))
    }
}

/// Whether hosts of the server's own networks may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbours {
    /// They may not, unless their address is allowed.
    Refused,
    /// They may.
    Allowed,
}

/// The settings that say where requests may go, as their texts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Texts<'a> {
    pub(crate) allow: Option<&'a str>,
    pub(crate) deny: Option<&'a str>,
    pub(crate) deny_private: Option<&'a str>,
    pub(crate) connect_to: Option<&'a str>,
}

/// Where requests may go.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// `None` for everywhere.
    allow: Option<Vec<Pattern>>,
    deny: Vec<Pattern>,
    neighbours: Neighbours,
    detours: Vec<Detour>,
}

/// How a host came to be allowed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// By its name.
    Named,
    /// Not yet: its address decides.
    Open,
}

impl Rules {
    /// Reads the settings.
    ///
    /// # Errors
    /// When one of them cannot be used: rules that are not understood allow nothing.
    pub(crate) fn read(texts: Texts<'_>) -> Result<Self, Refused> {
        let neighbours = match texts.deny_private.map(str::trim) {
            None | Some("true") => Neighbours::Refused,
            Some("false") => Neighbours::Allowed,
            Some(_) => return Err(broken("http.deny_private", "it is `true` or `false`")),
        };
        let detours = texts.connect_to.unwrap_or_default();
        let detours = detours.split(',').filter(|one| !one.trim().is_empty());
        let detours = detours.map(|one| {
            Detour::read(one).ok_or_else(|| {
                broken(
                    "http.connect_to",
                    "each part has the form `name:port=address:port`",
                )
            })
        });
        let allow = texts.allow.map(|text| patterns("http.allow_hosts", text));
        Ok(Self {
            allow: allow.transpose()?,
            deny: patterns("http.deny_hosts", texts.deny.unwrap_or_default())?,
            neighbours,
            detours: detours.collect::<Result<_, _>>()?,
        })
    }

    /// Where connections to a host and port go instead.
    pub(crate) fn detour(&self, host: &str, port: u16) -> Option<&Detour> {
        let host = plain(host);
        self.detours
            .iter()
            .find(|detour| detour.port == port && detour.host == host)
    }

    /// Judges a host by its name.
    ///
    /// # Errors
    /// When it may not be called, whatever its address.
    pub(crate) fn name(&self, name: &str) -> Result<Standing, Refused> {
        let name = plain(name);
        if self.deny.iter().any(|pattern| pattern.has_name(&name)) {
            return Err(denied(&name));
        }
        let Some(allow) = &self.allow else {
            return Ok(Standing::Named);
        };
        if allow.iter().any(|pattern| pattern.has_name(&name)) {
            return Ok(Standing::Named);
        }
        let by_address = |pattern: &Pattern| matches!(pattern, Pattern::Addresses(_));
        if allow.iter().any(by_address) {
            return Ok(Standing::Open);
        }
        Err(not_allowed(&name))
    }

    /// Judges one address of a host.
    ///
    /// # Errors
    /// When it may not be connected to.
    pub(crate) fn address(&self, host: &str, standing: Standing, address: IpAddr) -> Result<(), Refused> {
        let has = |patterns: &[Pattern]| {
            let mut faces = faces(address).into_iter().flatten();
            faces.any(|face| patterns.iter().any(|pattern| pattern.has_address(face)))
        };
        if has(&self.deny) {
            return Err(denied(host));
        }
        if self.allow.as_deref().is_some_and(has) {
            return Ok(());
        }
        if standing == Standing::Open {
            return Err(not_allowed(host));
        }
        match (reach(address), self.neighbours) {
            (Reach::Metadata, _) => Err(Refused(format!(
                "`{host}` leads to a cloud's metadata service, which may not be called unless the administrator names its \
                 address in `http.allow_hosts`"
            ))),
            (Reach::Private, Neighbours::Refused) => Err(Refused(format!(
                "`{host}` leads to a private address, which may not be called; an administrator can allow it by naming \
                 the address in `http.allow_hosts` (such as `*, 10.0.0.5`), or all of them with `http.deny_private` = \
                 `false`"
            ))),
            _ => Ok(()),
        }
    }

    /// Judges an address that stands in a URL.
    ///
    /// # Errors
    /// When it may not be connected to.
    pub(crate) fn literal(&self, address: IpAddr) -> Result<(), Refused> {
        let every = |patterns: &[Pattern]| patterns.contains(&Pattern::Every);
        let host = address.to_string();
        if every(&self.deny) {
            return Err(denied(&host));
        }
        let standing = match &self.allow {
            Some(allow) if !every(allow) => Standing::Open,
            _ => Standing::Named,
        };
        self.address(&host, standing, address)
    }

    /// Judges a name that a proxy will look up.
    ///
    /// # Errors
    /// When it may not be called. What it leads to is the proxy's to judge, except for names that mean the proxy's own
    /// machine or its cloud.
    pub(crate) fn behind_proxy(&self, name: &str) -> Result<(), Refused> {
        let standing = self.name(name)?;
        let name = plain(name);
        let own = name == "localhost" || name.ends_with(".localhost") || name == "metadata.google.internal";
        if standing == Standing::Open || own && self.neighbours == Neighbours::Refused {
            return Err(not_allowed(&name));
        }
        Ok(())
    }
}

fn denied(host: &str) -> Refused {
    Refused(format!(
        "`{host}` may not be called: the administrator's setting `http.deny_hosts` has it"
    ))
}

fn not_allowed(host: &str) -> Refused {
    Refused(format!(
        "`{host}` may not be called: it is not among the hosts of the administrator's setting `http.allow_hosts`"
    ))
}

#[cfg(test)]
mod tests;
