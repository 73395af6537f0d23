//! The table `[workflows]`.

use std::path::PathBuf;
use std::time::Duration;

use patchbay_runs::RunsConfig;
use serde::Deserialize;

use super::{ConfigError, bounded, set};

const MEBIBYTE: u64 = 1 << 20;
const GIBIBYTE: u64 = 1 << 30;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkflowsTable {
    pub(super) dir: Option<PathBuf>,
    env: Option<Vec<EnvName>>,
    script_ms: Option<u64>,
    script_memory_bytes: Option<u64>,
    threads: Option<u64>,
    plan_cache_bytes: Option<u64>,
    result_cache_bytes: Option<u64>,
    result_cache_from_us: Option<u64>,
    keep_runs: Option<u64>,
    keep_days: Option<u64>,
    keep_bytes: Option<u64>,
    grace_ms: Option<u64>,
}

/// The name of a variable of the environment.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct EnvName(String);

impl TryFrom<String> for EnvName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match name.is_empty() || name.contains(['=', '\0']) {
            true => Err("a name of the environment is not empty and has no `=` in it"),
            false => Ok(Self(name)),
        }
    }
}

impl WorkflowsTable {
    /// Lays the table over a configuration.
    pub(super) fn apply(&self, config: &mut RunsConfig) -> Result<(), ConfigError> {
        let bytes = |setting, value, least, most| bounded(setting, value, least, most, " bytes");
        let millis = |setting, value, least, most| bounded(setting, value, least, most, " milliseconds");
        let size = |value: Option<u64>| value.and_then(|value| usize::try_from(value).ok());
        if let Some(dir) = &self.dir {
            config.workflows = Some(dir.clone());
        }
        if let Some(env) = &self.env {
            config.env = env.iter().map(|EnvName(name)| name.clone()).collect();
        }
        let script = millis("workflows.script_ms", self.script_ms, 1, 60_000)?;
        set(&mut config.script_millis, script);
        let memory = bytes(
            "workflows.script_memory_bytes",
            self.script_memory_bytes,
            MEBIBYTE,
            4 * GIBIBYTE,
        )?;
        set(&mut config.script_memory, size(memory));
        let threads = bounded("workflows.threads", self.threads, 1, 256, "")?;
        set(&mut config.threads, size(threads));
        let most = 64 * GIBIBYTE;
        let plans = bytes(
            "workflows.plan_cache_bytes",
            self.plan_cache_bytes,
            MEBIBYTE,
            most,
        )?;
        set(&mut config.plan_bytes, plans);
        let results = bytes("workflows.result_cache_bytes", self.result_cache_bytes, 0, most)?;
        set(&mut config.result_bytes, results);
        let from = bounded(
            "workflows.result_cache_from_us",
            self.result_cache_from_us,
            0,
            60_000_000,
            " microseconds",
        )?;
        set(&mut config.result_from, from.map(Duration::from_micros));
        let runs = bounded("workflows.keep_runs", self.keep_runs, 1, 1_000_000_000, "")?;
        set(&mut config.keep.runs, runs);
        let days = bounded("workflows.keep_days", self.keep_days, 1, 36_500, " days")?;
        set(
            &mut config.keep.days,
            days.and_then(|days| u32::try_from(days).ok()),
        );
        let kept = bytes(
            "workflows.keep_bytes",
            self.keep_bytes,
            16 * MEBIBYTE,
            1_024 * GIBIBYTE,
        )?;
        set(&mut config.keep.bytes, kept);
        let grace = millis("workflows.grace_ms", self.grace_ms, 0, 60_000)?;
        set(&mut config.grace, grace.map(Duration::from_millis));
        Ok(())
    }
}
