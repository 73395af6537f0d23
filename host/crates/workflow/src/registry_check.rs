//! What a registry adds to the findings of a document.
//!
//! Invariant: it works on every document, also on one that does not validate, and says nothing that `validate` says.

use patchbay_expression::{Names, NodeRef, Template};
use plugin_api::value::{Kind, Value, ValueError, ValueRef, Writer};

use crate::document::Document;
use crate::field::Object;
use crate::graph::{Graph, NodeDraft};
use crate::layout::DEEPEST;
use crate::notes::{Notes, Place, Shown};
use crate::role::Role;
use crate::{Catalogue, Findings, code, range};

/// Looks a document's node types, parameters and secrets up: unknown node types with the nearest name, parameters
/// against schemas, permissions, secrets, and the node types of fallbacks.
#[must_use]
pub fn check(document: &Document, catalogue: &dyn Catalogue) -> Findings {
    let mut search = Search {
        catalogue,
        notes: Notes::new(document.value()),
    };
    search.workflow(&document.object(), 0);
    search.notes.finish()
}

struct Search<'c, 'a> {
    catalogue: &'c dyn Catalogue,
    notes: Notes<'a>,
}

impl<'a> Search<'_, 'a> {
    fn workflow(&mut self, object: &Object<'a, '_>, depth: usize) {
        // What is wrong with the shape is said by `validate`.
        let mut unheard = Notes::unheard();
        let graph = Graph::read(object, &mut unheard);
        let recovery = object.get("errorRecovery");
        self.fallback(recovery, &object.place.field("errorRecovery", recovery));
        let credentials = object.get("credentials");
        self.credentials(credentials, &object.place.field("credentials", credentials));
        for index in 0..u32::try_from(graph.nodes.len()).unwrap_or(u32::MAX) {
            graph.at_node(object, index, |node, place| {
                self.notes.node = Some(node.id.clone());
                self.node(node, place, depth);
                self.notes.node = None;
            });
        }
    }

    fn node(&mut self, node: &NodeDraft<'a>, place: &Place<'_>, depth: usize) {
        let recovery = node.value.get("errorRecoveryStrategy");
        self.fallback(recovery, &place.field("errorRecoveryStrategy", recovery));
        let credentials = node.value.get("credentials");
        self.credentials(credentials, &place.field("credentials", credentials));
        let parameters = place.field("parameters", node.parameters);
        match node.role {
            Role::Call => self.call(node, place, &parameters),
            Role::Trigger(_) => {}
            Role::Loop | Role::SubWorkflow => {
                inner(node, &parameters, depth, |object| {
                    self.workflow(object, depth + 1);
                });
            }
        }
    }

    fn call(&mut self, node: &NodeDraft<'a>, place: &Place<'_>, parameters: &Place<'_>) {
        let name = node.node_type;
        if name.is_empty() {
            // `validate` says that.
            return;
        }
        let key = if node.value.get("nodeType").is_some() {
            "nodeType"
        } else {
            "type"
        };
        let type_place = place.field(key, node.value.get(key));
        let Some(known) = self.catalogue.node(name) else {
            let hint = match self.notes.suggest(|| self.catalogue.nearest(name)) {
                Some(near) => format!(
                    "did you mean `{}`? else install a plugin that has it",
                    Shown(&near)
                ),
                None => "correct its spelling, or install a plugin that has it".to_owned(),
            };
            self.notes.error(
                code::UNKNOWN_NODE_TYPE,
                &type_place,
                format_args!("no plugin has the node type `{}`", Shown(name)),
                &hint,
            );
            return;
        };
        self.permission(name, &type_place);
        if known.experimental {
            self.notes.warning(
                code::EXPERIMENTAL_NODE_TYPE,
                &type_place,
                format_args!("the node type `{}` is experimental", Shown(name)),
                "expect to change the workflow when it changes",
            );
        }
        if let (Some(owner), Some(ranged)) = (&known.plugin, range::plugin_of(node))
            && *owner != ranged
        {
            self.notes.warning(
                code::RANGE_OF_ANOTHER_PLUGIN,
                &place.field("plugin", node.value.get("plugin")),
                format_args!("the range is for {ranged}, and `{}` is of {owner}", Shown(name)),
                "write it at a node of that plugin",
            );
        }
        for secret in &known.secrets {
            self.secret(secret, &type_place);
        }
        self.schema(name, node.parameters, parameters);
    }

    fn permission(&mut self, name: &str, place: &Place<'_>) {
        if !self.catalogue.allows(name) {
            self.notes.error(
                code::NODE_TYPE_NOT_ALLOWED,
                place,
                format_args!("the tenant may not use the node type `{}`", Shown(name)),
                "use another one, or ask for the permission",
            );
        }
    }

    fn secret(&mut self, name: &str, place: &Place<'_>) {
        if !self.catalogue.has_secret(name) {
            self.notes.error(
                code::CREDENTIAL_MISSING,
                place,
                format_args!("the tenant has no secret `{}`", Shown(name)),
                "store it for the tenant",
            );
        }
    }

    /// `credentials`: an object or a list of objects with `id` and `name`, or texts.
    fn credentials(&mut self, credentials: Option<ValueRef<'a>>, place: &Place<'_>) {
        let Some(credentials) = credentials else { return };
        let mut each = |value: ValueRef<'a>, place: &Place<'_>| {
            let text = |key| value.get(key).and_then(|text| text.as_str());
            let names = [value.as_str(), text("id"), text("name")];
            let known = names
                .into_iter()
                .flatten()
                .any(|name| self.catalogue.has_secret(name));
            if let Some(name) = names.into_iter().flatten().next().filter(|_| !known) {
                self.secret(name, place);
            }
        };
        for (key, value) in credentials.as_map().into_iter().flatten() {
            each(value, &place.key(key, value));
        }
        for (index, value) in credentials.as_list().into_iter().flatten().enumerate() {
            each(value, &place.index(index, value));
        }
    }

    fn fallback(&mut self, recovery: Option<ValueRef<'a>>, place: &Place<'_>) {
        let Some(recovery) = recovery else { return };
        let text = |key| recovery.get(key).and_then(|text| text.as_str());
        let (Some("fallback"), Some(name)) = (text("strategy"), text("fallbackNodeType")) else {
            return;
        };
        if name == "previousVersion" {
            return;
        }
        let place = place.field("fallbackNodeType", recovery.get("fallbackNodeType"));
        if self.catalogue.node(name).is_some() {
            self.permission(name, &place);
            return;
        }
        let hint = match self.notes.suggest(|| self.catalogue.nearest(name)) {
            Some(near) => format!("did you mean `{}`?", Shown(&near)),
            None => "name a node type that a plugin has".to_owned(),
        };
        self.notes.warning(
            code::UNKNOWN_FALLBACK,
            &place,
            format_args!(
                "no plugin has the node type `{}`, so that the fallback fails",
                Shown(name)
            ),
            &hint,
        );
    }

    fn schema(&mut self, name: &str, parameters: Option<ValueRef<'a>>, place: &Place<'_>) {
        let empty = crate::settings::empty_map();
        let parameters = parameters.unwrap_or(empty.as_ref());
        // What is no template has its own finding.
        let Ok(template) = Template::compile(parameters, &Anybody) else {
            return;
        };
        let open = template.open();
        let closed = if open.is_empty() {
            None
        } else {
            close(parameters, open)
        };
        let closed = closed.as_ref().map_or(parameters, Value::as_ref);
        if open.iter().any(String::is_empty) {
            return;
        }
        for problem in self.catalogue.check_parameters(name, closed, open) {
            let steps: Vec<String> = problem
                .pointer
                .split('/')
                .skip(1)
                .map(|step| step.replace("~1", "/").replace("~0", "~"))
                .collect();
            crate::expressions::descend(parameters, &steps, place, &mut |place| {
                self.notes.error(
                    code::PARAMETER_SCHEMA,
                    place,
                    format_args!("{}", Shown(&problem.message)),
                    &format!("write what the schema of `{}` asks for", Shown(name)),
                );
            });
        }
    }
}

/// The document within the parameters of a loop, or of a node that runs a workflow.
pub(crate) fn inner<'a>(
    node: &NodeDraft<'a>,
    place: &Place<'_>,
    depth: usize,
    look: impl FnOnce(&Object<'a, '_>),
) {
    let keys: &[&str] = match node.role {
        Role::Loop => &["body", "workflow"],
        Role::SubWorkflow => &["workflow"],
        Role::Call | Role::Trigger(_) => return,
    };
    let Some(parameters) = node.parameters.filter(|_| depth < DEEPEST) else {
        return;
    };
    let found = keys.iter().find_map(|key| {
        let value = parameters.get(key).filter(|value| value.kind() == Kind::Map)?;
        Some((*key, value))
    });
    match found {
        Some((key, value)) => {
            let (map, place) = (value.as_map(), place.key(key, value));
            look(&Object { map, place });
        }
        None if node.role == Role::Loop && parameters.get("nodes").is_some() => {
            let map = parameters.as_map();
            look(&Object { map, place: *place });
        }
        None => {}
    }
}

/// Any name may be that of a node: whether it is, `validate` says.
struct Anybody;

impl Names for Anybody {
    fn node(&self, _: &str) -> Option<NodeRef> {
        Some(NodeRef { up: 0, index: 0 })
    }
}

/// The value without what expressions will give: such entries of maps are left out, such items of lists are null.
fn close(value: ValueRef<'_>, open: &[String]) -> Option<Value> {
    let open = open.iter().map(String::as_str).collect();
    let mut out = Vec::new();
    copy(value, &mut String::new(), &open, Writer::new(&mut out)).ok()?;
    Value::from_encoded(out).ok()
}

fn copy(
    value: ValueRef<'_>,
    pointer: &mut String,
    open: &std::collections::HashSet<&str>,
    writer: Writer<'_, Vec<u8>>,
) -> Result<(), ValueError> {
    let length = pointer.len();
    if let Some(list) = value.as_list() {
        return writer.list(|items| {
            for (index, item) in list.iter().enumerate() {
                pointer.push_str(&format!("/{index}"));
                if open.contains(pointer.as_str()) {
                    items.null()?;
                } else {
                    items.item(|w| copy(item, pointer, open, w))?;
                }
                pointer.truncate(length);
            }
            Ok(())
        });
    }
    let Some(map) = value.as_map() else {
        return writer.value(value);
    };
    writer.map(|entries| {
        for (key, item) in map {
            pointer.push('/');
            pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            if !open.contains(pointer.as_str()) {
                entries.entry(key, |w| copy(item, pointer, open, w))?;
            }
            pointer.truncate(length);
        }
        Ok(())
    })
}
