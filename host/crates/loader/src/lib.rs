//! Maps an inspected artifact, calls it, and truly unmaps it.
//!
//! Invariant: plugin code runs only while its library is mapped, and a library is unmapped only when nothing of it can
//! run any more. The first half is the [`Gate`](patchbay_lease::Gate) of each loaded plugin, the second the state
//! machine of [`LoadedPlugin::unload`] with the interposers' counts of threads, thread-locals and keys.
//!
//! ```text
//! Inspected --load--> LoadedPlugin --execute, begin--> results
//!                          |
//!                     gate closed --unload, again and again--> Unmapped
//! ```

mod description;
mod error;
mod layout;
mod load;
mod nothing;
#[expect(
    unsafe_code,
    reason = "zone 2: the only place where libraries are mapped and plugin code is entered"
)]
mod raw;

pub use description::{BadMetadata, Description, NodeDescription};
pub use error::{CallFault, HandOverError, LoadError};
pub use load::{MapsDir, Placed, load, load_placed};
pub use nothing::Nothing;
pub use raw::handover::{HandOver, HandOverLimits, HandedOver, Leaving, ServicesFor, Side};
pub use raw::library::LayoutCheck;
pub use raw::lookup::SymbolLookup;
pub use raw::parking::StaysAwake;
pub use raw::plugin::{CallFuture, LoadedPlugin, Nested, OwnedStateHold, StateHold, SyncCall, Unloaded};
pub use raw::tally::{InstanceCounts, ParkLimits};
pub use raw::trap::exit_on_refused_calls;

/// Whether this executable can unmap plugins: it has the thread hooks, and plugins bind to them.
#[must_use]
pub fn can_unmap() -> bool {
    raw::library::can_unmap()
}

/// Libraries that take a slot: loaded, being loaded, or kept for ever.
#[must_use]
pub fn libraries() -> usize {
    raw::slots::in_use()
}
