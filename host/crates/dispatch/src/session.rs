//! A run's hold on the versions it began with.

use std::sync::Arc;

use patchbay_registry::LeaseSet;
use plugin_api::value::ValueRef;

use crate::Output;
use crate::dispatcher::{Answer, CallOptions, Dispatcher};
use crate::error::{CallError, ServedBy};
use crate::served::Served;

/// Several nodes held at one version each, for a run: a swap meanwhile changes nothing for it. What a swap hands over
/// is the state as it was then; what the session's nodes change after it stays with the old version.
#[derive(Debug)]
pub struct Session {
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) leases: LeaseSet<Served>,
}

impl Session {
    /// The generation of the snapshot that the session holds.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.leases.snapshot().generation()
    }

    /// The plugin and version that the node at `position` is held at.
    #[must_use]
    pub fn served_by(&self, position: usize) -> Option<ServedBy> {
        let mount = self.leases.at(position)?.route.mount();
        Some(ServedBy {
            plugin: mount.plugin().clone(),
            version: mount.version().clone(),
        })
    }

    /// Calls the node at `position` of the session's list.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn call<'o>(
        &self,
        position: usize,
        input: ValueRef<'_>,
        options: &CallOptions<'_>,
        out: &'o mut Output,
    ) -> Result<Answer<'o>, CallError> {
        let leased = self.leases.at(position).ok_or_else(|| CallError::UnknownNode {
            node_type: options.node.to_owned(),
            nearest: None,
        })?;
        let mount = leased.route.mount();
        let place = mount
            .handle()
            .place(leased.route.node())
            .ok_or(CallError::Closing)?;
        // A version that was swapped since goes on with the state as it was then.
        // Only a stateful node has to look at the clock.
        let held = match place.is_stateful {
            true => {
                let begun = self.dispatcher.clock().now();
                Some(self.dispatcher.hold_state(mount, place, options, begun)?)
            }
            false => None,
        };
        let rest = held.as_ref().map(|(_, left)| CallOptions {
            timeout: *left,
            ..*options
        });
        let options = rest.as_ref().unwrap_or(options);
        // Under the session's own pass: its version may have closed to everybody else.
        let inside = leased.pass.renew();
        if !place.is_async {
            return self
                .dispatcher
                .call_sync(&inside, mount, place, input, options, out);
        }
        let task = inside.extend(mount.gate()).ok_or(CallError::Closing)?;
        drop(inside);
        self.dispatcher
            .call_async(task, mount, place, input, options, out)
    }
}
