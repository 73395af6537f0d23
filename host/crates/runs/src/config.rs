//! How workflows are run on a host.

use std::path::PathBuf;
use std::time::Duration;

use patchbay_dispatch::TenantRules;
use patchbay_journal::Retention;

/// How workflows are run on a host. Start from the default and change fields.
#[derive(Clone, Debug)]
pub struct RunsConfig {
    /// How many runs are kept, and for how long.
    pub keep: Retention,
    /// Threads that run nodes which are not polled.
    pub threads: usize,
    /// Milliseconds that one evaluation of a script may take.
    pub script_millis: u64,
    /// Bytes that one evaluation of a script may allocate.
    pub script_memory: usize,
    /// Bytes of one node's output, and of one expression's value.
    pub output_bytes: usize,
    /// How long a run that was told to end may take to do so.
    pub grace: Duration,
    /// Bytes of compiled workflows that are kept.
    pub plan_bytes: u64,
    /// Bytes of results of pure nodes that are kept; 0 for none.
    pub result_bytes: u64,
    /// Results of pure nodes that take this long, or longer, are kept.
    pub result_from: Duration,
    /// Variables of the environment that workflows may read as `$env`.
    pub env: Vec<String>,
    /// Which node types tenants may use, also through nodes that call others.
    pub rules: TenantRules,
    /// A directory of workflow documents that the host serves; none when `None`.
    pub workflows: Option<PathBuf>,
    /// Whether schedules and webhooks start runs.
    pub triggers: Triggers,
}

/// Whether schedules and webhooks start runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Triggers {
    /// They do.
    #[default]
    On,
    /// They do not; runs that somebody asks for begin all the same.
    Off,
}

impl Default for RunsConfig {
    fn default() -> Self {
        Self {
            keep: Retention::default(),
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            script_millis: 1_000,
            script_memory: 64 << 20,
            output_bytes: 64 << 20,
            grace: Duration::from_millis(500),
            plan_bytes: 256 << 20,
            result_bytes: 64 << 20,
            result_from: Duration::from_micros(50),
            env: Vec::new(),
            rules: TenantRules::default(),
            workflows: None,
            triggers: Triggers::On,
        }
    }
}
