//! Calling nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use patchbay_dispatch::{
    CallError, CallOptions, Dispatcher, Mount, NodeSlot, Output, Served, Session, Variables,
};
use patchbay_registry::{RegistryError, Selector};
use patchbay_vocab::{PluginName, RevisionNumber, TenantId};
use patchbay_wire::{CallReply, CallRequest};
use plugin_api::NodeError;
use plugin_api::value::{Value, ValueRef, decode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{ControlError, Patchbay};

/// The tenant of calls that name none.
pub(crate) const DEFAULT_TENANT: &str = "default";

/// Who calls, and how. [`Call::of`] a tenant, then change fields.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose data the call may see.
    pub tenant: TenantId,
    /// The run it belongs to.
    pub run: String,
    /// How long it may take; the node's own default when `None`.
    pub timeout: Option<Duration>,
    /// The run's variables, shared by its calls.
    pub variables: Arc<Variables>,
    /// Set to other than 0 to cancel.
    pub cancel: Arc<AtomicU32>,
    /// What the instance of a stateful node is made from; null when `None`.
    pub config: Option<Value>,
}

impl Call {
    /// Calls of a tenant, with a fresh run id and no variables.
    #[must_use]
    pub fn of(tenant: TenantId) -> Self {
        Self {
            tenant,
            run: fresh_run(),
            timeout: None,
            variables: Arc::default(),
            cancel: Arc::default(),
            config: None,
        }
    }

    /// Calls the node at `position` of a session, which holds it at one version.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn in_session<'o>(
        &self,
        session: &Session,
        position: usize,
        node: &str,
        input: ValueRef<'_>,
        out: &'o mut Output,
    ) -> Result<(ValueRef<'o>, RevisionNumber), CallError> {
        let answer = session.call(position, input, &self.options(node), out)?;
        Ok((answer.value, answer.revision))
    }

    fn options<'c>(&'c self, node: &'c str) -> CallOptions<'c> {
        CallOptions {
            tenant: &self.tenant,
            run: &self.run,
            node,
            timeout: self.timeout,
            cancel: Some(&self.cancel),
            variables: Some(&self.variables),
            scope: None,
            config: self.config.as_ref().map(Value::as_ref),
            depth: 0,
        }
    }
}

fn fresh_run() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("call-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A node type, resolved once: a call through it needs no look-up by name. Stays right across swaps.
#[derive(Clone, Debug)]
pub struct Node {
    dispatcher: Arc<Dispatcher>,
    slot: NodeSlot,
    node_type: Arc<str>,
}

impl Node {
    /// The name it was resolved by.
    #[must_use]
    pub fn node_type(&self) -> &str {
        &self.node_type
    }

    /// Calls the node; the result lies in `out`, which is best kept and used again.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call<'o>(
        &self,
        input: ValueRef<'_>,
        call: &Call,
        out: &'o mut Output,
    ) -> Result<(ValueRef<'o>, RevisionNumber), CallError> {
        let answer = self
            .dispatcher
            .call(self.slot, input, &call.options(&self.node_type), out)?;
        Ok((answer.value, answer.revision))
    }
}

impl Patchbay {
    /// Resolves a node type.
    ///
    /// # Errors
    /// When no live plugin has it; the error names the nearest there is.
    pub fn resolve(&self, node_type: &str) -> Result<Node, CallError> {
        let dispatcher = Arc::clone(&self.inner.dispatcher);
        let slot = dispatcher.resolve(node_type)?;
        Ok(Node {
            dispatcher,
            slot,
            node_type: node_type.into(),
        })
    }

    /// Calls a node with a serde type and reads the result into another.
    ///
    /// # Errors
    /// Why there is no answer, or what does not fit.
    pub fn call<I, O>(&self, node_type: &str, input: &I) -> Result<O, ControlError>
    where
        I: Serialize + ?Sized,
        O: DeserializeOwned,
    {
        let call = Call::of(default_tenant()?);
        let output = self.call_as(node_type, input, &call)?;
        decode(output.as_ref()).map_err(|error| ControlError::Input(format!("the result: {error}")))
    }

    /// Calls a node as somebody.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call_as<I>(&self, node_type: &str, input: &I, call: &Call) -> Result<Value, ControlError>
    where
        I: Serialize + ?Sized,
    {
        let input = Value::from_serialize(input).map_err(|error| ControlError::Input(error.to_string()))?;
        let mut out = Output::with_limit(self.inner.dispatcher.limits().output_bytes);
        let (value, _) = self.resolve(node_type)?.call(input.as_ref(), call, &mut out)?;
        Ok(value.to_value())
    }

    /// Holds several nodes at one version each, for a run.
    ///
    /// # Errors
    /// When one of them is unknown.
    pub fn session(&self, node_types: &[&str]) -> Result<Session, CallError> {
        self.inner.dispatcher.session(node_types)
    }

    /// As [`Patchbay::session`], of nodes that were resolved before: no name is looked up.
    ///
    /// # Errors
    /// When nothing live has one of them any more.
    pub fn session_of(&self, nodes: &[&Node]) -> Result<Session, CallError> {
        let slots: Vec<NodeSlot> = nodes.iter().map(|node| node.slot).collect();
        self.inner.dispatcher.session_of(&slots, &[])
    }

    /// As [`Patchbay::session`], with each of these revisions in place of what is live of its plugin: they have to be
    /// loaded, and nobody asks whether they could go live.
    ///
    /// # Errors
    /// When a node is unknown, or a revision is not loaded.
    pub fn session_with(
        &self,
        node_types: &[&str],
        revisions: &[(&PluginName, RevisionNumber)],
    ) -> Result<Session, ControlError> {
        let mounts = revisions
            .iter()
            .map(|(plugin, number)| self.mounted(plugin, *number));
        let mounts = mounts.collect::<Result<Vec<_>, _>>()?;
        Ok(self.inner.dispatcher.session_with(node_types, &mounts)?)
    }

    /// Calls a node of a revision that is loaded, live or not.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call_revision<I>(
        &self,
        (plugin, revision): (&PluginName, RevisionNumber),
        node_type: &str,
        input: &I,
        call: &Call,
    ) -> Result<Value, ControlError>
    where
        I: Serialize + ?Sized,
    {
        let input = Value::from_serialize(input).map_err(|error| ControlError::Input(error.to_string()))?;
        let mount = self.mounted(plugin, revision)?;
        let mut out = Output::with_limit(self.inner.dispatcher.limits().output_bytes);
        let options = call.options(node_type);
        let dispatcher = &self.inner.dispatcher;
        let answer = dispatcher.call_mount(&mount, node_type, input.as_ref(), &options, &mut out)?;
        Ok(answer.value.to_value())
    }

    fn mounted(
        &self,
        plugin: &PluginName,
        revision: RevisionNumber,
    ) -> Result<Arc<Mount<Served>>, ControlError> {
        let registry = &self.inner.registry;
        if let Some(mount) = registry.mounted(plugin, revision) {
            return Ok(mount);
        }
        let known = registry.plugin(plugin)?.revisions.into_iter();
        let known = known.into_iter().find(|known| known.number == revision);
        let plugin = plugin.clone();
        Err(ControlError::from(match known {
            Some(known) => RegistryError::NotMounted {
                plugin,
                revision,
                state: known.state,
            },
            None => RegistryError::UnknownRevision {
                plugin,
                wanted: Selector::Revision(revision),
            },
        }))
    }

    /// Calls a node with JSON, as the API does. Blocks until the answer is there.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call_json(&self, node_type: &str, request: CallRequest) -> Result<CallReply, ControlError> {
        let tenant = match request.tenant {
            Some(tenant) => tenant,
            None => default_tenant()?,
        };
        let value = |json: &serde_json::Value| {
            Value::from_json(&json.to_string()).map_err(|error| ControlError::Input(error.to_string()))
        };
        let call = Call {
            timeout: request.timeout_ms.map(Duration::from_millis),
            config: request.config.as_ref().map(value).transpose()?,
            ..Call::of(tenant)
        };
        let input = value(&request.input)?;
        let mut out = Output::with_limit(self.inner.dispatcher.limits().output_bytes);
        let begin = self.inner.clock.now();
        let dispatcher = &self.inner.dispatcher;
        let slot = dispatcher.resolve(node_type)?;
        if !self.inner.runs.may_use(&call.tenant, node_type) {
            return Err(ControlError::NotAllowed {
                tenant: call.tenant,
                node_type: node_type.to_owned(),
            });
        }
        if call.config.is_some() && crate::listing::node(&self.inner, slot).is_some_and(|node| !node.stateful)
        {
            return Err(ControlError::NoConfiguration(node_type.to_owned()));
        }
        let (answer, served_by) =
            dispatcher.call_signed(slot, input.as_ref(), &call.options(node_type), &mut out)?;
        let micros = u64::try_from(self.inner.clock.now().since(begin).as_micros()).unwrap_or(u64::MAX);
        let patchbay_dispatch::ServedBy { plugin, version } = served_by;
        let output = serde_json::to_value(answer.value).map_err(|error| {
            let error = Box::new(NodeError::new(format!("the result is no JSON: {error}")));
            CallError::Failed {
                node_type: node_type.to_owned(),
                error,
            }
        })?;
        Ok(CallReply {
            output,
            plugin,
            version,
            revision: answer.revision,
            micros,
        })
    }
}

fn default_tenant() -> Result<TenantId, ControlError> {
    DEFAULT_TENANT
        .parse()
        .map_err(|error: patchbay_vocab::BadId| ControlError::Input(error.to_string()))
}
