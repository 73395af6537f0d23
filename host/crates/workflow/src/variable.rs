//! The variables of a workflow.
//!
//! Invariant: the map of defaults holds variables whose definitions are sound, and nothing else.

use plugin_api::value::{Kind, Value, ValueRef, Writer};

use crate::code;
use crate::field::{Object, kind_name, wrong};
use crate::notes::{Notes, Place, Shown};

const TYPES: [&str; 7] = ["string", "number", "boolean", "array", "object", "date", "any"];

/// The defaults as a map, and the names of those that a run must be given.
pub(crate) fn read(workflow: &Object<'_, '_>, notes: &mut Notes<'_>) -> (Value, Box<[Box<str>]>) {
    let list = workflow.object("variables", notes);
    let mut defaults = Vec::new();
    let mut required = Vec::new();
    for (name, value) in list.map.into_iter().flatten() {
        let place = list.place.key(name, value);
        if !is_name(name) {
            notes.error(
                code::INVALID_VARIABLE_NAME,
                &place,
                format_args!("`{}` is no name of a variable", Shown(name)),
                "use letters, digits and `_`, and no digit at its start",
            );
        }
        if value.kind() != Kind::Map {
            notes.error(
                code::INVALID_VARIABLE_DEFINITION,
                &place,
                format_args!("{} is no definition of a variable", kind_name(value)),
                r#"write `{"type": "string", "defaultValue": ""}`"#,
            );
            continue;
        }
        let definition = Object {
            map: value.as_map(),
            place,
        };
        let default = definition.get("defaultValue");
        check(&definition, default, notes);
        let needed = definition.flag("required", notes).unwrap_or(false);
        match default {
            Some(default) => defaults.push((name, default)),
            None if needed => required.push(name.into()),
            None => {}
        }
    }
    (map_of(&defaults), required.into())
}

fn map_of(entries: &[(&str, ValueRef<'_>)]) -> Value {
    let mut out = Vec::new();
    let written = Writer::new(&mut out).map(|map| {
        entries
            .iter()
            .try_for_each(|(name, value)| map.entry(name, |w| w.value(*value)))
    });
    written
        .and_then(|()| Value::from_encoded(out))
        .unwrap_or_default()
}

fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn check(definition: &Object<'_, '_>, default: Option<ValueRef<'_>>, notes: &mut Notes<'_>) {
    definition.unknown(
        &[&[
            "name",
            "type",
            "description",
            "defaultValue",
            "required",
            "scope",
            "validation",
        ]],
        notes,
    );
    let kind = definition.text("type", notes);
    let place = definition.place.field("type", definition.get("type"));
    match kind {
        None if definition.get("type").is_none() => notes.error(
            code::MISSING_VARIABLE_TYPE,
            &place,
            format_args!("the variable has no type"),
            "write `type`: string, number, boolean, array, object, date or any",
        ),
        Some(kind) if !TYPES.contains(&kind) => notes.error(
            code::INVALID_VARIABLE_TYPE,
            &place,
            format_args!("`{}` is no type of a variable", Shown(kind)),
            "write string, number, boolean, array, object, date or any",
        ),
        _ => {}
    }
    if let Some(default) = default {
        check_default(
            kind,
            default,
            &definition.place.key("defaultValue", default),
            notes,
        );
    }
    match definition.text("scope", notes) {
        None | Some("workflow" | "execution") => {}
        Some("global") => notes.warning(
            code::GLOBAL_SCOPE_VARIABLE,
            &definition.place.field("scope", definition.get("scope")),
            format_args!("the variable is of its run, and not shared by all"),
            "keep shared values in the key-value store, or write `workflow`",
        ),
        Some(_) => {
            if let Some(scope) = definition.get("scope") {
                wrong(
                    notes,
                    &definition.place.key("scope", scope),
                    scope,
                    "`workflow`, `execution` or `global`",
                );
            }
        }
    }
    let validation = definition.object("validation", notes);
    definition.unsupported(&["validation"], notes);
    if let Some(pattern) = validation.text("pattern", notes)
        && is_complex(pattern)
    {
        notes.warning(
            code::REGEX_COMPLEXITY_WARNING,
            &validation.place.field("pattern", validation.get("pattern")),
            format_args!("the pattern can take very long"),
            "avoid repeats of repeats, and look-arounds",
        );
    }
}

fn check_default(kind: Option<&str>, default: ValueRef<'_>, place: &Place<'_>, notes: &mut Notes<'_>) {
    let number = matches!(default.kind(), Kind::I64 | Kind::F64);
    let fits = match kind {
        Some("string") => default.kind() == Kind::Str,
        Some("number") => number,
        Some("boolean") => default.kind() == Kind::Bool,
        Some("array") => default.kind() == Kind::List,
        Some("object") => default.kind() == Kind::Map,
        Some("date") => number || default.kind() == Kind::Str,
        Some("any") => true,
        // A type that is none has its own finding.
        Some(_) => true,
        None => false,
    };
    if !fits {
        notes.error(
            code::VARIABLE_TYPE_MISMATCH,
            place,
            format_args!(
                "the default is {}, and the variable's type {}",
                kind_name(default),
                kind.unwrap_or("is not known")
            ),
            "change one of the two",
        );
    }
}

/// Whether a pattern repeats a repeat, looks around, or is very long.
fn is_complex(pattern: &str) -> bool {
    let bytes = pattern.as_bytes();
    let repeats = |byte: Option<&u8>| matches!(byte, Some(b'+' | b'*' | b'{'));
    let nested = bytes
        .windows(3)
        .any(|w| repeats(w.first()) && w.get(1) == Some(&b')') && repeats(w.get(2)));
    let looks = ["(?=", "(?!", "(?<=", "(?<!"]
        .iter()
        .any(|look| pattern.contains(look));
    nested || looks || pattern.len() > 500
}
