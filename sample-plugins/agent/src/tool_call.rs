//! What a model asks to have done. Invariant: a call has an id that no other of its answer has, a name, and arguments as
//! a text, whatever the server sent.

use std::collections::HashSet;

use plugin_api::prelude::*;
use plugin_api::reading::kind_name;
use plugin_api::value::Kind;

/// Calls in one answer.
const MAX_CALLS: usize = 128;
/// Bytes of an id or a name.
const MAX_NAME: usize = 256;
/// Bytes of the arguments of one call.
const MAX_ARGUMENTS: usize = 1 << 20;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
    /// JSON, if the model kept to it.
    pub(crate) arguments: String,
}

impl ToolCall {
    /// The calls of a message; none if it has none. The error says what is wrong with them.
    pub(crate) fn all(message: ValueRef<'_>) -> Result<Vec<Self>, String> {
        let calls = message.get("tool_calls").unwrap_or(ValueRef::NULL);
        if calls.is_null() {
            return Ok(Vec::new());
        }
        let list = calls
            .as_list()
            .ok_or_else(|| format!("`tool_calls` is {}, not a list", kind_name(calls)))?;
        if list.len() > MAX_CALLS {
            let count = list.len();
            return Err(format!(
                "{count} tool calls in one answer, at most {MAX_CALLS} are taken"
            ));
        }
        let mut ids = HashSet::new();
        let mut all = Vec::with_capacity(list.len());
        for (index, call) in list.iter().enumerate() {
            let call = Self::read(call, index).map_err(|why| format!("tool call {index}: {why}"))?;
            if !ids.insert(call.id.clone()) {
                return Err(format!("tool call {index}: its id is that of another call"));
            }
            all.push(call);
        }
        Ok(all)
    }

    fn read(call: ValueRef<'_>, index: usize) -> Result<Self, String> {
        let text = |value: ValueRef<'_>, key: &str| match value.get(key) {
            None => Ok(None),
            Some(text) if text.is_null() => Ok(None),
            Some(text) => match text.as_str() {
                Some(text) if text.len() <= MAX_NAME => Ok(Some(text.to_owned())),
                Some(_) => Err(format!("`{key}` is longer than {MAX_NAME} bytes")),
                None => Err(format!("`{key}` is {}, not a text", kind_name(text))),
            },
        };
        if let Some(kind) = text(call, "type")?.filter(|kind| kind != "function") {
            return Err(format!("its type is {kind:?}, not \"function\""));
        }
        let function = call.get("function").unwrap_or(ValueRef::NULL);
        let name = text(function, "name")?.filter(|name| !name.is_empty());
        let arguments = function.get("arguments").unwrap_or(ValueRef::NULL);
        let arguments = match arguments.kind() {
            Kind::Null => "{}".to_owned(),
            Kind::Map => arguments.to_json(),
            Kind::Str => arguments.as_str().unwrap_or_default().to_owned(),
            _ => return Err(format!("`arguments` is {}, not a text", kind_name(arguments))),
        };
        if arguments.len() > MAX_ARGUMENTS {
            return Err(format!(
                "its arguments are longer than {} MiB",
                MAX_ARGUMENTS >> 20
            ));
        }
        Ok(Self {
            // Some servers leave it out; the answer to the call needs one all the same.
            id: text(call, "id")?
                .filter(|id| !id.is_empty())
                .unwrap_or_else(|| format!("call_{index}")),
            name: name.ok_or("it names no function")?,
            arguments,
        })
    }

    /// The call as chat models write it.
    pub(crate) fn to_value(&self) -> NodeResult<Value> {
        let function = Written {
            name: &self.name,
            arguments: &self.arguments,
        };
        let (id, kind) = (Value::from(&*self.id), Value::from("function"));
        let function = Value::from_serialize(&function)?;
        Ok(Value::from_pairs([
            ("id", id.as_ref()),
            ("type", kind.as_ref()),
            ("function", function.as_ref()),
        ])?)
    }

    /// The arguments as a map; the error is for the model to read.
    pub(crate) fn parameters(&self) -> Result<Value, String> {
        let text = self.arguments.trim();
        if text.is_empty() {
            return Ok(Value::empty_map());
        }
        let value = Value::from_json(text).map_err(|error| format!("the arguments are no JSON: {error}"))?;
        match value.as_ref().kind() {
            Kind::Map => Ok(value),
            _ => Err(format!(
                "the arguments are {}, not a map",
                kind_name(value.as_ref())
            )),
        }
    }
}

#[output]
struct Written<'a> {
    name: &'a str,
    arguments: &'a str,
}
