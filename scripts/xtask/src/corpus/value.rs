//! Values that are made up: plausible for what a field is called, and the same each time.

use serde_json::{Map, Value as Json, json};

use super::path::{Hint, Read};

/// Who runs the documents, and for whom.
pub(super) const USER: &str = "6f1c1f0a-5e0b-4c39-9d0e-2f1a7b3c4d5e";
pub(super) const EMAIL: &str = "ada@example.com";
/// A password, and what bcrypt makes of it.
pub(super) const PASSWORD: &str = "correct horse battery";

/// A text in the form of a UUID that a name always gets.
pub(super) fn id_of(name: &str) -> String {
    let hash = blake3::hash(name.as_bytes()).to_hex();
    format!(
        "{}-{}-4{}-a{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[13..16],
        &hash[17..20],
        &hash[20..32]
    )
}

/// What a field of this name may hold.
pub(super) fn named(name: &str) -> Json {
    let lower = name.to_lowercase();
    let has = |part: &str| lower.contains(part);
    let ends = |part: &str| lower.ends_with(part);
    let is_flag = ["is", "has", "can", "should"].iter().any(|verb| {
        let rest = name.strip_prefix(verb);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_uppercase() || c == '_'))
    });
    if is_flag || ["enabled", "active", "verified", "published"].contains(&lower.as_str()) {
        let negative = [
            "delete", "locked", "disabled", "banned", "read", "archived", "syncing",
        ];
        return json!(!negative.iter().any(|word| has(word)));
    }
    if [
        "userid",
        "authorid",
        "ownerid",
        "uploadedby",
        "createdby",
        "user_id",
    ]
    .contains(&lower.as_str())
    {
        return json!(USER);
    }
    match lower.as_str() {
        "level" => return json!(5),
        "page" => return json!(1),
        "limit" | "pagesize" | "perpage" => return json!(20),
        "sortorder" | "order" | "direction" => return json!("desc"),
        "sortby" => return json!("createdAt"),
        "entity" => return json!("User"),
        "mode" => return json!("public"),
        "method" => return json!("GET"),
        "status" => return json!("active"),
        "filters" | "filter" | "settings" | "metadata" | "options" | "preferences" | "config" | "headers" => {
            return json!({});
        }
        "tags" | "items" | "messages" | "rows" | "records" | "logs" | "attachments" => return json!([]),
        "version" => return json!("1.2.0"),
        "locale" | "language" => return json!("en"),
        "scopes" => return json!(["read", "write"]),
        _ => {}
    }
    if lower == "id" || ends("id") || ends("uuid") {
        return json!(id_of(&lower));
    }
    if has("email") || lower == "to" || lower == "from" {
        return json!(EMAIL);
    }
    if has("password") {
        return json!(PASSWORD);
    }
    if has("token") {
        return json!(id_of(name).replace('-', ""));
    }
    if name.ends_with("At")
        || ends("_at")
        || has("date")
        || has("timestamp")
        || lower == "since"
        || lower == "until"
    {
        return json!("2026-01-15T10:00:00.000Z");
    }
    if ends("url") || ends("uri") || lower == "website" {
        return json!("http://service.example.com/resource");
    }
    if ends("path") || lower == "file" || ends("filename") {
        return json!("picture.png");
    }
    let counted = [
        "count", "total", "amount", "size", "score", "price", "number", "width", "height", "duration",
        "offset", "age", "port", "quantity", "likes", "views", "rounds", "budget", "seconds", "millis",
        "percent", "progress", "index",
    ];
    if counted.iter().any(|word| ends(word)) {
        return json!(42);
    }
    if has("ipaddress") || lower == "ip" {
        return json!("192.0.2.10");
    }
    json!(format!("a {}", words(name)))
}

/// `displayName` as words.
fn words(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        if c == '_' || c == '-' {
            text.push(' ');
        } else {
            text.extend(c.to_lowercase());
        }
    }
    text
}

/// What a rule such as `required|number|max:500` asks of a field; `None` when it asks for nothing that shapes it.
pub(super) fn ruled(name: &str, rule: &str) -> Option<Json> {
    let mut made = None;
    for part in rule.split('|') {
        let (key, argument) = part.split_once(':').unwrap_or((part, ""));
        let number = argument.parse::<i64>().ok();
        match key.trim() {
            "email" => made = Some(json!(EMAIL)),
            "uuid" => made = Some(json!(id_of(name))),
            "number" | "integer" | "numeric" => {
                made = Some(match named(name) {
                    number @ Json::Number(_) => number,
                    _ => json!(42),
                });
            }
            "boolean" => made = Some(json!(true)),
            "array" => made = Some(json!([])),
            "object" => made = Some(json!({})),
            "date" | "datetime" => made = Some(json!("2026-01-15T10:00:00.000Z")),
            "url" => made = Some(json!("http://service.example.com/resource")),
            "in" | "enum" | "oneOf" => made = argument.split(',').next().map(|first| json!(first.trim())),
            "different" => made = Some(json!(format!("another {argument}"))),
            "same" | "matches" => return None,
            "string" => made = made.or_else(|| Some(text(named(name)))),
            "min" | "minLength" | "max" | "maxLength" => {
                made = bounded(made.unwrap_or_else(|| named(name)), key, number);
            }
            _ => {}
        }
    }
    made
}

fn text(value: Json) -> Json {
    match value {
        Json::String(text) => json!(text),
        Json::Null | Json::Array(_) | Json::Object(_) => json!("a text"),
        other => json!(other.to_string()),
    }
}

fn bounded(value: Json, key: &str, bound: Option<i64>) -> Option<Json> {
    let Some(bound) = bound else { return Some(value) };
    let least = key.starts_with("min");
    let size = usize::try_from(bound).unwrap_or(0);
    Some(match value {
        Json::String(text) if least && text.chars().count() < size => json!(format!("{text:x<size$}")),
        Json::String(text) if !least => json!(text.chars().take(size).collect::<String>()),
        Json::Number(number) => {
            let value = number.as_i64().unwrap_or(bound);
            json!(if least { value.max(bound) } else { value.min(bound) })
        }
        other => other,
    })
}

/// Puts what a document reads into an object.
pub(super) fn shaped(reads: &[Read]) -> Json {
    let mut root = Json::Object(Map::new());
    // Comparisons say most of a value, and what is longest says what its beginnings are.
    let mut sorted: Vec<&Read> = reads.iter().filter(|read| !read.path.is_empty()).collect();
    sorted.sort_by_key(|read| {
        let rank = match read.hint {
            Hint::Like(_) => 0,
            Hint::Number | Hint::List | Hint::Text => 1,
            Hint::Nothing => 2,
        };
        (std::cmp::Reverse(read.path.len()), rank)
    });
    for read in sorted {
        put(&mut root, &read.path, &read.path[0], &read.hint);
    }
    root
}

fn put(place: &mut Json, path: &[String], name: &str, hint: &Hint) {
    let Some((step, rest)) = path.split_first() else {
        if place.is_null() {
            *place = match hint {
                Hint::Like(value) => value.clone(),
                Hint::Number => match named(name) {
                    number @ Json::Number(_) => number,
                    _ => json!(42),
                },
                // `userIds` is a list of such ids.
                Hint::List => match name.strip_suffix("Ids") {
                    Some(one) => json!([id_of(&format!("{one}id").to_lowercase())]),
                    None => json!([]),
                },
                Hint::Text => text(named(name)),
                Hint::Nothing => named(name),
            };
        }
        return;
    };
    if step == "[]" {
        if !place.is_array() {
            *place = json!([]);
        }
        if let Some(items) = place.as_array_mut() {
            if items.is_empty() {
                items.push(Json::Null);
            }
            put(&mut items[0], rest, name, hint);
        }
        return;
    }
    if !place.is_object() {
        if !place.is_null() {
            return;
        }
        *place = json!({});
    }
    if let Some(fields) = place.as_object_mut() {
        put(fields.entry(step.clone()).or_insert(Json::Null), rest, step, hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::path::reads;

    #[test]
    fn an_input_is_made_from_what_is_read() {
        let text = "$json.user.email $json.level >= 3 $json.rows.map(r => r.count * 2) $json.kind === 'b' $json.user";
        assert_eq!(
            shaped(&reads(text, "$json")),
            json!({"user": {"email": EMAIL}, "level": 5, "rows": [{"count": 42}], "kind": "b"})
        );
    }

    #[test]
    fn names_say_what_a_field_holds() {
        for (name, value) in [
            ("isActive", json!(true)),
            ("isDeleted", json!(false)),
            ("issue", json!("a issue")),
            ("createdAt", json!("2026-01-15T10:00:00.000Z")),
            ("fileSize", json!(42)),
            ("displayName", json!("a display name")),
        ] {
            assert_eq!(named(name), value, "{name}");
        }
        assert_eq!(named("channelId"), named("ChannelId"));
        assert_ne!(named("channelId"), named("sceneId"));
        assert_eq!(id_of("x").len(), 36);
    }

    #[test]
    fn rules_are_kept() {
        assert_eq!(ruled("limit", "number|max:10"), Some(json!(10)));
        assert_eq!(
            ruled("title", "required|string|minLength:12"),
            Some(json!("a titlexxxxx"))
        );
        assert_eq!(ruled("kind", "in:a, b"), Some(json!("a")));
        assert_eq!(ruled("x", "required"), None);
        assert_eq!(
            ruled("newPassword", "string|different:old"),
            Some(json!("another old"))
        );
    }
}
