//! What the two caches of the host count: instances of nodes, and mapped plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_dispatch::{InstanceCounts, Served};
use patchbay_registry::Mount;
use patchbay_vocab::PluginName;

use crate::conductor::Message;
use crate::event::EventKind;
use crate::lifecycle::Lifecycle;
use crate::wake::SleepCounts;

impl Lifecycle {
    /// The instances of each plugin's stateful nodes in numbers, in the order of the names.
    #[must_use]
    pub fn instances(&self) -> BTreeMap<PluginName, InstanceCounts> {
        let mut all = self.past_instances().lock().clone();
        for status in self.registry().plugins() {
            let loads = status
                .revisions
                .iter()
                .flat_map(|revision| self.registry().loads(&status.plugin, revision.number));
            let counts = loads
                .filter(|mount| mount.handle().plugin().keeps_state())
                .map(|mount| mount.handle().plugin().instances())
                .reduce(InstanceCounts::plus);
            if let Some(counts) = counts {
                let sum = all.entry(status.plugin).or_default();
                *sum = sum.plus(counts);
            }
        }
        all
    }

    /// Sleeps and wakes in numbers.
    #[must_use]
    pub fn sleeps(&self) -> SleepCounts {
        self.wakes().counts()
    }

    /// A load's gate was closed for it to sleep.
    pub(crate) fn fell_asleep(&self, mount: &Arc<Mount<Served>>) {
        self.wakes().slept();
        self.send(Message::Asleep(Arc::clone(mount)));
    }

    /// A fresh load has taken the place of one that slept.
    pub(crate) fn woke(&self, asleep: &Mount<Served>, micros: u64) {
        self.wakes().woke(asleep.plugin(), asleep.revision(), micros);
        // Otherwise the conductor does when it is.
        if asleep.handle().plugin().mapped_bytes() == 0 {
            self.forget_replaced(asleep);
        }
        self.tell_of(asleep, EventKind::Awake { micros });
    }

    /// Forgets a load that slept and is unmapped, once it was replaced; says whether it was.
    pub(crate) fn forget_replaced(&self, mount: &Mount<Served>) -> bool {
        let forgotten = self.registry().forget(mount).is_ok();
        if forgotten {
            self.remember_instances(mount);
        }
        forgotten
    }

    /// Keeps what a load counted that is gone.
    pub(crate) fn remember_instances(&self, mount: &Mount<Served>) {
        let plugin = mount.handle().plugin();
        if !plugin.keeps_state() {
            return;
        }
        let gone = InstanceCounts {
            live: 0,
            parked: 0,
            parked_bytes: 0,
            ..plugin.instances()
        };
        let mut past = self.past_instances().lock();
        let sum = past.entry(mount.plugin().clone()).or_default();
        *sum = sum.plus(gone);
    }
}
