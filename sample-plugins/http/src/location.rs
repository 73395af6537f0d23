//! URLs, apart and together. They follow the URL standard of the web, which is what requests follow.

use plugin_api::prelude::*;
use plugin_api::reading::{Any, Text, Whole};
use plugin_api::value::Writer;
use reqwest::Url;

use crate::pairs::{Pairs, pairs};

/// The longest URL.
pub(crate) const LONGEST: usize = 16 << 10;

/// Any URL whose query is the one that is wanted.
const NOWHERE: &str = "http://nowhere.invalid/";

#[parameters]
pub(crate) struct Apart<'a> {
    /// An absolute URL, or one that is relative to `base`. It must be given.
    #[serde(default, alias = "value", alias = "href")]
    #[schemars(length(max = 16_384))]
    url: Option<&'a str>,
    /// What a relative URL is relative to.
    #[serde(default)]
    #[schemars(length(max = 16_384))]
    base: Option<&'a str>,
}

/// The parts of a URL; those that it lacks are empty, and a port is null where it is the usual one.
#[output]
pub(crate) struct Parts {
    /// The whole, as it is written by the standard.
    href: String,
    /// Scheme, host and port, such as `https://example.org`; `null` as a text where there is no host.
    origin: String,
    /// The scheme with its colon, such as `https:`.
    protocol: String,
    /// The name before the host.
    username: String,
    /// The word after that name.
    password: String,
    /// The host with its port.
    host: String,
    /// The host.
    hostname: String,
    /// The port.
    port: Option<u16>,
    /// The path.
    pathname: String,
    /// The query with its question mark.
    search: String,
    /// The query as a map; what comes more than once is a list.
    query: Table,
    /// The fragment with its hash.
    hash: String,
}

/// Texts, or lists of them, by their names.
pub(crate) struct Table(pub(crate) Value);

impl plugin_api::serde::Serialize for Table {
    fn serialize<S: plugin_api::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl plugin_api::schemars::JsonSchema for Table {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Table".into()
    }

    fn json_schema(_: &mut plugin_api::schemars::SchemaGenerator) -> plugin_api::schemars::Schema {
        plugin_api::schemars::json_schema!({
            "type": "object",
            "additionalProperties": { "type": ["string", "array"], "items": { "type": "string" } }
        })
    }
}

/// What a name of a [`Table`] has.
pub(crate) enum Cell {
    /// One text.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A table of names in the order in which they first came.
pub(crate) fn table(cells: &[(String, Cell)]) -> NodeResult<Table> {
    let mut out = Vec::new();
    Writer::new(&mut out).map(|map| {
        for (name, cell) in cells {
            map.entry(name, |entry| match cell {
                Cell::One(text) => entry.str(text),
                Cell::Many(texts) => entry.list(|list| texts.iter().try_for_each(|text| list.str(text))),
            })?;
        }
        Ok(())
    })?;
    Ok(Table(Value::from_encoded(out)?))
}

/// Puts what has one name under it: one text, or several.
pub(crate) fn gathered(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<(String, Cell)> {
    let mut cells: Vec<(String, Cell)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in pairs {
        let place = *places.entry(name.clone()).or_insert(cells.len());
        match cells.get_mut(place).map(|(_, cell)| cell) {
            None => cells.push((name, Cell::One(value))),
            Some(Cell::Many(values)) => values.push(value),
            Some(one) => {
                if let Cell::One(first) = std::mem::replace(one, Cell::Many(Vec::new())) {
                    *one = Cell::Many(vec![first, value]);
                }
            }
        }
    }
    cells
}

/// Reads a URL, which may not have line breaks or other control characters: the standard would leave them out, and
/// what was checked before would not be what is called.
///
/// # Errors
/// When it is none; the message does not show it, since URLs have secrets in them.
pub(crate) fn read(text: &str, base: Option<&Url>, parameter: &str) -> NodeResult<Url> {
    if text.len() > LONGEST {
        return Err(NodeError::invalid(
            parameter,
            format_args!("must not be longer than {LONGEST} bytes"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(NodeError::invalid(
            parameter,
            "has a line break or another control character",
        ));
    }
    let found = Url::options().base_url(base).parse(text);
    found.map_err(|error| NodeError::invalid(parameter, format_args!("is no URL: {error}")))
}

/// Writes pairs as the query of a URL, or as a form.
pub(crate) fn encode(pairs: &Pairs) -> String {
    let Ok(mut url) = Url::parse(NOWHERE) else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// Reads pairs from the query of a URL.
pub(crate) fn decode(text: &str) -> Pairs {
    let Ok(mut url) = Url::parse(NOWHERE) else {
        return Pairs::new();
    };
    url.set_query(Some(text.trim_start_matches('?')));
    let pairs = url.query_pairs();
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// Takes a URL apart.
#[node(
    id = "url.parse",
    effect = "pure",
    tags = ["url"],
    example(
        title = "all parts",
        input = r#"{"url": "https://api.example.org:8443/v1/items?tag=a&tag=b&page=2#top"}"#,
        output = r##"{
            "href": "https://api.example.org:8443/v1/items?tag=a&tag=b&page=2#top",
            "origin": "https://api.example.org:8443", "protocol": "https:", "username": "", "password": "",
            "host": "api.example.org:8443", "hostname": "api.example.org", "port": 8443, "pathname": "/v1/items",
            "search": "?tag=a&tag=b&page=2", "query": {"tag": ["a", "b"], "page": "2"}, "hash": "#top"
        }"##
    ),
    example(
        title = "a relative one",
        input = r#"{"url": "../b", "base": "https://example.org/a/c/d"}"#,
        output = r#"{
            "href": "https://example.org/a/b", "origin": "https://example.org", "protocol": "https:", "username": "",
            "password": "", "host": "example.org", "hostname": "example.org", "port": null, "pathname": "/a/b",
            "search": "", "query": {}, "hash": ""
        }"#
    )
)]
pub(crate) fn url_parse(input: Apart<'_>) -> NodeResult<Parts> {
    let base = input.base.map(|base| read(base, None, "base")).transpose()?;
    let url = read(
        input.url.ok_or_else(|| NodeError::invalid("url", "is missing"))?,
        base.as_ref(),
        "url",
    )?;
    let hostname = url.host_str().unwrap_or_default();
    let marked = |mark: char, part: Option<&str>| match part {
        Some(part) if !part.is_empty() => format!("{mark}{part}"),
        _ => String::new(),
    };
    let query = gathered(
        url.query_pairs()
            .map(|(name, value)| (name.into_owned(), value.into_owned())),
    );
    Ok(Parts {
        origin: url.origin().ascii_serialization(),
        protocol: format!("{}:", url.scheme()),
        username: url.username().to_owned(),
        password: url.password().unwrap_or_default().to_owned(),
        host: url
            .port()
            .map_or_else(|| hostname.to_owned(), |port| format!("{hostname}:{port}")),
        hostname: hostname.to_owned(),
        port: url.port(),
        pathname: url.path().to_owned(),
        search: marked('?', url.query()),
        query: table(&query)?,
        hash: marked('#', url.fragment()),
        href: url.into(),
    })
}

#[parameters]
pub(crate) struct Build<'a> {
    /// A URL to begin with; the other parts replace its own.
    #[serde(default, alias = "base")]
    #[schemars(length(max = 16_384))]
    url: Option<&'a str>,
    /// The scheme, with or without a colon.
    #[serde(default, alias = "scheme")]
    #[schemars(extend("default" = "https"), length(max = 32))]
    protocol: Option<&'a str>,
    /// The host: a name or an address.
    #[serde(default, alias = "host")]
    #[schemars(length(max = 255))]
    hostname: Option<&'a str>,
    /// The port; the usual one of the scheme if missing.
    #[serde(default)]
    #[schemars(range(min = 0, max = 65_535))]
    port: Option<Whole>,
    /// The path.
    #[serde(default, alias = "path")]
    #[schemars(length(max = 16_384))]
    pathname: Option<Text<'a>>,
    /// The query as a map of names to values, or a list of `name` and `value`.
    #[serde(default, alias = "params", alias = "queryParameters")]
    query: Any<'a>,
    /// The fragment.
    #[serde(default, alias = "fragment")]
    #[schemars(length(max = 16_384))]
    hash: Option<Text<'a>>,
    /// The name before the host.
    #[serde(default)]
    #[schemars(length(max = 1_024))]
    username: Option<&'a str>,
    /// The word after that name.
    #[serde(default)]
    #[schemars(length(max = 1_024))]
    password: Option<&'a str>,
}

/// Puts a URL together from its parts, each written as the standard wants it.
#[node(
    id = "url.build",
    effect = "pure",
    tags = ["url"],
    example(
        title = "from parts",
        input = r#"{"hostname": "example.org", "pathname": "/a b", "query": {"n": [1, 2], "q": "x&y"}}"#,
        output = r#"{"result": "https://example.org/a%20b?n=1&n=2&q=x%26y"}"#
    ),
    example(
        title = "another query",
        input = r#"{"url": "http://example.org:8080/list?page=1", "query": {"page": 2}}"#,
        output = r#"{"result": "http://example.org:8080/list?page=2"}"#
    )
)]
pub(crate) fn url_build(input: Build<'_>) -> NodeResult<Answer<String>> {
    let mut url = start(&input)?;
    if let Some(port) = input.port {
        let port = port.within("port", 0..=i64::from(u16::MAX))?;
        let port = u16::try_from(port).ok();
        url.set_port(port)
            .map_err(|()| NodeError::invalid("port", "fits no URL without a host"))?;
    }
    if let Some(path) = &input.pathname {
        no_control(path.as_str(), "pathname")?;
        url.set_path(path.as_str());
    }
    let query = pairs(input.query.0, "query")?;
    if !query.is_empty() {
        url.query_pairs_mut().clear().extend_pairs(&query);
    } else if input.query.0.as_map().is_some_and(|map| map.is_empty()) {
        url.set_query(None);
    }
    if let Some(hash) = &input.hash {
        no_control(hash.as_str(), "hash")?;
        let hash = hash.as_str().trim_start_matches('#');
        url.set_fragment((!hash.is_empty()).then_some(hash));
    }
    let refused = |parameter| move |()| NodeError::invalid(parameter, "fits no URL without a host");
    if let Some(name) = input.username {
        url.set_username(name).map_err(refused("username"))?;
    }
    if let Some(word) = input.password {
        url.set_password(Some(word)).map_err(refused("password"))?;
    }
    let result = String::from(url);
    if result.len() > LONGEST {
        return Err(NodeError::with_code(
            plugin_api::error::code::LIMIT_EXCEEDED,
            format!(
                "the URL would have {} bytes, and {LONGEST} is the most",
                result.len()
            ),
        ));
    }
    Ok(answer(result))
}

/// The URL whose parts are replaced.
fn start(input: &Build<'_>) -> NodeResult<Url> {
    let scheme = input
        .protocol
        .map(|scheme| scheme.trim_end_matches("//").trim_end_matches(':'));
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    if scheme.is_some_and(|scheme| scheme.is_empty() || !scheme.bytes().all(letters)) {
        return Err(NodeError::invalid("protocol", "must be a scheme such as `https`"));
    }
    let Some(url) = input.url else {
        let missing = || NodeError::invalid("hostname", "is missing; without it `url` says where to begin");
        let host = host(input.hostname.ok_or_else(missing)?)?;
        let text = format!("{}://{host}/", scheme.unwrap_or("https"));
        return read(&text, None, "hostname");
    };
    let mut url = read(url, None, "url")?;
    if let Some(scheme) = scheme {
        let wrong = |()| NodeError::invalid("protocol", "cannot replace the scheme of `url`");
        url.set_scheme(scheme).map_err(wrong)?;
    }
    if let Some(name) = input.hostname {
        let wrong = |error| NodeError::invalid("hostname", format_args!("fits no URL: {error}"));
        url.set_host(Some(host(name)?)).map_err(wrong)?;
    }
    Ok(url)
}

/// A host that is one: nothing of it would become another part.
fn host(name: &str) -> NodeResult<&str> {
    no_control(name, "hostname")?;
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let other_parts = ['/', '\\', '?', '#', '@', '[', ']', '%'];
    let has_port = bare.is_none() && name.contains(':');
    if name.is_empty() || has_port || bare.unwrap_or(name).contains(other_parts) {
        let why = "must be a name or an address alone; an IPv6 address stands in brackets";
        return Err(NodeError::invalid("hostname", why));
    }
    Ok(name)
}

fn no_control(text: &str, parameter: &str) -> NodeResult<()> {
    if text.chars().any(char::is_control) {
        return Err(NodeError::invalid(
            parameter,
            "has a line break or another control character",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
