//! Calls that are begun and awaited: they own what they need, hold no thread, and end in time.

use std::sync::Arc;
use std::time::Duration;

use patchbay_lease::OwnedPass;
use patchbay_loader::OwnedStateHold;
use patchbay_registry::Mount;
use patchbay_vocab::{Monotonic, RevisionNumber, TenantId};
use plugin_api::value::{Value, ValueRef};

use crate::dispatcher::{CallOptions, Dispatcher, TRIES};
use crate::entry::{Target, name_in, shown_answer};
use crate::error::CallError;
use crate::held::Held;
use crate::observed::{Noting, Tapped};
use crate::scope::NodeScope;
use crate::served::{Place, Served};
use crate::services::OwnedServices;
use crate::{Cancel, Output, Variables};

/// Who calls, and how; as [`CallOptions`](crate::CallOptions), for a call that outlives its caller's borrow.
#[derive(Clone, Debug)]
pub struct OwnedOptions {
    /// Whose data the call may see.
    pub tenant: TenantId,
    /// The run it belongs to.
    pub run: String,
    /// Id of the workflow's node, or the node type.
    pub node: String,
    /// How long it may take; the node's own default when `None`.
    pub timeout: Option<Duration>,
    /// How the caller gives up.
    pub cancel: Option<Cancel>,
    /// The run's variables.
    pub variables: Option<Arc<Variables>>,
    /// The workflow that executes the node; none for a call outside one.
    pub scope: Option<Arc<dyn NodeScope>>,
    /// Configuration of a stateful node's instance.
    pub config: Option<Value>,
}

impl OwnedOptions {
    /// A call of a tenant, of a run, of a node, with everything else left out.
    #[must_use]
    pub const fn of(tenant: TenantId, run: String, node: String) -> Self {
        Self {
            tenant,
            run,
            node,
            timeout: None,
            cancel: None,
            variables: None,
            scope: None,
            config: None,
        }
    }
}

/// A call that has been begun.
pub(crate) struct Begun {
    pub(crate) held: Option<Arc<Held>>,
    pub(crate) mount: Arc<Mount<Served>>,
    pub(crate) place: Place,
    pub(crate) begun: Monotonic,
    pub(crate) options: OwnedOptions,
}

impl Dispatcher {
    /// As [`Dispatcher::call_mount`], begun and awaited as [`Session::begin`](crate::Session::begin).
    pub fn begin_mount(
        self: &Arc<Self>,
        mount: &Arc<Mount<Served>>,
        node_type: &str,
        input: Value,
        options: OwnedOptions,
    ) -> impl Future<Output = Result<(Value, RevisionNumber), CallError>> + Send + 'static + use<> {
        let begun = self.clock().now();
        let (dispatcher, mount) = (Arc::clone(self), Arc::clone(mount));
        // Entered here, so that it stays; one that sleeps is woken by a thread that may wait.
        let entered = match mount.is_closed() {
            true => None,
            false => Some(dispatcher.enter_mount(&mount, node_type, options.timeout)),
        };
        let (waits, node_type) = (Arc::clone(self), node_type.to_owned());
        async move {
            let entered = match entered {
                Some(entered) => entered,
                None => {
                    let timeout = options.timeout;
                    let waits = dispatcher
                        .timers()
                        .spawn_blocking(move || waits.enter_mount(&mount, &node_type, timeout));
                    waits.await.unwrap_or(Err(CallError::Closing))
                }
            };
            let (mount, pass, place) = entered?;
            let call = Begun {
                held: None,
                mount,
                place,
                begun,
                options,
            };
            dispatcher.run(pass, call, input).await
        }
    }

    /// Finds a node of a mount and enters its gate; of one that sleeps, that of the load that takes its place.
    pub(crate) fn enter_mount(
        &self,
        mount: &Arc<Mount<Served>>,
        node_type: &str,
        timeout: Option<Duration>,
    ) -> Result<(Arc<Mount<Served>>, OwnedPass, Place), CallError> {
        let node = mount
            .node_of(node_type)
            .ok_or_else(|| CallError::unknown(node_type))?;
        let mut mount = Arc::clone(mount);
        for _ in 0..TRIES {
            let place = mount.handle().place(node).ok_or(CallError::Closing)?;
            if let Some(pass) = mount.enter_owned() {
                return Ok((mount, pass, place));
            }
            let left = timeout.or(place.timeout);
            let fresh = self.reopened(&mount, left, node_type)?;
            mount = fresh.ok_or(CallError::Closing)?;
        }
        Err(CallError::Closing)
    }

    /// Runs a call that has been begun to its end.
    pub(crate) async fn run(
        self: Arc<Self>,
        pass: OwnedPass,
        call: Begun,
        input: Value,
    ) -> Result<(Value, RevisionNumber), CallError> {
        let Begun {
            held,
            mount,
            place,
            begun,
            options,
        } = call;
        let target = Target {
            mount: &mount,
            place,
            held: held.as_ref(),
            trial: None,
        };
        if options.cancel.as_ref().is_some_and(Cancel::is_cancelled) {
            return Err(CallError::Cancelled {
                node_type: target.name(),
            });
        }
        let timeout = target.timeout(options.timeout);
        let left = || timeout.map(|timeout| timeout.saturating_sub(self.clock().now().since(begun)));
        // What it keeps is let go only when the plugin's future is gone: below it in this frame.
        let hold = match place.is_stateful {
            true => Some(
                self.state_held(&mount, left())
                    .await
                    .ok_or_else(|| target.too_late(timeout))?,
            ),
            false => None,
        };
        if !place.is_async {
            return self.run_here(&pass, target, &input, left(), &options);
        }
        let deadline = timeout.map(|after| Monotonic(begun.0.saturating_add(after)));
        let observed = mount.handle().observed();
        let watch = observed.now();
        let timed = watch.is_timed().then(|| self.clock().now());
        let shown = match watch.is_tapped() && place.may_be_shown() {
            true => observed.tapped_by().map(|tap| (tap, Shown::of(&options, &input))),
            false => None,
        };
        let noting = shown.as_ref().and_then(|(_, shown)| shown.scope());
        let cancel = options.cancel.unwrap_or_default();
        let services = OwnedServices {
            dispatcher: Arc::clone(&self),
            mount: Arc::clone(&mount),
            place: place.node,
            held: held.clone(),
            tenant: options.tenant,
            run: options.run,
            node: options.node,
            variables: options.variables,
            scope: noting.or(options.scope),
            deadline,
            cancel: Arc::clone(cancel.flag()),
            depth: 0,
        };
        let config = options.config.as_ref().map(Value::as_ref);
        let future = self.started(pass, target, input, config, services)?;
        let done = tokio::select! {
            biased;
            done = future => done.map_err(|fault| target.failed(fault)),
            () = cancel.cancelled() => Err(CallError::Cancelled { node_type: target.name() }),
            () = self.elapsed(left()) => Err(target.timed_out(timeout)),
        };
        drop(hold);
        if let Some(began) = timed {
            observed.took(self.clock().now().since(began));
        }
        if let Some((tap, shown)) = &shown {
            tap.called(&shown.tapped(&target, done.as_ref().map(Value::as_ref)));
        }
        done.map(|value| (value, mount.revision()))
    }

    /// Calls a node that is not polled, on the thread that polls.
    fn run_here(
        self: &Arc<Self>,
        pass: &OwnedPass,
        target: Target<'_>,
        input: &Value,
        timeout: Option<Duration>,
        options: &OwnedOptions,
    ) -> Result<(Value, RevisionNumber), CallError> {
        let mut out = Output::with_limit(self.limits().output_bytes);
        let options = CallOptions {
            tenant: &options.tenant,
            run: &options.run,
            node: &options.node,
            timeout,
            cancel: options.cancel.as_ref().map(Cancel::flag),
            variables: options.variables.as_ref(),
            scope: options.scope.as_deref(),
            config: options.config.as_ref().map(Value::as_ref),
            depth: 0,
        };
        let answer = self.call_sync(&pass.renew(), target, input.as_ref(), &options, &mut out)?;
        Ok((answer.value.to_value(), answer.revision))
    }

    /// Keeps a plugin's state where it is; waits for a hand-over on a thread that may wait. `None` when the time is up.
    async fn state_held(&self, mount: &Arc<Mount<Served>>, most: Option<Duration>) -> Option<OwnedStateHold> {
        let plugin = Arc::clone(mount.handle().plugin());
        if let Some(hold) = plugin.hold_state_owned(Some(Duration::ZERO)) {
            return Some(hold);
        }
        let waiting = self
            .timers()
            .spawn_blocking(move || plugin.hold_state_owned(most));
        waiting.await.ok().flatten()
    }

    /// Ends after this time; for ever without one.
    async fn elapsed(&self, after: Option<Duration>) {
        let Some(after) = after else {
            return std::future::pending().await;
        };
        let sleep = {
            // The call may be polled by any executor; its timer is the host's.
            let _runtime = self.timers().enter();
            tokio::time::sleep(after)
        };
        sleep.await;
    }
}

/// What is kept of a polled call for whoever sees a copy of it.
struct Shown {
    tenant: TenantId,
    run: String,
    input: Value,
    variables: Option<Arc<Variables>>,
    scope: Option<Arc<Noting<Arc<dyn NodeScope>>>>,
}

impl Shown {
    fn of(options: &OwnedOptions, input: &Value) -> Self {
        Self {
            tenant: options.tenant.clone(),
            run: options.run.clone(),
            input: input.clone(),
            variables: options.variables.clone(),
            scope: options.scope.clone().map(|scope| Arc::new(Noting::new(scope))),
        }
    }

    fn scope(&self) -> Option<Arc<dyn NodeScope>> {
        let scope = Arc::clone(self.scope.as_ref()?);
        Some(scope)
    }

    fn tapped<'t>(&'t self, target: &Target<'t>, answer: Result<ValueRef<'t>, &'t CallError>) -> Tapped<'t> {
        Tapped {
            node_type: name_in(target.mount, target.place.node),
            tenant: &self.tenant,
            run: &self.run,
            input: self.input.as_ref(),
            variables: self.variables.as_ref(),
            asked: self.scope.as_ref().is_some_and(|scope| scope.has_asked()),
            keeps_contents: self.scope.as_ref().is_none_or(|scope| scope.keeps_contents()),
            answer: shown_answer(answer),
        }
    }
}
