//! What a run holds of the host: its versions, its variables.
//!
//! Invariant: every call of a run goes to the version that its session holds; nothing of a node's error is lost on the
//! way to the run's record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use patchbay_dispatch::{
    CallError, CallOptions, Dispatcher, Mount, NodeScope, OwnedOptions, Served, Session, Variables,
};
use patchbay_executor::{
    Board, Callbacks, Class, Failure, Hold, Nature, NodeCall, Output, Prepared, ServedBy, Task,
};
use patchbay_lifecycle::Lifecycle;
use patchbay_loader::CallFault;
use patchbay_vocab::{Clock, Explain, Monotonic};
use patchbay_workflow::TypeIndex;
use plugin_api::NodeError;
use plugin_api::error::code;
use plugin_api::meta::Effect;
use plugin_api::value::{Value, ValueRef};

use crate::results::Results;

/// What all runs' holds share.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) lifecycle: Arc<Lifecycle>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) results: Arc<Results>,
}

pub(crate) struct HostHold {
    ground: Ground,
    session: Arc<Session>,
    types: Arc<[Box<str>]>,
    /// For each node type, its place in the session.
    places: Box<[Option<u32>]>,
    natures: Box<[Nature]>,
    /// Pure node types whose results are worth remembering.
    dear: Box<[bool]>,
    variables: Arc<Variables>,
    /// Versions that were asked for instead of what is live.
    instead: Arc<[Arc<Mount<Served>>]>,
}

impl HostHold {
    /// Holds the versions of a plan's node types, all from one snapshot.
    pub(crate) fn take(
        ground: &Ground,
        types: &Arc<[Box<str>]>,
        slots: &[Option<patchbay_dispatch::NodeSlot>],
        instead: &Arc<[Arc<Mount<Served>>]>,
        variables: Arc<Variables>,
    ) -> Result<Self, CallError> {
        let mut places = vec![None; types.len()];
        let mut wanted = Vec::with_capacity(slots.len());
        for (place, slot) in places.iter_mut().zip(slots) {
            if let Some(slot) = slot {
                *place = Some(u32::try_from(wanted.len()).unwrap_or(u32::MAX));
                wanted.push(*slot);
            }
        }
        let session = ground.dispatcher.session_of(&wanted, instead)?;
        let natures: Box<[Nature]> = places.iter().map(|place| nature(&session, *place)).collect();
        let is_dear = |(place, nature): (&Option<u32>, &Nature)| {
            let facts = place.and_then(|place| session.facts(place as usize));
            *nature == Nature::Pure
                && facts.is_some_and(|facts| ground.results.is_dear((facts.digest, facts.node)))
        };
        let dear = match ground.results.is_on() {
            true => places.iter().zip(&natures).map(is_dear).collect(),
            false => Box::default(),
        };
        Ok(Self {
            dear,
            ground: ground.clone(),
            session: Arc::new(session),
            types: Arc::clone(types),
            places: places.into(),
            natures,
            variables,
            instead: Arc::clone(instead),
        })
    }

    pub(crate) const fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    #[inline]
    fn place(&self, node_type: TypeIndex) -> Option<usize> {
        let place = self.places.get(node_type.0 as usize).copied().flatten()?;
        Some(place as usize)
    }

    fn unknown(&self, node_type: TypeIndex) -> Failure {
        let name = self.types.get(node_type.0 as usize).map_or("", |name| name);
        Failure::new(
            Class::UnknownNodeType,
            format!("no live plugin has a node `{name}`"),
        )
    }

    fn options<'c>(&'c self, call: &'c NodeCall<'_>, scope: Option<&'c dyn NodeScope>) -> CallOptions<'c> {
        CallOptions {
            tenant: call.tenant,
            run: call.run.as_str(),
            node: call.node.as_str(),
            timeout: call.timeout,
            cancel: Some(call.cancel),
            variables: Some(&self.variables),
            config: None,
            depth: 0,
            scope,
        }
    }

    /// What has come between a call that began then and its answer.
    fn between(&self, began: Option<Monotonic>, call: &NodeCall<'_>) -> Between {
        Between::of(&self.ground.clock, began, call.timeout, call.cancel)
    }
}

/// What came between a call and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Nothing,
    /// Its time was over.
    Time,
    /// The run was to end.
    Cancel,
}

impl Between {
    fn of(
        clock: &Arc<dyn Clock>,
        began: Option<Monotonic>,
        timeout: Option<Duration>,
        cancel: &AtomicU32,
    ) -> Self {
        if cancel.load(Ordering::Relaxed) != 0 {
            return Self::Cancel;
        }
        match (began, timeout) {
            (Some(began), Some(timeout)) if clock.now().since(began) >= timeout => Self::Time,
            _ => Self::Nothing,
        }
    }
}

fn nature(session: &Session, place: Option<u32>) -> Nature {
    let Some(facts) = place.and_then(|place| session.facts(place as usize)) else {
        return Nature::Unknown;
    };
    if facts.is_async {
        Nature::Async
    } else if facts.effect == Effect::Pure && !facts.is_stateful {
        Nature::Pure
    } else {
        Nature::Blocking
    }
}

impl Board for HostHold {
    fn get(&self, name: &str) -> Option<Value> {
        self.variables.get(name)
    }

    fn all(&self) -> Value {
        self.variables.all()
    }
}

impl Hold for HostHold {
    #[inline]
    fn nature(&self, node_type: TypeIndex) -> Nature {
        self.natures
            .get(node_type.0 as usize)
            .copied()
            .unwrap_or(Nature::Unknown)
    }

    fn served_by(&self, node_type: TypeIndex) -> Option<ServedBy> {
        let facts = self.session.facts(self.place(node_type)?)?;
        Some(ServedBy {
            plugin: facts.plugin.clone(),
            version: facts.version.clone(),
            revision: facts.revision,
        })
    }

    fn board(&self) -> &dyn Board {
        self
    }

    fn call<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure> {
        let place = self.place(node_type).ok_or_else(|| self.unknown(node_type))?;
        if self.dear.get(node_type.0 as usize).copied().unwrap_or(false) {
            return self.call_remembering(place, input, call, callbacks, out);
        }
        self.call_plainly(place, input, call, &Lent(callbacks), out)
    }

    fn took(&self, node_type: TypeIndex, took: Duration) {
        let results = &self.ground.results;
        if !results.is_on() || self.nature(node_type) != Nature::Pure {
            return;
        }
        let facts = self.place(node_type).and_then(|place| self.session.facts(place));
        if let Some(facts) = facts {
            results.learn((facts.digest, facts.node), took);
        }
    }

    fn begin(
        &self,
        node_type: TypeIndex,
        input: Value,
        call: &NodeCall<'_>,
        callbacks: Arc<dyn Callbacks>,
    ) -> Task<Result<Value, Failure>> {
        let Some(place) = self.place(node_type) else {
            let unknown = self.unknown(node_type);
            return Box::pin(async move { Err(unknown) });
        };
        let options = OwnedOptions {
            timeout: call.timeout,
            variables: Some(Arc::clone(&self.variables)),
            scope: Some(Arc::new(Shared(callbacks))),
            ..OwnedOptions::of(
                call.tenant.clone(),
                call.run.as_str().to_owned(),
                call.node.as_str().to_owned(),
            )
        };
        let begun = self.session.begin(place, input, options);
        let (clock, cancel, timeout) = (
            Arc::clone(&self.ground.clock),
            Arc::clone(call.cancel),
            call.timeout,
        );
        let began = timeout.is_some().then(|| clock.now());
        Box::pin(async move {
            match begun.await {
                Ok((value, _)) => Ok(value),
                Err(error) => Err(failure(error, Between::of(&clock, began, timeout, &cancel))),
            }
        })
    }

    fn call_previous<'o>(
        &self,
        node_type: TypeIndex,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> (Option<ServedBy>, Result<ValueRef<'o>, Failure>) {
        let name = self.types.get(node_type.0 as usize).map_or("", |name| name);
        let plugin = self.place(node_type).and_then(|place| self.session.facts(place));
        let Some(plugin) = plugin.map(|facts| facts.plugin.clone()) else {
            return (None, Err(self.unknown(node_type)));
        };
        let mount = match self.ground.lifecycle.warm(&plugin, None) {
            Ok(mount) => mount,
            Err(error) => return (None, Err(Failure::new(Class::DependencyNotLoaded, error.chain()))),
        };
        let by = ServedBy {
            plugin: mount.plugin().clone(),
            version: mount.version().clone(),
            revision: mount.revision(),
        };
        let scope = Lent(callbacks);
        let options = self.options(call, Some(&scope));
        let answer = self
            .ground
            .dispatcher
            .call_mount(&mount, name, input, &options, out);
        match answer {
            Ok(answer) => (Some(by), Ok(answer.value)),
            Err(error) => (Some(by), Err(failure(error, self.between(None, call)))),
        }
    }

    fn child(&self, prepared: &Arc<Prepared>) -> Result<Arc<dyn Hold>, Failure> {
        let plan = prepared.plan();
        // At the versions that this run has: its own snapshot, and what it was asked to use instead.
        let snapshot = self.session.snapshot();
        let slots: Vec<_> = plan.node_types.iter().map(|name| snapshot.slot(name)).collect();
        let slots: Vec<_> = slots
            .into_iter()
            .map(|slot| slot.filter(|slot| snapshot.route(*slot).is_some()))
            .collect();
        let variables = Variables::from_value(plan.variables.as_ref()).map_err(|_| {
            Failure::new(
                Class::LimitExceeded,
                "the variables of the workflow are over a limit",
            )
        })?;
        let child = Self::take(
            &self.ground,
            &plan.node_types,
            &slots,
            &self.instead,
            Arc::new(variables),
        );
        Ok(Arc::new(child.map_err(|error| failure(error, Between::Nothing))?))
    }
}

impl HostHold {
    #[inline]
    fn call_plainly<'o>(
        &self,
        place: usize,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        scope: &dyn NodeScope,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure> {
        let began = call.timeout.is_some().then(|| self.ground.clock.now());
        let options = self.options(call, Some(scope));
        match self.session.call(place, input, &options, out) {
            Ok(answer) => Ok(answer.value),
            Err(error) => Err(failure(error, self.between(began, call))),
        }
    }

    /// Calls a pure node that takes long, unless it was called before with the same parameters.
    fn call_remembering<'o>(
        &self,
        place: usize,
        input: ValueRef<'_>,
        call: &NodeCall<'_>,
        callbacks: &dyn Callbacks,
        out: &'o mut Output,
    ) -> Result<ValueRef<'o>, Failure> {
        let Some(facts) = self.session.facts(place) else {
            return self.call_plainly(place, input, call, &Lent(callbacks), out);
        };
        let results = &self.ground.results;
        let of = (facts.digest, facts.node);
        if let Some(known) = results.get(of, input) {
            out.clear();
            if out.push(known.as_bytes()).is_ok() {
                return Ok(ValueRef::assume_valid(out.written()));
            }
        }
        let scope = Watched {
            callbacks,
            asked: AtomicBool::new(false),
        };
        let answer = self.call_plainly(place, input, call, &scope, out)?;
        // What it asked of its run is no part of its parameters, so the result is not theirs alone.
        if !scope.asked.load(Ordering::Relaxed) {
            results.put(of, input, answer);
        }
        Ok(answer)
    }
}

/// A run's callbacks, and whether the node used them.
struct Watched<'c> {
    callbacks: &'c dyn Callbacks,
    asked: AtomicBool,
}

impl Watched<'_> {
    fn asked(&self) -> Lent<'_> {
        self.asked.store(true, Ordering::Relaxed);
        Lent(self.callbacks)
    }
}

impl NodeScope for Watched<'_> {
    fn inputs(&self, index: u32) -> Option<Value> {
        self.asked().inputs(index)
    }

    fn select_output(&self, output: u32) {
        self.asked().select_output(output);
    }

    fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.asked().evaluate(expression, bindings)
    }

    fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
        self.asked().render(template, bindings)
    }
}

/// A run's callbacks, as the dispatcher lends them to a node.
struct Lent<'c>(&'c dyn Callbacks);

/// The same for nodes that are polled.
struct Shared(Arc<dyn Callbacks>);

macro_rules! lend {
    ($of:ty) => {
        impl NodeScope for $of {
            fn inputs(&self, index: u32) -> Option<Value> {
                self.0.inputs(index)
            }

            fn select_output(&self, output: u32) {
                self.0.select_output(output);
            }

            fn evaluate(&self, expression: &str, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
                self.0
                    .evaluate(expression, bindings)
                    .map_err(|failure| told(&failure))
            }

            fn render(&self, template: ValueRef<'_>, bindings: ValueRef<'_>) -> Result<Value, NodeError> {
                self.0
                    .render(template, bindings)
                    .map_err(|failure| told(&failure))
            }
        }
    };
}

lend!(Lent<'_>);
lend!(Shared);

fn told(failure: &Failure) -> NodeError {
    NodeError::with_code(failure.error_code().to_owned(), failure.message.clone())
}

/// A call's error as a run sees it. A node may say that it ran out of time, or was cancelled, where that is so.
#[cold]
fn failure(error: CallError, between: Between) -> Failure {
    match error {
        CallError::Failed { error, .. } => of_node(*error, between),
        CallError::UnknownNode { .. } => Failure::new(Class::UnknownNodeType, error.to_string()),
        CallError::TimedOut { .. } => Failure::new(Class::Timeout, error.to_string()),
        CallError::Cancelled { .. } => Failure::new(Class::Cancelled, error.to_string()),
        CallError::TooDeep { .. } => Failure::new(Class::LimitExceeded, error.to_string()),
        CallError::Fault { ref fault, .. } => {
            let class = match **fault {
                CallFault::Panicked(_) => Class::PluginPanicked,
                CallFault::OutputLimit | CallFault::TooManyInstances => Class::LimitExceeded,
                _ => Class::PluginCrashed,
            };
            Failure::new(class, error.chain())
        }
        error => Failure::new(Class::DependencyNotLoaded, error.chain()),
    }
}

fn of_node(error: NodeError, between: Between) -> Failure {
    let class = match &*error.code {
        code::TIMEOUT if between == Between::Time => Class::Timeout,
        code::CANCELLED if between == Between::Cancel => Class::Cancelled,
        code::CREDENTIAL_MISSING => Class::CredentialMissing,
        code::LIMIT_EXCEEDED => Class::LimitExceeded,
        _ => Class::ExecutionError,
    };
    Failure {
        class,
        code: error.code,
        message: error.message,
        status_code: error.status_code,
        retryable: error.retryable,
        details: error.details.map(Box::new),
    }
}
