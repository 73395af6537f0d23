//! Where a database is, as a secret says it.
//!
//! Invariant: no part of an address gets into a message. It may hold a password, and the workflow's author is not told
//! where the databases are.

use std::path::PathBuf;
use std::time::Duration;

use plugin_api::prelude::*;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Address {
    /// A file of SQLite.
    File(File),
    /// A database of SQLite in memory: one for each tenant and secret, gone with the plugin.
    Memory,
    /// A server.
    Postgres(Box<Server>),
}

/// A file of SQLite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) mode: Mode,
}

/// How a file is opened: `?mode=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `ro`: to read.
    ReadOnly,
    /// `rw`: it has to be there. This is what happens when the address says nothing.
    ReadWrite,
    /// `rwc`: it is made when it is not there.
    Create,
}

/// A server of PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) trust: Trust,
}

/// Whom to believe that it is the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nobody is asked: `sslmode=disable`, or `prefer`, which encrypts when the server offers to. Who can stand between
    /// could as well say that the server does not, so a certificate would prove nothing.
    Anybody,
    /// Whoever has a certificate of an authority that this machine knows: `require`, `verify-ca`, `verify-full`.
    Authorities,
    /// Whoever has a certificate of an authority in this file: `sslrootcert=`.
    File(PathBuf),
}

/// What an address looks like.
const FORMS: &str = "it has to be `sqlite:PATH` or `postgres://user:password@host:port/database`";

impl Address {
    /// Reads what a secret says.
    ///
    /// # Errors
    /// Which part of it does not fit, without showing any.
    pub(crate) fn parse(text: &str, secret: &str) -> NodeResult<Self> {
        let text = text.trim();
        let scheme = text.split(':').next().unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" | "sqlite3" | "file" => sqlite(text, secret),
            "postgres" | "postgresql" => postgres(text, secret),
            _ => Err(wrong(secret, FORMS)),
        }
    }
}

fn wrong(secret: &str, why: &str) -> NodeError {
    NodeError::new(format!(
        "the secret `{secret}` is no address of a database: {why}; an administrator can mend that"
    ))
}

fn sqlite(text: &str, secret: &str) -> NodeResult<Address> {
    let rest = text.split_once(':').map(|(_, rest)| rest).unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("//").unwrap_or(path);
    let mut mode = Mode::ReadWrite;
    for (name, value) in pairs(query) {
        mode = match (name, value) {
            ("mode", "ro") => Mode::ReadOnly,
            ("mode", "rw") => Mode::ReadWrite,
            ("mode", "rwc") => Mode::Create,
            ("mode", "memory") => return Ok(Address::Memory),
            _ => {
                return Err(wrong(
                    secret,
                    "of options it may have `mode=ro`, `mode=rw` and `mode=rwc`",
                ));
            }
        };
    }
    if path == ":memory:" {
        return Ok(Address::Memory);
    }
    let path = unescaped(path).filter(|path| !path.is_empty() && !path.contains('\0'));
    let path = path.ok_or_else(|| wrong(secret, "its path is empty or cannot be read"))?;
    Ok(Address::File(File {
        path: PathBuf::from(path),
        mode,
    }))
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// Text with `%20` and the like as what they stand for.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

fn postgres(text: &str, secret: &str) -> NodeResult<Address> {
    let (base, query) = text.split_once('?').unwrap_or((text, ""));
    let (mut mode, mut trust, mut root) = (None, Trust::Anybody, None);
    let mut kept = Vec::new();
    for (name, value) in pairs(query) {
        match name {
            "sslmode" => {
                (mode, trust) = match value {
                    "disable" => (Some(SslMode::Disable), Trust::Anybody),
                    "allow" | "prefer" => (Some(SslMode::Prefer), Trust::Anybody),
                    "require" | "verify-ca" | "verify-full" => (Some(SslMode::Require), Trust::Authorities),
                    _ => {
                        return Err(wrong(
                            secret,
                            "its `sslmode` is none of disable, prefer, require, verify-ca and verify-full",
                        ));
                    }
                };
            }
            "sslrootcert" => {
                let path = unescaped(value).filter(|path| !path.is_empty());
                root = Some(path.ok_or_else(|| wrong(secret, "its `sslrootcert` is no path"))?);
            }
            _ => kept.push(format!("{name}={value}")),
        }
    }
    let text = if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", kept.join("&"))
    };
    let mut config: Config = text.parse().map_err(|_| wrong(secret, FORMS))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(wrong(secret, "it has no host"));
    }
    if config.get_user().is_none() {
        return Err(wrong(secret, "it has no user"));
    }
    if let Some(root) = root {
        mode = Some(SslMode::Require);
        trust = Trust::File(PathBuf::from(root));
    }
    config.ssl_mode(mode.unwrap_or(SslMode::Prefer));
    if config.get_application_name().is_none() {
        config.application_name("patchbay");
    }
    let timeout = config.get_connect_timeout().copied();
    config.connect_timeout(timeout.map_or(CONNECT_TIMEOUT, |asked| asked.min(CONNECT_TIMEOUT)));
    // A time of day without a zone means the same whatever the server is set to.
    let options = config.get_options().map(|options| format!("{options} "));
    config.options(format!("{}-c TimeZone=UTC", options.unwrap_or_default()));
    Ok(Address::Postgres(Box::new(Server { config, trust })))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (String, Mode) {
        match Address::parse(text, "DATABASE_URL") {
            Ok(Address::File(file)) => (file.path.to_str().unwrap().to_owned(), file.mode),
            other => panic!("{text}: {other:?}"),
        }
    }

    fn server(text: &str) -> Server {
        match Address::parse(text, "DATABASE_URL") {
            Ok(Address::Postgres(server)) => *server,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn files_of_sqlite_are_written_in_several_ways() {
        for (text, path, mode) in [
            ("sqlite:app.db", "app.db", Mode::ReadWrite),
            ("sqlite:/srv/app.db", "/srv/app.db", Mode::ReadWrite),
            ("sqlite:///srv/app.db?mode=rwc", "/srv/app.db", Mode::Create),
            ("sqlite://app%20one.db?mode=ro", "app one.db", Mode::ReadOnly),
            ("file:app.db", "app.db", Mode::ReadWrite),
            (" SQLite:x ", "x", Mode::ReadWrite),
        ] {
            assert_eq!(file(text), (path.to_owned(), mode), "{text}");
        }
        for text in ["sqlite::memory:", "sqlite://:memory:", "sqlite:x?mode=memory"] {
            assert!(matches!(Address::parse(text, "X"), Ok(Address::Memory)), "{text}");
        }
    }

    #[test]
    fn servers_are_trusted_as_the_address_says() {
        for (text, mode, trust) in [
            ("postgres://u:p@h/d", SslMode::Prefer, Trust::Anybody),
            (
                "postgresql://u@h/d?sslmode=disable",
                SslMode::Disable,
                Trust::Anybody,
            ),
            (
                "postgres://u@h/d?sslmode=require",
                SslMode::Require,
                Trust::Authorities,
            ),
            (
                "postgres://u@h/d?sslmode=verify-full&connect_timeout=3",
                SslMode::Require,
                Trust::Authorities,
            ),
            (
                "postgres://u@h/d?sslrootcert=/etc/ca.pem",
                SslMode::Require,
                Trust::File("/etc/ca.pem".into()),
            ),
        ] {
            let server = server(text);
            assert_eq!(
                (server.config.get_ssl_mode(), server.trust),
                (mode, trust),
                "{text}"
            );
        }
        let server = server("postgres://u:p%40ss@[::1]:6000/d?options=-c%20x.y%3D1");
        assert_eq!(server.config.get_password(), Some(&b"p@ss"[..]));
        assert_eq!(server.config.get_ports(), [6000]);
        assert_eq!(server.config.get_options(), Some("-c x.y=1 -c TimeZone=UTC"));
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_it() {
        for text in [
            "",
            "hunter2",
            "mysql://hunter2@h/d",
            "sqlite:",
            "sqlite:hunter2?mode=hunter2",
            "sqlite:%zz",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?sslmode=hunter2",
            "postgres://u:hunter2@h/d?hunter2=1",
            "postgres://h/hunter2",
            "postgres:///hunter2?user=u",
        ] {
            let error = Address::parse(text, "DATABASE_URL").expect_err(text);
            assert!(error.message.contains("`DATABASE_URL`"), "{text}: {error}");
            assert!(!error.message.contains("hunter2"), "{text}: {error}");
        }
    }
}
