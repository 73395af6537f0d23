//! The configuration file, `patchbay.toml`.
//!
//! ```toml
//! listen = "127.0.0.1:7411"
//! plugins = "plugins"              # paths are relative to this file
//! data = ".patchbay"
//!
//! [lifecycle]
//! history_limit = 2                # versions kept warm beside the live one
//! handover_ms = 1000               # how long a swap waits for calls inside nodes that keep state
//! go_live = "immediate"            # or "manual": the policy of plugins that have none, when `[rollout]` says none
//! on_delete = "keep"               # or "retire"
//! stable_for_ms = 500              # how long a file is left alone before it is taken in
//! rescan_ms = 10000                # how often the directory is read beside its events
//! instances_idle_after_ms = 600000 # when an instance that keeps state is parked; 0 for never
//! instances_max = 10000            # instances of one plugin that may stay; the longest unused are parked
//! instances_parked_bytes = 67108864 # what is kept of parked instances of one plugin
//! unmap_idle_after_ms = 0          # when a plugin without calls is unmapped until the next call; 0 for never
//!
//! [probe]
//! deadline_ms = 10000
//! memory_bytes = 4294967296        # address space of the child
//! helper = "bin/patchbay"          # what makes the trial loads; this program when left out
//!
//! [limits]
//! plugin_bytes = 268435456
//! output_bytes = 67108864
//! call_depth = 32
//!
//! [workflows]
//! dir = "workflows"                # documents that are served: their schedules and webhooks start runs
//! env = ["REGION"]                 # variables of the environment that workflows may read as `$env`
//! script_ms = 1000                 # what one evaluation of a script may take
//! script_memory_bytes = 67108864
//! threads = 2                      # as many as there are processors when left out
//! plan_cache_bytes = 268435456     # compiled documents
//! result_cache_bytes = 67108864    # results of pure nodes; 0 for none
//! result_cache_from_us = 50        # of those that take this long, or longer
//! keep_runs = 1000000              # what the journal keeps of runs at most
//! keep_days = 30
//! keep_bytes = 8589934592
//! grace_ms = 500                   # how long a run that was told to end may take to do so
//!
//! [tenants.acme]
//! allow_nodes = ["string.*", "math.add"]
//! deny_nodes = ["string.format"]
//!
//! [tenants.acme.secrets]
//! API_TOKEN = { env = "ACME_API_TOKEN" }
//! SIGNING_KEY = { file = "acme.key" }
//!
//! [tenants.acme.settings]          # what this tenant's plugins are told, before what all are told
//! files.folder = "/srv/acme"
//!
//! [settings]                       # what the plugins of all tenants are told
//! http.allow_hosts = "*.example.com"
//! ```
//!
//! `[trust]` is described in `trust.rs`, `[rollout]`, `[plugin.NAME]`, `[breaker]` and `[retention]` in `delivery.rs`.

mod delivery;
mod settings;
mod workflows;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use patchbay_intake::signature::TrustPolicy;
use patchbay_lifecycle::OnDelete;
use patchbay_rollout::{Policy, PolicyError};
use patchbay_runs::{BadNodePattern, NodePattern, NodeRules};
use patchbay_vocab::{Code, Explain, PluginName, TenantId};
use serde::Deserialize;

use self::delivery::{BreakerTable, PluginTable, RetentionTable, RolloutTable};
use self::settings::SettingsTable;
use self::workflows::WorkflowsTable;
use crate::Config;
use crate::trust::TrustTable;

/// How long the watch may wait for anything: an hour. More is a mistake in the unit.
const MOST_MILLIS: u64 = 3_600_000;
/// How long anything may be idle before that is noticed: a week. More is "never", and a mistake in the unit.
const MOST_IDLE_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Instances of one plugin that may stay: as many as one node may have.
const MOST_INSTANCES: u64 = 100_000;

/// The settings of a file; what is not there keeps its standard value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Where the API listens.
    pub listen: Option<SocketAddr>,
    /// The watched directory.
    pub plugins: Option<PathBuf>,
    /// The data directory.
    pub data: Option<PathBuf>,
    #[serde(default)]
    lifecycle: LifecycleTable,
    #[serde(default)]
    probe: ProbeTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    workflows: WorkflowsTable,
    #[serde(default)]
    trust: TrustTable,
    /// Where it was read from: paths in it start there.
    #[serde(skip)]
    folder: PathBuf,
    #[serde(default)]
    tenants: BTreeMap<TenantId, TenantTable>,
    #[serde(default)]
    settings: SettingsTable,
    #[serde(default)]
    rollout: RolloutTable,
    #[serde(default)]
    plugin: BTreeMap<PluginName, PluginTable>,
    #[serde(default)]
    breaker: BreakerTable,
    #[serde(default)]
    retention: RetentionTable,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LifecycleTable {
    history_limit: Option<usize>,
    handover_ms: Option<u64>,
    go_live: Option<GoLiveText>,
    on_delete: Option<OnDeleteText>,
    stable_for_ms: Option<u64>,
    rescan_ms: Option<u64>,
    instances_idle_after_ms: Option<u64>,
    instances_max: Option<u64>,
    instances_parked_bytes: Option<usize>,
    unmap_idle_after_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GoLiveText {
    Immediate,
    Manual,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnDeleteText {
    Keep,
    Retire,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeTable {
    deadline_ms: Option<u64>,
    helper: Option<PathBuf>,
    memory_bytes: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsTable {
    plugin_bytes: Option<u64>,
    output_bytes: Option<usize>,
    call_depth: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantTable {
    #[serde(default)]
    allow_nodes: Vec<NodePatternText>,
    #[serde(default)]
    deny_nodes: Vec<NodePatternText>,
    #[serde(default)]
    secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    settings: SettingsTable,
}

/// A node type, or the beginning of some.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct NodePatternText(NodePattern);

impl TryFrom<String> for NodePatternText {
    type Error = BadNodePattern;

    fn try_from(text: String) -> Result<Self, BadNodePattern> {
        text.parse().map(Self)
    }
}

/// Where a secret comes from; never the file itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file, without its last line break.
    File(PathBuf),
}

/// Why a configuration file is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the configuration `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not what a configuration looks like.
    #[error("the configuration `{}` is wrong: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// A setting of `[trust]` cannot be meant.
    #[error("the setting `{setting}` cannot be used: {reason}")]
    Trust {
        /// Which.
        setting: String,
        /// Why.
        reason: String,
    },
    /// A time is shorter or longer, or a number smaller or larger, than anybody can mean.
    #[error("the setting `{setting}` is {value}; it has to be from {least} to {most}{unit}")]
    OutOfRange {
        /// Which.
        setting: &'static str,
        /// What it says.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
        /// What it is counted in, after a space.
        unit: &'static str,
    },
    /// A policy cannot be carried out.
    #[error("the setting `{setting}` cannot be used")]
    Policy {
        /// Which.
        setting: String,
        /// Why.
        #[source]
        cause: PolicyError,
    },
    /// A secret's source gives nothing.
    #[error("secret `{name}` of tenant `{tenant}` has no value: {reason}")]
    Secret {
        /// The tenant.
        tenant: TenantId,
        /// The secret.
        name: String,
        /// Why.
        reason: String,
    },
}

impl Explain for ConfigError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Read { .. } => "PB-CONFIG-001",
            Self::Parse { .. } => "PB-CONFIG-002",
            Self::Secret { .. } => "PB-CONFIG-003",
            Self::Trust { .. } => "PB-CONFIG-004",
            Self::OutOfRange { .. } => "PB-CONFIG-005",
            Self::Policy { .. } => "PB-CONFIG-006",
        })
    }

    fn help(&self) -> String {
        match self {
            Self::Read { .. } => "check the path and its rights".into(),
            Self::Parse { .. } => "see the example in the README; unknown settings are refused".into(),
            Self::Trust { .. } => "paste the public key and the table that `patchbay keygen` printed".into(),
            Self::Policy { cause, .. } => cause.help(),
            Self::OutOfRange { .. } => "correct the setting, or leave it out for its standard value".into(),
            Self::Secret { .. } => "set the environment variable or write the file before the start".into(),
        }
    }
}

impl ConfigFile {
    /// Reads a file; relative paths in it start from its folder.
    ///
    /// # Errors
    /// When it cannot be read or is not right.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read {
            path: path.to_owned(),
            cause,
        })?;
        let mut file: Self = toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let paths = [
            &mut file.plugins,
            &mut file.data,
            &mut file.probe.helper,
            &mut file.workflows.dir,
        ];
        for relative in paths.into_iter().flatten() {
            *relative = folder.join(&*relative);
        }
        file.folder = folder.to_owned();
        Ok(file)
    }

    /// What its table `[trust]` demands.
    ///
    /// # Errors
    /// When a key cannot be had, or a setting cannot be meant.
    pub fn trust(&self) -> Result<TrustPolicy, ConfigError> {
        self.trust.policy(&self.folder)
    }

    /// Lays the file's settings over a configuration. `plugins` and `data` are the caller's to choose.
    ///
    /// # Errors
    /// When a secret has no value, a time is out of range, or `[trust]` cannot be used.
    pub fn apply(&self, config: &mut Config) -> Result<(), ConfigError> {
        let millis = Duration::from_millis;
        config.trust = self.trust()?;
        set(&mut config.history_limit, self.lifecycle.history_limit);
        set(
            &mut config.handover_within,
            self.lifecycle.handover_ms.map(millis),
        );
        let within = |setting, least, value| {
            bounded(setting, value, least, MOST_MILLIS, " milliseconds").map(|value| value.map(millis))
        };
        self.lifecycle.apply_idle(config)?;
        set(
            &mut config.stable_for,
            within("lifecycle.stable_for_ms", 0, self.lifecycle.stable_for_ms)?,
        );
        set(
            &mut config.rescan,
            within("lifecycle.rescan_ms", 1, self.lifecycle.rescan_ms)?,
        );
        set(
            &mut config.delivery.policy,
            self.lifecycle.go_live.map(|text| match text {
                GoLiveText::Immediate => Policy::Immediate,
                GoLiveText::Manual => Policy::Manual,
            }),
        );
        self.apply_delivery(&mut config.delivery)?;
        set(
            &mut config.on_delete,
            self.lifecycle.on_delete.map(|text| match text {
                OnDeleteText::Keep => OnDelete::Keep,
                OnDeleteText::Retire => OnDelete::Retire,
            }),
        );
        set(&mut config.probe_deadline, self.probe.deadline_ms.map(millis));
        set(&mut config.probe_helper, self.probe.helper.clone());
        set(&mut config.probe_memory, self.probe.memory_bytes);
        set(&mut config.max_plugin_bytes, self.limits.plugin_bytes);
        set(&mut config.max_output_bytes, self.limits.output_bytes);
        set(&mut config.workflows.output_bytes, self.limits.output_bytes);
        self.workflows.apply(&mut config.workflows)?;
        set(&mut config.max_call_depth, self.limits.call_depth);
        let settings = |tenant: Option<&TenantId>, table: &SettingsTable| {
            let named = |(name, value): (&String, &String)| (tenant.cloned(), name.clone(), value.clone());
            table.0.iter().map(named).collect::<Vec<_>>()
        };
        config.settings.extend(settings(None, &self.settings));
        for (tenant, table) in &self.tenants {
            config.settings.extend(settings(Some(tenant), &table.settings));
            let patterns = |texts: &[NodePatternText]| texts.iter().map(|text| text.0.clone()).collect();
            let rules = NodeRules {
                allow: patterns(&table.allow_nodes),
                deny: patterns(&table.deny_nodes),
            };
            if rules != NodeRules::default() {
                config.workflows.rules.0.push((tenant.clone(), rules));
            }
            for (name, source) in &table.secrets {
                let value = source.value(&self.folder).map_err(|reason| ConfigError::Secret {
                    tenant: tenant.clone(),
                    name: name.clone(),
                    reason,
                })?;
                config.secrets.push((tenant.clone(), name.clone(), value));
            }
        }
        Ok(())
    }
}

impl LifecycleTable {
    /// When what is idle is put away; 0 is never.
    fn apply_idle(&self, config: &mut Config) -> Result<(), ConfigError> {
        let idle = |setting, value| -> Result<Option<Option<Duration>>, ConfigError> {
            let value = bounded(setting, value, 0, MOST_IDLE_MILLIS, " milliseconds")?;
            Ok(value.map(|value| (value > 0).then(|| Duration::from_millis(value))))
        };
        set(
            &mut config.instances.idle_after,
            idle("lifecycle.instances_idle_after_ms", self.instances_idle_after_ms)?,
        );
        set(
            &mut config.plugins_idle_after,
            idle("lifecycle.unmap_idle_after_ms", self.unmap_idle_after_ms)?,
        );
        let max = bounded(
            "lifecycle.instances_max",
            self.instances_max,
            1,
            MOST_INSTANCES,
            "",
        )?;
        let max = max.and_then(|max| usize::try_from(max).ok());
        set(&mut config.instances.max, max);
        set(&mut config.instances.parked_bytes, self.instances_parked_bytes);
        Ok(())
    }
}

/// A setting, when it is one that somebody can mean.
fn bounded(
    setting: &'static str,
    value: Option<u64>,
    least: u64,
    most: u64,
    unit: &'static str,
) -> Result<Option<u64>, ConfigError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(ConfigError::OutOfRange {
            setting,
            value,
            least,
            most,
            unit,
        }),
        value => Ok(value),
    }
}

impl SecretSource {
    /// What it gives; a path in it starts from `folder`.
    fn value(&self, folder: &Path) -> Result<String, String> {
        match self {
            Self::Env(name) => std::env::var(name).map_err(|error| format!("`{name}`: {error}")),
            Self::File(path) => {
                let path = folder.join(path);
                std::fs::read_to_string(&path)
                    .map(|text| text.strip_suffix('\n').unwrap_or(&text).to_owned())
                    .map_err(|error| format!("`{}`: {error}", path.display()))
            }
        }
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstanceConfig;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        read_in(folder.path(), text)
    }

    fn read_in(folder: &Path, text: &str) -> Result<Config, ConfigError> {
        let file = folder.join("patchbay.toml");
        std::fs::write(&file, text).unwrap();
        let mut config = Config::new("p", "d");
        ConfigFile::read(&file)?.apply(&mut config)?;
        Ok(config)
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let config =
            read("[lifecycle]\nhistory_limit = 5\non_delete = \"retire\"\n[limits]\ncall_depth = 3").unwrap();
        assert_eq!(
            (config.history_limit, config.on_delete, config.max_call_depth),
            (5, OnDelete::Retire, 3)
        );
        assert_eq!(config.delivery.policy, Policy::Immediate);
    }

    #[test]
    fn settings_are_texts_under_dotted_names_of_a_tenant_or_of_all() {
        let text = "[settings]\nhttp.deny_private = true\n\"sql.max_rows\" = 10\n\
                    [tenants.acme.settings]\nfiles.folder = \"/srv/acme\"";
        let config = read(text).unwrap();
        let acme: TenantId = "acme".parse().unwrap();
        let set = |tenant: Option<&TenantId>, name: &str, value: &str| {
            (tenant.cloned(), name.to_owned(), value.to_owned())
        };
        assert_eq!(
            config.settings,
            [
                set(None, "http.deny_private", "true"),
                set(None, "sql.max_rows", "10"),
                set(Some(&acme), "files.folder", "/srv/acme"),
            ]
        );
        for bad in ["[settings]\nx = [1]", "[settings]\na.b = 1\n\"a.b\" = 2"] {
            let error = read(bad).unwrap_err();
            assert_eq!(error.code().0, "PB-CONFIG-002", "{bad}");
        }
    }

    #[test]
    fn an_unknown_setting_and_a_secret_without_value_are_refused_by_name() {
        let unknown = read("[lifecycle]\nhistory = 5").unwrap_err();
        assert!(unknown.to_string().contains("history"), "{unknown}");
        let secret = read("[tenants.acme.secrets]\nKEY = { env = \"PATCHBAY_TEST_NOT_SET\" }").unwrap_err();
        assert_eq!(secret.code().0, "PB-CONFIG-003");
        assert!(secret.to_string().contains("KEY"), "{secret}");
    }

    #[test]
    fn rules_of_tenants_are_read_and_bad_patterns_refused() {
        let text = "[tenants.acme]\nallow_nodes = [\"string.*\"]\ndeny_nodes = [\"string.format\"]";
        let config = read(text).unwrap();
        let acme: TenantId = "acme".parse().unwrap();
        let may = |name| config.workflows.rules.allows(&acme, &std::iter::once(name));
        assert!(may("string.upper") && !may("string.format") && !may("math.add"));
        let bad = read("[tenants.acme]\nallow_nodes = [\"*.upper\"]").unwrap_err();
        assert_eq!(bad.code().0, "PB-CONFIG-002");
        assert!(bad.to_string().contains("*.upper"), "{bad}");
    }

    #[test]
    fn paths_start_from_the_folder_of_the_file_and_not_from_the_working_directory() {
        let folder = tempfile::tempdir().unwrap();
        assert_ne!(std::env::current_dir().unwrap(), folder.path());
        std::fs::write(folder.path().join("token"), "s3cret\n").unwrap();
        let text = "plugins = \"p\"\ndata = \"d\"\n[probe]\nhelper = \"bin/helper\"\n\
                    [tenants.acme.secrets]\nTOKEN = { file = \"token\" }";
        let config = read_in(folder.path(), text).unwrap();
        assert_eq!(config.probe_helper, folder.path().join("bin/helper"));
        assert_eq!(config.secrets[0].2, "s3cret");
        let file = ConfigFile::read(&folder.path().join("patchbay.toml")).unwrap();
        assert_eq!(
            (file.plugins, file.data),
            (Some(folder.path().join("p")), Some(folder.path().join("d")))
        );
        let missing = read_in(
            folder.path(),
            "[tenants.acme.secrets]\nTOKEN = { file = \"none\" }",
        );
        let missing = missing.unwrap_err().to_string();
        assert!(
            missing.contains(&folder.path().join("none").display().to_string()),
            "{missing}"
        );
    }

    #[test]
    fn times_that_nobody_can_mean_are_refused_with_the_setting() {
        for setting in ["stable_for_ms", "rescan_ms"] {
            assert!(read(&format!("[lifecycle]\n{setting} = 3600000")).is_ok());
            let error = read(&format!("[lifecycle]\n{setting} = 3600001")).unwrap_err();
            assert_eq!(error.code().0, "PB-CONFIG-005");
            assert!(error.to_string().contains(setting), "{error}");
        }
        assert!(
            read("[lifecycle]\nrescan_ms = 0").is_err(),
            "the watch would never rest"
        );
    }

    #[test]
    fn what_is_idle_is_put_away_when_the_file_says_so_and_zero_is_never() {
        let standard = read("").unwrap();
        assert_eq!(standard.instances.idle_after, Some(Duration::from_secs(600)));
        assert_eq!(standard.plugins_idle_after, None);
        let config = read(
            "[lifecycle]\ninstances_idle_after_ms = 0\ninstances_max = 7\ninstances_parked_bytes = 9\n\
             unmap_idle_after_ms = 1500",
        );
        let config = config.unwrap();
        assert_eq!(config.plugins_idle_after, Some(Duration::from_millis(1500)));
        let expected = InstanceConfig {
            idle_after: None,
            max: 7,
            parked_bytes: 9,
        };
        assert_eq!(config.instances, expected);
        for line in [
            "instances_idle_after_ms = 604800001",
            "unmap_idle_after_ms = 604800001",
            "instances_max = 0",
            "instances_max = 100001",
        ] {
            let error = read(&format!("[lifecycle]\n{line}")).unwrap_err();
            assert_eq!(error.code().0, "PB-CONFIG-005", "{line}");
            let setting = line.split(' ').next().unwrap();
            assert!(error.to_string().contains(setting), "{error}");
        }
    }

    #[test]
    fn workflows_are_set_within_bounds_and_their_directory_starts_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[limits]\noutput_bytes = 4096\n[workflows]\ndir = \"wf\"\nenv = [\"REGION\"]\nscript_ms = 20\n\
                    threads = 3\nresult_cache_bytes = 0\nkeep_runs = 10\nkeep_days = 2\ngrace_ms = 0";
        let config = read_in(folder.path(), text).unwrap().workflows;
        assert_eq!(config.workflows, Some(folder.path().join("wf")));
        assert_eq!(
            (config.env, config.script_millis),
            (vec!["REGION".to_owned()], 20)
        );
        assert_eq!(
            (config.threads, config.result_bytes, config.output_bytes),
            (3, 0, 4096)
        );
        assert_eq!((config.keep.runs, config.keep.days), (10, 2));
        assert_eq!(config.grace, Duration::ZERO);
        for line in [
            "script_ms = 0",
            "script_ms = 60001",
            "script_memory_bytes = 1",
            "threads = 0",
            "threads = 257",
            "plan_cache_bytes = 0",
            "result_cache_bytes = 9223372036854775807",
            "result_cache_from_us = 60000001",
            "keep_runs = 0",
            "keep_days = 36501",
            "keep_bytes = 1",
            "grace_ms = 60001",
        ] {
            let error = read(&format!("[workflows]\n{line}")).unwrap_err();
            assert_eq!(error.code().0, "PB-CONFIG-005", "{line}");
            let setting = line.split(' ').next().unwrap();
            assert!(error.to_string().contains(setting), "{error}");
        }
        for line in ["env = [\"\"]", "env = [\"A=B\"]", "thread = 1", "threads = -1"] {
            let error = read(&format!("[workflows]\n{line}")).unwrap_err();
            assert_eq!(error.code().0, "PB-CONFIG-002", "{line}");
        }
    }
}
