//! The words every Patchbay crate shares.
//!
//! Invariant: an id that exists is valid. Each id is a newtype that checks its text once, when it is made;
//! nothing downstream checks again, and nothing downstream accepts a bare `String` for one.
#![forbid(unsafe_code)]

mod clock;
mod error;
mod id;
mod kill;
mod state;

pub use clock::{Clock, FakeClock, Monotonic, SystemClock, UnixMillis};
pub use error::{Code, Explain, Explained};
pub use id::{
    BadId, Digest, KeyId, NodeId, NodeType, PluginName, RevisionNumber, RunId, TeamName, TenantId, WorkflowId,
};
pub use kill::kill_point;
pub use semver::{Version, VersionReq};
pub use state::{PinReason, RevisionState};
