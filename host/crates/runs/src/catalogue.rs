//! One snapshot of the registry, as documents are checked against it.

use std::sync::Arc;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use patchbay_dispatch::{CallError, Dispatcher, Mount, Served};
use patchbay_loader::NodeDescription;
use patchbay_registry::Snapshot;
use patchbay_vocab::{Digest, TenantId};
use patchbay_workflow::{Catalogue, KnownNode, ParameterProblem};
use plugin_api::meta::Capability;
use plugin_api::value::ValueRef;

use crate::counted::{Counted, Weighs};
use crate::rules::TenantRules;

/// Problems of one node's parameters that are told.
const MOST_PROBLEMS: usize = 20;
/// The keyword of a parameter's schema that says: the node evaluates the expression in it by itself.
const TEMPLATE: &str = "x-template";
/// The keyword with other names of such a parameter.
const ALIASES: &str = "x-aliases";

/// What is read from a node's metadata once: its compiled schema, and which parameters it evaluates.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Option<Validator>,
    pub(crate) kept: Vec<Box<str>>,
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
        let kept = kept.into_iter().flatten().filter(|(_, schema)| {
            schema
                .get(TEMPLATE)
                .is_some_and(|keyword| *keyword == serde_json::Value::Bool(false))
        });
        // A schema that is none was told of when the plugin was checked; nothing is checked against it.
        let schema = Arc::new(Schema {
            validator: jsonschema::validator_for(parameters).ok(),
            kept: kept.flat_map(names).collect(),
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
        let Ok(instance) = serde_json::to_value(parameters) else {
            return Vec::new();
        };
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
                    pointer,
                });
            }
            (!concerns_open(&pointer)).then(|| ParameterProblem {
                message: error.masked().to_string(),
                pointer,
            })
        });
        told.take(MOST_PROBLEMS).collect()
    }

    fn allows(&self, node_type: &str) -> bool {
        let Some(tenant) = self.tenant else { return true };
        // By every name that leads to the node: an alias is no way around a rule.
        let node = self.find(node_type).map(|found| found.node);
        let own = node.map(|node| node.node_type.as_str());
        let aliases = node
            .into_iter()
            .flat_map(|node| node.aliases.iter().map(patchbay_vocab::NodeType::as_str));
        let names = std::iter::once(node_type).chain(own).chain(aliases);
        self.rules.allows(tenant, &names)
    }

    fn has_secret(&self, name: &str) -> bool {
        self.tenant
            .is_some_and(|tenant| self.dispatcher.stores().has_secret(tenant, name))
    }
}
