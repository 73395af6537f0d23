//! What a host is made from.

use std::path::PathBuf;
use std::time::Duration;

use patchbay_delivery::DeliveryConfig;
use patchbay_intake::InspectPolicy;
use patchbay_intake::signature::TrustPolicy;
use patchbay_isolate::ProbeConfig;
use patchbay_lifecycle::OnDelete;
use patchbay_registry::SameVersion;
use patchbay_runs::RunsConfig;
use patchbay_vocab::TenantId;

/// What a host is made from. Start from [`Config::new`] and change fields.
#[derive(Clone, Debug)]
pub struct Config {
    /// The watched directory; made when it is not there.
    pub plugins: PathBuf,
    /// Where the host keeps artifacts, verdicts and private copies; one host at a time.
    pub data: PathBuf,
    /// The executable that serves as the child for trial loads; its `main` begins with `serve_if_asked`.
    pub probe_helper: PathBuf,
    /// How long one trial load may take.
    pub probe_deadline: Duration,
    /// Address space a trial load may take, in bytes.
    pub probe_memory: u64,
    /// Who may sign plugins, and whether they must be signed.
    pub trust: TrustPolicy,
    /// What is demanded of a file before it is mapped.
    pub inspect: InspectPolicy,
    /// The largest plugin file, in bytes.
    pub max_plugin_bytes: u64,
    /// How much of the data directory's disk must stay free, in bytes.
    pub min_free_bytes: u64,
    /// How long a file that nobody closed must stay the same before it is taken.
    pub stable_for: Duration,
    /// How often the directory is listed, to find what events missed.
    pub rescan: Duration,
    /// Versions kept warm beside the live one: what a rollback needs no load for.
    pub history_limit: usize,
    /// How long a swap waits for calls inside nodes that keep state, before it hands the state over.
    pub handover_within: Duration,
    /// When instances of nodes that keep state are parked.
    pub instances: InstanceConfig,
    /// How long a plugin has to be without a call to be unmapped, until the next call maps it again; `None` for never.
    pub plugins_idle_after: Option<Duration>,
    /// How versions go live, when they are taken out of service, what is kept of old ones.
    pub delivery: DeliveryConfig,
    /// What the removal of a file means.
    pub on_delete: OnDelete,
    /// What another content under a known version means.
    pub same_version: SameVersion,
    /// Files that are vetted at the same time.
    pub vetting_threads: usize,
    /// Bytes of one encoded output.
    pub max_output_bytes: usize,
    /// How deep nodes may call each other.
    pub max_call_depth: u32,
    /// How long [`Patchbay::open`](crate::Patchbay::open) waits for the files that are there; zero to not wait.
    pub ready_within: Duration,
    /// How workflows are run.
    pub workflows: RunsConfig,
    /// Secrets: tenant, name, value.
    pub secrets: Vec<(TenantId, String, String)>,
    /// What plugins are told: tenant (`None` for all that have none of their own), name, value.
    pub settings: Vec<(Option<TenantId>, String, String)>,
}

/// When instances of nodes that keep state are parked: their state is saved and kept, and the instance made again by the
/// next call of its tenant and configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceConfig {
    /// How long an instance has to be without a call; `None` for never.
    pub idle_after: Option<Duration>,
    /// Instances of one plugin that may stay; beyond it, those that were used longest ago are parked.
    pub max: usize,
    /// Bytes of state that are kept for one plugin; an instance for whose state there is no room stays.
    pub parked_bytes: usize,
}

impl Default for InstanceConfig {
    fn default() -> Self {
        Self {
            idle_after: Some(Duration::from_secs(600)),
            max: 10_000,
            parked_bytes: 64 << 20,
        }
    }
}

impl Config {
    /// The standard configuration over two directories.
    #[must_use]
    pub fn new(plugins: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        let data = data.into();
        Self {
            plugins: plugins.into(),
            workflows: RunsConfig::default(),
            data,
            probe_helper: ProbeConfig::own_executable(),
            probe_deadline: Duration::from_secs(10),
            probe_memory: 4 << 30,
            trust: TrustPolicy::default(),
            inspect: InspectPolicy::standard(),
            max_plugin_bytes: 256 << 20,
            min_free_bytes: 64 << 20,
            stable_for: Duration::from_millis(500),
            rescan: Duration::from_secs(10),
            history_limit: 2,
            handover_within: Duration::from_secs(1),
            instances: InstanceConfig::default(),
            plugins_idle_after: None,
            delivery: DeliveryConfig::default(),
            on_delete: OnDelete::Keep,
            same_version: SameVersion::Refuse,
            vetting_threads: 2,
            max_output_bytes: 64 << 20,
            max_call_depth: 32,
            ready_within: Duration::from_secs(60),
            secrets: Vec::new(),
            settings: Vec::new(),
        }
    }
}
