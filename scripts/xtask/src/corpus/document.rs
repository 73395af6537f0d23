//! What a document needs of the world: inputs, tables, variables of the environment, credentials.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::input::input;
use super::path::{Read, reads};
use super::value::{named, ruled};

/// What is known of an entity that a document works on.
#[derive(Debug, Default)]
pub(super) struct Entity {
    pub(super) columns: BTreeSet<String>,
    /// What rows are looked for by: column and what it is compared with, which may be an expression.
    pub(super) filters: Vec<(String, Json)>,
    /// What is read of rows, with what is done with it.
    pub(super) reads: Vec<Read>,
    /// Columns that no row may have what the input has.
    pub(super) unique: BTreeSet<String>,
}

/// What a document needs.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) input: Json,
    pub(super) entities: BTreeMap<String, Entity>,
    pub(super) env: BTreeSet<String>,
    pub(super) credentials: BTreeSet<String>,
    /// How many nodes it has, those of its loops not counted.
    pub(super) nodes: usize,
    /// Variables that have to be given.
    pub(super) variables: Json,
    /// Templates of messages that it names.
    pub(super) templates: BTreeSet<String>,
    /// The tenant that it is of, where it names one.
    pub(super) tenant: Option<String>,
    /// Nodes that no edge leaves.
    pub(super) last: BTreeSet<String>,
    /// The path of the request that a pattern of the document takes apart.
    pub(super) pattern: Option<String>,
    /// The node types it names.
    pub(super) kinds: BTreeSet<String>,
    /// What they begin with, up to the first dot.
    pub(super) families: BTreeSet<String>,
}

/// Reads a document. What is no object needs nothing.
pub(super) fn needs(document: &Json) -> Needs {
    let mut texts = Vec::new();
    strings(document, &mut texts);
    let nodes = document["nodes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut needs = Needs {
        nodes: nodes.len(),
        last: last_nodes(document, nodes),
        tenant: tenant(document),
        variables: variables(document),
        ..Needs::default()
    };
    for node in nodes {
        let kind = node["nodeType"]
            .as_str()
            .or(node["type"].as_str())
            .unwrap_or_default();
        needs
            .families
            .insert(kind.split('.').next().unwrap_or_default().to_owned());
        let template = node["parameters"]["template"].as_str();
        needs
            .templates
            .extend(template.filter(|name| is_word(name)).map(str::to_owned));
        needs.pattern = needs
            .pattern
            .or_else(|| node["parameters"]["pattern"].as_str().map(str::to_owned));
    }
    for text in &texts {
        needs.env.extend(
            reads(text, "$env")
                .into_iter()
                .filter_map(|read| read.path.first().cloned()),
        );
    }
    credentials(document, &mut needs.credentials);
    let steps = Steps::of(nodes);
    entities(document, &steps, &mut needs.entities);
    for text in &texts {
        for read in reads(text, "$steps").into_iter().chain(reads(text, "$nodes")) {
            steps.note(&read, &mut needs.entities);
        }
    }
    needs.input = input(document, nodes, &texts, needs.pattern.as_deref());
    needs
}

/// The tenant that a document names; one that is to be filled in is none.
fn tenant(document: &Json) -> Option<String> {
    let name = document["tenantId"].as_str()?;
    is_word(name).then(|| name.to_owned())
}

fn is_word(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.chars().all(fits)
}

/// Values for the variables without one.
fn variables(document: &Json) -> Json {
    let declared = document["variables"].as_object().into_iter().flatten();
    let lacking =
        declared.filter(|(_, declared)| declared.get("defaultValue").is_none() && declared.is_object());
    let made = lacking.map(|(name, declared)| {
        let kind = declared["type"].as_str().unwrap_or("string");
        let value = match kind {
            "number" | "boolean" | "array" | "object" => ruled(name, kind),
            _ => None,
        };
        (name.clone(), value.unwrap_or_else(|| named(name)))
    });
    Json::Object(made.collect())
}

/// Every text in a value, keys that are expressions among them.
fn strings<'j>(value: &'j Json, found: &mut Vec<&'j str>) {
    match value {
        Json::String(text) => found.push(text),
        Json::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Json::Object(fields) => {
            for (key, value) in fields {
                if key.contains("{{") {
                    found.push(key);
                }
                strings(value, found);
            }
        }
        _ => {}
    }
}

/// Nodes that no connection starts from, by id.
fn last_nodes(document: &Json, nodes: &[Json]) -> BTreeSet<String> {
    let from = document["connections"].as_object();
    let leaves = |name: &Json| {
        let name = name.as_str().unwrap_or_default();
        from.is_some_and(|from| from.contains_key(name))
    };
    let ends = nodes
        .iter()
        .filter(|node| !leaves(&node["id"]) && !leaves(&node["name"]));
    ends.filter_map(|node| node["id"].as_str().or(node["name"].as_str()))
        .map(str::to_owned)
        .collect()
}

fn credentials(document: &Json, found: &mut BTreeSet<String>) {
    let nodes = document["nodes"].as_array().into_iter().flatten();
    for holder in std::iter::once(document).chain(nodes) {
        let each: Vec<&Json> = match &holder["credentials"] {
            Json::Object(fields) => fields.values().collect(),
            Json::Array(items) => items.iter().collect(),
            _ => continue,
        };
        for one in each {
            let name = one.as_str().or(one["id"].as_str()).or(one["name"].as_str());
            found.extend(name.map(str::to_owned));
        }
    }
}

/// The nodes of a document by id, to follow what is read of their outputs.
struct Steps<'j>(BTreeMap<&'j str, &'j Json>);

impl<'j> Steps<'j> {
    fn of(nodes: &'j [Json]) -> Self {
        let named = nodes.iter().filter_map(|node| Some((node["id"].as_str()?, node)));
        Self(named.collect())
    }

    /// The entity that a step reads, and what of the path is below its output. A step may be one of several tasks.
    fn entity<'p>(&self, path: &'p [String]) -> Option<(&'j str, &'p [String])> {
        let (step, rest) = path.split_first()?;
        let parameters = &self.0.get(step.as_str())?["parameters"];
        let (holder, rest) = match rest.split_first() {
            Some((first, [task, rest @ ..])) if first == "tasks" => {
                let mut tasks = parameters["tasks"].as_array()?.iter();
                (tasks.find(|known| known["id"] == **task)?, rest)
            }
            _ => (parameters, rest),
        };
        let rest = rest.strip_prefix(&["output".to_owned()]).unwrap_or(rest);
        Some((holder["entity"].as_str()?, rest))
    }

    /// Notes what is read of a step that reads an entity.
    fn note(&self, read: &Read, entities: &mut BTreeMap<String, Entity>) {
        let Some((entity, path)) = self.entity(&read.path) else {
            return;
        };
        let path = match path.split_first() {
            Some((first, rest)) if first == "[]" => rest,
            _ => path,
        };
        let Some(entity) = entities.get_mut(entity).filter(|_| !path.is_empty()) else {
            return;
        };
        entity.columns.insert(path[0].clone());
        entity.reads.push(Read {
            path: path.to_vec(),
            hint: read.hint.clone(),
        });
    }

    /// The fields of a value that may be what another step made: `{{ $steps.build.output }}`, through a few of them.
    fn fields(&self, value: &'j Json, depth: usize) -> Vec<&'j Map<String, Json>> {
        match value {
            Json::Object(fields) => vec![fields],
            Json::String(text) if depth > 0 => {
                let steps = reads(text, "$steps")
                    .into_iter()
                    .filter_map(|read| read.path.first().cloned());
                let made = steps.filter_map(|step| Some(&self.0.get(step.as_str())?["parameters"]["output"]));
                made.flat_map(|made| self.fields(made, depth - 1)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Finds what works on an entity, wherever it stands.
fn entities<'j>(value: &'j Json, steps: &Steps<'j>, found: &mut BTreeMap<String, Entity>) {
    match value {
        Json::Array(items) => items.iter().for_each(|item| entities(item, steps, found)),
        Json::Object(fields) => {
            let name = fields.get("entity").and_then(Json::as_str);
            // Where the name is made in the run, it is the one that inputs are given for it.
            let name = name.map(|name| if name.contains("{{") { "User" } else { name });
            if let Some(name) = name.filter(|_| works_on_rows(fields)) {
                let entity = found.entry(name.to_owned()).or_default();
                let inner = fields.get("params").and_then(Json::as_object);
                for holder in std::iter::once(fields).chain(inner) {
                    columns(holder, steps, entity);
                }
            }
            if let Some(rules) = fields.get("rules").and_then(Json::as_object) {
                for (column, rule) in rules {
                    for part in rule.as_str().unwrap_or_default().split('|') {
                        if let Some(entity) = part.strip_prefix("unique:") {
                            let entity = entity.split(',').next().unwrap_or(entity);
                            let entity = found.entry(entity.to_owned()).or_default();
                            entity.columns.insert(column.clone());
                            entity.unique.insert(column.clone());
                        }
                    }
                }
            }
            fields.values().for_each(|value| entities(value, steps, found));
        }
        _ => {}
    }
}

fn works_on_rows(fields: &Map<String, Json>) -> bool {
    [
        "filter",
        "data",
        "operation",
        "op",
        "sort",
        "id",
        "params",
        "rules",
        "limit",
    ]
    .iter()
    .any(|key| fields.contains_key(*key))
}

fn columns<'j>(holder: &'j Map<String, Json>, steps: &Steps<'j>, entity: &mut Entity) {
    let under = |key: &str| holder.get(key);
    for filter in ["filter", "where"].iter().filter_map(|key| under(key)) {
        for fields in steps.fields(filter, 3) {
            filtered(fields, entity);
        }
    }
    for data in ["data", "create", "update"].iter().filter_map(|key| under(key)) {
        let rows: Vec<&Json> = data
            .as_array()
            .map_or_else(|| vec![data], |rows| rows.iter().collect());
        for fields in rows.into_iter().flat_map(|row| steps.fields(row, 3)) {
            entity.columns.extend(fields.keys().cloned());
        }
    }
    let named = |text: &str| {
        text.trim_start_matches(['-', '+'])
            .split([':', ' '])
            .next()
            .unwrap_or("")
            .to_owned()
    };
    for key in ["sort", "orderBy", "fields", "select", "groupBy"] {
        match under(key) {
            Some(Json::Object(fields)) => entity.columns.extend(fields.keys().map(|key| named(key))),
            Some(Json::Array(items)) => entity
                .columns
                .extend(items.iter().filter_map(Json::as_str).map(named)),
            Some(Json::String(text)) if !text.contains("{{") => {
                entity.columns.insert(named(text));
            }
            _ => {}
        }
    }
    for aggregate in ["aggregations", "aggregate"]
        .iter()
        .filter_map(|key| under(key)?.as_object())
    {
        for text in aggregate.values().filter_map(Json::as_str) {
            let inner = text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
            entity
                .columns
                .extend(inner.filter(|name| *name != "*").map(str::to_owned));
        }
    }
    entity
        .columns
        .retain(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'));
}

fn filtered(fields: &Map<String, Json>, entity: &mut Entity) {
    for (key, value) in fields {
        if key.starts_with('$') {
            for branch in value.as_array().into_iter().flatten().filter_map(Json::as_object) {
                filtered(branch, entity);
            }
            continue;
        }
        entity.columns.insert(key.clone());
        let compared = match value {
            Json::Object(operators) => {
                let any = ["$eq", "$gte", "$lte", "$in"]
                    .iter()
                    .find_map(|name| operators.get(*name));
                any.cloned().unwrap_or(Json::Null)
            }
            other => other.clone(),
        };
        entity.filters.push((key.clone(), compared));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_says_what_it_needs() {
        let document = json!({
            "nodes": [
                {"id": "check", "name": "Check", "type": "x.validate", "parameters": {
                    "input": "{{ $json }}", "rules": {"email": "required|email|unique:Account", "age": "number|max:30"}
                }},
                {"id": "build", "name": "Build", "type": "x.transform", "parameters": {
                    "output": {"tenantId": "{{ $context.tenantId }}", "kind": "{{ $json.kind }}"}
                }},
                {"id": "fetch", "name": "Fetch", "type": "x.database", "credentials": {"api": {"id": "key-1"}},
                 "parameters": {"entity": "User", "operation": "read", "filter": "{{ $steps.build.output }}",
                    "sort": {"createdAt": -1}}},
                {"id": "many", "name": "Many", "type": "x.operation", "parameters": {"operation": "parallel", "tasks": [
                    {"id": "one", "op": "count", "entity": "Post", "params": {"filter": {"authorId": {"$in": ["a"]}}}}
                ]}},
                {"id": "end", "name": "End", "type": "x.action", "parameters": {
                    "a": "{{ $steps.fetch.output.level >= 3 }}", "b": "{{ $steps.many.tasks.one.output.score }}",
                    "url": "{{ $env.BASE_URL }}"
                }},
            ],
            "connections": {"check": {}, "Build": {}, "fetch": {}, "many": {}},
            "variables": {"toEmail": {"type": "string"}, "most": {"type": "number", "defaultValue": 1}},
        });
        let needs = needs(&document);
        assert_eq!(
            needs.input,
            json!({"email": "ada@example.com", "age": 30, "kind": "a kind"})
        );
        let columns = |name: &str| {
            needs.entities[name]
                .columns
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(columns("User"), ["createdAt", "kind", "level", "tenantId"]);
        assert_eq!(columns("Post"), ["authorId", "score"]);
        assert_eq!(columns("Account"), ["email"]);
        assert_eq!(needs.env.iter().collect::<Vec<_>>(), ["BASE_URL"]);
        assert_eq!(needs.credentials.iter().collect::<Vec<_>>(), ["key-1"]);
        assert_eq!(needs.last.iter().collect::<Vec<_>>(), ["end"]);
        assert_eq!(needs.nodes, 5);
        assert_eq!(needs.variables, json!({"toEmail": "ada@example.com"}));
    }
}
