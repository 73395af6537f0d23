//! Into a node and out again: under a pass that holds its version, with the services of the call.

use std::sync::Arc;

use patchbay_lease::{OwnedPass, Pass};
use patchbay_loader::{CallFault, CallFuture, Nested, StateHold, SyncCall};
use patchbay_registry::Mount;
use patchbay_vocab::{Monotonic, TenantId};
use plugin_api::NodeError;
use plugin_api::shim::host::{AsyncCall, Caller};
use plugin_api::value::{Value, ValueRef};

use std::time::Duration;

use crate::Output;
use crate::block::block_on;
use crate::dispatcher::{Answer, CallOptions, Dispatcher};
use crate::error::{CallError, ServedBy};
use crate::held::Held;
use crate::observed::{Noting, Tapped, Watch};
use crate::scope::NodeScope;
use crate::served::{Faults, Place, Served};
use crate::services::{OwnedServices, Services, nanos};

/// The node that a call enters, and the session that it is part of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'t> {
    pub(crate) mount: &'t Arc<Mount<Served>>,
    pub(crate) place: Place,
    pub(crate) held: Option<&'t Arc<Held>>,
    /// Where it is counted what goes wrong of a call that nobody waits for; of any other one that is with the version.
    pub(crate) trial: Option<&'t Faults>,
}

/// A pass as the way of a call needs it.
pub(crate) enum Inside<'m> {
    /// The call may outlive the caller's frame.
    Polled(OwnedPass),
    /// It runs to its end in it.
    Called(Pass<'m>),
}

impl<'m> Inside<'m> {
    pub(crate) fn enter(mount: &'m Mount<Served>, place: Place) -> Option<Self> {
        match place.is_async {
            true => mount.enter_owned().map(Self::Polled),
            false => mount.enter().map(Self::Called),
        }
    }
}

impl Target<'_> {
    /// How long a call may take.
    pub(crate) fn timeout(&self, asked: Option<Duration>) -> Option<Duration> {
        asked.or(self.place.timeout)
    }

    /// Whether a call had the time that the node says it needs, or else a second: who gives less has himself to blame.
    fn had_time(&self, given: Option<Duration>) -> bool {
        const NO_WORD: Duration = Duration::from_secs(1);
        let needs = self.place.timeout.unwrap_or(NO_WORD);
        given.is_none_or(|given| given >= needs)
    }

    fn faults(&self) -> &Faults {
        self.trial.unwrap_or_else(|| self.mount.handle().faults())
    }

    pub(crate) fn name(&self) -> String {
        name_of(self.mount, self.place.node)
    }

    #[cold]
    pub(crate) fn timed_out(&self, after: Option<Duration>) -> CallError {
        if self.had_time(after) {
            self.faults().count_timed_out();
        }
        self.too_late(after)
    }

    /// The time was over while the call waited for something that is not the node.
    #[cold]
    pub(crate) fn too_late(&self, after: Option<Duration>) -> CallError {
        CallError::TimedOut {
            node_type: self.name(),
            after: after.unwrap_or_default(),
        }
    }

    #[cold]
    pub(crate) fn failed(&self, fault: CallFault) -> CallError {
        let (mount, faults) = (self.mount, self.faults());
        let node_type = self.name();
        match fault {
            CallFault::Failed(error) => {
                faults.count_failed();
                CallError::Failed { node_type, error }
            }
            fault => {
                if matches!(fault, CallFault::Panicked(_)) {
                    faults.count_panicked();
                }
                let (plugin, version) = (mount.plugin().clone(), mount.version().clone());
                tracing::warn!(%plugin, %version, node = node_type, fault = %fault, "a call met a fault");
                let served_by = Box::new(ServedBy { plugin, version });
                CallError::Fault {
                    node_type,
                    served_by,
                    fault: Box::new(fault),
                }
            }
        }
    }
}

impl Target<'_> {
    /// The node says that it failed, when its time was over: it was not answered in time, whatever it says.
    #[cold]
    fn failed_late(&self, error: Box<NodeError>, given: Option<Duration>) -> CallError {
        if self.had_time(given) {
            self.faults().count_timed_out();
        }
        CallError::Failed {
            node_type: self.name(),
            error,
        }
    }
}

impl Dispatcher {
    /// When a call that begins now should be over.
    pub(crate) fn deadline(&self, timeout: Option<Duration>) -> Option<Monotonic> {
        timeout.map(|after| Monotonic(self.clock().now().0.saturating_add(after)))
    }

    /// Keeps the state of a plugin's nodes where it is for one call that began at `begun`; waits while it is being
    /// handed over. Gives what is left of the call's time, too.
    #[cold]
    pub(crate) fn hold_state<'m>(
        &self,
        mount: &'m Arc<Mount<Served>>,
        place: Place,
        options: &CallOptions<'_>,
        begun: Monotonic,
    ) -> Result<(StateHold<'m>, Option<Duration>), CallError> {
        let nested = if options.depth > 0 {
            Nested::Yes
        } else {
            Nested::No
        };
        let timeout = options.timeout.or(place.timeout);
        let left = || self.left(timeout, begun);
        let hold = mount.handle().plugin().hold_state(nested, left());
        hold.map(|hold| (hold, left()))
            .ok_or_else(|| CallError::TimedOut {
                node_type: name_of(mount, place.node),
                after: timeout.unwrap_or_default(),
            })
    }

    /// What is left of the time of a call that began at `begun`.
    pub(crate) fn left(&self, timeout: Option<Duration>, begun: Monotonic) -> Option<Duration> {
        timeout.map(|timeout| timeout.saturating_sub(self.clock().now().since(begun)))
    }

    /// Calls from inside a version, whichever way the node is called.
    pub(crate) fn call_inside<'o>(
        self: &Arc<Self>,
        inside: Inside<'_>,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        match inside {
            Inside::Polled(pass) => self.call_async(pass, target, input, options, out),
            Inside::Called(pass) => self.call_sync(&pass, target, input, options, out),
        }
    }

    /// Calls under a pass that holds the version, whichever way the node is called.
    pub(crate) fn call_under<'o>(
        self: &Arc<Self>,
        pass: OwnedPass,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        if target.place.is_async {
            return self.call_async(pass, target, input, options, out);
        }
        self.call_sync(&pass.renew(), target, input, options, out)
    }

    /// Calls under a pass that holds the version.
    #[inline]
    pub(crate) fn call_sync<'o>(
        self: &Arc<Self>,
        pass: &Pass<'_>,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let watch = target.mount.handle().observed().now();
        // Whoever is measured is so seldom: the calls between two that are timed go on here.
        if !watch.is_off() && (watch.is_tapped() || watch.times_this()) {
            return self.call_observed(watch, pass, target, input, options, out);
        }
        self.call_plain(pass, target, input, options, out)
    }

    /// Calls and shows the call to whoever observes the version.
    #[inline(never)]
    fn call_observed<'o>(
        self: &Arc<Self>,
        watch: Watch,
        pass: &Pass<'_>,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let observed = target.mount.handle().observed();
        let is_timed = match watch.is_tapped() {
            true => watch.times_this(),
            // The caller has asked.
            false => true,
        };
        let began = is_timed.then(|| self.clock().now());
        let tap = match watch.is_tapped() && target.place.may_be_shown() {
            true => observed.tapped_by(),
            false => None,
        };
        let Some(tap) = tap else {
            let answer = self.call_plain(pass, target, input, options, out);
            if let Some(began) = began {
                observed.took(self.clock().now().since(began));
            }
            return answer;
        };
        let noting = options.scope.map(Noting::new);
        let scope = noting.as_ref().map(|noting| noting as &dyn NodeScope);
        let shown = CallOptions { scope, ..*options };
        let answer = self.call_plain(pass, target, input, &shown, out);
        if let Some(began) = began {
            observed.took(self.clock().now().since(began));
        }
        tap.called(&Tapped {
            asked: noting.is_some_and(|noting| noting.has_asked()),
            ..tapped(&target, input, options, &answer)
        });
        answer
    }

    #[inline]
    fn call_plain<'o>(
        self: &Arc<Self>,
        pass: &Pass<'_>,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let Target {
            mount, place, held, ..
        } = target;
        let plugin = mount.handle().plugin();
        let deadline = self.deadline(target.timeout(options.timeout));
        let services = Services {
            dispatcher: self,
            mount,
            place: place.node,
            options,
            deadline,
            held,
        };
        let caller = Caller {
            tenant: options.tenant.as_str(),
            run: options.run,
            node: options.node,
            deadline: deadline.map_or(u64::MAX, nanos),
            cancel: options.cancel.map(|flag| &**flag),
        };
        let call = SyncCall {
            caller,
            services: &services,
            config: options.config,
        };
        match plugin.execute(pass, place.node, input, &call, out) {
            Ok(value) => Ok(Answer {
                value,
                revision: mount.revision(),
            }),
            Err(CallFault::Failed(error)) if self.is_over(deadline) => {
                Err(target.failed_late(error, target.timeout(options.timeout)))
            }
            Err(fault) => Err(target.failed(fault)),
        }
    }

    #[cold]
    fn is_over(&self, deadline: Option<Monotonic>) -> bool {
        deadline.is_some_and(|deadline| deadline <= self.clock().now())
    }

    /// Begins an async call and drives it on this thread.
    #[cold]
    pub(crate) fn call_async<'o>(
        self: &Arc<Self>,
        pass: OwnedPass,
        target: Target<'_>,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let timeout = target.timeout(options.timeout);
        let deadline = self.deadline(timeout);
        let observed = target.mount.handle().observed();
        let watch = observed.now();
        let tap = match watch.is_tapped() && target.place.may_be_shown() {
            true => observed.tapped_by(),
            false => None,
        };
        let scope = options.scope.and_then(NodeScope::shared);
        let (scope, noting) = match (&tap, scope) {
            (Some(_), Some(scope)) => {
                let noting = Arc::new(Noting::new(scope));
                (Some(Arc::clone(&noting) as Arc<dyn NodeScope>), Some(noting))
            }
            (_, scope) => (scope, None),
        };
        let services = OwnedServices {
            dispatcher: Arc::clone(self),
            mount: Arc::clone(target.mount),
            place: target.place.node,
            held: target.held.cloned(),
            tenant: options.tenant.clone(),
            run: options.run.to_owned(),
            node: options.node.to_owned(),
            variables: options.variables.cloned(),
            scope,
            deadline,
            cancel: options.cancel.cloned().unwrap_or_default(),
            depth: options.depth,
        };
        let began = watch.is_timed().then(|| self.clock().now());
        let future = self.started(pass, target, input.to_value(), options.config, services)?;
        let done = block_on(future, deadline, &**self.clock());
        if let Some(began) = began {
            observed.took(self.clock().now().since(began));
        }
        let answer = match done {
            Some(Ok(value)) => {
                out.clear();
                match out.push(value.as_ref().raw()) {
                    Ok(_) => Ok(Answer {
                        value: ValueRef::assume_valid(out.written()),
                        revision: target.mount.revision(),
                    }),
                    Err(_) => Err(target.failed(CallFault::OutputLimit)),
                }
            }
            Some(Err(fault)) => Err(target.failed(fault)),
            None => Err(target.timed_out(timeout)),
        };
        if let Some(tap) = tap {
            tap.called(&Tapped {
                asked: noting.is_some_and(|noting| noting.has_asked()),
                ..tapped(&target, input, options, &answer)
            });
        }
        answer
    }

    /// Begins an async call, which then owns whatever it needs.
    pub(crate) fn started(
        &self,
        pass: OwnedPass,
        target: Target<'_>,
        input: Value,
        config: Option<ValueRef<'_>>,
        services: OwnedServices,
    ) -> Result<CallFuture, CallError> {
        let call = AsyncCall {
            input,
            tenant: TenantId::as_str(&services.tenant).to_owned(),
            run: services.run.clone(),
            node: services.node.clone(),
            deadline: services.deadline.map_or(u64::MAX, nanos),
            cancel: Arc::clone(&services.cancel),
            services: Box::new(services),
        };
        let plugin = target.mount.handle().plugin();
        plugin
            .begin(pass, target.place.node, call, config, self.limits().output_bytes)
            .map_err(|fault| target.failed(fault))
    }
}

/// A call as a tap is shown it, of a node that asked its workflow for nothing.
fn tapped<'t>(
    target: &Target<'t>,
    input: ValueRef<'t>,
    options: &'t CallOptions<'_>,
    answer: &'t Result<Answer<'_>, CallError>,
) -> Tapped<'t> {
    Tapped {
        node_type: name_in(target.mount, target.place.node),
        tenant: options.tenant,
        run: options.run,
        input,
        variables: options.variables,
        keeps_contents: options.scope.is_none_or(NodeScope::keeps_contents),
        asked: false,
        answer: shown_answer(answer.as_ref().map(|answer| answer.value)),
    }
}

/// An answer as a tap is shown it: what failed for a reason that is not the node's is none.
pub(crate) fn shown_answer<'a>(
    answer: Result<ValueRef<'a>, &'a CallError>,
) -> Option<Result<ValueRef<'a>, &'a NodeError>> {
    match answer {
        Ok(value) => Some(Ok(value)),
        Err(error) => error.node_error().map(Err),
    }
}

fn name_of(mount: &Mount<Served>, place: usize) -> String {
    name_in(mount, place).to_owned()
}

pub(crate) fn name_in(mount: &Mount<Served>, place: usize) -> &str {
    let nodes = &mount.handle().plugin().description().nodes;
    nodes.get(place).map_or("", |node| node.node_type.as_str())
}
