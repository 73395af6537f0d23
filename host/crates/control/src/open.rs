//! Putting a host together.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use patchbay_delivery::{Delivery, Mode, Policies, Remembering};
use patchbay_dispatch::{Dispatcher, HandOverLimits, Limits, Served};
use patchbay_intake::{StageConfig, WatchConfig};
use patchbay_isolate::ProbeConfig;
use patchbay_lifecycle::{IdleConfig, Lifecycle, LifecycleConfig, ParkLimits, Parts};
use patchbay_registry::Registry;
use patchbay_runs::{Runs, Triggers};
use patchbay_state::{Remembered, State, StateConfig};
use patchbay_vocab::{Clock, Explain, SystemClock, kill_point};
use tokio::sync::broadcast;

use crate::comeback::{bring_back, go_live, known_files, on_decided, on_event, on_file, on_load};
use crate::listing::EventLog;
use crate::once::Keys;
use crate::patchbay::Inner;
use crate::recordings::{Journaled, reach};
use crate::{Config, OpenError};

/// Events a slow subscriber may lag behind before it loses some.
const EVENTS_KEPT: usize = 1024;

pub(crate) fn open(config: Config) -> Result<Inner, OpenError> {
    if patchbay_isolate::is_child() {
        return Err(OpenError::IsChild);
    }
    let contract = config.inspect.contract;
    make_dir(&config.plugins, 0o755)?;
    make_dir(&config.data, 0o700)?;
    let lock = lock(&config.data)?;
    // Absolute, since children work from another folder.
    let data = absolute(&config.data)?;
    let plugins = absolute(&config.plugins)?;
    let data_dir = data.clone();
    let maps = data.join("maps");
    make_dir(&maps, 0o700)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.workflows.threads.clamp(1, 4))
        .thread_name("pb-tasks")
        .enable_time()
        .build()
        .map_err(OpenError::Runtime)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let registry = Arc::new(Registry::new(Arc::clone(&clock), config.same_version));
    let state = StateConfig::within(&data, env!("CARGO_PKG_VERSION"));
    let (state, remembered) = State::open(&state, Arc::clone(&clock))?;
    let state = Arc::new(state);
    let ground = Ground {
        contract,
        data,
        data_dir,
        plugins,
        maps,
        runtime,
        clock,
        registry,
        lock,
    };
    let opened = put_together(config, ground, Arc::clone(&state), remembered);
    if opened.is_err() {
        // It ends by order, and says why: that is no crash.
        if let Err(error) = state.end_clean(Duration::from_secs(2)) {
            tracing::warn!(error = %error.chain(), "the end of the host could not be remembered");
        }
    }
    opened
}

/// What a host stands on, before anything of it can fail for what its configuration says.
struct Ground {
    contract: plugin_api::Contract,
    data: PathBuf,
    data_dir: PathBuf,
    plugins: PathBuf,
    maps: PathBuf,
    runtime: tokio::runtime::Runtime,
    clock: Arc<dyn Clock>,
    registry: Arc<Registry<Served>>,
    lock: File,
}

fn put_together(
    mut config: Config,
    ground: Ground,
    state: Arc<State>,
    mut remembered: Remembered,
) -> Result<Inner, OpenError> {
    let Ground {
        contract,
        data,
        data_dir,
        plugins,
        maps,
        runtime,
        clock,
        registry,
        lock,
    } = ground;
    let start = patchbay_delivery::begin(&registry, &remembered, config.delivery.mode, clock.wall());
    let store = StageConfig {
        dir: data.join("artifacts"),
        max_bytes: config.max_plugin_bytes,
        free_bytes_min: config.min_free_bytes,
    };
    let kept = store.clone();
    registry.witnessed_by(Box::new(Remembering {
        state: Arc::clone(&state),
        bytes_of: Box::new(move |digest| kept.bytes_of(digest)),
    }));
    let policies = Arc::new(Policies::new(
        config.delivery.policy.clone(),
        config.delivery.policies.clone(),
        &remembered.policies,
    ));
    let (arrivals, inbox) = patchbay_delivery::channel();
    let limits = Limits {
        output_bytes: config.max_output_bytes,
        depth: config.max_call_depth,
    };
    let dispatcher = Dispatcher::new(
        Arc::clone(&registry),
        Arc::clone(&clock),
        runtime.handle().clone(),
        limits,
    );
    dispatcher.set_rules(config.workflows.rules.clone());
    for (tenant, name, value) in &config.secrets {
        dispatcher.stores().set_secret(tenant, name, value);
    }
    for (tenant, name, value) in &config.settings {
        dispatcher.stores().set_setting(tenant.as_ref(), name, value);
    }
    let (events, _) = broadcast::channel(EVENTS_KEPT);
    let log = Arc::new(EventLog::new(events, Arc::clone(&clock)));
    let probe = ProbeConfig {
        helper: config.probe_helper,
        deadline: config.probe_deadline,
        store: store.dir.clone(),
        max_bytes: config.max_plugin_bytes,
        maps: maps.clone(),
        memory_bytes: config.probe_memory,
    };
    let lifecycle = LifecycleConfig {
        watch: WatchConfig {
            dir: plugins,
            stable_for: config.stable_for,
            rescan: config.rescan,
        },
        store,
        maps,
        verdicts: data.join("verdicts"),
        data,
        trust: config.trust,
        policy: config.inspect,
        probe,
        history_limit: config.history_limit,
        handover: HandOverLimits {
            within: config.handover_within,
            state_bytes: config.max_output_bytes,
        },
        idle: IdleConfig {
            instances: ParkLimits {
                idle_after: config.instances.idle_after,
                instances: config.instances.max,
                state_bytes: config.max_output_bytes,
                parked_bytes: config.instances.parked_bytes,
            },
            plugins_after: config.plugins_idle_after,
        },
        on_delete: config.on_delete,
        vetting_threads: config.vetting_threads,
    };
    let lifecycle = Lifecycle::start(
        lifecycle,
        Parts {
            registry: Arc::clone(&registry),
            dispatcher: Arc::clone(&dispatcher),
            clock: Arc::clone(&clock),
            on_event: on_event(&log),
            go_live: go_live(&start, &policies),
            files: known_files(std::mem::take(&mut remembered.files)),
            on_file: on_file(&state),
            on_load: on_load(&state, &registry),
            on_decided: on_decided(&state, arrivals),
        },
    )?;
    kill_point("host.restored");
    let instead = bring_back(&start, &lifecycle, &registry, &log);
    kill_point("host.reinstated");
    let mode = match (&start.why, config.delivery.mode) {
        (None, _) => "normal",
        (Some(_), Mode::Safe) => "safe",
        (Some(_), Mode::Normal | Mode::Recovered) => {
            config.delivery.mode = Mode::Recovered;
            "recovered"
        }
    };
    if start.why.is_none() {
        for (plugin, number) in &remembered.arrivals {
            lifecycle.arrived_before(plugin, *number);
        }
    }
    if start.leaves_directory_alone {
        lifecycle.leave_directory_alone();
    } else {
        lifecycle.watch()?;
    }
    if !config.ready_within.is_zero() && !lifecycle.wait_ready(config.ready_within) {
        tracing::warn!("serving before every file of the plugin directory was vetted");
    }
    let mut workflows = config.workflows;
    if mode == "safe" {
        workflows.triggers = Triggers::Off;
    }
    if let Some(dir) = &mut workflows.workflows {
        make_dir(dir, 0o755)?;
        *dir = absolute(dir)?;
    }
    let parts = patchbay_runs::Parts {
        journal: data_dir.join("journal.db"),
        registry: Arc::clone(&registry),
        dispatcher: Arc::clone(&dispatcher),
        lifecycle: Arc::clone(&lifecycle),
        clock: Arc::clone(&clock),
        tasks: runtime.handle().clone(),
    };
    let runs = Runs::open(workflows, parts).map_err(OpenError::Runs)?;
    let told = Arc::clone(&log);
    let delivery = Delivery::start(
        config.delivery,
        policies,
        &remembered.rollouts,
        inbox,
        patchbay_delivery::Parts {
            registry: Arc::clone(&registry),
            dispatcher: Arc::clone(&dispatcher),
            lifecycle: Arc::clone(&lifecycle),
            state: Arc::clone(&state),
            clock: Arc::clone(&clock),
            recordings: Box::new(Journaled(Arc::downgrade(&runs))),
            reach: reach(&runs),
            on_event: Box::new(move |event| told.add_delivery(event)),
        },
    )?;
    kill_point("host.opened");
    Ok(Inner {
        runs,
        registry,
        dispatcher,
        lifecycle,
        delivery,
        state,
        closed: std::sync::atomic::AtomicBool::new(false),
        keys: Keys::default(),
        mode,
        instead,
        log,
        clock,
        contract,
        runtime: Some(runtime),
        _lock: lock,
    })
}

fn make_dir(path: &Path, mode: u32) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(|cause| OpenError::Directory {
            path: path.to_owned(),
            cause,
        })
}

fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    fs::canonicalize(path).map_err(|cause| OpenError::Directory {
        path: path.to_owned(),
        cause,
    })
}

/// Takes the data directory for this process; the system gives it back when the process ends, however it ends.
pub(crate) fn lock(data: &Path) -> Result<File, OpenError> {
    let path = data.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(|cause| OpenError::Directory {
        path: path.clone(),
        cause,
    })?;
    match patchbay_state::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: data.to_owned(),
        }),
        Err(fs::TryLockError::Error(cause)) => Err(OpenError::Directory { path, cause }),
    }
}
