//! Use cases shared by the library, the API and the command line.
//!
//! Invariant: [`Patchbay`] is the one way into a host. What it returns is complete and owned: wire types for listings,
//! encoded values or serde types for calls; nothing of it points into a plugin.
#![forbid(unsafe_code)]

mod audit;
mod caches;
mod call;
mod check;
mod comeback;
mod config;
mod error;
mod examples;
mod file;
mod listing;
mod once;
mod open;
mod patchbay;
mod pins;
mod plan;
mod recordings;
mod rollouts;
mod trust;
mod workflows;

pub use audit::AuditFilter;
pub use call::{Call, Node};
pub use check::{check_file, inspect_file};
pub use config::{Config, InstanceConfig};
pub use error::{ControlError, ErrorClass, OpenError};
pub use file::{ConfigError, ConfigFile};
pub use patchbay::{Order, Patchbay};
pub use rollouts::{PromoteHow, RolloutScope};
pub use trust::{SignError, read_public_key, relax_trust, sign_file};

pub use patchbay_delivery::{BreakerConfig, Collect, DeliveryConfig, DeliveryError, Mode, RetentionConfig};
pub use patchbay_dispatch::{
    CallError, CallOptions, Cancel, Facts, NodeScope, NodeSlot, Output, OwnedOptions, Session, Variables,
};
pub use patchbay_intake::signature::{
    BadKey, BadPattern, NamePattern, Signatures, Team, TrustPolicy, TrustedKey,
};
pub use patchbay_lifecycle::{LifecycleError, OnDelete};
pub use patchbay_registry::{BadSelector, Force, PinScope, SameVersion, Selector};
pub use patchbay_rollout::{Policy, PolicyError};
pub use patchbay_runs::{
    BadNodePattern, Begun, CacheNumbers, Finished, Hook, HookBody, HookReply, JournalStats, NodePattern,
    NodeRules, Order as RunOrder, Replaying, Retention, RunStatus, RunsConfig, RunsError, TenantRules,
    TriggerKind, Wanted, Watch, validate_document,
};
pub use patchbay_signing::{KeyFile, Pair, Protection, SigningError, SigningKey};
