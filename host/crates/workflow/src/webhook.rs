//! Paths and methods of webhooks.
//!
//! Invariant: an accepted path has no empty part, no `..`, and nothing that a URL would have to escape.

use plugin_api::value::ValueRef;

use crate::graph::NodeDraft;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Whether a webhook can be served there.
pub(crate) fn is_path(path: &str) -> bool {
    path.len() <= 256
        && path.split('/').all(|part| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
        })
}

/// The methods that a webhook takes, in upper case; `None` when one is not known.
pub(crate) fn methods_of(value: Option<ValueRef<'_>>, node: &NodeDraft<'_>) -> Option<Vec<String>> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        let standard = if node.node_type.starts_with("n8n-") {
            "GET"
        } else {
            "POST"
        };
        return Some(vec![standard.to_owned()]);
    };
    let texts: Vec<&str> = match value.as_list() {
        Some(list) => list.iter().map(|item| item.as_str()).collect::<Option<_>>()?,
        None => vec![value.as_str()?],
    };
    let mut methods = Vec::new();
    for text in texts {
        let method = text.to_ascii_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return None;
        }
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    (!methods.is_empty()).then_some(methods)
}
