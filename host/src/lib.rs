//! A host for native plugins that never has to restart.
//!
//! Open a host over a directory; plugins that are dropped into it are vetted, mapped and called, replaced while calls
//! are running, rolled back by one pointer store, and truly unmapped when their last call has returned.
//!
//! ```no_run
//! use patchbay::{Config, Order, Patchbay, Selector};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // First in main: trial loads run in a child of this very executable.
//!     patchbay::serve_if_asked();
//!
//!     let host = Patchbay::open(Config::new("plugins", "data"))?;
//!     let shout: patchbay::Json = host.call("string.upper", &[("value", "hello")].into_iter().collect::<Map>())?;
//!     println!("{shout}");
//!
//!     let string = "string".parse()?;
//!     host.promote(&string, &"1.3.0".parse::<Selector>()?, Order::by("ada", "release 1.3"))?;
//!     host.rollback(&string, None, Order::by("ada", "1.3 is slow"))?;
//!     Ok(())
//! }
//! # type Map = std::collections::BTreeMap<&'static str, &'static str>;
//! ```
//!
//! # Calling at full speed
//!
//! [`Patchbay::call`] looks the node up by name and allocates its buffers. A caller in a loop resolves the node once
//! and keeps its buffers:
//!
//! ```no_run
//! # fn f(host: &patchbay::Patchbay) -> Result<(), Box<dyn std::error::Error>> {
//! use patchbay::{Call, Output, Value};
//!
//! let upper = host.resolve("string.upper")?;
//! let call = Call::of("acme".parse()?);
//! let input = Value::from_json(r#"{"value": "hello"}"#)?;
//! let mut out = Output::with_limit(1 << 20);
//! for _ in 0..1_000_000 {
//!     let (answer, revision) = upper.call(input.as_ref(), &call, &mut out)?;
//!     assert!(answer.get("result").is_some() && revision.0 > 0);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Session`] holds several nodes at one version each for the length of a run, whatever is deployed meanwhile.
//!
//! # Unloading in your own executable
//!
//! To unmap a plugin, the host must know of the threads, thread-locals and thread-specific keys that the plugin made.
//! It learns of them through four functions of the C library that this crate defines in the executable it is linked
//! into. In a program where they do not take effect (a host inside a shared library, say), versions are retired but
//! stay mapped: [`StatusView::unload`] says which.
#![forbid(unsafe_code)]

pub use patchbay_control::{
    AuditFilter, BadKey, BadPattern, BadSelector, Begun, BreakerConfig, CacheNumbers, Call, CallError,
    CallOptions, Cancel, Collect, Config, ConfigError, ConfigFile, ControlError, DeliveryConfig,
    DeliveryError, ErrorClass, Facts, Finished, Force, Hook, HookBody, HookReply, InstanceConfig,
    JournalStats, KeyFile, LifecycleError, Mode, NamePattern, Node, NodePattern, NodeRules, NodeScope,
    OnDelete, OpenError, Order, Output, OwnedOptions, Pair, Patchbay, PinScope, Policy, PolicyError,
    PromoteHow, Protection, Replaying, Retention, RetentionConfig, RolloutScope, RunOrder, RunStatus,
    RunsConfig, RunsError, SameVersion, Selector, Session, SignError, Signatures, SigningError, SigningKey,
    Team, TenantRules, TriggerKind, TrustPolicy, TrustedKey, Variables, Wanted, Watch, check_file,
    inspect_file, read_public_key, relax_trust, sign_file, validate_document,
};
pub use patchbay_isolate::serve_if_asked;
pub use patchbay_vocab::{
    Code, Digest, Explain, Explained, KeyId, NodeType, PluginName, RevisionNumber, RevisionState, RunId,
    TeamName, TenantId, Version, VersionReq, WorkflowId,
};
pub use patchbay_wire::{
    AuditVerifiedView, AuditView, CacheView, CachesView, CallReply, CallRequest, CheckView, CollectedView,
    DependentView, EventView, EvidenceView, HistoryView, InspectView, KeyPairView, LeftOutView,
    NodeResultView, NodeView, PinView, PinnedView, PluginView, PolicyView, RejectedView, RelaxedView,
    ReplayRequest, ReplayView, RevisionRef, RevisionView, RolloutPlanView, RolloutRequest, RolloutView,
    RunEventView, RunListView, RunMetrics, RunRequest, RunView, SchemaChangeView, SignedView, SignerView,
    StatusView, SwapView, TouchedWorkflowView, UnloadMode, ValidateView, WorkflowFindingView, WorkflowView,
};
pub use plugin_api::meta::Effect;
pub use plugin_api::value::{Value, ValueError, ValueRef};
pub use plugin_api::{Contract, NodeError};

/// A result that need not have a type of its own: any value, printed as JSON.
pub type Json = Value;
