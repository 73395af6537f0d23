//! Names of this dialect: `$entity.version`, alone or within a text.
//!
//! Invariant: a name is looked for in what the document writes, and never in what a name or an expression gave: data
//! cannot name anything. For that reason these parameters reach the node as they are written, and the node fills in their
//! `{{ }}` as well.
//!
//! A name is, in this order: a root of expressions (`$json`, `$steps`, `$context`, ...), a variable of the run (what the
//! `out` of an earlier node set), `$timestamp`, the `$request` that started the run (`path`, `method`, `query`, `headers`
//! in any case, `body`, `content_length`), the `$form` that did, a node. No other field of what started the run is meant
//! by its name alone: whoever sends a request could give a value to a name that no node has set. Alone, a name that means
//! nothing is null; within a text it is an error. `$$` is a dollar sign. Outside a workflow nothing is a name.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::time::UNIX_EPOCH;

use plugin_api::error::code;
use plugin_api::prelude::*;
use plugin_api::reading::{kind_name, step, text_of};
use plugin_api::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use plugin_api::serde::de::{Deserialize, Deserializer};
use plugin_api::value::Kind;

use crate::moment::iso;

/// Roots that the workflow's own expressions have.
const ROOTS: [&str; 16] = [
    "acc",
    "context",
    "env",
    "index",
    "input",
    "item",
    "json",
    "key",
    "node",
    "nodes",
    "now",
    "steps",
    "today",
    "value",
    "variables",
    "workflow",
];

/// A parameter as the document writes it, null included; `None` where it is missing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw<'a>(pub(crate) Option<ValueRef<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueRef::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl JsonSchema for Raw<'_> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Raw".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "boolean", "null", "number", "object", "string"],
            "x-template": false,
        })
    }
}

/// What names mean in one call.
pub(crate) struct Names<'c> {
    ctx: &'c Ctx<'c>,
    in_workflow: bool,
    trigger: OnceCell<Value>,
}

impl<'c> Names<'c> {
    pub(crate) fn new(ctx: &'c Ctx<'c>) -> NodeResult<Self> {
        let in_workflow = match ctx.input(0) {
            Ok(_) => true,
            Err(error) if error.code == code::UNSUPPORTED => false,
            Err(error) => return Err(error),
        };
        Ok(Self {
            ctx,
            in_workflow,
            trigger: OnceCell::new(),
        })
    }

    /// What a parameter comes to; `None` where it is missing, or null.
    pub(crate) fn read(&self, raw: Raw<'_>, parameter: &str) -> NodeResult<Option<Value>> {
        let Some(raw) = raw.0 else { return Ok(None) };
        let value = self.filled(raw, parameter)?;
        Ok(Some(value).filter(|value| !value.as_ref().is_null()))
    }

    /// A parameter that cannot be missing.
    pub(crate) fn needed(&self, raw: Raw<'_>, parameter: &str) -> NodeResult<Value> {
        self.read(raw, parameter)?.ok_or_else(|| {
            let written = raw
                .0
                .and_then(|raw| raw.as_str())
                .filter(|text| text.starts_with('$'));
            match written {
                Some(name) => {
                    NodeError::invalid(parameter, format_args!("`{}` is not there, or null", cut(name)))
                }
                None => NodeError::invalid(parameter, "is missing"),
            }
        })
    }

    /// A text that cannot be missing and has from 1 to `most` bytes, none of which controls anything.
    pub(crate) fn text(&self, raw: Raw<'_>, parameter: &str, most: usize) -> NodeResult<String> {
        let value = self.needed(raw, parameter)?;
        line(value.as_ref(), parameter, most)
    }

    /// Sets the variable that `out` names to what the node gave.
    pub(crate) fn set(&self, out: Option<&str>, value: ValueRef<'_>) -> NodeResult<()> {
        let Some(out) = out else { return Ok(()) };
        let name = out.strip_prefix('$').unwrap_or(out);
        let fits = name.len() <= 128 && name_length(name) == name.len() && !name.is_empty();
        if !fits {
            let why = format_args!("must be a name of letters, digits and `_`, but is `{}`", cut(out));
            return Err(NodeError::invalid("out", why));
        }
        if ROOTS.contains(&name) {
            return Err(NodeError::invalid(
                "out",
                format_args!("`{name}` means something else already"),
            ));
        }
        if self.in_workflow {
            self.ctx.set_variable(name, &value)?;
        }
        Ok(())
    }

    fn filled(&self, raw: ValueRef<'_>, parameter: &str) -> NodeResult<Value> {
        if !self.in_workflow {
            return Ok(raw.to_value());
        }
        self.ctx.check()?;
        if let Some(text) = raw.as_str() {
            return self.filled_text(text, parameter);
        }
        if let Some(list) = raw.as_list() {
            let items = list.iter().map(|item| self.filled(item, parameter));
            let items = items.collect::<NodeResult<Vec<_>>>()?;
            return Ok(Value::from_items(items.iter().map(Value::as_ref))?);
        }
        if let Some(map) = raw.as_map() {
            let pairs = map
                .iter()
                .map(|(key, value)| Ok((key, self.filled(value, parameter)?)));
            let pairs = pairs.collect::<NodeResult<Vec<_>>>()?;
            let pairs = pairs.iter().map(|(key, value)| (key, value.as_ref()));
            return Ok(Value::from_pairs(pairs)?);
        }
        Ok(raw.to_value())
    }

    fn filled_text(&self, text: &str, parameter: &str) -> NodeResult<Value> {
        if text.contains("{{") {
            let template = Value::from(text);
            return self.ctx.render(template.as_ref(), &[]).map_err(|mut error| {
                error.message = format!("parameter `{parameter}`: {}", error.message).into();
                error
            });
        }
        if !text.contains('$') {
            return Ok(Value::from(text));
        }
        if let Some(name) = text.strip_prefix('$')
            && !name.is_empty()
            && reference_length(name) == name.len()
        {
            return self.meaning(name);
        }
        let (mut done, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once('$') {
            done.push_str(before);
            if let Some(escaped) = after.strip_prefix('$') {
                done.push('$');
                rest = escaped;
                continue;
            }
            let (name, behind) = after.split_at(reference_length(after));
            rest = behind;
            if name.is_empty() {
                done.push('$');
                continue;
            }
            let value = self.meaning(name)?;
            let part = text_of(value.as_ref()).filter(|_| !value.as_ref().is_null());
            done.push_str(&part.ok_or_else(|| {
                let found = match value.as_ref().is_null() {
                    true => "is not there, or null",
                    false => kind_name(value.as_ref()),
                };
                let why = format_args!("`${}` cannot be put into a text: {found}", cut(name));
                NodeError::invalid(parameter, why)
            })?);
        }
        done.push_str(rest);
        Ok(Value::from(done.as_str()))
    }

    /// What a name without its dollar sign means; null for nothing.
    fn meaning(&self, name: &str) -> NodeResult<Value> {
        let (head, path) = match name.split_once('.') {
            Some((head, path)) => (head, path),
            None => (name, ""),
        };
        if ROOTS.contains(&head) {
            return self.evaluated(name);
        }
        if let Some(found) = self.ctx.variable::<Value>(head)? {
            return Ok(walked(found.as_ref(), path).to_value());
        }
        match head {
            "timestamp" => {
                return Ok(self.ctx.wall_clock().map_or_else(Value::null, |now| {
                    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                    Value::from(iso(since.as_millis()).as_str())
                }));
            }
            "request" => return self.requested(path),
            "form" => {
                if let Some(form) = self.trigger()?.get(head) {
                    return Ok(walked(form, path).to_value());
                }
            }
            _ => {}
        }
        self.evaluated(name)
    }

    fn evaluated(&self, name: &str) -> NodeResult<Value> {
        match self.ctx.evaluate(&format!("${name}"), &[]) {
            // A host without expressions has none of their roots.
            Err(error) if error.code == code::UNSUPPORTED => Ok(Value::null()),
            other => other,
        }
    }

    /// What started the run.
    fn trigger(&self) -> NodeResult<ValueRef<'_>> {
        if let Some(known) = self.trigger.get() {
            return Ok(known.as_ref());
        }
        let found = self.evaluated("json")?;
        Ok(self.trigger.get_or_init(|| found).as_ref())
    }

    /// A part of the request that started the run.
    fn requested(&self, path: &str) -> NodeResult<Value> {
        let trigger = self.trigger()?;
        // The host's own word goes first: a body may have a field of the other name.
        let (of, is_own) = match (trigger.get("$request"), trigger.get("request")) {
            (Some(own), _) => (own, true),
            (None, Some(given)) => (given, false),
            (None, None) => (ValueRef::NULL, false),
        };
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, rest),
            None => (path, ""),
        };
        if let Some(found) = of.get(first) {
            return Ok(match first {
                "headers" if !rest.is_empty() => header(found, rest).to_value(),
                _ => walked(found, rest).to_value(),
            });
        }
        let headers = of.get("headers").unwrap_or(ValueRef::NULL);
        Ok(match first {
            "" => of.to_value(),
            "body" if is_own => {
                let body = body(trigger)?;
                walked(body.as_ref(), rest).to_value()
            }
            "content_length" | "contentLength" => {
                let told = header(headers, "content-length")
                    .as_str()
                    .and_then(|text| text.parse::<i64>().ok());
                let body = of
                    .get("body")
                    .or_else(|| trigger.get("body"))
                    .unwrap_or(ValueRef::NULL);
                let bytes = body
                    .as_str()
                    .map(str::len)
                    .or_else(|| body.as_bytes().map(<[u8]>::len));
                let counted = bytes.and_then(|bytes| i64::try_from(bytes).ok());
                told.or(counted).map_or_else(Value::null, Value::from)
            }
            _ => Value::null(),
        })
    }
}

/// The body of a request, of whose fields `$json` is made; a body that is no object is in its field `body`.
fn body(trigger: ValueRef<'_>) -> NodeResult<Value> {
    let Some(map) = trigger.as_map() else {
        return Ok(trigger.to_value());
    };
    let fields = map.iter().filter(|(key, _)| *key != "$request");
    let mut alone = fields.clone();
    if let (Some(("body", body)), None) = (alone.next(), alone.next()) {
        return Ok(body.to_value());
    }
    Ok(Value::from_pairs(fields)?)
}

/// A header, whose name may be written in any case.
fn header<'v>(headers: ValueRef<'v>, name: &str) -> ValueRef<'v> {
    let mut all = headers.as_map().into_iter().flatten();
    let found = all.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map_or(ValueRef::NULL, |(_, value)| value)
}

fn walked<'v>(value: ValueRef<'v>, path: &str) -> ValueRef<'v> {
    let mut steps = path.split('.').filter(|step| !step.is_empty());
    steps.try_fold(value, step).unwrap_or(ValueRef::NULL)
}

/// How many bytes of a name a text begins with.
fn name_length(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return 0;
    }
    part_length(text)
}

fn part_length(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    end.unwrap_or(text.len())
}

/// How many bytes of a name with its path a text begins with. A dot that nothing follows ends a sentence.
fn reference_length(text: &str) -> usize {
    let mut length = name_length(text);
    while length > 0
        && let Some(rest) = text.get(length..).and_then(|rest| rest.strip_prefix('.'))
    {
        match part_length(rest) {
            0 => break,
            more => length += more + 1,
        }
    }
    length
}

/// The text for a message.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text of one line.
pub(crate) fn line(value: ValueRef<'_>, parameter: &str, most: usize) -> NodeResult<String> {
    let text = text_of(value).filter(|_| value.kind() != Kind::Bool);
    let text = text.ok_or_else(|| {
        NodeError::invalid(
            parameter,
            format_args!("expected a text, found {}", kind_name(value)),
        )
    })?;
    if text.is_empty() || text.len() > most {
        let why = format_args!("must have from 1 to {most} bytes, but has {}", text.len());
        return Err(NodeError::invalid(parameter, why));
    }
    if text.chars().any(char::is_control) {
        return Err(NodeError::invalid(parameter, "must have no control characters"));
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests;
