//! What an expression reads: the paths in its text that begin at a root, and what is done with each.
//!
//! This is no parser. It finds enough in what people write to make up inputs that their documents can work with; what it
//! misses is a field that is not made up.

use serde_json::{Value as Json, json};

/// A place that an expression reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Read {
    /// The names from the root to it, without methods.
    pub(super) path: Vec<String>,
    /// What is done with it.
    pub(super) hint: Hint,
}

/// What a use of a value says of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hint {
    Nothing,
    Text,
    Number,
    List,
    /// It is compared with this.
    Like(Json),
}

const OF_LISTS: [&str; 12] = [
    "map", "filter", "forEach", "some", "every", "find", "reduce", "join", "flatMap", "sort", "reverse",
    "flat",
];
const OF_TEXTS: [&str; 10] = [
    "toLowerCase",
    "toUpperCase",
    "trim",
    "split",
    "startsWith",
    "endsWith",
    "replace",
    "substring",
    "match",
    "charAt",
];

/// The paths of `text` that begin with `root`, such as `$json`.
pub(super) fn reads(text: &str, root: &str) -> Vec<Read> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(root) {
        let before = text[..at].chars().next_back();
        let rest = &text[at + root.len()..];
        // `$jsonish` and `x$json` are other names.
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        if rest.chars().next().is_some_and(is_part) || before.is_some_and(|c| is_part(c) || c == '.') {
            continue;
        }
        let first = found.len();
        follow(rest, Vec::new(), &mut found);
        // `Array.isArray($json.ids)`, `JSON.parse($json.text)`
        let hint = match text[..at]
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '.' || c == '('))
            .next()
        {
            Some("Array.isArray(") => Hint::List,
            Some("JSON.parse(") => Hint::Text,
            _ => continue,
        };
        if let Some(read) = found.get_mut(first) {
            read.hint = hint;
        }
    }
    found
}

/// Follows a path from where its root ends, and the items of a list into what a callback does with them.
fn follow(mut rest: &str, mut path: Vec<String>, found: &mut Vec<Read>) {
    loop {
        let Some((name, after)) = step(rest) else {
            found.push(Read {
                path,
                hint: used(rest),
            });
            return;
        };
        rest = after;
        if name == "length" {
            found.push(Read {
                path,
                hint: Hint::Nothing,
            });
            return;
        }
        if let Some(arguments) = after.strip_prefix('(') {
            let hint = if OF_LISTS.contains(&name) {
                Hint::List
            } else if OF_TEXTS.contains(&name) {
                Hint::Text
            } else if name == "toFixed" {
                Hint::Number
            } else {
                Hint::Nothing
            };
            if hint == Hint::List {
                path.push("[]".to_owned());
                items(arguments, &path, found);
                path.pop();
            }
            found.push(Read { path, hint });
            return;
        }
        path.push(name.to_owned());
    }
}

/// The next name of a path, and what is behind it: `.name`, `?.name`, `['name']`, `[0]`.
fn step(rest: &str) -> Option<(&str, &str)> {
    let plain = rest.strip_prefix("?.").or_else(|| rest.strip_prefix('.'));
    if let Some(plain) = plain.filter(|plain| !plain.starts_with('[')) {
        let end = plain
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(plain.len());
        return (end > 0).then(|| plain.split_at(end));
    }
    let inner = plain.unwrap_or(rest).strip_prefix('[')?;
    let (key, after) = inner.split_once(']')?;
    if key.chars().all(|c| c.is_ascii_digit()) && !key.is_empty() {
        return Some(("[]", after));
    }
    let quote = key.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    Some((key.strip_prefix(quote)?.strip_suffix(quote)?, after))
}

/// What a callback such as `x => x.name` reads of the items.
fn items(arguments: &str, path: &[String], found: &mut Vec<Read>) {
    let Some((parameters, body)) = arguments.split_once("=>") else {
        return;
    };
    let names = parameters.trim_matches(|c: char| c == '(' || c == ')' || c.is_whitespace());
    // Of `reduce` the second one is the item.
    let Some(name) = names
        .split(',')
        .next_back()
        .map(str::trim)
        .filter(|name| !name.is_empty())
    else {
        return;
    };
    let mut depth = 1_i32;
    let end = body.find(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    });
    let body = &body[..end.unwrap_or(body.len())];
    for (at, _) in body.match_indices(name) {
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$' || c == '.';
        let rest = &body[at + name.len()..];
        if !body[..at].chars().next_back().is_some_and(is_part) && rest.starts_with(['.', '?', '[']) {
            follow(rest, path.to_vec(), found);
        }
    }
}

/// What stands behind a path.
fn used(rest: &str) -> Hint {
    let rest = rest.trim_start();
    for operator in ["===", "=="] {
        if let Some(other) = rest.strip_prefix(operator) {
            return literal(other.trim_start()).map_or(Hint::Nothing, Hint::Like);
        }
    }
    let compared = [">=", "<=", ">", "<", "-", "*", "/", "%"];
    match compared.iter().any(|operator| rest.starts_with(operator)) {
        true => Hint::Number,
        false => Hint::Nothing,
    }
}

/// The literal that a text begins with; null is none that a value could be made like.
fn literal(text: &str) -> Option<Json> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        return text[1..].split_once(quote).map(|(inner, _)| json!(inner));
    }
    let word = text
        .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-'))
        .next()
        .unwrap_or_default();
    match word {
        "true" => Some(json!(true)),
        "false" => Some(json!(false)),
        word => serde_json::from_str(word).ok().filter(Json::is_number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, hint: Hint) -> Read {
        Read {
            path: path.split('/').map(str::to_owned).collect(),
            hint,
        }
    }

    #[test]
    fn paths_are_found_with_what_is_done_with_them() {
        let cases = [
            ("{{ $json.user.email }}", vec![read("user/email", Hint::Nothing)]),
            (
                "$json.a === 'x' && $json['b c'] >= 2",
                vec![read("a", Hint::Like(json!("x"))), read("b c", Hint::Number)],
            ),
            (
                "$json.on == true ? 1 : $json?.off",
                vec![read("on", Hint::Like(json!(true))), read("off", Hint::Nothing)],
            ),
            ("$json.name.trim()", vec![read("name", Hint::Text)]),
            ("$json.tags.length > 0", vec![read("tags", Hint::Nothing)]),
            (
                "$jsonish.x + y.$json.z + $json",
                vec![Read {
                    path: vec![],
                    hint: Hint::Nothing,
                }],
            ),
            ("Array.isArray($json.ids) && x", vec![read("ids", Hint::List)]),
            (
                "a = JSON.parse($json.script).version",
                vec![read("script", Hint::Text)],
            ),
            ("$json.list[0].id", vec![read("list/[]/id", Hint::Nothing)]),
            ("$json.x !== null", vec![read("x", Hint::Nothing)]),
        ];
        for (text, expected) in cases {
            assert_eq!(reads(text, "$json"), expected, "{text}");
        }
    }

    #[test]
    fn what_a_callback_reads_of_its_items_is_found() {
        assert_eq!(
            reads(
                "$json.rows.filter(row => row.kind === 'a').map(r => r.id)",
                "$json"
            ),
            [
                read("rows/[]/kind", Hint::Like(json!("a"))),
                read("rows", Hint::List)
            ]
        );
        assert_eq!(
            reads("$json.rows.reduce((sum, row) => sum + row.count, 0)", "$json"),
            [read("rows/[]/count", Hint::Nothing), read("rows", Hint::List)]
        );
    }
}
