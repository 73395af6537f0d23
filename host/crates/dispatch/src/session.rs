//! A run's hold on the versions it began with.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use patchbay_registry::{LeaseSet, Leased, Mount, NodeSlot, RegistryError};
use patchbay_vocab::{Digest, PluginName, RevisionNumber, Version};
use plugin_api::meta::Effect;
use plugin_api::value::{Value, ValueRef};

use crate::Output;
use crate::begun::{Begun, OwnedOptions};
use crate::dispatcher::{Answer, CallOptions, Dispatcher, TRIES, unknown};
use crate::error::{CallError, ServedBy};
use crate::held::Held;
use crate::served::Served;
use crate::view::Routes;

/// Several nodes held at one version each, for a run: a swap meanwhile changes nothing for it, nor for what its nodes
/// call. What a swap hands over is the state as it was then; what the session's nodes change after it stays with the old
/// version.
#[derive(Debug)]
pub struct Session {
    held: Arc<Held>,
}

/// What is known of a node of a session.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'s> {
    /// The plugin that answers.
    pub plugin: &'s PluginName,
    /// Its version.
    pub version: &'s Version,
    /// Its revision.
    pub revision: RevisionNumber,
    /// The hash of its file.
    pub digest: Digest,
    /// The node's place among the plugin's.
    pub node: usize,
    /// What a call does to the world.
    pub effect: Effect,
    /// Whether calls are polled: [`Session::begin`] is for those.
    pub is_async: bool,
    /// Whether its instances keep state.
    pub is_stateful: bool,
    /// How long a call may take when the caller does not say; `None` for as long as it likes.
    pub timeout: Option<Duration>,
}

impl Session {
    /// The generation of the snapshot that the session holds.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.held.leases.snapshot().generation()
    }

    /// The snapshot that the session's routes come from, with what was put in place of live versions.
    #[must_use]
    pub fn snapshot(&self) -> &Routes {
        self.held.leases.snapshot()
    }

    /// A session within this one, for work that this one's nodes begin: of each plugin it has the version that this one
    /// has, also when that has closed to everybody else; of plugins that this one has not used yet, that of this one's
    /// snapshot, or today's when that one has gone.
    ///
    /// # Errors
    /// When a node type is unknown to this session's snapshot, or no version of its plugin can be held any more.
    pub fn child(&self, node_types: &[&str]) -> Result<Self, CallError> {
        let held = Arc::new(self.held.child(node_types)?);
        Ok(Self { held })
    }

    /// The plugin and version that the node at `position` is held at.
    #[must_use]
    pub fn served_by(&self, position: usize) -> Option<ServedBy> {
        let mount = self.held.leases.at(position)?.route.mount();
        Some(ServedBy {
            plugin: mount.plugin().clone(),
            version: mount.version().clone(),
        })
    }

    /// What is known of the node at `position`; costs a few reads.
    #[must_use]
    pub fn facts(&self, position: usize) -> Option<Facts<'_>> {
        let Leased { route, .. } = self.held.leases.at(position)?;
        let mount = route.mount();
        let place = mount.handle().place(route.node())?;
        Some(Facts {
            plugin: mount.plugin(),
            version: mount.version(),
            revision: mount.revision(),
            digest: mount.digest(),
            node: place.node,
            effect: place.effect,
            is_async: place.is_async,
            is_stateful: place.is_stateful,
            timeout: place.timeout,
        })
    }

    /// Calls the node at `position` of the session's list. An async node is driven on this thread.
    ///
    /// # Errors
    /// Why there is no answer.
    #[inline]
    pub fn call<'o>(
        &self,
        position: usize,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let leased = self.held.leases.at(position);
        let Leased { route, pass } = leased.ok_or_else(|| CallError::unknown(options.node))?;
        self.held
            .call(pass, (route.mount(), route.node()), input, options, out)
    }

    /// Begins a call of the node at `position`, to be awaited wherever the caller likes. The time it may take counts from
    /// now; at its end, or when the caller gives up, it ends with an error and the plugin's future is dropped. It holds the
    /// session's versions until it is done or dropped, so the session itself need not be kept.
    ///
    /// A node that is not async runs to its end in the first poll, whatever its time.
    pub fn begin(
        &self,
        position: usize,
        input: Value,
        options: OwnedOptions,
    ) -> impl Future<Output = Result<(Value, RevisionNumber), CallError>> + Send + 'static + use<> {
        let held = Arc::clone(&self.held);
        let begun = held.dispatcher.clock().now();
        async move {
            let leased = held.leases.at(position);
            let Leased { route, pass } = leased.ok_or_else(|| CallError::unknown(&options.node))?;
            let (mount, node) = (Arc::clone(route.mount()), route.node());
            let pass = pass.renew().extend(mount.gate()).ok_or(CallError::Closing)?;
            let place = mount.handle().place(node).ok_or(CallError::Closing)?;
            let dispatcher = Arc::clone(&held.dispatcher);
            let call = Begun {
                held: Some(held),
                mount,
                place,
                begun,
                options,
            };
            dispatcher.run(pass, call, input).await
        }
    }
}

impl Dispatcher {
    /// Holds the versions of several nodes, all from one snapshot, for a run.
    ///
    /// # Errors
    /// When one of the node types is unknown.
    pub fn session(self: &Arc<Self>, node_types: &[&str]) -> Result<Session, CallError> {
        self.session_with(node_types, &[])
    }

    /// As [`Dispatcher::session`], with each of `mounts` in place of what is live of its plugin; the rules of a promotion
    /// are not asked. Node types that only those versions have can be named.
    ///
    /// # Errors
    /// When one of the node types is unknown, or one of the mounts is closed.
    pub fn session_with(
        self: &Arc<Self>,
        node_types: &[&str],
        mounts: &[Arc<Mount<Served>>],
    ) -> Result<Session, CallError> {
        self.session_over(mounts, |routes| {
            let slots = node_types.iter().map(|name| {
                let slot = routes.slot(name).filter(|slot| routes.route(*slot).is_some());
                slot.ok_or_else(|| unknown(routes, name))
            });
            slots.collect::<Result<Vec<_>, _>>().map(Cow::Owned)
        })
    }

    /// As [`Dispatcher::session`], of slots that were resolved before: no name is looked up. `mounts` as for
    /// [`Dispatcher::session_with`].
    ///
    /// # Errors
    /// When one of the slots leads nowhere now, or one of the mounts is closed.
    pub fn session_of(
        self: &Arc<Self>,
        slots: &[NodeSlot],
        mounts: &[Arc<Mount<Served>>],
    ) -> Result<Session, CallError> {
        self.session_over(mounts, |_| Ok(Cow::Borrowed(slots)))
    }

    fn session_over<'s>(
        self: &Arc<Self>,
        mounts: &[Arc<Mount<Served>>],
        slots: impl Fn(&Routes) -> Result<Cow<'s, [NodeSlot]>, CallError>,
    ) -> Result<Session, CallError> {
        let mut live = self.registry().snapshot();
        let mut mounts = Cow::Borrowed(mounts);
        for _ in 0..TRIES {
            let routes = match &*mounts {
                [] => Arc::clone(&live),
                mounts => Arc::new(live.overlaid(mounts)),
            };
            let refusal = match LeaseSet::within(&routes, &slots(&routes)?) {
                Ok(leases) => {
                    let held = Arc::new(Held::new(Arc::clone(self), leases));
                    return Ok(Session { held });
                }
                Err(refusal) => refusal,
            };
            let fresh = self.wake_refused(&refusal)?;
            let woken = fresh.is_some();
            if let Some(fresh) = fresh {
                replace(mounts.to_mut(), &fresh);
            }
            // Otherwise a gate closes only after a snapshot without it was stored: with none newer, asking again is vain.
            let newer = self.registry().snapshot();
            if !woken && newer.generation() == live.generation() {
                return Err(refused(&refusal));
            }
            live = newer;
        }
        Err(CallError::Closing)
    }

    /// A session on this very snapshot, which may be an [overlaid](Routes::overlaid) one, for whoever has looked at it
    /// closely before. When a load of it sleeps it is woken and put into `mounts` in place of itself, if it is there.
    ///
    /// # Errors
    /// When a slot leads nowhere in the snapshot, or a load of it has closed or was just woken: then a newer snapshot is
    /// worth a look.
    pub fn session_within(
        self: &Arc<Self>,
        routes: &Arc<Routes>,
        slots: &[NodeSlot],
        mounts: &mut [Arc<Mount<Served>>],
    ) -> Result<Session, CallError> {
        let refusal = match LeaseSet::within(routes, slots) {
            Ok(leases) => {
                let held = Arc::new(Held::new(Arc::clone(self), leases));
                return Ok(Session { held });
            }
            Err(refusal) => refusal,
        };
        if let Some(fresh) = self.wake_refused(&refusal)? {
            replace(mounts, &fresh);
        }
        Err(refused(&refusal))
    }

    /// Has the load woken that refused because it sleeps, and gives the fresh one; `None` when it is not worth asking
    /// again.
    #[cold]
    fn wake_refused(
        self: &Arc<Self>,
        refusal: &RegistryError,
    ) -> Result<Option<Arc<Mount<Served>>>, CallError> {
        let RegistryError::GateClosed { plugin, revision } = refusal else {
            return Ok(None);
        };
        match self.registry().mounted(plugin, *revision) {
            Some(current) => self.reopened(&current, None, plugin.as_str()),
            None => Ok(None),
        }
    }
}

/// Puts a load that was woken in place of itself.
fn replace(mounts: &mut [Arc<Mount<Served>>], fresh: &Arc<Mount<Served>>) {
    let same =
        |mount: &Mount<Served>| mount.plugin() == fresh.plugin() && mount.revision() == fresh.revision();
    for mount in mounts.iter_mut().filter(|mount| same(mount)) {
        *mount = Arc::clone(fresh);
    }
}

#[cold]
fn refused(error: &RegistryError) -> CallError {
    match error {
        RegistryError::Unrouted { slot } => CallError::unknown(&format!("slot {}", slot.index())),
        _ => CallError::Closing,
    }
}

#[cfg(test)]
mod tests {
    use patchbay_registry::{Registry, SameVersion};
    use patchbay_vocab::{Explain, FakeClock};

    use super::*;
    use crate::dispatcher::Limits;

    #[test]
    fn a_session_of_nothing_answers_nothing() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let clock = Arc::new(FakeClock::new());
        let registry = Arc::new(Registry::new(Arc::clone(&clock) as _, SameVersion::Refuse));
        let limits = Limits {
            output_bytes: 1024,
            depth: 8,
        };
        let dispatcher = Dispatcher::new(registry, clock, runtime.handle().clone(), limits);
        assert_eq!(dispatcher.session(&["a.b"]).unwrap_err().code().0, "PB-CALL-001");
        let session = dispatcher.session_of(&[], &[]).unwrap();
        assert_eq!(session.generation(), 0);
        assert!(session.facts(0).is_none() && session.served_by(0).is_none());
        let options = OwnedOptions::of("acme".parse().unwrap(), "run".into(), "a.b".into());
        let begun = session.begin(0, Value::null(), options);
        drop(session);
        let error = runtime.block_on(begun).unwrap_err();
        assert!(matches!(error, CallError::UnknownNode { node_type, .. } if node_type == "a.b"));
    }
}
