//! One call: route, lease, deadline, context, call, account.
//!
//! Invariant: a call runs on exactly one version, chosen from one snapshot, and that version stays mapped until the
//! call has returned. A caller that finds a version closed takes the next snapshot, or has the version woken when it is
//! asleep; it never fails for a swap or a sleep.
//!
//! ```text
//! node type --resolve--> NodeSlot --snapshot--> Route --gate.enter--> Pass --execute--> Answer
//! ```
//!
//! A [`Session`] does this once for many calls: everything that runs in it, calls of nodes by nodes included, sees one
//! version of each plugin until it ends. Its calls may be begun and awaited, too, and then own what they need.
//!
//! The path of a resolved node costs a thread-local, a pointer comparison (is the cached snapshot the current one?), an
//! array index, two counter updates and the call itself: no lock, no hash, no allocation.
#![forbid(unsafe_code)]

mod begun;
mod block;
mod cancel;
mod dispatcher;
mod entry;
mod error;
mod handover;
mod held;
mod nearest;
mod observed;
mod rules;
mod scope;
mod served;
mod services;
mod session;
mod stores;
mod variables;
mod view;
mod waker;

pub use begun::OwnedOptions;
pub use cancel::Cancel;
pub use dispatcher::{Answer, CallOptions, Dispatcher, Limits};
pub use error::{CallError, ServedBy};
pub use handover::{Giver, Party};
pub use observed::{Observed, Sampling, Tap, Tapped};
pub use patchbay_loader::{HandOverError, HandOverLimits, HandedOver};
pub use patchbay_loader::{InstanceCounts, ParkLimits, StaysAwake};
pub use patchbay_registry::{Mount, NodeSlot};
pub use plugin_api::shim::host::HostSink as Output;
pub use rules::{BadNodePattern, NodePattern, NodeRules, TenantRules};
pub use scope::NodeScope;
pub use served::{Faults, Served};
pub use session::{Facts, Session};
pub use stores::TenantStores;
pub use variables::Variables;
pub use view::Routes;
pub use waker::{PluginWaker, StillAsleep};
