//! One snapshot of the registry, as documents are checked against it.

use std::sync::Arc;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use patchbay_dispatch::{CallError, Dispatcher, Mount, Served, TenantRules};
use patchbay_loader::NodeDescription;
use patchbay_registry::Snapshot;
use patchbay_vocab::{Digest, TenantId};
use patchbay_workflow::{Catalogue, KnownNode, ParameterProblem};
use plugin_api::meta::Capability;
use plugin_api::value::ValueRef;

use crate::counted::{Counted, Weighs};

/// Problems of one node's parameters that are told.
const MOST_PROBLEMS: usize = 20;
/// The keyword of a parameter's schema that says: the node evaluates the expression in it by itself.
const TEMPLATE: &str = "x-template";
/// The keyword with other names of a parameter.
const ALIASES: &str = "x-aliases";

/// What is read from a node's metadata once: its compiled schema, and which parameters it evaluates.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Option<Validator>,
    pub(crate) kept: Vec<Box<str>>,
    /// Other names of parameters, each with the name that the schema knows.
    aliases: Vec<(Box<str>, Box<str>)>,
}

impl Weighs for Arc<Schema> {
    fn bytes(&self) -> usize {
        // A compiled schema of a node is a few kilobytes; what it is exactly, its crate does not say.
        8 << 10
    }
}

/// Compiled schemas by artifact and place of the node in it.
pub(crate) type Schemas = Counted<(Digest, usize), Arc<Schema>>;

/// A node type that was found.
pub(crate) struct Found<'s> {
    pub(crate) mount: &'s Arc<Mount<Served>>,
    pub(crate) node: &'s NodeDescription,
    pub(crate) place: usize,
}

/// A snapshot, seen by a tenant.
pub(crate) struct View<'v> {
    pub(crate) snapshot: &'v Snapshot<Served>,
    pub(crate) dispatcher: &'v Arc<Dispatcher>,
    pub(crate) schemas: &'v Schemas,
    pub(crate) rules: &'v TenantRules,
    pub(crate) tenant: Option<&'v TenantId>,
}

impl<'v> View<'v> {
    pub(crate) fn secrets_set(&self) -> u64 {
        self.dispatcher.stores().secrets_set()
    }

    pub(crate) fn find(&self, node_type: &str) -> Option<Found<'v>> {
        let slot = self.snapshot.slot(node_type)?;
        let route = self.snapshot.route(slot)?;
        let mount = route.mount();
        let description = mount.handle().plugin().description();
        let (_, place) = description.names().nth(route.node() as usize)?;
        let node = description.nodes.get(place)?;
        Some(Found { mount, node, place })
    }

    pub(crate) fn schema(&self, found: &Found<'_>) -> Arc<Schema> {
        let key = (found.mount.digest(), found.place);
        if let Some(known) = self.schemas.get(&key) {
            return known;
        }
        let parameters = &found.node.meta.parameters;
        let kept = parameters
            .get("properties")
            .and_then(serde_json::Value::as_object);
        let properties = kept.into_iter().flatten();
        let aliases = properties.clone().flat_map(|property| {
            let own: Box<str> = property.0.as_str().into();
            names(property).skip(1).map(move |alias| (alias, own.clone()))
        });
        let aliases = aliases.collect();
        let kept = properties.filter(|(_, schema)| {
            schema
                .get(TEMPLATE)
                .is_some_and(|keyword| *keyword == serde_json::Value::Bool(false))
        });
        // A schema that is none was told of when the plugin was checked; nothing is checked against it.
        let schema = Arc::new(Schema {
            validator: jsonschema::validator_for(parameters).ok(),
            kept: kept.flat_map(names).collect(),
            aliases,
        });
        self.schemas.insert(key, Arc::clone(&schema));
        schema
    }
}

/// Every name of a parameter.
fn names<'s>((name, schema): (&'s String, &'s serde_json::Value)) -> impl Iterator<Item = Box<str>> {
    let aliases = schema.get(ALIASES).and_then(serde_json::Value::as_array);
    let aliases = aliases
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_str);
    std::iter::once(name.as_str()).chain(aliases).map(Into::into)
}

/// Calls parameters that are given under another name by the one that the schema knows, in the pointers as well. Gives
/// what was called otherwise: the schema's name, and the one that was written. One that is given under both names stays.
fn by_their_names<'a>(
    instance: &mut serde_json::Value,
    open: &mut [String],
    aliases: &'a [(Box<str>, Box<str>)],
) -> Vec<(&'a str, &'a str)> {
    let mut renamed = Vec::new();
    let is_open = |open: &[String], name: &str| {
        let steps = open.iter().filter_map(|pointer| pointer.strip_prefix('/'));
        steps
            .map(|steps| steps.split('/').next())
            .any(|first| first == Some(&*escaped(name)))
    };
    for (alias, own) in aliases {
        let Some(given) = instance.as_object_mut() else {
            break;
        };
        if given.contains_key(&**own) || is_open(open, own) {
            continue;
        }
        let value = given.remove(&**alias);
        if value.is_none() && !is_open(open, alias) {
            continue;
        }
        if let Some(value) = value {
            given.insert(own.to_string(), value);
        }
        for pointer in open.iter_mut() {
            *pointer = moved(pointer, alias, own);
        }
        renamed.push((&**own, &**alias));
    }
    renamed
}

/// The pointer with the names that the document uses.
fn as_written(pointer: String, renamed: &[(&str, &str)]) -> String {
    renamed
        .iter()
        .fold(pointer, |pointer, (own, alias)| moved(&pointer, own, alias))
}

/// The pointer, with another first step where it is `from`.
fn moved(pointer: &str, from: &str, to: &str) -> String {
    let rest = pointer
        .strip_prefix('/')
        .and_then(|steps| steps.strip_prefix(&*escaped(from)))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    rest.map_or_else(|| pointer.to_owned(), |rest| format!("/{}{rest}", escaped(to)))
}

/// A name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Catalogue for View<'_> {
    fn node(&self, node_type: &str) -> Option<KnownNode> {
        let found = self.find(node_type)?;
        let meta = &found.node.meta;
        let reads = meta.capabilities.contains(&Capability::Secrets);
        Some(KnownNode {
            // A node that names several secrets may need one of them: only a sole one is surely needed.
            secrets: match meta.secrets.as_slice() {
                [sole] if reads && !sole.ends_with('*') => vec![sole.clone()],
                _ => Vec::new(),
            },
            experimental: meta.experimental,
            plugin: Some(found.mount.plugin().clone()),
        })
    }

    fn nearest(&self, node_type: &str) -> Option<String> {
        match self.dispatcher.resolve(node_type) {
            Err(CallError::UnknownNode { nearest, .. }) => nearest,
            _ => None,
        }
    }

    fn check_parameters(
        &self,
        node_type: &str,
        parameters: ValueRef<'_>,
        open: &[String],
    ) -> Vec<ParameterProblem> {
        let Some(found) = self.find(node_type) else {
            return Vec::new();
        };
        let schema = self.schema(&found);
        let Some(validator) = &schema.validator else {
            return Vec::new();
        };
        let Ok(mut instance) = serde_json::to_value(parameters) else {
            return Vec::new();
        };
        // The schema knows each parameter by one name.
        let mut open = open.to_vec();
        let written = by_their_names(&mut instance, &mut open, &schema.aliases);
        let concerns_open = |pointer: &str| {
            open.iter().any(|open| {
                let below = |longer: &str, shorter: &str| {
                    longer
                        .strip_prefix(shorter)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                below(open, pointer) || below(pointer, open)
            })
        };
        let told = validator.iter_errors(&instance).filter_map(|error| {
            let pointer = error.instance_path().to_string();
            if let ValidationErrorKind::Required { property } = error.kind() {
                let missing = format!("{pointer}/{}", property.as_str().unwrap_or_default());
                return (!concerns_open(&missing)).then(|| ParameterProblem {
                    message: format!("`{}` is missing", property.as_str().unwrap_or_default()),
                    pointer: as_written(pointer, &written),
                });
            }
            (!concerns_open(&pointer)).then(|| ParameterProblem {
                message: error.masked().to_string(),
                pointer: as_written(pointer, &written),
            })
        });
        told.take(MOST_PROBLEMS).collect()
    }

    fn allows(&self, node_type: &str) -> bool {
        let Some(tenant) = self.tenant else { return true };
        self.rules.allows_node(tenant, self.snapshot, node_type)
    }

    fn has_secret(&self, name: &str) -> bool {
        self.tenant
            .is_some_and(|tenant| self.dispatcher.stores().has_secret(tenant, name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn aliases(pairs: &[(&str, &str)]) -> Vec<(Box<str>, Box<str>)> {
        pairs
            .iter()
            .map(|(alias, own)| ((*alias).into(), (*own).into()))
            .collect()
    }

    #[test]
    fn parameters_are_judged_under_the_name_of_the_schema_and_told_under_the_one_that_was_written() {
        let known = aliases(&[("endpoint", "url"), ("uri", "url"), ("a/b", "c")]);
        let mut instance = json!({"endpoint": 1, "a/b": 2, "other": 3});
        let mut open = vec!["/endpoint/x".to_owned(), "/endpoints".to_owned()];
        let written = by_their_names(&mut instance, &mut open, &known);
        assert_eq!(instance, json!({"url": 1, "c": 2, "other": 3}));
        assert_eq!(open, ["/url/x", "/endpoints"]);
        assert_eq!(as_written("/url".to_owned(), &written), "/endpoint");
        assert_eq!(as_written("/c/0".to_owned(), &written), "/a~1b/0");
        assert_eq!(as_written(String::new(), &written), "");
    }

    #[test]
    fn a_parameter_that_an_expression_gives_is_known_by_its_name_too() {
        let known = aliases(&[("endpoint", "url")]);
        let (mut instance, mut open) = (json!({}), vec!["/endpoint".to_owned()]);
        by_their_names(&mut instance, &mut open, &known);
        assert_eq!((instance, open), (json!({}), vec!["/url".to_owned()]));
    }

    #[test]
    fn a_parameter_under_two_names_is_left_as_it_is() {
        let known = aliases(&[("endpoint", "url"), ("uri", "url")]);
        let mut instance = json!({"url": 1, "endpoint": 2});
        assert!(by_their_names(&mut instance, &mut [], &known).is_empty());
        assert_eq!(instance, json!({"url": 1, "endpoint": 2}));
        let mut twice = json!({"uri": 1, "endpoint": 2});
        assert_eq!(by_their_names(&mut twice, &mut [], &known), [("url", "endpoint")]);
        assert_eq!(twice, json!({"url": 2, "uri": 1}));
    }
}
