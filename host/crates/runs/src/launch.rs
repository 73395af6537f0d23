//! From an order to a run: what it runs on is fitted and held, then it begins.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_dispatch::{CallError, Mount, NodeSlot, Routes, Served, Variables};
use patchbay_executor::{Admitted, Finished, Jitter, Place, Prepared, Refusal, RunRequest};
use patchbay_registry::Selector;
use patchbay_vocab::{PluginName, RunId, TenantId};
use patchbay_workflow::Findings;
use plugin_api::value::Value;
use tokio::sync::oneshot;

use crate::begun::{Begun, Ended, Over};
use crate::choice::{Chooser, Chosen, Drawer, Whose};
use crate::compiled::{Bound, Compiled, Reading, Seen};
use crate::error::RunsError;
use crate::family::Family;
use crate::hold::{HostHold, places};
use crate::live::{Live, Watch, Who};
use crate::order::{Order, context_of, tenant_of, variables_of};
use crate::record::{self, About};
use crate::recorder::Told;
use crate::runs::Runs;

/// How often a run is begun anew when a version it was to hold has gone meanwhile.
const TRIES: u32 = 64;

impl Runs {
    /// Begins a run.
    ///
    /// # Errors
    /// Why there is none.
    pub fn begin(self: &Arc<Self>, order: Order) -> Result<Begun, RunsError> {
        Ok(self.begin_seen(order, |_| ())?.0)
    }

    /// Begins a run that is watched from its very beginning.
    ///
    /// # Errors
    /// Why there is none.
    pub fn begin_watched(self: &Arc<Self>, order: Order) -> Result<(Begun, Watch), RunsError> {
        self.begin_seen(order, Live::watch)
    }

    /// Begins a run, which `see` sees before anything happens in it.
    fn begin_seen<T>(
        self: &Arc<Self>,
        order: Order,
        see: impl FnOnce(&Live) -> T,
    ) -> Result<(Begun, T), RunsError> {
        if self.is_closed() {
            return Err(closing());
        }
        if self.journal.is_behind() || self.recorder.is_behind() {
            return Err(RunsError::Behind);
        }
        let compiled = match self.compile(&order.text) {
            Reading::Fit(compiled) => compiled,
            Reading::Unfit(_) => return Err(self.unfit(&order.text, order.tenant.as_ref())),
        };
        let tenant = tenant_of(&order, &compiled)?;
        let mounts = self.versions(&order.versions)?;
        // Refused at once, also where it would have to wait.
        let chooser = Chooser {
            wants: &compiled.wants,
            whose: Whose::Run(&tenant, &compiled.plan.id),
            asked: &mounts,
        };
        let live = self.registry.snapshot();
        let chosen = self.choose(&live, chooser, None)?;
        let (routes, seen) = self.overlays.over(live, &chosen.mounts);
        self.fit(&compiled, &routes, seen, &tenant, &chosen)?;
        drop(routes);
        let key = match compiled.plan.rate.as_ref().map(|rate| rate.key.as_str()) {
            None | Some("workflow" | "") => String::new(),
            Some("user") => order.user.as_ref().map(Value::to_json).unwrap_or_default(),
            Some(_) => tenant.as_str().to_owned(),
        };
        let id = self.fresh_id();
        let (sender, mut ended) = oneshot::channel();
        let plan = Arc::clone(&compiled.plan);
        let live = Live::new(
            Who {
                id: id.clone(),
                workflow: plan.id.clone(),
                name: plan.name.as_str().into(),
                tenant: tenant.clone(),
                trigger: order.kind.as_str(),
                parent: order.again.as_ref().map(|again| again.replay.of.clone()),
            },
            self.ground.clock.wall(),
            Launch {
                order,
                compiled,
                tenant: tenant.clone(),
                mounts,
                ended: sender,
            },
        );
        let seen = see(&live);
        self.live.lock().insert(id.clone(), Arc::clone(&live));
        // Only now is it sure to be ended by whoever closes.
        if self.is_closed() {
            self.forget(&id);
            return Err(closing());
        }
        // A host that is dropped does not wait for those that wait.
        let runs = Arc::downgrade(self);
        let start = Box::new(move |place| {
            if let Some(runs) = runs.upgrade() {
                runs.launch(&live, place);
            }
        });
        let Some(executor) = self.executor.get() else {
            self.forget(&id);
            return Err(RunsError::Unavailable("it is starting".into()));
        };
        match executor.admit(&plan, &tenant, &key, start) {
            Ok(admitted) => {
                let queued = admitted == Admitted::Queued;
                // What could not begin says so at once.
                if !queued && let Ok(outcome) = ended.try_recv() {
                    if let Err(error) = outcome {
                        return Err(error);
                    }
                    let (sender, again) = oneshot::channel();
                    let _ = sender.send(outcome);
                    return Ok((Begun::new(id, queued, again), seen));
                }
                Ok((Begun::new(id, queued, ended), seen))
            }
            Err(refusal) => {
                self.forget(&id);
                Err(match refusal {
                    Refusal::TooOften {
                        requests,
                        window,
                        again,
                    } => RunsError::TooOften {
                        requests,
                        window,
                        again,
                    },
                    Refusal::QueueFull => RunsError::QueueFull,
                })
            }
        }
    }

    /// The document on a snapshot; refused when it cannot be run there, or what was chosen is not what it asks for.
    pub(crate) fn fit(
        &self,
        compiled: &Arc<Compiled>,
        routes: &Routes,
        seen: Seen,
        tenant: &TenantId,
        chosen: &Chosen,
    ) -> Result<Arc<Bound>, RunsError> {
        let bound = match seen {
            Seen::Shared(stand) => self.bind(compiled, (routes, stand), tenant),
            Seen::Alone => Arc::new(compiled.bind_anew(&self.view(routes, Some(tenant)))),
        };
        if bound.fatal || chosen.is_impossible() {
            let findings = Box::new(chosen.told(compiled.findings(&bound)));
            return Err(RunsError::Refused { findings });
        }
        Ok(bound)
    }

    /// Holds what a run needs, all of the one snapshot that its document was checked on.
    fn take_hold(
        &self,
        compiled: &Arc<Compiled>,
        asked: &[Arc<Mount<Served>>],
        (tenant, run): (&TenantId, &RunId),
        variables: Arc<Variables>,
        family: &Arc<Family>,
    ) -> Result<Held, RunsError> {
        let mut asked = asked.to_vec();
        let mut drawn = Vec::new();
        let mut last = CallError::Closing;
        for _ in 0..TRIES {
            let live = self.registry.snapshot();
            let chooser = Chooser {
                wants: &compiled.wants,
                whose: Whose::Run(tenant, &compiled.plan.id),
                asked: &asked,
            };
            let drawer = Drawer {
                tenant,
                run,
                variables: &variables,
                drawn: &mut drawn,
            };
            let mut chosen = self.choose(&live, chooser, Some(drawer))?;
            let (routes, seen) = self.overlays.over(live, &chosen.mounts);
            let bound = self.fit(compiled, &routes, seen, tenant, &chosen)?;
            // Types that nothing has are not held: their nodes are refused one by one.
            let routed = |slot: &Option<NodeSlot>| slot.filter(|slot| routes.route(*slot).is_some());
            let (places, wanted) = places(bound.slots.iter().map(routed));
            let dispatcher = &self.ground.dispatcher;
            match dispatcher.session_within(&routes, &wanted, &mut chosen.mounts) {
                Ok(session) => {
                    let (ground, plan) = (&self.ground, &compiled.plan);
                    let hold = HostHold::of(ground, family, plan, places, (session, seen), variables);
                    let findings = chosen.told(compiled.findings(&bound));
                    return Ok(Held {
                        bound,
                        hold,
                        findings,
                    });
                }
                // A version has gone since the look, or was woken: look again.
                Err(error) => last = error,
            }
            for mount in &mut asked {
                let same = |load: &&Arc<Mount<Served>>| load.plugin() == mount.plugin();
                if let Some(fresh) = chosen.mounts.iter().find(same) {
                    *mount = Arc::clone(fresh);
                }
            }
        }
        Err(RunsError::Hold(last))
    }

    fn versions(
        &self,
        wanted: &BTreeMap<PluginName, String>,
    ) -> Result<Arc<[Arc<Mount<Served>>]>, RunsError> {
        let mut mounts = Vec::new();
        for (plugin, version) in wanted {
            let selector: Selector = version.parse().map_err(|_| RunsError::Input {
                what: "versions",
                why: format!("`{version}` is neither a version such as 1.2.0 nor a revision such as r3"),
            })?;
            let mount = self.ground.lifecycle.warm(plugin, Some(&selector));
            mounts.push(mount.map_err(|cause| RunsError::Version {
                plugin: plugin.to_string(),
                version: version.clone(),
                cause: Box::new(cause),
            })?);
        }
        Ok(mounts.into())
    }

    /// A run has its place: begins it, or tells why it cannot begin.
    fn launch(self: &Arc<Self>, live: &Arc<Live>, place: Place) {
        let mut place = Some(place);
        // One that was ended while it waited is no longer there.
        if let Some(launch) = live.launch() {
            let mut ended = None;
            if let Err(error) = self.try_launch(live, *launch, &mut ended, &mut place) {
                self.forget(&live.id);
                if let Some(ended) = ended {
                    // Nobody may wait any more.
                    let _ = ended.send(Err(error));
                }
            }
        }
        if let Some(place) = place {
            // Not here: whoever gives out places is on this stack, and thousands may not begin, one after the other.
            self.tasks.spawn_blocking(move || drop(place));
        }
    }

    /// Takes the place, and keeps who is told of the end, only when the run has begun.
    fn try_launch(
        self: &Arc<Self>,
        live: &Arc<Live>,
        launch: Launch,
        told_of_end: &mut Option<Ended>,
        place: &mut Option<Place>,
    ) -> Result<(), RunsError> {
        let Launch {
            order,
            compiled,
            tenant,
            mounts,
            ended,
        } = launch;
        *told_of_end = Some(ended);
        let plan = &compiled.plan;
        let variables = Arc::new(variables_of(&order, plan)?);
        let family = Family::new(Arc::downgrade(self));
        let whose = (&tenant, &live.id);
        let held = self.take_hold(&compiled, &mounts, whose, variables, &family)?;
        let Held {
            bound,
            hold,
            findings,
        } = held;
        let begins_with = hold.variables().all();
        let about = About {
            workflow: plan.id.clone(),
            name: plan.name.as_str().into(),
            text: Arc::clone(&compiled.text),
            digest: compiled.digest,
            trigger: order.kind,
            parent: None,
            replay: order.again.as_ref().map(|again| again.replay.clone()),
            variables: begins_with,
            save: plan.save,
            warnings: record::findings(&findings),
        };
        family.begins(about.clone());
        let starts = match &order.from {
            None => None,
            Some(node) => Some(vec![place_of(&bound.prepared, node).ok_or_else(|| {
                RunsError::Input {
                    what: "from",
                    why: format!("the workflow has no node `{node}`"),
                }
            })?]),
        };
        let given = order.again.as_ref().map(|again| again.given.clone());
        let Some(executor) = self.executor.get() else {
            return Err(RunsError::Unavailable("it is starting".into()));
        };
        let request = RunRequest {
            id: live.id.clone(),
            prepared: Arc::clone(&bound.prepared),
            tenant: tenant.clone(),
            hold: Arc::new(hold),
            context: context_of(&tenant, order.user.as_ref(), &live.id),
            trigger: order.trigger.clone(),
            starts,
            given: given.unwrap_or_default(),
            timeout: order.timeout,
            jitter: match order.again {
                Some(_) => Jitter::Off,
                None => Jitter::AsPlanned,
            },
            observer: Some(Arc::clone(live) as Arc<dyn patchbay_executor::Observer>),
            children: Some(family),
            parent: None,
            depth: 0,
            place: place.take(),
        };
        let (runs, id, told) = (Arc::downgrade(self), live.id.clone(), about.clone());
        let ended = told_of_end.take();
        let on_end = Box::new(move |finished: Finished| {
            let finished = Arc::new(finished);
            if let Some(runs) = runs.upgrade() {
                runs.recorder
                    .tell(Told::Ended(Arc::clone(&finished), told.clone()));
                runs.forget(&id);
            }
            if let Some(ended) = ended {
                let _ = ended.send(Ok(Over::Finished(finished, Box::new(told))));
            }
        });
        // Before it can end: what is told of a run is told in order.
        let beginning = record::Beginning {
            id: &request.id,
            tenant: &request.tenant,
            trigger: &request.trigger,
        };
        let start = record::begun(&beginning, &about, self.ground.clock.wall());
        self.recorder.tell(Told::Begun(Box::new(start), about.save));
        let run = executor.run(request, on_end);
        live.begun(&run);
        Ok(())
    }
}

/// What a run begins with.
struct Held {
    bound: Arc<Bound>,
    hold: HostHold,
    /// What is to be said of the document and of the versions.
    findings: Findings,
}

/// What is kept of an order until it has its place.
pub(crate) struct Launch {
    pub(crate) order: Order,
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) tenant: TenantId,
    mounts: Arc<[Arc<Mount<Served>>]>,
    /// Who is told of its end.
    pub(crate) ended: Ended,
}

fn closing() -> RunsError {
    RunsError::Unavailable("it is shutting down".into())
}

pub(crate) fn place_of(prepared: &Prepared, node: &str) -> Option<u32> {
    let names = &prepared.plan().names;
    names
        .iter()
        .find(|(name, _)| **name == *node)
        .map(|(_, index)| *index)
}
