//! What a session holds, and which version a call from within it runs on.
//!
//! Invariant: of each plugin, everything that runs in one session sees one version: the one that the session began with,
//! or, when its nodes were first called from within, the one that was found then.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use patchbay_lease::OwnedPass;
use patchbay_registry::{LeaseSet, Mount, Route};
use patchbay_vocab::PluginName;
use plugin_api::value::ValueRef;

use crate::Output;
use crate::dispatcher::{Answer, CallOptions, Dispatcher, TRIES, unknown};
use crate::entry::Target;
use crate::error::CallError;
use crate::served::Served;

/// What a session, and every call that runs in it, shares. Whoever has a clone keeps all of its versions in place.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) leases: LeaseSet<Served>,
    /// Of a session and the sessions that began within it together: they find one version.
    later: Arc<Mutex<Vec<Arc<Later>>>>,
}

/// A version that the session did not begin with: one of its nodes calls another plugin.
#[derive(Debug)]
struct Later {
    mount: Arc<Mount<Served>>,
    pass: OwnedPass,
}

impl Held {
    pub(crate) fn new(dispatcher: Arc<Dispatcher>, leases: LeaseSet<Served>) -> Self {
        Self {
            dispatcher,
            leases,
            later: Arc::default(),
        }
    }

    /// What a session within this one holds: what this one does, and these node types as this one sees them.
    pub(crate) fn child(&self, node_types: &[&str]) -> Result<Self, CallError> {
        let then = self.leases.snapshot();
        let mut passes: Vec<_> = self.leases.passes_again().collect();
        let mut instead: Vec<Arc<Mount<Served>>> = Vec::new();
        for node_type in node_types {
            let route = then.slot(node_type).and_then(|slot| then.route(slot));
            let mount = route.ok_or_else(|| unknown(then, node_type))?.mount();
            if passes.iter().any(|pass| pass.belongs_to(mount.gate())) {
                continue;
            }
            let later = self.later(node_type, route, None)?;
            if !passes.iter().any(|pass| pass.belongs_to(later.mount.gate())) {
                passes.push(later.pass.again());
            }
            let known = |known: &Arc<Mount<Served>>| Arc::ptr_eq(known, &later.mount);
            if !Arc::ptr_eq(mount, &later.mount) && !instead.iter().any(known) {
                instead.push(Arc::clone(&later.mount));
            }
        }
        // Slots are of the snapshot that they are looked up in.
        let routes = match &*instead {
            [] => Arc::clone(then),
            instead => Arc::new(then.overlaid(instead)),
        };
        let slots = node_types.iter().map(|node_type| {
            let slot = routes
                .slot(node_type)
                .filter(|slot| routes.route(*slot).is_some());
            slot.ok_or_else(|| unknown(&routes, node_type))
        });
        let slots = slots.collect::<Result<Vec<_>, _>>()?;
        let leases = LeaseSet::beginning_with(passes, &routes, &slots).map_err(|_| CallError::Closing)?;
        Ok(Self {
            dispatcher: Arc::clone(&self.dispatcher),
            leases,
            later: Arc::clone(&self.later),
        })
    }

    /// Calls a node of a version that is held by this pass.
    #[inline]
    pub(crate) fn call<'o>(
        self: &Arc<Self>,
        pass: &OwnedPass,
        (mount, node): (&Arc<Mount<Served>>, u32),
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let place = mount.handle().place(node).ok_or(CallError::Closing)?;
        // A version that was swapped since goes on with the state as it was then.
        // Only a stateful node has to look at the clock.
        let hold = match place.is_stateful {
            true => {
                let begun = self.dispatcher.clock().now();
                Some(self.dispatcher.hold_state(mount, place, options, begun)?)
            }
            false => None,
        };
        let rest = hold.as_ref().map(|(_, left)| CallOptions {
            timeout: *left,
            ..*options
        });
        let options = rest.as_ref().unwrap_or(options);
        let target = Target {
            mount,
            place,
            held: Some(self),
            trial: None,
        };
        // Under the session's own pass: its version may have closed to everybody else.
        let inside = pass.renew();
        if !place.is_async {
            return self.dispatcher.call_sync(&inside, target, input, options, out);
        }
        let task = inside.extend(mount.gate()).ok_or(CallError::Closing)?;
        drop(inside);
        self.dispatcher.call_async(task, target, input, options, out)
    }

    /// Calls a node that a node of this session asks for.
    pub(crate) fn call_nested<'o>(
        self: &Arc<Self>,
        node_type: &str,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let limit = self.dispatcher.limits().depth;
        if options.depth > limit {
            return Err(CallError::TooDeep { limit });
        }
        let then = self.leases.snapshot();
        let route = then.slot(node_type).and_then(|slot| then.route(slot));
        if let Some(route) = route
            && let Some(pass) = self.leases.pass_for(route.mount())
        {
            return self.call(pass, (route.mount(), route.node()), input, options, out);
        }
        let later = self.later(node_type, route, options.timeout)?;
        let same = route.filter(|route| Arc::ptr_eq(route.mount(), &later.mount));
        let node = same.map(Route::node).or_else(|| later.mount.node_of(node_type));
        let node = node.ok_or_else(|| CallError::unknown(node_type))?;
        self.call(&later.pass, (&later.mount, node), input, options, out)
    }

    /// The version of a plugin that the session did not begin with: the one it called before; else the one of its
    /// snapshot; else, when that one has closed since, today's, which is woken when it sleeps.
    fn later(
        &self,
        node_type: &str,
        route: Option<&Route<Served>>,
        timeout: Option<Duration>,
    ) -> Result<Arc<Later>, CallError> {
        // Until it is leased: two calls at once must not find two versions.
        let mut later = self.later.lock();
        if let Some(route) = route {
            if let Some(known) = find(&later, route.mount().plugin()) {
                return Ok(known);
            }
            if let Some(known) = lease(&mut later, route.mount()) {
                return Ok(known);
            }
        }
        for _ in 0..TRIES {
            let today = self.dispatcher.registry().snapshot();
            let route = today.slot(node_type).and_then(|slot| today.route(slot));
            let mount = route.ok_or_else(|| unknown(&today, node_type))?.mount();
            if let Some(known) = find(&later, mount.plugin()) {
                return Ok(known);
            }
            // The session has that plugin, at a version without this node.
            if self.leases.of_plugin(mount.plugin()).is_some() {
                return Err(CallError::unknown(node_type));
            }
            if let Some(known) = lease(&mut later, mount) {
                return Ok(known);
            }
            self.dispatcher.reopened(mount, timeout, node_type)?;
        }
        Err(CallError::Closing)
    }
}

fn find(later: &[Arc<Later>], plugin: &PluginName) -> Option<Arc<Later>> {
    later.iter().find(|known| known.mount.plugin() == plugin).cloned()
}

fn lease(later: &mut Vec<Arc<Later>>, mount: &Arc<Mount<Served>>) -> Option<Arc<Later>> {
    let known = Arc::new(Later {
        pass: mount.enter_owned()?,
        mount: Arc::clone(mount),
    });
    later.push(Arc::clone(&known));
    Some(known)
}
