//! What a run holds of the host: its versions, its variables.
//!
//! Invariant: every call of a run goes to the version that its session holds; nothing of a node's error is lost on the
//! way to the run's record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use patchbay_dispatch::{CallError, CallOptions, Dispatcher, NodeScope, OwnedOptions, Session, Variables};
use patchbay_executor::{
    Board, Callbacks, Class, Failure, Hold, Host, Nature, NodeCall, Output, Prepared, ServedBy, Task,
};
use patchbay_lifecycle::Lifecycle;
use patchbay_loader::CallFault;
use patchbay_vocab::{Clock, Explain, Monotonic, TenantId};
use patchbay_workflow::{Plan, TypeIndex};
use plugin_api::NodeError;
use plugin_api::error::code;
use plugin_api::meta::Effect;
use plugin_api::value::{Value, ValueRef};

use crate::compiled::{Seen, find};
use crate::family::Family;
use crate::lent::{Contents, Lent, Shared, Watched};
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
    family: Arc<Family>,
    session: Arc<Session>,
    /// Whether others see its snapshot.
    seen: Seen,
    plan: Arc<Plan>,
    /// For each node type, its place in the session.
    places: Box<[Option<u32>]>,
    natures: Box<[Nature]>,
    /// Pure node types whose results are worth remembering.
    dear: Box<[bool]>,
    variables: Arc<Variables>,
}

/// For each node type of a plan its place among those that something has, and what those are.
pub(crate) fn places<T>(types: impl Iterator<Item = Option<T>>) -> (Box<[Option<u32>]>, Vec<T>) {
    let mut wanted = Vec::new();
    let places = types.map(|found| {
        let place = u32::try_from(wanted.len()).ok();
        wanted.push(found?);
        place
    });
    (places.collect(), wanted)
}

impl HostHold {
    /// A hold of what a session has of a plan's node types.
    pub(crate) fn of(
        ground: &Ground,
        family: &Arc<Family>,
        plan: &Arc<Plan>,
        places: Box<[Option<u32>]>,
        (session, seen): (Session, Seen),
        variables: Arc<Variables>,
    ) -> Self {
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
        Self {
            dear,
            ground: ground.clone(),
            family: Arc::clone(family),
            session: Arc::new(session),
            seen,
            plan: Arc::clone(plan),
            places,
            natures,
            variables,
        }
    }

    pub(crate) const fn variables(&self) -> &Arc<Variables> {
        &self.variables
    }

    #[inline]
    fn place(&self, node_type: TypeIndex) -> Option<usize> {
        let place = self.places.get(node_type.0 as usize).copied().flatten()?;
        Some(place as usize)
    }

    fn name(&self, node_type: TypeIndex) -> &str {
        let types = &self.plan.node_types;
        types.get(node_type.0 as usize).map_or("", |name| name)
    }

    fn contents(&self) -> Contents {
        let save = &self.plan.save;
        match save.contents && save.success && save.failure {
            true => Contents::Kept,
            false => Contents::NotKept,
        }
    }

    fn unknown(&self, node_type: TypeIndex) -> Failure {
        let name = self.name(node_type);
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

    /// How long a call may take. What the executor gives is the shorter of the document's limit and of the rest of the
    /// run; where the document says nothing the plugin's own limit holds beside that, as it does without a run.
    #[inline]
    fn limit(&self, place: usize, call: &NodeCall<'_>) -> Option<Duration> {
        let asked = call.timeout?;
        let own = self.session.facts(place).and_then(|facts| facts.timeout);
        let Some(own) = own.filter(|own| *own < asked) else {
            return Some(asked);
        };
        // Only here it matters who asked.
        let node = find(&self.plan, call.node.as_str());
        let said = node.is_some_and(|node| node.policy.timeout.is_some());
        Some(if said { asked } else { own })
    }

    /// What has come between a call that began then and its answer.
    fn between(&self, began: Option<Monotonic>, timeout: Option<Duration>, call: &NodeCall<'_>) -> Between {
        Between::of(&self.ground.clock, began, timeout, call.cancel)
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
        self.call_plainly(place, input, call, &Lent(callbacks, self.contents()), out)
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
            timeout: self.limit(place, call),
            variables: Some(Arc::clone(&self.variables)),
            scope: Some(Arc::new(Shared(callbacks, self.contents()))),
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
        let name = self.name(node_type);
        let facts = self.place(node_type).and_then(|place| self.session.facts(place));
        let Some(facts) = facts else {
            return (None, Err(self.unknown(node_type)));
        };
        let mount = match self.ground.lifecycle.warm(facts.plugin, None) {
            // It was swapped meanwhile, so what was live before is what has just failed.
            Ok(mount) if mount.revision() == facts.revision => {
                let message = format!("the run holds no version of `{}` before this one", facts.plugin);
                return (None, Err(Failure::new(Class::DependencyNotLoaded, message)));
            }
            Ok(mount) => mount,
            Err(error) => return (None, Err(Failure::new(Class::DependencyNotLoaded, error.chain()))),
        };
        let by = ServedBy {
            plugin: mount.plugin().clone(),
            version: mount.version().clone(),
            revision: mount.revision(),
        };
        let scope = Lent(callbacks, self.contents());
        let options = self.options(call, Some(&scope));
        let answer = self
            .ground
            .dispatcher
            .call_mount(&mount, name, input, &options, out);
        match answer {
            Ok(answer) => (Some(by), Ok(answer.value)),
            Err(error) => (Some(by), Err(failure(error, self.between(None, None, call)))),
        }
    }

    fn workflow(
        &self,
        _: &dyn Host,
        tenant: &TenantId,
        named: ValueRef<'_>,
    ) -> Result<Arc<Prepared>, Failure> {
        let snapshot = self.session.snapshot();
        let bound = self.family.workflow(tenant, named, snapshot, self.seen)?;
        Ok(Arc::clone(&bound.prepared))
    }

    fn child(&self, prepared: &Arc<Prepared>) -> Result<Arc<dyn Hold>, Failure> {
        let plan = prepared.plan();
        let snapshot = self.session.snapshot();
        let is_there = |name: &str| {
            snapshot
                .slot(name)
                .is_some_and(|slot| snapshot.route(slot).is_some())
        };
        // Types that nothing has are not held: their nodes are refused one by one.
        let types = plan
            .node_types
            .iter()
            .map(|name| is_there(name).then_some(&**name));
        let (places, wanted) = places(types);
        let variables = Variables::from_value(plan.variables.as_ref()).map_err(|_| {
            Failure::new(
                Class::LimitExceeded,
                "the variables of the workflow are over a limit",
            )
        })?;
        let session = self
            .session
            .child(&wanted)
            .map_err(|error| failure(error, Between::Nothing))?;
        let seen = match std::ptr::eq(session.snapshot(), snapshot) {
            true => self.seen,
            false => Seen::Alone,
        };
        let held = (session, seen);
        let child = Self::of(
            &self.ground,
            &self.family,
            plan,
            places,
            held,
            Arc::new(variables),
        );
        Ok(Arc::new(child))
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
        let timeout = self.limit(place, call);
        let began = timeout.is_some().then(|| self.ground.clock.now());
        let options = CallOptions {
            timeout,
            ..self.options(call, Some(scope))
        };
        match self.session.call(place, input, &options, out) {
            Ok(answer) => Ok(answer.value),
            Err(error) => Err(failure(error, self.between(began, timeout, call))),
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
            return self.call_plainly(place, input, call, &Lent(callbacks, self.contents()), out);
        };
        let results = &self.ground.results;
        let of = (facts.digest, facts.node);
        if let Some(known) = results.get(of, call.tenant, input) {
            out.clear();
            if out.push(known.as_bytes()).is_ok() {
                return Ok(ValueRef::assume_valid(out.written()));
            }
        }
        let scope = Watched::new(callbacks, self.contents());
        let answer = self.call_plainly(place, input, call, &scope, out)?;
        // What it asked of its run is no part of its parameters, so the result is not theirs alone.
        if !scope.has_asked() {
            results.put(of, call.tenant, input, answer);
        }
        Ok(answer)
    }
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
