//! Where mail goes: a URL that the administrator keeps as a secret.
//!
//! Invariant: no part of it is ever told, and a password goes over a connection that others can read only where the URL
//! says so.
//!
//! | URL | |
//! |---|---|
//! | `smtps://user:password@host` | TLS from the beginning, port 465 |
//! | `smtp://user:password@host` | TLS by `STARTTLS` or nothing, port 587 |
//! | `smtp://host?tls=opportunistic` | TLS if the server offers it, port 25; a password is not sent without |
//! | `smtp://host?tls=none` | no TLS, port 25 |
//!
//! `auth` (`plain`, `login`, `xoauth2`) chooses how to log in, `hello` the name to greet with. Users and passwords are
//! percent-encoded.

use std::fmt;

use percent_encoding::percent_decode_str;
use plugin_api::error::code;
use plugin_api::prelude::*;
use url::{Host, Url};

use crate::line::{has_control, one_line};

/// The secret that says which server is used unless a connection is named.
pub(crate) const SECRET: &str = "SMTP_URL";

/// When a connection becomes one that nobody else can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// From the beginning.
    Wrapped,
    /// By `STARTTLS`, before anything is said.
    Required,
    /// By `STARTTLS`, if the server offers it.
    Opportunistic,
    /// Never.
    None,
}

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    Login,
    XOauth2,
}

impl Mechanism {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::XOauth2 => "XOAUTH2",
        }
    }
}

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
    /// `None` for the best that the server knows.
    pub(crate) mechanism: Option<Mechanism>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// A server, and how to speak with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) login: Option<Login>,
    /// The name to greet with.
    pub(crate) hello: String,
}

impl Server {
    /// The server of a connection, or the usual one.
    pub(crate) fn of(connection: Option<&str>, ctx: &Ctx<'_>) -> NodeResult<Self> {
        let secret = secret_of(connection)?;
        let text = ctx.secret(&secret).map_err(|error| {
            if error.code == code::CREDENTIAL_MISSING {
                let why = format!(
                    "the tenant has no secret `{secret}`, which says where mail goes: \
                     `smtp://user:password@host` or `smtps://user:password@host`"
                );
                return NodeError::with_code(code::CREDENTIAL_MISSING, why);
            }
            error
        })?;
        Self::read(text.trim()).map_err(|why| NodeError::new(format!("the secret `{secret}` {why}")))
    }

    /// Reads a URL. What is said of a bad one tells nothing that is in it.
    fn read(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| {
            "is no URL such as `smtp://user:password@host:587`; signs such as `@`, `/` and `#` in a password are \
             percent-encoded"
        })?;
        let host = match url.host() {
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            // In a URL of this kind a name is kept as it was written.
            Some(Host::Domain(name)) => {
                let name = percent_decode_str(name).decode_utf8().unwrap_or_default();
                idna::domain_to_ascii(&name).map_err(|_| "has a host that is no name of one")?
            }
            None => return Err("has no host".into()),
        };
        if host.is_empty() {
            return Err("has no host".into());
        }
        if !matches!(url.path(), "" | "/") {
            return Err("has a path, which means nothing; a `/` in a password is written as `%2F`".into());
        }
        let mut security = match url.scheme() {
            "smtps" => Security::Wrapped,
            "smtp" => Security::Required,
            _ => return Err("is no URL that begins with `smtp://` or `smtps://`".into()),
        };
        let (mut mechanism, mut hello) = (None, None);
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("tls", "required") if security != Security::Wrapped => security = Security::Required,
                ("tls", "opportunistic") if security != Security::Wrapped => {
                    security = Security::Opportunistic;
                }
                ("tls", "none") if security != Security::Wrapped => security = Security::None,
                ("tls", _) => {
                    return Err(
                        "has a `tls` that is none of `required`, `opportunistic` and `none` of `smtp://`"
                            .into(),
                    );
                }
                ("auth", "plain") => mechanism = Some(Mechanism::Plain),
                ("auth", "login") => mechanism = Some(Mechanism::Login),
                ("auth", "xoauth2") => mechanism = Some(Mechanism::XOauth2),
                ("auth", _) => {
                    return Err("has an `auth` that is none of `plain`, `login` and `xoauth2`".into());
                }
                ("hello", name) if is_hello(name) => hello = Some(name.to_owned()),
                ("hello", _) => return Err("has a `hello` that is no name of a host".into()),
                _ => return Err("has an option that is none of `tls`, `auth` and `hello`".into()),
            }
        }
        let port = url.port().unwrap_or(match security {
            Security::Wrapped => 465,
            Security::Required => 587,
            Security::Opportunistic | Security::None => 25,
        });
        Ok(Self {
            host,
            port,
            security,
            login: login(&url, mechanism)?,
            hello: hello.unwrap_or_else(|| "[127.0.0.1]".to_owned()),
        })
    }
}

fn login(url: &Url, mechanism: Option<Mechanism>) -> Result<Option<Login>, String> {
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().ok()?;
        (!text.contains('\0')).then(|| text.into_owned())
    };
    let wrong = "has a user or password that is no text when its percent signs are decoded";
    let user = decoded(url.username()).ok_or(wrong)?;
    let password = decoded(url.password().unwrap_or_default()).ok_or(wrong)?;
    match (user.is_empty(), password.is_empty()) {
        (true, true) if mechanism.is_some() => Err("has an `auth` and no user".into()),
        (true, true) => Ok(None),
        (false, false) => Ok(Some(Login {
            user,
            password,
            mechanism,
        })),
        _ => Err("has a user without a password, or a password without a user".into()),
    }
}

fn is_hello(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':'))
}

/// The secret of a connection.
fn secret_of(connection: Option<&str>) -> NodeResult<String> {
    let Some(name) = connection.filter(|name| !name.is_empty()) else {
        return Ok(SECRET.to_owned());
    };
    let is_name = name.len() <= 64
        && !has_control(name)
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !is_name {
        let why = format_args!(
            "`{}` is no name of a connection: letters, digits, `_` and `-`, at most 64",
            one_line(name)
        );
        return Err(NodeError::invalid("connection", why));
    }
    let name = name.to_ascii_uppercase().replace('-', "_");
    Ok(format!("{SECRET}_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_everything() {
        let server =
            Server::read("smtps://ada%40x.org:p%2Fw%23@mail.example:2465?auth=login&hello=me.example")
                .unwrap();
        assert_eq!(
            server,
            Server {
                host: "mail.example".into(),
                port: 2465,
                security: Security::Wrapped,
                login: Some(Login {
                    user: "ada@x.org".into(),
                    password: "p/w#".into(),
                    mechanism: Some(Mechanism::Login),
                }),
                hello: "me.example".into(),
            }
        );
        for (url, host, port, security) in [
            ("smtp://h", "h", 587, Security::Required),
            ("smtp://h?tls=required", "h", 587, Security::Required),
            ("smtp://h/?tls=opportunistic", "h", 25, Security::Opportunistic),
            ("smtp://h:1?tls=none", "h", 1, Security::None),
            ("smtps://[::1]", "::1", 465, Security::Wrapped),
            ("smtps://127.0.0.1", "127.0.0.1", 465, Security::Wrapped),
            (
                "smtps://b%C3%BCcher.example",
                "xn--bcher-kva.example",
                465,
                Security::Wrapped,
            ),
        ] {
            let server = Server::read(url).unwrap();
            assert_eq!(
                (&*server.host, server.port, server.security),
                (host, port, security),
                "{url}"
            );
            assert_eq!(server.login, None, "{url}");
        }
    }

    #[test]
    fn what_is_said_of_a_bad_url_tells_nothing_of_it() {
        for url in [
            "mail.hunter2.example",
            "https://u:hunter2@h",
            "smtp://u:hunter2",
            "smtp://",
            "smtp://u:hunter2@",
            "smtp://u:hunter2@h/path",
            "smtp://u:hunter2@h?tls=hunter2",
            "smtps://u:hunter2@h?tls=none",
            "smtp://u:hunter2@h?auth=hunter2",
            "smtp://u:hunter2@h?hello=hunter2%0D",
            "smtp://u:hunter2@h?hunter2=1",
            "smtp://hunter2@h",
            "smtp://:hunter2@h",
            "smtp://h?auth=plain",
            "smtp://u:hunter2%00@h",
            "smtp://u:hunter2%FF@h",
            "smtp://u:hunter2/@h",
            "smtp://u:hunter2@h:99999",
        ] {
            let why = Server::read(url).unwrap_err();
            assert!(!why.contains("hunter2"), "{url}: {why}");
        }
        let login = Server::read("smtp://u:hunter2@h").unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }

    #[test]
    fn a_connection_names_a_secret() {
        assert_eq!(secret_of(None).unwrap(), "SMTP_URL");
        assert_eq!(secret_of(Some("")).unwrap(), "SMTP_URL");
        assert_eq!(secret_of(Some("bulk-mail")).unwrap(), "SMTP_URL_BULK_MAIL");
        for name in ["a b", "a/b", "ä", "a\n"] {
            assert!(secret_of(Some(name)).is_err(), "{name}");
        }
    }
}
