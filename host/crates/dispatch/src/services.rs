//! What the host does for the node of one call.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::Waker;
use std::time::Duration;

use patchbay_registry::Mount;
use patchbay_vocab::{Explain, Monotonic, TenantId};
use plugin_api::NodeError;
use plugin_api::abi::level;
use plugin_api::error::code;
use plugin_api::meta::{Capability, NodeMeta};
use plugin_api::shim::host::{Evaluation, HostServices, Refusal, Replaced, Store};
use plugin_api::value::{Value, ValueRef};

use crate::dispatcher::{CallOptions, Dispatcher};
use crate::error::shown;
use crate::held::Held;
use crate::scope::NodeScope;
use crate::served::Served;
use crate::variables::Variables;
use crate::{CallError, Output};

/// The services of a call that runs to its end.
pub(crate) struct Services<'c> {
    pub(crate) dispatcher: &'c Arc<Dispatcher>,
    pub(crate) mount: &'c Mount<Served>,
    pub(crate) place: usize,
    pub(crate) options: &'c CallOptions<'c>,
    /// When the call should be over.
    pub(crate) deadline: Option<Monotonic>,
    /// The session that the call is part of: what the node calls is part of it, too.
    pub(crate) held: Option<&'c Arc<Held>>,
}

impl Services<'_> {
    fn meta(&self) -> Option<&NodeMeta> {
        self.mount
            .handle()
            .plugin()
            .description()
            .nodes
            .get(self.place)
            .map(|node| &node.meta)
    }

    fn scope(&self) -> Result<&dyn NodeScope, Refusal> {
        self.options.scope.ok_or(Refusal::Unsupported)
    }

    /// Tells the workflow that the node's result comes of more than its parameters.
    fn touch(&self) {
        if let Some(scope) = self.options.scope {
            scope.touched();
        }
    }

    fn may_read_secret(&self, name: &str) -> bool {
        self.meta().is_some_and(|meta| {
            meta.capabilities.contains(&Capability::Secrets)
                && meta.secrets.iter().any(|declared| covers(declared, name))
        })
    }
}

impl HostServices for Services<'_> {
    fn now(&self) -> u64 {
        self.touch();
        nanos(self.dispatcher.clock().now())
    }

    fn wall_clock(&self) -> u64 {
        self.touch();
        self.dispatcher.clock().wall_nanos()
    }

    fn log(&self, level: u32, message: &str, fields: Option<ValueRef<'_>>) {
        let (plugin, version) = (self.mount.plugin(), self.mount.version());
        let (tenant, run, node) = (self.options.tenant, self.options.run, self.options.node);
        let fields = fields.map(|fields| fields.to_json()).unwrap_or_default();
        macro_rules! emit {
            ($level:ident) => {
                tracing::$level!(target: "patchbay::plugin", %plugin, %version, %tenant, run, node, fields, "{message}")
            };
        }
        match level {
            level::ERROR => emit!(error),
            level::WARN => emit!(warn),
            level::INFO => emit!(info),
            level::DEBUG => emit!(debug),
            _ => emit!(trace),
        }
    }

    fn read(&self, store: Store, key: &str) -> Result<Option<Value>, Refusal> {
        self.touch();
        match store {
            Store::Variables => Ok(self.options.variables.and_then(|variables| variables.get(key))),
            Store::KeyValue => Ok(self.dispatcher.stores().get(self.options.tenant, key)),
            Store::Secrets if self.may_read_secret(key) => {
                Ok(self.dispatcher.stores().secret(self.options.tenant, key))
            }
            Store::Secrets => Err(Refusal::Denied),
            Store::Settings => Ok(self.dispatcher.stores().setting(self.options.tenant, key)),
            Store::Inputs => {
                let scope = self.scope()?;
                Ok(key.parse().ok().and_then(|index| scope.inputs(index)))
            }
        }
    }

    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        self.touch();
        match store {
            Store::Variables => self
                .options
                .variables
                .ok_or(Refusal::Unsupported)
                .and_then(|variables| variables.set(key, value)),
            Store::KeyValue => self.dispatcher.stores().put(self.options.tenant, key, value),
            Store::Secrets | Store::Inputs | Store::Settings => Err(Refusal::Denied),
        }
    }

    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal> {
        self.touch();
        match store {
            Store::Variables => Ok(self
                .options
                .variables
                .is_some_and(|variables| variables.remove(key))),
            Store::KeyValue => Ok(self.dispatcher.stores().remove(self.options.tenant, key)),
            Store::Secrets | Store::Inputs | Store::Settings => Err(Refusal::Denied),
        }
    }

    fn list(&self, store: Store) -> Result<Value, Refusal> {
        self.touch();
        match store {
            Store::Variables => Ok(self
                .options
                .variables
                .map_or_else(Value::empty_map, |variables| variables.all())),
            Store::Secrets => Err(Refusal::Denied),
            Store::KeyValue | Store::Inputs | Store::Settings => Err(Refusal::Unsupported),
        }
    }

    fn replace(
        &self,
        store: Store,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal> {
        self.touch();
        let done = match store {
            Store::Variables => {
                let variables = self.options.variables.ok_or(Refusal::Unsupported)?;
                variables.replace(key, expected, value)?
            }
            Store::KeyValue => {
                let stores = self.dispatcher.stores();
                stores.replace(self.options.tenant, key, expected, value)?
            }
            Store::Secrets | Store::Inputs | Store::Settings => return Err(Refusal::Denied),
        };
        Ok(if done { Replaced::Done } else { Replaced::Differs })
    }

    fn select_output(&self, output: u32) -> Result<(), Refusal> {
        self.scope()?.select_output(output);
        Ok(())
    }

    fn evaluate(
        &self,
        what: Evaluation<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal> {
        let scope = self.scope()?;
        Ok(match what {
            Evaluation::Expression(expression) => scope.evaluate(expression, bindings),
            Evaluation::Template(template) => scope.render(template, bindings),
        })
    }

    fn call(&self, node_type: &str, input: ValueRef<'_>) -> Result<Value, NodeError> {
        self.touch();
        let tenant = self.options.tenant;
        let may = match self.held {
            Some(held) => self
                .dispatcher
                .may_call(tenant, held.leases.snapshot(), node_type),
            None => {
                let live = self.dispatcher.registry().snapshot();
                self.dispatcher.may_call(tenant, &live, node_type)
            }
        };
        if !may {
            return Err(NodeError::with_code(
                "NODE_TYPE_NOT_ALLOWED",
                format!(
                    "the tenant `{tenant}` may not use the node type `{}`",
                    shown(node_type)
                ),
            ));
        }
        let left = self
            .deadline
            .map(|deadline| deadline.since(self.dispatcher.clock().now()));
        let options = CallOptions {
            node: node_type,
            timeout: left,
            scope: None,
            depth: self.options.depth + 1,
            ..*self.options
        };
        let mut out = Output::with_limit(self.dispatcher.limits().output_bytes);
        let answer = match self.held {
            Some(held) => held.call_nested(node_type, input, &options, &mut out),
            None => self.dispatcher.call_named(node_type, input, &options, &mut out),
        };
        match answer {
            Ok(answer) => Ok(answer.value.to_value()),
            Err(CallError::Failed { error, .. }) => Err(*error),
            Err(error @ CallError::Cancelled { .. }) => {
                Err(NodeError::with_code(code::CANCELLED, error.to_string()))
            }
            Err(error @ CallError::TimedOut { .. }) => {
                Err(NodeError::with_code(code::TIMEOUT, error.to_string()))
            }
            Err(error) => Err(NodeError::with_code(error.code().0, error.chain())),
        }
    }

    fn wake_after(&self, nanos: u64, waker: Waker) -> Result<(), Refusal> {
        self.dispatcher.wake_after(Duration::from_nanos(nanos), waker);
        Ok(())
    }
}

/// Whether a declared name of secrets stands for a name: it is the same, or ends in `_*` and is how the name begins.
fn covers(declared: &str, name: &str) -> bool {
    declared == name
        || declared.strip_suffix('*').is_some_and(|beginning| {
            beginning.ends_with('_') && name.len() > beginning.len() && name.starts_with(beginning)
        })
}

/// The services of a call that is polled: owns what [`Services`] borrows.
pub(crate) struct OwnedServices {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) mount: Arc<Mount<Served>>,
    pub(crate) place: usize,
    pub(crate) held: Option<Arc<Held>>,
    pub(crate) tenant: TenantId,
    pub(crate) run: String,
    pub(crate) node: String,
    pub(crate) variables: Option<Arc<Variables>>,
    pub(crate) scope: Option<Arc<dyn NodeScope>>,
    pub(crate) deadline: Option<Monotonic>,
    pub(crate) cancel: Arc<AtomicU32>,
    pub(crate) depth: u32,
}

impl OwnedServices {
    fn with<T>(&self, work: impl FnOnce(&Services<'_>) -> T) -> T {
        let options = CallOptions {
            tenant: &self.tenant,
            run: &self.run,
            node: &self.node,
            timeout: None,
            cancel: Some(&self.cancel),
            variables: self.variables.as_ref(),
            scope: self.scope.as_deref(),
            config: None,
            depth: self.depth,
        };
        let (dispatcher, mount) = (&self.dispatcher, &*self.mount);
        work(&Services {
            dispatcher,
            mount,
            place: self.place,
            options: &options,
            deadline: self.deadline,
            held: self.held.as_ref(),
        })
    }
}

impl HostServices for OwnedServices {
    fn now(&self) -> u64 {
        self.with(|services| services.now())
    }

    fn wall_clock(&self) -> u64 {
        self.with(|services| services.wall_clock())
    }

    fn log(&self, level: u32, message: &str, fields: Option<ValueRef<'_>>) {
        self.with(|services| services.log(level, message, fields));
    }

    fn read(&self, store: Store, key: &str) -> Result<Option<Value>, Refusal> {
        self.with(|services| services.read(store, key))
    }

    fn write(&self, store: Store, key: &str, value: ValueRef<'_>) -> Result<(), Refusal> {
        self.with(|services| services.write(store, key, value))
    }

    fn remove(&self, store: Store, key: &str) -> Result<bool, Refusal> {
        self.with(|services| services.remove(store, key))
    }

    fn list(&self, store: Store) -> Result<Value, Refusal> {
        self.with(|services| services.list(store))
    }

    fn replace(
        &self,
        store: Store,
        key: &str,
        expected: Option<ValueRef<'_>>,
        value: Option<ValueRef<'_>>,
    ) -> Result<Replaced, Refusal> {
        self.with(|services| services.replace(store, key, expected, value))
    }

    fn select_output(&self, output: u32) -> Result<(), Refusal> {
        self.with(|services| services.select_output(output))
    }

    fn evaluate(
        &self,
        what: Evaluation<'_>,
        bindings: ValueRef<'_>,
    ) -> Result<Result<Value, NodeError>, Refusal> {
        self.with(|services| services.evaluate(what, bindings))
    }

    fn call(&self, node_type: &str, input: ValueRef<'_>) -> Result<Value, NodeError> {
        self.with(|services| services.call(node_type, input))
    }

    fn wake_after(&self, nanos: u64, waker: Waker) -> Result<(), Refusal> {
        self.with(|services| services.wake_after(nanos, waker))
    }
}

/// A time on the clock of the contract.
pub(crate) fn nanos(at: Monotonic) -> u64 {
    u64::try_from(at.0.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_declared_secret_stands_for_itself_or_for_all_that_begin_like_it() {
        assert!(covers("KEY", "KEY") && covers("KEY_*", "KEY_A"));
        for (declared, name) in [
            ("KEY", "KEY_A"),
            ("KEY_*", "KEY"),
            ("KEY_*", "KEY_"),
            ("KEY*", "KEY_A"),
            ("*", "KEY"),
        ] {
            assert!(!covers(declared, name), "{declared} {name}");
        }
    }
}
